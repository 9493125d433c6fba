//! Unix domain sockets, where socket2 alone does not give all that the kernel has.
//!
//! | | by socket2 | with the feature `ipc`, by rustix |
//! |---|---|---|
//! | the longest path | 107 bytes: room for a NUL | 108 bytes, as in Node: the kernel needs no NUL |
//! | a read behind which descriptors were passed | looks like any short read, so each is followed by a second one | says so (`MSG_CTRUNC`): one read per message |

use std::io;
use std::path::Path;

/// What a read came to.
pub(crate) struct Received {
    pub(crate) count: usize,
    /// The kernel may have stopped before it had handed out everything: that there was room left does not
    /// mean that the next read would block.
    pub(crate) may_go_on: bool,
}

/// What is wrong with a path that is too long for an address.
#[derive(Debug)]
pub(crate) struct TooLong;

#[cfg(not(feature = "ipc"))]
pub(crate) struct Address(socket2::SockAddr);

#[cfg(not(feature = "ipc"))]
impl Address {
    pub(crate) fn new(path: &Path) -> Result<Address, TooLong> {
        let address = socket2::SockAddr::unix(path);
        address.map(Address).map_err(|_| TooLong)
    }

    pub(crate) fn connect(&self, socket: &socket2::Socket) -> io::Result<()> {
        socket.connect(&self.0)
    }

    pub(crate) fn bind(&self, socket: &socket2::Socket) -> io::Result<()> {
        socket.bind(&self.0)
    }
}

#[cfg(not(feature = "ipc"))]
pub(crate) fn receive(
    mut stream: &mio::net::UnixStream,
    buffer: &mut [u8],
) -> io::Result<Received> {
    let count = io::Read::read(&mut stream, buffer)?;
    Ok(Received {
        count,
        may_go_on: true,
    })
}

#[cfg(feature = "ipc")]
pub(crate) struct Address(rustix::net::SocketAddrUnix);

#[cfg(feature = "ipc")]
impl Address {
    pub(crate) fn new(path: &Path) -> Result<Address, TooLong> {
        use std::os::unix::ffi::OsStrExt;
        let address = match path.as_os_str().as_bytes() {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            [0, name @ ..] => rustix::net::SocketAddrUnix::new_abstract_name(name),
            bytes => rustix::net::SocketAddrUnix::new(bytes),
        };
        address.map(Address).map_err(|_| TooLong)
    }

    pub(crate) fn connect(&self, socket: &socket2::Socket) -> io::Result<()> {
        Ok(rustix::net::connect(socket, &self.0)?)
    }

    pub(crate) fn bind(&self, socket: &socket2::Socket) -> io::Result<()> {
        Ok(rustix::net::bind(socket, &self.0)?)
    }
}

/// There is no room for descriptors: the kernel closes those that come.
#[cfg(feature = "ipc")]
pub(crate) fn receive(stream: &mio::net::UnixStream, buffer: &mut [u8]) -> io::Result<Received> {
    use rustix::net::{RecvAncillaryBuffer, RecvFlags, ReturnFlags, recvmsg};
    // Elsewhere a read may also stop where the poll reports nothing.
    let reports = cfg!(any(target_os = "linux", target_os = "android"));
    let message = recvmsg(
        stream,
        &mut [io::IoSliceMut::new(buffer)],
        &mut RecvAncillaryBuffer::default(),
        RecvFlags::empty(),
    )?;
    Ok(Received {
        count: message.bytes,
        may_go_on: !reports || message.flags.contains(ReturnFlags::CTRUNC),
    })
}
