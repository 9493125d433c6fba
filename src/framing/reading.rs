//! What a listener learns about an item besides its bytes, and what it can do with the stream behind it.

use super::rules::Rules;
use super::{Format, FrameError};

/// The reading of a stream at the moment of an item: where the item stands, what its format says of it, and how the
/// stream is to be read from here on.
///
/// [`FrameReader::push_with`](super::FrameReader::push_with) gives it to its listener, and
/// [`Feed::next_with`](super::Feed::next_with) returns it, each with the item.
///
/// A head that says how long the body is, without the bytes behind it being copied:
///
/// ```
/// use soquete::framing::{Either, FixedLength, Flow, FrameReader, Lines};
///
/// let mut reader = FrameReader::new(Either::A(Lines::new()), 80);
/// let mut bodies = Vec::new();
/// reader.push_with(b"5\nhello3\nbye", |item, mut reading| {
///     let Some(frame) = item.frame() else { return Flow::Continue };
///     let next = match reading.format() {
///         Either::A(_) => {
///             let length = std::str::from_utf8(frame).unwrap().parse().unwrap();
///             Either::B(FixedLength::new(length).unwrap())
///         }
///         Either::B(_) => {
///             bodies.push(frame.to_vec());
///             Either::A(Lines::new())
///         }
///     };
///     reading.switch(next, 80).expect("the frame has ended");
///     Flow::Continue
/// })?;
/// assert_eq!(bodies, [&b"hello"[..], b"bye"]);
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Reading<'a, F> {
    pub(super) format: &'a mut F,
    pub(super) rules: &'a mut Rules,
    pub(super) head: &'a [u8],
    pub(super) at: u64,
    pub(super) next: u64,
    pub(super) unread: usize,
    pub(super) inside: bool,
}

impl<'a, F: Format> Reading<'a, F> {
    /// What kind of frame the item is (or is a piece of, or was), in the format's own numbers.
    #[inline]
    pub fn kind(&self) -> u8 {
        self.format.kind()
    }

    /// The bytes in front of the frame's payload, as they stood in the stream: a type, flags, the length. Of a frame
    /// in several parts they are the first part's. They come with the first piece of a frame that comes in
    /// pieces. The slice is empty for an item that has none.
    #[inline]
    pub fn head(&self) -> &'a [u8] {
        self.head
    }

    /// Stream offset of the frame's first byte.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// How many bytes have arrived behind the item.
    #[inline]
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// The format.
    #[inline]
    pub fn format(&self) -> &F {
        self.format
    }

    /// The format, to tell it what the bytes do not say: that the next answer is to a HEAD request, say. Its
    /// cursor has to stay where it is.
    #[inline]
    pub fn format_mut(&mut self) -> &mut F {
        self.format
    }

    /// From here on the stream is read in another format, and with another limit. The reader's policies
    /// stay. No byte is copied for it.
    ///
    /// The other format is of the same type: [`Either`](super::Either) makes one type of two, and a
    /// `Box<dyn Format>` is any. For another listener as well, see
    /// [`Socket::frames`](crate::net::Socket::frames).
    ///
    /// ```
    /// use soquete::framing::{Either, FixedLength, Flow, FrameReader, Lines};
    ///
    /// let mut frames = Vec::new();
    /// let mut reader = FrameReader::new(Either::A(Lines::new()), 80);
    /// reader.push_with(b"raw\n1234", |item, mut reading| {
    ///     frames.extend(item.frame().map(<[u8]>::to_vec));
    ///     let four_bytes = FixedLength::new(4).expect("not 0");
    ///     reading.switch(Either::B(four_bytes), 4).expect("the line has ended");
    ///     Flow::Continue
    /// })?;
    /// assert_eq!(frames, [&b"raw"[..], b"1234"]);
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FrameError::InsideFrame`] if the frame has not ended: the item is a piece of it and not the last one, or
    /// it came between two parts of another frame.
    #[inline]
    pub fn switch(&mut self, format: F, limit: usize) -> Result<(), FrameError> {
        if self.inside {
            return Err(FrameError::InsideFrame { at: self.at });
        }
        self.rules.set_limit(limit);
        *self.format = format;
        Ok(())
    }

    /// As [`switch`](Self::switch), but refuses if a single byte has arrived behind the item.
    ///
    /// ```
    /// use soquete::framing::{Flow, FrameReader, Lines};
    ///
    /// let mut reader = FrameReader::new(Lines::new(), 80);
    /// reader.push_with(b"STARTTLS\nsmuggled", |_, mut reading| {
    ///     assert!(reading.switch_clean(Lines::crlf(), 80).is_err());
    ///     Flow::Stop
    /// })?;
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As `switch`, and [`FrameError::UnexpectedRest`].
    pub fn switch_clean(&mut self, format: F, limit: usize) -> Result<(), FrameError> {
        self.clean()?;
        self.switch(format, limit)
    }

    /// Refuses if a single byte has arrived behind the item: for STARTTLS and its kin, in front of whatever is to
    /// take the stream over. What was pipelined was not protected by the handshake, and must not be taken for what
    /// comes after it.
    ///
    /// # Errors
    ///
    /// [`FrameError::UnexpectedRest`].
    pub fn clean(&self) -> Result<(), FrameError> {
        match self.unread {
            0 => Ok(()),
            have => Err(FrameError::UnexpectedRest {
                at: self.next,
                have,
            }),
        }
    }
}
