//! HTTP/1.1: a short answer over connections that are kept.

use std::io;
use std::path::Path;
use std::process::Command;

use soquete_compare::proc;

use super::{
    Better, Cell, Column, SERVER_SHARE, Sample, Workload, column, frames, long_warm_up, ping_pong,
    under_load,
};
use crate::bench::{Bench, Traffic};
use crate::machine::{all_output_of, has_tool};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "http",
    about: "`GET /hello` over 50 connections that are kept, one request under way on each, or 16. All answers have the \
            same status, fields and body, and are 116 bytes long. Ours is the crate's example of a server, with its \
            limits and deadlines.",
    cells,
};

/// What wrk tells, and the server's own CPU time.
const WRK_COLUMNS: &[Column] = &[
    column("rate", "requests/s", Better::More, 0),
    column("cpu", "server CPU, µs/request", Better::Less, 2),
    SERVER_SHARE,
];

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let connections = frames::CONNECTIONS;
    let one = format!("HTTP/1.1 keep-alive, {connections} connections");
    let sixteen = format!("HTTP/1.1 pipelined, {connections} connections × 16");
    let mut cells = vec![
        own("http", one.clone(), "http"),
        own("http-pipelined", sixteen.clone(), "http-pipelined"),
    ];
    if has_tool("wrk") && !bench.effort.quick {
        cells.push(by_wrk("http-wrk", format!("{one}, by wrk"), None));
        cells.push(by_wrk(
            "http-pipelined-wrk",
            format!("{sixteen}, by wrk"),
            Some("peers/pipelined.lua"),
        ));
    }
    Ok(cells)
}

fn own(id: &str, title: String, load: &'static str) -> Cell {
    Cell {
        columns: ping_pong::COLUMNS,
        headline: true,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                connections: frames::CONNECTIONS,
                warm_up: long_warm_up(bench),
                ..bench.traffic("http", load)
            };
            let measured = bench.drive(peer, &traffic)?;
            Ok(under_load(&measured, measured.get("operations")))
        }),
        ..Cell::new(id, title, "http")
    }
}

fn by_wrk(id: &str, title: String, script: Option<&'static str>) -> Cell {
    Cell {
        columns: WRK_COLUMNS,
        measure: Box::new(move |bench, peer| {
            let traffic = bench.traffic("http", "http");
            let server = bench.serve(peer, &traffic, &[])?;
            // wrk knows whole seconds alone, and no warm-up.
            let wrk = |seconds: u64| {
                let home = Path::new(env!("CARGO_MANIFEST_DIR"));
                let mut words = bench.pins.1.clone();
                words.extend(["wrk".to_owned(), "-t1".to_owned()]);
                words.push(format!("-c{}", frames::CONNECTIONS));
                words.push(format!("-d{seconds}s"));
                if let Some(script) = script {
                    words.extend(["-s".to_owned(), home.join(script).display().to_string()]);
                }
                words.push(format!("http://127.0.0.1:{}/hello", server.address));
                all_output_of(Command::new(&words[0]).args(&words[1..]))
            };
            wrk(1)?;
            let before = proc::cpu_time(server.program.pid())?;
            let said = wrk(bench.effort.seconds.as_secs().max(1))?;
            let cpu = proc::cpu_time(server.program.pid())? - before;
            server.program.finish()?;
            let (requests, rate) = counts(&said)?;
            let seconds = requests / rate;
            Ok(Sample::from([
                ("rate", rate),
                ("cpu", cpu.as_secs_f64() * 1e6 / requests),
                (SERVER_SHARE.key, cpu.as_secs_f64() / seconds * 100.0),
            ]))
        }),
        ..Cell::new(id, title, "http")
    }
}

/// How many requests there were, and how many a second: `1000 requests in 1.00s, 1MB read` and `Requests/sec: 1000.00`.
/// Errors have a line of their own.
fn counts(said: &str) -> io::Result<(f64, f64)> {
    let requests = said.lines().find(|line| line.contains(" requests in "));
    let requests = requests.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let rate = said
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"));
    let rate = rate.and_then(|rate| rate.trim().parse().ok());
    match (requests, rate) {
        (Some(requests), Some(rate))
            if !said.contains("Socket errors") && !said.contains("Non-2xx") =>
        {
            Ok((requests, rate))
        }
        _ => Err(io::Error::other(format!("wrk: {said}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_wrk_are_read_and_its_errors_are_errors() {
        let said =
            "Running 1s test\n  4000 requests in 2.00s, 1.00MB read\nRequests/sec:   2000.00\n";
        assert_eq!(counts(said).unwrap(), (4000.0, 2000.0));
        assert!(counts(&format!("{said}  Non-2xx or 3xx responses: 3\n")).is_err());
        assert!(counts("unable to connect").is_err());
    }
}
