//! Idle timeouts of sockets.
//!
//! An activity is a look at the clock, not an operation on a timer: the timer looks, when it
//! fires, how long ago the last activity was, and goes back to sleep for the rest. After
//! `Timeout` the timer stays disarmed until the next activity.

use std::cell::Cell;
use std::time::Duration;

use crate::reactor::{self, Key, Loop, Task};

#[derive(Default)]
pub(in crate::net) struct IdleTimeout {
    /// In ms; 0 for none.
    after: Cell<u64>,
    last_activity: Cell<u64>,
    timer: Cell<Option<Key>>,
    /// `Timeout` was emitted, and the timer is not armed.
    emitted: Cell<bool>,
    /// What was left of a write under way when the timer last looked.
    write_left: Cell<usize>,
}

/// The longest that Node allows, some 24.8 days.
const MAX: u64 = (1 << 31) - 1;

impl IdleTimeout {
    pub(in crate::net) fn activity(&self, event_loop: &Loop) {
        if self.after.get() == 0 {
            return;
        }
        // A callback may have been running for long: it would count from its beginning.
        event_loop.update_time();
        self.last_activity.set(event_loop.now_rounded_up());
        if self.emitted.replace(false)
            && let Some(timer) = self.timer.get()
        {
            event_loop.arm(timer, self.after.get());
        }
    }

    /// Sets the timeout; `task` is what the timer calls.
    pub(in crate::net) fn set(&self, event_loop: &Loop, task: Task, timeout: Duration) {
        let after = reactor::whole_ms(timeout).min(MAX);
        self.after.set(after);
        self.emitted.set(false);
        if after == 0 {
            return self.clear(event_loop);
        }
        let timer = match self.timer.get() {
            Some(timer) => timer,
            None => event_loop.insert_timer(task),
        };
        self.timer.set(Some(timer));
        event_loop.arm(timer, after);
        self.last_activity.set(event_loop.now_rounded_up());
    }

    pub(in crate::net) fn timeout(&self) -> Option<Duration> {
        let after = self.after.get();
        (after > 0).then(|| Duration::from_millis(after))
    }

    pub(in crate::net) fn clear(&self, event_loop: &Loop) {
        self.after.set(0);
        if let Some(timer) = self.timer.take() {
            event_loop.clear_timer(timer);
        }
    }

    /// The timer has fired; true if nothing has happened for the whole time. `write_left` is what is left of a write
    /// under way: progress there is an activity, though it brings no event.
    pub(in crate::net) fn is_over(&self, event_loop: &Loop, write_left: usize) -> bool {
        let (Some(timer), after) = (self.timer.get(), self.after.get()) else {
            return false;
        };
        let idle_for = event_loop.now().saturating_sub(self.last_activity.get());
        if idle_for < after {
            event_loop.arm_until(timer, self.last_activity.get().saturating_add(after));
            return false;
        }
        if self.write_left.replace(write_left) != write_left && write_left > 0 {
            self.last_activity.set(event_loop.now_rounded_up());
            event_loop.arm(timer, after);
            return false;
        }
        self.emitted.set(true);
        true
    }
}
