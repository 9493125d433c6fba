//! The seam: whatever is asked of the operating system is asked in `src/kernel`, or in the two files of the
//! reactor that wait and start threads. A simulated world stands in for all of that, so what is asked
//! elsewhere would reach past it.

use std::fs;
use std::path::{Path, PathBuf};

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

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 100, "the sources are not where they were");
    let mut past_it = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        let is_testing = name.split('/').any(|part| TESTING.contains(&part));
        if is_testing || SEAM.iter().any(|place| name.starts_with(place)) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src/kernel/sim"), &mut files);
    assert!(
        !files.is_empty(),
        "the simulated kernel is not where it was"
    );
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in code(&text) {
            let found = OF_THE_SYSTEM.iter().find(|what| line.contains(**what));
            assert_eq!(found, None, "{}:{number}", file.display());
        }
    }
}
