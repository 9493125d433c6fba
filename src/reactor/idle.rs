//! Idle timers: one of a handle, which is put off whenever something happens and seldom fires.
//!
//! All that a timeout needs is in the timer's entry, for there are as many of these as there are connections. The
//! entry names the handle, so that the handle need keep no more than its index.

use super::timers::{Callee, TimerTask};
use super::wheel::TimerQueue;
use super::{Key, Loop};

/// Where the idle timer of a handle is, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdleTimer(u32);

impl IdleTimer {
    pub(crate) const NONE: IdleTimer = IdleTimer(u32::MAX);
}

impl Loop {
    /// Arms a handle's idle timer, which is made if there is none, for so many ms from now.
    pub(crate) fn set_idle_timer(&self, owner: Key, timer: IdleTimer, after: u64) -> IdleTimer {
        self.update_time();
        let deadline = self.deadline(after);
        let timers = &mut *self.timers.borrow_mut();
        let key = match find(timers, owner, timer) {
            Some((key, _)) => key,
            None => timers.insert(TimerTask::of_handle(Callee::Handle(owner))),
        };
        if let Some(task) = timers.get_mut(key) {
            task.delay = after;
        }
        timers.arm(key, deadline);
        IdleTimer(key.index())
    }

    /// Lets a handle's idle timer count from now, also if it has fired.
    pub(crate) fn put_off_idle_timer(&self, owner: Key, timer: IdleTimer) {
        self.update_time();
        let timers = &mut *self.timers.borrow_mut();
        if let Some((key, task)) = find(timers, owner, timer) {
            let deadline = self.deadline(task.delay);
            timers.put_off(key, deadline);
        }
    }

    pub(crate) fn clear_idle_timer(&self, owner: Key, timer: IdleTimer) {
        let timers = &mut *self.timers.borrow_mut();
        if let Some((key, _)) = find(timers, owner, timer) {
            timers.remove(key);
        }
    }

    /// The delay of a handle's idle timer, in ms.
    pub(crate) fn idle_timer_delay(&self, owner: Key, timer: IdleTimer) -> Option<u64> {
        let timers = &*self.timers.borrow();
        find(timers, owner, timer).map(|(_, task)| task.delay)
    }

    /// Keeps what the owner sees, and says what it saw before: 0 at first.
    pub(crate) fn idle_timer_sees(&self, owner: Key, timer: IdleTimer, now: u32) -> u32 {
        let timers = &mut *self.timers.borrow_mut();
        let key = find(timers, owner, timer).map(|(key, _)| key);
        match key.and_then(|key| timers.get_mut(key)) {
            Some(task) => std::mem::replace(&mut task.seen, now),
            None => 0,
        }
    }
}

fn find(
    timers: &TimerQueue<TimerTask>,
    owner: Key,
    IdleTimer(index): IdleTimer,
) -> Option<(Key, &TimerTask)> {
    timers.at(index).filter(|(_, task)| task.is_of(owner))
}
