//! Errors of single system calls: what is tried again, what waits, what ends, and what never spins.

#![cfg(target_os = "linux")]

#[path = "support/faults.rs"]
mod faults;
mod support;

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use soquete::net::{self, ServerOptions};
use soquete::{event, timers};
use support::{done, echo_server, listening_on, note, outsider, pair, record, run_to_end};

/// How long a call goes on failing.
const A_WHILE: Duration = Duration::from_millis(250);

/// Lets accept fail by `errno` for a while. What comes out is how often it was tried meanwhile.
fn accepts_that_fail(errno: i32) -> usize {
    let tried = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tried);
    echo_server(move |server, port| {
        let peer = outsider(port);
        let begin = Instant::now();
        faults::deciding(&[libc::SYS_accept4, libc::SYS_accept], move |_| {
            let fails = begin.elapsed() < A_WHILE;
            fails.then(|| count.fetch_add(1, Ordering::Relaxed));
            fails.then_some(errno)
        });
        let mut served = Some(std::thread::spawn(move || is_served(peer)));
        server.on(event::Connection, move |socket: net::Socket| {
            socket.on(event::Close, move |_| done(server.close()));
            note("connection");
        });
        let given_up = timers::set_timeout(A_WHILE * 8, move || done(server.close()));
        server.on(event::Close, move |_| {
            assert!(served.take().expect("one end").join().unwrap());
            given_up.clear();
        });
    });
    run_to_end();
    assert_eq!(record(), ["connection"]);
    tried.load(Ordering::Relaxed)
}

fn is_served(mut peer: std::net::TcpStream) -> bool {
    let mut answer = [0; 5];
    peer.write_all(b"hello").is_ok() && peer.read_exact(&mut answer).is_ok()
}

#[test]
fn an_accept_that_is_not_permitted_is_tried_again_after_a_pause() {
    let tried = accepts_that_fail(libc::EPERM);
    assert!(tried < 10, "{tried} times in {A_WHILE:?}");
}

#[test]
fn an_accept_that_is_denied_is_tried_again_after_a_pause() {
    let tried = accepts_that_fail(libc::EACCES);
    assert!(tried < 10, "{tried} times in {A_WHILE:?}");
}

#[test]
fn accepts_that_are_aborted_for_ever_do_not_spin() {
    let tried = accepts_that_fail(libc::ECONNABORTED);
    assert!(tried < 500, "{tried} times in {A_WHILE:?}");
}

#[test]
fn accepts_that_are_interrupted_for_ever_do_not_spin() {
    let tried = accepts_that_fail(libc::EINTR);
    assert!(tried < 500, "{tried} times in {A_WHILE:?}");
}

/// Of three who wait, how many are served if the first accept fails.
fn served_of_three(errno: i32) -> usize {
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    echo_server(move |server, port| {
        let left = Rc::new(Cell::new(3));
        server.on(event::Connection, move |socket: net::Socket| {
            let left = Rc::clone(&left);
            socket.on(event::Close, move |_| {
                left.set(left.get() - 1);
                if left.get() == 0 {
                    server.close();
                }
            });
        });
        let peers: Vec<_> = (0..3).map(|_| outsider(port)).collect();
        // Before the filter, which they would inherit.
        for peer in peers {
            let count = Arc::clone(&count);
            std::thread::spawn(move || {
                count.fetch_add(is_served(peer).into(), Ordering::Relaxed);
            });
        }
        let given_up = timers::set_timeout(Duration::from_secs(3), move || done(server.close()));
        server.on(event::Close, move |_| given_up.clear());
        let mut first = true;
        faults::deciding(&[libc::SYS_accept4, libc::SYS_accept], move |_| {
            std::mem::take(&mut first).then_some(errno)
        });
    });
    run_to_end();
    served.load(Ordering::Relaxed)
}

#[test]
fn an_accept_without_memory_turns_nobody_away() {
    assert_eq!(served_of_three(libc::ENOMEM), 3);
}

#[test]
fn an_accept_without_buffers_turns_nobody_away() {
    assert_eq!(served_of_three(libc::ENOBUFS), 3);
}

#[test]
fn a_server_whose_descriptor_listens_no_more_has_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let clone = listener.try_clone().unwrap();
    let server = net::create_server(|_| {});
    server.listen(listener);
    server.on(event::Error, move |error| {
        note(format!("{} {}", error.syscall().unwrap(), error.code()));
        server.close();
    });
    server.on(event::Close, |_| note("close"));
    server.on(event::Listening, move |()| {
        socket2::SockRef::from(&clone)
            .shutdown(std::net::Shutdown::Both)
            .unwrap();
    });
    run_to_end();
    assert_eq!(record(), ["accept EINVAL", "close"]);
}

/// A connection of which the first `failures` writes fail by `errno`, and what comes of it.
fn writes_that_fail(errno: i32, failures: usize, write: fn(net::Socket)) -> Vec<String> {
    // A thread of its own: it keeps what lets its calls fail.
    let alone = std::thread::spawn(move || writes_of_this_thread_fail(errno, failures, write));
    alone.join().expect("no panic")
}

fn writes_of_this_thread_fail(errno: i32, failures: usize, write: fn(net::Socket)) -> Vec<String> {
    pair(move |server, client| {
        let left = Arc::new(AtomicUsize::new(failures));
        let calls = [
            libc::SYS_sendto,
            libc::SYS_sendmsg,
            libc::SYS_write,
            libc::SYS_writev,
        ];
        faults::deciding(&calls, move |_| {
            let fails = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
            fails.is_ok().then_some(errno)
        });
        for socket in [server, client] {
            socket.on(event::Error, |error| {
                note(format!("error {}", error.code()))
            });
        }
        let received = Rc::new(Cell::new(0));
        let count = Rc::clone(&received);
        server.on(event::Data, move |chunk| {
            count.set(count.get() + chunk.len())
        });
        server.on(event::End, move |()| {
            note(format!("received {}", received.get()))
        });
        write(client);
        client.end();
    });
    run_to_end();
    record()
}

fn one_part(client: net::Socket) {
    client.write_then("hello", |outcome| {
        note(format!("written {}", outcome.is_ok()))
    });
}

fn several_parts(client: net::Socket) {
    client.cork();
    client.write("he");
    client.write("ll");
    client.write_then("o", |outcome| note(format!("written {}", outcome.is_ok())));
    client.uncork();
}

fn more_than_the_kernel_takes(client: net::Socket) {
    let all = vec![b'x'; 16 << 20];
    client.write_then(all, |outcome| note(format!("written {}", outcome.is_ok())));
}

#[test]
fn a_write_that_finds_no_buffers_is_made_again() {
    for write in [one_part, several_parts] {
        let record = writes_that_fail(libc::ENOBUFS, 3, write);
        assert_eq!(record, ["written true", "received 5"]);
    }
}

#[test]
fn a_write_that_finds_no_memory_is_made_again() {
    for write in [one_part, several_parts] {
        let record = writes_that_fail(libc::ENOMEM, 3, write);
        assert_eq!(record, ["written true", "received 5"]);
    }
}

#[test]
fn a_long_write_that_finds_no_buffers_is_made_again() {
    let record = writes_that_fail(libc::ENOBUFS, 2, more_than_the_kernel_takes);
    assert_eq!(record, ["written true", "received 16777216"]);
}

#[test]
fn a_socket_that_is_destroyed_while_a_write_waits_for_memory_leaves_no_timer() {
    pair(|server, client| {
        faults::deciding(&[libc::SYS_sendto, libc::SYS_write], |_| {
            Some(libc::ENOBUFS)
        });
        server.resume();
        client.write_then("hello", |outcome| note(outcome.unwrap_err().code()));
        timers::set_timeout(Duration::from_millis(50), move || done(client.destroy()));
    });
    run_to_end();
    assert_eq!(record(), ["ECANCELED"]);
}

#[test]
fn a_connection_whose_peer_cannot_be_named_is_up_all_the_same() {
    for errno in [libc::EPERM, libc::EACCES, libc::ENOBUFS] {
        let worker = std::thread::spawn(move || {
            echo_server(move |server, port| {
                faults::deciding(&[libc::SYS_getpeername], move |_| Some(errno));
                let client = net::connect(("127.0.0.1", port));
                client.on(event::Connect, move |()| {
                    note("connect");
                    client.end();
                });
                client.resume();
                client.on(event::Close, move |_| done(server.close()));
            });
            run_to_end();
            assert_eq!(record(), ["connect"]);
        });
        worker.join().unwrap();
    }
}

#[test]
fn a_write_of_several_parts_to_a_peer_that_is_gone_raises_no_signal() {
    let test = "a_write_of_several_parts_to_a_peer_that_is_gone_raises_no_signal";
    if std::env::var_os("SOQUETE_ALONE").is_none() {
        return support::in_a_process(test, ("SOQUETE_ALONE", "1"), None);
    }
    // SAFETY: a signal's action is put back to what it is in a process that is not Rust's.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let at = std::env::temp_dir().join(format!("soquete-sigpipe-{}", std::process::id()));
    for by_path in [false, true] {
        let options = ServerOptions::new()
            .pause_on_connect(true)
            .allow_half_open(true);
        // Nothing is read, so that nothing but the write finds out.
        let server = net::create_server_with(options, |socket| {
            socket.on(event::Error, |error| note(error.code()));
            timers::set_timeout(Duration::from_millis(20), move || {
                several_parts(socket);
                timers::set_timeout(Duration::from_millis(20), move || several_parts(socket));
            });
            socket.on(event::Close, move |_| {
                done(socket.server().map(|server| server.close()))
            });
        });
        if by_path {
            server.listen(at.as_path());
            drop(std::os::unix::net::UnixStream::connect(&at).unwrap());
        } else {
            listening_on(server, "127.0.0.1", |_, port| drop(outsider(port)));
        }
        run_to_end();
        assert!(
            support::noted("EPIPE") || support::noted("ECONNRESET"),
            "{:?}",
            record()
        );
        record();
    }
}

#[test]
fn a_server_that_is_closed_while_accepting_rests_leaves_no_timer() {
    let server = net::create_server_with(ServerOptions::new(), |_| note("connection"));
    listening_on(server, "127.0.0.1", move |server, port| {
        faults::deciding(&[libc::SYS_accept4, libc::SYS_accept], |_| {
            Some(libc::ENOMEM)
        });
        let mut peer = Some(outsider(port));
        timers::set_timeout(Duration::from_millis(10), move || {
            drop(peer.take());
            server.close();
        });
    });
    run_to_end();
    assert_eq!(record(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_set_on_an_accepted_socket_ends_no_server() {
    let options = ServerOptions::new()
        .no_delay(true)
        .keep_alive(Duration::from_secs(60))
        .type_of_service(0x20);
    let server = net::create_server_with(options, |socket| {
        note("connection");
        socket.on(event::Error, |error| note(error.code()));
        socket.resume();
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let peer = outsider(port);
        // As other systems answer once the peer has reset the connection.
        faults::deciding(&[libc::SYS_setsockopt], |_| Some(libc::EINVAL));
        server.on(event::Connection, move |_| {
            let _ = peer.shutdown(std::net::Shutdown::Both);
            server.close();
        });
    });
    run_to_end();
    assert_eq!(record(), ["connection"]);
}
