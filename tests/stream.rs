//! `stream::finished` and `stream::pipeline`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use soquete::net::{PipeOptions, ServerOptions, Socket};
use soquete::stream::{self, FinishedOptions};
use soquete::{event, timers};

mod support;

use support::record::{Record, pattern};
use support::{pair, pair_of, run_to_end};

#[test]
fn finished_waits_for_both_ends_and_not_for_close() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        events.watch("socket", socket);
        stream::finished(socket, events.outcome("finished"));
        socket.resume();
        peer.resume().end();
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "socket.resume socket.end socket.prefinish socket.finish finished(ok) socket.close(false)"
    );
}

#[test]
fn finished_can_wait_for_one_side_only() {
    let record = Record::default();
    let events = record.clone();
    let half_open = ServerOptions::new().allow_half_open(true);
    pair_of(
        half_open,
        |options| options,
        move |socket, peer| {
            let reading = FinishedOptions::new().writable(false);
            stream::finished_with(socket, reading, events.outcome("read"));
            let writing = FinishedOptions::new().readable(false);
            stream::finished_with(socket, writing, events.outcome("written"));
            events.watch("socket", socket);
            peer.end();
            socket.on(event::End, move |()| {
                timers::set_immediate(move || {
                    socket.end();
                });
            });
        },
    );
    run_to_end();
    assert_eq!(
        record.text(),
        "read(ok) socket.end socket.prefinish written(ok) socket.finish socket.close(false)"
    );
}

#[test]
fn finished_tells_of_an_error_at_once() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        stream::finished(socket, events.outcome("finished"));
        events.watch("socket", socket);
        peer.reset_and_destroy().unwrap();
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "finished(ECONNRESET) socket.error(ECONNRESET) socket.close(true)"
    );
}

#[test]
fn a_socket_that_is_destroyed_too_early_has_closed_prematurely() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, _peer| {
        stream::finished(socket, events.outcome("finished"));
        events.watch("socket", socket);
        socket.destroy();
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "finished(ERR_STREAM_PREMATURE_CLOSE) socket.close(false)"
    );
}

#[test]
fn finished_of_a_destroyed_or_stale_socket_is_told_on_a_tick() {
    let record = Record::default();
    let events = record.clone();
    let socket = Socket::new();
    socket.destroy();
    stream::finished(socket, events.outcome("destroyed"));
    events.note("sync");
    timers::set_immediate(move || {
        stream::finished(socket, events.outcome("stale"));
        events.note("sync");
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "sync destroyed(ERR_STREAM_PREMATURE_CLOSE) sync stale(ERR_STREAM_PREMATURE_CLOSE)"
    );
}

#[test]
fn finished_of_what_has_ended_before_is_told_on_a_tick() {
    let record = Record::default();
    let events = record.clone();
    let half_open = ServerOptions::new().allow_half_open(true);
    pair_of(
        half_open,
        |options| options,
        move |socket, peer| {
            peer.end();
            socket.on(event::End, move |()| {
                let events = events.clone();
                timers::set_immediate(move || {
                    let reading = FinishedOptions::new().writable(false);
                    stream::finished_with(socket, reading, events.outcome("read"));
                    events.note("sync");
                    socket.end();
                });
            });
        },
    );
    run_to_end();
    assert_eq!(record.text(), "sync read(ok)");
}

#[test]
fn finished_of_a_socket_that_has_ended_on_both_sides_waits_for_close() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        peer.resume().end();
        socket.resume().on(event::Finish, move |()| {
            stream::finished(socket, events.outcome("finished"));
            let events = events.clone();
            timers::next_tick(move || events.note("tick"));
        });
    });
    run_to_end();
    assert_eq!(record.text(), "tick finished(ok)");
}

#[test]
fn a_late_error_is_handled_until_finished_is_cancelled() {
    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    pair(move |socket, peer| {
        let reading = FinishedOptions::new().writable(false);
        stream::finished_with(socket, reading, move |_| count.set(count.get() + 1));
        socket.set_allow_half_open(true);
        peer.end();
        socket.on(event::End, move |()| {
            socket.destroy_with(soquete::Error::new("ELATE", "nobody listens"));
        });
    });
    run_to_end();
    assert_eq!(calls.get(), 1);
}

#[test]
fn a_cancelled_finished_leaves_nothing_behind() {
    pair(|socket, peer| {
        let watch = stream::finished(socket, |_| panic!("it was cancelled"));
        assert_eq!(socket.listener_count(event::Error), 1);
        watch.cancel();
        assert_eq!(socket.listener_count(event::Error), 0);
        assert_eq!(socket.listener_count(event::Close), 0);
        assert_eq!(socket.listener_count(event::End), 0);
        socket.destroy();
        peer.destroy();
    });
    run_to_end();
}

/// Two connections: what is written to `sender` comes out of `source`; what goes into `dest`
/// arrives at `reader`.
fn two_connections(then: impl FnOnce([Socket; 4]) + 'static) {
    pair(|source, sender| {
        pair(move |dest, reader| then([sender, source, dest, reader]));
    });
}

#[test]
fn a_pipeline_ends_when_its_source_has_ended_and_leaves_the_last_socket_readable() {
    let record = Record::default();
    let events = record.clone();
    two_connections(move |[sender, source, dest, reader]| {
        events.watch("source", source);
        events.watch("dest", dest);
        let received = Rc::new(RefCell::new(0));
        let count = Rc::clone(&received);
        reader.set_allow_half_open(true);
        reader.on(event::Data, move |chunk| *count.borrow_mut() += chunk.len());
        let notes = events.clone();
        let noted = events.outcome("pipeline");
        stream::pipeline([source, dest], move |outcome| {
            noted(outcome);
            assert!(dest.readable(), "the reply is still to come");
        });
        reader.on(event::End, move |()| {
            assert_eq!(*received.borrow(), 1 << 20);
            reader.end_with("reply");
        });
        dest.on(event::Data, move |chunk| {
            notes.note(String::from_utf8_lossy(chunk));
        });
        sender.end_with(pattern(1 << 20));
    });
    run_to_end();
    let text = record.text();
    let order = [
        "dest.pipe",
        "source.end",
        "dest.finish",
        "pipeline(ok)",
        "reply",
        "dest.close(false)",
    ];
    let mut at = 0;
    for line in order {
        at += text[at..]
            .find(line)
            .unwrap_or_else(|| panic!("{line} in {text}"));
    }
    assert!(!record.has("dest.error"));
}

#[test]
fn a_source_that_fails_destroys_the_whole_pipeline() {
    let record = Record::default();
    let events = record.clone();
    two_connections(move |[sender, source, dest, _reader]| {
        events.watch("source", source);
        events.watch("dest", dest);
        stream::pipeline([source, dest], events.outcome("pipeline"));
        sender.reset_and_destroy().unwrap();
    });
    run_to_end();
    assert!(record.has("source.error(ECONNRESET)"));
    assert!(record.has("dest.error(ECONNRESET)"), "{}", record.text());
    assert!(record.has("pipeline(ECONNRESET)"));
    assert!(record.has("dest.close(true)"));
}

#[test]
fn a_destination_that_closes_early_destroys_the_source() {
    let record = Record::default();
    let events = record.clone();
    two_connections(move |[_sender, source, dest, _reader]| {
        events.watch("source", source);
        events.watch("dest", dest);
        stream::pipeline([source, dest], events.outcome("pipeline"));
        dest.destroy();
    });
    run_to_end();
    let text = record.text();
    assert!(
        record.has("source.error(ERR_STREAM_PREMATURE_CLOSE)"),
        "{text}"
    );
    assert!(record.has("pipeline(ERR_STREAM_PREMATURE_CLOSE)"), "{text}");
    assert!(record.has("dest.close(false)"), "{text}");
    assert!(record.has("source.close(true)"), "{text}");
}

#[test]
fn a_pipeline_through_an_echo_comes_back_whole() {
    let total = 2 << 20;
    let record = Record::default();
    let notes = record.clone();
    two_connections(move |[sender, source, middle, far]| {
        far.set_allow_half_open(true);
        middle.set_allow_half_open(true);
        far.pipe(far);
        pair(move |last, reader| {
            stream::pipeline([source, middle, last], notes.outcome("pipeline"));
            let count = Rc::new(Cell::new(0));
            let sum = Rc::clone(&count);
            reader.on(event::Data, move |chunk| sum.set(sum.get() + chunk.len()));
            reader.on(event::End, move |()| notes.note(format!("{}", count.get())));
            sender.end_with(pattern(total));
        });
    });
    run_to_end();
    assert!(record.has("pipeline(ok)"), "{}", record.text());
    assert!(record.has(&total.to_string()), "{}", record.text());
}

#[test]
fn without_end_the_last_socket_is_left_open() {
    two_connections(move |[sender, source, dest, reader]| {
        let options = PipeOptions::new().end(false);
        stream::pipeline_with([source, dest], options, |_| {});
        sender.end_with("x");
        source.on(event::Close, move |_| {
            assert!(dest.writable());
            dest.end();
        });
        reader.resume();
    });
    run_to_end();
}

#[test]
fn misuse_is_told_to_the_callback_and_nothing_is_piped() {
    let record = Record::default();
    let events = record.clone();
    two_connections(move |[sender, source, dest, reader]| {
        dest.destroy();
        events.watch("source", source);
        stream::pipeline([source, dest], events.outcome("destroyed"));
        stream::pipeline([source], events.outcome("one"));
        timers::set_immediate(move || {
            assert!(!source.destroyed());
            assert_eq!(source.listener_count(event::Data), 0);
            for socket in [sender, source, reader] {
                socket.destroy();
            }
        });
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "destroyed(ERR_STREAM_UNABLE_TO_PIPE) one(ERR_MISSING_ARGS) source.close(false)"
    );
}

#[test]
fn a_pipeline_leaves_no_listener_of_errors_on_a_last_socket_that_goes_on() {
    pair_of(
        ServerOptions::new().allow_half_open(true),
        |options| options.allow_half_open(true),
        |source, feeder| {
            pair(move |last, reader| {
                let before = last.listener_count(event::Error);
                reader.resume();
                feeder.end_with("all");
                let options = PipeOptions::new();
                stream::pipeline_with([source, last], options, move |outcome| {
                    outcome.unwrap();
                    assert_eq!(last.listener_count(event::Error), before);
                    source.destroy();
                    last.end();
                });
            });
        },
    );
    run_to_end();
}

#[cfg(feature = "sim")]
support::worlds::also_in_worlds! {
    finished_waits_for_both_ends_and_not_for_close
    finished_can_wait_for_one_side_only
    finished_tells_of_an_error_at_once
    a_socket_that_is_destroyed_too_early_has_closed_prematurely
    finished_of_a_destroyed_or_stale_socket_is_told_on_a_tick
    finished_of_what_has_ended_before_is_told_on_a_tick
    finished_of_a_socket_that_has_ended_on_both_sides_waits_for_close
    a_late_error_is_handled_until_finished_is_cancelled
    a_cancelled_finished_leaves_nothing_behind
    a_pipeline_ends_when_its_source_has_ended_and_leaves_the_last_socket_readable
    a_source_that_fails_destroys_the_whole_pipeline
    a_destination_that_closes_early_destroys_the_source
    a_pipeline_through_an_echo_comes_back_whole
    without_end_the_last_socket_is_left_open
    misuse_is_told_to_the_callback_and_nothing_is_piped
    a_pipeline_leaves_no_listener_of_errors_on_a_last_socket_that_goes_on
}
