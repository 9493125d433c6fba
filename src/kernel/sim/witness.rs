//! What is checked while a world runs.

use std::collections::HashMap;

use super::file::FileId;
use super::kernel::Kernel;
use crate::table::Key;

/// So many problems say enough.
const MAX_PROBLEMS: usize = 20;

/// So many turns in a row, in which a loop does not wait and nothing is done, are a spin.
const IDLE_TURNS: u32 = 8;

#[derive(Default)]
pub(super) struct Witness {
    pub(super) problems: Vec<String>,
    /// What a poll has told of since somebody last looked whether it was heard.
    pub(super) suspects: Vec<FileId>,
    /// By host and key.
    sockets: HashMap<(u16, usize), Told>,
    /// What has been called or emitted so far.
    done: u64,
    /// By host: what had been done at its last poll, and for how many polls that was so.
    idle: Vec<(u64, u32)>,
    pub(super) is_off: bool,
}

/// What the listeners of a socket have been told.
#[derive(Clone, Copy, Default)]
struct Told {
    end: bool,
    close: bool,
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

    /// The user's code is called.
    pub(super) fn called(&mut self) {
        self.witness.done += 1;
    }

    /// A socket's or server's listeners are called.
    pub(super) fn emitted(&mut self, event: &'static str, kind: &'static str, key: Key) {
        self.witness.done += 1;
        let name = event.rsplit("::").next().unwrap_or(event);
        self.stir_digest(key.to_bits() as u64 ^ (name.len() as u64) << 40);
        self.note(|| format!("{kind} {key:?}: {name}"));
        if kind != "Socket" || self.witness.is_off {
            return;
        }
        self.balance(key, name);
        let told = self
            .witness
            .sockets
            .entry((self.here, key.to_bits()))
            .or_default();
        let wrong = match name {
            // A socket that has closed can be connected again.
            "ConnectionAttempt" | "Lookup" => {
                if told.close {
                    *told = Told::default();
                }
                false
            }
            "Close" => std::mem::replace(&mut told.close, true),
            "End" => std::mem::replace(&mut told.end, true) || told.close,
            "Data" | "Text" => told.end || told.close,
            // The program, or a pipe to it, does these to a socket.
            "Pipe" | "Unpipe" | "Pause" | "Resume" | "NewListener" | "RemoveListener" => false,
            _ => told.close,
        };
        if wrong {
            self.problem(&format!(
                "socket {key:?} emits {name} after its end or `Close`"
            ));
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
