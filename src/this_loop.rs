//! This thread's loop, by free functions: they are the crate's, whose users see no loop.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use crate::error::{self, Error, Result};
use crate::events;
use crate::reactor::{self, Metrics, Remote, Sender, Utilization};

/// Runs this thread's loop until nothing keeps it alive, or [`stop`] is called.
///
/// # Errors
///
/// An [`event::Error`](crate::event::Error) that nobody listened to, unless [`on_unhandled_error`] was set (Node's
/// uncaught exception); `ERR_LOOP_ALREADY_RUNNING` from inside a listener; an error of the poll
/// itself. The loop can be run again after any of them, and goes on where it was. A panic in a
/// listener, or in a destructor of a value that it captured, leaves through `run`. The loop can be run again after
/// that as well. Once there is a reason to end, nothing of yours is called until the next run; of several
/// reasons each run ends with one.
pub fn run() -> Result<()> {
    reactor::with(|event_loop| event_loop.run()).unwrap_or(Ok(()))
}

/// Runs one turn of the loop, which waits for events if there is nothing else to do. Does nothing where
/// nothing keeps the loop alive.
///
/// # Errors
///
/// As [`run`].
pub fn run_once() -> Result<()> {
    reactor::with(|event_loop| event_loop.run_once()).unwrap_or(Ok(()))
}

/// Runs one turn of the loop without waiting. Does nothing where nothing keeps the loop alive.
///
/// # Errors
///
/// As [`run`].
pub fn run_nowait() -> Result<()> {
    reactor::with(|event_loop| event_loop.run_nowait()).unwrap_or(Ok(()))
}

/// Makes [`run`] return at the end of this turn, or, if it does not run, the next run return at once. What
/// is open stays open.
pub fn stop() {
    reactor::with(|event_loop| event_loop.stop());
}

/// The loop's time in whole milliseconds: how long ago it was made, as of the last poll, the last time
/// that timers were due, or the last timer or timeout of a socket that was set or put off, whichever is
/// the latest.
pub fn now() -> Duration {
    Duration::from_millis(reactor::with(|event_loop| event_loop.now()).unwrap_or(0))
}

/// A way into this thread's loop from other threads.
///
/// # Errors
///
/// The operating system's, where there is no descriptor left to wake the loop by; `ERR_LOOP_CLOSED` on a
/// thread on its way out.
#[doc(alias = "uv_async_t")]
pub fn remote() -> Result<Remote> {
    reactor::with(|event_loop| event_loop.remote())
        .unwrap_or_else(|| Err(error::node::loop_closed()))
}

/// A way for other threads to send messages to a listener of this thread's. Only the messages have to be `Send`; the
/// listener may hold sockets. Node's `MessageChannel`.
///
/// The queue has no limit: a sender that is faster than the loop fills memory. See [`channel_with`].
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// let sender = soquete::channel(|line: String| println!("{line}"))?;
/// let worker = std::thread::spawn(move || sender.send("from another thread".to_owned()));
/// soquete::run()?;
/// worker.join().unwrap()
/// # }
/// ```
///
/// # Errors
///
/// As [`remote`].
#[doc(alias = "postMessage")]
#[doc(alias = "MessageChannel")]
pub fn channel<T: Send + 'static, R: events::Outcome>(
    listener: impl FnMut(T) -> R + 'static,
) -> Result<Sender<T>> {
    open_channel(None, listener)
}

/// As [`channel`], for at most `limit` messages that wait (at least one): a sender that finds so many waits
/// until the listener has taken one.
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// let sender = soquete::channel_with(16, |number: u32| println!("{number}"))?;
/// let count = move || (0..1000).try_for_each(|number| sender.send(number));
/// let worker = std::thread::spawn(count);
/// soquete::run()?;
/// worker.join().unwrap()
/// # }
/// ```
///
/// # Errors
///
/// As [`remote`].
pub fn channel_with<T: Send + 'static, R: events::Outcome>(
    limit: usize,
    listener: impl FnMut(T) -> R + 'static,
) -> Result<Sender<T>> {
    let limit = NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN);
    open_channel(Some(limit), listener)
}

fn open_channel<T: Send + 'static, R: events::Outcome>(
    limit: Option<NonZeroUsize>,
    listener: impl FnMut(T) -> R + 'static,
) -> Result<Sender<T>> {
    reactor::with(|event_loop| event_loop.channel(limit, listener))
        .unwrap_or_else(|| Err(error::node::loop_closed()))
}

/// Runs `work` on a thread of the loop's pool, then `done` on this thread with its result. A panic of
/// `work` comes out of [`run`].
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// soquete::queue_work(|| (1..=20u64).product::<u64>(), |product| println!("{product}"))?;
/// soquete::run()
/// # }
/// ```
///
/// # Errors
///
/// As [`remote`].
#[doc(alias = "worker_threads")]
#[track_caller]
pub fn queue_work<T: Send + 'static, R: events::Outcome>(
    work: impl FnOnce() -> T + Send + 'static,
    done: impl FnOnce(T) -> R + 'static,
) -> Result<()> {
    let origin = reactor::Origin::here();
    reactor::with(|event_loop| event_loop.queue_work(reactor::Lane::Work, work, done, origin))
        .unwrap_or_else(|| Err(error::node::loop_closed()))
}

/// Sets how many threads the loop's pool may have; 4 at first, at least 1. They are started as they
/// are needed. Name look-ups use the same pool.
#[doc(alias = "UV_THREADPOOL_SIZE")]
pub fn set_pool_size(threads: usize) {
    reactor::with(|event_loop| event_loop.set_pool_size(threads));
}

/// Calls `hook` with each error that no listener of [`event::Error`](crate::event::Error) took, and lets the loop go on.
/// Node's `uncaughtException`. [`off_unhandled_error`] takes it back.
///
/// ```
/// soquete::on_unhandled_error(|error| eprintln!("ignored: {error}"));
/// soquete::off_unhandled_error();
/// ```
#[doc(alias = "uncaughtException")]
pub fn on_unhandled_error(hook: impl Fn(Error) + 'static) {
    reactor::with(|event_loop| event_loop.on_unhandled_error(Some(Rc::new(hook))));
}

/// Restores the default: [`run`] ends with an error that nobody takes.
#[doc(alias = "uncaughtException")]
pub fn off_unhandled_error() {
    reactor::with(|event_loop| event_loop.on_unhandled_error(None));
}

/// How long this thread's loop has waited for events and how long it has worked, in all runs so far. Node's
/// `performance.eventLoopUtilization()`.
///
/// In a loop that is driven by [`run_nowait`] others do the waiting, of which this knows nothing.
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// let before = soquete::event_loop_utilization();
/// soquete::timers::set_timeout(std::time::Duration::from_millis(20), || {});
/// soquete::run()?;
/// let since = soquete::event_loop_utilization().since(&before);
/// println!("busy for {:.0} % of {:?}", since.ratio() * 100.0, since.idle + since.active);
/// # assert!(since.ratio() < 1.0);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "eventLoopUtilization")]
pub fn event_loop_utilization() -> Utilization {
    reactor::with(|event_loop| event_loop.utilization()).unwrap_or_default()
}

/// Calls `hook` after each callback of this thread's that took at least `threshold`, with how long it took: whatever
/// else was due had to wait for so long. Callbacks that a callback brings about before it returns are part of it.
/// There is one hook; it is called in runs of the loop only, and not for a callback that has panicked.
///
/// ```
/// use std::time::Duration;
///
/// let threshold = Duration::from_millis(50);
/// soquete::on_slow_callback(threshold, |took| eprintln!("a callback took {took:?}"));
/// soquete::off_slow_callback();
/// ```
pub fn on_slow_callback(threshold: Duration, hook: impl Fn(Duration) + 'static) {
    reactor::with(|event_loop| event_loop.on_slow_callback(threshold, Some(Rc::new(hook))));
}

/// Takes [`on_slow_callback`] back. Without a hook, no callback is timed.
pub fn off_slow_callback() {
    reactor::with(|event_loop| event_loop.on_slow_callback(Duration::ZERO, None));
}

/// The descriptor that becomes readable when this thread's loop has events, for a loop of somebody else's that
/// drives this one: it waits for that descriptor, for [`backend_timeout`] at most, and calls [`run_nowait`]. libuv's
/// `uv_backend_fd`.
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// # soquete::timers::set_timeout(std::time::Duration::from_millis(5), || println!("called"));
/// let descriptor = soquete::backend_fd()?;
/// while soquete::is_alive() {
///     // Here the other loop would wait for its own events besides.
///     wait_until_readable(descriptor, soquete::backend_timeout());
///     soquete::run_nowait()?;
/// }
/// # Ok(())
/// # }
/// # fn wait_until_readable(_: std::os::fd::RawFd, most: Option<std::time::Duration>) {
/// #     std::thread::sleep(most.unwrap_or_default());
/// # }
/// ```
///
/// # Errors
///
/// The operating system's, where there is no descriptor left; `ERR_LOOP_CLOSED` on a thread on its way out.
#[doc(alias = "uv_backend_fd")]
pub fn backend_fd() -> Result<std::os::fd::RawFd> {
    reactor::with(|event_loop| event_loop.backend_fd())
        .unwrap_or_else(|| Err(error::node::loop_closed()))
}

/// How long [`run_once`] could wait at this moment if no event came: zero when something is due, `None` for as long as
/// there is no event. libuv's `uv_backend_timeout`.
#[doc(alias = "uv_backend_timeout")]
pub fn backend_timeout() -> Option<Duration> {
    reactor::with(|event_loop| event_loop.backend_timeout()).unwrap_or(Some(Duration::ZERO))
}

/// Whether anything keeps this thread's loop alive, so that [`run`] would go on. libuv's `uv_loop_alive`; what it is
/// is told by [`active_resources`](crate::active_resources).
#[doc(alias = "uv_loop_alive")]
pub fn is_alive() -> bool {
    reactor::with(|event_loop| event_loop.keeps_going()).unwrap_or(false)
}

/// What this thread's loop has done so far, and what is open.
pub fn metrics() -> Metrics {
    reactor::with(|event_loop| event_loop.metrics()).unwrap_or_default()
}
