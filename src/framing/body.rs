//! Payload that is read as it arrives: handed out in pieces, gathered, or dropped.

use std::mem;

use super::advance::{Next, found, malformed};
use super::state::{Delivery, Place, Step, What};
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
        let goes_along = first && !matches!(self.open.delivery, Delivery::Drop { .. });
        if head > 0 && goes_along {
            // Together with the first byte of payload, however the chunks are cut.
            let needed = head + usize::from(left + extra > 0);
            if self.open.leftover.len() + chunk.len() < needed {
                return Ok(Next::Starved);
            }
            lent = self.take(chunk, mem::take(&mut head));
            if matches!(self.open.delivery, Delivery::Gather) {
                self.keep_head(&lent);
            }
        } else {
            let skipped = head.min(self.open.leftover.len() + chunk.len());
            self.discard(chunk, skipped);
            head -= skipped;
        }
        if left == 0 && extra > 0 {
            if !matches!(self.open.delivery, Delivery::Drop { .. }) {
                self.refuse(None, chunk)?;
            }
            left = mem::take(&mut extra);
        }
        let ready = left.min((self.open.leftover.len() + chunk.len()) as u64) as usize;
        let mut piece = None;
        if head == 0 && ready > 0 {
            let start = self.position(chunk);
            let (place, read) = match self.open.delivery {
                Delivery::Drop { .. } => {
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
        match self.open.delivery {
            Delivery::Stream => {
                let is_last = done && extra == 0 && last && tail == 0;
                if is_last && !self.format.unpacks_in_pieces() {
                    let (at, head) = (self.open.at, self.first_head(lent));
                    self.close();
                    return Ok(Next::Found(found(What::Piece(place, true), head, at)));
                }
                self.hand_out(place, lent, start)
            }
            Delivery::Gather => {
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
        if self.open.leftover.len() + chunk.len() < tail {
            return Ok(Next::Starved);
        }
        let start = self.position(chunk);
        let place = self.take(chunk, tail);
        let bytes = place.bytes(&self.open.leftover, &[]);
        self.format
            .check_tail(bytes)
            .map_err(|wrong| malformed(start, wrong))?;
        if !last {
            self.open.step = Step::Cut;
            return Ok(Next::Again);
        }
        let bytes = self.open.gone;
        if let Delivery::Drop { .. } = self.open.delivery {
            self.open.step = Step::Over { left: 0, bytes };
            return Ok(Next::Again);
        }
        let mut rest = Place::NOWHERE;
        let mut wrong = None;
        if self.format.unpacks_in_pieces() {
            (rest, wrong) = self.unpack_some(&Place::NOWHERE, true);
        } else if matches!(self.open.delivery, Delivery::Gather)
            && self.open.made > self.rules.limit()
        {
            wrong = Some(Wrong::TooLong);
        }
        let at = self.open.at;
        if let Some(wrong) = wrong {
            let error = self.error_of(wrong, at, start);
            let streams = matches!(self.open.delivery, Delivery::Stream);
            let spoilt = self.spoil(error, at, 0, bytes);
            if !streams || rest.is_empty() {
                spoilt?;
                return Ok(Next::Again);
            }
            // The bytes in front of the wrong one come first.
            if let Err(error) = spoilt {
                self.open.step = Step::Failed(error);
            }
            let head = self.first_head(Place::NOWHERE);
            return Ok(Next::Found(found(What::Piece(rest, false), head, at)));
        }
        let payload = Place::Out(self.open.base..self.open.base + self.open.made);
        let head = self.first_head(Place::NOWHERE);
        Ok(Next::Found(match self.close() {
            Delivery::Stream => found(What::Piece(rest, true), head, at),
            _ => found(What::Frame(payload), head, at),
        }))
    }

    /// Hands out a piece of a frame, unpacked; an error in it comes after the bytes in front of the error.
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

    /// The head for the first item of a frame: the one at hand, or the one that was kept.
    pub(super) fn first_head<'c>(&mut self, lent: Place<'c>) -> Place<'c> {
        match mem::take(&mut self.open.base) {
            0 => lent,
            base => Place::Out(0..base),
        }
    }

    /// Adds a piece to the gathered payload.
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

    /// Hands the payload out as it arrives from now on, the gathered part first.
    pub(super) fn stream<'c>(&mut self, chunk: &[u8]) -> Next<'c> {
        self.open(Delivery::Stream, chunk);
        if self.open.made == 0 {
            return Next::Again;
        }
        let gathered = Place::Out(self.open.base..self.open.base + self.open.made);
        let head = self.first_head(Place::NOWHERE);
        Next::Found(found(What::Piece(gathered, false), head, self.open.at))
    }
}
