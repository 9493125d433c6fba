//! What comes, read four bytes at a time.

use super::{Better, Cell, Column, LOAD_SHARE, SERVER_SHARE, Workload, column, under_load};
use crate::bench::{Bench, Traffic};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "pieces",
    about: "The client sends 64 KiB chunks without a pause, and the server reads them by read(4), which every listener \
            of 'readable' repeats until there are fewer than four bytes.",
    cells,
};

const COLUMNS: &[Column] = &[
    column("rate", "million reads/s", Better::More, 1),
    column("cpu", "server CPU, ns/read", Better::Less, 0),
    SERVER_SHARE,
    LOAD_SHARE,
];

const PIECE: f64 = 4.0;
const CHUNK: usize = 64 * 1024;

fn cells(_: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    Ok(vec![Cell {
        columns: COLUMNS,
        measure: Box::new(|bench, peer| {
            let traffic = Traffic {
                size: CHUNK,
                ..bench.traffic("pieces", "upload")
            };
            let measured = bench.drive(peer, &traffic)?;
            let reads = measured.get("bytes") / PIECE;
            let mut sample = under_load(&measured, reads);
            for (key, unit) in [("rate", 1e-6), ("cpu", 1e3)] {
                sample.entry(key).and_modify(|figure| *figure *= unit);
            }
            Ok(sample)
        }),
        ..Cell::new("pieces", "Reads of 4 bytes", "pieces")
    }])
}
