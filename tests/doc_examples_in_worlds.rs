//! Each example of the documentation runs in a simulated world, too: the same closures, with its assertions, and with
//! all that a world looks for.
//!
//! They are taken out of `src` as rustdoc takes them, and built as one program that depends on this package. What a
//! world has not is listed below, each with the reason.

#[path = "support/beside.rs"]
mod beside;
#[path = "support/sources.rs"]
mod sources;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use sources::sources;

/// An example with one of these is left to the system's kernel.
const LEFT_OUT: &[(&str, &str)] = &[
    ("World::", "has worlds of its own"),
    ("fuzzing::", "is about bytes, or has worlds of its own"),
    ("activation", "takes the sockets of a service manager"),
    (
        "socket2::",
        "sets an option of a descriptor of the operating system",
    ),
    (
        "UnixStream::pair",
        "hands in a descriptor of the operating system",
    ),
    (
        "TcpListener::bind",
        "hands in a descriptor of the operating system",
    ),
    ("signals::", "raises a signal, which comes to the process"),
    ("std::fs::", "reads a file of the operating system"),
    (
        "soquete::watch(",
        "watches a descriptor of the operating system",
    ),
    (
        "backend_fd",
        "gives the poll's descriptor to a loop of another make",
    ),
    (
        "thread::spawn",
        "has a real thread, which posts to the loop",
    ),
];

/// As many at least; fewer means that they are not found any more.
const AT_LEAST: usize = 150;

struct Example {
    /// Where it begins: `src/lib.rs:4`.
    place: String,
    code: String,
    /// It serves for ever, or its peers are elsewhere: it may be left waiting, and its run may end with an error.
    is_no_run: bool,
}

/// The text of a line of documentation.
fn documentation(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line
        .strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))?;
    Some(text.strip_prefix(' ').unwrap_or(text))
}

/// What rustdoc compiles of a line that it shows, or hides.
fn shown(line: &str) -> &str {
    match line.trim_start() {
        "#" => "",
        hidden if hidden.starts_with("# ") => &hidden[2..],
        escaped if escaped.starts_with("##") => &escaped[1..],
        _ => line,
    }
}

fn examples(name: &str, text: &str, found: &mut Vec<Example>) {
    let mut open: Option<Option<Example>> = None;
    for (line, number) in text.lines().zip(1..) {
        let Some(text) = documentation(line) else {
            continue;
        };
        match (text.trim_start().strip_prefix("```"), &mut open) {
            (Some(kind), None) => {
                let is_rust = ["", "rust", "no_run"].contains(&kind.trim());
                open = Some(is_rust.then(|| Example {
                    place: format!("{name}:{number}"),
                    code: String::new(),
                    is_no_run: kind.trim() == "no_run",
                }));
            }
            (Some(_), Some(_)) => found.extend(open.take().flatten()),
            (None, Some(Some(example))) => {
                example.code += shown(text);
                example.code += "\n";
            }
            (None, _) => {}
        }
    }
}

/// A module with the example as a function that says what it has ended with.
fn module(number: usize, Example { code, .. }: &Example) -> String {
    let has_main = code
        .lines()
        .any(|line| line.trim_start().starts_with("fn main("));
    let body = match code.trim_end().ends_with("(())") {
        _ if has_main => {
            format!("{code}\npub fn run() -> Option<String> {{ crate::Outcome::error(main()) }}")
        }
        true => format!(
            "fn body() -> core::result::Result<(), impl core::fmt::Debug> {{\n{code}}}\n\
             pub fn run() -> Option<String> {{ crate::Outcome::error(body()) }}"
        ),
        false => {
            format!("fn body() {{\n{code}}}\npub fn run() -> Option<String> {{ body(); None }}")
        }
    };
    format!("mod example_{number} {{\n{body}\n}}\n")
}

const MAIN: &str = r#"
#![allow(warnings)]

trait Outcome {
    fn error(self) -> Option<String>;
}

impl Outcome for () {
    fn error(self) -> Option<String> {
        None
    }
}

impl<E: core::fmt::Debug> Outcome for Result<(), E> {
    fn error(self) -> Option<String> {
        self.err().map(|error| format!("it returns {error:?}"))
    }
}

/// What is wrong with an example in a world, one a line.
fn wrongs(is_no_run: bool, run: fn() -> Option<String>) -> Vec<String> {
    let mut ended_with = None;
    let report = soquete::sim::World::seed(1).run(|| ended_with = run());
    let stuck = if is_no_run { &[][..] } else { &report.stuck[..] };
    let error = report.error.iter().filter(|_| !is_no_run);
    let error = error.map(|error| format!("its run ends with {error}"));
    report.problems.iter().chain(stuck).cloned().chain(ended_with).chain(error).collect()
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    for (place, is_no_run, run) in EXAMPLES {
        // A loop of its own, and what else a thread has.
        let thread = std::thread::spawn(|| wrongs(*is_no_run, *run));
        let wrongs = thread.join().unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            vec![format!("it panics: {}", text.unwrap_or("not with a text"))]
        });
        println!("\nended: {place}");
        for wrong in wrongs {
            println!("\nwrong: {place}: {}", wrong.replace('\n', " "));
        }
    }
}
"#;

/// A package of one program that depends on this one.
fn package(examples: &[&Example]) -> PathBuf {
    let mut program = String::from(MAIN);
    program += "\nconst EXAMPLES: &[(&str, bool, fn() -> Option<String>)] = &[\n";
    for (number, example) in examples.iter().enumerate() {
        let (place, is_no_run) = (&example.place, example.is_no_run);
        let _ = writeln!(program, "({place:?}, {is_no_run}, example_{number}::run),");
    }
    program += "];\n\n";
    for (number, example) in examples.iter().enumerate() {
        program += &module(number, example);
    }
    let at = beside::package("doc_examples", &["sim"], "[profile.dev]\ndebug = 0\n");
    fs::write(at.join("src/main.rs"), program).unwrap();
    at
}

#[test]
fn each_example_of_the_documentation_runs_in_a_world() {
    let mut all = Vec::new();
    for (name, text) in sources() {
        examples(&name, &text, &mut all);
    }
    for (what, why) in LEFT_OUT {
        let is_there = all.iter().any(|example| example.code.contains(what));
        assert!(is_there, "no example has {what}, which {why}");
    }
    let is_left_out =
        |example: &&Example| LEFT_OUT.iter().any(|(what, _)| example.code.contains(what));
    let (left_out, run): (Vec<&Example>, Vec<_>) = all.iter().partition(is_left_out);
    assert!(run.len() >= AT_LEAST, "{} examples were found", run.len());

    let ran = beside::cargo(&package(&run))
        .args(["run", "--offline", "--quiet"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let of = |what: &str| {
        said.lines()
            .filter(|line| line.starts_with(what))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("ended: ").len(),
        run.len(),
        "{}\n{}",
        of("ended: ").last().copied().unwrap_or_default(),
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(of("wrong: ").is_empty(), "{}", of("wrong: ").join("\n"));
    println!(
        "{} examples ran, {} were left out",
        run.len(),
        left_out.len()
    );
}
