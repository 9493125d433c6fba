//! Options of a server.

use crate::address::BlockList;
use crate::net::options::proxy::ProxyProtocol;
use crate::net::options::socket::{SocketOptions, socket_options};

/// Options of a server: what its accepted sockets are like. Node's `net.createServer(options)`.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ServerOptions {
    pub(in crate::net) socket: SocketOptions,
    pub(in crate::net) pause_on_connect: bool,
    pub(in crate::net) block_list: Option<BlockList>,
    pub(in crate::net) proxy: Option<ProxyProtocol>,
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

    /// Takes connections from proxies only, each of which says first, by a PROXY header (HAProxy's `send-proxy`
    /// and `send-proxy-v2`), whose connection it passes on. Node has no such option.
    ///
    /// [`Connection`](crate::event::Connection) is emitted when the header is complete, and what stands behind it
    /// is the socket's first data. [`remote_address`](crate::net::Socket::remote_address) and its kin are the client's
    /// then, and the [block list](ServerOptions::block_list) is asked about the client. The rest of the header is
    /// had from [`proxy_header`](crate::net::Socket::proxy_header), and so is the address that the client connected
    /// to: [`local_address`](crate::net::Socket::local_address) stays that of this end. Where the header names no
    /// client with an IP address (a health check of the proxy's own, `LOCAL`; `UNKNOWN`; a Unix domain socket), the
    /// socket keeps the addresses of the connection.
    ///
    /// The server closes a connection at once, with [`Drop`](crate::event::Drop) and a
    /// [reason](crate::net::DropReason), if it does not trust the peer, if the connection begins with anything else, or
    /// if the header is not complete in time. Until it is complete, a connection counts among
    /// [`max_connections`](crate::net::Server::set_max_connections), and not in
    /// [`connections`](crate::net::Server::connections); it goes when the server closes.
    ///
    /// ```
    /// use soquete::event;
    /// use soquete::net::{self, ProxyProtocol, ServerOptions};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let options = ServerOptions::new().proxy_protocol(ProxyProtocol::from_anybody());
    /// let server = net::create_server_with(options, |socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     socket.end_with(socket.remote_address().unwrap().to_string());
    /// });
    /// server.listen_then(("127.0.0.1", 0), |server| {
    ///     let proxy = net::connect(server.address().unwrap());
    ///     proxy.write("PROXY TCP4 192.0.2.7 192.0.2.1 5432 80\r\nthe client's first words");
    ///     proxy.on(event::Data, |chunk| assert_eq!(chunk, b"192.0.2.7"));
    ///     proxy.on(event::Close, move |_| server.close());
    /// });
    /// soquete::run()
    /// # }
    /// ```
    #[doc(alias = "haproxy")]
    pub fn proxy_protocol(mut self, from: impl Into<ProxyProtocol>) -> Self {
        self.proxy = Some(from.into());
        self
    }
}

socket_options!(ServerOptions, |options| options.socket);
