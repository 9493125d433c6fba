//! Runs the bodies over the committed seeds, without a fuzzer. Those of `framing` have seeds that are
//! described, and a replay of their own.

use std::fs;
use std::path::{Path, PathBuf};

type Body = fn(&[u8]);

const TARGETS: [(&str, Body); 7] = [
    ("address", super::address),
    ("block_list", super::block_list),
    ("emitter", super::emitter),
    ("stream_machine", super::stream_machine),
    ("timers", super::timers),
    ("utf8", super::utf8),
    ("write_queue", super::write_queue),
];

/// A folder of the fuzz package's. It is in the repository, where it has to be; the crate that is published
/// comes without.
pub(crate) fn fuzz_folder(name: &str) -> Option<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let published = package.join("Cargo.toml.orig").exists();
    (!published).then(|| package.join("fuzz").join(name))
}

#[test]
fn every_body_passes_its_seeds() {
    let Some(seeds) = fuzz_folder("seeds") else {
        return;
    };
    for (target, body) in TARGETS {
        let mut files = 0;
        for entry in fs::read_dir(seeds.join(target)).unwrap() {
            let file = entry.unwrap().path();
            println!("{}", file.display());
            body(&fs::read(&file).unwrap());
            files += 1;
        }
        assert!(files > 0, "{target} has seeds");
    }
}

#[test]
fn every_body_that_is_fuzzed_is_in_a_list() {
    let Some(targets) = fuzz_folder("fuzz_targets") else {
        return;
    };
    for entry in fs::read_dir(targets).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_string_lossy();
        let listed = TARGETS.iter().any(|(target, _)| *target == name);
        // These bodies are no part of the crate: tests/sim_seeds.rs and tests/server_trial_examples.rs run them.
        let has_another_list =
            name.starts_with("framing_") || name == "world" || name == "resp_server";
        assert!(listed || has_another_list, "{name}");
    }
}
