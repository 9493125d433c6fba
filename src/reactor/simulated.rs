//! What a simulated world asks the loops in it.

use std::time::Duration;

use super::Loop;
use crate::kernel::Seat;

impl Loop {
    /// Whether a turn that does not wait would do something.
    pub(crate) fn can_go_on(&self) -> bool {
        let now = self.seat.map_or(Duration::ZERO, Seat::now);
        self.unsettled.get()
            || !self.pending.borrow().is_empty()
            || !self.check.borrow().is_empty()
            || !self.closing.borrow().is_empty()
            || !self.unfinished.borrow().is_empty()
            || self.poller.has_events()
            || self
                .wakes_at()
                .is_some_and(|at| now.as_nanos() as u64 >= at)
    }

    /// When its next timer is due, in ns.
    pub(crate) fn wakes_at(&self) -> Option<u64> {
        let wakeup = self.timers.borrow().next_wakeup()?;
        Some(wakeup.saturating_mul(1_000_000))
    }

    /// What keeps it alive, or might.
    pub(crate) fn why_alive(&self) -> Vec<String> {
        if !self.is_alive() {
            return Vec::new();
        }
        let handles = self.handles();
        let mut why: Vec<String> = handles
            .iter()
            .filter_map(|handle| handle.account())
            .collect();
        let timers = self.timers.borrow().len();
        if timers > 0 {
            why.push(format!("{timers} timers"));
        }
        if self.poller.remotes() > 0 {
            why.push("a `Remote`, by which another thread could post".to_owned());
        }
        if why.is_empty() {
            why.push("work of the pool, or an immediate".to_owned());
        }
        why
    }
}
