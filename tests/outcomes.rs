//! What follows from what a listener or a callback returns.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use soquete::event::Emits;
use soquete::events::{Event, EventEmitter};
use soquete::net::{self, ConnectOptions, Server, Socket};
use soquete::{Error, Flow, event, timers};

mod support;
use support::{done, note, port_of, record, run_on, run_to_end, watch};

const MS: Duration = Duration::from_millis(1);

type Outcome = Result<(), Error>;

fn mine() -> Outcome {
    Err(Error::new("MINE", "of my own"))
}

struct Ping;

impl Event for Ping {
    type Payload<'a> = u32;
}

impl Emits<Ping> for Socket {}
impl Emits<Ping> for Server {}

/// A server whose sockets are handed to `listener`, and a client that is connected to it. The server closes
/// with the client.
fn pair(listener: impl FnMut(Socket) + 'static, client: impl FnOnce(Socket) + 'static) {
    let server = net::create_server(listener);
    server.listen_then(("127.0.0.1", 0), |server| {
        let socket = net::connect(("127.0.0.1", port_of(server)));
        socket
            .on(event::Close, move |_| server.close())
            .once(event::Connect, move |()| client(socket))
    });
}

#[test]
fn an_err_destroys_its_socket_and_nobody_elses() {
    let answers = |socket: Socket| {
        socket.on(event::Text, move |line| {
            let number: u32 = line.trim().parse()?;
            socket.write(format!("{}", number + 1));
            Ok(())
        });
        socket.on(event::Error, |error| {
            note(format!("{error}, {}", error.code()))
        });
        socket.on(event::Close, |had_error| note(format!("close {had_error}")));
    };
    let server = net::create_server(answers);
    server.listen_then(("127.0.0.1", 0), |server| {
        let place = ("127.0.0.1", port_of(server));
        let good = net::connect(place);
        good.once(event::Data, move |answer| {
            assert_eq!(answer, b"42");
            net::connect_then(place, |bad| bad.write("forty"))
                .resume()
                .on(event::Close, move |_| good.write("1"));
            good.once(event::Data, move |answer| {
                assert_eq!(answer, b"2");
                good.end();
                server.close()
            })
        });
        good.write("41");
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "invalid digit found in string, ERR_INVALID_ARG_VALUE",
            "close true",
            "close false"
        ]
    );
}

#[test]
fn the_listeners_behind_one_that_fails_are_called_and_the_first_err_counts() {
    pair(
        |socket| {
            watch("s", socket);
            socket.on(event::Data, |_| mine());
            socket.on(event::Data, move |_| {
                note(format!("second, destroyed {}", socket.destroyed()));
                Err::<(), _>(Error::new("OTHER", "another"))
            });
        },
        |client| {
            client.write("x");
            client.resume();
        },
    );
    run_to_end();
    assert_eq!(
        record(),
        [
            "s data 1",
            "second, destroyed false",
            "s error of my own",
            "s close true"
        ]
    );
}

#[test]
fn an_err_on_a_socket_that_is_destroyed_changes_nothing() {
    pair(
        |socket| {
            watch("s", socket).on(event::Close, |_| mine());
            socket.on(event::Data, move |_| {
                socket.destroy();
                mine()
            });
        },
        |client| {
            client.write("x");
            client.resume();
        },
    );
    run_to_end();
    assert_eq!(record(), ["s data 1", "s close false"]);
}

#[test]
fn an_err_of_a_callback_of_write_or_end_destroys_the_socket() {
    pair(
        |socket| {
            watch("s", socket);
            socket.write_then("x", |_| mine());
        },
        |client| {
            client.resume();
        },
    );
    run_to_end();
    assert_eq!(record(), ["s error of my own", "s close true"]);
    pair(
        |socket| {
            watch("s", socket);
            socket.end_with_then("x", |_| mine());
        },
        |client| {
            client.resume();
        },
    );
    run_to_end();
    // The callback comes right before `Finish`, which a destroy in it does not hold back in Node either.
    assert_eq!(record(), ["s finish", "s error of my own", "s close true"]);
}

#[test]
fn an_err_of_a_connection_listener_destroys_the_connection() {
    let fails = |socket| {
        watch("s", socket);
        mine()
    };
    let server = net::create_server(fails);
    server.on(event::Error, |_| note("error of the server"));
    server.listen_then(("127.0.0.1", 0), |server| {
        net::connect(("127.0.0.1", port_of(server)))
            .resume()
            .on(event::Close, move |_| server.close());
    });
    run_to_end();
    assert_eq!(record(), ["s error of my own", "s close true"]);

    // Emitted by hand, as for a connection that came by another way.
    server_of_connections().emit(event::Connection, watch("s", Socket::new()));
    run_to_end();
    assert_eq!(record(), ["s error of my own", "s close true"]);
}

fn server_of_connections() -> Server {
    let server = net::create_server(|_| mine());
    timers::next_tick(move || server.close());
    server
}

#[test]
fn an_err_of_another_listener_of_a_server_is_its_error_event() {
    let server = Server::new();
    server.on(event::Listening, move |()| {
        server.close();
        mine()
    });
    server.on(event::Error, |error| note(error.code()));
    server.listen(("127.0.0.1", 0));
    run_to_end();
    assert_eq!(record(), ["MINE"]);
}

#[test]
fn an_err_of_an_error_listener_of_a_server_is_uncaught() {
    for monitor in [false, true] {
        let server = Server::new();
        match monitor {
            true => server
                .on(event::ErrorMonitor, |_| mine())
                .on(event::Error, |_| ()),
            false => server.on(event::Error, |_| mine()),
        };
        server.on(event::Listening, move |()| {
            server.close();
            Err::<(), _>(Error::new("FIRST", "f"))
        });
        server.listen(("127.0.0.1", 0));
        assert_eq!(run_on().unwrap_err().code(), "MINE", "{monitor}");
        run_to_end();
    }
}

#[test]
fn an_err_that_belongs_to_no_socket_is_uncaught() {
    timers::set_timeout(MS, || -> Outcome {
        Err(std::io::Error::from_raw_os_error(2))?
    });
    let error = run_on().unwrap_err();
    assert_eq!((error.code(), error.errno()), ("ENOENT", Some(2)));
    let beginnings: [fn(); 6] = [
        || timers::next_tick(mine),
        || done(timers::set_immediate(mine)),
        || done(timers::set_interval(MS, mine).unref()),
        || soquete::remote().unwrap().post(mine).unwrap(),
        || soquete::queue_work(|| (), |()| mine()).unwrap(),
        || soquete::dns::lookup("127.0.0.1", |_| mine()),
    ];
    for begin in beginnings {
        begin();
        let keeps_going = timers::set_timeout(500 * MS, || ());
        assert_eq!(run_on().unwrap_err().code(), "MINE");
        keeps_going.clear();
    }
    let controller = net::AbortController::new();
    controller.signal().on_abort(|_| mine());
    timers::next_tick(move || controller.abort());
    assert_eq!(run_on().unwrap_err().code(), "MINE");
}

#[test]
fn a_hook_of_unhandled_errors_gets_an_err() {
    soquete::on_unhandled_error(|error| note(error.code()));
    timers::set_timeout(MS, mine);
    timers::set_timeout(2 * MS, || note("goes on"));
    run_to_end();
    soquete::off_unhandled_error();
    assert_eq!(record(), ["MINE", "goes on"]);
}

#[test]
fn try_emit_gives_the_first_err_back_and_nothing_follows_from_it() {
    let emitter = EventEmitter::new();
    emitter.on(Ping, |_| mine());
    emitter.on(Ping, |_| Err::<(), _>(Error::new("OTHER", "")));
    emitter.on(Ping, |number| note(format!("{number}")));
    assert_eq!(emitter.try_emit(Ping, 1).unwrap_err().code(), "MINE");
    assert!(emitter.emit(Ping, 2));
    assert_eq!(record(), ["1", "2"]);

    let socket = watch("s", Socket::new());
    socket.on(Ping, |_| mine());
    assert!(socket.try_emit(Ping, 3).is_err() && !socket.destroyed());
    assert!(socket.emit(Ping, 4) && socket.destroyed());
    assert!(!EventEmitter::new().try_emit(Ping, 5).unwrap());
    run_to_end();
    assert_eq!(record(), ["s error of my own", "s close true"]);
}

#[test]
fn flow_stop_removes_a_listener_on_a_handle_too() {
    let emitter = EventEmitter::new();
    emitter.on(Ping, |number| {
        note(format!("{number}"));
        if number == 2 {
            Flow::Stop
        } else {
            Flow::Continue
        }
    });
    emitter.once(Ping, |_| Flow::Stop);
    emitter.emit(Ping, 1);
    emitter.emit(Ping, 2);
    assert!(!emitter.emit(Ping, 3));
    assert_eq!(record(), ["1", "2"]);

    let dropped = Rc::new(());
    let held = Rc::clone(&dropped);
    let socket = Socket::new();
    socket.on(Ping, move |_| {
        let _held = &held;
        Some(Flow::Continue)
    });
    socket.on(Ping, |_| Ok::<_, Error>(Flow::Stop));
    socket.emit(Ping, 1);
    assert_eq!(
        (socket.listener_count(Ping), Rc::strong_count(&dropped)),
        (1, 2)
    );
    socket.destroy();
    run_to_end();
    assert_eq!(Rc::strong_count(&dropped), 1);
}

#[test]
fn a_readable_listener_that_stops_changes_the_mode_as_one_that_is_removed() {
    for stops in [false, true] {
        pair(
            move |socket| {
                let own = Rc::new(Cell::new(None));
                let id = Rc::clone(&own);
                own.set(Some(socket.add_listener(event::Readable, move |()| {
                    timers::set_timeout(MS, move || {
                        note(format!("{:?}", socket.readable_flowing()));
                        socket.on(event::Data, |chunk| note(format!("data {}", chunk.len())));
                    });
                    if stops {
                        return Flow::Stop;
                    }
                    id.take().map(|id| socket.remove_listener(id));
                    Flow::Continue
                })));
                assert_eq!(socket.readable_flowing(), Some(false));
                socket.on(event::End, move |()| socket.end());
            },
            |client| {
                client.resume();
                client.end_with("x");
            },
        );
        run_to_end();
        assert_eq!(record(), ["None", "data 1"], "{stops}");
    }
}

#[test]
fn flow_stop_clears_an_interval_and_a_refreshable_timer() {
    let mut left = 3;
    let interval = timers::set_interval(MS, move || {
        left -= 1;
        note("interval");
        if left == 0 {
            Flow::Stop
        } else {
            Flow::Continue
        }
    });
    let timer = timers::set_refreshable(MS, |timer| {
        timer.refresh();
        note("refreshable");
        Flow::Stop
    });
    run_to_end();
    assert!(!interval.has_ref() && !timer.has_ref());
    let record = record();
    let count = |name| record.iter().filter(|line| *line == name).count();
    assert_eq!((count("interval"), count("refreshable")), (3, 1));
}

#[test]
fn on_read_stops_by_false_by_flow_and_by_an_err() {
    fn reading<R: soquete::events::Outcome>(
        mut outcome: impl FnMut() -> R + 'static,
    ) -> ConnectOptions {
        let server =
            net::create_server(|socket| socket.on(event::Error, |_| ()).resume().write("abc"));
        server.listen(0);
        ConnectOptions::from(("127.0.0.1", port_of(server))).on_read(
            vec![0; 1],
            move |socket, _, _| {
                note("read");
                timers::set_timeout(20 * MS, move || {
                    socket.destroy();
                    server.close()
                });
                outcome()
            },
        )
    }
    let stopping: [fn() -> ConnectOptions; 2] = [|| reading(|| false), || reading(|| Flow::Stop)];
    for options in stopping {
        watch("c", net::connect(options()));
        run_to_end();
        let record = record();
        assert_eq!(
            record.iter().filter(|line| *line == "read").count(),
            1,
            "{record:?}"
        );
    }
    watch("c", net::connect(reading(mine)));
    run_to_end();
    assert_eq!(
        record(),
        [
            "c connect",
            "c ready",
            "read",
            "c error of my own",
            "c close true"
        ]
    );
}

#[test]
fn a_monitor_hears_of_an_error_first_and_does_not_handle_it() {
    let socket = Socket::new();
    socket.on(event::ErrorMonitor, |error| {
        note(format!("monitor {}", error.code()))
    });
    socket.destroy_with(Error::new("MINE", ""));
    assert_eq!(run_on().unwrap_err().code(), "MINE");
    run_to_end();
    assert_eq!(record(), ["monitor MINE"]);

    let emitted = Socket::new();
    emitted.on(event::Error, |error| {
        note(format!("error {}", error.code()))
    });
    emitted.on(event::ErrorMonitor, |error| {
        note(format!("monitor {}", error.code()))
    });
    assert!(emitted.emit(event::Error, &Error::new("BY_HAND", "")));
    emitted.destroy();
    run_to_end();
    assert_eq!(record(), ["monitor BY_HAND", "error BY_HAND"]);
}

#[test]
fn what_a_callback_gets_by_value_is_the_handle() {
    let server = net::create_server(|socket| socket.end());
    server.listen_then("127.0.0.1:0", |server| {
        net::connect_then(server.address().unwrap(), |socket| {
            socket.set_timeout_then(MS, |socket| socket.destroy());
        })
        .on(event::Close, move |_| server.close());
    });
    run_to_end();
}

#[test]
fn ids_of_different_emitters_never_meet_and_listeners_lists_them_in_order() {
    let (one, two) = (EventEmitter::new(), EventEmitter::new());
    let id = one.add_listener(Ping, |_| ());
    let second = two.add_once_listener(Ping, |_| ());
    assert!(!two.remove_listener(id));
    two.prepend_listener(Ping, |_| ());
    let ids = two.listeners(Ping);
    assert_eq!((ids.len(), ids[1]), (2, second));
    assert!(two.remove_listener(second) && !two.remove_listener(second));

    let socket = Socket::new();
    assert!(!socket.remove_listener(id));
    assert_eq!(socket.set_max_listeners(3).max_listeners(), 3);
    socket.on(event::End, |()| ()).once(Ping, |_| ());
    assert_eq!(socket.event_names(), ["End", "Ping"]);
    assert_eq!(socket.listeners(event::End).len(), 1);
    assert!(socket.remove_listener(socket.listeners(Ping)[0]));
    socket.destroy();
    run_to_end();
    assert_eq!((socket.max_listeners(), socket.event_names().len()), (0, 0));
    assert_eq!(socket.listeners(event::End), []);
    assert!(one.remove_listener(id));
}

#[test]
fn a_listener_may_return_whatever_a_method_returns() {
    let calls = Rc::new(Cell::new(0));
    let values = Rc::new(RefCell::new(vec![1]));
    let socket = Socket::new();
    let count = Rc::clone(&calls);
    socket
        .on(Ping, move |_| socket.pause())
        .on(Ping, move |_| socket.write("x"))
        .on(Ping, move |_| values.borrow_mut().pop())
        .on(Ping, move |_| count.replace(1))
        .on(Ping, |_| timers::set_timeout(MS, || ()))
        .on(Ping, move |_| socket.destroy_with(Error::new("MINE", "")))
        .on(event::Error, |_| ());
    socket.emit(Ping, 1);
    run_to_end();
    assert_eq!(calls.get(), 1);
}
