//! `Readable` and `End`: the ticks that they come by, and listeners that come and go.

use super::{Flow, Framed, ReadEnd};
use crate::machine::driver::{Driver, Signal, Tick};
use crate::machine::duplex::Duplex;

/// Listeners that come and go.
impl Duplex {
    pub(crate) fn data_listener_added(&self, driver: &impl Driver) {
        let half = &self.read;
        if driver.has_readable_listeners() {
            half.bits.readable_mode().set(true);
        }
        if half.flow.get() != Flow::Paused {
            self.resume(driver);
        }
    }

    /// Leaves the flow undecided, so that the next listener of `Data` starts it.
    pub(crate) fn wait_for_listeners(&self) {
        self.read.flow.set(Flow::Undecided);
    }

    pub(crate) fn readable_listener_added(&self, driver: &impl Driver) {
        let half = &self.read;
        if half.end_emitted() || half.bits.readable_mode().replace(true) {
            return;
        }
        half.bits.need_readable().set(true);
        half.flow.set(Flow::Paused);
        half.bits.readable_scheduled().set(false);
        if half.length.get() > 0 || half.bits.end_unheard().replace(false) {
            self.schedule_readable(driver);
        }
        if half.length.get() == 0 && !half.has_open_demand() {
            driver.tick(Tick::ReadZero);
        }
    }

    pub(crate) fn readable_listener_removed(&self, driver: &impl Driver) {
        driver.tick(Tick::ReadableListening);
    }

    pub(in crate::machine) fn update_readable_listening(&self, driver: &impl Driver) {
        let half = &self.read;
        half.bits
            .readable_mode()
            .set(driver.has_readable_listeners());
        if half.bits.resume_scheduled().get() && half.bits.resumed_last().get() {
            half.flow.set(Flow::Flowing);
        } else if driver.has_chunk_listeners() {
            self.resume(driver);
        } else if !half.bits.readable_mode().get() && !half.is_flowing() {
            half.flow.set(Flow::Undecided);
        }
    }
}

/// Ticks.
impl Duplex {
    pub(super) fn schedule_readable(&self, driver: &impl Driver) {
        self.read.bits.need_readable().set(false);
        if !self.read.bits.readable_scheduled().replace(true) {
            driver.tick(Tick::Readable);
        }
    }

    pub(in crate::machine) fn emit_readable(&self, driver: &impl Driver) {
        let half = &self.read;
        let something = half.length.get() > 0 || half.has_ended();
        if something && !self.is_destroyed() && !self.is_errored() {
            driver.emit(Signal::Readable);
            half.bits.readable_scheduled().set(false);
        }
        let below_mark = half.length.get() <= self.readable_high_water_mark();
        if !half.is_flowing() && !half.has_ended() && below_mark {
            half.bits.need_readable().set(true);
        }
        self.flow(driver);
    }

    pub(super) fn read_more_later(&self, driver: &impl Driver) {
        let half = &self.read;
        if !half.has_open_demand() && !half.bits.read_more_scheduled().replace(true) {
            driver.tick(Tick::ReadMore);
        }
    }

    pub(in crate::machine) fn read_more(&self, driver: &impl Driver) {
        let half = &self.read;
        half.bits.read_more_scheduled().set(false);
        let length = half.length.get();
        let wanted = length < self.readable_high_water_mark() || half.is_flowing() && length == 0;
        if wanted && !half.has_open_demand() && !half.has_ended() {
            self.read_zero(driver);
        }
    }

    pub(super) fn schedule_end(&self, driver: &impl Driver) {
        let half = &self.read;
        if !half.end_emitted() && !half.bits.end_scheduled().replace(true) {
            half.end.set(ReadEnd::Ended);
            driver.tick(Tick::EndReadable);
        }
    }

    pub(in crate::machine) fn emit_end(&self, driver: &impl Driver) {
        let half = &self.read;
        // It stays scheduled until it is let go.
        if half.bits.held().get()
            || half.framed.get() == Framed::Holding && self.is_paused_by_user()
        {
            return;
        }
        half.bits.end_scheduled().set(false);
        // A tick of an earlier life finds a half that has not ended.
        let spoiled =
            self.is_errored() || self.bits.quiet().get() || half.end.get() != ReadEnd::Ended;
        if spoiled || half.length.get() > 0 {
            return;
        }
        half.end.set(ReadEnd::Emitted);
        self.mark_ended_by_peer();
        driver.emit(Signal::End);
        if self.is_writable() && !self.allow_half_open() {
            driver.tick(Tick::EndWritable);
        } else if self.both_ended() {
            self.destroy(driver, None);
        }
    }
}
