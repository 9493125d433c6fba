//! What can be asked of the writing half.

use super::{Request, WriteEnd};
use crate::machine::driver::Driver;
use crate::machine::duplex::Duplex;

impl Duplex {
    pub(crate) fn is_writable(&self) -> bool {
        !self.write.is_ending() && !self.is_destroyed() && !self.is_errored()
    }

    pub(crate) fn writable_length(&self, driver: &impl Driver) -> usize {
        self.flush(driver);
        self.write.length()
    }

    pub(crate) fn writable_need_drain(&self) -> bool {
        self.write.need_drain.get() && !self.write.is_ending() && !self.is_destroyed()
    }

    pub(crate) fn writable_ended(&self) -> bool {
        self.write.is_ending()
    }

    pub(crate) fn writable_finished(&self) -> bool {
        self.write.is_finished()
    }

    pub(crate) fn writable_corked(&self) -> u32 {
        self.write.corked.get()
    }

    pub(crate) fn writable_high_water_mark(&self) -> usize {
        self.write.high_water_mark.get() as usize
    }

    pub(crate) fn set_writable_high_water_mark(&self, mark: usize) {
        self.write
            .high_water_mark
            .set(u32::try_from(mark).unwrap_or(u32::MAX));
    }

    pub(crate) fn set_max_write_queue(&self, ceiling: usize) {
        self.write
            .ceiling
            .set(u32::try_from(ceiling).unwrap_or(u32::MAX));
    }

    pub(crate) fn has_write_queue_limit(&self) -> bool {
        self.write.ceiling.get() > 0
    }

    /// Bytes that the kernel has taken, and while the socket lives those that are queued.
    pub(crate) fn bytes_written(&self) -> u64 {
        if self.is_destroyed() {
            self.write.sent.get()
        } else {
            self.write.accepted.get()
        }
    }

    /// Whether somebody waits for a `Drain` though nothing is queued: never so between two turns.
    #[cfg(feature = "sim")]
    pub(crate) fn owes_drain(&self) -> bool {
        self.writable_need_drain()
            && !self.is_errored()
            && self.write.length() == 0
            && !self.is_writing()
    }

    /// Whether a write or a shutdown is under way, which keeps the loop alive.
    pub(crate) fn is_writing(&self) -> bool {
        self.write.request.get() != Request::None
            || matches!(self.write.end.get(), WriteEnd::Final)
            || self.write.flush_scheduled.get()
    }

    /// How much of the write that is under way the kernel has not taken; 0 if there is none.
    pub(crate) fn request_left(&self) -> usize {
        match self.write.request.get() {
            Request::Waiting { end, .. } => end.saturating_sub(self.write.sent.get()) as usize,
            _ => 0,
        }
    }

    pub(in crate::machine) fn has_queued_callbacks(&self) -> bool {
        let half = &self.write;
        let queued = match half.request.get() {
            Request::None | Request::Failed => half.has_unsent() || half.has_unsettled_callbacks(),
            Request::Parked { end, .. } | Request::Waiting { end, .. } => half.accepted.get() > end,
        };
        queued || half.end_callbacks.if_some(|_| ()).is_some()
    }
}
