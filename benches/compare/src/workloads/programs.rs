//! Node's own programs: what its benchmark/net does, with the same parameters, by the same names.

use std::io;
use std::time::{Duration, Instant};

use soquete_compare::proc;

use super::bulk::{KIB, MIB};
use super::{Better, Cell, Column, LOAD_WAITED, SERVER_WAITED, Sample, Workload, column};
use crate::bench::Bench;
use crate::options::Effort;
use crate::peers::Peer;
use crate::program::Program;
use crate::report::number;

pub const WORKLOAD: Workload = Workload {
    name: "programs",
    about: "What the programs of Node's benchmark/net do, with their parameters. A server and its client are one \
            program on one core, so that a figure is of both sides: of what they write, until the last byte of it has \
            arrived. What comes back counts twice. An operation of addAddress and addAddresses is a whole list. In \
            lists of subnets alone Node's program looks for an address that is not in them, also for a hit.",
    cells,
};

const KIND: &str = "programs";

const TYPES: [&str; 3] = ["buf", "asc", "utf"];

/// What each program has for `len`, the last one for `sendchunklen`.
const C2S: [usize; 3] = [64, 100 * KIB, 16 * MIB];
const CORK: [usize; 8] = [4, 8, 16, 32, 64, 128, 512, 1024];
const PIPE: [usize; 4] = [2, 64, 100 * KIB, MIB];
const S2C: [usize; 4] = [256, 32 * KIB, 128 * KIB, 16 * MIB];

/// A pipe of two bytes a write takes seconds to fill the buffers of one connection, in which nothing else happens.
const SLOW_PIPE: usize = PIPE[0];

/// What net-s2c reads into, and with which length and type that is measured where not all are.
const READ_BUFFERS: [(usize, bool); 4] = [
    (64 * KIB, false),
    (64 * KIB, true),
    (MIB, false),
    (MIB, true),
];
const READ_INTO_BUFFERS: (usize, &str) = (128 * KIB, "buf");

const RULE_COUNTS: [&str; 4] = ["10", "100", "1000", "10000"];
const RULE_TYPES: [&str; 3] = ["address", "subnet", "mixed"];

/// Where a list is built, there is nothing to hit or miss.
const NO_RESULT: &str = "none";

const GIGABITS: &[Column] = &[column("rate", "Gbit/s", Better::More, 2)];
const OPERATIONS: &[Column] = &[
    column("10", "10 rules, operations/s", Better::More, 0),
    column("100", "100 rules", Better::More, 0),
    column("1000", "1,000 rules", Better::More, 0),
    column("10000", "10,000 rules", Better::More, 0),
];

/// There are many of them: how much of the usual time to measure one has, and of that to warm up.
const SHARE_OF_TIME: f64 = 0.5;
const SHARE_OF_WARM_UP: f64 = 0.3;

/// A number of rules has this share of a program's time, for it is a loop that does one thing.
const SHARE_OF_RULES: f64 = 0.1;

fn cells(bench: &Bench, _: &[Peer]) -> Result<Vec<Cell>, String> {
    let effort = &bench.effort;
    if effort.quick && !effort.every_parameter {
        return Ok(vec![
            stream("net-c2s", C2S[1], "buf"),
            stream("net-s2c", S2C[2], "buf"),
            stream("net-pipe", PIPE[2], "buf"),
            stream("net-c2s-cork", CORK[4], "buf"),
            block_list("check", "address", "hit"),
            block_list("addAddress", "address", NO_RESULT),
        ]);
    }
    let mut cells = streams("net-c2s", &C2S);
    cells.extend(streams("net-s2c", &S2C));
    cells.extend(reads_into_buffers(effort));
    let is_measured = |length: &usize| *length != SLOW_PIPE || effort.every_parameter;
    let pipes: Vec<usize> = PIPE.into_iter().filter(is_measured).collect();
    cells.extend(streams("net-pipe", &pipes));
    cells.extend(CORK.map(|length| stream("net-c2s-cork", length, "buf")));
    for operation in ["check", "checkWithSocketAddress"] {
        for rule_type in RULE_TYPES {
            cells.extend(["hit", "miss"].map(|result| block_list(operation, rule_type, result)));
        }
    }
    let build = |operation| block_list(operation, "address", NO_RESULT);
    cells.extend(["addAddress", "addAddresses"].map(build));
    Ok(cells)
}

fn streams(program: &'static str, lengths: &[usize]) -> Vec<Cell> {
    let of_length = |&length| TYPES.map(|kind| stream(program, length, kind));
    lengths.iter().flat_map(of_length).collect()
}

fn reads_into_buffers(effort: &Effort) -> Vec<Cell> {
    let all = S2C
        .into_iter()
        .flat_map(|length| TYPES.map(|kind| (length, kind)));
    let chunks = all.filter(|&chunk| effort.every_parameter || chunk == READ_INTO_BUFFERS);
    let of_chunk = |(length, kind)| {
        READ_BUFFERS.map(|(size, in_turn)| read_into_buffer(length, kind, size, in_turn))
    };
    chunks.flat_map(of_chunk).collect()
}

/// A connection that is written to with one length and type.
fn stream(program: &'static str, length: usize, kind: &str) -> Cell {
    let mut parameters = vec![length.to_string(), kind.to_owned()];
    if program == "net-s2c" {
        parameters.extend(["0".to_owned(), "false".to_owned()]);
    }
    let length = number(length as f64, 0);
    let title = format!("{program}, {length} bytes a write, {kind}");
    cell(program, title, GIGABITS, parameters, 1.0)
}

/// The same from a server to a client that reads by `onread`.
fn read_into_buffer(length: usize, kind: &str, size: usize, in_turn: bool) -> Cell {
    let parameters = vec![
        length.to_string(),
        kind.to_owned(),
        size.to_string(),
        in_turn.to_string(),
    ];
    let buffers = if in_turn {
        "three buffers in turn"
    } else {
        "one buffer"
    };
    let title = format!(
        "net-s2c, {} bytes a write, {kind}, onread into {buffers} of {}",
        number(length as f64, 0),
        number(size as f64, 0),
    );
    cell("net-s2c", title, GIGABITS, parameters, 1.0)
}

/// A loop around one method of a block list.
fn block_list(operation: &str, rule_type: &str, result: &str) -> Cell {
    let mut parameters = [operation, rule_type, result].map(str::to_owned).to_vec();
    parameters.extend(RULE_COUNTS.map(str::to_owned));
    let mut title = format!("net-blocklist, {operation}, {rule_type}");
    if result != NO_RESULT {
        title.push_str(", ");
        title.push_str(result);
    }
    cell(
        "net-blocklist",
        title,
        OPERATIONS,
        parameters,
        SHARE_OF_RULES,
    )
}

/// A program with its parameters, which has a share of the time of the longest ones.
fn cell(
    program: &'static str,
    title: String,
    columns: &'static [Column],
    parameters: Vec<String>,
    share: f64,
) -> Cell {
    let id = [program]
        .into_iter()
        .chain(parameters.iter().map(String::as_str));
    let id = id.collect::<Vec<_>>().join("-");
    Cell {
        columns,
        measure: Box::new(move |bench, peer| {
            let milliseconds = |time: Duration, of_it: f64| {
                let time = time.mul_f64(of_it * share).as_millis().max(1);
                time.to_string()
            };
            let mut words = vec![
                program.to_owned(),
                milliseconds(bench.effort.warm_up, SHARE_OF_WARM_UP),
                milliseconds(bench.effort.seconds, SHARE_OF_TIME),
            ];
            words.extend_from_slice(&parameters);
            measure(bench, peer, columns, &words)
        }),
        ..Cell::new(id, title, KIND)
    }
}

fn measure(bench: &Bench, peer: &Peer, columns: &[Column], words: &[String]) -> io::Result<Sample> {
    let mode = peer.mode(KIND).ok_or(io::ErrorKind::Unsupported)?;
    let mut command = [&bench.pins.0[..], &peer.command[..]].concat();
    command.push(mode.to_owned());
    command.extend_from_slice(words);
    let started = Instant::now();
    let mut program = Program::start(&command)?;
    let said = program.line_after("RATES")?;
    let elapsed = started.elapsed();
    let waited = proc::waited_for_core(program.pid()).unwrap_or_default();
    program.finish()?;
    let rates = said
        .split_whitespace()
        .map(|rate| rate.parse().unwrap_or(f64::NAN));
    let rates: Vec<f64> = rates.collect();
    if rates.len() != columns.len() || rates.iter().any(|rate| !(rate.is_finite() && *rate > 0.0)) {
        return Err(io::Error::other(format!("it did nothing: {said}")));
    }
    let mut sample: Sample = columns.iter().map(|column| column.key).zip(rates).collect();
    let waited = waited.as_secs_f64() / elapsed.as_secs_f64() * 100.0;
    // There is no load generator that could have waited.
    sample.extend([(SERVER_WAITED, waited), (LOAD_WAITED, 0.0)]);
    Ok(sample)
}
