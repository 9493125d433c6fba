//! A chunk on its way to the listeners, and what they put back of it.

use std::cell::Cell;

use super::piece::Piece;
use super::{Amount, Emitting};
use crate::machine::driver::{Driver, Signal};
use crate::machine::duplex::Duplex;

/// Says that the listeners have returned, also by a panic.
struct EmittingEnds<'a>(&'a Cell<Emitting>);

impl Drop for EmittingEnds<'_> {
    fn drop(&mut self) {
        self.0.set(Emitting::No);
    }
}

impl Duplex {
    /// Hands a chunk to the listeners. What one of them reads meanwhile is emitted after it: they
    /// cannot be entered twice, and the next chunk must not overtake it.
    ///
    /// Returns how many bytes at its end are to be kept: they were put back, and the socket does not flow any more.
    #[must_use]
    pub(super) fn deliver(&self, driver: &impl Driver, chunk: &[u8]) -> usize {
        let half = &self.read;
        if half.emitting.get() != Emitting::No {
            half.emitting.set(Emitting::MoreToFollow);
            half.with_buffer(|buffer| buffer.to_follow.push_back(chunk.to_vec()));
            return 0;
        }
        half.emitting.set(Emitting::Yes);
        let _done = EmittingEnds(&half.emitting);
        self.emit_chunk(driver, chunk);
        if half.emitting.get() == Emitting::MoreToFollow {
            return self.emit_what_follows(driver, chunk);
        }
        0
    }

    /// Lets somebody hand on to the listeners what it has kept of earlier chunks, as if that were a chunk.
    pub(crate) fn hand_on(&self, driver: &impl Driver, hand_on: impl FnOnce()) {
        let half = &self.read;
        if half.emitting.get() != Emitting::No {
            return hand_on();
        }
        half.emitting.set(Emitting::Yes);
        let _done = EmittingEnds(&half.emitting);
        hand_on();
        if half.emitting.get() == Emitting::MoreToFollow {
            let kept = self.emit_what_follows(driver, &[]);
            debug_assert_eq!(kept, 0, "there was no chunk to put back");
        }
    }

    /// Goes on with what was put back of `chunk`, then with what its listeners have read, for as long as all of it
    /// is wanted. Where a listener has enough, the rest is kept in the order of the stream.
    #[cold]
    fn emit_what_follows(&self, driver: &impl Driver, chunk: &[u8]) -> usize {
        let half = &self.read;
        let kept = self.emit_what_was_put_back(driver, chunk);
        if kept > 0 {
            half.keep_what_follows();
        }
        while let Some(next) = half.next_to_follow() {
            self.emit_chunk(driver, &next);
            let behind = self.emit_what_was_put_back(driver, &next);
            if behind > 0 {
                half.keep_what_follows();
                let mut next = Piece::new(next);
                next.leave(behind);
                half.keep_in_front(next);
            }
        }
        kept
    }

    fn emit_chunk(&self, driver: &impl Driver, chunk: &[u8]) {
        let lent = (self.place(), chunk.as_ptr_range().end as usize);
        let before = driver.lent_to().replace(lent);
        if self.read.is_text() {
            // What is kept was made of text; only a `read` of so many bytes can cut a character.
            driver.emit(Signal::Text(&String::from_utf8_lossy(chunk)));
        }
        driver.emit_data(chunk);
        driver.lent_to().set(before);
    }

    /// Tells this stream from all others that are there.
    fn place(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Goes on with what the listeners of `chunk` have put back of it, for as long as they do that and
    /// there are any.
    fn emit_what_was_put_back(&self, driver: &impl Driver, chunk: &[u8]) -> usize {
        let half = &self.read;
        loop {
            let put_back = half
                .buffer
                .if_some(|buffer| std::mem::take(&mut buffer.put_back))
                .unwrap_or(0);
            if put_back == 0 || self.is_destroyed() {
                return 0;
            }
            if !half.is_flowing() || !driver.has_chunk_listeners() {
                return put_back;
            }
            let from = chunk.len().saturating_sub(put_back);
            self.emit_chunk(driver, &chunk[from..]);
        }
    }

    /// Throws away bytes that were put back.
    pub(crate) fn throw_away(&self, put_back: usize) {
        let _gone = self
            .read
            .take(Amount::Exactly(put_back.min(self.read.length.get())));
    }

    /// A listener of `Data` gives back the last bytes of the chunk that it was handed: they are emitted
    /// again, once all listeners have returned, or kept. They are not copied where that can be helped,
    /// however often they are given back.
    pub(crate) fn put_back(&self, driver: &impl Driver, rest: &[u8]) {
        let half = &self.read;
        let is_lent = half.emitting.get() != Emitting::No
            && driver.lent_to().get() == (self.place(), rest.as_ptr_range().end as usize);
        if rest.is_empty() {
            return;
        }
        if !is_lent {
            self.unshift(driver, rest);
            return;
        }
        half.emitting.set(Emitting::MoreToFollow);
        half.with_buffer(|buffer| {
            debug_assert_eq!(buffer.put_back, 0, "given back twice");
            buffer.put_back = rest.len();
        });
    }
}
