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

use super::life::DEFAULT_HIGH_WATER_MARK;
use super::slot::Slot;
use buffer::Buffer;
use piece::Piece;

mod buffer;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
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
    /// What the user last said by `pause` or `resume`, if anything.
    told: Cell<Option<Told>>,
    /// The descriptor is to be read.
    reading: Cell<bool>,
    /// Somebody above has enough for the moment.
    held: Cell<bool>,
    /// The end completes something that a paused socket must not be told of.
    end_waits: Cell<bool>,
    /// Reading was asked for before there was a connection.
    read_on_connect: Cell<bool>,
    /// More was asked for, and nothing has come since.
    requested: Cell<bool>,
    /// More was asked for at least once. What is put back before that is kept, as in Node.
    begun: Cell<bool>,
    need_readable: Cell<bool>,
    readable_scheduled: Cell<bool>,
    /// The end came while nobody listened to `Readable`; who comes later hears of it.
    end_unheard: Cell<bool>,
    resume_scheduled: Cell<bool>,
    read_more_scheduled: Cell<bool>,
    end_scheduled: Cell<bool>,
    /// `Readable` is listened to, as far as the mode goes; lags behind by a tick.
    readable_mode: Cell<bool>,
    emitting: Cell<Emitting>,
    high_water_mark: Cell<u32>,
    length: Cell<usize>,
    bytes: Cell<u64>,
    /// Chunks are decoded.
    text: Cell<bool>,
    /// What is read is taken at once by somebody else: nothing is kept or emitted, and a pause stops
    /// the descriptor.
    unbuffered: Cell<bool>,
    buffer: Slot<Box<Buffer>>,
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
enum Told {
    Pause,
    Resume,
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
            told: Cell::new(None),
            reading: Cell::new(false),
            held: Cell::new(false),
            end_waits: Cell::new(false),
            read_on_connect: Cell::new(false),
            requested: Cell::new(false),
            begun: Cell::new(false),
            need_readable: Cell::new(false),
            readable_scheduled: Cell::new(false),
            end_unheard: Cell::new(false),
            resume_scheduled: Cell::new(false),
            read_more_scheduled: Cell::new(false),
            end_scheduled: Cell::new(false),
            readable_mode: Cell::new(false),
            emitting: Cell::new(Emitting::No),
            high_water_mark: Cell::new(DEFAULT_HIGH_WATER_MARK as u32),
            length: Cell::new(0),
            bytes: Cell::new(0),
            text: Cell::new(false),
            unbuffered: Cell::new(false),
            buffer: Slot::new(),
        }
    }

    pub(super) fn begin_again(&self) {
        self.end.set(ReadEnd::Open);
        self.requested.set(false);
        self.held.set(false);
        self.end_waits.set(false);
        // What was withheld was of the life before.
        self.end_scheduled.set(false);
        self.read_on_connect.set(false);
        self.readable_scheduled.set(false);
        self.end_unheard.set(false);
        self.bytes.set(0);
        self.length.set(0);
        self.buffer.if_some(|buffer| buffer.chunks.clear());
    }

    pub(super) fn stop(&self) {
        self.reading.set(false);
    }

    pub(super) fn end_emitted(&self) -> bool {
        self.end.get() == ReadEnd::Emitted
    }

    fn mark(&self) -> usize {
        self.high_water_mark.get() as usize
    }

    fn has_ended(&self) -> bool {
        self.end.get() > ReadEnd::Open
    }

    fn is_flowing(&self) -> bool {
        self.flow.get() == Flow::Flowing
    }

    fn can_take_more(&self) -> bool {
        let length = self.length.get();
        !self.has_ended() && (length == 0 || length < self.mark())
    }

    fn with_buffer<R>(&self, f: impl FnOnce(&mut Buffer) -> R) -> R {
        self.buffer.with(|buffer| f(buffer.get_or_insert_default()))
    }

    fn keep(&self, chunk: Vec<u8>) {
        self.length.set(self.length.get() + chunk.len());
        self.with_buffer(|buffer| buffer.chunks.push_back(Piece::new(chunk)));
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
        let chunk = self.with_buffer(|buffer| match amount {
            Amount::Chunk => buffer.chunks.pop_front(),
            Amount::Exactly(0) => None,
            Amount::Exactly(wanted) => buffer.take_exactly(wanted),
        })?;
        self.length.set(self.length.get() - chunk.len());
        self.buffer.with(|buffer| {
            buffer.take_if(|buffer| buffer.is_empty());
        });
        Some(chunk)
    }
}
