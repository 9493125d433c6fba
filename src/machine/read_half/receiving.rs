//! What the kernel says: bytes, the end, an error.

use std::borrow::Cow;

use super::ReadEnd;
use crate::error::Error;
use crate::machine::decoder::Utf8Decoder;
use crate::machine::driver::{Driver, Tick};
use crate::machine::duplex::Duplex;
use crate::machine::life::Life;

impl Duplex {
    /// Whether the descriptor is to be read.
    pub(crate) fn wants_read(&self) -> bool {
        self.read.reading.get() && !self.read.held.get() && self.life() == Life::Open
    }

    /// Keeps the descriptor from being read, whatever the mode, and the end from being told of, until it is
    /// let go.
    pub(crate) fn hold(&self, driver: &impl Driver, held: bool) {
        if !self.read.held.replace(held) || held {
            return;
        }
        if self.wants_read() {
            driver.start_reading();
        }
        if self.read.end_scheduled.get() {
            driver.tick(Tick::EndReadable);
        }
    }

    /// Whether the end waits for as long as the socket is paused, though nothing is kept here.
    pub(crate) fn let_end_wait(&self, waits: bool) {
        self.read.end_waits.set(waits);
    }

    /// Bytes were read.
    pub(crate) fn on_data(&self, driver: &impl Driver, chunk: &[u8]) {
        driver.received();
        let half = &self.read;
        half.bytes.set(half.bytes.get() + chunk.len() as u64);
        if self.is_destroyed() || self.is_errored() {
            return;
        }
        half.requested.set(false);
        if half.text.get() {
            let text = self.decode(chunk);
            if !text.is_empty() {
                self.add_chunk(driver, text.as_bytes());
            }
        } else {
            self.add_chunk(driver, chunk);
        }
        if !half.can_take_more() {
            half.reading.set(false);
        }
    }

    /// So many bytes were read by who takes them; false if nobody should any more.
    pub(crate) fn on_data_taken(&self, driver: &impl Driver, count: usize) -> bool {
        driver.activity();
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
    pub(super) fn restart_unbuffered(&self, driver: &impl Driver) {
        if self.is_unbuffered() && self.life() == Life::Open && !self.read.has_ended() {
            self.start_reading(driver);
        }
    }

    /// Whether chunks are decoded.
    pub(crate) fn is_text(&self) -> bool {
        self.read.text.get()
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
            let kept = self.emit_data(driver, chunk);
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
                self.schedule_readable(driver);
            }
        }
        self.read_more_later(driver);
    }

    /// The peer has ended.
    pub(crate) fn on_eof(&self, driver: &impl Driver) {
        driver.activity();
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
        self.emit_readable(driver);
        self.read_zero(driver);
    }

    /// Reading failed.
    pub(crate) fn on_read_error(&self, driver: &impl Driver, error: &std::io::Error) {
        driver.activity();
        self.read.reading.set(false);
        self.destroy(driver, Some(Error::os("read", error)));
    }
}
