//! A panic in the user's code leaves through `run`, and the next run goes on: every other socket has
//! its conversation to the end, and nothing is left over.

mod support;

use std::cell::Cell;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, ConnectOptions, Socket};
use soquete::{event, timers};
use support::{
    keeping_data, listening_on, note, noted, outsider, pair, record, run_on, run_to_end,
};

/// How many bystanders talk, and how often each.
const PAIRS: usize = 10;
const ROUNDS: u32 = 20;

/// Bystanders that play ping-pong, and then end.
fn conversations() -> Rc<Cell<usize>> {
    let done = Rc::new(Cell::new(0));
    for _ in 0..PAIRS {
        let done = Rc::clone(&done);
        pair(move |server, client| {
            server.on(event::Data, move |chunk| {
                server.write(chunk);
            });
            let mut round = 0;
            client.on(event::Data, move |chunk| {
                assert_eq!(chunk, round_text(round).as_bytes());
                round += 1;
                if round == ROUNDS {
                    client.end();
                } else {
                    client.write(round_text(round));
                }
            });
            client.on(event::Close, move |had_error| {
                assert!(!had_error);
                done.set(done.get() + 1);
            });
            client.write(round_text(0));
        });
    }
    done
}

fn round_text(round: u32) -> String {
    format!("round {round}")
}

/// What the code under test panics with, once.
fn trip() -> impl Fn() + Clone {
    let armed = Rc::new(Cell::new(true));
    move || {
        if armed.replace(false) {
            panic!("on purpose");
        }
    }
}

/// Arms something that panics once, and shows that nobody else suffers from it.
#[track_caller]
fn others_are_unharmed(arm: impl FnOnce()) {
    let done = conversations();
    arm();
    let panic = catch_unwind(AssertUnwindSafe(run_on)).expect_err("the panic leaves through run");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
    run_to_end();
    assert_eq!(done.get(), PAIRS, "conversations that came to their end");
}

/// A pair of which one end panics at an event. `with` gets both ends, the panicking one first, and
/// what to call.
fn victim(with: impl FnOnce(Socket, Socket, Box<dyn Fn()>) + 'static) {
    let trip = Box::new(trip());
    pair(move |socket, peer| with(socket, peer, trip));
}

#[test]
fn in_a_data_listener() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            socket.on(event::Data, move |chunk| {
                note(format!("victim got {}", chunk.len()));
                trip();
            });
            // One byte, panic, and the rest on the same event.
            peer.write("x");
            timers::set_timeout(Duration::from_millis(5), move || {
                peer.end_with("yz");
            });
        })
    });
    assert_eq!(record(), ["victim got 1", "victim got 2"]);
}

#[test]
fn in_a_data_listener_while_the_same_event_makes_the_socket_writable() {
    const MUCH: usize = 16 << 20;
    let server = net::create_server(|socket| {
        socket.server().unwrap().close();
        socket.write_then(vec![7; MUCH], |outcome| {
            outcome.unwrap();
            note("all was sent");
        });
        let trip = trip();
        socket.on(event::Data, move |_| trip());
    });
    listening_on(server, "127.0.0.1", |_, port| {
        let mut peer = outsider(port);
        peer.set_nonblocking(true).unwrap();
        let (mut buffer, mut received) = (vec![0; 1 << 20], 0);
        let own: Rc<Cell<Option<timers::Timeout>>> = Rc::default();
        let interval = Rc::clone(&own);
        // All that is there is read: the socket becomes writable, and with the same event readable,
        // the only one for a while.
        let first = Cell::new(true);
        let turn = move || {
            while let Ok(count @ 1..) = peer.read(&mut buffer) {
                received += count;
            }
            if first.replace(false) {
                assert_eq!(peer.write(b"x").unwrap(), 1);
            }
            if received == MUCH {
                peer.shutdown(std::net::Shutdown::Write).unwrap();
                own.take().unwrap().clear();
            }
        };
        interval.set(Some(timers::set_interval(Duration::from_millis(2), turn)));
    });
    others_are_unharmed(|| ());
    assert_eq!(record(), ["all was sent"]);
}

#[test]
fn in_an_end_listener() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            socket.on(event::End, move |()| trip());
            socket.on(event::Close, |_| note("closed"));
            peer.end();
        })
    });
    assert!(noted("closed"), "the end goes on after the listener");
}

#[test]
fn in_a_finish_listener() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            peer.resume();
            socket.on(event::Finish, move |()| trip());
            socket.end();
        })
    });
}

#[test]
fn in_a_drain_listener() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            peer.resume();
            socket.on(event::Drain, move |()| trip());
            assert!(!socket.write(vec![0; 8 << 20]));
            socket.write_then("and that", move |outcome| {
                outcome.unwrap();
                note("written");
                // An end that is asked for before would leave no one to tell of the drain.
                socket.end();
            });
        });
    });
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            peer.resume();
            socket.on(event::Drain, move |()| {
                socket.end();
                trip();
            });
            assert!(!socket.write(vec![0; 8 << 20]));
        });
    });
    assert_eq!(record(), ["written"]);
}

#[test]
fn in_a_close_listener() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            peer.resume();
            socket.on(event::Close, move |_| trip());
            socket.destroy();
        })
    });
}

#[test]
fn in_an_error_listener() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            peer.resume();
            socket.on(event::Error, move |_| trip());
            socket.on(event::Close, |had_error| note(format!("close {had_error}")));
            socket.destroy_with(soquete::Error::new("MINE", "of my own"));
        })
    });
    assert_eq!(record(), ["close true"]);
}

#[test]
fn in_a_connection_listener() {
    let trip = trip();
    others_are_unharmed(move || {
        let server = net::create_server(move |socket| {
            socket.resume();
            trip();
        });
        listening_on(server, "127.0.0.1", move |server, port| {
            for _ in 0..3 {
                net::connect(("127.0.0.1", port)).end();
            }
            let last = net::connect(("127.0.0.1", port));
            last.on(event::Close, move |_| {
                server.close();
            });
            last.end();
        });
    });
}

#[test]
fn in_a_listening_listener_and_in_a_servers_close_listener() {
    let (at_listening, at_close) = (trip(), trip());
    others_are_unharmed(move || {
        let server = net::create_server(|_| {});
        server.on(event::Listening, move |()| {
            server.close();
            at_listening();
        });
        server.listen(0);
    });
    others_are_unharmed(move || {
        let server = net::create_server(|_| {});
        server.on(event::Close, move |_| at_close());
        server.listen(0);
        server.close();
    });
}

#[test]
fn in_a_connect_listener() {
    let trip = trip();
    others_are_unharmed(move || {
        let server = net::create_server(|socket| {
            socket.end_with("welcome");
        });
        listening_on(server, "127.0.0.1", move |server, port| {
            let client = net::connect(("127.0.0.1", port));
            client.on(event::Connect, move |()| {
                server.close();
                trip();
            });
            client.on(event::Ready, |()| note("ready"));
            client.on(event::Data, |chunk| {
                note(String::from_utf8_lossy(chunk));
            });
        });
    });
    assert_eq!(record(), ["ready", "welcome"]);
}

#[test]
fn in_a_write_callback() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            peer.resume();
            socket.write_then("one", move |_| trip());
            socket.write_then("two", |outcome| note(format!("two {outcome:?}")));
            socket.end_with_then("three", |outcome| note(format!("end {outcome:?}")));
        })
    });
    assert_eq!(record(), ["two Ok(())", "end Ok(())"]);
}

#[test]
fn in_a_listener_of_an_idle_timeout() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            peer.resume();
            socket.set_timeout(Duration::from_millis(2));
            socket.on(event::Timeout, move |()| {
                socket.end();
                trip();
            });
        })
    });
}

#[test]
fn in_a_timer_and_in_an_interval_which_goes_on() {
    let (once, again) = (trip(), trip());
    others_are_unharmed(move || {
        timers::set_timeout(Duration::from_millis(1), once);
    });
    let interval: Rc<Cell<Option<timers::Timeout>>> = Rc::default();
    let own = Rc::clone(&interval);
    let mut calls = 0;
    others_are_unharmed(move || {
        let call = move || {
            calls += 1;
            if calls == 3 {
                note("third call");
                own.take().expect("the interval").clear();
            }
            again();
        };
        interval.set(Some(timers::set_interval(Duration::from_millis(1), call)));
    });
    assert_eq!(record(), ["third call"]);
}

#[test]
fn in_an_immediate_and_in_a_tick() {
    let (immediate, tick) = (trip(), trip());
    others_are_unharmed(move || {
        timers::set_immediate(|| note("before"));
        timers::set_immediate(immediate);
        timers::set_immediate(|| note("after"));
    });
    assert_eq!(record(), ["before", "after"]);
    others_are_unharmed(move || {
        timers::set_timeout(Duration::from_millis(1), move || {
            let tick = tick.clone();
            timers::next_tick(|| note("before"));
            timers::next_tick(tick);
            timers::next_tick(|| note("after"));
        });
    });
    assert_eq!(record(), ["before", "after"]);
}

#[test]
fn in_a_post_with_others_behind_it() {
    let remote = soquete::remote().unwrap();
    others_are_unharmed(move || {
        std::thread::spawn(move || {
            remote.post(|| note("before")).unwrap();
            remote.post(|| panic!("on purpose")).unwrap();
            remote.post(|| note("after")).unwrap();
        })
        .join()
        .unwrap();
    });
    assert_eq!(record(), ["before", "after"]);
}

#[test]
fn in_work_and_in_what_is_called_when_it_is_done() {
    others_are_unharmed(|| soquete::queue_work(|| panic!("on purpose"), |()| ()).unwrap());
    others_are_unharmed(|| soquete::queue_work(|| (), |()| panic!("on purpose")).unwrap());
}

#[test]
fn in_a_lookup_listener_and_in_the_handler_of_unhandled_errors() {
    let (at_lookup, at_error) = (trip(), Cell::new(Some(trip())));
    others_are_unharmed(move || {
        let server = net::create_server(|socket| {
            socket.end();
        });
        listening_on(server, "127.0.0.1", move |server, port| {
            let client = net::connect(
                ConnectOptions::new(port)
                    .host("localhost")
                    .family(net::Family::V4),
            );
            client.on(event::Lookup, move |_| at_lookup());
            client.on(event::Close, move |had_error| {
                assert!(!had_error);
                server.close();
            });
            client.resume();
        });
    });
    soquete::on_unhandled_error(move |_| {
        if let Some(trip) = at_error.take() {
            trip();
        }
    });
    others_are_unharmed(|| {
        net::Socket::new().destroy_with(soquete::Error::new("MINE", "of my own"));
    });
}

#[test]
fn in_a_listener_that_another_listener_calls_by_what_it_does() {
    others_are_unharmed(|| {
        victim(|socket, peer, trip| {
            socket.on(event::Pause, move |()| trip());
            socket.on(event::Data, move |_| {
                socket.pause();
                note("paused all the same");
                socket.resume();
            });
            peer.end_with("x");
        })
    });
    assert_eq!(record(), ["paused all the same"]);
}

#[test]
fn a_panic_in_what_is_read_outside_of_a_run_leaves_the_socket_in_order() {
    let (server, client) = keeping_data("one");
    client.end();
    server.on(event::End, |()| note("end"));
    let trip = trip();
    server.on(event::Data, move |chunk| {
        trip();
        note(String::from_utf8_lossy(chunk));
    });
    assert!(catch_unwind(AssertUnwindSafe(|| server.read())).is_err());
    server.unshift(b"two");
    server.resume();
    run_to_end();
    assert_eq!(record(), ["two", "end"]);
}

#[test]
fn what_was_written_before_a_panic_outside_of_a_run_is_sent() {
    let (server, client) = keeping_data("one");
    let trip = trip();
    server.on(event::Data, move |_| {
        server.write("before, ");
        trip();
    });
    let mut received = String::new();
    client.on(event::Data, move |chunk| {
        received.push_str(&String::from_utf8_lossy(chunk));
        if received == "before, after" {
            note("all was sent");
            client.end();
        }
    });
    assert!(catch_unwind(AssertUnwindSafe(|| server.read())).is_err());
    server.write("after");
    server.resume();
    run_to_end();
    assert_eq!(record(), ["all was sent"]);
}

/// Runs the loop to its end, and notes where each run that a panic has ended did so.
fn runs() {
    loop {
        match catch_unwind(AssertUnwindSafe(run_on)) {
            Ok(outcome) => return outcome.unwrap(),
            Err(panic) => {
                let message = panic.downcast_ref::<&str>().copied();
                note(format!("-- {}", message.unwrap_or("something else")));
                assert_ne!(message, Some("the loop does not end"));
            }
        }
    }
}

/// A value of the user's that panics when it is dropped.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

fn note_and_panic(line: &'static str) {
    note(line);
    panic!("{}", line);
}

#[test]
fn what_follows_connect_waits_for_the_next_run() {
    let server = net::create_server(|socket| {
        socket.end_with("welcome");
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let client = net::connect(("127.0.0.1", port));
        client.on(event::Connect, move |()| {
            server.close();
            note("connect");
            panic!("in connect");
        });
        client.on(event::Ready, |()| {
            note("ready");
            panic!("in ready");
        });
        client.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
    });
    runs();
    assert_eq!(
        record(),
        [
            "connect",
            "-- in connect",
            "ready",
            "-- in ready",
            "welcome"
        ]
    );
}

#[test]
fn callbacks_of_failed_writes_come_in_a_run_each_if_each_panics() {
    pair(|socket, peer| {
        peer.resume();
        socket.cork();
        for name in ["one", "two", "three"] {
            socket.write_then("x", move |outcome| {
                assert_eq!(outcome.unwrap_err().code(), "ERR_STREAM_DESTROYED");
                note_and_panic(name);
            });
        }
        socket.on(event::Close, |_| note("close"));
        socket.destroy();
    });
    let mut panics = Vec::new();
    while let Err(panic) = catch_unwind(AssertUnwindSafe(run_on)) {
        panics.push(*panic.downcast::<String>().unwrap());
        assert_eq!(record().len(), 1, "one of them is called in a run");
    }
    assert_eq!(panics, ["one", "two", "three"]);
    assert_eq!(record(), ["close"]);
}

#[test]
fn callbacks_of_one_request_and_drain_before_them() {
    pair(|socket, peer| {
        peer.resume();
        socket.on(event::Drain, |()| {
            note("drain");
            panic!("in drain");
        });
        socket.write(vec![0; 8 << 20]);
        for name in ["one", "two"] {
            socket.write_then("x", move |outcome| {
                outcome.unwrap();
                note(name);
                panic!("in a callback");
            });
        }
        socket.write_then("y", move |_| {
            socket.end();
        });
    });
    runs();
    let expected = "drain, -- in drain, one, -- in a callback, two, -- in a callback";
    assert_eq!(record().join(", "), expected);
}

#[test]
fn the_callback_of_end_and_then_finish() {
    pair(|socket, peer| {
        peer.resume();
        socket.on(event::Finish, |()| {
            note("finish");
            panic!("in finish");
        });
        socket.on(event::Close, |_| note("close"));
        socket.end_with_then("x", |_| {
            note("callback");
            panic!("in the callback");
        });
        socket.end_then(|_| note("a second callback"));
    });
    runs();
    let record = record();
    assert_eq!(record[..2], ["callback", "-- in the callback"]);
    assert!(record[2..].contains(&"-- in finish".into()), "{record:?}");
    assert_eq!(record.last().unwrap(), "close");
}

#[test]
fn chunks_that_are_kept_wait_for_the_next_run_and_for_a_pause_in_it() {
    let (server, client) = keeping_data("one");
    client.end();
    server.unshift(b"two ");
    server.unshift(b"three ");
    let mut seen = 0;
    server.on(event::Data, move |chunk| {
        note(String::from_utf8_lossy(chunk).trim());
        seen += 1;
        match seen {
            1 => panic!("at the first"),
            2 => {
                server.pause();
                timers::set_timeout(Duration::from_millis(5), move || {
                    note("resumed");
                    server.resume();
                });
            }
            _ => {}
        }
    });
    server.resume();
    runs();
    assert_eq!(
        record(),
        ["three", "-- at the first", "two", "resumed", "one"]
    );
}

#[test]
fn data_after_its_text() {
    pair(|socket, peer| {
        socket.on(event::Text, |text| {
            note(text);
            panic!("in text");
        });
        socket.on(event::Data, |data| note(format!("{} bytes", data.len())));
        peer.end_with("text");
    });
    runs();
    assert_eq!(record(), ["text", "-- in text", "4 bytes"]);
}

#[test]
fn ticks_immediates_timers_and_posts_behind_a_panic_wait_for_the_next_run() {
    let remote = soquete::remote().unwrap();
    timers::set_timeout(Duration::from_millis(1), move || {
        for name in ["tick one", "tick two"] {
            timers::next_tick(move || {
                note(name);
                panic!("in a tick");
            });
        }
        for name in ["immediate one", "immediate two"] {
            timers::set_immediate(move || {
                note(name);
                panic!("in an immediate");
            });
        }
        for name in ["post one", "post two"] {
            let post = move || {
                note(name);
                panic!("in a post");
            };
            remote.post(post).unwrap();
        }
        note("timer");
        panic!("in a timer");
    });
    runs();
    let record = record();
    for (what, why) in [
        ("timer", "-- in a timer"),
        ("tick one", "-- in a tick"),
        ("tick two", "-- in a tick"),
        ("immediate one", "-- in an immediate"),
        ("immediate two", "-- in an immediate"),
        ("post one", "-- in a post"),
        ("post two", "-- in a post"),
    ] {
        let at = record.iter().position(|line| line == what).unwrap();
        assert_eq!(record[at + 1], why, "{record:?}");
    }
    assert_eq!(record.len(), 14);
}

#[test]
fn a_listener_and_the_listener_that_it_has_called_both_panic() {
    pair(|socket, peer| {
        peer.resume();
        socket.on(event::Pause, |()| panic!("inside"));
        socket.on(event::Finish, |()| note("finish"));
        socket.once(event::Data, move |_| {
            socket.pause();
            socket.resume();
            socket.end();
            panic!("outside");
        });
        peer.write("x");
    });
    runs();
    assert_eq!(record(), ["-- inside", "-- outside", "finish"]);
}

#[test]
fn an_error_that_nobody_listens_to_is_not_lost_behind_a_panic() {
    pair(|socket, peer| {
        peer.resume();
        socket.on(event::Pause, |()| panic!("first"));
        socket.on(event::Close, |_| note("close"));
        socket.once(event::Data, move |_| {
            socket.pause();
            let of_mine = soquete::Error::new("MINE", "of my own");
            net::Socket::new().destroy_with(of_mine);
            socket.destroy();
        });
        peer.write("x");
    });
    assert!(catch_unwind(AssertUnwindSafe(run_on)).is_err());
    assert_eq!(run_on().unwrap_err().code(), "MINE");
    run_to_end();
    assert_eq!(record(), ["close"]);
}

#[test]
fn in_a_destructor_of_what_a_listener_has_captured() {
    let remote = soquete::remote().unwrap();
    let done = conversations();
    let server = net::create_server(|socket| {
        socket.resume();
        note("accepted");
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let captured = PanicsWhenDropped;
        let client = net::connect(("127.0.0.1", port));
        client.on(event::Close, move |_| {
            let _kept = &captured;
            note("close");
        });
        client.on(event::Connect, move |()| {
            // What comes by the same turn as the closing phase must come all the same.
            for _ in 0..3 {
                net::connect(("127.0.0.1", port)).resume().end();
                remote.post(|| note("posted")).unwrap();
            }
            client.destroy();
            timers::set_timeout(Duration::from_millis(5), move || {
                server.close();
            });
        });
    });
    runs();
    let record = record();
    let count = |what: &str| record.iter().filter(|line| *line == what).count();
    assert_eq!(count("-- dropped"), 1, "{record:?}");
    assert_eq!((count("posted"), count("accepted")), (3, 4));
    assert_eq!(done.get(), PAIRS);
}

#[test]
fn in_destructors_of_what_posts_timers_and_immediates_have_captured() {
    let remote = soquete::remote().unwrap();
    timers::set_timeout(Duration::from_millis(1), move || {
        for number in 0..3 {
            let captured = PanicsWhenDropped;
            let post = move || {
                let _captured = captured;
                note(format!("post {number}"));
            };
            remote.post(post).unwrap();
            let captured = PanicsWhenDropped;
            timers::set_immediate(move || {
                let _captured = captured;
                note(format!("immediate {number}"));
            });
            let captured = PanicsWhenDropped;
            timers::set_timeout(Duration::from_millis(1), move || {
                let _captured = &captured;
                note(format!("timer {number}"));
            });
        }
    });
    runs();
    let record = record();
    assert_eq!(record.len(), 18, "{record:?}");
    let drops = record.iter().filter(|line| *line == "-- dropped").count();
    assert_eq!(drops, 9, "one in a run: {record:?}");
}

#[test]
fn in_a_destructor_of_a_tick_that_leaves_other_posts_behind() {
    let remote = soquete::remote().unwrap();
    timers::set_timeout(Duration::from_millis(1), move || {
        let socket = Socket::new();
        let captured = PanicsWhenDropped;
        socket.on(event::Close, move |_| {
            let _captured = &captured;
        });
        // It has no descriptor: its end comes by a tick, here behind a post.
        remote.post(|| timers::next_tick(|| note("tick"))).unwrap();
        let remote_too = remote.clone();
        remote.post(|| note("another")).unwrap();
        timers::next_tick(move || {
            drop(remote_too);
            socket.destroy();
        });
    });
    runs();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["-- dropped", "another", "tick"]);
}

#[test]
fn in_the_destructor_of_a_lookup_of_the_users_own() {
    let done = conversations();
    let server = net::create_server(|socket| {
        socket.end();
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let captured = PanicsWhenDropped;
        let options = ConnectOptions::new(port);
        let options = options.host("a.name").lookup(move |_, _, answer| {
            let _kept = &captured;
            answer(Ok(vec!["127.0.0.1".parse().unwrap()]));
        });
        let client = net::connect(options);
        client.on(event::Connect, |()| note("connect"));
        client.on(event::Close, move |_| {
            server.close();
        });
        client.resume();
    });
    runs();
    assert_eq!(record(), ["-- dropped", "connect"]);
    assert_eq!(done.get(), PAIRS);
}
