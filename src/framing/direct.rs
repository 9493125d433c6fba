//! The short way: a frame of ordinary size that lies in the chunk, complete, without a leftover in front of it. It is
//! lent out from where it lies, and the state machine never hears of it.

use super::rules::Rules;
use super::state::{Answer, Step};
use super::unpacking;
use super::window::work;
use super::{Cut, Flow, Format, FrameError, FrameReader, Item, Reading, Unpacked, Window};

/// The listener wants no more.
pub(super) struct Stopped;

/// What the short way finds at the front of the chunk.
pub(super) enum Direct<'c> {
    /// A complete frame of ordinary size.
    Frame(Whole<'c>),
    /// No such frame; the format's answer, if it has given one.
    Undecided(Option<Answer>),
}

/// A frame that lies in the chunk.
pub(super) struct Whole<'c> {
    head: &'c [u8],
    /// The payload, unless it was unpacked.
    pub(super) lent: Option<&'c [u8]>,
    /// How long it is, head and tail included.
    total: usize,
}

impl<'c> Whole<'c> {
    /// The frame as an item, with `behind` bytes of the chunk behind it.
    #[inline(always)]
    pub(super) fn lend<'a, F: Format>(
        self,
        reader: &'a mut FrameReader<F>,
        behind: usize,
    ) -> (Item<'a>, Reading<'a, F>)
    where
        'c: 'a,
    {
        let FrameReader {
            format,
            rules,
            open,
            fed,
            ..
        } = reader;
        let next = *fed - behind as u64;
        let item = Item::Frame(self.lent.unwrap_or_else(|| &open.out));
        (item, self.reading(format, rules, next, behind))
    }

    /// As `lend`, of a frame that may have been unpacked to `out`.
    #[inline(always)]
    fn lend_with<'a, F: Format>(
        self,
        reader: &'a mut FrameReader<F>,
        out: &'a [u8],
        behind: usize,
    ) -> (Item<'a>, Reading<'a, F>)
    where
        'c: 'a,
    {
        let next = reader.fed - behind as u64;
        let item = Item::Frame(self.lent.unwrap_or(out));
        (
            item,
            self.reading(&mut reader.format, &mut reader.rules, next, behind),
        )
    }

    /// What else there is to know of it; the next one begins at `next`.
    #[inline(always)]
    fn reading<'a, F: Format>(
        self,
        format: &'a mut F,
        rules: &'a mut Rules,
        next: u64,
        behind: usize,
    ) -> Reading<'a, F>
    where
        'c: 'a,
    {
        Reading {
            format,
            rules,
            head: self.head,
            at: next - self.total as u64,
            next,
            unread: behind,
            inside: false,
        }
    }
}

impl<'c> Direct<'c> {
    /// All frames that are read the short way, up to the first item that is not.
    #[inline]
    pub(super) fn run<F: Format>(
        reader: &mut FrameReader<F>,
        chunk: &mut &'c [u8],
        listener: &mut impl FnMut(Item<'_>, Reading<'_, F>) -> Flow,
    ) -> Result<Option<Answer>, Stopped> {
        let mut out = reader.open.lend_out();
        let ran = Self::run_with(reader, chunk, &mut out, listener);
        reader.open.give_out(out);
        ran
    }

    #[inline(always)]
    fn run_with<F: Format>(
        reader: &mut FrameReader<F>,
        chunk: &mut &'c [u8],
        out: &mut Vec<u8>,
        listener: &mut impl FnMut(Item<'_>, Reading<'_, F>) -> Flow,
    ) -> Result<Option<Answer>, Stopped> {
        // The position is kept in a variable of its own, so that it need not be loaded from memory for
        // every frame; it is stored for the sake of listeners that panic.
        let mut rest = *chunk;
        loop {
            let direct = Self::read(reader, &mut rest, out);
            *chunk = rest;
            let frame = match direct {
                Self::Frame(frame) => frame,
                Self::Undecided(answer) => return Ok(answer),
            };
            let unpacked = frame.lent.is_none();
            let (item, reading) = frame.lend_with(reader, out, rest.len());
            let flow = listener(item, reading);
            if unpacked {
                out.clear();
            }
            if flow == Flow::Stop {
                return Err(Stopped);
            }
        }
    }

    // To be inlined together with the format's `cut`, so that its answer is never in memory.
    #[inline(always)]
    pub(super) fn read<F: Format>(
        reader: &mut FrameReader<F>,
        chunk: &mut &'c [u8],
        out: &mut Vec<u8>,
    ) -> Self {
        loop {
            if chunk.is_empty() {
                return Self::Undecided(None);
            }
            work::called();
            let answer = reader.format.cut(Window::new(&[], chunk));
            if let Ok(Cut::Skip(noise @ 1..)) = answer
                && noise <= chunk.len()
            {
                *chunk = &chunk[noise..];
                continue;
            }
            let Some((head, payload, tail)) = answer.ok().and_then(Cut::whole) else {
                return Self::Undecided(Some(answer));
            };
            let within = match head.checked_add(tail) {
                Some(brackets) => brackets <= reader.overhead(),
                None => false,
            };
            if !within || payload > reader.rules.plain {
                return Self::Undecided(Some(answer));
            }
            // Checked, not saturating: a branch that is never taken costs nothing, while a saturating
            // addition would be one more step between the length of this frame and the next one's.
            let Some(end) = head.checked_add(payload as usize) else {
                return Self::Undecided(Some(answer));
            };
            let Some(total) = end.checked_add(tail) else {
                return Self::Undecided(Some(answer));
            };
            if total == 0 || total > chunk.len() {
                return Self::Undecided(Some(answer));
            }
            let (frame, rest) = chunk.split_at(total);
            let raw = &frame[head..end];
            if reader.format.check_tail(&frame[end..]).is_err() {
                return Self::Undecided(Some(answer));
            }
            let unpacked = unpacking::whole(&mut reader.format, raw, out, &reader.rules);
            let lent = match unpacked {
                Ok(Unpacked::AsIs) => Some(raw),
                Ok(Unpacked::Out) => None,
                Err(wrong) => {
                    let at = reader.position(chunk);
                    let error = reader.error_of(wrong, at, at + head as u64);
                    reader.spoil_later(error, at, total, raw.len());
                    return Self::Undecided(None);
                }
            };
            *chunk = rest;
            let head = &frame[..head];
            return Self::Frame(Whole { head, lent, total });
        }
    }
}

impl<F: Format> FrameReader<F> {
    /// A frame of `total` bytes is wrong that has not been read yet.
    #[cold]
    #[inline(never)]
    fn spoil_later(&mut self, error: FrameError, at: u64, total: usize, payload: usize) {
        if let Err(error) = self.spoil(error, at, total, payload as u64) {
            self.open.step = Step::Failed(error);
        }
    }
}
