//! What is measured: each workload in a module of its own, as one or more cells.

mod broadcast;
mod bulk;
mod connect;
mod fairness;
mod frames;
mod http;
mod instructions;
mod latency;
mod loops;
mod memory;
mod pieces;
mod ping_pong;
mod pipe;
mod programs;
mod robustness;
mod start_up;
mod syscalls;
mod timers;
mod unix;
mod websocket;

use std::collections::BTreeMap;
use std::io;

use soquete_compare::load::Limit;

use crate::bench::{Bench, Measured};
use crate::peers::Peer;

/// One round's figures, by the keys of the columns.
pub type Sample = BTreeMap<&'static str, f64>;

/// A figure that a cell reports; the first column of a cell is the one it is about.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub key: &'static str,
    pub title: &'static str,
    pub better: Better,
    pub decimals: usize,
}

/// Which way a figure improves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Better {
    More,
    Less,
    /// It explains the other figures.
    Neither,
}

/// One table: a workload with its parameters, for all peers.
pub struct Cell {
    pub id: String,
    pub title: String,
    /// The kind of server it needs, by which peers without such a one are passed over.
    pub server: &'static str,
    pub columns: &'static [Column],
    /// No more rounds than this: of what is counted and not timed, one round tells all.
    pub most_rounds: usize,
    /// Shown in the chart.
    pub headline: bool,
    /// Only peers compiled ahead of time can be measured this way.
    pub native_only: bool,
    pub measure: Measure,
}

pub type Measure = Box<dyn Fn(&Bench, &Peer) -> io::Result<Sample>>;

/// A workload, and the cells it has at a given effort; or why this machine cannot run it.
pub struct Workload {
    pub name: &'static str,
    pub about: &'static str,
    pub cells: fn(&Bench, &[Peer]) -> Result<Vec<Cell>, String>,
}

/// All of them, in the order of the report.
pub const WORKLOADS: [Workload; 20] = [
    ping_pong::WORKLOAD,
    frames::WORKLOAD,
    latency::WORKLOAD,
    fairness::WORKLOAD,
    bulk::WORKLOAD,
    pipe::WORKLOAD,
    pieces::WORKLOAD,
    unix::WORKLOAD,
    http::WORKLOAD,
    websocket::WORKLOAD,
    loops::WORKLOAD,
    connect::WORKLOAD,
    broadcast::WORKLOAD,
    memory::WORKLOAD,
    robustness::WORKLOAD,
    start_up::WORKLOAD,
    timers::WORKLOAD,
    programs::WORKLOAD,
    syscalls::WORKLOAD,
    instructions::WORKLOAD,
];

impl Cell {
    fn new(id: impl Into<String>, title: impl Into<String>, server: &'static str) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            server,
            columns: &[],
            most_rounds: usize::MAX,
            headline: false,
            native_only: false,
            measure: Box::new(|_, _| Err(io::ErrorKind::Unsupported.into())),
        }
    }
}

const fn column(key: &'static str, title: &'static str, better: Better, decimals: usize) -> Column {
    Column {
        key,
        title,
        better,
        decimals,
    }
}

const SERVER_SHARE: Column = column("server_share", "server CPU, %", Better::Neither, 0);
const LOAD_SHARE: Column = column("load_share", "load CPU, %", Better::Neither, 0);

/// How long, in percent, something else had the core of a server's main thread, which may be
/// another thread of the server.
pub const SERVER_WAITED: &str = "server_waited";

/// How long, in percent, something else had the load generator's core.
pub const LOAD_WAITED: &str = "load_waited";

/// For protocols that a just-in-time compiler has much of to compile.
fn long_warm_up(bench: &Bench) -> Limit {
    Limit::Time(3 * bench.effort.warm_up)
}

/// What a run under load tells, for as many units of work as it did.
fn under_load(measured: &Measured, units: f64) -> Sample {
    Sample::from([
        ("rate", units / measured.get("seconds")),
        ("cpu", measured.get("server_cpu") * 1e6 / units),
        ("p50", measured.get("p50_us")),
        ("p90", measured.get("p90_us")),
        ("p99", measured.get("p99_us")),
        ("p999", measured.get("p999_us")),
        (SERVER_SHARE.key, measured.share("server_cpu")),
        (LOAD_SHARE.key, measured.share("load_cpu")),
        (SERVER_WAITED, measured.share("server_waited")),
        (LOAD_WAITED, measured.share("load_waited")),
    ])
}
