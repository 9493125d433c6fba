//! `cargo bench --bench micro`: what single operations cost, in nanoseconds, so that a regression is
//! seen. (The block list has a benchmark of its own, `block_list`, and so has `framing`.)
//!
//! Every round measures each case once, so that a slow phase of the machine hits them all; printed
//! are the median of the rounds and the least.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::events::{Event, EventEmitter};
use soquete::net::Socket;
use soquete::{event, timers};

const ROUNDS: usize = 21;

struct Tick;

impl Event for Tick {
    type Payload<'a> = u64;
}

/// A name, and what returns how many operations it did and how long they took.
type Case = (&'static str, fn() -> (u32, Duration));

const CASES: &[Case] = &[
    ("emit, one listener", || emit(1)),
    ("emit, four listeners", || emit(4)),
    ("emit, nobody listens", || emit(0)),
    ("a listener added and removed", add_and_remove),
    ("a question to a socket", question),
    ("a write of 64 bytes, held by cork", write_64),
    ("a tick queued and called", ticks),
    ("an immediate queued and called", immediates),
    (
        "a timer armed and cleared, of 100,000",
        timers_armed_and_cleared,
    ),
    ("a timer armed and fired, of 100,000", timers_fired),
];

fn main() {
    let mut times = vec![Vec::new(); CASES.len()];
    for _ in 0..ROUNDS {
        for ((_, case), times) in CASES.iter().zip(&mut times) {
            let (count, elapsed) = case();
            times.push(elapsed.as_nanos() as f64 / f64::from(count));
        }
    }
    println!("{:<40}{:>10}{:>10}", "ns per operation", "median", "least");
    for ((name, _), mut times) in CASES.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        println!("{name:<40}{:>10.1}{:>10.1}", times[ROUNDS / 2], times[0]);
    }
}

fn timed(count: u32, mut operation: impl FnMut(u32)) -> (u32, Duration) {
    let start = Instant::now();
    (0..count).for_each(&mut operation);
    (count, start.elapsed())
}

fn emit(listeners: u64) -> (u32, Duration) {
    let emitter = EventEmitter::new();
    let sum = Rc::new(Cell::new(0));
    for _ in 0..listeners {
        let sum = Rc::clone(&sum);
        emitter.on(Tick, move |value| sum.set(sum.get() + value));
    }
    let result = timed(100_000, |value| {
        emitter.emit(Tick, black_box(u64::from(value)));
    });
    assert_eq!(sum.get(), listeners * (0..100_000).sum::<u64>());
    result
}

fn add_and_remove() -> (u32, Duration) {
    let emitter = EventEmitter::new();
    timed(20_000, |_| {
        let id = emitter.add_listener(Tick, |_| {});
        assert!(emitter.remove_listener(id));
    })
}

fn question() -> (u32, Duration) {
    let socket = Socket::new();
    let result = timed(100_000, |_| assert!(!black_box(socket).destroyed()));
    socket.destroy();
    run();
    result
}

fn write_64() -> (u32, Duration) {
    let socket = Socket::new();
    socket.on(event::Error, |_| {});
    socket.cork();
    let result = timed(10_000, |_| {
        socket.write(black_box(&[7; 64]));
    });
    socket.destroy();
    run();
    result
}

fn ticks() -> (u32, Duration) {
    let start = Instant::now();
    (0..20_000).for_each(|_| timers::next_tick(|| {}));
    run();
    (20_000, start.elapsed())
}

fn immediates() -> (u32, Duration) {
    let start = Instant::now();
    (0..20_000).for_each(|_| {
        timers::set_immediate(|| {});
    });
    run();
    (20_000, start.elapsed())
}

/// Delays in no order, over one to two minutes.
fn delay(index: u32) -> Duration {
    Duration::from_millis(60_000 + u64::from(index.wrapping_mul(2_654_435_761) % 60_000))
}

fn timers_armed_and_cleared() -> (u32, Duration) {
    let start = Instant::now();
    let armed: Vec<_> = (0..100_000)
        .map(|index| timers::set_timeout(delay(index), || {}))
        .collect();
    armed.iter().for_each(timers::Timeout::clear);
    (100_000, start.elapsed())
}

fn timers_fired() -> (u32, Duration) {
    let start = Instant::now();
    (0..100_000).for_each(|_| {
        timers::set_timeout(Duration::from_millis(1), || {});
    });
    let due = start.elapsed();
    std::thread::sleep(Duration::from_millis(2));
    let start = Instant::now();
    run();
    (100_000, due + start.elapsed())
}

fn run() {
    soquete::run().expect("nothing can go wrong here");
}
