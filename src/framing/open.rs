//! What a reader has to remember of a frame that is not all there, or not all read.
//!
//! Between two frames that were read from one chunk there is nothing to remember, and a reader has a word
//! for this that points nowhere: many connections are at rest.

use std::ops::{Deref, DerefMut};

use super::carry::Carry;
use super::state::{Fate, Step};
use crate::spare::Spares;

#[derive(Debug)]
pub(super) struct Open {
    pub(super) carry: Carry,
    /// Payload of a frame in several parts, or payload that the format has unpacked.
    pub(super) out: Vec<u8>,
    pub(super) step: Step,
    pub(super) fate: Fate,
    /// Stream offset of the open frame's first byte; holds unless the fate is `Whole`.
    pub(super) at: u64,
    /// Payload bytes of the open frame that were read already.
    pub(super) gone: u64,
    /// How many bytes of payload were made of them.
    pub(super) made: usize,
    /// How many bytes the head takes in front of what is put together.
    pub(super) base: usize,
    /// Parts of the open frame that had no payload.
    pub(super) empty_parts: usize,
}

static NOTHING: Open = Open::new();

thread_local! {
    /// Without buffers.
    static SPARE: Spares<Open> = const { Spares::new() };
}

impl Open {
    const fn new() -> Open {
        Open {
            carry: Carry::new(),
            out: Vec::new(),
            step: Step::Cut,
            fate: Fate::Whole,
            at: 0,
            gone: 0,
            made: 0,
            base: 0,
            empty_parts: 0,
        }
    }

    /// Whether no byte of the next frame has been looked at with consequences.
    #[inline]
    pub(super) fn between_frames(&self) -> bool {
        matches!((self.step, self.fate), (Step::Cut, Fate::Whole))
    }
}

/// An [`Open`] that comes into being when it is written to, and looks like a new one until then.
#[derive(Debug)]
pub(super) struct MaybeOpen(Option<Box<Open>>);

impl MaybeOpen {
    pub(super) const fn new() -> MaybeOpen {
        MaybeOpen(None)
    }

    pub(super) fn with_carry(carry: Carry) -> MaybeOpen {
        let mut open = MaybeOpen::new();
        if !carry.is_empty() {
            open.carry = carry;
        }
        open
    }

    /// What there is to look at, if there is anything.
    #[inline(always)]
    pub(super) fn get(&self) -> Option<&Open> {
        self.0.as_deref()
    }

    /// The buffer for what is unpacked, empty, to be [given back](MaybeOpen::give_out).
    #[inline(always)]
    pub(super) fn lend_out(&mut self) -> Vec<u8> {
        match &mut self.0 {
            None => Vec::new(),
            Some(open) => {
                let mut out = std::mem::take(&mut open.out);
                out.clear();
                out
            }
        }
    }

    #[inline(always)]
    pub(super) fn give_out(&mut self, out: Vec<u8>) {
        if out.capacity() > 0 {
            self.out = out;
        }
    }

    /// Gives the memory of what looks like a new one to the thread's other readers.
    #[inline]
    pub(super) fn forget(&mut self) {
        let Some(open) = &self.0 else {
            return;
        };
        let buffers = open.carry.capacity() + open.out.capacity();
        if open.between_frames() && buffers == 0 && open.base == 0 {
            Spares::give(&SPARE, self.0.take());
        }
    }
}

impl Deref for MaybeOpen {
    type Target = Open;

    #[inline]
    fn deref(&self) -> &Open {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for MaybeOpen {
    #[inline]
    fn deref_mut(&mut self) -> &mut Open {
        self.0
            .get_or_insert_with(|| Spares::take(&SPARE, Open::new()))
    }
}
