//! The checks of a running world.

use super::file::FileId;
use super::kernel::Kernel;
use super::random::QuickMap;
use crate::table::Key;

/// So many problems say enough.
const MAX_PROBLEMS: usize = 20;

/// So many turns in a row, in which a loop does not wait and nothing is done, are a spin.
const IDLE_TURNS: u32 = 8;

#[derive(Default)]
pub(super) struct Witness {
    pub(super) problems: Vec<String>,
    /// The files that a poll has reported since the last check that somebody has acted on them.
    pub(super) suspects: Vec<FileId>,
    /// By host and key.
    sockets: QuickMap<(u16, usize), Record>,
    /// What has been called or emitted so far.
    done: u64,
    /// By host: what had been done at its last poll, and for how many polls that was so.
    idle: Vec<(u64, u32)>,
    pub(super) is_off: bool,
}

/// The events that a socket has emitted, as far as they decide about later ones.
#[derive(Clone, Copy, Default)]
struct Record {
    end: bool,
    close: bool,
    /// A write has answered that there is too much, and no `Drain` has come since.
    refused: bool,
    callbacks: Callbacks,
}

/// Those of its writes and ends, over all of its lives.
#[derive(Clone, Copy, Default)]
struct Callbacks {
    made: u32,
    called: u32,
    /// The last that has succeeded.
    last: u32,
}

impl Kernel {
    pub(super) fn problem(&mut self, what: &str) {
        let at = self.now as f64 / 1e9;
        self.note(|| format!("problem: {what}"));
        if self.witness.problems.len() < MAX_PROBLEMS {
            let host = self.host_label(self.here);
            self.witness
                .problems
                .push(format!("at {at:.6} s on {host}: {what}"));
        }
    }

    /// The user's code is about to be called.
    pub(super) fn called(&mut self) {
        self.witness.done += 1;
    }

    /// Listeners of a socket or a server are about to be called.
    pub(super) fn emitted(&mut self, event: &'static str, kind: &'static str, key: Key) {
        self.witness.done += 1;
        let name = event.rfind(':').map_or(event, |at| &event[at + 1..]);
        self.stir_digest(key.to_bits() as u64 ^ (name.len() as u64) << 40);
        self.note(|| format!("{kind} {key:?}: {name}"));
        if kind != "Socket" || self.witness.is_off {
            return;
        }
        self.balance(key, name);
        let record = self
            .witness
            .sockets
            .entry((self.here, key.to_bits()))
            .or_default();
        let wrong = match name {
            "Close" => std::mem::replace(&mut record.close, true),
            "End" => std::mem::replace(&mut record.end, true) || record.close,
            "Data" | "Text" => record.end || record.close,
            // The program, or a pipe to it, does these to a socket.
            "Pipe" | "Unpipe" | "Pause" | "Resume" | "NewListener" | "RemoveListener" => false,
            _ => record.close,
        };
        let is_undue = name == "Drain" && !std::mem::take(&mut record.refused);
        if wrong {
            self.problem(&format!(
                "socket {key:?} emits {name} after its end or `Close`"
            ));
        }
        if is_undue {
            self.problem(&format!(
                "socket {key:?} emits Drain though no write has answered false"
            ));
        }
    }

    fn record(&mut self, key: Key) -> Option<&mut Record> {
        if self.witness.is_off {
            return None;
        }
        let at = (self.here, key.to_bits());
        Some(self.witness.sockets.entry(at).or_default())
    }

    /// A socket that has closed can be connected again.
    pub(super) fn connects(&mut self, key: Key) {
        if let Some(record) = self.record(key).filter(|record| record.close) {
            *record = Record {
                callbacks: record.callbacks,
                ..Record::default()
            };
        }
    }

    /// A write has answered that there is too much.
    pub(super) fn refused(&mut self, key: Key) {
        if let Some(record) = self.record(key) {
            record.refused = true;
        }
    }

    /// The number of a callback that a write or an end is given.
    pub(super) fn promised(&mut self, key: Key) -> u32 {
        self.record(key).map_or(0, |record| {
            record.callbacks.made += 1;
            record.callbacks.made
        })
    }

    /// A callback is about to be called.
    pub(super) fn called_back(&mut self, key: Key, number: u32, is_ok: bool) {
        let Some(record) = self.record(key) else {
            return;
        };
        let callbacks = &mut record.callbacks;
        callbacks.called += 1;
        let is_late = is_ok && number < callbacks.last;
        if is_ok {
            callbacks.last = number;
        }
        if is_late {
            self.problem(&format!(
                "socket {key:?} calls the callback of write {number} after that of a later one"
            ));
        }
    }

    /// Those who wait for a callback when nothing will happen any more, of sockets that have closed.
    pub(super) fn look_for_lost_callbacks(&mut self) {
        let records = self.witness.sockets.iter();
        let lost: Vec<_> = records
            .filter(|(_, record)| record.close && record.callbacks.called < record.callbacks.made)
            .map(|((host, key), record)| (*host, *key, record.callbacks))
            .collect();
        for (host, key, callbacks) in lost {
            let here = std::mem::replace(&mut self.here, host);
            let (key, lost) = (Key::from_bits(key), callbacks.made - callbacks.called);
            self.problem(&format!(
                "socket {key:?} has closed, and {lost} callbacks of its writes were not called"
            ));
            self.here = here;
        }
    }

    /// A loop polls, perhaps without waiting. True if the world has to stop.
    pub(super) fn turns(&mut self, host: u16, waits: bool) -> bool {
        self.account.turns += 1;
        let too_many = self.account.turns > self.config.max_turns;
        if too_many || self.now > self.config.max_time {
            if !self.stalled {
                let turns = self.account.turns;
                let elapsed = std::time::Duration::from_nanos(self.now);
                self.problem(&format!(
                    "still running after {turns} turns and {elapsed:?}"
                ));
            }
            self.stalled = true;
            return true;
        }
        if std::mem::take(&mut self.hosts[usize::from(host)].lacks_spare) {
            self.problem("the spare descriptor was given up, and no other is kept");
        }
        let done = self.witness.done + self.account.calls;
        if self.witness.idle.len() <= usize::from(host) {
            self.witness.idle.resize(usize::from(host) + 1, (0, 0));
        }
        let (before, turns) = &mut self.witness.idle[usize::from(host)];
        // The poll itself is a call.
        let is_idle = !waits && done <= *before + 1;
        *turns = if is_idle { *turns + 1 } else { 0 };
        *before = done;
        if *turns == IDLE_TURNS {
            self.problem("the loop spins: it does not wait, and does nothing");
        }
        false
    }
}
