//! How sockets are destroyed and reset, before they connect and after: behaviours that Node's own tests of
//! `net` show. The table of those tests is `node_tests.md`.

use std::cell::RefCell;
use std::rc::Rc;

use soquete::net::{ServerOptions, Socket};
use soquete::{event, net, timers};

mod support;

use support::record::{Record, one_shot_server};
use support::{pair, pair_of, port_of, run_to_end};

/// A port that nobody listens on: one that was free a moment ago.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn a_write_that_waits_for_the_connection_is_told_that_it_never_came() {
    let record = Record::default();
    let socket = net::connect(("127.0.0.1", closed_port()));
    let note = record.clone();
    socket.write_then("parked", move |outcome| {
        note.note(outcome.expect_err("it was destroyed").code());
    });
    socket.destroy();
    run_to_end();
    assert_eq!(record.text(), "ERR_SOCKET_CLOSED_BEFORE_CONNECTION");
}

#[test]
fn a_write_to_a_destroyed_socket_fails_its_callback_and_nothing_else() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, _peer| {
        events.watch("socket", socket);
        assert_eq!(socket.destroy(), socket);
        let events = events.clone();
        let written = socket.write_then("late", move |outcome| {
            events.note(outcome.expect_err("it is destroyed").code());
        });
        assert!(!written);
    });
    run_to_end();
    assert_eq!(record.text(), "ERR_STREAM_DESTROYED socket.close(false)");
}

#[test]
fn the_ticks_of_a_cancelled_write_come_before_close() {
    let record = Record::default();
    let options = |options: net::ConnectOptions| options;
    let events = record.clone();
    pair_of(
        ServerOptions::new().pause_on_connect(true),
        options,
        move |peer, socket| {
            let closed = events.clone();
            socket.on(event::Close, move |_| {
                closed.note("close");
                peer.destroy();
            });
            let cancelled = events.clone();
            socket.write_then(vec![0; 30_000_000], move |outcome| {
                let error = outcome.expect_err("nobody reads");
                assert_eq!(error.errno(), Some(libc::ECANCELED));
                cancelled.note(error.code());
                let tick = cancelled.clone();
                timers::next_tick(move || tick.note("tick"));
                socket.write_then("more", move |outcome| {
                    cancelled.note(outcome.expect_err("it is destroyed").code());
                });
            });
            // Once the kernel has refused a part of it.
            timers::set_immediate(move || {
                socket.destroy();
            });
        },
    );
    run_to_end();
    assert_eq!(record.text(), "ECANCELED tick ERR_STREAM_DESTROYED close");
}

#[test]
fn reset_and_destroy_while_connecting_is_no_error() {
    let record = Record::default();
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.on(event::Error, |_| {});
    });
    let socket = net::connect(("127.0.0.1", port_of(server)));
    record.watch("socket", socket);
    socket.reset_and_destroy().unwrap();
    socket.destroy();
    socket.on(event::Close, move |_| {
        server.close();
    });
    run_to_end();
    assert_eq!(record.text(), "socket.close(false)");
}

#[test]
fn reset_then_destroy_then_write_resets_the_peer_and_fails_the_write() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        let reset = socket.reset_and_destroy().unwrap();
        let note = events.clone();
        reset.destroy().write_then("late", move |outcome| {
            note.note(outcome.expect_err("it is destroyed").code());
        });
        events.watch("peer", peer);
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "ERR_STREAM_DESTROYED peer.error(ECONNRESET) peer.close(true)"
    );
}

#[test]
fn reset_and_destroy_in_the_error_listener_changes_nothing() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        events.watch("socket", socket);
        socket.on(event::Error, move |_| {
            socket.reset_and_destroy().unwrap();
        });
        peer.reset_and_destroy().unwrap();
    });
    run_to_end();
    assert_eq!(record.text(), "socket.error(ECONNRESET) socket.close(true)");
}

#[test]
fn a_server_that_resets_its_sockets_closes_and_the_clients_are_told() {
    let sockets = Rc::new(RefCell::new(Vec::<Socket>::new()));
    let accepted = Rc::clone(&sockets);
    let server = net::create_server(move |socket| {
        accepted.borrow_mut().push(socket);
        if accepted.borrow().len() == 3 {
            let server = socket.server().unwrap();
            server.close();
            for socket in accepted.borrow().iter() {
                socket.reset_and_destroy().unwrap();
            }
        }
    });
    server.listen(("127.0.0.1", 0));
    let record = Record::default();
    let closed = record.clone();
    server.on(event::Close, move |_| closed.note("server.close"));
    let clients = record.clone();
    server.on(event::Listening, move |()| {
        for _ in 0..3 {
            clients.watch("c", net::connect(("127.0.0.1", port_of(server))));
        }
    });
    run_to_end();
    assert!(record.has("server.close"));
    assert_eq!(record.text().matches("c.error(ECONNRESET)").count(), 3);
}
