//! How sockets connect, fail to, and are destroyed on the way: behaviours that Node's own tests of
//! `net` show. The table of those tests is `node_tests.md`.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{
    BoundSocket, ConnectOptions, Family, ListenOptions, Server, ServerOptions, Socket,
};
use soquete::{event, net, timers};

mod support;

use support::record::{Record, collect, one_shot_server, pattern};
use support::{port_of, run_on, run_to_end};

/// A port that nobody listens on: one that was free a moment ago.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A path in a directory of the test's own.
fn path_of(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("soquete-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

/// Connects, and returns the error that follows.
fn error_of(options: impl Into<ConnectOptions>) -> soquete::Error {
    let found = Rc::new(RefCell::new(None));
    let into = Rc::clone(&found);
    let socket = net::connect(options);
    socket.on(event::Error, move |error| {
        assert!(!socket.connecting(), "not in the error's listener");
        into.replace(Some(error.clone()));
    });
    socket.on(event::Close, |had_error| assert!(had_error));
    run_to_end();
    found.take().expect("it fails")
}

#[test]
fn port_zero_fails_later_and_not_in_the_call() {
    let error = error_of(("127.0.0.1", 0));
    assert!(
        ["ECONNREFUSED", "EADDRNOTAVAIL"].contains(&error.code()),
        "{error}"
    );
    assert_eq!(error.port(), None, "a port of 0 is none");
}

#[test]
fn a_server_on_a_path_is_reached_by_every_form_of_a_path() {
    let path = path_of("forms");
    let connections = Rc::new(Cell::new(0));
    let count = Rc::clone(&connections);
    let server = net::create_server(move |socket| {
        socket.end();
        count.set(count.get() + 1);
        if count.get() == 4 {
            socket.server().unwrap().close();
        }
    });
    server.listen(path.as_path());
    net::connect(path.as_path());
    net::connect(path.clone());
    net::connect(ConnectOptions::path(&path));
    let by_method = Socket::new();
    by_method.connect(path.as_path());
    run_to_end();
    assert_eq!(connections.get(), 4);
}

#[test]
fn a_server_is_reached_by_its_own_address() {
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.end();
    });
    let address = SocketAddr::from(([127, 0, 0, 1], port_of(server)));
    let connected = Rc::new(Cell::new(false));
    let is_connected = Rc::clone(&connected);
    net::connect_then(address, move |_| is_connected.set(true));
    run_to_end();
    assert!(connected.get());
}

#[test]
fn the_family_that_is_asked_for_reaches_the_lookup() {
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.end();
    });
    let asked = Rc::new(Cell::new(None));
    let family = Rc::clone(&asked);
    let options = ConnectOptions::new(port_of(server))
        .host("somewhere")
        .family(Family::V6)
        .lookup(move |host, wanted, answer| {
            assert_eq!(host, "somewhere");
            family.set(wanted.family);
            answer(Ok(vec![IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]));
        });
    let client = net::connect(options);
    let connected = Rc::new(Cell::new(None));
    let family = Rc::clone(&connected);
    client.on(event::Connect, move |()| family.set(client.remote_family()));
    run_to_end();
    assert_eq!(asked.get(), Some(Family::V6));
    assert_eq!(connected.get(), Some(Family::V6));
}

#[test]
fn an_address_to_connect_from_has_to_be_an_ip_address() {
    let error = error_of(ConnectOptions::new(1).local_address("foobar"));
    assert_eq!(error.code(), "ERR_INVALID_IP_ADDRESS");
}

#[test]
fn the_address_to_connect_from_is_there_when_the_attempt_is_told() {
    let server = net::create_server(|socket| {
        socket.destroy();
    });
    let port = port_of(server.listen(0));
    let to = || ConnectOptions::new(port).host("127.0.0.1");
    let bound = BoundSocket::new(("127.0.0.1", 0)).unwrap();
    let sockets = [
        (Socket::new(), to().local_address("127.0.0.1"), true),
        (Socket::from_bound(&bound).unwrap(), to(), true),
        (Socket::new(), to().local_address(""), false),
    ];
    let left = Rc::new(Cell::new(sockets.len()));
    for (socket, options, is_bound) in sockets {
        let told = Rc::new(Cell::new(None));
        let port = Rc::clone(&told);
        socket.on(event::ConnectionAttempt, move |_| {
            port.set(socket.local_port());
        });
        socket.on(event::Connect, move |()| {
            let known = socket.local_port().filter(|_| is_bound);
            assert_eq!(told.get(), known);
            socket.resume();
        });
        let left = Rc::clone(&left);
        socket.on(event::Close, move |_| {
            left.set(left.get() - 1);
            (left.get() == 0).then(|| server.close());
        });
        socket.connect(options);
    }
    run_to_end();
    assert_eq!(left.get(), 0);
}

#[test]
fn the_timeout_of_an_attempt_is_at_least_ten_ms() {
    net::set_default_auto_select_family_attempt_timeout(Duration::from_millis(1));
    assert_eq!(
        net::get_default_auto_select_family_attempt_timeout(),
        Duration::from_millis(10)
    );
    net::set_default_auto_select_family(false);
    assert!(!net::get_default_auto_select_family());
}

#[test]
fn the_callback_of_connect_is_let_go_of_when_it_was_called() {
    let held = Rc::new(());
    let in_callback = Rc::clone(&held);
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.resume();
    });
    let client = net::connect_then(("127.0.0.1", port_of(server)), move |_| drop(in_callback));
    client.on(event::Ready, move |()| {
        assert_eq!(Rc::strong_count(&held), 1);
        client.end();
    });
    run_to_end();
}

#[test]
fn the_local_port_that_is_asked_for_is_the_one_the_server_sees() {
    let wanted = closed_port();
    let seen = Rc::new(Cell::new(None));
    let remote = Rc::clone(&seen);
    let server = one_shot_server(ServerOptions::new(), move |socket| {
        remote.set(socket.remote_port());
        socket.destroy();
    });
    let options = ConnectOptions::new(port_of(server)).host("127.0.0.1");
    net::connect(options.local_port(wanted));
    run_to_end();
    assert_eq!(seen.get(), Some(wanted));
}

#[test]
fn a_new_connection_of_the_same_socket_has_a_new_local_port() {
    let ports = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&ports);
    let server = net::create_server(move |socket| {
        seen.borrow_mut().push(socket.remote_port());
        assert_eq!(socket.local_port(), Some(port_of(socket.server().unwrap())));
        assert_eq!(socket.local_family(), Some(Family::V4));
        socket.end();
    });
    server
        .listen(("127.0.0.1", 0))
        .on(event::Listening, move |()| {
            let port = port_of(server);
            let client = net::connect(("127.0.0.1", port));
            let own = Rc::new(RefCell::new(Vec::new()));
            let mine = Rc::clone(&own);
            client.on(event::Connect, move |()| {
                mine.borrow_mut().push(client.local_port())
            });
            let ports = Rc::clone(&ports);
            client.on(event::Close, move |_| {
                if own.borrow().len() == 1 {
                    client.connect(("127.0.0.1", port));
                } else {
                    assert_eq!(*own.borrow(), *ports.borrow());
                    assert_ne!(own.borrow()[0], own.borrow()[1]);
                    server.close();
                }
            });
        });
    run_to_end();
}

#[test]
fn a_refusal_with_a_local_port_says_from_where() {
    let (local, remote) = (closed_port(), closed_port());
    let options = ConnectOptions::new(remote)
        .host("127.0.0.1")
        .local_address("127.0.0.1")
        .local_port(local);
    let error = error_of(options);
    assert_eq!(
        error.to_string(),
        format!("connect ECONNREFUSED 127.0.0.1:{remote} - Local (127.0.0.1:{local})")
    );
    assert_eq!(error.local_address(), Some("127.0.0.1"));
    assert_eq!(error.local_port(), Some(local));
    assert_eq!(
        (error.address(), error.port()),
        (Some("127.0.0.1"), Some(remote))
    );
}

#[test]
fn two_hundred_and_fifty_refusals_leave_nothing_open() {
    let port = closed_port();
    let errors = Rc::new(Cell::new(0));
    for _ in 0..250 {
        let errors = Rc::clone(&errors);
        let socket = net::connect(("127.0.0.1", port));
        socket.on(event::Error, move |error| {
            assert_eq!(error.code(), "ECONNREFUSED");
            errors.set(errors.get() + 1);
        });
    }
    run_to_end();
    assert_eq!(errors.get(), 250);
    assert_eq!(soquete::metrics().open_handles, 0);
}

#[test]
fn a_file_that_is_no_socket_cannot_be_connected_to() {
    let path = path_of("plain");
    std::fs::write(&path, "text").unwrap();
    let error = error_of(path.as_path());
    assert!(
        ["ENOTSOCK", "ECONNREFUSED"].contains(&error.code()),
        "{error}"
    );
    assert_eq!(error.address(), path.to_str());
}

#[test]
fn a_path_that_is_too_long_is_invalid_to_connect_to_and_to_listen_on() {
    let path = PathBuf::from(format!("/tmp/{}", "a".repeat(300)));
    let error = error_of(path.as_path());
    assert_eq!(error.code(), "EINVAL", "{error}");
    let listening = Rc::new(RefCell::new(None));
    let found = Rc::clone(&listening);
    let server = Server::new();
    server.on(event::Error, move |error| {
        drop(found.replace(Some(error.clone())))
    });
    server.listen(ListenOptions::path(path));
    run_on().unwrap();
    let error = listening.take().expect("it fails");
    assert_eq!(error.code(), "EINVAL", "{error}");
    assert_eq!(error.syscall(), Some("listen"));
}

#[test]
fn an_end_right_after_connect_does_not_hide_that_the_lookup_failed() {
    let options = ConnectOptions::new(1)
        .host("nowhere")
        .lookup(|_, _, answer| {
            answer(Err(soquete::Error::new(
                "ENOTFOUND",
                "getaddrinfo ENOTFOUND nowhere",
            )));
        });
    let record = Record::default();
    let socket = net::connect(options);
    record.watch("socket", socket);
    socket.end();
    run_to_end();
    assert_eq!(record.text(), "socket.error(ENOTFOUND) socket.close(true)");
}

#[test]
fn twenty_reconnects_to_a_closed_port_fail_one_after_the_other() {
    let port = closed_port();
    let record = Record::default();
    let socket = net::connect(("127.0.0.1", port));
    record.watch("s", socket);
    let closed = Cell::new(0);
    socket.on(event::Close, move |_| {
        closed.set(closed.get() + 1);
        if closed.get() < 20 {
            socket.connect(("127.0.0.1", port));
        }
    });
    run_to_end();
    assert_eq!(
        record.text(),
        ["s.error(ECONNREFUSED) s.close(true)"; 20].join(" ")
    );
}

#[test]
fn fifty_reconnects_of_one_socket_work_fifty_times() {
    const TIMES: u32 = 50;
    let server = net::create_server(|socket| {
        socket.resume().write("hello\r\n");
        socket.on(event::End, move |()| {
            socket.end();
        });
    });
    server.listen(("127.0.0.1", 0));
    let counts = [Rc::new(Cell::new(0)), Rc::new(Cell::new(0))];
    let [data, closes] = counts.clone();
    server.on(event::Listening, move |()| {
        let port = port_of(server);
        let client = net::connect(("127.0.0.1", port));
        let data = Rc::clone(&data);
        let closes = Rc::clone(&closes);
        client.set_encoding();
        client.on(event::Text, move |text| {
            assert_eq!(text, "hello\r\n");
            assert_eq!(client.bytes_read(), 7, "counted anew");
            data.set(data.get() + 1);
            client.end();
        });
        client.on(event::Close, move |had_error| {
            assert!(!had_error);
            closes.set(closes.get() + 1);
            if closes.get() < TIMES {
                client.connect(("127.0.0.1", port));
            } else {
                server.close();
            }
        });
    });
    run_to_end();
    assert_eq!(counts.map(|count| count.get()), [TIMES, TIMES]);
    assert_eq!(soquete::metrics().open_handles, 0);
}

#[test]
fn an_ip_address_is_not_looked_up_and_a_name_is() {
    let record = Record::default();
    let server = net::create_server(|socket| {
        socket.end();
    });
    server.listen(("127.0.0.1", 0)).on(event::Listening, {
        let record = record.clone();
        move |()| {
            let literal = net::connect(("127.0.0.1", port_of(server)));
            literal.on(event::Lookup, |_| panic!("there is no name"));
            let named =
                ConnectOptions::new(port_of(server))
                    .host("a.name")
                    .lookup(|_, _, answer| {
                        timers::next_tick(move || answer(Ok(vec![IpAddr::from([127, 0, 0, 1])])));
                    });
            let named = net::connect(named);
            let record = record.clone();
            named.on(event::Lookup, move |result| {
                record.note(format!(
                    "{} {}",
                    result.host,
                    result.address.as_ref().unwrap()
                ));
            });
            named.on(event::Close, move |_| {
                server.close();
            });
        }
    });
    run_to_end();
    assert_eq!(record.text(), "a.name 127.0.0.1");
}

#[test]
fn a_lookup_that_fails_is_told_by_its_event_and_as_an_error() {
    let record = Record::default();
    let name = "x".repeat(300);
    let socket = net::connect((name.as_str(), 1));
    let lookup = record.clone();
    socket.on(event::Lookup, move |result| {
        assert_eq!(result.host, name);
        lookup.note(result.address.as_ref().unwrap_err().code());
    });
    record.watch("socket", socket);
    run_to_end();
    let text = record.text();
    let code = text.split(' ').next().unwrap();
    assert_eq!(
        text,
        format!("{code} socket.error({code}) socket.close(true)")
    );
}

#[test]
fn fifty_clients_connect_three_times_each() {
    const CLIENTS: usize = 50;
    let body = Rc::<[u8]>::from(pattern(40 << 10));
    let expected = body.len();
    let server = net::create_server(move |socket| {
        socket.write(&body);
        socket.resume().end();
        socket.on(event::Error, |_| {});
    });
    server.listen(("127.0.0.1", 0));
    let open = Rc::new(Cell::new(CLIENTS));
    server.on(event::Listening, move |()| {
        let port = port_of(server);
        for _ in 0..CLIENTS {
            let client = net::connect(("127.0.0.1", port));
            let (received, rounds) = (Rc::new(Cell::new(0)), Cell::new(0));
            let count = Rc::clone(&received);
            client.on(event::Data, move |chunk| {
                count.set(count.get() + chunk.len())
            });
            let open = Rc::clone(&open);
            client.on(event::Close, move |had_error| {
                assert!(!had_error);
                rounds.set(rounds.get() + 1);
                assert_eq!(received.get(), rounds.get() * expected);
                if rounds.get() < 3 {
                    client.connect(("127.0.0.1", port));
                    return;
                }
                open.set(open.get() - 1);
                if open.get() == 0 {
                    server.close();
                }
            });
        }
    });
    run_to_end();
}

#[test]
fn paths_are_paths_and_not_ports() {
    let path = path_of("ipc");
    let server = net::create_server(|socket| {
        socket.end_with("by path");
    });
    server.listen(path.as_path());
    assert!(Path::new(&path).exists());
    let client = net::connect(path.as_path());
    client.on(event::Connect, move |()| {
        assert_eq!(client.remote_address(), None);
        assert_eq!(client.local_port(), None);
        timers::next_tick(move || {
            server.close();
        });
    });
    let received = collect(client);
    run_to_end();
    assert_eq!(*received.borrow(), b"by path");
    assert!(!path.exists(), "removed with its server");
}
