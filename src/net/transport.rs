//! The descriptor of a socket: TCP or Unix, connected or connecting.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::net::TcpStream;
use mio::net::UnixStream;
use socket2::SockRef;

use crate::kernel::{Descriptor, Setting, Watched};

/// A stream socket of the operating system, or none.
#[derive(Debug)]
pub(crate) enum Transport {
    None,
    Tcp(TcpStream),
    Unix(UnixStream),
    Sim(Descriptor),
}

/// Runs one expression on either kind of the operating system's streams, another on a simulated one.
macro_rules! either {
    ($transport:expr, $stream:ident => $body:expr, $simulated:ident => $other:expr) => {
        match $transport {
            Transport::None => Err(io::ErrorKind::NotConnected.into()),
            Transport::Tcp($stream) => $body,
            Transport::Unix($stream) => $body,
            Transport::Sim($simulated) => $other,
        }
    };
}

impl Transport {
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Transport::None)
    }

    pub(crate) fn is_simulated(&self) -> bool {
        matches!(self, Transport::Sim(_))
    }

    /// Whether it is a Unix domain socket.
    pub(crate) fn is_ipc(&self) -> bool {
        !self.is_tcp() && !self.is_none()
    }

    pub(crate) fn is_tcp(&self) -> bool {
        match self {
            Transport::Sim(descriptor) => descriptor.is_tcp(),
            _ => matches!(self, Transport::Tcp(_)),
        }
    }

    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, stream => (&mut &*stream).read(buffer), sim => sim.read(buffer))
    }

    #[inline]
    pub(crate) fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [only] => {
                either!(self, stream => (&mut &*stream).write(only), sim => sim.write(slices))
            }
            _ => either!(
                self,
                stream => (&mut &*stream).write_vectored(slices),
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

    /// Whether the connection is up, which being writable does not prove.
    pub(crate) fn is_connected(&self) -> bool {
        match self {
            Transport::None => false,
            Transport::Tcp(stream) => stream.peer_addr().is_ok(),
            Transport::Unix(stream) => stream.peer_addr().is_ok(),
            Transport::Sim(descriptor) => descriptor.peer_address().is_ok(),
        }
    }

    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Transport::Tcp(stream) => stream.local_addr().ok(),
            Transport::Sim(descriptor) => descriptor.local_address().ok()?,
            _ => None,
        }
    }

    pub(crate) fn remote_address(&self) -> Option<SocketAddr> {
        match self {
            Transport::Tcp(stream) => stream.peer_addr().ok(),
            Transport::Sim(descriptor) => descriptor.peer_address().ok()?,
            _ => None,
        }
    }

    /// Makes closing the descriptor reset the connection.
    pub(crate) fn reset_on_close(&self) {
        if let Some(Err(error)) = self.set(Setting::ResetOnClose) {
            log::debug!(target: "soquete::net", "SO_LINGER: {error}");
        }
    }

    /// The descriptor of the operating system, if there is one.
    pub(crate) fn as_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        match self {
            Transport::None | Transport::Sim(_) => None,
            Transport::Tcp(stream) => Some(stream.as_fd()),
            Transport::Unix(stream) => Some(stream.as_fd()),
        }
    }

    /// Sets an option of a TCP connection; `None` for any other kind.
    pub(crate) fn set(&self, setting: Setting) -> Option<io::Result<()>> {
        match self {
            Transport::Tcp(stream) => Some(setting.apply(&SockRef::from(stream))),
            Transport::Sim(descriptor) if descriptor.is_tcp() => Some(descriptor.set(setting)),
            _ => None,
        }
    }

    /// The type of service of a TCP connection, or over IPv6 its traffic class.
    pub(crate) fn type_of_service(&self) -> Option<io::Result<u8>> {
        let service = match self {
            Transport::Tcp(stream) => match stream.local_addr().ok()? {
                SocketAddr::V4(_) => SockRef::from(stream).tos_v4(),
                SocketAddr::V6(_) => SockRef::from(stream).tclass_v6(),
            },
            Transport::Sim(descriptor) if descriptor.is_tcp() => {
                return Some(descriptor.type_of_service());
            }
            _ => return None,
        };
        Some(service.map(|service| service as u8))
    }

    /// The descriptor, for the poll.
    pub(crate) fn watched(&mut self) -> Watched<'_> {
        match self {
            Transport::None => Watched::Nothing,
            Transport::Tcp(stream) => Watched::Stream(stream),
            Transport::Unix(stream) => Watched::Stream(stream),
            Transport::Sim(descriptor) => Watched::Sim(descriptor),
        }
    }
}
