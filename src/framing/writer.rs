//! The writing side: a head and a tail around a payload that stays where it is.

use super::FrameError;

/// The writing half of a format that puts something in front of a payload and behind it.
///
/// The same value that cuts a stream into frames wraps payloads, so that both directions agree.
pub trait Wrap {
    /// Head and tail for `payload`.
    ///
    /// # Errors
    ///
    /// [`FrameError::Unrepresentable`] if the payload is too long (or, for some formats, too short),
    /// [`FrameError::NotOneFrame`] if it would not be read back as it is.
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError>;

    /// The longest payload that the format can express.
    fn max_payload(&self) -> u64 {
        u64::MAX
    }
}

/// The writing half of any format: appends frames to a buffer. Every [`Wrap`] is one; formats that
/// change the payload implement it themselves.
pub trait Encode {
    /// Appends `payload` as a frame to `out`. On an error, nothing is appended.
    ///
    /// ```
    /// use soquete::framing::{Cobs, Encode};
    ///
    /// let mut out = Vec::new();
    /// Cobs::new().encode(b"a\0b", &mut out)?;
    /// assert_eq!(out, [2, b'a', 2, b'b', 0]);
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Wrap::wrap`].
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError>;

    /// The longest payload that the format can express.
    fn max_payload(&self) -> u64 {
        u64::MAX
    }
}

impl<F: Wrap> Encode for F {
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        let wrapping = self.wrap(payload)?;
        out.reserve(wrapping.len() + payload.len());
        for part in wrapping.around(payload) {
            out.extend_from_slice(part);
        }
        Ok(())
    }

    fn max_payload(&self) -> u64 {
        Wrap::max_payload(self)
    }
}

/// What goes in front of a payload and behind it, held in place, without an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrapping {
    bytes: [u8; 2 * Self::MAX],
    head: u8,
    tail: u8,
}

impl Wrapping {
    /// The most bytes that a head, and that a tail, can have.
    pub const MAX: usize = 32;

    /// These two.
    ///
    /// ```
    /// use soquete::framing::Wrapping;
    ///
    /// let quotes = Wrapping::new(b"<", b">")?;
    /// assert_eq!(quotes.around(b"text").concat(), b"<text>");
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidFormat`] if one is longer than [`MAX`](Self::MAX) bytes.
    pub fn new(head: &[u8], tail: &[u8]) -> Result<Self, FrameError> {
        if head.len() > Self::MAX || tail.len() > Self::MAX {
            return Err(FrameError::InvalidFormat {
                what: "head or tail longer than 32 bytes",
            });
        }
        let mut bytes = [0; 2 * Self::MAX];
        bytes[..head.len()].copy_from_slice(head);
        bytes[head.len()..head.len() + tail.len()].copy_from_slice(tail);
        Ok(Self {
            bytes,
            head: head.len() as u8,
            tail: tail.len() as u8,
        })
    }

    /// The first `width` of these bytes in front, the others being 0, and nothing behind.
    #[inline]
    pub(super) fn field(field: [u8; 8], width: usize) -> Self {
        let mut bytes = [0; 2 * Self::MAX];
        // All eight at once, whose number the compiler knows.
        bytes[..8].copy_from_slice(&field);
        Self {
            bytes,
            head: width.min(8) as u8,
            tail: 0,
        }
    }

    /// The bytes in front.
    pub fn head(&self) -> &[u8] {
        &self.bytes[..self.head.into()]
    }

    /// The bytes behind.
    pub fn tail(&self) -> &[u8] {
        &self.bytes[self.head.into()..self.len()]
    }

    /// How many bytes head and tail have together.
    pub fn len(&self) -> usize {
        usize::from(self.head) + usize::from(self.tail)
    }

    /// Whether both are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The frame as three slices, for one vectored write.
    pub fn around<'a>(&'a self, payload: &'a [u8]) -> [&'a [u8]; 3] {
        [self.head(), payload, self.tail()]
    }
}

/// Makes frames of payloads, with a limit that means the same as the reader's.
///
/// ```
/// use soquete::framing::{FrameWriter, LengthPrefix};
///
/// let writer = FrameWriter::new(LengthPrefix::u16_be(), 1024)?;
/// let frame = writer.wrap(b"hello")?;
/// assert_eq!(frame.around(b"hello").concat(), b"\x00\x05hello");
///
/// // A limit beyond what the length field can say is found out at once.
/// assert!(FrameWriter::new(LengthPrefix::u8(), 256).is_err());
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FrameWriter<F> {
    format: F,
    limit: usize,
}

impl<F: Encode> FrameWriter<F> {
    /// A writer of frames with up to `limit` bytes of payload.
    ///
    /// ```
    /// use soquete::framing::{FrameWriter, LengthPrefix};
    ///
    /// let writer = FrameWriter::new(LengthPrefix::u16_be(), 1024)?;
    /// assert!(FrameWriter::new(LengthPrefix::u8(), 256).is_err());
    /// # drop(writer);
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FrameError::Unrepresentable`] if the format has no way to say so much.
    pub fn new(format: F, limit: usize) -> Result<Self, FrameError> {
        let (len, max) = (limit as u64, format.max_payload());
        if len > max {
            return Err(FrameError::Unrepresentable { len, max });
        }
        Ok(Self { format, limit })
    }

    /// Appends `payload` as a frame to `out`. On an error, nothing is appended.
    ///
    /// ```
    /// use soquete::framing::{FrameWriter, Netstring};
    ///
    /// let mut out = Vec::new();
    /// FrameWriter::new(Netstring::new(), 80)?.encode(b"hello", &mut out)?;
    /// assert_eq!(out, b"5:hello,");
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Wrap::wrap`]; the limit counts as the longest possible payload.
    pub fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        self.check(payload)?;
        self.format.encode(payload, out)
    }

    /// Head and tail for `payload`, which is not copied.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    #[inline]
    pub fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError>
    where
        F: Wrap,
    {
        self.check(payload)?;
        self.format.wrap(payload)
    }

    #[inline]
    fn check(&self, payload: &[u8]) -> Result<(), FrameError> {
        if payload.len() > self.limit {
            let (len, max) = (payload.len() as u64, self.limit as u64);
            return Err(FrameError::Unrepresentable { len, max });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::Lines;

    #[test]
    fn the_limit_is_on_the_payload() {
        let writer = FrameWriter::new(Lines::crlf(), 3).unwrap();
        let mut out = b"kept ".to_vec();
        writer.encode(b"abc", &mut out).unwrap();
        assert_eq!(out, b"kept abc\r\n");
        let error = writer.encode(b"abcd", &mut out).unwrap_err();
        assert_eq!(error, FrameError::Unrepresentable { len: 4, max: 3 });
        assert_eq!(out, b"kept abc\r\n", "nothing was appended");
    }

    #[test]
    fn heads_and_tails_have_a_longest() {
        let longest = [7; Wrapping::MAX];
        let wrapping = Wrapping::new(&longest, &longest).unwrap();
        assert_eq!(wrapping.around(b"x").concat().len(), 65);
        assert!(Wrapping::new(&[7; 33], b"").is_err());
        assert!(Wrapping::new(b"", &[7; 33]).is_err());
    }
}
