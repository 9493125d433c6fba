//! What an idle connection costs in user space.

use std::io;
use std::thread;
use std::time::Duration;

use soquete_compare::proc;

use super::{Better, Cell, Column, Sample, Workload, column};
use crate::bench::{Bench, Server, Traffic, run};
use crate::peers::Peer;
use crate::report::number;

pub const WORKLOAD: Workload = Workload {
    name: "memory",
    about: "Growth of the server's anonymous resident memory per open connection of an echo server; \
            garbage collectors run when they like.",
    cells,
};

const COLUMNS: &[Column] = &[
    column("idle", "bytes, never used", Better::Less, 0),
    column("used", "bytes, after one echo", Better::Less, 0),
];

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let effort = &bench.effort;
    let connections = effort.idle;
    Ok(vec![Cell {
        columns: COLUMNS,
        most_rounds: 3,
        headline: true,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                connections,
                ..bench.traffic("echo", "hold")
            };
            let server = bench.serve(peer, &traffic, &[])?;
            let before = settled(bench, &server)?;
            let mut load = bench.aim(&server, &traffic)?;
            let idle = settled(bench, &server)?;
            run(&mut load)?;
            let used = settled(bench, &server)?;
            load.finish()?;
            server.program.finish()?;
            let per_connection = |now: f64| (now - before) / connections as f64;
            Ok(Sample::from([
                ("idle", per_connection(idle)),
                ("used", per_connection(used)),
            ]))
        }),
        ..Cell::new(
            "memory",
            format!(
                "Memory per connection, {} open",
                number(connections as f64, 0)
            ),
            "echo",
        )
    }])
}

/// Anonymous memory once the server has had a moment for what it does afterwards.
fn settled(bench: &Bench, server: &Server) -> io::Result<f64> {
    thread::sleep(Duration::from_millis(if bench.effort.quick {
        50
    } else {
        300
    }));
    Ok(proc::memory(server.program.pid())?.anonymous as f64)
}
