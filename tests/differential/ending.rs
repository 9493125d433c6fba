//! How sockets end: `end`, half-close, `destroy`, resets.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, ServerOptions, SocketOptions};
use soquete::{event, timers};

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
    end_listener_and_the_rest_of_the_turn,
    both_sides_end_at_once,
    reset_reaches_a_reader,
    reset_is_not_noticed_before_a_write_by_who_does_not_read,
    destroy_with_unread_data_resets_the_peer,
    second_write_to_a_peer_that_is_gone_is_a_broken_pipe,
    write_after_the_end_that_followed_the_peers,
    write_while_the_end_that_followed_the_peers_is_on_its_way,
    peer_ends_while_much_is_queued,
    one_more_write_while_much_is_queued_drops_it,
    reset_while_connecting_waits_for_the_connection,
    reset_without_a_connection_is_an_error,
    reset_after_destroy_does_nothing,
    sockets_close_in_reverse_order,
    destroy_soon_sends_what_is_queued,
    destroy_soon_after_the_finish_is_at_once,
    destroy_in_the_data_listener,
    destroy_with_an_error_in_the_data_listener,
    destroy_in_the_end_listener,
    destroy_in_the_prefinish_listener,
    destroy_in_the_finish_listener,
    destroy_in_a_write_callback,
    destroy_in_the_end_callback,
    destroy_in_the_error_listener_changes_nothing,
    destroy_in_the_close_listener_changes_nothing,
    destroy_after_end_cuts_the_end_off,
    destroy_with_an_error_after_end,
    error_without_a_listener_is_uncaught_and_close_follows,
    end_in_the_end_listener,
    end_in_the_data_listener,
    getters_through_a_whole_life,
    allow_half_open_can_be_changed_in_time,
    end_before_the_last_data_was_read,
    second_end_in_a_later_turn,
    end_with_data_after_destroy,
    write_after_end_behind_queued_writes,
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
        c.destroy_with(t.error("MINE"));
        t.state(c, "c");
        t.write(c, "c", "late");
        c.end_then("", t.cb("c", "end"));
        c.destroy_with(t.error("OTHER"));
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

fn reset_reaches_a_reader(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        timers::set_immediate(move || reset(s));
    });
}

fn reset_is_not_noticed_before_a_write_by_who_does_not_read(t: Trace) {
    t.pair_with(
        paused(),
        |client| client,
        move |c, s| {
            t.on(c, "c");
            t.on(s, "s");
            c.on(event::Close, move |_| {
                t.turns(5, move || {
                    t.state(s, "s");
                    s.write_with("late", t.cb("s", "late"));
                });
            });
            reset(c);
        },
    );
}

fn destroy_with_unread_data_resets_the_peer(t: Trace) {
    t.pair_with(
        paused(),
        |client| client,
        move |c, s| {
            t.flow(c, "c");
            t.on(s, "s");
            t.write(c, "c", "unread");
            t.turns(5, move || {
                s.destroy();
            });
        },
    );
}

fn second_write_to_a_peer_that_is_gone_is_a_broken_pipe(t: Trace) {
    t.pair_with(
        half_open(),
        |client| client,
        move |c, s| {
            t.on(c, "c");
            t.flow(s, "s");
            s.on(event::End, move |()| {
                s.write_with("first", move |outcome| {
                    t.cb("s", "first")(outcome);
                    t.turns(5, move || {
                        s.write_with("second", t.cb("s", "second"));
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

fn reset_while_connecting_waits_for_the_connection(t: Trace) {
    let accepted = move |s: net::Socket| {
        t.on(s, "s");
        s.server().map(|server| server.close());
    };
    t.listen(ServerOptions::new(), accepted, move |port, _| {
        let c = t.on(net::connect(("127.0.0.1", port)), "c");
        reset(c);
        t.state(c, "c");
    });
}

fn reset_without_a_connection_is_an_error(t: Trace) {
    let c = t.on(net::Socket::new(SocketOptions::new()), "c");
    reset(c);
    t.state(c, "c");
}

fn reset_after_destroy_does_nothing(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.destroy();
        reset(c);
    });
}

fn sockets_close_in_reverse_order(t: Trace) {
    t.pair(move |c, s| {
        for (socket, name) in [(c, "c"), (s, "s")] {
            socket.on(event::Close, move |_| t.log("order", name));
        }
        c.destroy();
        s.destroy();
    });
}

fn destroy_soon_sends_what_is_queued(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        t.write(c, "c", "bye");
        c.destroy_soon();
        t.state(c, "c");
    });
}

fn destroy_soon_after_the_finish_is_at_once(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.on(s, "s");
        c.on(event::Finish, move |()| {
            c.destroy_soon();
            t.state(c, "c");
        });
        c.end();
    });
}

fn destroy_in_the_data_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Data, move |_| {
            c.destroy();
            timers::next_tick(move || t.log("c", "tick"));
            timers::set_immediate(move || t.log("c", "immediate"));
            timers::set_timeout(Duration::ZERO, move || t.log("c", "timeout"));
        });
        s.write("x");
    });
}

fn destroy_with_an_error_in_the_data_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Data, move |_| {
            timers::next_tick(move || t.log("c", "tick"));
            c.destroy_with(t.error("MINE"));
            timers::next_tick(move || t.log("c", "another tick"));
            timers::set_immediate(move || t.log("c", "immediate"));
        });
        s.write("x");
    });
}

fn destroy_in_the_end_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::End, move |()| drop(c.destroy()));
        s.end_with("x");
    });
}

fn destroy_in_the_prefinish_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Prefinish, move |()| drop(c.destroy()));
        t.end(c, "c", "x");
    });
}

fn destroy_in_the_finish_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Finish, move |()| drop(c.destroy()));
        t.end(c, "c", "x");
    });
}

fn destroy_in_a_write_callback(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.write_with("one", move |outcome| {
            t.cb("c", "one")(outcome);
            c.destroy();
        });
        t.write(c, "c", "two");
        c.write("three");
        t.end(c, "c", "four");
    });
}

fn destroy_in_the_end_callback(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.end_then("one", move |outcome| {
            t.cb("c", "end")(outcome);
            c.destroy_with(t.error("MINE"));
        });
    });
}

fn destroy_in_the_error_listener_changes_nothing(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Error, move |_| {
            t.state(c, "c");
            c.destroy_with(t.error("OTHER"));
        });
        c.destroy_with(t.error("MINE"));
    });
}

fn destroy_in_the_close_listener_changes_nothing(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Close, move |_| {
            t.state(c, "c");
            c.destroy_with(t.error("OTHER"));
            t.write(c, "c", "late");
        });
        c.destroy();
    });
}

fn destroy_after_end_cuts_the_end_off(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        t.write(c, "c", "one");
        t.end(c, "c", "two");
        c.destroy();
        t.state(c, "c");
    });
}

fn destroy_with_an_error_after_end(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        t.end(c, "c", "two");
        c.destroy_with(t.error("MINE"));
    });
}

fn error_without_a_listener_is_uncaught_and_close_follows(t: Trace) {
    t.pair(move |c, s| {
        c.on(event::Close, move |had_error| {
            t.log("c", format!("close({had_error})"))
        });
        t.flow(s, "s");
        c.destroy_with(t.error("MINE"));
    });
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
            s.on(event::End, move |()| drop(s.end_with("y")));
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
            drop(c.end_then("", t.cb("c", "second")))
        });
    });
}

fn end_with_data_after_destroy(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.destroy();
        t.end(c, "c", "late");
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

fn half_open() -> ServerOptions {
    ServerOptions::new().allow_half_open(true)
}

/// Accepted sockets are not read.
fn paused() -> ServerOptions {
    ServerOptions::new().pause_on_connect(true)
}

fn reset(socket: net::Socket) {
    assert!(
        socket.reset_and_destroy().is_ok(),
        "it is not an IPC socket"
    );
}
