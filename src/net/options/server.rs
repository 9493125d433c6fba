//! Options of a server.

use crate::address::BlockList;
use crate::net::options::socket::{SocketOptions, socket_options};

/// Options of a server: what its accepted sockets are like. Node's `net.createServer(options)`.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ServerOptions {
    pub(in crate::net) socket: SocketOptions,
    pub(in crate::net) pause_on_connect: bool,
    pub(in crate::net) block_list: Option<BlockList>,
}

impl ServerOptions {
    /// The defaults.
    pub fn new() -> ServerOptions {
        ServerOptions::default()
    }

    /// Whether accepted sockets begin paused, with nothing read until they are resumed. For
    /// handing them on.
    #[doc(alias = "pauseOnConnect")]
    pub fn pause_on_connect(mut self, pause: bool) -> Self {
        self.pause_on_connect = pause;
        self
    }

    /// Addresses that are turned away: their connections are closed at once, with no event.
    #[doc(alias = "blockList")]
    pub fn block_list(mut self, list: &BlockList) -> Self {
        self.block_list = Some(list.clone());
        self
    }
}

socket_options!(ServerOptions, |options| options.socket);
