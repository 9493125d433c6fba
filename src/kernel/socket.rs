//! Sockets of the operating system that are nothing yet: opened and bound, neither listening nor
//! connected.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use socket2::{Domain, Protocol, Type};

use super::{Descriptor, Stream};

/// A socket that is nothing yet.
#[derive(Debug)]
pub(crate) enum Socket {
    Os(socket2::Socket),
    Sim(Descriptor),
}

impl Socket {
    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        match self {
            Socket::Os(socket) => socket.listen(backlog),
            Socket::Sim(descriptor) => descriptor.listen(backlog),
        }
    }

    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<()> {
        match self {
            Socket::Os(socket) => socket.connect(&address.into()),
            Socket::Sim(descriptor) => descriptor.connect(address),
        }
    }

    /// `None` for a simulated one.
    pub(crate) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Socket::Os(socket) => Some(socket.as_fd()),
            Socket::Sim(_) => None,
        }
    }

    /// The number of its descriptor.
    pub(crate) fn number(&self) -> RawFd {
        match self {
            Socket::Os(socket) => socket.as_raw_fd(),
            Socket::Sim(descriptor) => descriptor.number(),
        }
    }

    /// `None` for a Unix domain socket.
    pub(crate) fn local_address(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Socket::Os(socket) => Ok(socket.local_addr()?.as_socket()),
            Socket::Sim(descriptor) => descriptor.local_address(),
        }
    }

    pub(crate) fn into_tcp(self) -> Stream {
        match self {
            Socket::Os(socket) => Stream::Tcp(mio::net::TcpStream::from_std(socket.into())),
            Socket::Sim(descriptor) => Stream::Sim(descriptor),
        }
    }

    pub(crate) fn into_unix(self) -> Stream {
        match self {
            Socket::Os(socket) => Stream::Unix(mio::net::UnixStream::from_std(socket.into())),
            Socket::Sim(descriptor) => Stream::Sim(descriptor),
        }
    }
}

/// One that is there already, whatever it is.
impl From<OwnedFd> for Socket {
    fn from(descriptor: OwnedFd) -> Socket {
        Socket::Os(descriptor.into())
    }
}

/// A TCP socket that does not block.
pub(crate) fn open(address: SocketAddr) -> io::Result<Socket> {
    if let Some(opened) = Descriptor::tcp(address.is_ipv6()) {
        return opened.map(Socket::Sim);
    }
    let domain = Domain::for_address(address);
    open_nonblocking(domain).map(Socket::Os)
}

on_systems! {
    ["android" "dragonfly" "freebsd" "illumos" "linux" "netbsd" "openbsd"]
    /// One system call, where socket(2) takes flags.
    fn open_nonblocking(domain: Domain) -> io::Result<socket2::Socket> {
        socket2::Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))
    }
    /// Several, where it does not.
    fn open_nonblocking(domain: Domain) -> io::Result<socket2::Socket> {
        let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

/// What is asked of a port before it is taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sharing {
    pub(crate) ipv6_only: bool,
    pub(crate) reuse_port: bool,
}

/// A TCP socket with an address.
pub(crate) fn bound(address: SocketAddr, sharing: Sharing) -> io::Result<Socket> {
    let socket = match open(address)? {
        Socket::Sim(descriptor) => {
            descriptor.bind(address, sharing.ipv6_only, sharing.reuse_port)?;
            return Ok(Socket::Sim(descriptor));
        }
        Socket::Os(socket) => socket,
    };
    // As libuv: a port whose last connection still lingers can be used again.
    socket.set_reuse_address(true)?;
    if sharing.reuse_port {
        share_port(&socket)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(sharing.ipv6_only)?;
    }
    socket.bind(&address.into())?;
    Ok(Socket::Os(socket))
}

#[cfg(not(any(target_os = "solaris", target_os = "illumos")))]
fn share_port(socket: &socket2::Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(any(target_os = "solaris", target_os = "illumos"))]
fn share_port(_: &socket2::Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Every address of the machine, in the family of `address`.
pub(crate) fn any_like(address: SocketAddr) -> IpAddr {
    match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}
