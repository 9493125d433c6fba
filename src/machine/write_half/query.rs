//! What can be asked of the writing half.

use super::{Request, WriteEnd};
use crate::machine::driver::Driver;
use crate::machine::duplex::Duplex;
use crate::machine::life::DEFAULT_HIGH_WATER_MARK;

impl Duplex {
    pub(crate) fn is_writable(&self) -> bool {
        !self.write.is_ending() && !self.is_destroyed() && !self.is_errored()
    }

    pub(crate) fn writable_length(&self, driver: &impl Driver) -> usize {
        self.flush(driver);
        self.write.length()
    }

    pub(crate) fn writable_need_drain(&self) -> bool {
        self.write.bits.need_drain().get() && !self.write.is_ending() && !self.is_destroyed()
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
        let mark = self
            .seldom
            .get()
            .map(|seldom| seldom.write_mark.get() as usize);
        mark.unwrap_or(DEFAULT_HIGH_WATER_MARK)
    }

    pub(crate) fn set_writable_high_water_mark(&self, mark: usize) {
        if mark != self.writable_high_water_mark() {
            let mark = u32::try_from(mark).unwrap_or(u32::MAX);
            self.seldom.get_or_new().write_mark.set(mark);
        }
    }

    pub(crate) fn set_max_write_queue(&self, ceiling: usize) {
        if ceiling != self.max_write_queue() {
            let ceiling = u32::try_from(ceiling).unwrap_or(u32::MAX);
            self.seldom.get_or_new().ceiling.set(ceiling);
        }
    }

    pub(crate) fn has_write_queue_limit(&self) -> bool {
        self.max_write_queue() > 0
    }

    /// 0 for no limit.
    pub(super) fn max_write_queue(&self) -> usize {
        let ceiling = self
            .seldom
            .get()
            .map(|seldom| seldom.ceiling.get() as usize);
        ceiling.unwrap_or(0)
    }

    /// Bytes that the kernel has taken, and while the socket lives those that are queued.
    pub(crate) fn bytes_written(&self) -> u64 {
        if self.is_destroyed() {
            self.write.sent.get()
        } else {
            self.write.accepted.get()
        }
    }

    /// Whether a `Drain` is due though nothing is queued: never so between two turns.
    #[cfg(feature = "sim")]
    pub(crate) fn owes_drain(&self) -> bool {
        self.writable_need_drain()
            && !self.is_errored()
            && self.write.length() == 0
            && !self.is_writing()
    }

    /// Whether a write or a shutdown is under way, which keeps the loop alive.
    pub(crate) fn is_writing(&self) -> bool {
        !self.write.is_free()
            || matches!(self.write.end.get(), WriteEnd::Final)
            || self.write.bits.flush_scheduled().get()
    }

    /// How much of the write that is under way the kernel has not taken; 0 if there is none.
    pub(crate) fn request_left(&self) -> usize {
        match self.write.request() {
            Request::Waiting { end, .. } => end.saturating_sub(self.write.sent.get()) as usize,
            _ => 0,
        }
    }

    pub(in crate::machine) fn has_queued_callbacks(&self) -> bool {
        let half = &self.write;
        let queued = match half.request() {
            Request::None | Request::Failed => half.has_unsent() || half.has_unsettled_callbacks(),
            Request::Parked { end, .. } | Request::Waiting { end, .. } => half.accepted.get() > end,
        };
        queued || self.has_end_callbacks()
    }
}
