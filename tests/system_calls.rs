//! System calls that a connection takes no more of than a program that makes them itself.

#![cfg(target_os = "linux")]

#[path = "support/faults.rs"]
mod faults;
mod support;

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use soquete::net::{self, Socket};
use soquete::{event, timers};
use support::{listening_on, outsider, run_to_end};

/// How often shutdown(2) is called for a connection that says a byte each way, ends in order, and that `serve` has
/// set up. It must have closed without an error, and so must its peer's.
fn shutdowns(serve: fn(Socket)) -> usize {
    // A thread of its own: it keeps what is asked about its calls.
    let alone = std::thread::spawn(move || shutdowns_of_this_thread(serve));
    alone.join().expect("no panic")
}

fn shutdowns_of_this_thread(serve: fn(Socket)) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let closed = Rc::new(Cell::new(None));
    let noted = Rc::clone(&closed);
    let server = net::create_server(move |socket| {
        let noted = Rc::clone(&noted);
        socket.on(event::Data, move |chunk| socket.write(chunk));
        socket.on(event::Close, move |had_error| noted.set(Some(had_error)));
        serve(socket);
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let mut peer = outsider(port);
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
