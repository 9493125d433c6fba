//! For how long a peer has sent bytes and completed no frame.

use std::time::Duration;

use crate::error::Error;
use crate::net::state::framing_memory::{FramingMemory, Noise};
use crate::net::values::handle::Socket;
use crate::timers;

impl FramingMemory {
    pub(super) fn age(&self) -> Option<Duration> {
        let (_, since) = self.open?;
        Some(crate::this_loop::now().saturating_sub(since))
    }

    /// Notes which frame is open, and arms the timer if it is another one than before.
    pub(super) fn look(&mut self, socket: Socket, open_at: Option<u64>) {
        if open_at == self.open.map(|(at, _)| at) {
            return;
        }
        self.open = open_at.map(|at| (at, crate::this_loop::now()));
        self.disarm();
        if let (Some(at), Some(deadline)) = (open_at, self.deadline) {
            let expired = move || {
                let message = format!("the frame at offset {at} did not end within {deadline:?}");
                socket.destroy_with(Error::new("ERR_FRAME_TIMEOUT", message));
            };
            self.timer = Some(timers::set_timeout(deadline, expired).unref());
        }
    }

    /// A frame has begun, or ended.
    pub(super) fn progress(&mut self) {
        self.noise = None;
    }

    /// Bytes came that are of no frame, and none is open. The error is the socket's, if that has been so for
    /// too long.
    pub(super) fn no_progress(&mut self) -> Option<Error> {
        let deadline = self.deadline?;
        let now = crate::this_loop::now();
        let before = self.noise;
        let going_on = before.filter(|noise| now.saturating_sub(noise.last) < deadline);
        let since = going_on.map_or(now, |noise| noise.since);
        self.noise = Some(Noise { since, last: now });
        let too_long = now.saturating_sub(since) >= deadline && going_on.is_some();
        too_long.then(|| {
            let message = format!("no frame began within {deadline:?}, though bytes came");
            Error::new("ERR_FRAME_TIMEOUT", message)
        })
    }

    pub(super) fn stop(&mut self) {
        self.open = None;
        self.noise = None;
        self.disarm();
    }
}
