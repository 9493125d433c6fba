//! Errors and resets: where they come from, and who has to hear of them.
//!
//! # A reset is enough
//!
//! A peer that crashes, or that closes with data unread, resets its connection. The next read or write of this end
//! fails with `ECONNRESET` or `EPIPE`, and the socket emits [`Error`](crate::event::Error) and then
//! [`Close`](crate::event::Close). As in Node, an `Error` that nobody listens to ends the program: [`run`](crate::run)
//! returns it. So each socket gets a listener, first of all those that a server accepts:
//!
//! ```
//! use soquete::{event, net};
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| println!("lost: {error}"));
//!     # socket.on(event::Error, |error| assert_eq!(error.code(), "ECONNRESET"));
//!     socket.on(event::Data, move |chunk| socket.write(chunk));
//! });
//! server.listen_then(0, |server| {
//!     let rude = net::connect(server.address().unwrap());
//!     rude.on(event::Data, move |_| rude.reset_and_destroy());
//!     rude.write("hello");
//!     server.on(event::Connection, move |_| server.close());
//! });
//! soquete::run()
//! # }
//! ```
//!
//! The server prints `lost: read ECONNRESET` and would go on to serve others.
//!
//! # Where an error goes
//!
//! | error | goes to |
//! |---|---|
//! | of a connection or of connecting | `Error` of the socket, which is destroyed: `Close` follows with `true` |
//! | of listening | `Error` of the server, which may listen again |
//! | of accepting, which passes (no descriptors left) | the log; the server tries again |
//! | of one write | the callback of `write_then`, and then `Error` of the socket |
//! | a misuse that Node throws for | `Error` on the next tick, or an `Err` where the method returns a `Result` |
//! | an `Err` that a listener returns | that socket is destroyed with it; see [`Outcome`](crate::events::Outcome) |
//! | an `Err` of a timer, a tick, a channel | `run` returns it |
//! | any of these that nobody listens to | `run` returns it, or [`on_unhandled_error`](crate::on_unhandled_error) gets it |
//!
//! `run` can be called again after an error, and goes on where it was: no other socket is harmed.
//! [`ErrorMonitor`](crate::event::ErrorMonitor) hears of an error without counting as its handler, which is the place
//! for a log.
//!
//! # `?` in a listener
//!
//! An `Err` of a listener destroys its own connection. A peer's nonsense is no reason to stop the server:
//!
//! ```
//! use soquete::{event, net};
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| println!("destroyed: {error}"));
//!     socket.on(event::Text, move |text| {
//!         let number: u32 = text.trim().parse()?;
//!         socket.write(format!("{}\n", number + 1));
//!         Ok(())
//!     });
//! });
//! server.listen_then(0, |server| {
//!     let client = net::connect(server.address().unwrap());
//!     client.on(event::Error, |error| eprintln!("{error}"));
//!     client.on(event::Close, move |_| server.close());
//!     client.on(event::Text, move |text| {
//!         assert_eq!(text, "42\n");
//!         client.write("forty-two\n");
//!     });
//!     client.write("41\n");
//! });
//! soquete::run()
//! # }
//! ```
//!
//! [`Error`](crate::Error) is made by `?` of errors of I/O, of parsing and of UTF-8;
//! [`Error::other`](crate::Error::other) wraps any other.
//!
//! # What an error tells
//!
//! [`code`](crate::Error::code) is Node's, `"ECONNREFUSED"` or `"ERR_STREAM_WRITE_AFTER_END"`, and is what a program
//! compares. [`kind`](crate::Error::kind) is the standard library's. [`syscall`](crate::Error::syscall),
//! [`address`](crate::Error::address) and [`port`](crate::Error::port) are there where Node has them, and the text reads
//! as Node's message: `connect ECONNREFUSED 127.0.0.1:3000`.
//!
//! # Panics
//!
//! A panic in a listener leaves through `run`. No other socket is harmed, and the loop can be run again. What was to
//! follow the listener comes in that next run.
