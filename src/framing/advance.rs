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

use super::reader::Bad;
use super::state::{Answer, Fate, Found, Place, Span, Step, What};
use super::unpacking::{self, Wrong};
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
        match self.fate {
            // Behind what was gathered there may be what stood aside.
            Fate::Gather => self.out.truncate(self.base + self.made),
            _ => self.out.truncate(self.base),
        }
        loop {
            if let Fate::Drop { error, told } = &mut self.fate
                && !mem::replace(told, true)
            {
                let error = *error;
                return Ok(Some(self.refused(error, false, chunk)));
            }
            let next = match self.step {
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
        self.between_frames() && self.is_dry(chunk) && !self.format.expects_more()
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
        if !at_end || self.may_end(chunk) {
            return Ok(Next::Starved);
        }
        let window = Window::new(self.carry.unread(), chunk);
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

    /// The end of the frame is not in sight, and `settled` bytes of its payload are.
    fn wait<'c>(&mut self, settled: usize, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let seen = self.carry.len() + chunk.len();
        let settled = settled.min(seen);
        let length = self.gone.saturating_add(settled as u64);
        let room = (self.rules.raw_limit as u64).saturating_sub(self.gone);
        match self.fate {
            Fate::Whole | Fate::Gather if length > self.whole() => {
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
                let start = self.position(chunk);
                let (place, read) = self.take_some(chunk, room.min(settled as u64));
                self.gone += read as u64;
                self.format.forget(read);
                self.hand_out(place, Place::NOWHERE, start)
            }
            Fate::Drop { .. } => {
                self.discard(chunk, settled);
                self.gone = length;
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
                let noise = noise.min(self.carry.len() + chunk.len());
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
        if brackets > self.rules.overhead {
            let wrong = Malformed::new(0, "head and tail longer than the format allows");
            return Err(malformed(self.position(chunk), wrong));
        }
        let is_aside = matches!(cut, Cut::Aside { .. }) && !matches!(self.fate, Fate::Whole);
        let may_be_empty = last && !is_aside && !matches!(self.fate, Fate::Whole);
        if brackets == 0 && payload == 0 && !may_be_empty {
            return Err(self.of_nothing(chunk));
        }
        if is_aside {
            return self.begin_aside(span, chunk);
        }
        if !last && payload == 0 {
            self.empty_parts += 1;
            if self.empty_parts > self.rules.most_empty_parts {
                let wrong = Malformed::new(0, "frame of too many parts without payload");
                return Err(malformed(self.position(chunk), wrong));
            }
        }
        let length = self.gone.saturating_add(payload);
        let room = (self.rules.raw_limit as u64).saturating_sub(self.gone);
        let mut extra = 0;
        if payload > room && !matches!(self.fate, Fate::Drop { .. }) {
            if declared || !self.streams() {
                self.refuse(declared.then_some(length), chunk)?;
            } else {
                // Had it come in smaller chunks, pieces up to the limit would have been handed out.
                extra = payload - room;
            }
        }
        let mut flushed = Next::Again;
        let first = matches!(self.fate, Fate::Whole);
        match self.fate {
            Fate::Whole | Fate::Gather if length > self.whole() => {
                flushed = self.stream(chunk);
            }
            Fate::Whole if !last || self.unpacks_as_it_comes(span, chunk) => {
                self.open(Fate::Gather, chunk);
            }
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
                first,
                left: payload - extra,
                extra,
                tail,
                last,
            },
        };
        Ok(flushed)
    }

    /// A frame that is not all there in one slice is unpacked where its bytes lie, and not put together first.
    fn unpacks_as_it_comes(
        &self,
        (head, payload, tail): (usize, u64, usize),
        chunk: &[u8],
    ) -> bool {
        let whole = payload.saturating_add((head + tail) as u64);
        let held = if self.carry.is_empty() {
            chunk.len()
        } else {
            self.carry.len()
        };
        self.format.unpacks_in_pieces() && whole > held as u64
    }

    fn take_whole<'c>(&mut self, span: Span, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let Some((start, place)) = self.take_span(span, chunk)? else {
            return Ok(Next::Starved);
        };
        self.step = Step::Cut;
        let (head, end) = (span.head, span.head + span.payload);
        let frame = place.bytes(&self.carry, &[]);
        let raw = &frame[head..end];
        let limit = self.rules.limit;
        let payload = match unpacking::whole(&mut self.format, raw, &mut self.out, limit) {
            Ok(Unpacked::AsIs) => place.within(head..end),
            Ok(Unpacked::Out) => Place::Out(0..self.out.len()),
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
        let limit = self.rules.limit;
        match usize::try_from(payload) {
            Ok(payload) if payload <= limit => {
                self.step = Step::Aside(Span {
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
        self.step = Step::Cut;
        let (head, end) = (span.head, span.head + span.payload);
        let mut payload = place.within(head..end);
        if self.format.unpacks_in_pieces() {
            let raw = payload.bytes(&self.carry, &[]);
            let from = self.out.len();
            let limit = self.rules.limit;
            match unpacking::whole(&mut self.format, raw, &mut self.out, limit) {
                Ok(Unpacked::AsIs) => {}
                Ok(Unpacked::Out) => payload = Place::Out(from..self.out.len()),
                Err(wrong) => return Err(self.error_of(wrong, start, start + head as u64)),
            }
        }
        let head = place.within(0..head);
        Ok(Next::Found(found(What::Frame(payload), head, start)))
    }

    /// Takes a frame that is to be handed out whole, with its offset; `None` if not all of it is there.
    fn take_span<'c>(
        &mut self,
        span: Span,
        chunk: &mut &'c [u8],
    ) -> Result<Option<(u64, Place<'c>)>, FrameError> {
        let end = span.head + span.payload;
        let total = end + span.tail;
        if self.carry.len() + chunk.len() < total {
            return Ok(None);
        }
        let start = self.position(chunk);
        let place = self.take(chunk, total);
        let tail = &place.bytes(&self.carry, &[])[end..];
        self.format
            .check_tail(tail)
            .map_err(|wrong| malformed(start + end as u64, wrong))?;
        Ok(Some((start, place)))
    }

    fn body<'c>(&mut self, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let Step::Body {
            mut head,
            first,
            mut left,
            mut extra,
            tail,
            last,
        } = self.step
        else {
            return Ok(Next::Again);
        };
        let mut lent = Place::NOWHERE;
        let goes_along = first && !matches!(self.fate, Fate::Drop { .. });
        if head > 0 && goes_along {
            // With the first byte of payload, so that it does not depend on the cuts what it comes with.
            let needed = head + usize::from(left + extra > 0);
            if self.carry.len() + chunk.len() < needed {
                return Ok(Next::Starved);
            }
            lent = self.take(chunk, mem::take(&mut head));
            if matches!(self.fate, Fate::Gather) {
                self.keep_head(&lent);
            }
        } else {
            let skipped = head.min(self.carry.len() + chunk.len());
            self.discard(chunk, skipped);
            head -= skipped;
        }
        if left == 0 && extra > 0 {
            if !matches!(self.fate, Fate::Drop { .. }) {
                self.refuse(None, chunk)?;
            }
            left = mem::take(&mut extra);
        }
        let ready = left.min((self.carry.len() + chunk.len()) as u64) as usize;
        let mut piece = None;
        if head == 0 && ready > 0 {
            let start = self.position(chunk);
            let (place, read) = match self.fate {
                Fate::Drop { .. } => {
                    self.discard(chunk, ready);
                    (Place::NOWHERE, ready)
                }
                _ => self.take_some(chunk, ready as u64),
            };
            left -= read as u64;
            self.gone += read as u64;
            piece = Some((place, start));
        }
        let done = head == 0 && left == 0;
        self.step = match extra {
            0 if done => Step::Tail { tail, last },
            _ => Step::Body {
                head,
                first: first && head > 0,
                left,
                extra,
                tail,
                last,
            },
        };
        let Some((place, start)) = piece else {
            return Ok(if done { Next::Again } else { Next::Starved });
        };
        match self.fate {
            Fate::Stream => {
                let is_last = done && extra == 0 && last && tail == 0;
                if is_last && !self.format.unpacks_in_pieces() {
                    let (at, head) = (self.at, self.first_head(lent));
                    self.close();
                    return Ok(Next::Found(found(What::Piece(place, true), head, at)));
                }
                self.hand_out(place, lent, start)
            }
            Fate::Gather => {
                self.gather(&place, start, chunk)?;
                Ok(Next::Again)
            }
            _ => Ok(Next::Again),
        }
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
        let bytes = self.gone;
        if let Fate::Drop { .. } = self.fate {
            self.step = Step::Over { left: 0, bytes };
            return Ok(Next::Again);
        }
        let mut rest = Place::NOWHERE;
        let mut wrong = None;
        if self.format.unpacks_in_pieces() {
            (rest, wrong) = self.unpack_some(&Place::NOWHERE, true);
        } else if matches!(self.fate, Fate::Gather) && self.made > self.rules.limit {
            wrong = Some(Wrong::TooLong);
        }
        let at = self.at;
        if let Some(wrong) = wrong {
            let error = self.error_of(wrong, at, start);
            let streams = matches!(self.fate, Fate::Stream);
            let spoilt = self.spoil(error, at, 0, bytes);
            if !streams || rest.is_empty() {
                spoilt?;
                return Ok(Next::Again);
            }
            // What stands in front of the wrong byte comes first.
            if let Err(error) = spoilt {
                self.step = Step::Failed(error);
            }
            let head = self.first_head(Place::NOWHERE);
            return Ok(Next::Found(found(What::Piece(rest, false), head, at)));
        }
        let payload = Place::Out(self.base..self.base + self.made);
        let head = self.first_head(Place::NOWHERE);
        Ok(Next::Found(match self.close() {
            Fate::Stream => found(What::Piece(rest, true), head, at),
            _ => found(What::Frame(payload), head, at),
        }))
    }

    /// A piece of a frame that is handed out as it comes: what it is unpacked to, and then what is wrong.
    fn hand_out<'c>(
        &mut self,
        place: Place<'c>,
        head: Place<'c>,
        start: u64,
    ) -> Result<Next<'c>, FrameError> {
        let at = self.at;
        if !self.format.unpacks_in_pieces() {
            let head = self.first_head(head);
            return Ok(Next::Found(found(What::Piece(place, false), head, at)));
        }
        let (piece, wrong) = self.unpack_some(&place, false);
        if let Some(wrong) = wrong {
            let error = self.error_of(wrong, at, start);
            if let Err(error) = self.drop_rest(error, at) {
                if piece.is_empty() {
                    return Err(error);
                }
                self.step = Step::Failed(error);
            }
        }
        if piece.is_empty() {
            if !head.is_empty() {
                self.keep_head(&head);
            }
            return Ok(Next::Again);
        }
        let head = self.first_head(head);
        Ok(Next::Found(found(What::Piece(piece, false), head, at)))
    }

    /// The head for the first item of a frame: this, or the one that was kept.
    fn first_head<'c>(&mut self, lent: Place<'c>) -> Place<'c> {
        match mem::take(&mut self.base) {
            0 => lent,
            base => Place::Out(0..base),
        }
    }

    /// A piece of a frame that is put together.
    fn gather(&mut self, place: &Place<'_>, start: u64, chunk: &[u8]) -> Result<(), FrameError> {
        if !self.format.unpacks_in_pieces() {
            self.append(place);
            return Ok(());
        }
        match self.unpack_some(place, false) {
            (_, None) => Ok(()),
            (_, Some(wrong)) => {
                let at = self.frame_start(chunk);
                let error = self.error_of(wrong, at, start);
                self.drop_rest(error, at)
            }
        }
    }

    fn over<'c>(&mut self, left: usize, bytes: u64, chunk: &mut &'c [u8]) -> Next<'c> {
        self.discard(chunk, left);
        let at = self.at;
        match self.close() {
            Fate::Drop { error, .. } => {
                let skipped = What::Skipped { bytes, error };
                Next::Found(found(skipped, Place::NOWHERE, at))
            }
            _ => Next::Again,
        }
    }

    /// The frame is over.
    fn close(&mut self) -> Fate {
        self.step = Step::Cut;
        self.gone = 0;
        self.made = 0;
        self.base = 0;
        self.empty_parts = 0;
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
        if self.made == 0 {
            return Next::Again;
        }
        let gathered = Place::Out(self.base..self.base + self.made);
        let head = self.first_head(Place::NOWHERE);
        Next::Found(found(What::Piece(gathered, false), head, self.at))
    }

    /// The frame at hand is too long: fails, or marks it to be dropped.
    fn refuse(&mut self, declared: Option<u64>, chunk: &[u8]) -> Result<(), FrameError> {
        let at = self.frame_start(chunk);
        let limit = self.rules.limit;
        self.drop_rest(
            FrameError::TooLong {
                at,
                limit,
                declared,
            },
            at,
        )
    }

    /// The rest of the frame at hand, which began at `at`, is of no use: fails, or marks it to be dropped.
    fn drop_rest(&mut self, error: FrameError, at: u64) -> Result<(), FrameError> {
        self.format.abandon();
        self.at = at;
        let told = match self.rules.bad {
            Bad::Fail => return Err(error),
            Bad::Skip => true,
            Bad::Tell => false,
        };
        self.fate = Fate::Drop { error, told };
        Ok(())
    }

    /// A frame that began at `at` was read to its end, but for `left` bytes, and is wrong.
    pub(super) fn spoil(
        &mut self,
        error: FrameError,
        at: u64,
        left: usize,
        bytes: u64,
    ) -> Result<(), FrameError> {
        self.drop_rest(error, at)?;
        self.step = Step::Over { left, bytes };
        Ok(())
    }

    /// Nothing can be read any more. Who is told of bad frames is told of this, and then it fails.
    fn fail<'c>(
        &mut self,
        error: FrameError,
        chunk: &[u8],
    ) -> Result<Option<Found<'c>>, FrameError> {
        let refused = self.refused(error, true, chunk);
        self.step = Step::Failed(error);
        match self.rules.bad {
            Bad::Tell => Ok(Some(refused)),
            Bad::Fail | Bad::Skip => Err(error),
        }
    }

    fn refused<'c>(&self, error: FrameError, lost: bool, chunk: &[u8]) -> Found<'c> {
        let refused = What::Refused { error, lost };
        found(refused, Place::NOWHERE, self.frame_start(chunk))
    }

    pub(super) fn error_of(&self, wrong: Wrong, at: u64, start: u64) -> FrameError {
        match wrong {
            Wrong::Malformed(wrong) => malformed(start, wrong),
            Wrong::TooLong => FrameError::TooLong {
                at,
                limit: self.rules.limit,
                declared: None,
            },
        }
    }

    /// Nothing else would stop a format that makes something of nothing.
    fn of_nothing(&self, chunk: &[u8]) -> FrameError {
        let wrong = Malformed::new(0, "the format made a frame of no bytes");
        malformed(self.position(chunk), wrong)
    }

    fn streams(&self) -> bool {
        self.rules.stream_above < self.rules.raw_limit && self.format.may_stream()
    }

    /// The longest payload of the frame at hand that does not come in pieces.
    fn whole(&self) -> u64 {
        if self.format.may_stream() {
            self.rules.whole
        } else {
            self.rules.raw_limit as u64
        }
    }
}

fn found<'c>(what: What<'c>, head: Place<'c>, at: u64) -> Found<'c> {
    Found { what, head, at }
}

pub(super) fn malformed(start: u64, wrong: Malformed) -> FrameError {
    FrameError::Malformed {
        at: start.saturating_add(wrong.at as u64),
        what: wrong.what,
    }
}
