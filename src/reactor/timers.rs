//! What the timers of the loop call, and when they count as references. The queue is in `wheel.rs`.

use std::time::Duration;

use super::wheel::TimerQueue;
use super::{Key, Loop, Origin, Task};
use crate::events::outcome::Verdict;

/// What a timer calls, with its own key.
pub(crate) trait TimerCall {
    /// Of a timer that stays, and may call it again.
    fn call(&mut self, key: Key) -> Verdict;

    /// Of a timer that has gone.
    fn call_last(self: Box<Self>, key: Key) -> Verdict;
}

impl<F: FnMut(Key) -> Verdict> TimerCall for F {
    fn call(&mut self, key: Key) -> Verdict {
        self(key)
    }

    fn call_last(mut self: Box<Self>, key: Key) -> Verdict {
        self(key)
    }
}

/// What can be called once. In a box of its own size, so that a closure that has captured nothing takes no memory.
pub(crate) struct Once<F>(pub(crate) F);

impl<F: FnOnce() -> Verdict> TimerCall for Once<F> {
    fn call(&mut self, _: Key) -> Verdict {
        debug_assert!(false, "its timer goes when it fires");
        Verdict::Fine
    }

    fn call_last(self: Box<Self>, _: Key) -> Verdict {
        self.0()
    }
}

/// Who is told when a timer fires.
pub(super) enum Callee {
    Call(Box<dyn TimerCall>),
    /// That handle, by [`Handle::timer_fired`](super::Handle::timer_fired).
    Handle(Key),
}

impl Callee {
    /// In the place of a call that is running.
    const RUNNING: Callee = Callee::Handle(Key::RESERVED);
}

/// What a timer calls that has fired.
enum Due {
    Last(Callee),
    Again(Callee),
}

/// The payload of a timer.
pub(super) struct TimerTask {
    origin: Origin,
    callee: Callee,
    pub(super) delay: u64,
    /// What an idle timer's owner had seen when it last fired.
    pub(super) seen: u32,
    after_call: AfterCall,
    referenced: bool,
    /// Whether this timer is among those that keep the loop alive: armed and referenced.
    counted: bool,
}

impl TimerTask {
    /// What belongs to a handle, and is not armed.
    pub(super) fn of_handle(callee: Callee) -> TimerTask {
        TimerTask {
            origin: Origin::here(),
            callee,
            delay: 1,
            seen: 0,
            after_call: AfterCall::Kept,
            referenced: false,
            counted: false,
        }
    }

    /// Whether it is this handle's idle timer.
    pub(super) fn is_of(&self, owner: Key) -> bool {
        matches!(self.callee, Callee::Handle(of) if of == owner)
    }

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

/// An interval whose callback is running. Timers of one delay fire in the order in which they were set, as in Node, where
/// they share a list: what the callback sets with the delay of its own interval comes before the next call.
#[derive(Clone, Copy)]
pub(super) struct Repeating {
    delay: u64,
    /// When it is called again.
    next: u64,
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
        call: Box<dyn TimerCall>,
        origin: Origin,
    ) -> Key {
        let task = TimerTask {
            origin,
            callee: Callee::Call(call),
            delay,
            seen: 0,
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
    pub(super) fn deadline(&self, delay: u64) -> u64 {
        let delay = delay.max(1);
        let deadline = self.now_rounded_up().saturating_add(delay);
        if let Some(repeating) = self.repeating.get()
            && repeating.delay == delay
        {
            let next = repeating.next.max(deadline);
            self.repeating.set(Some(Repeating { delay, next }));
        }
        deadline
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
        let call = move |_: Key| {
            super::with(|event_loop| task.run(event_loop));
            Verdict::Fine
        };
        let task = TimerTask::of_handle(Callee::Call(Box::new(call)));
        self.timers.borrow_mut().insert(task)
    }

    /// Arms a timer for `delay` ms from now, however long the callback at hand has been running.
    pub(crate) fn arm(&self, key: Key, delay: u64) {
        self.update_time();
        if let Some(task) = self.timers.borrow_mut().get_mut(key) {
            task.delay = delay;
        }
        self.rearm(key);
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
        let due = {
            let timers = &mut *self.timers.borrow_mut();
            let Some(task) = timers.get_mut(key) else {
                return;
            };
            let counted = std::mem::replace(&mut task.counted, false);
            self.recount(counted, false);
            match (task.after_call, &mut task.callee) {
                // It is gone before it is called, so that its callback finds nothing to start anew.
                (AfterCall::Removed, _) => match timers.remove(key) {
                    Some(task) => Due::Last(task.callee),
                    None => return,
                },
                (_, Callee::Handle(owner)) => Due::Again(Callee::Handle(*owner)),
                (_, callee) => Due::Again(std::mem::replace(callee, Callee::RUNNING)),
            }
        };
        match due {
            Due::Last(Callee::Call(call)) => {
                let mut verdict = Verdict::Fine;
                self.call_now(|| verdict = call.call_last(key));
                self.heed_failure(verdict);
            }
            Due::Again(Callee::Call(mut call)) => {
                self.begin_call(key);
                let mut verdict = Verdict::Fine;
                self.call_now(|| verdict = call.call(key));
                if let Verdict::Stop = verdict {
                    self.clear_timer(key);
                }
                self.after_call(key, call);
                self.heed_failure(verdict);
            }
            Due::Last(Callee::Handle(owner)) | Due::Again(Callee::Handle(owner)) => {
                if let Some(handle) = self.handle(owner) {
                    self.call_now(|| handle.timer_fired(self));
                }
            }
        }
    }

    fn heed_failure(&self, verdict: Verdict) {
        if let Verdict::Failed(error) = verdict {
            self.unhandled_error(error);
        }
    }

    /// An interval is counted from the millisecond of the call: no call comes before its number of intervals is over.
    fn begin_call(&self, key: Key) {
        let delay = self.timers.borrow().get(key).map(|task| task.delay.max(1));
        self.repeating.set(delay.map(|delay| Repeating {
            delay,
            next: self.now().saturating_add(delay),
        }));
    }

    /// Puts a closure back whose timer is still there.
    fn after_call(&self, key: Key, call: Box<dyn TimerCall>) {
        let repeating = self.repeating.take();
        let gone = {
            let timers = &mut *self.timers.borrow_mut();
            let armed = timers.is_armed(key);
            match timers.get_mut(key) {
                None => Some(call),
                Some(task) => {
                    task.callee = Callee::Call(call);
                    if let Some(repeating) = repeating
                        && !armed
                        && task.after_call == AfterCall::Armed
                    {
                        timers.arm(key, repeating.next);
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
