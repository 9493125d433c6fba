//! Several cores: one loop per thread, and connections shared out among them.
//!
//! A loop uses one core. Each thread has a loop of its own, made on first use, and loops share nothing. There are two ways
//! to bring connections to all of them:
//!
//! | | `reuse_port` | hand over |
//! |---|---|---|
//! | who chooses | the kernel, by a hash of the addresses | the program |
//! | how | each loop [listens](crate::net::ListenOptions::reuse_port) on the same port | one accepts, and [posts](crate::Remote::post) each connection as a [`StdStream`](crate::net::StdStream) |
//! | good for | short or similar connections | few and long ones, which must be spread evenly |
//! | costs | nothing | a wake-up of another thread per connection |
//! | when a loop is busy | its connections wait, though others are idle | it can get fewer |
//!
//! Both are in one program of the repository: `cargo run --release --example workers`, and the same with `-- --hand-over`.
//! Measure before choosing: where one core is enough, one loop is simpler and faster.
//!
//! # One port, many loops
//!
//! Each thread makes its server, and gives the thread that started it a sender to stop it by:
//!
//! ```
//! use soquete::net::{self, ListenOptions};
//! use soquete::{Flow, Sender, event};
//! use std::sync::mpsc;
//! use std::thread;
//!
//! /// What a worker tells: its port, and how it is stopped.
//! type Started = (u16, Sender<()>);
//!
//! fn work(port: u16, started: mpsc::Sender<Started>) -> soquete::Result<()> {
//!     let server = net::create_server(|socket| {
//!         socket.on(event::Error, |error| eprintln!("{error}"));
//!         socket.end_with("hello\n");
//!     });
//!     let stop = soquete::channel(move |()| {
//!         server.close();
//!         Flow::Stop
//!     })?;
//!     server.listen_then(ListenOptions::new(port).reuse_port(true), move |server| {
//!         let port = server.address().map_or(0, |address| address.port());
//!         started.send((port, stop)).expect("somebody waits for it");
//!     });
//!     soquete::run()
//! }
//!
//! # fn main() -> soquete::Result<()> {
//! let (sender, started) = mpsc::channel();
//! let first = sender.clone();
//! let mut threads = vec![thread::spawn(move || work(0, first))];
//! let (port, stop) = started.recv().expect("the first worker listens");
//! threads.push(thread::spawn(move || work(port, sender)));
//! let mut stops = vec![stop];
//! stops.extend(started.iter().map(|(_, stop)| stop));
//! assert_eq!(stops.len(), 2);
//!
//! for _ in 0..8 {
//!     net::connect(port).on(event::Text, |text| assert_eq!(text, "hello\n"));
//! }
//! soquete::run()?;
//!
//! for stop in stops {
//!     stop.send(())?;
//! }
//! for thread in threads {
//!     thread.join().expect("no worker panics")?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # State of several loops
//!
//! State that belongs to one loop needs no lock. Give each piece an owner, and let the other loops send messages to it by
//! a [`channel`](crate::channel): a message costs less than a system call, and a burst wakes the loop once. A payload
//! that all loops send is an `Arc<[u8]>`, of which each message carries a pointer: a [`Group`](crate::net::Group) has a
//! [remote](crate::net::Group::remote) for other loops, and one [with a limit](crate::net::Group::remote_with) for those
//! that may be faster than its own.
