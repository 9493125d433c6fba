//! Simulated worlds: a whole program in virtual time, on a kernel, a network and a clock that a seed determines.
//!
//! A program for this crate, unchanged, runs on machines that are made for a test: with latency,
//! partitions, short writes, descriptors that run out, and every error that a call of the kernel can have. Time is
//! virtual: an idle timeout of an hour is tested at once. Everything that could be one way or
//! another is determined by a seed, and the same seed gives the same run, to the byte. It needs the feature
//! `sim`, which a package asks for in its `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! soquete = { path = "../soquete", features = ["sim"] }
//! ```
//!
//! ```
//! use soquete::sim::{self, Faults, World};
//! use soquete::{event, net, timers};
//! use std::time::Duration;
//!
//! fn server_main() {
//!     let server = net::create_server(|socket| {
//!         socket.on(event::Error, |_| {});
//!         socket.pipe(socket);
//!     });
//!     server.on(event::Error, |_| {});
//!     server.listen(80);
//! }
//!
//! fn client_main() {
//!     let client = net::connect(("10.0.0.1", 80));
//!     client.set_timeout(Duration::from_secs(30));
//!     client.on(event::Timeout, move |()| { client.destroy(); });
//!     client.on(event::Error, |_| {});
//!     client.on(event::Data, |_| {});
//!     client.end_with("hello");
//! }
//!
//! let (ms, secs) = (Duration::from_millis, Duration::from_secs);
//! for seed in sim::seeds(0..20) {
//!     World::seed(seed)
//!         .latency(ms(1)..=ms(40))
//!         .segments(1..=1460)
//!         .faults(Faults::swarm(seed))
//!         .host("10.0.0.1", server_main)
//!         .addresses("10.0.0.9")
//!         .at(ms(20), || sim::partition("10.0.0.1", "10.0.0.9"))
//!         .at(secs(9), sim::heal)
//!         .test(client_main);
//! }
//! ```
//!
//! # Three manners
//!
//! * **Seeds**: faults at rates, in thousands of worlds ([`seeds`], [`Faults::swarm`], [`World::test`]). One that
//!   fails is shrunk to the faults that matter, and the panic says how to run it again.
//! * **Torture**: each call of the kernel fails once with each error that it can have ([`torture`]).
//! * **Script**: exactly these faults ([`Faults::script`]), for a regression; and a [`Peer`], which
//!   sends exactly these bytes.
//!
//! # What is checked
//!
//! After each run, and for your program as well ([`Report::check`]):
//!
//! | | when |
//! |---|---|
//! | nobody waits for what is there: bytes, an end, an error, room to write, a connection | whenever the clock is about to move |
//! | a listener that has connections is asked for them within 5 s, and turns nobody away while there are descriptors | likewise |
//! | the descriptor that a loop keeps to turn connections away with is there again when it was used | at each turn |
//! | nothing keeps the main loop alive; otherwise the report names what does and, in debug builds, the call that made it | at the end, when nothing will ever happen any more |
//! | `Close` comes once and last, `End` at most once and no data after it | at each event |
//! | what was written reaches the kernel, and what was read the program, in order and completely | at each call |
//! | `Drain` comes only after a write that has answered false; callbacks of writes come in their order, each once | at each call, and at the end |
//! | a socket that keeps as much unread as its high-water mark reads no more | at each call |
//! | no descriptor, no handle and no timer is left over | at the end |
//! | no turn of a loop does nothing; turns and virtual time have a bound | at each turn |
//! | what [you say](World::always) | whenever the clock is about to move, and at the end |
//!
//! # How fast it is
//!
//! On one core, by `cargo bench --bench worlds`, on a machine that was busy with other things:
//!
//! | a world | a second |
//! |---|---:|
//! | of one connection, a byte each way, 29 calls of the kernel | 102,000 |
//! | the same, [unchecked](World::unchecked) | 127,000 |
//! | of ten messages each way, with faults | 55,000 |
//! | of a program that a seed draws: 4 connections, 200 KB, 7 faults | 5,000 |
//!
//! A million seeds of the crate's own random programs took 301 s, and found nothing:
//! `SOQUETE_SEEDS=1000000 cargo test --release --test sim_seeds -- --nocapture`.
//!
//! # What it is not
//!
//! The program is the one thread. The kernel's rules are Linux's, whatever it runs on. A call that a world
//! does not support fails; it never reaches the real system: descriptors of the operating system that are handed in
//! ([`from_std`](crate::net::Socket::from_std), `listen` on a
//! [`TcpListener`](std::net::TcpListener)) fail with ENOTSUP. A connection that
//! [`into_std`](crate::net::Socket::into_std) takes out of a loop can be adopted by any loop of the world, and by
//! nobody else. A real thread that the program starts is outside: it has
//! a loop of its own on the real network, and what it posts by a [`Remote`](crate::Remote) is reported, since it cannot be
//! repeated. [`queue_work`](crate::queue_work) starts none here. The real clock and a `HashMap`'s order cannot be
//! caught: use [`now`](crate::now), and let [`twice`] look.

use std::time::Duration;

mod manners;
mod peer;
mod report;
mod run;
mod values;
mod world;

pub use crate::kernel::sim::fault::{Fault, FaultError};
pub use crate::kernel::sim::faults::{Call, Faults};
pub use manners::{Torture, seeds, shrink, torture, twice};
pub use peer::{Peer, PeerListener};
pub use report::Report;
pub use values::{Addresses, Between};
pub use world::World;

use crate::kernel::sim::{at_host, world as kernel};

/// Cuts the network between two sets of addresses. What is sent across waits until the network is
/// [healed](heal()), or its sender [gives up](World::gives_up_after). Nothing happens outside of a world.
///
/// ```
/// use soquete::sim::{self, World};
/// use std::time::Duration;
///
/// World::seed(1)
///     .at(Duration::from_secs(1), || sim::partition("10.0.0.1", ["10.0.0.8", "10.0.0.9"]))
///     .at(Duration::from_secs(9), sim::heal)
///     .run(|| { /* the program */ });
/// ```
///
/// # Panics
///
/// If a text is no address.
#[track_caller]
pub fn partition(left: impl Addresses, right: impl Addresses) {
    kernel::partition(left.addresses(), right.addresses());
}

/// Takes all partitions back. What they held arrives 0.2 to 1.2 s later, in order.
pub fn heal() {
    kernel::heal();
}

/// The machine with this address loses all that it had, its peers get a reset, and it starts this program in a
/// fresh loop.
///
/// ```
/// use soquete::sim::{self, World};
/// use std::time::Duration;
///
/// fn server_main() { /* … */ }
///
/// World::seed(1)
///     .host("10.0.0.1", server_main)
///     .at(Duration::from_secs(1), || sim::restart("10.0.0.1", server_main))
///     .run(|| { /* the clients */ });
/// ```
///
/// # Panics
///
/// If no host of this world has the address, or if it is the machine that is asked.
#[track_caller]
pub fn restart(address: &str, program: impl FnOnce() + 'static) {
    let [address] = address.addresses()[..] else {
        return;
    };
    match kernel::crash(address) {
        Some(host) => at_host(host, program),
        None => panic!("no host at {address} that could be restarted"),
    }
}

/// Calls `plan` after this time, on the main host: as [`World::at`], from within.
///
/// ```
/// use soquete::sim::{self, World};
/// use std::time::Duration;
///
/// let report = World::seed(1).run(|| {
///     sim::after(Duration::from_secs(3600), || println!("an hour later"));
/// });
/// report.check();
/// ```
pub fn after(time: Duration, plan: impl FnOnce() + 'static) {
    kernel::plan(time, Box::new(plan));
}

/// Reports something that must not be, as the world's own checks do.
///
/// ```
/// use soquete::sim::{self, World};
///
/// let report = World::seed(1).run(|| sim::wrong("the answer was 41"));
/// assert!(report.problems[0].ends_with("the answer was 41"));
/// ```
pub fn wrong(what: &str) {
    kernel::problem(what);
}
