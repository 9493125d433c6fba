//! The whole comparison in one command: builds or finds every peer, measures it under every
//! workload, and writes `results.md`, `results.svg` and `results.json`.
//!
//! ```text
//! options -> obtain (peers) -> rounds (workloads x peers) -> comparison -> report, svg, json
//!                                 |
//!                                 +- bench: one server and one load generator, each a process
//!                                    on a core of its own
//! ```

mod bench;
mod comparison;
mod machine;
mod obtain;
mod options;
mod peers;
mod program;
mod report;
mod rounds;
mod svg;
mod workloads;

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use bench::Bench;
use comparison::{Comparison, Section};
use machine::Machine;
use obtain::Workshop;
use options::Options;
use peers::LeftOut;
use workloads::{WORKLOADS, Workload};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("{complaint}");
            return ExitCode::FAILURE;
        }
    };
    match compare(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> Result<(), Box<dyn Error>> {
    let workloads = WORKLOADS.map(|workload| workload.name);
    if options.list {
        println!("workloads: {}", workloads.join(", "));
        println!("peers: {}", peers::PEERS.join(", "));
        return Ok(());
    }
    known(&options.only, &workloads)?;
    known(&options.peers, &peers::PEERS)?;
    let mut comparison = prepare(options)?;
    let bench = Bench {
        effort: comparison.effort.clone(),
        pins: comparison.machine.pins(),
        load: Workshop::binaries()?.join("load"),
    };
    let started = Instant::now();
    for workload in WORKLOADS
        .iter()
        .filter(|workload| options.wants_workload(workload.name))
    {
        let section = run(workload, &bench, &comparison);
        comparison.sections.push(section);
    }
    eprintln!("measured in {:.0} s", started.elapsed().as_secs_f64());
    fs::create_dir_all(&options.out)?;
    let write = |name: &str, text: String| fs::write(options.out.join(name), text);
    write("results.md", report::markdown(&comparison))?;
    write("results.svg", svg::chart(&comparison))?;
    write("results.json", format!("{:#}\n", comparison.to_json()))?;
    eprintln!(
        "results.md, results.svg and results.json are in {}",
        options.out.display()
    );
    Ok(())
}

/// Refuses a name that stands for nothing, which would silently narrow the comparison.
fn known(wanted: &[String], names: &[&str]) -> Result<(), String> {
    match wanted
        .iter()
        .find(|wanted| !names.contains(&wanted.as_str()))
    {
        Some(unknown) => Err(format!("{unknown} is none of {}", names.join(", "))),
        None => Ok(()),
    }
}

/// Gathers the machine and the peers.
fn prepare(options: &Options) -> Result<Comparison, Box<dyn Error>> {
    let mut comparison = Comparison {
        machine: Machine::inspect(),
        effort: options.effort.clone(),
        peers: Vec::new(),
        left_out: Vec::new(),
        sections: Vec::new(),
    };
    let descriptors = machine::raise_descriptor_limit();
    // Beside its connections, a runtime keeps a few dozen descriptors of its own.
    let most_idle = usize::try_from(descriptors.saturating_sub(200)).unwrap_or(usize::MAX);
    comparison.effort.idle = comparison.effort.idle.min(most_idle);
    let workshop = Workshop::open()?;
    for id in peers::wanted(options) {
        match workshop.obtain(id) {
            Ok(peer) if comparison.has_program(&peer) => {
                let reason = "it is the newest".to_owned();
                comparison.left_out.push(LeftOut { id, reason });
            }
            Ok(peer) => {
                eprintln!("{}: {}", peer.label, peer.version);
                comparison.peers.push(peer);
            }
            Err(left_out) => {
                eprintln!("{} is left out: {}", left_out.id, left_out.reason);
                comparison.left_out.push(left_out);
            }
        }
    }
    Ok(comparison)
}

fn run(workload: &Workload, bench: &Bench, comparison: &Comparison) -> Section {
    let (cells, left_out) = match (workload.cells)(bench, &comparison.peers) {
        Ok(cells) => (cells, None),
        Err(reason) => {
            eprintln!("{} is left out: {reason}", workload.name);
            (Vec::new(), Some(reason))
        }
    };
    let cells = cells
        .into_iter()
        .map(|cell| rounds::run(bench, &comparison.peers, cell));
    Section {
        name: workload.name,
        about: workload.about,
        cells: cells.collect(),
        left_out,
    }
}
