//! Servers of two loops, on two cores.

use super::{Better, Cell, Column, LOAD_SHARE, SERVER_SHARE, Sample, Workload, column, under_load};
use super::{LOAD_WAITED, SERVER_WAITED};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "loops",
    about: "Servers that have two loops (threads, or processes), beside such as have one. Nothing is pinned. With two \
            cores in all, the load generator takes a good part of them away, which it does not from a server with \
            one loop: so compare servers of two loops with each other, by their CPU time first.",
    cells,
};

const COLUMNS: &[Column] = &[
    column("rate", "requests/s", Better::More, 0),
    column("cpu", "server CPU, µs/request", Better::Less, 2),
    column("p50", "p50, µs", Better::Less, 0),
    column("p99", "p99, µs", Better::Less, 0),
    SERVER_SHARE,
    LOAD_SHARE,
];

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    if bench.pins.0.is_empty() {
        return Err("there is one core only, or no taskset".to_owned());
    }
    if bench.effort.quick {
        return Err("it is not for --quick".to_owned());
    }
    Ok(vec![
        cell(
            "loops-ping-pong",
            "Ping-pong, 50 connections, on all cores",
            "ping-pong",
            50,
        ),
        cell(
            "loops-connect",
            "Connect, a byte each way, close, 16 at a time, on all cores",
            "connect",
            16,
        ),
    ])
}

fn cell(id: &str, title: &str, load: &'static str, connections: usize) -> Cell {
    Cell {
        columns: COLUMNS,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                connections,
                ..bench.traffic("echo-loops", load)
            };
            let measured = bench.unpinned().drive(peer, &traffic)?;
            let mut sample: Sample = under_load(&measured, measured.get("operations"));
            // Here they wait for each other.
            sample.retain(|&key, _| key != SERVER_WAITED && key != LOAD_WAITED);
            Ok(sample)
        }),
        ..Cell::new(id, title, "echo-loops")
    }
}
