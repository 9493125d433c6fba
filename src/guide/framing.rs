//! Framing: how bytes become messages.
//!
//! TCP delivers a stream of bytes. What one end writes in three calls may arrive in one chunk or in ten, so a program that
//! takes a chunk for a message works on its author's machine and nowhere else. [`Socket::frames`](crate::net::Socket::frames)
//! cuts the stream by a [format](crate::framing#formats), and calls the listener with whole messages:
//!
//! ```
//! use soquete::framing::{FrameReader, FrameWriter, LengthPrefix};
//! use soquete::{event, net};
//!
//! /// A length of four bytes, the most significant first, and so many bytes of payload.
//! const FORMAT: LengthPrefix = LengthPrefix::u32_be();
//! /// The longest payload that there may be.
//! const LONGEST: usize = 1 << 20;
//!
//! # fn main() -> soquete::Result<()> {
//! let writer = FrameWriter::new(FORMAT, LONGEST)?;
//! let answers = writer.clone();
//! let server = net::create_server(move |socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     let answers = answers.clone();
//!     socket.frames(FrameReader::new(FORMAT, LONGEST), move |question| {
//!         socket.write_frame(&answers, question.to_ascii_uppercase())
//!     });
//! });
//! server.listen_then(0, move |server| {
//!     let client = net::connect(server.address().unwrap());
//!     client.frames(FrameReader::new(FORMAT, LONGEST), move |answer| {
//!         assert_eq!(answer, b"HELLO");
//!         client.end();
//!         server.close();
//!     });
//!     client.write_frame(&writer, "hello")
//! });
//! soquete::run()
//! # }
//! ```
//!
//! The frame is a slice of the loop's buffer, so nothing is copied. A listener copies the bytes that it keeps.
//!
//! # Choosing a format
//!
//! | the protocol | format |
//! |---|---|
//! | is yours to choose | [`LengthPrefix`](crate::framing::LengthPrefix): nothing is searched, nothing escaped |
//! | is read by people, or by `nc` | [`Lines`](crate::framing::Lines) |
//! | is JSON, one value after another | [`Json`](crate::framing::Json), or `Lines` where each is a line |
//! | is Protocol Buffers | [`VarintPrefix`](crate::framing::VarintPrefix) |
//! | is WebSocket, MQTT, Redis's, or a language server's | [`WebSocket`](crate::framing::WebSocket), [`Mqtt`](crate::framing::Mqtt), [`Resp`](crate::framing::Resp), [`ContentLength`](crate::framing::ContentLength) |
//! | is one that is not in the [list](crate::framing#formats) | [a format of your own](crate::framing#a-format-of-your-own), one method |
//!
//! # When it goes wrong
//!
//! Each reader has a limit, which bounds memory. Bytes that are no frame, a frame beyond the limit, and an end inside a frame
//! destroy the socket, with an error that tells what was wrong and where in the stream. To answer first, there is
//! [`Frames::on_error`](crate::net::Frames::on_error); to go on behind a bad frame,
//! [`tell_bad_frames`](crate::framing::FrameReader::tell_bad_frames); against a peer that drips, a
//! [`deadline`](crate::net::Frames::deadline).
//!
//! # Changing the protocol in mid-stream
//!
//! A listener that returns [`Flow::Stop`](crate::Flow::Stop) ends the framing behind its frame. What came behind it is put
//! back, for the next `frames` or for `Data`:
//!
//! ```
//! use soquete::framing::{FrameReader, Lines, Netstring};
//! use soquete::{Flow, event, net};
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     socket.frames(FrameReader::new(Lines::new(), 80), move |line| {
//!         assert_eq!(line, b"NETSTRINGS");
//!         let netstrings = FrameReader::new(Netstring::new(), 80);
//!         socket.frames(netstrings, move |text| socket.end_with(text));
//!         Flow::Stop
//!     });
//! });
//! server.listen_then(0, |server| {
//!     let client = net::connect(server.address().unwrap());
//!     client.write("NETSTRINGS\n5:hello,");
//!     client.on(event::Data, move |chunk| {
//!         assert_eq!(chunk, b"hello");
//!         server.close();
//!     });
//! });
//! soquete::run()
//! # }
//! ```
//!
//! A format that changes often, as HTTP's does between heads and bodies, is changed in place by its
//! [`Reading`](crate::framing::Reading).
//!
//! # Fuzzing
//!
//! A format of one's own is fuzzed by one line. `Trial` reads the bytes in several manners, whole, byte by byte and cut at
//! random, and compares all that comes out; it checks memory, work and errors as well:
//!
//! ```
//! # #[cfg(feature = "fuzzing")]
//! # fn main() {
//! # use soquete::framing::Lines as MyFormat;
//! # let data = b"\x00\x00\xffone\ntwo\n";
//! soquete::fuzzing::Trial::new(MyFormat::new()).reads(data);
//! # }
//! # #[cfg(not(feature = "fuzzing"))]
//! # fn main() {}
//! ```
//!
//! The module [`fuzzing`][fuzzing], with the feature of that name, is what a fuzz target calls. The repository's `fuzz/README.md` leads
//! through making one.
//!
#![cfg_attr(feature = "fuzzing", doc = "[fuzzing]: crate::fuzzing")]
#![cfg_attr(not(feature = "fuzzing"), doc = "[fuzzing]: crate#features")]
