//! Frames that cannot be delivered at once are held until they can, and are not delivered to who is paused or gone.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use soquete::framing::{FrameReader, Lines};
use soquete::net::Socket;
use soquete::{event, timers};
use support::{note, pair, record, run_to_end};

fn lines() -> FrameReader<Lines> {
    FrameReader::new(Lines::new().remainder_at_end(), 100)
}

/// Runs into a panic of a listener's.
fn panics() {
    assert!(catch_unwind(AssertUnwindSafe(soquete::run)).is_err());
}

/// Notes its frames, and panics at those that begin with "bad".
fn noting(socket: Socket) {
    socket.frames(lines(), move |frame| {
        note(String::from_utf8_lossy(frame));
        assert!(!frame.starts_with(b"bad"), "as the test wants");
    });
    socket.on(event::End, |()| note("end"));
    socket.on(event::Close, |_| note("close"));
}

fn sent_at_once(serve: impl FnOnce(Socket) + 'static, lines: &'static str) {
    pair(move |served, client| {
        serve(served);
        client.resume().end_with(lines);
    });
}

#[test]
fn a_second_panic_loses_no_frame_though_the_end_has_come() {
    sent_at_once(noting, "good\nbad\nbad again\nbad last\nfine\nrest");
    (0..3).for_each(|_| panics());
    run_to_end();
    let expected = [
        "good",
        "bad",
        "bad again",
        "bad last",
        "fine",
        "rest",
        "end",
        "close",
    ];
    assert_eq!(record(), expected);
}

#[test]
fn frames_behind_a_panic_wait_while_the_socket_is_paused() {
    pair(|served, client| {
        noting(served);
        client.resume().end_with("bad\none\ntwo\n");
        note("run");
        timers::next_tick(move || {
            served.on(event::Pause, |()| note("pause"));
        });
        served.prepend_listener(event::Data, move |_| {
            // After the run that the panic ends.
            timers::set_immediate(move || {
                served.pause();
                timers::set_timeout(Duration::from_millis(10), move || {
                    note("resume");
                    served.resume();
                });
            });
        });
    });
    panics();
    run_to_end();
    let expected = [
        "run", "bad", "pause", "resume", "one", "two", "end", "close",
    ];
    assert_eq!(record(), expected);
}

#[test]
fn no_frame_behind_a_panic_follows_a_destroy() {
    sent_at_once(
        |served| {
            served.frames(lines(), move |frame| {
                note(String::from_utf8_lossy(frame));
                assert_ne!(frame, b"bad", "as the test wants");
                served.destroy();
            });
            served.on(event::Close, |_| note("close"));
        },
        "bad\none\ntwo\nthree",
    );
    panics();
    run_to_end();
    assert_eq!(record(), ["bad", "one", "close"]);
}

#[test]
fn the_last_line_without_its_end_waits_while_the_socket_is_paused() {
    pair(|served, client| {
        noting(served);
        client.resume().write("one\nlast");
        timers::set_timeout(Duration::from_millis(10), move || {
            served.pause();
            client.end();
        });
        timers::set_timeout(Duration::from_millis(40), move || {
            note("resume");
            served.resume();
        });
    });
    run_to_end();
    assert_eq!(record(), ["one", "resume", "last", "end", "close"]);
}

#[test]
fn a_pause_in_the_last_line_without_its_end_does_not_repeat_it() {
    pair(|served, client| {
        served.frames(lines(), move |frame| {
            note(String::from_utf8_lossy(frame));
            served.pause();
            timers::set_immediate(move || {
                served.resume();
            });
        });
        served.on(event::Close, |_| note("close"));
        client.resume().end_with("one\nlast");
    });
    run_to_end();
    assert_eq!(record(), ["one", "last", "close"]);
}

#[cfg(feature = "sim")]
support::worlds::also_in_worlds! {
    a_second_panic_loses_no_frame_though_the_end_has_come
    frames_behind_a_panic_wait_while_the_socket_is_paused
    no_frame_behind_a_panic_follows_a_destroy
    the_last_line_without_its_end_waits_while_the_socket_is_paused
    a_pause_in_the_last_line_without_its_end_does_not_repeat_it
}
