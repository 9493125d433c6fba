//! WebSocket (RFC 6455): messages and frames, both ways, and the handshake in front of them.
//!
//! | | |
//! |---|---|
//! | reading | [`WebSocket`], a format: messages, put together and unmasked, with pings, pongs and closes between them |
//! | writing | [`Outgoing`], which a server uses as it is, and a client [masked](Outgoing::masked) |
//! | ending | [`Close`], the code and the reason; [`close_code`], the code that answers an error |
//! | beginning | [`Upgrade`], the request as a server checks it; [`accept_key`], [`client_key`] and [`check_answer`] |
//!
//! A server that sends every message back:
//!
//! ```
//! use soquete::framing::websocket::{self, Close, Outgoing, WebSocket};
//! use soquete::framing::{Encode, Flow, FrameError, FrameReader, Item};
//!
//! /// Reads `chunk`; appends to `answer` what is to be sent. False once it is over.
//! fn echo(reader: &mut FrameReader<WebSocket>, chunk: &[u8], answer: &mut Vec<u8>) -> bool {
//!     let read = reader.push_with(chunk, |item, reading| {
//!         let Item::Frame(payload) = item else { return Flow::Continue };
//!         let outgoing = match reading.kind() {
//!             websocket::TEXT => Outgoing::text(),
//!             websocket::BINARY => Outgoing::binary(),
//!             websocket::PING => Outgoing::pong(),
//!             websocket::CLOSE => Outgoing::close(),
//!             _ => return Flow::Continue,
//!         };
//!         // What was read in these frames can be written in them.
//!         outgoing.encode(payload, answer).expect("the same payload");
//!         if reading.kind() == websocket::CLOSE { Flow::Stop } else { Flow::Continue }
//!     });
//!     match read {
//!         Ok(flow) => flow == Flow::Continue,
//!         Err(error) => {
//!             let close = Close { code: websocket::close_code(error), reason: "" };
//!             Outgoing::close().encode(&close.to_payload().unwrap(), answer).unwrap();
//!             false
//!         }
//!     }
//! }
//!
//! let mut reader = FrameReader::new(WebSocket::server(), 1 << 20);
//! let mut answer = Vec::new();
//! // "Hello", as in section 5.7: masked, in one frame.
//! assert!(echo(&mut reader, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", &mut answer));
//! assert_eq!(answer, b"\x81\x05Hello");
//! answer.clear();
//! // A frame that is not masked.
//! assert!(!echo(&mut reader, b"\x81\x05Hello", &mut answer));
//! assert_eq!(answer, b"\x88\x02\x03\xea", "1002");
//! # Ok::<(), FrameError>(())
//! ```

mod accept;
mod close;
mod handshake;
mod mask;
mod outgoing;
mod text;

pub use accept::{accept_key, client_key};
pub use close::{Close, close_code};
pub use handshake::{Refusal, Upgrade, check_answer};
pub use outgoing::{Masked, Outgoing};

use super::super::{Cut, Format, Malformed, Output, Streamable, Unpacked, Window};
use close::Saying;
use mask::Mask;
use text::Text;

/// The kind of a frame that goes on with a message. Only where [each frame](WebSocket::each_frame) is an item.
pub const CONTINUATION: u8 = 0x0;
/// The kind of a message of text: its payload is UTF-8.
pub const TEXT: u8 = 0x1;
/// The kind of a message of bytes.
pub const BINARY: u8 = 0x2;
/// The kind of the frame that ends a connection: see [`Close`].
pub const CLOSE: u8 = 0x8;
/// The kind of a frame that asks for a pong.
pub const PING: u8 = 0x9;
/// The kind of a frame that answers a ping, with the same payload.
pub const PONG: u8 = 0xa;

/// The most bytes of payload that a close, a ping or a pong can have (section 5.5).
pub const LONGEST_CONTROL: usize = 125;

const LAST: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;

const MALFORMED_TEXT: &str = "text that is not UTF-8 (RFC 6455, section 8.1)";
const UNFINISHED_TEXT: &str = "text that ends inside a character (RFC 6455, section 8.1)";
const LONG_FRAME: &str = "frame above its limit";
const MANY_FRAGMENTS: &str = "message of too many fragments";

/// Messages over WebSocket, as one side reads them.
///
/// ```text
///   FIN, opcode │ length, 1 to 9 bytes │ key, 4 bytes, of clients │ payload, masked with it
/// ```
///
/// An item is a message, its fragments joined and its mask taken off, or a control frame; a control frame between two
/// fragments comes when it stands there. [`Reading::kind`](super::super::Reading::kind) tells them apart: [`TEXT`],
/// [`BINARY`], [`CLOSE`], [`PING`], [`PONG`]. The reader's limit is on the message. Messages above
/// [`stream_above`](super::super::FrameReader::stream_above) come in pieces as they arrive, control frames never do.
///
/// All that RFC 6455 forbids is an error, at the first byte that shows it; text that is not UTF-8 as soon as the byte
/// has arrived that makes it so, wherever frames and fragments end. [`close_code`] says how to answer. Extensions are
/// not spoken, so reserved bits are errors as well.
///
/// ```
/// use soquete::framing::websocket::{self, WebSocket};
/// use soquete::framing::{Flow, FrameReader};
///
/// let mut reader = FrameReader::new(WebSocket::client(), 1 << 20);
/// let mut seen = Vec::new();
/// // A text in two fragments, with a ping between them.
/// for chunk in [&b"\x01\x03Hel\x89\x01"[..], b"!\x80\x02lo"] {
///     reader.push_with(chunk, |item, reading| {
///         seen.push((reading.kind(), item.frame().unwrap_or_default().to_vec()));
///         Flow::Continue
///     })?;
/// }
/// assert_eq!(seen, [(websocket::PING, b"!".to_vec()), (websocket::TEXT, b"Hello".to_vec())]);
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocket {
    from_clients: bool,
    each_frame: bool,
    max_frame: u64,
    max_fragments: u32,
    /// The opcode of the message that is open; 0 for none.
    open: u8,
    kind: u8,
    /// The frame at hand ends its message.
    last: bool,
    /// Fragments of the message that is open.
    fragments: u32,
    mask: Mask,
    /// The text so far; `None` for a message that is none, or of which a part was dropped.
    text: Option<Text>,
    /// What the close frame at hand says so far; `None` for any other.
    saying: Option<Saying>,
}

impl WebSocket {
    /// What clients send to a server: every frame has to be masked.
    pub const fn server() -> Self {
        Self::new(true)
    }

    /// What a server sends to its clients: no frame may be masked.
    pub const fn client() -> Self {
        Self::new(false)
    }

    const fn new(from_clients: bool) -> Self {
        Self {
            from_clients,
            each_frame: false,
            max_frame: u64::MAX,
            max_fragments: 1 << 17,
            open: 0,
            kind: 0,
            last: false,
            fragments: 0,
            mask: Mask::NONE,
            text: None,
            saying: None,
        }
    }

    /// The most bytes of payload that one frame may have; by default only the message has a limit, which is the
    /// reader's.
    #[must_use]
    pub const fn max_frame(mut self, bytes: u64) -> Self {
        self.max_frame = bytes;
        self
    }

    /// The most fragments that a message may have, those without payload included; 131,072 by default. They
    /// cost a few bytes each and may be empty, so that without a limit a peer could send them for ever.
    #[must_use]
    pub const fn max_fragments(mut self, most: u32) -> Self {
        self.max_fragments = most;
        self
    }

    /// Every frame is an item, and messages are not put together: for what forwards frames as they come. Their
    /// kinds are the opcodes, [`CONTINUATION`] included; the first byte of
    /// [`Reading::head`](super::super::Reading::head) has its most significant bit set where a message ends. The
    /// reader's limit is on the frame then, and a message has no limit but that of its fragments' number. Text is
    /// checked across the frames, as ever.
    #[must_use]
    pub const fn each_frame(mut self) -> Self {
        self.each_frame = true;
        self
    }

    /// Whether a message has begun and not ended.
    pub const fn inside_message(&self) -> bool {
        self.open != 0
    }

    /// What is wrong with a frame's first byte.
    #[inline]
    fn check_first(&self, first: u8) -> Result<(), Malformed> {
        let what = match (first & OPCODE, self.open) {
            _ if first & RESERVED != 0 => "reserved bit (RFC 6455, section 5.2)",
            (CONTINUATION, 1..) | (TEXT | BINARY, 0) => return Ok(()),
            (CLOSE | PING | PONG, _) if first & LAST != 0 => return Ok(()),
            (CONTINUATION, 0) => "continuation of no message (RFC 6455, section 5.4)",
            (TEXT | BINARY, _) => "message inside another one (RFC 6455, section 5.4)",
            (CLOSE | PING | PONG, _) => "control frame in fragments (RFC 6455, section 5.5)",
            _ => "reserved opcode (RFC 6455, section 5.2)",
        };
        Err(Malformed::new(0, what))
    }

    /// The length of the payload, and where in the frame it stands behind; `None` if not all of it is there.
    #[inline]
    fn length(
        window: Window<'_>,
        second: u8,
        opcode: u8,
    ) -> Result<Option<(u64, usize)>, Malformed> {
        let not_shortest = Malformed::new(
            2,
            "length in more bytes than necessary (RFC 6455, section 5.2)",
        );
        match second & LENGTH {
            126.. if opcode >= CLOSE => {
                let what = "control frame of more than 125 bytes (RFC 6455, section 5.5)";
                Err(Malformed::new(1, what))
            }
            126 => match window.array(2).map(u16::from_be_bytes) {
                None => Ok(None),
                Some(0..126) => Err(not_shortest),
                Some(length) => Ok(Some((length.into(), 4))),
            },
            127 => match window.array(2).map(u64::from_be_bytes) {
                None => Ok(None),
                Some(0..=0xffff) => Err(not_shortest),
                Some(length) if length >> 63 != 0 => {
                    let what = "length of more than 63 bits (RFC 6455, section 5.2)";
                    Err(Malformed::new(2, what))
                }
                Some(length) => Ok(Some((length, 10))),
            },
            1 if opcode == CLOSE => {
                let what = "close frame with half a code (RFC 6455, section 5.5.1)";
                Err(Malformed::new(1, what))
            }
            length => Ok(Some((length.into(), 2))),
        }
    }

    /// Takes note of a frame whose head is complete.
    #[inline]
    fn begin(&mut self, opcode: u8, last: bool) {
        let begins = opcode != CONTINUATION;
        self.last = last;
        if begins {
            self.text = (opcode == TEXT).then(Text::default);
            self.fragments = 0;
        }
        self.fragments += 1;
        let message = if begins { opcode } else { self.open };
        self.open = if last { 0 } else { message };
        self.kind = if self.each_frame { opcode } else { message };
    }

    /// Text, unmasked and checked.
    fn unpack_text(
        &mut self,
        raw: &[u8],
        ends: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        let as_is = self.mask.is_none();
        let Some(text) = &mut self.text else {
            return Ok(Unpacked::AsIs);
        };
        let from = out.len();
        let wrong = if as_is {
            text.check(raw)
        } else {
            self.mask.apply(raw, out);
            text.check(out.behind(from))
        };
        let malformed = match wrong {
            Some(at) => Malformed::new(at, MALFORMED_TEXT),
            None if ends && !text.is_whole() => Malformed::new(raw.len(), UNFINISHED_TEXT),
            None if as_is => return Ok(Unpacked::AsIs),
            None => return Ok(Unpacked::Out),
        };
        match as_is {
            true => out.extend_from_slice(&raw[..malformed.at]),
            false => out.truncate(from + malformed.at),
        }
        Err(malformed)
    }

    /// A control frame, which is short, but comes in pieces as well.
    fn unpack_control(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        let from = out.len();
        let (payload, unpacked) = if self.mask.is_none() {
            (raw, Unpacked::AsIs)
        } else {
            self.mask.apply(raw, out);
            (out.behind(from), Unpacked::Out)
        };
        if let Some(saying) = &mut self.saying {
            if let Some((at, what)) = saying.check(payload) {
                return Err(Malformed::new(at, what));
            }
            if last && !saying.is_whole() {
                return Err(Malformed::new(raw.len(), UNFINISHED_TEXT));
            }
        }
        Ok(unpacked)
    }
}

impl Format for WebSocket {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let Some([first, second]) = window.array(0) else {
            let Some(first) = window.get(0) else {
                return Ok(Cut::MORE);
            };
            self.kind = first & OPCODE;
            return self.check_first(first).map(|()| Cut::MORE);
        };
        let (opcode, last) = (first & OPCODE, first & LAST != 0);
        self.kind = opcode;
        self.check_first(first)?;
        match (second & MASKED != 0, self.from_clients) {
            (true, true) | (false, false) => {}
            (false, true) => {
                let what = "frame of a client that is not masked (RFC 6455, section 5.1)";
                return Err(Malformed::new(1, what));
            }
            (true, false) => {
                let what = "frame of a server that is masked (RFC 6455, section 5.1)";
                return Err(Malformed::new(1, what));
            }
        }
        let Some((payload, mut head)) = Self::length(window, second, opcode)? else {
            return Ok(Cut::MORE);
        };
        if payload > self.max_frame {
            return Err(Malformed::new(1, LONG_FRAME));
        }
        if opcode == CONTINUATION && self.fragments >= self.max_fragments {
            return Err(Malformed::new(0, MANY_FRAGMENTS));
        }
        self.mask = Mask::NONE;
        if self.from_clients {
            let Some(key) = window.array(head) else {
                return Ok(Cut::MORE);
            };
            self.mask = Mask::new(key);
            head += 4;
        }
        let tail = 0;
        if opcode >= CLOSE {
            self.saying = (opcode == CLOSE).then(Saying::default);
            return Ok(Cut::Aside {
                head,
                payload,
                tail,
            });
        }
        self.begin(opcode, last);
        Ok(match last || self.each_frame {
            true => Cut::Declared {
                head,
                payload,
                tail,
            },
            false => Cut::Part {
                head,
                payload,
                tail,
            },
        })
    }

    fn overhead(&self) -> usize {
        14
    }

    #[inline]
    fn kind(&self) -> u8 {
        self.kind
    }

    fn expects_more(&self) -> bool {
        self.each_frame && self.open != 0
    }

    fn may_stream(&self) -> bool {
        self.kind < CLOSE
    }

    #[inline]
    fn unpacks_in_pieces(&self) -> bool {
        true
    }

    #[inline]
    fn unpack_piece(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        if self.kind >= CLOSE {
            return self.unpack_control(raw, last, out);
        }
        if self.text.is_some() {
            return self.unpack_text(raw, last && self.last, out);
        }
        if self.mask.is_none() {
            return Ok(Unpacked::AsIs);
        }
        self.mask.apply(raw, out);
        Ok(Unpacked::Out)
    }

    /// Of a message that has a hole the rest cannot be checked.
    fn abandon(&mut self) {
        if self.kind < CLOSE {
            self.text = None;
        }
    }
}

impl Streamable for WebSocket {}
