//! How sockets end: `end`, half-close, `destroy`, resets.

use soquete::net::ServerOptions;
use soquete::{Error, event, timers};

use crate::trace::Trace;

crate::family!("ending":
    both_halves_end,
    server_side_may_stay_half_open,
    client_side_may_stay_half_open,
    destroy_with_an_error_fails_what_comes_after,
    destroy_without_an_error,
    end_twice_calls_both_back,
    end_in_finish_is_too_late,
    write_after_end_destroys,
    write_in_end_listener_succeeds,
    reset_with_a_written_chunk,
);

fn both_halves_end(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.end_then("bye", t.cb("c", "end"));
        t.state(c, "c");
    });
}

fn server_side_may_stay_half_open(t: Trace) {
    let half_open = ServerOptions::new().allow_half_open(true);
    t.pair_with(
        half_open,
        |client| client,
        move |c, s| {
            t.flow(c, "c");
            t.flow(s, "s");
            c.end_with("early");
            s.on(event::End, move |()| {
                t.state(s, "s");
                s.write_with("late", t.cb("s", "write"));
                s.end_then("", t.cb("s", "end"));
            });
        },
    );
}

fn client_side_may_stay_half_open(t: Trace) {
    t.pair_with(
        ServerOptions::new(),
        |client| client.allow_half_open(true),
        move |c, s| {
            t.flow(c, "c");
            t.flow(s, "s");
            s.end_with("early");
            c.on(event::End, move |()| {
                t.state(c, "c");
                c.write_with("late", t.cb("c", "write"));
                c.end_then("", t.cb("c", "end"));
            });
        },
    );
}

fn destroy_with_an_error_fails_what_comes_after(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.write_with("early", t.cb("c", "early"));
        timers::set_immediate(move || t.log("c", "immediate"));
        c.destroy_with(Error::new("MINE", "mine"));
        t.state(c, "c");
        t.write(c, "c", "late");
        c.end_then("", t.cb("c", "end"));
        c.destroy_with(Error::new("OTHER", "other"));
    });
}

fn destroy_without_an_error(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.write_with("early", t.cb("c", "early"));
        c.destroy();
        t.write(c, "c", "late");
    });
}

fn end_twice_calls_both_back(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.end_then("x", t.cb("c", "first"));
        c.end_then("", t.cb("c", "second"));
    });
}

fn end_in_finish_is_too_late(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.on(event::Finish, move |()| {
            c.end_then("", t.cb("c", "third"));
            c.end_then("more", t.cb("c", "fourth"));
        });
        c.end();
    });
}

fn write_after_end_destroys(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.end_then("x", t.cb("c", "end"));
        t.write(c, "c", "late");
    });
}

fn write_in_end_listener_succeeds(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        s.end();
        c.on(event::End, move |()| {
            t.write(c, "c", "now");
            timers::next_tick(move || {
                t.write(c, "c", "tick");
            });
        });
    });
}

fn reset_with_a_written_chunk(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.on(s, "s");
        c.write_with("chunk", t.cb("c", "write"));
        let _ = c.reset_and_destroy();
    });
}
