//! Which calls run listeners before they return: the table in `soquete::guide::state`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use soquete::net::{
    self, AbortController, BoundSocket, ConnectOptions, ListenOptions, Server, Socket,
};
use soquete::{Error, event, timers};

mod support;
use support::{done, run_on};

thread_local! {
    static CALL: RefCell<Option<&'static str>> = const { RefCell::new(None) };
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Says that a listener was called: inside of which call?
fn called(listener: &str) {
    if let Some(call) = CALL.with_borrow(|call| *call) {
        SEEN.with_borrow_mut(|seen| seen.insert(format!("{call}: {listener}")));
    }
}

fn inside<T>(call: &'static str, of: impl FnOnce() -> T) -> T {
    let outer = CALL.replace(Some(call));
    let result = of();
    CALL.set(outer);
    result
}

fn watched(socket: Socket) -> Socket {
    socket
        .on(event::Data, |_| called("Data"))
        .on(event::End, |()| called("End"))
        .on(event::Drain, |()| called("Drain"))
        .on(event::Prefinish, |()| called("Prefinish"))
        .on(event::Finish, |()| called("Finish"))
        .on(event::Pause, |()| called("Pause"))
        .on(event::Resume, |()| called("Resume"))
        .on(event::Pipe, |_| called("Pipe"))
        .on(event::Unpipe, |_| called("Unpipe"))
        .on(event::Timeout, |()| called("Timeout"))
        .on(event::Lookup, |_| called("Lookup"))
        .on(event::ConnectionAttempt, |_| called("ConnectionAttempt"))
        .on(event::ConnectionAttemptFailed, |_| {
            called("ConnectionAttemptFailed")
        })
        .on(event::Connect, |()| called("Connect"))
        .on(event::Ready, |()| called("Ready"))
        .on(event::ErrorMonitor, |_| called("ErrorMonitor"))
        .on(event::Error, |_| called("Error"))
        .on(event::Close, |_| called("Close"))
}

fn watched_server(server: Server) -> Server {
    server
        .on(event::Listening, |()| called("Listening"))
        .on(event::Connection, |_| called("Connection"))
        .on(event::Drop, |_| called("Drop"))
        .on(event::Error, |_| called("Error"))
        .on(event::Close, |_| called("Close"))
}

#[test]
fn the_table_of_calls_that_run_listeners_is_complete() {
    let server = watched_server(net::create_server(|socket| {
        watched(socket).on(event::Data, move |chunk| {
            inside("write", || socket.write(chunk));
            inside("write_then", || {
                socket.write_then("y", |_| called("its callback"))
            });
        })
    }));
    inside("listen", || {
        server.listen_then(0, |_| called("its callback"))
    });
    let path = std::env::temp_dir().join(format!("soquete-calls-{}.sock", std::process::id()));
    let _left_behind = std::fs::remove_file(&path);
    let ipc = watched_server(net::create_server(|socket| socket.end()));
    inside("listen to a path", || ipc.listen(&path));
    let at = path.clone();
    server.on(event::Listening, move |()| {
        let port = server.address().unwrap().port();
        connects(port, &at);
        let peer = watched(Socket::new());
        peer.connect(("127.0.0.1", port));
        let socket = watched(net::connect(("127.0.0.1", port)));
        socket.on(event::Connect, move |()| {
            timers::set_timeout(Duration::from_millis(20), move || up(socket, peer));
        });
        timers::set_timeout(Duration::from_millis(60), move || {
            down(socket, peer, server, ipc)
        });
    });
    let twice = watched_server(Server::new());
    let in_use = ListenOptions::new(server.address().unwrap().port());
    inside("listen on a port in use", || twice.listen(in_use));
    run_on().unwrap();
    let _gone = std::fs::remove_file(path);

    let seen: Vec<String> = SEEN.take().into_iter().collect();
    assert_eq!(
        seen,
        [
            "abort: on_abort",
            "connect of a bound socket: ConnectionAttempt",
            "connect to a path: ConnectionAttempt",
            "connect with a lookup: ConnectionAttempt",
            "connect with a lookup: Lookup",
            "connect with a lookup: the lookup",
            "destroy_soon unconnected: Prefinish",
            "emit: Timeout",
            "end unconnected: Prefinish",
            "pause: Pause",
            "pipe: Pipe",
            "read: Data",
            "unpipe: Pause",
            "unpipe: Unpipe",
            "unpipe_all: Pause",
            "unpipe_all: Unpipe",
            "unshift flowing: Data",
        ]
    );
}

fn connects(port: u16, path: &std::path::Path) {
    let destroyed_when_up = |socket: Socket| socket.on(event::Connect, move |()| socket.destroy());
    let by_address = watched(Socket::new());
    inside("connect to an address", || {
        by_address.connect(("127.0.0.1", port))
    });
    let by_name = watched(Socket::new());
    inside("connect to a name", || by_name.connect(("localhost", port)));
    let by_path = watched(Socket::new());
    inside("connect to a path", || by_path.connect(path));
    by_path.resume();
    let bound = BoundSocket::new(("127.0.0.1", 0)).unwrap();
    let bound = watched(Socket::from_bound(&bound).unwrap());
    inside("connect of a bound socket", || {
        bound.connect(("127.0.0.1", port))
    });
    let resolves = ConnectOptions::new(port)
        .host("some.name")
        .lookup(|_, _, answer| {
            called("the lookup");
            answer(Ok(vec![std::net::Ipv4Addr::LOCALHOST.into()]));
        });
    let resolved = watched(Socket::new());
    inside("connect with a lookup", || resolved.connect(resolves));
    for socket in [by_address, by_name, bound, resolved] {
        destroyed_when_up(socket);
    }
    let controller = AbortController::new();
    let aborted = ConnectOptions::new(port)
        .host("127.0.0.1")
        .signal(controller.signal());
    watched(net::connect(aborted));
    controller.signal().on_abort(|_| called("on_abort"));
    inside("abort", || controller.abort());
}

/// What can be done with a connection.
fn up(socket: Socket, peer: Socket) {
    inside("pause", || socket.pause());
    inside("resume", || socket.resume());
    inside("cork", || socket.cork());
    inside("write", || socket.write("z"));
    inside("uncork", || socket.uncork());
    inside("set_timeout", || socket.set_timeout(Duration::from_secs(9)));
    inside("emit", || socket.emit(event::Timeout, ()));
    inside("unref", || socket.unref());
    inside("ref_", || socket.ref_());
    inside("pipe", || socket.pipe(peer));
    inside("unpipe", || socket.unpipe(peer));
    socket.pipe(peer);
    inside("unpipe_all", || socket.unpipe_all());
    unconnected();
    inside("unshift paused", || socket.unshift("abc"));
    inside("read", || socket.read());
    inside("resume", || socket.resume());
    inside("unshift flowing", || socket.unshift("abc"));
    inside("set_encoding", || socket.set_encoding());
    inside("on", || socket.on(event::Data, |_| ()));
    inside("remove_all_listeners_of", || {
        socket.remove_all_listeners_of(event::Drain)
    });
    inside("attach", || socket.attach(1));
    inside("end", || socket.end());
    inside("end_with_then", || {
        peer.end_with_then("q", |_| called("its callback"))
    });
}

fn unconnected() {
    let new = || watched(Socket::new());
    inside("end unconnected", || new().end());
    inside("end_with unconnected", || new().end_with("x"));
    inside("write unconnected", || new().write("x"));
    inside("destroy_soon unconnected", || new().destroy_soon());
    done(inside("reset_and_destroy unconnected", || {
        new().reset_and_destroy()
    }));
}

fn down(socket: Socket, peer: Socket, server: Server, ipc: Server) {
    inside("write after end", || socket.write("late"));
    inside("end after end", || socket.end());
    inside("destroy", || peer.destroy());
    inside("destroy_with", || {
        socket.destroy_with(Error::new("MINE", ""))
    });
    done(inside("reset_and_destroy", || peer.reset_and_destroy()));
    inside("get_connections", || {
        server.get_connections(|_| called("its callback"))
    });
    inside("close_idle_connections", || server.close_idle_connections());
    inside("close", || server.close_then(|_| called("its callback")));
    inside("shutdown", || ipc.shutdown(Duration::from_secs(1)));
    inside("close_all_connections", || server.close_all_connections());
}
