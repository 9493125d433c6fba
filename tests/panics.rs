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
