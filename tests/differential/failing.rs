//! Whose error a write gets that does not go out, what the getters say meanwhile, and the order of
//! callbacks that wait for no byte.

use std::cell::Cell;

use soquete::net::{self, Socket};
use soquete::{event, timers};

use crate::trace::{Trace, ignore, paused, reset};

crate::family!("failing":
    empty_writes_have_a_tick_each,
    empty_writes_before_the_connection,
    empty_writes_behind_a_request,
    drain_of_what_is_corked_in_drain,
    drain_of_what_is_corked_in_a_callback,
    a_request_without_a_callback_keeps_its_error,
    a_request_without_a_callback_keeps_its_error_before_the_connection,
    a_parked_batch_fails_as_one,
    destroyed_in_connect_before_what_is_parked,
    the_peers_reset_is_the_error_of_what_is_queued,
    the_length_falls_write_by_write,
    nothing_is_queued_in_close_after_a_write_was_cut_off,
    a_refused_write_and_what_follows_in_its_callback,
    an_end_behind_a_write_that_is_refused,
    the_last_data_is_refused,
    corked_writes_are_refused_together,
    end_after_destroy_counts,
    end_after_destroy_with_an_error_does_not_count,
    last_data_after_destroy_does_not_count,
    data_after_the_end_uncorks,
);

const MUCH: usize = 16 << 20;

/// A callback that also records how much is queued when it is called.
fn with_length(
    t: Trace,
    socket: Socket,
    lane: &'static str,
    name: &'static str,
) -> impl FnOnce(soquete::Result<()>) + 'static {
    move |outcome| {
        t.cb(lane, name)(outcome);
        t.log(lane, format!("queued {}", socket.writable_length()));
    }
}

/// The server's end, whose peer has gone, and which has not noticed.
fn deserted(t: Trace, then: impl FnOnce(Socket) + 'static) {
    one_way(t, move |c, s| {
        reset(c);
        t.turns(10, move || then(t.on(s, "s")));
    });
}

/// A pair whose server end is not read.
fn one_way(t: Trace, then: impl FnOnce(Socket, Socket) + 'static) {
    t.pair_with(paused(), |client| client, then);
}

fn tick(t: Trace) {
    timers::next_tick(move || t.log("c", "tick"));
}

fn empty_writes_have_a_tick_each(t: Trace) {
    t.pair(move |c, s| {
        t.flow(s, "s");
        t.write(c, "c", "");
        tick(t);
        t.write(c, "c", "");
        tick(t);
        c.cork();
        t.write(c, "c", "");
        t.write(c, "c", "");
        c.uncork();
        tick(t);
        c.destroy_soon();
    });
}

fn empty_writes_before_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.on(c, "c");
        t.write(c, "c", "");
        t.write(c, "c", "");
        t.write(c, "c", "one");
        t.write(c, "c", "");
        c.on(event::Ready, move |()| ignore(c.end()));
    });
}

fn empty_writes_behind_a_request(t: Trace) {
    one_way(t, move |c, s| {
        c.write(vec![0; MUCH]);
        t.write(c, "c", "");
        t.write(c, "c", "");
        c.on(event::Drain, move |()| {
            t.log("c", "drain");
            tick(t);
            c.end();
        });
        timers::set_immediate(move || {
            s.on(event::Data, |_| {});
            s.resume();
        });
    });
}

fn drain_of_what_is_corked_in_drain(t: Trace) {
    t.pair_with(
        net::ServerOptions::new(),
        |client| client.high_water_mark(4),
        move |c, s| {
            t.flow(s, "s");
            t.on(c, "c");
            let times = Cell::new(0);
            c.on(event::Drain, move |()| {
                t.state(c, "c");
                if times.replace(times.get() + 1) > 1 {
                    c.end();
                    return;
                }
                c.cork();
                c.write("again and again");
                c.uncork();
                t.state(c, "c");
            });
            c.cork();
            t.write(c, "c", "first");
            c.uncork();
            t.write(c, "c", "second");
        },
    );
}

fn drain_of_what_is_corked_in_a_callback(t: Trace) {
    t.pair_with(
        net::ServerOptions::new(),
        |client| client.high_water_mark(4),
        move |c, s| {
            t.flow(s, "s");
            t.on(c, "c");
            c.write_then("first", move |_| {
                t.log("c", "cb:first");
                c.cork();
                t.log("c", c.write("corked").to_string());
                c.uncork();
            });
            t.write(c, "c", "second");
            c.on(event::Drain, move |()| ignore(c.end()));
        },
    );
}

fn a_request_without_a_callback_keeps_its_error(t: Trace) {
    one_way(t, move |c, _| {
        t.on(c, "c");
        c.write(vec![0; MUCH]);
        t.write(c, "c", "one");
        t.write(c, "c", "");
        c.destroy_with(t.error("MINE"));
    });
}

fn a_request_without_a_callback_keeps_its_error_before_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.on(c, "c");
        c.write("parked");
        t.write(c, "c", "one");
        c.destroy_with(t.error("MINE"));
        net::connect(("127.0.0.1", port)).end();
    });
}

fn a_parked_batch_fails_as_one(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.on(c, "c");
        c.cork();
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        c.uncork();
        t.write(c, "c", "three");
        c.destroy_with(t.error("MINE"));
        net::connect(("127.0.0.1", port)).end();
    });
}

fn destroyed_in_connect_before_what_is_parked(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        c.on(event::Connect, move |()| {
            ignore(c.destroy_with(t.error("MINE")));
        });
        t.on(c, "c");
        c.write("parked");
        t.write(c, "c", "one");
    });
}

fn the_peers_reset_is_the_error_of_what_is_queued(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        c.write(vec![0; MUCH]);
        t.write(c, "c", "one");
        timers::set_immediate(move || reset(s));
    });
}

fn the_length_falls_write_by_write(t: Trace) {
    one_way(t, move |c, _| {
        c.write_then(vec![0; MUCH], with_length(t, c, "c", "big"));
        c.write_then("one", with_length(t, c, "c", "one"));
        c.write_then("three", with_length(t, c, "c", "three"));
        c.on(event::Close, move |_| {
            t.log("c", format!("close, queued {}", c.writable_length()));
        });
        c.destroy();
        t.log("c", (c.writable_length() > MUCH).to_string());
    });
}

fn nothing_is_queued_in_close_after_a_write_was_cut_off(t: Trace) {
    one_way(t, move |c, _| {
        t.watch(c, "c");
        c.write(vec![0; MUCH]);
        t.turns(3, move || ignore(c.destroy()));
    });
}

fn a_refused_write_and_what_follows_in_its_callback(t: Trace) {
    deserted(t, move |s| {
        t.write_bytes(s, "s", 20_000);
        let code = s.errored().map(|error| error.code().to_owned());
        let (code, writable) = (code.unwrap_or_default(), s.writable());
        let (written, queued) = (s.bytes_written(), s.writable_length());
        t.log("s", format!("{code} {writable} {written} {queued}"));
        t.write(s, "s", "behind");
        let (written, queued) = (s.bytes_written(), s.writable_length());
        t.log("s", format!("{written} {queued}"));
        t.end(s, "s", "");
        t.state(s, "s");
        timers::next_tick(move || t.state(s, "s"));
    });
}

fn an_end_behind_a_write_that_is_refused(t: Trace) {
    deserted(t, move |s| {
        s.write("small");
        t.end(s, "s", "");
        t.state(s, "s");
    });
}

fn the_last_data_is_refused(t: Trace) {
    deserted(t, move |s| {
        t.end(s, "s", "last");
        t.state(s, "s");
    });
}

fn corked_writes_are_refused_together(t: Trace) {
    deserted(t, move |s| {
        s.cork();
        s.write_then("one", with_length(t, s, "s", "one"));
        s.write_then("two", with_length(t, s, "s", "two"));
        s.uncork();
        t.state(s, "s");
        s.destroy_with(t.error("MINE"));
    });
}

fn end_after_destroy_counts(t: Trace) {
    t.pair(move |c, _| {
        t.on(c, "c");
        c.destroy();
        c.end();
        t.state(c, "c");
        t.write(c, "c", "late");
        c.end_with_then("late too", t.cb("c", "end"));
    });
}

fn end_after_destroy_with_an_error_does_not_count(t: Trace) {
    t.pair(move |c, _| {
        t.on(c, "c");
        c.destroy_with(t.error("MINE"));
        c.end();
        t.state(c, "c");
        t.write(c, "c", "late");
    });
}

fn last_data_after_destroy_does_not_count(t: Trace) {
    t.pair(move |c, _| {
        t.on(c, "c");
        c.destroy();
        c.end_with_then("late", t.cb("c", "end"));
        t.state(c, "c");
    });
}

fn data_after_the_end_uncorks(t: Trace) {
    t.pair(move |c, _| {
        t.on(c, "c");
        c.end();
        c.cork();
        t.log("c", c.writable_corked().to_string());
        c.end_with_then("late", t.cb("c", "end"));
        t.log("c", c.writable_corked().to_string());
    });
}
