//! `cargo bench --bench micro`: what single operations cost, in nanoseconds, so that a regression is
//! seen. (The block list has a benchmark of its own, `block_list`, and so has `framing`.)
//!
//! Every round measures each case once, so that a slow phase of the machine hits them all; printed
//! are the median of the rounds and the least.
//!
//! `cargo bench --bench micro -- --instructions` counts instructions instead, by callgrind, which do not depend
//! on the machine's mood. It compares them with `benches/instructions.txt`, says what has moved by more than
//! 2 %, and fails if something has; `--accept` writes the new counts down. They belong to one compiler and one
//! processor's set of instructions: where either is another, accept first, change the code, and compare then.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::events::{Event, EventEmitter};
use soquete::framing::{FrameReader, FrameWriter, LengthPrefix};
use soquete::net::{self, Socket};
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
    ("four bytes read of a chunk that is kept", read_4),
    ("a tick queued and called", ticks),
    ("an immediate queued and called", immediates),
    (
        "a timer armed and cleared, of 100,000",
        timers_armed_and_cleared,
    ),
    ("a timer armed and fired, of 100,000", timers_fired),
    ("64 bytes there and back, both ends", || exchange(echo)),
    ("a frame there and back, both ends", || exchange(frames)),
    ("a connection accepted and closed, both ends", connections),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let [flag, name] = &arguments[..]
        && flag == "--case"
    {
        if let Some((_, case)) = CASES.iter().find(|(case, _)| case == name) {
            println!("{}", case().0);
        }
        return ExitCode::SUCCESS;
    }
    if !has("--instructions") {
        time_all();
        return ExitCode::SUCCESS;
    }
    match count_all(has("--accept")) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions are not counted: {error}");
            ExitCode::FAILURE
        }
    }
}

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");

/// From here on a count has moved, in percent.
const MOVED: f64 = 2.0;

/// Counts the instructions of every case; whether none has moved.
fn count_all(accept: bool) -> Result<bool, Box<dyn Error>> {
    let old: BTreeMap<String, f64> = fs::read_to_string(BASELINE)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let (name, count) = line.rsplit_once(' ')?;
            Some((name.trim_end().to_owned(), count.parse().ok()?))
        })
        .collect();
    let (started, _) = callgrind("")?;
    let mut lines = String::new();
    let mut held = true;
    println!(
        "{:<46}{:>12}{:>12}",
        "instructions per operation", "before", "now"
    );
    for (name, _) in CASES {
        let (all, operations) = callgrind(name)?;
        let count = (all.saturating_sub(started)) as f64 / operations;
        writeln!(lines, "{name:<46}{count:>12.1}")?;
        let before = old.get(*name).copied();
        let change = before.map(|before| (count / before - 1.0) * 100.0);
        let verdict = match change {
            Some(change) if change.abs() > MOVED => {
                held = false;
                format!("  moved by {change:+.1} %")
            }
            _ => String::new(),
        };
        let before = before.map_or(String::new(), |before| format!("{before:.1}"));
        println!("{name:<46}{before:>12}{count:>12.1}{verdict}");
    }
    if accept {
        fs::write(BASELINE, lines)?;
        return Ok(true);
    }
    Ok(held)
}

/// All instructions of a process that runs one case, and the operations that it did.
fn callgrind(case: &str) -> Result<(u64, f64), Box<dyn Error>> {
    let log = std::env::temp_dir().join(format!("soquete-callgrind-{}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--log-file={}", log.display()))
        .arg(std::env::current_exe()?)
        .args(["--case", case])
        .output()
        .map_err(|error| format!("valgrind: {error} (Debian has it in the package valgrind)"))?;
    if !output.status.success() {
        return Err(format!("{case}: it failed").into());
    }
    let operations = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .unwrap_or(1.0);
    Ok((collected(&log)?, operations))
}

fn collected(log: &Path) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string(log)?;
    fs::remove_file(log)?;
    let count = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    Ok(count
        .ok_or("callgrind collected nothing")?
        .1
        .trim()
        .parse()?)
}

fn time_all() {
    let mut times = vec![Vec::new(); CASES.len()];
    for _ in 0..ROUNDS {
        for ((_, case), times) in CASES.iter().zip(&mut times) {
            let (count, elapsed) = case();
            times.push(elapsed.as_nanos() as f64 / f64::from(count));
        }
    }
    println!("{:<46}{:>10}{:>10}", "ns per operation", "median", "least");
    for ((name, _), mut times) in CASES.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        println!("{name:<46}{:>10.1}{:>10.1}", times[ROUNDS / 2], times[0]);
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

fn read_4() -> (u32, Duration) {
    const BYTES: u32 = 1 << 20;
    let start = Instant::now();
    let server = net::create_server(|socket| {
        socket.on(event::Readable, move |()| {
            while let Ok(Some(four)) = socket.read_exactly(4) {
                black_box(four);
            }
        });
    });
    server.listen_then(("127.0.0.1", 0), |server| {
        let port = server.address().expect("it listens").port();
        let client = net::connect(("127.0.0.1", port));
        client.end_with(vec![7; BYTES as usize]).resume();
        client.on(event::Connect, move |()| server.close());
    });
    run();
    (BYTES / 4, start.elapsed())
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

const EXCHANGES: u32 = 10_000;

/// What one end sends and the other sends back, `EXCHANGES` times.
fn exchange(serve: fn(Socket)) -> (u32, Duration) {
    let start = Instant::now();
    let server = net::create_server(serve);
    server.listen_then(("127.0.0.1", 0), |server| {
        let port = server.address().expect("it listens").port();
        let client = net::connect(("127.0.0.1", port));
        let message = [&64_u32.to_be_bytes()[..], &[7; 64]].concat();
        let (mut left, mut due) = (EXCHANGES, 0);
        client.write(&message[..]);
        client.on(event::Data, move |chunk| {
            due += chunk.len();
            if due < message.len() {
                return;
            }
            due = 0;
            left -= 1;
            if left == 0 {
                client.destroy();
            } else {
                client.write(&message[..]);
            }
        });
        client.on(event::Connect, move |_| server.close());
    });
    run();
    (EXCHANGES, start.elapsed())
}

fn echo(socket: Socket) {
    socket.on(event::Data, move |chunk| {
        socket.write(chunk);
    });
}

fn frames(socket: Socket) {
    let writer = FrameWriter::new(LengthPrefix::u32_be(), 1024).expect("a limit that fits");
    let reader = FrameReader::new(LengthPrefix::u32_be(), 1024);
    socket.frames(reader, move |frame| {
        socket.write_frame(&writer, frame)?;
        Ok::<_, soquete::Error>(())
    });
}

fn connections() -> (u32, Duration) {
    const COUNT: u32 = 1_000;
    let start = Instant::now();
    let server = net::create_server(|socket| socket.resume().end());
    server.listen_then(("127.0.0.1", 0), |server| {
        dial(server, COUNT);
    });
    run();
    (COUNT, start.elapsed())
}

fn dial(server: net::Server, left: u32) {
    if left == 0 {
        server.close();
        return;
    }
    let port = server.address().expect("it listens").port();
    let client = net::connect(("127.0.0.1", port));
    client
        .on(event::Close, move |_| dial(server, left - 1))
        .resume();
}

fn run() {
    soquete::run().expect("nothing can go wrong here");
}
