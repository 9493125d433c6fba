//! Options of the descriptor: no-delay, keep-alive, type of service. Those that are set before there
//! is a connection are kept until there is one.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::Socket;
use super::cell::SocketHost;
use crate::error::{Error, Result};
use crate::kernel::{KeepAliveTimes, Setting, Stream};
use crate::machine::Life;
use crate::reactor::Complaint;

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

    fn setting(&self) -> Setting {
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

/// Settings of the descriptor.
impl Socket {
    /// Whether small segments are sent at once (`TCP_NODELAY`). Before there is a connection it is
    /// kept for then. Errors are ignored, as in Node.
    #[doc(alias = "setNoDelay")]
    pub fn set_no_delay(&self, on: bool) -> Socket {
        SocketHost::with(self.key(), |host| host.set_no_delay(on));
        *self
    }

    /// Whether small segments are sent at once, as it was [set](Socket::set_no_delay).
    #[doc(alias = "noDelay")]
    pub fn no_delay(&self) -> bool {
        SocketHost::with(self.key(), |host| host.cell.no_delay.get()).unwrap_or(false)
    }

    /// How the connection is probed, as it was [set](Socket::set_keep_alive); `None` where it is not.
    #[doc(alias = "keepAlive")]
    pub fn keep_alive(&self) -> Option<KeepAlive> {
        let asked = SocketHost::with(self.key(), |host| host.cell.rare(|rare| rare.keep_alive));
        asked.flatten().flatten().filter(|keep_alive| keep_alive.on)
    }

    /// Whether, and how, the connection is probed while it is silent (`SO_KEEPALIVE`): a
    /// [`KeepAlive`], a [`Duration`], or `None` for not at all. Before there is a connection it is
    /// kept for then. Errors are ignored, as in Node.
    #[doc(alias = "setKeepAlive")]
    pub fn set_keep_alive(&self, keep_alive: impl Into<KeepAlive>) -> Socket {
        let keep_alive = keep_alive.into();
        SocketHost::with(self.key(), |host| host.set_keep_alive(keep_alive));
        *self
    }

    /// Sets the type of service (`IP_TOS`, for IPv6 the traffic class) that segments are sent with.
    /// Before there is a connection it is kept for then, and what goes wrong then is an
    /// [`Error`](crate::event::Error) that closes nothing. Means nothing to an IPC socket.
    ///
    /// # Errors
    ///
    /// The operating system's, with the [`syscall`](Error::syscall) `setTypeOfService`.
    #[doc(alias = "setTypeOfService")]
    pub fn set_type_of_service(&self, service: u8) -> Result<Socket> {
        let set = SocketHost::with(self.key(), |host| host.set_type_of_service(service));
        set.unwrap_or(Ok(())).map(|()| *self)
    }

    /// The type of service that segments are sent with. The kernel may keep less than was set: of
    /// the two lowest bits, which belong to congestion notification, a TCP socket decides itself.
    ///
    /// # Errors
    ///
    /// The operating system's, with the [`syscall`](Error::syscall) `getTypeOfService`.
    #[doc(alias = "getTypeOfService")]
    pub fn type_of_service(&self) -> Result<u8> {
        let asked = SocketHost::with(self.key(), |host| host.type_of_service());
        asked.unwrap_or(Ok(0))
    }
}

impl SocketHost<'_> {
    pub(super) fn set_no_delay(&self, on: bool) {
        let before = self.cell.no_delay.replace(on);
        if before != on && self.cell.duplex.life() == Life::Open {
            self.apply_no_delay(on);
        }
    }

    pub(super) fn set_keep_alive(&self, keep_alive: KeepAlive) {
        let before = self
            .cell
            .with_rare(|rare| rare.keep_alive.replace(keep_alive));
        if before != Some(keep_alive) && self.cell.duplex.life() == Life::Open {
            self.apply_keep_alive(keep_alive);
        }
    }

    fn set_type_of_service(&self, service: u8) -> Result<()> {
        let before = self
            .cell
            .with_rare(|rare| rare.type_of_service.replace(service));
        if before == Some(service) || self.cell.duplex.life() != Life::Open {
            return Ok(());
        }
        self.apply_type_of_service(service)
    }

    fn type_of_service(&self) -> Result<u8> {
        let stored = self.cell.rare(|rare| rare.type_of_service).flatten();
        match self.cell.transport.borrow().type_of_service() {
            Some(Ok(service)) => Ok(service),
            Some(Err(error)) => Err(Error::os("getTypeOfService", &error)),
            None => Ok(stored.unwrap_or(0)),
        }
    }

    /// Sets what was asked for before there was a connection.
    pub(super) fn apply_stored_options(&self) {
        if self.cell.no_delay.get() {
            self.apply_no_delay(true);
        }
        let stored = self
            .cell
            .rare(|rare| (rare.keep_alive, rare.type_of_service));
        let Some((keep_alive, service)) = stored else {
            return;
        };
        if let Some(keep_alive) = keep_alive.filter(|keep_alive| keep_alive.on) {
            self.apply_keep_alive(keep_alive);
        }
        if let Some(service) = service
            && let Err(error) = self.apply_type_of_service(service)
        {
            self.emit_error(&error);
        }
    }

    fn apply_no_delay(&self, on: bool) {
        let set = self.cell.transport.borrow().set(Setting::NoDelay(on));
        self.ignore("TCP_NODELAY", set);
    }

    fn apply_keep_alive(&self, keep_alive: KeepAlive) {
        let set = self.cell.transport.borrow().set(keep_alive.setting());
        self.ignore("SO_KEEPALIVE", set);
    }

    fn apply_type_of_service(&self, service: u8) -> Result<()> {
        let transport = self.cell.transport.borrow();
        let setting = match transport.local_address() {
            Some(SocketAddr::V6(_)) => Setting::TrafficClass(service),
            _ => Setting::TypeOfService(service),
        };
        match transport.set(setting) {
            Some(Err(error)) => Err(Error::os("setTypeOfService", &error)),
            _ => Ok(()),
        }
    }
}

impl SocketHost<'_> {
    /// Makes closing the descriptor reset the connection.
    pub(super) fn reset_on_close(&self, transport: &Stream) {
        self.ignore("SO_LINGER", transport.set(Setting::ResetOnClose));
    }

    /// Node ignores these errors; here they are at least logged.
    fn ignore(&self, option: &str, set: Option<io::Result<()>>) {
        if let Some(Err(error)) = set
            && self.event_loop.complains(Complaint::Option)
        {
            log::debug!(target: "soquete::net", "{option}: {error}");
        }
    }
}
