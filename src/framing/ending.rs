//! The end of a frame, and the handling of a bad one.
//!
//! ```text
//!   too long, or cannot be unpacked ──► drop_rest ──┬─► fails
//!                                                   └─► Delivery::Drop ─► [Refused] … Over ─► Skipped
//!   anything else ────────────────────► fail ───────┬─► [Refused] ─► Failed
//!                                                   └─► Failed
//! ```
//!
//! The items in brackets come if the listener wants bad frames reported at once.

use std::mem;

use super::advance::{Next, found, malformed};
use super::rules::Bad;
use super::state::{Delivery, Found, Place, Step, What};
use super::unpacking::Wrong;
use super::{Format, FrameError, FrameReader, Malformed};

impl<F: Format> FrameReader<F> {
    /// The frame is over.
    pub(super) fn close(&mut self) -> Delivery {
        self.open.step = Step::Cut;
        self.open.gone = 0;
        self.open.made = 0;
        self.open.base = 0;
        self.open.empty_parts = 0;
        mem::replace(&mut self.open.delivery, Delivery::Whole)
    }

    /// Decides how the frame at hand is delivered.
    pub(super) fn open(&mut self, delivery: Delivery, chunk: &[u8]) {
        self.open.at = self.frame_start(chunk);
        self.open.delivery = delivery;
    }

    /// The frame at hand is too long: the reader fails, or marks it to be dropped.
    pub(super) fn refuse(&mut self, declared: Option<u64>, chunk: &[u8]) -> Result<(), FrameError> {
        let at = self.frame_start(chunk);
        let limit = self.rules.limit();
        self.drop_rest(
            FrameError::TooLong {
                at,
                limit,
                declared,
            },
            at,
        )
    }

    /// The frame at hand, which began at `at`, is bad: the reader fails, or marks the rest of it to be dropped.
    pub(super) fn drop_rest(&mut self, error: FrameError, at: u64) -> Result<(), FrameError> {
        self.format.abandon();
        self.open.at = at;
        let reported = match self.bad {
            Bad::Fail => return Err(error),
            Bad::Skip => true,
            Bad::Tell => false,
        };
        self.open.delivery = Delivery::Drop { error, reported };
        Ok(())
    }

    /// A frame that began at `at` was read to its end, but for `left` bytes, and is wrong.
    pub(super) fn spoil(
        &mut self,
        error: FrameError,
        at: u64,
        left: usize,
        bytes: u64,
    ) -> Result<(), FrameError> {
        self.drop_rest(error, at)?;
        self.open.step = Step::Over { left, bytes };
        Ok(())
    }

    /// The stream cannot be read any further. A listener that wants bad frames reported gets this one reported, and then
    /// the reader fails.
    pub(super) fn fail<'c>(
        &mut self,
        error: FrameError,
        chunk: &[u8],
    ) -> Result<Option<Found<'c>>, FrameError> {
        let refused = self.refused(error, true, chunk);
        self.open.step = Step::Failed(error);
        match self.bad {
            Bad::Tell => Ok(Some(refused)),
            Bad::Fail | Bad::Skip => Err(error),
        }
    }

    pub(super) fn refused<'c>(&self, error: FrameError, lost: bool, chunk: &[u8]) -> Found<'c> {
        let refused = What::Refused { error, lost };
        found(refused, Place::NOWHERE, self.frame_start(chunk))
    }

    pub(super) fn error_of(&self, wrong: Wrong, at: u64, start: u64) -> FrameError {
        match wrong {
            Wrong::Malformed(wrong) => malformed(start, wrong),
            Wrong::TooLong => FrameError::TooLong {
                at,
                limit: self.rules.limit(),
                declared: None,
            },
        }
    }

    /// The error of a format that makes frames without reading a byte: nothing else would stop it.
    pub(super) fn of_nothing(&self, chunk: &[u8]) -> FrameError {
        let wrong = Malformed::new(0, "the format made a frame of no bytes");
        malformed(self.position(chunk), wrong)
    }

    pub(super) fn over<'c>(&mut self, left: usize, bytes: u64, chunk: &mut &'c [u8]) -> Next<'c> {
        self.discard(chunk, left);
        let at = self.open.at;
        match self.close() {
            Delivery::Drop { error, .. } => {
                let skipped = What::Skipped { bytes, error };
                Next::Found(found(skipped, Place::NOWHERE, at))
            }
            _ => Next::Again,
        }
    }
}
