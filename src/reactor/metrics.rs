//! What a loop has done so far.

use std::cell::Cell;
use std::time::Duration;

use super::Loop;

/// What this thread's loop has done since it was made. See [`metrics`](crate::metrics).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Turns of the loop.
    pub turns: u64,
    /// System calls that waited for events.
    pub polls: u64,
    /// Events that they returned.
    pub events: u64,
    /// System calls that read from a socket.
    pub reads: u64,
    /// System calls that wrote to a socket.
    pub writes: u64,
    /// Connections accepted.
    pub accepts: u64,
    /// Bytes read from sockets.
    pub bytes_read: u64,
    /// Bytes that the operating system took from sockets.
    pub bytes_written: u64,
    /// Time spent in polls that wait for events.
    pub idle: Duration,
    /// Sockets and servers that have not emitted `Close` yet, and [watched](crate::watch) descriptors.
    pub open_handles: usize,
    /// Timers there are: yours, and the loop's own, such as those of idle timeouts and attempts to connect.
    pub timers: usize,
}

/// How long a loop has waited and worked. Node's `performance.eventLoopUtilization()`: see
/// [`event_loop_utilization`](crate::event_loop_utilization).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Utilization {
    /// Time in which the loop has waited for events.
    pub idle: Duration,
    /// Time in which it has run and not waited.
    pub active: Duration,
}

impl Utilization {
    /// What there was since an earlier one of the same loop.
    #[must_use]
    pub fn since(&self, earlier: &Utilization) -> Utilization {
        Utilization {
            idle: self.idle.saturating_sub(earlier.idle),
            active: self.active.saturating_sub(earlier.active),
        }
    }

    /// The share of the time in which the loop has worked, from 0 to 1; 0 of no time at all. Node's
    /// `utilization`.
    pub fn ratio(&self) -> f64 {
        let active = self.active.as_secs_f64();
        let total = self.idle.as_secs_f64() + active;
        if total == 0.0 {
            return 0.0;
        }
        active / total
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(super) turns: Cell<u64>,
    pub(super) polls: Cell<u64>,
    pub(super) events: Cell<u64>,
    pub(crate) reads: Cell<u64>,
    pub(crate) writes: Cell<u64>,
    pub(crate) accepts: Cell<u64>,
    pub(crate) bytes_read: Cell<u64>,
    pub(crate) bytes_written: Cell<u64>,
    pub(super) idle: Cell<Duration>,
    /// How long the runs have taken that are over.
    ran: Cell<Duration>,
    /// When the run began that is under way.
    running_since: Cell<Option<Duration>>,
}

impl Counters {
    pub(crate) fn add(counter: &Cell<u64>, amount: u64) {
        counter.set(counter.get() + amount);
    }

    pub(super) fn begin_run(&self, now: Duration) {
        self.running_since.set(Some(now));
    }

    pub(super) fn end_run(&self, now: Duration) {
        self.ran.set(self.run_until(now));
        self.running_since.set(None);
    }

    /// How long the loop has run, with the run that is under way.
    fn run_until(&self, now: Duration) -> Duration {
        let since = self.running_since.get().unwrap_or(now);
        self.ran.get() + now.saturating_sub(since)
    }

    fn utilization(&self, now: Duration) -> Utilization {
        let idle = self.idle.get();
        Utilization {
            idle,
            active: self.run_until(now).saturating_sub(idle),
        }
    }

    fn snapshot(&self, open_handles: usize, timers: usize) -> Metrics {
        Metrics {
            turns: self.turns.get(),
            polls: self.polls.get(),
            events: self.events.get(),
            reads: self.reads.get(),
            writes: self.writes.get(),
            accepts: self.accepts.get(),
            bytes_read: self.bytes_read.get(),
            bytes_written: self.bytes_written.get(),
            idle: self.idle.get(),
            open_handles,
            timers,
        }
    }
}

impl Loop {
    pub(crate) fn utilization(&self) -> Utilization {
        self.counters.utilization(self.clock())
    }

    pub(crate) fn metrics(&self) -> Metrics {
        self.counters
            .snapshot(self.handles.borrow().len(), self.timers.borrow().len())
    }
}
