//! What events carry, where that has names of its own.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::address::Family;
use crate::error::{Error, Result};
use crate::framing::FrameError;

/// The payload of [`crate::event::Lookup`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LookupResult {
    /// An address of the host, or what went wrong.
    pub address: Result<IpAddr>,
    /// The name that was looked up.
    pub host: String,
}

/// The payload of [`crate::event::ConnectionAttempt`].
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

/// The payload of [`crate::event::ConnectionAttemptFailed`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// What was attempted.
    pub attempt: Attempt,
    /// Why it failed.
    pub error: Error,
}

/// The payload of [`crate::event::Drop`]: a connection that was turned away. For IPC both addresses are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DropInfo {
    /// The server's end.
    pub local: Option<SocketAddr>,
    /// The client's end.
    pub remote: Option<SocketAddr>,
    /// Why it was turned away.
    pub reason: DropReason,
}

/// Why a connection was turned away. Node has only the first reason; the others are of servers that
/// [expect a PROXY header](crate::net::ServerOptions::proxy_protocol).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropReason {
    /// There are [`max_connections`](crate::net::Server::set_max_connections) already.
    #[default]
    MaxConnections,
    /// The peer is not one of those whose PROXY headers are trusted.
    UntrustedPeer,
    /// What the peer sent is no PROXY header.
    BadHeader(FrameError),
    /// The header was not complete at its deadline.
    HeaderTimeout,
    /// The peer ended or reset the connection before its header was complete.
    NoHeader,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DropReason::MaxConnections => f.write_str("there are as many as there may be"),
            DropReason::UntrustedPeer => f.write_str("it comes from no trusted proxy"),
            DropReason::BadHeader(error) => error.fmt(f),
            DropReason::HeaderTimeout => f.write_str("its PROXY header took too long"),
            DropReason::NoHeader => f.write_str("it was over before its PROXY header was complete"),
        }
    }
}
