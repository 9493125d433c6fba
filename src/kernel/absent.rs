//! No simulated kernel: types without values, so that the compiler removes the arms for them.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::{Alarm, Ready, Setting};
use crate::reactor::Loop;
use crate::table::Key;

#[derive(Debug)]
pub(crate) enum Descriptor {}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Seat {}

pub(crate) enum Bell {}

impl Bell {
    pub(crate) fn ring(&self) {
        match *self {}
    }
}

pub(crate) const fn is_simulated() -> bool {
    false
}

#[inline]
pub(crate) fn called() {}

#[inline]
pub(crate) fn emitted<E>(_: &str, _: Key) {}

pub(crate) fn current() -> Option<Rc<Loop>> {
    None
}

pub(crate) fn resolve(_: &str) -> Option<std::result::Result<Vec<IpAddr>, &'static str>> {
    None
}

/// The number of the interface that a zone names.
pub(crate) fn scope(_: &str) -> Option<u32> {
    None
}

impl Descriptor {
    pub(crate) fn tcp(_is_v6: bool) -> Option<io::Result<Descriptor>> {
        None
    }
    pub(crate) fn unix() -> Option<io::Result<Descriptor>> {
        None
    }
    pub(crate) fn spare() -> Option<io::Result<Descriptor>> {
        None
    }
    pub(crate) fn bind(&self, _: SocketAddr, _: bool, _: bool) -> io::Result<()> {
        match *self {}
    }
    pub(crate) fn bind_path(&self, _: &Path) -> io::Result<()> {
        match *self {}
    }
    pub(crate) fn listen(&self, _: i32) -> io::Result<()> {
        match *self {}
    }
    pub(crate) fn connect(&self, _: SocketAddr) -> io::Result<()> {
        match *self {}
    }
    pub(crate) fn connect_path(&self, _: &Path) -> io::Result<()> {
        match *self {}
    }
    /// The stream, and the address of its peer.
    pub(crate) fn accept(&self) -> io::Result<(Descriptor, Option<SocketAddr>)> {
        match *self {}
    }
    pub(crate) fn read(&self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
    pub(crate) fn write(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }
    pub(crate) fn shutdown(&self) -> io::Result<()> {
        match *self {}
    }
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match *self {}
    }
    pub(crate) fn is_tcp(&self) -> bool {
        match *self {}
    }
    /// `None` for a Unix domain socket.
    pub(crate) fn local_address(&self) -> io::Result<Option<SocketAddr>> {
        match *self {}
    }
    /// `None` for a Unix domain socket.
    pub(crate) fn peer_address(&self) -> io::Result<Option<SocketAddr>> {
        match *self {}
    }
    pub(crate) fn local_path(&self) -> Option<std::path::PathBuf> {
        match *self {}
    }
    pub(crate) fn set(&self, _: Setting) -> io::Result<()> {
        match *self {}
    }
    pub(crate) fn type_of_service(&self) -> io::Result<u8> {
        match *self {}
    }
    pub(crate) fn number(&self) -> i32 {
        match *self {}
    }
    pub(crate) fn move_here(&self) -> io::Result<()> {
        match *self {}
    }
    pub(crate) fn watch(&self, _: usize) -> io::Result<()> {
        match *self {}
    }
    pub(crate) fn unwatch(&self) -> io::Result<()> {
        match *self {}
    }
}

impl Seat {
    pub(crate) fn now(self) -> Duration {
        match self {}
    }
    pub(crate) fn wait(self, _: Option<Duration>, _: &mut Vec<(Key, Ready)>) -> io::Result<usize> {
        match self {}
    }
    pub(crate) fn first_generation(self) -> u32 {
        match self {}
    }
    pub(crate) fn is_run_by_world(self) -> bool {
        match self {}
    }
    pub(crate) fn alarm(self) -> Alarm {
        match self {}
    }
    pub(crate) fn work(self, _: Box<dyn FnOnce() -> Box<dyn FnOnce()>>) {
        match self {}
    }
}

/// Files of IPC sockets.
pub(crate) mod path {
    use std::path::Path;

    pub(crate) fn inode(_: &Path) -> Option<Option<u64>> {
        None
    }
    pub(crate) fn remove(_: &Path) -> Option<std::io::Result<()>> {
        None
    }
}

/// Nobody keeps books.
pub(crate) mod ledger {
    use std::io::IoSlice;

    use crate::table::Key;

    #[inline]
    pub(crate) fn accepted(_: Key, _: &[u8]) {}
    #[inline]
    pub(crate) fn sent(_: Key, _: &[IoSlice<'_>], _: usize) {}
    #[inline]
    pub(crate) fn ending(_: Key) {}
    #[inline]
    pub(crate) fn received(_: Key, _: &[u8], _: usize) {}
    #[inline]
    pub(crate) fn connects(_: Key) {}
    #[inline]
    pub(crate) fn refused(_: Key) {}

    #[derive(Clone, Copy)]
    pub(crate) struct Promise;

    #[inline]
    pub(crate) fn promised(_: Key) -> Promise {
        Promise
    }
    #[inline]
    pub(crate) fn called_back(_: Key, _: Promise, _: bool) {}
    #[inline]
    pub(crate) fn heard(_: Key, _: &[u8]) {}
    #[inline]
    pub(crate) fn given_back(_: Key, _: &[u8]) {}
    #[inline]
    pub(crate) fn read_otherwise(_: Key) {}
}
