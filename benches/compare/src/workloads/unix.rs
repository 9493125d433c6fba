//! What there is over TCP, over UNIX sockets.

use super::bulk::{self, KIB};
use super::{Cell, Workload, ping_pong};
use crate::bench::{Bench, Transport};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "unix",
    about: "The same servers and loads over a UNIX socket. There the load generator has to copy what it receives, so \
            where bytes come back compare CPU and not the rate alone.",
    cells,
};

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let mut cells = vec![ping_pong::cell(50, Transport::Unix)];
    if !bench.effort.quick {
        let bulk = |direction| bulk::cell(direction, 64 * KIB, 1, Transport::Unix);
        cells.extend(bulk::DIRECTIONS.map(bulk));
    }
    for cell in &mut cells {
        cell.headline = false;
    }
    Ok(cells)
}
