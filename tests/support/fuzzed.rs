//! A world and a program whose every decision is a byte: the whole stack, for a fuzzer.

use std::time::Duration;

use soquete::sim::{self, Faults, World};

use super::drawn::{Draw, program, wrongs};

/// Runs them. Panics if anything was wrong.
///
/// | bytes | what they decide |
/// |---|---|
/// | the first 8 | what the network is like, and how often what fails |
/// | every second of the others | the program |
/// | the rest | what the kernel does: delays, cuts, the order of events, faults |
pub fn run(bytes: &[u8]) {
    let (settings, rest) = bytes.split_at(bytes.len().min(8));
    let of = |which: usize| -> Vec<u8> { rest.iter().skip(which).step_by(2).copied().collect() };
    let draw = Draw::bytes(&of(0));
    let report = world(settings, &of(1)).run(|| {
        program(&draw);
        soquete::run().expect("every error is listened for");
        for what in wrongs() {
            sim::wrong(&what);
        }
    });
    report.check();
}

fn world(settings: &[u8], decisions: &[u8]) -> World {
    let setting = |at: usize| settings.get(at).copied().unwrap_or(0);
    let ms = Duration::from_millis;
    // The seed draws nothing but the rates.
    let rates = u64::from(setting(0)) << 8 | u64::from(setting(1));
    let mut world = World::bytes(decisions)
        .leaves_nothing()
        .faults(Faults::swarm(rates));
    if setting(2) > 0 {
        world = world.latency(ms(0)..=ms(u64::from(setting(2)) / 4));
    }
    if setting(3) > 0 {
        world = world.segments(1..=usize::from(setting(3)) * 12);
    }
    if setting(4) > 0 {
        let size = 200 + usize::from(setting(4)) * 200;
        world = world.send_buffer(size).window(size);
    }
    if setting(5) > 0 {
        world = world.writes_at_most(1..=usize::from(setting(5)) * 100);
    }
    if setting(6) & 1 == 1 {
        world = world.shuffled();
    }
    if setting(6) & 2 == 2 {
        world = world.spurious_events(2 + u64::from(setting(6)) / 32);
    }
    if setting(7) > 200 {
        world = world.descriptors(6 + usize::from(setting(7) - 200) / 8);
    }
    world
}
