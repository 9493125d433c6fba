//! The writing half of a [`Duplex`](super::Duplex): `write`, `end`, `cork`, and what follows from them.
//!
//! | a write … | goes out | its callback |
//! |---|---|---|
//! | small, nothing in the way | when the current callback has returned, with its neighbours | on a tick queued now |
//! | of 16 KiB or more, or that makes 64 KiB wait | now, with what waits before it | on a tick queued now |
//! | while a request is under way | when that is complete, with its neighbours | with its request |
//! | while connecting or corked | after `Connect`, at `uncork` | likewise |
//!
//! Node tries every `write` at once. Here small ones wait for the end of the callback that makes
//! them, which shows in nothing but fewer system calls: a query of the queued length flushes first, and so do
//! `end`, `destroy` and a reset.

use std::cell::Cell;

use super::slot::Slot;
use super::write_queue::{Callback, WriteQueue};
use crate::bits::bits;

#[cfg(all(feature = "sim", any(test, fuzzing, feature = "fuzzing")))]
mod check;
mod corking;
mod ending;
mod failing;
mod query;
mod sending;
mod writing;

/// From this size on, borrowed bytes are offered to the kernel at once rather than copied: the copy
/// would cost as much as a system call saves.
const WRITE_NOW: usize = 16 * 1024;

pub(super) struct WriteHalf {
    end: Cell<WriteEnd>,
    /// What is under way, but for how far it goes: the queue knows that, which is there meanwhile.
    request: Cell<Kind>,
    bits: Bits,
    corked: Cell<u32>,
    accepted: Cell<u64>,
    sent: Cell<u64>,
    settled: Cell<u64>,
    queue: Slot<Box<WriteQueue>>,
}

bits! {
    struct Bits {
        need_drain,
        /// A tick is on its way that emits `Drain` if it is due. Node's `kAfterWritePending`.
        tick_due,
        /// Something waits for the end of the callback to be sent.
        flush_scheduled,
        /// The first callbacks that are not settled are the request's.
        request_calls,
    }
}

/// How far the half is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WriteEnd {
    Open,
    /// `end` was called.
    Ending,
    /// Everything is sent, and the shutdown was asked for.
    Final,
    /// The shutdown is done; `Finish` comes on a tick.
    Prefinished,
    Finished,
}

/// The write that is under way. While there is one, others queue up behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    None,
    /// Waits for the connection, with the others behind it.
    Parked {
        end: u64,
        calls: bool,
    },
    /// The kernel has taken a part; the rest waits until it can take more.
    Waiting {
        end: u64,
        calls: bool,
    },
    /// The kernel refused; the tick that says so has not come yet.
    Failed,
}

/// Which [`Request`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Parked,
    Waiting,
    Failed,
}

/// How far a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    end: u64,
    /// The first callbacks that are not settled are this request's.
    calls: bool,
}

impl Extent {
    fn waiting(self) -> Request {
        let Extent { end, calls } = self;
        Request::Waiting { end, calls }
    }
}

impl Request {
    /// The request that waits for the connection.
    fn parked(self) -> Option<Extent> {
        match self {
            Request::Parked { end, calls } => Some(Extent { end, calls }),
            _ => None,
        }
    }

    /// The request that waits for the kernel.
    fn waiting(self) -> Option<Extent> {
        match self {
            Request::Waiting { end, calls } => Some(Extent { end, calls }),
            _ => None,
        }
    }
}

impl WriteHalf {
    pub(super) fn new() -> WriteHalf {
        WriteHalf {
            end: Cell::new(WriteEnd::Open),
            request: Cell::new(Kind::None),
            bits: Bits::default(),
            corked: Cell::new(0),
            accepted: Cell::new(0),
            sent: Cell::new(0),
            settled: Cell::new(0),
            queue: Slot::new(),
        }
    }

    /// What is under way.
    fn request(&self) -> Request {
        let end = || self.queue.if_some(|queue| queue.request_end).unwrap_or(0);
        let calls = self.bits.request_calls().get();
        match self.request.get() {
            Kind::None => Request::None,
            Kind::Parked => Request::Parked { end: end(), calls },
            Kind::Waiting => Request::Waiting { end: end(), calls },
            Kind::Failed => Request::Failed,
        }
    }

    fn set_request(&self, request: Request) {
        let (kind, extent) = match request {
            Request::None => (Kind::None, None),
            Request::Parked { end, calls } => (Kind::Parked, Some(Extent { end, calls })),
            Request::Waiting { end, calls } => (Kind::Waiting, Some(Extent { end, calls })),
            Request::Failed => (Kind::Failed, None),
        };
        self.request.set(kind);
        if let Some(Extent { end, calls }) = extent {
            self.bits.request_calls().set(calls);
            self.with_queue(|queue| queue.request_end = end);
        }
    }

    /// Whether there is none under way.
    #[inline(always)]
    fn is_free(&self) -> bool {
        self.request.get() == Kind::None
    }

    pub(super) fn begin_again(&self) {
        self.end.set(WriteEnd::Open);
        self.set_request(Request::None);
        self.bits.need_drain().set(false);
        self.accepted.set(0);
        self.sent.set(0);
        self.settled.set(0);
    }

    pub(super) fn is_finished(&self) -> bool {
        self.end.get() == WriteEnd::Finished
    }

    fn is_ending(&self) -> bool {
        self.end.get() > WriteEnd::Open
    }

    fn length(&self) -> usize {
        (self.accepted.get() - self.settled.get()) as usize
    }

    /// Bytes that the kernel has not taken. Those that it has count in `length` all the same, until
    /// their write is complete.
    fn unsent(&self) -> usize {
        (self.accepted.get() - self.sent.get()) as usize
    }

    /// Whether bytes wait for a `write` or an `uncork`, rather than for a request to complete.
    fn has_unsent(&self) -> bool {
        self.unsent() > 0
    }

    #[inline(always)]
    fn with_queue<R>(&self, f: impl FnOnce(&mut WriteQueue) -> R) -> R {
        self.queue
            .with(|queue| f(queue.get_or_insert_with(WriteQueue::take)))
    }

    #[inline(always)]
    fn give_back_empty_queue(&self) {
        let is_idle = matches!(self.request.get(), Kind::None | Kind::Failed);
        let empty = self
            .queue
            .with(|queue| queue.take_if(|queue| is_idle && queue.is_empty()));
        if let Some(queue) = empty {
            WriteQueue::give(queue);
        }
    }

    /// The request that ends at `position` has been handed over.
    fn settle(&self, Extent { end, calls }: Extent) {
        self.settled.set(end);
        if calls {
            self.queue.if_some(|queue| queue.settle_next());
        }
    }

    /// The write in which the kernel stopped, and where it begins. Those before it are settled. Of the
    /// chunk at the front so much had gone out `before` it was queued.
    fn stopped_in(&self, before: usize) -> (u64, Extent) {
        let (sent, accepted) = (self.sent.get(), self.accepted.get());
        self.with_queue(|queue| {
            let settled = queue.settle_upto(sent).unwrap_or(0);
            match queue.next_unsettled() {
                Some((begin, end)) if begin <= sent => (begin, Extent { end, calls: true }),
                next => {
                    // Without a callback the writes of one chunk cannot be told apart.
                    let begun = before + queue.advance(0);
                    let begin = (sent - begun as u64).max(settled);
                    let end = match queue.first_left() {
                        0 => accepted,
                        left => sent + left as u64,
                    };
                    let end = next.map_or(end, |(begin, _)| begin.min(end));
                    (begin, Extent { end, calls: false })
                }
            }
        })
    }

    /// Everything has been handed over.
    fn settle_all(&self) {
        self.settled.set(self.accepted.get());
        self.queue.if_some(|queue| queue.settle_all());
    }

    fn has_unsettled_callbacks(&self) -> bool {
        self.queue
            .if_some(|queue| queue.unsettled() > 0)
            .unwrap_or(false)
    }

    /// Where the request of the next callback that is not settled ends.
    fn next_unsettled(&self) -> Option<u64> {
        let next = self.queue.if_some(|queue| queue.next_unsettled());
        next.flatten().map(|(_, end)| end)
    }

    fn pop_settled(&self) -> Option<(Callback, bool)> {
        self.queue.if_some(|queue| queue.pop_settled()).flatten()
    }

    fn pop_unsettled(&self) -> Option<(Callback, bool)> {
        self.queue.if_some(|queue| queue.pop_unsettled()).flatten()
    }
}
