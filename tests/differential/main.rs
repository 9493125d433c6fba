//! The same scenario in JavaScript and in Rust, run by a real Node and by this crate: what happens,
//! and in which order, has to be the same line by line.
//!
//! A scenario is a function of the same name in `<family>.mjs` and `<family>.rs`, and a test of its
//! own here. What it records goes into lanes (`c` for the client's end, `s` for the server's, `S`
//! for the server), and lanes are compared one by one: two ends of a connection have no common order
//! but by cause and effect.
//!
//! Beside the scenarios there are random programs (`programs/`), which run in both languages as well.
//!
//! | environment | what our traces are compared with |
//! |---|---|
//! | Node 26 or later is `SOQUETE_NODE` or in the PATH | with Node's of this minute, and these with the stored ones |
//! | no such Node | with the stored ones: `expected/<family>.txt`, written by Node 26 |
//! | `SOQUETE_RECORD=1` | Node's are stored, then as above |
//!
//! Each scenario also runs in simulated worlds, where its trace has to be the same: in one that is as loopback is, and
//! in some whose polls tell of events in any order, and of such as tell of nothing.

mod node;
#[path = "../support/prng.rs"]
mod prng;
mod programs;
mod trace;
#[cfg(feature = "sim")]
mod worlds;

mod connecting;
mod destroying;
mod ending;
mod failing;
mod joining;
mod matrix;
mod readable;
mod reading;
mod servers;
mod servers_connect;
mod servers_ipc;
mod serving;
mod turning;
mod writing;

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use trace::{Trace, describe};

/// A scenario takes milliseconds; one that takes so long hangs.
const WATCHDOG: Duration = Duration::from_secs(10);

/// Runs a scenario in a loop of its own, and compares its trace with Node's.
fn compare(family: &'static str, name: &'static str, scenario: fn(Trace)) {
    let expected = node::trace(family, name);
    let expect = |ours: String, kernel: &str| {
        assert!(
            ours == expected,
            "{name} differs on {kernel} (- Node, + ours):\n{}",
            differences(&expected, &ours)
        );
    };
    expect(run(scenario), "the system's kernel");
    #[cfg(feature = "sim")]
    for (kernel, world) in worlds::of(name) {
        expect(worlds::run(*world, scenario), kernel);
    }
}

fn run(scenario: fn(Trace)) -> String {
    let (sender, receiver) = channel();
    let thread = std::thread::spawn(move || {
        soquete::timers::set_immediate(move || scenario(Trace));
        // An error that nobody listens for ends the run; Node's hook there lets it go on.
        while let Err(error) = soquete::run() {
            Trace.log("!", describe("uncaught", &error));
        }
        let _ = sender.send(Trace.text());
    });
    match receiver.recv_timeout(WATCHDOG) {
        Ok(text) => text,
        Err(RecvTimeoutError::Timeout) => panic!("still running after {WATCHDOG:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a scenario sends its trace or panics"),
        },
    }
}

/// The lines of both, those that are on one side only marked.
fn differences(theirs: &str, ours: &str) -> String {
    let (theirs, ours): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    // The longest common subsequence of every pair of tails.
    let mut common = vec![vec![0; ours.len() + 1]; theirs.len() + 1];
    for (i, their) in theirs.iter().enumerate().rev() {
        for (j, our) in ours.iter().enumerate().rev() {
            common[i][j] = if their == our {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut text = String::new();
    while i < theirs.len() || j < ours.len() {
        let (mark, line) = if theirs.get(i).is_some() && theirs.get(i) == ours.get(j) {
            (i, j) = (i + 1, j + 1);
            (' ', theirs[i - 1])
        } else if j == ours.len() || i < theirs.len() && common[i + 1][j] >= common[i][j + 1] {
            i += 1;
            ('-', theirs[i - 1])
        } else {
            j += 1;
            ('+', ours[j - 1])
        };
        text.push_str(&format!("{mark} {line}\n"));
    }
    text
}

/// Makes tests of a family's scenarios, and one that looks whether both languages have the same.
macro_rules! family {
    ($family:literal: $($scenario:ident),* $(,)?) => {
        mod tests {
            $(
                #[test]
                fn $scenario() {
                    crate::compare($family, stringify!($scenario), super::$scenario);
                }
            )*

            #[test]
            fn both_languages_have_the_same_scenarios() {
                let mut ours = vec![$(stringify!($scenario)),*];
                ours.sort_unstable();
                assert_eq!(ours, crate::node::names($family));
            }
        }
    };
}
use family;
