//! The commonest mistakes of those who come from Node, in `tests/mistakes`: each of them compiles now, or the
//! first line of the compiler's message is the one that its file begins with.
//!
//! Only that first line is compared: what the compiler says below it changes from one version to the next.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

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
fn package(here: &Path, at: &Path, mistakes: &[Mistake]) {
    let mut manifest = format!(
        "[package]\nname = \"mistakes\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nsoquete = {{ path = {here:?} }}\n"
    );
    for Mistake { name, path, .. } in mistakes {
        manifest += &format!("\n[[bin]]\nname = \"{name}\"\npath = {path:?}\n");
    }
    fs::create_dir_all(at).unwrap();
    fs::write(at.join("Cargo.toml"), manifest).unwrap();
    // The versions that are here already: nothing is downloaded.
    fs::copy(here.join("Cargo.lock"), at.join("Cargo.lock")).unwrap();
}

#[test]
fn each_mistake_compiles_or_says_in_its_first_line_what_is_wrong() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mistakes = mistakes(&here.join("tests/mistakes"));
    assert!(mistakes.len() >= 10);
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mistakes");
    package(here, &at, &mistakes);
    let checked = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "check",
            "--offline",
            "--keep-going",
            "--message-format=short",
            "--bins",
        ])
        .current_dir(&at)
        .env("CARGO_TARGET_DIR", at.join("target"))
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("RUSTFLAGS")
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
