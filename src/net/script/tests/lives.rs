//! One life of a socket after the other: connecting again what has closed.

use super::{conclude_each, kernel, trace, user};
use crate::machine::Life;
use crate::net::script::{
    Callback::{With, Without},
    KernelOp::*,
    Moment,
    Op::{React, Settle, Turn},
    UserOp::*,
    World,
};

#[test]
fn a_socket_connects_again_in_its_close_listener() {
    let world = World::connecting();
    for _ in 0..3 {
        world.run(&[
            user(ListenData),
            kernel(Connected),
            user(Write(5, With)),
            Turn,
        ]);
        world.run(&[React(Moment::Close, Connect), user(End(Without))]);
        world.run(&[kernel(PeerEnds), Turn, Turn]);
        assert_eq!(world.life(), Life::Connecting);
        let trace = world.trace();
        assert!(trace.ends_with("end close"), "{trace}");
    }
}

#[test]
fn connect_on_a_destroyed_socket_waits_for_its_close() {
    let script = [
        kernel(Room(2)),
        user(Write(5, With)),
        Settle,
        user(Destroy),
        user(Connect),
        user(Write(3, With)),
    ];
    let world = World::open();
    world.run(&script);
    assert_eq!(world.life(), Life::Destroyed);
    assert_eq!(
        trace(&world, &[Turn]),
        "cb1:ERR_STREAM_DESTROYED cb0:ECANCELED close"
    );
    assert_eq!(world.life(), Life::Connecting);
    conclude_each(World::open, &script);
}

#[test]
fn writes_that_waited_for_the_old_connection_do_not_go_out_by_the_new() {
    let script = [
        user(Write(5, With)),
        user(End(With)),
        user(Destroy),
        React(Moment::Close, Connect),
        Turn,
    ];
    let world = World::connecting();
    world.run(&script);
    let code = "ERR_SOCKET_CLOSED_BEFORE_CONNECTION";
    assert_eq!(
        trace(&world, &[Settle]),
        format!("close cb0:{code} cb1:{code}")
    );
    world.run(&[kernel(Connected), Turn]);
    assert_eq!((world.sent(), world.trace().as_str()), (0, "connect"));
    assert!(!world.socket.writable_ended());
    conclude_each(World::connecting, &script);
}

#[test]
fn a_write_in_the_close_listener_that_connects_again_belongs_to_the_new_life() {
    let script = [
        user(Write(5, With)),
        user(Destroy),
        React(Moment::Close, Connect),
        Turn,
        user(Write(3, With)),
        kernel(Connected),
        Turn,
    ];
    let world = World::connecting();
    world.run(&script);
    assert_eq!(
        world.trace(),
        "close cb0:ERR_SOCKET_CLOSED_BEFORE_CONNECTION connect cb1"
    );
    assert_eq!(world.sent(), 3);
}

#[test]
fn ticks_of_an_earlier_life_do_not_finish_the_next() {
    let script = [
        React(Moment::Prefinish, EndWith(5, With)),
        React(Moment::EndCallback, Connect),
        React(Moment::EndCallback, EndWith(100, With)),
        user(End(With)),
        Settle,
        kernel(Connected),
        Turn,
    ];
    conclude_each(World::fresh, &script);
}

#[test]
fn the_end_of_an_earlier_life_is_not_told_to_the_next() {
    let script = [
        kernel(Arrive(5)),
        kernel(PeerEnds),
        Turn,
        kernel(Room(2)),
        user(EndWith(20, With)),
        Turn,
        React(Moment::EndCallback, ReadExactly(5)),
        user(Destroy),
        user(Connect),
        Turn,
    ];
    conclude_each(World::open, &script);
}

#[test]
fn a_write_between_two_lives_that_is_too_much_waits_for_a_drain_of_the_next_one() {
    let script = [
        React(Moment::Close, WriteOwned(60_000, With)),
        user(Destroy),
        user(Connect),
        React(Moment::WriteCallback, WriteOwned(65_536, With)),
        Turn,
    ];
    conclude_each(World::connecting, &script);
}

#[test]
fn a_life_that_is_destroyed_before_its_attempt_has_its_error_and_its_close() {
    let script = [
        user(Destroy),
        React(Moment::WriteCallback, DestroyWith),
        user(Connect),
        user(Write(16_384, With)),
        Turn,
    ];
    conclude_each(World::fresh, &script);
}

#[test]
fn what_a_socket_has_kept_can_be_read_in_its_error_listener() {
    let script = [
        user(End(Without)),
        Turn,
        user(Unshift(4)),
        user(Write(13, With)),
        kernel(Arrive(8)),
        React(Moment::Error, Read),
        Settle,
    ];
    conclude_each(World::connecting, &script);
}
