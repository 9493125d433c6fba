//! Unix domain sockets, which Node calls IPC.
//!
//! On Linux a path that begins with a NUL byte is an abstract name: it needs no file, and is gone
//! with the last socket that uses it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, Type};

use super::ipc::{Address, TooLong};
use super::other::{self, path as simulated};
use super::{Descriptor, Socket, errno};

/// A stream that can be connected to `path`.
///
/// # Errors
///
/// EINVAL for a path that is too long.
pub(crate) fn open_for(path: &Path) -> io::Result<Socket> {
    address(path)?;
    open()
}

/// Connects a stream, and returns what the kernel said to that.
pub(crate) fn connect(socket: &Socket, path: &Path) -> io::Result<()> {
    let address = address(path)?;
    match socket {
        Socket::Os(socket) => address.connect(socket),
        Socket::Sim(descriptor) => descriptor.connect_path(path),
    }
}

/// A socket bound to `path`, and the file that this has made.
pub(crate) fn bound(path: &Path) -> io::Result<(Socket, BoundPath)> {
    let address = address(path)?;
    let socket = open()?;
    let answer = match &socket {
        Socket::Os(socket) => address.bind(socket),
        Socket::Sim(descriptor) => descriptor.bind_path(path),
    };
    match answer {
        Ok(()) => Ok((socket, BoundPath::new(path))),
        // libuv's choice: a directory that does not exist is one that is not permitted.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(errno::error(errno::EACCES)),
        Err(error) => Err(error),
    }
}

/// The file of a socket that was bound here. It is removed when this is dropped, unless somebody
/// else has put another one in its place.
#[derive(Debug)]
pub(crate) struct BoundPath {
    path: PathBuf,
    /// Device and inode; `None` for an abstract name, which has no file.
    file: Option<(u64, u64)>,
}

impl BoundPath {
    fn new(path: &Path) -> BoundPath {
        BoundPath {
            path: path.to_owned(),
            file: identity(path),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        if other::is_simulated() {
            return Ok(());
        }
        fs::set_permissions(&self.path, Permissions::from_mode(mode))
    }
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        if self.file.is_some()
            && self.file == identity(&self.path)
            && let Err(error) =
                simulated::remove(&self.path).unwrap_or_else(|| fs::remove_file(&self.path))
        {
            log::debug!(target: "soquete::net", "unlink {}: {error}", self.path.display());
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    if is_abstract(path) {
        return None;
    }
    if let Some(inode) = simulated::inode(path) {
        return inode.map(|inode| (0, inode));
    }
    let file = fs::symlink_metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// The path that a socket is bound to; `None` if it has none.
pub(super) fn path_of(socket: &socket2::Socket) -> Option<PathBuf> {
    let address = socket.local_addr().ok()?;
    match (address.as_pathname(), address.as_abstract_namespace()) {
        (Some(path), _) => Some(path.to_owned()),
        (None, Some(name)) => {
            let mut bytes = vec![0];
            bytes.extend_from_slice(name);
            Some(std::ffi::OsString::from_vec(bytes).into())
        }
        (None, None) => None,
    }
}

/// The path as Node shows it.
pub(crate) fn display(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(crate) fn is_abstract(path: &Path) -> bool {
    path.as_os_str().as_bytes().first() == Some(&0)
}

fn open() -> io::Result<Socket> {
    if let Some(opened) = Descriptor::unix() {
        return opened.map(Socket::Sim);
    }
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(Socket::Os(socket))
}

fn address(path: &Path) -> io::Result<Address> {
    // The kernel would cut it off at a zero, and make up a name for none.
    let bytes = path.as_os_str().as_bytes();
    let is_name = is_abstract(path) && cfg!(any(target_os = "linux", target_os = "android"));
    if bytes.is_empty() || !is_name && bytes.contains(&0) {
        return Err(errno::error(errno::EINVAL));
    }
    Address::new(path).map_err(|TooLong| errno::error(errno::EINVAL))
}
