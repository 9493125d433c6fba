//! Worlds and programs that a seed draws: what must never be, over many seeds.
//!
//! A thousand by default. A million were run once, on 2026-11-27, in 301 s on one core, and nothing was found. How they
//! are run again, and one of them:
//!
//! ```text
//! SOQUETE_SEEDS=1000000 cargo test --release --test sim_seeds -- --nocapture
//! SOQUETE_SEED=17 cargo test --test sim_seeds
//! ```

#[path = "support/drawn.rs"]
mod drawn;
#[path = "support/fuzzed.rs"]
mod fuzzed;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use drawn::{Draw, program, wrongs};
use soquete::sim::{self, Faults, Report, World};

/// A third of the worlds without faults: they hide what they end.
fn faults(seed: u64) -> Faults {
    match seed.is_multiple_of(3) {
        true => Faults::none(),
        false => Faults::swarm(seed),
    }
}

fn world(seed: u64) -> World {
    let draw = Draw::seed(seed ^ 0xabcd);
    let ms = Duration::from_millis;
    let size = |most: u64| 1 + draw.below(most) as usize;
    let mut world = World::seed(seed).faults(faults(seed)).leaves_nothing();
    if !draw.one_in(4) {
        world = world.latency(ms(draw.below(3))..=ms(3 + draw.below(40)));
    }
    if draw.one_in(2) {
        world = world.segments(1..=size(3000));
    }
    if draw.one_in(2) {
        let bytes = 1000 + size(60_000);
        world = world.send_buffer(bytes).window(bytes);
    }
    if draw.one_in(3) {
        world = world.writes_at_most(1..=size(40_000));
    }
    if draw.one_in(2) {
        world = world.shuffled();
    }
    if draw.one_in(3) {
        world = world.spurious_events(2 + draw.below(9));
    }
    if draw.one_in(5) {
        world = world.bandwidth(20_000 + draw.below(1 << 20));
    }
    if draw.one_in(8) {
        world = world.descriptors(6 + draw.below(8) as usize);
    }
    world
}

#[derive(Default)]
struct Sums {
    seeds: u64,
    connections: u64,
    calls: u64,
    bytes: u64,
    faults: u64,
    elapsed: Duration,
    digest: u64,
}

impl Sums {
    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.connections += report.connections;
        self.calls += report.calls;
        self.bytes += report.bytes;
        self.faults += report.faults.len() as u64;
        self.elapsed += report.elapsed;
        self.digest = self.digest.rotate_left(5) ^ report.digest;
    }
}

fn count() -> u64 {
    let asked = std::env::var("SOQUETE_SEEDS").ok();
    asked.map_or(1000, |count| count.parse().expect("a number of seeds"))
}

/// Says how long it took to find something.
struct Found {
    begun: Instant,
    seeds: u64,
    took: Duration,
}

impl Drop for Found {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("found after {} seeds in {:.1?}", self.seeds, self.took);
        }
    }
}

#[test]
fn nobody_waits_in_vain_and_no_byte_is_lost() {
    let begun = Instant::now();
    let mut found = Found {
        begun,
        seeds: 0,
        took: Duration::ZERO,
    };
    let mut sums = Sums::default();
    for seed in sim::seeds(0..count()) {
        found.seeds += 1;
        found.took = found.begun.elapsed();
        let report = world(seed).test(|| {
            program(&Draw::seed(seed));
            soquete::run().expect("every error is listened for");
            for what in wrongs() {
                sim::wrong(&what);
            }
        });
        sums.add(&report);
    }
    let took = begun.elapsed();
    println!(
        "{} seeds in {took:.1?}, {:.0} a second: {} connections, {} calls, {} bytes, {} faults, {:.0?} of virtual time, digest {:016x}",
        sums.seeds,
        sums.seeds as f64 / took.as_secs_f64(),
        sums.connections,
        sums.calls,
        sums.bytes,
        sums.faults,
        sums.elapsed,
        sums.digest,
    );
}

/// The body of the fuzz target `world`, on random bytes.
#[test]
fn nor_where_every_decision_is_a_byte() {
    for seed in sim::seeds(0..count() / 2) {
        let draw = Draw::seed(seed);
        let length = 20 + draw.below(600);
        let bytes: Vec<u8> = (0..length).map(|_| draw.below(256) as u8).collect();
        run_bytes(&bytes, &format!("the bytes of seed {seed}"));
    }
}

fn run_bytes(bytes: &[u8], which: &str) {
    let outcome = std::panic::catch_unwind(|| fuzzed::run(bytes));
    if let Err(panic) = outcome {
        eprintln!("with {which}");
        std::panic::resume_unwind(panic);
    }
}

/// Those that the fuzzer has chosen for the branches that they take.
#[test]
fn nor_with_the_seeds_of_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    // The package is without.
    if !folder.exists() {
        return;
    }
    let mut seeds = 0;
    for entry in fs::read_dir(folder.join("seeds/world")).expect("the target has seeds") {
        let file = entry.expect("a file").path();
        let bytes = fs::read(&file).expect("it can be read");
        run_bytes(&bytes, &file.display().to_string());
        seeds += 1;
    }
    assert!(seeds > 10, "{seeds} seeds");
}
