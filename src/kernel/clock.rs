//! The time that a loop lives by.

use std::time::{Duration, Instant};

use super::Seat;

/// Counts from when it was made.
pub(crate) enum Clock {
    Os(Instant),
    /// A world's: the same for all loops in it, and counted from its beginning.
    Sim(Seat),
}

impl Clock {
    pub(crate) fn start(seat: Option<Seat>) -> Clock {
        match seat {
            Some(seat) => Clock::Sim(seat),
            None => Clock::Os(Instant::now()),
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> Duration {
        match self {
            Clock::Os(started) => started.elapsed(),
            Clock::Sim(seat) => seat.now(),
        }
    }
}
