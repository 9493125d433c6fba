//! Every sequence of operations up to a bounded length, each followed by every conclusion, with the
//! promises of the machine checked after each step (see [`script`](crate::net::script)).
//!
//! The alphabets are small, one for each concern, so that the sequences can be long: up to four operations in a release
//! build, and up to three in a debug build, which takes twenty times as long. `SOQUETE_EXPLORE=n` makes them `n` longer:
//!
//! ```text
//! cargo test --release --lib explore -- --nocapture
//! SOQUETE_EXPLORE=1 cargo test --release --lib explore -- --nocapture
//! ```

use std::io::ErrorKind;
use std::rc::Rc;

use super::{kernel, user};
use crate::net::script::{
    Callback::{With, Without},
    Conclusion, Fault,
    KernelOp::*,
    Moment, Op,
    UserOp::*,
    World,
};

/// Prints the script that failed.
struct Failed<'a>(&'a [Op], Conclusion);

impl Drop for Failed<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed: {:?}, then {:?}", self.0, self.1);
        }
    }
}

/// The longest sequences, if nobody wants longer ones.
const LENGTH: usize = if cfg!(debug_assertions) { 3 } else { 4 };

/// Of the pairs of calls in listeners, one in so many. It has no divisor in common with the number of reactions, and so
/// leaves none of them out.
const SHARE: usize = if cfg!(debug_assertions) { 11 } else { 1 };

fn explore(name: &str, start: fn() -> Rc<World>, alphabet: &[Op]) {
    let longer = std::env::var("SOQUETE_EXPLORE").ok();
    let length = LENGTH + longer.and_then(|more| more.parse().ok()).unwrap_or(0);
    let mut count = 0;
    for length in 0..=length {
        let mut digits = vec![0; length];
        loop {
            let script: Vec<Op> = digits.iter().map(|digit| alphabet[*digit]).collect();
            for conclusion in Conclusion::ALL {
                let _failed = Failed(&script, conclusion);
                let world = start();
                world.run(&script);
                world.conclude(conclusion);
                count += 1;
            }
            let overflows = digits.iter_mut().all(|digit| {
                *digit = (*digit + 1) % alphabet.len();
                *digit == 0
            });
            if overflows {
                break;
            }
        }
    }
    println!("{name}: {count} scripts of up to {length} operations");
}

#[test]
fn explore_writing() {
    let alphabet = [
        user(Write(5, With)),
        user(Write(9, Without)),
        user(Cork),
        user(Uncork),
        user(End(With)),
        user(WritableLength),
        kernel(Room(3)),
        kernel(NextWrite(Fault::Short(2))),
        kernel(NextWrite(Fault::WouldBlock)),
        kernel(NextWrite(Fault::Fail(ErrorKind::BrokenPipe))),
        Op::Settle,
        Op::Turn,
    ];
    explore("writing", World::open, &alphabet);
}

#[test]
fn explore_draining() {
    let alphabet = [
        user(Write(5, With)),
        user(Write(13, With)),
        user(Write(0, With)),
        user(WriteCorked(13, Without)),
        Op::React(Moment::Drain, WriteCorked(13, Without)),
        Op::React(Moment::WriteCallback, WriteCorked(13, Without)),
        Op::React(Moment::WriteCallback, WriteCorked(13, With)),
        user(End(With)),
        kernel(Room(3)),
        kernel(Room(100)),
        Op::Turn,
    ];
    explore("draining", World::open, &alphabet);
}

#[test]
fn explore_big_writes() {
    let alphabet = [
        user(Write(20_000, With)),
        user(WriteOwned(70, Without)),
        user(WriteOwned(2_000, With)),
        user(EndWith(3, With)),
        user(Destroy),
        kernel(Room(100)),
        kernel(NextWrite(Fault::Short(1_000))),
        kernel(NextWrite(Fault::Interrupted)),
        kernel(NextWrite(Fault::Fail(ErrorKind::OutOfMemory))),
        Op::Turn,
    ];
    explore("big writes", World::open, &alphabet);
}

#[test]
fn explore_writing_before_the_connection() {
    let alphabet = [
        user(Write(5, With)),
        user(Write(13, Without)),
        user(Cork),
        user(Uncork),
        user(End(With)),
        user(Reset),
        user(Pause),
        Op::React(Moment::Connect, Write(4, With)),
        kernel(Connected),
        kernel(Refused),
        kernel(NextWrite(Fault::Short(2))),
        Op::Turn,
    ];
    explore("connecting", World::connecting, &alphabet);
}

#[test]
fn explore_a_fresh_socket() {
    let alphabet = [
        user(Connect),
        user(Write(5, With)),
        user(Write(0, With)),
        user(End(With)),
        user(Cork),
        user(Uncork),
        user(Destroy),
        user(ListenData),
        kernel(Connected),
        Op::Settle,
        Op::Turn,
    ];
    explore("fresh", World::fresh, &alphabet);
}

#[test]
fn explore_reading() {
    let alphabet = [
        kernel(Arrive(5)),
        kernel(Arrive(30)),
        kernel(PeerEnds),
        user(ListenData),
        user(Pause),
        user(Resume),
        user(Read),
        user(ReadExactly(3)),
        user(Unshift(2)),
        Op::React(Moment::Data, Pause),
        Op::Settle,
        Op::Turn,
    ];
    explore("reading", World::open, &alphabet);
}

#[test]
fn explore_readable() {
    let alphabet = [
        kernel(Arrive(5)),
        kernel(Arrive(30)),
        kernel(PeerEnds),
        user(ListenReadable),
        user(UnlistenReadable),
        user(ListenData),
        user(Read),
        Op::React(Moment::Readable, Read),
        Op::React(Moment::Readable, UnlistenReadable),
        Op::Settle,
        Op::Turn,
    ];
    explore("readable", World::open, &alphabet);
}

#[test]
fn explore_ending() {
    let alphabet = [
        user(Write(5, With)),
        user(End(With)),
        user(EndSoon),
        user(Destroy),
        user(DestroyWith),
        user(Reset),
        user(AllowHalfOpen(true)),
        user(ListenData),
        kernel(PeerEnds),
        kernel(PeerResets),
        kernel(NextShutdown(ErrorKind::NotConnected)),
        kernel(NextShutdown(ErrorKind::PermissionDenied)),
        user(UnlistenFinish),
        Op::Turn,
    ];
    explore("ending", World::open, &alphabet);
}

/// Whoever is called, and whatever it does: the rest of the script brings about every event.
#[test]
fn explore_calls_in_listeners() {
    let calls = [
        Write(5, With),
        End(With),
        Destroy,
        DestroyWith,
        Reset,
        Pause,
        Resume,
        Read,
        Unshift(2),
        Cork,
        Uncork,
        WriteCorked(20, Without),
        Connect,
        EndSoon,
        DecodeUtf8,
        ListenData,
        ListenReadable,
        UnlistenReadable,
    ];
    let everything = [
        user(Write(20, With)),
        user(ListenData),
        user(Resume),
        kernel(NextWrite(Fault::Short(4))),
        kernel(Connected),
        kernel(Arrive(5)),
        Op::Turn,
        user(Pause),
        kernel(Room(100)),
        user(Write(5, With)),
        Op::Turn,
        user(Resume),
        user(ListenReadable),
        kernel(Arrive(20)),
        Op::Turn,
        user(Read),
        user(UnlistenReadable),
        user(End(With)),
        Op::Turn,
        user(Resume),
        kernel(PeerEnds),
        Op::Turn,
        Op::Turn,
    ];
    let reactions: Vec<Op> = Moment::ALL
        .iter()
        .flat_map(|moment| calls.map(|call| Op::React(*moment, call)))
        .collect();
    let mut count = 0;
    let pairs = reactions
        .iter()
        .flat_map(|first| reactions.iter().map(move |second| [*first, *second]));
    for (number, pair) in pairs.enumerate().step_by(SHARE) {
        for (third, cut) in [1, 2, 3]
            .map(|thirds| everything.len() * thirds / 3)
            .into_iter()
            .enumerate()
        {
            let script = [&pair, &everything[..cut]].concat();
            let conclusion = Conclusion::ALL[(number + third) % 3];
            let _failed = Failed(&script, conclusion);
            let world = World::connecting();
            world.run(&script);
            world.conclude(conclusion);
            count += 1;
        }
    }
    println!("calls in listeners: {count} scripts");
}
