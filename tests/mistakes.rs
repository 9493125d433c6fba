//! The commonest mistakes of those who come from Node, in `tests/mistakes`: each of them compiles now, or the
//! first line of the compiler's message is the one that its file begins with.
//!
//! Only that first line is compared: what the compiler says below it changes from one version to the next.

#[path = "support/beside.rs"]
mod beside;

use std::fs;
use std::path::{Path, PathBuf};

struct Mistake {
    name: String,
    path: PathBuf,
    /// `None` where it compiles.
    message: Option<String>,
}

fn mistakes(directory: &Path) -> Vec<Mistake> {
    let files = fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().path());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let expected = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("//~ "));
        let expected = expected.expect("the first line tells what is expected");
        Mistake {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            message: (expected != "compiles").then(|| expected.to_owned()),
            path,
        }
    };
    files.map(read).collect()
}

/// A package of programs, one for each mistake, that depends on this one.
fn package(mistakes: &[Mistake]) -> PathBuf {
    let mut programs = String::new();
    for Mistake { name, path, .. } in mistakes {
        programs += &format!("[[bin]]\nname = \"{name}\"\npath = {path:?}\n\n");
    }
    beside::package("mistakes", &[], &programs)
}

#[test]
fn each_mistake_compiles_or_says_in_its_first_line_what_is_wrong() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mistakes = mistakes(&here.join("tests/mistakes"));
    assert!(mistakes.len() >= 10);
    let checked = beside::cargo(&package(&mistakes))
        .args([
            "check",
            "--offline",
            "--keep-going",
            "--message-format=short",
            "--bins",
        ])
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&checked.stderr);
    let said = |mistake: &Mistake| -> Vec<&str> {
        let file = format!("{}.rs:", mistake.name);
        let lines = output.lines().filter(|line| line.contains(&file));
        lines
            .filter_map(|line| Some(&line[line.find("error[")?..]))
            .collect()
    };
    for mistake in &mistakes {
        match (&mistake.message, said(mistake).first()) {
            // That the compiler has looked at it follows from what it says of the others.
            (None, None) => {}
            (Some(expected), Some(first)) if first.starts_with(expected) => {}
            (expected, first) => panic!(
                "{}:\nexpected {}\n     was {}\n\n{output}",
                mistake.name,
                expected.as_deref().unwrap_or("to compile"),
                first.copied().unwrap_or("compiled"),
            ),
        }
    }
}
