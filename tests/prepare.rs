//! Options of the system that have no name here: what the user does to a descriptor first.

mod support;

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use soquete::net::{self, ConnectOptions, ServerOptions, Socket, SocketOptions};
use soquete::{Error, event};
use support::{listening_on, note, record, run_to_end};

const USER_TIMEOUT: Duration = Duration::from_secs(20);

#[cfg(target_os = "linux")]
fn set_user_timeout(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    SockRef::from(&descriptor).set_tcp_user_timeout(Some(USER_TIMEOUT))
}

#[cfg(target_os = "linux")]
fn user_timeout(socket: Socket) -> Option<Duration> {
    let descriptor = socket.try_clone_fd().unwrap();
    SockRef::from(&descriptor).tcp_user_timeout().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn both_ends_have_what_was_set_before_anything_else() {
    let options = ServerOptions::new().prepare(set_user_timeout);
    let server = net::create_server_with(options, |socket| {
        assert_eq!(user_timeout(socket), Some(USER_TIMEOUT));
        note("accepted");
        socket.end();
    });
    listening_on(server, "127.0.0.1", |server, port| {
        let options = ConnectOptions::new(port).host("127.0.0.1");
        let client = net::connect(options.prepare(set_user_timeout));
        client.on(event::Connect, move |()| {
            assert_eq!(user_timeout(client), Some(USER_TIMEOUT));
            note("connected");
        });
        client.resume().on(event::Close, move |_| server.close());
    });
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["accepted", "connected"]);
}

#[test]
fn a_socket_is_prepared_for_each_connect_and_each_attempt() {
    let calls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&calls);
    let options = SocketOptions::new().prepare(move |descriptor| {
        assert!(descriptor.as_raw_fd() >= 0);
        counted.set(counted.get() + 1);
        Ok(())
    });
    let several = ConnectOptions::new(1).host("x").lookup(|_, _, done| {
        let addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
        done(Ok(addresses
            .map(|address| address.parse().unwrap())
            .to_vec()));
    });
    let socket = Socket::new_with(options);
    socket.on(event::Error, |error| note(error.code()));
    socket.connect(several);
    run_to_end();
    assert_eq!(
        (calls.get(), record()),
        (3, vec!["ECONNREFUSED".to_owned()])
    );
}

#[test]
fn what_cannot_be_prepared_does_not_connect() {
    let options = ConnectOptions::new(1).host("127.0.0.1");
    let refused = |_: BorrowedFd<'_>| Err(io::Error::from_raw_os_error(1));
    net::connect(options.prepare(refused)).on(event::Error, |error| note(error.to_string()));
    let path = PathBuf::from("/nonexistent");
    net::connect(ConnectOptions::path(path).prepare(refused))
        .on(event::Error, |error| note(error.to_string()));
    run_to_end();
    let mut record = record();
    record.sort();
    assert!(
        record[0].starts_with("connect EPERM /nonexistent"),
        "{record:?}"
    );
    assert!(
        record[1].starts_with("connect EPERM 127.0.0.1:1"),
        "{record:?}"
    );
}

#[test]
fn an_accepted_connection_that_cannot_be_prepared_is_closed_and_the_server_goes_on() {
    let calls = Cell::new(0);
    let options = ServerOptions::new().prepare(move |_| {
        calls.set(calls.get() + 1);
        match calls.get() {
            1 => Err(io::ErrorKind::OutOfMemory.into()),
            _ => Ok(()),
        }
    });
    let server = net::create_server_with(options, |socket| socket.end_with("served"));
    listening_on(server, "127.0.0.1", |server, port| {
        let first = net::connect(("127.0.0.1", port)).resume();
        first.on(event::Error, |_| {});
        first.on(event::Close, move |_| {
            note("first closed");
            let second = net::connect(("127.0.0.1", port));
            second.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
            second.on(event::Close, move |_| server.close());
        });
    });
    run_to_end();
    assert_eq!(record(), ["first closed", "served"]);
}

#[test]
fn a_panic_while_preparing_ends_the_run_and_harms_nobody_else() {
    let options = ConnectOptions::new(1).host("127.0.0.1");
    let client = net::connect(options.prepare(|_| panic!("of the user's")));
    client.on(event::Error, |error: &Error| note(error.code()));
    let run = std::panic::AssertUnwindSafe(support::run_on);
    assert!(std::panic::catch_unwind(run).is_err());
    run_to_end();
    assert_eq!(record(), ["ECANCELED"]);
}
