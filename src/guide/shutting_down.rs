//! Shutting down: how a server, and how a program ends.
//!
//! # What keeps a loop alive
//!
//! [`run`](crate::run) returns when nothing is left that could still happen: no server that listens, no socket that reads
//! or writes, no timer or immediate, no [watched](crate::watch()) descriptor, no look-up or work under way, no
//! [`Remote`](crate::Remote) or [`Sender`](crate::Sender). All but look-ups and work have `unref`, which takes them out of
//! that count; listeners of signals are not in it. A program that does not end asks
//! [`active_resources`](crate::active_resources), which tells in debug builds where each was made.
//!
//! Node's `beforeExit` is the line behind `run`: a program that starts something new there calls `run` again.
//!
//! # Ending a server
//!
//! | call | new connections | connections that are open |
//! |---|---|---|
//! | [`close`](crate::net::Server::close) | none | go on until they end; `Close` comes after the last |
//! | [`shutdown`](crate::net::Server::shutdown) | none | the idle are destroyed now, the busy as they become idle, all at the deadline |
//! | [`close_idle_connections`](crate::net::Server::close_idle_connections) | go on | the idle are destroyed |
//! | [`close_all_connections`](crate::net::Server::close_all_connections) | go on | are destroyed |
//! | [`stop`](crate::stop) | wait in the backlog | stay open: only `run` returns |
//!
//! `shutdown` is for SIGTERM: connections in the middle of something get time to finish.
//!
//! ```
//! use soquete::net::{self, Server};
//! use soquete::event;
//! use std::time::Duration;
//!
//! fn terminate(server: Server) {
//!     let deadline = Duration::from_secs(10);
//!     server.shutdown_then(deadline, |cut| println!("{cut} connections were cut off"));
//! }
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     socket.on(event::Data, move |chunk| socket.write(chunk));
//! });
//! server.listen_then(0, |server| {
//!     let client = net::connect(server.address().unwrap());
//!     client.write("hello");
//!     client.on(event::Data, move |_| terminate(server));
//! });
//! soquete::run()
//! # }
//! ```
//!
//! With the feature `signals`, one line calls it at the right time:
//! `signals::on(signals::SIGTERM, move || terminate(server))?`: see [`threads`](super::threads#signals).
//!
//! A connection counts as busy while bytes of it wait to be written or to be read, and while a frame has begun to come
//! in. A request that is being worked on is the protocol's secret: a program that answers later than in the listener that
//! has got the request closes its connections itself, as each is done, and has `shutdown` for the deadline.
