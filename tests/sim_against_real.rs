//! The same random programs on the system's kernel and on a simulated one, without faults: each end has to see the
//! same bytes, the same end and the same `Close`.
//!
//! Forty by default, which take the time that their timers take; `SOQUETE_SEEDS=1000` for more.

#[path = "support/drawn.rs"]
mod drawn;

use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use drawn::{Draw, Place, program_at, wrongs};
use soquete::sim::{self, World};

/// What each end has come to: bytes seen, whether it ended, errors, `Close`s.
type Lanes = Vec<(u64, bool, u32, u32)>;

/// Runs the program that a seed draws in this thread's loop.
fn lanes(seed: u64, place: &Place) -> Lanes {
    let ends = program_at(&Draw::seed(seed).calm(), place);
    soquete::run().expect("every error is listened for");
    let wrong = wrongs();
    assert!(wrong.is_empty(), "seed {seed} at {place:?}: {wrong:?}");
    let mut lanes: Vec<_> = ends.borrow().iter().map(|end| end.lane()).collect();
    lanes.sort_unstable();
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

/// A real address that no other test uses: a port, and the first of the clients' ports.
fn real_place() -> Place {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("soquete-drawn-{}-{number}.sock", std::process::id());
    Place {
        server: "127.0.0.1".into(),
        // Any that is free.
        port: 0,
        client: "127.0.0.2".into(),
        path: std::env::temp_dir().join(name),
    }
}

fn count() -> u64 {
    let asked = std::env::var("SOQUETE_SEEDS").ok();
    asked.map_or(40, |count| count.parse().expect("a number of seeds"))
}

#[test]
fn programs_see_the_same_on_both_kernels() {
    let mut ends = 0;
    for seed in sim::seeds(0..count()) {
        let simulated_place = Place {
            server: "127.0.0.1".into(),
            port: 80,
            client: "127.0.0.2".into(),
            path: Path::new("/run/drawn.sock").into(),
        };
        let mut simulated = Lanes::new();
        let report = World::seed(seed)
            .leaves_nothing()
            .run(|| simulated = lanes(seed, &simulated_place));
        report.check();
        let real = lanes(seed, &real_place());
        assert_eq!(
            simulated, real,
            "seed {seed}: the simulated kernel's, and the real one's"
        );
        ends += real.len();
    }
    println!("{ends} ends");
}
