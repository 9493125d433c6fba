//! Several addresses, of which the first does not answer at all.

#![cfg(target_os = "linux")]

mod support;

use std::io::Write;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket as RawSocket, Type};
use soquete::net::{self, ConnectOptions, Socket};
use soquete::{Error, event, timers};
use support::{note, record, run_to_end};

/// A port of one address on which connects hang: its backlog is full, and nobody accepts.
struct Hole {
    port: u16,
    _listener: RawSocket,
    _waiting: Vec<TcpStream>,
}

/// Makes a hole at `host`, on a port that is free.
fn hole(host: &str) -> Hole {
    let host: IpAddr = host.parse().unwrap();
    let listener = RawSocket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address: SockAddr = std::net::SocketAddr::new(host, 0).into();
    listener.bind(&address).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let patience = Duration::from_millis(150);
    // As many as the kernel takes: one that it does not answer shows that it is full.
    let waiting = std::iter::from_fn(|| TcpStream::connect_timeout(&address, patience).ok());
    let waiting: Vec<TcpStream> = waiting.take(16).collect();
    assert!(waiting.len() < 16, "the backlog does not fill");
    Hole {
        port: address.port(),
        _listener: listener,
        _waiting: waiting,
    }
}

fn to(port: u16, addresses: &'static [&'static str]) -> ConnectOptions {
    ConnectOptions::new(port)
        .host("x")
        .auto_select_family_attempt_timeout(Duration::from_millis(20))
        .lookup(move |_, _, done| {
            let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
            timers::set_immediate(move || done(Ok(addresses)));
        })
}

fn watch(socket: Socket) -> Socket {
    socket
        .on(event::ConnectionAttempt, |a| {
            note(format!("attempt {}", a.address))
        })
        .on(event::ConnectionAttemptTimeout, |a| {
            note(format!("timeout {}", a.address))
        })
        .on(event::ConnectionAttemptFailed, |failed| {
            note(format!(
                "failed {} {}",
                failed.attempt.address,
                failed.error.code()
            ));
        })
        .on(event::Connect, |()| note("connect"))
        .on(event::Error, |error| {
            let each: Vec<&str> = error.errors().iter().map(|e| e.code()).collect();
            note(format!("error {} [{}]", error.code(), each.join(" ")));
        })
        .on(event::Close, |had_error| note(format!("close {had_error}")))
}

#[test]
fn the_second_address_is_tried_when_the_first_does_not_answer() {
    let hole = hole("127.0.0.2");
    let server = net::create_server(|socket| {
        socket.end();
    });
    server.listen(("127.0.0.1", hole.port));
    server.once(event::Listening, move |()| {
        let client = watch(net::connect(to(hole.port, &["127.0.0.2", "127.0.0.1"])));
        client.once(event::Close, move |_| {
            server.close();
            drop(hole);
        });
        client.on(event::Connect, move |()| {
            let attempted = client.auto_select_family_attempted_addresses().unwrap();
            assert!(attempted[0].starts_with("127.0.0.2:"), "{attempted:?}");
            assert!(attempted[1].starts_with("127.0.0.1:"), "{attempted:?}");
        });
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "attempt 127.0.0.2",
            "timeout 127.0.0.2",
            "attempt 127.0.0.1",
            "connect",
            "close false"
        ]
    );
}

#[test]
fn a_connection_that_came_up_before_the_run_was_interrupted_is_not_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let timeout = Duration::from_millis(20);
    let options = ConnectOptions::new(port)
        .host("x")
        .auto_select_family_attempt_timeout(timeout)
        .lookup(|_, _, done| {
            timers::set_immediate(|| {
                // In the same batch, and before the connection: what interrupts the run.
                let (mut other, ours) = UnixStream::pair().unwrap();
                other.write_all(b"x").unwrap();
                let socket = Socket::from_std(ours).unwrap();
                socket.on(event::Data, move |_| {
                    socket.destroy_with(Error::new("EXAMPLE", "nobody listens"));
                });
                let addresses = ["127.0.0.1", "127.0.0.2"].map(|a| a.parse().unwrap());
                done(Ok(addresses.to_vec()));
            });
        });
    let client = watch(net::connect(options));
    client.on(event::Connect, move |()| {
        client.destroy();
    });
    let interrupted = soquete::run().unwrap_err();
    assert_eq!(interrupted.code(), "EXAMPLE");
    assert_eq!(record(), ["attempt 127.0.0.1"]);
    std::thread::sleep(2 * timeout);
    run_to_end();
    assert_eq!(
        record(),
        ["connect", "close false"],
        "the attempt has not timed out"
    );
}

#[test]
fn the_aggregate_has_the_code_of_the_first_error() {
    let hole = hole("127.0.0.2");
    watch(net::connect(to(hole.port, &["127.0.0.2", "127.0.0.3"])));
    run_to_end();
    assert_eq!(
        record(),
        [
            "attempt 127.0.0.2",
            "timeout 127.0.0.2",
            "attempt 127.0.0.3",
            "failed 127.0.0.3 ECONNREFUSED",
            "error ETIMEDOUT [ETIMEDOUT ECONNREFUSED]",
            "close true"
        ]
    );
}

#[test]
fn the_last_address_is_not_given_up() {
    let hole = hole("127.0.0.2");
    let client = watch(net::connect(to(hole.port, &["127.0.0.3", "127.0.0.2"])));
    client.on(event::ConnectionAttempt, move |attempt| {
        if attempt.address == "127.0.0.2" {
            timers::set_timeout(Duration::from_millis(100), move || {
                note(format!("connecting {}", client.connecting()));
                client.destroy();
            });
        }
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "attempt 127.0.0.3",
            "failed 127.0.0.3 ECONNREFUSED",
            "attempt 127.0.0.2",
            "connecting true",
            "failed 127.0.0.2 ECANCELED",
            "close false"
        ]
    );
}

#[test]
fn destroying_in_the_listener_of_a_timeout_ends_it_all() {
    let hole = hole("127.0.0.2");
    let client = watch(net::connect(to(hole.port, &["127.0.0.2", "127.0.0.3"])));
    client.on(event::ConnectionAttemptTimeout, move |_| {
        client.destroy();
    });
    run_to_end();
    assert_eq!(
        record(),
        ["attempt 127.0.0.2", "timeout 127.0.0.2", "close false"]
    );
}

#[test]
fn one_address_is_not_given_up_at_all() {
    let hole = hole("127.0.0.2");
    let client = watch(net::connect(to(hole.port, &["127.0.0.2"])));
    client.on(event::ConnectionAttempt, move |_| {
        timers::set_timeout(Duration::from_millis(100), move || {
            client.destroy();
        });
    });
    run_to_end();
    assert_eq!(record(), ["attempt 127.0.0.2", "close false"]);
}
