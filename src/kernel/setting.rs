//! Options of a TCP connection, as values: either kernel can be asked to set one.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// An option of a TCP connection, and what it is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Setting {
    NoDelay(bool),
    /// Whether silent connections are probed, and when, if not at the system's own times.
    KeepAlive(bool, Option<KeepAliveTimes>),
    /// `IP_TOS`.
    TypeOfService(u8),
    /// `IPV6_TCLASS`.
    TrafficClass(u8),
    /// Closing the descriptor resets the connection.
    ResetOnClose,
}

/// Whole seconds, none of them 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeepAliveTimes {
    pub(crate) delay: Duration,
    pub(crate) interval: Duration,
    pub(crate) count: u32,
}

impl Setting {
    pub(crate) fn apply(self, socket: &SockRef<'_>) -> io::Result<()> {
        match self {
            Setting::NoDelay(on) => socket.set_tcp_nodelay(on),
            Setting::KeepAlive(true, Some(times)) => socket.set_tcp_keepalive(&times.as_os()),
            Setting::KeepAlive(on, _) => socket.set_keepalive(on),
            Setting::TypeOfService(service) => socket.set_tos_v4(u32::from(service)),
            Setting::TrafficClass(class) => socket.set_tclass_v6(u32::from(class)),
            Setting::ResetOnClose => socket.set_linger(Some(Duration::ZERO)),
        }
    }
}

impl KeepAliveTimes {
    fn as_os(self) -> TcpKeepalive {
        let KeepAliveTimes {
            delay,
            interval,
            count,
        } = self;
        let probes = TcpKeepalive::new().with_time(delay);
        // Elsewhere a connection cannot have times of its own for these.
        #[cfg(any(
            target_os = "android",
            target_os = "dragonfly",
            target_os = "freebsd",
            target_os = "illumos",
            target_os = "linux",
            target_os = "netbsd",
            target_vendor = "apple",
        ))]
        let probes = probes.with_interval(interval).with_retries(count);
        let _has_no_such_times = (interval, count);
        probes
    }
}
