//! Threads, signals and standard input: what reaches the loop from outside.
//!
//! Handles and listeners stay on the thread of their loop, and the compiler sees to that. Messages cross:
//!
//! | | direction | Node's |
//! |---|---|---|
//! | [`channel`](crate::channel) | messages of any thread to a listener of the loop | `MessageChannel`, `postMessage` |
//! | [`remote`](crate::remote) | closures of any thread to the loop | |
//! | [`queue_work`](crate::queue_work) | work to a thread of the pool, and its result back | `worker_threads` |
//! | [`signals::on`][signals], with the feature `signals` | signals of the process to a callback | `process.on('SIGTERM')` |
//! | [`watch`](crate::watch()) | any descriptor that can be polled, to a listener | `process.stdin`, `dgram` |
//!
//! A [`BlockList`](crate::net::BlockList), a [`BoundSocket`](crate::net::BoundSocket) and a
//! [`StdStream`](crate::net::StdStream) may go to another thread themselves. So a connection can: see
//! [`cores`](super::cores).
//!
//! # Threads
//!
//! Only the messages of a channel have to be `Send`; its listener may hold sockets. Here a thread computes, and each
//! result goes to a client:
//!
//! ```
//! use soquete::{event, net};
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     let tell = move |square: u64| socket.write(format!("{square}\n"));
//!     let results = soquete::channel_with(16, tell)?;
//!     std::thread::spawn(move || (1..=3u64).try_for_each(|root| results.send(root * root)));
//!     Ok(())
//! });
//! server.listen_then(0, |server| {
//!     let client = net::connect(server.address().unwrap());
//!     let mut squares = String::new();
//!     client.on(event::Text, move |text| {
//!         squares += text;
//!         if squares == "1\n4\n9\n" {
//!             client.end();
//!             server.close();
//!         }
//!     });
//! });
//! soquete::run()
//! # }
//! ```
//!
//! The channel closes when its last sender is dropped, and keeps the loop alive until then. A listener must not wait for a
//! thread: what blocks one listener blocks all of them. [`on_slow_callback`](crate::on_slow_callback) finds those that do.
//!
//! # Signals
//!
//! With the feature `signals` a signal is a callback as any other. It runs between others, on the thread that has asked
//! for it, where it may do whatever it likes:
//!
//! ```
//! # #[cfg(not(feature = "signals"))]
//! # fn main() {}
//! # #[cfg(feature = "signals")]
//! # fn main() -> soquete::Result<()> {
//! use soquete::{event, net, signals};
//!
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//! });
//! server.listen(0);
//! signals::on(signals::SIGTERM, move || server.close())?;
//! # signal_hook::low_level::raise(signals::SIGTERM)?;
//! soquete::run()
//! # }
//! ```
//!
//! # Standard input
//!
//! A terminal or a pipe can be watched. The descriptor is duplicated first, since [`Stdin`](std::io::Stdin) has a buffer of
//! its own, in which bytes would lie that no poll tells of:
//!
//! ```no_run
//! use soquete::{Flow, Interest, event, net};
//! use std::fs::File;
//! use std::io::Read;
//! use std::os::fd::AsFd;
//!
//! # fn main() -> soquete::Result<()> {
//! let socket = net::connect(3000).on(event::Error, |error| eprintln!("{error}"));
//! let input = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
//! soquete::watch(input, Interest::READABLE, move |input, _| {
//!     let mut buffer = [0; 4096];
//!     match input.read(&mut buffer)? {
//!         0 => {
//!             socket.end();
//!             Ok(Flow::Stop)
//!         }
//!         count => {
//!             socket.write(&buffer[..count]);
//!             Ok(Flow::Continue)
//!         }
//!     }
//! })?;
//! soquete::run()
//! # }
//! ```
//!
//! A file cannot be polled, and `program < file` makes `watch` fail with `EPERM`. A thread reads whatever it is:
//!
//! ```
//! # fn main() -> soquete::Result<()> {
//! let lines = soquete::channel(|line: String| println!("read: {line}"))?;
//! # let input = std::io::Cursor::new("one\ntwo\n");
//! # #[cfg(any())]
//! let input = std::io::stdin().lock();
//! std::thread::spawn(move || -> soquete::Result<()> {
//!     for line in std::io::BufRead::lines(input) {
//!         lines.send(line?)?;
//!     }
//!     Ok(())
//! });
//! soquete::run()
//! # }
//! ```
//!
#![cfg_attr(feature = "signals", doc = "[signals]: crate::signals::on")]
#![cfg_attr(not(feature = "signals"), doc = "[signals]: crate#features")]
