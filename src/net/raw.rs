//! Sockets of the operating system that are nothing yet: opened and bound, neither listening nor
//! connected.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, Type};

use super::transport::Transport;
use crate::kernel::Descriptor;

/// A socket that is nothing yet.
#[derive(Debug)]
pub(crate) enum RawSocket {
    Os(socket2::Socket),
    Sim(Descriptor),
}

impl RawSocket {
    pub(super) fn listen(&self, backlog: i32) -> io::Result<()> {
        match self {
            RawSocket::Os(socket) => socket.listen(backlog),
            RawSocket::Sim(descriptor) => descriptor.listen(backlog),
        }
    }

    pub(super) fn connect(&self, address: SocketAddr) -> io::Result<()> {
        match self {
            RawSocket::Os(socket) => socket.connect(&address.into()),
            RawSocket::Sim(descriptor) => descriptor.connect(address),
        }
    }

    /// `None` for a Unix domain socket.
    pub(super) fn local_address(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            RawSocket::Os(socket) => Ok(socket.local_addr()?.as_socket()),
            RawSocket::Sim(descriptor) => descriptor.local_address(),
        }
    }

    pub(super) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            RawSocket::Os(socket) => Some(socket.as_fd()),
            RawSocket::Sim(_) => None,
        }
    }

    pub(super) fn into_tcp(self) -> Transport {
        match self {
            RawSocket::Os(socket) => Transport::Tcp(mio::net::TcpStream::from_std(socket.into())),
            RawSocket::Sim(descriptor) => Transport::Sim(descriptor),
        }
    }

    pub(super) fn into_unix(self) -> Transport {
        match self {
            RawSocket::Os(socket) => Transport::Unix(mio::net::UnixStream::from_std(socket.into())),
            RawSocket::Sim(descriptor) => Transport::Sim(descriptor),
        }
    }
}

/// A TCP socket that does not block.
pub(super) fn open(address: SocketAddr) -> io::Result<RawSocket> {
    if let Some(opened) = Descriptor::tcp(address.is_ipv6()) {
        return opened.map(RawSocket::Sim);
    }
    let domain = Domain::for_address(address);
    let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    Ok(RawSocket::Os(socket))
}

/// What is asked of a port before it is taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sharing {
    pub(crate) ipv6_only: bool,
    pub(crate) reuse_port: bool,
}

/// A TCP socket with an address.
pub(super) fn bound(address: SocketAddr, sharing: Sharing) -> io::Result<RawSocket> {
    let socket = match open(address)? {
        RawSocket::Sim(descriptor) => {
            descriptor.bind(address, sharing.ipv6_only, sharing.reuse_port)?;
            return Ok(RawSocket::Sim(descriptor));
        }
        RawSocket::Os(socket) => socket,
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
    Ok(RawSocket::Os(socket))
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
pub(super) fn any_like(address: SocketAddr) -> IpAddr {
    match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The errors that Node makes itself, with the numbers that they have here.
pub(super) mod errno {
    use std::io;

    macro_rules! errors {
        ($($name:ident = $linux:literal, $bsd:literal, $sun:literal;)*) => {
            $(pub(in crate::net) const $name: i32 =
                if cfg!(any(target_os = "linux", target_os = "android")) {
                    $linux
                } else if cfg!(any(target_os = "solaris", target_os = "illumos")) {
                    $sun
                } else {
                    $bsd
                };)*
        };
    }

    errors! {
        EACCES = 13, 13, 13;
        EALREADY = 114, 37, 149;
        ECANCELED = 125, 89, 47;
        EINVAL = 22, 22, 22;
        EISCONN = 106, 56, 133;
        ETIMEDOUT = 110, 60, 145;
    }

    pub(in crate::net) fn error(number: i32) -> io::Error {
        io::Error::from_raw_os_error(number)
    }
}
