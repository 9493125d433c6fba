//! For how long a peer has sent bytes and completed no frame.

use std::cell::Cell;
use std::time::Duration;

use crate::error::Error;
use crate::net::values::handle::Socket;
use crate::timers::{self, Timeout};

#[derive(Default)]
pub(super) struct Clock {
    pub(super) deadline: Cell<Option<Duration>>,
    /// Where in the stream the open frame begins, and when that was noticed.
    open: Cell<Option<(u64, Duration)>>,
    timer: Cell<Option<Timeout>>,
    noise: Cell<Option<Noise>>,
}

/// Bytes that came since the last frame and belong to none.
#[derive(Clone, Copy)]
struct Noise {
    since: Duration,
    last: Duration,
}

impl Clock {
    pub(super) fn age(&self) -> Option<Duration> {
        let (_, since) = self.open.get()?;
        Some(crate::now().saturating_sub(since))
    }

    /// Notes which frame is open, and arms the timer if it is another one than before.
    pub(super) fn look(&self, socket: Socket, open_at: Option<u64>) {
        if open_at == self.open.get().map(|(at, _)| at) {
            return;
        }
        self.open.set(open_at.map(|at| (at, crate::now())));
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
        if let (Some(at), Some(deadline)) = (open_at, self.deadline.get()) {
            let expired = move || {
                let message = format!("the frame at offset {at} did not end within {deadline:?}");
                socket.destroy_with(Error::new("ERR_FRAME_TIMEOUT", message));
            };
            self.timer
                .set(Some(timers::set_timeout(deadline, expired).unref()));
        }
    }

    /// A frame has begun, or ended.
    pub(super) fn progress(&self) {
        self.noise.set(None);
    }

    /// Bytes came that are of no frame, and none is open.
    pub(super) fn no_progress(&self, socket: Socket) {
        let Some(deadline) = self.deadline.get() else {
            return;
        };
        let now = crate::now();
        let before = self.noise.get();
        let going_on = before.filter(|noise| now.saturating_sub(noise.last) < deadline);
        let since = going_on.map_or(now, |noise| noise.since);
        self.noise.set(Some(Noise { since, last: now }));
        if now.saturating_sub(since) >= deadline && going_on.is_some() {
            let message = format!("no frame began within {deadline:?}, though bytes came");
            socket.destroy_with(Error::new("ERR_FRAME_TIMEOUT", message));
        }
    }

    pub(super) fn stop(&self) {
        self.open.set(None);
        self.noise.set(None);
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
    }
}
