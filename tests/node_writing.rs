//! Writing, ending and counting: behaviours that Node's own tests of `net` show. The table of those
//! tests is `node_tests.md`.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{ConnectOptions, ListenOptions, ReadyState, Server, ServerOptions, Socket};
use soquete::{event, net, timers};

mod support;

use support::record::{Record, collect, one_shot_server, pattern};
use support::{pair, port_of, run_to_end};

#[test]
fn end_of_a_socket_that_was_never_connected_calls_back_and_makes_it_not_writable() {
    let called = Rc::new(Cell::new(false));
    let is_called = Rc::clone(&called);
    let socket = Socket::new();
    socket.end_then(move |outcome| {
        outcome.expect("there is nothing to end");
        is_called.set(true);
        assert!(!socket.writable());
        socket.destroy();
    });
    assert!(!socket.writable());
    run_to_end();
    assert!(called.get());
}

#[test]
fn end_calls_back_with_and_without_data() {
    let calls = Rc::new(Cell::new(0));
    for data in ["", "data"] {
        let calls = Rc::clone(&calls);
        pair(move |socket, peer| {
            let received = collect(peer);
            socket.end_with_then(data, move |outcome| {
                outcome.expect("the peer reads");
                calls.set(calls.get() + 1);
            });
            peer.on(event::End, move |()| {
                assert_eq!(*received.borrow(), data.as_bytes())
            });
        });
    }
    run_to_end();
    assert_eq!(calls.get(), 2);
}

#[test]
fn a_write_to_a_peer_that_has_closed_fails_its_callback() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        peer.destroy();
        // The socket stays open after the peer's end, so that only writing tells.
        socket.set_allow_half_open(true);
        events.watch("socket", socket);
        socket.on(event::End, move |()| {
            socket.write("the peer answers this by a reset");
            let events = events.clone();
            timers::set_timeout(Duration::from_millis(20), move || {
                let events = events.clone();
                socket.write_then("late", move |outcome| {
                    let error = outcome.expect_err("the connection was reset");
                    events.note(format!("write({})", error.code()));
                });
            });
        });
    });
    run_to_end();
    let text = record.text();
    let failed = [
        "write(EPIPE)",
        "write(ECONNRESET)",
        "write(ERR_STREAM_DESTROYED)",
    ];
    assert!(failed.iter().any(|line| record.has(line)), "{text}");
    assert!(text.ends_with("socket.close(true)"), "{text}");
}

#[test]
fn an_error_is_emitted_once_however_much_was_written() {
    let errors = Rc::new(Cell::new(0));
    let count = Rc::clone(&errors);
    pair(move |socket, peer| {
        peer.reset_and_destroy().unwrap();
        socket.on(event::Error, move |_| count.set(count.get() + 1));
        for _ in 0..100 {
            socket.write(vec![0; 64 << 10]);
        }
    });
    run_to_end();
    assert_eq!(errors.get(), 1);
}

#[test]
fn much_to_a_client_that_vanishes_neither_hangs_nor_stays() {
    pair(|socket, peer| {
        socket.on(event::Error, |_| {});
        socket.write(vec![0; 16 << 20]);
        peer.once(event::Data, move |_| {
            peer.destroy();
        });
    });
    run_to_end();
    assert_eq!(soquete::metrics().open_handles, 0);
}

#[test]
fn with_a_mark_of_zero_a_write_before_the_connection_says_to_wait() {
    let server = one_shot_server(ServerOptions::new(), |socket| {
        let received = collect(socket);
        socket.on(event::End, move |()| {
            assert_eq!(*received.borrow(), b"parked")
        });
    });
    let options = ConnectOptions::new(port_of(server)).host("127.0.0.1");
    let client = net::connect(options.high_water_mark(0));
    let called = Rc::new(Cell::new(false));
    let is_called = Rc::clone(&called);
    let room = client.write_then("parked", move |outcome| {
        outcome.expect("the server reads");
        is_called.set(true);
        assert!(!client.pending() && !client.connecting());
        assert_eq!(client.bytes_written(), 6);
        client.end();
    });
    assert!(!room && client.pending() && client.connecting());
    assert_eq!(client.ready_state(), ReadyState::Opening);
    assert_eq!((client.bytes_written(), client.writable_length()), (6, 6));
    run_to_end();
    assert!(called.get());
}

#[test]
fn corked_pairs_that_the_kernel_takes_never_say_to_wait() {
    pair(|socket, peer| {
        peer.resume();
        for _ in 0..100 {
            socket.cork();
            assert!(socket.write(pattern(10)) && socket.write(pattern(10)));
            socket.uncork();
        }
        socket.end();
        peer.on(event::End, move |()| assert_eq!(peer.bytes_read(), 2000));
    });
    run_to_end();
}

#[test]
fn twenty_rounds_of_writing_until_told_to_wait_are_drained_twenty_times() {
    let drains = Rc::new(Cell::new(0));
    let count = Rc::clone(&drains);
    let written = Rc::new(Cell::new(0));
    let sum = Rc::clone(&written);
    let received = Rc::new(Cell::new(0));
    let into = Rc::clone(&received);
    pair(move |socket, peer| {
        peer.on(event::Data, move |chunk| into.set(into.get() + chunk.len()));
        let write = move || {
            loop {
                sum.set(sum.get() + (1 << 20));
                if !socket.write(vec![1; 1 << 20]) {
                    break;
                }
            }
        };
        write();
        socket.on(event::Drain, move |()| {
            count.set(count.get() + 1);
            if count.get() < 20 {
                write();
            } else {
                socket.end();
            }
        });
    });
    run_to_end();
    assert_eq!(drains.get(), 20);
    assert_eq!(received.get(), written.get());
}

#[test]
fn fifty_thousand_callbacks_come_once_each_and_in_order() {
    const WRITES: u32 = 50_000;
    let next = Rc::new(Cell::new(0));
    let last = Rc::clone(&next);
    pair(move |socket, peer| {
        peer.resume();
        for number in 0..WRITES {
            let next = Rc::clone(&next);
            socket.write_then("hello", move |outcome| {
                outcome.expect("the peer reads");
                assert_eq!(next.replace(number + 1), number);
            });
        }
        socket.end();
        peer.on(event::End, move |()| {
            assert_eq!(peer.bytes_read(), u64::from(WRITES) * 5);
        });
    });
    run_to_end();
    assert_eq!(last.get(), WRITES);
}

#[test]
fn what_is_queued_before_the_connection_is_counted_and_gone_at_finish() {
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.resume();
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    for count in 1..=10 {
        client.write("a");
        assert_eq!(client.writable_length(), count);
    }
    client.cork();
    client.write("ol\u{e1}");
    assert_eq!((client.writable_length(), client.bytes_written()), (14, 14));
    client.uncork();
    client.end();
    client.on(event::Finish, move |()| {
        assert_eq!((client.writable_length(), client.bytes_written()), (0, 14));
    });
    client.on(event::Close, move |_| {
        assert_eq!(client.bytes_written(), 14)
    });
    run_to_end();
}

#[test]
fn bytes_are_counted_anew_when_a_socket_is_connected_again() {
    let server = net::create_server(|socket| {
        socket.on(event::Data, move |chunk| {
            socket.end_with(chunk);
        });
    });
    server
        .listen(("127.0.0.1", 0))
        .on(event::Listening, move |()| {
            let port = port_of(server);
            let client = net::connect(("127.0.0.1", port));
            client.resume();
            let rounds = Cell::new(0);
            client.on(event::Connect, move |()| {
                client.write("five!");
            });
            client.on(event::Close, move |_| {
                assert_eq!((client.bytes_written(), client.bytes_read()), (5, 5));
                rounds.set(rounds.get() + 1);
                if rounds.get() == 2 {
                    server.close();
                } else {
                    client.connect(("127.0.0.1", port));
                }
            });
        });
    run_to_end();
}

/// A thousand ping-pongs between a client and a half-open server, with the states at the end.
fn ping_pong(
    listen: impl Into<ListenOptions>,
    connect: impl FnOnce(Server) -> ConnectOptions + 'static,
) {
    const ROUNDS: u32 = 1000;
    let server = Server::new_with(ServerOptions::new().allow_half_open(true));
    server.on(event::Connection, move |socket| {
        server.close();
        socket
            .set_no_delay(true)
            .set_timeout(Duration::from_secs(10));
        socket.on(event::Text, move |text| {
            assert_eq!(text, "PING");
            assert_eq!(socket.ready_state(), ReadyState::Open);
            socket.write("PONG");
        });
        socket.on(event::End, move |()| {
            assert_eq!(socket.ready_state(), ReadyState::WriteOnly);
            assert!(socket.writable());
            socket.end();
        });
    });
    let counted = Rc::new(Cell::new(0));
    let count = Rc::clone(&counted);
    server.listen(listen).once(event::Listening, move |()| {
        let client = net::connect(connect(server));
        client.write("PING");
        client.on(event::Text, move |text| {
            assert_eq!(text, "PONG");
            count.set(count.get() + 1);
            if count.get() < ROUNDS {
                client.write("PING");
            } else {
                client.end();
                assert_eq!(client.ready_state(), ReadyState::ReadOnly);
            }
        });
        client.on(event::Close, move |had_error| {
            assert!(!had_error);
            assert_eq!(client.ready_state(), ReadyState::Closed);
        });
    });
    run_to_end();
    assert_eq!(counted.get(), ROUNDS);
}

#[test]
fn a_thousand_ping_pongs_over_ipv4() {
    ping_pong(("127.0.0.1", 0), |server| {
        ConnectOptions::new(port_of(server)).host("127.0.0.1")
    });
}

#[test]
fn a_thousand_ping_pongs_over_ipv6() {
    ping_pong(("::1", 0), |server| {
        ConnectOptions::new(port_of(server)).host("::1")
    });
}

#[test]
fn a_thousand_ping_pongs_over_a_path() {
    let path: PathBuf = std::env::temp_dir().join(format!("soquete-pong-{}", std::process::id()));
    let listened = path.clone();
    ping_pong(listened, move |_| ConnectOptions::path(path));
}

#[test]
fn destroy_soon_after_a_burst_delivers_all_of_it() {
    let total = 3 << 20;
    pair(move |socket, peer| {
        socket.write(pattern(total));
        socket.destroy_soon();
        let received = collect(peer);
        peer.on(event::End, move |()| {
            assert!(*received.borrow() == pattern(total))
        });
    });
    run_to_end();
}

#[test]
fn a_reader_that_is_destroyed_early_fails_the_writer_once_and_closes_both() {
    let record = Record::default();
    let events = record.clone();
    pair(move |writer, reader| {
        events.watch("writer", writer);
        writer.write(vec![0; 30 << 20]);
        reader.on(event::Data, move |_| {
            reader.destroy();
        });
    });
    run_to_end();
    let text = record.text();
    assert_eq!(text.matches("writer.error").count(), 1, "{text}");
    assert!(text.ends_with("writer.close(true)"), "{text}");
}
