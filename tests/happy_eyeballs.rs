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
    hole_at(host, 0)
}

fn hole_at(host: &str, port: u16) -> Hole {
    let host: IpAddr = host.parse().unwrap();
    let listener = RawSocket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address: SockAddr = std::net::SocketAddr::new(host, port).into();
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

fn beside(port: u16, addresses: &'static [&'static str]) -> ConnectOptions {
    to(port, addresses).side_by_side(true)
}

#[test]
fn side_by_side_the_second_address_does_not_end_the_first() {
    let hole = hole("127.0.0.2");
    let server = net::create_server(|socket| socket.end());
    server.listen(("127.0.0.1", hole.port));
    server.once(event::Listening, move |()| {
        let client = watch(net::connect(beside(hole.port, &["127.0.0.2", "127.0.0.1"])));
        client.on(event::Connect, move |()| {
            assert_eq!(client.remote_address(), "127.0.0.1".parse().ok());
            let attempted = client.auto_select_family_attempted_addresses().unwrap();
            assert_eq!(attempted.len(), 2);
        });
        client.once(event::Close, move |_| {
            server.close();
            drop(hole);
        });
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "attempt 127.0.0.2",
            "attempt 127.0.0.1",
            "connect",
            "close false"
        ]
    );
}

#[test]
fn side_by_side_a_slow_address_connects_though_others_were_tried_after_it() {
    let slow = hole("127.0.0.2");
    let port = slow.port;
    // Nobody listens on the second, and the third does not answer either.
    let deaf = hole_at("127.0.0.4", port);
    let addresses: &[&str] = &["127.0.0.2", "127.0.0.3", "127.0.0.4"];
    let client = watch(net::connect(beside(port, addresses)));
    client.on(event::Connect, move |()| {
        assert_eq!(client.remote_address(), "127.0.0.2".parse().ok());
        assert!(client.write("over the first") && !client.connecting());
        client.destroy();
    });
    client.on(event::ConnectionAttempt, move |attempt| {
        if attempt.address == "127.0.0.4" {
            // Now there is room for the first, as soon as the kernel tries again.
            for _ in 0..slow._waiting.len() {
                slow._listener.accept().unwrap();
            }
        }
    });
    run_to_end();
    drop(deaf);
    assert_eq!(
        record(),
        [
            "attempt 127.0.0.2",
            "attempt 127.0.0.3",
            "failed 127.0.0.3 ECONNREFUSED",
            "attempt 127.0.0.4",
            "connect",
            "close false"
        ]
    );
}

#[test]
fn side_by_side_all_that_goes_on_goes_with_the_socket() {
    let first = hole("127.0.0.2");
    let second = hole_at("127.0.0.3", first.port);
    let client = watch(net::connect(beside(
        first.port,
        &["127.0.0.2", "127.0.0.3"],
    )));
    timers::set_timeout(Duration::from_millis(100), move || {
        let kind = soquete::ResourceKind::Socket(client);
        let resources = soquete::active_resources();
        let told = resources.iter().filter(|resource| resource.kind() == kind);
        assert_eq!(told.count(), 1, "{resources:?}");
        client.destroy();
    });
    run_to_end();
    drop((first, second));
    assert_eq!(
        record(),
        [
            "attempt 127.0.0.2",
            "attempt 127.0.0.3",
            "failed 127.0.0.3 ECANCELED",
            "close false"
        ]
    );
}

#[test]
fn a_connect_that_takes_too_long_fails_whatever_it_is_at() {
    let first = hole("127.0.0.2");
    let port = first.port;
    let second = hole_at("127.0.0.3", port);
    let limit = Duration::from_millis(60);
    // One address, several in turn, side by side, and a name that is never found.
    let one = ConnectOptions::new(port).host("127.0.0.2");
    let several = to(port, &["127.0.0.2", "127.0.0.3"]);
    let racing = beside(port, &["127.0.0.2", "127.0.0.3"]);
    let unknown = ConnectOptions::new(port)
        .host("x")
        .lookup(|_, _, done| std::mem::forget(done));
    for options in [one, several, racing, unknown] {
        let begin = std::time::Instant::now();
        let client = net::connect(options.connect_timeout(limit));
        client.on(event::Error, move |error| {
            assert!(begin.elapsed() >= limit);
            note(format!("{} {error}", error.code()));
        });
    }
    // Nothing else keeps the loop alive where a name is not found.
    timers::set_timeout(Duration::from_millis(100), || {});
    run_to_end();
    drop((first, second));
    let expected = "ERR_SOCKET_CONNECTION_TIMEOUT Socket connection timeout";
    assert_eq!(record(), [expected; 4]);
}

#[test]
fn a_connect_in_time_is_left_alone() {
    support::echo_server(|server, port| {
        let limit = Duration::from_millis(30);
        let options = ConnectOptions::new(port).host("127.0.0.1");
        let client = watch(net::connect(options.connect_timeout(limit)));
        timers::set_timeout(Duration::from_millis(80), move || client.end());
        client.on(event::Close, move |_| server.close());
    });
    run_to_end();
    assert_eq!(record(), ["attempt 127.0.0.1", "connect", "close false"]);
}

#[test]
fn side_by_side_it_fails_when_the_last_that_goes_on_does() {
    let mut first = Some(hole("127.0.0.2"));
    let port = first.as_ref().unwrap().port;
    let client = watch(net::connect(beside(port, &["127.0.0.2", "127.0.0.3"])));
    client.on(event::ConnectionAttemptFailed, move |failed| {
        if failed.attempt.address == "127.0.0.3" {
            assert!(client.connecting());
            // The kernel's next try is refused.
            first.take();
        }
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "attempt 127.0.0.2",
            "attempt 127.0.0.3",
            "failed 127.0.0.3 ECONNREFUSED",
            "failed 127.0.0.2 ECONNREFUSED",
            "error ECONNREFUSED [ECONNREFUSED ECONNREFUSED]",
            "close true"
        ]
    );
}
