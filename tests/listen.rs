//! What servers listen on: what std and others have opened, and what is refused; and how a server
//! sends its connections home.

mod support;

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, AbortController, BlockList, ListenOptions, Server, ServerOptions};
use soquete::{event, timers};
use support::{listening_on, note, outsider, port_of, record, run_to_end};

/// A server that closes, having greeted its first connection.
fn greeting() -> Server {
    net::create_server(|socket| {
        let server = socket.server().unwrap();
        socket.write("hello");
        socket.destroy_soon();
        server.close();
    })
}

/// What an outsider gets from `port`, who comes before the loop runs.
fn greeted(port: u16, run: impl FnOnce()) -> String {
    let mut stream = outsider(port);
    run();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn code_of(options: impl Into<ListenOptions>) -> String {
    let failed = Rc::new(RefCell::new(String::new()));
    let told = Rc::clone(&failed);
    let server = net::create_server(|_| {}).listen(options);
    server.on(event::Error, move |error| {
        told.replace(error.to_string()).clear()
    });
    server.on(event::Listening, |()| panic!("it listens"));
    soquete::run().unwrap();
    server.close();
    run_to_end();
    failed.take()
}

#[test]
fn a_listener_of_std_is_taken_over() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = greeting().listen(listener);
    assert!(server.listening());
    assert_eq!(port_of(server), port);
    assert_eq!(greeted(port, run_to_end), "hello");
}

#[test]
fn any_descriptor_of_a_listening_socket_is_taken_over() {
    use std::os::fd::OwnedFd;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    greeting().listen(OwnedFd::from(listener));
    assert_eq!(greeted(port, run_to_end), "hello");
}

#[test]
fn a_unix_listener_of_std_is_taken_over_and_its_file_stays() {
    use std::os::unix::net::{UnixListener, UnixStream};
    let path = std::env::temp_dir().join(format!("soquete-listen-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let server = greeting().listen(listener);
    assert_eq!(server.address().unwrap().path(), Some(path.as_path()));
    let mut stream = UnixStream::connect(&path).unwrap();
    run_to_end();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    assert!(
        path.exists(),
        "who did not make the file does not remove it"
    );
    std::fs::remove_file(path).unwrap();
}

#[test]
fn what_is_no_socket_to_listen_on_is_an_error() {
    use std::os::fd::OwnedFd;
    let file = std::fs::File::open("/dev/null").unwrap();
    let (pipe, _writer) = std::io::pipe().unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(
        code_of(OwnedFd::from(file)),
        "listen EINVAL: invalid argument"
    );
    assert_eq!(
        code_of(OwnedFd::from(datagrams)),
        "listen EINVAL: invalid argument"
    );
    assert_eq!(
        code_of(OwnedFd::from(pipe)),
        "listen ENOTSOCK: socket operation on non-socket"
    );
}

#[test]
fn a_descriptor_is_adopted_once_however_often_its_options_are_cloned() {
    let options = ListenOptions::from(TcpListener::bind("127.0.0.1:0").unwrap());
    let first = net::create_server(|_| {}).listen(options.clone());
    assert!(first.listening());
    let second = net::create_server(|_| {}).listen(options);
    second.on(event::Error, move |error| {
        note(error.code());
        first.close();
        second.close();
    });
    run_to_end();
    assert_eq!(record(), ["ERR_SOCKET_HANDLE_ADOPTED"]);
}

#[test]
fn listening_twice_is_an_error_and_the_first_goes_on() {
    let server = net::create_server(|_| {}).listen(0);
    let port = port_of(server);
    server.listen_then(0, |_| note("never"));
    server.on(event::Error, move |error| {
        note(error.code());
        assert_eq!(port_of(server), port);
        server.close();
    });
    run_to_end();
    assert_eq!(record(), ["ERR_SERVER_ALREADY_LISTEN"]);
}

#[test]
fn closed_and_listening_again_in_the_same_turn() {
    let server = net::create_server(|_| {});
    server.listen_then(0, |_| note("first"));
    server.close_then(|outcome| note(format!("closed {}", outcome.is_ok())));
    server.listen_then(0, |_| note("second"));
    server.on(event::Listening, move |()| {
        note("listening");
        server.close();
    });
    run_to_end();
    // The first callback waits for whatever listens next.
    assert_eq!(record(), ["first", "second", "listening", "closed true"]);
}

#[test]
fn an_empty_host_is_every_address() {
    let server = net::create_server(|_| {}).listen(("", 0));
    assert!(server.listening(), "no name is looked up");
    assert!(server.address().unwrap().ip().unwrap().is_unspecified());
    server.close();
    run_to_end();
}

#[test]
fn who_does_not_fit_into_the_backlog_waits() {
    // The kernel keeps one more than it is told to.
    let server = net::create_server(|_| {}).listen(ListenOptions::new(0).backlog(1));
    let address = ([127, 0, 0, 1], port_of(server)).into();
    let patience = Duration::from_millis(200);
    let there: Vec<_> = (0..2)
        .map(|_| TcpStream::connect_timeout(&address, patience).unwrap())
        .collect();
    assert!(TcpStream::connect_timeout(&address, patience).is_err());
    drop(there);
    server.close();
    run_to_end();
}

#[test]
fn a_signal_is_not_held_on_to_by_a_server_that_has_closed() {
    let controller = AbortController::new();
    let signal = controller.signal();
    let server = net::create_server(|_| {});
    server.listen(ListenOptions::new(0).signal(signal.clone()));
    assert_eq!(signal.listener_count(), 1);
    server.close();
    run_to_end();
    assert_eq!(signal.listener_count(), 0);
    controller.abort();
}

#[test]
fn a_server_that_listens_again_in_its_close_is_not_closed_twice() {
    let server = net::create_server(|_| {});
    server.on(event::Close, |_| note("close"));
    server.once(event::Close, move |_| {
        server.listen(("127.0.0.1", 0));
        timers::set_immediate(move || {
            assert!(server.listening());
            note("listening");
            server.close();
        });
    });
    server.listen(("127.0.0.1", 0));
    server.close();
    server.close_then(|outcome| note(outcome.unwrap_err().code()));
    run_to_end();
    assert_eq!(
        record(),
        ["close", "ERR_SERVER_NOT_RUNNING", "listening", "close"]
    );
}

/// Closed or reset, but not left alone.
fn assert_gone(stream: &mut TcpStream) {
    match stream.read(&mut [0; 8]) {
        Ok(0) => {}
        Ok(count) => panic!("{count} bytes"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[test]
fn a_listener_that_is_closed_in_the_middle_of_a_batch_accepts_nobody_else() {
    let seen = Rc::new(Cell::new(0));
    let count = Rc::clone(&seen);
    let server = net::create_server(move |socket| {
        count.set(count.get() + 1);
        socket.destroy();
        if count.get() == 3 {
            socket.server().unwrap().close();
        }
    });
    server.listen(("127.0.0.1", 0));
    let waiting = Rc::new(RefCell::new(Vec::new()));
    let streams = Rc::clone(&waiting);
    server.once(event::Listening, move |()| {
        let port = port_of(server);
        streams.replace((0..10).map(|_| outsider(port)).collect());
    });
    run_to_end();
    assert_eq!(seen.get(), 3);
    for mut stream in waiting.take() {
        assert_gone(&mut stream);
    }
}

#[test]
fn a_blocked_peer_is_no_connection() {
    let list = BlockList::new();
    list.add_cidr("127.0.0.0/8").unwrap();
    let options = ServerOptions::new().block_list(&list);
    let server = net::create_server_with(options, |_| note("connection"));
    server.on(event::Drop, |_| note("drop"));
    listening_on(server, "127.0.0.1", move |server, port| {
        let mut blocked = outsider(port);
        list.clear();
        // The list is looked at when a connection is accepted, not when it is made.
        list.add_address("127.0.0.1").unwrap();
        timers::set_immediate(move || {
            timers::set_immediate(move || {
                assert_gone(&mut blocked);
                server.get_connections(|count| note(format!("{count:?}")));
                server.close();
            });
        });
    });
    run_to_end();
    assert_eq!(record(), ["Ok(0)"]);
}

/// Three accepted connections: one idle, one with unread data, one that cannot get rid of its own.
fn three_kinds(then: impl FnOnce(Server) + 'static) {
    let server = net::create_server(|socket| {
        socket.once(event::Data, move |kind| match kind {
            b"idle" => note("idle"),
            b"unread" => {
                socket.pause();
                socket.unshift("kept");
                note("unread");
            }
            _ => {
                socket.write(vec![b'.'; 32 << 20]);
                note("writing");
            }
        });
        socket.on(event::Close, |_| note("closed"));
    });
    let then = Cell::new(Some(then));
    listening_on(server, "127.0.0.1", move |server, port| {
        let clients = ["idle", "unread", "writing"].map(|kind| {
            let client = net::connect(("127.0.0.1", port)).pause();
            client.on(event::Error, |_| {});
            client.write(kind);
            client
        });
        let look = Rc::new(RefCell::new(None::<timers::Timeout>));
        let again = Rc::clone(&look);
        let interval = timers::set_interval(Duration::from_millis(1), move || {
            let all = ["idle", "unread", "writing"];
            if all.iter().all(|kind| support::noted(kind)) {
                if let Some(interval) = again.take() {
                    interval.clear();
                }
                if let Some(then) = then.take() {
                    then(server);
                }
                clients.iter().for_each(|client| {
                    client.destroy();
                });
            }
        });
        look.replace(Some(interval));
    });
}

#[test]
fn idle_connections_are_those_with_nothing_to_write_and_nothing_unread() {
    three_kinds(|server| {
        assert_eq!(server.connections(), 3);
        assert_eq!(server.close_idle_connections(), 1);
        assert_eq!(server.connections(), 2);
        assert_eq!(server.close_idle_connections(), 0);
        server.close();
        server.close_all_connections();
    });
    run_to_end();
}

#[test]
fn all_connections_can_be_closed_at_once() {
    three_kinds(|server| {
        server.close_then(|outcome| {
            assert!(outcome.is_ok());
            note("server closed");
        });
        assert_eq!(server.close_all_connections(), 3);
        assert_eq!(server.connections(), 0);
        assert_eq!(server.close_all_connections(), 0);
    });
    run_to_end();
    let record = record();
    assert_eq!(record[3..], ["server closed", "closed", "closed", "closed"]);
}
