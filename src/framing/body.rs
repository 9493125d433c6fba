//! Payload that goes as it comes: handed out in pieces, put together, or dropped.

use std::mem;

use super::advance::{Next, found, malformed};
use super::state::{Fate, Place, Step, What};
use super::unpacking::Wrong;
use super::{Format, FrameError, FrameReader};

impl<F: Format> FrameReader<F> {
    pub(super) fn body<'c>(&mut self, chunk: &mut &'c [u8]) -> Result<Next<'c>, FrameError> {
        let Step::Body {
            mut head,
            first,
            mut left,
            mut extra,
            tail,
            last,
        } = self.open.step
        else {
            return Ok(Next::Again);
        };
        let mut lent = Place::NOWHERE;
        let goes_along = first && !matches!(self.open.fate, Fate::Drop { .. });
        if head > 0 && goes_along {
            // With the first byte of payload, so that it does not depend on the cuts what it comes with.
            let needed = head + usize::from(left + extra > 0);
            if self.open.carry.len() + chunk.len() < needed {
                return Ok(Next::Starved);
            }
            lent = self.take(chunk, mem::take(&mut head));
            if matches!(self.open.fate, Fate::Gather) {
                self.keep_head(&lent);
            }
        } else {
            let skipped = head.min(self.open.carry.len() + chunk.len());
            self.discard(chunk, skipped);
            head -= skipped;
        }
        if left == 0 && extra > 0 {
            if !matches!(self.open.fate, Fate::Drop { .. }) {
                self.refuse(None, chunk)?;
            }
            left = mem::take(&mut extra);
        }
        let ready = left.min((self.open.carry.len() + chunk.len()) as u64) as usize;
        let mut piece = None;
        if head == 0 && ready > 0 {
            let start = self.position(chunk);
            let (place, read) = match self.open.fate {
                Fate::Drop { .. } => {
                    self.discard(chunk, ready);
                    (Place::NOWHERE, ready)
                }
                _ => self.take_some(chunk, ready as u64),
            };
            left -= read as u64;
            self.open.gone += read as u64;
            piece = Some((place, start));
        }
        let done = head == 0 && left == 0;
        self.open.step = match extra {
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
        match self.open.fate {
            Fate::Stream => {
                let is_last = done && extra == 0 && last && tail == 0;
                if is_last && !self.format.unpacks_in_pieces() {
                    let (at, head) = (self.open.at, self.first_head(lent));
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

    pub(super) fn tail<'c>(
        &mut self,
        tail: usize,
        last: bool,
        chunk: &mut &'c [u8],
    ) -> Result<Next<'c>, FrameError> {
        if self.open.carry.len() + chunk.len() < tail {
            return Ok(Next::Starved);
        }
        let start = self.position(chunk);
        let place = self.take(chunk, tail);
        let bytes = place.bytes(&self.open.carry, &[]);
        self.format
            .check_tail(bytes)
            .map_err(|wrong| malformed(start, wrong))?;
        if !last {
            self.open.step = Step::Cut;
            return Ok(Next::Again);
        }
        let bytes = self.open.gone;
        if let Fate::Drop { .. } = self.open.fate {
            self.open.step = Step::Over { left: 0, bytes };
            return Ok(Next::Again);
        }
        let mut rest = Place::NOWHERE;
        let mut wrong = None;
        if self.format.unpacks_in_pieces() {
            (rest, wrong) = self.unpack_some(&Place::NOWHERE, true);
        } else if matches!(self.open.fate, Fate::Gather) && self.open.made > self.rules.limit() {
            wrong = Some(Wrong::TooLong);
        }
        let at = self.open.at;
        if let Some(wrong) = wrong {
            let error = self.error_of(wrong, at, start);
            let streams = matches!(self.open.fate, Fate::Stream);
            let spoilt = self.spoil(error, at, 0, bytes);
            if !streams || rest.is_empty() {
                spoilt?;
                return Ok(Next::Again);
            }
            // What stands in front of the wrong byte comes first.
            if let Err(error) = spoilt {
                self.open.step = Step::Failed(error);
            }
            let head = self.first_head(Place::NOWHERE);
            return Ok(Next::Found(found(What::Piece(rest, false), head, at)));
        }
        let payload = Place::Out(self.open.base..self.open.base + self.open.made);
        let head = self.first_head(Place::NOWHERE);
        Ok(Next::Found(match self.close() {
            Fate::Stream => found(What::Piece(rest, true), head, at),
            _ => found(What::Frame(payload), head, at),
        }))
    }

    /// A piece of a frame that is handed out as it comes: what it is unpacked to, and then what is wrong.
    pub(super) fn hand_out<'c>(
        &mut self,
        place: Place<'c>,
        head: Place<'c>,
        start: u64,
    ) -> Result<Next<'c>, FrameError> {
        let at = self.open.at;
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
                self.open.step = Step::Failed(error);
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
    pub(super) fn first_head<'c>(&mut self, lent: Place<'c>) -> Place<'c> {
        match mem::take(&mut self.open.base) {
            0 => lent,
            base => Place::Out(0..base),
        }
    }

    /// A piece of a frame that is put together.
    pub(super) fn gather(
        &mut self,
        place: &Place<'_>,
        start: u64,
        chunk: &[u8],
    ) -> Result<(), FrameError> {
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

    /// From now on the payload is handed out as it comes, what was gathered of it first.
    pub(super) fn stream<'c>(&mut self, chunk: &[u8]) -> Next<'c> {
        self.open(Fate::Stream, chunk);
        if self.open.made == 0 {
            return Next::Again;
        }
        let gathered = Place::Out(self.open.base..self.open.base + self.open.made);
        let head = self.first_head(Place::NOWHERE);
        Next::Found(found(What::Piece(gathered, false), head, self.open.at))
    }
}
