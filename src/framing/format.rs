//! The trait that a format implements.

use super::{Output, Window};

/// Finds where the frames of a format end. Owns no bytes.
///
/// The [reader](super::FrameReader) keeps the bytes, applies the limit and the policies, and asks the
/// format one question: given the bytes from a frame's first one on, where does the frame end? All
/// that a format has to keep between two questions is a cursor, so that it does not look at the same
/// bytes again. The module's documentation has a [complete example](super#a-format-of-your-own).
///
/// # Rules
///
/// - The window passed to [`cut`](Self::cut) starts at the first byte of a frame (or of a
///   [part](Cut::Part) of it) and only grows until an answer other than [`Cut::More`] was given. After
///   such an answer the next window starts behind the bytes that the answer accounts for: reset the
///   cursor.
/// - The answer must depend on the bytes alone, not on how much of them has arrived: a prefix of a
///   window may make the format say `More`, but never anything that a longer window would contradict.
/// - `More` that does not [settle](Cut::More::settled) the bytes it has seen may only leave
///   [`overhead`](Self::overhead) of them undecided.
///
/// # Payload, head and tail
///
/// What means something to a listener belongs to the payload. A head is handed out beside it
/// ([`Reading::head`](super::Reading::head)), so a type byte or flags may stay where they are; a tail is dropped.
pub trait Format {
    /// Where does the frame that starts at the window's first byte end? The window is never empty.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if these bytes cannot be the beginning of a frame.
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed>;

    /// The most bytes that a frame's head and tail take together, and that `cut` may leave undecided.
    ///
    /// It is a part of the [memory bound](super#memory), and the reader refuses a frame that exceeds
    /// it.
    fn overhead(&self) -> usize {
        64
    }

    /// The input has ended and `cut` has said `More` to this window: is it a frame nevertheless?
    ///
    /// `More`, which is the default, means that it is not, and makes the reader report
    /// [`Truncated`](super::FrameError::Truncated). The window is empty if all that was settled has been
    /// handed out in pieces, or dropped; or if the format [expects more](Self::expects_more) and nothing
    /// came, where a frame without any bytes is an answer as well.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if there is a better description of what is wrong.
    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let _ = window;
        Ok(Cut::MORE)
    }

    /// The first `bytes` of the window, all of them [settled](Cut::More::settled), are gone: move the
    /// cursor back by as much.
    fn forget(&mut self, bytes: usize) {
        let _ = bytes;
    }

    /// Are these the bytes that must stand behind a payload? They are as many as `cut` announced.
    ///
    /// Only formats that [announce](Cut::Declared) a tail need this, as `cut` has not seen it then. They
    /// may be asked more than once about the same tail.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if they are not, at a position in `tail`.
    fn check_tail(&mut self, tail: &[u8]) -> Result<(), Malformed> {
        let _ = tail;
        Ok(())
    }

    /// The most bytes that a payload of `limit` bytes can take between head and tail. More than
    /// `limit` only for formats that [unpack](Self::unpack).
    fn raw_limit(&self, limit: usize) -> usize {
        limit
    }

    /// What kind of frame the last answer of [`cut`](Self::cut) was about, in the format's own numbers: head or
    /// body, text or binary, a packet's type. A listener has it from [`Reading::kind`](super::Reading::kind).
    fn kind(&self) -> u8 {
        0
    }

    /// Whether what was handed out asks for more, as a head does whose body has not begun.
    ///
    /// The input must not end here then, except where [`at_end`](Self::at_end) says so; and the reader counts the
    /// frame to come as [open](super::FrameReader::partial), though no byte of it has arrived.
    fn expects_more(&self) -> bool {
        false
    }

    /// Whether the frame that the last answer of [`cut`](Self::cut) was about may come in pieces. A head, say, is
    /// wanted whole where bodies come in pieces.
    fn may_stream(&self) -> bool {
        true
    }

    /// Whether payloads are to be unpacked by [`unpack_piece`](Self::unpack_piece), and not by
    /// [`unpack`](Self::unpack). The same answer for all of a frame.
    fn unpacks_in_pieces(&self) -> bool {
        false
    }

    /// Turns the next piece of the bytes between head and tail into payload, for formats that escape, mask, compress
    /// or check it: either leaves the piece as it is, or appends what it stands for to `out`. Of each frame every
    /// byte comes once and in order, in pieces of any size.
    ///
    /// `last` says that nothing follows: the piece, which may be empty, ends the frame, and the next one begins
    /// another. Parts are of one frame; at a part's beginning [`cut`](Self::cut) was asked, as for a frame's.
    /// A frame [aside](Cut::Aside) comes between two parts, in one piece that is the last.
    ///
    /// ```
    /// use soquete::framing::{Cut, Format, Malformed, Output, Unpacked, Window};
    ///
    /// /// Lines whose letters come in upper case.
    /// struct Loud;
    ///
    /// impl Format for Loud {
    ///     # fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
    ///     #     Ok(match window.find(b'\n', 0) {
    ///     #         Some(payload) => Cut::Frame { head: 0, payload, tail: 1 },
    ///     #         None => Cut::MORE,
    ///     #     })
    ///     # }
    ///     # fn overhead(&self) -> usize { 1 }
    ///     fn unpacks_in_pieces(&self) -> bool {
    ///         true
    ///     }
    ///
    ///     fn unpack_piece(
    ///         &mut self,
    ///         raw: &[u8],
    ///         _last: bool,
    ///         out: &mut Output<'_>,
    ///     ) -> Result<Unpacked, Malformed> {
    ///         out.extend_changed(raw, |_, piece| piece.make_ascii_uppercase());
    ///         Ok(Unpacked::Out)
    ///     }
    /// }
    /// # let mut reader = soquete::framing::FrameReader::new(Loud, 80);
    /// # let mut feed = reader.feed(b"hello\n");
    /// # assert_eq!(feed.next()?.and_then(|item| item.frame()), Some(&b"HELLO"[..]));
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the bytes cannot be unpacked, at a position in `raw` (`raw.len()` for what only the end
    /// shows); what stands in front of that position is in `out`. The rest of the frame is dropped. This does
    /// not lose the boundary of the next frame.
    fn unpack_piece(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        let _ = (raw, last, out);
        Ok(Unpacked::AsIs)
    }

    /// The rest of a frame is dropped that [`unpack_piece`](Self::unpack_piece) has seen a part of: the next piece is of
    /// another one.
    fn abandon(&mut self) {}

    /// Turns the bytes between head and tail into the payload, for formats that do it at once: either leaves them as they are, or appends the payload to `out`, which is empty.
    ///
    /// It is not asked about frames of several [parts](Cut::Part) or [aside](Cut::Aside), and may be asked more than
    /// once about the same bytes: the answer must depend on them alone. The limit is applied to what it makes; how
    /// long that can become, and so how much memory, is for the format to bound (or use
    /// [`unpack_piece`](Self::unpack_piece), whose output has a bound).
    ///
    /// ```
    /// use soquete::framing::{Cut, Format, Malformed, Unpacked, Window};
    ///
    /// /// Lines that stand in the stream back to front.
    /// struct Backwards;
    ///
    /// impl Format for Backwards {
    ///     # fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
    ///     #     Ok(match window.find(b'\n', 0) {
    ///     #         Some(payload) => Cut::Frame { head: 0, payload, tail: 1 },
    ///     #         None => Cut::MORE,
    ///     #     })
    ///     # }
    ///     # fn overhead(&self) -> usize { 1 }
    ///     fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
    ///         out.extend(raw.iter().rev());
    ///         Ok(Unpacked::Out)
    ///     }
    /// }
    /// # let mut reader = soquete::framing::FrameReader::new(Backwards, 80);
    /// # let mut feed = reader.feed(b"olleh\n");
    /// # assert_eq!(feed.next()?.and_then(|item| item.frame()), Some(&b"hello"[..]));
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Malformed`] if they cannot be unpacked, at a position in `raw`. This does not lose the
    /// boundary of the next frame, so a reader can
    /// [skip](super::FrameReader::skip_bad_frames) such a frame.
    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        let _ = (raw, out);
        Ok(Unpacked::AsIs)
    }
}

/// A format whose payload stands in the stream as it is, or is [unpacked in pieces](Format::unpack_piece), so that a
/// long one can be handed out in pieces ([`FrameReader::stream_above`](super::FrameReader::stream_above)).
///
/// Implement it for every format that has no [`unpack`](Format::unpack); there is nothing to it.
pub trait Streamable: Format {}

/// A format that is chosen when the program runs: a `Box<dyn Format>`, or a `Box<dyn Streamable>`.
///
/// ```
/// use soquete::framing::{Flow, Format, FrameReader, LengthPrefix, Lines};
///
/// let format: Box<dyn Format> = match std::env::args().len() {
///     1 => Box::new(Lines::new()),
///     _ => Box::new(LengthPrefix::u32_be()),
/// };
/// let mut reader = FrameReader::new(format, 100);
/// # reader.push(b"line\n", |item| { assert_eq!(item.frame(), Some(&b"line"[..])); Flow::Continue })?;
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
impl<F: Format + ?Sized> Format for Box<F> {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        (**self).cut(window)
    }

    fn overhead(&self) -> usize {
        (**self).overhead()
    }

    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        (**self).at_end(window)
    }

    fn forget(&mut self, bytes: usize) {
        (**self).forget(bytes)
    }

    fn check_tail(&mut self, tail: &[u8]) -> Result<(), Malformed> {
        (**self).check_tail(tail)
    }

    fn raw_limit(&self, limit: usize) -> usize {
        (**self).raw_limit(limit)
    }

    fn kind(&self) -> u8 {
        (**self).kind()
    }

    fn expects_more(&self) -> bool {
        (**self).expects_more()
    }

    fn may_stream(&self) -> bool {
        (**self).may_stream()
    }

    fn unpacks_in_pieces(&self) -> bool {
        (**self).unpacks_in_pieces()
    }

    fn unpack_piece(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        (**self).unpack_piece(raw, last, out)
    }

    fn abandon(&mut self) {
        (**self).abandon()
    }

    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        (**self).unpack(raw, out)
    }
}

impl<F: Streamable + ?Sized> Streamable for Box<F> {}

/// A format's answer: what the window begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cut {
    /// More bytes are needed to say.
    More {
        /// How many bytes at the front are payload for certain, wherever the frame will end. It lets
        /// the reader refuse, skip or hand out a long frame before its end is in sight. 0 if it is
        /// not known, or while in the head.
        settled: usize,
    },
    /// A frame whose end has been found: all of it is in the window.
    Frame {
        /// Bytes in front of the payload.
        head: usize,
        /// Bytes of payload.
        payload: usize,
        /// Bytes behind the payload.
        tail: usize,
    },
    /// A frame whose length its head announces. The payload and the tail need not be there yet, and
    /// the format will not be asked about them again (but see [`Format::check_tail`]).
    Declared {
        /// Bytes in front of the payload.
        head: usize,
        /// Bytes of payload.
        payload: u64,
        /// Bytes behind the payload.
        tail: usize,
    },
    /// As `Declared`, for a part of a frame that has more parts to follow. The payloads of the parts,
    /// up to and including that of the `Declared` which ends them, are one frame's.
    Part {
        /// Bytes in front of the payload.
        head: usize,
        /// Bytes of payload.
        payload: u64,
        /// Bytes behind the payload.
        tail: usize,
    },
    /// As `Declared`, for a frame of its own that stands between two [parts](Self::Part) of another one, which goes
    /// on behind it: a ping in the midst of a message. It is handed out whole.
    Aside {
        /// Bytes in front of the payload.
        head: usize,
        /// Bytes of payload.
        payload: u64,
        /// Bytes behind the payload.
        tail: usize,
    },
    /// That many bytes of noise, at least one and all of them in the window: a blank line, white space,
    /// padding.
    Skip(usize),
}

impl Cut {
    /// Not enough bytes yet, and none of them settled.
    pub const MORE: Self = Self::More { settled: 0 };

    /// Head, payload and tail of a frame that this is all of, where none is open.
    #[inline(always)]
    pub(super) fn whole(self) -> Option<(usize, u64, usize)> {
        match self {
            Self::Frame {
                head,
                payload,
                tail,
            } => Some((head, payload as u64, tail)),
            Self::Declared {
                head,
                payload,
                tail,
            }
            | Self::Aside {
                head,
                payload,
                tail,
            } => Some((head, payload, tail)),
            _ => None,
        }
    }
}

/// Where [`Format::unpack`] left the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unpacked {
    /// In the stream, as it stands there.
    AsIs,
    /// In the output buffer.
    Out,
}

/// Bytes that no frame of the format can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Position in the slice or window in question. The reader makes a stream offset of it.
    pub at: usize,
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// As in [`Cut::More`]. A frame that is too long in front of the wrong byte is too long, whether
    /// the byte has arrived or not.
    pub settled: usize,
}

impl Malformed {
    /// `what` is wrong at position `at`, in a head, in a tail, or in what is to be unpacked.
    ///
    /// ```
    /// # use soquete::framing::Malformed;
    /// let error = Malformed::new(3, "length that is no number");
    /// assert_eq!(error.at, 3);
    /// ```
    pub fn new(at: usize, what: &'static str) -> Self {
        Self {
            at,
            what,
            settled: 0,
        }
    }

    /// `what` is wrong at position `at`, and all in front of it is payload.
    ///
    /// The format may be asked once more, as after [`Cut::More`], and has to say it again.
    ///
    /// ```
    /// # use soquete::framing::Malformed;
    /// let error = Malformed::in_payload(3, "a zero inside of a line");
    /// assert_eq!(error.settled, 3);
    /// ```
    pub fn in_payload(at: usize, what: &'static str) -> Self {
        Self {
            at,
            what,
            settled: at,
        }
    }
}
