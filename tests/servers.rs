//! The life of a server: listening, taking connections, and closing.

mod support;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, Address, ListenOptions, Server, ServerOptions};
use soquete::{event, timers};
use support::{echo_server, listening_on, note, outsider, pair, port_of, record, run_to_end};

fn quiet_server() -> Server {
    net::create_server(|socket| {
        socket.resume();
    })
}

fn closing_with_its_last_connection(server: Server, count: usize) {
    let mut left = count;
    server.on(event::Connection, move |_| {
        left -= 1;
        if left == 0 {
            server.close();
        }
    });
}

#[test]
fn a_server_has_its_port_at_once_and_says_so_on_the_next_tick() {
    let server = quiet_server();
    assert!(!server.listening() && server.address().is_none());
    server.on(event::Listening, move |()| {
        note("listening");
        server.close();
        assert!(!server.listening() && server.address().is_none());
    });
    server.on(event::Close, |had_error| note(format!("close {had_error}")));
    server.listen(0);
    assert!(server.listening());
    assert_ne!(port_of(server), 0);
    timers::next_tick(|| note("later tick"));
    run_to_end();
    assert_eq!(record(), ["listening", "later tick", "close false"]);
}

#[test]
fn it_listens_where_it_is_told() {
    for (host, expected) in [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("localhost", ""),
    ] {
        listening_on(quiet_server(), host, move |server, port| {
            let Some(Address::Tcp(address)) = server.address() else {
                panic!("an IP address");
            };
            assert_eq!(address.port(), port);
            assert!(address.ip().is_loopback());
            if !expected.is_empty() {
                assert_eq!(address.ip().to_string(), expected);
            }
            server.close();
        });
    }
    run_to_end();
}

#[test]
fn without_a_host_it_takes_both_families() {
    let server = quiet_server();
    closing_with_its_last_connection(server, 2);
    server.on(event::Connection, |socket| {
        note(format!(
            "{:?}",
            socket.remote_address().map(|ip| ip.to_canonical())
        ));
    });
    server.listen(0);
    for host in ["127.0.0.1", "::1"] {
        net::connect((host, port_of(server))).end();
    }
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["Some(127.0.0.1)", "Some(::1)"]);
}

#[test]
fn ipv6_only_is_not_for_ipv4() {
    let options = ListenOptions::new(0).host("::").ipv6_only(true);
    let server = quiet_server();
    server.on(event::Listening, move |()| {
        let port = port_of(server);
        let refused = net::connect(("127.0.0.1", port));
        refused.on(event::Error, |error| note(error.code()));
        refused.on(event::Close, move |_| {
            let taken = net::connect(("::1", port));
            taken.on(event::Connect, move |()| {
                note("connected");
                taken.end();
                server.close();
            });
        });
    });
    server.listen(options);
    run_to_end();
    assert_eq!(record(), ["ECONNREFUSED", "connected"]);
}

#[test]
fn two_servers_share_a_port_by_reuse_port() {
    let first = quiet_server();
    first.listen(ListenOptions::new(0).host("127.0.0.1").reuse_port(true));
    first.on(event::Listening, move |()| {
        let address = SocketAddr::from(([127, 0, 0, 1], port_of(first)));
        let second = quiet_server();
        second.on(event::Listening, move |()| {
            note("both");
            first.close();
            second.close();
        });
        second.listen(ListenOptions::from(address).reuse_port(true));
    });
    run_to_end();
    assert_eq!(record(), ["both"]);
}

#[test]
fn close_waits_for_the_connections_and_takes_no_more() {
    let server = echo_server(|server, port| {
        let client = net::connect(("127.0.0.1", port));
        client.on(event::Data, move |_| {
            assert_eq!(server.connections(), 1);
            server.close();
            assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
            timers::set_timeout(Duration::from_millis(5), move || {
                note("still there");
                assert_eq!(server.connections(), 1);
                client.end();
            });
        });
        client.write("x");
    });
    server.on(event::Close, move |_| {
        assert_eq!(server.connections(), 0);
        note("close");
    });
    run_to_end();
    assert_eq!(record(), ["still there", "close"]);
}

#[test]
fn close_tells_its_callback_whether_it_was_listening() {
    let server = quiet_server();
    server.close_then(|outcome| note(outcome.unwrap_err().code()));
    run_to_end();
    let server = quiet_server().listen(0);
    server.close_then(|outcome| note(format!("{outcome:?}")));
    server.close_then(|outcome| note(outcome.unwrap_err().code()));
    run_to_end();
    server.close_then(|outcome| note(format!("stale: {}", outcome.unwrap_err().code())));
    run_to_end();
    assert_eq!(
        record(),
        [
            "ERR_SERVER_NOT_RUNNING",
            "Ok(())",
            "ERR_SERVER_NOT_RUNNING",
            "stale: ERR_SERVER_NOT_RUNNING",
        ]
    );
}

#[test]
fn close_is_emitted_once_however_often_it_is_asked_for() {
    let server = quiet_server();
    server.on(event::Close, |_| note("close"));
    server.listen(0);
    server.close().close();
    timers::next_tick(move || {
        server.close();
    });
    run_to_end();
    assert_eq!(record(), ["close"]);
}

#[test]
fn closed_in_the_turn_in_which_it_was_told_to_listen_it_never_listens() {
    let server = quiet_server();
    server.on(event::Listening, |()| note("listening"));
    server.on(event::Close, |_| note("close"));
    server.listen(0).close();
    run_to_end();
    assert_eq!(record(), ["close"]);
}

#[test]
fn it_can_listen_again_from_its_close_listener() {
    let server = quiet_server();
    let mut lives = 0;
    server.on(event::Listening, move |()| {
        note("listening");
        server.close();
    });
    server.on(event::Close, move |_| {
        lives += 1;
        note("close");
        if lives < 3 {
            server.listen(0);
        }
    });
    server.listen(0);
    run_to_end();
    assert_eq!(record(), ["listening", "close"].repeat(3));
}

#[test]
fn a_close_among_the_listeners_of_close_is_answered() {
    let server = quiet_server();
    server.on(event::Close, |_| note("close"));
    server.once(event::Close, move |_| {
        server.close_then(|outcome| note(outcome.unwrap_err().code()));
    });
    server.listen(0).close_then(move |outcome| {
        note(format!("{outcome:?}"));
        server.close_then(|_| note("in a callback"));
    });
    run_to_end();
    let answers = ["close", "Ok(())", "ERR_SERVER_NOT_RUNNING", "in a callback"];
    assert_eq!(record(), answers);
}

#[test]
fn what_listens_again_and_is_closed_among_the_listeners_of_close_is_closed_once_more() {
    let server = quiet_server();
    server.on(event::Close, |_| note("close"));
    server.once(event::Close, move |_| {
        server.listen(0);
    });
    server.once(event::Close, move |_| {
        server.close_then(|outcome| note(format!("{outcome:?}")));
    });
    server.listen_then(0, |server| {
        server.close();
    });
    run_to_end();
    assert_eq!(record(), ["close", "close", "Ok(())"]);
}

#[test]
fn many_that_wait_are_taken_in_several_turns_so_that_others_have_theirs() {
    const COUNT: usize = 300;
    let turns = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&turns);
    let server = net::create_server(move |socket| {
        seen.borrow_mut().push(soquete::metrics().turns);
        socket.destroy();
    });
    closing_with_its_last_connection(server, COUNT);
    let peers = Rc::new(RefCell::new(Vec::new()));
    let waiting = Rc::clone(&peers);
    listening_on(server, "127.0.0.1", move |_, port| {
        waiting
            .borrow_mut()
            .extend((0..COUNT).map(|_| outsider(port)));
    });
    run_to_end();
    let turns = turns.take();
    assert_eq!(turns.len(), COUNT);
    let in_one = turns.chunk_by(|a, b| a == b).map(<[u64]>::len).max();
    assert!(in_one < Some(COUNT / 2), "{in_one:?} in one turn");
    assert_eq!(peers.borrow().len(), COUNT);
}

#[test]
fn connections_are_counted_until_they_are_destroyed() {
    pair(|server, client| {
        let of = server.server().unwrap();
        assert_eq!(of.connections(), 1);
        of.get_connections(|count| note(format!("{count:?}")));
        client.resume();
        server.on(event::Close, move |_| assert_eq!(of.connections(), 0));
        timers::set_immediate(move || {
            server.destroy();
            assert_eq!(of.connections(), 0, "at once, as in Node");
        });
    });
    run_to_end();
    assert_eq!(record(), ["Ok(1)"]);
}

#[test]
fn beyond_the_limit_connections_are_dropped_until_there_is_room() {
    let server = net::create_server(|_| note("connection"));
    server.set_max_connections(Some(1));
    assert_eq!(server.max_connections(), Some(1));
    server.on(event::Drop, |info| {
        assert!(info.local.is_some() && info.remote.is_some());
        note("drop");
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let first = net::connect(("127.0.0.1", port));
        first.resume().on(event::Connect, move |()| {
            let second = net::connect(("127.0.0.1", port));
            second.resume().on(event::Close, move |_| {
                first.end();
            });
        });
        let third = Rc::new(Cell::new(true));
        server.on(event::Connection, move |socket| {
            let third = Rc::clone(&third);
            socket.resume().on(event::Close, move |_| {
                if third.replace(false) {
                    net::connect(("127.0.0.1", port)).end();
                } else {
                    server.close();
                }
            });
        });
    });
    run_to_end();
    assert_eq!(record(), ["connection", "drop", "connection"]);
}

#[test]
fn the_options_of_a_server_are_those_of_its_sockets() {
    let options = ServerOptions::new()
        .allow_half_open(true)
        .pause_on_connect(true)
        .high_water_mark(1234)
        .no_delay(true)
        .keep_alive(Duration::from_secs(9));
    let server = net::create_server_with(options, |socket| {
        assert!(socket.allow_half_open() && socket.is_paused());
        assert_eq!(socket.readable_flowing(), Some(false));
        assert_eq!(socket.writable_high_water_mark(), 1234);
        assert_eq!(socket.readable_high_water_mark(), 1234);
        socket.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
        timers::set_timeout(Duration::from_millis(5), move || {
            assert_eq!(
                socket.bytes_read(),
                0,
                "nothing is read before it is resumed"
            );
            socket.resume();
            socket.end();
        });
    });
    closing_with_its_last_connection(server, 1);
    listening_on(server, "127.0.0.1", |_, port| {
        let client = net::connect(("127.0.0.1", port));
        client.resume().end_with("x");
    });
    run_to_end();
    assert_eq!(record(), ["x"]);
}

#[test]
fn a_connection_that_was_reset_before_it_was_taken_disturbs_nobody() {
    let server = quiet_server();
    closing_with_its_last_connection(server, 4);
    server.on(event::Connection, |socket| {
        socket.on(event::Error, |error| note(error.code()));
        socket.on(event::Close, |_| note("close"));
    });
    listening_on(server, "127.0.0.1", |_, port| {
        for index in 0..4 {
            let peer = outsider(port);
            if index % 2 == 0 {
                support::reset(peer).unwrap();
            }
        }
    });
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(
        record,
        [
            "ECONNRESET",
            "ECONNRESET",
            "close",
            "close",
            "close",
            "close"
        ]
    );
}

#[test]
fn a_server_that_is_closed_while_a_connection_is_prepared_does_not_get_it() {
    let server = Rc::new(Cell::new(None::<Server>));
    let itself = Rc::clone(&server);
    let options = ServerOptions::new().prepare(move |_| {
        note("prepare");
        if let Some(server) = itself.take() {
            server.close();
        }
        Ok(())
    });
    server.set(Some(net::create_server_with(options, |_| {
        note("connection")
    })));
    let listens = server.get().expect("it was set");
    listens.on(event::Close, |_| note("close"));
    listening_on(listens, "127.0.0.1", |_, port| {
        let client = net::connect(("127.0.0.1", port)).resume();
        // The server's end is closed, by an end or a reset.
        client.on(event::Error, |error| assert_eq!(error.code(), "ECONNRESET"));
        client.on(event::Close, |_| note("client closed"));
    });
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["client closed", "close", "prepare"]);
}
