//! WebSocket messages there and back.

use super::{Cell, Workload, frames, long_warm_up, ping_pong, under_load};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "websocket",
    about: "Binary messages of 64 bytes, masked as a client's are, that the server sends back; one under way on each \
            connection, or 16. Nobody compresses.",
    cells,
};

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let mut cells = vec![one_at_a_time(50)];
    if !bench.effort.quick {
        cells.extend([one_at_a_time(500), pipelined()]);
    }
    Ok(cells)
}

fn one_at_a_time(connections: usize) -> Cell {
    Cell {
        headline: connections == 50,
        ..cell(
            format!("websocket-{connections}"),
            format!("WebSocket echo, {connections} connections"),
            "websocket",
            connections,
        )
    }
}

fn pipelined() -> Cell {
    let connections = frames::CONNECTIONS;
    cell(
        "websocket-pipelined".to_owned(),
        format!("WebSocket echo, {connections} connections × 16"),
        "websocket-pipelined",
        connections,
    )
}

fn cell(id: String, title: String, load: &'static str, connections: usize) -> Cell {
    Cell {
        columns: ping_pong::COLUMNS,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                connections,
                warm_up: long_warm_up(bench),
                ..bench.traffic("websocket", load)
            };
            let measured = bench.drive(peer, &traffic)?;
            Ok(under_load(&measured, measured.get("operations")))
        }),
        ..Cell::new(id, title, "websocket")
    }
}
