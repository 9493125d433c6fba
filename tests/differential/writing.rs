//! What is written: queues, callbacks, `Drain`, corks, the high-water mark.

use soquete::net::{self, ServerOptions, Socket};
use soquete::{event, timers};

use crate::trace::{Trace, ignore, paused};

crate::family!("writing":
    callbacks_in_order,
    drain_comes_before_the_callbacks,
    no_drain_after_end,
    what_the_kernel_takes_whole_needs_no_drain,
    small_high_water_mark,
    corked_writes_go_out_together,
    corks_are_counted,
    end_uncorks,
    corked_past_the_mark_drains,
    destroy_while_corked,
    destroy_with_an_error_while_corked,
    empty_writes_call_back,
    write_in_a_callback_and_in_drain,
    writes_before_the_connection,
    write_and_end_before_the_connection,
    end_before_the_connection,
    write_in_the_connect_listener_behind_parked_ones,
    much_before_the_connection_drains_after_it,
    empty_write_before_the_connection,
    corked_before_the_connection,
    uncorked_before_the_connection,
    write_to_a_socket_that_is_not_connected,
    end_of_a_socket_that_is_not_connected,
    destroy_with_a_write_on_its_way,
    destroy_with_an_error_and_a_write_on_its_way,
    destroy_in_a_later_turn_with_a_write_on_its_way,
    reset_by_the_peer_with_a_write_on_its_way,
    destroy_in_drain,
    end_in_drain,
    cork_with_a_write_on_its_way,
    callbacks_of_writes_from_several_turns,
    many_listeners_write,
    bytes_written_counts_what_is_queued_while_open,
    a_big_write_counts_in_full_until_its_last_byte_is_taken,
);

const MUCH: usize = 16 << 20;

fn callbacks_in_order(t: Trace) {
    t.pair(move |c, s| {
        t.flow(s, "s");
        t.write(c, "c", "one");
        timers::next_tick(move || t.log("c", "tick"));
        t.write(c, "c", "two");
        c.write("three");
        t.write(c, "c", "four");
        t.log(
            "c",
            format!("{} {}", c.bytes_written(), c.writable_length()),
        );
        c.destroy_soon();
    });
}

fn drain_comes_before_the_callbacks(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        t.write_bytes(c, "c", MUCH);
        t.write(c, "c", "x");
        t.state(c, "c");
        c.on(event::Drain, move |()| {
            t.state(c, "c");
            c.end();
        });
        drink_later(s);
    });
}

fn no_drain_after_end(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        t.write(c, "c", "small");
        t.write_bytes(c, "c", MUCH);
        t.write(c, "c", "a");
        t.write(c, "c", "b");
        t.end(c, "c", "last");
        t.state(c, "c");
        drink_later(s);
    });
}

fn what_the_kernel_takes_whole_needs_no_drain(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        drink_later(s);
        t.write_bytes(c, "c", c.writable_high_water_mark());
        t.state(c, "c");
        t.turns(10, move || ignore(c.end()));
    });
}

fn small_high_water_mark(t: Trace) {
    t.pair_with(
        paused(),
        |client| client.high_water_mark(4),
        move |c, s| {
            t.on(c, "c");
            drink_later(s);
            t.log("c", c.writable_high_water_mark().to_string());
            t.write(c, "c", "more than that");
            t.write_bytes(c, "c", 1000);
            t.state(c, "c");
            c.end();
        },
    );
}

fn corked_writes_go_out_together(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.cork();
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        t.state(c, "c");
        timers::next_tick(move || {
            t.log("c", "tick");
            c.uncork();
            t.state(c, "c");
            timers::next_tick(move || t.log("c", "tick"));
            c.end();
        });
    });
}

fn corks_are_counted(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.cork();
        c.cork();
        t.write(c, "c", "one");
        c.uncork();
        let corked = move || format!("{} {}", c.writable_corked(), c.writable_length());
        t.log("c", corked());
        timers::set_immediate(move || {
            c.uncork();
            t.log("c", corked());
            c.uncork();
            t.end(c, "c", "two");
        });
    });
}

fn end_uncorks(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.cork();
        c.cork();
        t.write(c, "c", "one");
        t.end(c, "c", "two");
        t.state(c, "c");
    });
}

fn corked_past_the_mark_drains(t: Trace) {
    t.pair_with(
        ServerOptions::new(),
        |client| client.high_water_mark(4),
        move |c, s| {
            t.on(c, "c");
            t.flow(s, "s");
            c.cork();
            t.write(c, "c", "abc");
            t.write(c, "c", "defgh");
            t.state(c, "c");
            c.uncork();
            t.state(c, "c");
            timers::set_immediate(move || ignore(c.end()));
        },
    );
}

fn destroy_while_corked(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.cork();
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        c.destroy();
    });
}

fn destroy_with_an_error_while_corked(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        t.write(c, "c", "zero");
        c.cork();
        t.write(c, "c", "one");
        t.write(c, "c", "");
        c.destroy_with(t.error("MINE"));
    });
}

fn empty_writes_call_back(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        t.write(c, "c", "");
        c.cork();
        t.write(c, "c", "");
        timers::set_immediate(move || {
            c.uncork();
            t.end(c, "c", "");
        });
    });
}

fn write_in_a_callback_and_in_drain(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        c.once(event::Drain, move |()| t.write(c, "c", "in drain"));
        c.write_then(vec![0; MUCH], move |outcome| {
            t.cb("c", "big")(outcome);
            t.write(c, "c", "in callback");
            timers::set_immediate(move || ignore(c.end()));
        });
        t.state(c, "c");
        drink_later(s);
    });
}

fn writes_before_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.flow(c, "c");
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        t.write(c, "c", "three");
        t.log("c", c.bytes_written().to_string());
        t.state(c, "c");
        c.on(event::Ready, move |()| t.end(c, "c", "four"));
    });
}

fn write_and_end_before_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.flow(c, "c");
        t.write(c, "c", "a");
        t.end(c, "c", "b");
        t.log("c", c.bytes_written().to_string());
        t.state(c, "c");
    });
}

fn end_before_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.watch(c, "c");
        t.end(c, "c", "");
    });
}

fn write_in_the_connect_listener_behind_parked_ones(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        c.on(event::Connect, move |()| t.write(c, "c", "before"));
        t.on(c, "c");
        t.write(c, "c", "parked");
        c.on(event::Connect, move |()| t.write(c, "c", "after"));
        c.on(event::Ready, move |()| ignore(c.end()));
    });
}

fn much_before_the_connection_drains_after_it(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.on(c, "c");
        t.write_bytes(c, "c", 100_000);
        t.state(c, "c");
        c.on(event::Drain, move |()| t.end(c, "c", ""));
    });
}

fn empty_write_before_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.on(c, "c");
        t.write(c, "c", "");
        c.on(event::Ready, move |()| ignore(c.end()));
    });
}

fn corked_before_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.on(c, "c");
        c.cork();
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        c.on(event::Connect, move |()| {
            t.state(c, "c");
            c.uncork();
            t.state(c, "c");
        });
        c.on(event::Ready, move |()| ignore(c.end()));
    });
}

fn uncorked_before_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.on(c, "c");
        c.cork();
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        c.uncork();
        t.write(c, "c", "three");
        c.on(event::Ready, move |()| ignore(c.end()));
    });
}

fn write_to_a_socket_that_is_not_connected(t: Trace) {
    let c = t.on(Socket::new(), "c");
    t.write(c, "c", "one");
    t.write(c, "c", "two");
    t.state(c, "c");
}

fn end_of_a_socket_that_is_not_connected(t: Trace) {
    let c = t.on(Socket::new(), "c");
    t.end(c, "c", "");
    t.state(c, "c");
    timers::set_immediate(move || t.state(c, "c"));
}

fn destroy_with_a_write_on_its_way(t: Trace) {
    one_way(t, move |c, _| {
        t.on(c, "c");
        t.write_bytes(c, "c", MUCH);
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        c.destroy();
        t.state(c, "c");
    });
}

fn destroy_with_an_error_and_a_write_on_its_way(t: Trace) {
    one_way(t, move |c, _| {
        t.on(c, "c");
        t.write_bytes(c, "c", MUCH);
        t.write(c, "c", "one");
        t.end(c, "c", "two");
        c.destroy_with(t.error("MINE"));
    });
}

fn destroy_in_a_later_turn_with_a_write_on_its_way(t: Trace) {
    one_way(t, move |c, _| {
        t.on(c, "c");
        t.write(c, "c", "zero");
        t.write_bytes(c, "c", MUCH);
        t.write(c, "c", "one");
        t.end(c, "c", "");
        t.turns(3, move || ignore(c.destroy()));
    });
}

fn reset_by_the_peer_with_a_write_on_its_way(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        t.write_bytes(c, "c", MUCH);
        t.write(c, "c", "one");
        t.end(c, "c", "two");
        timers::set_immediate(move || {
            assert!(s.reset_and_destroy().is_ok(), "it is not an IPC socket");
        });
    });
}

fn destroy_in_drain(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        c.on(event::Drain, move |()| ignore(c.destroy()));
        t.write_bytes(c, "c", MUCH);
        t.write(c, "c", "one");
        drink_later(s);
    });
}

fn end_in_drain(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        c.on(event::Drain, move |()| t.end(c, "c", "bye"));
        t.write_bytes(c, "c", MUCH);
        drink_later(s);
    });
}

fn cork_with_a_write_on_its_way(t: Trace) {
    one_way(t, move |c, s| {
        t.on(c, "c");
        c.write_then(vec![0; MUCH], move |outcome| {
            t.cb("c", "big")(outcome);
            t.state(c, "c");
            timers::set_immediate(move || {
                c.uncork();
                c.end();
            });
        });
        c.cork();
        t.write(c, "c", "corked");
        drink_later(s);
    });
}

fn callbacks_of_writes_from_several_turns(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        t.write(c, "c", "one");
        timers::set_immediate(move || {
            t.write(c, "c", "two");
            timers::set_immediate(move || t.end(c, "c", "three"));
        });
    });
}

fn many_listeners_write(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.on(s, "s");
        s.on(event::Data, move |chunk| {
            t.data("s", chunk);
            t.write(s, "s", "pong");
            timers::next_tick(move || t.write(s, "s", "tick"));
        });
        s.on(event::Data, move |_| t.end(s, "s", "bye"));
        c.write("ping");
    });
}

fn bytes_written_counts_what_is_queued_while_open(t: Trace) {
    one_way(t, move |c, _| {
        c.write(vec![0; 1000]);
        t.log("c", c.bytes_written().to_string());
        c.write(vec![0; MUCH]);
        t.log("c", c.bytes_written().to_string());
        c.write("queued");
        t.log("c", c.bytes_written().to_string());
        c.destroy();
    });
}

/// Borrowed, for it is only of those that a part is queued.
fn a_big_write_counts_in_full_until_its_last_byte_is_taken(t: Trace) {
    one_way(t, move |c, s| {
        c.write("small");
        let written = c.write(&vec![0; MUCH][..]);
        t.log("c", format!("{written} {}", c.writable_length()));
        c.write("queued");
        let (length, bytes) = (c.writable_length(), c.bytes_written());
        t.log("c", format!("{length} {bytes}"));
        c.on(event::Drain, move |()| {
            t.log("c", format!("drain {}", c.writable_length()));
            c.end();
        });
        drink_later(s);
    });
}

/// A pair whose server end is not read.
fn one_way(t: Trace, then: impl FnOnce(Socket, Socket) + 'static) {
    t.pair_with(paused(), |client| client, then);
}

/// Lets the other end read.
fn drink_later(s: Socket) {
    timers::set_immediate(move || {
        s.on(event::Data, |_| {});
        s.resume();
    });
}
