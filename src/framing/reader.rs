//! The reader: one for all formats. It owns the bytes, the limit and the policies.

use super::leftover::Leftover;
use super::open::{MaybeOpen, Open};
use super::rules::{Bad, LONGEST, Rules};
use super::state::{Delivery, Step};
use super::{Format, FrameError, Streamable};

/// Cuts a stream of bytes into frames.
///
/// It is given the stream in chunks of any size, and hands out [items](super::Item) that borrow from the
/// chunk wherever a frame lies in it, without a copy or an allocation. Two forms do the same: the pull
/// form, [`feed`](Self::feed), and the push form for listeners, [`push`](Self::push).
///
/// ```
/// use soquete::framing::{Flow, FrameReader, Lines};
///
/// let mut reader = FrameReader::new(Lines::new(), 1024);
/// let mut lines = Vec::new();
/// for chunk in [&b"one\r\ntw"[..], b"o\nthree\n"] {
///     reader.push(chunk, |item| {
///         lines.extend(item.frame().map(<[u8]>::to_vec));
///         Flow::Continue
///     })?;
/// }
/// reader.finish(|_| Flow::Continue)?;
/// assert_eq!(lines, [&b"one"[..], b"two", b"three"]);
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Debug)]
pub struct FrameReader<F> {
    pub(super) format: F,
    pub(super) rules: Rules,
    pub(super) bad: Bad,
    /// There was payload of a frame in several parts, or payload that the format has unpacked.
    unpacks: bool,
    /// Bytes given to this reader, in all.
    pub(super) fed: u64,
    pub(super) open: MaybeOpen,
}

/// Whether whoever is called wants to be called again: what a listener of [`FrameReader::push`] answers, and
/// what any listener or callback may return (see [`Outcome`](crate::events::Outcome)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on with the next item, or the next event.
    Continue,
    /// No more. A reader keeps what it has not read, and its next call resumes there; a listener is removed,
    /// an interval cleared, a framing ended, a channel closed.
    Stop,
}

/// A frame of which some bytes have arrived, and others have not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// Stream offset of the frame's first byte. As long as it stays the same, it is the same frame.
    pub at: u64,
    /// How many bytes of the frame have arrived.
    pub have: u64,
    /// How many more bytes its head says are to come, if it does.
    pub want: Option<u64>,
}

impl<F: Format> FrameReader<F> {
    /// A reader for frames of up to `limit` bytes of payload; head, tail, line ends and the like do
    /// not count. For frames that come in pieces, and are not kept, `usize::MAX` may do.
    ///
    /// ```
    /// use soquete::framing::{FrameReader, LengthPrefix};
    ///
    /// let reader = FrameReader::new(LengthPrefix::u32_be(), 1 << 20);
    /// # drop(reader);
    /// ```
    pub fn new(format: F, limit: usize) -> Self {
        Self::with_leftover(format, limit, Leftover::new(), 0)
    }

    /// Longer payloads than `threshold` come as [`Item::Piece`](super::Item::Piece)s, which are handed out as they arrive.
    ///
    /// The limit holds for them as well: set it to the longest frame that is acceptable at all.
    /// Formats whose frames have no announced length give out the pieces in front of the limit before
    /// they find a frame too long.
    #[must_use]
    pub fn stream_above(mut self, threshold: usize) -> Self
    where
        F: Streamable,
    {
        self.rules.set_stream_above(threshold);
        self
    }

    /// Frames that are too long, or that the format cannot unpack, are dropped, and each is reported
    /// once as an [`Item::Skipped`](super::Item::Skipped), instead of failing for good.
    ///
    /// A choice for peers that are trusted and sloppy: of a hostile one, nothing is gained by reading
    /// on.
    #[must_use]
    pub fn skip_bad_frames(mut self) -> Self {
        self.bad = Bad::Skip;
        self
    }

    /// A bad frame is reported to the listener at once, as an [`Item::Refused`](super::Item::Refused), and the listener
    /// says what follows: it may go on, and the frame is skipped as by [`skip_bad_frames`](Self::skip_bad_frames), or
    /// [stop](Flow::Stop).
    ///
    /// A frame that cannot be skipped is reported as well, and so is one that the end of the input cuts off. The
    /// reader fails after that, whatever the listener says.
    ///
    /// ```
    /// use soquete::framing::{Flow, FrameReader, Item, Lines};
    ///
    /// let mut reader = FrameReader::new(Lines::new(), 5).tell_bad_frames();
    /// let mut answers = Vec::new();
    /// let mut listener = |item: Item<'_>| {
    ///     match item {
    ///         Item::Frame(_) => answers.push("250 OK".to_owned()),
    ///         Item::Refused { error, .. } => answers.push(format!("500 {error}")),
    ///         _ => {}
    ///     }
    ///     Flow::Continue
    /// };
    /// reader.push(b"NOOP\nfar too lo", &mut listener)?;
    /// reader.push(b"ng\nNOOP\n", listener)?;
    /// let refused = "500 frame at offset 5 is longer than the limit of 5 bytes";
    /// assert_eq!(answers, ["250 OK", refused, "250 OK"]);
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    #[must_use]
    pub fn tell_bad_frames(mut self) -> Self {
        self.bad = Bad::Tell;
        self
    }

    /// How many [parts](super::Cut::Part) without payload a frame may have, beside those that have some; 131,072 by
    /// default. They cost next to nothing and take nothing from the limit, so that without one of their own a
    /// peer could send them for ever. More are [malformed](FrameError::Malformed).
    #[must_use]
    pub fn max_empty_parts(mut self, most: usize) -> Self {
        self.rules.set_most_empty_parts(most);
        self
    }

    /// How much capacity the reader keeps when it holds no bytes; 16 KiB by default. What was needed
    /// above it is given back then.
    #[must_use]
    pub fn keep(mut self, capacity: usize) -> Self {
        self.rules.set_keep(capacity);
        self
    }

    /// The frame that has begun but not ended, if there is one; also if its bytes are all there, but a
    /// listener has stopped in front of it, and if the format [expects it](Format::expects_more) and no byte of it
    /// has come.
    ///
    /// This makes a deadline against a peer that sends a byte a minute one line, whatever the clock:
    ///
    /// ```
    /// # use soquete::framing::{Flow, FrameReader, Lines};
    /// # let mut reader = FrameReader::new(Lines::new(), 100);
    /// # let mut deadline: Option<(u64, u64)> = None;
    /// # let now = 0;
    /// reader.push(b"GET / HT", |_| Flow::Continue)?;
    /// // One deadline per frame: a new one is set only when another frame is the open one.
    /// deadline = reader.partial().map(|open| match deadline {
    ///     Some((at, due)) if at == open.at => (at, due),
    ///     _ => (open.at, now + 30),
    /// });
    /// # assert_eq!(deadline, Some((0, 30)));
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    pub fn partial(&self) -> Option<Partial> {
        let nothing_came = self.between_frames() && self.open.leftover.is_empty();
        if self.failed().is_some() || nothing_came && !self.format.expects_more() {
            return None;
        }
        let at = if matches!(self.open.delivery, Delivery::Whole) {
            self.offset()
        } else {
            self.open.at
        };
        let have = self.fed - at;
        Some(Partial {
            at,
            have,
            want: self.open.step.want(self.open.leftover.len()),
        })
    }

    /// Stream offset of the next byte to be read: all before it went into items, heads and tails.
    pub fn offset(&self) -> u64 {
        self.fed - self.open.leftover.len() as u64
    }

    /// How many bytes have arrived and were not read yet.
    pub fn unread(&self) -> usize {
        self.open.leftover.len()
    }

    /// How many bytes of memory the reader has allocated, used or not. The module's documentation
    /// [says](super#memory) how many it can be.
    pub fn capacity(&self) -> usize {
        self.open.leftover.capacity() + self.open.out.capacity()
    }

    /// The format.
    pub fn format(&self) -> &F {
        &self.format
    }

    /// The format, to tell it what the bytes do not say: that the next answer is to a HEAD request, say. Its
    /// cursor has to stay where it is.
    pub fn format_mut(&mut self) -> &mut F {
        &mut self.format
    }

    /// A reader that goes on with another format, and with the bytes that have arrived but were not
    /// read: after a header, or where a protocol allows it to be spoken ahead.
    ///
    /// Offsets go on counting, [`keep`](Self::keep) stays, and the other policies are the default ones
    /// again.
    ///
    /// ```
    /// use soquete::framing::{Flow, FrameReader, Lines, Netstring};
    ///
    /// let mut reader = FrameReader::new(Lines::new(), 80);
    /// reader.push(b"NETSTRINGS\n5:hello,", |_| Flow::Stop)?;
    /// let mut reader = reader.switch(Netstring::new(), 80)?;
    /// reader.push(b"", |item| {
    ///     assert_eq!(item.frame(), Some(&b"hello"[..]));
    ///     Flow::Continue
    /// })?;
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The reader's own error, if it has failed; [`FrameError::InsideFrame`] if it has handed out or
    /// dropped a part of a frame whose end has not come.
    pub fn switch<G: Format>(
        mut self,
        format: G,
        limit: usize,
    ) -> Result<FrameReader<G>, FrameError> {
        if let Some(error) = self.why_not_switch() {
            return Err(error);
        }
        let fed = self.fed;
        let keep = self.rules.keep();
        let mut reader = FrameReader::with_leftover(format, limit, self.take_leftover(), fed);
        if keep != reader.rules.keep() {
            reader.rules.set_keep(keep);
        }
        Ok(reader)
    }

    /// Why the stream cannot be read in another format from here on.
    pub(crate) fn why_not_switch(&self) -> Option<FrameError> {
        let inside = !matches!(self.open.delivery, Delivery::Whole);
        let inside = inside.then_some(FrameError::InsideFrame { at: self.open.at });
        self.failed().or(inside)
    }

    /// Goes on where another reader has stopped, whose bytes these are, behind so many others, from this offset on.
    pub(crate) fn take_over(&mut self, bytes: Vec<u8>, taken: usize, at: u64) {
        let rest = Leftover::of(bytes, taken);
        self.fed = at + rest.len() as u64;
        self.open = MaybeOpen::with_leftover(rest);
    }

    /// Whether bad frames are reported at once.
    pub(crate) fn reports_bad_frames(&self) -> bool {
        self.bad == Bad::Tell
    }

    /// As [`switch`](Self::switch), but refuses if a single byte was left over.
    ///
    /// This is the one for STARTTLS and its kin: bytes that arrive in front of the handshake were not
    /// protected by it, and must not be taken for what comes after.
    ///
    /// ```
    /// use soquete::framing::{Flow, FrameReader, Lines, Netstring};
    ///
    /// let mut reader = FrameReader::new(Lines::new(), 80);
    /// reader.push(b"STARTTLS\nsmuggled", |_| Flow::Stop)?;
    /// assert!(reader.switch_clean(Netstring::new(), 80).is_err());
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As `switch`, and [`FrameError::UnexpectedRest`].
    pub fn switch_clean<G: Format>(
        self,
        format: G,
        limit: usize,
    ) -> Result<FrameReader<G>, FrameError> {
        let (at, have) = (self.offset(), self.unread());
        let reader = self.switch(format, limit)?;
        if have > 0 {
            Err(FrameError::UnexpectedRest { at, have })
        } else {
            Ok(reader)
        }
    }

    /// The bytes that have arrived and were not read, exactly, to be given to something else.
    pub fn into_rest(mut self) -> Vec<u8> {
        self.take_leftover().into_unread()
    }

    /// Keeps the rest of a chunk that was pushed, in a buffer from `spare`.
    pub(crate) fn keep_rest(&mut self, rest: &[u8], spare: impl FnOnce(usize) -> Vec<u8>) {
        if self.open.leftover.capacity() == 0 && !rest.is_empty() {
            self.open.leftover.lend(spare(rest.len()));
        }
        self.put_back(rest);
    }

    /// Keeps a chunk without reading it.
    pub(crate) fn receive(&mut self, chunk: &[u8], spare: impl FnOnce(usize) -> Vec<u8>) {
        self.fed += chunk.len() as u64;
        self.keep_rest(chunk, spare);
    }

    /// Whether the format has looked at bytes that were not read, and counts on them to come again uncut.
    pub(crate) fn has_looked_ahead(&self) -> bool {
        matches!(self.open.step, Step::Cut) && !self.between_frames()
    }

    /// The rest of a chunk that was pushed, so many bytes, comes again later or goes elsewhere.
    pub(crate) fn take_away(&mut self, rest: usize) {
        self.fed -= rest as u64;
    }

    /// Lends a buffer to a reader that makes payloads of what it reads.
    #[inline]
    pub(crate) fn lend(&mut self, spare: impl FnOnce() -> Vec<u8>) {
        if self.unpacks && self.open.out.capacity() == 0 {
            self.open.give_out(spare());
        }
    }

    /// Its buffers, if it needs none at the moment.
    #[inline]
    pub(crate) fn spare_buffers(&mut self, mut give: impl FnMut(Vec<u8>)) {
        if self.open.get().is_none() {
            return;
        }
        let open = &mut *self.open;
        if open.leftover.is_empty() && open.leftover.capacity() > 0 {
            give(std::mem::take(&mut open.leftover).into_buffer().0);
        }
        if open.out.capacity() > 0 && !matches!(open.delivery, Delivery::Gather) && open.base == 0 {
            self.unpacks = true;
            give(std::mem::take(&mut open.out));
        }
        self.open.forget();
    }

    /// Takes the bytes that have arrived and were not read, behind so many others.
    pub(crate) fn take_buffer(&mut self) -> (Vec<u8>, usize) {
        self.take_leftover().into_buffer()
    }

    fn take_leftover(&mut self) -> Leftover {
        match self.open.get() {
            None => Leftover::new(),
            Some(_) => std::mem::take(&mut self.open.leftover),
        }
    }

    fn with_leftover(format: F, limit: usize, leftover: Leftover, fed: u64) -> Self {
        Self {
            format,
            rules: Rules::new(limit),
            bad: Bad::Fail,
            unpacks: false,
            fed,
            open: MaybeOpen::with_leftover(leftover),
        }
    }

    /// The limit, as the format's bytes between head and tail can amount to.
    #[inline]
    pub(super) fn raw_limit(&self) -> usize {
        let limit = self.rules.limit();
        self.format.raw_limit(limit).clamp(limit, LONGEST)
    }

    #[inline]
    pub(super) fn overhead(&self) -> usize {
        self.format.overhead().min(LONGEST)
    }

    /// The most bytes of one frame that are ever kept.
    #[inline]
    pub(super) fn bound(&self) -> usize {
        self.raw_limit() + self.overhead()
    }

    /// Whether the next frame has not begun, as far as the reader has seen.
    #[inline]
    pub(super) fn between_frames(&self) -> bool {
        self.open.get().is_none_or(Open::between_frames)
    }

    fn failed(&self) -> Option<FrameError> {
        match self.open.step {
            Step::Failed(error) => Some(error),
            _ => None,
        }
    }
}
