//! Runs a cell: every peer once per round, one after the other, so that whatever else happens on
//! the machine happens to all of them alike.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use crate::bench::Bench;
use crate::peers::Peer;
use crate::workloads::{Cell, LOAD_WAITED, SERVER_WAITED, Sample};

/// What a peer did in a cell.
pub struct Row {
    /// Its place among the peers.
    pub peer: usize,
    pub rounds: Vec<Sample>,
    /// Why it has no figures, or no more of them.
    pub failure: Option<String>,
}

/// A cell that was run.
pub struct Finished {
    pub cell: Cell,
    pub rows: Vec<Row>,
    /// How often it was measured again, for the machine was not quiet.
    pub repeats: usize,
}

/// The middle and the ends of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

/// How many of a cell's measurements may be disturbed before it is measured again.
const MOST_DISTURBED: f64 = 0.1;

/// How often a cell is measured again, at the most.
const MOST_REPEATS: usize = 2;

/// Measures a cell with every peer that can take part; and again, where something else had a core for
/// too much of it. The quietest attempt counts.
pub fn run(bench: &Bench, peers: &[Peer], cell: Cell) -> Finished {
    let started = Instant::now();
    let mut rows = measure(bench, peers, &cell);
    let mut repeats = 0;
    while !bench.effort.quick
        && repeats < MOST_REPEATS
        && share_disturbed(&rows, peers) > MOST_DISTURBED
    {
        repeats += 1;
        let again = measure(bench, peers, &cell);
        if share_disturbed(&again, peers) < share_disturbed(&rows, peers) {
            rows = again;
        }
    }
    progress("");
    eprintln!("{} ({:.0} s)", cell.title, started.elapsed().as_secs_f64());
    for row in &rows {
        eprintln!("    {}", row.summary(&cell, &peers[row.peer]));
    }
    Finished {
        cell,
        rows,
        repeats,
    }
}

fn share_disturbed(rows: &[Row], peers: &[Peer]) -> f64 {
    let (disturbed, rounds) = disturbed(rows, peers);
    disturbed as f64 / rounds.max(1) as f64
}

fn measure(bench: &Bench, peers: &[Peer], cell: &Cell) -> Vec<Row> {
    let mut rows: Vec<Row> = peers
        .iter()
        .enumerate()
        .filter(|(_, peer)| peer.mode(cell.server).is_some() && (peer.native || !cell.native_only))
        .map(|(peer, _)| Row {
            peer,
            rounds: Vec::new(),
            failure: None,
        })
        .collect();
    let rounds = bench.effort.rounds.min(cell.most_rounds);
    for round in 1..=rounds {
        for row in rows.iter_mut().filter(|row| row.failure.is_none()) {
            let peer = &peers[row.peer];
            progress(&format!(
                "{}: round {round}/{rounds}, {}",
                cell.title, peer.label
            ));
            match (cell.measure)(bench, peer) {
                Ok(sample) => row.rounds.push(sample),
                Err(error) => row.failure = Some(error.to_string()),
            }
        }
    }
    rows
}

/// Up to here, what else happens on a machine hardly shows: percent of a core.
const MOST_WAITED: f64 = 5.0;

/// In how many rounds something else had one of the two cores, and how many rounds could tell.
pub fn disturbed(rows: &[Row], peers: &[Peer]) -> (usize, usize) {
    let mut counts = (0, 0);
    for row in rows {
        let tell = |sample: &&Sample| sample.contains_key(LOAD_WAITED);
        for sample in row.rounds.iter().filter(tell) {
            let waited = |key| sample.get(key).is_some_and(|&share| share > MOST_WAITED);
            // The threads of a garbage collector keep the main thread waiting by themselves.
            let disturbed = waited(LOAD_WAITED) || peers[row.peer].native && waited(SERVER_WAITED);
            counts.0 += usize::from(disturbed);
            counts.1 += 1;
        }
    }
    counts
}

impl Row {
    /// The spread of a figure over the rounds; none if there is not one such figure.
    pub fn spread(&self, key: &str) -> Option<Spread> {
        let figures = self
            .rounds
            .iter()
            .filter_map(|sample| sample.get(key).copied());
        Spread::of(figures.filter(|figure| figure.is_finite()).collect())
    }

    fn summary(&self, cell: &Cell, peer: &Peer) -> String {
        let figures = cell.columns.iter().filter_map(|column| {
            let Spread { median, .. } = self.spread(column.key)?;
            Some(format!("{} {median:.*}", column.title, column.decimals))
        });
        let figures = figures
            .chain(self.failure.clone())
            .collect::<Vec<_>>()
            .join("; ");
        format!("{:<28} {figures}", peer.label)
    }
}

impl Spread {
    /// Of no figures there is none.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (&least, &most) = (figures.first()?, figures.last()?);
        let middle = figures.len() / 2;
        let median = match figures.len() % 2 {
            0 => (figures[middle - 1] + figures[middle]) / 2.0,
            _ => figures[middle],
        };
        Some(Self {
            median,
            least,
            most,
        })
    }
}

/// One line that the next one replaces, where there is someone to watch it.
fn progress(line: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[2K{line}");
        // Progress that cannot be shown is no reason to stop.
        let _ = io::stderr().flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_rounds_lies_between_the_middle_two() {
        let spread = Spread::of(vec![4.0, 1.0, 2.0, 9.0]);
        assert_eq!(
            spread,
            Some(Spread {
                median: 3.0,
                least: 1.0,
                most: 9.0
            })
        );
    }

    #[test]
    fn nothing_measured_has_no_spread() {
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
