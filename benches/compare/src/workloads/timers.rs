//! Timers armed and cancelled, all of them at once.

use std::io;

use super::{Better, Cell, Column, Sample, Workload, column};
use crate::bench::Bench;
use crate::peers::Peer;
use crate::program::Program;
use crate::report::number;

pub const WORKLOAD: Workload = Workload {
    name: "timers",
    about: "Arms all timers, for one to two minutes in no order, then cancels them all; the time is \
            for both together.",
    cells,
};

const COLUMNS: &[Column] = &[column("ns", "ns per timer", Better::Less, 0)];

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let effort = &bench.effort;
    let count = effort.timers;
    Ok(vec![Cell {
        columns: COLUMNS,
        headline: true,
        measure: Box::new(move |bench, peer| {
            let mode = peer.mode("timers").ok_or(io::ErrorKind::Unsupported)?;
            let mut command = [&bench.pins.0[..], &peer.command[..]].concat();
            command.extend([mode.to_owned(), count.to_string()]);
            let mut program = Program::start(&command)?;
            let nanoseconds = program.line_after("TIMERS")?;
            program.finish()?;
            let nanoseconds = nanoseconds
                .parse()
                .map_err(|_| io::ErrorKind::InvalidData)?;
            Ok(Sample::from([("ns", nanoseconds)]))
        }),
        ..Cell::new(
            "timers",
            format!("{} timers armed and cancelled", number(count as f64, 0)),
            "timers",
        )
    }])
}
