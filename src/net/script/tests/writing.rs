//! The rows of the table of the writing half, and what befalls a write.

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

#[test]
fn small_writes_of_one_callback_go_out_together_when_it_returns() {
    let world = World::open();
    world.run(&[user(Write(2, With)), user(WriteOwned(3, With))]);
    assert_eq!((world.sent(), world.writes()), (0, 0));
    assert_eq!(trace(&world, &[Settle]), "cb0 cb1");
    assert_eq!((world.sent(), world.writes()), (5, 1));
}

#[test]
fn a_write_that_fills_a_buffer_goes_out_now_and_its_callback_comes_on_a_tick() {
    for big in [Write(16 * 1024, With), WriteOwned(16 * 1024, With)] {
        let world = World::open();
        assert_eq!(trace(&world, &[user(big)]), "");
        assert_eq!(world.sent(), 16 * 1024);
        assert_eq!(trace(&world, &[Settle]), "cb0");
    }
}

#[test]
fn a_big_write_takes_the_small_ones_before_it_along() {
    let world = World::open();
    world.run(&[user(Write(3, With)), user(Write(16 * 1024, With))]);
    assert_eq!((world.sent(), world.writes()), (3 + 16 * 1024, 1));
    assert_eq!(trace(&world, &[Settle]), "cb0 cb1");
}

#[test]
fn writes_behind_a_request_wait_for_its_end_and_go_out_as_one() {
    let world = World::open();
    world.run(&[kernel(Room(2)), user(Write(5, With)), Settle]);
    world.run(&[user(Write(3, With)), user(Write(3, With)), Turn]);
    assert_eq!((world.sent(), world.trace()), (2, String::new()));
    world.run(&[kernel(Room(100)), Turn]);
    assert_eq!((world.sent(), world.writes()), (11, 2));
    assert_eq!(world.trace(), "cb0 cb1 cb2");
}

#[test]
fn a_batch_that_is_cut_short_calls_back_only_when_all_of_it_is_out() {
    let world = World::open();
    world.run(&[kernel(Room(2)), user(Write(5, With)), Settle]);
    world.run(&[user(Write(3, With)), user(Write(3, With)), Turn]);
    assert_eq!(trace(&world, &[kernel(Room(7)), Turn]), "cb0");
    assert_eq!(trace(&world, &[kernel(Room(1)), Turn]), "");
    assert_eq!(trace(&world, &[kernel(Room(9)), Turn]), "cb1 cb2");
}

#[test]
fn what_is_written_before_the_connection_goes_out_with_it() {
    let world = World::connecting();
    world.run(&[user(Write(5, With)), user(Write(3, With)), Turn]);
    assert_eq!(world.trace(), "");
    world.run(&[kernel(Connected), Turn]);
    assert_eq!(world.trace(), "connect cb0 cb1");
    assert_eq!((world.sent(), world.writes()), (8, 1));
}

#[test]
fn what_is_corked_goes_out_at_uncork_by_one_call() {
    let world = World::open();
    world.run(&[
        user(Cork),
        user(Cork),
        user(Write(5, With)),
        user(Write(3, With)),
    ]);
    assert_eq!(trace(&world, &[user(Uncork), Turn]), "");
    assert_eq!(world.sent(), 0);
    assert_eq!(trace(&world, &[user(Uncork)]), "");
    assert_eq!((world.sent(), world.writes()), (8, 1));
    assert_eq!(trace(&world, &[Settle]), "cb0 cb1");
}

#[test]
fn what_is_corked_stays_behind_when_the_request_before_it_completes() {
    let script = [
        kernel(Room(2)),
        user(Write(5, With)),
        user(Cork),
        user(Write(3, With)),
        kernel(Room(100)),
        Turn,
    ];
    let world = World::open();
    assert_eq!(trace(&world, &script), "cb0");
    assert_eq!(world.sent(), 5);
    assert_eq!(trace(&world, &[user(Uncork), Settle]), "cb1");
    conclude_each(World::open, &script);
}

#[test]
fn what_is_corked_stays_behind_when_the_connection_is_up() {
    let script = [
        user(Write(5, With)),
        user(Cork),
        user(Write(3, With)),
        kernel(Connected),
        Turn,
    ];
    let world = World::connecting();
    assert_eq!(trace(&world, &script), "connect cb0");
    assert_eq!(world.sent(), 5);
    assert_eq!(trace(&world, &[user(Uncork), Settle]), "cb1");
    assert_eq!((world.sent(), world.writes()), (8, 2));
    conclude_each(World::connecting, &script);
}

#[test]
fn a_cork_after_the_end_holds_it_back_until_uncork() {
    let world = World::open();
    world.run(&[kernel(Room(2)), user(Write(5, With)), Settle]);
    world.run(&[
        user(EndWith(3, Without)),
        user(Cork),
        kernel(Room(100)),
        Turn,
    ]);
    assert_eq!(world.trace(), "cb0");
    assert_eq!(trace(&world, &[user(Uncork), Turn]), "prefinish finish");
}

#[test]
fn a_cork_after_the_end_holds_back_an_empty_write_and_the_end() {
    let world = World::open();
    world.run(&[kernel(Room(2)), user(Write(5, Without)), Settle]);
    world.run(&[
        user(Write(0, With)),
        user(End(Without)),
        user(Cork),
        kernel(Room(100)),
        Turn,
        Turn,
    ]);
    assert_eq!(world.trace(), "");
    assert_eq!(trace(&world, &[user(Uncork), Turn]), "cb0 prefinish finish");
}

#[test]
fn a_corked_write_of_nothing_is_called_back_in_its_place() {
    for nothing in [Write(0, With), WriteOwned(0, With)] {
        let world = World::open();
        world.run(&[user(Cork), user(nothing), user(End(With)), Turn]);
        assert_eq!(world.trace(), "cb0 prefinish cb1 finish");

        let world = World::open();
        world.run(&[
            user(Cork),
            user(nothing),
            user(Write(2, With)),
            user(End(With)),
            Turn,
        ]);
        assert_eq!(world.trace(), "cb0 cb1 prefinish cb2 finish");
    }
}

#[test]
fn drain_follows_a_write_that_returned_false_and_comes_before_its_callback() {
    let world = World::open();
    world.run(&[kernel(Room(2)), user(Write(5, With)), Settle]);
    world.run(&[user(Write(12, With)), Turn]);
    assert!(world.socket.writable_need_drain());
    assert_eq!(trace(&world, &[kernel(Room(3)), Turn]), "cb0");
    assert_eq!(trace(&world, &[kernel(Room(100)), Turn]), "drain cb1");
    assert!(!world.socket.writable_need_drain());
}

#[test]
fn a_short_write_at_every_byte_loses_nothing() {
    for first in 0..=9 {
        for second in 0..=9 {
            let script = [
                kernel(NextWrite(Fault::Short(first))),
                kernel(NextWrite(Fault::Interrupted)),
                kernel(NextWrite(Fault::Short(second))),
                user(Write(4, With)),
                user(WriteOwned(5, With)),
                Turn,
                user(Write(1, With)),
                kernel(Room(100)),
                Turn,
            ];
            conclude_each(World::open, &script);
        }
    }
}

#[test]
fn an_interrupted_write_is_made_again() {
    let world = World::open();
    let interrupted = kernel(NextWrite(Fault::Interrupted));
    world.run(&[interrupted, interrupted, user(Write(5, With)), Turn]);
    assert_eq!((world.sent(), world.writes()), (5, 3));
    assert_eq!(world.trace(), "cb0");
}

#[test]
fn a_write_without_memory_is_made_again_though_no_edge_comes() {
    let no_memory = kernel(NextWrite(Fault::Fail(ErrorKind::OutOfMemory)));
    // The second goes above the mark while it waits.
    for (size, trace) in [(5, "cb0"), (16 * 1024, "drain cb0")] {
        let world = World::open();
        world.run(&[no_memory, no_memory, no_memory, user(Write(size, With))]);
        world.idle();
        assert_eq!((world.sent(), world.writes()), (size as u64, 4));
        assert_eq!(world.trace(), trace);
    }
}

#[test]
fn a_refused_write_fails_with_those_behind_it_and_then_the_socket() {
    let world = World::open();
    world.run(&[
        kernel(NextWrite(Fault::Fail(ErrorKind::BrokenPipe))),
        user(Write(5, With)),
        user(WritableLength),
        user(Write(3, With)),
        Turn,
    ]);
    assert_eq!(world.trace(), "cb0:EPIPE cb1:EPIPE error:EPIPE close:true");
}

#[test]
fn a_failed_write_reports_what_was_handed_over_before_it_as_done() {
    let world = World::open();
    world.run(&[
        user(Write(16 * 1024, With)),
        kernel(NextWrite(Fault::Fail(ErrorKind::ConnectionReset))),
        user(Write(16 * 1024, With)),
        Turn,
    ]);
    let expected = "cb0 cb1:ECONNRESET error:ECONNRESET close:true";
    assert_eq!(world.trace(), expected);
}

#[test]
fn a_write_in_the_callback_of_a_failed_one_fails_too() {
    for len in [0, 5, 16 * 1024] {
        let script = [
            kernel(NextWrite(Fault::Fail(ErrorKind::BrokenPipe))),
            user(Write(5, With)),
            React(Moment::WriteCallback, Write(len, With)),
            React(Moment::WriteCallback, Write(0, With)),
            Turn,
        ];
        let world = World::open();
        let expected = "cb0:EPIPE cb1:EPIPE cb2:EPIPE error:EPIPE close:true";
        assert_eq!(trace(&world, &script), expected);
        conclude_each(World::open, &script);
    }
}

#[test]
fn a_write_on_a_socket_without_a_connection_fails() {
    let world = World::fresh();
    world.run(&[user(Write(5, With)), user(Write(3, With)), Turn]);
    assert_eq!(
        world.trace(),
        "cb0:ERR_SOCKET_CLOSED cb1:ERR_SOCKET_CLOSED error:ERR_SOCKET_CLOSED close:true"
    );
}

#[test]
fn a_request_that_is_under_way_is_cancelled_by_destroy_and_the_others_fail() {
    let world = World::open();
    world.run(&[kernel(Room(2)), user(Write(5, With)), Settle]);
    world.run(&[user(Write(3, With)), user(Destroy), Turn]);
    assert_eq!(world.trace(), "cb0:ECANCELED cb1:ECANCELED close");
}

#[test]
fn a_read_error_leaves_the_request_to_be_cancelled() {
    let world = World::open();
    world.run(&[
        user(ListenData),
        Turn,
        kernel(Room(2)),
        user(Write(5, With)),
        Settle,
    ]);
    world.run(&[kernel(PeerResets), Turn]);
    assert_eq!(
        world.trace(),
        "resume error:ECONNRESET cb0:ECANCELED close:true"
    );
}

#[test]
fn a_big_write_counts_in_full_until_its_last_byte_has_gone_whoever_owns_it() {
    let big = 80 * 1024;
    for write in [Write(big, Without), Write(big, With), WriteOwned(big, With)] {
        let world = World::open();
        world.run(&[
            kernel(Room(big - 2000)),
            user(Write(2000, With)),
            user(write),
        ]);
        assert_eq!(world.sent(), big as u64 - 2000);
        assert_eq!(world.socket.writable_length(), big);
        assert!(world.socket.writable_need_drain());
        assert_eq!(world.trace(), "");
        world.run(&[kernel(Room(3999)), Turn]);
        assert_eq!(world.socket.writable_length(), big);
        world.run(&[kernel(Room(1)), Turn]);
        assert_eq!(world.socket.writable_length(), 0);
        assert!(world.trace().contains("drain"), "{write:?}");
    }
}

#[test]
fn more_than_the_ceiling_destroys_the_socket() {
    let world = World::open();
    world.duplex(|duplex| duplex.set_max_write_queue(10));
    // What the kernel has taken does not count.
    world.run(&[kernel(Room(2)), user(Write(10, With)), Turn]);
    world.run(&[user(Write(2, With)), Turn]);
    assert_eq!(world.trace(), "");
    world.run(&[user(Write(1, With)), Turn]);
    let trace = world.trace();
    assert!(
        trace.contains("error:ERR_SOCKET_WRITE_QUEUE_FULL"),
        "{trace}"
    );
    assert!(trace.ends_with("close:true"), "{trace}");
}

/// More chunks than one system call is offered.
#[test]
fn a_hundred_owned_buffers_go_out_in_order() {
    let mut script = vec![user(Cork)];
    script.extend([user(WriteOwned(1024, With)); 100]);
    script.extend([kernel(NextWrite(Fault::Short(70_000))), user(Uncork), Turn]);
    conclude_each(World::open, &script);
    let world = World::open();
    world.run(&script[..101]);
    world.run(&[user(Uncork)]);
    assert_eq!((world.sent(), world.writes()), (102_400, 2));
}

#[test]
fn a_listener_of_drain_may_write_more_than_there_is_room_for() {
    let script: Vec<Op> = [
        [kernel(Room(2)), user(Write(20, With)), Settle].as_slice(),
        &[React(Moment::Drain, Write(20, With)); 3],
        &[kernel(Room(30)), Turn, kernel(Room(30)), Turn],
    ]
    .concat();
    let world = World::open();
    world.run(&script);
    conclude_each(World::open, &script);
}

/// Node calls them in this order.
#[test]
fn what_is_queued_fails_after_the_first_callback_of_a_destroyed_socket() {
    let world = World::open();
    world.run(&[user(Write(3, With)), user(Write(5, With)), user(Cork)]);
    world.run(&[user(Write(1, With)), user(DestroyWith), Turn]);
    assert_eq!(world.trace(), "cb0 cb2:EUSER cb1 error:EUSER close:true");
}

#[test]
fn what_the_kernel_refuses_at_the_connection_fails_and_succeeds_never() {
    let world = World::connecting();
    world.run(&[
        user(Write(5, With)),
        user(Write(3, With)),
        kernel(NextWrite(Fault::Fail(ErrorKind::BrokenPipe))),
    ]);
    world.run(&[kernel(Connected), Turn]);
    assert_eq!(
        world.trace(),
        "connect cb0:EPIPE cb1:EPIPE error:EPIPE close:true"
    );
}

#[test]
fn a_write_of_nothing_does_not_vouch_for_the_next() {
    let world = World::open();
    world.run(&[
        user(Write(0, With)),
        user(Write(5, With)),
        kernel(PeerResets),
        Settle,
    ]);
    let expected = "cb0 cb1:ECONNRESET error:ECONNRESET";
    assert_eq!(world.trace(), expected);
}

#[test]
fn a_big_write_that_fails_leaves_the_order_of_the_callbacks() {
    for big in [Write(16 * 1024, With), WriteOwned(16 * 1024, With)] {
        let world = World::open();
        world.run(&[
            kernel(PeerResets),
            user(big),
            user(WriteOwned(40, With)),
            Settle,
        ]);
        assert_eq!(
            world.trace(),
            "cb0:ECONNRESET cb1:ECONNRESET error:ECONNRESET"
        );
    }
}

#[test]
fn no_drain_comes_from_a_write_that_failed() {
    let world = World::open();
    world.run(&[
        kernel(PeerResets),
        user(Cork),
        user(Write(13, With)),
        user(Uncork),
        Turn,
    ]);
    assert_eq!(world.trace(), "cb0:ECONNRESET error:ECONNRESET close:true");
}

#[test]
fn a_write_of_nothing_in_a_callback_fails_with_the_write_before_it() {
    let world = World::open();
    world.run(&[
        React(Moment::WriteCallback, WriteOwned(0, With)),
        user(WriteOwned(0, With)),
        user(WriteOwned(11, Without)),
        kernel(PeerResets),
        Settle,
    ]);
    assert_eq!(world.trace(), "cb0 cb1:ECONNRESET error:ECONNRESET");
}

#[test]
fn a_write_made_in_drain_that_fails_in_the_callback_is_told_so() {
    let world = World::connecting();
    world.run(&[
        user(Write(12, With)),
        React(Moment::Drain, Write(3, With)),
        React(Moment::WriteCallback, Cork),
        kernel(NextWrite(Fault::Short(1024))),
        kernel(NextWrite(Fault::Fail(ErrorKind::ConnectionReset))),
        kernel(Connected),
        Turn,
    ]);
    let expected = "connect drain cb0 cb1:ECONNRESET error:ECONNRESET close:true";
    assert_eq!(world.trace(), expected);
}

#[test]
fn a_batch_counts_in_full_until_its_last_byte_has_gone_and_what_is_behind_it_apart() {
    let world = World::connecting();
    world.run(&[
        user(WriteCorked(5, Without)),
        user(Write(3, Without)),
        kernel(NextWrite(Fault::Short(2))),
        // The event of the connection says that it can be written to.
        kernel(NextWrite(Fault::WouldBlock)),
        kernel(Connected),
        Turn,
    ]);
    assert_eq!(world.socket.writable_length(), 8);
    world.run(&[kernel(Room(100)), Turn]);
    assert_eq!(world.socket.writable_length(), 0);

    let world = World::open();
    world.run(&[
        user(Cork),
        user(WriteOwned(1024, Without)),
        user(WriteOwned(1024, Without)),
        kernel(Room(1500)),
        user(Uncork),
    ]);
    assert_eq!(world.socket.writable_length(), 2048);
}
