//! Instructions per request in user space: by `perf stat` where the processor's counters are to
//! be had, or else simulated by callgrind, for programs compiled ahead of time.

use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use soquete_compare::load::Limit;

use super::{Better, Cell, Column, Sample, Workload, column, frames};
use crate::bench::{Bench, Traffic, run};
use crate::machine::has_tool;
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "instructions",
    about: "Instructions that the server executes in user space; what the kernel does for it is \
            not in them.",
    cells,
};

const COLUMNS: &[Column] = &[column("instructions", "instructions", Better::Less, 0)];

#[derive(Clone, Copy)]
enum Tool {
    Perf,
    Callgrind,
}

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let effort = &bench.effort;
    let tool = match (perf_counts(), has_tool("valgrind")) {
        (true, _) => Tool::Perf,
        (false, true) if effort.quick => return Err("callgrind is too slow for --quick".to_owned()),
        (false, true) => Tool::Callgrind,
        (false, false) => return Err("neither perf's counters nor valgrind".to_owned()),
    };
    let cell = |id: &str, title: &str, server: &'static str, load: &'static str, per: u64| Cell {
        columns: COLUMNS,
        most_rounds: 1,
        native_only: matches!(tool, Tool::Callgrind),
        measure: Box::new(move |bench, peer| {
            let count = bench.effort.traced * per;
            let traffic = |count| Traffic {
                connections: frames::CONNECTIONS,
                warm_up: Limit::Operations(100 * per),
                measure: Limit::Operations(count),
                ..bench.traffic(server, load)
            };
            let instructions = match tool {
                Tool::Perf => perf(bench, peer, &traffic(count))?,
                // What start-up, connecting and warming up take is the same in both.
                Tool::Callgrind => callgrind(bench, peer, &traffic(2 * count))?
                    .saturating_sub(callgrind(bench, peer, &traffic(count))?),
            };
            Ok(Sample::from([(
                "instructions",
                instructions as f64 / count as f64,
            )]))
        }),
        ..Cell::new(id, title, server)
    };
    Ok(vec![
        cell(
            "instructions-ping-pong",
            "Instructions per request",
            "echo",
            "ping-pong",
            1,
        ),
        cell(
            "instructions-frames",
            "Instructions per pipelined frame",
            "frames",
            "frames",
            16,
        ),
    ])
}

fn perf_counts() -> bool {
    let output = Command::new("perf")
        .args(["stat", "-x,", "-e", "instructions:u", "true"])
        .stdin(Stdio::null())
        .output();
    output.is_ok_and(|output| count_of_perf(&String::from_utf8_lossy(&output.stderr)).is_some())
}

fn perf(bench: &Bench, peer: &Peer, traffic: &Traffic) -> io::Result<u64> {
    let server = bench.serve(peer, traffic, &[])?;
    let mut load = bench.aim(&server, traffic)?;
    let mut perf = Command::new("perf")
        .args([
            "stat",
            "-x,",
            "-e",
            "instructions:u",
            "-p",
            &server.program.pid().to_string(),
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // perf does not say when it has attached.
    thread::sleep(Duration::from_millis(300));
    let ran = run(&mut load);
    let pid = rustix::process::Pid::from_child(&perf);
    rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
    let mut summary = String::new();
    if let Some(stderr) = &mut perf.stderr {
        io::Read::read_to_string(stderr, &mut summary)?;
    }
    perf.wait()?;
    ran?;
    load.finish()?;
    server.program.finish()?;
    count_of_perf(&summary).ok_or_else(|| io::Error::other("perf counted nothing"))
}

fn callgrind(bench: &Bench, peer: &Peer, traffic: &Traffic) -> io::Result<u64> {
    let log = std::env::temp_dir().join(format!("callgrind-{}", std::process::id()));
    let tool = [
        "valgrind".to_owned(),
        "--tool=callgrind".to_owned(),
        "--callgrind-out-file=/dev/null".to_owned(),
        format!("--log-file={}", log.display()),
    ];
    let server = bench.serve(peer, traffic, &tool)?;
    let mut load = bench.aim(&server, traffic)?;
    run(&mut load)?;
    load.finish()?;
    server.program.finish()?;
    let summary = fs::read_to_string(&log)?;
    fs::remove_file(&log)?;
    count_of_callgrind(&summary).ok_or_else(|| io::Error::other("callgrind counted nothing"))
}

/// The count in a line such as `1234,,instructions:u,…`.
fn count_of_perf(summary: &str) -> Option<u64> {
    let line = summary.lines().find(|line| line.contains("instructions"))?;
    line.split(',').next()?.trim().parse().ok()
}

/// The count in a line such as `==1== Collected : 1234`.
fn count_of_callgrind(summary: &str) -> Option<u64> {
    let line = summary.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_and_an_unsupported_counter_is_none() {
        assert_eq!(
            count_of_perf("1234,,instructions:u,99,100.00,,\n"),
            Some(1234)
        );
        assert_eq!(
            count_of_perf("<not supported>,,instructions:u,0,100.00,,\n"),
            None
        );
        assert_eq!(
            count_of_callgrind("==1== \n==1== Collected : 5678\n"),
            Some(5678)
        );
    }
}
