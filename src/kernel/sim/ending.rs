//! How connections end: in order, by a reset, by being given up; and what stops them on their way.

use std::net::IpAddr;

use super::connecting::HEADER;
use super::end::{EndId, State};
use super::errno::*;
use super::faults::Call;
use super::file::{Name, Open};
use super::kernel::Kernel;
use super::random::Draw;
use super::schedule::What;
use crate::kernel::{KeepAliveTimes, Setting};

/// What was held by a partition arrives so long after it was healed, and at most so much later, in ns.
const AFTER_HEALING: (u64, u64) = (200_000_000, 1_000_000_000);

/// Linux's own times for probes.
const PROBES: KeepAliveTimes = KeepAliveTimes {
    delay: std::time::Duration::from_secs(7_200),
    interval: std::time::Duration::from_secs(75),
    count: 9,
};

impl Kernel {
    pub(super) fn happens(&mut self, what: What) {
        match what {
            What::Syn(end, attempt) => self.request(end, attempt),
            What::Answer(end, is_accepted) => self.answer(end, is_accepted),
            What::Joined(end) => self.join(end),
            What::Segment(from, len) => self.segment(from, len as usize),
            What::Fin(from) => {
                if let Some(peer) = self.ends[from as usize].peer
                    && self.ends[peer as usize].state != State::Dead
                {
                    self.end(peer).ended_by_peer = true;
                    self.edge_of(peer);
                }
            }
            What::Reset(end) => self.reset(end, None),
            What::Room(end) => {
                let sender = self.end(end);
                sender.room_coming = false;
                sender.no_room = false;
                self.edge_of(end);
            }
            What::Window(end) => self.pump(end),
            What::GivesUp(end, healings) => {
                if healings == self.healings && self.is_held(end) {
                    self.reset(end, Some(ETIMEDOUT));
                }
            }
        }
    }

    /// A reset has arrived, or the connection is given up. What was received can still be read.
    fn reset(&mut self, id: EndId, number: Option<i32>) {
        let end = self.end(id);
        if end.state == State::Dead {
            return;
        }
        end.error = match number {
            Some(number) => number,
            None if end.state == State::Connecting => ECONNREFUSED,
            None if end.ended_by_peer => EPIPE,
            None => ECONNRESET,
        };
        end.state = State::Dead;
        end.forget_outbox();
        // One that waits for an accept stays in its queue, as on Linux.
        self.edge_of(id);
    }

    /// A call fails: an error of the connection ends it for both ends.
    pub(super) fn broken(&mut self, id: EndId, number: i32) -> i32 {
        if matches!(number, ECONNRESET | ETIMEDOUT | EHOSTUNREACH | EPIPE) {
            self.dies(id, Some(number));
            self.end(id).error = 0;
        }
        number
    }

    /// The connection is no more.
    fn dies(&mut self, id: EndId, number: Option<i32>) {
        if let Some(peer) = self.ends[id as usize].peer {
            self.send(id, HEADER, What::Reset(peer));
        }
        self.reset(id, number);
    }

    pub(super) fn shutdown(&mut self, file: u32) -> Result<(), i32> {
        let entered = self.enter(Call::Shutdown, Some(file));
        let id = self.stream(file)?;
        match entered {
            Ok(()) => {}
            // It is said of a connection that is no more, and of no other.
            Err(ENOTCONN) => self.dies(id, None),
            Err(number) => return Err(number),
        }
        let end = self.end(id);
        if end.state != State::Open {
            return Err(ENOTCONN);
        }
        if end.ending {
            self.wrong_of(id, "is shut down a second time");
        }
        let end = self.end(id);
        end.ending = true;
        self.seal(Call::Shutdown, file, Ok(0));
        if self.account.trace.is_some() {
            let label = self.file_label(file);
            self.note(|| format!("shutdown {label}"));
        }
        self.pump(id);
        if self.ends[id as usize].ended_by_peer {
            // Both halves are over, which is an event of its own.
            self.edge_of(id);
        }
        Ok(())
    }

    /// `SO_ERROR`.
    pub(super) fn take_error(&mut self, file: u32) -> Result<i32, i32> {
        self.enter(Call::SocketError, Some(file))?;
        let end = self.stream(file)?;
        Ok(std::mem::take(&mut self.end(end).error))
    }

    /// `getpeername(2)`.
    pub(super) fn peer_name(&mut self, file: u32) -> Result<Name, i32> {
        let entered = self.enter(Call::PeerName, Some(file));
        let end = self.stream(file)?;
        match entered {
            Ok(()) => {}
            Err(ENOTCONN) => self.dies(end, None),
            Err(number) => return Err(number),
        }
        let end = &self.ends[end as usize];
        match end.state {
            State::Open => Ok(end.remote.clone()),
            _ => Err(ENOTCONN),
        }
    }

    pub(super) fn set(&mut self, file: u32, setting: Setting) -> Result<(), i32> {
        self.enter(Call::Set, Some(file))?;
        let Open::Stream(id) = self.file(file)?.what else {
            return Err(EINVAL);
        };
        let options = &mut self.end(id).options;
        match setting {
            Setting::NoDelay(on) => options.no_delay = on,
            Setting::TypeOfService(service) | Setting::TrafficClass(service) => {
                // The two bits of congestion notification are TCP's own.
                options.service = service & !3;
            }
            Setting::KeepAlive(on, times) => {
                options.keep_alive = on.then_some(times.unwrap_or(PROBES));
                self.probe(id);
            }
            Setting::ResetOnClose => self.end(id).resets = true,
        }
        self.note(|| format!("setsockopt #{file} {setting:?}"));
        Ok(())
    }

    pub(super) fn type_of_service(&mut self, file: u32) -> Result<u8, i32> {
        let end = self.stream(file)?;
        Ok(self.ends[end as usize].options.service)
    }

    /// Probes have answers unless a partition is in the way: only then is there something to come.
    fn probe(&mut self, id: EndId) {
        let end = &self.ends[id as usize];
        let Some(times) = end.options.keep_alive else {
            return;
        };
        if end.state != State::Open || end.file.is_none() || !self.is_held(id) {
            return;
        }
        let probes = times.interval.saturating_mul(times.count);
        let silence = times.delay.saturating_add(probes).as_nanos();
        let silence = u64::try_from(silence).unwrap_or(u64::MAX);
        let at = self.now.saturating_add(silence);
        let healings = self.healings;
        self.schedule.at(at, What::GivesUp(id, healings));
    }

    pub(super) fn partition(&mut self, left: Vec<IpAddr>, right: Vec<IpAddr>) {
        self.note(|| format!("partition: {left:?} | {right:?}"));
        self.partitions.push((left, right));
        for id in 0..self.ends.len() as EndId {
            self.probe(id);
        }
    }

    /// The partitions are gone. What they held goes out again.
    pub(super) fn heal(&mut self) {
        self.note(|| String::from("heal"));
        self.partitions.clear();
        self.healings += 1;
        let (least, most) = AFTER_HEALING;
        for (from, what) in std::mem::take(&mut self.held) {
            let wait = least + self.random.next(Draw::Healing) % most;
            let at = self
                .now
                .saturating_add(wait)
                .max(self.ends[from as usize].last_arrival);
            self.end(from).last_arrival = at;
            self.schedule.at(at, what);
        }
    }

    pub(super) fn close_end(&mut self, id: EndId) {
        let end = self.end(id);
        end.file = None;
        end.listener = None;
        let is_unread = !end.inbox.is_empty();
        match end.state {
            State::Dead => {}
            State::Connecting => end.state = State::Dead,
            State::Open if !end.is_tcp => {
                end.state = State::Dead;
                let rest = std::mem::take(&mut end.outbox);
                end.on_its_way = 0;
                let Some(peer) = end.peer else { return };
                let other = self.end(peer);
                other.inbox.extend(rest);
                other.peer = None;
                other.ended_by_peer = true;
                if is_unread {
                    other.error = ECONNRESET;
                }
                self.edge_of(peer);
            }
            State::Open if end.resets || is_unread => {
                end.state = State::Dead;
                end.forget_outbox();
                if let Some(peer) = end.peer {
                    self.send(id, HEADER, What::Reset(peer));
                }
            }
            // The rest and the end still go out, with nobody there.
            State::Open => {
                end.ending = true;
                self.pump(id);
            }
        }
    }
}
