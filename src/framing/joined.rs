//! Joining the frame that began in the leftover and ends in the chunk: nearly every chunk has one.
//!
//! ```text
//!   leftover │ head │ pay-          chunk  load │ tail │ next frame …
//!            └────────── joined in the leftover ───────┘
//! ```
//!
//! A frame that is not ordinary is left to the state machine, in a state that the machine could have reached by itself.

use super::state::{Answer, Delivery, Span, Step};
use super::window::work;
use super::{Format, FrameReader, Item, Reading, Unpacked, Window};

impl Span {
    /// The frame that a format has found or announced, if it is not empty, its payload is no longer than `plain`, and its
    /// head and tail together no longer than `overhead`.
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

/// A frame that was joined, by its place in the leftover.
pub(super) struct Joined {
    from: usize,
    span: Span,
    /// The payload was unpacked, and lies elsewhere.
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
        let unread = reader.open.leftover.len() + behind;
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
            reader
                .open
                .leftover
                .lent(payload_from..payload_from + payload)
        });
        let reading = Reading {
            format: &mut reader.format,
            rules: &mut reader.rules,
            head: reader.open.leftover.lent(self.from..payload_from),
            at: next - (head + payload + tail) as u64,
            next,
            unread,
            inside: false,
        };
        (item, reading)
    }
}

impl<F: Format> FrameReader<F> {
    /// Joins the frame at hand, if it is an ordinary one that ends in `chunk`, and returns its place. Otherwise `answer`
    /// holds the format's answer, unless the step has it.
    #[inline]
    pub(super) fn join(
        &mut self,
        chunk: &mut &[u8],
        answer: &mut Option<Answer>,
    ) -> Option<Joined> {
        let ordinary =
            matches!(self.open.delivery, Delivery::Whole) && !self.format.unpacks_in_pieces();
        if self.open.leftover.is_empty() || !ordinary {
            return None;
        }
        let span = match self.open.step {
            Step::Whole(span) => span,
            Step::Cut => {
                work::called();
                let window = Window::new(self.open.leftover.unread(), chunk);
                let cut = answer.insert(self.format.cut(window));
                let span = Span::ordinary(cut, self.rules.plain, self.overhead())?;
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
        let missing = total.checked_sub(open.leftover.len())?;
        let (joining, rest) = chunk.split_at_checked(missing)?;
        open.leftover.append(joining, bound);
        *chunk = rest;
        let frame = open.leftover.unread();
        self.format.check_tail(&frame[end..]).ok()?;
        open.out.clear();
        let unpacked = match self.format.unpack(&frame[span.head..end], &mut open.out) {
            Ok(Unpacked::AsIs) if span.payload <= self.rules.limit() => false,
            Ok(Unpacked::Out) if open.out.len() <= self.rules.limit() => true,
            _ => return None,
        };
        open.step = Step::Cut;
        let from = open.leftover.read(total).start;
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

    /// The payloads, and the error at the end if there is one, for every place of one boundary between chunks.
    fn at_every_boundary<F: Format>(format: impl Fn() -> F, stream: &[u8]) -> Vec<Vec<String>> {
        let read = |boundary| {
            let mut reader = FrameReader::new(format(), 8);
            let mut seen = vec![];
            for chunk in [&stream[..boundary], &stream[boundary..]] {
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
    fn a_frame_across_the_boundary_is_read_as_any_other() {
        let seen = at_every_boundary(LengthPrefix::u16_be, b"\x00\x03abc\x00\x00\x00\x01d");
        assert_eq!(
            seen,
            [[b"abc".as_slice(), b"", b"d"].map(|frame| format!("{frame:?}"))]
        );
    }

    #[test]
    fn a_wrong_tail_behind_the_boundary_has_its_own_offset() {
        let seen = at_every_boundary(Netstring::new, b"2:ab,3:cdeX1:f,");
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(seen[0][1].contains("10"), "{seen:?}");
    }

    #[test]
    fn what_is_unpacked_across_the_boundary_is_not_unpacked_twice() {
        let seen = at_every_boundary(Cobs::new, b"\x03ab\x02c\0\x02d\0");
        let frames = [b"ab\0c".as_slice(), b"d"].map(|frame| format!("{frame:?}"));
        assert_eq!(seen, [frames]);
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_in_front_of_the_boundary_and_behind_it() {
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
