//! The rows of the table of the reading half, and the ways to read.

use std::io::ErrorKind;

use super::{conclude_each, kernel, trace, user};
use crate::machine::Duplex;
use crate::net::script::{
    Callback::Without,
    Conclusion, Fault,
    KernelOp::*,
    Moment,
    Op::{React, Settle, Turn},
    UserOp::*,
    World,
};

#[test]
fn undecided_without_listeners_keeps_up_to_the_high_water_mark() {
    let world = World::open();
    assert_eq!(trace(&world, &[kernel(Arrive(60)), Turn, Turn]), "");
    // The mark is 12 and a chunk has 8.
    assert_eq!(world.socket.readable_length(), 16);
    assert_eq!(world.socket.readable_flowing(), None);
}

#[test]
fn flowing_with_a_listener_hands_chunks_on_at_once() {
    let world = World::open();
    let begin = [user(ListenData), Settle];
    assert_eq!(trace(&world, &begin), "resume");
    assert_eq!(
        trace(&world, &[kernel(Arrive(12)), Turn]),
        "data(8) data(4)"
    );
    assert_eq!(world.socket.readable_length(), 0);
}

#[test]
fn a_listener_that_comes_later_gets_what_was_kept() {
    let world = World::open();
    world.run(&[kernel(Arrive(20)), Turn]);
    let listening = trace(&world, &[user(ListenData), Turn]);
    assert_eq!(listening, "resume data(8) data(8) data(4)");
}

#[test]
fn flowing_without_listeners_throws_away() {
    let world = World::open();
    world.run(&[user(Resume), Settle, kernel(Arrive(100))]);
    world.run(&[Turn; 5]);
    assert_eq!(world.socket.readable_length(), 0);
    assert_eq!(world.socket.bytes_read(), 100);
}

#[test]
fn paused_keeps_up_to_the_high_water_mark_and_the_kernel_the_rest() {
    let world = World::open();
    world.run(&[user(ListenData), Settle, user(Pause)]);
    assert_eq!(world.trace(), "resume pause");
    assert_eq!(trace(&world, &[kernel(Arrive(60)), Turn, Turn]), "");
    assert_eq!(world.socket.readable_length(), 16);
    assert!(!world.duplex(Duplex::wants_read));
    let resumed = trace(&world, &[user(Resume), Turn, Turn, Turn]);
    assert_eq!(
        resumed.matches("data").count(),
        60_usize.div_ceil(8),
        "{resumed}"
    );
}

#[test]
fn a_pause_in_a_listener_stops_the_next_chunk() {
    let world = World::open();
    world.run(&[user(ListenData), Settle, React(Moment::Data, Pause)]);
    assert_eq!(
        trace(&world, &[kernel(Arrive(16)), Turn, Turn]),
        "resume data(8) pause"
    );
    assert_eq!(trace(&world, &[user(Resume), Turn]), "resume data(8)");
}

#[test]
fn a_listener_of_readable_is_told_and_reads() {
    let world = World::open();
    world.run(&[user(ListenReadable), Settle]);
    assert_eq!(trace(&world, &[kernel(Arrive(5)), Turn]), "readable");
    assert_eq!(trace(&world, &[user(Read)]), "read(5)");
    assert_eq!(trace(&world, &[kernel(Arrive(5)), Turn]), "readable");
}

#[test]
fn readable_announces_the_end_too() {
    let world = World::open();
    world.run(&[user(ListenReadable), Settle, kernel(PeerEnds), Turn]);
    assert_eq!(world.trace(), "readable end prefinish finish close");
}

#[test]
fn read_exactly_gives_all_or_nothing_until_the_end() {
    let world = World::open();
    world.run(&[user(ListenReadable), Settle, kernel(Arrive(5)), Turn]);
    assert_eq!(trace(&world, &[user(ReadExactly(7))]), "readable");
    assert_eq!(trace(&world, &[user(ReadExactly(3))]), "read(3)");
    world.run(&[kernel(PeerEnds), Turn]);
    assert_eq!(world.trace(), "readable");
    assert_eq!(
        trace(&world, &[user(ReadExactly(7)), Settle]),
        "read(2) end"
    );
}

#[test]
fn what_is_put_back_is_read_again_first() {
    let world = World::open();
    world.run(&[
        kernel(Arrive(5)),
        Turn,
        user(ReadExactly(5)),
        user(Unshift(3)),
    ]);
    assert_eq!(world.trace(), "read(5)");
    world.run(&[kernel(Arrive(5)), Turn]);
    assert_eq!(
        trace(&world, &[user(ListenData), Settle]),
        "resume data(3) data(5)"
    );
}

#[test]
fn an_unshift_after_the_end_is_told_so_though_a_write_has_failed_before_it() {
    let world = World::open();
    world.run(&[
        user(AllowHalfOpen(true)),
        user(ListenData),
        kernel(PeerEnds),
    ]);
    world.run(&[Turn, Turn]);
    assert!(world.trace().ends_with("end"));
    let script = [
        kernel(NextWrite(Fault::Fail(ErrorKind::BrokenPipe))),
        user(Write(16 * 1024, Without)),
        user(Unshift(1)),
        Turn,
    ];
    let trace = trace(&world, &script);
    assert!(
        trace.contains("error:ERR_STREAM_UNSHIFT_AFTER_END_EVENT"),
        "{trace}"
    );
}

#[test]
fn the_end_comes_after_all_data_though_it_came_with_it() {
    let world = World::open();
    world.run(&[
        user(ListenData),
        Settle,
        kernel(Arrive(20)),
        kernel(PeerEnds),
        Turn,
        Turn,
    ]);
    assert_eq!(
        world.trace(),
        "resume data(8) data(8) data(4) end prefinish finish close"
    );
}

#[test]
fn a_paused_socket_hears_of_the_end_if_nothing_is_kept() {
    let world = World::open();
    world.run(&[
        user(ListenData),
        Settle,
        user(Pause),
        kernel(PeerEnds),
        Turn,
    ]);
    assert_eq!(world.trace(), "resume pause end prefinish finish close");
}

#[test]
fn a_paused_socket_that_keeps_data_hears_of_the_end_after_it_was_read() {
    let world = World::open();
    world.run(&[user(ListenData), Settle, user(Pause), kernel(Arrive(5))]);
    world.run(&[kernel(PeerEnds), Turn, Turn]);
    assert_eq!(world.trace(), "resume pause");
    let resumed = trace(&world, &[user(Resume), Turn]);
    assert_eq!(resumed, "resume data(5) end prefinish finish close");
}

#[test]
fn a_socket_paused_before_the_connection_is_not_read() {
    let world = World::connecting();
    world.run(&[
        user(Pause),
        kernel(Connected),
        kernel(Arrive(5)),
        Turn,
        Turn,
    ]);
    assert_eq!(world.trace(), "pause connect");
    assert!(!world.duplex(Duplex::wants_read));
    assert_eq!(world.socket.bytes_read(), 0);
}

/// What a listener of `Data` reads is not overtaken by the chunk after it.
#[test]
fn a_read_inside_data_is_emitted_next() {
    let script = [
        kernel(Arrive(24)),
        Turn,
        Turn,
        React(Moment::Data, Read),
        user(ListenData),
        Turn,
    ];
    let world = World::open();
    assert_eq!(trace(&world, &script), "resume data(8) data(8) data(8)");
    conclude_each(World::open, &script);
    for amount in 1..8 {
        let script = [
            kernel(Arrive(49)),
            Turn,
            React(Moment::Data, ReadExactly(amount)),
            React(Moment::Data, ReadExactly(amount)),
            user(ListenData),
            Turn,
        ];
        conclude_each(World::open, &script);
    }
}

#[test]
fn a_read_inside_data_comes_before_the_end() {
    let script = [
        kernel(Arrive(16)),
        Turn,
        Turn,
        kernel(PeerEnds),
        Turn,
        React(Moment::Data, Read),
        user(ListenData),
        Turn,
    ];
    let world = World::open();
    assert_eq!(
        trace(&world, &script),
        "resume data(8) data(8) end prefinish finish close"
    );
}

#[test]
fn removing_the_listener_of_readable_lets_data_flow_again() {
    let world = World::open();
    world.run(&[user(ListenData), user(ListenReadable), Settle]);
    world.run(&[kernel(Arrive(5)), Turn, user(UnlistenReadable), Turn]);
    let trace = world.trace();
    assert!(trace.ends_with("data(5)"), "{trace}");
}

#[test]
fn text_is_decoded_from_what_was_kept_too() {
    let world = World::open();
    world.run(&[
        kernel(Arrive(20)),
        Turn,
        user(DecodeUtf8),
        user(ListenData),
        Turn,
    ]);
    let trace = world.trace();
    assert_eq!(trace, "resume data(16) data(4)");
    assert!(world.duplex(Duplex::is_text));
}

/// A finding of the fuzzer's: the script had been given as many turns, however much there was to read.
#[test]
fn much_that_has_arrived_is_read_in_as_many_turns_as_it_takes() {
    let world = World::connecting();
    world.run(&[user(ListenData)]);
    world.run(&vec![kernel(Arrive(53)); 100]);
    world.conclude(Conclusion::BothEnd);
}
