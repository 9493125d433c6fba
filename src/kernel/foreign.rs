//! Descriptors that come from outside of the loop, or leave it.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;

use socket2::{Domain, SockRef, Type};

use super::{Descriptor, Stream};

/// What a descriptor turns out to be.
pub(crate) enum Foreign {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// A simulated stream, of either kind.
    Sim(Descriptor),
    /// No stream of a network or of IPC, but what Node calls so.
    Other(&'static str),
}

/// Finds out what a descriptor is. One that is no stream is closed.
pub(crate) fn identify(descriptor: OwnedFd) -> Foreign {
    let socket = SockRef::from(&descriptor);
    let is_stream = matches!(socket.r#type(), Ok(Type::STREAM));
    let domain = socket.local_addr().map(|address| address.domain());
    match domain {
        Ok(Domain::IPV4 | Domain::IPV6) if is_stream => Foreign::Tcp(descriptor.into()),
        Ok(Domain::UNIX) if is_stream => Foreign::Unix(descriptor.into()),
        Ok(Domain::IPV4 | Domain::IPV6) => Foreign::Other("UDP"),
        _ => Foreign::Other(kind_of_file(descriptor)),
    }
}

fn kind_of_file(descriptor: OwnedFd) -> &'static str {
    if descriptor.is_terminal() {
        return "TTY";
    }
    let kind = File::from(descriptor)
        .metadata()
        .map(|metadata| metadata.file_type());
    match kind {
        Ok(kind) if kind.is_file() || kind.is_char_device() => "FILE",
        Ok(kind) if kind.is_fifo() => "PIPE",
        _ => "UNKNOWN",
    }
}

impl Stream {
    pub(crate) fn of_tcp(stream: TcpStream) -> io::Result<Stream> {
        stream.set_nonblocking(true)?;
        Ok(Stream::Tcp(mio::net::TcpStream::from_std(stream)))
    }

    pub(crate) fn of_unix(stream: UnixStream) -> io::Result<Stream> {
        stream.set_nonblocking(true)?;
        Ok(Stream::Unix(mio::net::UnixStream::from_std(stream)))
    }

    /// A simulated stream that has left its loop, in the one whose turn it is.
    pub(crate) fn of_simulated(descriptor: Descriptor) -> io::Result<Stream> {
        descriptor.move_here()?;
        Ok(Stream::Sim(descriptor))
    }

    /// Gives the descriptor away, in blocking mode.
    pub(crate) fn release(self) -> io::Result<Foreign> {
        match self {
            Stream::None => Err(io::ErrorKind::NotConnected.into()),
            Stream::Sim(descriptor) => Ok(Foreign::Sim(descriptor)),
            Stream::Tcp(stream) => {
                let stream = TcpStream::from(stream);
                stream.set_nonblocking(false)?;
                Ok(Foreign::Tcp(stream))
            }
            Stream::Unix(stream) => {
                let stream = UnixStream::from(stream);
                stream.set_nonblocking(false)?;
                Ok(Foreign::Unix(stream))
            }
        }
    }
}
