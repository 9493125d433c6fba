//! What a peak has needed and nothing needs any more goes back once the loop has been idle for a while.

use std::collections::VecDeque;
use std::time::Duration;

use super::Loop;

/// How long the loop must have had more than it needs.
const A_WHILE_MS: u64 = 1000;

/// So many entries of a queue are kept in any case.
const KEPT: usize = 256;

/// A queue that may have more room than it needs.
pub(super) trait Slack {
    fn is_swollen(&self) -> bool;

    /// Gives room back; some is left.
    fn trim(&mut self);
}

macro_rules! slack {
    ($($queue:ident),+) => {
        $(impl<T> Slack for $queue<T> {
            fn is_swollen(&self) -> bool {
                self.capacity() > KEPT && self.capacity() / 4 > self.len()
            }

            fn trim(&mut self) {
                self.shrink_to(KEPT.max(2 * self.len()));
            }
        })+
    };
}

slack!(Vec, VecDeque);

impl Loop {
    /// How long a poll may sleep that may sleep for so long. While there is something to give back, no
    /// longer than until that is due.
    pub(super) fn may_sleep(&self, timeout: Option<Duration>) -> Option<Duration> {
        if !self.is_swollen() {
            self.swollen_since.set(None);
            return timeout;
        }
        let now = self.now();
        let since = self.swollen_since.get().unwrap_or(now);
        let left = A_WHILE_MS.saturating_sub(now - since);
        if left == 0 {
            self.trim();
            self.swollen_since.set(None);
            return timeout;
        }
        self.swollen_since.set(Some(since));
        let left = Duration::from_millis(left);
        Some(timeout.map_or(left, |timeout| timeout.min(left)))
    }

    fn is_swollen(&self) -> bool {
        self.ticks.borrow().is_swollen()
            || self.check.borrow().is_swollen()
            || self.pending.borrow().is_swollen()
            || self.closing.borrow().is_swollen()
            || self.unflushed.borrow().is_swollen()
            || self.unfinished.borrow().is_swollen()
            || self.immediates.borrow().is_swollen()
            || self.timers.borrow().is_swollen()
            || self.handles.borrow().is_swollen()
            || self.channels.borrow().is_swollen()
            || self.pool.is_swollen()
            || self.interruptions.is_swollen()
    }

    fn trim(&self) {
        self.ticks.borrow_mut().trim();
        self.check.borrow_mut().trim();
        self.pending.borrow_mut().trim();
        self.closing.borrow_mut().trim();
        self.unflushed.borrow_mut().trim();
        self.unfinished.borrow_mut().trim();
        self.immediates.borrow_mut().trim();
        self.timers.borrow_mut().trim();
        self.handles.borrow_mut().trim();
        self.channels.borrow_mut().trim();
        self.pool.trim();
        self.interruptions.trim();
    }
}
