//! Bugs that other re-makes of Node's `net` had, which could happen here: each test names the thread
//! that tells of it. Those on servers alone are in `servers.rs`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{ConnectOptions, ListenOptions, Server, ServerOptions, Socket};
use soquete::{event, net, timers};

mod support;

use support::record::{Record, collect, one_shot_server, pattern};
use support::{pair, pair_of, port_of, run_to_end};

/// Writes until the kernel takes no more, so that one write is under way.
fn fill(socket: Socket) {
    while socket.write(vec![1; 1 << 20]) {}
}

/// oven-sh/bun#33256: `destroy` emitted `end`, as if the peer had sent everything.
#[test]
fn a_socket_that_is_destroyed_here_has_not_been_ended_by_its_peer() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        events.watch("socket", socket);
        socket.resume().destroy();
        socket.on(event::Close, move |_| assert!(!socket.readable_ended()));
        peer.resume();
    });
    run_to_end();
    assert_eq!(record.text(), "socket.resume socket.close(false)");
}

/// oven-sh/bun#43392 and #34513: the error of a reset was swallowed, or replaced, where nobody
/// listened and a write was under way.
#[test]
fn a_reset_that_nobody_listens_for_is_unhandled_with_its_own_error() {
    pair(|socket, peer| {
        fill(socket);
        peer.reset_and_destroy().unwrap();
    });
    let error = soquete::run().expect_err("nobody listened");
    assert_eq!(
        (error.code(), error.syscall()),
        ("ECONNRESET", Some("read"))
    );
    run_to_end();
}

/// oven-sh/bun#43250 and #33401: the callback of a write under way was never called when the peer
/// reset the connection.
#[test]
fn a_reset_cancels_the_write_under_way_after_the_error_and_before_close() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        events.watch("socket", socket);
        socket.write_then(vec![0; 32 << 20], events.outcome("under way"));
        socket.write_then("behind it", events.outcome("queued"));
        peer.reset_and_destroy().unwrap();
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "socket.error(ECONNRESET) under way(ECANCELED) queued(ECONNRESET) socket.close(true)"
    );
}

/// oven-sh/bun#41835: on an adopted descriptor, `destroy` left the callback of a queued write
/// waiting.
#[test]
fn destroying_an_adopted_stream_cancels_what_is_queued() {
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let record = Record::default();
    let socket = Socket::from_std(ours).unwrap();
    record.watch("socket", socket);
    socket.write_then(pattern(8 << 20), record.outcome("write"));
    socket.destroy();
    run_to_end();
    assert_eq!(record.text(), "write(ECANCELED) socket.close(false)");
}

/// oven-sh/bun#39600: a reset behind unread data was reported as the peer's end.
#[test]
fn a_reset_behind_unread_data_is_an_error_and_not_the_end() {
    let record = Record::default();
    let events = record.clone();
    let server = one_shot_server(ServerOptions::new().pause_on_connect(true), move |socket| {
        events.watch("s", socket);
        timers::set_timeout(Duration::from_millis(20), move || {
            socket.resume();
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.write_then(pattern(100), move |_| {
        client.reset_and_destroy().unwrap();
    });
    run_to_end();
    assert_eq!(record.text(), "s.resume s.error(ECONNRESET) s.close(true)");
}

/// oven-sh/bun#36332: a socket with unread data was destroyed when its peer had ended.
#[test]
fn what_a_peer_sent_before_its_end_waits_for_a_late_reader() {
    let server = one_shot_server(ServerOptions::new(), |socket| {
        timers::set_timeout(Duration::from_millis(30), move || {
            assert!(!socket.destroyed());
            assert_eq!(socket.readable_length(), 7);
            let received = collect(socket);
            socket.on(event::End, move |()| {
                assert_eq!(*received.borrow(), b"request");
                socket.write("the answer still goes out");
            });
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    let answer = collect(client);
    client.end_with("request");
    run_to_end();
    assert_eq!(*answer.borrow(), b"the answer still goes out");
}

/// oven-sh/bun#31389: `end` closed the descriptor, and the echo was lost.
#[test]
fn ending_in_the_callback_of_a_write_does_not_lose_the_echo() {
    for half_open in [false, true] {
        let server = one_shot_server(ServerOptions::new(), |socket| {
            socket.pipe(socket);
        });
        let options = ConnectOptions::new(port_of(server)).host("127.0.0.1");
        let client = net::connect(options.allow_half_open(half_open));
        let echo = collect(client);
        client.on(event::Connect, move |()| {
            client.write_then("hello", move |_| {
                client.end();
            });
        });
        run_to_end();
        assert_eq!(*echo.borrow(), b"hello");
    }
}

/// oven-sh/bun#34285: bytes that came before anybody listened were thrown away.
#[test]
fn bytes_that_come_before_the_listener_are_kept_for_it() {
    let server = one_shot_server(ServerOptions::new(), |socket| {
        assert_eq!(socket.readable_flowing(), None);
        timers::set_timeout(Duration::from_millis(20), move || {
            let received = collect(socket);
            socket.on(event::End, move |()| {
                assert_eq!(*received.borrow(), b"early bird")
            });
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.write("early ");
    client.end_with("bird");
    run_to_end();
}

/// oven-sh/bun#35108: a pause in the listener of `connection` was undone after it.
#[test]
fn a_pause_in_the_connection_listener_holds() {
    const TOTAL: usize = 8 << 20;
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.pause();
        let received = collect(socket);
        timers::set_timeout(Duration::from_millis(30), move || {
            assert!(received.borrow().is_empty());
            socket.resume();
            let received = Rc::clone(&received);
            socket.on(event::End, move |()| {
                assert_eq!(received.borrow().len(), TOTAL)
            });
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    let drains = Rc::new(Cell::new(0));
    let count = Rc::clone(&drains);
    client.on(event::Drain, move |()| count.set(count.get() + 1));
    client.write(pattern(TOTAL));
    client.end();
    timers::set_timeout(Duration::from_millis(20), move || {
        assert!(client.writable_length() > 0, "the reader holds it up");
        assert_eq!(drains.get(), 0);
    });
    run_to_end();
}

/// oven-sh/bun#39830: a paused socket did not notice that its peer was gone, and the server never
/// closed.
#[test]
fn a_paused_socket_without_data_notices_the_end_and_lets_the_server_close() {
    let closed = Rc::new(Cell::new(false));
    let is_closed = Rc::clone(&closed);
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.pause();
    });
    server.on(event::Close, move |_| is_closed.set(true));
    net::connect(("127.0.0.1", port_of(server))).end();
    run_to_end();
    assert!(closed.get());
}

/// oven-sh/bun#33498: half-open connections were not for Unix domain sockets.
#[test]
fn half_open_holds_on_a_path_too() {
    let path = std::env::temp_dir().join(format!("soquete-half-open-{}", std::process::id()));
    let server = Server::new_with(ServerOptions::new().allow_half_open(true));
    server.on(event::Connection, move |socket| {
        server.close();
        socket.resume().on(event::End, move |()| {
            timers::set_immediate(move || {
                socket.end_with("late answer");
            });
        });
    });
    server.listen(ListenOptions::path(&path));
    let client = net::connect(path.as_path());
    let answer = collect(client);
    client.end_with("request");
    run_to_end();
    assert_eq!(*answer.borrow(), b"late answer");
}

/// oven-sh/bun#35939: a write in the listener of `end` that the kernel took a part of emitted `end`
/// again and again.
#[test]
fn a_big_answer_in_the_end_listener_goes_out_and_the_end_comes_once() {
    const TOTAL: usize = 8 << 20;
    let ends = Rc::new(Cell::new(0));
    let count = Rc::clone(&ends);
    let half_open = ServerOptions::new().allow_half_open(true);
    let received = Rc::new(Cell::new(0));
    let sum = Rc::clone(&received);
    pair_of(
        half_open,
        |options| options,
        move |socket, client| {
            socket.on(event::End, move |()| {
                count.set(count.get() + 1);
                socket.end_with(pattern(TOTAL));
            });
            client.end();
            client.on(event::Data, move |chunk| sum.set(sum.get() + chunk.len()));
        },
    );
    run_to_end();
    assert_eq!((ends.get(), received.get()), (1, TOTAL));
}

/// oven-sh/bun#42306: what was read was added up over the connections of a socket.
#[test]
fn each_connection_of_a_socket_counts_its_own_bytes() {
    let server = net::create_server(|socket| {
        socket.end_with("banner");
    });
    server.listen(("127.0.0.1", 0));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let counts = Rc::clone(&seen);
    server.on(event::Listening, move |()| {
        let port = port_of(server);
        let client = net::connect(("127.0.0.1", port));
        client.resume();
        let counts = Rc::clone(&counts);
        client.on(event::Close, move |_| {
            counts.borrow_mut().push(client.bytes_read());
            if counts.borrow().len() < 3 {
                client.connect(("127.0.0.1", port));
            } else {
                server.close();
            }
        });
    });
    run_to_end();
    assert_eq!(*seen.borrow(), [6, 6, 6]);
}

/// oven-sh/bun#42305: a socket that reads into its owner's buffer got bytes of its last connection.
#[test]
fn a_new_connection_gets_no_bytes_of_the_last_one() {
    let connections = Cell::new(0);
    let server = net::create_server(move |socket| {
        socket.on(event::Error, |_| {});
        connections.set(connections.get() + 1);
        socket.end_with(if connections.get() == 1 {
            "AAAABBBBCCCC"
        } else {
            "xxxxyyyy"
        });
    });
    server.listen(("127.0.0.1", 0));
    let record = Record::default();
    let chunks = record.clone();
    server.on(event::Listening, move |()| {
        let port = port_of(server);
        let chunks = chunks.clone();
        let options = ConnectOptions::new(port).host("127.0.0.1");
        let client = net::connect(options.on_read([0; 4], move |socket, count, buffer| {
            let chunk = String::from_utf8_lossy(&buffer[..count]);
            let is_first = chunk == "AAAA";
            chunks.note(chunk);
            if is_first {
                socket.destroy();
            }
            !is_first
        }));
        let closes = Cell::new(0);
        client.on(event::Close, move |_| {
            closes.set(closes.get() + 1);
            if closes.get() == 1 {
                client.connect(("127.0.0.1", port)).resume();
            } else {
                server.close();
            }
        });
    });
    run_to_end();
    assert_eq!(record.text(), "AAAA xxxx yyyy");
}

/// oven-sh/bun#42444: with a pause and a read in the callback of a socket that reads into its
/// owner's buffer, nothing more came; nor did it where `readable` was listened to.
#[test]
fn reading_into_ones_own_buffer_goes_on_after_pause_and_read_and_beside_readable() {
    let record = Record::default();
    for beside_readable in [false, true] {
        let chunks = record.clone();
        let server = one_shot_server(ServerOptions::new(), |socket| {
            socket.end_with("abcdefgh");
        });
        let options = ConnectOptions::new(port_of(server)).host("127.0.0.1");
        let client = net::connect(options.on_read([0; 4], move |socket, count, buffer| {
            chunks.note(String::from_utf8_lossy(&buffer[..count]));
            if !beside_readable {
                socket.pause();
                assert_eq!(socket.read(), None);
            }
            true
        }));
        if beside_readable {
            client.on(event::Readable, move |()| {
                client.read();
            });
        }
        run_to_end();
    }
    assert_eq!(record.text(), "abcd efgh abcd efgh");
}

/// oven-sh/bun#42316, nodejs/node#50841: a socket that was destroyed in the listener of an attempt
/// was connected all the same, and nobody owned the connection.
#[test]
fn destroying_in_the_listener_of_an_attempt_connects_nobody() {
    let server = net::create_server(|_| panic!("nobody connects"));
    server.listen(("127.0.0.1", 0));
    server.on(event::Listening, move |()| {
        let closed = Rc::new(Cell::new(0));
        for _ in 0..10 {
            let client = net::connect(("127.0.0.1", port_of(server)));
            client.on(event::ConnectionAttempt, move |_| {
                client.destroy();
            });
            let closed = Rc::clone(&closed);
            client.on(event::Close, move |_| {
                closed.set(closed.get() + 1);
                if closed.get() == 10 {
                    timers::set_timeout(Duration::from_millis(20), move || {
                        server.close();
                    });
                }
            });
        }
    });
    run_to_end();
}

/// oven-sh/bun#42295, #13249 and #19545: a socket that was destroyed before it connected was kept for
/// ever, did not close, or called the callback of its connection.
#[test]
fn a_thousand_sockets_destroyed_before_they_connect_close_and_leave_nothing() {
    let held = Rc::new(());
    let closed = Rc::new(Cell::new(0));
    for _ in 0..1000 {
        let in_callback = Rc::clone(&held);
        let client = net::connect_then(("127.0.0.1", 1), move |_| {
            let _held = &in_callback;
            panic!("it is destroyed");
        });
        let closed = Rc::clone(&closed);
        client.on(event::Close, move |_| closed.set(closed.get() + 1));
        client.destroy();
    }
    run_to_end();
    assert_eq!(closed.get(), 1000);
    assert_eq!(soquete::metrics().open_handles, 0);
    assert_eq!(Rc::strong_count(&held), 1);
}

/// oven-sh/bun#35086: connections were counted as none once the server was told to close.
#[test]
fn connections_are_counted_while_the_server_closes() {
    pair(|socket, peer| {
        let server = socket.server().expect("it was accepted");
        assert!(!server.listening(), "it was told to close");
        assert_eq!(server.connections(), 1);
        peer.destroy();
        socket.on(event::Close, move |_| assert_eq!(server.connections(), 0));
    });
    run_to_end();
}

/// oven-sh/bun#43499: what had told its writer to wait never drained, because a later write went out
/// at once.
#[test]
fn drain_is_owed_though_later_writes_go_out_at_once() {
    pair(|socket, peer| {
        fill(socket);
        let drains = Rc::new(Cell::new(0));
        let count = Rc::clone(&drains);
        socket.on(event::Drain, move |()| {
            count.set(count.get() + 1);
            assert_eq!(
                socket.writable_length(),
                0,
                "not before (oven-sh/bun#14949)"
            );
        });
        peer.resume();
        let beat = timers::set_interval(Duration::from_millis(1), move || {
            socket.write("beat");
        });
        timers::set_timeout(Duration::from_millis(60), move || {
            assert_eq!(drains.get(), 1);
            assert!(!socket.writable_need_drain());
            beat.clear();
            socket.destroy();
        });
    });
    run_to_end();
}

/// oven-sh/bun#38980: connecting a socket that was still open half-succeeded. It fails as it does in
/// Node: with the kernel's word for it.
#[test]
fn connecting_a_socket_that_is_connected_is_an_error() {
    let record = Record::default();
    let events = record.clone();
    pair(move |peer, socket| {
        events.watch("socket", socket);
        socket.connect(("127.0.0.1", 1));
        peer.resume();
    });
    run_to_end();
    assert_eq!(record.text(), "socket.error(EISCONN) socket.close(true)");
}

/// oven-sh/bun#39621: what the poll said of a socket that a listener had closed meanwhile was acted
/// on.
#[test]
fn data_and_a_hang_up_in_one_event_close_once_where_data_destroys() {
    let record = Record::default();
    let events = record.clone();
    let server = one_shot_server(ServerOptions::new().pause_on_connect(true), move |socket| {
        events.watch("s", socket);
        socket.on(event::Data, move |_| {
            socket.destroy();
        });
        timers::set_timeout(Duration::from_millis(20), move || {
            socket.resume();
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.write_then("x", move |_| {
        client.reset_and_destroy().unwrap();
    });
    run_to_end();
    assert_eq!(record.text(), "s.resume s.close(false)");
}

/// oven-sh/bun#33974: a pause and a destroy in the listener of data reached the next socket with the
/// same descriptor.
#[test]
fn a_descriptor_that_is_used_again_at_once_gets_its_own_events_only() {
    let server = net::create_server(|socket| {
        socket.pipe(socket);
        socket.on(event::Error, |_| {});
    });
    server.listen(("127.0.0.1", 0));
    let echoed = Rc::new(Cell::new(0));
    let count = Rc::clone(&echoed);
    server.on(event::Listening, move |()| {
        let port = port_of(server);
        for _ in 0..20 {
            let first = net::connect(("127.0.0.1", port));
            first.write("first");
            let count = Rc::clone(&count);
            first.on(event::Data, move |_| {
                first.pause().destroy();
                let second = net::connect(("127.0.0.1", port));
                second.write("second");
                let count = Rc::clone(&count);
                second.on(event::Data, move |chunk| {
                    assert_eq!(chunk, b"second");
                    second.end();
                    count.set(count.get() + 1);
                    if count.get() == 20 {
                        server.close();
                    }
                });
            });
        }
    });
    run_to_end();
    assert_eq!(echoed.get(), 20);
}

/// oven-sh/bun#39802: listeners of `close` that were added after the socket was closed, in the same
/// listener of `connection`, were not called.
#[test]
fn close_is_told_to_listeners_that_come_after_destroy() {
    let closed = Rc::new(Cell::new(false));
    let is_closed = Rc::clone(&closed);
    let server = one_shot_server(ServerOptions::new(), move |socket| {
        socket.destroy();
        socket.on(event::Close, move |_| is_closed.set(true));
    });
    net::connect(("127.0.0.1", port_of(server)));
    run_to_end();
    assert!(closed.get());
}
