//! The frame that began in the carry and ends in the chunk: one to a chunk, nearly always.
//!
//! ```text
//!   carry │ head │ pay-          chunk  load │ tail │ next frame …
//!         └─────────────── joined in the carry ─────┘
//! ```
//!
//! What is not ordinary about it is left to the state machine, in a state that it could have come to
//! by itself.

use super::state::{Answer, Fate, Span, Step};
use super::window::work;
use super::{Format, FrameReader, Item, Reading, Unpacked, Window};

impl Span {
    /// The frame that a format has found or announced, if it has any bytes, its payload no more than
    /// `plain`, its brackets no more than `overhead`.
    #[inline]
    fn ordinary(answer: &Answer, plain: u64, overhead: usize) -> Option<Span> {
        let (head, payload, tail) = answer.as_ref().ok()?.whole()?;
        let brackets = head.checked_add(tail)?;
        let fits = payload <= plain && brackets <= overhead && (payload > 0 || brackets > 0);
        fits.then_some(Span {
            head,
            payload: payload as usize,
            tail,
        })
    }
}

/// A frame that was joined, and where in the carry it is.
pub(super) struct Joined {
    from: usize,
    span: Span,
    /// The payload was unpacked, and is not there.
    unpacked: bool,
}

impl Joined {
    /// The frame as an item, with `behind` bytes of the chunk behind it.
    #[inline(always)]
    pub(super) fn lend<F: Format>(
        self,
        reader: &mut FrameReader<F>,
        behind: usize,
    ) -> (Item<'_>, Reading<'_, F>) {
        let unread = reader.open.carry.len() + behind;
        let next = reader.fed - unread as u64;
        let Span {
            head,
            payload,
            tail,
        } = self.span;
        let payload_from = self.from + head;
        let item = Item::Frame(if self.unpacked {
            &reader.open.out
        } else {
            reader.open.carry.lent(payload_from..payload_from + payload)
        });
        let reading = Reading {
            format: &mut reader.format,
            rules: &mut reader.rules,
            head: reader.open.carry.lent(self.from..payload_from),
            at: next - (head + payload + tail) as u64,
            next,
            unread,
            inside: false,
        };
        (item, reading)
    }
}

impl<F: Format> FrameReader<F> {
    /// Joins the frame at hand, if it is an ordinary one that ends in `chunk`, and says where it is. If it is not, `answer` is what the format has said, if it was asked and the step does
    /// not say it already.
    #[inline]
    pub(super) fn join(
        &mut self,
        chunk: &mut &[u8],
        answer: &mut Option<Answer>,
    ) -> Option<Joined> {
        let ordinary = matches!(self.open.fate, Fate::Whole) && !self.format.unpacks_in_pieces();
        if self.open.carry.is_empty() || !ordinary {
            return None;
        }
        let span = match self.open.step {
            Step::Whole(span) => span,
            Step::Cut => {
                work::asked();
                let asked = self
                    .format
                    .cut(Window::new(self.open.carry.unread(), chunk));
                let asked = answer.insert(asked);
                let span = Span::ordinary(asked, self.rules.plain, self.overhead())?;
                self.open.step = Step::Whole(span);
                *answer = None;
                span
            }
            _ => return None,
        };
        let end = span.head + span.payload;
        let total = end + span.tail;
        let bound = self.bound();
        let open = &mut *self.open;
        let missing = total.checked_sub(open.carry.len())?;
        let (joining, rest) = chunk.split_at_checked(missing)?;
        open.carry.append(joining, bound);
        *chunk = rest;
        let frame = open.carry.unread();
        self.format.check_tail(&frame[end..]).ok()?;
        open.out.clear();
        let unpacked = match self.format.unpack(&frame[span.head..end], &mut open.out) {
            Ok(Unpacked::AsIs) if span.payload <= self.rules.limit() => false,
            Ok(Unpacked::Out) if open.out.len() <= self.rules.limit() => true,
            _ => return None,
        };
        open.step = Step::Cut;
        let from = open.carry.read(total).start;
        Some(Joined {
            from,
            span,
            unpacked,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::framing::{Cobs, Flow, Format, FrameError, FrameReader, LengthPrefix, Netstring};

    /// The payloads, and the error at the end if there is one, for every place of one seam.
    fn at_every_seam<F: Format>(format: impl Fn() -> F, stream: &[u8]) -> Vec<Vec<String>> {
        let read = |seam| {
            let mut reader = FrameReader::new(format(), 8);
            let mut seen = vec![];
            for chunk in [&stream[..seam], &stream[seam..]] {
                let outcome = reader.push(chunk, |item| {
                    seen.extend(item.frame().map(|frame| format!("{frame:?}")));
                    Flow::Continue
                });
                seen.extend(outcome.err().map(|error| error.to_string()));
            }
            seen.dedup();
            seen
        };
        let mut all: Vec<_> = (0..=stream.len()).map(read).collect();
        all.dedup();
        all
    }

    #[test]
    fn a_frame_across_the_seam_is_read_as_any_other() {
        let seen = at_every_seam(LengthPrefix::u16_be, b"\x00\x03abc\x00\x00\x00\x01d");
        assert_eq!(
            seen,
            [[b"abc".as_slice(), b"", b"d"].map(|frame| format!("{frame:?}"))]
        );
    }

    #[test]
    fn a_wrong_tail_behind_the_seam_has_its_own_offset() {
        let seen = at_every_seam(Netstring::new, b"2:ab,3:cdeX1:f,");
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(seen[0][1].contains("10"), "{seen:?}");
    }

    #[test]
    fn what_is_unpacked_across_the_seam_is_not_unpacked_twice() {
        let seen = at_every_seam(Cobs::new, b"\x03ab\x02c\0\x02d\0");
        let frames = [b"ab\0c".as_slice(), b"d"].map(|frame| format!("{frame:?}"));
        assert_eq!(seen, [frames]);
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_in_front_of_the_seam_and_behind_it() {
        let mut reader = FrameReader::new(LengthPrefix::u16_be(), 8);
        assert_eq!(reader.push(b"\x00", |_| Flow::Continue), Ok(Flow::Continue));
        let error = reader.push(b"\x09", |_| Flow::Continue).unwrap_err();
        let (at, limit, declared) = (0, 8, Some(9));
        assert_eq!(
            error,
            FrameError::TooLong {
                at,
                limit,
                declared
            }
        );
    }
}
