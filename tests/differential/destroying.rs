//! How sockets are destroyed and reset, by whom and when.

use std::time::Duration;

use soquete::net::{self, ServerOptions};
use soquete::{event, timers};

use crate::trace::{Trace, ignore, paused, reset};

crate::family!("destroying":
    destroy_with_an_error_fails_what_comes_after,
    destroy_without_an_error,
    write_after_end_destroys,
    reset_with_a_written_chunk,
    reset_reaches_a_reader,
    reset_is_not_noticed_before_a_write_by_who_does_not_read,
    destroy_with_unread_data_resets_the_peer,
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
    end_with_data_after_destroy,
);

fn destroy_with_an_error_fails_what_comes_after(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.write_then("early", t.cb("c", "early"));
        timers::set_immediate(move || t.log("c", "immediate"));
        c.destroy_with(t.error("MINE"));
        t.state(c, "c");
        t.write(c, "c", "late");
        c.end_then(t.cb("c", "end"));
        c.destroy_with(t.error("OTHER"));
    });
}

fn destroy_without_an_error(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.write_then("early", t.cb("c", "early"));
        c.destroy();
        t.write(c, "c", "late");
    });
}

fn write_after_end_destroys(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.end_with_then("x", t.cb("c", "end"));
        t.write(c, "c", "late");
    });
}

fn reset_with_a_written_chunk(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.on(s, "s");
        c.write_then("chunk", t.cb("c", "write"));
        let _ = c.reset_and_destroy();
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
                    s.write_then("late", t.cb("s", "late"));
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
    let c = t.on(net::Socket::new(), "c");
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
        c.on(event::End, move |()| ignore(c.destroy()));
        s.end_with("x");
    });
}

fn destroy_in_the_prefinish_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Prefinish, move |()| ignore(c.destroy()));
        t.end(c, "c", "x");
    });
}

fn destroy_in_the_finish_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.on(event::Finish, move |()| ignore(c.destroy()));
        t.end(c, "c", "x");
    });
}

fn destroy_in_a_write_callback(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.write_then("one", move |outcome| {
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
        c.end_with_then("one", move |outcome| {
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

fn end_with_data_after_destroy(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.destroy();
        t.end(c, "c", "late");
    });
}
