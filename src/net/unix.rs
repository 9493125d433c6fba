//! Unix domain sockets, which Node calls IPC.
//!
//! On Linux a path that begins with a NUL byte is an abstract name: it needs no file, and is gone
//! with the last socket that uses it.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mio::net::{UnixListener, UnixStream};
use socket2::{Domain, SockAddr, Socket as RawSocket, Type};

/// A stream that connects to `path`, and what the kernel said to that.
pub(super) fn connect(path: &Path) -> io::Result<(UnixStream, io::Result<()>)> {
    let socket = open()?;
    let started = address(path).and_then(|address| socket.connect(&address));
    Ok((UnixStream::from_std(socket.into()), started))
}

/// A listener bound to `path`.
pub(super) fn listen(path: &Path, backlog: i32) -> io::Result<UnixListener> {
    let socket = open()?;
    socket.bind(&address(path)?)?;
    if let Err(error) = socket.listen(backlog) {
        unlink(path);
        return Err(error);
    }
    Ok(UnixListener::from_std(socket.into()))
}

/// Removes the file of a listener that was bound here.
pub(super) fn unlink(path: &Path) {
    if !is_abstract(path)
        && let Err(error) = std::fs::remove_file(path)
    {
        log::debug!(target: "soquete::net", "unlink {}: {error}", path.display());
    }
}

/// The path as Node shows it.
pub(super) fn display(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn open() -> io::Result<RawSocket> {
    let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn address(path: &Path) -> io::Result<SockAddr> {
    SockAddr::unix(path)
}

fn is_abstract(path: &Path) -> bool {
    path.as_os_str().as_bytes().first() == Some(&0)
}
