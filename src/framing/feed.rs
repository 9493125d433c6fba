//! A feed: the items of one chunk, pulled one by one or pushed to a listener.

use super::direct::{Direct, Stopped};
use super::open::Open;
use super::state::{Answer, Found, What};
use super::{Flow, Format, FrameError, FrameReader, Item, Reading};

/// A chunk being read by a [`FrameReader`]: see [`FrameReader::feed`].
///
/// Dropping it moves what was not read into the reader.
#[derive(Debug)]
pub struct Feed<'r, 'c, F: Format> {
    reader: &'r mut FrameReader<F>,
    chunk: &'c [u8],
    at_end: bool,
    /// The next frame starts at the chunk's first byte, and nothing is known about it yet.
    direct: bool,
    /// Whether the reader's own buffers are or were in use.
    buffered: bool,
}

impl<'r, 'c, F: Format> Feed<'r, 'c, F> {
    #[inline]
    pub(super) fn new(reader: &'r mut FrameReader<F>, chunk: &'c [u8], at_end: bool) -> Self {
        let direct = reader.is_direct();
        Self {
            reader,
            chunk,
            at_end,
            direct,
            buffered: !direct,
        }
    }

    /// The next item; `None` if it takes more bytes to tell, or, at the end of the input, if there is
    /// nothing left.
    ///
    /// # Errors
    ///
    /// A [`FrameError`] that describes the stream; from then on, every call returns the same one.
    // An item borrows from the reader, which `Iterator` has no way to say.
    #[allow(clippy::should_implement_trait)]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, FrameError> {
        // Not by `next_with`: a `Reading` costs something, and this caller wants none.
        let answer = match self.read_direct() {
            Some(Direct::Frame(frame)) => {
                return Ok(Some(Item::Frame(
                    frame.lent.unwrap_or(&self.reader.open.out),
                )));
            }
            Some(Direct::Undecided(answer)) if self.waits(answer) => return Ok(None),
            Some(Direct::Undecided(answer)) => answer,
            None => None,
        };
        Ok(self.advance(answer)?.map(|(item, _)| item))
    }

    /// As [`next`](Self::next), and what there is to know and to do beside the item.
    ///
    /// ```
    /// use soquete::framing::{FrameReader, Item, LengthPrefix};
    ///
    /// let mut reader = FrameReader::new(LengthPrefix::u16_be(), 100);
    /// let mut feed = reader.feed(b"\0\x02hi\0\0");
    /// let Some((item, reading)) = feed.next_with()? else { panic!() };
    /// assert_eq!(item, Item::Frame(b"hi"));
    /// assert_eq!((reading.head(), reading.offset(), reading.unread()), (&b"\0\x02"[..], 0, 2));
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As `next`.
    #[inline]
    pub fn next_with(&mut self) -> Result<Option<(Item<'_>, Reading<'_, F>)>, FrameError> {
        let answer = match self.read_direct() {
            Some(Direct::Frame(frame)) => {
                return Ok(Some(frame.lend(self.reader, self.chunk.len())));
            }
            Some(Direct::Undecided(answer)) if self.waits(answer) => return Ok(None),
            Some(Direct::Undecided(answer)) => answer,
            None => None,
        };
        self.advance(answer)
    }

    /// The short way, if it is open.
    #[inline(always)]
    fn read_direct(&mut self) -> Option<Direct<'c>> {
        if !self.direct {
            return None;
        }
        let mut rest = self.chunk;
        let mut out = self.reader.open.lend_out();
        let direct = Direct::read(self.reader, &mut rest, &mut out);
        self.reader.open.give_out(out);
        self.chunk = rest;
        Some(direct)
    }

    /// Whether nothing more can be made of the chunk for now.
    #[inline]
    fn waits(&mut self, answer: Option<Answer>) -> bool {
        let waits = !self.at_end && self.reader.can_wait(answer, self.chunk);
        self.direct &= !waits;
        waits
    }

    /// The format, to tell it what the bytes do not say. Between two frames.
    pub fn format_mut(&mut self) -> &mut F {
        &mut self.reader.format
    }

    /// What is not a frame of ordinary size, complete, at the front of the chunk.
    #[inline]
    fn advance(
        &mut self,
        mut answer: Option<Answer>,
    ) -> Result<Option<(Item<'_>, Reading<'_, F>)>, FrameError> {
        self.buffered = true;
        if let Some(joined) = self.reader.join(&mut self.chunk, &mut answer) {
            self.direct = self.reader.is_direct();
            return Ok(Some(joined.lend(self.reader, self.chunk.len())));
        }
        let Some(found) = self.advance_by_states(answer)? else {
            return Ok(None);
        };
        Ok(Some(lend(self.reader, &found, self.chunk.len())))
    }

    #[inline(never)]
    fn advance_by_states(
        &mut self,
        answer: Option<Answer>,
    ) -> Result<Option<Found<'c>>, FrameError> {
        let found = self.reader.advance(answer, &mut self.chunk, self.at_end);
        self.direct = self.reader.is_direct();
        found
    }

    /// Reads on until the listener stops or the chunk is used up, and leaves what it has not read to the
    /// caller.
    #[inline]
    pub(super) fn drain_lent(
        mut self,
        listener: impl FnMut(Item<'_>, Reading<'_, F>) -> Flow,
    ) -> (Result<Flow, FrameError>, &'c [u8]) {
        let drained = self.drain(listener);
        (drained, std::mem::take(&mut self.chunk))
    }

    #[inline]
    pub(super) fn drain(
        &mut self,
        mut listener: impl FnMut(Item<'_>, Reading<'_, F>) -> Flow,
    ) -> Result<Flow, FrameError> {
        loop {
            let mut answer = None;
            if self.direct {
                match Direct::run(self.reader, &mut self.chunk, &mut listener) {
                    Ok(undecided)
                        if !self.at_end && self.reader.can_wait(undecided, self.chunk) =>
                    {
                        return Ok(Flow::Continue);
                    }
                    Ok(undecided) => answer = undecided,
                    Err(Stopped) => return Ok(Flow::Stop),
                }
            }
            let Some((item, reading)) = self.advance(answer)? else {
                return Ok(Flow::Continue);
            };
            if listener(item, reading) == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
    }
}

/// What was found, with its bytes, and `behind` bytes of the chunk behind it.
#[inline]
fn lend<'a, F: Format>(
    reader: &'a mut FrameReader<F>,
    found: &Found<'a>,
    behind: usize,
) -> (Item<'a>, Reading<'a, F>) {
    let inside = !reader.between_frames();
    let unread = reader.open.leftover.len() + behind;
    let Open { leftover, out, .. } = &*reader.open;
    let item = match &found.what {
        What::Frame(place) => Item::Frame(place.bytes(leftover, out)),
        What::Piece(place, last) => Item::Piece {
            bytes: place.bytes(leftover, out),
            last: *last,
        },
        &What::Skipped { bytes, error } => Item::Skipped { bytes, error },
        &What::Refused { error, lost } => Item::Refused { error, lost },
    };
    let reading = Reading {
        format: &mut reader.format,
        rules: &mut reader.rules,
        head: found.head.bytes(leftover, out),
        at: found.at,
        next: reader.fed - unread as u64,
        unread,
        inside,
    };
    (item, reading)
}

impl<F: Format> Drop for Feed<'_, '_, F> {
    #[inline]
    fn drop(&mut self) {
        let used = || {
            self.reader
                .open
                .get()
                .is_some_and(|open| open.out.capacity() > 0)
        };
        if self.buffered || !self.chunk.is_empty() || used() {
            self.reader.put_back(self.chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::framing::{Cobs, Flow, FrameReader, Item, LengthPrefix, Lines};

    /// A finding of the fuzzer's: the second payload was appended to the first one's.
    #[test]
    fn what_was_unpacked_out_of_the_leftover_is_gone_before_the_next_frame_is_unpacked() {
        let mut reader = FrameReader::new(Cobs::new(), 10);
        let mut frames = vec![];
        for chunk in [&b"\x03o"[..], b"n\0\x03of\0"] {
            let listener = |item: Item<'_>| {
                frames.extend(item.frame().map(<[u8]>::to_vec));
                Flow::Continue
            };
            assert_eq!(reader.push(chunk, listener), Ok(Flow::Continue));
        }
        assert_eq!(frames, [b"on", b"of"]);
    }

    #[test]
    fn pulling_and_pushing_see_the_same() {
        let chunks: [&[u8]; 4] = [b"\x02a", b"b\x00\x01", b"", b"c\x03d"];
        let (mut pulled, mut pushed) = (vec![], vec![]);
        let mut puller = FrameReader::new(LengthPrefix::u8(), 10).stream_above(1);
        let mut pusher = FrameReader::new(LengthPrefix::u8(), 10).stream_above(1);
        for chunk in chunks {
            let mut feed = puller.feed(chunk);
            while let Some(item) = feed.next().unwrap() {
                pulled.push(format!("{item:?}"));
            }
            let listener = |item: Item<'_>| {
                pushed.push(format!("{item:?}"));
                Flow::Continue
            };
            pusher.push(chunk, listener).unwrap();
        }
        assert_eq!(pulled, pushed);
        assert_eq!(
            puller.feed_end().next().unwrap_err(),
            pusher.finish(|_| Flow::Stop).unwrap_err()
        );
    }

    #[test]
    fn what_a_feed_has_not_read_is_kept() {
        let mut reader = FrameReader::new(Lines::new(), 10);
        assert_eq!(reader.feed(b"a\nb\nc").next(), Ok(Some(Item::Frame(b"a"))));
        assert_eq!((reader.offset(), reader.unread()), (2, 3));
        let mut feed = reader.feed(b"\n");
        assert_eq!(feed.next(), Ok(Some(Item::Frame(b"b"))));
        assert_eq!(feed.next(), Ok(Some(Item::Frame(b"c"))));
        assert_eq!(feed.next(), Ok(None));
    }
}
