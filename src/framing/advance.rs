//! The reader's state machine: everything but the short way in `feed.rs`.
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
//! `Step` is where in a frame the reader is, `Fate` what becomes of the frame's payload. Any of them may
//! end in `Failed`, which nothing leaves.

use std::mem;

use super::state::{Answer, Fate, Found, Place, Span, Step};
use super::window::work;
use super::{Cut, Format, FrameError, FrameReader, Malformed, Unpacked, Window};

enum Next<'c> {
    Found(Found<'c>),
    Again,
    Starved,
}

impl<F: Format> FrameReader<F> {
    #[inline]
    pub(super) fn is_direct(&self) -> bool {
        self.between_frames() && self.carry.is_empty()
    }

    /// The next item from the carry and the chunk. `answer` is the format's to exactly this window, if
    /// it was asked already.
    pub(super) fn advance<'c>(
        &mut self,
        mut answer: Option<Answer>,
        chunk: &mut &'c [u8],
        at_end: bool,
    ) -> Result<Option<Found<'c>>, FrameError> {
        if !matches!(self.fate, Fate::Gather) {
            self.out.clear();
        }
        loop {
            let next = match self.step {
                Step::Cut => self.cut(answer.take(), chunk, at_end),
                Step::Whole(span) => self.whole(span, chunk),
                Step::Body { .. } => self.body(chunk),
                Step::Tail { tail, last } => self.tail(tail, last, chunk),
                Step::Failed(error) => return Err(error),
            };
            match next {
                Ok(Next::Found(found)) => return Ok(Some(found)),
                Ok(Next::Again) => {}
                Ok(Next::Starved) if at_end && !(self.between_frames() && self.is_dry(chunk)) => {
                    let at = self.frame_start(chunk);
                    return Err(self.fail(FrameError::Truncated {
                        at,
                        have: self.fed - at,
                    }));
                }
                Ok(Next::Starved) => return Ok(None),
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    fn cut<'c>(
        &mut self,
        answer: Option<Answer>,
        chunk: &mut &'c [u8],
        at_end: bool,
    ) -> Result<Next<'c>, FrameError> {
        let start = self.position(chunk);
        if !self.is_dry(chunk) {
            let window = Window::new(self.carry.unread(), chunk);
            let answer = answer.unwrap_or_else(|| {
                work::asked();
                self.format.cut(window)
            });
            let next = match answer {
                Ok(Cut::More { settled }) => {
                    if window.len().saturating_sub(settled) > self.rules.overhead {
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
        if !at_end || (self.between_frames() && self.is_dry(chunk)) {
            return Ok(Next::Starved);
        }
        let window = Window::new(self.carry.unread(), chunk);
        match self
            .format
            .at_end(window)
            .map_err(|wrong| malformed(start, wrong))?
        {
            Cut::More { .. } => Ok(Next::Starved),
            other => self.begin(other, chunk),
        }
    }

    /// The end of the frame is not in sight, and `settled` bytes of its payload are.
    fn wait<'c>(&mut self, settled: usize, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let seen = self.carry.len() + chunk.len();
        let settled = settled.min(seen);
        let length = self.gone.saturating_add(settled as u64);
        let room = (self.rules.raw_limit as u64).saturating_sub(self.gone);
        match self.fate {
            Fate::Whole | Fate::Gather if length > self.rules.whole => {
                if self.streams() {
                    return Ok(self.stream(chunk));
                }
                self.refuse(None, chunk)?;
                Ok(Next::Again)
            }
            Fate::Whole | Fate::Gather => Ok(Next::Starved),
            _ if settled == 0 => Ok(Next::Starved),
            Fate::Stream if room == 0 => {
                self.refuse(None, chunk)?;
                Ok(Next::Again)
            }
            Fate::Stream => {
                let (place, read) = self.take_some(chunk, room.min(settled as u64));
                self.gone += read as u64;
                self.format.forget(read);
                Ok(Next::Found(Found::Piece(place, false)))
            }
            Fate::Drop(_) => {
                self.discard(chunk, settled);
                self.gone = length;
                self.format.forget(settled);
                Ok(Next::Again)
            }
        }
    }

    /// The format knows where the frame, or this part of it, ends.
    fn begin<'c>(&mut self, cut: Cut, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let (head, payload, tail, last, declared) = match cut {
            Cut::More { .. } => return Ok(Next::Starved),
            Cut::Skip(0) => return Err(self.of_nothing(chunk)),
            Cut::Skip(noise) => {
                let noise = noise.min(self.carry.len() + chunk.len());
                self.discard(chunk, noise);
                return Ok(Next::Again);
            }
            Cut::Frame {
                head,
                payload,
                tail,
            } => (head, payload as u64, tail, true, false),
            Cut::Declared {
                head,
                payload,
                tail,
            } => (head, payload, tail, true, true),
            Cut::Part {
                head,
                payload,
                tail,
            } => (head, payload, tail, false, true),
        };
        let brackets = head.saturating_add(tail);
        if brackets > self.rules.overhead {
            let wrong = Malformed::new(0, "head and tail longer than the format allows");
            return Err(malformed(self.position(chunk), wrong));
        }
        if brackets == 0 && payload == 0 && (!last || matches!(self.fate, Fate::Whole)) {
            return Err(self.of_nothing(chunk));
        }
        let length = self.gone.saturating_add(payload);
        let room = (self.rules.raw_limit as u64).saturating_sub(self.gone);
        let mut extra = 0;
        if payload > room && !matches!(self.fate, Fate::Drop(_)) {
            if declared || !self.streams() {
                self.refuse(declared.then_some(length), chunk)?;
            } else {
                // Had it come in smaller chunks, pieces up to the limit would have been handed out.
                extra = payload - room;
            }
        }
        let mut flushed = Next::Again;
        match self.fate {
            Fate::Whole | Fate::Gather if length > self.rules.whole => {
                flushed = self.stream(chunk);
            }
            Fate::Whole if !last => self.open(Fate::Gather, chunk),
            _ => {}
        }
        self.step = match self.fate {
            Fate::Whole => Step::Whole(Span {
                head,
                payload: payload as usize,
                tail,
            }),
            _ => Step::Body {
                head,
                left: payload - extra,
                extra,
                tail,
                last,
            },
        };
        Ok(flushed)
    }

    fn whole<'c>(&mut self, span: Span, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let Span {
            head,
            payload,
            tail,
        } = span;
        let end = head + payload;
        if self.carry.len() + chunk.len() < end + tail {
            return Ok(Next::Starved);
        }
        let start = self.position(chunk);
        let place = self.take(chunk, end + tail);
        self.step = Step::Cut;
        let frame = place.bytes(&self.carry, &[]);
        self.format
            .check_tail(&frame[end..])
            .map_err(|wrong| malformed(start + end as u64, wrong))?;
        let limit = self.rules.limit;
        let error = match self.format.unpack(&frame[head..end], &mut self.out) {
            Ok(Unpacked::AsIs) if payload <= limit => {
                return Ok(Next::Found(Found::Frame(place.within(head..end))));
            }
            Ok(Unpacked::Out) if self.out.len() <= limit => {
                return Ok(Next::Found(Found::Frame(Place::Out)));
            }
            Ok(_) => FrameError::TooLong {
                at: start,
                limit,
                declared: None,
            },
            Err(wrong) => malformed(start + head as u64, wrong),
        };
        Ok(Next::Found(self.dropped(payload as u64, error)?))
    }

    /// What becomes of a frame of `bytes` that was read to its end, and is wrong.
    fn dropped<'c>(&self, bytes: u64, error: FrameError) -> Result<Found<'c>, FrameError> {
        if self.rules.skip_bad {
            Ok(Found::Skipped { bytes, error })
        } else {
            Err(error)
        }
    }

    fn body<'c>(&mut self, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let Step::Body {
            mut head,
            mut left,
            mut extra,
            tail,
            last,
        } = self.step
        else {
            return Ok(Next::Again);
        };
        let skipped = head.min(self.carry.len() + chunk.len());
        self.discard(chunk, skipped);
        head -= skipped;
        if left == 0 && extra > 0 {
            self.refuse(None, chunk)?;
            left = mem::take(&mut extra);
        }
        let ready = left.min((self.carry.len() + chunk.len()) as u64) as usize;
        let mut next = Next::Starved;
        if head == 0 && ready > 0 {
            let (place, read) = match self.fate {
                Fate::Drop(_) => {
                    self.discard(chunk, ready);
                    (Place::Chunk(&[]), ready)
                }
                _ => self.take_some(chunk, ready as u64),
            };
            left -= read as u64;
            self.gone += read as u64;
            next = match self.fate {
                Fate::Stream => {
                    let done = last && left == 0 && extra == 0 && tail == 0;
                    if done {
                        self.close();
                        return Ok(Next::Found(Found::Piece(place, true)));
                    }
                    Next::Found(Found::Piece(place, false))
                }
                Fate::Gather => {
                    self.gather(place);
                    Next::Again
                }
                _ => Next::Again,
            };
        }
        if head > 0 || left > 0 {
            self.step = Step::Body {
                head,
                left,
                extra,
                tail,
                last,
            };
            return Ok(next);
        }
        self.step = match extra {
            0 => Step::Tail { tail, last },
            _ => Step::Body {
                head,
                left,
                extra,
                tail,
                last,
            },
        };
        if matches!(next, Next::Starved) {
            next = Next::Again;
        }
        Ok(next)
    }

    fn tail<'c>(
        &mut self,
        tail: usize,
        last: bool,
        chunk: &mut &'c [u8],
    ) -> Result<Next<'c>, FrameError> {
        if self.carry.len() + chunk.len() < tail {
            return Ok(Next::Starved);
        }
        let start = self.position(chunk);
        let place = self.take(chunk, tail);
        let bytes = place.bytes(&self.carry, &[]);
        self.format
            .check_tail(bytes)
            .map_err(|wrong| malformed(start, wrong))?;
        if !last {
            self.step = Step::Cut;
            return Ok(Next::Again);
        }
        let (at, bytes) = (self.at, self.gone);
        let limit = self.rules.limit;
        Ok(Next::Found(match self.close() {
            Fate::Stream => Found::Piece(Place::Chunk(&[]), true),
            Fate::Drop(error) => Found::Skipped { bytes, error },
            Fate::Whole | Fate::Gather if self.out.len() <= limit => Found::Frame(Place::Out),
            Fate::Whole | Fate::Gather => self.dropped(
                bytes,
                FrameError::TooLong {
                    at,
                    limit,
                    declared: None,
                },
            )?,
        }))
    }

    /// The frame is over.
    fn close(&mut self) -> Fate {
        self.step = Step::Cut;
        self.gone = 0;
        mem::replace(&mut self.fate, Fate::Whole)
    }

    /// Decides the fate of the frame at hand.
    fn open(&mut self, fate: Fate, chunk: &[u8]) {
        self.at = self.frame_start(chunk);
        self.fate = fate;
    }

    /// From now on the payload is handed out as it comes, what was gathered of it first.
    fn stream<'c>(&mut self, chunk: &[u8]) -> Next<'c> {
        self.open(Fate::Stream, chunk);
        if self.out.is_empty() {
            return Next::Again;
        }
        Next::Found(Found::Piece(Place::Out, false))
    }

    /// The frame at hand is too long: fails, or marks it to be dropped.
    fn refuse(&mut self, declared: Option<u64>, chunk: &[u8]) -> Result<(), FrameError> {
        let at = self.frame_start(chunk);
        let error = FrameError::TooLong {
            at,
            limit: self.rules.limit,
            declared,
        };
        if !self.rules.skip_bad {
            return Err(error);
        }
        self.open(Fate::Drop(error), chunk);
        self.out.clear();
        Ok(())
    }

    fn fail(&mut self, error: FrameError) -> FrameError {
        self.step = Step::Failed(error);
        error
    }

    /// Nothing else would stop a format that makes something of nothing.
    fn of_nothing(&self, chunk: &[u8]) -> FrameError {
        let wrong = Malformed::new(0, "the format made a frame of no bytes");
        malformed(self.position(chunk), wrong)
    }

    fn streams(&self) -> bool {
        self.rules.stream_above < self.rules.raw_limit
    }
}

fn malformed(start: u64, wrong: Malformed) -> FrameError {
    FrameError::Malformed {
        at: start.saturating_add(wrong.at as u64),
        what: wrong.what,
    }
}
