//! One message to a thousand sockets.

use super::{Better, Cell, Column, LOAD_SHARE, SERVER_SHARE, Workload, column, under_load};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "broadcast",
    about: "A message of 64 bytes from one of 1,000 clients goes to all of them; the next follows \
            when all have it.",
    cells,
};

const AUDIENCE: usize = 1000;

const COLUMNS: &[Column] = &[
    column("rate", "deliveries/s", Better::More, 0),
    column("cpu", "server CPU, µs/delivery", Better::Less, 2),
    column("p50", "p50 of 1,000, µs", Better::Less, 0),
    column("p99", "p99 of 1,000, µs", Better::Less, 0),
    SERVER_SHARE,
    LOAD_SHARE,
];

fn cells(_: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    Ok(vec![Cell {
        columns: COLUMNS,
        headline: true,
        measure: Box::new(|bench, peer| {
            let traffic = Traffic {
                connections: AUDIENCE,
                ..bench.traffic("broadcast", "broadcast")
            };
            let measured = bench.drive(peer, &traffic)?;
            let deliveries = measured.get("operations") * AUDIENCE as f64;
            Ok(under_load(&measured, deliveries))
        }),
        ..Cell::new("broadcast", "Broadcast to 1,000 sockets", "broadcast")
    }])
}
