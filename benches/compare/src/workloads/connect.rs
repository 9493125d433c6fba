//! A connection for a single byte each way.

use super::{Better, Cell, Column, LOAD_SHARE, SERVER_SHARE, Workload, column, under_load};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "connect",
    about: "Connect, one byte each way, close; 16 such connections at a time.",
    cells,
};

/// Connections under way: enough that the server never waits for a handshake.
const AT_A_TIME: usize = 16;

const COLUMNS: &[Column] = &[
    column("rate", "connections/s", Better::More, 0),
    column("cpu", "server CPU, µs/connection", Better::Less, 1),
    column("p50", "p50, µs", Better::Less, 0),
    column("p99", "p99, µs", Better::Less, 0),
    SERVER_SHARE,
    LOAD_SHARE,
];

fn cells(_: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    Ok(vec![Cell {
        columns: COLUMNS,
        headline: true,
        measure: Box::new(|bench, peer| {
            let traffic = Traffic {
                connections: AT_A_TIME,
                ..bench.traffic("echo", "connect")
            };
            let measured = bench.drive(peer, &traffic)?;
            Ok(under_load(&measured, measured.get("operations")))
        }),
        ..Cell::new("connect", "Connect, 1 byte each way, close", "echo")
    }])
}
