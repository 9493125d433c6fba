//! System calls that a connection takes no more of than a program that makes them itself.

#![cfg(target_os = "linux")]

#[path = "support/faults.rs"]
mod faults;
mod support;

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use soquete::net::{self, BoundSocket, Server, ServerOptions, Socket};
use soquete::{event, timers};
use support::{outsider, port_of, run_to_end};

/// How often shutdown(2) is called for a connection that says a byte each way, ends in order, and that `serve` has
/// set up. It must have closed without an error, and so must its peer's.
fn shutdowns(serve: fn(Socket)) -> usize {
    shutdowns_of(ServerOptions::new, |server| server.listen(0), serve)
}

/// The same of a server with options, that listens in its way.
fn shutdowns_of(
    options: fn() -> ServerOptions,
    listen: fn(Server) -> Server,
    serve: fn(Socket),
) -> usize {
    // A thread of its own: it keeps what is asked about its calls.
    let alone = std::thread::spawn(move || shutdowns_of_this_thread(options(), listen, serve));
    alone.join().expect("no panic")
}

fn shutdowns_of_this_thread(
    options: ServerOptions,
    listen: fn(Server) -> Server,
    serve: fn(Socket),
) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let closed = Rc::new(Cell::new(None));
    let noted = Rc::clone(&closed);
    let server = net::create_server_with(options, move |socket| {
        let noted = Rc::clone(&noted);
        socket.on(event::Data, move |chunk| socket.write(chunk));
        socket.on(event::Close, move |had_error| noted.set(Some(had_error)));
        serve(socket);
    });
    server.once(event::Listening, move |()| {
        let mut peer = outsider(port_of(server));
        let theirs = peer.as_raw_fd() as u64;
        faults::deciding(&[libc::SYS_shutdown], move |asked| {
            if asked.arguments[0] != theirs {
                counting.fetch_add(1, Ordering::Relaxed);
            }
            None
        });
        let talk = std::thread::spawn(move || {
            let mut answer = [0];
            peer.write_all(b"x").unwrap();
            peer.read_exact(&mut answer).unwrap();
            peer.shutdown(Shutdown::Write).unwrap();
            assert_eq!(peer.read(&mut answer).unwrap(), 0, "the end");
        });
        let mut talk = Some(talk);
        server.on(event::Connection, move |socket: Socket| {
            let talk = talk.take().expect("one connection");
            socket.on(event::Close, move |_| server.close());
            server.once(event::Close, move |_| talk.join().unwrap());
        });
    });
    listen(server);
    run_to_end();
    assert_eq!(closed.get(), Some(false));
    count.load(Ordering::Relaxed)
}

#[test]
fn a_connection_that_follows_its_peers_end_is_ended_by_its_close() {
    assert_eq!(shutdowns(|_| ()), 0);
}

#[test]
fn what_ends_first_is_shut_down() {
    let ends_first = |socket: Socket| {
        socket.on(event::Data, move |_| socket.end());
    };
    assert_eq!(shutdowns(ends_first), 1);
}

#[test]
fn who_hears_that_a_socket_has_finished_finds_it_shut_down() {
    let listens = |socket: Socket| {
        socket.on(event::Finish, |()| ());
    };
    assert_eq!(shutdowns(listens), 1);
    let prefinish = |socket: Socket| {
        socket.on(event::Prefinish, |()| ());
    };
    assert_eq!(shutdowns(prefinish), 1);
    let is_called = |socket: Socket| {
        socket.on(event::End, move |()| socket.end_then(|_| ()));
    };
    assert_eq!(shutdowns(is_called), 1);
}

#[test]
fn what_others_may_have_a_duplicate_of_is_shut_down() {
    let duplicated = |socket: Socket| {
        let duplicate = socket.try_clone_fd().unwrap();
        // Longer than the connection, which its peer sees the end of all the same.
        timers::set_timeout(std::time::Duration::from_millis(300), move || {
            drop(duplicate)
        });
    };
    assert_eq!(shutdowns(duplicated), 1);
    let shown = |socket: Socket| {
        assert!(socket.fd().is_some());
    };
    assert_eq!(shutdowns(shown), 1);
}

#[test]
fn what_was_prepared_by_its_descriptor_is_shut_down() {
    let prepared = || ServerOptions::new().prepare(|_| Ok(()));
    assert_eq!(shutdowns_of(prepared, |server| server.listen(0), |_| ()), 1);
}

#[test]
fn what_a_listener_accepts_that_was_handed_in_is_shut_down() {
    // An option that was set on it, such as SO_LINGER, is one of theirs as well.
    let of_std = |server: Server| {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        server.listen(listener)
    };
    assert_eq!(shutdowns_of(ServerOptions::new, of_std, |_| ()), 1);
}

/// How often shutdown(2) is called for a client whose peer closes first. `connect` is given the peer's port.
fn shutdowns_of_client(connect: fn(u16) -> Socket) -> usize {
    let alone = std::thread::spawn(move || {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&count);
        faults::deciding(&[libc::SYS_shutdown], move |_| {
            counting.fetch_add(1, Ordering::Relaxed);
            None
        });
        let peer = std::thread::spawn(move || drop(listener.accept().unwrap()));
        connect(port).resume();
        run_to_end();
        peer.join().unwrap();
        count.load(Ordering::Relaxed)
    });
    alone.join().expect("no panic")
}

#[test]
fn what_was_made_of_a_descriptor_that_the_user_has_had_is_shut_down() {
    assert_eq!(
        shutdowns_of_client(|port| net::connect(("127.0.0.1", port))),
        0
    );
    let bound = |port| {
        let bound = BoundSocket::new(("127.0.0.1", 0)).unwrap();
        let socket = Socket::from_bound(&bound).unwrap();
        socket.connect(("127.0.0.1", port))
    };
    assert_eq!(shutdowns_of_client(bound), 1);
    let of_std = |port| {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        Socket::from_std(stream).unwrap()
    };
    assert_eq!(shutdowns_of_client(of_std), 1);
}
