//! Idle timeouts of sockets.
//!
//! An activity is a look at the clock, not an operation on a timer: the timer looks, when it
//! fires, how long ago the last activity was, and goes back to sleep for the rest. Once it has told
//! of a timeout it stays quiet until there is an activity again.

use std::cell::Cell;
use std::time::Duration;

use super::cell::SocketHost;
use super::lifecycle;
use crate::event;
use crate::reactor::{self, Key, Loop, Task};

#[derive(Default)]
pub(crate) struct IdleTimeout {
    /// In ms; 0 for none.
    after: Cell<u64>,
    last_activity: Cell<u64>,
    timer: Cell<Option<Key>>,
    /// The timeout was told of, and the timer is not armed.
    told: Cell<bool>,
    /// What was left of a write under way when the timer last looked.
    write_left: Cell<usize>,
}

/// The longest that Node allows, some 24.8 days.
const MAX: u64 = (1 << 31) - 1;

impl IdleTimeout {
    pub(crate) fn activity(&self, event_loop: &Loop) {
        if self.after.get() == 0 {
            return;
        }
        // A callback may have been running for long: it would count from its beginning.
        event_loop.update_time();
        self.last_activity.set(event_loop.now_rounded_up());
        if self.told.replace(false)
            && let Some(timer) = self.timer.get()
        {
            event_loop.arm(timer, self.after.get());
        }
    }

    pub(crate) fn set(&self, event_loop: &Loop, socket: Key, timeout: Duration) {
        let after = reactor::whole_ms(timeout).min(MAX);
        self.after.set(after);
        self.told.set(false);
        if after == 0 {
            return self.clear(event_loop);
        }
        let timer = self.timer.get().unwrap_or_else(|| {
            event_loop.insert_timer(Task::new(socket, |event_loop, socket| {
                SocketHost::on(event_loop, socket, |host| {
                    if let Some(idle) = host.cell.idle() {
                        idle.look(host);
                    }
                });
            }))
        });
        self.timer.set(Some(timer));
        event_loop.arm(timer, after);
        self.last_activity.set(event_loop.now_rounded_up());
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        let after = self.after.get();
        (after > 0).then(|| Duration::from_millis(after))
    }

    pub(crate) fn clear(&self, event_loop: &Loop) {
        self.after.set(0);
        if let Some(timer) = self.timer.take() {
            event_loop.clear_timer(timer);
        }
    }

    /// The timer has fired.
    fn look(&self, host: &SocketHost<'_>) {
        let (Some(timer), after) = (self.timer.get(), self.after.get()) else {
            return;
        };
        let event_loop = host.event_loop;
        let idle_for = event_loop.now().saturating_sub(self.last_activity.get());
        if idle_for < after {
            return event_loop.arm_until(timer, self.last_activity.get().saturating_add(after));
        }
        // A write that gets on is an activity, too, though no event tells of its parts.
        let write_left = host.cell.duplex.request_left();
        if self.write_left.replace(write_left) != write_left && write_left > 0 {
            self.last_activity.set(event_loop.now_rounded_up());
            return event_loop.arm(timer, after);
        }
        self.told.set(true);
        lifecycle::is_idle(host);
        host.emit_to(event::Timeout, ());
    }
}
