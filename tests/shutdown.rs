//! Closing a server within a deadline.

use std::time::Duration;

use soquete::framing::{FrameReader, Lines};
use soquete::net::{self, Server, Socket};
use soquete::{event, timers};

mod support;
use support::{note, port_of, record, run_to_end};

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(10);

fn client(server: Server) -> Socket {
    let socket = net::connect(("127.0.0.1", port_of(server)));
    socket.on(event::Error, |error| note(error.code()))
}

/// Begins when so many are connected.
fn when_connected(server: Server, count: usize, begin: impl Fn() + 'static) {
    server.on(event::Connection, move |_| {
        if server.connections() == count {
            begin();
        }
    });
}

#[test]
fn the_idle_go_at_once_and_nobody_new_comes_in() {
    let server = net::create_server(|socket| socket.resume());
    when_connected(server, 2, move || {
        let port = port_of(server);
        server.shutdown_then(LONG, |cut| note(format!("cut {cut}")));
        assert!(!server.listening());
        net::connect(("127.0.0.1", port)).on(event::Error, |error| note(error.code()));
    });
    server.listen_then(0, |server| {
        client(server).resume();
        client(server).resume();
    });
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["ECONNREFUSED", "cut 0"]);
}

#[test]
fn the_busy_have_until_the_deadline() {
    let server = net::create_server(|socket| {
        // More than the kernel takes, and nobody reads.
        socket.on(event::Error, |_| ()).write(vec![0; 32 << 20])
    });
    when_connected(server, 2, move || {
        timers::next_tick(move || {
            server.shutdown_then(60 * MS, |cut| note(format!("cut {cut}")));
            timers::set_timeout(30 * MS, move || {
                note(format!("left {}", server.connections()))
            });
        });
    });
    server.listen_then(0, |server| {
        for _ in 0..2 {
            net::connect(("127.0.0.1", port_of(server)))
                .pause()
                .on(event::Error, |_| ())
                .once(event::Connect, |()| ());
        }
        timers::set_interval(10 * MS, move || {
            if server.connections() > 0 || server.listening() {
                return soquete::Flow::Continue;
            }
            soquete::stop();
            soquete::Flow::Stop
        });
    });
    support::run_on().unwrap();
    assert_eq!(record(), ["left 2", "cut 2"]);
}

#[test]
fn a_connection_that_becomes_idle_goes_before_the_deadline() {
    let server = net::create_server(|socket| socket.write(vec![0; 32 << 20]));
    when_connected(server, 1, move || {
        timers::next_tick(move || {
            server.shutdown_then(LONG, |cut| note(format!("cut {cut}")));
        });
    });
    server.listen_then(0, |server| {
        let reader = client(server).pause();
        timers::set_timeout(20 * MS, move || reader.resume());
        reader.on(event::Close, |had_error| note(format!("close {had_error}")));
    });
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["close false", "cut 0"]);
}

#[test]
fn a_frame_that_has_begun_is_let_finish() {
    let server = net::create_server(|socket| {
        socket.frames(FrameReader::new(Lines::new(), 80), move |line| {
            note(String::from_utf8_lossy(line));
            socket.write("ok\n")
        })
    });
    server.listen_then(0, |server| {
        let c = client(server);
        c.write("begun, ");
        timers::set_timeout(20 * MS, move || {
            assert_eq!(server.close_idle_connections(), 0);
            server.shutdown_then(LONG, |cut| note(format!("cut {cut}")));
            assert_eq!(server.connections(), 1);
            c.write("and finished\n")
        });
        c.on(event::Data, |answer| note(String::from_utf8_lossy(answer)));
    });
    run_to_end();
    assert_eq!(record(), ["begun, and finished", "ok\n", "cut 0"]);
}

#[test]
fn a_server_that_does_not_listen_tells_at_once() {
    let server = Server::new();
    server.shutdown_then(LONG, |cut| note(format!("cut {cut}")));
    run_to_end();
    server.shutdown_then(LONG, |cut| note(format!("stale {cut}")));
    run_to_end();
    assert_eq!(record(), ["cut 0", "stale 0"]);
}
