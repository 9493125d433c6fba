//! Testing: without real time, and without luck.
//!
//! | test | what it shows | what it takes |
//! |---|---|---|
//! | bytes into a [`FrameReader`](crate::framing::FrameReader) | the protocol, whichever way the bytes are cut | no sockets |
//! | client and server in one loop, port 0 | that the program works here and now | a few system calls |
//! | a [simulated world][sim] | latency, partitions, faults and timeouts, by a seed | no real time, no network |
//! | a [server on trial](#a-server-on-trial) | that its answers do not depend on how the requests are cut, and that nothing stays open | conversations |
//! | a fuzz target | that no bytes break the protocol | a fuzzer, or only its seeds |
//!
//! # A protocol alone
//!
//! Code that is given frames and returns answers needs no socket to be tested. Cut the stream into single bytes, and it
//! has seen the worst that TCP does:
//!
//! ```
//! use soquete::framing::{Flow, FrameReader, Lines};
//!
//! let mut reader = FrameReader::new(Lines::new(), 64);
//! let mut lines = Vec::new();
//! for byte in b"GET a\r\nGET b\r\n" {
//!     reader.push(&[*byte], |item| {
//!         lines.extend(item.frame().map(<[u8]>::to_vec));
//!         Flow::Continue
//!     })?;
//! }
//! assert_eq!(lines, [b"GET a", b"GET b"]);
//! # Ok::<(), soquete::Error>(())
//! ```
//!
//! # Both ends in one loop
//!
//! The examples of this guide are such tests: the server listens on port 0, the client connects to
//! [`server.address()`](crate::net::Server::address), and `run` returns when both have closed. Wait for events, never for
//! an amount of time. A server that is not closed keeps `run` from returning;
//! [`active_resources`](crate::active_resources) tells what is still open.
//!
//! # A world of one's own
//!
//! With the feature `sim` in `[dev-dependencies]`, a test runs the same program on a kernel, a network and a clock that
//! exist in memory. Time is virtual. An idle timeout of an hour takes no time, and the cable that is cut for a minute is a
//! line:
//!
//! ```
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! # #[cfg(feature = "sim")]
//! # fn main() {
//! use soquete::sim::{self, Faults, World};
//! use soquete::{event, net};
//! use std::time::Duration;
//!
//! fn server_main() {
//!     let server = net::create_server(|socket| {
//!         socket.on(event::Error, |_| ());
//!         let hour = Duration::from_secs(3600);
//!         socket.set_timeout_then(hour, |socket| socket.end_with("an hour has passed"));
//!     });
//!     server.on(event::Error, |_| ());
//!     server.listen(80);
//! }
//!
//! fn client_main() {
//!     let client = net::connect(("10.0.0.1", 80));
//!     client.on(event::Error, |_| ());
//!     client.on(event::Text, |text| assert!("an hour has passed".contains(text)));
//! }
//!
//! for seed in sim::seeds(0..20) {
//!     let second = Duration::from_secs(1);
//!     World::seed(seed)
//!         .latency(Duration::ZERO..=second)
//!         .faults(Faults::swarm(seed))
//!         .host("10.0.0.1", server_main)
//!         .addresses("10.0.0.9")
//!         .at(second, || sim::partition("10.0.0.1", "10.0.0.9"))
//!         .at(60 * second, sim::heal)
//!         .test(client_main);
//! }
//! # }
//! ```
//!
//! Besides the program's own assertions, the world checks that nobody waits for what is there, that no byte is lost or
//! twice, and that nothing is left open. A seed that fails is the same each time: the panic names the faults that matter,
//! and `SOQUETE_SEED` runs that one world. The module [`sim`][sim] tells what else there is: exact faults, a peer that sends
//! exactly these bytes, and torture, in which each call of the kernel fails once in each way that it can.
//!
//! # A server on trial
//!
//! A conversation says what a client sends and what it must receive. A [`ServerTrial`][trial] holds it with a fresh server
//! for each way of cutting it: at every byte, byte by byte, pipelined, with pauses, half-closed, reset. All must lead to the same answers,
//! and none may leave anything open:
//!
//! ```
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! # #[cfg(feature = "sim")]
//! # fn main() {
//! use soquete::framing::{FrameReader, Lines};
//! use soquete::fuzzing::{Conversation, ServerTrial};
//! use soquete::{event, net};
//!
//! fn create() -> net::Server {
//!     net::create_server(|socket| {
//!         socket.on(event::Error, |_| ());
//!         socket.frames(FrameReader::new(Lines::new(), 80), move |line| {
//!             socket.write(format!("{} bytes\n", line.len()))
//!         });
//!     })
//! }
//!
//! let conversation = Conversation::new("two lines")
//!     .send("a\n")
//!     .expect("1 bytes\n")
//!     .send("bcd\r\n")
//!     .expect("3 bytes\n");
//! ServerTrial::new(create).conversation(conversation).test();
//! # }
//! ```
//!
//! `cargo run --release --example fragments -- HOST:PORT CONVERSATION` does that to any server of this machine, in
//! whatever language.
//!
//! # Bytes that nobody thought of
//!
//! [`framing`](super::framing#fuzzing) shows the fuzz target for a format of one's own. It is a line.
//!
#![cfg_attr(feature = "sim", doc = "[sim]: crate::sim")]
#![cfg_attr(not(feature = "sim"), doc = "[sim]: crate#features")]
#![cfg_attr(feature = "sim", doc = "[trial]: crate::fuzzing::ServerTrial")]
#![cfg_attr(not(feature = "sim"), doc = "[trial]: crate#features")]
