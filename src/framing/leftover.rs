//! The leftover: the bytes of an unfinished frame, kept between two chunks.

use std::ops::Range;

/// A buffer that is filled at one end and read from the other.
///
/// ```text
///   |  read (still lent out, perhaps)  |  unread  |  spare capacity  |
///   0                                start       len
/// ```
///
/// Reading moves `start`. The bytes stay in place until the next append, so that a frame can be lent out from here
/// although it counts as read.
#[derive(Debug, Default)]
pub(super) struct Leftover {
    bytes: Vec<u8>,
    start: usize,
}

impl Leftover {
    pub(super) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
        }
    }

    #[inline]
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    #[inline]
    pub(super) fn lent(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// Reads the next `n` bytes, and returns their place.
    #[inline]
    pub(super) fn read(&mut self, n: usize) -> Range<usize> {
        let from = self.start;
        self.start += n;
        from..self.start
    }

    /// Appends `more`. `bound` is the most that one frame can need: growth by doubling stops there, and goes on only
    /// if whole frames were left unread.
    #[inline]
    pub(super) fn append(&mut self, more: &[u8], bound: usize) {
        // Only when the read bytes outnumber the unread ones: then no byte is moved more often than the
        // buffer doubles.
        if self.start > 0 && self.start >= self.len() {
            self.move_down();
        }
        append(&mut self.bytes, more, bound);
    }

    #[inline]
    fn move_down(&mut self) {
        if self.start < self.bytes.len() {
            self.bytes.copy_within(self.start.., 0);
        }
        self.bytes.truncate(self.len());
        self.start = 0;
    }

    /// Gives back the capacity above `keep`, if everything was read.
    #[inline]
    pub(super) fn release(&mut self, keep: usize) {
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
            give_back(&mut self.bytes, keep);
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.start = self.bytes.len();
    }

    /// Keeps bytes in this empty buffer from now on. It has none, and no buffer, yet.
    pub(super) fn lend(&mut self, buffer: Vec<u8>) {
        debug_assert!(self.bytes.capacity() == 0 && buffer.is_empty());
        self.bytes = buffer;
    }

    pub(super) fn of(bytes: Vec<u8>, start: usize) -> Self {
        Self { bytes, start }
    }

    /// The buffer, and where in it the unread bytes begin.
    pub(super) fn into_buffer(self) -> (Vec<u8>, usize) {
        (self.bytes, self.start)
    }

    pub(super) fn into_unread(mut self) -> Vec<u8> {
        self.bytes.drain(..self.start);
        self.bytes
    }
}

/// Appends. The buffer grows with the bytes that have arrived, never with a length that a head announces: it doubles
/// from 64 bytes on, and stops at `bound`.
#[inline]
pub(super) fn append(buffer: &mut Vec<u8>, more: &[u8], bound: usize) {
    reserve(buffer, more.len(), bound);
    buffer.extend_from_slice(more);
}

/// Makes room for so many bytes, as `append` does.
#[inline]
pub(super) fn reserve(buffer: &mut Vec<u8>, more: usize, bound: usize) {
    if more > buffer.capacity() - buffer.len() {
        grow(buffer, more, bound);
    }
}

/// Gives back the capacity of a buffer above `keep`, by another buffer in its stead. An allocator that has mapped a big
/// one has the system unmap the pages when it shrinks, and map and clear them when it grows with the next frame: eight
/// times the cost of a frame of 64 KiB.
#[inline]
pub(super) fn give_back(buffer: &mut Vec<u8>, keep: usize) {
    if buffer.capacity() > keep.max(buffer.len()) {
        replace(buffer, keep);
    }
}

#[cold]
fn replace(buffer: &mut Vec<u8>, capacity: usize) {
    let mut other = Vec::with_capacity(capacity);
    other.extend_from_slice(buffer);
    *buffer = other;
}

#[cold]
fn grow(buffer: &mut Vec<u8>, more: usize, bound: usize) {
    let needed = buffer.len() + more;
    let doubled = buffer.capacity().saturating_mul(2).max(64);
    let stop = if needed <= bound { bound } else { usize::MAX };
    buffer.reserve_exact(needed.max(doubled.min(stop)) - buffer.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_stays_lent_until_the_next_append() {
        let mut leftover = Leftover::default();
        leftover.append(b"abcdef", 64);
        let lent = leftover.read(4);
        assert_eq!(leftover.lent(lent), b"abcd");
        assert_eq!(leftover.unread(), b"ef");
        leftover.append(b"gh", 64);
        assert_eq!(leftover.unread(), b"efgh");
        assert_eq!(leftover.into_unread(), b"efgh");
    }

    #[test]
    fn capacity_doubles_up_to_the_bound_and_is_given_back_when_empty() {
        let mut leftover = Leftover::default();
        let mut capacities = vec![];
        for _ in 0..300 {
            leftover.append(b"x", 300);
            capacities.push(leftover.capacity());
        }
        capacities.dedup();
        assert_eq!(capacities, [64, 128, 256, 300]);
        leftover.release(100);
        assert_eq!(leftover.capacity(), 300, "not while it holds something");
        leftover.read(300);
        leftover.release(300);
        assert_eq!(
            leftover.capacity(),
            300,
            "which is no more than is to be kept"
        );
        leftover.release(100);
        assert_eq!(leftover.capacity(), 100);
    }

    #[test]
    fn a_reader_that_lags_behind_does_not_make_appending_quadratic() {
        let mut leftover = Leftover::default();
        leftover.append(&[0; 4096], 64);
        for _ in 0..100_000 {
            leftover.append(b"ab", 64);
            leftover.read(2);
        }
        assert_eq!(leftover.len(), 4096);
        assert!(leftover.capacity() <= 3 * 4096, "{}", leftover.capacity());
    }
}
