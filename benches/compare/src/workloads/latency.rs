//! How long a request takes while there is room: an open loop at fixed rates.

use super::{Better, Cell, Column, SERVER_SHARE, Workload, column, under_load};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;
use crate::report::number;

pub const WORKLOAD: Workload = Workload {
    name: "latency",
    about: "64 bytes there and back over 50 connections, at fixed rates that all peers can keep: shares of the \
            closed-loop rate of the slowest. Each request counts from the moment at which it was due, so that \
            none is left out because an earlier one was slow.",
    cells,
};

const CONNECTIONS: usize = 50;

const COLUMNS: &[Column] = &[
    column("p99", "p99, µs", Better::Less, 0),
    column("p50", "p50, µs", Better::Less, 0),
    column("p999", "p99.9, µs", Better::Less, 0),
    column("cpu", "server CPU, µs/request", Better::Less, 2),
    SERVER_SHARE,
];

/// Percent of the slowest peer's rate.
const SHARES: [u64; 4] = [25, 50, 75, 90];

fn cells(bench: &Bench, peers: &[Peer]) -> Result<Vec<Cell>, String> {
    let mut slowest = f64::INFINITY;
    for peer in peers.iter().filter(|peer| peer.mode("echo").is_some()) {
        let traffic = Traffic {
            connections: CONNECTIONS,
            ..bench.traffic("echo", "ping-pong")
        };
        if let Ok(measured) = bench.drive(peer, &traffic) {
            slowest = slowest.min(measured.get("operations") / measured.get("seconds"));
        }
    }
    if !slowest.is_finite() {
        return Err("no peer answers".to_owned());
    }
    let shares = if bench.effort.quick {
        &SHARES[1..2]
    } else {
        &SHARES[..]
    };
    Ok(shares
        .iter()
        .map(|&share| cell(share, slowest as u64 * share / 100))
        .collect())
}

fn cell(share: u64, rate: u64) -> Cell {
    Cell {
        columns: COLUMNS,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                connections: CONNECTIONS,
                rate,
                ..bench.traffic("echo", "open")
            };
            let measured = bench.drive(peer, &traffic)?;
            Ok(under_load(&measured, measured.get("operations")))
        }),
        ..Cell::new(
            format!("latency-{share}"),
            format!(
                "Latency at {} requests/s, {share} % of the slowest peer's rate",
                number(rate as f64, 0)
            ),
            "echo",
        )
    }
}
