//! The servers of `examples`, on trial in a simulated world.
//!
//! `SOQUETE_SOAK=60 cargo test --release --test server_trial_examples` goes on with random conversations for a minute.

#[path = "support/resp_trial.rs"]
mod resp_trial;

use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn the_resp_server_passes_every_cut() {
    let report = resp_trial::trial().test();
    println!("{} cuts", report.runs);
    assert!(report.runs > 900);
}

#[test]
fn the_resp_server_answers_random_conversations_as_if_they_were_not_cut() {
    let trial = resp_trial::trial();
    let seconds = std::env::var("SOQUETE_SOAK").ok();
    let seconds = seconds.map_or(0, |text| text.parse().expect("a number of seconds"));
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut state, mut count) = (1u64, 0u64);
    while count < 200 || Instant::now() < until {
        let bytes: Vec<u8> = (0..60)
            .map(|_| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        trial.fuzz(&bytes);
        count += 1;
    }
    println!("{count} conversations");
}

#[test]
fn the_seeds_of_the_fuzz_target_pass() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/resp_server");
    // The crate that is published comes without.
    let Ok(files) = std::fs::read_dir(seeds) else {
        return;
    };
    let trial = resp_trial::trial();
    for file in files {
        let file = file.expect("a file").path();
        println!("{}", file.display());
        trial.fuzz(&std::fs::read(file).expect("bytes"));
    }
}
