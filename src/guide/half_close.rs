//! Half-close: a connection has two halves, and each end closes its own.
//!
//! [`end`](crate::net::Socket::end) says that this end sends no more. The peer hears of it as
//! [`End`](crate::event::End), after the last byte. Bytes still flow the other way until the peer ends, too. A socket
//! closes when both halves have ended, or as soon as it is destroyed.
//!
//! | call | what is queued | the peer's half | the peer hears |
//! |---|---|---|---|
//! | `end` | is sent | goes on | the end |
//! | `destroy_soon` | is sent | is cut off | the end, and a reset if it still sends |
//! | `destroy` | small writes of this callback are offered, the rest is dropped | is cut off | the end, or a reset if something was unread |
//! | `reset_and_destroy` | the same | is cut off | a reset |
//!
//! # Ask, end, and read the answer
//!
//! A client that has said everything ends at once, and reads on:
//!
//! ```
//! use soquete::net::{self, ServerOptions};
//! use soquete::event;
//!
//! # fn main() -> soquete::Result<()> {
//! let options = ServerOptions::new().allow_half_open(true);
//! let server = net::create_server_with(options, |socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     socket.on(event::Data, |_| ());
//!     socket.on(event::End, move |()| {
//!         let bytes = socket.bytes_read();
//!         soquete::queue_work(
//!             move || format!("{bytes} bytes"),
//!             move |answer| socket.end_with(answer),
//!         )
//!     });
//! });
//! server.listen_then(0, |server| {
//!     let client = net::connect(server.address().unwrap());
//!     client.end_with("all that there is to say");
//!     client.on(event::Text, move |answer| {
//!         assert_eq!(answer, "24 bytes");
//!         server.close();
//!     });
//! });
//! soquete::run()
//! # }
//! ```
//!
//! Without [`allow_half_open`](crate::net::SocketOptions::allow_half_open) a socket ends by itself, one tick after its
//! `End` listeners have returned. An answer that is written in such a listener is still sent. An answer that comes later,
//! as here from a thread, needs `allow_half_open`, and then the program has to call `end` itself: a socket whose peer has
//! ended and that never ends stays open.
//!
//! `End` comes only when everything before it was read. A socket that nobody reads never gets there, and never closes by
//! itself: listen to `Data`, or call [`resume`](crate::net::Socket::resume) to throw the bytes away.
