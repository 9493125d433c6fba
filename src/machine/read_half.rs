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
use crate::error::{Error, Result, node};

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
mod check;

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
    /// Reading was asked for before there was a connection.
    read_on_connect: Cell<bool>,
    /// More was asked for, and nothing has come since.
    requested: Cell<bool>,
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
    chunks: VecDeque<Vec<u8>>,
    decoder: Option<Utf8Decoder>,
    /// What was read by the listeners that a chunk was handed to.
    to_follow: VecDeque<Vec<u8>>,
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.to_follow.is_empty() && self.decoder.is_none()
    }
}

/// Whether the listeners of `Data` are running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Emitting {
    No,
    Yes,
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
            read_on_connect: Cell::new(false),
            requested: Cell::new(false),
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
        self.with_buffer(|buffer| buffer.chunks.push_back(chunk));
    }

    /// Takes `amount` bytes, which are there, off the front.
    fn take(&self, amount: Amount) -> Option<Vec<u8>> {
        let chunk = self.with_buffer(|buffer| match amount {
            Amount::Chunk => buffer.chunks.pop_front(),
            Amount::Exactly(0) => None,
            Amount::Exactly(wanted) => {
                let mut taken = buffer.chunks.pop_front()?;
                while taken.len() < wanted {
                    taken.extend(buffer.chunks.pop_front()?);
                }
                if taken.len() > wanted {
                    buffer.chunks.push_front(taken.split_off(wanted));
                }
                Some(taken)
            }
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

    /// Keeps the descriptor from being read, whatever the mode, until it is let go.
    pub(crate) fn hold(&self, host: &impl Host, held: bool) {
        if self.read.held.replace(held) && self.wants_read() {
            host.start_reading();
        }
    }

    /// Bytes were read.
    pub(crate) fn on_data(&self, host: &impl Host, chunk: &[u8]) {
        host.activity();
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

    fn decode<'a>(&self, chunk: &'a [u8]) -> Cow<'a, str> {
        self.read.with_buffer(|buffer| match &mut buffer.decoder {
            Some(decoder) => decoder.decode(chunk),
            None => String::from_utf8_lossy(chunk),
        })
    }

    fn add_chunk(&self, host: &impl Host, chunk: &[u8]) {
        let half = &self.read;
        if half.is_flowing() && half.length.get() == 0 {
            self.emit_data(host, chunk);
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
    fn emit_data(&self, host: &impl Host, chunk: &[u8]) {
        let half = &self.read;
        if half.emitting.get() != Emitting::No {
            half.emitting.set(Emitting::MoreToFollow);
            return half.with_buffer(|buffer| buffer.to_follow.push_back(chunk.to_vec()));
        }
        half.emitting.set(Emitting::Yes);
        self.emit_chunk(host, chunk);
        while half.emitting.get() == Emitting::MoreToFollow {
            let next = half.buffer.if_some(|buffer| buffer.to_follow.pop_front());
            match next.flatten() {
                Some(next) => self.emit_chunk(host, &next),
                None => half.emitting.set(Emitting::Yes),
            }
        }
        half.emitting.set(Emitting::No);
    }

    fn emit_chunk(&self, host: &impl Host, chunk: &[u8]) {
        if self.read.text.get() {
            // What is kept was made of text; only a `read` of so many bytes can cut a character.
            host.emit(Signal::Text(&String::from_utf8_lossy(chunk)));
        }
        host.emit(Signal::Data(chunk));
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

/// What the user asks for.
impl Duplex {
    /// Takes kept data: `None` if there is not enough of it.
    pub(crate) fn read(&self, host: &impl Host, amount: Amount) -> Result<Option<Vec<u8>>> {
        let half = &self.read;
        self.restart_unbuffered(host);
        if let Amount::Exactly(wanted) = amount
            && wanted > half.mark()
        {
            if wanted > MAX_HIGH_WATER_MARK {
                return Err(Error::new(
                    "ERR_OUT_OF_RANGE",
                    format!(
                        "The value of \"size\" is out of range. It must be <= 1GiB. Received {wanted}"
                    ),
                ));
            }
            half.high_water_mark.set(wanted.next_power_of_two() as u32);
        }
        if amount != Amount::Exactly(0) {
            half.readable_scheduled.set(false);
            half.end_unheard.set(false);
        } else if self.only_announces(host) {
            return Ok(None);
        }
        let available = self.available(amount);
        if available == 0 && half.has_ended() {
            if half.length.get() == 0 {
                self.schedule_end(host);
            }
            return Ok(None);
        }
        self.refill(host, available);
        let chunk = match amount {
            _ if available == 0 => None,
            Amount::Chunk => half.take(Amount::Chunk),
            Amount::Exactly(_) => half.take(Amount::Exactly(available)),
        };
        if chunk.is_none() && half.length.get() <= half.mark() {
            half.need_readable.set(true);
        }
        if half.length.get() == 0 {
            if !half.has_ended() {
                half.need_readable.set(true);
            } else if amount != Amount::Exactly(available) || chunk.is_none() {
                self.schedule_end(host);
            }
        }
        if let Some(chunk) = &chunk
            && !self.error_emitted.get()
            && !self.quiet.get()
        {
            self.emit_data(host, chunk);
        }
        Ok(chunk)
    }

    /// A `read` of nothing, where there is plenty or the end: `Readable` is all it is for.
    fn only_announces(&self, host: &impl Host) -> bool {
        let half = &self.read;
        let (length, mark) = (half.length.get(), half.mark());
        let plenty = if mark == 0 {
            length > 0
        } else {
            length >= mark
        };
        if !half.need_readable.get() || !(plenty || half.has_ended()) {
            return false;
        }
        if length == 0 && half.has_ended() {
            self.schedule_end(host);
        } else {
            self.schedule_readable(host);
        }
        true
    }

    fn available(&self, amount: Amount) -> usize {
        let half = &self.read;
        let length = half.length.get();
        match amount {
            Amount::Exactly(wanted) if wanted <= length => wanted,
            Amount::Exactly(_) if half.has_ended() => length,
            Amount::Exactly(_) => 0,
            Amount::Chunk => {
                let first = half
                    .buffer
                    .if_some(|buffer| buffer.chunks.front().map(Vec::len));
                first.flatten().unwrap_or(0)
            }
        }
    }

    /// Asks the descriptor for more, if what is left after taking `amount` is little.
    fn refill(&self, host: &impl Host, amount: usize) {
        let half = &self.read;
        let length = half.length.get();
        let wanted = half.need_readable.get() || length == 0 || length - amount < half.mark();
        let possible = !half.requested.get()
            && !half.has_ended()
            && !self.is_destroyed()
            && !self.is_errored();
        if wanted && possible {
            half.requested.set(true);
            if length == 0 {
                half.need_readable.set(true);
            }
            self.request(host);
        }
    }

    fn request(&self, host: &impl Host) {
        match self.life() {
            Life::Fresh | Life::Connecting => self.read.read_on_connect.set(true),
            Life::Open => self.start_reading(host),
            Life::Destroyed | Life::Closed => {}
        }
    }

    fn start_reading(&self, host: &impl Host) {
        if !self.read.reading.replace(true) {
            host.start_reading();
        }
    }

    pub(super) fn read_zero(&self, host: &impl Host) {
        // Reading nothing cannot ask for too much.
        let _nothing = self.read(host, Amount::Exactly(0));
    }

    /// Begins to read a socket that has its connection already.
    pub(crate) fn start(&self, host: &impl Host) {
        self.read_zero(host);
    }

    /// An accepted socket is not read until it is resumed.
    pub(crate) fn start_paused(&self) {
        self.read.flow.set(Flow::Paused);
    }

    pub(super) fn start_after_connect(&self, host: &impl Host) {
        if self.read.read_on_connect.replace(false) {
            self.start_reading(host);
        }
        if !self.is_paused() {
            self.read_zero(host);
        }
    }

    pub(crate) fn pause(&self, host: &impl Host) {
        if self.is_destroyed() {
            return;
        }
        let half = &self.read;
        if self.is_unbuffered() {
            self.stop_reading();
        }
        half.told.set(Some(Told::Pause));
        if half.flow.get() != Flow::Paused {
            half.flow.set(Flow::Paused);
            host.emit(Signal::Pause);
        }
    }

    pub(crate) fn resume(&self, host: &impl Host) {
        if self.is_destroyed() {
            return;
        }
        let half = &self.read;
        self.restart_unbuffered(host);
        if !half.is_flowing() {
            half.flow.set(if half.readable_mode.get() {
                Flow::Paused
            } else {
                Flow::Flowing
            });
            if !half.resume_scheduled.replace(true) {
                host.tick(Tick::Resume);
            }
        }
        half.told.set(Some(Told::Resume));
    }

    pub(super) fn after_resume(&self, host: &impl Host) {
        let half = &self.read;
        if !half.requested.get() {
            self.read_zero(host);
        }
        half.resume_scheduled.set(false);
        host.emit(Signal::Resume);
        self.flow(host);
        if half.is_flowing() && !half.requested.get() {
            self.read_zero(host);
        }
    }

    fn flow(&self, host: &impl Host) {
        while self.read.is_flowing() {
            match self.read(host, Amount::Chunk) {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
    }

    /// Puts bytes back in front, as if they had not been read.
    pub(crate) fn unshift(&self, host: &impl Host, bytes: &[u8]) -> bool {
        let half = &self.read;
        if bytes.is_empty() || self.is_destroyed() || self.is_errored() {
            return half.can_take_more();
        }
        if half.end_emitted() {
            self.destroy(host, Some(node::unshift_after_end()));
            return false;
        }
        let direct = half.is_flowing() && half.length.get() == 0;
        if direct {
            self.emit_data(host, bytes);
        } else {
            half.length.set(half.length.get() + bytes.len());
            half.with_buffer(|buffer| buffer.chunks.push_front(bytes.to_vec()));
            if half.need_readable.get() {
                self.schedule_readable(host);
            }
        }
        self.read_more_later(host);
        half.can_take_more()
    }

    /// From now on chunks are text. What is kept is decoded, too.
    pub(crate) fn decode_utf8(&self) {
        let half = &self.read;
        let ended = half.has_ended();
        let length = half.with_buffer(|buffer| {
            let mut decoder = Utf8Decoder::default();
            let mut text = String::new();
            for chunk in buffer.chunks.drain(..) {
                text.push_str(&decoder.decode(&chunk));
            }
            if ended {
                text.extend(decoder.finish());
            }
            let length = text.len();
            if length > 0 {
                buffer.chunks.push_back(text.into_bytes());
            }
            buffer.decoder = Some(decoder);
            length
        });
        half.text.set(true);
        half.length.set(length);
    }
}

/// Listeners that come and go.
impl Duplex {
    pub(crate) fn data_listener_added(&self, host: &impl Host) {
        let half = &self.read;
        if host.has_readable_listeners() {
            half.readable_mode.set(true);
        }
        if half.flow.get() != Flow::Paused {
            self.resume(host);
        }
    }

    pub(crate) fn readable_listener_added(&self, host: &impl Host) {
        let half = &self.read;
        if half.end_emitted() || half.readable_mode.replace(true) {
            return;
        }
        half.need_readable.set(true);
        half.flow.set(Flow::Paused);
        half.readable_scheduled.set(false);
        if half.length.get() > 0 || half.end_unheard.replace(false) {
            self.schedule_readable(host);
        }
        if half.length.get() == 0 && !half.requested.get() {
            host.tick(Tick::ReadZero);
        }
    }

    pub(crate) fn readable_listener_removed(&self, host: &impl Host) {
        host.tick(Tick::ReadableListening);
    }

    pub(super) fn update_readable_listening(&self, host: &impl Host) {
        let half = &self.read;
        half.readable_mode.set(host.has_readable_listeners());
        if half.resume_scheduled.get() && half.told.get() == Some(Told::Resume) {
            half.flow.set(Flow::Flowing);
        } else if host.has_data_listeners() {
            self.resume(host);
        } else if !half.readable_mode.get() {
            half.flow.set(Flow::Undecided);
        }
    }
}

/// Ticks.
impl Duplex {
    fn schedule_readable(&self, host: &impl Host) {
        self.read.need_readable.set(false);
        if !self.read.readable_scheduled.replace(true) {
            host.tick(Tick::Readable);
        }
    }

    pub(super) fn emit_readable(&self, host: &impl Host) {
        let half = &self.read;
        let something = half.length.get() > 0 || half.has_ended();
        if something && !self.is_destroyed() && !self.is_errored() {
            host.emit(Signal::Readable);
            half.readable_scheduled.set(false);
        }
        let below_mark = half.length.get() <= half.mark();
        if !half.is_flowing() && !half.has_ended() && below_mark {
            half.need_readable.set(true);
        }
        self.flow(host);
    }

    fn read_more_later(&self, host: &impl Host) {
        let half = &self.read;
        if !half.requested.get() && !half.read_more_scheduled.replace(true) {
            host.tick(Tick::ReadMore);
        }
    }

    pub(super) fn read_more(&self, host: &impl Host) {
        let half = &self.read;
        half.read_more_scheduled.set(false);
        let length = half.length.get();
        let wanted = length < half.mark() || half.is_flowing() && length == 0;
        if wanted && !half.requested.get() && !half.has_ended() {
            self.read_zero(host);
        }
    }

    fn schedule_end(&self, host: &impl Host) {
        let half = &self.read;
        if !half.end_emitted() && !half.end_scheduled.replace(true) {
            half.end.set(ReadEnd::Ended);
            host.tick(Tick::EndReadable);
        }
    }

    pub(super) fn emit_end(&self, host: &impl Host) {
        let half = &self.read;
        half.end_scheduled.set(false);
        // A tick of an earlier life finds a half that has not ended.
        let spoiled = self.is_errored() || self.quiet.get() || half.end.get() != ReadEnd::Ended;
        if spoiled || half.length.get() > 0 {
            return;
        }
        half.end.set(ReadEnd::Emitted);
        self.mark_ended_by_peer();
        host.emit(Signal::End);
        if self.is_writable() && !self.allow_half_open() {
            host.tick(Tick::EndWritable);
        } else if self.both_ended() {
            self.destroy(host, None);
        }
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
