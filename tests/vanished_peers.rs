//! Peers that are gone before anybody has looked at them: their addresses are known all the same.

#![cfg(unix)]

mod support;

use std::net::{SocketAddr, TcpStream};

use soquete::net::{self, BlockList, ServerOptions, Socket};
use soquete::{event, timers};
use support::{done, listening_on, note, outsider, record, reset, run_to_end};

/// Comes, sends and resets before the server has accepted it. What comes out is its address.
fn come_and_go(port: u16) -> SocketAddr {
    use std::io::Write;
    let mut peer: TcpStream = outsider(port);
    let address = peer.local_addr().unwrap();
    peer.write_all(b"hello").unwrap();
    reset(peer).unwrap();
    address
}

fn close_soon(server: net::Server) {
    timers::set_timeout(std::time::Duration::from_millis(10), move || {
        done(server.close())
    });
}

#[test]
fn a_block_list_refuses_a_peer_that_is_gone() {
    let list = BlockList::new();
    list.add_address("127.0.0.1").unwrap();
    let server = net::create_server_with(ServerOptions::new().block_list(&list), |socket| {
        note("connection");
        socket.on(event::Error, |_| ());
        socket.on(event::Data, |_| note("data"));
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        for _ in 0..10 {
            come_and_go(port);
        }
        close_soon(server);
    });
    run_to_end();
    assert_eq!(record(), Vec::<String>::new());
}

#[test]
fn a_block_list_lets_others_in_that_are_gone() {
    let list = BlockList::new();
    list.add_address("127.0.0.2").unwrap();
    let server = net::create_server_with(ServerOptions::new().block_list(&list), |socket| {
        note("connection");
        socket.on(event::Error, |_| ());
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        come_and_go(port);
        close_soon(server);
    });
    run_to_end();
    assert_eq!(record(), ["connection"]);
}

#[test]
fn the_address_of_an_accepted_peer_is_known_after_it_has_gone() {
    let server = net::create_server(|socket: Socket| {
        note(format!("{:?}", socket.remote_socket_addr()));
        socket.on(event::Error, |_| ());
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        note(format!("{:?}", Some(come_and_go(port))));
        close_soon(server);
    });
    run_to_end();
    let record = record();
    assert_eq!(record.len(), 2);
    assert_eq!(record[0], record[1]);
}

#[test]
fn a_connection_too_many_that_is_gone_is_told_with_its_address() {
    let server = net::create_server(|_| note("connection"));
    server.set_max_connections(Some(0));
    server.on(event::Drop, |info| note(format!("{:?}", info.remote)));
    listening_on(server, "127.0.0.1", move |server, port| {
        note(format!("{:?}", Some(come_and_go(port))));
        close_soon(server);
    });
    run_to_end();
    let record = record();
    assert_eq!(record.len(), 2);
    assert_eq!(record[0], record[1]);
}

#[test]
fn the_address_of_a_server_is_known_after_it_has_reset_the_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = net::connect(address);
    client.on(event::Connect, move |()| {
        reset(listener.accept().unwrap().0).unwrap();
        // The kernel does not know it any more.
        note(format!("{:?}", client.remote_socket_addr()));
    });
    client.on(event::Error, |error| note(error.code()));
    client.resume();
    run_to_end();
    assert_eq!(
        record(),
        [format!("{:?}", Some(address)), "ECONNRESET".into()]
    );
}
