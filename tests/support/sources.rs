//! The files of `src`, for tests that read them.

use std::fs;
use std::path::Path;

/// Each Rust file of the crate, in order: its name, as in `src/net/mod.rs`, and its text.
pub fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect("src", &mut found);
    found.sort();
    assert!(found.len() > 100, "the sources are not where they were");
    found
}

fn collect(folder: &str, found: &mut Vec<(String, String)>) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(package.join(folder))
        .unwrap()
        .map(Result::unwrap)
    {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&name, found);
        } else if name.ends_with(".rs") {
            found.push((name, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}
