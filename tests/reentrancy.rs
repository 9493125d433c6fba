//! Every listener of every event calls every method: on its own socket, on another one, on a stale
//! handle, on its server. Nothing panics, every socket closes exactly once, nobody else notices; and
//! calls that change nothing change nothing.

mod support;

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::net::{self, ConnectOptions, Server, ServerOptions, Socket};
use soquete::{Error, event, timers};
use support::{done, note, port_of, record, run_to_end};

/// The events of a client, in a conversation that has them all but `Error` and `Timeout`.
const EVENTS: &[&str] = &[
    "lookup",
    "attempt",
    "failed",
    "connect",
    "ready",
    "drain",
    "resume",
    "pause",
    "data",
    "text",
    "prefinish",
    "finish",
    "end",
    "close",
    "error",
    "timeout",
    "readable",
];

type Call<T> = (&'static str, fn(T));

/// What changes something.
const SOCKET_CALLS: &[Call<Socket>] = &[
    ("write", |s| done(s.write("more"))),
    ("write_then", |s| {
        done(s.write_then(vec![0; 100_000], |_| ()))
    }),
    ("end", |s| done(s.end())),
    ("end_with", |s| done(s.end_with("last"))),
    ("end_with_then", |s| done(s.end_with_then("last", |_| ()))),
    ("cork", |s| done(s.cork())),
    ("uncork", |s| done(s.uncork())),
    ("destroy", |s| done(s.destroy())),
    ("destroy_with", |s| done(s.destroy_with(mine()))),
    ("destroy_soon", |s| done(s.destroy_soon())),
    ("reset_and_destroy", |s| done(s.reset_and_destroy())),
    ("pause", |s| done(s.pause())),
    ("resume", |s| done(s.resume())),
    ("pause and resume", |s| {
        done(s.pause().resume().pause().resume())
    }),
    ("read", |s| done(s.read())),
    ("read_exactly", |s| done(s.read_exactly(1))),
    ("unshift", |s| done(s.unshift("back"))),
    ("set_encoding", |s| done(s.set_encoding())),
    ("connect", |s| done(s.connect(("127.0.0.1", 1)))),
    ("set_timeout", |s| {
        done(s.set_timeout(Duration::from_millis(1)))
    }),
    ("set_allow_half_open", |s| done(s.set_allow_half_open(true))),
    ("listen to readable", |s| {
        done(s.on(event::Readable, |()| ()))
    }),
    ("remove_all_listeners_of", |s| {
        done(s.remove_all_listeners_of(event::Data))
    }),
    ("remove_all_listeners", |s| done(s.remove_all_listeners())),
    ("everything at once", |s| {
        let all = &SOCKET_CALLS[..SOCKET_CALLS.len() - 1];
        all.iter().for_each(|(_, call)| call(s));
    }),
];

const SERVER_CALLS: &[Call<Server>] = &[
    ("close", |s| done(s.close())),
    ("close_then", |s| done(s.close_then(|_| ()))),
    ("listen", |s| {
        done(s.on(event::Error, |_| ()).listen(("127.0.0.1", 0)))
    }),
    ("set_max_connections", |s| {
        done(s.set_max_connections(Some(0)))
    }),
    ("remove_all_listeners_of", |s| {
        done(s.remove_all_listeners_of(event::Close))
    }),
    ("questions", |s| {
        let _ = (
            s.address(),
            s.listening(),
            s.connections(),
            s.max_connections(),
        );
        let _ = (s.ref_(), s.get_connections(|_| ()), format!("{s:?}"));
        s.remove_listener(s.add_once_listener(event::Listening, |()| ()));
    }),
];

fn mine() -> Error {
    Error::new("MINE", "of my own")
}

/// Asks and sets whatever leaves a conversation as it is.
fn harmless(socket: Socket) {
    let _ = (
        socket.connecting(),
        socket.pending(),
        socket.destroyed(),
        socket.ready_state(),
    );
    let _ = (
        socket.bytes_read(),
        socket.bytes_written(),
        socket.errored(),
        socket.server(),
    );
    let _ = (
        socket.readable(),
        socket.readable_ended(),
        socket.readable_flowing(),
    );
    let _ = (
        socket.readable_length(),
        socket.readable_high_water_mark(),
        socket.is_paused(),
    );
    let _ = (
        socket.writable(),
        socket.writable_ended(),
        socket.writable_finished(),
    );
    let _ = (
        socket.writable_length(),
        socket.writable_need_drain(),
        socket.writable_corked(),
    );
    let _ = (
        socket.writable_high_water_mark(),
        socket.allow_half_open(),
        socket.timeout(),
    );
    let _ = (
        socket.local_address(),
        socket.local_port(),
        socket.local_family(),
    );
    let _ = (
        socket.remote_address(),
        socket.remote_port(),
        socket.remote_family(),
    );
    let _ = (
        socket.auto_select_family_attempted_addresses(),
        format!("{socket:?}"),
    );
    socket.unref().ref_();
    socket.set_no_delay(true).set_keep_alive(None);
    let ids = [
        socket.add_listener(event::Data, |_| ()),
        socket.add_once_listener(event::Close, |_| ()),
    ];
    for id in ids {
        socket.remove_listener(id);
        socket.remove_listener(id);
    }
    let _ = socket.listener_count(event::Data);
    assert!(soquete::run().is_err() && soquete::run_nowait().is_err());
    let _ = (
        soquete::metrics(),
        soquete::now(),
        soquete::remote().is_ok(),
    );
    timers::set_timeout(Duration::from_secs(1), || ())
        .refresh()
        .clear();
    timers::set_immediate(|| ()).clear();
    timers::next_tick(|| ());
    Socket::new().destroy();
}

/// Calls `act` in the first listener of an event.
fn at(name: &'static str, socket: Socket, act: Rc<dyn Fn()>) {
    match name {
        "lookup" => socket.on(event::Lookup, move |_| act()),
        "attempt" => socket.on(event::ConnectionAttempt, move |_| act()),
        "failed" => socket.on(event::ConnectionAttemptFailed, move |_| act()),
        "connect" => socket.on(event::Connect, move |()| act()),
        "ready" => socket.on(event::Ready, move |()| act()),
        "drain" => socket.on(event::Drain, move |()| act()),
        "pause" => socket.on(event::Pause, move |()| act()),
        "resume" => socket.on(event::Resume, move |()| act()),
        "data" => socket.on(event::Data, move |_| act()),
        "text" => socket.on(event::Text, move |_| act()),
        "prefinish" => socket.on(event::Prefinish, move |()| act()),
        "finish" => socket.on(event::Finish, move |()| act()),
        "end" => socket.on(event::End, move |()| act()),
        "close" => socket.on(event::Close, move |_| act()),
        "error" => socket.on(event::Error, move |_| act()),
        "timeout" => socket.on(event::Timeout, move |()| act()),
        "readable" => socket.on(event::Readable, move |()| act()),
        other => panic!("no event is called {other}"),
    };
}

/// Who is there to be called.
#[derive(Clone, Copy)]
struct Cast {
    client: Socket,
    accepted: Option<Socket>,
    server: Server,
    bystander: Socket,
    stale: Socket,
}

/// A conversation between a client and a server, beside that of a bystander, in which `act` is called
/// by the first listener of `event`. Returns how often the client, the server's socket and the
/// bystander have closed.
fn conversation(event: &'static str, act: impl Fn(Cast) + 'static) -> [u32; 3] {
    let closes: [Rc<Cell<u32>>; 3] = Default::default();
    let counting = |index: usize, socket: Socket| {
        let count = Rc::clone(&closes[index]);
        socket.on(event::Close, move |_| count.set(count.get() + 1));
        socket.on(event::Error, |_| ());
    };
    soquete::on_unhandled_error(|_| ());
    let stale = Socket::new();
    stale.destroy();
    soquete::run_nowait().unwrap();

    // The bystander connects at once, the client only when it has been refused elsewhere: the last one
    // accepted is the client's, if it is accepted at all.
    let accepted: Rc<RefCell<Vec<Socket>>> = Rc::default();
    let server = net::create_server_with(ServerOptions::new(), {
        let (accepted, closes) = (Rc::clone(&accepted), Rc::clone(&closes[1]));
        move |socket| {
            socket.on(event::Error, |_| ());
            socket.on(event::Data, move |chunk| {
                socket.write(chunk);
            });
            accepted.borrow_mut().push(socket);
            closes.set(0);
            let (accepted, closes) = (Rc::clone(&accepted), Rc::clone(&closes));
            socket.on(event::Close, move |_| {
                if accepted.borrow().last() == Some(&socket) {
                    closes.set(closes.get() + 1);
                }
            });
        }
    });
    server.listen(("127.0.0.1", 0));
    soquete::run_nowait().unwrap();
    let port = port_of(server);

    let client = net::connect(failing_first(port).high_water_mark(16));
    let bystander = net::connect(("127.0.0.1", port));
    let seen = Rc::clone(&accepted);
    let called = Rc::new(Cell::new(false));
    let once = Rc::clone(&called);
    let act: Rc<dyn Fn()> = Rc::new(move || {
        if !once.replace(true) {
            let accepted = match seen.borrow()[..] {
                [_, clients] => Some(clients),
                _ => None,
            };
            act(Cast {
                client,
                accepted,
                server,
                bystander,
                stale,
            });
        }
    });
    at(event, client, act);
    counting(0, client);
    counting(2, bystander);
    for name in EVENTS.iter().filter(|name| **name != "readable") {
        at(name, client, Rc::new(move || note(*name)));
    }
    // More than the mark while there is no connection: `Drain` follows when there is one.
    client.write([1; 64].as_slice());
    if event == "timeout" {
        client.set_timeout(Duration::from_millis(1));
    } else {
        client.on(event::Ready, move |()| {
            client.pause();
            timers::set_immediate(move || done(client.resume()));
        });
        client.on(event::Data, move |_| {
            match event {
                "error" => client.destroy_with(mine()),
                _ => client.end(),
            };
        });
    }
    let answered = talk(bystander);

    // Without waiting, so that what a call has brought to a stand does not take time.
    let begin = Instant::now();
    let all_there = || answered.get() == 5 && client.destroyed();
    for _ in 0..60 {
        soquete::run_nowait().unwrap();
        if all_there() {
            break;
        }
    }
    if event == "timeout" {
        while !called.get() && begin.elapsed() < Duration::from_secs(5) {
            soquete::run_nowait().unwrap();
        }
        // And what follows from it.
        for _ in 0..60 {
            soquete::run_nowait().unwrap();
        }
    }
    let mut all = accepted.borrow().clone();
    all.extend([client, bystander]);
    all.iter().for_each(|socket| done(socket.destroy()));
    server.close();
    run_to_end();
    assert!(called.get(), "{event} did not come");
    note(format!("bystander got {}", answered.get()));
    [closes[0].get(), closes[1].get(), closes[2].get()]
}

/// To 127.0.0.2, where nobody listens, and then to 127.0.0.1.
fn failing_first(port: u16) -> ConnectOptions {
    ConnectOptions::new(port)
        .host("two.addresses")
        .lookup(|_, _, answer| {
            let addresses = ["127.0.0.2", "127.0.0.1"].map(|ip| ip.parse().unwrap());
            timers::next_tick(move || answer(Ok(addresses.to_vec())));
        })
}

/// Five small questions and their answers.
fn talk(socket: Socket) -> Rc<Cell<u32>> {
    let answered = Rc::new(Cell::new(0));
    let count = Rc::clone(&answered);
    socket.write("question");
    socket.on(event::Data, move |_| {
        count.set(count.get() + 1);
        if count.get() < 5 {
            socket.write("question");
        } else {
            socket.end();
        }
    });
    answered
}

/// Whether an event comes in the plain conversation that belongs to it.
fn plain(event: &'static str) -> Vec<String> {
    conversation(event, |_| ());
    record()
}

#[test]
fn the_conversation_has_every_event() {
    for event in EVENTS.iter().filter(|event| **event != "readable") {
        assert!(
            plain(event).contains(&event.to_string()),
            "{event}: {:?}",
            plain(event)
        );
    }
}

#[test]
fn asking_in_any_listener_changes_nothing() {
    for event in EVENTS.iter().filter(|event| **event != "timeout") {
        let expected = plain(event);
        assert_eq!(expected.last().unwrap(), "bystander got 5");
        let closes = conversation(event, |cast| {
            harmless(cast.client);
            harmless(cast.bystander);
            harmless(cast.stale);
            cast.accepted.into_iter().for_each(harmless);
        });
        assert_eq!(closes, [1, 1, 1], "{event}");
        assert_eq!(record(), expected, "{event}");
    }
}

/// The laws that hold whatever a listener does to a socket of its own.
fn check(closes: [u32; 3], call: &str, event: &str, target: usize) {
    for (index, closed) in closes.into_iter().enumerate() {
        let touched = index == target;
        let expected = match call {
            // Nobody is told any more, and a socket that is connected again closes again.
            "remove_all_listeners" | "everything at once" | "connect" if touched => 0..=2,
            // What is stopped before it connects is never accepted.
            _ if index == 1 && target == 0 => 0..=1,
            _ => 1..=1,
        };
        assert!(
            expected.contains(&closed),
            "{call} at {event}: {index} closed {closed} times"
        );
    }
    let record = record();
    let after_close = record.iter().skip_while(|line| *line != "close").skip(1);
    if !matches!(call, "connect" | "everything at once") {
        let others: Vec<_> = after_close
            .filter(|line| !line.starts_with("bystander"))
            .collect();
        assert!(
            others.is_empty(),
            "{call} at {event}: {others:?} after close"
        );
    }
    if target != 2 {
        assert_eq!(
            record.last().unwrap(),
            "bystander got 5",
            "{call} at {event}"
        );
    }
}

#[test]
fn any_call_on_its_own_socket_in_any_listener() {
    for event in EVENTS {
        for (name, call) in SOCKET_CALLS {
            let closes = conversation(event, move |cast| call(cast.client));
            check(closes, name, event, 0);
        }
    }
}

#[test]
fn any_call_on_the_other_end_in_any_listener() {
    // When these come, nobody need have been accepted.
    let early = [
        "lookup", "attempt", "failed", "connect", "ready", "drain", "resume", "timeout",
    ];
    for event in EVENTS.iter().filter(|event| !early.contains(event)) {
        for (name, call) in SOCKET_CALLS {
            let closes = conversation(event, move |cast| {
                call(cast.accepted.expect(event));
            });
            check(closes, name, event, 1);
        }
    }
}

#[test]
fn any_call_on_another_socket_in_any_listener() {
    for event in EVENTS {
        for (name, call) in SOCKET_CALLS {
            let closes = conversation(event, move |cast| call(cast.bystander));
            check(closes, name, event, 2);
        }
    }
}

#[test]
fn any_call_on_a_stale_handle_in_any_listener() {
    for event in EVENTS.iter().filter(|event| **event != "timeout") {
        let expected = plain(event);
        let closes = conversation(event, |cast| {
            SOCKET_CALLS.iter().for_each(|(_, call)| call(cast.stale));
        });
        assert_eq!(closes, [1, 1, 1], "{event}");
        assert_eq!(record(), expected, "{event}");
    }
}

#[test]
fn any_call_on_its_server_in_any_listener() {
    for event in EVENTS {
        for (name, call) in SERVER_CALLS {
            let closes = conversation(event, move |cast| call(cast.server));
            assert_eq!(closes[0], 1, "{name} at {event}");
            record();
        }
    }
}

#[test]
fn any_call_in_a_servers_own_listeners() {
    soquete::on_unhandled_error(|_| ());
    for ((name, call), at_listening) in SERVER_CALLS
        .iter()
        .flat_map(|call| [(call, true), (call, false)])
    {
        for (socket_name, socket_call) in SOCKET_CALLS {
            let closed = Rc::new(Cell::new(0));
            let sockets: Rc<RefCell<Vec<Socket>>> = Rc::default();
            let server = net::create_server({
                let (closed, sockets) = (Rc::clone(&closed), Rc::clone(&sockets));
                move |socket| {
                    sockets.borrow_mut().push(socket);
                    let closed = Rc::clone(&closed);
                    socket.on(event::Close, move |_| closed.set(closed.get() + 1));
                    socket.on(event::Error, |_| ());
                    socket_call(socket);
                    socket.server().into_iter().for_each(call);
                }
            });
            server.once(event::Close, move |_| call(server));
            server.listen(0);
            let port = port_of(server);
            if at_listening {
                server.once(event::Listening, move |()| call(server));
            }
            let client = net::connect(("127.0.0.1", port));
            client.on(event::Error, |_| ()).resume().end();
            for _ in 0..20 {
                soquete::run_nowait().unwrap();
            }
            client.destroy();
            let accepted = sockets.take();
            assert!(
                at_listening || !accepted.is_empty(),
                "{name} and {socket_name}: nobody is accepted"
            );
            accepted.iter().for_each(|socket| done(socket.destroy()));
            server.remove_all_listeners().close();
            run_to_end();
            let silenced = ["remove_all_listeners", "everything at once"].contains(socket_name);
            assert!(
                silenced || closed.get() >= accepted.len(),
                "{name} and {socket_name}: {closed:?}"
            );
        }
    }
}

/// Calls `call` when it is dropped, as a destructor of the user's does.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Connects to the port, with options that own what calls `at_drop` in its destructor.
fn connect_owning(socket: Socket, port: u16, at_drop: impl FnMut() + 'static) {
    let owned = OnDrop(at_drop);
    let options = ConnectOptions::new(port)
        .host("somewhere")
        .lookup(move |_, _, answer| {
            let _held = &owned;
            answer(Ok(vec![Ipv4Addr::LOCALHOST.into()]));
        });
    socket.connect(options);
}

#[test]
fn any_call_in_the_destructor_of_what_a_connect_was_given() {
    soquete::on_unhandled_error(|_| ());
    for (name, call) in SOCKET_CALLS {
        let server = net::create_server(|socket| {
            done(socket.on(event::Error, |_| ()).resume());
        });
        server.listen(0);
        let closed = Rc::new(Cell::new(0));
        let dropped = Rc::new(Cell::new(0));
        let socket = Socket::new();
        let count = Rc::clone(&closed);
        socket.on(event::Close, move |_| count.set(count.get() + 1));
        socket.on(event::Error, |_| ());
        socket.once(event::Connect, move |()| {
            timers::set_immediate(move || done(socket.destroy()));
        });
        let count = Rc::clone(&dropped);
        connect_owning(socket, port_of(server), move || {
            count.set(count.get() + 1);
            call(socket);
        });
        for _ in 0..100 {
            soquete::run_nowait().unwrap();
            std::thread::yield_now();
        }
        socket.remove_all_listeners().destroy();
        server.close();
        run_to_end();
        assert_eq!(dropped.get(), 1, "{name}");
        let silenced = ["remove_all_listeners", "everything at once"].contains(name);
        assert!(silenced || closed.get() == 1, "{name}: {closed:?}");
        record();
    }
}

#[test]
fn destroy_leaves_the_destructor_of_what_a_connect_was_given_for_later() {
    let server = net::create_server(|socket| done(socket.resume()));
    server.listen(0);
    let shared = Rc::new(RefCell::new(0));
    let socket = Socket::new();
    let count = Rc::clone(&shared);
    connect_owning(socket, port_of(server), move || *count.borrow_mut() += 1);
    {
        let borrowed = shared.borrow_mut();
        socket.destroy();
        drop(borrowed);
    }
    server.close();
    run_to_end();
    assert_eq!(*shared.borrow(), 1);
}

#[test]
fn a_panic_of_such_a_destructor_does_not_keep_a_socket_from_its_close() {
    let server = net::create_server(|socket| done(socket.resume()));
    server.listen(0);
    let closed = Rc::new(Cell::new(0));
    let socket = Socket::new();
    let count = Rc::clone(&closed);
    socket.on(event::Close, move |_| count.set(count.get() + 1));
    connect_owning(socket, port_of(server), || panic!("on purpose"));
    let destroyed = catch_unwind(AssertUnwindSafe(|| done(socket.destroy())));
    server.close();
    let run = catch_unwind(AssertUnwindSafe(run_to_end));
    assert!(destroyed.is_err() || run.is_err(), "the panic is not lost");
    run_to_end();
    assert_eq!(closed.get(), 1);
}
