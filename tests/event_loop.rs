//! The turn of the loop: the order of its phases, what keeps it alive, and how it is run, stopped and
//! run again.

mod support;

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, ServerOptions, Socket};
use soquete::{Error, event, timers};
use support::{
    keeping_data, listening_on, note, noting, outsider, pair, pair_of, record, run_on, run_to_end,
    spin,
};

const MS: Duration = Duration::from_millis(1);

fn mine() -> Error {
    Error::new("MINE", "of my own")
}

/// Calls `with` from the poll phase, with a socket whose other end is outside and stays open.
fn in_the_poll_phase(with: impl FnOnce(Socket) + 'static) {
    let with = Cell::new(Some(with));
    let server = net::create_server(move |socket| {
        if let Some(with) = with.take() {
            with(socket);
        }
    });
    listening_on(server, "127.0.0.1", |server, port| {
        let peer = RefCell::new(Some(outsider(port)));
        server.on(event::Connection, move |_| {
            server.close();
        });
        server.on(event::Close, move |_| drop(peer.take()));
    });
}

#[test]
fn the_phases_of_a_turn_come_in_their_order() {
    in_the_poll_phase(|socket| {
        socket.on(event::Close, |_| {
            note("close");
            timers::next_tick(|| note("tick of close"));
            timers::set_immediate(|| note("immediate of close, next turn"));
        });
        timers::set_timeout(MS, || {
            note("timeout");
            timers::next_tick(|| note("tick of timeout"));
        });
        timers::set_immediate(|| {
            note("immediate 1");
            timers::next_tick(|| note("tick of immediate 1"));
            timers::set_immediate(|| note("immediate of immediate, next turn"));
        });
        timers::set_immediate(|| note("immediate 2"));
        timers::next_tick(|| {
            note("tick 1");
            timers::next_tick(|| note("tick of tick 1"));
        });
        timers::next_tick(|| note("tick 2"));
        socket.destroy();
        // By the time the timers are looked at, theirs has come.
        spin(3 * MS);
        note("end of the callback");
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "end of the callback",
            "tick 1",
            "tick 2",
            "tick of tick 1",
            "immediate 1",
            "tick of immediate 1",
            "immediate 2",
            "close",
            "tick of close",
            "timeout",
            "tick of timeout",
            "immediate of immediate, next turn",
            "immediate of close, next turn",
        ]
    );
}

#[test]
fn an_immediate_of_an_immediate_waits_for_the_next_turn() {
    let turn = || soquete::metrics().turns;
    timers::set_immediate(move || {
        let first = turn();
        timers::set_immediate(move || assert_eq!(turn(), first + 1));
        timers::set_immediate(move || {
            assert_eq!(turn(), first + 1);
            note("both");
        });
        note("first");
    });
    run_to_end();
    assert_eq!(record(), ["first", "both"]);
}

#[test]
fn ticks_are_called_after_every_single_callback() {
    for n in ["1", "2"] {
        let say = move |what: &'static str| {
            note(format!("{what} {n}"));
            timers::next_tick(move || note(format!("tick of {what} {n}")));
        };
        timers::set_immediate(move || say("immediate"));
        timers::set_timeout(MS, move || say("timeout"));
        let remote = soquete::remote().unwrap();
        remote.post(move || say("post")).unwrap();
        soquete::queue_work(|| (), move |()| say("work")).unwrap();
    }
    run_to_end();
    let record = record();
    assert_eq!(record.len(), 16);
    for pair in record.chunks(2) {
        assert_eq!(pair[1], format!("tick of {}", pair[0]), "{record:?}");
    }
}

#[test]
fn ticks_are_called_after_every_event_of_a_socket() {
    pair(|server, client| {
        for socket in [server, client] {
            let say = |what: &'static str| {
                note(what);
                timers::next_tick(move || note(format!("tick of {what}")));
            };
            socket.on(event::Data, move |_| say("data"));
            socket.on(event::Finish, move |()| say("finish"));
            socket.on(event::Close, move |_| say("close"));
        }
        server.end_with("x");
        client.write("y");
    });
    run_to_end();
    let record = record();
    assert_eq!(record.len(), 12);
    for pair in record.chunks(2) {
        assert_eq!(pair[1], format!("tick of {}", pair[0]), "{record:?}");
    }
}

#[test]
fn ticks_of_ticks_are_called_before_anything_else() {
    fn chain(left: u32) {
        if left > 0 {
            timers::next_tick(move || chain(left - 1));
        } else {
            note("end of the chain");
        }
    }
    timers::set_immediate(|| chain(10_000));
    timers::set_immediate(|| note("next immediate"));
    run_to_end();
    assert_eq!(record(), ["end of the chain", "next immediate"]);
}

#[test]
fn running_inside_a_listener_is_an_error() {
    fn try_it() {
        for run in [soquete::run, soquete::run_once, soquete::run_nowait] {
            assert_eq!(run().unwrap_err().code(), "ERR_LOOP_ALREADY_RUNNING");
        }
        note("tried");
    }
    timers::next_tick(try_it);
    timers::set_immediate(try_it);
    timers::set_timeout(MS, try_it);
    soquete::queue_work(|| (), |()| try_it()).unwrap();
    pair(|server, client| {
        server.on(event::Data, move |_| try_it());
        server.on(event::Close, |_| try_it());
        client.end_with("x");
    });
    run_to_end();
    assert_eq!(record().len(), 6);
}

#[test]
fn a_loop_with_nothing_in_it_ends_at_once() {
    run_to_end();
    soquete::run_once().unwrap();
    soquete::run_nowait().unwrap();
    assert!(soquete::metrics().idle < Duration::from_secs(1));
}

#[test]
fn run_nowait_does_not_wait_and_run_once_does() {
    timers::set_timeout(20 * MS, || note("timeout"));
    for _ in 0..3 {
        soquete::run_nowait().unwrap();
    }
    assert!(record().is_empty());
    assert_eq!(soquete::metrics().idle, Duration::ZERO);
    while record().is_empty() {
        let before = soquete::now();
        soquete::run_once().unwrap();
        assert!(soquete::now() > before, "it waited");
    }
}

#[test]
fn run_nowait_can_drive_everything() {
    pair(|server, client| {
        server.on(event::Data, move |chunk| {
            server.write(chunk);
        });
        client.on(event::Data, move |_| {
            client.end();
        });
        client.on(event::Close, |_| note("closed"));
        client.write("x");
    });
    while soquete::metrics().open_handles > 0 {
        soquete::run_nowait().unwrap();
    }
    assert_eq!(record(), ["closed"]);
}

#[test]
fn stop_ends_the_run_after_this_turn_and_nothing_is_lost() {
    timers::set_immediate(|| {
        note("immediate");
        soquete::stop();
        timers::set_immediate(|| note("next turn"));
        timers::next_tick(|| note("tick"));
    });
    timers::set_immediate(|| note("same turn"));
    pair(|server, client| {
        server.on(event::Data, |_| note("data"));
        client.end_with("x");
    });
    soquete::run().unwrap();
    assert_eq!(record(), ["immediate", "tick", "same turn"]);
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["data", "next turn"]);
}

#[test]
fn stop_before_run_makes_it_return_at_once_and_only_once() {
    timers::set_immediate(|| note("immediate"));
    soquete::stop();
    soquete::run().unwrap();
    assert!(record().is_empty());
    soquete::run().unwrap();
    assert_eq!(record(), ["immediate"]);
}

#[test]
fn stop_in_a_loop_that_would_wait_does_not_wait() {
    let server = net::create_server(|_| {});
    server.on(event::Listening, |()| soquete::stop());
    server.listen(0);
    run_on().unwrap();
    assert!(server.listening(), "what is open stays open");
    server.close();
    run_to_end();
}

#[test]
fn what_is_unreferenced_does_not_keep_the_loop_alive() {
    net::create_server(|_| {}).listen(0).unref();
    net::create_server(|_| {}).unref().listen(0);
    timers::set_timeout(Duration::from_secs(3600), || {}).unref();
    timers::set_interval(MS, || {}).unref();
    timers::set_immediate(|| note("an immediate has its turn")).unref();
    soquete::remote().unwrap().unref();
    Socket::new();
    pair(|server, client| {
        server.unref().resume();
        client.unref().resume();
    });
    run_on().unwrap();
    assert!(
        soquete::metrics().open_handles > 0,
        "they are there all the same"
    );
    assert_eq!(record(), ["an immediate has its turn"]);
}

#[test]
fn whatever_is_referenced_again_keeps_the_loop_alive() {
    let server = net::create_server(|_| {});
    server.listen(0).unref().ref_();
    let timeout = timers::set_timeout(5 * MS, move || {
        note("timeout");
        server.close();
    });
    assert!(timeout.has_ref());
    assert!(!timeout.unref().has_ref());
    assert!(timeout.ref_().has_ref());
    let immediate = timers::set_immediate(|| note("immediate")).unref();
    assert!(!immediate.has_ref() && immediate.ref_().has_ref());
    pair(|server, client| {
        server.unref().ref_().resume();
        client.unref().ref_().resume();
        timers::set_timeout(10 * MS, move || {
            client.end();
        })
        .unref();
        client.on(event::Close, |_| note("closed"));
    });
    run_to_end();
    assert_eq!(record(), ["immediate", "timeout", "closed"]);
}

#[test]
fn a_socket_that_does_not_read_does_not_keep_the_loop_alive() {
    pair_of(
        ServerOptions::new().pause_on_connect(true),
        |options| options,
        |server, client| {
            client.unref();
            assert!(server.is_paused());
        },
    );
    run_on().unwrap();
    assert_eq!(soquete::metrics().open_handles, 3, "both, and their server");
}

#[test]
fn a_connect_and_a_write_under_way_keep_the_loop_alive_though_unreferenced() {
    const MUCH: usize = 8 << 20;
    let server = net::create_server(|socket| {
        socket.unref();
        let mut received = 0;
        socket.on(event::Data, move |chunk| {
            received += chunk.len();
            if received == MUCH {
                note("all of it");
            }
        });
    });
    listening_on(server, "127.0.0.1", |server, port| {
        server.unref();
        let client = net::connect(("127.0.0.1", port));
        client.unref();
        client.on(event::Connect, move |()| {
            note("connect");
            client.write_then(vec![0; MUCH], |outcome| {
                outcome.unwrap();
                note("written");
            });
        });
    });
    run_on().unwrap();
    let record = record();
    assert_eq!(record[0], "connect");
    assert!(record.contains(&"written".to_owned()));
}

#[test]
fn an_unhandled_error_ends_the_run_and_the_next_one_goes_on() {
    let socket = Socket::new();
    socket.on(event::Close, |had_error| note(format!("close {had_error}")));
    pair(|server, client| {
        server.on(event::Data, move |chunk| {
            server.write(chunk);
        });
        client.on(event::Data, move |_| {
            note("echo");
            client.end();
        });
        client.write("x");
    });
    timers::set_immediate(move || {
        socket.destroy_with(mine());
        timers::next_tick(|| note("tick behind it"));
    });
    timers::set_immediate(|| note("immediate behind it"));
    let error = run_on().unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("MINE", "of my own")
    );
    assert!(record().is_empty(), "nothing is called after it");
    run_to_end();
    assert_eq!(
        record(),
        [
            "close true",
            "tick behind it",
            "immediate behind it",
            "echo"
        ]
    );
}

#[test]
fn an_unhandled_error_in_the_middle_of_a_batch_loses_no_event() {
    const COUNT: usize = 8;
    let heard = Rc::new(Cell::new(0));
    let ready = Rc::new(Cell::new(0));
    for _ in 0..COUNT {
        let (heard, ready) = (Rc::clone(&heard), Rc::clone(&ready));
        pair(move |server, client| {
            server.on(event::Data, move |_| {
                heard.set(heard.get() + 1);
                // Not until the next tick, as every error of a socket.
                server.destroy_with(mine());
            });
            client.resume();
            ready.set(ready.get() + 1);
            if ready.get() == COUNT {
                note("all ready");
            }
            timers::set_timeout(20 * MS, move || {
                client.write("x");
            });
        });
    }
    let mut errors = 0;
    while let Err(error) = run_on() {
        assert_eq!(error.code(), "MINE");
        errors += 1;
        assert_eq!(heard.get(), errors, "one listener per run");
    }
    run_to_end();
    assert_eq!((heard.get(), errors), (COUNT, COUNT));
}

#[test]
fn an_unhandled_error_stops_reading_between_two_chunks_and_loses_neither() {
    let received = Rc::new(Cell::new(0));
    let count = Rc::clone(&received);
    let server = net::create_server(move |socket| {
        socket.server().unwrap().close();
        let count = Rc::clone(&count);
        socket.on(event::Data, move |chunk| {
            if count.replace(count.get() + chunk.len()) == 0 {
                Socket::new().destroy_with(mine());
            }
        });
    });
    let sent = Rc::new(Cell::new(0));
    let much = Rc::clone(&sent);
    listening_on(server, "127.0.0.1", move |_, port| {
        // As much as fits is there before the first of it is read.
        let mut peer = outsider(port);
        peer.set_nonblocking(true).unwrap();
        much.set(peer.write(&vec![1; 1 << 20]).unwrap());
    });
    assert_eq!(run_on().unwrap_err().code(), "MINE");
    assert!(sent.get() > 2 * 64 * 1024, "{} bytes sent", sent.get());
    assert!(received.get() <= 64 * 1024, "{} bytes", received.get());
    run_to_end();
    assert_eq!(received.get(), sent.get());
}

#[test]
fn a_handler_of_unhandled_errors_lets_the_loop_go_on() {
    soquete::on_unhandled_error(|error: Error| note(format!("handled {error}")));
    Socket::new().destroy_with(mine());
    let listened = Socket::new();
    listened.on(event::Error, |error| note(format!("heard {error}")));
    listened.destroy_with(mine());
    timers::set_immediate(|| note("on it goes"));
    run_to_end();
    assert_eq!(
        record(),
        ["handled of my own", "heard of my own", "on it goes"]
    );
    soquete::off_unhandled_error();
    Socket::new().destroy_with(mine());
    assert_eq!(run_on().unwrap_err().code(), "MINE");
    run_to_end();
}

#[test]
fn metrics_count_what_was_done() {
    let before = soquete::metrics();
    assert_eq!(
        (before.turns, before.accepts, before.open_handles),
        (0, 0, 0)
    );
    pair(|server, client| {
        assert_eq!(soquete::metrics().open_handles, 3);
        server.on(event::End, noting("end"));
        server.resume();
        client.end_with("12345");
        timers::set_timeout(MS, || {});
        assert_eq!(soquete::metrics().timers, 2, "this one and the watchdog");
    });
    run_to_end();
    let after = soquete::metrics();
    assert_eq!(after.accepts, 1);
    assert_eq!((after.bytes_read, after.bytes_written), (5, 5));
    assert_eq!(after.writes, 1);
    assert!(after.turns > 1 && after.polls > 1 && after.events > 1 && after.reads > 1);
    assert!(after.idle > Duration::ZERO);
}

#[test]
fn now_stands_still_within_a_callback_and_moves_between_turns() {
    timers::set_immediate(|| {
        let begin = soquete::now();
        spin(3 * MS);
        assert_eq!(soquete::now(), begin);
        timers::set_immediate(move || {
            assert!(soquete::now() >= begin + 3 * MS);
            note("moved");
        });
    });
    run_to_end();
    assert_eq!(record(), ["moved"]);
}

#[test]
fn a_listener_that_is_called_outside_of_a_run_can_run_the_loop() {
    let (server, client) = keeping_data("question");
    server.on(event::Data, move |_| {
        timers::set_immediate(move || {
            server.write("answer");
        });
        client.on(event::Data, move |chunk| {
            note(String::from_utf8_lossy(chunk));
            client.end();
        });
        server.resume();
        run_to_end();
        assert_eq!(server.listener_count(event::Data), 0, "a stale handle");
        server.connect(("127.0.0.1", 1));
        assert!(
            !server.connecting(),
            "what a stale handle is told does nothing"
        );
    });
    server.read();
    run_to_end();
    assert_eq!(record(), ["answer"]);
}

#[test]
fn what_a_timer_takes_does_not_make_the_next_one_late() {
    let late = || {
        let begun = std::time::Instant::now();
        let took = Rc::new(Cell::new(Duration::ZERO));
        let seen = Rc::clone(&took);
        timers::set_timeout(10 * MS, || spin(50 * MS));
        timers::set_timeout(50 * MS, move || seen.set(begun.elapsed()));
        run_to_end();
        took.get()
    };
    // Other work may delay one or the other; a clock that stands still delays all, by 40 ms. Each on a loop
    // of its own, whose time begins at 0: the timer queue has no reason to wake it in between.
    let alone = |_| std::thread::spawn(late).join().unwrap();
    let least = (0..5).map(alone).min().unwrap();
    assert!(least >= 59 * MS && least < 80 * MS, "{least:?}");
}

#[test]
fn a_socket_that_is_flooded_leaves_the_others_their_turn() {
    const TURN: usize = 512 * 1024;
    const MUCH: usize = 64 << 20;
    let most = Rc::new(Cell::new(0));
    let this_turn = Rc::new(Cell::new(0));
    let (counted, total) = (Rc::clone(&this_turn), Rc::new(Cell::new(0)));
    let seen = Rc::clone(&total);
    let server = net::create_server(move |socket| {
        socket.server().unwrap().close();
        let (counted, seen) = (Rc::clone(&counted), Rc::clone(&seen));
        socket.on(event::Data, move |chunk| {
            counted.set(counted.get() + chunk.len());
            seen.set(seen.get() + chunk.len());
        });
    });
    /// Looks at each turn how much came in it.
    fn look(this_turn: Rc<Cell<usize>>, most: Rc<Cell<usize>>, total: Rc<Cell<usize>>) {
        timers::set_immediate(move || {
            most.set(most.get().max(this_turn.take()));
            if total.get() < MUCH {
                look(this_turn, most, total);
            }
        });
    }
    let peers: Rc<RefCell<Vec<_>>> = Rc::default();
    let flooding = Rc::clone(&peers);
    let looking = Rc::clone(&most);
    listening_on(server, "127.0.0.1", move |_, port| {
        let mut peer = outsider(port);
        flooding.borrow_mut().push(std::thread::spawn(move || {
            let bytes = vec![7; 1 << 20];
            (0..MUCH >> 20).for_each(|_| peer.write_all(&bytes).unwrap());
        }));
        look(this_turn, looking, total);
    });
    run_to_end();
    peers
        .take()
        .into_iter()
        .for_each(|peer| peer.join().unwrap());
    assert!(most.get() > 0 && most.get() <= TURN, "{} bytes", most.get());
}
