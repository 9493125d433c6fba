//! From the queue to the kernel: requests, and what they leave behind when they are complete.

use std::io::{self, IoSlice};

use super::{Extent, Request};
use crate::error::{Error, Result, node};
use crate::kernel::{Answer, Call, answer};
use crate::machine::driver::{AfterConnect, Driver, Signal, Tick};
use crate::machine::duplex::Duplex;
use crate::machine::life::Life;
use crate::machine::write_queue::{CALLBACK, CALLBACKS, SLICES, WriteQueue};

/// How much more than at an event is sent by the call that finds nothing in its way. That write tells by
/// what is left whether to wait for `Drain`, and the kernel is to say it rather than a budget.
const AT_ONCE: u64 = 8;

impl Duplex {
    /// Sends what waits for the end of the callback.
    #[inline]
    pub(crate) fn flush(&self, driver: &impl Driver) {
        if self.write.bits.flush_scheduled().replace(false) {
            self.send(driver);
        }
    }

    /// Offers everything that is queued to the kernel.
    pub(super) fn send<H: Driver>(&self, driver: &H) {
        self.send_upto(driver, self.write.accepted.get());
    }

    /// Offers what is queued up to this position.
    fn send_upto<H: Driver>(&self, driver: &H, end: u64) {
        let half = &self.write;
        half.bits.flush_scheduled().set(false);
        if !half.is_free() || self.life() != Life::Open || self.is_errored() {
            return;
        }
        driver.activity();
        let upto = end.min(half.sent.get() + driver.write_budget() * AT_ONCE);
        match self.send_queued(driver, upto) {
            Ok(true) if upto == half.accepted.get() => self.settle_all(driver),
            // What is corked behind it stays.
            Ok(true) if upto == end => {}
            Ok(taken) => {
                self.wait_for_room(0);
                if taken {
                    driver.continue_writing();
                }
            }
            Err(error) => self.fail_stopped_write(driver, &error),
        }
        half.give_back_empty_queue();
    }

    /// Everything was taken at once.
    fn settle_all(&self, driver: &impl Driver) {
        let half = &self.write;
        half.settle_all();
        if half.bits.need_drain().get() && !half.bits.tick_due().replace(true) {
            driver.tick(Tick::Drained);
        }
    }

    /// The kernel took a part: the write that it stopped in is the request, and its end is awaited. Of
    /// the chunk that it stopped in, so much had gone out `before` it was queued.
    fn wait_for_room(&self, before: usize) {
        let half = &self.write;
        let (begin, request) = half.stopped_in(before);
        half.settled.set(begin.max(half.settled.get()));
        half.set_request(request.waiting());
    }

    /// If the kernel took a part only, it stopped in this request, which begins at `begin`.
    pub(super) fn wait_as_one(&self, begin: u64, request: Extent) {
        let half = &self.write;
        if half.request().waiting().is_some() {
            half.set_request(request.waiting());
            half.settled.set(begin);
        }
    }

    /// The kernel refused the write that it stopped in.
    fn fail_stopped_write(&self, driver: &impl Driver, error: &Error) {
        let (_, request) = self.write.stopped_in(0);
        self.fail_write(driver, request.end, error);
    }

    /// The write that ends here fails, on a tick.
    fn fail_write(&self, driver: &impl Driver, end: u64, error: &Error) {
        let half = &self.write;
        self.set_error(error);
        half.settled.set(end);
        self.drop_queued_bytes();
        half.set_request(Request::Failed);
        driver.tick(Tick::WriteFailed);
    }

    /// Writes until everything up to this position is sent (true) or the kernel takes no more
    /// (false).
    #[inline(always)]
    fn send_queued(&self, driver: &impl Driver, upto: u64) -> Result<bool> {
        let half = &self.write;
        let Some(mut queue) = half.queue.take() else {
            return Ok(true);
        };
        let outcome = loop {
            if half.sent.get() >= upto {
                break Ok(true);
            }
            let left = (upto - half.sent.get()) as usize;
            let (offered, outcome) = match queue.only_chunk() {
                Some(bytes) => {
                    let bytes = &bytes[..bytes.len().min(left)];
                    (bytes.len(), driver.write(&[IoSlice::new(bytes)]))
                }
                None => offer_several(driver, &queue, left),
            };
            match outcome {
                Ok(sent) => {
                    debug_assert!(
                        sent <= offered,
                        "the kernel takes no more than it is offered"
                    );
                    half.sent.set(half.sent.get() + sent as u64);
                    queue.advance(sent);
                    // Less than was offered: the kernel's buffer is full, and an event will say when
                    // it is not.
                    if sent < offered {
                        break Ok(false);
                    }
                }
                Err(error) => match answer(Call::Write, &error) {
                    Answer::Wait => break Ok(false),
                    Answer::Retry => {}
                    Answer::Rest => {
                        driver.write_after_pause();
                        break Ok(false);
                    }
                    _ => break Err(Error::os("write", &error)),
                },
            }
        };
        half.queue.put_back(Some(queue));
        outcome
    }

    /// Offers borrowed bytes to the kernel behind what is queued, and copies what it does not take.
    pub(super) fn send_borrowed<const N: usize>(&self, driver: &impl Driver, parts: [&[u8]; N]) {
        let half = &self.write;
        half.bits.flush_scheduled().set(false);
        let outcome = half.with_queue(|queue| {
            let queued = queue.bytes();
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = queue.slices(&mut slices, queued);
            let all = &mut slices[..count + N];
            for (slice, part) in all[count..].iter_mut().zip(parts) {
                *slice = IoSlice::new(part);
            }
            let sent = match driver.write(all) {
                Ok(sent) => sent,
                Err(error) if answer(Call::Write, &error) == Answer::Fail => return Err(error),
                // The flush that follows tries again.
                Err(_) => 0,
            };
            half.sent.set(half.sent.get() + sent as u64);
            queue.advance(sent.min(queued));
            Ok(sent.saturating_sub(queued))
        });
        let taken = match outcome {
            Ok(taken) => taken,
            Err(error) => return self.fail_stopped_write(driver, &Error::os("write", &error)),
        };
        if self.is_too_much(driver, half.unsent()) {
            return;
        }
        let mut gone = taken;
        let rest = parts.map(|part| {
            let rest = &part[gone.min(part.len())..];
            gone -= part.len() - rest.len();
            rest
        });
        half.with_queue(|queue| queue.push_copies(rest));
        if taken > 0 && half.has_unsent() {
            driver.activity();
            self.wait_for_room(taken);
        }
    }

    /// Destroys the socket if so many bytes are more than may be queued, or if the callbacks that wait with them are.
    #[inline]
    pub(super) fn is_too_much(&self, driver: &impl Driver, bytes: usize) -> bool {
        let ceiling = self.max_write_queue();
        ceiling > 0 && bytes > 0 && self.is_above(driver, ceiling, bytes)
    }

    #[inline(never)]
    fn is_above(&self, driver: &impl Driver, ceiling: usize, bytes: usize) -> bool {
        let callbacks = self.write.queue.if_some(|queue| queue.unsettled());
        let callbacks = callbacks.unwrap_or(0) * CALLBACK;
        let too_much = bytes > ceiling || callbacks > ceiling.max(CALLBACKS);
        if too_much {
            let queued = bytes + callbacks;
            self.destroy(driver, Some(node::write_queue_full(ceiling, queued)));
        }
        too_much
    }

    pub(super) fn park(&self, driver: &impl Driver, calls: bool) {
        let end = self.write.accepted.get();
        if self.life() == Life::Connecting {
            let request = Request::Parked { end, calls };
            self.write.set_request(request);
            driver.on_connect(AfterConnect::Write);
        } else {
            self.fail_write(driver, end, &node::socket_closed());
        }
    }

    /// The connection is up, and the parked writes go out. The first one's callback is called here;
    /// those of the others follow on a tick.
    pub(in crate::machine) fn send_parked(&self, driver: &impl Driver) {
        let half = &self.write;
        let Some(first) = half.request().parked() else {
            return;
        };
        half.set_request(Request::None);
        if self.is_destroyed() {
            // By a listener of `Connect` before this one.
            return self.fail_request(first, &node::socket_closed());
        }
        // What is empty waits for no byte, whatever befalls the others.
        if first.end == 0 {
            half.settle(first);
        }
        // What is corked stays behind.
        let accepted = half.accepted.get();
        let corked = half.corked.get() > 0 && first.end < accepted;
        let end = if corked { first.end } else { accepted };
        let calls = !corked && half.with_queue(|queue| queue.gather(first.end, end));
        self.send_upto(driver, end);
        if half.sent.get() < first.end {
            self.wait_as_one(0, first);
            // Their callbacks are called at once, as on success; the tick finds nothing left.
            return self.after_failed_write(driver);
        }
        if corked && first.end > 0 {
            half.settle(first);
        } else if !corked {
            self.wait_as_one(first.end, Extent { end, calls });
        }
        if calls && half.is_free() {
            self.tick_after_write(driver);
        }
        self.settle_request(driver, first);
    }

    /// The descriptor can take more.
    pub(crate) fn on_writable(&self, driver: &impl Driver) {
        let half = &self.write;
        let Some(request) = half.request().waiting() else {
            return;
        };
        // Destroyed by what was read at the same event: the closing phase cancels the write.
        if self.is_destroyed() {
            return;
        }
        // What is corked stays behind.
        let all = match half.corked.get() {
            0 => half.accepted.get(),
            _ => request.end,
        };
        let upto = all.min(half.sent.get() + driver.write_budget());
        match self.send_queued(driver, upto) {
            Ok(taken) => {
                if taken && upto < all {
                    driver.continue_writing();
                }
                driver.activity();
                if half.sent.get() >= request.end {
                    self.complete(driver, request);
                }
            }
            Err(error) => {
                half.set_request(Request::Failed);
                half.settled.set(request.end);
                self.set_error(&error);
                self.after_failed_write(driver);
            }
        }
        half.give_back_empty_queue();
    }

    /// The kernel has all of a request that waited for it.
    fn complete(&self, driver: &impl Driver, request: Extent) {
        let half = &self.write;
        half.settle(request);
        half.set_request(Request::None);
        let behind = half.accepted.get() > request.end || half.has_unsettled_callbacks();
        if behind && half.corked.get() == 0 {
            self.begin_batch(driver, request.end);
        }
        self.settle_request(driver, request);
    }

    /// What queued up behind a request that is complete becomes the next one.
    fn begin_batch(&self, driver: &impl Driver, begin: u64) {
        let half = &self.write;
        let end = half.accepted.get();
        let calls = half.with_queue(|queue| queue.gather(begin, end));
        let batch = Extent { end, calls };
        if half.has_unsent() {
            half.set_request(batch.waiting());
            return;
        }
        half.settle(batch);
        if calls {
            self.tick_after_write(driver);
        }
    }

    /// A request is complete: `Drain` if it is due, then its callbacks.
    fn settle_request(&self, driver: &impl Driver, request: Extent) {
        self.emit_drain(driver);
        if request.calls {
            self.call_settled();
        }
        self.after_callbacks(driver);
    }

    pub(super) fn tick_after_write(&self, driver: &impl Driver) {
        self.write.bits.tick_due().set(true);
        driver.tick(Tick::AfterWrite);
    }

    pub(in crate::machine) fn after_sync_write(&self, driver: &impl Driver) {
        self.emit_drain(driver);
        self.call_settled();
        self.after_callbacks(driver);
    }

    pub(in crate::machine) fn after_drain(&self, driver: &impl Driver) {
        self.emit_drain(driver);
        self.after_callbacks(driver);
    }

    /// Calls back for the next request that is settled: each has a tick of its own.
    fn call_settled(&self) {
        let mut next = self.write.pop_settled();
        while let Some((callback, more)) = next {
            callback(Ok(()));
            next = if more { self.write.pop_settled() } else { None };
        }
    }

    fn after_callbacks(&self, driver: &impl Driver) {
        self.write.give_back_empty_queue();
        if self.is_destroyed() {
            self.fail_queued();
        }
        self.finish_maybe(driver);
    }

    fn emit_drain(&self, driver: &impl Driver) {
        let half = &self.write;
        half.bits.tick_due().set(false);
        let due = half.bits.need_drain().get()
            && half.length() == 0
            && !half.is_ending()
            && !self.is_destroyed()
            && !self.is_errored();
        if due {
            half.bits.need_drain().set(false);
            driver.emit(Signal::Drain);
        }
    }
}

/// Offers at most `most` bytes of several chunks to the kernel; says how many, and what came of it.
// Apart from its only caller, whose stack frame would be a kilobyte for every answer.
#[inline(never)]
fn offer_several(
    driver: &impl Driver,
    queue: &WriteQueue,
    most: usize,
) -> (usize, io::Result<usize>) {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let count = queue.slices(&mut slices, most);
    let slices = &slices[..count];
    (
        slices.iter().map(|slice| slice.len()).sum(),
        driver.write(slices),
    )
}
