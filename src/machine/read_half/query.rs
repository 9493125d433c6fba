//! What can be asked of the reading half.

use super::{Flow, Told};
use crate::machine::duplex::Duplex;

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
