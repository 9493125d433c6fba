//! The turn of the loop: ticks, immediates, timers, closing; and idle timeouts.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::event;
use soquete::events::ListenerId;
use soquete::net::{self, ConnectOptions, ServerOptions, Socket};
use soquete::timers::{Immediate, Timeout, next_tick, set_immediate, set_interval, set_timeout};

use crate::trace::{Trace, ignore};

crate::family!("turning":
    ticks_immediates_and_timers_of_a_data_listener,
    what_a_close_listener_queues,
    destroyed_in_a_close_listener,
    immediate_of_an_immediate_waits_for_the_next_turn,
    destroyed_in_a_timer,
    timers_of_equal_delays,
    timers_of_different_delays,
    cleared_by_another_timer_of_the_same_time,
    interval_that_ends_itself,
    immediate_cleared_by_the_one_before_it,
    unreferenced_timers_and_immediates_do_not_keep_the_loop_alive,
    immediate_before_timeout_in_an_io_callback,
    error_before_immediates_before_close,
    write_callbacks_and_ticks,
    listeners_that_change_while_they_are_called,
    idle_timeout_tells_once,
    idle_timeout_with_a_callback,
    idle_timeout_starts_anew_by_a_write,
    idle_timeout_starts_anew_by_data,
    idle_timeout_can_be_taken_back,
    idle_timeout_of_a_destroyed_socket,
    idle_timeout_before_there_is_a_connection,
    idle_timeout_does_not_keep_the_loop_alive,
    idle_timeout_of_a_paused_socket_with_data,
    idle_timeout_in_the_options,
);

fn ticks_immediates_and_timers_of_a_data_listener(t: Trace) {
    t.pair(move |c, s| {
        s.end_with("x");
        c.on(event::Close, move |_| t.log("c", "close"));
        c.once(event::Data, move |_| {
            set_timeout(Duration::ZERO, move || t.log("c", "timeout"));
            set_immediate(move || {
                t.log("c", "immediate 1");
                next_tick(move || t.log("c", "tick of immediate 1"));
            });
            set_immediate(move || t.log("c", "immediate 2"));
            next_tick(move || {
                t.log("c", "tick 1");
                next_tick(move || t.log("c", "tick of tick 1"));
            });
            next_tick(move || t.log("c", "tick 2"));
            c.destroy();
            t.log("c", "end of the listener");
        });
    });
}

fn what_a_close_listener_queues(t: Trace) {
    t.pair(move |c, s| {
        s.resume();
        c.on(event::Close, move |_| {
            t.log("c", "close");
            set_immediate(move || t.log("c", "immediate"));
            next_tick(move || t.log("c", "tick"));
        });
        c.destroy();
    });
}

fn destroyed_in_a_close_listener(t: Trace) {
    t.pair(move |c, s| {
        s.on(event::Close, move |_| t.log("order", "s"));
        c.on(event::Close, move |_| {
            t.log("order", "c");
            s.destroy();
            set_immediate(move || t.log("order", "immediate"));
        });
        c.destroy();
    });
}

fn immediate_of_an_immediate_waits_for_the_next_turn(t: Trace) {
    t.pair(move |c, s| {
        c.on(event::Close, move |_| t.log("c", "close"));
        c.on(event::Data, move |_| {
            set_immediate(move || {
                t.log("c", "immediate 1");
                set_immediate(move || t.log("c", "immediate of immediate 1"));
                c.destroy();
            });
            set_immediate(move || t.log("c", "immediate 2"));
        });
        s.end_with("x");
    });
}

fn destroyed_in_a_timer(t: Trace) {
    t.pair(move |c, s| {
        s.resume();
        c.on(event::Close, move |_| t.log("c", "close"));
        set_timeout(ms(1), move || {
            c.destroy();
            set_immediate(move || t.log("c", "immediate"));
            next_tick(move || t.log("c", "tick"));
        });
    });
}

fn timers_of_equal_delays(t: Trace) {
    for name in ["one", "two", "three"] {
        set_timeout(ms(5), move || {
            t.log("t", name);
            next_tick(move || t.log("t", format!("tick of {name}")));
        });
    }
}

fn timers_of_different_delays(t: Trace) {
    set_timeout(ms(30), move || t.log("t", "30"));
    set_timeout(ms(20), move || t.log("t", "20"));
    set_timeout(ms(10), move || t.log("t", "10"));
}

fn cleared_by_another_timer_of_the_same_time(t: Trace) {
    let second = Rc::new(Cell::new(None::<Timeout>));
    let cleared = Rc::clone(&second);
    set_timeout(ms(5), move || {
        t.log("t", "one");
        if let Some(timer) = cleared.take() {
            timer.clear();
        }
    });
    second.set(Some(set_timeout(ms(5), move || t.log("t", "two"))));
    set_timeout(ms(5), move || t.log("t", "three"));
}

fn interval_that_ends_itself(t: Trace) {
    let interval = Rc::new(Cell::new(None::<Timeout>));
    let itself = Rc::clone(&interval);
    let mut count = 0;
    interval.set(Some(set_interval(ms(1), move || {
        count += 1;
        t.log("t", count.to_string());
        if count == 3
            && let Some(interval) = itself.take()
        {
            interval.clear();
        }
    })));
}

fn immediate_cleared_by_the_one_before_it(t: Trace) {
    let second = Rc::new(Cell::new(None::<Immediate>));
    let cleared = Rc::clone(&second);
    set_immediate(move || {
        t.log("t", "one");
        if let Some(immediate) = cleared.take() {
            immediate.clear();
        }
    });
    second.set(Some(set_immediate(move || t.log("t", "two"))));
    set_immediate(move || t.log("t", "three"));
}

fn unreferenced_timers_and_immediates_do_not_keep_the_loop_alive(t: Trace) {
    set_timeout(ms(1000), move || t.log("t", "timeout")).unref();
    set_immediate(move || t.log("t", "immediate"));
}

fn immediate_before_timeout_in_an_io_callback(t: Trace) {
    t.pair(move |c, s| {
        c.on(event::Data, move |_| {
            set_timeout(Duration::ZERO, move || t.log("c", "timeout"));
            set_immediate(move || t.log("c", "immediate"));
        });
        s.end_with("x");
    });
}

fn error_before_immediates_before_close(t: Trace) {
    t.pair(move |c, s| {
        s.resume();
        c.on(event::Data, move |_| {
            set_immediate(move || t.log("c", "immediate"));
            c.destroy_with(t.error("MINE"));
            next_tick(move || t.log("c", "tick"));
        });
        c.on(event::Error, move |_| t.log("c", "error"));
        c.on(event::Close, move |_| t.log("c", "close"));
        s.write("x");
    });
}

fn write_callbacks_and_ticks(t: Trace) {
    t.pair(move |c, s| {
        s.resume();
        next_tick(move || t.log("c", "tick 1"));
        t.write(c, "c", "one");
        next_tick(move || t.log("c", "tick 2"));
        t.end(c, "c", "");
        set_immediate(move || t.log("c", "immediate"));
    });
}

fn listeners_that_change_while_they_are_called(t: Trace) {
    t.pair(move |c, s| {
        let second = Rc::new(Cell::new(None::<ListenerId>));
        let removed = Rc::clone(&second);
        c.on(event::End, move |()| {
            t.log("c", "first");
            if let Some(second) = removed.take() {
                c.remove_listener(second);
            }
            c.on(event::End, move |()| t.log("c", "never"));
        });
        second.set(Some(
            c.add_listener(event::End, move |()| t.log("c", "second")),
        ));
        c.once(event::End, move |()| t.log("c", "once"));
        c.prepend_listener(event::End, move |()| t.log("c", "zeroth"));
        c.resume();
        s.end();
    });
}

fn idle_timeout_tells_once(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        s.resume();
        c.set_timeout(ms(10));
        show_timeout(t, c);
        set_timeout(ms(100), move || ignore(c.destroy()));
    });
}

fn idle_timeout_with_a_callback(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.flow(s, "s");
        c.set_timeout(ms(10));
        c.once(event::Timeout, move |()| {
            t.log("c", "called");
            c.end();
        });
    });
}

fn idle_timeout_starts_anew_by_a_write(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        t.flow(s, "s");
        c.set_timeout(ms(10));
        let mut count = 0;
        c.on(event::Timeout, move |()| {
            count += 1;
            if count == 3 {
                c.destroy();
            } else {
                c.write("x");
            }
        });
    });
}

fn idle_timeout_starts_anew_by_data(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        s.resume();
        c.set_timeout(ms(10));
        let mut count = 0;
        c.on(event::Timeout, move |()| {
            count += 1;
            if count == 2 {
                c.destroy();
            } else {
                s.write("x");
            }
        });
    });
}

fn idle_timeout_can_be_taken_back(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        s.resume();
        c.set_timeout(ms(10));
        c.set_timeout(Duration::ZERO);
        show_timeout(t, c);
        set_timeout(ms(50), move || ignore(c.destroy()));
    });
}

fn idle_timeout_of_a_destroyed_socket(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        s.resume();
        c.set_timeout(ms(10));
        c.destroy();
        c.set_timeout(ms(10));
        set_timeout(ms(50), move || t.log("c", "later"));
    });
}

fn idle_timeout_before_there_is_a_connection(t: Trace) {
    let c = t.on(Socket::new(), "c");
    c.set_timeout(ms(10));
    set_timeout(ms(100), move || {
        t.state(c, "c");
        c.destroy();
    });
}

fn idle_timeout_does_not_keep_the_loop_alive(t: Trace) {
    let c = t.on(Socket::new(), "c");
    c.set_timeout(ms(10));
}

fn idle_timeout_of_a_paused_socket_with_data(t: Trace) {
    let paused = ServerOptions::new().pause_on_connect(true);
    t.pair_with(
        paused,
        |client| client,
        move |c, s| {
            t.on(s, "s");
            c.write("unread");
            s.set_timeout(ms(20));
            s.on(event::Timeout, move |()| ignore(s.destroy()));
            c.on(event::Error, |_| {});
        },
    );
}

fn idle_timeout_in_the_options(t: Trace) {
    t.serve(move |port| {
        let options = ConnectOptions::from(("127.0.0.1", port)).timeout(ms(20));
        let c = t.on(net::connect(options), "c");
        show_timeout(t, c);
        c.on(event::Timeout, move |()| ignore(c.end()));
        c.resume();
    });
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn show_timeout(t: Trace, c: Socket) {
    t.log("c", c.timeout().unwrap_or_default().as_millis().to_string());
}
