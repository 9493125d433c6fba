//! Unix domain sockets: whose file is removed, and whose is not.

mod support;

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use soquete::event;
use soquete::net::{self, BoundSocket, ListenOptions};
use support::{note, record, run_on, run_to_end};

/// A path of this test's own, where nothing is.
fn path(name: &str) -> PathBuf {
    let at = std::env::temp_dir().join(format!("soquete-ipc-{}-{name}", std::process::id()));
    let _ = fs::remove_file(&at);
    at
}

#[test]
fn the_file_goes_with_the_server() {
    let at = path("goes");
    let server = net::create_server(|_| {}).listen(at.as_path());
    assert!(at.exists());
    server.close();
    assert!(!at.exists(), "in the call, as the descriptor");
    run_to_end();
}

#[test]
fn a_file_that_somebody_else_has_put_in_its_place_stays() {
    let at = path("rebound");
    let server = net::create_server(|_| {}).listen(at.as_path());
    fs::remove_file(&at).unwrap();
    let usurper = UnixListener::bind(&at).unwrap();
    server.close();
    run_to_end();
    assert!(at.exists());
    UnixStream::connect(&at).expect("the other's server is still reached");
    drop(usurper);
    fs::remove_file(at).unwrap();
}

#[test]
fn a_file_that_is_gone_already_is_no_error() {
    let at = path("gone");
    let server = net::create_server(|_| {}).listen(at.as_path());
    fs::remove_file(&at).unwrap();
    server.close();
    run_to_end();
}

#[test]
fn a_stale_file_is_in_use_and_stays() {
    let at = path("stale");
    drop(UnixListener::bind(&at).unwrap());
    let server = net::create_server(|_| {}).listen(at.as_path());
    server.on(event::Error, move |error| {
        note(error.code());
        server.close();
    });
    net::connect(at.as_path()).on(event::Error, |error| note(error.code()));
    run_to_end();
    assert_eq!(record(), ["EADDRINUSE", "ECONNREFUSED"]);
    assert!(at.exists());
    fs::remove_file(at).unwrap();
}

#[test]
fn a_bound_socket_that_nobody_adopted_takes_its_file_along() {
    let at = path("dropped");
    let bound = BoundSocket::new(at.as_path()).unwrap();
    let clone = bound.clone();
    drop(bound);
    assert!(at.exists(), "there is another one");
    drop(clone);
    assert!(!at.exists());
}

#[test]
fn a_bound_socket_can_be_adopted_by_another_thread() {
    let at = path("sent");
    let bound = BoundSocket::new(at.as_path()).unwrap();
    let here = bound.clone();
    let there = std::thread::spawn(move || {
        let server = net::create_server(|socket| {
            socket.write("hello");
            socket.destroy_soon();
            socket.server().map(|server| server.close());
        });
        server.listen(bound);
        run_to_end();
    });
    let mut stream = loop {
        // Not listened on until the other thread does.
        if let Ok(stream) = UnixStream::connect(&at) {
            break stream;
        }
        std::thread::yield_now();
    };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    there.join().unwrap();
    assert_eq!(text, "hello");
    assert_eq!(
        here.address().unwrap_err().code(),
        "ERR_SOCKET_HANDLE_ADOPTED"
    );
    assert!(!at.exists());
}

#[test]
fn permissions_of_an_abstract_name_are_an_invalid_value() {
    let name = format!("\0soquete-ipc-{}", std::process::id());
    let server = net::create_server(|_| {});
    server.listen(ListenOptions::path(name).readable_all(true));
    server.on(event::Error, move |error| {
        note(error.code());
        server.close();
    });
    run_to_end();
    assert_eq!(record(), ["ERR_INVALID_ARG_VALUE"]);
}

#[test]
fn a_connect_that_the_backlog_has_no_room_for_is_refused_as_the_kernel_says() {
    let at = path("full");
    let listener =
        socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    listener
        .bind(&socket2::SockAddr::unix(&at).unwrap())
        .unwrap();
    listener.listen(0).unwrap();
    let first = net::connect(at.as_path());
    first.once(event::Connect, move |()| {
        note("connect");
        net::connect(at.as_path()).on(event::Error, move |error| {
            note(error.code());
            first.destroy();
            let _ = fs::remove_file(&at);
        });
    });
    run_to_end();
    assert_eq!(record(), ["connect", "EAGAIN"]);
}

#[test]
fn a_path_of_nothing_or_with_a_zero_in_it_is_invalid() {
    for path in ["", "/tmp/soquete\0cut-off"] {
        let client = net::connect(std::path::Path::new(path));
        client.on(event::Error, |error| {
            note(format!("connect {}", error.code()))
        });
        let server = net::create_server(|_| {});
        server.on(event::Error, |error| {
            note(format!("listen {}", error.code()))
        });
        server.listen(ListenOptions::path(path));
        run_on().unwrap();
        server.close();
        run_to_end();
        assert_eq!(record(), ["connect EINVAL", "listen EINVAL"], "{path:?}");
    }
    assert!(!std::path::Path::new("/tmp/soquete").exists());
}

#[test]
fn a_socket_that_connects_by_a_path_cannot_be_reset() {
    let at = path("no-reset");
    let server = net::create_server(|socket| {
        socket.end();
    });
    server.listen(at.as_path());
    let client = net::connect(at.as_path());
    assert!(client.connecting());
    let error = client.reset_and_destroy().unwrap_err();
    assert_eq!(error.code(), "ERR_INVALID_HANDLE_TYPE");
    client.on(event::Connect, move |()| {
        note("connect");
        server.close();
    });
    client.resume();
    run_to_end();
    assert_eq!(record(), ["connect"]);
}
