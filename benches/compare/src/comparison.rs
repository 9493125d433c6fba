//! Everything that a run found out, and its form as JSON.

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::options::Effort;
use crate::peers::{LeftOut, Peer};
use crate::rounds::{Finished, Row, Spread, disturbed};

pub struct Comparison {
    pub machine: Machine,
    pub effort: Effort,
    pub peers: Vec<Peer>,
    pub left_out: Vec<LeftOut>,
    pub sections: Vec<Section>,
}

/// One workload's cells.
pub struct Section {
    pub name: &'static str,
    pub about: &'static str,
    pub cells: Vec<Finished>,
    /// Why there are none.
    pub left_out: Option<String>,
}

impl Finished {
    /// A peer's figure as a multiple of the library's own: the median of the rounds' ratios. What
    /// disturbs a machine for longer than a round is in both figures of a ratio.
    pub fn of_ours(&self, peers: &[Peer], row: &Row, key: &str) -> Option<f64> {
        let ours = self.rows.iter().find(|row| peers[row.peer].id == "ours")?;
        let pairs = row.rounds.iter().zip(&ours.rounds);
        let ratios = pairs.filter_map(|(theirs, ours)| Some(theirs.get(key)? / ours.get(key)?));
        let ratios = ratios.filter(|ratio| ratio.is_finite()).collect();
        Spread::of(ratios).map(|spread| spread.median)
    }
}

impl Comparison {
    /// Whether a peer is among them already, as an installed Node is that is the newest.
    pub fn has_program(&self, peer: &Peer) -> bool {
        let mut peers = self.peers.iter();
        peers.any(|other| other.label == peer.label && other.version == peer.version)
    }

    /// How many rounds under load were disturbed, and how many there were.
    pub fn disturbed(&self) -> (usize, usize) {
        let cells = self.sections.iter().flat_map(|section| &section.cells);
        cells.fold((0, 0), |(so_far, rounds), finished| {
            let (more_disturbed, more_rounds) = disturbed(&finished.rows, &self.peers);
            (so_far + more_disturbed, rounds + more_rounds)
        })
    }

    /// Every figure of every round.
    pub fn to_json(&self) -> Value {
        json!({
            "machine": self.machine.to_json(),
            "quick": self.effort.quick,
            "seconds": self.effort.seconds.as_secs_f64(),
            "disturbed_rounds": self.disturbed().0,
            "warm_up": self.effort.warm_up.as_secs_f64(),
            "peers": self.peers.iter().map(|peer| json!({
                "id": peer.id, "label": peer.label, "version": peer.version,
            })).collect::<Vec<_>>(),
            "left_out": self.left_out.iter().map(|peer| json!({
                "id": peer.id, "reason": peer.reason,
            })).collect::<Vec<_>>(),
            "workloads": self.sections.iter().map(|section| json!({
                "name": section.name,
                "left_out": section.left_out,
                "cells": section.cells.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })
    }

    fn cell(&self, finished: &Finished) -> Value {
        let rows = finished.rows.iter().map(|row| {
            json!({
                "peer": self.peers[row.peer].id,
                "failure": row.failure,
                "rounds": row.rounds,
            })
        });
        json!({
            "id": finished.cell.id,
            "title": finished.cell.title,
            "repeats": finished.repeats,
            "units": finished.cell.columns.iter()
                .map(|column| (column.key.to_owned(), column.title.into()))
                .collect::<serde_json::Map<_, _>>(),
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}
