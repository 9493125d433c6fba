//! `cork` and `uncork`.

use super::Extent;
use crate::machine::driver::Driver;
use crate::machine::duplex::Duplex;
use crate::machine::life::Life;

impl Duplex {
    pub(crate) fn cork(&self, driver: &impl Driver) {
        self.flush(driver);
        let corked = self.write.corked.get();
        self.write.corked.set(corked.saturating_add(1));
    }

    pub(crate) fn uncork(&self, driver: &impl Driver) {
        let corked = self.write.corked.get();
        self.write.corked.set(corked.saturating_sub(1));
        if corked == 1 {
            self.release(driver);
        }
    }

    /// Sends what was corked, as one request.
    pub(super) fn release(&self, driver: &impl Driver) {
        let half = &self.write;
        let held = !half.is_free() || self.is_destroyed() || self.is_errored();
        if held || !half.has_unsent() && !half.has_unsettled_callbacks() {
            return;
        }
        let (begin, end) = (half.sent.get(), half.accepted.get());
        let calls = half.with_queue(|queue| queue.gather(begin, end));
        if self.life() != Life::Open {
            return self.park(driver, calls);
        }
        if calls {
            self.tick_after_write(driver);
        }
        self.send(driver);
        self.wait_as_one(begin, Extent { end, calls });
        // Where no tick follows, an end that waited for what was corked goes on from here.
        if !calls {
            self.finish_maybe(driver);
        }
    }
}
