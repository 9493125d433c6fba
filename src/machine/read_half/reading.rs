//! What the user does with what was read: `read`, `pause`, `resume`, `unshift`, and what that asks of the descriptor.

use super::piece::Piece;
use super::{Amount, Called, Demand, Descriptor, Emitting, Flow, Framed, MAX_HIGH_WATER_MARK};
use crate::error::{Error, Result, node};
use crate::machine::decoder::Utf8Decoder;
use crate::machine::driver::{Driver, Signal, Tick};
use crate::machine::duplex::Duplex;
use crate::machine::life::Life;

impl Duplex {
    /// Takes kept data: `None` if there is not enough of it.
    pub(crate) fn read(&self, driver: &impl Driver, amount: Amount) -> Result<Option<Vec<u8>>> {
        if let Amount::Exactly(wanted) = amount
            && let Some(bytes) = self.read_a_part(driver, wanted)
        {
            return Ok(Some(bytes));
        }
        let Some((chunk, kept)) = self.read_and_emit(driver, amount)? else {
            return Ok(None);
        };
        if kept > 0 {
            let rest = chunk.as_slice();
            self.read.put_back(&rest[rest.len() - kept..]);
        }
        Ok(Some(chunk.into_rest()))
    }

    /// A part of the first chunk, where nothing else is to be done: the next chunk is asked for already, and no listener
    /// of `Data` is to be called. Most reads of a few bytes are such, and cost two thirds of the others.
    #[inline]
    fn read_a_part(&self, driver: &impl Driver, wanted: usize) -> Option<Vec<u8>> {
        let half = &self.read;
        let is_usual = half.has_open_demand()
            && half.emitting.get() == Emitting::No
            && !half.is_unbuffered()
            && !half.is_text()
            && (1..=self.readable_high_water_mark()).contains(&wanted)
            && !driver.has_data_listeners();
        if !is_usual {
            return None;
        }
        let bytes = half.buffer.if_some(|buffer| buffer.take_a_part(wanted))??;
        half.length.set(half.length.get() - wanted);
        half.bits.readable_scheduled().set(false);
        half.bits.end_unheard().set(false);
        Some(bytes)
    }

    /// As `read`, and says how many bytes of the chunk are to be kept.
    fn read_and_emit(
        &self,
        driver: &impl Driver,
        amount: Amount,
    ) -> Result<Option<(Piece, usize)>> {
        let half = &self.read;
        self.restart_unbuffered(driver);
        if let Amount::Exactly(wanted) = amount
            && wanted > self.readable_high_water_mark()
        {
            if wanted > MAX_HIGH_WATER_MARK {
                return Err(Error::new(
                    "ERR_OUT_OF_RANGE",
                    format!(
                        "The value of \"size\" is out of range. It must be <= 1GiB. Received {wanted}"
                    ),
                ));
            }
            self.set_readable_high_water_mark(wanted.next_power_of_two());
        }
        if amount != Amount::Exactly(0) {
            half.bits.readable_scheduled().set(false);
            half.bits.end_unheard().set(false);
        } else if self.only_announces(driver) {
            return Ok(None);
        }
        let available = self.available(amount);
        if available == 0 && half.has_ended() {
            if half.length.get() == 0 {
                self.schedule_end(driver);
            }
            return Ok(None);
        }
        self.refill(driver, available);
        let chunk = match amount {
            _ if available == 0 => None,
            Amount::Chunk => half.take(Amount::Chunk),
            Amount::Exactly(_) => half.take(Amount::Exactly(available)),
        };
        if chunk.is_none() && half.length.get() <= self.readable_high_water_mark() {
            half.bits.need_readable().set(true);
        }
        if half.length.get() == 0 {
            if !half.has_ended() {
                half.bits.need_readable().set(true);
            } else if amount != Amount::Exactly(available) || chunk.is_none() {
                self.schedule_end(driver);
            }
        }
        Ok(chunk.map(|chunk| {
            let kept = if self.bits.quiet().get() {
                0
            } else {
                self.deliver(driver, chunk.as_slice())
            };
            (chunk, kept)
        }))
    }

    /// A `read` of nothing, where there is plenty or the end: `Readable` is all it is for.
    fn only_announces(&self, driver: &impl Driver) -> bool {
        let half = &self.read;
        let (length, mark) = (half.length.get(), self.readable_high_water_mark());
        let plenty = if mark == 0 {
            length > 0
        } else {
            length >= mark
        };
        if !half.bits.need_readable().get() || !(plenty || half.has_ended()) {
            return false;
        }
        if length == 0 && half.has_ended() {
            self.schedule_end(driver);
        } else {
            self.schedule_readable(driver);
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
                    .if_some(|buffer| buffer.chunks.front().map(Piece::len));
                first.flatten().unwrap_or(0)
            }
        }
    }

    /// Asks the descriptor for more, if what is left after taking `amount` is little.
    fn refill(&self, driver: &impl Driver, amount: usize) {
        let half = &self.read;
        let length = half.length.get();
        let wanted = half.bits.need_readable().get()
            || length == 0
            || length - amount < self.readable_high_water_mark();
        let possible = !half.has_open_demand()
            && !half.has_ended()
            && !self.is_destroyed()
            && !self.is_errored();
        if wanted && possible {
            half.demand.set(Demand::Open);
            if length == 0 {
                half.bits.need_readable().set(true);
            }
            self.request(driver);
        }
    }

    fn request(&self, driver: &impl Driver) {
        match self.life() {
            Life::Fresh | Life::Connecting => self.read.descriptor.set(Descriptor::ReadOnConnect),
            Life::Open => self.start_reading(driver),
            Life::Destroyed | Life::Closed => {}
        }
    }

    pub(super) fn start_reading(&self, driver: &impl Driver) {
        if self.read.descriptor.replace(Descriptor::Read) != Descriptor::Read {
            driver.start_reading();
        }
    }

    pub(in crate::machine) fn read_zero(&self, driver: &impl Driver) {
        // Reading nothing cannot ask for too much.
        let _nothing = self.read(driver, Amount::Exactly(0));
    }

    /// Begins to read a socket that has its connection already.
    pub(crate) fn start(&self, driver: &impl Driver) {
        self.read_zero(driver);
    }

    /// An accepted socket is not read until it is resumed.
    pub(crate) fn start_paused(&self) {
        self.read.flow.set(Flow::Paused);
    }

    pub(in crate::machine) fn start_after_connect(&self, driver: &impl Driver) {
        if self.read.descriptor.get() == Descriptor::ReadOnConnect {
            self.start_reading(driver);
        }
        if !self.is_paused() {
            self.read_zero(driver);
        }
    }

    pub(crate) fn pause(&self, driver: &impl Driver) {
        if self.is_destroyed() {
            return;
        }
        let half = &self.read;
        if self.is_unbuffered() {
            self.stop_reading();
        }
        half.set_called(Called::Pause);
        if half.flow.get() != Flow::Paused {
            half.flow.set(Flow::Paused);
            driver.emit(Signal::Pause);
        }
    }

    pub(crate) fn resume(&self, driver: &impl Driver) {
        if self.is_destroyed() {
            return;
        }
        let half = &self.read;
        self.restart_unbuffered(driver);
        if !half.is_flowing() {
            half.flow.set(if half.bits.readable_mode().get() {
                Flow::Paused
            } else {
                Flow::Flowing
            });
            if !half.bits.resume_scheduled().replace(true) {
                driver.tick(Tick::Resume);
            }
        }
        half.set_called(Called::Resume);
    }

    pub(in crate::machine) fn after_resume(&self, driver: &impl Driver) {
        let half = &self.read;
        if !half.has_open_demand() {
            self.read_zero(driver);
        }
        half.bits.resume_scheduled().set(false);
        driver.emit(Signal::Resume);
        self.flow(driver);
        if half.is_flowing() && !half.has_open_demand() {
            self.read_zero(driver);
        }
        if half.framed.get() == Framed::Holding && half.bits.end_scheduled().get() {
            driver.tick(Tick::EndReadable);
        }
    }

    pub(in crate::machine) fn flow(&self, driver: &impl Driver) {
        while self.read.is_flowing() && !driver.put_off(Tick::Flow) {
            match self.read_and_emit(driver, Amount::Chunk) {
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
    pub(crate) fn unshift(&self, driver: &impl Driver, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return self.can_take_more();
        }
        if !self.can_unshift(driver) {
            return false;
        }
        if self.emits_at_once(driver) {
            let kept = self.deliver(driver, bytes);
            if kept > 0 {
                self.read.put_back(&bytes[bytes.len() - kept..]);
            }
        } else {
            self.read.put_back(bytes);
            self.tell_of_kept(driver);
        }
        self.after_unshift(driver)
    }

    /// As `unshift`, for all but the first `taken` of bytes that need not be copied.
    pub(crate) fn unshift_owned(&self, driver: &impl Driver, bytes: Vec<u8>, taken: usize) {
        let mut chunk = Piece::new(bytes);
        chunk.leave(chunk.len() - taken);
        if chunk.len() == 0 || !self.can_unshift(driver) {
            return;
        }
        let mut kept = chunk.len();
        let at_once = self.emits_at_once(driver);
        if at_once {
            kept = self.deliver(driver, chunk.as_slice());
        }
        if kept > 0 {
            chunk.leave(kept);
            self.read.keep_in_front(chunk);
        }
        if !at_once {
            self.tell_of_kept(driver);
        }
        self.after_unshift(driver);
    }

    fn can_unshift(&self, driver: &impl Driver) -> bool {
        // A misuse is reported rather than an error of the kernel that has not been emitted yet.
        let has_ended = self.read.end_emitted();
        if has_ended && !self.is_destroyed() {
            self.destroy(driver, Some(node::unshift_after_end()));
        }
        !has_ended && !self.is_destroyed() && !self.is_errored()
    }

    fn emits_at_once(&self, driver: &impl Driver) -> bool {
        let half = &self.read;
        half.is_flowing()
            && half.length.get() == 0
            && half.demand.get() != Demand::Never
            && driver.has_chunk_listeners()
    }

    fn tell_of_kept(&self, driver: &impl Driver) {
        if self.read.bits.need_readable().get() {
            self.schedule_readable(driver);
        }
    }

    fn after_unshift(&self, driver: &impl Driver) -> bool {
        self.read_more_later(driver);
        self.can_take_more()
    }

    /// From now on chunks are text. What is kept is decoded, too.
    pub(crate) fn decode_utf8(&self) {
        let half = &self.read;
        if half.is_unbuffered() {
            return;
        }
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
        half.bits.decodes().set(true);
        half.length.set(length);
    }
}
