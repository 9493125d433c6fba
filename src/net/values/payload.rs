//! What events carry, where that has names of its own.

use std::net::{IpAddr, SocketAddr};

use crate::address::Family;
use crate::error::{Error, Result};

/// What [`crate::event::Lookup`] tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LookupResult {
    /// An address of the host, or what went wrong.
    pub address: Result<IpAddr>,
    /// The name that was looked up.
    pub host: String,
}

/// What [`crate::event::ConnectionAttempt`] tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The IP address, or the path.
    pub address: String,
    /// The port; `None` for a path.
    pub port: Option<u16>,
    /// The address's family; `None` for a path.
    pub family: Option<Family>,
}

/// What [`crate::event::ConnectionAttemptFailed`] tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// What was attempted.
    pub attempt: Attempt,
    /// Why it failed.
    pub error: Error,
}

/// What [`crate::event::Drop`] tells of a connection that was turned away. `None` throughout for IPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DropInfo {
    /// The server's end.
    pub local: Option<SocketAddr>,
    /// The client's end.
    pub remote: Option<SocketAddr>,
}
