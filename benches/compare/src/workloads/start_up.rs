//! From nothing to listening.

use soquete_compare::proc;

use super::{Better, Cell, Column, Sample, Workload, column};
use crate::bench::{Bench, Transport, start};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "start-up",
    about: "From starting the program to its word that it listens, on all cores, and its resident \
            memory at that moment.",
    cells,
};

const COLUMNS: &[Column] = &[
    column("ms", "ms to listening", Better::Less, 1),
    column("resident", "RSS, MiB", Better::Less, 1),
    column("anonymous", "of it anonymous, MiB", Better::Less, 1),
];

const MIB: f64 = 1024.0 * 1024.0;

fn cells(_: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    Ok(vec![Cell {
        columns: COLUMNS,
        headline: true,
        measure: Box::new(|_, peer| {
            let server = start(peer, "echo", None, Transport::Tcp, Vec::new())?;
            let memory = proc::memory(server.program.pid())?;
            let milliseconds = server.listening_after.as_secs_f64() * 1e3;
            server.program.finish()?;
            Ok(Sample::from([
                ("ms", milliseconds),
                ("resident", memory.resident as f64 / MIB),
                ("anonymous", memory.anonymous as f64 / MIB),
            ]))
        }),
        ..Cell::new("start-up", "Start-up", "echo")
    }])
}
