//! `write`: at once, at the end of the callback, or behind what keeps it from the kernel.

use super::WRITE_NOW;
use crate::error::{Error, Result, node};
use crate::machine::data::Data;
use crate::machine::driver::Driver;
use crate::machine::duplex::Duplex;
use crate::machine::life::Life;
use crate::machine::write_queue::{COALESCE, Callback, WriteQueue};

impl Duplex {
    /// Queues borrowed bytes as one write; false when it would be better to wait for `Drain`.
    ///
    /// Most writes are like this, small, and have nothing to do but join those that wait for the end
    /// of the callback: this is `write` with nothing more in their way.
    #[inline]
    pub(crate) fn write_bytes<const N: usize>(
        &self,
        driver: &impl Driver,
        parts: [&[u8]; N],
    ) -> bool {
        let half = &self.write;
        let len = parts.iter().map(|part| part.len()).sum();
        let small = (1..WRITE_NOW).contains(&len);
        if !small || half.is_ending() || !self.writes_directly() {
            return self.write(driver, parts.map(Data::from), None);
        }
        half.accepted.set(half.accepted.get() + len as u64);
        parts.iter().for_each(|part| driver.accepts(part));
        // As `with_queue`, whose closure is not always inlined, and this is each small write's path.
        let mut queue = half.queue.take().unwrap_or_else(WriteQueue::take);
        queue.push_copies(parts);
        let pending = queue.bytes();
        half.queue.put_back(Some(queue));
        self.send_when_due(driver, pending)
    }

    /// Queues some bytes as one write, and calls back when all have been handed over.
    pub(crate) fn write<const N: usize>(
        &self,
        driver: &impl Driver,
        parts: [Data<'_>; N],
        callback: Option<Callback>,
    ) -> bool {
        let half = &self.write;
        if half.is_ending() || self.is_destroyed() {
            self.refuse_write(driver, callback);
            return false;
        }
        let len: usize = parts.iter().map(Data::len).sum();
        let (mut direct, big) = (self.writes_directly(), len >= WRITE_NOW);
        let borrowed = parts.iter().all(Data::is_borrowed);
        // Before these bytes count: what is sent is looked for in the queue.
        if direct && big && borrowed && !half.with_queue(|queue| queue.has_slices_for(N)) {
            self.send(driver);
            direct = self.writes_directly();
        }
        let begin = half.accepted.get();
        let end = begin + len as u64;
        half.accepted.set(end);
        parts
            .iter()
            .for_each(|part| driver.accepts(part.as_bytes()));
        if !direct {
            return self.write_held(driver, parts, begin, callback);
        }
        if callback.is_some() {
            self.tick_after_write(driver);
        }
        if big && borrowed {
            half.with_queue(|queue| queue.push_callback_if(begin, end, callback));
            self.send_borrowed(driver, parts.each_ref().map(Data::as_bytes));
        } else {
            half.with_queue(|queue| {
                parts.into_iter().for_each(|part| queue.push(part));
                queue.push_callback_if(begin, end, callback);
            });
        }
        let pending = half.with_queue(|queue| queue.bytes());
        if big || pending == 0 {
            return self.send_now(driver);
        }
        self.send_when_due(driver, pending)
    }

    /// As `write`, where something keeps the bytes, which begin at `begin`, from the kernel.
    fn write_held<const N: usize>(
        &self,
        driver: &impl Driver,
        parts: [Data<'_>; N],
        begin: u64,
        callback: Option<Callback>,
    ) -> bool {
        let half = &self.write;
        let (end, calls) = (half.accepted.get(), callback.is_some());
        half.with_queue(|queue| queue.push_callback_if(begin, end, callback));
        // Nothing is sent any more, and the callback gets the error.
        if self.is_errored() {
            return self.after_write_call(driver);
        }
        let held = !half.is_free() || half.corked.get() > 0;
        let waits = held || self.life() == Life::Connecting;
        if waits && self.is_too_much(driver, half.unsent()) {
            return false;
        }
        half.with_queue(|queue| parts.into_iter().for_each(|part| queue.push(part)));
        if !held {
            self.park(driver, calls);
        }
        self.after_write_call(driver)
    }

    /// Whether nothing keeps a write from the kernel.
    #[inline]
    fn writes_directly(&self) -> bool {
        let half = &self.write;
        half.is_free() && half.corked.get() == 0 && self.life() == Life::Open && !self.is_errored()
    }

    /// Sends what is queued when the callback has returned, or now if it fills a buffer.
    #[inline(always)]
    fn send_when_due(&self, driver: &impl Driver, pending: usize) -> bool {
        if pending >= COALESCE {
            return self.send_now(driver);
        }
        if !self.write.bits.flush_scheduled().replace(true) {
            driver.flush_later();
        }
        // It counts as sent, as it is in Node.
        true
    }

    #[inline(never)]
    fn send_now(&self, driver: &impl Driver) -> bool {
        self.send(driver);
        self.after_write_call(driver)
    }

    /// What `write` answers, once the bytes are queued or sent.
    fn after_write_call(&self, driver: &impl Driver) -> bool {
        let half = &self.write;
        // What only waits for the end of the callback counts as sent, as it is in Node.
        let (length, queued) = if half.bits.flush_scheduled().get() {
            (0, 0)
        } else {
            (half.length(), half.unsent())
        };
        if self.is_too_much(driver, queued) {
            return false;
        }
        let room = length == 0 || length < self.writable_high_water_mark();
        if !room {
            half.bits.need_drain().set(true);
        }
        room && !self.is_destroyed() && !self.is_errored()
    }

    fn refuse_write(&self, driver: &impl Driver, callback: Option<Callback>) {
        let error = if self.bits.ended_by_peer().get() && self.write.is_ending() {
            node::ended_by_peer()
        } else {
            self.too_late()
        };
        self.tick_callback(driver, callback, Err(error.clone()));
        self.destroy(driver, Some(error));
    }

    pub(super) fn too_late(&self) -> Error {
        if self.write.is_ending() {
            node::write_after_end()
        } else {
            node::destroyed("write")
        }
    }

    pub(super) fn tick_callback(
        &self,
        driver: &impl Driver,
        callback: Option<Callback>,
        outcome: Result<()>,
    ) {
        if let Some(callback) = callback {
            driver.tick_call(Box::new(move || callback(outcome)));
        }
    }
}
