//! What has happened in a world.

use std::fmt::Write;
use std::time::Duration;

use crate::kernel::sim::fault::{Fault, Site};
use crate::kernel::sim::world::Remains;

/// What has happened in a [`World`](super::World), and what was wrong with it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "`check` says whether anything was wrong"]
pub struct Report {
    /// What the world was determined by.
    pub seed: u64,
    /// How long it took, by its own clock.
    pub elapsed: Duration,
    /// Calls of its kernel.
    pub calls: u64,
    /// Turns of its loops.
    pub turns: u64,
    /// Connections begun.
    pub connections: u64,
    /// Bytes that the kernel took.
    pub bytes: u64,
    /// A fingerprint of all that was asked, answered and emitted. Over many seeds, it shows with one number that
    /// a refactoring has changed nothing.
    pub digest: u64,
    /// What went wrong in the kernel and on the network, as was asked for.
    pub faults: Vec<Fault>,
    /// What the program's run ended with, if that was an error.
    pub error: Option<crate::Error>,
    /// What must never be, and what was said [always](super::World::always) to be.
    pub problems: Vec<String>,
    /// What kept the main loop alive though nothing would ever have happened any more: whoever waits there
    /// waits in vain.
    pub stuck: Vec<String>,
    /// What was not closed, and nobody waits for: sockets and servers of other hosts, those that were
    /// [`unref`](crate::net::Socket::unref)ed, and such timers.
    pub left: Vec<String>,
    /// What happened, line by line, if that was [asked for](super::World::traced).
    pub trace: Vec<String>,
    pub(super) census: Vec<Site>,
}

/// Lines of the trace that a failed check shows.
const LAST_LINES: usize = 40;

/// Faults that it shows.
const FIRST_FAULTS: usize = 40;

impl Report {
    pub(super) fn of(seed: u64) -> Report {
        Report {
            seed,
            ..Report::default()
        }
    }

    pub(super) fn fill_in(&mut self, remains: Remains, is_done: bool) {
        let totals = remains.totals;
        self.elapsed = remains.elapsed;
        self.calls = totals.calls;
        self.turns = totals.turns;
        self.connections = totals.connections;
        self.bytes = totals.bytes;
        self.digest = totals.digest;
        self.faults = totals.faults;
        self.trace = totals.trace.unwrap_or_default();
        self.census = totals.census.unwrap_or_default();
        self.problems.extend(remains.problems);
        if is_done {
            let leaks = remains.leaks.iter();
            self.problems
                .extend(leaks.map(|what| format!("leaked: {what}")));
        }
    }

    /// Whether nothing was wrong: no problem, nobody stuck, no error.
    pub fn is_fine(&self) -> bool {
        self.problems.is_empty() && self.stuck.is_empty() && self.error.is_none()
    }

    /// Panics unless [all was fine](Report::is_fine), with the reasons, the faults, the end of the trace and
    /// how to run it again.
    ///
    /// # Panics
    ///
    /// See above.
    #[track_caller]
    pub fn check(&self) -> &Report {
        if !self.is_fine() {
            panic!("{}", self.complaint());
        }
        self
    }

    /// What was wrong, one a line.
    pub fn wrongs(&self) -> Vec<String> {
        let stuck = self.stuck.iter().map(|what| format!("stuck: {what}"));
        let error = self
            .error
            .iter()
            .map(|error| format!("the run ended with {error}"));
        self.problems
            .iter()
            .cloned()
            .chain(stuck)
            .chain(error)
            .collect()
    }

    pub(super) fn complaint(&self) -> String {
        let mut text = format!("in the world of seed {}:\n", self.seed);
        for wrong in self.wrongs() {
            let _ = writeln!(text, "  {wrong}");
        }
        if !self.faults.is_empty() {
            let _ = writeln!(text, "faults:");
        }
        for fault in self.faults.iter().take(FIRST_FAULTS) {
            let _ = writeln!(text, "  {fault}");
        }
        if let Some(more @ 1..) = self.faults.len().checked_sub(FIRST_FAULTS) {
            let _ = writeln!(text, "  and {more} more");
        }
        let from = self.trace.len().saturating_sub(LAST_LINES);
        if !self.trace.is_empty() {
            let _ = writeln!(text, "the end of the trace:");
        }
        for line in &self.trace[from..] {
            let _ = writeln!(text, "  {line}");
        }
        let _ = write!(text, "again: {}", self.how_to_repeat());
        text
    }

    pub(super) fn how_to_repeat(&self) -> String {
        let thread = std::thread::current();
        let test = thread.name().filter(|name| *name != "main").unwrap_or("");
        format!("SOQUETE_SEED={} cargo test {test}", self.seed)
            .trim_end()
            .to_owned()
    }
}
