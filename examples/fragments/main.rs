//! Whether a server's answers depend on how the bytes of its requests are cut: holds conversations with a server of
//! this machine, in whatever language, cut in every way.
//!
//! `cargo run --release --example fragments -- --help`

mod options;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use options::{Asked, Options};
use soquete::fuzzing::{Conversation, Progress, ServerTrial};

fn main() -> ExitCode {
    match Options::of(std::env::args().skip(1)) {
        Ok(Asked::Trial(options)) => match hold(&options) {
            Ok(code) => code,
            Err(error) => fail(&error),
        },
        Ok(Asked::Help) => {
            print!("{}", options::HELP);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("fragments: {error}");
    ExitCode::from(2)
}

fn hold(options: &Options) -> Result<ExitCode, String> {
    let mut trial = ServerTrial::at(options.address)
        .at_once(options.at_once)
        .places_at_most(options.places)
        .lasts_at_most(options.lasts)
        .patience(options.patience)
        .closes_within(options.patience)
        .drip(options.drip)
        .pause(options.pause);
    if let Some(cut) = options.only {
        trial = trial.only(cut);
    }
    let mut names = Vec::new();
    for file in &options.files {
        let conversation = Conversation::read(file);
        let conversation = conversation.map_err(|error| format!("{}: {error}", file.display()))?;
        names.push((conversation.name().to_owned(), file.display()));
        trial = trial.conversation(conversation);
    }
    let begun = Instant::now();
    let report = trial.run_and_tell(progress_line(begun));
    for (finding, count) in report.kinds() {
        println!("{finding}");
        if count > 1 {
            println!("    and so at {} other places", count - 1);
        }
        if let Some((_, file)) = names.iter().find(|(name, _)| *name == finding.conversation) {
            let (address, cut) = (options.address, finding.cut);
            println!("    again    fragments --only {cut} {address} {file}\n");
        }
    }
    for what in &report.left_out {
        println!("not tried: {what}");
    }
    let (runs, findings) = (report.runs, report.findings.len());
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{}: {runs} connections in {took:.1} s, {findings} wrong",
        options.address
    );
    Ok(match (findings, report.left_out.is_empty()) {
        (0, true) => ExitCode::SUCCESS,
        (0, false) => fail("not all was tried"),
        _ => ExitCode::from(1),
    })
}

/// A line on a terminal that is written over, a few times a second.
fn progress_line(begun: Instant) -> impl FnMut(&Progress) + 'static {
    const OFTEN: Duration = Duration::from_millis(200);
    let is_seen = std::io::stderr().is_terminal();
    let mut next = begun + OFTEN;
    move |progress| {
        let is_over = progress.done == progress.total;
        if !is_seen || !is_over && Instant::now() < next {
            return;
        }
        next = Instant::now() + OFTEN;
        let Progress {
            done,
            total,
            findings,
            ..
        } = *progress;
        let mut line = format!("\r{done} of {total} connections, {findings} wrong\x1b[K");
        if is_over {
            line.push('\n');
        }
        // Who cannot be told does not have to know.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}
