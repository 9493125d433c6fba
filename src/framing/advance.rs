//! The reader's state machine: everything but the short way in `direct.rs`.
//!
//! ```text
//!              ┌─────────────────────────────── next part ──────────────────────────────┐
//!              ▼                                                                        │
//!   ──────►  Cut ──── announced or found ──┬─► Whole (head, payload and tail at once) ──┼─► item
//!             │ ▲                          │                                            │
//!   too long, └─┘ settled bytes            └─► Body (as it comes) ──► Tail ─────────────┘
//!   or streamed   go as they come
//! ```
//!
//! `Step` is the position of the reader in a frame, `Delivery` says how the payload reaches the listener. Any step may
//! end in `Failed`, which is final.

use super::state::{Answer, Delivery, Found, Place, Span, Step, What};
use super::unpacking;
use super::window::work;
use super::{Cut, Format, FrameError, FrameReader, Malformed, Unpacked, Window};

pub(super) const MANY_EMPTY_PARTS: &str = "frame of too many parts without payload";

pub(super) enum Next<'c> {
    Found(Found<'c>),
    Again,
    Starved,
}

impl<F: Format> FrameReader<F> {
    #[inline]
    pub(super) fn is_direct(&self) -> bool {
        self.between_frames() && self.open.leftover.is_empty()
    }

    /// The next item from the leftover and the chunk. `answer` is the format's answer to exactly this window, if there
    /// is one already.
    pub(super) fn advance<'c>(
        &mut self,
        mut answer: Option<Answer>,
        chunk: &mut &'c [u8],
        at_end: bool,
    ) -> Result<Option<Found<'c>>, FrameError> {
        if self.open.get().is_some() {
            let open = &mut *self.open;
            open.out.truncate(match open.delivery {
                // A frame that came aside may lie behind the gathered payload.
                Delivery::Gather => open.base + open.made,
                _ => open.base,
            });
        }
        loop {
            if let Delivery::Drop {
                error,
                reported: false,
            } = self.open.delivery
            {
                self.open.delivery = Delivery::Drop {
                    error,
                    reported: true,
                };
                return Ok(Some(self.refused(error, false, chunk)));
            }
            let next = match self.open.step {
                Step::Cut => self.cut(answer.take(), chunk, at_end),
                Step::Whole(span) => self.take_whole(span, chunk),
                Step::Aside(span) => self.aside(span, chunk),
                Step::Body { .. } => self.body(chunk),
                Step::Tail { tail, last } => self.tail(tail, last, chunk),
                Step::Over { left, bytes } => Ok(self.over(left, bytes, chunk)),
                Step::Failed(error) => return Err(error),
            };
            match next {
                Ok(Next::Found(found)) => return Ok(Some(found)),
                Ok(Next::Again) => {}
                Ok(Next::Starved) if at_end && !self.may_end(chunk) => {
                    let at = self.frame_start(chunk);
                    let have = self.fed - at;
                    return self.fail(FrameError::Truncated { at, have }, chunk);
                }
                Ok(Next::Starved) => return Ok(None),
                Err(error) => return self.fail(error, chunk),
            }
        }
    }

    /// Whether the input may end here.
    fn may_end(&self, chunk: &[u8]) -> bool {
        self.between_frames() && self.is_exhausted(chunk) && !self.format.expects_more()
    }

    fn cut<'c>(
        &mut self,
        answer: Option<Answer>,
        chunk: &mut &'c [u8],
        at_end: bool,
    ) -> Result<Next<'c>, FrameError> {
        let start = self.position(chunk);
        if !self.is_exhausted(chunk) {
            let window = Window::new(self.open.leftover.unread(), chunk);
            let answer = answer.unwrap_or_else(|| {
                work::called();
                self.format.cut(window)
            });
            let next = match answer {
                Ok(Cut::More { settled }) => {
                    if window.len().saturating_sub(settled) > self.overhead() {
                        let wrong = Malformed::new(0, "head longer than the format allows");
                        return Err(malformed(start, wrong));
                    }
                    self.wait(settled, chunk)?
                }
                Ok(other) => self.begin(other, chunk)?,
                Err(wrong) => match self.wait(wrong.settled, chunk)? {
                    Next::Starved => return Err(malformed(start, wrong)),
                    next => next,
                },
            };
            if !matches!(next, Next::Starved) {
                return Ok(next);
            }
        }
        if !at_end || self.may_end(chunk) {
            return Ok(Next::Starved);
        }
        let window = Window::new(self.open.leftover.unread(), chunk);
        let nothing_came = self.between_frames() && window.is_empty();
        let answer = self.format.at_end(window);
        match answer.map_err(|wrong| malformed(start, wrong))? {
            Cut::More { .. } => Ok(Next::Starved),
            cut if nothing_came && cut.whole() == Some((0, 0, 0)) => {
                if self.format.expects_more() {
                    return Err(self.of_nothing(chunk));
                }
                let frame = What::Frame(Place::NOWHERE);
                Ok(Next::Found(found(frame, Place::NOWHERE, start)))
            }
            other => self.begin(other, chunk),
        }
    }

    /// The end of the frame has not arrived; `settled` bytes of its payload have.
    fn wait<'c>(&mut self, settled: usize, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let seen = self.open.leftover.len() + chunk.len();
        let settled = settled.min(seen);
        let length = self.open.gone.saturating_add(settled as u64);
        let room = (self.raw_limit() as u64).saturating_sub(self.open.gone);
        match self.open.delivery {
            Delivery::Whole | Delivery::Gather if length > self.whole() => {
                if self.streams() {
                    return Ok(self.stream(chunk));
                }
                self.refuse(None, chunk)?;
                Ok(Next::Again)
            }
            Delivery::Whole | Delivery::Gather => Ok(Next::Starved),
            _ if settled == 0 => Ok(Next::Starved),
            Delivery::Stream if room == 0 => {
                self.refuse(None, chunk)?;
                Ok(Next::Again)
            }
            Delivery::Stream => {
                let start = self.position(chunk);
                let (place, read) = self.take_some(chunk, room.min(settled as u64));
                self.open.gone += read as u64;
                self.format.forget(read);
                self.hand_out(place, Place::NOWHERE, start)
            }
            Delivery::Drop { .. } => {
                self.discard(chunk, settled);
                self.open.gone = length;
                self.format.forget(settled);
                Ok(Next::Again)
            }
        }
    }

    /// The format knows where the frame, or this part of it, ends.
    fn begin<'c>(&mut self, cut: Cut, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let (span, last, declared) = match cut {
            Cut::More { .. } => return Ok(Next::Starved),
            Cut::Skip(0) => return Err(self.of_nothing(chunk)),
            Cut::Skip(noise) => {
                let noise = noise.min(self.open.leftover.len() + chunk.len());
                self.discard(chunk, noise);
                return Ok(Next::Again);
            }
            Cut::Frame {
                head,
                payload,
                tail,
            } => ((head, payload as u64, tail), true, false),
            Cut::Declared {
                head,
                payload,
                tail,
            }
            | Cut::Aside {
                head,
                payload,
                tail,
            } => ((head, payload, tail), true, true),
            Cut::Part {
                head,
                payload,
                tail,
            } => ((head, payload, tail), false, true),
        };
        let (head, payload, tail) = span;
        let brackets = head.saturating_add(tail);
        if brackets > self.overhead() {
            let wrong = Malformed::new(0, "head and tail longer than the format allows");
            return Err(malformed(self.position(chunk), wrong));
        }
        let is_aside =
            matches!(cut, Cut::Aside { .. }) && !matches!(self.open.delivery, Delivery::Whole);
        let may_be_empty = last && !is_aside && !matches!(self.open.delivery, Delivery::Whole);
        if brackets == 0 && payload == 0 && !may_be_empty {
            return Err(self.of_nothing(chunk));
        }
        if is_aside {
            return self.begin_aside(span, chunk);
        }
        if !last && payload == 0 {
            self.open.empty_parts += 1;
            if self.open.empty_parts > self.rules.most_empty_parts() {
                let wrong = Malformed::new(0, MANY_EMPTY_PARTS);
                return Err(malformed(self.position(chunk), wrong));
            }
        }
        let length = self.open.gone.saturating_add(payload);
        let room = (self.raw_limit() as u64).saturating_sub(self.open.gone);
        let mut extra = 0;
        if payload > room && !matches!(self.open.delivery, Delivery::Drop { .. }) {
            if declared || !self.streams() {
                self.refuse(declared.then_some(length), chunk)?;
            } else {
                // Had it come in smaller chunks, pieces up to the limit would have been handed out.
                extra = payload - room;
            }
        }
        let mut flushed = Next::Again;
        let first = matches!(self.open.delivery, Delivery::Whole);
        match self.open.delivery {
            Delivery::Whole | Delivery::Gather if length > self.whole() => {
                flushed = self.stream(chunk);
            }
            Delivery::Whole if !last || self.unpacks_as_it_comes(span, chunk) => {
                self.open(Delivery::Gather, chunk);
            }
            _ => {}
        }
        self.open.step = match self.open.delivery {
            Delivery::Whole => Step::Whole(Span {
                head,
                payload: payload as usize,
                tail,
            }),
            _ => Step::Body {
                head,
                first,
                left: payload - extra,
                extra,
                tail,
                last,
            },
        };
        Ok(flushed)
    }

    /// A frame that does not lie in one slice is unpacked slice by slice, without being joined first.
    fn unpacks_as_it_comes(
        &self,
        (head, payload, tail): (usize, u64, usize),
        chunk: &[u8],
    ) -> bool {
        let whole = payload.saturating_add((head + tail) as u64);
        let held = if self.open.leftover.is_empty() {
            chunk.len()
        } else {
            self.open.leftover.len()
        };
        self.format.unpacks_in_pieces() && whole > held as u64
    }

    fn take_whole<'c>(&mut self, span: Span, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let Some((start, place)) = self.take_span(span, chunk)? else {
            return Ok(Next::Starved);
        };
        self.open.step = Step::Cut;
        let (head, end) = (span.head, span.head + span.payload);
        let open = &mut *self.open;
        let frame = place.bytes(&open.leftover, &[]);
        let raw = &frame[head..end];
        let payload = match unpacking::whole(&mut self.format, raw, &mut open.out, &self.rules) {
            Ok(Unpacked::AsIs) => place.within(head..end),
            Ok(Unpacked::Out) => Place::Out(0..open.out.len()),
            Err(wrong) => {
                let error = self.error_of(wrong, start, start + head as u64);
                self.spoil(error, start, 0, span.payload as u64)?;
                return Ok(Next::Again);
            }
        };
        let head = place.within(0..head);
        Ok(Next::Found(found(What::Frame(payload), head, start)))
    }

    fn begin_aside<'c>(
        &mut self,
        (head, payload, tail): (usize, u64, usize),
        chunk: &[u8],
    ) -> Result<Next<'c>, FrameError> {
        let limit = self.rules.limit();
        match usize::try_from(payload) {
            Ok(payload) if payload <= limit => {
                self.open.step = Step::Aside(Span {
                    head,
                    payload,
                    tail,
                });
                Ok(Next::Again)
            }
            _ => Err(FrameError::TooLong {
                at: self.position(chunk),
                limit,
                declared: Some(payload),
            }),
        }
    }

    fn aside<'c>(&mut self, span: Span, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let Some((start, place)) = self.take_span(span, chunk)? else {
            return Ok(Next::Starved);
        };
        self.open.step = Step::Cut;
        let (head, end) = (span.head, span.head + span.payload);
        let mut payload = place.within(head..end);
        if self.format.unpacks_in_pieces() {
            let open = &mut *self.open;
            let raw = payload.bytes(&open.leftover, &[]);
            let from = open.out.len();
            match unpacking::whole(&mut self.format, raw, &mut open.out, &self.rules) {
                Ok(Unpacked::AsIs) => {}
                Ok(Unpacked::Out) => payload = Place::Out(from..open.out.len()),
                Err(wrong) => return Err(self.error_of(wrong, start, start + head as u64)),
            }
        }
        let head = place.within(0..head);
        Ok(Next::Found(found(What::Frame(payload), head, start)))
    }

    /// Reads a frame that is handed out whole, with its offset; `None` if it is not complete.
    fn take_span<'c>(
        &mut self,
        span: Span,
        chunk: &mut &'c [u8],
    ) -> Result<Option<(u64, Place<'c>)>, FrameError> {
        let end = span.head + span.payload;
        let total = end + span.tail;
        if self.open.leftover.len() + chunk.len() < total {
            return Ok(None);
        }
        let start = self.position(chunk);
        let place = self.take(chunk, total);
        let tail = &place.bytes(&self.open.leftover, &[])[end..];
        self.format
            .check_tail(tail)
            .map_err(|wrong| malformed(start + end as u64, wrong))?;
        Ok(Some((start, place)))
    }

    pub(super) fn streams(&self) -> bool {
        self.rules.stream_above() < self.raw_limit() && self.format.may_stream()
    }

    /// The longest payload of the frame at hand that does not come in pieces.
    fn whole(&self) -> u64 {
        if self.format.may_stream() {
            self.rules.stream_above().min(self.raw_limit()) as u64
        } else {
            self.raw_limit() as u64
        }
    }
}

pub(super) fn found<'c>(what: What<'c>, head: Place<'c>, at: u64) -> Found<'c> {
    Found { what, head, at }
}

pub(super) fn malformed(start: u64, wrong: Malformed) -> FrameError {
    FrameError::Malformed {
        at: start.saturating_add(wrong.at as u64),
        what: wrong.what,
    }
}
