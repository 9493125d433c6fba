//! Idle timeouts of sockets.
//!
//! An activity is a look at the clock and a number in the timer's entry, not an operation on the wheel: see
//! [`IdleTimer`]. After `Timeout` the timer stays disarmed until the next activity.

use std::cell::Cell;
use std::time::Duration;

use crate::reactor::{self, IdleTimer, Key, Loop};

/// The timer is all that there is of it; `owner` is the socket.
pub(in crate::net) struct IdleTimeout(Cell<IdleTimer>);

/// The longest that Node allows, some 24.8 days.
const MAX: u64 = (1 << 31) - 1;

impl IdleTimeout {
    pub(in crate::net) const fn none() -> IdleTimeout {
        IdleTimeout(Cell::new(IdleTimer::NONE))
    }

    #[inline(always)]
    pub(in crate::net) fn activity(&self, event_loop: &Loop, owner: Key) {
        if self.0.get() != IdleTimer::NONE {
            // A callback may have been running for long: it would count from its beginning.
            event_loop.put_off_idle_timer(owner, self.0.get());
        }
    }

    pub(in crate::net) fn set(&self, event_loop: &Loop, owner: Key, timeout: Duration) {
        match reactor::whole_ms(timeout).min(MAX) {
            0 => self.clear(event_loop, owner),
            after => {
                let timer = event_loop.set_idle_timer(owner, self.0.get(), after);
                self.0.set(timer);
            }
        }
    }

    pub(in crate::net) fn timeout(&self, event_loop: &Loop, owner: Key) -> Option<Duration> {
        let after = event_loop.idle_timer_delay(owner, self.0.get());
        after.map(Duration::from_millis)
    }

    pub(in crate::net) fn clear(&self, event_loop: &Loop, owner: Key) {
        let timer = self.0.replace(IdleTimer::NONE);
        if timer != IdleTimer::NONE {
            event_loop.clear_idle_timer(owner, timer);
        }
    }

    /// The timer has fired; true if nothing has happened for the whole time. `write_left` is what is left of a write
    /// under way: progress there is an activity, though it brings no event.
    pub(in crate::net) fn is_over(&self, event_loop: &Loop, owner: Key, write_left: usize) -> bool {
        // What is different by 4 GiB is another write by far.
        let before = event_loop.idle_timer_sees(owner, self.0.get(), write_left as u32);
        let goes_on = before != write_left as u32 && write_left > 0;
        if goes_on {
            self.activity(event_loop, owner);
        }
        !goes_on
    }
}
