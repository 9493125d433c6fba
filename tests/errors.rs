//! What goes wrong: Node's code, system call, address, port and message, at Node's place in the order
//! of events, and nobody else harmed. The expected lines are what Node 26 prints for the same.

mod support;

use std::cell::Cell;
use std::io::Read;
use std::net::Shutdown;
use std::time::Duration;

use soquete::net::{self, ConnectOptions, Socket};
use soquete::{Error, event, timers};
use support::{listening_on, note, outsider, pair, port_of, record, reset, run_to_end};

const MUCH: usize = 16 << 20;

/// An error as `code|syscall|address|port|message`.
fn told(error: &Error) -> String {
    let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
    format!(
        "{}|{}|{}|{}|{error}",
        error.code(),
        or_none(error.syscall()),
        or_none(error.address()),
        error.port().map_or("-".to_owned(), |port| port.to_string()),
    )
}

fn outcome(name: &'static str) -> impl FnOnce(soquete::Result<()>) {
    move |outcome| match outcome {
        Ok(()) => note(format!("{name} ok")),
        Err(error) => note(format!("{name} {}", told(&error))),
    }
}

/// Records what a socket ends with.
fn watch_end(socket: Socket) -> Socket {
    socket.on(event::Error, |error| note(told(error)));
    socket.on(event::End, |()| note("end"));
    socket.on(event::Close, |had_error| note(format!("close {had_error}")))
}

fn server_that_notes_its_error() -> net::Server {
    let server = net::create_server(|_| {});
    server.on(event::Listening, |()| note("listening"));
    server.on(event::Error, move |error| {
        note(told(error));
        assert!(!server.listening());
        server.close();
    })
}

/// Calls `with` with a port on which nobody listens.
fn with_a_free_port(with: impl FnOnce(u16) + 'static) {
    let server = net::create_server(|_| {}).listen(("127.0.0.1", 0));
    let with = Cell::new(Some(with));
    server.on(event::Listening, move |()| {
        let port = port_of(server);
        if let Some(with) = with.take() {
            server.on(event::Close, {
                let with = Cell::new(Some(with));
                move |_| with.take().expect("closes once")(port)
            });
        }
        server.close();
    });
}

#[test]
fn a_port_in_use() {
    for (host, text) in [(Some("127.0.0.1"), "127.0.0.1"), (None, "::")] {
        let first = net::create_server(|_| {});
        let listen = move |server: net::Server, port| match host {
            Some(host) => server.listen((host, port)),
            None => server.listen(port),
        };
        listen(first, 0).on(event::Listening, move |()| {
            let port = port_of(first);
            let second = server_that_notes_its_error();
            listen(second, port);
            note("after listen");
            second.on(event::Close, move |_| {
                first.close();
                let expected = format!(
                    "EADDRINUSE|listen|{text}|{port}|listen EADDRINUSE: address already in use {text}:{port}"
                );
                assert_eq!(record(), ["after listen".to_owned(), expected]);
            });
        });
        run_to_end();
    }
}

#[test]
fn an_address_that_this_machine_does_not_have() {
    server_that_notes_its_error().listen(("192.0.2.1", 0));
    run_to_end();
    assert_eq!(
        record(),
        ["EADDRNOTAVAIL|listen|192.0.2.1|-|listen EADDRNOTAVAIL: address not available 192.0.2.1"]
    );
    let local = ConnectOptions::from(("127.0.0.1", 80)).local_address("192.0.2.1");
    watch_end(net::connect(local));
    run_to_end();
    assert_eq!(
        record(),
        [
            "EADDRNOTAVAIL|bind|192.0.2.1|-|bind EADDRNOTAVAIL 192.0.2.1",
            "close true"
        ]
    );
}

#[test]
fn a_local_address_that_is_not_one() {
    watch_end(net::connect(
        ConnectOptions::from(("127.0.0.1", 80)).local_address("nowhere"),
    ));
    run_to_end();
    assert_eq!(
        record(),
        [
            "ERR_INVALID_IP_ADDRESS|-|-|-|Invalid IP address: nowhere",
            "close true"
        ]
    );
}

#[test]
fn a_host_that_does_not_exist() {
    let host = "no.such.name.invalid";
    let server = server_that_notes_its_error();
    server.on(event::Error, move |error| {
        assert_eq!(error.hostname(), Some(host))
    });
    server.listen((host, 0));
    run_to_end();
    let client = net::connect((host, 80));
    client.on(event::Lookup, |found| {
        note(format!(
            "lookup {}",
            found.address.as_ref().unwrap_err().code()
        ));
    });
    watch_end(client);
    run_to_end();
    let record = record();
    // A machine without a resolver says EAI_AGAIN.
    let code = record[0].split('|').next().unwrap().to_owned();
    assert!(
        ["ENOTFOUND", "EAI_AGAIN"].contains(&code.as_str()),
        "{code}"
    );
    let error = format!("{code}|getaddrinfo|-|-|getaddrinfo {code} {host}");
    assert_eq!(
        record,
        [
            error.clone(),
            format!("lookup {code}"),
            error,
            "close true".to_owned()
        ]
    );
}

#[test]
fn listening_twice() {
    let server = net::create_server(|_| {});
    server.on(event::Error, move |error| {
        note(told(error));
        assert!(server.listening(), "the first one stands");
        server.close();
    });
    server.listen(0).listen(0);
    run_to_end();
    assert_eq!(
        record(),
        [
            "ERR_SERVER_ALREADY_LISTEN|-|-|-|Listen method has been called more than once without closing."
        ]
    );
}

#[test]
fn a_server_listens_elsewhere_when_its_port_is_in_use() {
    listening_on(net::create_server(|_| {}), "127.0.0.1", |first, port| {
        let second = net::create_server(|_| {});
        second.on(event::Error, move |error| {
            note(error.code());
            second.listen(("127.0.0.1", 0));
        });
        second.on(event::Listening, move |()| {
            note("listening");
            first.close();
            second.close();
        });
        second.listen(("127.0.0.1", port));
    });
    run_to_end();
    assert_eq!(record(), ["EADDRINUSE", "listening"]);
}

#[test]
fn a_refused_connection_fails_everything_that_waited_for_it() {
    with_a_free_port(|port| {
        let client = net::connect(("127.0.0.1", port));
        client.on(event::ConnectionAttempt, |attempt| {
            note(format!("attempt {}", attempt.address));
        });
        client.on(event::ConnectionAttemptFailed, |failed| {
            note(format!("failed {}", failed.error.code()));
        });
        client.on(event::Connect, |()| note("connect"));
        watch_end(client);
        client.write_then("x", |outcome| {
            note(format!("first {}", outcome.unwrap_err().code()));
        });
        client.write_then("y", |outcome| {
            note(format!("second {}", outcome.unwrap_err().code()));
        });
        client.end_with_then("z", |outcome| {
            note(format!("end {}", outcome.unwrap_err().code()));
        });
        client.on(event::Close, move |_| {
            let expected = format!(
                "ECONNREFUSED|connect|127.0.0.1|{port}|connect ECONNREFUSED 127.0.0.1:{port}"
            );
            // What waited is told inside of Close, in the order in which the listeners came.
            let record = record();
            assert_eq!(
                record[..3],
                ["attempt 127.0.0.1", "failed ECONNREFUSED", &expected]
            );
            note(record[3..].join(", "));
        });
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "close true, first ERR_SOCKET_CLOSED_BEFORE_CONNECTION, second ECONNREFUSED, end ECONNREFUSED"
        ]
    );
}

#[test]
fn a_connection_that_is_destroyed_before_it_is_there() {
    listening_on(net::create_server(|_| {}), "127.0.0.1", |server, port| {
        let client = net::connect(("127.0.0.1", port));
        watch_end(client);
        client.on(event::Connect, |()| note("connect"));
        client.write_then("x", outcome("write"));
        timers::next_tick(move || {
            client.destroy();
        });
        client.on(event::Close, move |_| {
            server.close();
        });
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "close false",
            "write ERR_SOCKET_CLOSED_BEFORE_CONNECTION|-|-|-|Socket closed before the connection was established",
        ]
    );
}

#[test]
fn a_write_after_end_destroys_the_socket() {
    pair(|server, client| {
        server.resume();
        watch_end(client);
        client.end_with("x");
        assert!(!client.write_then("y", outcome("write")));
        assert!(client.destroyed());
        timers::next_tick(|| note("tick"));
        timers::set_immediate(|| note("immediate"));
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "write ERR_STREAM_WRITE_AFTER_END|-|-|-|write after end",
            "ERR_STREAM_WRITE_AFTER_END|-|-|-|write after end",
            "tick",
            "immediate",
            "close true",
        ]
    );
}

#[test]
fn a_write_after_destroy_and_on_a_stale_handle_fails_its_callback_only() {
    pair(|server, client| {
        server.resume();
        watch_end(client);
        client.destroy();
        assert!(!client.write_then("x", outcome("write")));
        client.end_then(outcome("end"));
        client.on(event::Close, move |_| {
            assert!(!client.write_then("y", outcome("in close")));
            timers::set_immediate(move || {
                assert!(!client.write_then("z", outcome("stale")));
                client.end_then(outcome("stale end"));
            });
        });
    });
    run_to_end();
    let destroyed = |name: &str, call: &str| {
        format!("{name} ERR_STREAM_DESTROYED|-|-|-|Cannot call {call} after a stream was destroyed")
    };
    assert_eq!(
        record(),
        [
            destroyed("write", "write"),
            destroyed("end", "end"),
            "close false".to_owned(),
            // `end` counts on a socket that was destroyed without an error.
            "in close ERR_STREAM_WRITE_AFTER_END|-|-|-|write after end".to_owned(),
            destroyed("stale", "write"),
            destroyed("stale end", "end"),
        ]
    );
}

#[test]
fn an_end_after_the_end_fails_its_callback_only() {
    pair(|server, client| {
        server.resume();
        client.resume();
        client.on(event::Finish, move |()| {
            client.end_then(outcome("again"));
        });
        client.on(event::Error, |error| note(told(error)));
        client.on(event::Close, |had_error| note(format!("close {had_error}")));
        client.end_then(outcome("end"));
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "end ok",
            "again ERR_STREAM_ALREADY_FINISHED|-|-|-|Cannot call end after a stream was finished",
            "close false",
        ]
    );
}

#[test]
fn a_peer_that_resets_while_it_is_read() {
    pair(|server, client| {
        watch_end(client);
        client.resume();
        server.reset_and_destroy().unwrap();
        server.on(event::Close, |had_error| {
            note(format!("server close {had_error}"))
        });
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "server close false",
            "ECONNRESET|read|-|-|read ECONNRESET",
            "close true"
        ]
    );
}

#[test]
fn a_peer_that_resets_while_much_is_queued() {
    let server = net::create_server(|socket| {
        watch_end(socket);
        socket.pause();
        socket.write_then(vec![0; MUCH], |outcome| {
            note(format!("write {}", outcome.unwrap_err().code()));
        });
        socket.write_then("x", |outcome| {
            note(format!("behind {}", outcome.unwrap_err().code()));
        });
        socket.server().unwrap().close();
    });
    listening_on(server, "127.0.0.1", |_, port| {
        let peer = outsider(port);
        let mut peer = Some(peer);
        timers::set_timeout(Duration::from_millis(10), move || {
            let mut peer = peer.take().unwrap();
            peer.read_exact(&mut [0; 1000]).unwrap();
            reset(peer).unwrap();
        });
    });
    run_to_end();
    let record = record();
    assert_eq!(record.last().unwrap(), "close true");
    // The one under way is given up, the one behind it has the socket's error, as in Node.
    for line in ["write ECANCELED", "behind ECONNRESET"] {
        assert!(record.contains(&line.to_owned()), "{line} in {record:?}");
    }
    assert_eq!(
        record
            .iter()
            .filter(|line| line.contains("ECONNRESET|"))
            .count(),
        1
    );
}

#[test]
fn a_peer_that_stops_reading_and_goes_away() {
    let server = net::create_server(|socket| {
        watch_end(socket);
        socket.resume();
        socket.on(event::Data, move |_| {
            socket.write("into the void");
            note("data");
        });
        socket.server().unwrap().close();
    });
    listening_on(server, "127.0.0.1", |_, port| {
        let mut peer = outsider(port);
        timers::set_timeout(Duration::from_millis(5), move || {
            std::io::Write::write_all(&mut peer, b"x").unwrap();
            peer.shutdown(Shutdown::Read).unwrap();
        });
    });
    run_to_end();
    assert!(support::noted("data"));
    assert_eq!(record().last().unwrap(), "close false");
}

#[test]
fn a_write_to_a_peer_that_has_ended_and_was_answered_by_an_end() {
    pair(|server, client| {
        watch_end(client);
        client.resume();
        client.on(event::End, move |()| {
            timers::set_immediate(move || {
                assert!(!client.write_then("x", outcome("write")));
            });
        });
        client.write(vec![0; MUCH]);
        server.end();
        server.on(event::Error, |_| ());
        timers::set_timeout(Duration::from_millis(20), move || {
            server.resume();
        });
    });
    run_to_end();
    let error = "EPIPE|-|-|-|This socket has been ended by the other party";
    assert_eq!(
        record(),
        ["end", &format!("write {error}"), error, "close true"]
    );
}

#[test]
fn a_socket_that_was_never_connected() {
    let socket = Socket::new();
    watch_end(socket);
    assert!(!socket.write_then("x", outcome("write")));
    run_to_end();
    assert_eq!(
        record(),
        [
            "write ERR_SOCKET_CLOSED|-|-|-|Socket is closed",
            "ERR_SOCKET_CLOSED|-|-|-|Socket is closed",
            "close true",
        ]
    );
    let socket = Socket::new();
    watch_end(socket).reset_and_destroy().unwrap();
    run_to_end();
    assert_eq!(
        record(),
        ["ERR_SOCKET_CLOSED|-|-|-|Socket is closed", "close true"]
    );
}

#[test]
fn an_error_of_the_users_own() {
    pair(|server, client| {
        server.resume();
        watch_end(client);
        client.write_then(vec![0; MUCH], outcome("first"));
        client.write_then("x", outcome("second"));
        client.destroy_with(Error::new("MINE", "mine"));
        client.destroy_with(Error::new("MINE", "too late"));
        timers::next_tick(|| note("tick"));
        timers::set_immediate(|| note("immediate"));
    });
    run_to_end();
    assert_eq!(
        record(),
        [
            "MINE|-|-|-|mine",
            "tick",
            "immediate",
            "first ECANCELED|write|-|-|write ECANCELED",
            "second MINE|-|-|-|mine",
            "close true",
        ]
    );
}

#[test]
fn a_path_at_which_nobody_listens_is_told_of_and_keeps_the_loop_until_then() {
    let path = "/nonexistent/soquete.sock";
    let client = watch_end(net::connect(std::path::Path::new(path)));
    client.on(event::ConnectionAttemptFailed, |failed| {
        note(format!("failed {}", failed.error.code()));
    });
    timers::set_immediate(|| note("immediate"));
    run_to_end();
    assert_eq!(
        record(),
        [
            "failed ENOENT".to_owned(),
            format!("ENOENT|connect|{path}|-|connect ENOENT {path}"),
            "immediate".to_owned(),
            "close true".to_owned(),
        ]
    );
}

#[test]
fn what_the_standard_library_reports_is_an_error_by_a_question_mark() {
    fn code<T, E: Into<Error>>(result: Result<T, E>) -> String {
        let error: Error = result.err().unwrap().into();
        error.code().to_owned()
    }
    assert_eq!(code(std::fs::read("/no/such/file")), "ENOENT");
    assert_eq!(code("x".parse::<u32>()), "ERR_INVALID_ARG_VALUE");
    assert_eq!(code("x".parse::<f64>()), "ERR_INVALID_ARG_VALUE");
    assert_eq!(
        code("x".parse::<std::net::IpAddr>()),
        "ERR_INVALID_ARG_VALUE"
    );
    assert_eq!(code(String::from_utf8(vec![0xff])), "ERR_INVALID_ARG_VALUE");
    assert_eq!(code(Err::<(), _>(std::fmt::Error)), "ERR_INVALID_ARG_VALUE");
    // There and back.
    let own = Error::new("ECONNRESET", "read ECONNRESET");
    let back: Error = std::io::Error::from(own.clone()).into();
    assert_eq!(
        (back.code(), back.kind()),
        (own.code(), std::io::ErrorKind::ConnectionReset)
    );
    assert_eq!(Error::other("MINE", "whatever").to_string(), "whatever");
}

#[test]
fn every_name_of_libuv_is_known_both_ways() {
    use std::io::ErrorKind;
    for (number, name, kind) in [
        (30, "EROFS", ErrorKind::ReadOnlyFilesystem),
        (28, "ENOSPC", ErrorKind::StorageFull),
        (19, "ENODEV", ErrorKind::Other),
        (5, "EIO", ErrorKind::Other),
        (1, "EPERM", ErrorKind::PermissionDenied),
    ] {
        let error = Error::from(std::io::Error::from_raw_os_error(number));
        assert_eq!((error.code(), error.errno()), (name, Some(number)));
        assert_eq!(Error::new(name, "").kind(), kind, "{name}");
    }
    let unknown = Error::from(std::io::Error::from_raw_os_error(9999));
    assert_eq!(unknown.code(), "Unknown system error 9999");
}
