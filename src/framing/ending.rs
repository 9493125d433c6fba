//! How a frame ends, and what becomes of a bad one.
//!
//! ```text
//!   too long, or cannot be unpacked ──► drop_rest ──┬─► fails
//!                                                   └─► Fate::Drop ─► [Refused] … Over ─► Skipped
//!   anything else ────────────────────► fail ───────┬─► [Refused] ─► Failed
//!                                                   └─► Failed
//! ```
//!
//! What is in brackets comes if the listener is to be told at once.

use std::mem;

use super::advance::{Next, found, malformed};
use super::rules::Bad;
use super::state::{Fate, Found, Place, Step, What};
use super::unpacking::Wrong;
use super::{Format, FrameError, FrameReader, Malformed};

impl<F: Format> FrameReader<F> {
    /// The frame is over.
    pub(super) fn close(&mut self) -> Fate {
        self.open.step = Step::Cut;
        self.open.gone = 0;
        self.open.made = 0;
        self.open.base = 0;
        self.open.empty_parts = 0;
        mem::replace(&mut self.open.fate, Fate::Whole)
    }

    /// Decides the fate of the frame at hand.
    pub(super) fn open(&mut self, fate: Fate, chunk: &[u8]) {
        self.open.at = self.frame_start(chunk);
        self.open.fate = fate;
    }

    /// The frame at hand is too long: fails, or marks it to be dropped.
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

    /// The rest of the frame at hand, which began at `at`, is of no use: fails, or marks it to be dropped.
    pub(super) fn drop_rest(&mut self, error: FrameError, at: u64) -> Result<(), FrameError> {
        self.format.abandon();
        self.open.at = at;
        let told = match self.bad {
            Bad::Fail => return Err(error),
            Bad::Skip => true,
            Bad::Tell => false,
        };
        self.open.fate = Fate::Drop { error, told };
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

    /// Nothing can be read any more. Who is told of bad frames is told of this, and then it fails.
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

    /// Nothing else would stop a format that makes something of nothing.
    pub(super) fn of_nothing(&self, chunk: &[u8]) -> FrameError {
        let wrong = Malformed::new(0, "the format made a frame of no bytes");
        malformed(self.position(chunk), wrong)
    }

    pub(super) fn over<'c>(&mut self, left: usize, bytes: u64, chunk: &mut &'c [u8]) -> Next<'c> {
        self.discard(chunk, left);
        let at = self.open.at;
        match self.close() {
            Fate::Drop { error, .. } => {
                let skipped = What::Skipped { bytes, error };
                Next::Found(found(skipped, Place::NOWHERE, at))
            }
            _ => Next::Again,
        }
    }
}
