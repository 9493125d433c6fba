//! Pipelined frames: 16 under way on each connection, each answered by a write of its own.

use super::{Better, Cell, Column, LOAD_SHARE, SERVER_SHARE, Workload, column, under_load};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "frames",
    about: "50 connections, 16 frames of 64 bytes (behind a u32 of their length) under way on each; \
            the server's handler answers each frame with the plain write call of its platform.",
    cells,
};

pub const CONNECTIONS: usize = 50;

const COLUMNS: &[Column] = &[
    column("rate", "frames/s", Better::More, 0),
    column("cpu", "server CPU, µs/frame", Better::Less, 3),
    column("p50", "p50 of 16, µs", Better::Less, 0),
    column("p99", "p99 of 16, µs", Better::Less, 0),
    SERVER_SHARE,
    LOAD_SHARE,
];

fn cells(_: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    Ok(vec![Cell {
        columns: COLUMNS,
        headline: true,
        measure: Box::new(|bench, peer| {
            let traffic = Traffic {
                connections: CONNECTIONS,
                ..bench.traffic("frames", "frames")
            };
            let measured = bench.drive(peer, &traffic)?;
            Ok(under_load(&measured, measured.get("operations")))
        }),
        ..Cell::new("frames", "Pipelined frames, 50 connections × 16", "frames")
    }])
}
