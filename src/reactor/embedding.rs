//! What a foreign event loop needs in order to drive this one.

use std::os::fd::RawFd;
use std::time::Duration;

use super::Loop;
use super::turn::Wait;
use crate::error::Result;

impl Loop {
    pub(crate) fn backend_fd(&self) -> Result<RawFd> {
        self.poller.fd()
    }

    /// How long poll could wait if the loop were run now.
    pub(crate) fn backend_timeout(&self) -> Option<Duration> {
        let is_due = self.unsettled.get()
            || self.poller.has_events()
            || !self.unfinished.borrow().is_empty();
        if is_due {
            return Some(Duration::ZERO);
        }
        let at = self.now.get();
        let timeout = self.timeout(Wait::ForEvents)?;
        // It counts from when the loop last looked.
        let due = Duration::from_millis(at).saturating_add(timeout);
        Some(due.saturating_sub(self.clock()))
    }

    pub(crate) fn keeps_going(&self) -> bool {
        self.is_alive()
    }
}
