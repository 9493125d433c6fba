//! What the crate writes to the log: not more the more peers there are, and nothing while something is
//! borrowed, since a logger may come back to the very socket or server that a record is about.

#![cfg(target_os = "linux")]

#[path = "support/faults.rs"]
mod faults;
mod support;

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;

use soquete::net::{self, ProxyProtocol, Server, ServerOptions, Socket};
use soquete::{event, timers};
use support::{done, listening_on, note, outsider, record, run_to_end};

type Act = Rc<dyn Fn(&log::Record<'_>)>;

thread_local! {
    /// What the logger of this thread does at a record.
    static AT_RECORD: RefCell<Option<Act>> = const { RefCell::new(None) };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let act = AT_RECORD
            .try_with(|act| act.borrow().clone())
            .ok()
            .flatten();
        if let Some(act) = act
            && !INSIDE.replace(true)
        {
            act(record);
            INSIDE.set(false);
        }
    }

    fn flush(&self) {}
}

/// Calls `act` at each record of this thread, but for those that it brings about itself.
fn at_each_record(act: impl Fn(&log::Record<'_>) + 'static) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| log::set_logger(&Logger).expect("there is no other"));
    log::set_max_level(log::LevelFilter::Trace);
    AT_RECORD.set(Some(Rc::new(act)));
}

/// Asks a server whatever borrows something of it.
fn touch_server(server: Server) {
    let _answers = (
        server.address(),
        server.connections(),
        server.max_connections(),
    );
    server.ref_();
}

/// Asks a socket, and tells it, whatever borrows something of it.
fn touch_socket(socket: Socket) {
    let _answers = (socket.local_socket_addr(), socket.remote_socket_addr());
    socket.set_no_delay(true);
    socket.set_keep_alive(Duration::from_secs(60));
    let _metrics = soquete::metrics();
    timers::set_timeout(Duration::ZERO, || ()).unref().clear();
}

#[test]
fn a_thousand_connections_that_cannot_be_watched_are_one_line() {
    const CROWD: usize = 200;
    let lines = Rc::new(Cell::new(0));
    let count = Rc::clone(&lines);
    at_each_record(move |record| {
        if record.level() <= log::Level::Warn {
            count.set(count.get() + 1);
        }
    });
    let server = net::create_server(|_| note("connection"));
    listening_on(server, "127.0.0.1", move |server, port| {
        let peers: Vec<_> = (0..CROWD).map(|_| outsider(port)).collect();
        // Each of them sees an end or a reset.
        let waiting = std::thread::spawn(move || {
            for mut peer in peers {
                assert_eq!(peer.read(&mut [0]).unwrap_or(0), 0);
            }
        });
        faults::deciding(&[libc::SYS_epoll_ctl], |asked| {
            let adds = asked.arguments[1] == libc::EPOLL_CTL_ADD as u64;
            adds.then_some(libc::ENOSPC)
        });
        let waiting = Cell::new(Some(waiting));
        timers::set_interval(Duration::from_millis(5), move || {
            if soquete::metrics().accepts == CROWD as u64
                && let Some(waiting) = waiting.take()
            {
                waiting.join().unwrap();
                server.close();
                soquete::stop();
            }
        })
        .unref();
    });
    support::run_on().unwrap();
    assert_eq!(record(), Vec::<String>::new());
    assert_eq!(lines.get(), 1);
}

#[test]
fn a_logger_may_ask_a_server_whose_accept_is_aborted() {
    let server = net::create_server(|socket: Socket| {
        note("connection");
        socket.destroy();
    });
    at_each_record(move |_| touch_server(server));
    listening_on(server, "127.0.0.1", move |server, port| {
        let _gone = outsider(port);
        let mut left = 1;
        faults::deciding(&[libc::SYS_accept4], move |_| {
            left -= 1;
            (left >= 0).then_some(libc::ECONNABORTED)
        });
        server.on(event::Connection, move |_| done(server.close()));
    });
    run_to_end();
    assert_eq!(record(), ["connection"]);
}

#[test]
fn a_logger_may_close_a_server_whose_accept_fails() {
    for errno in [libc::ECONNABORTED, libc::EPERM, libc::EMFILE] {
        let alone = std::thread::spawn(move || {
            let server = net::create_server(|_| note("connection"));
            listening_on(server, "127.0.0.1", move |server, port| {
                let _gone = outsider(port);
                at_each_record(move |record| {
                    if record.args().to_string().starts_with("accept") {
                        note("record");
                        server.close();
                    }
                });
                faults::deciding(&[libc::SYS_accept4], move |_| Some(errno));
            });
            server.on(event::Close, |_| note("close"));
            run_to_end();
            assert_eq!(record(), ["record", "close"]);
        });
        alone.join().unwrap();
    }
}

#[test]
fn a_logger_may_touch_a_socket_that_is_registered() {
    // The poll of this loop is there when the socket is made.
    soquete::run_nowait().unwrap();
    let server = net::create_server(|socket: Socket| {
        socket.end();
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let client = Socket::new();
        at_each_record(move |_| {
            note("record");
            touch_server(server);
            touch_socket(client);
        });
        client.connect(("127.0.0.1", port)).resume();
        client.on(event::Close, move |_| done(server.close()));
    });
    run_to_end();
    assert!(support::noted("record"), "mio writes no records");
}

#[test]
fn a_logger_may_destroy_a_socket_that_is_registered() {
    let server = net::create_server(|socket: Socket| {
        socket.on(event::Error, |_| ());
        socket.end();
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let client = Socket::new();
        at_each_record(move |_| done(client.destroy()));
        client.connect(("127.0.0.1", port));
        client.on(event::Close, move |_| {
            note("close");
            AT_RECORD.set(None);
            server.close();
        });
    });
    run_to_end();
    assert_eq!(record(), ["close"]);
}

#[test]
fn a_logger_may_run_the_loop_while_a_socket_is_registered() {
    let server = net::create_server(|_| ());
    at_each_record(move |_| {
        if let Err(error) = soquete::run_nowait() {
            note(error.code());
        }
        server.close();
    });
    server.listen(("127.0.0.1", 0));
    AT_RECORD.set(None);
    server.close();
    run_to_end();
}

#[test]
fn a_logger_may_touch_a_socket_whose_file_cannot_be_removed() {
    let folder = std::env::temp_dir().join(format!("soquete-logging-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let at = folder.join("bound");
    let bound = net::BoundSocket::new(at.as_path()).unwrap();
    let socket = Socket::from_bound(&bound).unwrap();
    at_each_record(move |record| {
        if record.args().to_string().starts_with("unlink") {
            note("record");
            touch_socket(socket);
        }
    });
    socket.on(event::Close, |_| note("close"));
    faults::deciding(&[libc::SYS_unlink, libc::SYS_unlinkat], |_| {
        Some(libc::EACCES)
    });
    socket.destroy();
    run_to_end();
    assert_eq!(record(), ["record", "close"]);
    let _ = std::fs::remove_file(&at);
}

/// What `NODE_DEBUG=net` shows of Node.
#[test]
fn the_life_of_a_connection_is_told_and_a_logger_may_ask_its_sockets() {
    let (open, lines) = (
        Rc::new(RefCell::new(Vec::new())),
        Rc::new(RefCell::new(Vec::new())),
    );
    let (asked, told) = (Rc::clone(&open), Rc::clone(&lines));
    at_each_record(move |record| {
        if record.target() == "soquete::net" && record.level() >= log::Level::Debug {
            told.borrow_mut()
                .push(format!("{} {}", record.level(), record.args()));
            asked.borrow().iter().copied().for_each(touch_socket);
        }
    });
    let ours = Rc::clone(&open);
    let server = net::create_server(move |socket| {
        ours.borrow_mut().push(socket);
        socket.resume().end_with("hello");
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        note(port.to_string());
        let client = net::connect(("127.0.0.1", port));
        open.borrow_mut().push(client);
        client.resume().on(event::Close, move |_| server.close());
    });
    run_to_end();
    let port = record().remove(0);
    let lines = lines.take();
    let told = |level: &str, what: &str| {
        let is_it = |line: &&String| line.starts_with(level) && line.contains(what);
        assert!(
            lines.iter().any(|line| is_it(&line)),
            "{level} {what}: {lines:#?}"
        );
    };
    told("DEBUG server", &format!("listens on 127.0.0.1:{port}"));
    told(
        "DEBUG socket",
        &format!("connects to 127.0.0.1 port {port}"),
    );
    told("TRACE socket", &format!("tries 127.0.0.1 port {port}"));
    told("DEBUG socket", "is connected: 127.0.0.1:");
    told("DEBUG socket", "to server");
    told("TRACE socket", "the peer has ended");
    told("TRACE socket", "has finished");
    told("DEBUG socket", "has closed; 0 bytes read, 5 written");
    told("DEBUG socket", "has closed; 5 bytes read, 0 written");
    told("DEBUG server", "accepts no more");
    let client = net::connect(("127.0.0.1", 1));
    client.on(event::Error, |_| {});
    let why = Rc::new(RefCell::new(String::new()));
    let told = Rc::clone(&why);
    at_each_record(move |record| told.borrow_mut().push_str(&record.args().to_string()));
    run_to_end();
    let why = why.take();
    assert!(
        why.contains("has closed by connect ECONNREFUSED 127.0.0.1:1; 0"),
        "{why}"
    );
}

/// Closes a server at mio's first record that begins like this.
fn closing_at(what: &'static str, server: Server) {
    at_each_record(move |record| {
        if record.target().starts_with("mio") && record.args().to_string().starts_with(what) {
            AT_RECORD.set(None);
            note("record");
            server.close();
        }
    });
}

#[test]
fn a_server_that_a_logger_closes_while_a_connection_is_registered_has_no_connection() {
    let server = net::create_server(|_| note("connection"));
    server.on(event::Close, |_| note("close"));
    let peer = Rc::new(RefCell::new(None));
    let kept = Rc::clone(&peer);
    listening_on(server, "127.0.0.1", move |server, port| {
        kept.replace(Some(outsider(port)));
        closing_at("registering", server);
    });
    run_to_end();
    assert_eq!(record(), ["record", "close"]);
    assert!(is_closed(peer.take()));
}

#[test]
fn a_server_that_a_logger_closes_while_a_header_is_awaited_or_has_come_has_no_connection() {
    for what in ["registering", "deregistering"] {
        let alone = std::thread::spawn(move || {
            let options = ServerOptions::new().proxy_protocol(ProxyProtocol::from_anybody());
            let server = net::create_server_with(options, |_| note("connection"));
            server.on(event::Close, |_| note("close"));
            server.on(event::Drop, |info| note(info.reason.to_string()));
            let peer = Rc::new(RefCell::new(None));
            let kept = Rc::clone(&peer);
            listening_on(server, "127.0.0.1", move |server, port| {
                let mut peer = outsider(port);
                peer.write_all(b"PROXY TCP4 192.0.2.7 198.51.100.1 ")
                    .unwrap();
                let mut rest = peer.try_clone().unwrap();
                kept.replace(Some(peer));
                closing_at(what, server);
                timers::set_timeout(Duration::from_millis(20), move || {
                    // The peer may be gone already.
                    let _sent = rest.write_all(b"5432 80\r\n");
                });
            });
            run_to_end();
            assert_eq!(record(), ["record", "close"], "{what}");
            assert!(is_closed(peer.take()), "{what}");
        });
        alone.join().unwrap();
    }
}

#[test]
fn a_server_that_a_logger_closes_while_it_begins_to_listen_does_not_listen() {
    let server = net::create_server(|_| note("connection"));
    server.on(event::Listening, |()| note("listening"));
    server.on(event::Close, |_| note("close"));
    // The poll of this loop is there when the server is registered.
    soquete::run_nowait().unwrap();
    closing_at("registering", server);
    server.listen(("127.0.0.1", 0));
    run_to_end();
    assert_eq!(record(), ["record", "close"]);
}

/// Whether the other end has closed a connection, by an end or a reset.
fn is_closed(peer: Option<TcpStream>) -> bool {
    let mut peer = peer.expect("it has connected");
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    match peer.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}
