//! What becomes of servers and connections, for the log: what `NODE_DEBUG=net` shows of Node.
//!
//! | level | line |
//! |---|---|
//! | debug | a server listens, or accepts no more; a connection is tried for, came, is up, has closed, and why |
//! | trace | an attempt; the peer has ended; this end has finished; nothing was received or sent for too long |
//!
//! Where the level is off, a line costs the comparison of two numbers, and there are none per message. All
//! are written with nothing borrowed.

use std::fmt;
use std::net::SocketAddr;

use crate::net::driver::socket::SocketDriver;
use crate::net::options::connect::Target;
use crate::net::values::address::Address;
use crate::net::values::payload::{Attempt, DropInfo};
use crate::reactor::Key;

/// `address` is asked before the line is written, and only for that.
pub(in crate::net) fn listens(server: Key, address: impl FnOnce() -> Option<Address>) {
    if log::log_enabled!(target: "soquete::net", log::Level::Debug) {
        let address = Known(address());
        log::debug!(target: "soquete::net", "server {server:?} listens on {address}");
    }
}

pub(in crate::net) fn accepts_no_more(server: Key) {
    log::debug!(target: "soquete::net", "server {server:?} accepts no more");
}

pub(in crate::net) fn is_turned_away(server: Key, info: &DropInfo) {
    log::debug!(
        target: "soquete::net",
        "server {server:?} turns {} away: {}",
        Known(info.remote),
        info.reason,
    );
}

pub(in crate::net) fn came(driver: &SocketDriver<'_>, server: Key) {
    log::debug!(
        target: "soquete::net",
        "socket {:?} came to server {server:?}: {}",
        driver.state.key,
        Ends::of(driver),
    );
}

pub(in crate::net) fn connects(driver: &SocketDriver<'_>, target: &Target) {
    log::debug!(target: "soquete::net", "socket {:?} connects to {target}", driver.state.key);
}

pub(in crate::net) fn tries(driver: &SocketDriver<'_>, attempt: impl FnOnce() -> Attempt) {
    if log::log_enabled!(target: "soquete::net", log::Level::Trace) {
        let Attempt { address, port, .. } = attempt();
        let port = port.map_or_else(String::new, |port| format!(" port {port}"));
        log::trace!(target: "soquete::net", "socket {:?} tries {address}{port}", driver.state.key);
    }
}

pub(in crate::net) fn is_connected(driver: &SocketDriver<'_>) {
    log::debug!(target: "soquete::net", "socket {:?} is connected: {}", driver.state.key, Ends::of(driver));
}

pub(in crate::net) fn peer_has_ended(driver: &SocketDriver<'_>) {
    log::trace!(target: "soquete::net", "socket {:?}: the peer has ended", driver.state.key);
}

pub(in crate::net) fn has_finished(driver: &SocketDriver<'_>) {
    log::trace!(target: "soquete::net", "socket {:?} has finished", driver.state.key);
}

pub(super) fn is_idle(driver: &SocketDriver<'_>) {
    log::trace!(target: "soquete::net", "socket {:?} has timed out", driver.state.key);
}

pub(in crate::net) fn has_closed(driver: &SocketDriver<'_>) {
    let duplex = &driver.state.duplex;
    log::debug!(
        target: "soquete::net",
        "socket {:?} has closed{}; {} bytes read, {} written",
        driver.state.key,
        duplex.error().map_or_else(String::new, |error| format!(" by {error}")),
        duplex.bytes_read(),
        duplex.bytes_written(),
    );
}

/// The two ends of a connection.
struct Ends {
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    is_ipc: bool,
}

impl Ends {
    fn of(driver: &SocketDriver<'_>) -> Ends {
        Ends {
            local: driver.state.local_address(),
            remote: driver.state.remote(),
            is_ipc: driver.state.transport.borrow().is_ipc(),
        }
    }
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_ipc {
            true => f.write_str("IPC"),
            false => write!(f, "{} to {}", Known(self.local), Known(self.remote)),
        }
    }
}

/// An address that may not be known.
struct Known<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(known) => known.fmt(f),
            None => f.write_str("an unknown address"),
        }
    }
}
