//! What the kernel has to say of an attempt to connect.

use std::io;
use std::net::SocketAddr;

use crate::kernel::{Peer, Ready, Stream};

/// What an event of a descriptor that connects has brought.
pub(super) enum Reply {
    NotYet,
    /// With the peer's address, if that can be had.
    Connected(Option<SocketAddr>),
    Failed(io::Error),
}

pub(super) fn reply(stream: &Stream, ready: Ready) -> Reply {
    match stream.take_error() {
        Ok(Some(error)) | Err(error) => Reply::Failed(error),
        Ok(None) => match stream.connected_to() {
            Peer::Connected(address) => Reply::Connected(address),
            // Writable, but not connected: an event that was not meant for this.
            Peer::NotYet if !ready.closed => Reply::NotYet,
            Peer::NotYet => Reply::Failed(io::ErrorKind::ConnectionRefused.into()),
        },
    }
}
