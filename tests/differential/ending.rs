//! How sockets end: `end`, half-close, writes that come too late.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::ServerOptions;
use soquete::{event, timers};

use crate::trace::{Trace, half_open, ignore, paused};

crate::family!("ending":
    both_halves_end,
    server_side_may_stay_half_open,
    client_side_may_stay_half_open,
    end_twice_calls_both_back,
    end_in_finish_is_too_late,
    write_in_end_listener_succeeds,
    end_listener_and_the_rest_of_the_turn,
    both_sides_end_at_once,
    second_write_to_a_peer_that_is_gone_is_a_broken_pipe,
    write_after_the_end_that_followed_the_peers,
    write_while_the_end_that_followed_the_peers_is_on_its_way,
    peer_ends_while_much_is_queued,
    one_more_write_while_much_is_queued_drops_it,
    end_in_the_end_listener,
    end_in_the_data_listener,
    getters_through_a_whole_life,
    allow_half_open_can_be_changed_in_time,
    end_before_the_last_data_was_read,
    second_end_in_a_later_turn,
    write_after_end_behind_queued_writes,
);

fn both_halves_end(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.end_with_then("bye", t.cb("c", "end"));
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
                s.write_then("late", t.cb("s", "write"));
                s.end_then(t.cb("s", "end"));
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
                c.write_then("late", t.cb("c", "write"));
                c.end_then(t.cb("c", "end"));
            });
        },
    );
}

fn end_twice_calls_both_back(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.end_with_then("x", t.cb("c", "first"));
        c.end_then(t.cb("c", "second"));
    });
}

fn end_in_finish_is_too_late(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.on(event::Finish, move |()| {
            c.end_then(t.cb("c", "third"));
            c.end_with_then("more", t.cb("c", "fourth"));
        });
        c.end();
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

fn end_listener_and_the_rest_of_the_turn(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        s.on(event::End, move |()| {
            timers::set_timeout(Duration::ZERO, move || t.log("s", "timeout"));
            timers::set_immediate(move || t.log("s", "immediate"));
            timers::next_tick(move || t.log("s", "tick"));
        });
        c.end_with("bye");
    });
}

fn both_sides_end_at_once(t: Trace) {
    t.pair(move |c, s| {
        t.halves(c, "c");
        t.halves(s, "s");
        t.end(c, "c>", "from c");
        t.end(s, "s>", "from s");
    });
}

fn second_write_to_a_peer_that_is_gone_is_a_broken_pipe(t: Trace) {
    t.pair_with(
        half_open(),
        |client| client,
        move |c, s| {
            t.on(c, "c");
            t.flow(s, "s");
            s.on(event::End, move |()| {
                s.write_then("first", move |outcome| {
                    t.cb("s", "first")(outcome);
                    t.turns(5, move || {
                        s.write_then("second", t.cb("s", "second"));
                    });
                });
            });
            c.destroy();
        },
    );
}

fn write_after_the_end_that_followed_the_peers(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        s.on(event::End, move |()| {
            timers::set_immediate(move || t.write(s, "s", "late"));
        });
        c.end();
    });
}

fn write_while_the_end_that_followed_the_peers_is_on_its_way(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        s.on(event::End, move |()| {
            timers::next_tick(move || timers::next_tick(move || t.write(s, "s", "late")));
        });
        c.end();
    });
}

fn peer_ends_while_much_is_queued(t: Trace) {
    t.pair_with(
        paused(),
        |client| client,
        move |c, s| {
            t.watch(c, "c");
            let received = Rc::new(Cell::new(0));
            let before_end = Rc::clone(&received);
            s.on(event::End, move |()| {
                t.log("s", format!("end after {}", before_end.get()))
            });
            c.on(event::End, move |()| {
                let received = Rc::clone(&received);
                timers::set_immediate(move || {
                    t.state(c, "c");
                    s.on(event::Data, move |chunk| {
                        received.set(received.get() + chunk.len())
                    });
                    s.resume();
                });
            });
            t.write_bytes(c, "c", 16 << 20);
            s.end();
        },
    );
}

fn one_more_write_while_much_is_queued_drops_it(t: Trace) {
    t.pair_with(
        paused(),
        |client| client,
        move |c, s| {
            t.flow(c, "c");
            s.on(event::End, move |()| t.log("s", "end"));
            s.on(event::Error, move |_| t.log("s", "error"));
            s.on(event::Close, move |had_error| {
                t.log("s", format!("close({had_error})"))
            });
            c.on(event::End, move |()| {
                timers::set_immediate(move || {
                    t.write(c, "c", "late");
                    s.on(event::Data, |_| {});
                    s.resume();
                });
            });
            t.write_bytes(c, "c", 16 << 20);
            s.end();
        },
    );
}

fn end_in_the_end_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::End, move |()| {
            t.end(c, "c", "bye");
            t.state(c, "c");
        });
        s.end();
    });
}

fn end_in_the_data_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Data, move |_| t.end(c, "c", "bye"));
        s.write("x");
    });
}

fn getters_through_a_whole_life(t: Trace) {
    t.pair_with(
        half_open(),
        |client| client,
        move |c, s| {
            t.watch(c, "c");
            t.watch(s, "s");
            c.end_with("x");
            s.on(event::End, move |()| ignore(s.end_with("y")));
        },
    );
}

fn allow_half_open_can_be_changed_in_time(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        s.on(event::End, move |()| {
            s.set_allow_half_open(true);
            timers::set_immediate(move || t.end(s, "s", "late"));
        });
        c.end();
    });
}

fn end_before_the_last_data_was_read(t: Trace) {
    t.pair(move |c, s| {
        t.halves(c, "c");
        t.halves(s, "s");
        c.write("a");
        c.end_with("b");
        s.end_with("c");
    });
}

fn second_end_in_a_later_turn(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        t.end(c, "c", "x");
        c.on(event::Prefinish, move |()| {
            ignore(c.end_then(t.cb("c", "second")))
        });
    });
}

fn write_after_end_behind_queued_writes(t: Trace) {
    t.pair_with(
        paused(),
        |client| client,
        move |c, s| {
            t.on(c, "c");
            t.write_bytes(c, "c", 16 << 20);
            t.write(c, "c", "queued");
            t.end(c, "c", "last");
            t.write(c, "c", "late");
            s.destroy();
        },
    );
}
