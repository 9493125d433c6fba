//! What a loop has done so far.

use std::cell::Cell;
use std::time::Duration;

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
    /// Sockets and servers that have not emitted `Close` yet.
    pub open_handles: usize,
    /// Timers there are: yours, and the loop's own, such as those of idle timeouts and attempts to connect.
    pub timers: usize,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) turns: Cell<u64>,
    pub(crate) polls: Cell<u64>,
    pub(crate) events: Cell<u64>,
    pub(crate) reads: Cell<u64>,
    pub(crate) writes: Cell<u64>,
    pub(crate) accepts: Cell<u64>,
    pub(crate) bytes_read: Cell<u64>,
    pub(crate) bytes_written: Cell<u64>,
    pub(crate) idle: Cell<Duration>,
}

impl Counters {
    pub(crate) fn add(counter: &Cell<u64>, amount: u64) {
        counter.set(counter.get() + amount);
    }

    pub(super) fn snapshot(&self, open_handles: usize, timers: usize) -> Metrics {
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
