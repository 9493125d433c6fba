//! What the kernel says: bytes, the end, an error.

use std::borrow::Cow;

use super::{Demand, Framed, ReadEnd};
use crate::error::Error;
use crate::machine::decoder::Utf8Decoder;
use crate::machine::driver::{Driver, Tick};
use crate::machine::duplex::Duplex;
use crate::machine::life::Life;

impl Duplex {
    /// Whether the descriptor is to be read.
    pub(crate) fn wants_read(&self) -> bool {
        self.read.is_read() && !self.read.bits.held().get() && self.life() == Life::Open
    }

    /// While held, nothing is read and `End` is not emitted, whatever the mode.
    pub(crate) fn hold(&self, driver: &impl Driver, held: bool) {
        if !self.read.bits.held().replace(held) || held {
            return;
        }
        if self.wants_read() {
            driver.start_reading();
        }
        if self.read.bits.end_scheduled().get() {
            driver.tick(Tick::EndReadable);
        }
    }

    /// What a framing makes of the chunks.
    pub(crate) fn framed(&self) -> Framed {
        self.read.framed.get()
    }

    pub(crate) fn set_framed(&self, framed: Framed) {
        self.read.framed.set(framed);
    }

    pub(crate) fn is_held(&self) -> bool {
        self.read.bits.held().get()
    }

    /// Bytes were read.
    pub(crate) fn on_data(&self, driver: &impl Driver, chunk: &[u8]) {
        debug_assert!(!chunk.is_empty(), "a read of no bytes is the end");
        let half = &self.read;
        // Not every byte of a frame is an activity: the framing says which are.
        if half.framed.get() == Framed::No {
            driver.activity();
        }
        half.bytes.set(half.bytes.get() + chunk.len() as u64);
        if self.is_destroyed() || self.is_errored() {
            return;
        }
        half.demand_is_met();
        if half.is_text() {
            let text = self.decode(chunk);
            if !text.is_empty() {
                self.add_chunk(driver, text.as_bytes());
            }
        } else {
            self.add_chunk(driver, chunk);
        }
        if !self.can_take_more() {
            half.leave_descriptor_alone();
        }
    }

    /// So many bytes were read into a buffer of the user's; false if its callback must not be called any more.
    pub(crate) fn on_data_taken(&self, driver: &impl Driver, count: usize) -> bool {
        driver.activity();
        self.read.bytes.set(self.read.bytes.get() + count as u64);
        !self.is_destroyed()
    }

    pub(crate) fn is_unbuffered(&self) -> bool {
        self.read.is_unbuffered()
    }

    /// From now on what is read is taken at once.
    pub(crate) fn set_unbuffered(&self) {
        self.read.take_at_once();
    }

    /// The descriptor is left alone until reading is asked for.
    pub(crate) fn stop_reading(&self) {
        self.read.leave_descriptor_alone();
    }

    /// `read` and `resume` start an unbuffered socket again.
    pub(super) fn restart_unbuffered(&self, driver: &impl Driver) {
        if self.is_unbuffered() && self.life() == Life::Open && !self.read.has_ended() {
            self.start_reading(driver);
        }
    }

    /// Whether chunks are decoded.
    pub(crate) fn is_text(&self) -> bool {
        self.read.is_text()
    }

    /// Bytes of a character that has only begun.
    pub(in crate::machine) fn undecoded_length(&self) -> usize {
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

    fn add_chunk(&self, driver: &impl Driver, chunk: &[u8]) {
        let half = &self.read;
        if half.is_flowing() && half.length.get() == 0 {
            let kept = self.deliver(driver, chunk);
            if kept > 0 {
                half.put_back(&chunk[chunk.len() - kept..]);
            }
            // The next chunk finds the demand open; nothing else reads it meanwhile.
            if half.is_flowing() && half.length.get() == 0 {
                if half.is_read() {
                    half.demand.set(Demand::Open);
                } else {
                    half.demand_is_met();
                }
                return;
            }
        } else {
            half.keep(chunk);
            if half.bits.need_readable().get() {
                self.schedule_readable(driver);
            }
        }
        self.read_more_later(driver);
    }

    /// The peer has ended.
    pub(crate) fn on_eof(&self, driver: &impl Driver) {
        driver.activity();
        let half = &self.read;
        half.leave_descriptor_alone();
        if half.has_ended() || self.is_destroyed() {
            return;
        }
        half.demand_is_met();
        let rest = half
            .buffer
            .if_some(|buffer| buffer.decoder.as_mut()?.finish());
        if let Some(Some(rest)) = rest {
            half.keep(rest.as_bytes());
        }
        half.end.set(ReadEnd::Ended);
        half.bits.need_readable().set(false);
        half.bits.readable_scheduled().set(true);
        self.emit_readable(driver);
        self.read_zero(driver);
    }

    /// Reading failed.
    pub(crate) fn on_read_error(&self, driver: &impl Driver, error: &std::io::Error) {
        driver.activity();
        self.read.leave_descriptor_alone();
        self.destroy(driver, Some(Error::os("read", error)));
    }
}
