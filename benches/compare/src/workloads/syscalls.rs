//! System calls per request, counted by `strace -c -f`.

use std::fs;
use std::io;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use soquete_compare::load::Limit;

use super::{Better, Cell, Column, Sample, Workload, column, frames};
use crate::bench::{Bench, Traffic, run};
use crate::machine::has_tool;
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "syscalls",
    about: "System calls of all of the server's threads, between two requests of a connection.",
    cells,
};

const COLUMNS: &[Column] = &[column("calls", "system calls", Better::Less, 3)];

fn cells(_: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    if !has_tool("strace") {
        return Err("strace is not installed".to_owned());
    }
    let cell = |id: &str, title: &str, server: &'static str, load: &'static str, per: u64| Cell {
        columns: COLUMNS,
        most_rounds: 1,
        measure: Box::new(move |bench, peer| {
            let count = bench.effort.traced * per;
            let traffic = Traffic {
                connections: frames::CONNECTIONS,
                warm_up: Limit::Operations(100 * per),
                measure: Limit::Operations(count),
                ..bench.traffic(server, load)
            };
            let calls = trace(bench, peer, &traffic)?;
            Ok(Sample::from([("calls", calls as f64 / count as f64)]))
        }),
        ..Cell::new(id, title, server)
    };
    Ok(vec![
        cell(
            "syscalls-ping-pong",
            "System calls per request, 50 connections",
            "echo",
            "ping-pong",
            1,
        ),
        cell(
            "syscalls-frames",
            "System calls per pipelined frame",
            "frames",
            "frames",
            16,
        ),
    ])
}

fn trace(bench: &Bench, peer: &Peer, traffic: &Traffic) -> io::Result<u64> {
    let server = bench.serve(peer, traffic, &[])?;
    let mut load = bench.aim(&server, traffic)?;
    let summary = std::env::temp_dir().join(format!("strace-{}", server.program.pid()));
    let mut strace = Command::new("strace")
        .args(["-c", "-f", "-o"])
        .arg(&summary)
        .args(["-p", &server.program.pid().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let counted = await_tracer(server.program.pid())
        .and_then(|()| run(&mut load))
        .and_then(|_| stop(&mut strace))
        .and_then(|()| fs::read_to_string(&summary));
    // A file that was never written need not be removed, and a tracer that ended need not be
    // ended.
    let _ = fs::remove_file(&summary);
    let _ = strace.kill();
    strace.wait()?;
    load.finish()?;
    server.program.finish()?;
    total(&counted?).ok_or_else(|| io::Error::other("strace counted nothing"))
}

/// Waits until every thread of a process is traced.
fn await_tracer(pid: u32) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        let mut threads = fs::read_dir(format!("/proc/{pid}/task"))?.filter_map(Result::ok);
        let untraced = threads.any(|thread| {
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            status.contains("TracerPid:\t0\n")
        });
        if !untraced {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(2));
    }
    Err(io::Error::other("strace may not attach to the server"))
}

/// Interrupts a tool, which makes it detach and write its summary.
fn stop(tool: &mut Child) -> io::Result<()> {
    let pid = rustix::process::Pid::from_child(tool);
    rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
    tool.wait().map(drop)
}

/// The count in the last line: `100.00    0.001234           5       246        12 total`.
fn total(summary: &str) -> Option<u64> {
    let line = summary
        .lines()
        .rfind(|line| line.trim_end().ends_with("total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_with_and_without_a_column_of_errors() {
        let head = "% time     seconds  usecs/call     calls    errors syscall\n";
        let with = format!("{head}100.00    0.000544          18        29         1 total\n");
        let without = format!("{head}100.00    0.000544          18        31           total\n");
        assert_eq!(total(&with), Some(29));
        assert_eq!(total(&without), Some(31));
        assert_eq!(total(head), None);
    }
}
