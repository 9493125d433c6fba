//! Queries: the state of a socket, the bytes that it holds, the addresses of its ends.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use crate::address::Family;
use crate::error::Error;
use crate::machine::{Life, ReadyState};
use crate::net::values::address::Address;
use crate::net::values::handle::{Server, Socket};

macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident -> $type:ty = |$driver:ident| $answer:expr;)*) => {
        /// Queries. A stale handle returns `destroyed`, `pending`, `closed`,
        /// [`ReadyState::Closed`], and otherwise 0, false or `None`.
        impl Socket {
            $($(#[$doc])* pub fn $name(&self) -> $type { self.ask(|$driver| $answer) })*
        }
    };
}

queries! {
    /// Whether the socket is connecting.
    connecting -> bool = |driver| driver.state.duplex.life() == Life::Connecting;
    /// Bytes received.
    #[doc(alias = "bytesRead")]
    bytes_read -> u64 = |driver| driver.state.duplex.bytes_read();
    /// Bytes handed to the operating system, and while the socket lives those that are queued.
    #[doc(alias = "bytesWritten")]
    bytes_written -> u64 = |driver| driver.state.duplex.bytes_written();
    /// Whether the peer's end may still send. False from [`End`](crate::event::End) on.
    readable -> bool = |driver| driver.state.duplex.is_readable();
    /// Whether `write` may be called.
    writable -> bool = |driver| driver.state.duplex.is_writable();
    /// Whether [`End`](crate::event::End) was emitted.
    #[doc(alias = "readableEnded")]
    readable_ended -> bool = |driver| driver.state.duplex.readable_ended();
    /// Whether `Data` flows; `None` if nobody has listened, paused or resumed.
    #[doc(alias = "readableFlowing")]
    readable_flowing -> Option<bool> = |driver| driver.state.duplex.readable_flowing();
    /// Bytes that are kept for a reader.
    #[doc(alias = "readableLength")]
    readable_length -> usize = |driver| driver.state.duplex.readable_length();
    /// How many bytes are kept before the kernel has to keep the rest.
    #[doc(alias = "readableHighWaterMark")]
    readable_high_water_mark -> usize = |driver| driver.state.duplex.readable_high_water_mark();
    /// Whether `end` was called.
    #[doc(alias = "writableEnded")]
    writable_ended -> bool = |driver| driver.state.duplex.writable_ended();
    /// Whether [`Finish`](crate::event::Finish) was emitted.
    #[doc(alias = "writableFinished")]
    writable_finished -> bool = |driver| driver.state.duplex.writable_finished();
    /// Bytes that have not been handed to the operating system. A write counts in full until its
    /// last byte has.
    #[doc(alias = "writableLength")]
    writable_length -> usize = |driver| driver.state.duplex.writable_length(driver);
    /// Whether a `write` returned false, and `Drain` has not come since.
    #[doc(alias = "writableNeedDrain")]
    writable_need_drain -> bool = |driver| driver.state.duplex.writable_need_drain();
    /// How many times `uncork` has to be called.
    #[doc(alias = "writableCorked")]
    writable_corked -> u32 = |driver| driver.state.duplex.writable_corked();
    /// From how many bytes on `write` returns false.
    #[doc(alias = "writableHighWaterMark")]
    writable_high_water_mark -> usize = |driver| driver.state.duplex.writable_high_water_mark();
    /// Whether the socket stays open when the peer has ended.
    #[doc(alias = "allowHalfOpen")]
    allow_half_open -> bool = |driver| driver.state.duplex.allow_half_open();
    /// The error that destroyed the socket.
    errored -> Option<Error> = |driver| driver.state.duplex.error();
    /// The address of this end.
    #[doc(alias = "local_addr")]
    local_socket_addr -> Option<SocketAddr> = |driver| driver.state.local_address();
    /// The address of the peer, while connected, also when the peer has reset the connection meanwhile; and
    /// after that if it was asked for in time.
    #[doc(alias = "peer_addr")]
    remote_socket_addr -> Option<SocketAddr> = |driver| driver.state.remote_address();
    /// The PROXY header that the connection began with, as it arrived, where the server
    /// [expects one](crate::net::ServerOptions::proxy_protocol). It is valid:
    ///
    /// ```
    /// use soquete::framing::ProxyHeader;
    /// use soquete::net::Socket;
    ///
    /// /// The name that the client asked the proxy for (PP2_TYPE_AUTHORITY), if it is passed on.
    /// fn authority(socket: Socket) -> Option<String> {
    ///     let header = socket.proxy_header()?;
    ///     let mut tlvs = ProxyHeader::parse(&header).ok()?.tlvs();
    ///     let (_, name) = tlvs.find(|(kind, _)| *kind == 0x02)?;
    ///     String::from_utf8(name.to_vec()).ok()
    /// }
    /// ```
    proxy_header -> Option<Rc<[u8]>> = |driver| driver.state.extras(|extras| extras.proxy_header.clone()).flatten();
    /// The server that accepted this socket.
    server -> Option<Server> = |driver| driver.state.server().map(Server::from_key);
    /// The addresses that were tried, where there were several.
    #[doc(alias = "autoSelectFamilyAttemptedAddresses")]
    auto_select_family_attempted_addresses -> Option<Vec<String>> =
        |driver| driver.state.extras(|extras| extras.attempted.clone()).flatten();
}

/// More queries.
impl Socket {
    /// Whether `destroy` was called, or the socket has destroyed itself.
    pub fn destroyed(&self) -> bool {
        self.with(|driver| driver.state.duplex.is_destroyed())
            .unwrap_or(true)
    }

    /// Whether there is no connection: not yet, or not any more.
    pub fn pending(&self) -> bool {
        self.with(|driver| driver.state.duplex.life() != Life::Open)
            .unwrap_or(true)
    }

    /// Whether the socket has closed: from the moment at which [`Close`](crate::event::Close) is emitted.
    pub fn closed(&self) -> bool {
        self.with(|driver| driver.state.duplex.life() == Life::Closed)
            .unwrap_or(true)
    }

    /// What can be done with the socket.
    #[doc(alias = "readyState")]
    pub fn ready_state(&self) -> ReadyState {
        self.with(|driver| driver.state.duplex.ready_state())
            .unwrap_or(ReadyState::Closed)
    }

    /// The idle timeout, if one is set.
    pub fn timeout(&self) -> Option<Duration> {
        self.ask(|driver| {
            let idle = &driver.state.idle;
            idle.timeout(driver.event_loop, driver.state.key)
        })
    }

    /// The address of this end; `None` for IPC and when not connected. As
    /// [`local_socket_addr`](Socket::local_socket_addr), in the type that servers answer with, too.
    pub fn address(&self) -> Option<Address> {
        self.local_socket_addr().map(Address::Tcp)
    }

    /// The IP address of this end.
    #[doc(alias = "localAddress")]
    pub fn local_address(&self) -> Option<IpAddr> {
        self.local_socket_addr().map(|address| address.ip())
    }

    /// The port of this end.
    #[doc(alias = "localPort")]
    pub fn local_port(&self) -> Option<u16> {
        self.local_socket_addr().map(|address| address.port())
    }

    /// The family of this end's address.
    #[doc(alias = "localFamily")]
    pub fn local_family(&self) -> Option<Family> {
        self.local_socket_addr().map(Family::from)
    }

    /// The IP address of the peer; see [`remote_socket_addr`](Socket::remote_socket_addr).
    #[doc(alias = "remoteAddress")]
    pub fn remote_address(&self) -> Option<IpAddr> {
        self.remote_socket_addr().map(|address| address.ip())
    }

    /// The port of the peer.
    #[doc(alias = "remotePort")]
    pub fn remote_port(&self) -> Option<u16> {
        self.remote_socket_addr().map(|address| address.port())
    }

    /// The family of the peer's address.
    #[doc(alias = "remoteFamily")]
    pub fn remote_family(&self) -> Option<Family> {
        self.remote_socket_addr().map(Family::from)
    }
}
