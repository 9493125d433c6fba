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
use std::io::{ErrorKind, IoSlice};

use super::data::{Data, Repr};
use super::host::{AfterConnect, Host, Signal, Tick};
use super::slot::Slot;
use super::write_queue::{COALESCE, Callback, SLICES, WriteQueue};
use super::{DEFAULT_HIGH_WATER_MARK, Duplex, Life};
use crate::error::{Error, Result, node};

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
mod check;

/// From this size on, borrowed bytes are offered to the kernel at once rather than copied: the copy
/// would cost as much as a system call saves.
const WRITE_NOW: usize = 16 * 1024;

pub(super) struct WriteHalf {
    end: Cell<WriteEnd>,
    request: Cell<Request>,
    need_drain: Cell<bool>,
    /// Something waits for the end of the callback to be sent.
    flush_scheduled: Cell<bool>,
    /// The peer has ended and this end followed unasked: a write gets an error of its own.
    ended_by_peer: Cell<bool>,
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
    /// Waits for the connection, with the others behind it. Its callback waits for `end`.
    Parked {
        end: u64,
    },
    /// The kernel has taken a part; the rest, up to this position, waits until it can take more.
    Waiting {
        end: u64,
    },
    /// The kernel refused; the tick that says so has not come yet.
    Failed,
}

impl WriteHalf {
    pub(super) fn new() -> WriteHalf {
        WriteHalf {
            end: Cell::new(WriteEnd::Open),
            request: Cell::new(Request::None),
            need_drain: Cell::new(false),
            flush_scheduled: Cell::new(false),
            ended_by_peer: Cell::new(false),
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
        self.ended_by_peer.set(false);
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

    /// Bytes that wait for a `write` or an `uncork`, rather than for a request to complete.
    fn has_unsent(&self) -> bool {
        self.accepted.get() > self.sent.get()
    }

    fn with_queue<R>(&self, f: impl FnOnce(&mut WriteQueue) -> R) -> R {
        self.queue
            .with(|queue| f(queue.get_or_insert_with(WriteQueue::take)))
    }

    fn give_back_empty_queue(&self) {
        let empty = self
            .queue
            .with(|queue| queue.take_if(|queue| queue.is_empty()));
        if let Some(queue) = empty {
            WriteQueue::give(queue);
        }
    }

    /// Everything up to `position` has been handed over.
    fn settle(&self, position: u64) {
        self.settled.set(position);
        self.queue.if_some(|queue| queue.settle(position));
    }

    fn has_unsettled_callbacks(&self) -> bool {
        self.queue
            .if_some(|queue| queue.has_unsettled())
            .unwrap_or(false)
    }

    fn pop_settled(&self, upto: u64) -> Option<Callback> {
        self.queue
            .if_some(|queue| queue.pop_settled(upto))
            .flatten()
    }

    fn pop_unsettled(&self) -> Option<Callback> {
        self.queue.if_some(|queue| queue.pop_unsettled()).flatten()
    }

    fn next_callback(&self) -> Option<u64> {
        self.queue.if_some(|queue| queue.next_callback()).flatten()
    }
}

/// What the user asks for.
impl Duplex {
    /// Queues bytes; false when it would be better to wait for `Drain`.
    pub(crate) fn write(
        &self,
        host: &impl Host,
        data: Data<'_>,
        callback: Option<Callback>,
    ) -> bool {
        let half = &self.write;
        if half.is_ending() || self.is_destroyed() {
            self.refuse_write(host, callback);
            return false;
        }
        let len = data.len();
        half.accepted.set(half.accepted.get() + len as u64);
        if !self.writes_directly() {
            half.with_queue(|queue| {
                queue.push(data);
                queue.push_callback_if(half.accepted.get(), callback);
            });
            let held = half.request.get() != Request::None || half.corked.get() > 0;
            if !held && !self.is_errored() {
                self.park(host);
            }
        } else {
            self.write_directly(host, data, callback);
        }
        self.after_write_call(host)
    }

    /// Queues a payload with something in front of it and something behind it, as one write.
    pub(crate) fn write_wrapped(
        &self,
        host: &impl Host,
        head: &[u8],
        payload: Data<'_>,
        tail: &[u8],
    ) -> bool {
        let half = &self.write;
        if half.is_ending() || self.is_destroyed() {
            self.refuse_write(host, None);
            return false;
        }
        let len = head.len() + payload.len() + tail.len();
        if !self.writes_directly() || len >= WRITE_NOW {
            let parts = [head.into(), payload, tail.into()];
            let mut room = true;
            for part in parts.into_iter().filter(|part| !part.is_empty()) {
                room = self.write(host, part, None);
            }
            return room;
        }
        half.accepted.set(half.accepted.get() + len as u64);
        let pending = half.with_queue(|queue| {
            queue.push(head.into());
            queue.push(payload);
            queue.push(tail.into());
            queue.bytes()
        });
        self.send_when_due(host, pending);
        self.after_write_call(host)
    }

    /// Whether nothing keeps a write from the kernel.
    fn writes_directly(&self) -> bool {
        let half = &self.write;
        half.request.get() == Request::None
            && half.corked.get() == 0
            && self.life() == Life::Open
            && !self.is_errored()
    }

    fn write_directly(&self, host: &impl Host, data: Data<'_>, callback: Option<Callback>) {
        let half = &self.write;
        let position = half.accepted.get();
        if callback.is_some() {
            host.tick(Tick::AfterWrite);
        }
        let big = data.len() >= WRITE_NOW;
        if let (Repr::Borrowed(bytes), true) = (&data.0, big) {
            half.with_queue(|queue| queue.push_callback_if(position, callback));
            self.send_borrowed(host, bytes);
            return self.send(host);
        }
        let pending = half.with_queue(|queue| {
            queue.push(data);
            queue.push_callback_if(position, callback);
            queue.bytes()
        });
        if big {
            self.send(host);
        } else {
            self.send_when_due(host, pending);
        }
    }

    /// Sends what is queued when the callback has returned, or now if it fills a buffer.
    fn send_when_due(&self, host: &impl Host, pending: usize) {
        if !(1..COALESCE).contains(&pending) {
            self.send(host);
        } else if !self.write.flush_scheduled.replace(true) {
            host.flush_later();
        }
    }

    /// What `write` answers, once the bytes are queued or sent.
    fn after_write_call(&self, host: &impl Host) -> bool {
        let half = &self.write;
        // What only waits for the end of the callback counts as sent, as it is in Node.
        let length = if half.flush_scheduled.get() {
            0
        } else {
            half.length()
        };
        let ceiling = half.ceiling.get() as usize;
        if ceiling > 0 && length > ceiling {
            self.destroy(host, Some(node::write_queue_full(ceiling, length)));
            return false;
        }
        let room = length == 0 || length < half.high_water_mark.get() as usize;
        if !room {
            half.need_drain.set(true);
        }
        room && !self.is_destroyed() && !self.is_errored()
    }

    fn refuse_write(&self, host: &impl Host, callback: Option<Callback>) {
        let error = if self.write.ended_by_peer.get() && self.write.is_ending() {
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
            self.write(host, data, None);
        }
        if half.corked.replace(0) > 0 {
            self.release(host);
        }
        if !half.is_ending() && !self.is_errored() && !self.is_destroyed() {
            self.flush(host);
            half.end.set(WriteEnd::Ending);
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
        if self.life() != Life::Open {
            return self.park(host);
        }
        let end = half.accepted.get();
        if half.with_queue(|queue| queue.gather_unsettled(end)) {
            host.tick(Tick::AfterWrite);
        }
        self.send(host);
        // Where no tick follows, an end that waited for what was corked goes on from here.
        if half.next_callback().is_none() {
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

/// What can be asked.
impl Duplex {
    pub(crate) fn is_writable(&self) -> bool {
        !self.write.is_ending() && !self.is_destroyed() && !self.is_errored()
    }

    pub(crate) fn writable_length(&self, host: &impl Host) -> usize {
        self.flush(host);
        self.write.length()
    }

    pub(crate) fn writable_need_drain(&self) -> bool {
        self.write.need_drain.get() && !self.write.is_ending() && !self.is_destroyed()
    }

    pub(crate) fn writable_ended(&self) -> bool {
        self.write.is_ending()
    }

    pub(crate) fn writable_finished(&self) -> bool {
        self.write.is_finished()
    }

    pub(crate) fn writable_corked(&self) -> u32 {
        self.write.corked.get()
    }

    pub(crate) fn writable_high_water_mark(&self) -> usize {
        self.write.high_water_mark.get() as usize
    }

    pub(crate) fn set_writable_high_water_mark(&self, mark: usize) {
        self.write
            .high_water_mark
            .set(u32::try_from(mark).unwrap_or(u32::MAX));
    }

    pub(crate) fn set_max_write_queue(&self, ceiling: usize) {
        self.write
            .ceiling
            .set(u32::try_from(ceiling).unwrap_or(u32::MAX));
    }

    /// Bytes that the kernel has taken, and while the socket lives those that are queued.
    pub(crate) fn bytes_written(&self) -> u64 {
        if self.is_destroyed() {
            self.write.sent.get()
        } else {
            self.write.accepted.get()
        }
    }

    /// Whether a write or a shutdown is under way, which keeps the loop alive.
    pub(crate) fn is_writing(&self) -> bool {
        self.write.request.get() != Request::None
            || matches!(self.write.end.get(), WriteEnd::Final)
            || self.write.flush_scheduled.get()
    }

    /// How much of the write that is under way the kernel has not taken; 0 if there is none.
    pub(crate) fn request_left(&self) -> usize {
        match self.write.request.get() {
            Request::Waiting { end } => end.saturating_sub(self.write.sent.get()) as usize,
            _ => 0,
        }
    }

    pub(super) fn has_queued_callbacks(&self) -> bool {
        let half = &self.write;
        let queued = match half.request.get() {
            Request::None | Request::Failed => half.has_unsent() || half.has_unsettled_callbacks(),
            Request::Parked { end } | Request::Waiting { end } => half.accepted.get() > end,
        };
        queued || half.end_callbacks.if_some(|_| ()).is_some()
    }
}

/// Sending.
impl Duplex {
    /// Sends what waits for the end of the callback.
    #[inline]
    pub(crate) fn flush(&self, host: &impl Host) {
        if self.write.flush_scheduled.replace(false) {
            self.send(host);
        }
    }

    /// Offers everything that is queued to the kernel.
    fn send(&self, host: &impl Host) {
        let half = &self.write;
        half.flush_scheduled.set(false);
        if half.request.get() != Request::None || self.life() != Life::Open || self.is_errored() {
            return;
        }
        host.activity();
        match self.send_queued(host, half.accepted.get()) {
            Ok(true) => self.settle_all(host),
            Ok(false) => self.wait_for_room(),
            Err(error) => self.fail_write(host, &error),
        }
        half.give_back_empty_queue();
    }

    /// Everything was taken at once.
    fn settle_all(&self, host: &impl Host) {
        let half = &self.write;
        half.settle(half.accepted.get());
        if half.need_drain.get() && half.next_callback().is_none() {
            host.tick(Tick::AfterWrite);
        }
    }

    /// The kernel took a part: the chunk that it stopped in is the request, and its end is awaited.
    fn wait_for_room(&self) {
        let half = &self.write;
        let sent = half.sent.get();
        let (begun, left) = half.with_queue(|queue| (queue.advance(0), queue.first_left()));
        half.settle((sent - begun as u64).max(half.settled.get()));
        half.request.set(Request::Waiting {
            end: sent + left as u64,
        });
    }

    fn fail_write(&self, host: &impl Host, error: &Error) {
        let half = &self.write;
        self.set_error(error);
        self.drop_queued_bytes();
        half.settled.set(half.sent.get());
        half.queue.if_some(|queue| queue.gather_unsettled(u64::MAX));
        half.request.set(Request::Failed);
        host.tick(Tick::WriteFailed);
    }

    /// Writes until everything up to this position is sent (true) or the kernel takes no more
    /// (false).
    fn send_queued(&self, host: &impl Host, upto: u64) -> Result<bool> {
        let half = &self.write;
        half.with_queue(|queue| {
            while half.sent.get() < upto {
                let left = (upto - half.sent.get()) as usize;
                let (offered, outcome) = match queue.only_chunk() {
                    Some(bytes) => {
                        let bytes = &bytes[..bytes.len().min(left)];
                        (bytes.len(), host.write(&[IoSlice::new(bytes)]))
                    }
                    None => {
                        let mut slices = [IoSlice::new(&[]); SLICES];
                        let count = queue.slices(&mut slices, left);
                        let slices = &slices[..count];
                        (
                            slices.iter().map(|slice| slice.len()).sum(),
                            host.write(slices),
                        )
                    }
                };
                match outcome {
                    Ok(sent) => {
                        half.sent.set(half.sent.get() + sent as u64);
                        queue.advance(sent);
                        // Less than was offered: the kernel's buffer is full, and an event will
                        // tell when it is not.
                        if sent < offered {
                            return Ok(false);
                        }
                    }
                    Err(error) => match error.kind() {
                        ErrorKind::WouldBlock => return Ok(false),
                        ErrorKind::Interrupted => {}
                        _ => return Err(Error::os("write", &error)),
                    },
                }
            }
            Ok(true)
        })
    }

    /// Offers borrowed bytes to the kernel behind what is queued, and copies what it does not take.
    fn send_borrowed(&self, host: &impl Host, bytes: &[u8]) {
        let half = &self.write;
        let outcome = half.with_queue(|queue| {
            let queued = queue.bytes();
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = queue.slices(&mut slices, queued);
            if count == SLICES {
                queue.push(bytes.into());
                return Ok(());
            }
            slices[count] = IoSlice::new(bytes);
            let sent = match host.write(&slices[..=count]) {
                Ok(sent) => sent,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
                {
                    0
                }
                Err(error) => return Err(error),
            };
            half.sent.set(half.sent.get() + sent as u64);
            queue.advance(sent.min(queued));
            queue.push((&bytes[sent.saturating_sub(queued)..]).into());
            Ok(())
        });
        if let Err(error) = outcome {
            self.fail_write(host, &Error::os("write", &error));
        }
    }

    fn park(&self, host: &impl Host) {
        if self.life() == Life::Connecting {
            self.write.request.set(Request::Parked {
                end: self.write.accepted.get(),
            });
            host.on_connect(AfterConnect::Write);
        } else {
            self.fail_write(host, &node::socket_closed());
        }
    }

    /// The connection is up, and the parked writes go out. The first one's callback is called here;
    /// those of the others follow on a tick.
    pub(super) fn send_parked(&self, host: &impl Host) {
        let half = &self.write;
        let Request::Parked { end } = half.request.get() else {
            return;
        };
        half.request.set(Request::None);
        if self.is_destroyed() {
            // By a listener of `Connect` before this one.
            self.set_error(&node::socket_closed());
            if let Some(callback) = half.pop_unsettled() {
                callback(Err(node::socket_closed()));
            }
            return self.fail_queued();
        }
        let rest = half.with_queue(|queue| queue.gather_callbacks(end, half.accepted.get()));
        self.send(host);
        if half.request.get() == Request::Failed {
            // These are told at once, as the success would be; the tick finds nothing left.
            return self.after_failed_write(host);
        }
        if rest && half.settled.get() > end {
            host.tick(Tick::AfterWrite);
        }
        self.settle_request(host, end.min(half.settled.get()));
    }

    /// The descriptor can take more.
    pub(crate) fn on_writable(&self, host: &impl Host) {
        let half = &self.write;
        let Request::Waiting { end } = half.request.get() else {
            return;
        };
        // Destroyed by what was read at the same event: the closing phase cancels the write.
        if self.is_destroyed() {
            return;
        }
        // What is corked stays behind.
        let upto = match half.corked.get() {
            0 => half.accepted.get(),
            _ => end,
        };
        match self.send_queued(host, upto) {
            Ok(_) if half.sent.get() < end => return host.activity(),
            Ok(all_sent) => {
                half.settle(end);
                half.request.set(Request::None);
                if half.accepted.get() > end && half.corked.get() == 0 {
                    self.begin_batch(host, end, all_sent);
                }
                host.activity();
                self.settle_request(host, end);
            }
            Err(error) => {
                half.request.set(Request::Failed);
                self.set_error(&error);
                self.after_failed_write(host);
            }
        }
        half.give_back_empty_queue();
    }

    /// What queued up behind a request that is complete becomes the next one.
    fn begin_batch(&self, host: &impl Host, begin: u64, all_sent: bool) {
        let half = &self.write;
        let end = half.accepted.get();
        let has_callbacks = half.with_queue(|queue| queue.gather_callbacks(begin, end));
        if !all_sent {
            half.request.set(Request::Waiting { end });
            return;
        }
        half.settle(end);
        if has_callbacks {
            host.tick(Tick::AfterWrite);
        }
    }

    /// A request is complete: `Drain` if it is due, then the callbacks up to `end`.
    fn settle_request(&self, host: &impl Host, end: u64) {
        self.emit_drain(host);
        while let Some(callback) = self.write.pop_settled(end) {
            callback(Ok(()));
        }
        self.after_callbacks(host);
    }

    pub(super) fn after_sync_write(&self, host: &impl Host) {
        self.emit_drain(host);
        // Those of one request come together; that of another write has a tick of its own.
        let upto = self.write.queue.if_some(|queue| queue.next_settled());
        if let Some(upto) = upto.flatten() {
            while let Some(callback) = self.write.pop_settled(upto) {
                callback(Ok(()));
            }
        }
        self.after_callbacks(host);
    }

    fn after_callbacks(&self, host: &impl Host) {
        self.write.give_back_empty_queue();
        if self.is_destroyed() {
            self.fail_queued();
        }
        self.finish_maybe(host);
    }

    fn emit_drain(&self, host: &impl Host) {
        let half = &self.write;
        let due = half.need_drain.get()
            && half.length() == 0
            && !half.is_ending()
            && !self.is_destroyed()
            && !self.is_errored();
        if due {
            half.need_drain.set(false);
            host.emit(Signal::Drain);
        }
    }
}

/// Failing.
impl Duplex {
    /// The write that the kernel refused, then those behind it, then the socket.
    pub(super) fn after_failed_write(&self, host: &impl Host) {
        if self.write.request.get() != Request::Failed {
            return;
        }
        self.write.request.set(Request::None);
        let error = self.error().unwrap_or_else(|| node::destroyed("write"));
        if let Some(callback) = self.write.pop_unsettled() {
            callback(Err(error.clone()));
        }
        self.fail_queued();
        self.destroy(host, Some(error));
    }

    /// Fails everything that is queued, unless a request is under way: then it is for its end to.
    pub(super) fn fail_queued(&self) {
        let half = &self.write;
        if matches!(
            half.request.get(),
            Request::Waiting { .. } | Request::Parked { .. }
        ) {
            return;
        }
        self.drop_queued_bytes();
        let error = self.error();
        // Those that were handed over in time are left to their tick.
        while let Some(callback) = half.pop_unsettled() {
            callback(Err(error
                .clone()
                .unwrap_or_else(|| node::destroyed("write"))));
        }
        half.give_back_empty_queue();
        self.call_end_callbacks(|| Err(error.clone().unwrap_or_else(|| node::destroyed("end"))));
    }

    fn drop_queued_bytes(&self) {
        let half = &self.write;
        half.queue.if_some(|queue| queue.clear_bytes());
        half.accepted.set(half.sent.get());
    }

    /// The descriptor is closed: a request that was under way is cancelled.
    pub(super) fn cancel_write(&self) {
        let half = &self.write;
        let Request::Waiting { .. } = half.request.get() else {
            return;
        };
        half.request.set(Request::None);
        let cancelled = node::write_cancelled();
        self.set_error(&cancelled);
        if let Some(callback) = half.pop_unsettled() {
            callback(Err(cancelled));
        }
        self.fail_queued();
    }

    /// The socket closed before it was connected, and this is among the listeners of `Close`.
    pub(crate) fn on_closed_before_connect(&self) {
        let half = &self.write;
        // A listener before this one may have begun a new life, with writes of its own.
        if self.life() != Life::Closed || !matches!(half.request.get(), Request::Parked { .. }) {
            return;
        }
        half.request.set(Request::None);
        let error = node::closed_before_connection();
        self.set_error(&error);
        if let Some(callback) = half.pop_unsettled() {
            callback(Err(error));
        }
        self.fail_queued();
    }

    /// A new life begins before the writes of the old one were told that it is over.
    pub(super) fn fail_parked(&self, host: &impl Host) {
        let error = node::closed_before_connection;
        self.drop_queued_bytes();
        while let Some(callback) = self.write.pop_unsettled() {
            self.tick_callback(host, Some(callback), Err(error()));
        }
        for callback in self
            .write
            .end_callbacks
            .take()
            .into_iter()
            .flat_map(|all| *all)
        {
            self.tick_callback(host, Some(callback), Err(error()));
        }
        self.write.give_back_empty_queue();
    }

    fn call_end_callbacks(&self, outcome: impl Fn() -> Result<()>) {
        for callback in self
            .write
            .end_callbacks
            .take()
            .into_iter()
            .flat_map(|callbacks| *callbacks)
        {
            callback(outcome());
        }
    }
}

/// Finishing.
impl Duplex {
    /// Asks for the shutdown, if the half is ending and has nothing left to send.
    pub(super) fn finish_maybe(&self, host: &impl Host) {
        let half = &self.write;
        let ready = half.end.get() == WriteEnd::Ending
            && half.request.get() == Request::None
            && half.length() == 0
            && !self.is_destroyed()
            && !self.is_errored();
        if ready {
            half.end.set(WriteEnd::Final);
            self.shut_down(host);
        }
    }

    pub(super) fn shut_down(&self, host: &impl Host) {
        match self.life() {
            Life::Connecting => host.on_connect(AfterConnect::Final),
            Life::Open => host.shutdown_later(),
            Life::Fresh => self.on_final(host),
            Life::Destroyed | Life::Closed => {}
        }
    }

    /// The pending phase has come to the shutdown.
    pub(crate) fn on_shutdown(&self, host: &impl Host) {
        if self.life() != Life::Open {
            return;
        }
        match host.shutdown() {
            Err(error) if error.kind() != ErrorKind::NotConnected => {
                let error = Error::os("shutdown", &error);
                self.call_end_callbacks(|| Err(error.clone()));
                self.destroy(host, Some(error));
            }
            _ => self.on_final(host),
        }
    }

    fn on_final(&self, host: &impl Host) {
        if self.is_destroyed() || self.is_errored() {
            return;
        }
        self.write.end.set(WriteEnd::Prefinished);
        host.emit(Signal::Prefinish);
        host.tick(Tick::Finish);
    }

    pub(super) fn finish(&self, host: &impl Host) {
        // A tick of an earlier life finds nothing that is as far as that.
        if self.write.end.get() != WriteEnd::Prefinished {
            return;
        }
        self.write.end.set(WriteEnd::Finished);
        self.call_end_callbacks(|| Ok(()));
        host.emit(Signal::Finish);
        if self.both_ended() {
            self.destroy(host, None);
        }
    }

    /// The peer has ended, its data was read, and half-open is not allowed.
    pub(super) fn end_after_peer(&self, host: &impl Host) {
        if self.is_writable() {
            self.end(host, None, None);
        }
    }

    /// From `End` on, a write after the end that follows it is answered with what happened.
    pub(super) fn mark_ended_by_peer(&self) {
        self.write.ended_by_peer.set(!self.allow_half_open());
    }
}
