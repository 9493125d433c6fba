//! The writing half of a [`Duplex`]: `write`, `end`, `cork`, and what follows from them.
//!
//! | a write … | goes out | its callback |
//! |---|---|---|
//! | small, nothing in the way | when the current callback has returned, with its neighbours | on a tick queued now |
//! | that fills a buffer | now | on a tick queued now |
//! | while a request is under way | when that is complete, with its neighbours | with its request |
//! | while connecting or corked | after `Connect`, at `uncork` | likewise |
//!
//! Node tries every `write` at once. Here small ones wait for the end of the callback that makes
//! them, which nobody can tell but by the system calls that are saved: whoever asks how much is
//! queued gets it flushed first, and so do `end`, `destroy` and a reset.

use std::cell::Cell;

use super::data::Data;
use super::host::Host;
use super::slot::Slot;
use super::write_queue::{COALESCE, Callback, WriteQueue};
use super::{DEFAULT_HIGH_WATER_MARK, Duplex, Life};
use crate::error::{Error, Result, node};

mod asking;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
mod check;
mod failing;
mod finishing;
mod sending;

/// From this size on, borrowed bytes are offered to the kernel at once rather than copied: the copy
/// would cost as much as a system call saves.
const WRITE_NOW: usize = 16 * 1024;

pub(super) struct WriteHalf {
    end: Cell<WriteEnd>,
    request: Cell<Request>,
    need_drain: Cell<bool>,
    /// A tick is on its way that emits `Drain` if it is due. Node's `kAfterWritePending`.
    tick_due: Cell<bool>,
    /// Something waits for the end of the callback to be sent.
    flush_scheduled: Cell<bool>,
    corked: Cell<u32>,
    high_water_mark: Cell<u32>,
    /// The most that may be queued; 0 for no limit.
    ceiling: Cell<u32>,
    accepted: Cell<u64>,
    sent: Cell<u64>,
    settled: Cell<u64>,
    queue: Slot<Box<WriteQueue>>,
    #[expect(clippy::box_collection, reason = "one word in each of many sockets")]
    end_callbacks: Slot<Box<Vec<Callback>>>,
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

/// How far a request goes.
// Not the payload itself of two states, which would add a word to each socket.
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
            request: Cell::new(Request::None),
            need_drain: Cell::new(false),
            tick_due: Cell::new(false),
            flush_scheduled: Cell::new(false),
            corked: Cell::new(0),
            high_water_mark: Cell::new(DEFAULT_HIGH_WATER_MARK as u32),
            ceiling: Cell::new(0),
            accepted: Cell::new(0),
            sent: Cell::new(0),
            settled: Cell::new(0),
            queue: Slot::new(),
            end_callbacks: Slot::new(),
        }
    }

    pub(super) fn begin_again(&self) {
        self.end.set(WriteEnd::Open);
        self.request.set(Request::None);
        self.need_drain.set(false);
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
        let empty = self
            .queue
            .with(|queue| queue.take_if(|queue| queue.is_empty()));
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
            .if_some(|queue| queue.has_unsettled())
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

/// What the user asks for.
impl Duplex {
    /// Queues borrowed bytes as one write; false when it would be better to wait for `Drain`.
    ///
    /// Most writes are like this, small, and have nothing to do but join those that wait for the end
    /// of the callback: this is `write` with nothing more in their way.
    #[inline]
    pub(crate) fn write_bytes<const N: usize>(&self, host: &impl Host, parts: [&[u8]; N]) -> bool {
        let half = &self.write;
        let len = parts.iter().map(|part| part.len()).sum();
        let small = (1..WRITE_NOW).contains(&len);
        if !small || half.is_ending() || !self.writes_directly() {
            return self.write(host, parts.map(Data::from), None);
        }
        half.accepted.set(half.accepted.get() + len as u64);
        parts.iter().for_each(|part| host.accepts(part));
        // As `with_queue`, whose closure is not always inlined, and this is each small write's path.
        let mut queue = half.queue.take().unwrap_or_else(WriteQueue::take);
        queue.push_copies(parts);
        let pending = queue.bytes();
        half.queue.put_back(Some(queue));
        self.send_when_due(host, pending)
    }

    /// Queues some bytes as one write, and calls back when all have been handed over.
    pub(crate) fn write<const N: usize>(
        &self,
        host: &impl Host,
        parts: [Data<'_>; N],
        callback: Option<Callback>,
    ) -> bool {
        let half = &self.write;
        if half.is_ending() || self.is_destroyed() {
            self.refuse_write(host, callback);
            return false;
        }
        let len: usize = parts.iter().map(Data::len).sum();
        let begin = half.accepted.get();
        let end = begin + len as u64;
        half.accepted.set(end);
        parts.iter().for_each(|part| host.accepts(part.as_bytes()));
        let (mut direct, big) = (self.writes_directly(), len >= WRITE_NOW);
        let borrowed = parts.iter().all(Data::is_borrowed);
        if direct && big && borrowed && !half.with_queue(|queue| queue.has_slices_for(N)) {
            self.send(host);
            direct = self.writes_directly();
        }
        if !direct {
            return self.write_held(host, parts, begin, callback);
        }
        if callback.is_some() {
            self.tick_after_write(host);
        }
        if big && borrowed {
            half.with_queue(|queue| queue.push_callback_if(begin, end, callback));
            self.send_borrowed(host, parts.each_ref().map(Data::as_bytes));
        } else {
            half.with_queue(|queue| {
                parts.into_iter().for_each(|part| queue.push(part));
                queue.push_callback_if(begin, end, callback);
            });
        }
        let pending = half.with_queue(|queue| queue.bytes());
        if big || pending == 0 {
            return self.send_now(host);
        }
        self.send_when_due(host, pending)
    }

    /// As `write`, where something keeps the bytes, which begin at `begin`, from the kernel.
    fn write_held<const N: usize>(
        &self,
        host: &impl Host,
        parts: [Data<'_>; N],
        begin: u64,
        callback: Option<Callback>,
    ) -> bool {
        let half = &self.write;
        let (end, calls) = (half.accepted.get(), callback.is_some());
        half.with_queue(|queue| queue.push_callback_if(begin, end, callback));
        // Nothing will be sent any more, and its callback is told so.
        if self.is_errored() {
            return self.after_write_call(host);
        }
        let held = half.request.get() != Request::None || half.corked.get() > 0;
        let waits = held || self.life() == Life::Connecting;
        if waits && self.is_too_much(host, half.unsent()) {
            return false;
        }
        half.with_queue(|queue| parts.into_iter().for_each(|part| queue.push(part)));
        if !held {
            self.park(host, calls);
        }
        self.after_write_call(host)
    }

    /// Whether nothing keeps a write from the kernel.
    #[inline]
    fn writes_directly(&self) -> bool {
        let half = &self.write;
        half.request.get() == Request::None
            && half.corked.get() == 0
            && self.life() == Life::Open
            && !self.is_errored()
    }

    /// Sends what is queued when the callback has returned, or now if it fills a buffer.
    #[inline(always)]
    fn send_when_due(&self, host: &impl Host, pending: usize) -> bool {
        if pending >= COALESCE {
            return self.send_now(host);
        }
        if !self.write.flush_scheduled.replace(true) {
            host.flush_later();
        }
        // It counts as sent, as it is in Node.
        true
    }

    #[inline(never)]
    fn send_now(&self, host: &impl Host) -> bool {
        self.send(host);
        self.after_write_call(host)
    }

    /// What `write` answers, once the bytes are queued or sent.
    fn after_write_call(&self, host: &impl Host) -> bool {
        let half = &self.write;
        // What only waits for the end of the callback counts as sent, as it is in Node.
        let (length, queued) = if half.flush_scheduled.get() {
            (0, 0)
        } else {
            (half.length(), half.unsent())
        };
        if self.is_too_much(host, queued) {
            return false;
        }
        let room = length == 0 || length < half.high_water_mark.get() as usize;
        if !room {
            half.need_drain.set(true);
        }
        room && !self.is_destroyed() && !self.is_errored()
    }

    fn refuse_write(&self, host: &impl Host, callback: Option<Callback>) {
        let error = if self.ended_by_peer.get() && self.write.is_ending() {
            node::ended_by_peer()
        } else {
            self.too_late()
        };
        self.tick_callback(host, callback, Err(error.clone()));
        self.destroy(host, Some(error));
    }

    /// As `refuse_write`, for the last data of `end`: the socket's error comes first.
    fn refuse_end(&self, host: &impl Host, callback: Option<Callback>) {
        let error = self.too_late();
        self.destroy(host, Some(error.clone()));
        self.write.corked.set(0);
        self.tick_callback(host, callback, Err(error));
    }

    fn too_late(&self) -> Error {
        if self.write.is_ending() {
            node::write_after_end()
        } else {
            node::destroyed("write")
        }
    }

    /// Ends the half when everything that is queued has been sent.
    pub(crate) fn end(&self, host: &impl Host, data: Option<Data<'_>>, callback: Option<Callback>) {
        let half = &self.write;
        if let Some(data) = data {
            if half.is_ending() || self.is_destroyed() {
                return self.refuse_end(host, callback);
            }
            self.write(host, [data], None);
        }
        // What the kernel refuses now keeps the half from ending.
        self.flush(host);
        if half.corked.replace(0) > 0 {
            self.release(host);
        }
        if !half.is_ending() && !self.is_errored() {
            half.end.set(WriteEnd::Ending);
            if self.is_destroyed() {
                return self.tick_callback(host, callback, Err(node::destroyed("end")));
            }
            self.add_end_callback(callback);
            self.finish_maybe(host);
            return;
        }
        let outcome = if half.is_finished() {
            Err(node::already_finished())
        } else if self.is_destroyed() {
            Err(node::destroyed("end"))
        } else {
            match self.error() {
                Some(error) => Err(error),
                None => return self.add_end_callback(callback),
            }
        };
        self.tick_callback(host, callback, outcome);
    }

    fn add_end_callback(&self, callback: Option<Callback>) {
        if let Some(callback) = callback {
            self.write
                .end_callbacks
                .with(|callbacks| callbacks.get_or_insert_default().push(callback));
        }
    }

    fn tick_callback(&self, host: &impl Host, callback: Option<Callback>, outcome: Result<()>) {
        if let Some(callback) = callback {
            host.tick_call(Box::new(move || callback(outcome)));
        }
    }

    pub(crate) fn cork(&self, host: &impl Host) {
        self.flush(host);
        self.write.corked.set(self.write.corked.get() + 1);
    }

    pub(crate) fn uncork(&self, host: &impl Host) {
        let corked = self.write.corked.get();
        self.write.corked.set(corked.saturating_sub(1));
        if corked == 1 {
            self.release(host);
        }
    }

    /// Sends what was corked, as one request.
    fn release(&self, host: &impl Host) {
        let half = &self.write;
        let held = half.request.get() != Request::None || self.is_destroyed() || self.is_errored();
        if held || !half.has_unsent() && !half.has_unsettled_callbacks() {
            return;
        }
        let (begin, end) = (half.sent.get(), half.accepted.get());
        let calls = half.with_queue(|queue| queue.gather(begin, end));
        if self.life() != Life::Open {
            return self.park(host, calls);
        }
        if calls {
            self.tick_after_write(host);
        }
        self.send(host);
        self.wait_as_one(begin, Extent { end, calls });
        // Where no tick follows, an end that waited for what was corked goes on from here.
        if !calls {
            self.finish_maybe(host);
        }
    }

    /// Ends the half, and destroys the socket as soon as that is done.
    pub(crate) fn end_soon(&self, host: &impl Host) -> bool {
        if self.is_writable() {
            self.end(host, None, None);
        }
        self.write.is_finished()
    }
}
