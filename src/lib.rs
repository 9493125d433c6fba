//! Node's `net` in Rust: TCP and IPC sockets and servers with Node's events, methods and order of
//! events, on a single-threaded event loop.
//!
//! ```no_run
//! use soquete::{event, net};
//!
//! fn main() -> soquete::Result<()> {
//!     let server = net::create_server(|socket| {
//!         socket.on(event::Data, move |chunk| {
//!             socket.write(chunk);
//!         });
//!         socket.on(event::End, |()| println!("client gone"));
//!     });
//!     server.listen(3000);
//!     soquete::run()
//! }
//! ```
//!
//! # Three things to know
//!
//! * **Events are types.** `socket.on(event::Data, |chunk| …)`: the listener's parameter is what the
//!   event carries, and `server.on(event::Data, …)` does not compile. All of them are in [`event`].
//! * **Handles are `Copy`.** A [`net::Socket`] or [`net::Server`] names a socket or server that lives
//!   in the loop; a listener captures one by copying it. Once it has closed, the handle is stale and
//!   does nothing.
//! * **One loop per thread**, made on first use. [`run`] drives it until nothing is left that could
//!   still happen: no open server, no socket that reads or writes, no timer, no look-up or work that is
//!   under way. Other threads reach it by a [`Remote`] only, which keeps it going, too.
//!
//! # Layers
//!
//! ```text
//!   stream     finished, pipeline
//!   net        sockets, servers, connecting       Node's vocabulary; joins what is below
//!   timers, dns
//!   ─────────────────────────────────────────────────────────────────────────────────────
//!   reactor    the turn and its phases, timers, the pool, posts    knows handles by a trait
//!   ─────────────────────────────────────────────────────────────────────────────────────
//!   machine    the life of a socket: one state machine             pure: no I/O of their own
//!   events     the emitter
//!   framing    frames of bytes
//!   address    IP addresses and block lists
//!   error
//! ```
//!
//! Imports point downwards.
//!
//! # Where this differs from Node
//!
//! | Node | here | why |
//! |---|---|---|
//! | every `write` tries the system call at once | small writes of one callback go out together when it returns | one system call instead of many; `writable_length`, `end` and `destroy` flush first, so the difference shows only in a `write` that would have returned false for a broken pipe (it returns true, and the error follows), in small writes above a high-water mark of less than 64 KiB (they return true until so much waits), and in a callback that blocks or ends the process: what it has written is not sent before it returns |
//! | a chunk has at most 64 KiB | so it has, but for 512 KiB of a socket whose pipes can take more; and 512 KiB of one socket are read in a turn, where libuv reads 2 MiB | bulk through a pipe is a fifth to a third faster; the others wait less for a socket that is flooded |
//! | a server takes one connection per turn | up to 64 | the order within one connection is the same |
//! | a socket can be asked things after `'close'` for ever | its state goes after `Close`; then `bytes_read` and the like are 0; `timeout` is `None` as soon as it is destroyed | handles are `Copy`, and nothing collects garbage |
//! | a socket or server that has closed can connect or listen again at any time | in its `Close` listener; later the handle is stale, and a warning is logged: make a new one | likewise |
//! | a socket that is never connected, or a server that never listens, is collected | it stays until it closes | likewise |
//! | `connect` right after `destroy` begins before the old `'close'` | after it | one life after the other |
//! | `'close'` of a socket that never had a descriptor carries `undefined` | it carries whether there was an error | there is no `undefined` |
//! | `resetAndDestroy` right after `end` emits a synchronous error and never closes | resets and closes | a bug |
//! | in `'connectionAttemptFailed'` of an only address, `connecting` is false and `readyState` may be `'open'` | the socket still connects | it is not open |
//! | `destroy` in a `'connectionAttempt'` listener throws a `TypeError` | nothing follows but `Close` | a bug |
//! | each `close` of a server that has closed, or is about to, emits `'close'` | it is emitted once, until the server listens again; the callbacks are called all the same | once is what a listener counts on |
//! | `end(callback)` on a socket that was destroyed without an error never calls back | `ERR_STREAM_DESTROYED` | a bug |
//! | `bytesWritten` of a destroyed socket counts a write in full that was cut off | counts what the kernel took | it can be relied on |
//! | a source that is destroyed stays piped: its destination keeps the pipe's listeners, and gets `'unpipe'` when it closes | the destination forgets it, and is told nothing | a destination that outlives its sources does not fill up |
//! | `stream.finished` of a socket that was destroyed between `end` and `'finish'`, with nothing queued, is content with the writing side | `ERR_STREAM_PREMATURE_CLOSE` | it has not finished |
//! | `onread` is for sockets that connect | accepted sockets can have it, and share the buffer | one buffer for a whole server |
//! | an empty list of addresses from a lookup throws inside the callback | is ENOTFOUND | a bug |
//! | a signal that was aborted before lets `net.connect` connect all the same | the socket does not connect | a bug |
//! | `connect` on an open connection tries again, and may emit `'connect'` a second time | the socket is destroyed with `EISCONN` | two connects of one socket are a mistake |
//! | without selection of the family, `'lookup'` is emitted even after `'close'` | nothing is, after `Close` | once closed, always closed |
//! | a lookup can answer with what is no address (`ERR_INVALID_IP_ADDRESS`, `ERR_INVALID_ADDRESS_FAMILY`) | it answers with `IpAddr`s | the types |
//! | text can come and go in any encoding, and `readableLength` counts UTF-16 units of it | in UTF-8; bytes; `Data` follows each `Text` | the types |
//! | a listener that throws ends, besides the list it is in, what was to follow it: `'ready'` after `'connect'`, the reading of the socket, the callbacks of the writes behind, `'finish'` after the callback of `end` | its panic ends the list and the run; what was to follow comes in the next run, and of several panics and unheard errors each run ends with one | nothing is lost |
//! | `removeAllListeners('data')` and then `('readable')` of a paused socket: it resumes, and what comes is thrown away | it does not resume, as after `removeListener`; what comes is kept | a bug |
//! | of ill-formed UTF-8 in pieces, U+FFFD comes when as many bytes are there as the first announced, and there may be several | one comes as soon as it is certain, wherever the pieces were cut; `Data` after such a `Text` carries the text's bytes, U+FFFD included | the text does not depend on how TCP cuts it |
//! | `emit('error')` without a listener throws | returns false; an error of the crate's own that nobody listens to ends [`run`] | an emitter knows no special event |
//! | the message of an `AggregateError` is empty | those of its errors | it says something |
//! | a failed `accept` is an `'error'` of the server | is logged, and tried again after 100 ms | it would end [`run`] for what passes |
//! | a name is turned into Punycode before it is looked up | it is given to the resolver as it is | the resolver's business |
//! | a link-local address without a zone is tried on the first interface that has one | is `EINVAL` | a guess |
//! | the file of an IPC server is removed when it closes, whoever has made it | only if it is still the one that this server has made | it would be somebody else's |
//! | `address()` of a server on an adopted IPC descriptor is null | its path | it has one |
//! | `exclusive`, `dropMaxConnection` | do nothing | of clusters |
//! | misuse that throws (`listen` twice, a bad `localAddress`) | an `Error` event on the next tick, or an error for the callback; an `Err` where the method returns a `Result` | the calls chain; nothing panics |
//! | an emit that comes back into a listener that is running enters it again | an event that a socket emits waits until the listener has returned; in an `emit` of yours the running listener is skipped | a `FnMut` cannot be entered twice |
//! | `addAddress('::1')` of a block list and `new SocketAddress({address: '::1'})` mean IPv4 unless told otherwise, and fail | an unstated family is read off the text: colons are IPv6 | no surprise; with a stated family the answers are Node's |
//! | `SocketAddress.parse('1.2.3.4:80')` loses the port; `addCIDRs` and `fromJSON` keep what came before a mistake | it stays 80; all or nothing | bugs |
//! | a zone (`%eth0`) after an IPv6 address of 40 characters or more makes another address of it; a flow label of more than 20 bits aborts the process | cut off correctly; an error | bugs |
//! | `setTimeout` truncates to whole ms; more than 2³¹−1 ms is 1 ms | rounds up to whole ms (a part below a microsecond is ignored); any `Duration` for a timer, at most 2³¹−1 ms for a socket's | no surprise |
//! | threads of the pool are the process's, as many as `UV_THREADPOOL_SIZE` says | each loop's own, as many as [`set_pool_size`] says | loops share nothing |
//! | `'newListener'` of sockets and servers, marks for reading and writing apart, `closed`, `readableAborted`, `readableDidRead`, `bufferSize`, async iteration, `diagnostics_channel`, options of `finished` and `pipeline` such as `signal`, streams that are no sockets | not there | promises, hooks and other streams are Node's |
//!
//! # Platforms
//!
//! Developed, tested and measured on Linux, on 64 bits. Other Unix systems are meant to work and are not
//! tried. On Windows the loop would wait for events that do not come, since it takes a short read or
//! write to mean that there is no more to be had: the crate does not support it yet. Other widths than 64
//! bits do not compile.
//!
//! # Logging
//!
//! By the `log` crate, with one target per layer: `soquete::events`, `soquete::reactor`,
//! `soquete::net`.

#![forbid(unsafe_code)]
#![deny(missing_docs, unreachable_pub, unused_must_use)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("soquete keeps 64-bit keys in the poll's tokens, which are as wide as a pointer");

mod address;
pub mod dns;
mod error;
pub mod event;
pub mod events;
pub mod framing;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub mod fuzzing;
mod machine;
pub mod net;
mod reactor;
pub mod stream;
pub mod timers;

use std::rc::Rc;
use std::time::Duration;

pub use error::{Error, Result};
pub use reactor::{Metrics, Remote};

/// Runs this thread's loop until nothing keeps it alive, or [`stop`] is called.
///
/// # Errors
///
/// An [`event::Error`] that nobody listened to, unless [`on_unhandled_error`] was set (Node's
/// uncaught exception); `ERR_LOOP_ALREADY_RUNNING` from inside a listener; an error of the poll
/// itself. The loop can be run again after any of them, and goes on where it was. A panic in a
/// listener leaves through `run`, and so it is then, too; likewise one in a destructor of what a listener
/// has captured. Once there is a reason to end, nothing of yours is called until the next run; of several
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
pub fn remote() -> Result<Remote> {
    reactor::with(|event_loop| event_loop.remote())
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
pub fn queue_work<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    done: impl FnOnce(T) + 'static,
) -> Result<()> {
    reactor::with(|event_loop| event_loop.queue_work(work, done))
        .unwrap_or_else(|| Err(error::node::loop_closed()))
}

/// Sets how many threads the loop's pool may have; 4 at first, at least 1. They are started as they
/// are needed. Name look-ups use the same pool.
pub fn set_pool_size(threads: usize) {
    reactor::with(|event_loop| event_loop.set_pool_size(threads));
}

/// Calls `hook` with each error that no listener of [`event::Error`] took, and lets the loop go on.
/// Node's `uncaughtException`. `None` restores the default: [`run`] ends with the error.
///
/// ```
/// soquete::on_unhandled_error(Some(|error| eprintln!("ignored: {error}")));
/// soquete::on_unhandled_error(None::<fn(soquete::Error)>);
/// ```
pub fn on_unhandled_error<F: Fn(Error) + 'static>(hook: Option<F>) {
    let hook = hook.map(|hook| Rc::new(hook) as Rc<dyn Fn(Error)>);
    reactor::with(|event_loop| event_loop.on_unhandled_error(hook));
}

/// What this thread's loop has done so far, and what is open.
pub fn metrics() -> Metrics {
    reactor::with(|event_loop| event_loop.metrics()).unwrap_or_default()
}
