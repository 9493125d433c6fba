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

use super::Address;
use super::cell::SocketHost;
use super::connect::{Attempt, Target};
use crate::reactor::Key;

/// `address` is asked before the line is written, and only for that.
pub(super) fn listens(server: Key, address: impl FnOnce() -> Option<Address>) {
    if log::log_enabled!(target: "soquete::net", log::Level::Debug) {
        let address = Known(address());
        log::debug!(target: "soquete::net", "server {server:?} listens on {address}");
    }
}

pub(super) fn accepts_no_more(server: Key) {
    log::debug!(target: "soquete::net", "server {server:?} accepts no more");
}

pub(super) fn came(host: &SocketHost<'_>, server: Key) {
    log::debug!(
        target: "soquete::net",
        "socket {:?} came to server {server:?}: {}",
        host.cell.key,
        Ends::of(host),
    );
}

pub(super) fn connects(host: &SocketHost<'_>, target: &Target) {
    log::debug!(target: "soquete::net", "socket {:?} connects to {target}", host.cell.key);
}

pub(super) fn tries(host: &SocketHost<'_>, attempt: impl FnOnce() -> Attempt) {
    if log::log_enabled!(target: "soquete::net", log::Level::Trace) {
        let Attempt { address, port, .. } = attempt();
        let port = port.map_or_else(String::new, |port| format!(" port {port}"));
        log::trace!(target: "soquete::net", "socket {:?} tries {address}{port}", host.cell.key);
    }
}

pub(super) fn is_connected(host: &SocketHost<'_>) {
    log::debug!(target: "soquete::net", "socket {:?} is connected: {}", host.cell.key, Ends::of(host));
}

pub(super) fn peer_has_ended(host: &SocketHost<'_>) {
    log::trace!(target: "soquete::net", "socket {:?}: the peer has ended", host.cell.key);
}

pub(super) fn has_finished(host: &SocketHost<'_>) {
    log::trace!(target: "soquete::net", "socket {:?} has finished", host.cell.key);
}

pub(super) fn is_idle(host: &SocketHost<'_>) {
    log::trace!(target: "soquete::net", "socket {:?} has timed out", host.cell.key);
}

pub(super) fn has_closed(host: &SocketHost<'_>) {
    let duplex = &host.cell.duplex;
    log::debug!(
        target: "soquete::net",
        "socket {:?} has closed{}; {} bytes read, {} written",
        host.cell.key,
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
    fn of(host: &SocketHost<'_>) -> Ends {
        Ends {
            local: host.cell.local_address(),
            remote: host.cell.remote.get(),
            is_ipc: host.cell.transport.borrow().is_ipc(),
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
