//! The seam: whatever is asked of the operating system is asked in `src/kernel`, or in the two files of the
//! reactor that wait and start threads. A simulated world stands in for all of that, so what is asked
//! elsewhere would reach past it.

#[path = "support/sources.rs"]
mod sources;

use sources::sources;

/// What only the seam may name.
const OF_THE_SYSTEM: &[&str] = &[
    "mio::",
    "socket2::",
    "rustix::",
    "dns_lookup",
    "Instant::now",
    "SystemTime",
    "std::fs",
    "std::process",
    "thread::spawn",
    "thread::sleep",
    "thread::Builder",
    "ToSocketAddrs",
];

/// Where the system may be asked.
const SEAM: &[&str] = &[
    "src/kernel/",
    "src/reactor/poller.rs",
    "src/reactor/pool.rs",
];

/// What is under test or tests, and runs in no program.
const TESTING: &[&str] = &[
    "fuzz",
    "fuzzing",
    "fuzz.rs",
    "fuzzing.rs",
    "tests",
    "tests.rs",
    "script",
];

/// The lines of a file that are code of the crate: no comments, and nothing behind its tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_start()));
    lines
        .take_while(|(_, line)| !line.starts_with("mod tests {"))
        .filter(|(_, line)| !line.starts_with("//"))
}

#[test]
fn the_operating_system_is_asked_in_the_kernel_alone() {
    let mut past_it = Vec::new();
    for (name, text) in sources() {
        let is_testing = name.split('/').any(|part| TESTING.contains(&part));
        if is_testing || SEAM.iter().any(|place| name.starts_with(place)) {
            continue;
        }
        for (number, line) in code(&text) {
            if let Some(what) = OF_THE_SYSTEM.iter().find(|what| line.contains(**what)) {
                past_it.push(format!("{name}:{number}: {what}"));
            }
        }
    }
    assert!(past_it.is_empty(), "{}", past_it.join("\n"));
}

#[test]
fn a_simulated_kernel_asks_the_operating_system_nothing() {
    let mut files = sources();
    files.retain(|(name, _)| name.starts_with("src/kernel/sim/"));
    assert!(
        !files.is_empty(),
        "the simulated kernel is not where it was"
    );
    for (name, text) in files {
        for (number, line) in code(&text) {
            let found = OF_THE_SYSTEM.iter().find(|what| line.contains(**what));
            assert_eq!(found, None, "{name}:{number}");
        }
    }
}
