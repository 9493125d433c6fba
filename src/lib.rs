//! Node's `net` in Rust: TCP and IPC sockets and servers with Node's events, methods and order of
//! events, on a single-threaded event loop.
//!
//! ```no_run
//! use soquete::{event, net};
//!
//! fn main() -> soquete::Result<()> {
//!     let server = net::create_server(|socket| {
//!         socket.on(event::Data, move |chunk| socket.write(chunk));
//!         socket.on(event::End, |()| println!("client gone"));
//!         socket.on(event::Error, |error| println!("client lost: {error}"));
//!     });
//!     server.listen(3000);
//!     soquete::run()
//! }
//! ```
//!
//! # Where to find what
//!
//! | name | what is there |
//! |---|---|
//! | [`net`] | servers, sockets, connecting, block lists: Node's `net` |
//! | [`event`](mod@event) | each event, what it carries, and when it is emitted |
//! | [`framing`] | messages out of bytes, by many formats or your own |
//! | [`timers`], [`dns`], [`stream`] | `setTimeout` and its kin; `dns.lookup`; `pipeline` and `finished` |
//! | [`run`], [`stop`], [`metrics`] and other functions below | the loop itself |
//! | [`channel`], [`remote`], [`queue_work`] | other threads |
//! | [`watch`](watch()), [`signals`][signals], [`activation`][activation] | other descriptors; signals, and the sockets of a service manager, with the features of those names |
//! | [`events`] | the emitter, for events of your own, and what a listener may return |
//! | [`sim`][sim], [`fuzzing`][fuzzing] | tests in simulated worlds, and fuzz targets, with the features of those names |
//! | [`guide`] | a page for each question: state, errors, backpressure, shutting down, several cores … |
//! | [`guide::from_node`] | a program of forty lines moves over from Node |
//! | [`guide::differences`] | every known difference from Node, with its reason |
//!
//! # Four things to know
//!
//! * **An error that nobody listens to ends [`run`]**, which returns it, as an unhandled `'error'` ends a
//!   Node process. A peer that resets its connection is enough for one, so every socket needs an
//!   [`event::Error`] listener, accepted ones too. See [`guide::errors`].
//! * **Events are types.** `socket.on(event::Data, |chunk| …)`: the listener's parameter is what the
//!   event carries, and `server.on(event::Data, …)` does not compile. A listener may return nothing, what its last call
//!   returned, [`Flow::Stop`], or an `Err` by `?`: see [`Outcome`](events::Outcome).
//! * **Handles are `Copy`.** A [`net::Socket`] or [`net::Server`] names a socket or server that lives
//!   in the loop; a listener captures one by copying it. Once it has closed, the handle is stale and
//!   does nothing. State that listeners share is another matter: see [`guide::state`].
//! * **One loop per thread**, made on first use. [`run`] drives it until nothing is left that could
//!   still happen: no open server, no socket that reads or writes, no timer or immediate, no watched
//!   descriptor, no look-up or work under way. Other threads reach it by a [`channel`] or a [`Remote`], which keep it going, too.
//!
//! # Platforms
//!
//! | platform | state |
//! |---|---|
//! | Linux on x86-64 | where the crate is developed, tested and measured |
//! | Linux on aarch64, Android, macOS, FreeBSD, NetBSD, illumos | type-checked with each change, never run: meant to work |
//! | Windows, and what else is not Unix | does not compile: a short read or write is taken to mean that the next one would block |
//! | pointers of 32 bits | do not compile: a key of 64 bits goes through the poll's tokens |
//!
//! # Logging
//!
//! By the `log` crate, with one target per layer: `soquete::events`, `soquete::reactor`,
//! `soquete::net`. The level `debug` reports when a server listens, and when a connection arrives, is up, or
//! closes and why; `trace` adds attempts and ends. Node's `NODE_DEBUG=net` shows the same. A disabled level costs one
//! comparison per line, and no line is logged per message.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `activation` | the listening sockets of a service manager, on `listenfd`: `activation::listeners` |
//! | `signals` | callbacks for signals, on `signal-hook`: `signals::on` |
//! | `ipc` | paths of 108 bytes, and one read per message instead of two over IPC, on `rustix` |
//! | `sim` | simulated worlds, in which a test runs a whole program in virtual time, and `fuzzing::ServerTrial` in such worlds |
//! | `fuzzing` | `fuzzing::Trial`, for fuzz targets of formats of your own, and `ServerTrial` over loopback |
//!
// A plain build has no such modules to link to.
#![cfg_attr(feature = "activation", doc = "[activation]: crate::activation")]
#![cfg_attr(not(feature = "activation"), doc = "[activation]: #features")]
#![cfg_attr(feature = "signals", doc = "[signals]: crate::signals")]
#![cfg_attr(not(feature = "signals"), doc = "[signals]: #features")]
#![cfg_attr(feature = "sim", doc = "[sim]: crate::sim")]
#![cfg_attr(not(feature = "sim"), doc = "[sim]: #features")]
#![cfg_attr(
    any(feature = "fuzzing", feature = "sim"),
    doc = "[fuzzing]: crate::fuzzing"
)]
#![cfg_attr(
    not(any(feature = "fuzzing", feature = "sim")),
    doc = "[fuzzing]: #features"
)]
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

#[cfg(feature = "activation")]
pub mod activation;
mod address;
mod bits;
mod delay;
pub mod dns;
mod error;
pub mod event;
pub mod events;
pub mod framing;
#[cfg(any(test, fuzzing, feature = "fuzzing", feature = "sim"))]
pub mod fuzzing;
pub mod guide;
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
mod table;
mod this_loop;
mod thread_bound;
pub mod timers;
mod watch;

pub use delay::{DelayMonitor, monitor_event_loop_delay};
pub use error::{Error, Result};
#[doc(inline)]
pub use framing::Flow;
pub use reactor::{Interest, Metrics, Remote, Sender, Utilization};
pub use resources::{Resource, ResourceKind, active_resources};
pub use this_loop::{
    backend_fd, backend_timeout, channel, channel_with, event_loop_utilization, is_alive, metrics,
    now, off_slow_callback, off_unhandled_error, on_slow_callback, on_unhandled_error, queue_work,
    remote, run, run_nowait, run_once, set_pool_size, stop,
};
use thread_bound::StaysOnItsThread;
pub use watch::{Readiness, Watch, watch};
