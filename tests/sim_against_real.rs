//! The same random programs on the system's kernel and on a simulated one, without faults: each end has to see the
//! same bytes, the same end and the same `Close`.
//!
//! Two hundred by default, several at a time, since they wait for their timers; `SOQUETE_SEEDS=1000` for more.

#[path = "support/drawn.rs"]
mod drawn;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

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

/// How many programs wait for their timers at the same time.
const WORKERS: u8 = 16;

/// A real address that no other worker uses. The clients' ports are those that the program gives them.
fn real_place(worker: u8) -> Place {
    let name = format!("soquete-drawn-{}-{worker}.sock", std::process::id());
    Place {
        server: "127.0.0.1".into(),
        // Any that is free.
        port: 0,
        client: format!("127.0.0.{}", 2 + worker),
        path: std::env::temp_dir().join(name),
    }
}

fn count() -> u64 {
    let asked = std::env::var("SOQUETE_SEEDS").ok();
    asked.map_or(200, |count| count.parse().expect("a number of seeds"))
}

/// How many ends a program has, which have seen the same on both kernels.
fn compare(seed: u64, worker: u8) -> usize {
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
    let real = lanes(seed, &real_place(worker));
    assert_eq!(
        simulated, real,
        "seed {seed}: the simulated kernel's, and the real one's"
    );
    real.len()
}

#[test]
fn programs_see_the_same_on_both_kernels() {
    let seeds = Mutex::new(sim::seeds(0..count()));
    let next = || seeds.lock().expect("nobody panics with it").next();
    let (programs, ends) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (next, programs, ends) = (&next, &programs, &ends);
            scope.spawn(move || {
                while let Some(seed) = next() {
                    ends.fetch_add(compare(seed, worker), Ordering::Relaxed);
                    programs.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{programs:?} programs, {ends:?} ends");
}
