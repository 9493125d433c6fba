//! Descriptors of the user's in the poll.

use std::io;
use std::ops::BitOr;
use std::os::fd::RawFd;

use super::{Key, Loop};

/// What a watched descriptor is to be ready for; combined by `|`.
///
/// ```
/// use soquete::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.contains(Interest::WRITABLE) && !both.is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interest(u8);

impl Interest {
    /// Nothing: the descriptor stays where it is, and is not watched.
    pub const NONE: Interest = Interest(0);
    /// A read would not block.
    pub const READABLE: Interest = Interest(1);
    /// A write would not block.
    pub const WRITABLE: Interest = Interest(2);

    /// Whether it is [`NONE`](Interest::NONE).
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` is part of it.
    pub const fn contains(self, other: Interest) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Interest {
    type Output = Interest;

    fn bitor(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }
}

impl Loop {
    /// Watches a descriptor, which stays its owner's. No interest is nothing to do.
    pub(crate) fn watch(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        match interest.is_none() {
            true => Ok(()),
            false => self.poller.lend(fd, key, interest),
        }
    }

    /// Registers a watched descriptor anew: its readiness is reported once more, though it was reported before.
    pub(crate) fn watch_again(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        match interest.is_none() {
            true => self.unwatch(fd),
            false => self.poller.lend_again(fd, key, interest),
        }
    }

    pub(crate) fn unwatch(&self, fd: RawFd) -> io::Result<()> {
        self.poller.take_back(fd)
    }
}
