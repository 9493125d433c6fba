//! Timeouts, and peers that are slow or silent.
//!
//! There is no timeout by default, as in Node. A server that strangers reach sets these:
//!
//! | a peer that | is stopped by |
//! |---|---|
//! | is silent | [`set_timeout_then`](crate::net::Socket::set_timeout_then) |
//! | drips a message byte by byte, and so is never silent | [`Frames::deadline`](crate::net::Frames::deadline) |
//! | sends a message that never ends | the limit of its [`FrameReader`](crate::framing::FrameReader) |
//! | does not read its answers | [`max_write_queue`](crate::net::SocketOptions::max_write_queue) |
//! | has vanished with its machine, or its cable | [`keep_alive`](crate::net::SocketOptions::keep_alive), and `TCP_USER_TIMEOUT` by [`prepare`](crate::net::SocketOptions::prepare) |
//! | does not send its PROXY header | [`ProxyProtocol::deadline`](crate::net::ProxyProtocol::deadline) |
//! | comes a thousand times | [`set_max_connections`](crate::net::Server::set_max_connections) |
//! | does not answer a connect | [`connect_timeout`](crate::net::ConnectOptions::connect_timeout) |
//!
//! The idle timeout tells, and closes nothing. It is the callback that decides:
//!
//! ```
//! use soquete::framing::{FrameReader, Lines};
//! use soquete::{event, net};
//! use std::time::Duration;
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| println!("cut off: {error}"));
//!     # socket.on(event::Error, |error| assert_eq!(error.code(), "ERR_FRAME_TIMEOUT"));
//!     let silence = Duration::from_secs(60);
//!     socket.set_timeout_then(silence, |socket| socket.end_with("silent for too long\n"));
//!     socket
//!         .frames(FrameReader::new(Lines::new(), 1024), move |line| socket.write(line))
//!         .deadline(Duration::from_millis(20))
//! });
//! server.listen_then(0, |server| {
//!     let slow = net::connect(server.address().unwrap());
//!     slow.write("half a li");
//!     slow.on(event::Error, |error| println!("{error}"));
//!     slow.on(event::Close, move |_| server.close());
//! });
//! soquete::run()
//! # }
//! ```
//!
//! A socket's timeout costs a store for each activity and no operation on timers, so every connection may have one.
//! Bytes in either direction are an activity. [`timers`](crate::timers) are for everything else; they are never early, and
//! one that must not keep the program alive is [`unref`](crate::timers::Timeout::unref)ed.
//!
//! A [simulated world](super::testing) tests a timeout of an hour at once.
