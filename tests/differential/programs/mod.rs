//! Random programs (program.rs) by a real Node and by this crate, side by side.
//!
//! | environment | what is run |
//! |---|---|
//! | none | some seconds of programs; a minute where `CI` is set |
//! | `SOQUETE_PROGRAMS=100000` | so many |
//! | `SOQUETE_SEED=7` | those from that seed on; 1 by default |
//! | `SOQUETE_PROGRAM='tcp; c0; …'` | `one_program` runs that one, and shows what happens on both sides |
//!
//! ```text
//! SOQUETE_PROGRAMS=100000 SOQUETE_SEED=7 cargo test --release --test differential random_programs -- --nocapture
//! SOQUETE_PROGRAM='tcp; c0; c0.connect#1 end' cargo test --test differential one_program -- --nocapture
//! ```
//!
//! A program that differs between two runs of Node says nothing. Any other difference is shrunk and
//! shown, unless it is a row of the guide's page on differences (known.rs).

mod comparer;
mod generator;
mod interpreter;
mod known;
mod pool;
mod program;
mod shrinker;
mod table;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use comparer::{Verdict, compare};
use pool::Node;
use program::Program;

/// How many differences are shrunk and shown before a run is given up.
const ENOUGH: usize = 10;

#[test]
fn random_programs() {
    let Some(node) = crate::node::node() else {
        return;
    };
    let seed = setting("SOQUETE_SEED").unwrap_or(1);
    let (count, time) = match setting("SOQUETE_PROGRAMS") {
        Some(count) => (count, None),
        None if std::env::var_os("CI").is_some() => (u64::MAX, Some(Duration::from_secs(60))),
        None => (u64::MAX, Some(Duration::from_secs(5))),
    };
    let most = setting("SOQUETE_DIFFERENCES").map_or(ENOUGH, |count| count as usize);
    let run = Run {
        seeds: Mutex::new(seed..seed.saturating_add(count)),
        until: time.map(|time| Instant::now() + time),
        most,
        tally: Mutex::default(),
    };
    let workers = setting("SOQUETE_WORKERS").unwrap_or(4);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| run.work(node));
        }
    });
    let Tally {
        counts,
        differences,
    } = run.tally.into_inner().expect("no worker has panicked");
    say(&format!("programs: {counts:?}"));
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.concat()
    );
}

struct Run {
    seeds: Mutex<std::ops::Range<u64>>,
    until: Option<Instant>,
    most: usize,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    differences: Vec<String>,
}

impl Run {
    fn work(&self, path: &Path) {
        let mut node = Node::start(path);
        while let Some(seed) = self.next() {
            let program = generator::program(seed);
            let (kind, difference) = match compare(&mut node, &program) {
                Verdict::Same => ("the same", None),
                Verdict::NodeVaries => ("Node varies", None),
                Verdict::Restless => ("never at rest", None),
                Verdict::WeVary => ("we vary", None),
                Verdict::Differs { theirs, ours } => match known::row(&program, &theirs, &ours) {
                    Some(row) => (row, None),
                    None => match minimal(&mut node, seed, program) {
                        Some((program, difference)) if crosses(&program) => {
                            say(&format!("{difference}(an order of two sockets?)"));
                            ("differ in the order of two sockets", None)
                        }
                        Some((_, difference)) => ("differ", Some(difference)),
                        None => ("vary when repeated", None),
                    },
                },
            };
            let mut tally = self.tally.lock().expect("no worker has panicked");
            *tally.counts.entry(kind).or_default() += 1;
            if let Some(difference) = difference {
                say(&difference);
                tally.differences.push(difference);
            }
        }
    }

    fn next(&self) -> Option<u64> {
        let enough = self
            .tally
            .lock()
            .expect("no worker has panicked")
            .differences
            .len()
            >= self.most;
        let late = self.until.is_some_and(|until| Instant::now() > until);
        if enough || late {
            return None;
        }
        self.seeds.lock().expect("no worker has panicked").next()
    }
}

/// Whether what happens to one socket has another one do something: two ends of a connection have no
/// common order but by cause and effect. Nor have those who come and go where only so many may be there.
fn crosses(program: &Program) -> bool {
    if program::word(&program.server, "max").is_some() || program.has("maxConnections") {
        return program.clients.len() > 1;
    }
    program.rules.iter().any(|rule| {
        let own = rule.on.split('.').next();
        let is_other =
            |socket: &String| socket.starts_with(['c', 's']) && Some(socket.as_str()) != own;
        let mut sockets = rule
            .steps
            .iter()
            .flat_map(|step| step.target.iter().chain(&step.argument));
        sockets.any(is_other)
    })
}

/// The smallest program that differs, and how; `None` if it does not any more.
fn minimal(node: &mut Node, seed: u64, program: Program) -> Option<(Program, String)> {
    let differs = |node: &mut Node, program: &Program| match compare(node, program) {
        Verdict::Differs { theirs, ours } if known::row(program, &theirs, &ours).is_none() => {
            Some(crate::differences(&theirs, &ours))
        }
        _ => None,
    };
    let program = shrinker::shrink(program, |program| differs(node, program).is_some());
    let shown = differs(node, &program)?;
    let shown = format!("\nSOQUETE_PROGRAM='{program}' (seed {seed}; - Node, + ours)\n{shown}");
    Some((program, shown))
}

/// For a difference that has been found.
#[test]
fn one_program() {
    let (Some(node), Some(text)) = (crate::node::node(), std::env::var_os("SOQUETE_PROGRAM"))
    else {
        return;
    };
    let program = Program::parse(&text.to_string_lossy());
    let mut node = Node::start(node);
    let (theirs, ours) = (
        node.run(&program),
        interpreter::run(&program, interpreter::Sending::Together),
    );
    say(&crate::differences(&theirs, &ours));
    match compare(&mut node, &program) {
        Verdict::Same => say("the same"),
        Verdict::NodeVaries => say("Node varies"),
        Verdict::Restless => say("never at rest"),
        Verdict::WeVary => say("we vary"),
        Verdict::Differs { theirs, ours } => {
            let row = known::row(&program, &theirs, &ours);
            assert!(row.is_some(), "differs (- Node, + ours)");
            say(row.unwrap_or_default());
        }
    }
}

#[test]
fn both_languages_have_the_same_operations() {
    let Some(node) = crate::node::node() else {
        return;
    };
    let sockets = table::OPERATIONS.iter().map(|operation| operation.name);
    let servers = table::SERVER_OPERATIONS
        .iter()
        .map(|operation| operation.name);
    assert_eq!(
        sockets.chain(servers).collect::<Vec<_>>(),
        pool::names(node)
    );
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Past the test harness, which shows nothing of a test that passes.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
