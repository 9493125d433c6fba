//! The time that the loop goes by: the clock's, as of the last look at it.

use std::time::Duration;

use super::event_loop::Loop;

impl Loop {
    /// Milliseconds since the loop was made, as of the last time it looked.
    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    pub(crate) fn update_time(&self) {
        self.look_at_clock();
    }

    /// How long ago the loop was made.
    pub(crate) fn clock(&self) -> Duration {
        self.clock.now()
    }

    /// As `clock`, which is the loop's time from then on.
    pub(super) fn look_at_clock(&self) -> Duration {
        let since = self.clock.now();
        let ms = since.as_secs() * 1000 + u64::from(since.subsec_millis());
        let rest = since.subsec_nanos() % 1_000_000;
        debug_assert!(ms >= self.now.get(), "the clock is monotonic");
        self.now.set(ms);
        self.now_rounded_up.set(ms + u64::from(rest > 0));
        since
    }

    /// As `now`, rounded up: the moment that a time counts from which must not be cut short.
    pub(crate) fn now_rounded_up(&self) -> u64 {
        self.now_rounded_up.get()
    }
}
