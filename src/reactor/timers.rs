//! What the timers of the loop call, and when they count as references. The queue is in `wheel.rs`.

use std::time::Duration;

use super::wheel::TimerQueue;
use super::{Key, Loop, Origin, Task};
use crate::events::outcome::Verdict;

/// What a timer calls, with its own key.
pub(crate) type TimerCall = Box<dyn FnMut(Key) -> Verdict>;

/// The payload of a timer.
pub(super) struct TimerTask {
    origin: Origin,
    /// Gone while it is running.
    call: Option<TimerCall>,
    delay: u64,
    after_call: AfterCall,
    referenced: bool,
    /// Whether this timer is among those that keep the loop alive: armed and referenced.
    counted: bool,
}

impl TimerTask {
    pub(super) fn counted(&self) -> bool {
        self.counted
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }
}

/// What becomes of a timer that is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterCall {
    /// It goes before the call.
    Removed,
    /// It is armed again after the call.
    Armed,
    /// It stays until its owner arms or removes it.
    Kept,
}

/// A time in whole milliseconds, rounded up. Less than a microsecond is a rounding error of
/// the caller and does not count, unless it is all there is.
pub(crate) fn whole_ms(time: Duration) -> u64 {
    let rest = u64::from(time.subsec_micros().div_ceil(1000));
    let ms = time.as_secs().saturating_mul(1000).saturating_add(rest);
    ms.max(u64::from(!time.is_zero()))
}

impl Loop {
    /// A timer of the user's, armed. Its delay counts from the call, however long the callback that
    /// makes it has been running.
    pub(crate) fn set_timer(
        &self,
        delay: u64,
        after_call: AfterCall,
        call: TimerCall,
        origin: Origin,
    ) -> Key {
        let task = TimerTask {
            origin,
            call: Some(call),
            delay,
            after_call,
            referenced: true,
            counted: true,
        };
        self.reference();
        self.update_time();
        let deadline = self.deadline(delay);
        self.timers.borrow_mut().insert_armed(task, deadline)
    }

    /// Where a delay ends that begins now. Never before: a millisecond that has begun does not count.
    fn deadline(&self, delay: u64) -> u64 {
        self.now_rounded_up().saturating_add(delay.max(1))
    }

    /// Starts a timer of the user's anew.
    pub(crate) fn refresh(&self, key: Key) {
        self.update_time();
        if !self.rearm(key) {
            log::debug!(
                target: "soquete::reactor",
                "a timer was refreshed that is gone: one of set_timeout goes when it fires (see set_refreshable)"
            );
        }
    }

    /// A timer of a handle's, not armed, which does not keep the loop alive.
    pub(crate) fn insert_timer(&self, task: Task) -> Key {
        let call = move |_| {
            super::with(|event_loop| task.run(event_loop));
            Verdict::Fine
        };
        self.timers.borrow_mut().insert(TimerTask {
            origin: Origin::here(),
            call: Some(Box::new(call)),
            delay: 1,
            after_call: AfterCall::Kept,
            referenced: false,
            counted: false,
        })
    }

    /// Arms a timer for `delay` ms from now, however long the callback at hand has been running.
    pub(crate) fn arm(&self, key: Key, delay: u64) {
        self.update_time();
        if let Some(task) = self.timers.borrow_mut().get_mut(key) {
            task.delay = delay;
        }
        self.rearm(key);
    }

    /// Arms a timer for a moment of [`now_rounded_up`](Loop::now_rounded_up)'s kind.
    pub(crate) fn arm_until(&self, key: Key, deadline: u64) {
        let timers = &mut *self.timers.borrow_mut();
        timers.arm(key, deadline);
        self.count(timers, key);
    }

    /// Arms a timer for its delay from now; false if it is gone.
    fn rearm(&self, key: Key) -> bool {
        let timers = &mut *self.timers.borrow_mut();
        let Some(task) = timers.get(key) else {
            return false;
        };
        let deadline = self.deadline(task.delay);
        timers.arm(key, deadline);
        self.count(timers, key);
        true
    }

    pub(crate) fn clear_timer(&self, key: Key) {
        let task = self.timers.borrow_mut().remove(key);
        // Before what the user's closure holds is dropped.
        if task.as_ref().is_some_and(|task| task.counted) {
            self.unreference();
        }
    }

    pub(crate) fn set_timer_referenced(&self, key: Key, referenced: bool) {
        let timers = &mut *self.timers.borrow_mut();
        if let Some(task) = timers.get_mut(key) {
            task.referenced = referenced;
            self.count(timers, key);
        }
    }

    /// Whether the timer would keep the loop alive while it is armed; `None` once it is gone.
    pub(crate) fn timer_is_referenced(&self, key: Key) -> Option<bool> {
        self.timers.borrow().get(key).map(|task| task.referenced)
    }

    pub(super) fn run_timers(&self) {
        self.update_time();
        self.timers.borrow_mut().advance(self.now());
        while !self.is_interrupted() {
            let due = self.timers.borrow_mut().pop_due();
            let Some(key) = due else { return };
            self.fire(key);
            self.settle();
        }
    }

    fn fire(&self, key: Key) {
        let call = {
            let timers = &mut *self.timers.borrow_mut();
            self.count(timers, key);
            match timers.get_mut(key) {
                // It is gone before it is called, so that its callback finds nothing to start anew.
                Some(task) if task.after_call == AfterCall::Removed => {
                    timers.remove(key).and_then(|task| task.call)
                }
                Some(task) => task.call.take(),
                None => None,
            }
        };
        if let Some(mut call) = call {
            let called_at = self.now();
            let mut verdict = Verdict::Fine;
            self.call_now(|| verdict = call(key));
            if let Verdict::Stop = verdict {
                self.clear_timer(key);
            }
            self.after_call(key, call, called_at);
            if let Verdict::Failed(error) = verdict {
                self.unhandled_error(error);
            }
        }
    }

    /// Puts a closure back whose timer is still there. An interval is counted from the millisecond of the
    /// call: no call comes before its number of intervals is over.
    fn after_call(&self, key: Key, call: TimerCall, called_at: u64) {
        let gone = {
            let timers = &mut *self.timers.borrow_mut();
            let armed = timers.is_armed(key);
            match timers.get_mut(key) {
                None => Some(call),
                Some(task) => {
                    task.call = Some(call);
                    let deadline = called_at.saturating_add(task.delay.max(1));
                    if !armed && task.after_call == AfterCall::Armed {
                        timers.arm(key, deadline);
                    }
                    self.count(timers, key);
                    None
                }
            }
        };
        if let Some(gone) = gone {
            self.discard(gone);
        }
    }

    fn count(&self, timers: &mut TimerQueue<TimerTask>, key: Key) {
        let armed = timers.is_armed(key);
        let Some(task) = timers.get_mut(key) else {
            return;
        };
        let counts = armed && task.referenced;
        let before = std::mem::replace(&mut task.counted, counts);
        self.recount(before, counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_but_for_the_noise_of_computing_them() {
        let ms = |nanos| whole_ms(Duration::from_nanos(nanos));
        assert_eq!((ms(0), ms(1), ms(1_000_000), ms(1_000_999)), (0, 1, 1, 1));
        assert_eq!((ms(1_001_000), ms(1_999_999_999)), (2, 2_000));
        assert_eq!(whole_ms(Duration::from_secs_f64(0.1) * 3), 300);
        assert_eq!(whole_ms(Duration::MAX), u64::MAX);
    }
}
