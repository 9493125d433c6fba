//! Polling: edges of files, and the events that a poll reports.
//!
//! As epoll with edge triggering: a file is queued when something about it changes, and when it is
//! watched. The event reports its state at the poll, not at the change.

use super::end::State;
use super::errno::{EEXIST, ENOENT};
use super::faults::Call;
use super::file::{FileId, Open};
use super::kernel::Kernel;
use super::random::Draw;
use crate::kernel::Ready;
use crate::table::Key;

/// As the real poller's.
const BATCH: usize = 1024;

/// A listener that has connections is asked for them at least so often, though accepting may rest.
const ASKED_WITHIN: u64 = 5_000_000_000;

/// A watched file that a poll has reported, and will not report again.
pub(super) struct Suspect {
    pub(super) host: u16,
    pub(super) token: usize,
    /// What it has for a loop that has not come for it.
    pub(super) what: Option<Waiting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Bytes, the end, an error; a connection.
    ToRead,
    Room,
    Both,
    /// Nobody has asked a listener for its connections for too long.
    Unasked,
}

impl Kernel {
    pub(super) fn watch(&mut self, file: u32, token: Option<usize>) -> Result<(), i32> {
        if token.is_some() {
            self.enter(Call::Watch, Some(file))?;
        }
        match (token, self.file(file)?.token) {
            (Some(_), Some(_)) => return Err(EEXIST),
            (None, None) => return Err(ENOENT),
            _ => self.file(file)?.token = token,
        }
        if token.is_some() {
            self.edge(file);
        }
        Ok(())
    }

    /// Something about a file has changed: the next poll reports it.
    pub(super) fn edge(&mut self, number: u32) {
        let Some(file) = self.files.at_mut(number) else {
            return;
        };
        if file.token.is_some() && !file.queued {
            file.queued = true;
            let ordinal = file.ordinal;
            self.hosts[usize::from(file.host)]
                .ready
                .push_back(FileId { number, ordinal });
        }
    }

    pub(super) fn has_events(&self, host: u16) -> bool {
        let host = &self.hosts[usize::from(host)];
        !host.has_no_loop() && (host.bell.is_rung() || !host.ready.is_empty())
    }

    /// Adds a host's events to its batch, and returns how many.
    pub(super) fn take_events(&mut self, host: u16, batch: &mut Vec<(Key, Ready)>) -> usize {
        let before = batch.len();
        if self.hosts[usize::from(host)].bell.take() {
            let woken = Ready {
                readable: true,
                writable: false,
                closed: false,
            };
            batch.push((Key::RESERVED, woken));
        }
        let spurious = self.config.spurious;
        // Not where nothing is drawn any more.
        if spurious > 0 && self.random.next(Draw::Spurious) % spurious == spurious - 1 {
            self.stir(host);
        }
        for _ in 0..BATCH {
            let Some(id) = self.hosts[usize::from(host)].ready.pop_front() else {
                break;
            };
            if let Some(event) = self.event_of(id) {
                batch.push(event);
            }
        }
        if self.config.shuffled {
            for index in (before + 1..batch.len()).rev() {
                let choices = (index - before + 1) as u64;
                let other = before + (self.random.next(Draw::Shuffle) % choices) as usize;
                batch.swap(index, other);
            }
        }
        batch.len() - before
    }

    fn event_of(&mut self, id: FileId) -> Option<(Key, Ready)> {
        let file = self.files.get_mut(id)?;
        file.queued = false;
        let token = file.token?;
        if !std::mem::replace(&mut file.suspected, true) {
            self.witness.suspects.push(id);
        }
        let ready = self.readiness(id.number)?;
        let bits = usize::from(ready.readable) << 2
            | usize::from(ready.writable) << 1
            | usize::from(ready.closed);
        self.seal(Call::Wait, id.number, Ok(bits));
        self.note_ready(id.number, ready);
        Some((Key::from_bits(token), ready))
    }

    fn note_ready(&mut self, file: u32, ready: Ready) {
        if self.account.trace.is_none() {
            return;
        }
        let label = self.file_label(file);
        let flags = [
            (ready.readable, "readable"),
            (ready.writable, "writable"),
            (ready.closed, "closed"),
        ];
        let words: Vec<&str> = flags
            .into_iter()
            .filter_map(|(on, word)| on.then_some(word))
            .collect();
        self.note(|| format!("poll {label}: {}", words.join(" ")));
    }

    /// An event that reports nothing new.
    fn stir(&mut self, host: u16) {
        let count = self.files.len() as u64;
        if count == 0 {
            return;
        }
        let file = (self.random.next(Draw::SpuriousFile) % count) as u32;
        if self.files.at(file).is_some_and(|file| file.host == host) {
            self.edge(file);
        }
    }

    fn readiness(&mut self, file: u32) -> Option<Ready> {
        match &self.files.at(file)?.what {
            Open::Listening(listening) => (!listening.queue.is_empty()).then_some(Ready {
                readable: true,
                writable: false,
                closed: false,
            }),
            Open::Stream(end) => self.readiness_of(*end),
            Open::Fresh(_) => Some(Ready {
                readable: false,
                writable: true,
                closed: true,
            }),
            Open::Spare => None,
        }
    }

    fn readiness_of(&mut self, end: u32) -> Option<Ready> {
        let end = self.end(end);
        match end.state {
            State::Connecting => None,
            State::Dead => Some(Ready {
                readable: true,
                writable: true,
                closed: true,
            }),
            State::Open => {
                let has_room = end.has_room();
                // Linux owes an edge for room that was not there when somebody looked.
                end.no_room |= !has_room;
                let ready = Ready {
                    readable: end.is_readable(),
                    writable: has_room || end.ending || end.error != 0,
                    closed: end.ended_by_peer || end.error != 0,
                };
                (ready.readable || ready.writable).then_some(ready)
            }
        }
    }

    /// What a file has: something to be read, room to write.
    pub(super) fn waiting(&self, file: u32) -> (bool, bool) {
        match self.files.at(file).map(|file| &file.what) {
            Some(Open::Stream(end)) => {
                let end = &self.ends[*end as usize];
                let is_there = end.is_readable() || end.state == State::Dead;
                (
                    is_there && end.state != State::Connecting,
                    end.state == State::Open && !end.no_room && end.has_room(),
                )
            }
            Some(Open::Listening(listening)) => (!listening.queue.is_empty(), false),
            _ => (false, false),
        }
    }

    /// The watched files that a poll has reported since the last time, and those that were left unread, with
    /// what they have. `next` is when something happens again.
    pub(super) fn suspects(&mut self, next: Option<u64>) -> Vec<Suspect> {
        let mut there = Vec::new();
        let mut suspects = std::mem::take(&mut self.witness.suspects);
        suspects.retain(|id| {
            let Some(file) = self.files.get(*id) else {
                return false;
            };
            let (readable, room) = self.waiting(id.number);
            if let Some(token) = file.token.filter(|_| !file.queued) {
                let unasked_for_long = match &file.what {
                    Open::Listening(listening) => {
                        next.is_none_or(|next| next > listening.unasked_since + ASKED_WITHIN)
                    }
                    _ => false,
                };
                let what = match (readable, room) {
                    (true, _) if unasked_for_long => Some(Waiting::Unasked),
                    (true, true) => Some(Waiting::Both),
                    (true, false) => Some(Waiting::ToRead),
                    (false, true) => Some(Waiting::Room),
                    (false, false) => None,
                };
                let host = file.host;
                there.push(Suspect { host, token, what });
            }
            if !readable && let Some(file) = self.files.get_mut(*id) {
                file.suspected = false;
            }
            readable
        });
        self.witness.suspects = suspects;
        there
    }
}
