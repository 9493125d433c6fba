//! Writes that will not go out, and who is told.

use super::Request;
use crate::error::{Result, node};
use crate::machine::host::Host;
use crate::machine::{Duplex, Life};

impl Duplex {
    /// The write that the kernel refused, then those behind it, then the socket.
    pub(in crate::machine) fn after_failed_write(&self, host: &impl Host) {
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
    pub(in crate::machine) fn fail_queued(&self) {
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

    pub(super) fn drop_queued_bytes(&self) {
        let half = &self.write;
        half.queue.if_some(|queue| queue.clear_bytes());
        half.accepted.set(half.sent.get());
    }

    /// The descriptor is closed: a request that was under way is cancelled.
    pub(crate) fn cancel_write(&self) {
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
    pub(in crate::machine) fn fail_parked(&self, host: &impl Host) {
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

    pub(super) fn call_end_callbacks(&self, outcome: impl Fn() -> Result<()>) {
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
