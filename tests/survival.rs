//! What a server lives through: no descriptors left, resets in any state, listeners that close their
//! neighbours, a peer that never stops sending, and ten thousand connections.

mod support;

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::net::{self, ListenOptions, Socket};
use soquete::{event, timers};
use support::{
    descriptor_limit, done, in_a_process, listening_on, note, outsider, pair, record, reset,
    run_to_end, spin, watch,
};

const MS: Duration = Duration::from_millis(1);

/// Sockets of a server whose peers are outside, all of them there.
fn with_outsiders(count: usize, with: impl FnOnce(Vec<Socket>, Vec<TcpStream>) + 'static) {
    let peers: Rc<RefCell<Vec<TcpStream>>> = Rc::default();
    let mut sockets = Vec::new();
    let mut with = Some(with);
    let others = Rc::clone(&peers);
    let server = net::create_server(move |socket| {
        sockets.push(socket);
        if sockets.len() == count
            && let Some(with) = with.take()
        {
            socket.server().expect("its server").close();
            with(std::mem::take(&mut sockets), peers.take());
        }
    });
    listening_on(server, "127.0.0.1", move |_, port| {
        others
            .borrow_mut()
            .extend((0..count).map(|_| outsider(port)));
    });
}

/// Puts a socket into a state, given its peer.
type Prepare = fn(Socket, &mut TcpStream);

#[test]
fn a_reset_in_any_state_closes_the_socket_once_and_disturbs_nobody() {
    let states: &[(&str, Prepare)] = &[
        ("idle", |_, _| ()),
        ("reading", |socket, _| done(socket.resume())),
        ("with data unread", |socket, peer| {
            socket.resume();
            peer.write_all(b"unread").unwrap();
        }),
        ("paused", |socket, peer| {
            socket.pause();
            peer.write_all(b"unread").unwrap();
            timers::set_timeout(20 * MS, move || done(socket.resume()));
        }),
        ("with writes queued", |socket, _| {
            socket.resume().write(vec![0; 16 << 20]);
        }),
        ("ending with writes queued", |socket, _| {
            socket.resume().end_with(vec![0; 16 << 20]);
        }),
        ("ended", |socket, _| done(socket.resume().end())),
        ("ended by the peer", |socket, peer| {
            socket.set_allow_half_open(true).resume();
            peer.shutdown(Shutdown::Write).unwrap();
            timers::set_timeout(20 * MS, move || done(socket.end_with("x")));
        }),
        ("corked", |socket, _| {
            socket.resume().cork();
            socket.write("held back");
        }),
        ("destroyed", |socket, _| done(socket.destroy())),
    ];
    for (state, prepare) in states {
        with_outsiders(2, move |sockets, mut peers| {
            watch("reset", sockets[0]);
            watch("other", sockets[1]);
            let mut other = peers.pop().unwrap();
            let mut peer = peers.pop().unwrap();
            prepare(sockets[0], &mut peer);
            let mut peer = Some(peer);
            timers::set_timeout(10 * MS, move || {
                if let Some(peer) = peer.take() {
                    reset(peer).unwrap();
                    other.write_all(b"still here").unwrap();
                    other.shutdown(Shutdown::Write).unwrap();
                }
            });
        });
        run_to_end();
        let record = record();
        assert_eq!(
            support::of("other", &record),
            ["data 10", "end", "finish", "close false"],
            "{state}"
        );
        let last = support::of("reset", &record).pop();
        assert!(
            last.is_some_and(|line| line.starts_with("close")),
            "{state}: {record:?}"
        );
    }
}

#[test]
fn a_listener_that_closes_the_others_that_are_ready_too() {
    const COUNT: usize = 20;
    let how: [fn(Socket); 3] = [
        |socket| done(socket.destroy()),
        |socket| done(socket.reset_and_destroy()),
        |socket| done(socket.destroy_with(soquete::Error::new("MINE", "of my own"))),
    ];
    for close in how {
        with_outsiders(COUNT, move |sockets, mut peers| {
            // All are ready by the time that the poll is asked.
            for peer in &mut peers {
                peer.write_all(b"x").unwrap();
            }
            spin(2 * MS);
            let heard = Rc::new(Cell::new(0));
            for socket in sockets.clone() {
                let (heard, sockets) = (Rc::clone(&heard), sockets.clone());
                socket.on(event::Error, |_| ());
                socket.on(event::Data, move |_| {
                    heard.set(heard.get() + 1);
                    assert_eq!(heard.get(), 1, "a socket that was closed is heard of");
                    sockets.iter().for_each(|other| close(*other));
                    // Newcomers must not be taken for those who went.
                    for _ in 0..COUNT {
                        let new = Socket::new();
                        new.on(event::Data, |_| panic!("somebody else's data"));
                        new.on(event::Close, |_| note("newcomer closed"));
                        timers::set_timeout(5 * MS, move || done(new.destroy()));
                    }
                });
                socket.on(event::Close, |_| note("closed"));
            }
            timers::set_timeout(5 * MS, move || peers.clear());
        });
        run_to_end();
        let record = record();
        let count = |what: &str| record.iter().filter(|line| *line == what).count();
        assert_eq!((count("closed"), count("newcomer closed")), (COUNT, COUNT));
    }
}

#[test]
fn a_peer_that_never_stops_sending_starves_nobody() {
    const ROUNDS: u32 = 20;
    const TOO_LONG: Duration = Duration::from_secs(5);
    let begin = Instant::now();
    with_outsiders(1, move |sockets, mut peers| {
        let mut peer = peers.pop().unwrap();
        peer.set_nonblocking(true).unwrap();
        let flood = sockets[0];
        let water = vec![0; 256 * 1024];
        // Whenever some was read, there is more at once. It ends some day, so that a starved loop
        // fails instead of hanging.
        let mut pour = move || {
            if begin.elapsed() < 2 * TOO_LONG {
                done(peer.write(&water));
            }
        };
        pour();
        flood.on(event::Data, move |_| pour());
        pair(move |server, client| {
            server.on(event::Data, move |chunk| {
                server.write(chunk);
            });
            let mut rounds = 0;
            client.write("ping");
            client.on(event::Data, move |chunk| {
                rounds += 1;
                if rounds < ROUNDS {
                    client.write(chunk);
                } else {
                    client.end();
                    flood.destroy();
                    note("answered");
                }
            });
        });
    });
    run_to_end();
    assert_eq!(record(), ["answered"]);
    assert!(begin.elapsed() < TOO_LONG, "{:?}", begin.elapsed());
    let metrics = soquete::metrics();
    assert!(
        metrics.reads < 100 * metrics.turns,
        "its share does not grow: {metrics:?}"
    );
}

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    in_a_process("ten_thousand_connections", ("SOQUETE_CHILD", "1"), None);
}

/// By itself in its process: it counts descriptors.
#[test]
#[ignore = "run by ten_thousand_connections_leave_nothing_behind"]
fn ten_thousand_connections() {
    const COUNT: usize = 10_000;
    // Both ends are here.
    let at_once = descriptor_limit().saturating_sub(100).min(4_000) / 2;
    // What a loop keeps is made by its first use.
    pair(|server, client| {
        server.resume();
        client.resume().end();
    });
    run_to_end();
    let before = support::open_descriptors();

    let server = net::create_server(|socket| {
        socket.on(event::Data, move |chunk| {
            socket.write(chunk);
        });
        socket.on(event::Error, |error| assert_eq!(error.code(), "ECONNRESET"));
    });
    // Room for all of them in the backlog: from one that overflows the kernel may drop a connection
    // that its client takes for established, and resets it later.
    server.listen(ListenOptions::new(0).host("127.0.0.1").backlog(4_096));
    server.once(event::Listening, move |()| {
        let port = support::port_of(server);
        let started = Rc::new(Cell::new(0));
        let closed = Rc::new(Cell::new(0));
        for _ in 0..at_once {
            start(server, port, Rc::clone(&started), Rc::clone(&closed));
        }
    });
    fn start(server: net::Server, port: u16, started: Rc<Cell<usize>>, closed: Rc<Cell<usize>>) {
        let number = started.replace(started.get() + 1);
        let client = net::connect(("127.0.0.1", port));
        client.write(number.to_string());
        client.on(event::Data, move |chunk| {
            assert_eq!(chunk, number.to_string().as_bytes());
            // A reset leaves no port waiting in the kernel: they are not without number.
            match number % 10 {
                0 => done(client.end()),
                _ => done(client.reset_and_destroy()),
            }
        });
        client.on(event::Close, move |had_error| {
            assert!(!had_error);
            closed.set(closed.get() + 1);
            if started.get() < COUNT {
                start(server, port, Rc::clone(&started), Rc::clone(&closed));
            } else if closed.get() == COUNT {
                note("all of them");
                server.close();
            }
        });
    }
    run_to_end();
    assert_eq!(record(), ["all of them"]);
    assert_eq!(support::open_descriptors(), before);
    let metrics = soquete::metrics();
    assert_eq!((metrics.open_handles, metrics.timers), (0, 0));
    assert!(metrics.accepts as usize > COUNT);
}
