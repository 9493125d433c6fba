//! The descriptor of a socket: TCP or Unix, connected or connecting.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::Interest;
use mio::event::Source;
use mio::net::TcpStream;
use mio::net::UnixStream;
use mio::{Registry, Token};
use socket2::SockRef;

/// A stream socket of the operating system, or none.
#[derive(Debug)]
pub(crate) enum Transport {
    None,
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Runs the same expression on either kind of stream.
macro_rules! either {
    ($transport:expr, $stream:ident => $body:expr) => {
        match $transport {
            Transport::None => Err(io::ErrorKind::NotConnected.into()),
            Transport::Tcp($stream) => $body,
            Transport::Unix($stream) => $body,
        }
    };
}

impl Transport {
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Transport::None)
    }

    /// Whether it is a Unix domain socket.
    pub(crate) fn is_ipc(&self) -> bool {
        !self.is_tcp() && !self.is_none()
    }

    pub(crate) fn is_tcp(&self) -> bool {
        matches!(self, Transport::Tcp(_))
    }

    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, stream => (&mut &*stream).read(buffer))
    }

    #[inline]
    pub(crate) fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [only] => either!(self, stream => (&mut &*stream).write(only)),
            several => either!(self, stream => (&mut &*stream).write_vectored(several)),
        }
    }

    pub(crate) fn shutdown(&self) -> io::Result<()> {
        either!(self, stream => stream.shutdown(Shutdown::Write))
    }

    /// The error that the last operation in the background ended with, if any.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        either!(self, stream => stream.take_error())
    }

    /// Whether the connection is up, which being writable does not prove.
    pub(crate) fn is_connected(&self) -> bool {
        match self {
            Transport::None => false,
            Transport::Tcp(stream) => stream.peer_addr().is_ok(),
            Transport::Unix(stream) => stream.peer_addr().is_ok(),
        }
    }

    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Transport::Tcp(stream) => stream.local_addr().ok(),
            _ => None,
        }
    }

    pub(crate) fn remote_address(&self) -> Option<SocketAddr> {
        match self {
            Transport::Tcp(stream) => stream.peer_addr().ok(),
            _ => None,
        }
    }

    /// Makes closing the descriptor reset the connection.
    pub(crate) fn reset_on_close(&self) {
        let lingers = self.with_tcp(|socket| socket.set_linger(Some(std::time::Duration::ZERO)));
        if let Some(Err(error)) = lingers {
            log::debug!(target: "soquete::net", "SO_LINGER: {error}");
        }
    }

    /// The descriptor, if there is one.
    pub(crate) fn as_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        match self {
            Transport::None => None,
            Transport::Tcp(stream) => Some(stream.as_fd()),
            Transport::Unix(stream) => Some(stream.as_fd()),
        }
    }

    /// Calls `f` with a TCP socket's options; `None` on any other kind.
    pub(crate) fn with_tcp<R>(&self, f: impl FnOnce(SockRef<'_>) -> R) -> Option<R> {
        match self {
            Transport::Tcp(stream) => Some(f(SockRef::from(stream))),
            _ => None,
        }
    }
}

impl Source for Transport {
    fn register(&mut self, registry: &Registry, token: Token, i: Interest) -> io::Result<()> {
        either!(self, stream => stream.register(registry, token, i))
    }

    fn reregister(&mut self, registry: &Registry, token: Token, i: Interest) -> io::Result<()> {
        either!(self, stream => stream.reregister(registry, token, i))
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        either!(self, stream => stream.deregister(registry))
    }
}
