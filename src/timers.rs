//! Timers, immediates and ticks. Node's globals of those names.
//!
//! | function | when its callback is called |
//! |---|---|
//! | [`next_tick`] | when the current callback has returned, before anything else |
//! | [`set_immediate`] | after what is ready: in this turn of the loop, or the next (from a timer, a `Close` listener, another immediate) |
//! | [`set_timeout`], [`set_refreshable`], [`set_interval`] | in the first turn in which the time has come |
//!
//! What becomes of a timer when its callback has returned:
//!
//! | made by | callback | then |
//! |---|---|---|
//! | [`set_timeout`] | `FnOnce` | it is gone |
//! | [`set_refreshable`] | `FnMut` | it waits for [`Timeout::refresh`], until it is [cleared](Timeout::clear) |
//! | [`set_interval`] | `FnMut` | it is armed again, unless the callback returned [`Flow::Stop`](crate::Flow::Stop) |
//!
//! An `Err` that a callback returns is an uncaught exception: [`run`](crate::run) ends with it, or the
//! hook of [`on_unhandled_error`](crate::on_unhandled_error) gets it.
//!
//! Times are rounded up to whole milliseconds, and are at least one. (What is less than a microsecond
//! does not count: it comes of computing with floating point.)

use std::time::Duration;

use crate::StaysOnItsThread;
use crate::events::Outcome;
use crate::events::outcome::dropped;
use crate::reactor::{self, AfterCall, Job, Key, Once, Origin, TimerCall};

dropped!(Timeout, Immediate);

/// Names a timer. Copies name the same timer; once that is gone, they name nothing and their methods
/// do nothing. A timer of [`set_timeout`] is gone when it has fired, any when it was cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeout {
    key: Key,
    _not_send: StaysOnItsThread,
}

/// Names an immediate, as [`Timeout`] names a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Immediate {
    key: Key,
    _not_send: StaysOnItsThread,
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
#[doc(alias = "setTimeout")]
#[track_caller]
pub fn set_timeout<R: Outcome>(delay: Duration, callback: impl FnOnce() -> R + 'static) -> Timeout {
    let call = Once(|| callback().verdict());
    set_timer(delay, AfterCall::Removed, Box::new(call))
}

/// Calls `callback` with the timer after `delay`, and once more `delay` after each
/// [`refresh`](Timeout::refresh): a `setTimeout` of Node's, whose timer can be refreshed after it has fired.
/// It stays until it is [cleared](Timeout::clear), or until the callback returns
/// [`Flow::Stop`](crate::Flow::Stop), for nothing collects it.
///
/// ```
/// use soquete::timers;
/// use std::time::Duration;
///
/// # fn main() -> soquete::Result<()> {
/// let mut times = 0;
/// timers::set_refreshable(Duration::from_millis(5), move |timer| {
///     times += 1;
///     if times < 3 {
///         timer.refresh();
///     } else {
///         timer.clear();
///     }
/// });
/// soquete::run()
/// # }
/// ```
#[doc(alias = "setTimeout")]
#[track_caller]
pub fn set_refreshable<R: Outcome>(
    delay: Duration,
    mut callback: impl FnMut(Timeout) -> R + 'static,
) -> Timeout {
    let call = move |key: Key| callback(Timeout::of(key)).verdict();
    set_timer(delay, AfterCall::Kept, Box::new(call))
}

/// Calls `callback` again and again, `delay` after it was last called, or as soon after that as it
/// has returned; no more when it has returned [`Flow::Stop`](crate::Flow::Stop).
///
/// ```
/// use soquete::Flow;
/// use soquete::timers;
/// use std::time::Duration;
///
/// # fn main() -> soquete::Result<()> {
/// let mut left = 3;
/// timers::set_interval(Duration::from_millis(5), move || {
///     println!("{left}");
///     left -= 1;
///     if left > 0 { Flow::Continue } else { Flow::Stop }
/// });
/// soquete::run()
/// # }
/// ```
#[doc(alias = "setInterval")]
#[track_caller]
pub fn set_interval<R: Outcome>(
    delay: Duration,
    mut callback: impl FnMut() -> R + 'static,
) -> Timeout {
    let call = move |_: Key| callback().verdict();
    set_timer(delay, AfterCall::Armed, Box::new(call))
}

/// Calls `callback` after what is ready: in this turn of the loop, or in the next, if called by a timer, a
/// `Close` listener or another immediate.
#[doc(alias = "setImmediate")]
#[track_caller]
pub fn set_immediate<R: Outcome>(callback: impl FnOnce() -> R + 'static) -> Immediate {
    let callback = Box::new(|| reactor::heed(callback()));
    let origin = Origin::here();
    let key = reactor::with(|event_loop| event_loop.set_immediate(callback, origin));
    Immediate::of(key.unwrap_or(Key::RESERVED))
}

/// Calls `callback` when the current callback has returned, before the loop goes on. Ticks that a
/// tick queues are called, too, before anything else is: a tick that always queues another never
/// lets the loop go on.
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// soquete::timers::set_immediate(|| println!("second"));
/// soquete::timers::next_tick(|| println!("first"));
/// soquete::run()
/// # }
/// ```
#[doc(alias = "nextTick")]
pub fn next_tick<R: Outcome>(callback: impl FnOnce() -> R + 'static) {
    let callback = Box::new(|| reactor::heed(callback()));
    // A thread on its way out has no next tick.
    reactor::with(|event_loop| event_loop.next_tick(Job::Call(callback)));
}

#[track_caller]
fn set_timer(delay: Duration, after_call: AfterCall, callback: Box<dyn TimerCall>) -> Timeout {
    let (delay, origin) = (reactor::whole_ms(delay), Origin::here());
    let key = reactor::with(|event_loop| event_loop.set_timer(delay, after_call, callback, origin));
    Timeout::of(key.unwrap_or(Key::RESERVED))
}

impl Timeout {
    pub(crate) fn of(key: Key) -> Timeout {
        Timeout {
            key,
            _not_send: StaysOnItsThread::HERE,
        }
    }

    /// Cancels the timer: its callback is not called any more, and is dropped.
    #[doc(alias = "clearTimeout")]
    pub fn clear(&self) {
        reactor::with(|event_loop| event_loop.clear_timer(self.key));
    }

    /// Starts the timer anew, with its delay from now. Where it has fired already, only one of
    /// [`set_refreshable`] is still there to be started.
    pub fn refresh(&self) -> Timeout {
        reactor::with(|event_loop| event_loop.refresh(self.key));
        *self
    }

    /// Makes the timer keep the loop alive, as it does by default.
    #[doc(alias = "ref")]
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
    #[doc(alias = "hasRef")]
    pub fn has_ref(&self) -> bool {
        reactor::with(|event_loop| event_loop.timer_is_referenced(self.key))
            .flatten()
            .unwrap_or(false)
    }
}

impl Immediate {
    pub(crate) fn of(key: Key) -> Immediate {
        Immediate {
            key,
            _not_send: StaysOnItsThread::HERE,
        }
    }

    /// Cancels the immediate, also from one that is called before it in the same turn.
    #[doc(alias = "clearImmediate")]
    pub fn clear(&self) {
        reactor::with(|event_loop| event_loop.clear_immediate(self.key));
    }

    /// Makes the immediate keep the loop alive, as it does by default.
    #[doc(alias = "ref")]
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
    #[doc(alias = "hasRef")]
    pub fn has_ref(&self) -> bool {
        reactor::with(|event_loop| event_loop.immediate_is_referenced(self.key))
            .flatten()
            .unwrap_or(false)
    }
}
