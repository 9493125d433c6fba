//! The buffers that belong to a loop: the one that it reads into, which the system gives memory only as far
//! as it is used, and spare ones for what has to be kept for a while.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};

/// What a socket may read at once that is piped to others: eight times as much as any other, for an
/// eighth of the system calls and fewer awakenings at the other ends carry 1.3 times the bytes.
const READ_BUFFER: usize = 512 * 1024;

/// Where the buffer begins: at a multiple of this. The kernel's pages do, and some processors copy from one place to
/// another much slower if the two differ by a few bytes in their last twelve bits, as where an allocator has put a header
/// in front of the buffer. On such a machine a client sends 1.4 times as much over a UNIX socket for that.
const PAGE: usize = 4096;

/// Whether scripts are compiled, which have budgets of their own. Without them a budget is a constant.
const MAY_BE_SCRIPTED: bool = cfg!(all(
    feature = "sim",
    any(test, fuzzing, feature = "fuzzing")
));

/// How many bytes one socket may send at one event, and in one turn of a write that goes on.
pub(crate) struct WriteBudget(Cell<u64>);

impl WriteBudget {
    const BYTES: u64 = 512 * 1024;

    pub(super) const fn new() -> WriteBudget {
        WriteBudget(Cell::new(WriteBudget::BYTES))
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        match MAY_BE_SCRIPTED {
            true => self.0.get(),
            false => WriteBudget::BYTES,
        }
    }

    /// A small one, so that a script soon comes to its end.
    #[cfg(all(feature = "sim", any(test, fuzzing, feature = "fuzzing")))]
    pub(crate) fn set(&self, bytes: u64) {
        self.0.set(bytes);
    }
}

/// Lends the buffer to one socket at a time. It is made on first use. A second
/// borrower, of which there should be none, gets a buffer of its own.
pub(crate) struct ReadBuffer(Cell<Option<Box<[u8]>>>);

impl ReadBuffer {
    pub(super) const fn new() -> ReadBuffer {
        ReadBuffer(Cell::new(None))
    }

    /// A short one, so that a script soon comes to its end.
    #[cfg(all(feature = "sim", any(test, fuzzing, feature = "fuzzing")))]
    pub(crate) fn shrink(&self, len: usize) {
        self.0.set(Some(bytes_for(len)));
    }

    pub(crate) fn lend(&self) -> Lent<'_> {
        let bytes = self
            .0
            .take()
            .or_else(left_over)
            .unwrap_or_else(|| bytes_for(READ_BUFFER));
        let start = bytes.as_ptr().align_offset(PAGE).min(PAGE);
        Lent {
            owner: self,
            bytes,
            start,
        }
    }
}

/// Enough for so many bytes from the first multiple of a page on.
fn bytes_for(len: usize) -> Box<[u8]> {
    vec![0; len + PAGE].into_boxed_slice()
}

/// The buffer of a loop that is gone. Only simulated worlds make one loop after the other on a thread: to
/// make it anew, and to clear it, would be most of what a small world costs.
#[cfg(not(feature = "sim"))]
fn left_over() -> Option<Box<[u8]>> {
    None
}

#[cfg(feature = "sim")]
thread_local! {
    static LEFT_OVER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

#[cfg(feature = "sim")]
fn left_over() -> Option<Box<[u8]>> {
    LEFT_OVER.try_with(Cell::take).ok().flatten()
}

#[cfg(feature = "sim")]
impl Drop for ReadBuffer {
    fn drop(&mut self) {
        if let Some(bytes) = self
            .0
            .take()
            .filter(|bytes| bytes.len() == READ_BUFFER + PAGE)
        {
            // Not of a thread on its way out.
            let _gone = LEFT_OVER.try_with(|left_over| left_over.set(Some(bytes)));
        }
    }
}

/// The buffer while it is lent. It goes back when this is dropped, also by a panic.
pub(crate) struct Lent<'a> {
    owner: &'a ReadBuffer,
    bytes: Box<[u8]>,
    start: usize,
}

impl Lent<'_> {
    /// How long it is.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        match MAY_BE_SCRIPTED {
            true => self.bytes.len() - PAGE,
            false => READ_BUFFER,
        }
    }
}

impl Deref for Lent<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..][..self.capacity()]
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        let capacity = self.capacity();
        &mut self.bytes[self.start..][..capacity]
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.owner.0.set(Some(std::mem::take(&mut self.bytes)));
    }
}

/// What sockets keep bytes in that came too early, while they do not: a socket at rest has no buffer.
pub(crate) struct SpareBuffers(RefCell<Vec<Vec<u8>>>);

/// So many, and of no more than so much together.
const MOST_SPARE: usize = 32;
const LARGEST_SPARE: usize = 64 * 1024;

impl SpareBuffers {
    pub(super) const fn new() -> SpareBuffers {
        SpareBuffers(RefCell::new(Vec::new()))
    }

    /// An empty buffer for what `len` bytes that have come amount to, or for `least`. Its memory is in
    /// proportion to them, as if it had been asked for now.
    pub(crate) fn lend(&self, least: usize, len: usize) -> Vec<u8> {
        let mut spare = self.0.borrow_mut();
        let fits = |buffer: &Vec<u8>| (least..=2 * len + 64).contains(&buffer.capacity());
        let found = spare.iter().rposition(fits);
        found.map(|at| spare.swap_remove(at)).unwrap_or_default()
    }

    /// Takes a buffer that is not needed any more.
    pub(crate) fn give(&self, mut buffer: Vec<u8>) {
        let mut spare = self.0.borrow_mut();
        let kept: usize = spare.iter().map(Vec::capacity).sum();
        let room = LARGEST_SPARE - kept;
        if spare.len() < MOST_SPARE && (1..=room).contains(&buffer.capacity()) {
            buffer.clear();
            spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_begins_where_a_page_does() {
        let buffer = ReadBuffer::new();
        for _ in 0..2 {
            let lent = buffer.lend();
            assert_eq!(lent.as_ptr().addr() % PAGE, 0);
            assert_eq!(lent.len(), READ_BUFFER);
        }
    }

    #[test]
    fn a_spare_buffer_is_lent_to_whom_it_is_in_proportion() {
        let spare = SpareBuffers::new();
        for capacity in [0, 100, 1000, LARGEST_SPARE] {
            spare.give(Vec::with_capacity(capacity));
        }
        assert_eq!(spare.lend(10, 10).capacity(), 0);
        assert_eq!(spare.lend(500, 500).capacity(), 1000);
        assert_eq!(spare.lend(LARGEST_SPARE, LARGEST_SPARE).capacity(), 0);
        assert_eq!(spare.lend(40, 40).capacity(), 100);
        assert_eq!(spare.lend(40, 40).capacity(), 0);
        for _ in 0..2 * MOST_SPARE {
            spare.give(Vec::with_capacity(64));
        }
        assert_eq!(spare.0.borrow().len(), MOST_SPARE);
    }
}
