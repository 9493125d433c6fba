//! The two forms in which a reader is given its chunks: the pull form and the push form.

use super::{Feed, Flow, Format, FrameError, FrameReader, Item, Reading};

/// Chunks.
impl<F: Format> FrameReader<F> {
    /// Reads `chunk`, item by item, with [`Feed::next`]. What is not read when the `Feed` is dropped is
    /// kept for the next call.
    ///
    /// ```
    /// use soquete::framing::{FrameReader, Item, LengthPrefix};
    ///
    /// let mut reader = FrameReader::new(LengthPrefix::u8(), 100);
    /// let mut feed = reader.feed(b"\x02hi\x05wor");
    /// assert_eq!(feed.next()?, Some(Item::Frame(b"hi")));
    /// assert_eq!(feed.next()?, None);
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    #[inline]
    pub fn feed<'r, 'c>(&'r mut self, chunk: &'c [u8]) -> Feed<'r, 'c, F> {
        self.fed += chunk.len() as u64;
        Feed::new(self, chunk, false)
    }

    /// Reads what is left, and then the end of the input: as [`feed`](Self::feed), for the last time.
    pub fn feed_end(&mut self) -> Feed<'_, 'static, F> {
        Feed::new(self, &[], true)
    }

    /// Reads `chunk`, and calls `listener` for every item in it until it answers [`Flow::Stop`].
    ///
    /// Returns the last answer. After a stop, `push(&[], …)` resumes.
    ///
    /// ```
    /// use soquete::framing::{Flow, FrameReader, Lines};
    ///
    /// let mut reader = FrameReader::new(Lines::new(), 80);
    /// reader.push(b"one\ntwo\nthr", |item| {
    ///     println!("{:?}", item.frame());
    ///     Flow::Continue
    /// })?;
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`FrameError`] that describes the stream; from then on, every call returns the same one.
    #[inline]
    pub fn push(
        &mut self,
        chunk: &[u8],
        listener: impl FnMut(Item<'_>) -> Flow,
    ) -> Result<Flow, FrameError> {
        let mut listener = listener;
        self.push_with(chunk, |item, _| listener(item))
    }

    /// As [`push`](Self::push), for a listener that wants to know more of the item, or to change how the stream is
    /// read behind it: see [`Reading`].
    ///
    /// ```
    /// use soquete::framing::{Flow, FrameReader, Lines};
    ///
    /// let mut reader = FrameReader::new(Lines::new(), 80);
    /// reader.push_with(b"one\ntwo\n", |item, reading| {
    ///     println!("{:?} at offset {}", item.frame(), reading.offset());
    ///     Flow::Continue
    /// })?;
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As `push`.
    #[inline]
    pub fn push_with(
        &mut self,
        chunk: &[u8],
        listener: impl FnMut(Item<'_>, Reading<'_, F>) -> Flow,
    ) -> Result<Flow, FrameError> {
        if self.absorb(chunk) {
            return Ok(Flow::Continue);
        }
        self.feed(chunk).drain(listener)
    }

    /// Reads what is left, and then the end of the input: as [`push`](Self::push), for the last time
    /// (or, after a stop, the last but one).
    ///
    /// # Errors
    ///
    /// As `push`; and [`FrameError::Truncated`] if the input ends inside a frame, unless the format
    /// says otherwise.
    pub fn finish(&mut self, listener: impl FnMut(Item<'_>) -> Flow) -> Result<Flow, FrameError> {
        let mut listener = listener;
        self.finish_with(|item, _| listener(item))
    }

    /// As [`finish`](Self::finish), for a listener as that of [`push_with`](Self::push_with).
    ///
    /// # Errors
    ///
    /// As `finish`.
    pub fn finish_with(
        &mut self,
        listener: impl FnMut(Item<'_>, Reading<'_, F>) -> Flow,
    ) -> Result<Flow, FrameError> {
        self.feed_end().drain(listener)
    }

    /// As `push`, but what is not read is neither copied nor kept: it is for the caller to
    /// [keep](Self::keep_rest), or to [take away](Self::take_away).
    #[inline]
    pub(crate) fn push_lent<'c>(
        &mut self,
        chunk: &'c [u8],
        listener: impl FnMut(Item<'_>, Reading<'_, F>) -> Flow,
    ) -> (Result<Flow, FrameError>, &'c [u8]) {
        if self.absorb(chunk) {
            return (Ok(Flow::Continue), &[]);
        }
        self.feed(chunk).drain_lent(listener)
    }
}
