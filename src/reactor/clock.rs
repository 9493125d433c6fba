//! Timers of the loop: the timer queue, whose callbacks they are, and what keeps the loop alive.

use super::timers::TimerQueue;
use super::{Key, Loop, Task};

/// The payload of a timer.
pub(crate) struct TimerTask {
    callback: Callback,
    delay: u64,
    repeats: bool,
    referenced: bool,
    /// Whether this timer is among those that keep the loop alive: armed and referenced.
    counted: bool,
}

enum Callback {
    /// Of a handle: its idle timeout, an attempt to connect.
    Task(Task),
    Call(Box<dyn FnMut()>),
    /// Running at this moment.
    Out,
}

impl Loop {
    /// A timer of the user's, armed.
    pub(crate) fn set_timer(&self, delay: u64, repeats: bool, call: Box<dyn FnMut()>) -> Key {
        let task = TimerTask {
            callback: Callback::Call(call),
            delay,
            repeats,
            referenced: true,
            counted: true,
        };
        self.reference();
        let deadline = self.now().saturating_add(delay.max(1));
        self.timers.borrow_mut().insert_armed(task, deadline)
    }

    /// A timer of a handle's, not armed, which does not keep the loop alive.
    pub(crate) fn insert_timer(&self, task: Task) -> Key {
        self.timers.borrow_mut().insert(TimerTask {
            callback: Callback::Task(task),
            delay: 1,
            repeats: false,
            referenced: false,
            counted: false,
        })
    }

    /// Arms a timer for `delay` ms from now.
    pub(crate) fn arm(&self, key: Key, delay: u64) {
        if let Some(task) = self.timers.borrow_mut().get_mut(key) {
            task.delay = delay;
        }
        self.rearm(key);
    }

    /// Arms a timer anew, for its delay from now.
    pub(crate) fn rearm(&self, key: Key) {
        let timers = &mut *self.timers.borrow_mut();
        if let Some(task) = timers.get(key) {
            let deadline = self.now().saturating_add(task.delay.max(1));
            timers.arm(key, deadline);
            self.count(timers, key);
        }
    }

    pub(crate) fn clear_timer(&self, key: Key) {
        let task = self.timers.borrow_mut().remove(key);
        if task.is_some_and(|task| task.counted) {
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
        while self.may_dispatch() {
            let due = self.timers.borrow_mut().pop_due();
            let Some(key) = due else { return };
            self.fire(key);
            self.settle();
        }
    }

    fn fire(&self, key: Key) {
        let callback = {
            let timers = &mut *self.timers.borrow_mut();
            self.count(timers, key);
            let Some(task) = timers.get_mut(key) else {
                return;
            };
            match task.callback {
                Callback::Task(task) => Callback::Task(task),
                _ => std::mem::replace(&mut task.callback, Callback::Out),
            }
        };
        match callback {
            Callback::Task(task) => task.run(self),
            Callback::Call(call) => {
                let mut running = Running {
                    event_loop: self,
                    key,
                    call: Some(call),
                };
                if let Some(call) = &mut running.call {
                    call();
                }
            }
            Callback::Out => {}
        }
    }

    /// Puts a closure back whose timer is to go on, and forgets the timer otherwise.
    fn after_call(&self, key: Key, call: Box<dyn FnMut()>) {
        let gone = {
            let timers = &mut *self.timers.borrow_mut();
            let armed = timers.is_armed(key);
            let now = self.now();
            match timers.get_mut(key) {
                None => Some(call),
                Some(task) if armed || task.repeats => {
                    task.callback = Callback::Call(call);
                    let deadline = now.saturating_add(task.delay.max(1));
                    if !armed {
                        timers.arm(key, deadline);
                    }
                    self.count(timers, key);
                    None
                }
                Some(_) => {
                    timers.remove(key);
                    Some(call)
                }
            }
        };
        drop(gone);
    }

    fn count(&self, timers: &mut TimerQueue<TimerTask>, key: Key) {
        let armed = timers.is_armed(key);
        let Some(task) = timers.get_mut(key) else {
            return;
        };
        let counts = armed && task.referenced;
        if std::mem::replace(&mut task.counted, counts) != counts {
            if counts {
                self.reference()
            } else {
                self.unreference()
            }
        }
    }
}

/// A closure that is being called. It is put back when it has returned, and also when it panics: an
/// interval goes on.
struct Running<'a> {
    event_loop: &'a Loop,
    key: Key,
    call: Option<Box<dyn FnMut()>>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.event_loop.after_call(self.key, call);
        }
    }
}
