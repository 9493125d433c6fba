//! Timers, immediates and ticks. Node's globals of those names.
//!
//! | function | when its callback is called |
//! |---|---|
//! | [`next_tick`] | when the current callback has returned, before anything else |
//! | [`set_immediate`] | after what is ready: in this turn of the loop, or the next (from a timer, a `Close` listener, another immediate) |
//! | [`set_timeout`], [`set_interval`] | in the first turn in which the time has come |
//!
//! Times are rounded up to whole milliseconds, and are at least one. (What is less than a microsecond
//! does not count: it comes of computing with floating point.)

use std::marker::PhantomData;
use std::time::Duration;

use crate::reactor::{self, AfterCall, Job, Key};

/// A handle is good on its own thread only.
type NotSend = PhantomData<*const ()>;

/// Names a timer. Copies name the same timer; once that has fired for the last time, or was
/// cleared, they name nothing and their methods do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeout {
    key: Key,
    _not_send: NotSend,
}

/// Names an immediate, as [`Timeout`] names a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Immediate {
    key: Key,
    _not_send: NotSend,
}

/// Calls `callback` once, after `delay`.
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> soquete::Result<()> {
/// soquete::timers::set_timeout(Duration::from_millis(5), || println!("five ms later"));
/// soquete::run()
/// # }
/// ```
pub fn set_timeout(delay: Duration, callback: impl FnMut() + 'static) -> Timeout {
    set_timer(delay, AfterCall::Removed, Box::new(callback))
}

/// Calls `callback` again and again, `delay` after it was last called, or as soon after that as it
/// has returned.
pub fn set_interval(delay: Duration, callback: impl FnMut() + 'static) -> Timeout {
    set_timer(delay, AfterCall::Armed, Box::new(callback))
}

/// Calls `callback` after what is ready: in this turn of the loop, or in the next, if called by a timer, a
/// `Close` listener or another immediate.
pub fn set_immediate(callback: impl FnOnce() + 'static) -> Immediate {
    let key = reactor::with(|event_loop| event_loop.set_immediate(Box::new(callback)));
    Immediate {
        key: key.unwrap_or(Key::RESERVED),
        _not_send: PhantomData,
    }
}

/// Calls `callback` when the current callback has returned, before the loop goes on. Ticks that a
/// tick queues are called, too, before anything else is: a tick that always queues another never
/// lets the loop go on.
pub fn next_tick(callback: impl FnOnce() + 'static) {
    // A thread on its way out has no next tick.
    reactor::with(|event_loop| event_loop.next_tick(Job::Call(Box::new(callback))));
}

fn set_timer(delay: Duration, after_call: AfterCall, callback: Box<dyn FnMut()>) -> Timeout {
    let delay = reactor::whole_ms(delay);
    let key = reactor::with(|event_loop| event_loop.set_timer(delay, after_call, callback));
    Timeout {
        key: key.unwrap_or(Key::RESERVED),
        _not_send: PhantomData,
    }
}

impl Timeout {
    /// Cancels the timer: its callback is not called any more, and is dropped.
    pub fn clear(&self) {
        reactor::with(|event_loop| event_loop.clear_timer(self.key));
    }

    /// Starts the timer anew, with its delay from now. Also in its own callback, to be called once
    /// more.
    pub fn refresh(&self) -> Timeout {
        reactor::with(|event_loop| event_loop.refresh(self.key));
        *self
    }

    /// Makes the timer keep the loop alive, as it does by default.
    pub fn ref_(&self) -> Timeout {
        reactor::with(|event_loop| event_loop.set_timer_referenced(self.key, true));
        *self
    }

    /// Lets the loop end before the timer fires.
    pub fn unref(&self) -> Timeout {
        reactor::with(|event_loop| event_loop.set_timer_referenced(self.key, false));
        *self
    }

    /// Whether the timer keeps the loop alive.
    pub fn has_ref(&self) -> bool {
        reactor::with(|event_loop| event_loop.timer_is_referenced(self.key))
            .flatten()
            .unwrap_or(false)
    }
}

impl Immediate {
    /// Cancels the immediate, also from one that is called before it in the same turn.
    pub fn clear(&self) {
        reactor::with(|event_loop| event_loop.clear_immediate(self.key));
    }

    /// Makes the immediate keep the loop alive, as it does by default.
    pub fn ref_(&self) -> Immediate {
        reactor::with(|event_loop| event_loop.set_immediate_referenced(self.key, true));
        *self
    }

    /// Lets the loop end before the immediate is called.
    pub fn unref(&self) -> Immediate {
        reactor::with(|event_loop| event_loop.set_immediate_referenced(self.key, false));
        *self
    }

    /// Whether the immediate keeps the loop alive.
    pub fn has_ref(&self) -> bool {
        reactor::with(|event_loop| event_loop.immediate_is_referenced(self.key))
            .flatten()
            .unwrap_or(false)
    }
}
