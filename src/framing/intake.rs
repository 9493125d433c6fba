//! Reading from the carry and the chunk as if they were one.

use super::carry;
use super::state::{Answer, Fate, Place, Span, Step};
use super::{Cut, Format, FrameReader};

impl<F: Format> FrameReader<F> {
    /// Keeps `chunk` if it is from the middle of a frame that is to be handed out whole; most chunks of
    /// a long frame are.
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
        let have = open.carry.len() + chunk.len();
        if have >= head + payload + tail {
            return false;
        }
        self.fed += chunk.len() as u64;
        open.carry.append(chunk, bound);
        true
    }

    /// Whether nothing more can be made of `chunk`, which nothing precedes, for now. It is how nearly all
    /// chunks end, and spares them the state machine.
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

    /// Keeps what a `Feed` has left unread, and gives back memory that is not needed.
    #[inline]
    pub(super) fn put_back(&mut self, chunk: &[u8]) {
        if self.open.get().is_none() && chunk.is_empty() {
            return;
        }
        let (keep, bound) = (self.rules.keep(), self.bound());
        let open = &mut *self.open;
        if let Step::Failed(_) = open.step {
            open.carry.clear();
            open.fate = Fate::Whole;
        } else if !chunk.is_empty() {
            open.carry.append(chunk, bound);
        }
        open.carry.release(keep);
        if !matches!(open.fate, Fate::Gather) {
            open.out.truncate(open.base);
            if open.out.capacity() > keep {
                open.out.shrink_to(keep);
            }
        }
    }

    pub(super) fn is_dry(&self, chunk: &[u8]) -> bool {
        self.open.carry.is_empty() && chunk.is_empty()
    }

    /// Stream offset of the next unread byte.
    pub(super) fn position(&self, chunk: &[u8]) -> u64 {
        self.fed - (self.open.carry.len() + chunk.len()) as u64
    }

    pub(super) fn frame_start(&self, chunk: &[u8]) -> u64 {
        match self.open.fate {
            Fate::Whole => self.position(chunk),
            _ => self.open.at,
        }
    }

    /// Reads `n` bytes, all of which are there, in one slice.
    pub(super) fn take<'c>(&mut self, chunk: &mut &'c [u8], n: usize) -> Place<'c> {
        if self.open.carry.is_empty() {
            let (bytes, rest) = chunk.split_at(n);
            *chunk = rest;
            return Place::Chunk(bytes);
        }
        // What was taken before may be lent out still: it must not be moved for nothing.
        if let Some(missing @ 1..) = n.checked_sub(self.open.carry.len()) {
            let (bytes, rest) = chunk.split_at(missing);
            let bound = self.bound();
            self.open.carry.append(bytes, bound);
            *chunk = rest;
        }
        Place::Carry(self.open.carry.read(n))
    }

    /// Reads up to `most` bytes, of which at least one is there, as they lie.
    pub(super) fn take_some<'c>(&mut self, chunk: &mut &'c [u8], most: u64) -> (Place<'c>, usize) {
        let held = if self.open.carry.is_empty() {
            chunk.len()
        } else {
            self.open.carry.len()
        };
        let n = most.min(held as u64) as usize;
        (self.take(chunk, n), n)
    }

    pub(super) fn discard(&mut self, chunk: &mut &[u8], n: usize) {
        let held = n.min(self.open.carry.len());
        if held > 0 {
            self.open.carry.read(held);
        }
        *chunk = &chunk[n - held..];
    }

    /// Appends to what is put together of a frame.
    pub(super) fn append(&mut self, place: &Place<'_>) {
        let open = &mut *self.open;
        let bytes = place.bytes(&open.carry, &[]);
        carry::append(&mut open.out, bytes, open.base + self.rules.limit());
        open.made += bytes.len();
    }

    /// Keeps the head of a frame in front of what is put together of it.
    pub(super) fn keep_head(&mut self, head: &Place<'_>) {
        let open = &mut *self.open;
        let bytes = head.bytes(&open.carry, &[]);
        open.base = bytes.len();
        carry::append(&mut open.out, bytes, open.base + self.rules.limit());
    }
}
