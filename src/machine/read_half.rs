//! The reading half of a [`Duplex`](super::Duplex): flowing and paused mode, the buffer, and the end.
//!
//! | `flow` | listeners | what becomes of a chunk |
//! |---|---|---|
//! | undecided | none | kept, up to the high-water mark; then the kernel keeps it |
//! | flowing | `Data` | handed on at once, borrowed from the loop's buffer |
//! | flowing | none | thrown away |
//! | paused | any | kept, up to the high-water mark |
//! | any | `Readable` | kept; `Readable` is emitted, and `read` gives it and emits `Data` |
//!
//! As in Node, a pause does not stop the descriptor, which is read until the high-water mark is
//! reached; and the peer's end is emitted in spite of a pause if nothing is kept. Only a socket that
//! was paused before it was connected is not read at all.

use std::cell::Cell;

use super::slot::Slot;
use crate::bits::bits;
use buffer::Buffer;
use piece::Piece;

mod buffer;
#[cfg(all(feature = "sim", any(test, fuzzing, feature = "fuzzing")))]
mod check;
mod emitting;
mod piece;
mod query;
mod readable;
mod reading;
mod receiving;

/// The largest high-water mark that a `read` of so much sets.
const MAX_HIGH_WATER_MARK: usize = 1 << 30;

pub(super) struct ReadHalf {
    end: Cell<ReadEnd>,
    flow: Cell<Flow>,
    descriptor: Cell<Descriptor>,
    framed: Cell<Framed>,
    demand: Cell<Demand>,
    emitting: Cell<Emitting>,
    bits: Bits,
    length: Cell<usize>,
    bytes: Cell<u64>,
    buffer: Slot<Box<Buffer>>,
}

bits! {
    struct Bits {
        /// The last call of `pause` or `resume` was the former.
        paused_last,
        /// It was the latter.
        resumed_last,
        /// A framing has enough: the descriptor is left alone, and `End` waits.
        held,
        need_readable,
        readable_scheduled,
        /// The end came while nobody listened to `Readable`; who comes later hears of it.
        end_unheard,
        resume_scheduled,
        read_more_scheduled,
        end_scheduled,
        /// `Readable` is listened to, as far as the mode goes; lags behind by a tick.
        readable_mode,
        /// Chunks are decoded, unless the user has a buffer.
        decodes,
        /// They go into a buffer of the user's: nothing is kept or emitted, and a pause stops the descriptor.
        unbuffered,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ReadEnd {
    Open,
    /// The peer has ended; there may be data left to read.
    Ended,
    /// `End` was emitted.
    Emitted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Undecided,
    Paused,
    Flowing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    Pause,
    Resume,
}

/// What becomes of the descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Descriptor {
    LeftAlone,
    /// It is read once there is a connection.
    ReadOnConnect,
    Read,
}

/// Whether more data was asked for. Node's `reading`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    /// What is put back before the first demand is kept, as in Node.
    Never,
    /// Data, or the end, has come since.
    Met,
    Open,
}

/// What a framing makes of the chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    /// There is no framing.
    No,
    /// All of their bytes are delivered.
    Delivered,
    /// Some of their bytes wait for the rest of a frame, or for `resume`. The end may complete a frame, so `End` waits
    /// while the socket is paused.
    Holding,
}

/// Whether the listeners of `Data` are running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Emitting {
    No,
    Yes,
    /// There is something to do when they have returned.
    MoreToFollow,
}

/// How much a `read` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// The first chunk, whatever its size.
    Chunk,
    Exactly(usize),
}

impl ReadHalf {
    pub(super) fn new() -> ReadHalf {
        ReadHalf {
            end: Cell::new(ReadEnd::Open),
            flow: Cell::new(Flow::Undecided),
            descriptor: Cell::new(Descriptor::LeftAlone),
            framed: Cell::new(Framed::No),
            demand: Cell::new(Demand::Never),
            emitting: Cell::new(Emitting::No),
            bits: Bits::default(),
            length: Cell::new(0),
            bytes: Cell::new(0),
            buffer: Slot::new(),
        }
    }

    pub(super) fn begin_again(&self) {
        self.end.set(ReadEnd::Open);
        self.demand_is_met();
        self.bits.held().set(false);
        self.framed.set(Framed::No);
        // What was withheld was of the life before.
        self.bits.end_scheduled().set(false);
        self.bits.readable_scheduled().set(false);
        self.bits.end_unheard().set(false);
        self.bytes.set(0);
        self.length.set(0);
        self.buffer.if_some(|buffer| buffer.chunks.clear());
    }

    pub(super) fn stop(&self) {
        self.descriptor.set(Descriptor::LeftAlone);
    }

    pub(super) fn end_emitted(&self) -> bool {
        self.end.get() == ReadEnd::Emitted
    }

    fn has_ended(&self) -> bool {
        self.end.get() > ReadEnd::Open
    }

    fn is_flowing(&self) -> bool {
        self.flow.get() == Flow::Flowing
    }

    fn is_read(&self) -> bool {
        self.descriptor.get() == Descriptor::Read
    }

    fn leave_descriptor_alone(&self) {
        if self.is_read() {
            self.descriptor.set(Descriptor::LeftAlone);
        }
    }

    fn has_open_demand(&self) -> bool {
        self.demand.get() == Demand::Open
    }

    fn demand_is_met(&self) {
        if self.has_open_demand() {
            self.demand.set(Demand::Met);
        }
    }

    fn set_called(&self, called: Called) {
        self.bits.paused_last().set(called == Called::Pause);
        self.bits.resumed_last().set(called == Called::Resume);
    }

    /// From now on chunks go into a buffer of the user's.
    fn take_at_once(&self) {
        self.bits.decodes().set(false);
        self.bits.unbuffered().set(true);
    }

    fn is_unbuffered(&self) -> bool {
        self.bits.unbuffered().get()
    }

    fn is_text(&self) -> bool {
        self.bits.decodes().get()
    }

    fn with_buffer<R>(&self, f: impl FnOnce(&mut Buffer) -> R) -> R {
        self.buffer.with(|buffer| f(buffer.get_or_insert_default()))
    }

    fn keep(&self, chunk: &[u8]) {
        self.length.set(self.length.get() + chunk.len());
        self.with_buffer(|buffer| buffer.push(chunk));
    }

    /// Keeps bytes in front that are lent: where as many were taken, if they were.
    fn put_back(&self, bytes: &[u8]) {
        self.length.set(self.length.get() + bytes.len());
        self.with_buffer(|buffer| {
            let first = buffer.chunks.front_mut();
            if !first.is_some_and(|first| first.put_back(bytes)) {
                buffer.chunks.push_front(Piece::new(bytes.to_vec()));
            }
        });
    }

    /// As `put_back`, of bytes that need not be copied.
    fn keep_in_front(&self, piece: Piece) {
        self.length.set(self.length.get() + piece.len());
        self.with_buffer(|buffer| buffer.chunks.push_front(piece));
    }

    /// The next chunk that a listener of the last one has read.
    fn next_to_follow(&self) -> Option<Vec<u8>> {
        let next = self.buffer.if_some(|buffer| buffer.to_follow.pop_front());
        next.flatten()
    }

    /// Keeps those chunks where they were read.
    fn keep_what_follows(&self) {
        while let Some(Some(last)) = self.buffer.if_some(|buffer| buffer.to_follow.pop_back()) {
            self.keep_in_front(Piece::new(last));
        }
    }

    /// Takes `amount` bytes, which are there, off the front.
    fn take(&self, amount: Amount) -> Option<Piece> {
        let chunk = self.buffer.with(|slot| {
            let buffer = slot.as_mut()?;
            let chunk = match amount {
                Amount::Chunk => buffer.chunks.pop_front(),
                Amount::Exactly(0) => None,
                Amount::Exactly(wanted) => buffer.take_exactly(wanted),
            };
            if buffer.is_empty() {
                *slot = None;
            }
            chunk
        })?;
        self.length.set(self.length.get() - chunk.len());
        Some(chunk)
    }
}
