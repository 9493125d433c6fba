//! The reading half of a [`Duplex`]: flowing and paused mode, the buffer, and the end.
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

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;

use super::decoder::Utf8Decoder;
use super::host::{Host, Signal, Tick};
use super::slot::Slot;
use super::{DEFAULT_HIGH_WATER_MARK, Duplex, Life};
use crate::error::Error;
use piece::Piece;

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
mod check;
mod piece;
mod putting_back;
mod taking;
mod telling;

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

/// What most sockets never have.
#[derive(Default)]
struct Buffer {
    chunks: VecDeque<Piece>,
    decoder: Option<Utf8Decoder>,
    /// What was read by the listeners that a chunk was handed to.
    to_follow: VecDeque<Vec<u8>>,
    /// How many bytes of the chunk at hand its listeners have put back.
    put_back: usize,
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.to_follow.is_empty() && self.decoder.is_none()
    }

    /// So many bytes, which are there.
    fn take_exactly(&mut self, wanted: usize) -> Option<Piece> {
        let first = self.chunks.front()?;
        if first.len() == wanted {
            return self.chunks.pop_front();
        }
        let mut taken = Vec::with_capacity(wanted);
        while taken.len() < wanted {
            let first = self.chunks.front_mut()?;
            first.move_to(&mut taken, wanted);
            if first.len() == 0 {
                self.chunks.pop_front();
            }
        }
        Some(Piece::new(taken))
    }
}

/// Whether the listeners of `Data` are running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Emitting {
    No,
    Yes,
    /// There is something to do when they have returned.
    MoreToFollow,
}

/// Says that the listeners have returned, also by a panic.
struct EmittingEnds<'a>(&'a Cell<Emitting>);

impl Drop for EmittingEnds<'_> {
    fn drop(&mut self) {
        self.0.set(Emitting::No);
    }
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

/// What the kernel says.
impl Duplex {
    /// Whether the descriptor is to be read.
    pub(crate) fn wants_read(&self) -> bool {
        self.read.reading.get() && !self.read.held.get() && self.life() == Life::Open
    }

    /// Keeps the descriptor from being read, whatever the mode, and the end from being told of, until it is
    /// let go.
    pub(crate) fn hold(&self, host: &impl Host, held: bool) {
        if !self.read.held.replace(held) || held {
            return;
        }
        if self.wants_read() {
            host.start_reading();
        }
        if self.read.end_scheduled.get() {
            host.tick(Tick::EndReadable);
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        self.read.held.get()
    }

    /// Whether the end waits for as long as the socket is paused, though nothing is kept here.
    pub(crate) fn let_end_wait(&self, waits: bool) {
        self.read.end_waits.set(waits);
    }

    /// Bytes were read.
    pub(crate) fn on_data(&self, host: &impl Host, chunk: &[u8]) {
        host.received();
        let half = &self.read;
        half.bytes.set(half.bytes.get() + chunk.len() as u64);
        if self.is_destroyed() || self.is_errored() {
            return;
        }
        half.requested.set(false);
        if half.text.get() {
            let text = self.decode(chunk);
            if !text.is_empty() {
                self.add_chunk(host, text.as_bytes());
            }
        } else {
            self.add_chunk(host, chunk);
        }
        if !half.can_take_more() {
            half.reading.set(false);
        }
    }

    /// So many bytes were read by who takes them; false if nobody should any more.
    pub(crate) fn on_data_taken(&self, host: &impl Host, count: usize) -> bool {
        host.activity();
        self.read.bytes.set(self.read.bytes.get() + count as u64);
        !self.is_destroyed()
    }

    pub(crate) fn is_unbuffered(&self) -> bool {
        self.read.unbuffered.get()
    }

    /// From now on what is read is taken at once.
    pub(crate) fn set_unbuffered(&self) {
        self.read.unbuffered.set(true);
    }

    /// The descriptor is left alone until reading is asked for.
    pub(crate) fn stop_reading(&self) {
        self.read.reading.set(false);
    }

    /// Who takes what is read at once is given it again from here on.
    fn restart_unbuffered(&self, host: &impl Host) {
        if self.is_unbuffered() && self.life() == Life::Open && !self.read.has_ended() {
            self.start_reading(host);
        }
    }

    /// Whether chunks are decoded.
    pub(crate) fn is_text(&self) -> bool {
        self.read.text.get()
    }

    /// Bytes of a character that has only begun.
    pub(super) fn undecoded_length(&self) -> usize {
        let pending = self
            .read
            .buffer
            .if_some(|buffer| buffer.decoder.as_ref().map(Utf8Decoder::pending));
        pending.flatten().unwrap_or(0)
    }

    #[inline(never)]
    fn decode<'a>(&self, chunk: &'a [u8]) -> Cow<'a, str> {
        self.read.with_buffer(|buffer| match &mut buffer.decoder {
            Some(decoder) => decoder.decode(chunk),
            None => String::from_utf8_lossy(chunk),
        })
    }

    fn add_chunk(&self, host: &impl Host, chunk: &[u8]) {
        let half = &self.read;
        if half.is_flowing() && half.length.get() == 0 {
            let kept = self.emit_data(host, chunk);
            if kept > 0 {
                half.put_back(&chunk[chunk.len() - kept..]);
            }
            // Nobody but the next chunk needs to know that more is wanted.
            if half.is_flowing() && half.length.get() == 0 {
                half.requested.set(half.reading.get());
                return;
            }
        } else {
            half.keep(chunk.to_vec());
            if half.need_readable.get() {
                self.schedule_readable(host);
            }
        }
        self.read_more_later(host);
    }

    /// Hands a chunk to the listeners. What one of them reads meanwhile is emitted after it: they
    /// cannot be entered twice, and the next chunk must not overtake it.
    ///
    /// Returns how many bytes at its end are to be kept: they were put back, and nobody wants them now.
    #[must_use]
    fn emit_data(&self, host: &impl Host, chunk: &[u8]) -> usize {
        let half = &self.read;
        if half.emitting.get() != Emitting::No {
            half.emitting.set(Emitting::MoreToFollow);
            half.with_buffer(|buffer| buffer.to_follow.push_back(chunk.to_vec()));
            return 0;
        }
        half.emitting.set(Emitting::Yes);
        let _done = EmittingEnds(&half.emitting);
        self.emit_chunk(host, chunk);
        if half.emitting.get() == Emitting::MoreToFollow {
            return self.emit_what_follows(host, chunk);
        }
        0
    }

    /// Lets somebody hand on to the listeners what it has kept of earlier chunks, as if that were a chunk.
    pub(crate) fn hand_on(&self, host: &impl Host, hand_on: impl FnOnce()) {
        let half = &self.read;
        if half.emitting.get() != Emitting::No {
            return hand_on();
        }
        half.emitting.set(Emitting::Yes);
        let _done = EmittingEnds(&half.emitting);
        hand_on();
        if half.emitting.get() == Emitting::MoreToFollow {
            let kept = self.emit_what_follows(host, &[]);
            debug_assert_eq!(kept, 0, "there was no chunk to put back");
        }
    }

    #[cold]
    fn emit_what_follows(&self, host: &impl Host, chunk: &[u8]) -> usize {
        let kept = self.emit_what_was_put_back(host, chunk);
        let buffer = &self.read.buffer;
        while let Some(Some(next)) = buffer.if_some(|buffer| buffer.to_follow.pop_front()) {
            if kept > 0 {
                self.read.keep(next);
                continue;
            }
            self.emit_chunk(host, &next);
            let behind = self.emit_what_was_put_back(host, &next);
            if behind > 0 {
                let mut next = Piece::new(next);
                next.leave(behind);
                self.read.keep_in_front(next);
            }
        }
        kept
    }

    fn emit_chunk(&self, host: &impl Host, chunk: &[u8]) {
        let before = host.lent_to().replace(chunk.as_ptr_range().end as usize);
        if self.read.text.get() {
            // What is kept was made of text; only a `read` of so many bytes can cut a character.
            host.emit(Signal::Text(&String::from_utf8_lossy(chunk)));
        }
        host.emit(Signal::Data(chunk));
        host.lent_to().set(before);
    }

    /// The peer has ended.
    pub(crate) fn on_eof(&self, host: &impl Host) {
        host.activity();
        let half = &self.read;
        half.reading.set(false);
        if half.has_ended() || self.is_destroyed() {
            return;
        }
        half.requested.set(false);
        let rest = half
            .buffer
            .if_some(|buffer| buffer.decoder.as_mut()?.finish());
        if let Some(Some(rest)) = rest {
            half.keep(rest.as_bytes().to_vec());
        }
        half.end.set(ReadEnd::Ended);
        half.need_readable.set(false);
        half.readable_scheduled.set(true);
        self.emit_readable(host);
        self.read_zero(host);
    }

    /// Reading failed.
    pub(crate) fn on_read_error(&self, host: &impl Host, error: &std::io::Error) {
        host.activity();
        self.read.reading.set(false);
        self.destroy(host, Some(Error::os("read", error)));
    }
}

/// What can be asked.
impl Duplex {
    pub(crate) fn is_readable(&self) -> bool {
        !self.is_destroyed() && !self.read.end_emitted()
    }

    pub(crate) fn readable_ended(&self) -> bool {
        self.read.end_emitted()
    }

    /// Node's `readableFlowing`: `None` while nobody has said anything.
    pub(crate) fn readable_flowing(&self) -> Option<bool> {
        match self.read.flow.get() {
            Flow::Undecided => None,
            Flow::Paused => Some(false),
            Flow::Flowing => Some(true),
        }
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.read.told.get() == Some(Told::Pause) || self.read.flow.get() == Flow::Paused
    }

    /// As `is_paused`, but for who only listens to `Readable`, which pauses as well.
    pub(crate) fn is_told_to_pause(&self) -> bool {
        self.read.told.get() == Some(Told::Pause)
            || self.read.flow.get() == Flow::Paused && !self.read.readable_mode.get()
    }

    pub(crate) fn readable_length(&self) -> usize {
        self.read.length.get()
    }

    pub(crate) fn readable_high_water_mark(&self) -> usize {
        self.read.mark()
    }

    pub(crate) fn set_readable_high_water_mark(&self, mark: usize) {
        self.read
            .high_water_mark
            .set(u32::try_from(mark).unwrap_or(u32::MAX));
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.bytes.get()
    }
}
