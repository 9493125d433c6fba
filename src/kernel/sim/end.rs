//! One end of a connection.

use std::collections::VecDeque;

use super::faults::At;
use super::file::{FileId, Name};
use super::kernel::Kernel;
use super::random::Draw;
use crate::kernel::KeepAliveTimes;

/// An end, for ever: these numbers are not given again.
pub(super) type EndId = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Connecting,
    Open,
    /// Reset, refused or given up.
    Dead,
}

pub(super) struct End {
    pub(super) place: At,
    pub(super) is_tcp: bool,
    pub(super) state: State,
    pub(super) local: Name,
    pub(super) remote: Name,
    pub(super) host: u16,
    /// The other end, until that is known to be gone.
    pub(super) peer: Option<EndId>,
    pub(super) file: Option<u32>,
    /// The listener that it is to join.
    pub(super) listener: Option<FileId>,

    /// What has arrived and was not read.
    pub(super) inbox: VecDeque<u8>,
    pub(super) ended_by_peer: bool,
    pub(super) window: usize,

    /// What was written and has not arrived. Its first bytes are on their way.
    pub(super) outbox: VecDeque<u8>,
    pub(super) on_its_way: usize,
    pub(super) send_buffer: usize,
    /// How much a script lets it take, at most.
    pub(super) allowance: usize,
    /// Closed for writing: the end follows what is in the outbox.
    pub(super) ending: bool,
    pub(super) end_sent: bool,
    /// Somebody has found no room, and is owed an edge when there is some.
    pub(super) no_room: bool,
    /// That edge is on its way.
    pub(super) room_coming: bool,

    /// The error of the next call.
    pub(super) error: i32,
    pub(super) resets: bool,
    pub(super) segments: u64,
    pub(super) writes: u64,
    /// When the link is free again, and when the last segment arrives.
    pub(super) link_free: u64,
    pub(super) last_arrival: u64,
    pub(super) options: Options,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) no_delay: bool,
    pub(super) service: u8,
    pub(super) keep_alive: Option<KeepAliveTimes>,
}

impl End {
    /// A third of the buffer is free: less is not worth an event, as on Linux.
    pub(super) fn has_room(&self) -> bool {
        if self.allowance < usize::MAX {
            return self.room() > 0;
        }
        self.room().saturating_mul(3) >= self.send_buffer
    }

    pub(super) fn room(&self) -> usize {
        let free = self.send_buffer.saturating_sub(self.outbox.len());
        free.min(self.allowance)
    }

    pub(super) fn is_readable(&self) -> bool {
        !self.inbox.is_empty() || self.ended_by_peer || self.error != 0
    }

    /// Nobody will read what arrives here.
    pub(super) fn is_gone(&self) -> bool {
        self.state == State::Dead || self.file.is_none() && self.listener.is_none()
    }

    pub(super) fn forget_outbox(&mut self) {
        self.outbox.clear();
        self.on_its_way = 0;
    }
}

impl Kernel {
    pub(super) fn new_end(
        &mut self,
        place: At,
        is_tcp: bool,
        local: Name,
        remote: Name,
        host: u16,
    ) -> EndId {
        let size = |range, what| self.random.within(range, what, place.0, 0) as usize;
        let send_buffer = size(&self.config.send_buffer, Draw::SendBuffer).max(1);
        let window = size(&self.config.window, Draw::Window).max(1);
        self.ends.push(End {
            place,
            is_tcp,
            state: State::Connecting,
            local,
            remote,
            host,
            peer: None,
            file: None,
            listener: None,
            inbox: VecDeque::new(),
            ended_by_peer: false,
            window,
            outbox: VecDeque::new(),
            on_its_way: 0,
            send_buffer,
            allowance: usize::MAX,
            ending: false,
            end_sent: false,
            no_room: false,
            room_coming: false,
            error: 0,
            resets: false,
            segments: 0,
            writes: 0,
            link_free: 0,
            last_arrival: 0,
            options: Options::default(),
        });
        self.ends.len() as EndId - 1
    }

    pub(super) fn edge_of(&mut self, end: EndId) {
        if let Some(file) = self.ends[end as usize].file {
            self.edge(file);
        }
    }
}
