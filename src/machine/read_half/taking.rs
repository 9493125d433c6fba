//! What the user does with what was read: `read`, `pause`, `resume`, `unshift`, and what that asks of the descriptor.

use super::piece::Piece;
use super::{Amount, Flow, MAX_HIGH_WATER_MARK, Told};
use crate::error::{Error, Result, node};
use crate::machine::decoder::Utf8Decoder;
use crate::machine::host::{Host, Signal, Tick};
use crate::machine::{Duplex, Life};

impl Duplex {
    /// Takes kept data: `None` if there is not enough of it.
    pub(crate) fn read(&self, host: &impl Host, amount: Amount) -> Result<Option<Vec<u8>>> {
        let Some((chunk, kept)) = self.read_and_emit(host, amount)? else {
            return Ok(None);
        };
        if kept > 0 {
            let rest = chunk.as_slice();
            self.read.put_back(&rest[rest.len() - kept..]);
        }
        Ok(Some(chunk.into_rest()))
    }

    /// As `read`, and says how many bytes of the chunk are to be kept.
    fn read_and_emit(&self, host: &impl Host, amount: Amount) -> Result<Option<(Piece, usize)>> {
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
        Ok(chunk.map(|chunk| {
            let kept = if self.error_emitted.get() || self.quiet.get() {
                0
            } else {
                self.emit_data(host, chunk.as_slice())
            };
            (chunk, kept)
        }))
    }

    /// A `read` of nothing, where there is plenty or the end: `Readable` is all it is for.
    pub(super) fn only_announces(&self, host: &impl Host) -> bool {
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

    pub(super) fn available(&self, amount: Amount) -> usize {
        let half = &self.read;
        let length = half.length.get();
        match amount {
            Amount::Exactly(wanted) if wanted <= length => wanted,
            Amount::Exactly(_) if half.has_ended() => length,
            Amount::Exactly(_) => 0,
            Amount::Chunk => {
                let first = half
                    .buffer
                    .if_some(|buffer| buffer.chunks.front().map(Piece::len));
                first.flatten().unwrap_or(0)
            }
        }
    }

    /// Asks the descriptor for more, if what is left after taking `amount` is little.
    pub(super) fn refill(&self, host: &impl Host, amount: usize) {
        let half = &self.read;
        let length = half.length.get();
        let wanted = half.need_readable.get() || length == 0 || length - amount < half.mark();
        let possible = !half.requested.get()
            && !half.has_ended()
            && !self.is_destroyed()
            && !self.is_errored();
        if wanted && possible {
            half.requested.set(true);
            half.begun.set(true);
            if length == 0 {
                half.need_readable.set(true);
            }
            self.request(host);
        }
    }

    pub(super) fn request(&self, host: &impl Host) {
        match self.life() {
            Life::Fresh | Life::Connecting => self.read.read_on_connect.set(true),
            Life::Open => self.start_reading(host),
            Life::Destroyed | Life::Closed => {}
        }
    }

    pub(super) fn start_reading(&self, host: &impl Host) {
        if !self.read.reading.replace(true) {
            host.start_reading();
        }
    }

    pub(in crate::machine) fn read_zero(&self, host: &impl Host) {
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

    pub(in crate::machine) fn start_after_connect(&self, host: &impl Host) {
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

    pub(in crate::machine) fn after_resume(&self, host: &impl Host) {
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
        if half.end_waits.get() && half.end_scheduled.get() {
            host.tick(Tick::EndReadable);
        }
    }

    pub(in crate::machine) fn flow(&self, host: &impl Host) {
        while self.read.is_flowing() && !host.put_off(Tick::Flow) {
            match self.read_and_emit(host, Amount::Chunk) {
                Ok(Some((mut chunk, kept))) if kept > 0 => {
                    chunk.leave(kept);
                    self.read.keep_in_front(chunk);
                    break;
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
    }

    /// Puts bytes back in front, as if they had not been read.
    pub(crate) fn unshift(&self, host: &impl Host, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return self.read.can_take_more();
        }
        if !self.can_unshift(host) {
            return false;
        }
        if self.emits_at_once(host) {
            let kept = self.emit_data(host, bytes);
            if kept > 0 {
                self.read.put_back(&bytes[bytes.len() - kept..]);
            }
        } else {
            self.read.put_back(bytes);
            self.tell_of_kept(host);
        }
        self.after_unshift(host)
    }

    /// As `unshift`, for all but the first `taken` of bytes that need not be copied.
    pub(crate) fn unshift_owned(&self, host: &impl Host, bytes: Vec<u8>, taken: usize) {
        let mut chunk = Piece::new(bytes);
        chunk.leave(chunk.len() - taken);
        if chunk.len() == 0 || !self.can_unshift(host) {
            return;
        }
        let mut kept = chunk.len();
        let at_once = self.emits_at_once(host);
        if at_once {
            kept = self.emit_data(host, chunk.as_slice());
        }
        if kept > 0 {
            chunk.leave(kept);
            self.read.keep_in_front(chunk);
        }
        if !at_once {
            self.tell_of_kept(host);
        }
        self.after_unshift(host);
    }

    fn can_unshift(&self, host: &impl Host) -> bool {
        if self.is_destroyed() || self.is_errored() {
            return false;
        }
        let has_ended = self.read.end_emitted();
        if has_ended {
            self.destroy(host, Some(node::unshift_after_end()));
        }
        !has_ended
    }

    fn emits_at_once(&self, host: &impl Host) -> bool {
        let half = &self.read;
        half.is_flowing() && half.length.get() == 0 && half.begun.get() && host.has_data_listeners()
    }

    fn tell_of_kept(&self, host: &impl Host) {
        if self.read.need_readable.get() {
            self.schedule_readable(host);
        }
    }

    fn after_unshift(&self, host: &impl Host) -> bool {
        self.read_more_later(host);
        self.read.can_take_more()
    }

    /// From now on chunks are text. What is kept is decoded, too.
    pub(crate) fn decode_utf8(&self) {
        let half = &self.read;
        let ended = half.has_ended();
        let length = half.with_buffer(|buffer| {
            let mut decoder = Utf8Decoder::default();
            let mut text = String::new();
            for chunk in buffer.chunks.drain(..) {
                text.push_str(&decoder.decode(chunk.as_slice()));
            }
            if ended {
                text.extend(decoder.finish());
            }
            let length = text.len();
            if length > 0 {
                buffer.chunks.push_back(Piece::new(text.into_bytes()));
            }
            buffer.decoder = Some(decoder);
            length
        });
        half.text.set(true);
        half.length.set(length);
    }
}
