//! What the others feel of one that floods.

use super::{Better, Cell, Column, Workload, column, under_load};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "fairness",
    about: "1,000 light clients of a server that pipes everything back, together 10,000 requests of 64 bytes a \
            second in an open loop, and beside them none, one and eight connections that send 64 KiB chunks and \
            read what comes without a pause. Latencies are those of the light ones.",
    cells,
};

const COLUMNS: &[Column] = &[
    column("p99", "p99, µs", Better::Less, 0),
    column("p90", "p90, µs", Better::Less, 0),
    column("p50", "p50, µs", Better::Less, 0),
    column("p999", "p99.9, µs", Better::Less, 0),
    column("flood", "flood, MB/s", Better::More, 0),
];

const LIGHT: usize = 1000;
const RATE: u64 = 10_000;

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let floods: &[usize] = if bench.effort.quick { &[1] } else { &[0, 1, 8] };
    Ok(floods.iter().map(|&floods| cell(floods)).collect())
}

fn cell(floods: usize) -> Cell {
    let beside = match floods {
        0 => "alone".to_owned(),
        1 => "beside one that floods".to_owned(),
        more => format!("beside {more} that flood"),
    };
    Cell {
        columns: COLUMNS,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                connections: LIGHT,
                rate: RATE,
                floods,
                ..bench.traffic("pipe", "open")
            };
            let measured = bench.drive(peer, &traffic)?;
            let mut sample = under_load(&measured, measured.get("operations"));
            sample.insert(
                "flood",
                measured.get("bytes") / 1e6 / measured.get("seconds"),
            );
            Ok(sample)
        }),
        ..Cell::new(
            format!("fairness-{floods}"),
            format!("1,000 light clients {beside}"),
            "pipe",
        )
    }
}
