//! Any bytes as a script of a socket's life.

use std::io::ErrorKind;

use super::World;
use super::bytes::LONGEST;
use super::conclusion::Conclusion;
use super::op::{Callback, Fault, KernelOp, Moment, Op, UserOp};
use crate::fuzzing::Input;

/// Longer scripts find nothing that shorter ones do not.
const MOST_OPS: usize = 300;

/// Runs a socket through whatever the bytes say: the user's calls, in listeners too, and the
/// kernel's events and faults.
pub fn stream_machine(bytes: &[u8]) {
    plan(bytes).run();
}

/// A script with what comes before and after it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) start: Start,
    pub(super) ops: Vec<Op>,
    pub(super) conclusion: Conclusion,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    Open,
    Connecting,
    Fresh,
}

impl Plan {
    pub(super) fn run(&self) {
        let world = match self.start {
            Start::Open => World::open(),
            Start::Connecting => World::connecting(),
            Start::Fresh => World::fresh(),
        };
        world.run(&self.ops);
        world.conclude(self.conclusion);
    }
}

/// What the bytes stand for.
pub(super) fn plan(bytes: &[u8]) -> Plan {
    let mut input = Input::new(bytes);
    let start = input.choose(&[Start::Open, Start::Connecting, Start::Fresh]);
    let conclusion = input.choose(&Conclusion::ALL);
    let mut ops = Vec::new();
    while !input.is_empty() && ops.len() < MOST_OPS {
        ops.push(match input.below(10) {
            0..3 => Op::User(user_op(&mut input)),
            3..5 => Op::React(input.choose(&Moment::ALL), user_op(&mut input)),
            5..8 => Op::Kernel(kernel_op(&mut input)),
            8 => Op::Settle,
            _ => Op::Turn,
        });
    }
    Plan {
        start,
        ops,
        conclusion,
    }
}

fn user_op(input: &mut Input<'_>) -> UserOp {
    let callback = match input.flag() {
        true => Callback::With,
        false => Callback::Without,
    };
    match input.below(36) {
        0..6 => UserOp::Write(size(input), callback),
        6..8 => UserOp::WriteOwned(size(input), callback),
        8 => UserOp::Connect,
        9 => UserOp::End(callback),
        10 => UserOp::EndWith(size(input), callback),
        11 => UserOp::EndSoon,
        12..14 => UserOp::Cork,
        14..16 => UserOp::Uncork,
        17 => UserOp::WritableLength,
        18 => UserOp::Destroy,
        19 => UserOp::DestroyWith,
        20 => UserOp::Reset,
        21..23 => UserOp::Pause,
        23..25 => UserOp::Resume,
        25 => UserOp::Read,
        26 => UserOp::ReadExactly(input.below(20)),
        27 => UserOp::Unshift(input.below(16)),
        28 => UserOp::DecodeUtf8,
        29..31 => UserOp::ListenData,
        31..33 => UserOp::ListenReadable,
        33..35 => UserOp::UnlistenReadable,
        16 => UserOp::WriteCorked(size(input), callback),
        _ if input.flag() => UserOp::Hold(input.flag()),
        _ if input.flag() => UserOp::UnlistenFinish,
        _ => UserOp::AllowHalfOpen(input.flag()),
    }
}

fn kernel_op(input: &mut Input<'_>) -> KernelOp {
    match input.below(16) {
        0..2 => KernelOp::Connected,
        2 => KernelOp::Refused,
        3..6 => KernelOp::Arrive(input.below(64)),
        6 => KernelOp::PeerEnds,
        7 => KernelOp::PeerResets,
        8..10 => KernelOp::Room(size(input)),
        10..14 => KernelOp::NextWrite(fault(input)),
        14 => KernelOp::NextShutdown(
            input.choose(&[ErrorKind::NotConnected, ErrorKind::ConnectionReset]),
        ),
        _ => KernelOp::Announce,
    }
}

fn fault(input: &mut Input<'_>) -> Fault {
    match input.below(8) {
        0..4 => Fault::Short(size(input)),
        4 => Fault::WouldBlock,
        5..7 => Fault::Interrupted,
        _ => Fault::Fail(input.choose(&[ErrorKind::BrokenPipe, ErrorKind::ConnectionReset])),
    }
}

/// Sizes about the limits: of a high-water mark, of a copy, of a write that goes out at once.
fn size(input: &mut Input<'_>) -> usize {
    const SIZES: [usize; 16] = [
        0,
        1,
        2,
        3,
        5,
        8,
        11,
        12,
        13,
        40,
        1023,
        1024,
        16 * 1024 - 1,
        16 * 1024,
        60_000,
        LONGEST,
    ];
    input.choose(&SIZES)
}
