//! What becomes of an error that a listener or a callback of a socket has returned.

use crate::error::Error;
use crate::events::Outcome;
use crate::events::outcome::Verdict;
use crate::net::driver::emit::log_late_error;
use crate::net::driver::socket::SocketDriver;
use crate::net::values::handle::Socket;

impl Socket {
    /// What becomes of an error that a listener or a callback has returned.
    pub(in crate::net) fn listener_failed(self, error: Error) {
        let key = self.key();
        let reached = SocketDriver::with(key, |driver| driver.listener_failed(error.clone()));
        if reached.is_none() {
            log_late_error(&error);
        }
    }

    /// What becomes of what a callback has returned.
    pub(in crate::net) fn heed(self, outcome: impl Outcome) {
        self.heed_verdict(outcome.verdict());
    }

    pub(crate) fn heed_verdict(self, verdict: Verdict) {
        if let Verdict::Failed(error) = verdict {
            self.listener_failed(error);
        }
    }
}
