//! How a silent connection is probed.

use std::time::Duration;

use crate::kernel::{KeepAliveTimes, Setting};

/// How a connection is probed while nothing is sent on it. Node's four arguments of `setKeepAlive`;
/// a [`Duration`] alone is the first of them.
///
/// ```
/// use soquete::net::{KeepAlive, SocketOptions};
/// use std::time::Duration;
///
/// let minute = Duration::from_secs(60);
/// let plain = SocketOptions::new().keep_alive(minute);
/// let probes = KeepAlive::after(minute).interval(Duration::from_secs(5)).count(3);
/// let tuned = SocketOptions::new().keep_alive(probes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct KeepAlive {
    on: bool,
    initial_delay: Duration,
    interval: Duration,
    count: u32,
}

impl KeepAlive {
    /// Probes after the connection was silent for `initial_delay`, in whole seconds; less than a
    /// second leaves all of the system's own times.
    pub fn after(initial_delay: Duration) -> KeepAlive {
        KeepAlive {
            on: true,
            initial_delay,
            interval: Duration::from_secs(1),
            count: 10,
        }
    }

    /// No probes.
    pub fn off() -> KeepAlive {
        KeepAlive {
            on: false,
            ..KeepAlive::after(Duration::ZERO)
        }
    }

    /// The time between two probes, in whole seconds; 1 s by default. Less than a second leaves all
    /// of the system's own times.
    pub fn interval(mut self, interval: Duration) -> KeepAlive {
        self.interval = interval;
        self
    }

    /// How many probes may stay without an answer before the connection fails with ETIMEDOUT; 10 by
    /// default. 0 leaves all of the system's own times.
    pub fn count(mut self, count: u32) -> KeepAlive {
        self.count = count;
        self
    }

    pub(in crate::net) fn is_on(&self) -> bool {
        self.on
    }

    pub(in crate::net) fn setting(&self) -> Setting {
        let whole = |time: Duration| Duration::from_secs(time.as_secs());
        let (delay, interval) = (whole(self.initial_delay), whole(self.interval));
        let count = self.count;
        let has_times = self.on && !delay.is_zero() && !interval.is_zero() && count > 0;
        Setting::KeepAlive(
            self.on,
            has_times.then_some(KeepAliveTimes {
                delay,
                interval,
                count,
            }),
        )
    }
}

impl From<Duration> for KeepAlive {
    fn from(initial_delay: Duration) -> KeepAlive {
        KeepAlive::after(initial_delay)
    }
}

impl From<Option<Duration>> for KeepAlive {
    /// `None` is off.
    fn from(initial_delay: Option<Duration>) -> KeepAlive {
        initial_delay.map_or_else(KeepAlive::off, KeepAlive::after)
    }
}
