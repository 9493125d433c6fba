//! Scenarios in simulated worlds.

use std::sync::mpsc::channel;

use soquete::sim::World;

use crate::trace::{Trace, describe};

/// Scenarios that look at the system's files, which a world has not.
const LOOK_AT_FILES: &[&str] = &[
    "a_bound_path_listens",
    "a_conversation_by_path",
    "a_directory_that_is_missing",
    "a_file_in_the_way",
    "a_path_that_is_no_socket",
    "everybody_may",
    "on_a_path",
    "on_a_path_whose_directory_is_missing",
];

/// Scenarios that need the events of two sockets in their order.
const NEED_ORDER: &[&str] = &["a_closed_connection_makes_room"];

type MakeWorld = fn() -> World;

/// Worlds in which a trace is what it is on loopback.
const ALL: &[(&str, MakeWorld)] = &[
    ("a world like loopback", || like_loopback(1)),
    ("a stirred world", || stirred(2)),
    ("another stirred world", || stirred(3)),
];

/// Those in which a scenario is run.
pub(crate) fn of(name: &str) -> &'static [(&'static str, MakeWorld)] {
    match name {
        name if LOOK_AT_FILES.contains(&name) => &[],
        name if NEED_ORDER.contains(&name) => &ALL[..1],
        _ => ALL,
    }
}

fn like_loopback(seed: u64) -> World {
    World::seed(seed).addresses(["127.0.0.1", "::1"])
}

fn stirred(seed: u64) -> World {
    like_loopback(seed).shuffled().spurious_events(5)
}

/// What happens in a scenario there. What the world itself finds fault with is added to it.
pub(crate) fn run(world: MakeWorld, scenario: fn(Trace)) -> String {
    let (sender, receiver) = channel();
    let thread = std::thread::spawn(move || {
        let report = world().run_to(|| {
            soquete::timers::set_immediate(move || scenario(Trace));
            // As on the system's kernel.
            while let Err(error) = soquete::run() {
                Trace.log("!", describe("uncaught", &error));
            }
            Ok(())
        });
        let mut text = Trace.text();
        for problem in &report.problems {
            text.push_str(&format!("{problem}\n"));
        }
        let _ = sender.send(text);
    });
    match receiver.recv() {
        Ok(text) => text,
        Err(_) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a scenario sends its trace or panics"),
        },
    }
}
