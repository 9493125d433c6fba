//! The life of a TCP socket: connecting, what it can be asked, both ways of half-close, and writes
//! that are more than the kernel takes.

mod support;

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, ConnectOptions, Data, Family, ReadyState, ServerOptions, Socket};
use soquete::{event, timers};
use support::record::pattern;
use support::{
    echo_server, listening_on, note, of, outsider, pair, pair_of, record, run_to_end, watch,
};

/// More than a loopback connection's buffers take at once.
const MUCH: usize = 16 << 20;

/// Collects what a socket receives and calls `with` with it at the end.
fn collect(socket: Socket, with: impl FnOnce(Vec<u8>) + 'static) {
    let bytes = Rc::new(RefCell::new(Vec::new()));
    let all = Rc::clone(&bytes);
    socket.on(event::Data, move |chunk| bytes.borrow_mut().extend(chunk));
    socket.once(event::End, move |()| with(all.take()));
}

#[test]
fn the_first_conversation_over_ipv4_and_ipv6() {
    for (host, any, family) in [
        ("127.0.0.1", IpAddr::V4(Ipv4Addr::LOCALHOST), Family::V4),
        ("::1", IpAddr::V6(Ipv6Addr::LOCALHOST), Family::V6),
    ] {
        let server = net::create_server(move |socket| {
            watch("server", socket);
            assert_eq!(
                (socket.local_address(), socket.local_family()),
                (Some(any), Some(family))
            );
            assert_eq!(socket.remote_family(), Some(family));
            socket.on(event::Data, move |_| {
                socket.write("hello, client");
            });
        });
        listening_on(server, host, move |server, port| {
            let client = net::connect((host, port));
            watch("client", client);
            client.on(event::Connect, move |()| {
                assert_eq!(
                    (client.remote_address(), client.remote_port()),
                    (Some(any), Some(port))
                );
                assert_ne!(client.local_port(), Some(0));
                client.write("hello");
            });
            client.on(event::Data, move |_| {
                client.end();
                server.close();
            });
        });
        run_to_end();
        let record = record();
        assert_eq!(
            of("server", &record),
            ["data 5", "end", "finish", "close false"]
        );
        assert_eq!(
            of("client", &record),
            [
                "connect",
                "ready",
                "data 13",
                "finish",
                "end",
                "close false"
            ]
        );
    }
}

#[test]
fn a_socket_tells_where_it_is_in_its_life() {
    pair(|server, client| {
        server.on(event::End, move |()| {
            assert_eq!(server.ready_state(), ReadyState::WriteOnly);
            assert!(server.writable() && !server.readable() && server.readable_ended());
        });
        server.resume();
        assert_eq!(client.ready_state(), ReadyState::Open);
        assert!(!client.connecting() && !client.pending() && !client.destroyed());
        client.end();
        assert_eq!(client.ready_state(), ReadyState::ReadOnly);
        assert!(client.writable_ended() && !client.writable_finished() && !client.writable());
        client.on(event::Finish, move |()| assert!(client.writable_finished()));
        client.on(event::Close, move |_| {
            assert!(client.destroyed());
            assert_eq!(client.ready_state(), ReadyState::Closed);
            note("closed");
        });
        client.resume();
    });
    run_to_end();
    assert_eq!(record(), ["closed"]);

    echo_server(|server, port| {
        let client = net::connect(("127.0.0.1", port));
        assert!(client.connecting() && client.pending());
        assert_eq!(client.ready_state(), ReadyState::Opening);
        assert_eq!(
            (client.local_address(), client.remote_address()),
            (None, None)
        );
        client.on(event::Connect, move |()| {
            server.close();
            client.destroy();
            assert!(client.destroyed());
        });
    });
    run_to_end();
}

#[test]
fn counters_count_what_was_queued_and_what_came() {
    pair(|server, client| {
        server.on(event::Data, move |chunk| {
            assert_eq!(server.bytes_read(), chunk.len() as u64);
            server.end_with("12345");
            assert_eq!(server.bytes_written(), 5);
        });
        client.write("123");
        client.write("4567");
        assert_eq!(client.bytes_written(), 7);
        assert_eq!(client.writable_length(), 0, "the kernel has it by now");
        client.resume();
        client.on(event::Close, move |_| {
            assert_eq!((client.bytes_read(), client.bytes_written()), (5, 7));
            note("closed");
        });
    });
    run_to_end();
    assert_eq!(record(), ["closed"]);
}

#[test]
fn the_remote_address_stays_known_if_it_was_asked_for_in_time() {
    pair(|server, client| {
        let address = server.remote_socket_addr();
        assert!(address.is_some());
        assert_eq!(address, client.local_socket_addr());
        assert_eq!(
            address.map(Into::into),
            client.address(),
            "under Node's name"
        );
        server.on(event::Close, move |_| {
            assert_eq!(server.remote_socket_addr(), address);
            assert_eq!(server.local_socket_addr(), None);
        });
        client.on(event::Close, move |_| {
            assert_eq!(client.remote_socket_addr(), None)
        });
        client.resume();
        server.destroy();
    });
    run_to_end();
}

#[test]
fn the_other_half_ends_by_itself_after_end() {
    pair(|server, client| {
        watch("server", server);
        watch("client", client);
        server.on(event::End, move |()| {
            // Still possible here: this end follows a tick later.
            server.write("last words");
        });
        client.end_with("x");
    });
    run_to_end();
    let record = record();
    assert_eq!(
        of("server", &record),
        ["data 1", "end", "finish", "close false"]
    );
    assert_eq!(
        of("client", &record),
        ["finish", "data 10", "end", "close false"]
    );
}

#[test]
fn the_other_half_stays_open_when_half_open_is_allowed() {
    pair_of(
        ServerOptions::new().allow_half_open(true),
        |options| options,
        |server, client| {
            watch("server", server);
            watch("client", client);
            server.on(event::End, move |()| {
                timers::set_timeout(Duration::from_millis(10), move || {
                    assert_eq!(server.ready_state(), ReadyState::WriteOnly);
                    assert!(server.allow_half_open());
                    server.end_with("much later");
                });
            });
            client.end_with("x");
        },
    );
    run_to_end();
    let record = record();
    assert_eq!(
        of("server", &record),
        ["data 1", "end", "finish", "close false"]
    );
    assert_eq!(
        of("client", &record),
        ["finish", "data 10", "end", "close false"]
    );
}

#[test]
fn half_open_on_both_sides_needs_both_to_end() {
    pair_of(
        ServerOptions::new().allow_half_open(true),
        |options| options.allow_half_open(true),
        |server, client| {
            server.on(event::End, move |()| {
                note("server: end");
                server.write("one ");
                timers::set_immediate(move || {
                    server.end_with("two");
                });
            });
            server.resume();
            collect(client, |bytes| note(String::from_utf8(bytes).unwrap()));
            client.on(event::Close, |_| note("client: close"));
            client.end();
        },
    );
    run_to_end();
    assert_eq!(record(), ["server: end", "one two", "client: close"]);
}

#[test]
fn more_than_the_kernel_takes_is_queued_told_of_and_drained_once() {
    pair(|server, client| {
        let sent = pattern(MUCH);
        let expected = sent.clone();
        collect(server, move |bytes| {
            assert!(bytes == expected, "every byte in its place")
        });
        watch("client", client);
        assert!(!client.write(sent));
        let left = client.writable_length();
        assert!(left > 0 && left <= MUCH && client.writable_need_drain());
        client.on(event::Drain, move |()| {
            assert!(!client.writable_need_drain());
            assert_eq!(client.writable_length(), 0);
            client.end();
        });
    });
    run_to_end();
    let record = record();
    assert_eq!(
        of("client", &record),
        ["drain", "finish", "end", "close false"]
    );
}

#[test]
fn every_kind_of_data_arrives_in_order_with_its_callbacks() {
    pair(|server, client| {
        let mut expected = Vec::new();
        let called = Rc::new(Cell::new(0));
        for index in 0..400 {
            let bytes = pattern(index * 37 % 9_000 + usize::from(index % 40 == 0) * 200_000);
            expected.extend(&bytes);
            let called = Rc::clone(&called);
            let callback = move |outcome: soquete::Result<()>| {
                outcome.unwrap();
                assert_eq!(
                    called.replace(index + 1),
                    index,
                    "in the order of the writes"
                );
            };
            match index % 5 {
                0 => client.write_then(bytes, callback),
                1 => client.write_then(&bytes, callback),
                2 => client.write_then(Rc::<[u8]>::from(bytes), callback),
                3 => client.write_then(std::sync::Arc::<[u8]>::from(bytes), callback),
                _ => client.write_then(Data::from_static(Vec::leak(bytes)), callback),
            };
        }
        client.end_then(move |outcome| {
            outcome.unwrap();
            assert_eq!(called.get(), 400);
            note("finished");
        });
        collect(server, move |bytes| {
            assert!(bytes == expected, "every byte in its place")
        });
        client.resume();
    });
    run_to_end();
    assert_eq!(record(), ["finished"]);
}

#[test]
fn a_queue_past_its_limit_destroys_the_socket_and_no_other() {
    pair(|server, client| {
        server.resume();
        client.on(event::Close, |_| note("neighbour closed"));
        timers::set_timeout(Duration::from_millis(5), move || {
            client.end();
        });
    });
    let server = net::create_server_with(ServerOptions::new().max_write_queue(1 << 20), |socket| {
        socket.on(event::Error, |error| note(error.code()));
        socket.on(event::Close, |had_error| note(format!("close {had_error}")));
        assert!(!socket.write(vec![0; MUCH]));
        assert!(socket.destroyed());
        assert!(!socket.write("more"));
    });
    server.on(event::Connection, move |_| {
        server.close();
    });
    listening_on(server, "127.0.0.1", |_, port| {
        let slow = Cell::new(Some(outsider(port)));
        timers::set_timeout(Duration::from_millis(20), move || drop(slow.take()));
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "ERR_SOCKET_WRITE_QUEUE_FULL",
            "close true",
            "neighbour closed"
        ]
    );
}

#[test]
fn sixteen_small_frames_are_answered_by_one_system_call() {
    let peer: Rc<RefCell<Option<TcpStream>>> = Rc::default();
    let other_end = Rc::clone(&peer);
    let server = net::create_server(|socket| {
        socket.server().unwrap().close();
        socket.on(event::Data, move |chunk| {
            let before = soquete::metrics();
            for frame in chunk.chunks(8) {
                assert!(socket.write(frame));
            }
            timers::next_tick(move || {
                let after = soquete::metrics();
                assert_eq!(after.writes - before.writes, 1);
                assert_eq!(after.bytes_written - before.bytes_written, 128);
                note("answered");
                socket.destroy_soon();
            });
        });
    });
    listening_on(server, "127.0.0.1", move |_, port| {
        let mut peer = outsider(port);
        peer.write_all(&pattern(128)).unwrap();
        other_end.replace(Some(peer));
    });
    run_to_end();
    let mut answer = Vec::new();
    peer.take().unwrap().read_to_end(&mut answer).unwrap();
    assert_eq!(answer, pattern(128));
    assert_eq!(record(), ["answered"]);
}

#[test]
fn a_message_and_its_answer_cost_one_read_and_one_write_each() {
    const ROUNDS: u64 = 200;
    let before = Rc::new(Cell::new(None));
    let begin = Rc::clone(&before);
    pair(move |server, client| {
        server.on(event::Data, move |chunk| {
            server.write(chunk);
        });
        let mut round = 0;
        client.on(event::Data, move |chunk| {
            round += 1;
            if round == ROUNDS {
                let after = soquete::metrics();
                let before: soquete::Metrics = begin.get().unwrap();
                // Each round is two messages: there and back.
                assert!(after.reads - before.reads <= 2 * ROUNDS, "{}", after.reads);
                assert_eq!(after.writes - before.writes, 2 * ROUNDS);
                client.end();
                note("done");
            } else {
                client.write(chunk);
            }
        });
        before.set(Some(soquete::metrics()));
        client.write("ping");
    });
    run_to_end();
    assert_eq!(record(), ["done"]);
}

#[test]
fn pausing_keeps_data_back_and_the_kernel_slows_the_sender_down() {
    pair(|server, client| {
        let (got, paused) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let count = Rc::clone(&got);
        server.on(event::Data, move |chunk| {
            assert!(!paused.get(), "no data while paused");
            let before = count.replace(count.get() + chunk.len());
            if before > 1 << 20 || count.get() <= 1 << 20 {
                return;
            }
            paused.set(true);
            server.pause();
            let paused = Rc::clone(&paused);
            timers::set_timeout(Duration::from_millis(20), move || {
                let kept = server.readable_length();
                assert!(
                    kept > 0 && kept < 128 * 1024,
                    "as much as the mark says: {kept}"
                );
                paused.set(false);
                server.resume();
            });
        });
        server.on(event::End, move |()| {
            assert_eq!(got.get(), MUCH);
            note("all of it");
        });
        client.resume();
        client.end_with(vec![1; MUCH]);
    });
    run_to_end();
    assert_eq!(record(), ["all of it"]);
}

#[test]
fn a_socket_that_is_destroyed_in_its_own_data_listener_gets_no_more() {
    pair(|server, client| {
        watch("server", server);
        server.on(event::Data, move |_| {
            server.destroy();
        });
        watch("client", client);
        client.write(vec![0; 1 << 20]);
    });
    run_to_end();
    let record = record();
    let lines = of("server", &record);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("data"));
    assert_eq!(lines[1], "close false");
}

#[test]
fn destroy_soon_sends_what_was_written_and_waits_for_nobody() {
    pair_of(
        ServerOptions::new().allow_half_open(true),
        |options| options.allow_half_open(true),
        |server, client| {
            collect(server, move |bytes| {
                note(format!("got {}", bytes.len()));
                server.destroy();
            });
            client.write(vec![0; 100_000]);
            client.destroy_soon();
            client.on(event::Close, |had_error| note(format!("close {had_error}")));
        },
    );
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["close false", "got 100000"]);
}

#[test]
fn text_is_written_by_the_macros_of_the_standard_library() {
    pair(|server, client| {
        let mut writer = client;
        writeln!(writer, "{} and two", 1).unwrap();
        writer.flush().unwrap();
        collect(server, |bytes| note(String::from_utf8(bytes).unwrap()));
        client.resume();
        client.end();
        assert!(write!(writer, "too late").is_err());
        client.on(event::Error, |error| note(error.code()));
    });
    run_to_end();
    let record = record();
    assert!(
        record.contains(&"ERR_STREAM_WRITE_AFTER_END".to_owned()),
        "{record:?}"
    );
    assert!(record.contains(&"1 and two\n".to_owned()), "{record:?}");
}

#[test]
fn a_socket_can_be_connected_again_when_it_has_closed() {
    echo_server(|server, port| {
        let client = net::connect(ConnectOptions::from(("127.0.0.1", port)));
        let mut lives = 0;
        client.on(event::Connect, move |()| {
            client.write("x");
        });
        client.on(event::Data, move |_| {
            client.end();
        });
        client.on(event::Close, move |_| {
            lives += 1;
            note(format!("life {lives}: {}", client.bytes_read()));
            if lives < 3 {
                client.connect(("127.0.0.1", port));
            } else {
                server.close();
            }
        });
    });
    run_to_end();
    assert_eq!(record(), ["life 1: 1", "life 2: 1", "life 3: 1"]);
}

/// A read stops at the mark of urgent data, which is not in the stream, as it does in Node.
#[cfg(target_os = "linux")]
#[test]
fn what_comes_behind_urgent_data_is_read_as_well() {
    let server = net::create_server(|socket| {
        let mut all = Vec::new();
        socket.on(event::Data, move |chunk| {
            all.extend_from_slice(chunk);
            if all.len() == 6 {
                note(String::from_utf8_lossy(&all));
                socket.destroy();
                socket.server().unwrap().close();
            }
        });
    });
    // No end of the connection is to tell of the rest.
    let held = Rc::new(Cell::new(None));
    let hold = Rc::clone(&held);
    listening_on(server, "127.0.0.1", move |_, port| {
        let mut peer = outsider(port);
        peer.write_all(b"abc").unwrap();
        socket2::SockRef::from(&peer)
            .send_out_of_band(b"!")
            .unwrap();
        peer.write_all(b"def").unwrap();
        hold.set(Some(peer));
    });
    run_to_end();
    assert_eq!(record(), ["abcdef"]);
    assert!(held.take().is_some());
}
