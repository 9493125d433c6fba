//! Open files: descriptors, and what they are.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::end::{End, EndId};
use super::faults::{At, CALLS};
use super::kernel::Free;

/// A file by its number, and which of all files that have had this number: numbers are given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileId {
    pub(super) number: u32,
    pub(super) ordinal: u32,
}

pub(super) struct File {
    pub(super) ordinal: u32,
    pub(super) host: u16,
    /// What a poll calls it, while it is watched.
    pub(super) token: Option<usize>,
    /// Among the files that the next poll reports.
    pub(super) queued: bool,
    /// A poll has reported it, and the check that somebody has acted on it is still to come.
    pub(super) suspected: bool,
    /// Calls so far, of each kind.
    pub(super) calls: [u32; CALLS],
    pub(super) what: Open,
}

pub(super) enum Open {
    Spare,
    /// Neither connected nor listening.
    Fresh(Fresh),
    Listening(Box<Listening>),
    Stream(EndId),
}

#[derive(Clone)]
pub(super) struct Fresh {
    pub(super) is_tcp: bool,
    pub(super) is_v6: bool,
    pub(super) bound: Name,
    pub(super) only_v6: bool,
    pub(super) shares: bool,
}

pub(super) struct Listening {
    /// See [`At::listener`].
    pub(super) place: At,
    pub(super) at: Name,
    pub(super) only_v6: bool,
    pub(super) shares: bool,
    pub(super) backlog: usize,
    pub(super) queue: VecDeque<EndId>,
    /// Handshakes that are not done.
    pub(super) coming: usize,
    /// Since when somebody waits whom nobody has asked for.
    pub(super) unasked_since: u64,
}

impl Listening {
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() + self.coming > self.backlog
    }
}

/// The name of a socket: an address or a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Nothing,
    Ip(SocketAddr),
    Path(PathBuf),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Nothing => f.write_str("-"),
            Name::Ip(address) => write!(f, "{address}"),
            Name::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Open {
    pub(super) fn place(&self, ends: &[End]) -> Option<At> {
        match self {
            Open::Stream(end) => Some(ends[*end as usize].place),
            Open::Listening(listening) => Some(listening.place),
            Open::Fresh(_) | Open::Spare => None,
        }
    }

    pub(super) fn is_tcp(&self, ends: &[End]) -> bool {
        match self {
            Open::Fresh(fresh) => fresh.is_tcp,
            Open::Listening(listening) => matches!(listening.at, Name::Ip(_)),
            Open::Stream(end) => ends[*end as usize].is_tcp,
            Open::Spare => false,
        }
    }
}

/// The files by their number. The lowest free number is the next: a stale descriptor soon names
/// another file.
#[derive(Default)]
pub(super) struct Numbers {
    slots: Vec<Option<File>>,
    free: Free,
    next_ordinal: u32,
}

impl Numbers {
    pub(super) fn open(&mut self, host: u16, what: Open) -> FileId {
        let ordinal = self.next_ordinal;
        self.next_ordinal += 1;
        let file = File {
            ordinal,
            host,
            token: None,
            queued: false,
            suspected: false,
            calls: [0; CALLS],
            what,
        };
        let number = match self.free.pop() {
            Some(Reverse(number)) => {
                self.slots[number as usize] = Some(file);
                number
            }
            None => {
                self.slots.push(Some(file));
                self.slots.len() as u32 - 1
            }
        };
        FileId { number, ordinal }
    }

    pub(super) fn close(&mut self, number: u32) -> Option<File> {
        let file = self.slots.get_mut(number as usize)?.take()?;
        self.free.push(Reverse(number));
        Some(file)
    }

    pub(super) fn at(&self, number: u32) -> Option<&File> {
        self.slots.get(number as usize)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, number: u32) -> Option<&mut File> {
        self.slots.get_mut(number as usize)?.as_mut()
    }

    /// The file that had this number at that time, if it is still open.
    pub(super) fn get_mut(&mut self, id: FileId) -> Option<&mut File> {
        self.at_mut(id.number)
            .filter(|file| file.ordinal == id.ordinal)
    }

    pub(super) fn get(&self, id: FileId) -> Option<&File> {
        self.at(id.number).filter(|file| file.ordinal == id.ordinal)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &File)> {
        let numbered = (0..).zip(&self.slots);
        numbered.filter_map(|(number, slot)| Some((number, slot.as_ref()?)))
    }

    /// One more than the highest number in use or free.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}
