//! What becomes of the bytes that are written: what is copied, what is shared, what is allocated.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use soquete::net::{ConnectOptions, Data, ServerOptions, Socket};
use soquete::{event, net};

#[path = "support/counting.rs"]
mod counting;
mod support;

use support::record::{one_shot_server, pattern};
use support::{pair, port_of, run_to_end};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

/// Sends `chunk` back and forth through a server that `serve` sets up, and returns how often the
/// server's thread allocated in a thousand rounds, once it was warm.
fn allocations_per_thousand(chunk: usize, serve: impl FnOnce(Socket) + 'static) -> usize {
    const WARM_UP: u64 = 200;
    const ROUNDS: u64 = 1000;
    let counted = Rc::new(Cell::new(None));
    let begun = Rc::new(Cell::new(None));
    let result = Rc::clone(&counted);
    let server = one_shot_server(ServerOptions::new(), move |socket| {
        serve(socket);
        socket.on(event::Data, move |_| {
            let bytes = socket.bytes_read();
            if begun.get().is_none() && bytes >= WARM_UP * chunk as u64 {
                begun.set(Some(counting::so_far()));
            } else if counted.get().is_none() && bytes >= (WARM_UP + ROUNDS) * chunk as u64 {
                let since = begun.get().map(|before| counting::since(before).times);
                counted.set(since);
            }
        });
    });
    let port = port_of(server);
    let peer = thread::spawn(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_nodelay(true).expect("an option of TCP");
        let mut buffer = vec![7; chunk];
        for _ in 0..WARM_UP + ROUNDS + 1 {
            stream.write_all(&buffer).expect("the server reads");
            stream.read_exact(&mut buffer).expect("the server answers");
        }
    });
    run_to_end();
    peer.join().expect("the peer was content");
    result.get().expect("all rounds were counted")
}

fn echo(socket: Socket) {
    socket.pipe(socket);
}

#[test]
fn an_echo_by_pipe_allocates_nothing_for_small_chunks() {
    assert_eq!(allocations_per_thousand(64, echo), 0);
}

#[test]
fn an_echo_by_pipe_allocates_nothing_for_chunks_that_are_written_at_once() {
    assert_eq!(allocations_per_thousand(20 * 1024, echo), 0);
}

#[test]
fn an_echo_by_write_allocates_nothing() {
    let by_write = |socket: Socket| {
        socket.on(event::Data, move |chunk| {
            socket.write(chunk);
        });
    };
    assert_eq!(allocations_per_thousand(512, by_write), 0);
}

/// A socket that never gets further than its look-up, and needs no descriptor.
fn waiting_socket() -> Socket {
    net::connect(ConnectOptions::new(1).host("nowhere").lookup(|_, _, _| {}))
}

#[test]
fn a_shared_payload_on_ten_thousand_sockets_is_held_once() {
    const SOCKETS: usize = 10_000;
    let payload: Rc<[u8]> = pattern(1 << 20).into();
    let sockets: Vec<Socket> = (0..SOCKETS).map(|_| waiting_socket()).collect();
    let before = counting::so_far();
    for socket in &sockets {
        socket.write(&payload);
        assert_eq!(socket.writable_length(), 1 << 20);
    }
    assert_eq!(Rc::strong_count(&payload), SOCKETS + 1);
    let bytes = counting::since(before).bytes;
    assert!(bytes < SOCKETS * 2048, "10 GB are queued in {bytes} bytes");
    for socket in &sockets {
        socket.destroy();
    }
    run_to_end();
    assert_eq!(
        Rc::strong_count(&payload),
        1,
        "nothing is kept of closed sockets"
    );
}

#[test]
fn a_shared_payload_is_let_go_when_it_was_sent() {
    let payload: Arc<[u8]> = pattern(4 << 20).into();
    let (mine, sent) = (Arc::clone(&payload), Arc::clone(&payload));
    pair(move |writer, reader| {
        reader.pause();
        writer.write(&sent);
        assert_eq!(
            Arc::strong_count(&sent),
            4,
            "two of the test, one here, one queued"
        );
        writer.write_then(sent, move |outcome| {
            outcome.expect("it is read");
            assert_eq!(Arc::strong_count(&mine), 2, "both of the test");
            writer.end();
        });
        reader.on(event::Data, |_| {});
        reader.resume();
    });
    run_to_end();
    assert_eq!(Arc::strong_count(&payload), 1);
}

/// How many bytes are allocated while something is written that the kernel cannot take at once, and
/// whether the peer got `expected`.
fn allocated_by(write: impl FnOnce(Socket) + 'static, expected: Vec<u8>) -> usize {
    let received = Rc::new(RefCell::new(Vec::with_capacity(expected.len())));
    let into = Rc::clone(&received);
    let before = Rc::new(Cell::new(counting::so_far()));
    let at = Rc::clone(&before);
    pair(move |writer, reader| {
        reader.on(event::Data, move |chunk| {
            into.borrow_mut().extend_from_slice(chunk)
        });
        at.set(counting::so_far());
        write(writer);
        assert!(
            writer.writable_length() > 0,
            "the kernel did not take it all"
        );
        writer.end();
    });
    run_to_end();
    let bytes = counting::since(before.get()).bytes;
    assert!(
        *received.borrow() == expected,
        "the bytes that were written"
    );
    bytes
}

#[test]
fn big_buffers_that_are_handed_over_are_not_copied() {
    let big = pattern(8 << 20);
    let text: String = "ol\u{e1} ".repeat(1 << 20);
    let leaked: &'static [u8] = Vec::leak(pattern(8 << 20));
    let expected = [big.clone(), text.clone().into_bytes(), leaked.to_vec()].concat();
    let write = move |socket: Socket| {
        socket.write(big);
        socket.write(text);
        socket.write(Data::from_static(leaked));
    };
    let bytes = allocated_by(write, expected);
    assert!(bytes < 1 << 20, "{bytes} bytes for 21 MiB");
}

#[test]
fn big_buffers_that_are_lent_are_copied_only_as_far_as_the_kernel_left_them() {
    let big = pattern(8 << 20);
    let expected = big.clone();
    let write = move |socket: Socket| {
        socket.write(&big);
    };
    let bytes = allocated_by(write, expected);
    assert!(bytes < 8 << 20, "{bytes} bytes for 8 MiB");
}
