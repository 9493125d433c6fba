//! Runs the fuzz targets without a fuzzer: over the committed seeds, and over random variations.

use std::fs;

use super::check::mix;
use super::{TARGETS, seeds};
use crate::fuzzing::replay::fuzz_folder;

/// With `WRITE_FUZZ_SEEDS` set, writes the seeds instead.
#[test]
fn the_seeds_on_disk_are_the_ones_described_and_every_target_passes_them() {
    let write = std::env::var_os("WRITE_FUZZ_SEEDS").is_some();
    let Some(folders) = fuzz_folder("seeds") else {
        return;
    };
    for (target, body) in TARGETS {
        let folder = folders.join(target);
        let seeds = seeds::of(target);
        assert!(!seeds.is_empty(), "{target} has seeds");
        for (name, seed) in seeds {
            let file = folder.join(name);
            if write {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&file, &seed).unwrap();
            }
            let on_disk = fs::read(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
            assert_eq!(on_disk, seed, "{file:?}");
        }
        // Seeds that were found later are not described, but replayed.
        for entry in fs::read_dir(&folder).unwrap() {
            body(&fs::read(entry.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn every_target_passes_random_variations_of_its_seeds() {
    let rounds = if cfg!(miri) { 2 } else { 400 };
    for (target, body) in TARGETS {
        for (i, (_, seed)) in seeds::of(target).into_iter().enumerate() {
            for round in 0..rounds {
                body(&varied(&seed, (i * rounds + round) as u64));
            }
        }
    }
}

/// Changes, repeats and removes a few bytes.
fn varied(seed: &[u8], n: u64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let mut random = mix(n);
    let mut below = |most: usize| {
        random = mix(random);
        (random % most.max(1) as u64) as usize
    };
    for _ in 0..=below(6) {
        let at = below(bytes.len());
        let from = below(bytes.len());
        let to = (from + 1 + below(12)).min(bytes.len());
        match below(5) {
            0 if !bytes.is_empty() => bytes[at] = below(256) as u8,
            1 if !bytes.is_empty() => bytes[at] = bytes[from],
            2 => drop(bytes.drain(from..to)),
            3 => {
                let copy = bytes[from..to].to_vec();
                bytes.splice(at..at, copy);
            }
            // The policies and the limit decide the most: they are varied more often.
            _ => {
                let at = below(3);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = below(64) as u8;
                }
            }
        }
    }
    bytes
}
