//! The state of a frame that has not arrived, or has not been read, completely.
//!
//! Between two frames of one chunk there is no such state, and a reader has one null pointer for it: many connections
//! are at rest.

use std::ops::{Deref, DerefMut};

use super::leftover::Leftover;
use super::state::{Delivery, Step};
use crate::spare::Spares;

#[derive(Debug)]
pub(super) struct Open {
    pub(super) leftover: Leftover,
    /// Payload of a frame in several parts, or payload that the format has unpacked.
    pub(super) out: Vec<u8>,
    pub(super) step: Step,
    pub(super) delivery: Delivery,
    /// Stream offset of the open frame's first byte; holds unless the delivery is `Whole`.
    pub(super) at: u64,
    /// Payload bytes of the open frame that were read already.
    pub(super) gone: u64,
    /// How many bytes of payload they were unpacked to.
    pub(super) made: usize,
    /// How many bytes the head takes in front of the gathered payload.
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
            leftover: Leftover::new(),
            out: Vec::new(),
            step: Step::Cut,
            delivery: Delivery::Whole,
            at: 0,
            gone: 0,
            made: 0,
            base: 0,
            empty_parts: 0,
        }
    }

    /// Whether the next frame has not begun, as far as the reader has seen.
    #[inline]
    pub(super) fn between_frames(&self) -> bool {
        matches!((self.step, self.delivery), (Step::Cut, Delivery::Whole))
    }
}

/// An [`Open`] that is allocated when it is written to, and reads as a new one until then.
#[derive(Debug)]
pub(super) struct MaybeOpen(Option<Box<Open>>);

impl MaybeOpen {
    pub(super) const fn new() -> MaybeOpen {
        MaybeOpen(None)
    }

    pub(super) fn with_leftover(leftover: Leftover) -> MaybeOpen {
        let mut open = MaybeOpen::new();
        if !leftover.is_empty() {
            open.leftover = leftover;
        }
        open
    }

    /// The state, if it is allocated.
    #[inline(always)]
    pub(super) fn get(&self) -> Option<&Open> {
        self.0.as_deref()
    }

    /// The buffer for unpacked payload, empty, to be [given back](MaybeOpen::give_out).
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

    /// Gives the memory of a state that equals a new one to the thread's other readers.
    #[inline]
    pub(super) fn forget(&mut self) {
        let Some(open) = &self.0 else {
            return;
        };
        let buffers = open.leftover.capacity() + open.out.capacity();
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
