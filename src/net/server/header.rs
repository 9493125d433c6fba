//! The PROXY header of a connection, read off its descriptor byte for byte.
//!
//! Never is a byte read that might stand behind the header. What stands there is left to the kernel, and so to
//! whatever becomes of the connection: a socket, a buffer of the user's, another thread.

use std::net::SocketAddr;

use crate::framing::{Proxied, Proxy, ProxyHeader};
use crate::kernel::{Answer, Call, Stream, answer};
use crate::net::values::payload::DropReason;

/// As much of the header as has come.
#[derive(Default)]
pub(super) struct Header(Vec<u8>);

pub(super) enum Progress {
    Partial,
    Whole,
    Failed(DropReason),
}

/// How many bytes are read at once: what is kept for a header is what has come, not what it announces.
const READ_AT_ONCE: usize = 4096;

impl Header {
    /// Reads what there is.
    pub(super) fn read(&mut self, stream: &Stream) -> Progress {
        loop {
            let missing = match Proxy::missing(&self.0) {
                Ok(0) => return Progress::Whole,
                Ok(missing) => missing.min(READ_AT_ONCE),
                Err(error) => return Progress::Failed(DropReason::BadHeader(error)),
            };
            let have = self.0.len();
            self.0.resize(have + missing, 0);
            let read = stream.read(&mut self.0[have..]);
            let count = read.as_ref().map_or(0, |received| received.count);
            self.0.truncate(have + count);
            match read {
                Ok(_) if count > 0 => {}
                Err(error) if answer(Call::Read, &error) == Answer::Wait => {
                    return Progress::Partial;
                }
                Err(error) if answer(Call::Read, &error) == Answer::Retry => {}
                Ok(_) | Err(_) => return Progress::Failed(DropReason::NoHeader),
            }
        }
    }

    /// The client, where a whole header names one.
    pub(super) fn client(&self) -> Option<SocketAddr> {
        match ProxyHeader::parse(&self.0).ok()?.proxied {
            Proxied::Inet { source, .. } => Some(source),
            _ => None,
        }
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}
