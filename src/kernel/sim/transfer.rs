//! Bytes between two ends: reading, writing, and the way of a segment.
//!
//! What an end has written stays in its outbox until it has arrived; an event says when so much of it
//! does. So no order can break, a reset forgets what is on its way, and bytes are copied once.

use std::collections::VecDeque;
use std::io::IoSlice;

use super::connecting::HEADER;
use super::end::{EndId, State};
use super::errno::*;
use super::faults::{Call, Spot};
use super::file::{Name, Open};
use super::kernel::Kernel;
use super::random::Draw;
use super::schedule::What;

/// How much later a segment arrives that was lost once, in ns.
const RETRANSMISSION: u64 = 200_000_000;

/// The longest pause between two segments of a stream that is cut, in ns.
const GAP: u64 = 20_000;

/// How long memory is short for at least, and how much longer at most, in ns.
const SHORTAGE: (u64, u64) = (10_000, 1_000_000);

/// The longest segment where streams are not cut.
const LONG_SEGMENT: usize = 64 * 1024;

impl Kernel {
    pub(super) fn stream(&mut self, file: u32) -> Result<EndId, i32> {
        match &self.file(file)?.what {
            Open::Stream(end) => Ok(*end),
            _ => Err(ENOTCONN),
        }
    }

    pub(super) fn read(&mut self, file: u32, buffer: &mut [u8]) -> Result<usize, i32> {
        let entered = self.enter(Call::Read, Some(file));
        let id = self.stream(file)?;
        if let Err(number) = entered {
            return Err(self.broken(id, number));
        }
        let end = &mut self.ends[id as usize];
        let answer = if end.state == State::Connecting {
            Err(EAGAIN)
        } else if !end.inbox.is_empty() {
            // Never less than there is: the driver relies on that, as it may on Linux.
            let count = buffer.len().min(end.inbox.len());
            move_front(&mut end.inbox, count, |part, at| {
                buffer[at..at + part.len()].copy_from_slice(part);
            });
            Ok(count)
        } else if end.error != 0 {
            Err(std::mem::take(&mut end.error))
        } else if end.ended_by_peer || end.state == State::Dead {
            Ok(0)
        } else {
            Err(EAGAIN)
        };
        self.seal(Call::Read, file, answer);
        self.note_answer("read", file, answer);
        if let Ok(1..) = answer {
            self.window_opens(id);
        }
        answer
    }

    pub(super) fn write(&mut self, file: u32, slices: &[IoSlice<'_>]) -> Result<usize, i32> {
        let entered = self.enter(Call::Write, Some(file));
        let id = self.stream(file)?;
        if let Err(number) = entered {
            return Err(self.broken(id, number));
        }
        let answer = self.take(id, slices);
        self.seal(Call::Write, file, answer);
        self.note_answer("write", file, answer);
        if answer.is_ok() {
            self.pump(id);
        }
        answer
    }

    fn note_answer(&mut self, call: &str, file: u32, answer: Result<usize, i32>) {
        if self.account.trace.is_some() {
            let label = self.file_label(file);
            self.note(|| match answer {
                Ok(count) => format!("{call} {label} → {count}"),
                Err(number) => format!("{call} {label} → {}", name(number)),
            });
        }
    }

    /// Takes what there is room for into the outbox.
    fn take(&mut self, id: EndId, slices: &[IoSlice<'_>]) -> Result<usize, i32> {
        let end = &mut self.ends[id as usize];
        match end.state {
            State::Connecting => return Err(EAGAIN),
            State::Dead if end.error != 0 => return Err(std::mem::take(&mut end.error)),
            State::Dead => return Err(EPIPE),
            State::Open if end.ending => {
                self.wrong_of(id, "writes after it has sent its end");
                return Err(EPIPE);
            }
            State::Open if end.peer.is_none() && !end.is_tcp => return Err(EPIPE),
            State::Open => {}
        }
        let (place, nth) = (end.place, end.writes);
        end.writes += 1;
        let most = match &self.config.write_at_most {
            Some(range) => self.random.within(range, Draw::WriteAtMost, place.0, nth) as usize,
            None => usize::MAX,
        };
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let scripted = self.short_by_script(id);
        let end = &mut self.ends[id as usize];
        let room = end.room();
        let count = offered.min(room).min(most.max(1));
        let count = count.min(scripted.unwrap_or(usize::MAX));
        end.no_room |= count < offered;
        // A script says when there is room again.
        end.room_coming |= scripted.is_some() && count < offered;
        if count == 0 && offered > 0 {
            return Err(EAGAIN);
        }
        let mut left = count;
        for slice in slices {
            let taken = left.min(slice.len());
            end.outbox.extend(&slice[..taken]);
            left -= taken;
        }
        self.account.bytes += count as u64;
        if end.allowance < usize::MAX {
            end.allowance -= count;
        }
        #[cfg(any(test, fuzzing, feature = "fuzzing"))]
        self.taken_by_script(id, count);
        if count < offered && count < room && scripted.is_none() {
            // Memory is short for a moment, and an edge is owed when it no longer is.
            let end = self.end(id);
            end.room_coming = true;
            let (least, most) = SHORTAGE;
            let shortage = least + self.random.at(Draw::MemoryShort, place.0, nth) % most;
            self.schedule
                .at(self.now.saturating_add(shortage), What::Room(id));
        }
        Ok(count)
    }

    /// A mistake of the loop whose end this is.
    pub(super) fn wrong_of(&mut self, id: EndId, what: &str) {
        let place = self.ends[id as usize].place;
        if !self.hosts[usize::from(self.here)].has_no_loop() {
            let place = place.named(|host| self.hosts[usize::from(host)].name());
            self.problem(&format!("{place} {what}"));
        }
    }

    #[cfg(not(any(test, fuzzing, feature = "fuzzing")))]
    fn short_by_script(&mut self, _end: EndId) -> Option<usize> {
        None
    }

    /// A reader has made room: the peer may send more.
    fn window_opens(&mut self, id: EndId) {
        let Some(peer) = self.ends[id as usize].peer else {
            return;
        };
        let sender = &self.ends[peer as usize];
        if sender.on_its_way < sender.outbox.len() || !sender.is_tcp && sender.no_room {
            self.send(id, HEADER, What::Window(peer));
        }
    }

    /// Sends what the peer's window has room for, and the end after the last byte.
    pub(super) fn pump(&mut self, id: EndId) {
        loop {
            let end = &self.ends[id as usize];
            let Some(peer) = end.peer.filter(|_| end.state == State::Open) else {
                return;
            };
            let unsent = end.outbox.len() - end.on_its_way;
            if unsent == 0 {
                break;
            }
            let receiver = &self.ends[peer as usize];
            let used = receiver.inbox.len() + end.on_its_way;
            // Nobody keeps what comes to one who has gone: the first segment is answered by a reset.
            let window = match receiver.is_gone() {
                true => unsent,
                false => receiver.window.saturating_sub(used),
            };
            if window == 0 {
                return;
            }
            let most = match &self.config.segments {
                Some(range) if end.is_tcp => {
                    let (place, nth) = (end.place.0, end.segments);
                    self.random.within(range, Draw::Segment, place, nth) as usize
                }
                _ => LONG_SEGMENT,
            };
            let len = unsent.min(window).min(most.max(1));
            self.end(id).on_its_way += len;
            self.send(id, len, What::Segment(id, len as u32));
        }
        let end = self.end(id);
        if end.ending && !end.end_sent {
            end.end_sent = true;
            self.send(id, HEADER, What::Fin(id));
        }
    }

    /// Bytes of an end arrive at its peer.
    pub(super) fn segment(&mut self, from: EndId, len: usize) {
        let sender = &mut self.ends[from as usize];
        let Some(peer) = sender.peer else { return };
        if sender.on_its_way < len || sender.outbox.len() < len {
            // A reset has forgotten them.
            return;
        }
        sender.on_its_way -= len;
        let mut outbox = std::mem::take(&mut sender.outbox);
        let receiver = &mut self.ends[peer as usize];
        if receiver.is_gone() {
            outbox.drain(..len);
            self.end(from).outbox = outbox;
            return self.send(peer, HEADER, What::Reset(from));
        }
        if receiver.inbox.is_empty() && outbox.len() == len {
            std::mem::swap(&mut receiver.inbox, &mut outbox);
        } else {
            move_front(&mut outbox, len, |part, _| receiver.inbox.extend(part));
        }
        let sender = self.end(from);
        sender.outbox = outbox;
        if sender.no_room && !sender.room_coming && sender.has_room() {
            sender.room_coming = true;
            // With the acknowledgement.
            self.send(peer, HEADER, What::Room(from));
        }
        self.edge_of(peer);
    }

    /// When something that leaves now arrives; `None` for at once.
    pub(super) fn arrival(&mut self, from: EndId, bytes: usize) -> Option<u64> {
        let now = self.now;
        let end = &self.ends[from as usize];
        let (place, nth, is_tcp) = (end.place, end.segments, end.is_tcp);
        let is_late = self.fault_of_segment(from) == Some(LATE);
        let config = &self.config;
        let latency = self
            .random
            .within(&config.latency, Draw::Latency, place.0, nth);
        let gap = match config.segments {
            Some(_) => self.random.at(Draw::Gap, place.0, nth) % GAP,
            None => 0,
        };
        let bandwidth = config.bandwidth;
        let is_loopback = *config.latency.end() == 0 && bandwidth == 0 && config.segments.is_none();
        let end = self.end(from);
        end.segments += 1;
        if !is_tcp || is_loopback && end.last_arrival <= now && !is_late {
            return None;
        }
        let mut leaves = end.link_free.max(now);
        if let Some(takes) = (bytes as u64 * 1_000_000_000).checked_div(bandwidth) {
            leaves += takes;
            end.link_free = leaves;
        }
        let late = if is_late { RETRANSMISSION } else { 0 };
        let arrives = leaves.saturating_add(latency).saturating_add(gap + late);
        end.last_arrival = end.last_arrival.max(arrives);
        Some(end.last_arrival)
    }

    fn fault_of_segment(&mut self, from: EndId) -> Option<i32> {
        if !self.decides_segments() {
            return None;
        }
        let end = &self.ends[from as usize];
        if !end.is_tcp || end.state != State::Open {
            return None;
        }
        let (at, nth, peer) = (end.place, end.segments as u32, end.peer);
        let call = Call::Segment;
        let fault = self.decide(Spot { call, at, nth })?;
        if fault == RESET {
            // Somebody in between has forgotten the connection.
            for end in [Some(from), peer].into_iter().flatten() {
                self.schedule
                    .at(self.now.saturating_add(1), What::Reset(end));
            }
        }
        Some(fault)
    }

    /// Whether a partition is in the way.
    pub(super) fn is_held(&self, from: EndId) -> bool {
        let end = &self.ends[from as usize];
        match (&end.local, &end.remote) {
            (Name::Ip(a), Name::Ip(b)) => self.is_cut_off(a.ip(), b.ip()),
            _ => false,
        }
    }

    /// Sends something from an end to its peer.
    pub(super) fn send(&mut self, from: EndId, bytes: usize, what: What) {
        if self.is_held(from) {
            self.held.push((from, what));
            if matches!(what, What::Segment(..) | What::Fin(_) | What::Joined(_)) {
                let at = self.now.saturating_add(self.config.gives_up_after);
                self.schedule.at(at, What::GivesUp(from, self.healings));
            }
            return;
        }
        match self.arrival(from, bytes) {
            None => self.happens(what),
            Some(at) => self.schedule.at(at, what),
        }
    }
}

/// Takes the first `count` bytes out, in at most two parts; each is handed on with what came before it.
fn move_front(bytes: &mut VecDeque<u8>, count: usize, mut part: impl FnMut(&[u8], usize)) {
    let (first, second) = bytes.as_slices();
    let of_first = first.len().min(count);
    part(&first[..of_first], 0);
    part(&second[..count - of_first], of_first);
    bytes.drain(..count);
}
