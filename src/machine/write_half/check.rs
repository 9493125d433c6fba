//! What holds of the writing half whenever it is not in the middle of something.

use super::{Request, WriteEnd};
use crate::machine::duplex::Duplex;

impl Duplex {
    pub(in crate::machine) fn check_write_half(&self) {
        let half = &self.write;
        let (settled, sent, accepted) = (half.settled.get(), half.sent.get(), half.accepted.get());
        let fails = self.is_errored() || self.is_destroyed();
        assert!(settled <= sent || fails, "settled before it was sent");
        assert!(sent <= accepted, "sent more than was written");
        let queued = half.queue.if_some(|queue| queue.bytes()).unwrap_or(0);
        if self.is_destroyed() {
            assert_eq!(
                queued, 0,
                "a socket that is destroyed keeps what it will not send"
            );
        } else if !self.is_errored() {
            assert_eq!(queued as u64, accepted - sent, "bytes lost from the queue");
        }
        if half.bits.flush_scheduled().get() {
            assert_eq!(half.request(), Request::None);
            assert!(queued > 0, "a flush of nothing");
        }
        if let Request::Waiting { end, .. } = half.request() {
            assert!(
                sent < end && end <= accepted,
                "a request that is complete waits"
            );
        }
        if half.end.get() > WriteEnd::Ending {
            assert_eq!(accepted, sent, "ended before everything was sent");
            let waits = half.has_unsettled_callbacks();
            assert!(!waits || fails, "ended before an empty write was done");
        }
        half.queue.if_some(|queue| queue.check());
    }
}
