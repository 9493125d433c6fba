//! Frames to send.

use super::super::super::{Encode, FrameError, Output, Wrap, Wrapping};
use super::close::check_sendable;
use super::mask::Mask;
use super::{BINARY, CLOSE, CONTINUATION, LAST, LONGEST_CONTROL, MASKED, PING, PONG, TEXT};

/// What kind of frame a payload is sent as: the writing half of WebSocket.
///
/// As it is, it writes frames as a server sends them; a client's are [`masked`](Self::masked). By
/// [`FrameWriter`](super::super::super::FrameWriter) and [`Socket::write_frame`](crate::net::Socket::write_frame) a
/// payload is sent without being copied; a frame that many are to get is [encoded](Encode::encode) once.
///
/// ```
/// use soquete::framing::websocket::Outgoing;
/// use soquete::framing::{Encode, FrameWriter};
///
/// let writer = FrameWriter::new(Outgoing::text(), 1 << 20)?;
/// assert_eq!(writer.wrap(b"Hello")?.head(), b"\x81\x05");
///
/// let mut fragments = Vec::new();
/// Outgoing::text().unfinished().encode(b"Hel", &mut fragments)?;
/// Outgoing::continuation().encode(b"lo", &mut fragments)?;
/// assert_eq!(fragments, b"\x01\x03Hel\x80\x02lo");
/// assert!(Outgoing::text().encode(b"\xff", &mut fragments).is_err(), "no text");
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    opcode: u8,
    last: bool,
}

impl Outgoing {
    /// A message of text, or its first fragment.
    pub const fn text() -> Self {
        Self::of(TEXT)
    }

    /// A message of bytes, or its first fragment.
    pub const fn binary() -> Self {
        Self::of(BINARY)
    }

    /// Another fragment of a message, the last one unless it is [unfinished](Self::unfinished).
    pub const fn continuation() -> Self {
        Self::of(CONTINUATION)
    }

    /// A question whether the peer is there. It has to answer with the same payload, of at most 125 bytes.
    pub const fn ping() -> Self {
        Self::of(PING)
    }

    /// The answer to a ping, with its payload.
    pub const fn pong() -> Self {
        Self::of(PONG)
    }

    /// The last frame to be sent. Its payload is that of a [`Close`](super::Close), or empty.
    pub const fn close() -> Self {
        Self::of(CLOSE)
    }

    const fn of(opcode: u8) -> Self {
        Self { opcode, last: true }
    }

    /// More fragments of the message follow. A control frame has none, and stays what it is.
    #[must_use]
    pub const fn unfinished(mut self) -> Self {
        self.last = self.opcode >= CLOSE;
        self
    }

    /// Such frames as a client sends them: each is masked with a key of its own, which `key` gives.
    ///
    /// Whoever controls a payload must not be able to guess the key (RFC 6455, section 10.3), so that `key` is to
    /// come from a good source of random numbers. The standard library has one that will do:
    ///
    /// ```
    /// use soquete::framing::Encode;
    /// use soquete::framing::websocket::Outgoing;
    /// use std::hash::{BuildHasher, RandomState};
    ///
    /// fn key() -> [u8; 4] {
    ///     let random = RandomState::new().hash_one(());
    ///     (random as u32).to_ne_bytes()
    /// }
    ///
    /// let mut frame = Vec::new();
    /// Outgoing::text().masked(key).encode(b"Hello", &mut frame)?;
    /// assert_eq!((frame.len(), &frame[..2]), (11, &b"\x81\x85"[..]));
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    pub fn masked<K: Fn() -> [u8; 4]>(self, key: K) -> Masked<K> {
        Masked {
            outgoing: self,
            key,
        }
    }

    const fn longest(self) -> u64 {
        match self.opcode {
            CLOSE.. => LONGEST_CONTROL as u64,
            _ => u64::MAX >> 1,
        }
    }

    /// Whether the peer would take it.
    fn check(self, payload: &[u8]) -> Result<(), FrameError> {
        let (len, max) = (payload.len() as u64, self.longest());
        if len > max {
            return Err(FrameError::Unrepresentable { len, max });
        }
        match self.opcode {
            CLOSE => check_sendable(payload),
            // A fragment may end inside a character.
            TEXT if self.last => std::str::from_utf8(payload).map(drop).map_err(|error| {
                let (at, what) = (error.valid_up_to(), super::MALFORMED_TEXT);
                FrameError::NotOneFrame { at, what }
            }),
            _ => Ok(()),
        }
    }

    /// The head for a payload of `len` bytes, and how many of these bytes it takes.
    #[inline]
    fn head(self, len: usize, masked: u8) -> ([u8; 10], usize) {
        let mut head = [0; 10];
        head[0] = self.opcode | if self.last { LAST } else { 0 };
        let (short, width) = match len {
            0..126 => (len as u8, 2),
            126..=0xffff => {
                head[2..4].copy_from_slice(&(len as u16).to_be_bytes());
                (126, 4)
            }
            _ => {
                head[2..].copy_from_slice(&(len as u64).to_be_bytes());
                (127, 10)
            }
        };
        head[1] = masked | short;
        (head, width)
    }
}

impl Wrap for Outgoing {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        self.check(payload)?;
        let (head, width) = self.head(payload.len(), 0);
        Wrapping::new(&head[..width], &[])
    }

    fn max_payload(&self) -> u64 {
        self.longest()
    }
}

/// Frames as a client sends them: see [`Outgoing::masked`].
#[derive(Clone, Copy, Debug)]
pub struct Masked<K> {
    outgoing: Outgoing,
    key: K,
}

impl<K: Fn() -> [u8; 4]> Encode for Masked<K> {
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        self.outgoing.check(payload)?;
        let (head, width) = self.outgoing.head(payload.len(), MASKED);
        let key = (self.key)();
        out.reserve(width + key.len() + payload.len());
        out.extend_from_slice(&head[..width]);
        out.extend_from_slice(&key);
        Mask::new(key).apply(payload, &mut Output::new(out, payload.len()));
        Ok(())
    }

    fn max_payload(&self) -> u64 {
        self.outgoing.longest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_few_bytes_as_they_can() {
        let head = |len: usize| {
            let (head, width) = Outgoing::binary().head(len, 0);
            head[..width].to_vec()
        };
        assert_eq!(head(125), b"\x82\x7d");
        assert_eq!(head(126), b"\x82\x7e\x00\x7e");
        assert_eq!(head(65_535), b"\x82\x7e\xff\xff");
        assert_eq!(head(65_536), b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
    }

    #[test]
    fn the_masked_hello_of_the_rfc() {
        let mut frame = vec![];
        let masked = Outgoing::text().masked(|| [0x37, 0xfa, 0x21, 0x3d]);
        masked.encode(b"Hello", &mut frame).unwrap();
        assert_eq!(frame, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    }

    #[test]
    fn control_frames_are_short_and_whole() {
        let ping = Outgoing::ping().unfinished();
        assert_eq!(ping, Outgoing::ping());
        assert_eq!(
            ping.wrap(&[0; 126]),
            Err(FrameError::Unrepresentable { len: 126, max: 125 })
        );
        assert!(matches!(
            Outgoing::close().wrap(b"\x03"),
            Err(FrameError::NotOneFrame { at: 0, .. })
        ));
        assert!(Outgoing::close().wrap(b"").is_ok());
    }
}
