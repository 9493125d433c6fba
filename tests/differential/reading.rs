//! What is read: flowing and paused, what is kept.

use soquete::net::{self, ServerOptions, Socket};
use soquete::{event, timers};

use crate::trace::{Trace, has_read, ignore, keeps, paused};

crate::family!("reading":
    paused_with_data_and_the_end,
    paused_with_a_bare_end,
    paused_on_connect_with_data_and_the_end,
    paused_on_connect_with_a_bare_end,
    paused_before_the_connection,
    paused_before_the_connection_with_a_listener,
    paused_in_the_connect_listener,
    data_that_nobody_reads_is_kept_and_holds_the_end_back,
    bare_end_that_nobody_reads_closes,
    no_more_is_kept_than_the_mark,
    destroyed_with_data_in_the_kernel,
    destroyed_with_data_kept,
    a_listener_that_comes_late_gets_what_was_kept,
    a_data_listener_does_not_undo_a_pause,
    flow_without_a_listener_throws_away,
    removing_the_data_listener_does_not_stop_the_flow,
    pause_and_resume_say_so_once,
    pause_in_the_data_listener,
    pause_after_resume_in_one_callback,
    pause_and_resume_of_a_destroyed_socket_are_silent,
    data_listener_added_in_the_data_listener,
    end_in_spite_of_half_open_and_nobody_listening,
    getters_while_paused_and_resumed,
);

fn paused_with_data_and_the_end(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        c.pause();
        s.end_with("kept");
        t.until(keeps(c, 4), move || {
            t.turns(5, move || {
                t.state(c, "c");
                t.log("c", format!("{} {}", c.bytes_read(), c.is_paused()));
                c.resume();
                t.state(c, "c");
            });
        });
    });
}

fn paused_with_a_bare_end(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.pause();
        s.end();
    });
}

fn paused_on_connect_with_data_and_the_end(t: Trace) {
    t.pair_with(
        paused(),
        |client| client,
        move |c, s| {
            t.flow(s, "s");
            t.state(s, "s");
            c.end_with("late");
            t.turns(10, move || {
                t.state(s, "s");
                t.log("s", s.bytes_read().to_string());
                s.resume();
            });
        },
    );
}

fn paused_on_connect_with_a_bare_end(t: Trace) {
    t.pair_with(
        paused(),
        |client| client,
        move |c, s| {
            t.flow(s, "s");
            c.end();
            t.turns(10, move || {
                t.state(s, "s");
                s.resume();
            });
        },
    );
}

fn paused_before_the_connection(t: Trace) {
    t.listen(ServerOptions::new(), end_early, move |port, _| {
        let c = net::connect(("127.0.0.1", port));
        c.pause();
        t.flow(c, "c");
        c.on(event::Ready, move |()| resume_later(t, c));
    });
}

fn paused_before_the_connection_with_a_listener(t: Trace) {
    t.listen(ServerOptions::new(), end_early, move |port, _| {
        let c = t.flow(net::connect(("127.0.0.1", port)), "c");
        c.pause();
        c.on(event::Ready, move |()| resume_later(t, c));
    });
}

fn paused_in_the_connect_listener(t: Trace) {
    t.listen(ServerOptions::new(), end_early, move |port, _| {
        let c = t.flow(net::connect(("127.0.0.1", port)), "c");
        c.on(event::Connect, move |()| ignore(c.pause()));
        c.on(event::Ready, move |()| resume_later(t, c));
    });
}

fn data_that_nobody_reads_is_kept_and_holds_the_end_back(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.on(s, "s");
        s.end_with("kept");
        t.until(keeps(c, 4), move || {
            t.turns(10, move || {
                t.state(c, "c");
                c.destroy();
            });
        });
    });
}

fn bare_end_that_nobody_reads_closes(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.on(s, "s");
        s.end();
    });
}

fn no_more_is_kept_than_the_mark(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        s.write(vec![0; 1 << 20]);
        t.until(keeps(c, c.readable_high_water_mark()), move || {
            t.turns(10, move || {
                t.log("c", format!("{} {}", c.readable_length(), c.bytes_read()));
                c.destroy();
            });
        });
        s.on(event::Error, |_| {});
    });
}

fn destroyed_with_data_in_the_kernel(t: Trace) {
    t.pair_with(
        paused(),
        |client| client,
        move |c, s| {
            t.on(s, "s");
            t.flow(c, "c");
            t.write(c, "c", "unread");
            t.turns(5, move || ignore(s.destroy()));
        },
    );
}

fn destroyed_with_data_kept(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        s.end_with("kept");
        t.until(keeps(c, 4), move || ignore(c.destroy()));
    });
}

fn a_listener_that_comes_late_gets_what_was_kept(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        s.end_with("kept");
        t.until(keeps(c, 4), move || {
            c.on(event::Data, move |chunk| t.data("c", chunk));
            t.state(c, "c");
            timers::next_tick(move || t.log("c", "tick"));
        });
    });
}

fn a_data_listener_does_not_undo_a_pause(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.pause();
        c.on(event::Data, move |chunk| t.data("c", chunk));
        t.state(c, "c");
        s.end_with("kept");
        t.until(keeps(c, 4), move || {
            t.state(c, "c");
            c.resume();
        });
    });
}

fn flow_without_a_listener_throws_away(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.resume();
        s.end_with("gone");
    });
}

fn removing_the_data_listener_does_not_stop_the_flow(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.once(event::Data, move |chunk| t.data("c", chunk));
        s.write("one");
        t.until(has_read(c, 3), move || {
            t.state(c, "c");
            s.end_with("two");
        });
    });
}

fn pause_and_resume_say_so_once(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.pause();
        c.pause();
        c.resume();
        c.resume();
        c.pause();
        c.resume();
        t.log("c", c.is_paused().to_string());
        timers::set_immediate(move || {
            c.resume();
            timers::set_immediate(move || ignore(s.end()));
        });
    });
}

fn pause_in_the_data_listener(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        c.on(event::Data, move |_| {
            c.pause();
            timers::set_immediate(move || {
                t.log("c", "immediate");
                c.resume();
            });
        });
        s.write("one");
        t.until(has_read(c, 3), move || ignore(s.end_with("two")));
    });
}

fn pause_after_resume_in_one_callback(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.on(event::Data, move |chunk| t.data("c", chunk));
        c.pause();
        s.end_with("x");
        t.until(keeps(c, 1), move || {
            c.resume();
            c.pause();
            t.state(c, "c");
            t.turns(3, move || {
                t.state(c, "c");
                c.resume();
            });
        });
    });
}

fn pause_and_resume_of_a_destroyed_socket_are_silent(t: Trace) {
    t.pair(move |c, _| {
        t.on(c, "c");
        c.destroy();
        c.pause();
        c.resume();
        t.state(c, "c");
    });
}

fn data_listener_added_in_the_data_listener(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.once(event::Data, move |chunk| {
            log_data(t, "first", chunk);
            c.on(event::Data, move |more| log_data(t, "second", more));
        });
        s.write("one");
        t.until(has_read(c, 3), move || ignore(s.end_with("two")));
    });
}

fn end_in_spite_of_half_open_and_nobody_listening(t: Trace) {
    t.pair_with(
        ServerOptions::new(),
        |client| client.allow_half_open(true),
        move |c, s| {
            t.on(c, "c");
            s.end();
            t.turns(10, move || {
                t.state(c, "c");
                c.end();
            });
        },
    );
}

fn getters_while_paused_and_resumed(t: Trace) {
    t.pair(move |c, s| {
        t.watch(c, "c");
        c.pause();
        s.end_with("kept");
        t.until(keeps(c, 4), move || ignore(c.resume()));
    });
}

fn end_early(s: Socket) {
    s.end_with("early");
    s.server().map(|server| server.close());
}

fn resume_later(t: Trace, c: Socket) {
    t.turns(10, move || {
        t.state(c, "c");
        c.resume();
    });
}

fn log_data(t: Trace, name: &str, chunk: &[u8]) {
    t.log("c", format!("{name} {}", String::from_utf8_lossy(chunk)));
}
