//! 64 bytes there and back, one at a time on each connection.

use super::{Better, Cell, Column, LOAD_SHARE, SERVER_SHARE, Workload, column, under_load};
use crate::bench::{Bench, Traffic, Transport};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "ping-pong",
    about: "64 bytes there and back, one request under way on each connection.",
    cells,
};

pub(super) const COLUMNS: &[Column] = &[
    column("rate", "requests/s", Better::More, 0),
    column("cpu", "server CPU, µs/request", Better::Less, 2),
    column("p50", "p50, µs", Better::Less, 0),
    column("p99", "p99, µs", Better::Less, 0),
    column("p999", "p99.9, µs", Better::Less, 0),
    SERVER_SHARE,
    LOAD_SHARE,
];

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let effort = &bench.effort;
    let counts: &[usize] = if effort.quick { &[50] } else { &[1, 50, 500] };
    Ok(counts
        .iter()
        .map(|&connections| cell(connections, Transport::Tcp))
        .collect())
}

pub(super) fn cell(connections: usize, transport: Transport) -> Cell {
    let plural = if connections == 1 { "" } else { "s" };
    Cell {
        columns: COLUMNS,
        headline: connections > 1,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                connections,
                transport,
                ..bench.traffic("echo", "ping-pong")
            };
            let measured = bench.drive(peer, &traffic)?;
            Ok(under_load(&measured, measured.get("operations")))
        }),
        ..Cell::new(
            transport.id(&format!("ping-pong-{connections}")),
            transport.title(&format!("Ping-pong, {connections} connection{plural}")),
            "echo",
        )
    }
}
