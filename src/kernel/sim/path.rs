//! Files of IPC sockets, in a table of their own.

use std::io;
use std::path::Path;

use super::{is_simulated, with_kernel};

/// What distinguishes the file there from others, if there is one; `None` outside of a world.
pub(crate) fn inode(path: &Path) -> Option<Option<u64>> {
    if !is_simulated() {
        return None;
    }
    with_kernel(|kernel| kernel.paths.get(path).map(|file| file.inode))
}

pub(crate) fn remove(path: &Path) -> Option<io::Result<()>> {
    if !is_simulated() {
        return None;
    }
    with_kernel(|kernel| match kernel.paths.remove(path) {
        Some(_) => Ok(()),
        None => Err(io::ErrorKind::NotFound.into()),
    })
}
