//! Writes that will not go out, and their callbacks.

use super::{Extent, Request};
use crate::error::{Error, Result, node};
use crate::machine::driver::Driver;
use crate::machine::duplex::Duplex;
use crate::machine::life::Life;
use crate::machine::write_queue::Callback;

impl Duplex {
    /// The write that the kernel refused, then those behind it, then the socket.
    pub(in crate::machine) fn after_failed_write(&self, driver: &impl Driver) {
        if self.write.request() != Request::Failed {
            return;
        }
        self.write.set_request(Request::None);
        self.fail_queued();
        let error = self.error().unwrap_or_else(|| node::destroyed("write"));
        self.destroy(driver, Some(error));
    }

    /// Fails everything that is queued, unless a request is under way: then it is for its end to.
    pub(in crate::machine) fn fail_queued(&self) {
        let half = &self.write;
        if matches!(
            half.request(),
            Request::Waiting { .. } | Request::Parked { .. }
        ) {
            return;
        }
        let error = self.error();
        // Those that were handed over in time are left to their tick. The length falls write by write.
        while let Some(end) = half.next_unsettled() {
            half.settled.set(end);
            if let Some((callback, _)) = half.pop_unsettled() {
                callback(Err(error
                    .clone()
                    .unwrap_or_else(|| node::destroyed("write"))));
            }
        }
        half.accepted.set(half.sent.get());
        half.settled.set(half.sent.get());
        self.drop_queued_bytes();
        self.call_end_callbacks(|| Err(error.clone().unwrap_or_else(|| node::destroyed("end"))));
    }

    /// Frees what will not be sent.
    pub(in crate::machine) fn drop_queued_bytes(&self) {
        self.write.queue.if_some(|queue| queue.clear_bytes());
        self.write.give_back_empty_queue();
    }

    /// A request that was under way fails with an error of its own, and those behind it with the
    /// socket's.
    pub(super) fn fail_request(&self, request: Extent, error: &Error) {
        let half = &self.write;
        half.set_request(Request::None);
        half.settled.set(request.end);
        self.set_error(error);
        let pop = || half.pop_unsettled();
        let mut next = request.calls.then(pop).flatten();
        while let Some((callback, more)) = next {
            callback(Err(error.clone()));
            next = more.then(pop).flatten();
        }
        self.fail_queued();
    }

    /// The descriptor is closed: a request that was under way is cancelled. False if there was none.
    pub(crate) fn cancel_write(&self) -> bool {
        let request = self.write.request().waiting();
        if let Some(request) = request {
            self.fail_request(request, &node::write_cancelled());
        }
        request.is_some()
    }

    /// The socket closed before it was connected, and this is among the listeners of `Close`.
    pub(crate) fn on_closed_before_connect(&self) {
        // A listener before this one may have begun a new life, with writes of its own.
        if let Some(request) = self.write.request().parked()
            && self.life() == Life::Closed
        {
            self.fail_request(request, &node::closed_before_connection());
        }
    }

    /// A new life begins before the writes of the old one have failed.
    pub(in crate::machine) fn fail_parked(&self, driver: &impl Driver) {
        let error = node::closed_before_connection;
        while let Some((callback, _)) = self.write.pop_unsettled() {
            self.tick_callback(driver, Some(callback), Err(error()));
        }
        for callback in self.take_end_callbacks() {
            self.tick_callback(driver, Some(callback), Err(error()));
        }
        self.drop_queued_bytes();
    }

    pub(crate) fn has_end_callbacks(&self) -> bool {
        let seldom = self.seldom.get();
        seldom.is_some_and(|seldom| seldom.end_callbacks.if_some(|_| ()).is_some())
    }

    fn take_end_callbacks(&self) -> Vec<Callback> {
        let callbacks = self.seldom.get().map(|seldom| seldom.end_callbacks.take());
        callbacks.flatten().unwrap_or_default()
    }

    pub(super) fn call_end_callbacks(&self, outcome: impl Fn() -> Result<()>) {
        for callback in self.take_end_callbacks() {
            callback(outcome());
        }
    }
}
