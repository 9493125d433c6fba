//! The rows of the guide's page on differences (`soquete::guide::differences`), as they show in
//! programs.

use std::collections::BTreeSet;

use super::interpreter::{self, Sending};
use super::program::{Program, Rule, Step, word};

/// The row that a difference is of, if there is one.
pub(super) fn row(program: &Program, theirs: &str, ours: &str) -> Option<&'static str> {
    let all_of_theirs = theirs;
    let row = |theirs: &str, ours: &str| {
        let row = ROWS.iter().find(|(_, is_it)| is_it(program, theirs, ours));
        row.map(|(row, _)| *row)
    };
    // Rows that go with any other: what they tell is left out before the others are looked for.
    let (mut theirs, mut ours) = (theirs.to_owned(), ours.to_owned());
    let mut found = None;
    for (name, is_it, leave_out) in BESIDE_OTHERS {
        if is_it(program, &theirs, &ours) {
            found = Some(*name);
            (theirs, ours) = (leave_out(&theirs), leave_out(&ours));
        }
    }
    if theirs == ours {
        return found;
    }
    let (theirs, ours) = (&*theirs, &*ours);
    row(theirs, ours).or_else(|| {
        // What differs only as long as small writes go out together is that row's.
        let ours = interpreter::run(program, Sending::AtOnce);
        let ours = BESIDE_OTHERS
            .iter()
            .filter(|(_, is_it, _)| is_it(program, all_of_theirs, &ours))
            .fold(ours.clone(), |ours, (_, _, leave_out)| leave_out(&ours));
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

type Beside = (
    &'static str,
    fn(&Program, &str, &str) -> bool,
    fn(&str) -> String,
);

#[rustfmt::skip]
const BESIDE_OTHERS: &[Beside] = &[
    ("an error of a socket with a signal is heard", |p, t, o| has_signal(p) && count(t, "!: uncaught ") < count(o, "!: uncaught "), |trace| without(trace, "!: uncaught ")),
    ("the address of a peer that has gone", |_, t, o| count(t, " to=none") > count(o, " to=none"), |trace| without_value(trace, "to=")),
    ("bytes_written of a write that failed", |_, t, _| t.contains("errored=ERR_SOCKET_CLOSED"), |trace| without_value(trace, "sent=")),
    ("a local address that was asked for too early, or of a failed attempt", |p, t, o| count(t, " from=none") > count(o, " from=none") || has_rule_on(p, "connectionAttemptFailed"), |trace| without_value(trace, "from=")),
];

type Row = (&'static str, fn(&Program, &str, &str) -> bool);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("resetAndDestroy right after end", |p, t, _| p.has("reset") && (t.contains("EINVAL syscall=reset") || t.contains("never closes"))),
    ("destroy in a connectionAttempt listener", |_, t, o| t.contains("!: uncaught undefined") && !o.contains("!: uncaught undefined")),
    ("end(callback) of a destroyed socket", |_, t, o| count(o, "ended(ERR_STREAM_DESTROYED)") > count(t, "ended(ERR_STREAM_DESTROYED)")),
    ("a destroyed source stays piped", |_, t, o| count(t, "unpipe(") > count(o, "unpipe(")),
    ("each close of a server emits close", |_, t, o| count(t, "S: close(") > count(o, "S: close(")),
    ("misuse that throws", |p, t, o| p.has("pipeline") && t.contains("= ERR_STREAM_UNABLE_TO_PIPE") && o.contains("pipelined(ERR_STREAM_UNABLE_TO_PIPE)")),
    ("end is forgotten when an address fails", |p, t, _| (tries_several(p) && t.contains("connectionAttemptFailed") || p.has("connect")) && (p.has("end") || p.has("endWith") || p.has("endThen") || p.has("endWithThen") || p.has("destroySoon"))),
    ("pipeline whose source has ended, with data kept, never calls back", |_, t, o| count(o, "pipelined(ERR_STREAM_PREMATURE_CLOSE)") > count(t, "pipelined(ERR_STREAM_PREMATURE_CLOSE)") && without(t, ": pipelined(") == without(o, ": pipelined(")),
    ("finished takes for done what has been told to end", |_, t, o| count(t, "finished(ok)") >= count(o, "finished(ok)") && without(t, ": finished(") == without(o, ": finished(")),
    ("pipeline takes for done what has been told to end", |_, t, o| count(t, "pipelined(ok)") >= count(o, "pipelined(ok)") && without(t, ": pipelined(") == without(o, ": pipelined(")),
    ("a socket whose only address has failed", |p, t, _| t.contains("connectionAttemptFailed(") && !tries_several(p) && has_rule_on(p, "connectionAttemptFailed")),
    ("is_paused of what was resumed in a Pause listener", |p, t, o| has_rule_on(p, "pause") && without_value(t, "paused=") == without_value(o, "paused=")),
    ("a lookup is told of after the close", |p, t, o| p.clients.iter().any(|client| word(&client.words, "noauto").is_some()) && count(t, "lookup(") > count(o, "lookup(")),
    ("what a throwing listener stops", |p, t, o| p.has("throw") && has_all(&without(&steps_and_events(o), ": data "), &without(&steps_and_events(t), ": data "))),
    ("the next life after a reconnect", reconnects),
    ("ticks behind an uncaught error wait", |_, t, o| t.starts_with("!:") && has_all(&steps_and_events(o), &steps_and_events(t))),
    ("connect right after destroy", |p, _, _| p.rules.iter().any(connects_after_destroy)),
    ("a prepended listener of what comes in", |p, t, o| (p.has("readableFirst") || p.has("flowFirst")) && differ_in_number(t, o)),
    ("writes that go out together to a peer that has gone", |_, t, o| differing_lanes(t, o).iter().all(|lane| lane.contains(" syscall=write") || lane.contains("EPIPE"))),
    ("an emit that comes back into a listener that is running", |p, _, _| p.rules.iter().any(comes_back)),
    ("a write of nothing", |p, t, _| (t.contains("EPIPE") || p.has("cork")) && p.steps().any(|step| step.argument.as_deref() == Some("0"))),
    ("drain of a write behind one to a peer that has gone", |_, t, o| t.contains("EPIPE") && count(t, ": drain") > count(o, ": drain") && without(t, ": drain") == without(o, ": drain")),
    ("pause of a pipe to a peer that has gone", |p, t, o| pipes(p) && count(t, ": pause") > count(o, ": pause") && without(&without_state(t), ": pause") == without(&without_state(o), ": pause")),
    ("writable_length in the callback of a write that was cancelled", |_, t, o| t.contains("(ECANCELED)") && without_value(t, "queued=") == without_value(o, "queued=")),
    ("finish after the close", |p, t, o| has_rule_on(p, "prefinish") && has_all(&steps_and_events(t), &steps_and_events(o))),
    ("where chunks are cut", |p, t, o| has_much(p) && without_value(&without_value(t, "kept="), "received=") == without_value(&without_value(o, "kept="), "received=")),
    ("where chunks are cut", |_, t, o| count(t, ": readable") > 0 && without(t, ": readable") == without(o, ": readable")),
    ("chunks of 512 KiB for pipes", |p, t, o| pipes(p) && has_much(p) && sorted(&steps_and_events(t)) == sorted(&steps_and_events(o))),
    ("a reset that overtakes what came before it", |_, t, o| differing_lanes(t, o).iter().all(|lane| lane.contains("ECONNRESET syscall=read"))),
    ("a socket between a write to a peer that has gone and the end of the callback", |_, t, o| t.contains("errored=EPIPE") && without_state(t) == without_state(o)),
    ("how much is read in a turn", |p, t, o| reads_in_pieces(p) && differ_in_number(&without(t, ": data "), &without(o, ": data "))),
    ("text counts in bytes", |p, t, o| p.has("setEncoding") && without_value(t, "received=") == without_value(o, "received=")),
];

fn count(trace: &str, text: &str) -> usize {
    trace.matches(text).count()
}

/// Whether a client has several addresses: the same one twice is one.
fn tries_several(program: &Program) -> bool {
    let several = |at: &str| {
        let letters = at.split_once(':').map_or("", |(_, letters)| letters);
        letters.chars().any(|letter| !letters.starts_with(letter))
    };
    let clients = program.clients.iter();
    clients
        .filter_map(|client| word(&client.words, "at"))
        .any(several)
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
    let told = |line: &str| format!("{}\n", line.split(" [").next().unwrap_or_default());
    trace.lines().map(told).collect()
}

/// What is left of a trace without what is true at its end.
fn steps_and_events(trace: &str) -> String {
    without(&without(&without_state(trace), ": at rest"), ": close(")
}

/// Whether one of the traces only has more of some events, and of what follows from them, than the other.
fn differ_in_number(one: &str, other: &str) -> bool {
    let told = |trace: &str| {
        let told = without(&without(trace, ": = ["), ": at rest");
        sorted(&told)
            .into_iter()
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    told(one) == told(other)
}

fn pipes(program: &Program) -> bool {
    ["pipe", "pipeOnly", "pipeline"]
        .iter()
        .any(|name| program.has(name))
}

/// Whether all lines of a trace are in another one, too.
fn has_all(more: &str, less: &str) -> bool {
    let mut more = sorted(more);
    let mut missing = 0;
    for line in sorted(less) {
        match more.iter().position(|other| *other == line) {
            Some(at) => drop(more.remove(at)),
            None => missing += 1,
        }
    }
    missing == 0
}

fn has_rule_on(program: &Program, event: &str) -> bool {
    let on = |rule: &Rule| rule.on.contains(&format!(".{event}#"));
    program.rules.iter().any(on)
}

/// Whether more may come than is kept for a reader.
fn has_much(program: &Program) -> bool {
    let marked = |words: &Vec<String>| word(words, "mark").is_some();
    let argument = |step: &Step| step.argument.as_ref()?.parse().ok();
    marked(&program.server)
        || program.clients.iter().any(|client| marked(&client.words))
        || program
            .steps()
            .filter_map(argument)
            .any(|count: usize| count > 65_536)
}

/// Node's lanes that are not the same here.
fn differing_lanes(theirs: &str, ours: &str) -> Vec<String> {
    let lane = |trace: &str, name: &str| -> String {
        let own = |line: &&str| line.split(':').next() == Some(name);
        trace.split_inclusive('\n').filter(own).collect()
    };
    let names: BTreeSet<&str> = theirs
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    let pairs = names
        .into_iter()
        .map(|name| (lane(theirs, name), lane(ours, name)));
    pairs
        .filter(|(theirs, ours)| theirs != ours)
        .map(|(theirs, _)| theirs)
        .collect()
}

/// Whether a listener does what emits its own event.
fn comes_back(rule: &Rule) -> bool {
    let emits: &[&str] = match rule.on.split(['.', '#']).nth(1) {
        Some("data") => &["unshift", "read", "readExactly"],
        Some("pipe") => &["pipe", "pipeOnly", "pipeline"],
        Some("unpipe") => &["unpipe", "unpipeAll"],
        Some("pause") => &["pause"],
        _ => &[],
    };
    rule.steps.iter().any(|step| emits.contains(&&*step.name))
}

/// Also by a write, which fails without a connection.
fn connects_after_destroy(rule: &Rule) -> bool {
    let destroys = |step: &Step| {
        ["destroy", "abort", "write", "end"]
            .iter()
            .any(|name| step.name.starts_with(name))
    };
    let after = rule.steps.iter().skip_while(|step| !destroys(step));
    after.skip(1).any(|step| step.name == "connect")
}

fn reconnects(program: &Program, _: &str, _: &str) -> bool {
    let connects = |rule: &Rule| rule.steps.iter().any(|step| step.name == "connect");
    let after_a_life = |rule: &&Rule| rule.on.contains(".close#");
    program.rules.iter().filter(after_a_life).any(connects)
}

fn has_signal(program: &Program) -> bool {
    program
        .clients
        .iter()
        .any(|client| word(&client.words, "signal").is_some())
}

/// The trace without the lines that have this.
fn without(trace: &str, text: &str) -> String {
    let lines = trace.split_inclusive('\n');
    lines.filter(|line| !line.contains(text)).collect()
}

/// The trace without the words that begin like this.
fn without_value(trace: &str, beginning: &str) -> String {
    let others = |line: &str| {
        let words = line.split(' ').filter(|word| !word.starts_with(beginning));
        words.collect::<Vec<_>>().join(" ") + "\n"
    };
    trace.lines().map(others).collect()
}
