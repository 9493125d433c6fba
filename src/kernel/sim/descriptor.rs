//! A descriptor of the simulated kernel, as the driver holds it.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::errno::{self, EBADF};
use super::file::{FileId, Name};
use super::kernel::Kernel;
use super::{KERNEL, is_simulated, with_kernel};
use crate::kernel::Setting;

/// An open file of a simulated kernel.
///
/// A number, as everywhere: it can be sent to another thread, where it means nothing. That it is still the
/// file that was opened under this number is checked.
#[derive(Debug)]
pub(crate) struct Descriptor {
    id: FileId,
    world: u32,
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        let _gone = KERNEL.try_with(|kernel| {
            if let Ok(mut kernel) = kernel.try_borrow_mut()
                && let Some(kernel) = kernel.as_mut()
                && kernel.world == self.world
                && kernel.files.get(self.id).is_some()
            {
                kernel.close(self.id.number);
            }
        });
    }
}

impl Descriptor {
    #[cfg(any(test, fuzzing, feature = "fuzzing"))]
    pub(super) fn of(id: FileId, world: u32) -> Descriptor {
        Descriptor { id, world }
    }

    /// `None` outside of a world.
    fn open(
        open: impl FnOnce(&mut Kernel) -> Result<FileId, i32>,
    ) -> Option<io::Result<Descriptor>> {
        if !is_simulated() {
            return None;
        }
        with_kernel(|kernel| {
            let world = kernel.world;
            open(kernel)
                .map(|id| Descriptor { id, world })
                .map_err(errno::error)
        })
    }

    fn ask<R>(&self, ask: impl FnOnce(&mut Kernel, u32) -> Result<R, i32>) -> io::Result<R> {
        KERNEL.with_borrow_mut(|kernel| match kernel {
            Some(kernel) if kernel.world == self.world && kernel.files.get(self.id).is_some() => {
                ask(kernel, self.id.number).map_err(errno::error)
            }
            _ => Err(errno::error(EBADF)),
        })
    }

    pub(crate) fn tcp(is_v6: bool) -> Option<io::Result<Descriptor>> {
        Descriptor::open(|kernel| kernel.socket(true, is_v6))
    }

    pub(crate) fn unix() -> Option<io::Result<Descriptor>> {
        Descriptor::open(|kernel| kernel.socket(false, false))
    }

    pub(crate) fn spare() -> Option<io::Result<Descriptor>> {
        Descriptor::open(Kernel::spare)
    }

    pub(crate) fn bind(&self, at: SocketAddr, only_v6: bool, shares: bool) -> io::Result<()> {
        self.ask(|kernel, file| kernel.bind(file, at, only_v6, shares))
    }

    pub(crate) fn bind_path(&self, path: &Path) -> io::Result<()> {
        self.ask(|kernel, file| kernel.bind_path(file, path))
    }

    pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
        self.ask(|kernel, file| kernel.listen(file, backlog))
    }

    pub(crate) fn connect(&self, to: SocketAddr) -> io::Result<()> {
        self.ask(|kernel, file| kernel.connect(file, to))
    }

    pub(crate) fn connect_path(&self, path: &Path) -> io::Result<()> {
        self.ask(|kernel, file| kernel.connect_path(file, path))
    }

    /// The stream, and the address of its peer.
    pub(crate) fn accept(&self) -> io::Result<(Descriptor, Option<SocketAddr>)> {
        let (id, peer) = self.ask(Kernel::accept)?;
        let world = self.world;
        Ok((Descriptor { id, world }, peer))
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ask(|kernel, file| kernel.read(file, buffer))
    }

    pub(crate) fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.ask(|kernel, file| kernel.write(file, slices))
    }

    pub(crate) fn shutdown(&self) -> io::Result<()> {
        self.ask(Kernel::shutdown)
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let number = self.ask(Kernel::take_error)?;
        Ok((number != 0).then(|| errno::error(number)))
    }

    pub(crate) fn is_tcp(&self) -> bool {
        let asked = self.ask(|kernel, file| Ok(kernel.is_tcp(file)));
        asked.unwrap_or(false)
    }

    /// `None` for a Unix domain socket.
    pub(crate) fn local_address(&self) -> io::Result<Option<SocketAddr>> {
        self.ask(Kernel::local_name).map(address)
    }

    pub(crate) fn local_path(&self) -> Option<PathBuf> {
        match self.ask(Kernel::local_name) {
            Ok(Name::Path(path)) => Some(path),
            _ => None,
        }
    }

    /// `None` for a Unix domain socket.
    pub(crate) fn peer_address(&self) -> io::Result<Option<SocketAddr>> {
        self.ask(Kernel::peer_name).map(address)
    }

    pub(crate) fn set(&self, setting: Setting) -> io::Result<()> {
        self.ask(|kernel, file| kernel.set(file, setting))
    }

    pub(crate) fn type_of_service(&self) -> io::Result<u8> {
        self.ask(Kernel::type_of_service)
    }

    /// From now on the loop of the host whose turn it is has it.
    pub(crate) fn move_here(&self) -> io::Result<()> {
        self.ask(Kernel::move_here)
    }

    pub(crate) fn number(&self) -> i32 {
        self.id.number as i32
    }

    pub(crate) fn watch(&self, token: usize) -> io::Result<()> {
        self.ask(|kernel, file| kernel.watch(file, Some(token)))
    }

    pub(crate) fn unwatch(&self) -> io::Result<()> {
        self.ask(|kernel, file| kernel.watch(file, None))
    }

    /// Which end of which connection it is, and the addresses, without asking for them as a program does.
    pub(crate) fn label(&self) -> Option<String> {
        let label = |kernel: &mut Kernel, file| {
            let label = kernel.file_label(file);
            Ok(match kernel.stream(file) {
                Ok(end) => {
                    let end = &kernel.ends[end as usize];
                    format!("{label}, {} ⇄ {}", end.local, end.remote)
                }
                Err(_) => label,
            })
        };
        self.ask(label).ok()
    }
}

fn address(name: Name) -> Option<SocketAddr> {
    match name {
        Name::Ip(address) => Some(address),
        Name::Path(_) | Name::Nothing => None,
    }
}
