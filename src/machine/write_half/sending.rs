//! From the queue to the kernel: requests, and what they leave behind when they are complete.

use std::io::{self, IoSlice};

use super::Request;
use crate::error::{Error, Result, node};
use crate::kernel::{Answer, Call, answer};
use crate::machine::host::{AfterConnect, Host, Signal, Tick};
use crate::machine::write_queue::{SLICES, WriteQueue};
use crate::machine::{Duplex, Life};

impl Duplex {
    /// Sends what waits for the end of the callback.
    #[inline]
    pub(crate) fn flush(&self, host: &impl Host) {
        if self.write.flush_scheduled.replace(false) {
            self.send(host);
        }
    }

    /// Offers everything that is queued to the kernel.
    pub(super) fn send(&self, host: &impl Host) {
        let half = &self.write;
        half.flush_scheduled.set(false);
        if half.request.get() != Request::None || self.life() != Life::Open || self.is_errored() {
            return;
        }
        host.activity();
        match self.send_queued(host, half.accepted.get()) {
            Ok(true) => self.settle_all(host),
            Ok(false) => self.wait_for_room(0),
            Err(error) => self.fail_write(host, &error),
        }
        half.give_back_empty_queue();
    }

    /// Everything was taken at once.
    pub(super) fn settle_all(&self, host: &impl Host) {
        let half = &self.write;
        half.settle(half.accepted.get());
        if half.need_drain.get() && half.next_callback().is_none() {
            host.tick(Tick::AfterWrite);
        }
    }

    /// The kernel took a part: the chunk that it stopped in is the request, and its end is awaited. Of
    /// the write that this chunk is the rest of, so much had gone out `before` it was queued.
    pub(super) fn wait_for_room(&self, before: usize) {
        let half = &self.write;
        let sent = half.sent.get();
        let (begun, left) = half.with_queue(|queue| (queue.advance(0), queue.first_left()));
        let begin = sent - (before + begun) as u64;
        half.settle(begin.max(half.settled.get()));
        half.request.set(Request::Waiting {
            end: sent + left as u64,
        });
    }

    pub(super) fn fail_write(&self, host: &impl Host, error: &Error) {
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
    #[inline(always)]
    pub(super) fn send_queued(&self, host: &impl Host, upto: u64) -> Result<bool> {
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
                    (bytes.len(), host.write(&[IoSlice::new(bytes)]))
                }
                None => offer_several(host, &queue, left),
            };
            match outcome {
                Ok(sent) => {
                    half.sent.set(half.sent.get() + sent as u64);
                    queue.advance(sent);
                    // Less than was offered: the kernel's buffer is full, and an event will tell when
                    // it is not.
                    if sent < offered {
                        break Ok(false);
                    }
                }
                Err(error) => match answer(Call::Write, &error) {
                    Answer::Wait => break Ok(false),
                    Answer::Retry => {}
                    Answer::Rest => {
                        host.write_after_pause();
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
    pub(super) fn send_borrowed<const N: usize>(&self, host: &impl Host, parts: [&[u8]; N]) {
        let half = &self.write;
        let outcome = half.with_queue(|queue| {
            let queued = queue.bytes();
            let mut taken = 0;
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = queue.slices(&mut slices, queued);
            if let Some(slices) = slices.get_mut(..count + N) {
                for (slice, part) in slices[count..].iter_mut().zip(parts) {
                    *slice = IoSlice::new(part);
                }
                let sent = match host.write(slices) {
                    Ok(sent) => sent,
                    Err(error) if answer(Call::Write, &error) == Answer::Fail => {
                        return Err(error);
                    }
                    // The flush that follows tries again.
                    Err(_) => 0,
                };
                half.sent.set(half.sent.get() + sent as u64);
                queue.advance(sent.min(queued));
                taken = sent.saturating_sub(queued);
            }
            let mut gone = taken;
            queue.push_copies(parts.map(|part| {
                let rest = &part[gone.min(part.len())..];
                gone -= part.len() - rest.len();
                rest
            }));
            Ok(taken)
        });
        match outcome {
            Ok(taken) if taken > 0 && half.has_unsent() => {
                host.activity();
                self.wait_for_room(taken);
            }
            Ok(_) => {}
            Err(error) => self.fail_write(host, &Error::os("write", &error)),
        }
    }

    pub(super) fn park(&self, host: &impl Host) {
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
    pub(in crate::machine) fn send_parked(&self, host: &impl Host) {
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
    pub(super) fn begin_batch(&self, host: &impl Host, begin: u64, all_sent: bool) {
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
    pub(super) fn settle_request(&self, host: &impl Host, end: u64) {
        self.emit_drain(host);
        while let Some(callback) = self.write.pop_settled(end) {
            callback(Ok(()));
        }
        self.after_callbacks(host);
    }

    pub(in crate::machine) fn after_sync_write(&self, host: &impl Host) {
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

    pub(super) fn after_callbacks(&self, host: &impl Host) {
        self.write.give_back_empty_queue();
        if self.is_destroyed() {
            self.fail_queued();
        }
        self.finish_maybe(host);
    }

    pub(super) fn emit_drain(&self, host: &impl Host) {
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

/// Offers at most `most` bytes of several chunks to the kernel; says how many, and what came of it.
// Apart from its only caller, whose stack frame would be a kilobyte for every answer.
#[inline(never)]
fn offer_several(host: &impl Host, queue: &WriteQueue, most: usize) -> (usize, io::Result<usize>) {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let count = queue.slices(&mut slices, most);
    let slices = &slices[..count];
    (
        slices.iter().map(|slice| slice.len()).sum(),
        host.write(slices),
    )
}
