//! The rows of the crate's table of differences ("Where this differs from Node"), as they show in
//! programs.

use super::interpreter::{self, Sending};
use super::program::{Program, word};

/// The row that a difference is of, if there is one.
pub(super) fn row(program: &Program, theirs: &str, ours: &str) -> Option<&'static str> {
    let row = |theirs: &str, ours: &str| {
        let row = ROWS.iter().find(|(_, is_it)| is_it(program, theirs, ours));
        row.map(|(row, _)| *row)
    };
    row(theirs, ours).or_else(|| {
        // What differs only as long as small writes go out together is that row's.
        let ours = interpreter::run(program, Sending::AtOnce);
        let sent_at_once = "every write tries the system call at once";
        // What a write returns is still from before it was sent.
        let answered = |trace: &str| {
            trace
                .replace("= true\n", "= …\n")
                .replace("= false\n", "= …\n")
        };
        if answered(&ours) == answered(theirs) {
            return Some(sent_at_once);
        }
        row(theirs, &ours)
    })
}

type Row = (&'static str, fn(&Program, &str, &str) -> bool);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("PENDING C19", |p, _, _| p.has("flowFirst") || p.has("readableFirst")),
    ("PENDING C20", |p, _, _| p.has("unshift")),
    ("resetAndDestroy right after end", |p, t, _| p.has("reset") && (t.contains("EINVAL syscall=reset") || t.contains("never closes"))),
    ("destroy in a connectionAttempt listener", |_, t, o| t.contains("!: uncaught undefined") && !o.contains("!: uncaught undefined")),
    ("end(callback) of a destroyed socket", |_, t, o| count(o, "ended(ERR_STREAM_DESTROYED)") > count(t, "ended(ERR_STREAM_DESTROYED)")),
    ("a destroyed source stays piped", |_, t, o| count(t, "unpipe(") > count(o, "unpipe(")),
    ("each close of a server emits close", |_, t, o| count(t, "S: close(") > count(o, "S: close(")),
    ("misuse that throws", |p, t, o| p.has("pipeline") && t.contains("= ERR_STREAM_UNABLE_TO_PIPE") && o.contains("pipelined(ERR_STREAM_UNABLE_TO_PIPE)")),
    ("end is forgotten when an address fails", |p, t, _| (several_addresses(p) && t.contains("connectionAttemptFailed") || p.has("connect")) && (p.has("end") || p.has("endWith") || p.has("endThen") || p.has("endWithThen") || p.has("destroySoon"))),
    ("is_paused of what was resumed in a Pause listener", |_, t, o| without_value(t, "paused=") == without_value(o, "paused=")),
    ("a lookup is told of after the close", |p, t, o| p.clients.iter().any(|client| word(&client.words, "noauto").is_some()) && count(t, "lookup(") > count(o, "lookup(")),
    ("what a throwing listener stops", |p, t, o| p.has("throw") && count(o, ": ready") > count(t, ": ready")),
    ("ticks behind an uncaught error wait", |_, t, o| t.starts_with("!:") && sorted(&without_state(t)) == sorted(&without_state(o))),
    ("writes that go out together to a peer that has gone", |_, t, o| count(t, " syscall=write") > count(o, " syscall=write")),
    ("a socket between a write to a peer that has gone and the end of the callback", |_, t, o| t.contains("errored=EPIPE") && without_state(t) == without_state(o)),
    ("bytes_written of a write that failed", |_, t, o| t.contains("errored=ERR_SOCKET_CLOSED") && without_value(t, "sent=") == without_value(o, "sent=")),
    ("an error of a socket with a signal is heard", |p, t, o| has_signal(p) && without_uncaught(t) == without_uncaught(o)),
    ("how much is read in a turn", |p, t, o| reads_in_pieces(p) && sorted(&without_data(t)) == sorted(&without_data(o))),
    ("text counts in bytes", |p, t, o| p.has("setEncoding") && without_value(t, "received=") == without_value(o, "received=")),
];

fn count(trace: &str, text: &str) -> usize {
    trace.matches(text).count()
}

fn several_addresses(program: &Program) -> bool {
    let several = |at: &str| {
        at.split_once(':')
            .is_some_and(|(_, letters)| letters.len() > 1)
    };
    program
        .clients
        .iter()
        .any(|client| word(&client.words, "at").is_some_and(several))
}

fn reads_in_pieces(program: &Program) -> bool {
    program
        .clients
        .iter()
        .any(|client| word(&client.words, "onread").is_some())
}

fn sorted(trace: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = trace.lines().collect();
    lines.sort_unstable();
    lines
}

/// The trace without what the getters say.
fn without_state(trace: &str) -> String {
    trace
        .lines()
        .map(|line| line.split(" [").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

fn has_signal(program: &Program) -> bool {
    program
        .clients
        .iter()
        .any(|client| word(&client.words, "signal").is_some())
}

fn without_uncaught(trace: &str) -> Vec<&str> {
    trace
        .lines()
        .filter(|line| !line.starts_with('!'))
        .collect()
}

fn without_data(trace: &str) -> String {
    trace
        .lines()
        .filter(|line| !line.contains(": data "))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The trace without the words that begin like this.
fn without_value(trace: &str, beginning: &str) -> String {
    let words = trace.split(' ').filter(|word| !word.starts_with(beginning));
    words.collect::<Vec<_>>().join(" ")
}
