//! The descriptor of a socket: TCP or Unix, connected or connecting.

use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, SocketAddr};

use mio::net::TcpStream;
use mio::net::UnixStream;
use socket2::SockRef;

use super::ipc::{self, Received};
use super::{Answer, Call, Descriptor, Setting, Watched, answer};

/// Writing to a peer that is gone is an error and nothing else, whatever SIGPIPE does in this process.
const NO_SIGNAL: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
    0x4000
} else if cfg!(target_os = "freebsd") {
    0x2_0000
} else if cfg!(any(
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
)) {
    0x400
} else if cfg!(any(target_os = "illumos", target_os = "solaris")) {
    0x200
} else {
    // Apple's: socket2 and mio set SO_NOSIGPIPE on each socket there.
    0
};

/// A stream socket of the operating system, or none.
#[derive(Debug)]
pub(crate) enum Stream {
    None,
    Tcp(TcpStream),
    Unix(UnixStream),
    Sim(Descriptor),
}

/// The other end of a connection that may be up.
pub(crate) enum Peer {
    NotYet,
    /// The address is `None` if it cannot be had, and for IPC.
    Connected(Option<SocketAddr>),
}

/// Whether the poll reports urgent data, at whose mark a read stops.
const REPORTS_MARKS: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Runs one expression on either kind of the operating system's streams, another on a simulated one.
macro_rules! either {
    ($of:expr, $stream:ident => $body:expr, $simulated:ident => $other:expr) => {
        match $of {
            Stream::None => Err(io::ErrorKind::NotConnected.into()),
            Stream::Tcp($stream) => $body,
            Stream::Unix($stream) => $body,
            Stream::Sim($simulated) => $other,
        }
    };
}

impl Stream {
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Stream::None)
    }

    /// Whether it is a Unix domain socket.
    pub(crate) fn is_ipc(&self) -> bool {
        !self.is_tcp() && !self.is_none()
    }

    pub(crate) fn is_tcp(&self) -> bool {
        match self {
            Stream::Sim(descriptor) => descriptor.is_tcp(),
            _ => matches!(self, Stream::Tcp(_)),
        }
    }

    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Received> {
        match self {
            Stream::None => Err(io::ErrorKind::NotConnected.into()),
            Stream::Tcp(stream) => {
                let count = (&mut &*stream).read(buffer)?;
                Ok(Received {
                    count,
                    may_go_on: !REPORTS_MARKS,
                })
            }
            Stream::Unix(stream) => ipc::receive(stream, buffer),
            Stream::Sim(descriptor) => {
                let count = descriptor.read(buffer)?;
                Ok(Received {
                    count,
                    may_go_on: false,
                })
            }
        }
    }

    #[inline]
    pub(crate) fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [only] => either!(
                self,
                stream => SockRef::from(stream).send_with_flags(only, NO_SIGNAL),
                sim => sim.write(slices)
            ),
            _ => either!(
                self,
                stream => SockRef::from(stream).send_vectored_with_flags(slices, NO_SIGNAL),
                sim => sim.write(slices)
            ),
        }
    }

    pub(crate) fn shutdown(&self) -> io::Result<()> {
        either!(self, stream => stream.shutdown(Shutdown::Write), sim => sim.shutdown())
    }

    /// The error that the last operation in the background ended with, if any.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        either!(self, stream => stream.take_error(), sim => sim.take_error())
    }

    /// Whether the connection is up, which being writable does not prove, and whose it is. There may be
    /// a connection whose peer cannot be named.
    pub(crate) fn connected_to(&self) -> Peer {
        let address = match self {
            Stream::None => return Peer::NotYet,
            Stream::Tcp(stream) => peer_of(&SockRef::from(stream)),
            Stream::Unix(stream) => peer_of(&SockRef::from(stream)),
            Stream::Sim(descriptor) => descriptor.peer_address(),
        };
        match address {
            Ok(address) => Peer::Connected(address),
            Err(error) if answer(Call::PeerName, &error) == Answer::Wait => Peer::NotYet,
            Err(_) => Peer::Connected(None),
        }
    }

    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Stream::Tcp(stream) => SockRef::from(stream).local_addr().ok()?.as_socket(),
            Stream::Sim(descriptor) => descriptor.local_address().ok()?,
            _ => None,
        }
    }

    /// The peer's address, while the kernel knows it.
    pub(crate) fn remote_address(&self) -> Option<SocketAddr> {
        match self {
            Stream::Tcp(stream) => peer_of(&SockRef::from(stream)).ok()?,
            Stream::Sim(descriptor) => descriptor.peer_address().ok()?,
            _ => None,
        }
    }

    /// The descriptor, if there is one of the operating system's.
    pub(crate) fn as_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        match self {
            Stream::None | Stream::Sim(_) => None,
            Stream::Tcp(stream) => Some(stream.as_fd()),
            Stream::Unix(stream) => Some(stream.as_fd()),
        }
    }

    /// Sets an option of a TCP connection; `None` for any other kind.
    pub(crate) fn set(&self, setting: Setting) -> Option<io::Result<()>> {
        match self {
            Stream::Tcp(stream) => Some(setting.apply(&SockRef::from(stream))),
            Stream::Sim(descriptor) if descriptor.is_tcp() => Some(descriptor.set(setting)),
            _ => None,
        }
    }

    /// The type of service of a TCP connection, or over IPv6 its traffic class.
    pub(crate) fn type_of_service(&self) -> Option<io::Result<u8>> {
        let service = match self {
            Stream::Tcp(stream) => match self.local_address()? {
                SocketAddr::V4(_) => SockRef::from(stream).tos_v4(),
                SocketAddr::V6(_) => SockRef::from(stream).tclass_v6(),
            },
            Stream::Sim(descriptor) if descriptor.is_tcp() => {
                return Some(descriptor.type_of_service());
            }
            _ => return None,
        };
        Some(service.map(|service| service as u8))
    }

    /// The descriptor, for the poll.
    pub(crate) fn watched(&mut self) -> Watched<'_> {
        match self {
            Stream::None => Watched::Nothing,
            Stream::Tcp(stream) => Watched::Stream(stream),
            Stream::Unix(stream) => Watched::Stream(stream),
            Stream::Sim(descriptor) => Watched::Sim(descriptor),
        }
    }
}

fn peer_of(socket: &SockRef<'_>) -> io::Result<Option<SocketAddr>> {
    Ok(socket.peer_addr()?.as_socket())
}
