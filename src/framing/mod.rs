//! Cutting a stream of bytes into frames, and making frames of payloads.
//!
//! TCP delivers bytes, and protocols speak in messages: something has to find where one ends. This
//! module does it, for the formats that protocols use and for [your own](#a-format-of-your-own). It is
//! pure: it is given bytes and hands out frames, and knows no sockets and no clock.
//!
//! ```
//! use soquete::framing::{Flow, FrameReader, FrameWriter, LengthPrefix};
//!
//! let writer = FrameWriter::new(LengthPrefix::u16_be(), 1024)?;
//! let mut stream = Vec::new();
//! writer.encode(b"hello", &mut stream)?;
//! writer.encode(b"world", &mut stream)?;
//!
//! let mut reader = FrameReader::new(LengthPrefix::u16_be(), 1024);
//! let mut frames = Vec::new();
//! for chunk in stream.chunks(4) {
//!     reader.push(chunk, |item| {
//!         frames.extend(item.frame().map(<[u8]>::to_vec));
//!         Flow::Continue
//!     })?;
//! }
//! reader.finish(|_| Flow::Continue)?;
//! assert_eq!(frames, [b"hello", b"world"]);
//! # Ok::<(), soquete::framing::FrameError>(())
//! ```
//!
//! # How it works
//!
//! A [format](Format) finds boundaries and owns no bytes. One [reader](FrameReader) for all formats
//! owns what was left over from before (the leftover), the limit, and the policies. The format sees both
//! the leftover and the chunk that has just arrived, as one [window](Window) that starts at a frame's
//! first byte:
//!
//! ```text
//!   ┌────────────────────── window ───────────────────────┐
//!   │ leftover  │                  chunk                  │
//!   ├───────────┴────────────┬───────────────┬────────────┤
//!   │ frame 1 begins …  ends │    frame 2    │  3 begins  │
//!   └────────────────────────┴───────────────┴────────────┘
//!    └───────────┬──────────┘ └──────┬──────┘ └─────┬────┘
//!     the missing bytes are      lent from      copied to
//!     copied to the leftover,    the chunk      the leftover
//!     and lent from there
//! ```
//!
//! So a frame that lies in the chunk is a slice of the chunk: nothing is copied or allocated for it.
//! Of each chunk, only the end of one frame and the beginning of another are copied, however many
//! frames there are in between.
//!
//! What comes out depends on the bytes alone, and not on how they were cut into chunks; that goes for
//! errors and their offsets as well.
//!
//! # Formats
//!
//! | format | a frame | reads | writes |
//! |---|---|---|---|
//! | [`LengthPrefix`] | a length of 1 to 8 bytes, payload | in pieces on request | wraps |
//! | [`VarintPrefix`] | a length as LEB128 (Protocol Buffers), payload | in pieces on request | wraps |
//! | [`Lines`] | payload, LF or CRLF; also newline-delimited JSON | in pieces on request | wraps |
//! | [`Delimiters`] | payload, one of several byte strings | in pieces on request | wraps |
//! | [`FixedLength`] | payload | in pieces on request | wraps |
//! | [`Netstring`] | `5:hello,` | in pieces on request | wraps |
//! | [`Json`] | a JSON value | in pieces on request | wraps |
//! | [`RecordMark`] | fragments (RFC 5531) | in pieces on request | wraps |
//! | [`ContentLength`] | `Content-Length` in a head of text (LSP, DAP), a body in UTF-8 | whole | wraps |
//! | [`Mqtt`] | a packet of MQTT 3.1.1 or 5 | in pieces on request | wraps |
//! | [`Resp`] | a value of Redis's protocol, version 2 or 3 | in pieces on request | [`RespWriter`] |
//! | [`RespRequests`] | a request to Redis: an array of strings, or words in a line | whole | [`RespWriter`] |
//! | [`DotStuffed`] | lines, and a dot on its own (SMTP DATA, POP3) | unpacks, in pieces on request | encodes |
//! | [`Slip`] | payload with escapes, an end (RFC 1055) | unpacks, in pieces on request | encodes |
//! | [`Hdlc`] | payload with escapes between flags (RFC 1662) | unpacks, in pieces on request | encodes |
//! | [`Cobs`] | payload without its zeros, a zero | decodes | encodes |
//! | [`Proxy`] | a PROXY header, once | whole | |
//! | [`Http`] | a head, or a body | bodies in pieces on request | [`http`] has functions for it |
//! | [`WebSocket`] | a message, or a control frame between two fragments (RFC 6455) | in pieces on request; unmasks, checks | [`websocket::Outgoing`] |
//! | [`Either`] | as of one of two formats | as that one | as that one |
//!
//! A format is a value with its options, and the same value is used for both directions. It has no
//! default for the limit: how long a payload may be is the one thing that only you can know.
//!
//! # Policies
//!
//! | situation | by default | otherwise |
//! |---|---|---|
//! | payload above the limit | [error](FrameError::TooLong) | [`skip_bad_frames`](FrameReader::skip_bad_frames), or [`tell_bad_frames`](FrameReader::tell_bad_frames) |
//! | frame that cannot be unpacked | [error](FrameError::Malformed) | the same |
//! | bytes that are no frame | [error](FrameError::Malformed) | `tell_bad_frames`, and then the error |
//! | input ends inside a frame | [error](FrameError::Truncated) | the same, or the format's `remainder_at_end` |
//! | frame without payload | a frame | `skip_blank`, for lines |
//! | parts without payload | up to 131,072 to a frame | [`max_empty_parts`](FrameReader::max_empty_parts) |
//! | long frame | collected | [`stream_above`](FrameReader::stream_above) |
//! | frame that takes for ever | | [`partial`](FrameReader::partial) and a timer of yours |
//! | another format from here on | | [`Reading::switch`] in the listener, [`FrameReader::switch`] outside; `switch_clean` of both |
//!
//! An error is final: every later call returns the same one, and reads nothing.
//!
//! # What a listener is given
//!
//! The payload, and nothing else: `|frame: &[u8]|` on a socket ([`Socket::frames`](crate::net::Socket::frames)), an
//! [`Item`] where frames come in pieces or are skipped. A listener that needs more takes a [`Reading`] as well
//! ([`push_with`](FrameReader::push_with), [`Feed::next_with`],
//! [`Socket::frame_items_with`](crate::net::Socket::frame_items_with)): the head as it stood, the kind of the frame, its
//! offset, how much has arrived behind it; and by it changes the format behind the item, or tells the format what
//! the bytes do not say. It is made of what the reader has at hand; a listener without it pays nothing.
//!
//! # Memory
//!
//! What a reader holds is proportional to what has arrived, never to what a head promises, and ends at
//! the limit:
//!
//! ```text
//!   leftover  ≤  max(64, limit + overhead)      overhead: the format's longest head and tail
//!                + 2 × unread                   after a stop in front of `unread` bytes
//!   out       ≤  2 × max(64, limit + overhead)  for frames of several parts, and what is
//!                                               unpacked (`Format::unpack` has to bound it)
//!   both      ≤  2 × what has arrived + 64
//! ```
//!
//! For formats that unpack, `limit` stands for their
//! [`raw_limit`](Format::raw_limit). When the reader holds no bytes, each of the two is cut down to
//! what it may [`keep`](FrameReader::keep), 16 KiB.
//!
//! Beside these, a reader is its format and five words, and 40 bytes more if it has policies of its own. What it
//! remembers of an open frame is allocated with it: some 230 bytes, which the reader keeps. A socket keeps none of it
//! between frames: [`Socket::frames`](crate::net::Socket::frames) gives the buffers and the rest back to the loop,
//! and at rest takes the reader, the listener and one word.
//!
//! # A format of your own
//!
//! A format says where a frame ends, and is done: chunks, limits, memory, stops, skipping and pieces
//! are the reader's. This one is of the kind that many text protocols use, a length in decimal digits
//! and the payload, with a CRLF behind each:
//!
//! ```
//! use soquete::framing::{
//!     Cut, Flow, Format, FrameError, FrameReader, FrameWriter, Malformed, Streamable, Window,
//!     Wrap, Wrapping,
//! };
//!
//! #[derive(Clone, Copy, Default)]
//! struct Counted {
//!     /// How many bytes were looked at: the next window starts with the same bytes.
//!     scanned: usize,
//! }
//!
//! /// Twenty digits say any length there is.
//! const LONGEST_HEAD: usize = 22;
//!
//! impl Format for Counted {
//!     fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
//!         let found = window.find(b'\n', self.scanned);
//!         let end = found.unwrap_or(window.len());
//!         if end >= LONGEST_HEAD {
//!             return Err(Malformed::new(0, "length that is too long"));
//!         }
//!         if found.is_none() {
//!             self.scanned = end;
//!             return Ok(Cut::MORE);
//!         }
//!         self.scanned = 0;
//!         let mut payload = 0u64;
//!         for at in 0..end {
//!             match window.get(at) {
//!                 Some(digit @ b'0'..=b'9') => {
//!                     payload = payload.saturating_mul(10);
//!                     payload = payload.saturating_add((digit - b'0').into());
//!                 }
//!                 Some(b'\r') if at > 0 && at + 1 == end => {}
//!                 _ => return Err(Malformed::new(0, "length that is no number")),
//!             }
//!         }
//!         Ok(Cut::Declared { head: end + 1, payload, tail: 2 })
//!     }
//!
//!     fn overhead(&self) -> usize {
//!         LONGEST_HEAD + 2
//!     }
//!
//!     fn check_tail(&mut self, tail: &[u8]) -> Result<(), Malformed> {
//!         match tail {
//!             b"\r\n" => Ok(()),
//!             _ => Err(Malformed::new(0, "payload without its CRLF")),
//!         }
//!     }
//! }
//!
//! /// The payload stands in the stream as it is: long ones may come in pieces.
//! impl Streamable for Counted {}
//!
//! impl Wrap for Counted {
//!     fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
//!         Wrapping::new(format!("{}\r\n", payload.len()).as_bytes(), b"\r\n")
//!     }
//! }
//!
//! let mut stream = Vec::new();
//! FrameWriter::new(Counted::default(), 512)?.encode(b"hello", &mut stream)?;
//! assert_eq!(stream, b"5\r\nhello\r\n");
//!
//! let mut reader = FrameReader::new(Counted::default(), 512);
//! for byte in &stream {
//!     reader.push(&[*byte], |item| {
//!         assert_eq!(item.frame(), Some(&b"hello"[..]));
//!         Flow::Continue
//!     })?;
//! }
//! let error = reader.push(b"513\r\n", |_| Flow::Continue).unwrap_err();
//! assert_eq!(error.to_string(), "frame at offset 10 announces 513 bytes, the limit is 512");
//! # Ok::<(), FrameError>(())
//! ```
//!
//! ## A head and its body
//!
//! Where a listener is to have the head before the body has come, to refuse an upload or to ask for it, the head
//! is a frame of its own and the body the next. [`kind`](Format::kind) tells them apart;
//! [`expects_more`](Format::expects_more) says that the input must not end between them, and that the body is
//! waited for; and [`may_stream`](Format::may_stream) keeps heads whole where bodies come in pieces:
//!
//! ```
//! use soquete::framing::{
//!     Cut, Flow, Format, FrameReader, Item, Malformed, Streamable, Window,
//! };
//!
//! /// A line with the length of the body, and the body.
//! #[derive(Clone, Copy, Default)]
//! struct Message {
//!     scanned: usize,
//!     kind: u8,
//!     /// The length of the body that is due.
//!     body: Option<u64>,
//! }
//!
//! const HEAD: u8 = 0;
//! /// A head that no body follows, so that who gets it need not wait.
//! const HEAD_ALONE: u8 = 1;
//! const BODY: u8 = 2;
//! const LONGEST_HEAD: usize = 12;
//!
//! impl Format for Message {
//!     fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
//!         if let Some(payload) = self.body.take() {
//!             self.kind = BODY;
//!             return Ok(Cut::Declared { head: 0, payload, tail: 0 });
//!         }
//!         self.kind = HEAD;
//!         let mut length = 0;
//!         for at in 0..LONGEST_HEAD {
//!             match window.get(at) {
//!                 None => return Ok(Cut::MORE),
//!                 Some(digit @ b'0'..=b'9') => {
//!                     length = length * 10 + u64::from(digit - b'0');
//!                 }
//!                 Some(b'\n') if at > 0 => {
//!                     self.body = (length > 0).then_some(length);
//!                     self.kind = if length > 0 { HEAD } else { HEAD_ALONE };
//!                     return Ok(Cut::Frame { head: 0, payload: at, tail: 1 });
//!                 }
//!                 Some(_) => return Err(Malformed::new(at, "length that is no number")),
//!             }
//!         }
//!         Err(Malformed::new(LONGEST_HEAD, "length that is too long"))
//!     }
//!
//!     fn overhead(&self) -> usize {
//!         LONGEST_HEAD
//!     }
//!
//!     fn kind(&self) -> u8 {
//!         self.kind
//!     }
//!
//!     fn expects_more(&self) -> bool {
//!         self.body.is_some()
//!     }
//!
//!     fn may_stream(&self) -> bool {
//!         self.kind == BODY
//!     }
//! }
//!
//! impl Streamable for Message {}
//!
//! let mut reader = FrameReader::new(Message::default(), 1 << 20).stream_above(4);
//! let mut seen = Vec::new();
//! for chunk in [&b"1"[..], b"1\n", b"hello ", b"world0\n"] {
//!     reader.push_with(chunk, |item, reading| {
//!         let (Item::Frame(bytes) | Item::Piece { bytes, .. }) = item else { panic!() };
//!         seen.push((reading.kind(), String::from_utf8_lossy(bytes).into_owned()));
//!         Flow::Continue
//!     })?;
//!     if chunk == b"1\n" {
//!         assert_eq!(seen.len(), 1, "the head is there before the body is");
//!         assert!(reader.partial().is_some(), "which is waited for");
//!     }
//! }
//! let seen = seen.iter().map(|(kind, bytes)| (*kind, bytes.as_str())).collect::<Vec<_>>();
//! assert_eq!(seen, [(HEAD, "11"), (BODY, "hello "), (BODY, "world"), (HEAD_ALONE, "0")]);
//! reader.push(b"5\n", |_| Flow::Continue)?;
//! assert!(reader.finish(|_| Flow::Continue).is_err(), "the body is missing");
//! # #[cfg(feature = "fuzzing")]
//! # for limit in [2, 5, 255] {
//! #     for policy in 0..16 {
//! #         let data = [&[0, policy, limit][..], b"3\nabc0\n12\nabcdefghijkl1\nz7\nx"].concat();
//! #         soquete::fuzzing::Trial::new(Message::default()).in_pieces().reads(&data);
//! #     }
//! # }
//! # Ok::<(), soquete::framing::FrameError>(())
//! ```
//!
//! ## Payload that is not what stands in the stream
//!
//! A format that masks, escapes or checks its payload says so by
//! [`unpacks_in_pieces`](Format::unpacks_in_pieces), and is given the bytes between head and tail as they arrive, each
//! once, in pieces of any size. It stores only its own state between two pieces. A piece that stands for
//! itself is lent as it is; the [`Output`] bounds what any other becomes. So long frames can be streamed, parts are
//! put together flat, and no byte is copied more than once:
//!
//! ```
//! use soquete::framing::{
//!     Cut, Flow, Format, FrameReader, Malformed, Output, Streamable, Unpacked, Window,
//! };
//!
//! /// Lines in which `\n` stands for a line end, and `\\` for a backslash.
//! #[derive(Clone, Copy, Default)]
//! struct Escaped {
//!     scanned: usize,
//!     /// The last piece ended with a backslash.
//!     escape: bool,
//! }
//!
//! impl Format for Escaped {
//!     fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
//!         let Some(payload) = window.find(b'\n', self.scanned) else {
//!             self.scanned = window.len();
//!             return Ok(Cut::More { settled: self.scanned });
//!         };
//!         self.scanned = 0;
//!         Ok(Cut::Frame { head: 0, payload, tail: 1 })
//!     }
//!
//!     fn overhead(&self) -> usize {
//!         1
//!     }
//!
//!     fn forget(&mut self, bytes: usize) {
//!         self.scanned -= bytes;
//!     }
//!
//!     /// Every byte may be escaped.
//!     fn raw_limit(&self, limit: usize) -> usize {
//!         limit.saturating_mul(2)
//!     }
//!
//!     fn unpacks_in_pieces(&self) -> bool {
//!         true
//!     }
//!
//!     fn unpack_piece(
//!         &mut self,
//!         raw: &[u8],
//!         last: bool,
//!         out: &mut Output<'_>,
//!     ) -> Result<Unpacked, Malformed> {
//!         if !self.escape && !raw.contains(&b'\\') {
//!             return Ok(Unpacked::AsIs);
//!         }
//!         for (at, &byte) in raw.iter().enumerate() {
//!             match (std::mem::take(&mut self.escape), byte) {
//!                 (true, b'n') => out.push(b'\n'),
//!                 (true, b'\\') => out.push(b'\\'),
//!                 (true, _) => return Err(Malformed::new(at, "escape of another byte")),
//!                 (false, b'\\') => self.escape = true,
//!                 (false, byte) => out.push(byte),
//!             }
//!         }
//!         if last && std::mem::take(&mut self.escape) {
//!             return Err(Malformed::new(raw.len(), "escape of nothing"));
//!         }
//!         Ok(Unpacked::Out)
//!     }
//!
//!     /// The next piece is of another frame.
//!     fn abandon(&mut self) {
//!         self.escape = false;
//!     }
//! }
//!
//! impl Streamable for Escaped {}
//!
//! let mut reader = FrameReader::new(Escaped::default(), 100);
//! let mut frames = Vec::new();
//! for chunk in [&b"two\\"[..], b"nlines\nplain\n"] {
//!     reader.push(chunk, |item| {
//!         frames.extend(item.frame().map(<[u8]>::to_vec));
//!         Flow::Continue
//!     })?;
//! }
//! assert_eq!(frames, [&b"two\nlines"[..], b"plain"]);
//! # #[cfg(feature = "fuzzing")]
//! # for limit in [2, 5, 255] {
//! #     for policy in 0..16 {
//! #         let data = [&[0, policy, limit][..], b"a\\\\b\\nc\nabcdefgh\n\\x\n\\\n\nz\\n"].concat();
//! #         soquete::fuzzing::Trial::new(Escaped::default()).in_pieces().reads(&data);
//! #     }
//! # }
//! # Ok::<(), soquete::framing::FrameError>(())
//! ```
//!
//! A message of several parts is a [`Cut::Part`] for each but the last; what may come between two of them and is a
//! frame of its own is [`Cut::Aside`]. What a format learns from outside (that an answer is to a HEAD request) goes
//! to it through [`Reading::format_mut`], or [`Frames::with_format`](crate::net::Frames::with_format).
//!
//! `soquete::fuzzing::Trial`, which is there for `cargo fuzz` and with the feature `fuzzing`, puts it on
//! trial: `Trial::new(Counted::default()).in_pieces().reads(data)` is a whole fuzz target.

mod advance;
mod body;
mod direct;
mod ending;
mod error;
mod feed;
mod format;
mod formats;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod input;
mod item;
mod joined;
mod leftover;
mod open;
mod output;
mod push;
mod reader;
mod reading;
mod rules;
mod search;
mod state;
mod unpacking;
mod window;
mod writer;

pub use error::FrameError;
pub use feed::Feed;
pub use format::{Cut, Format, Malformed, Streamable, Unpacked};
pub use formats::{
    ByteOrder, Cobs, ContentLength, Delimiters, DotStuffed, Either, FixedLength, Hdlc, Http, Json,
    LengthPrefix, Lines, Mqtt, Netstring, Proxied, Proxy, ProxyHeader, RecordMark, Resp,
    RespArguments, RespChunks, RespItems, RespPairs, RespRequest, RespRequests, RespValue,
    RespVersion, RespWriter, Slip, Tlvs, Transport, VarintPrefix, WebSocket, http, websocket,
};
pub use item::Item;
pub use output::Output;
pub use reader::{Flow, FrameReader, Partial};
pub use reading::Reading;
pub use window::Window;
pub use writer::{Encode, FrameWriter, Wrap, Wrapping};
