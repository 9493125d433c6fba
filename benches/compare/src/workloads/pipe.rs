//! Bytes through a server and back, as clients send them: from their memory, at once or in turn.

use super::bulk::{KIB, MIB, size_in_words};
use super::{Better, Cell, Column, LOAD_SHARE, SERVER_SHARE, Workload, column, under_load};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "pipe",
    about: "The server pipes every connection back to itself. The client writes chunks from its memory and reads into \
            it, as programs do, which makes it the slower side of a fast server: compare the server's CPU as well. \
            Without a pause it sends as much as the socket takes; in turn it sends the next chunk when the last one \
            has come back.",
    cells,
};

const COLUMNS: &[Column] = &[
    column("rate", "MB/s", Better::More, 0),
    column("cpu", "server CPU, µs/MB", Better::Less, 0),
    SERVER_SHARE,
    LOAD_SHARE,
];

/// How the client sends: the name of the load, and in words.
const WITHOUT_A_PAUSE: (&str, &str) = ("pipe-copied", "without a pause");
const IN_TURN: (&str, &str) = ("pipe-in-turn", "in turn");

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    if bench.effort.quick {
        return Ok(vec![cell(WITHOUT_A_PAUSE, 64 * KIB, 1)]);
    }
    let sizes = [4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB];
    let mut cells = Vec::new();
    for manner in [WITHOUT_A_PAUSE, IN_TURN] {
        cells.extend(sizes.map(|size| cell(manner, size, 1)));
    }
    cells.extend([8, 100].map(|connections| cell(WITHOUT_A_PAUSE, 64 * KIB, connections)));
    Ok(cells)
}

fn cell((load, manner): (&'static str, &str), size: usize, connections: usize) -> Cell {
    let plural = if connections == 1 { "" } else { "s" };
    Cell {
        columns: COLUMNS,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                size,
                connections,
                ..bench.traffic("pipe", load)
            };
            let measured = bench.drive(peer, &traffic)?;
            Ok(under_load(&measured, measured.get("bytes") / 1e6))
        }),
        ..Cell::new(
            format!("{load}-{size}-{connections}"),
            format!(
                "Chunks of {} {manner}, {connections} connection{plural}",
                size_in_words(size)
            ),
            "pipe",
        )
    }
}
