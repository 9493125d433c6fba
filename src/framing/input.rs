//! The input of a reader: the leftover and the chunk behind it, read as one.

use super::leftover;
use super::state::{Answer, Delivery, Place, Span, Step};
use super::{Cut, Format, FrameReader};

impl<F: Format> FrameReader<F> {
    /// Keeps `chunk` if it lies in the middle of a frame that is handed out whole, as most chunks of a long frame do.
    #[inline]
    pub(super) fn absorb(&mut self, chunk: &[u8]) -> bool {
        let Step::Whole(Span {
            head,
            payload,
            tail,
        }) = self.open.step
        else {
            return false;
        };
        let bound = self.bound();
        let open = &mut *self.open;
        let have = open.leftover.len() + chunk.len();
        if have >= head + payload + tail {
            return false;
        }
        self.fed += chunk.len() as u64;
        open.leftover.append(chunk, bound);
        true
    }

    /// Whether `chunk`, which no leftover precedes, yields no item for now. Nearly all chunks end so, and this check
    /// spares them the state machine.
    #[inline]
    pub(super) fn can_wait(&mut self, answer: Option<Answer>, chunk: &[u8]) -> bool {
        let (plain, overhead) = (self.rules.plain, self.overhead());
        match answer {
            None => chunk.is_empty(),
            Some(Ok(Cut::More { settled })) => {
                settled as u64 <= plain && chunk.len().saturating_sub(settled) <= overhead
            }
            Some(Ok(Cut::Declared {
                head,
                payload,
                tail,
            })) if payload <= plain && !self.format.unpacks_in_pieces() => {
                let brackets = head.saturating_add(tail);
                let waits = brackets <= overhead && brackets + payload as usize > chunk.len();
                if waits {
                    self.open.step = Step::Whole(Span {
                        head,
                        payload: payload as usize,
                        tail,
                    });
                }
                waits
            }
            _ => false,
        }
    }

    /// Keeps the bytes that a `Feed` has left unread, and gives back memory that is not needed.
    #[inline]
    pub(super) fn put_back(&mut self, chunk: &[u8]) {
        if self.open.get().is_none() && chunk.is_empty() {
            return;
        }
        let (keep, bound) = (self.rules.keep(), self.bound());
        let open = &mut *self.open;
        if let Step::Failed(_) = open.step {
            open.leftover.clear();
            open.delivery = Delivery::Whole;
        } else if !chunk.is_empty() {
            open.leftover.append(chunk, bound);
        }
        open.leftover.release(keep);
        if !matches!(open.delivery, Delivery::Gather) {
            open.out.truncate(open.base);
            leftover::give_back(&mut open.out, keep);
        }
    }

    pub(super) fn is_exhausted(&self, chunk: &[u8]) -> bool {
        self.open.leftover.is_empty() && chunk.is_empty()
    }

    /// Stream offset of the next unread byte.
    pub(super) fn position(&self, chunk: &[u8]) -> u64 {
        self.fed - (self.open.leftover.len() + chunk.len()) as u64
    }

    pub(super) fn frame_start(&self, chunk: &[u8]) -> u64 {
        match self.open.delivery {
            Delivery::Whole => self.position(chunk),
            _ => self.open.at,
        }
    }

    /// Reads `n` bytes, all of which have arrived, as one slice.
    pub(super) fn take<'c>(&mut self, chunk: &mut &'c [u8], n: usize) -> Place<'c> {
        if self.open.leftover.is_empty() {
            let (bytes, rest) = chunk.split_at(n);
            *chunk = rest;
            return Place::Chunk(bytes);
        }
        // Bytes that were read before may still be lent out, and an append may move them.
        if let Some(missing @ 1..) = n.checked_sub(self.open.leftover.len()) {
            let (bytes, rest) = chunk.split_at(missing);
            let bound = self.bound();
            self.open.leftover.append(bytes, bound);
            *chunk = rest;
        }
        Place::Leftover(self.open.leftover.read(n))
    }

    /// Reads up to `most` bytes, as many as lie in one slice. At least one has arrived.
    pub(super) fn take_some<'c>(&mut self, chunk: &mut &'c [u8], most: u64) -> (Place<'c>, usize) {
        let held = if self.open.leftover.is_empty() {
            chunk.len()
        } else {
            self.open.leftover.len()
        };
        let n = most.min(held as u64) as usize;
        (self.take(chunk, n), n)
    }

    pub(super) fn discard(&mut self, chunk: &mut &[u8], n: usize) {
        let held = n.min(self.open.leftover.len());
        if held > 0 {
            self.open.leftover.read(held);
        }
        *chunk = &chunk[n - held..];
    }

    /// Appends to the payload that is gathered.
    pub(super) fn append(&mut self, place: &Place<'_>) {
        let open = &mut *self.open;
        let bytes = place.bytes(&open.leftover, &[]);
        leftover::append(&mut open.out, bytes, open.base + self.rules.limit());
        open.made += bytes.len();
    }

    /// Keeps the head of a frame in front of its gathered payload.
    pub(super) fn keep_head(&mut self, head: &Place<'_>) {
        let open = &mut *self.open;
        let bytes = head.bytes(&open.leftover, &[]);
        open.base = bytes.len();
        leftover::append(&mut open.out, bytes, open.base + self.rules.limit());
    }
}
