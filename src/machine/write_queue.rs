//! The bytes that a socket still owes its peer, and the callbacks that wait for them.
//!
//! ```text
//!        settled          sent                                   accepted
//! ----------|---------------|---------------------------------------|----->  stream position
//!           |<- a request the kernel took only a part of ->|
//!           |<------------------- length() -------------------------->|
//! ```
//!
//! Positions count every byte that was ever written to the socket. Node counts a chunk as queued
//! until its last byte has been handed over, and so does `settled`: it moves from the end of one
//! request to the end of the next.
//!
//! Small writes are copied behind one another into the tail, which goes out by one system call;
//! what is moved in or shared is kept as it is, and the tail before it becomes a chunk. The boxes
//! and buffers of queues that ran empty are kept for the thread's next ones: a server that has warmed
//! up allocates nothing for its answers, and an idle connection holds no buffer.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::rc::Rc;
use std::sync::Arc;

use super::data::{Data, Repr};
use crate::error::Result;

/// What is called when a write has been handed over, or will not be.
pub(crate) type Callback = Box<dyn FnOnce(Result<()>)>;

/// From this many bytes on, a chunk that is moved in or shared is not copied. Below it, the copy
/// costs less than an entry of its own in the system call's list.
pub(crate) const COPY_BELOW: usize = 1024;

/// How much is copied behind one another into one chunk.
pub(super) const COALESCE: usize = 64 * 1024;

/// How many chunks one system call is offered.
pub(super) const SLICES: usize = 64;

/// What a callback that waits counts for where the queue has a limit: about what it takes, however few bytes its write
/// has. Together they may be as many as the bytes, and always so many.
pub(super) const CALLBACK: usize = 64;
pub(super) const CALLBACKS: usize = 64 * 1024;

/// What a thread keeps for its next queues.
const SPARE_QUEUES: usize = 1024;
/// A queue that has held more chunks or callbacks than this is not kept.
const SPARE_ENTRIES: usize = 256;
const SPARE_BYTES: usize = 4 * 1024 * 1024;
/// A longer tail than this is not kept. What a pipe's longest chunk leaves when the kernel takes no more
/// is.
const SPARE_TAIL: usize = 8 * COALESCE;

thread_local! {
    static SPARE: Spare = const { Spare::new() };
}

#[derive(Default)]
pub(super) struct WriteQueue {
    chunks: VecDeque<Chunk>,
    /// Copies of small writes: the last chunk, unless it is empty.
    tail: Vec<u8>,
    /// How much of the first chunk has been sent.
    start: usize,
    bytes: usize,
    callbacks: VecDeque<Waiter>,
    /// How many callbacks at the front are settled: their tick is on its way.
    due: usize,
    /// Where the request that is under way ends, if there is one.
    pub(super) request_end: u64,
}

/// The callback of a write, and where the bytes of its request begin and end.
///
/// A write is a request of its own unless it was gathered with its neighbours.
struct Waiter {
    begin: u64,
    end: u64,
    /// Called together with the one before it, of the same request.
    joins: bool,
    callback: Callback,
}

enum Chunk {
    Copies(Vec<u8>),
    Owned(Vec<u8>),
    Static(&'static [u8]),
    Rc(Rc<[u8]>),
    Arc(Arc<[u8]>),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Copies(bytes) | Chunk::Owned(bytes) => bytes,
            Chunk::Static(bytes) => bytes,
            Chunk::Rc(bytes) => bytes,
            Chunk::Arc(bytes) => bytes,
        }
    }
}

impl WriteQueue {
    /// An empty queue, which may have served before.
    pub(super) fn take() -> Box<WriteQueue> {
        SPARE
            .try_with(Spare::take)
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// Gives an empty queue back.
    pub(super) fn give(queue: Box<WriteQueue>) {
        debug_assert!(queue.is_empty(), "only an empty queue can serve again");
        // A thread on its way out keeps nothing.
        let _ = SPARE.try_with(|spare| spare.give(queue));
    }

    /// No bytes to send and no callback to call.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0 && self.callbacks.is_empty()
    }

    /// Bytes that have not been sent.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, data: Data<'_>) {
        let len = data.len();
        let chunk = match data.0 {
            Repr::Borrowed(bytes) => return self.push_copy(bytes),
            Repr::Static(bytes) if len >= COPY_BELOW => Chunk::Static(bytes),
            Repr::Owned(bytes) if len >= COPY_BELOW => Chunk::Owned(bytes),
            Repr::Rc(bytes) if len >= COPY_BELOW => Chunk::Rc(bytes),
            Repr::Arc(bytes) if len >= COPY_BELOW => Chunk::Arc(bytes),
            _ => return self.push_copy(data.as_bytes()),
        };
        self.close_tail();
        self.bytes += len;
        self.chunks.push_back(chunk);
    }

    /// As `push`, for borrowed bytes.
    #[inline]
    fn push_copy(&mut self, bytes: &[u8]) {
        self.push_copies([bytes]);
    }

    /// As `push_copy`, for several parts of one write.
    #[inline(always)]
    pub(super) fn push_copies<const N: usize>(&mut self, parts: [&[u8]; N]) {
        let len = parts.iter().map(|part| part.len()).sum();
        if self.tail.len() + len > COALESCE {
            self.close_tail();
            self.tail.reserve_exact(len);
        }
        self.bytes += len;
        self.tail.reserve(len);
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            self.tail.extend_from_slice(part);
        }
    }

    /// Makes the tail a chunk like any other.
    #[inline(never)]
    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            let copies = std::mem::take(&mut self.tail);
            self.chunks.push_back(Chunk::Copies(copies));
        }
    }

    /// Whether one system call can offer all that is queued, and so many parts behind it.
    pub(super) fn has_slices_for(&self, parts: usize) -> bool {
        self.chunks.len() + 1 + parts <= SLICES
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let tail = (!self.tail.is_empty()).then_some(&*self.tail);
        self.chunks.iter().map(Chunk::bytes).chain(tail)
    }

    /// Fills `slices` with what is to be sent next, at most `most` bytes, and says how many slices
    /// there are.
    pub(super) fn slices<'a>(
        &'a self,
        slices: &mut [IoSlice<'a>; SLICES],
        mut most: usize,
    ) -> usize {
        let mut start = self.start;
        let mut count = 0;
        for (slice, part) in slices.iter_mut().zip(self.parts()) {
            if most == 0 {
                break;
            }
            let bytes = &part[start..];
            let bytes = &bytes[..bytes.len().min(most)];
            *slice = IoSlice::new(bytes);
            most -= bytes.len();
            start = 0;
            count += 1;
        }
        count
    }

    /// What is to be sent, if it is all in one chunk.
    #[inline]
    pub(super) fn only_chunk(&self) -> Option<&[u8]> {
        match (self.chunks.len(), self.tail.len()) {
            (0, 1..) => Some(&self.tail[self.start..]),
            (1, 0) => Some(&self.chunks[0].bytes()[self.start..]),
            _ => None,
        }
    }

    /// Forgets the first `sent` bytes. Returns how far the first chunk that remains was begun.
    #[inline]
    pub(super) fn advance(&mut self, mut sent: usize) -> usize {
        debug_assert!(sent <= self.bytes, "no more is sent than there was");
        self.bytes -= sent;
        while let Some(chunk) = self.chunks.front() {
            let left = chunk.bytes().len() - self.start;
            if sent < left {
                self.start += sent;
                return self.start;
            }
            sent -= left;
            self.start = 0;
            let chunk = self.chunks.pop_front();
            if let (Some(Chunk::Copies(mut copies)), 0) = (chunk, self.tail.capacity()) {
                copies.clear();
                self.tail = copies;
            }
        }
        self.start += sent;
        if self.start == self.tail.len() {
            self.tail.clear();
            self.start = 0;
        }
        self.start
    }

    /// How much of the first chunk has not been sent.
    pub(super) fn first_left(&self) -> usize {
        self.parts()
            .next()
            .map_or(0, |part| part.len() - self.start)
    }

    /// Gives up what has not been sent, and the memory that it took.
    pub(super) fn clear_bytes(&mut self) {
        self.chunks = VecDeque::new();
        self.tail = Vec::new();
        self.start = 0;
        self.bytes = 0;
    }

    /// Calls `callback`, if there is one, when its write, from `begin` to `end`, has been handed over.
    pub(super) fn push_callback_if(&mut self, begin: u64, end: u64, callback: Option<Callback>) {
        if let Some(callback) = callback {
            self.callbacks.push_back(Waiter {
                begin,
                end,
                joins: false,
                callback,
            });
        }
    }

    /// How many callbacks are not settled.
    pub(super) fn unsettled(&self) -> usize {
        self.callbacks.len() - self.due
    }

    /// Where the first request that is not settled and has a callback begins and ends.
    pub(super) fn next_unsettled(&self) -> Option<(u64, u64)> {
        let next = self.callbacks.get(self.due)?;
        Some((next.begin, next.end))
    }

    /// Settles the requests that end no later than `position`: a tick will call back. Returns where the
    /// last of them ends.
    pub(super) fn settle_upto(&mut self, position: u64) -> Option<u64> {
        let mut last = None;
        while let Some((_, end)) = self.next_unsettled().filter(|(_, end)| *end <= position) {
            last = Some(end);
            self.due += 1;
        }
        last
    }

    /// Settles the next request, all of whose callbacks come due together.
    pub(super) fn settle_next(&mut self) {
        let rest = self.callbacks.range(self.due..).skip(1);
        let joined = rest.take_while(|waiter| waiter.joins).count();
        self.due = self.callbacks.len().min(self.due + 1 + joined);
    }

    pub(super) fn settle_all(&mut self) {
        self.due = self.callbacks.len();
    }

    /// The next callback, if it is settled, and whether the one behind it belongs to the same request.
    pub(super) fn pop_settled(&mut self) -> Option<(Callback, bool)> {
        self.due = self.due.checked_sub(1)?;
        let next = self.callbacks.pop_front()?;
        let more = self.due > 0 && self.callbacks.front().is_some_and(|next| next.joins);
        Some((next.callback, more))
    }

    /// The next callback that is not settled, and whether the one behind it belongs to the same request.
    pub(super) fn pop_unsettled(&mut self) -> Option<(Callback, bool)> {
        let next = self.callbacks.remove(self.due)?;
        let more = self.callbacks.get(self.due).is_some_and(|next| next.joins);
        Some((next.callback, more))
    }

    /// Makes the writes from `begin` on that are not settled one request; false if none has a callback.
    pub(super) fn gather(&mut self, begin: u64, end: u64) -> bool {
        let unsettled = self.callbacks.range_mut(self.due..);
        let mut joins = false;
        for waiter in unsettled.filter(|waiter| waiter.begin >= begin) {
            (waiter.begin, waiter.end) = (begin, end);
            waiter.joins = std::mem::replace(&mut joins, true);
        }
        joins
    }

    /// Asserts what holds between calls.
    #[cfg(any(test, fuzzing, feature = "fuzzing"))]
    pub(super) fn check(&self) {
        let kept: usize = self.parts().map(<[u8]>::len).sum();
        assert_eq!(kept - self.start, self.bytes, "the count of queued bytes");
        let begun = self.parts().next().map_or(0, <[u8]>::len);
        assert!(
            self.start < begun || begun == 0,
            "a chunk that was sent is kept"
        );
        let bounds = || {
            self.callbacks
                .iter()
                .map(|waiter| (waiter.begin, waiter.end))
        };
        assert!(
            bounds().is_sorted() && bounds().all(|(begin, end)| begin <= end),
            "callbacks in the order of the writes"
        );
        assert!(
            self.due <= self.callbacks.len(),
            "the count of settled callbacks"
        );
    }
}

struct Spare {
    /// The one that was used last, for the many callbacks that answer one socket.
    last: Cell<Option<Box<WriteQueue>>>,
    #[expect(clippy::vec_box, reason = "they come in boxes and go in boxes")]
    others: RefCell<Vec<Box<WriteQueue>>>,
    bytes: Cell<usize>,
}

impl Spare {
    const fn new() -> Spare {
        Spare {
            last: Cell::new(None),
            others: RefCell::new(Vec::new()),
            bytes: Cell::new(0),
        }
    }

    fn take(&self) -> Option<Box<WriteQueue>> {
        self.last.take().or_else(|| {
            let queue = self.others.borrow_mut().pop()?;
            self.bytes.set(self.bytes.get() - queue.tail.capacity());
            Some(queue)
        })
    }

    fn give(&self, mut queue: Box<WriteQueue>) {
        if queue.tail.capacity() > SPARE_TAIL {
            queue.tail = Vec::new();
        }
        if queue.chunks.capacity().max(queue.callbacks.capacity()) > SPARE_ENTRIES {
            return;
        }
        let Some(queue) = self.last.replace(Some(queue)) else {
            return;
        };
        let mut others = self.others.borrow_mut();
        let bytes = self.bytes.get() + queue.tail.capacity();
        if others.len() < SPARE_QUEUES && bytes <= SPARE_BYTES {
            self.bytes.set(bytes);
            others.push(queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the next queue of the thread begins with, after one that held so much was sent.
    fn kept_after(len: usize) -> usize {
        let mut queue = WriteQueue::take();
        queue.push_copy(&vec![0; len]);
        queue.advance(len);
        WriteQueue::give(queue);
        let next = WriteQueue::take();
        let kept = next.tail.capacity();
        WriteQueue::give(next);
        kept
    }

    #[test]
    fn the_rest_of_a_pipes_longest_chunk_finds_room_the_next_time() {
        assert_eq!(kept_after(300_000), 300_000);
        assert_eq!(kept_after(SPARE_TAIL), SPARE_TAIL);
        assert_eq!(kept_after(SPARE_TAIL + 1), 0);
    }
}
