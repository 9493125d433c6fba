//! What can be asked of the reading half.

use super::Flow;
use crate::machine::duplex::Duplex;
use crate::machine::life::DEFAULT_HIGH_WATER_MARK;

impl Duplex {
    pub(crate) fn is_readable(&self) -> bool {
        !self.is_destroyed() && !self.read.end_emitted()
    }

    pub(crate) fn readable_ended(&self) -> bool {
        self.read.end_emitted()
    }

    /// Node's `readableFlowing`: `None` before the first listener, `pause` or `resume`.
    pub(crate) fn readable_flowing(&self) -> Option<bool> {
        match self.read.flow.get() {
            Flow::Undecided => None,
            Flow::Paused => Some(false),
            Flow::Flowing => Some(true),
        }
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.read.bits.paused_last().get() || self.read.flow.get() == Flow::Paused
    }

    /// As `is_paused`, but false where only a listener of `Readable` has paused the socket.
    pub(crate) fn is_paused_by_user(&self) -> bool {
        self.read.bits.paused_last().get()
            || self.read.flow.get() == Flow::Paused && !self.read.bits.readable_mode().get()
    }

    pub(crate) fn readable_length(&self) -> usize {
        self.read.length.get()
    }

    pub(super) fn can_take_more(&self) -> bool {
        let length = self.read.length.get();
        let below_mark = || length < self.readable_high_water_mark();
        !self.read.has_ended() && (length == 0 || below_mark())
    }

    pub(crate) fn readable_high_water_mark(&self) -> usize {
        let mark = self
            .seldom
            .get()
            .map(|seldom| seldom.read_mark.get() as usize);
        mark.unwrap_or(DEFAULT_HIGH_WATER_MARK)
    }

    pub(crate) fn set_readable_high_water_mark(&self, mark: usize) {
        if mark != self.readable_high_water_mark() {
            let mark = u32::try_from(mark).unwrap_or(u32::MAX);
            self.seldom.get_or_new().read_mark.set(mark);
        }
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.bytes.get()
    }
}
