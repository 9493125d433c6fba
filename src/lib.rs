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
//!         socket.on(event::Error, |error| println!("client lost: {error}"));
//!     });
//!     server.listen(3000);
//!     soquete::run()
//! }
//! ```
//!
//! # Four things to know
//!
//! * **An error that nobody listens to ends [`run`]**, which returns it, as an unhandled `'error'` ends a
//!   Node process. A peer that resets its connection is enough for one, so every socket needs an
//!   [`event::Error`] listener, accepted ones too. [`on_unhandled_error`] takes what has none.
//! * **Events are types.** `socket.on(event::Data, |chunk| …)`: the listener's parameter is what the
//!   event carries, and `server.on(event::Data, …)` does not compile. All of them are in [`event`].
//! * **Handles are `Copy`.** A [`net::Socket`] or [`net::Server`] names a socket or server that lives
//!   in the loop; a listener captures one by copying it. Once it has closed, the handle is stale and
//!   does nothing.
//! * **One loop per thread**, made on first use. [`run`] drives it until nothing is left that could
//!   still happen: no open server, no socket that reads or writes, no timer, no look-up or work that is
//!   under way. Other threads reach it by a [`channel`] or a [`Remote`], which keep it going, too.
//!
//! # What a listener returns
//!
//! Nothing, or whatever a method returned that it ends with: `move |_| server.close()`. A
//! [`Flow::Stop`] removes the listener. An `Err` destroys the connection, as a rejected `async` listener
//! does in Node, so that `?` is at home in a listener; see [`Outcome`](events::Outcome).
//!
//! ```
//! use soquete::{event, net};
//!
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     socket.on(event::Text, move |line| {
//!         let number: u32 = line.trim().parse()?;
//!         socket.write(format!("{}\n", number + 1));
//!         Ok(())
//!     })
//! });
//! # server.close();
//! ```
//!
//! # Sharing state
//!
//! A number that is captured is a copy: two `move` closures with `let mut n = 0` count each for itself.
//! State that several listeners share is a [`Cell`](std::cell::Cell) or a
//! [`RefCell`](std::cell::RefCell) in an `Rc`, or an *attachment*, which needs no `Rc` of the program's and
//! goes with the socket:
//!
//! ```
//! use soquete::{event, net};
//! use std::cell::RefCell;
//!
//! struct Client {
//!     nick: RefCell<String>,
//! }
//!
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     socket.attach(Client { nick: RefCell::new("nobody".into()) });
//!     socket.on(event::Text, move |nick| {
//!         let client = socket.attachment::<Client>()?;
//!         *client.nick.borrow_mut() = nick.trim().to_owned();
//!         Some(())
//!     });
//!     socket.on(event::Close, move |_| {
//!         let client = socket.attachment::<Client>()?;
//!         println!("{} has gone", client.nick.borrow());
//!         Some(())
//!     });
//! });
//! # server.close();
//! ```
//!
//! A borrow of a `RefCell` has to end before a call that runs listeners, which may want to borrow it, too.
//! These calls do, before they return; no other does:
//!
//! | call | runs |
//! |---|---|
//! | `pause` | the listeners of `Pause` |
//! | `pipe`; `unpipe`, `unpipe_all` | `Pipe`; `Pause`, `Unpipe` |
//! | `read`; `unshift` while the socket flows | `Data` |
//! | `emit`, `try_emit`; `abort` | those of the event; of `on_abort` |
//! | `connect` to a path, or of a bound socket to an IP address | `ConnectionAttempt` |
//! | `connect` with a `lookup` of one's own | that function; if it answers at once, `Lookup` and `ConnectionAttempt` |
//! | `end`, `destroy_soon` of a socket that never connected | `Prefinish` |
//! | adding a listener to an [`EventEmitter`](events::EventEmitter), and removing one | `NewListener`, `RemoveListener` |
//!
//! So `write`, `end`, `destroy`, `resume`, `close`, `listen`, `uncork`, `on` run none, however much follows
//! from them: it follows when the callback at hand has returned.
//!
//! # From other threads
//!
//! Handles stay on their thread. A [`channel`] brings messages of other threads to a listener, which may
//! hold sockets; [`remote`] brings closures; [`queue_work`] sends work away and its result back. A
//! [`BlockList`](net::BlockList), a [`BoundSocket`](net::BoundSocket) and a [`StdStream`](net::StdStream) may
//! go to other threads themselves.
//!
//! # Layers
//!
//! ```text
//!   stream     finished, pipeline
//!   net        sockets, servers, connecting       Node's vocabulary; joins what is below
//!   timers, dns, watch, signals
//!   ─────────────────────────────────────────────────────────────────────────────────────
//!   reactor    the turn and its phases, timers, the pool, posts    knows handles by a trait
//!   ─────────────────────────────────────────────────────────────────────────────────────
//!   kernel     sockets, names, files, the clock                    the operating system's, or simulated
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
//! | every `write` tries the system call at once | small writes of one callback go out together when it returns | one system call instead of many; `writable_length`, `end` and `destroy` flush first, so the difference shows only where the peer has gone (a `write` that would have returned false returns true, and pauses no pipe; `errored` and `writable` tell of the error, and its code is that of the one system call, once the callback has returned; where Node fails the second of two writes, both count as sent, and `Finish` may come), in small writes above a high-water mark of less than 64 KiB (they return true until so much waits), and in a callback that blocks or ends the process: what it has written is not sent before it returns |
//! | a chunk has at most 64 KiB | so it has, but for 512 KiB of a socket whose pipes can take more; and 512 KiB of one socket are read in a turn, where libuv reads 2 MiB | bulk through a pipe is a fifth to a third faster; the others wait less for a socket that is flooded |
//! | a server takes one connection per turn | up to 64 | the order within one connection is the same |
//! | what several sockets have to do in one turn has libuv's order | the order in which the poll names them; what they have written and how they have ended goes out as each callback returns | the order within one connection is the same |
//! | a socket can be asked things after `'close'` for ever | its state goes after `Close`; then `bytes_read` and the like are 0; `timeout` is `None` as soon as it is destroyed | handles are `Copy`, and nothing collects garbage |
//! | a socket or server that has closed can connect or listen again at any time | in its `Close` listener; later the handle is stale, and a warning is logged: make a new one | likewise |
//! | a socket that is never connected, or a server that never listens, is collected | it stays until it closes | likewise |
//! | `connect` right after `destroy`, or after a write that failed because there was no connection, begins before the old `'close'` | after it | one life after the other |
//! | `connect` in `'close'` takes over from the last life: a write that waited for its connection fails the new one, and a need for `'drain'` stays | a new life has nothing of the last one but its count of corks | a bug |
//! | a `write` of nothing is a system call, and fails where the peer has gone; behind another write it can be corked, and holds up the end | it makes none; the next one of a byte fails, and nothing is held up | there is nothing to send |
//! | up to 32 system calls write for a socket at one event | up to 512 KiB, then the others have their turn | one flood does not hold up the rest |
//! | `'close'` of a socket that never had a descriptor carries `undefined` | it carries whether there was an error | there is no `undefined` |
//! | `resetAndDestroy` right after `end` emits a synchronous error and never closes | resets and closes | a bug |
//! | in `'connectionAttemptFailed'` of an only address, `connecting` is false and `readyState` may be `'open'` | the socket still connects | it is not open |
//! | `destroy` in a `'connectionAttempt'` listener throws a `TypeError` | nothing follows but `Close` | a bug |
//! | `end` before the socket connects, or while an address is tried that fails and others follow, is forgotten: the socket connects and can be written to | it ends once it is connected | a bug |
//! | `localAddress` and its like, asked before the attempt to connect begins, stay `undefined` until the connection is up | they are what the system says each time | a bug |
//! | in `'connectionAttemptFailed'`, `localAddress` is that of the attempt that failed | `None` | the attempt is over |
//! | `remoteAddress` and its like are `undefined` once the connection is shut down both ways or was reset, unless they were asked for before | they are known until `Close` | accept(2) and the attempt have told them |
//! | each `close` of a server that has closed, or is about to, emits `'close'` | it is emitted once, until the server listens again; the callbacks are called all the same | once is what a listener counts on |
//! | `end(callback)` on a socket that was destroyed without an error never calls back | `ERR_STREAM_DESTROYED` | a bug |
//! | `bytesWritten` of a destroyed socket counts a write in full that was cut off | counts what the kernel took | it can be relied on |
//! | `writableLength` in the callback of a write that was cancelled counts those behind it | those that would have gone out by the same system call are gone with it | they go together |
//! | `bytesWritten` after a write on a socket that is not even connecting counts it until the socket is destroyed | 0 | nothing was sent |
//! | `isPaused()` of a socket that was resumed in a listener of `'pause'` is true, though it flows | false | a bug |
//! | a socket that is written to in a listener of `'prefinish'` emits `'finish'` after `'close'` | nothing after `Close` | once closed, always closed |
//! | a listener of `'data'` that was prepended does not make chunks go to it at once, and one of `'readable'` hears of chunks that are thrown away | a listener is one, wherever it stands in the list; nobody hears of what is thrown away | no surprise |
//! | a source that is destroyed stays piped: its destination keeps the pipe's listeners, and gets `'unpipe'` when it closes | the destination forgets it, and is told nothing | a destination that outlives its sources does not fill up |
//! | `stream.finished` takes a side for done that was told to end with nothing queued, or whose peer has ended with nothing kept: before `'finish'` or `'end'`, and if neither comes since the socket is destroyed | waits for the event, and so does `pipeline`; `ERR_STREAM_PREMATURE_CLOSE` | it has not finished |
//! | `stream.pipeline` whose source is destroyed when its peer has ended and data is kept never calls back | `ERR_STREAM_PREMATURE_CLOSE` | a bug |
//! | `onread` is for sockets that connect | accepted sockets can have it, and share the buffer | one buffer for a whole server |
//! | an empty list of addresses from a lookup throws inside the callback | is ENOTFOUND | a bug |
//! | a signal that was aborted before lets `net.connect` connect all the same | the socket does not connect | a bug |
//! | no error of a socket with a signal is unhandled: a listener of Node's own hears it | the `ABORT_ERR` is not, the others are | an error that nobody asked for is not to be lost |
//! | `connect` on an open connection tries again, and may emit `'connect'` a second time | the socket is destroyed with `EISCONN` | two connects of one socket are a mistake |
//! | without selection of the family, `'lookup'` is emitted even after `'close'` | nothing is, after `Close` | once closed, always closed |
//! | a lookup can answer with what is no address (`ERR_INVALID_IP_ADDRESS`, `ERR_INVALID_ADDRESS_FAMILY`), or with a zone (`fe80::1%eth0`) | it answers with `IpAddr`s, which have no zone; an address with a zone that is connected to or listened on keeps it | the types |
//! | text can come and go in any encoding, and `readableLength` counts UTF-16 units of it | in UTF-8; bytes; `Data` follows each `Text` | the types |
//! | a listener that throws ends, besides the list it is in, what was to follow it: `'ready'` after `'connect'`, the reading of the socket, the callbacks of the writes behind, `'finish'` after the callback of `end` | its panic ends the list and the run; what was to follow comes in the next run, and of several panics and unheard errors each run ends with one | nothing is lost |
//! | `removeAllListeners('data')` and then `('readable')` of a paused socket: it resumes, and what comes is thrown away | it does not resume, as after `removeListener`; what comes is kept | a bug |
//! | of ill-formed UTF-8 in pieces, U+FFFD comes when as many bytes are there as the first announced, and there may be several | one comes as soon as it is certain, wherever the pieces were cut; `Data` after such a `Text` carries the text's bytes, U+FFFD included | the text does not depend on how TCP cuts it |
//! | `emit('error')` without a listener throws | returns false; an error of the crate's own that nobody listens to ends [`run`] | an emitter knows no special event |
//! | an exception in a listener ends what called it: no `'ready'` after a `'connect'`, no `'error'` after a write's callback that threw; and the ticks that are queued wait for the next immediates | what is due follows, in its order, in the next run | one fault does not make others |
//! | the message of an `AggregateError` is empty | those of its errors | it says something |
//! | a failed `accept` is an `'error'` of the server | is logged, and tried again after 100 ms; an `Error` only where the descriptor does not listen any more | it would end [`run`] for what passes |
//! | a peer that has reset its connection before it is accepted passes a block list | the list is asked for the address that came with the connection, and refuses one without an address | a list that can be passed is none |
//! | `remoteAddress` of a peer that has reset the connection is `undefined`, and in `'drop'`, too | known | accept and connect have told it |
//! | a write for which the kernel has no memory (`ENOMEM`) destroys the socket | it is made again after 20 ms, as one that finds no buffers (`ENOBUFS`) | it passes |
//! | a name is turned into Punycode before it is looked up | it is given to the resolver as it is | the resolver's business |
//! | a link-local address without a zone is tried on the first interface that has one | is `EINVAL` | a guess |
//! | the file of an IPC server is removed when it closes, whoever has made it | only if it is still the one that this server has made | it would be somebody else's |
//! | `address()` of a server on an adopted IPC descriptor is null | its path | it has one |
//! | `address()` of an IPC server that has closed is its path | `None` | it does not listen |
//! | `exclusive`, `dropMaxConnection` | not there | of clusters |
//! | a rejected `async` listener destroys its emitter where `captureRejections` is set, and is an uncaught exception otherwise | an `Err` of a listener destroys its socket, or is the server's `Error` event | one peer's nonsense does not stop a server |
//! | a timer that has fired can be refreshed, whichever it is | one of [`set_refreshable`](timers::set_refreshable); one of `set_timeout` is gone | its callback is a `FnOnce`: it takes what is moved into it |
//! | text that is no number is a path | so it is, unless it is `host:port` without a slash | `"localhost:3000"` is no file |
//! | `address()` of an IPC socket is `{}` | `None` | likewise of one that is not connected |
//! | the reason of `AbortSignal.timeout` is a `DOMException` | an [`Error`] with the code `ABORT_TIMEOUT` | there is no DOM |
//! | misuse that throws (`listen` twice, a bad `localAddress`) | an `Error` event on the next tick, or an error for the callback; an `Err` where the method returns a `Result`. A socket that is destroyed before that tick has no `Error` any more | the calls chain; nothing panics; whoever destroys a socket has finished with it |
//! | `autoSelectFamilyAttemptTimeout` of 0, or of more than 2³¹−1 ms, throws | 0 is the least, 10 ms, as 1 to 9 ms are in Node; any longer `Duration` is taken | nothing to throw for |
//! | an emit that comes back into a listener that is running enters it again | an event that a socket emits waits until the listener has returned; in an `emit` of yours the running listener is skipped | a `FnMut` cannot be entered twice |
//! | `addAddress('::1')` of a block list and `new SocketAddress({address: '::1'})` mean IPv4 unless told otherwise, and fail | an unstated family is read off the text: colons are IPv6 | no surprise; with a stated family the answers are Node's |
//! | `SocketAddress.parse` takes digits of other scripts (`１.２.３.４`), as the host names of URLs are mapped | they are no address | only ASCII is meant |
//! | `rules` of a block list has its addresses in the order of a hash table | the newest first | the same each time |
//! | `err.errno` is negative, libuv's; `port` of a failed `listen` on a path is −1 | as in C, positive; `None` | as `io::Error`; there is no port |
//! | `new net.Socket({ fd })` takes a FIFO | `ERR_INVALID_FD_TYPE`, as for files and terminals | it is one half of no connection |
//! | `SocketAddress.parse('1.2.3.4:80')` loses the port; `addCIDRs` and `fromJSON` keep what came before a mistake | it stays 80; all or nothing | bugs |
//! | a zone (`%eth0`) after an IPv6 address of 40 characters or more makes another address of it; a flow label of more than 20 bits aborts the process | cut off correctly; an error | bugs |
//! | `setTimeout` truncates to whole ms; more than 2³¹−1 ms is 1 ms | rounds up to whole ms (a part below a microsecond is ignored); any `Duration` for a timer, at most 2³¹−1 ms for a socket's | no surprise |
//! | `monitorEventLoopDelay` has the resolution in its figures, in nanoseconds | the delay alone, as a [`Duration`] | it is what is asked |
//! | each look-up asks the resolver | those of one name at a time ask once | they get the same answer |
//! | threads of the pool are the process's, as many as `UV_THREADPOOL_SIZE` says | each loop's own, as many as [`set_pool_size`] says | loops share nothing |
//! | `'newListener'` and `'removeListener'` of sockets and servers, `listenerCount(event, fn)`, `readableDidRead`, marks for reading and writing apart, `readableAborted`, `bufferSize`, async iteration, `diagnostics_channel`, options of `finished` and `pipeline` such as `signal`, streams that are no sockets | not there | promises, hooks and other streams are Node's |
//!
//! # Platforms
//!
//! | | |
//! |---|---|
//! | Linux on x86-64 | where the crate is developed, tested and measured |
//! | Linux on aarch64, Android, macOS, FreeBSD, NetBSD, illumos | type-checked with each change, never run: meant to work |
//! | Windows, and what else is not Unix | does not compile: a short read or write is taken to mean that the next one would block |
//! | pointers of 32 bits | do not compile: a key of 64 bits goes through the poll's tokens |
//!
//! # Logging
//!
//! By the `log` crate, with one target per layer: `soquete::events`, `soquete::reactor`,
//! `soquete::net`. What becomes of servers and connections is told at `debug` (a server listens, a connection came,
//! is up, has closed and why) and `trace` (attempts, ends), as `NODE_DEBUG=net` tells it in Node; where those levels
//! are off, it costs a comparison for each line, and there are none per message.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `signals` | callbacks for signals, on `signal-hook`: `signals::on` |
//! | `ipc` | paths of 108 bytes, and one read per message instead of two over IPC, on `rustix` |
//! | `sim` | simulated worlds, in which a test runs a whole program in virtual time |
//! | `fuzzing` | `fuzzing`, for the fuzz targets of formats of your own |

#![forbid(unsafe_code)]
#![deny(
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unused_must_use
)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("soquete keeps 64-bit keys in the poll's tokens, which are as wide as a pointer");

#[cfg(not(unix))]
compile_error!(
    "soquete supports Unix only: it takes a short read or write to mean that the next one would \
     block, which Windows does not promise"
);

mod address;
mod delay;
pub mod dns;
mod error;
pub mod event;
pub mod events;
pub mod framing;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub mod fuzzing;
mod kernel;
mod machine;
pub mod net;
mod reactor;
mod resources;
#[cfg(feature = "signals")]
pub mod signals;
#[cfg(feature = "sim")]
pub mod sim;

mod spare;
pub mod stream;
mod thread_bound;
pub mod timers;
mod watch;

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

pub use delay::{DelayMonitor, monitor_event_loop_delay};
pub use error::{Error, Result};
#[doc(inline)]
pub use framing::Flow;
pub use reactor::{Interest, Metrics, Remote, Sender, Utilization};
pub use resources::{Resource, ResourceKind, active_resources};
use thread_bound::StaysOnItsThread;
pub use watch::{Readiness, Watch, watch};

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

/// A way for other threads to send messages to a listener of this thread's, which keeps what it needs,
/// sockets included: of the listener nothing has to be `Send`, only the messages. Node's
/// `MessageChannel`.
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
/// let worker = std::thread::spawn(move || (0..1000).try_for_each(|number| sender.send(number)));
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
pub fn set_pool_size(threads: usize) {
    reactor::with(|event_loop| event_loop.set_pool_size(threads));
}

/// Calls `hook` with each error that no listener of [`event::Error`] took, and lets the loop go on.
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
/// soquete::on_slow_callback(Duration::from_millis(50), |took| eprintln!("a callback took {took:?}"));
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
pub fn backend_fd() -> Result<std::os::fd::RawFd> {
    reactor::with(|event_loop| event_loop.backend_fd())
        .unwrap_or_else(|| Err(error::node::loop_closed()))
}

/// How long [`run_once`] could wait at this moment if no event came: zero when something is due, `None` for as long as
/// there is no event. libuv's `uv_backend_timeout`.
pub fn backend_timeout() -> Option<Duration> {
    reactor::with(|event_loop| event_loop.backend_timeout()).unwrap_or(Some(Duration::ZERO))
}

/// Whether anything keeps this thread's loop alive, so that [`run`] would go on. libuv's `uv_loop_alive`; what it is
/// is told by [`active_resources`].
pub fn is_alive() -> bool {
    reactor::with(|event_loop| event_loop.keeps_going()).unwrap_or(false)
}

/// What this thread's loop has done so far, and what is open.
pub fn metrics() -> Metrics {
    reactor::with(|event_loop| event_loop.metrics()).unwrap_or_default()
}
