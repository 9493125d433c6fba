//! Ends, in all combinations, and destruction in every state.

use std::io::ErrorKind;

use super::{conclude_each, kernel, trace, user};
use crate::net::script::{
    Callback::{With, Without},
    Fault,
    KernelOp::*,
    Moment, Op,
    Op::{React, Settle, Turn},
    UserOp::*,
    World,
};

/// Reading, with what that says out of the way.
fn reading() -> std::rc::Rc<World> {
    let world = World::open();
    world.run(&[user(ListenData), Settle]);
    world.trace();
    world
}

#[test]
fn this_end_first() {
    let world = reading();
    assert_eq!(
        trace(&world, &[user(End(With)), Turn]),
        "prefinish cb0 finish"
    );
    assert_eq!(trace(&world, &[kernel(PeerEnds), Turn]), "end close");
}

#[test]
fn the_peer_first_and_this_end_follows() {
    let world = reading();
    let trace = trace(&world, &[kernel(PeerEnds), Turn]);
    assert_eq!(trace, "end prefinish finish close");
}

#[test]
fn the_peer_first_and_this_end_goes_on_half_open() {
    let world = reading();
    world.run(&[user(AllowHalfOpen(true)), kernel(PeerEnds), Turn]);
    assert_eq!(world.trace(), "end");
    assert_eq!(trace(&world, &[user(Write(5, With)), Turn]), "cb0");
    assert_eq!(
        trace(&world, &[user(End(With)), Turn]),
        "prefinish cb1 finish close"
    );
}

#[test]
fn both_at_once() {
    let world = reading();
    let trace = trace(&world, &[user(End(Without)), kernel(PeerEnds), Turn]);
    assert_eq!(trace, "prefinish finish end close");
}

#[test]
fn the_end_waits_for_what_was_written() {
    let world = reading();
    world.run(&[
        kernel(Room(2)),
        user(Write(5, With)),
        user(EndWith(3, With)),
        Turn,
        Turn,
    ]);
    assert_eq!(world.trace(), "");
    assert_eq!(
        trace(&world, &[kernel(Room(100)), Turn]),
        "cb0 prefinish cb1 finish"
    );
}

#[test]
fn an_end_before_the_connection_comes_after_it() {
    let world = World::connecting();
    assert_eq!(trace(&world, &[user(EndWith(3, With)), Turn]), "");
    let trace = trace(&world, &[kernel(Connected), Turn]);
    assert_eq!(trace, "connect prefinish cb0 finish");
}

#[test]
fn a_shutdown_of_what_the_peer_has_closed_is_done() {
    let world = reading();
    let unconnected = kernel(NextShutdown(ErrorKind::NotConnected));
    assert_eq!(
        trace(&world, &[unconnected, user(End(With)), Turn]),
        "prefinish cb0 finish error:ECONNRESET close:true"
    );
}

#[test]
fn a_shutdown_that_fails_destroys() {
    let world = reading();
    let failing = kernel(NextShutdown(ErrorKind::ConnectionReset));
    assert_eq!(
        trace(&world, &[failing, user(End(With)), Turn]),
        "cb0:ECONNRESET error:ECONNRESET close:true"
    );
}

#[test]
fn a_write_after_the_end_is_refused_and_destroys() {
    let world = reading();
    world.run(&[user(End(With)), user(Write(3, With)), Turn]);
    let code = "ERR_STREAM_WRITE_AFTER_END";
    let expected = format!("cb1:{code} cb0:{code} error:{code} close:true");
    assert_eq!(world.trace(), expected);
}

#[test]
fn a_write_after_the_peers_end_is_told_who_ended() {
    let world = reading();
    world.run(&[
        React(Moment::Prefinish, Write(3, With)),
        kernel(PeerEnds),
        Turn,
    ]);
    let trace = world.trace();
    assert!(trace.contains("cb0:EPIPE error:EPIPE"), "{trace}");
}

#[test]
fn a_second_end_is_called_back_with_the_first() {
    let world = reading();
    world.run(&[user(End(With)), user(End(With)), Turn]);
    assert_eq!(world.trace(), "prefinish cb0 cb1 finish");
    assert_eq!(
        trace(&world, &[user(End(With)), Settle]),
        "cb2:ERR_STREAM_ALREADY_FINISHED"
    );
}

#[test]
fn unread_data_comes_before_the_reset() {
    let world = reading();
    world.run(&[kernel(Arrive(12)), kernel(PeerResets), Turn, Turn]);
    assert_eq!(world.trace(), "data(8) data(4) error:ECONNRESET close:true");
}

#[test]
fn only_the_first_destroy_counts() {
    let world = reading();
    world.run(&[user(Destroy), user(DestroyWith), user(Reset), Turn]);
    assert_eq!(world.trace(), "close");
    let world = reading();
    world.run(&[user(DestroyWith), user(Destroy), Turn]);
    assert_eq!(world.trace(), "error:EUSER close:true");
}

#[test]
fn what_was_written_before_destroy_is_handed_over() {
    let world = reading();
    assert_eq!(
        trace(&world, &[user(Write(5, With)), user(Destroy), Turn]),
        "cb0 close"
    );
    assert_eq!(world.sent(), 5);
}

#[test]
fn a_fresh_socket_closes_on_a_tick() {
    let world = World::fresh();
    assert_eq!(
        trace(&world, &[user(DestroyWith), Settle]),
        "error:EUSER close:true"
    );
}

#[test]
fn a_failed_connection_fails_what_waited_for_it() {
    let world = World::connecting();
    world.run(&[user(Write(5, With)), user(End(With)), kernel(Refused), Turn]);
    let trace = world.trace();
    assert!(
        trace.starts_with("error:ECONNREFUSED close:true cb0:"),
        "{trace}"
    );
}

/// Destroyed by each listener in each state: `Close` comes, once, and nothing after it.
#[test]
fn destroy_in_every_state_and_every_listener() {
    let states: &[&[Op]] = &[
        &[],
        &[user(ListenData), Settle],
        &[kernel(Room(2)), user(Write(20, With)), Settle],
        &[kernel(Arrive(20)), Turn, user(Pause)],
        &[
            user(AllowHalfOpen(true)),
            user(Resume),
            kernel(PeerEnds),
            Turn,
        ],
        &[user(End(With))],
        &[user(End(With)), Turn],
        &[kernel(Room(2)), user(EndWith(20, With)), Turn],
        &[
            kernel(NextWrite(Fault::Fail(ErrorKind::BrokenPipe))),
            user(Write(20_000, With)),
        ],
    ];
    let moments = [
        Moment::Data,
        Moment::End,
        Moment::Prefinish,
        Moment::Finish,
        Moment::Drain,
        Moment::Pause,
        Moment::Resume,
        Moment::Error,
        Moment::WriteCallback,
        Moment::EndCallback,
    ];
    for state in states {
        for call in [Destroy, DestroyWith, Reset, EndSoon] {
            conclude_each(World::open, &[*state, &[user(call)]].concat());
            for moment in moments {
                let script = [&[React(moment, call)], *state, &[kernel(Room(100)), Turn]];
                conclude_each(World::open, &script.concat());
            }
        }
    }
}

/// Paused, with data kept, and the peer's end behind it.
fn kept_to_the_end() -> std::rc::Rc<World> {
    let world = reading();
    world.run(&[user(Pause), kernel(Arrive(5)), Turn, kernel(PeerEnds), Turn]);
    world.trace();
    world
}

#[test]
fn the_end_is_withheld_while_somebody_holds_the_socket() {
    let script = [React(Moment::Data, Hold(true)), user(Resume), Turn, Turn];
    let world = kept_to_the_end();
    let trace_of = trace(&world, &script);
    assert!(!trace_of.contains("end"), "{trace_of}");
    assert_eq!(
        trace(&world, &[user(Hold(false)), Turn]),
        "end prefinish finish close"
    );
    conclude_each(kept_to_the_end, &script);
}

#[test]
fn an_end_that_was_withheld_is_not_that_of_the_next_life() {
    let world = kept_to_the_end();
    world.run(&[React(Moment::Data, Hold(true)), user(Resume), Turn]);
    world.run(&[React(Moment::Close, Connect), user(Destroy), Turn]);
    world.run(&[kernel(Connected), Turn]);
    world.trace();
    world.run(&[user(Resume), kernel(PeerEnds), Turn, Turn]);
    let trace = world.trace();
    assert!(trace.contains("end prefinish finish close"), "{trace}");
}
