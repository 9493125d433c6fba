//! The kernel's side of a scripted connection: a send buffer with faults, and what the peer sent.
//!
//! The bytes of both directions follow a pattern, so that one that is lost, doubled or out of place
//! is noticed where it happens, and nothing has to be stored.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use crate::machine::CloseKind;

/// The longest write of a script.
pub(in crate::machine) const LONGEST: usize = 64 * 1024;

/// A prime, so that no boundary of a buffer hides a shift of the bytes.
const PERIOD: usize = 251;

static OUTGOING: [u8; 4 * LONGEST] = {
    let mut bytes = [0; 4 * LONGEST];
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = (index % PERIOD) as u8;
        index += 1;
    }
    bytes
};

/// What is written at this position of the stream to the peer.
pub(in crate::machine) fn outgoing(position: u64, len: usize) -> &'static [u8] {
    &OUTGOING[(position % PERIOD as u64) as usize..][..len]
}

/// What the peer sent at this position. ASCII, which is the same as text and as bytes.
fn incoming(position: u64) -> u8 {
    b'!' + (position % 89) as u8
}

/// What becomes of one call of `write`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Fault {
    /// At most so many bytes are taken.
    Short(usize),
    WouldBlock,
    Interrupted,
    Fail(ErrorKind),
}

/// What the next poll reports.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edges {
    pub(super) readable: bool,
    pub(super) writable: bool,
    pub(super) closed: bool,
}

pub(super) struct Kernel {
    open: bool,
    faults: VecDeque<Fault>,
    shutdown_fault: Option<ErrorKind>,
    /// How much the send buffer takes before it is full.
    room: usize,
    /// A write was told that the buffer is full, so that an edge follows once it is not.
    full: bool,
    sent: u64,
    writes: u32,
    ended: bool,
    arrived: u64,
    read: u64,
    peer_ended: bool,
    reset: bool,
    edges: Option<Edges>,
}

impl Kernel {
    /// A connection with a send buffer that is never full.
    pub(super) fn new() -> Kernel {
        Kernel {
            open: true,
            faults: VecDeque::new(),
            shutdown_fault: None,
            room: usize::MAX,
            full: false,
            sent: 0,
            writes: 0,
            ended: false,
            arrived: 0,
            read: 0,
            peer_ended: false,
            reset: false,
            edges: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// How much the kernel has taken.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// How often it was asked to take something.
    #[cfg(test)]
    pub(super) fn writes(&self) -> u32 {
        self.writes
    }

    /// What arrived and was not read.
    pub(super) fn unread(&self) -> u64 {
        self.arrived - self.read
    }

    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        assert!(self.open, "a write on a closed descriptor");
        assert!(!self.ended, "a write after the end was sent");
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        assert!(offered > 0, "a write of nothing");
        self.writes += 1;
        if self.reset {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let mut count = offered.min(self.room);
        match self.faults.pop_front() {
            Some(Fault::Short(most)) => count = count.min(most),
            Some(Fault::WouldBlock) => count = 0,
            Some(Fault::Interrupted) => return Err(ErrorKind::Interrupted.into()),
            Some(Fault::Fail(kind)) => return Err(kind.into()),
            None => {}
        }
        self.full = count < offered;
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.room = self.room.saturating_sub(count);
        let mut left = count;
        for slice in slices {
            let taken = left.min(slice.len());
            assert!(
                slice[..taken] == *outgoing(self.sent, taken),
                "other bytes are sent than were written, after {}",
                self.sent
            );
            self.sent += taken as u64;
            left -= taken;
        }
        Ok(count)
    }

    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        assert!(self.open, "a shutdown of a closed descriptor");
        assert!(!self.ended, "a second shutdown");
        if let Some(kind) = self.shutdown_fault.take() {
            return Err(kind.into());
        }
        if self.reset {
            return Err(ErrorKind::NotConnected.into());
        }
        self.ended = true;
        Ok(())
    }

    pub(super) fn close(&mut self, _how: CloseKind) {
        self.open = false;
        self.edges = None;
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(self.open, "a read from a closed descriptor");
        let count = buffer.len().min(self.unread() as usize);
        for byte in &mut buffer[..count] {
            *byte = incoming(self.read);
            self.read += 1;
        }
        match count {
            0 if self.reset => Err(ErrorKind::ConnectionReset.into()),
            0 if self.peer_ended => Ok(0),
            0 => Err(ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    /// What the poll reports, once.
    pub(super) fn take_edges(&mut self) -> Option<Edges> {
        self.edges.take().filter(|_| self.open)
    }

    /// Reports readiness of both kinds, whether there is any or not.
    pub(super) fn announce(&mut self) {
        let closed = self.peer_ended || self.reset;
        let edges = self.edges.get_or_insert_default();
        edges.readable = true;
        edges.writable = true;
        edges.closed = closed;
    }

    pub(super) fn fail_next_write(&mut self, fault: Fault) {
        self.faults.push_back(fault);
    }

    pub(super) fn fail_next_shutdown(&mut self, kind: ErrorKind) {
        self.shutdown_fault = Some(kind);
    }

    /// From now on the buffer takes so much, until more room is made.
    pub(super) fn set_room(&mut self, room: usize) {
        self.room = room;
        if room > 0 && std::mem::take(&mut self.full) {
            self.edges.get_or_insert_default().writable = true;
        }
    }

    pub(super) fn has_edges(&self) -> bool {
        self.open && self.edges.is_some()
    }

    pub(super) fn peer_has_ended(&self) -> bool {
        self.peer_ended
    }

    pub(super) fn forget_faults(&mut self) {
        self.faults.clear();
        self.shutdown_fault = None;
    }

    pub(super) fn arrive(&mut self, count: usize) {
        if !self.peer_ended && !self.reset {
            self.arrived += count as u64;
            self.edges.get_or_insert_default().readable = true;
        }
    }

    pub(super) fn end_by_peer(&mut self) {
        if !self.reset {
            self.peer_ended = true;
            let edges = self.edges.get_or_insert_default();
            edges.readable = true;
            edges.closed = true;
        }
    }

    pub(super) fn reset_by_peer(&mut self) {
        self.reset = true;
        self.announce();
    }
}
