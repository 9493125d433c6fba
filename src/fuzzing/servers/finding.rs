//! What a trial has found.

use std::fmt::{self, Write};

use super::conversation::Conversation;
use super::cut::Cut;
use super::expectation::Mismatch;

/// A cut after which a server has not done as it must.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The conversation's name.
    pub conversation: String,
    /// How it was brought to the server.
    pub cut: Cut,
    /// The offset of the cut; where it has none, how many bytes the client had sent when it went wrong.
    pub offset: usize,
    /// What is wrong.
    pub what: String,
    /// What must have been received, and what was, escaped and shortened; empty where it is not about that.
    pub expected: String,
    /// See `expected`.
    pub received: String,
    /// The bytes around the offset, with a `|` there.
    pub sent: String,
    /// The offset in words: which request, and which byte of that.
    place: String,
}

/// How many bytes on each side of the offset are shown.
const AROUND: usize = 24;

impl Finding {
    pub(super) fn of(talk: &Conversation, cut: Cut, sent: usize, mismatch: Mismatch) -> Finding {
        let offset = cut.offset().unwrap_or(sent).min(talk.len());
        let (request, inside) = talk.place(offset);
        let place = match talk.requests.len() {
            1 => format!("byte {offset} of {}", talk.len()),
            count => format!(
                "byte {offset} of {}: byte {inside} of {} in request {} of {count}",
                talk.len(),
                talk.length_of(request),
                request + 1
            ),
        };
        let (from, to) = (
            offset.saturating_sub(AROUND),
            (offset + AROUND).min(talk.len()),
        );
        let sent = format!(
            "{}\"{}|{}\"{}",
            if from > 0 { "… " } else { "" },
            talk.stream[from..offset].escape_ascii(),
            talk.stream[offset..to].escape_ascii(),
            if to < talk.len() { " …" } else { "" },
        );
        Finding {
            conversation: talk.name().to_owned(),
            cut,
            offset,
            what: mismatch.why,
            expected: mismatch.expected,
            received: mismatch.received,
            sent,
            place,
        }
    }

    fn what_without_place(&self) -> Option<&str> {
        self.what.split(" from its byte ").next()
    }

    /// Whether it is the same mistake, as far as one can tell.
    fn is_like(&self, other: &Finding) -> bool {
        self.conversation == other.conversation
            && self.cut.kind() == other.cut.kind()
            && self.what_without_place() == other.what_without_place()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            conversation,
            cut,
            what,
            place,
            ..
        } = self;
        writeln!(f, "{conversation:?}, {cut} (at {place}): {what}")?;
        if !self.expected.is_empty() || !self.received.is_empty() {
            writeln!(f, "    expected {}", self.expected)?;
            writeln!(f, "    received {}", self.received)?;
        }
        write!(f, "    sent     {}", self.sent)
    }
}

/// What a [`ServerTrial`](super::ServerTrial) has come to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "`check` says whether anything was wrong"]
pub struct TrialReport {
    /// Connections, each of which was one conversation cut in one way.
    pub runs: usize,
    /// What was wrong.
    pub findings: Vec<Finding>,
    /// What was not tried, and why.
    pub left_out: Vec<String>,
}

impl TrialReport {
    /// One finding of each kind, and how many there are.
    pub fn kinds(&self) -> Vec<(&Finding, usize)> {
        let mut kinds: Vec<(&Finding, usize)> = Vec::new();
        for finding in &self.findings {
            match kinds.iter_mut().find(|(first, _)| first.is_like(finding)) {
                Some((_, count)) => *count += 1,
                None => kinds.push((finding, 1)),
            }
        }
        kinds
    }

    /// Panics if anything was found: with each kind of finding once, and how to run it again.
    ///
    /// # Panics
    ///
    /// See above.
    #[track_caller]
    pub fn check(&self) -> &TrialReport {
        if self.findings.is_empty() {
            return self;
        }
        let mut text = format!("{} of {} cuts\n", self.findings.len(), self.runs);
        for (finding, count) in self.kinds() {
            let _ = writeln!(text, "  {finding}");
            if count > 1 {
                let _ = writeln!(text, "    and so at {} other places", count - 1);
            }
            let _ = writeln!(text, "    again: {}", how_to_repeat(finding));
        }
        for what in &self.left_out {
            let _ = writeln!(text, "  not tried: {what}");
        }
        panic!("{text}");
    }
}

fn how_to_repeat(finding: &Finding) -> String {
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main").unwrap_or("");
    let Finding {
        cut, conversation, ..
    } = finding;
    let chosen = format!("{cut} {conversation}").replace('\'', "'\\''");
    format!("SOQUETE_CUT='{chosen}' cargo test {test}")
        .trim_end()
        .to_owned()
}
