//! What hostile peers cost.

use std::io;
use std::thread;
use std::time::Duration;

use soquete_compare::load::Limit;
use soquete_compare::proc;

use super::{Better, Cell, Sample, Workload, column};
use crate::bench::{Bench, Server, Traffic, Transport, run, start};
use crate::machine::has_tool;
use crate::peers::Peer;
use crate::report::number;

pub const WORKLOAD: Workload = Workload {
    name: "robustness",
    about: "Clients that mean harm. Memory is the growth of the server's anonymous resident memory. A server \
            that parses by hand bounds its frames only if its author thought of it: here the framing layer, tokio's \
            Framed, and the C servers on epoll and libuv do.",
    cells,
};

const KIB: f64 = 1024.0;

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let mut cells = vec![drip(), promise(), deaf()];
    if has_tool("prlimit") {
        cells.push(storm());
    }
    let connections = if bench.effort.quick { 5_000 } else { 1_000_000 };
    cells.push(coming_and_going(connections));
    Ok(cells)
}

fn drip() -> Cell {
    Cell {
        columns: const { &[column("ns", "server CPU, ns/byte", Better::Less, 0)] },
        most_rounds: 3,
        measure: Box::new(|bench, peer| {
            let traffic = Traffic {
                connections: 50,
                ..bench.traffic("frames", "drip")
            };
            let measured = bench.drive(peer, &traffic)?;
            let nanoseconds = measured.get("server_cpu") * 1e9 / measured.get("operations");
            Ok(Sample::from([("ns", nanoseconds)]))
        }),
        ..Cell::new(
            "drip",
            "Frames of 64 bytes that come a byte at a time, 50 connections",
            "frames",
        )
    }
}

fn promise() -> Cell {
    const PEERS: usize = 1000;
    Cell {
        columns: const {
            &[
                column("kib", "KiB per connection", Better::Less, 1),
                column("ended", "of them ended, %", Better::Neither, 0),
            ]
        },
        most_rounds: 1,
        measure: Box::new(|bench, peer| {
            let (server, mut load, before) = held(bench, peer, "frames", "promise", PEERS)?;
            let ended = run(&mut load)?.get("ended");
            let growth = settled(&server)? - before;
            load.finish()?;
            server.program.finish()?;
            Ok(Sample::from([
                ("kib", growth / KIB / PEERS as f64),
                ("ended", ended * 100.0 / PEERS as f64),
            ]))
        }),
        ..Cell::new(
            "promise",
            "A promise of 1 GiB on each of 1,000 connections, and 1 KiB of it",
            "frames",
        )
    }
}

fn deaf() -> Cell {
    const PEERS: usize = 1000;
    Cell {
        columns: const { &[column("kib", "KiB per connection", Better::Less, 1)] },
        most_rounds: 1,
        measure: Box::new(|bench, peer| {
            let traffic = Traffic {
                chunk: Some(64 * 1024),
                connections: PEERS,
                ..bench.traffic("source", "hold")
            };
            let server = bench.serve(peer, &traffic, &[])?;
            let before = settled(&server)?;
            let load = bench.aim(&server, &traffic)?;
            thread::sleep(Duration::from_secs(1));
            let growth = settled(&server)? - before;
            drop(load);
            server.program.finish()?;
            Ok(Sample::from([("kib", growth / KIB / PEERS as f64)]))
        }),
        ..Cell::new(
            "deaf",
            "1,000 clients that never read what the server writes, in chunks of 64 KiB",
            "source",
        )
    }
}

fn storm() -> Cell {
    Cell {
        columns: const { &[column("ms", "ms until it serves again", Better::Less, 1)] },
        most_rounds: 3,
        measure: Box::new(|bench, peer| {
            let limit = ["prlimit".to_owned(), "--nofile=256".to_owned()];
            let command = [&bench.pins.0[..], &limit].concat();
            let server = start(peer, "echo", None, Transport::Tcp, command)?;
            let traffic = Traffic {
                connections: 2000,
                ..bench.traffic("echo", "storm")
            };
            let mut load = bench.aim(&server, &traffic)?;
            let resumed = run(&mut load)?.get("resumed_ms");
            load.finish()?;
            server.program.finish()?;
            Ok(Sample::from([("ms", resumed)]))
        }),
        ..Cell::new(
            "storm",
            "2,000 connections at a limit of 256 descriptors, until all have gone",
            "echo",
        )
    }
}

fn coming_and_going(connections: u64) -> Cell {
    Cell {
        columns: const {
            &[
                column("kib", "KiB more", Better::Less, 0),
                column("descriptors", "descriptors more", Better::Less, 0),
            ]
        },
        most_rounds: 1,
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                connections: 16,
                warm_up: Limit::Operations(2_000),
                measure: Limit::Operations(connections),
                ..bench.traffic("echo", "connect")
            };
            let server = bench.serve(peer, &traffic, &[])?;
            let mut load = bench.aim(&server, &traffic)?;
            let before = settled(&server)?;
            let descriptors = proc::descriptors(server.program.pid())?;
            run(&mut load)?;
            let growth = settled(&server)? - before;
            let more = proc::descriptors(server.program.pid())? as f64 - descriptors as f64;
            load.finish()?;
            server.program.finish()?;
            Ok(Sample::from([("kib", growth / KIB), ("descriptors", more)]))
        }),
        ..Cell::new(
            "coming-and-going",
            format!(
                "{} connections opened and closed",
                number(connections as f64, 0)
            ),
            "echo",
        )
    }
}

/// A server with its load connected, and its memory from before.
fn held(
    bench: &Bench,
    peer: &Peer,
    server: &'static str,
    load: &'static str,
    connections: usize,
) -> io::Result<(Server, crate::program::Program, f64)> {
    let traffic = Traffic {
        connections,
        ..bench.traffic(server, load)
    };
    let server = bench.serve(peer, &traffic, &[])?;
    let load = bench.aim(&server, &traffic)?;
    let before = settled(&server)?;
    Ok((server, load, before))
}

/// Anonymous memory once the server has had a moment.
fn settled(server: &Server) -> io::Result<f64> {
    thread::sleep(Duration::from_millis(300));
    Ok(proc::memory(server.program.pid())?.anonymous as f64)
}
