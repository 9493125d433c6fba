//! Backpressure: what becomes of bytes that the peer does not read.
//!
//! ```text
//!   write ──▶ write queue ──▶ kernel ┄┄┄ network ┄┄┄▶ kernel ──▶ kept for a reader ──▶ Data
//!             ▲                                                  ▲
//!             false from the high-water mark on,                 full while it is paused:
//!             Drain when it is empty again                       then the peer has to wait
//! ```
//!
//! Three things stop a fast writer. `write` returns false as soon as the queue has reached the
//! [high-water mark](crate::net::SocketOptions::high_water_mark) (64 KiB), and [`Drain`](crate::event::Drain)
//! tells when the queue is empty. A [`pipe`](crate::net::Socket::pipe) does that by itself. And
//! [`max_write_queue`](crate::net::SocketOptions::max_write_queue) cuts off a peer that reads nothing.
//!
//! # Writing as fast as the peer reads
//!
//! `write` never refuses anything: the false is advice, and a program that does not heed it fills its memory. So write
//! until it is false, and go on in `Drain`:
//!
//! ```
//! use soquete::net::{self, Socket};
//! use soquete::{Flow, event};
//! use std::cell::Cell;
//!
//! /// 100 blocks of 64 KiB.
//! struct Sending {
//!     left: Cell<u32>,
//! }
//!
//! /// Writes until the queue is full. `None` once everything was written.
//! fn send(socket: Socket) -> Option<()> {
//!     let sending = socket.attachment::<Sending>()?;
//!     while sending.left.get() > 0 {
//!         sending.left.set(sending.left.get() - 1);
//!         if !socket.write(vec![b'x'; 65_536]) {
//!             return Some(());
//!         }
//!     }
//!     socket.end();
//!     None
//! }
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     socket.attach(Sending { left: Cell::new(100) });
//!     socket.on(event::Drain, move |()| match send(socket) {
//!         Some(()) => Flow::Continue,
//!         None => Flow::Stop,
//!     });
//!     send(socket);
//! });
//! server.listen_then(0, |server| {
//!     let client = net::connect(server.address().unwrap());
//!     client.on(event::Data, |_| ());
//!     client.on(event::End, move |()| {
//!         assert_eq!(client.bytes_read(), 100 * 65_536);
//!         server.close();
//!     });
//! });
//! soquete::run()
//! # }
//! ```
//!
//! Where one socket's bytes go to another, `pipe` and [`pipeline`](crate::stream::pipeline) are all that is needed.
//!
//! # Reading as fast as the program works
//!
//! [`pause`](crate::net::Socket::pause) stops `Data`. The socket keeps up to the high-water mark, then the kernel keeps
//! bytes up to its own limit, and then the peer cannot send any more. [`resume`](crate::net::Socket::resume) undoes it.
//! A listener that hands work to a [`queue_work`](crate::queue_work) and must not get the next chunk before that is done
//! pauses first and resumes in the callback.
//!
//! # A peer that never reads
//!
//! In a broadcast, one slow reader must not hold up the others, so nobody waits for its `Drain`. Its queue needs a
//! ceiling instead. (A [`Group`](crate::net::Group) publishes one payload to many, and can pass over the slow.)
//!
//! ```
//! use soquete::net::{self, ServerOptions};
//! use soquete::event;
//!
//! # fn main() -> soquete::Result<()> {
//! let options = ServerOptions::new().max_write_queue(1 << 20);
//! let server = net::create_server_with(options, |socket| {
//!     socket.on(event::Error, |error| {
//!         assert_eq!(error.code(), "ERR_SOCKET_WRITE_QUEUE_FULL");
//!     });
//!     // More than the kernels of both ends take.
//!     for _ in 0..64 {
//!         socket.write(vec![b'x'; 1 << 20]);
//!     }
//! });
//! server.listen_then(0, |server| {
//!     let deaf = net::connect(server.address().unwrap());
//!     deaf.pause();
//!     deaf.on(event::Error, |error| eprintln!("{error}"));
//!     server.on(event::Connection, move |socket| {
//!         socket.on(event::Close, move |had_error| {
//!             assert!(had_error);
//!             deaf.destroy();
//!             server.close();
//!         });
//!     });
//! });
//! soquete::run()
//! # }
//! ```
//!
//! What all readers get can be one `Rc<[u8]>`, of which each queue holds a pointer: see [`Data`](crate::net::Data). A group
//! does that by itself.
