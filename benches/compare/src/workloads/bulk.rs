//! Bytes by the gigabyte: to the server, from it, and through it.

use super::{Better, Cell, Column, LOAD_SHARE, SERVER_SHARE, Workload, column, under_load};
use crate::bench::{Bench, Traffic, Transport};
use crate::peers::Peer;

pub const WORKLOAD: Workload = Workload {
    name: "bulk",
    about: "As many bytes as pass: written by the client and counted by the server, written by \
            the server and read by the client, and piped back by the server. The chunk is what \
            the writing side hands to one write.",
    cells,
};

const COLUMNS: &[Column] = &[
    column("rate", "MB/s", Better::More, 0),
    column("cpu", "server CPU, µs/MB", Better::Less, 0),
    SERVER_SHARE,
    LOAD_SHARE,
];

pub(super) const KIB: usize = 1024;
pub(super) const MIB: usize = 1024 * KIB;

/// Chunk and connections: what applications do, then the sizes of Node's own benchmark/net.
const SIZES: [(usize, usize); 7] = [
    (64 * KIB, 1),
    (64 * KIB, 8),
    (MIB, 1),
    (MIB, 8),
    (64, 1),
    (100 * KIB, 1),
    (16 * MIB, 1),
];

#[derive(Clone, Copy)]
pub(super) struct Direction {
    id: &'static str,
    title: &'static str,
    server: &'static str,
}

pub(super) const DIRECTIONS: [Direction; 3] = [
    Direction {
        id: "upload",
        title: "Client to server",
        server: "sink",
    },
    Direction {
        id: "download",
        title: "Server to client",
        server: "source",
    },
    Direction {
        id: "pipe",
        title: "Piped back",
        server: "pipe",
    },
];

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let effort = &bench.effort;
    let sizes = if effort.quick {
        &SIZES[..1]
    } else {
        &SIZES[..]
    };
    let mut cells = Vec::new();
    for direction in DIRECTIONS {
        cells.extend(
            sizes
                .iter()
                .map(|&(chunk, connections)| cell(direction, chunk, connections, Transport::Tcp)),
        );
    }
    Ok(cells)
}

pub(super) fn cell(
    direction: Direction,
    chunk: usize,
    connections: usize,
    transport: Transport,
) -> Cell {
    let Direction { id, title, server } = direction;
    let plural = if connections == 1 { "" } else { "s" };
    let size = size_in_words(chunk);
    Cell {
        columns: COLUMNS,
        headline: (chunk, connections) == SIZES[0],
        measure: Box::new(move |bench, peer| {
            let traffic = Traffic {
                chunk: (server == "source").then_some(chunk),
                size: chunk,
                connections,
                transport,
                ..bench.traffic(server, id)
            };
            let measured = bench.drive(peer, &traffic)?;
            Ok(under_load(&measured, measured.get("bytes") / 1e6))
        }),
        ..Cell::new(
            transport.id(&format!("{id}-{chunk}-{connections}")),
            transport.title(&format!(
                "{title}, chunks of {size}, {connections} connection{plural}"
            )),
            server,
        )
    }
}

pub(super) fn size_in_words(bytes: usize) -> String {
    match bytes {
        MIB.. => format!("{} MiB", bytes / MIB),
        KIB.. => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} B"),
    }
}
