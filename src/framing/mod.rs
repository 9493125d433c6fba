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
//! owns what was left over from before (the carry), the limit, and the policies. The format sees both
//! the carry and the chunk that has just arrived, as one [window](Window) that starts at a frame's
//! first byte:
//!
//! ```text
//!            ┌──────────────── window ─────────────────┐
//!    carry   │            chunk                        │
//!   ┌────────┬─────────────┬───────────────┬───────────┐
//!   │ frame 1 begins … ends│    frame 2    │ 3 begins  │
//!   └────────┴─────────────┴───────────────┴───────────┘
//!    └──────────┬─────────┘ └──────┬──────┘ └────┬────┘
//!     the missing bytes are     lent from     copied to
//!     copied to the carry,      the chunk     the carry
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
//! | [`Cobs`] | payload without its zeros, a zero | decodes | encodes |
//! | [`Proxy`] | a PROXY header, once | whole | |
//!
//! A format is a value with its options, and the same value is used for both directions. It has no
//! default for the limit: how long a payload may be is the one thing that only you can know.
//!
//! # Policies
//!
//! | situation | by default | otherwise |
//! |---|---|---|
//! | payload above the limit | [error](FrameError::TooLong) | [`skip_bad_frames`](FrameReader::skip_bad_frames) |
//! | frame that cannot be unpacked | [error](FrameError::Malformed) | the same |
//! | bytes that are no frame | [error](FrameError::Malformed) | |
//! | input ends inside a frame | [error](FrameError::Truncated) | the format's `remainder_at_end` |
//! | frame without payload | a frame | `skip_blank`, for lines |
//! | long frame | collected | [`stream_above`](FrameReader::stream_above) |
//! | frame that takes for ever | | [`partial`](FrameReader::partial) and a timer of yours |
//! | another format from here on | | [`switch`](FrameReader::switch), [`switch_clean`](FrameReader::switch_clean) |
//!
//! An error is final: every later call returns the same one, and reads nothing.
//!
//! # Memory
//!
//! What a reader holds is proportional to what has arrived, never to what a head promises, and ends at
//! the limit:
//!
//! ```text
//!   carry  ≤  max(64, limit + overhead)      overhead: the format's longest head and tail
//!             + 2 × unread                   after a listener has stopped in front of `unread` bytes
//!   out    ≤  2 × max(64, limit)             only for frames of several parts, and for Cobs; what
//!                                            another format unpacks is for it to bound
//!   both   ≤  2 × what has arrived + 64
//! ```
//!
//! For formats that [unpack](Format::unpack), `limit` stands for their
//! [`raw_limit`](Format::raw_limit). When the reader holds no bytes, each of the two is cut down to
//! what it may [`keep`](FrameReader::keep), 16 KiB.
//!
//! # A format of your own
//!
//! A format says where a frame ends, and is done: chunks, limits, memory, stops, skipping and pieces
//! are the reader's. This one is of the kind that many text protocols use, a length in decimal digits
//! and the payload, with a CRLF behind each:
//!
//! ```
//! use soquete::framing::{
//!     Cut, Flow, Format, FrameError, FrameReader, FrameWriter, Malformed, Streamable, Window, Wrap,
//!     Wrapping,
//! };
//!
//! #[derive(Clone, Copy, Default)]
//! struct Counted {
//!     /// How many bytes of the head were looked at: the next window starts with the same bytes.
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
//!                     payload = payload.saturating_mul(10).saturating_add((digit - b'0').into());
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
//!         if tail == b"\r\n" { Ok(()) } else { Err(Malformed::new(0, "payload without its CRLF")) }
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
//! `soquete::fuzzing::Trial`, which is there for `cargo fuzz` and with the feature `fuzzing`, puts it on
//! trial: `Trial::new(Counted::default()).in_pieces().reads(data)` is a whole fuzz target.

mod advance;
mod carry;
mod error;
mod feed;
mod format;
mod formats;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod intake;
mod output;
mod reader;
mod reading;
mod seam;
mod search;
mod state;
mod unpacking;
mod window;
mod writer;

pub use error::FrameError;
pub use feed::{Feed, Item};
pub use format::{Cut, Format, Malformed, Streamable, Unpacked};
pub use formats::{
    ByteOrder, Cobs, Delimiters, Either, FixedLength, Json, LengthPrefix, Lines, Netstring,
    Proxied, Proxy, ProxyHeader, RecordMark, Tlvs, Transport, VarintPrefix,
};
pub use output::Output;
pub use reader::{Flow, FrameReader, Partial};
pub use reading::Reading;
pub use window::Window;
pub use writer::{Encode, FrameWriter, Wrap, Wrapping};
