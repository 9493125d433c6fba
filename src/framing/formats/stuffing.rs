//! Frames that end with a byte which no frame contains.

use super::super::{Cut, Window};

/// Looks for the byte. Where nothing stands in front of it, there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stuffing {
    end: u8,
    scanned: usize,
    /// The frame's beginning has been handed out or dropped.
    begun: bool,
}

impl Stuffing {
    pub(super) const fn new(end: u8) -> Self {
        Self {
            end,
            scanned: 0,
            begun: false,
        }
    }

    /// Whether no byte of a frame has been looked at.
    pub(super) fn is_between_frames(&self) -> bool {
        self.scanned == 0 && !self.begun
    }

    #[inline]
    pub(super) fn cut(&mut self, window: Window<'_>) -> Cut {
        let Some(payload) = window.find(self.end, self.scanned) else {
            self.scanned = window.len();
            let settled = self.scanned;
            return Cut::More { settled };
        };
        self.scanned = 0;
        let begun = std::mem::take(&mut self.begun);
        if payload == 0 && !begun {
            return Cut::Skip(1);
        }
        Cut::Frame {
            head: 0,
            payload,
            tail: 1,
        }
    }

    pub(super) fn forget(&mut self, bytes: usize) {
        self.scanned -= bytes;
        self.begun = true;
    }
}
