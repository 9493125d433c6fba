//! Reading what is kept in pieces costs what the bytes cost, in memory as in time.

#[path = "support/counting.rs"]
mod counting;

use std::time::{Duration, Instant};

use soquete::net::Socket;

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

/// A socket that keeps `bytes`, put back as one chunk.
fn keeping(bytes: &[u8]) -> Socket {
    let socket = Socket::new();
    socket.pause();
    socket.unshift(bytes);
    socket
}

fn read_all(socket: Socket, size: usize) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    while let Some(piece) = socket.read_exactly(size).unwrap() {
        pieces.push(piece);
    }
    pieces
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|index| b'a' + (index % 23) as u8).collect()
}

#[test]
fn pieces_hold_their_own_bytes_and_no_more() {
    const COUNT: usize = 64 * 1024;
    let expected = bytes(COUNT);
    let ways: [fn(Socket); 3] = [
        |_| (),
        |socket| done(socket.set_encoding()),
        |socket| {
            let head = socket.read_exactly(3).unwrap().unwrap();
            socket.unshift(head);
        },
    ];
    for way in ways {
        let socket = keeping(&expected);
        way(socket);
        let before = counting::so_far();
        let pieces = read_all(socket, 8);
        let held = counting::since(before).in_use as usize;
        assert_eq!(pieces.concat(), expected);
        let limit = COUNT + 2 * pieces.len() * size_of::<Vec<u8>>();
        assert!(held <= limit, "{held} bytes for {COUNT}");
    }
}

fn done(_: Socket) {}

#[test]
fn a_small_rest_gives_the_big_chunk_back() {
    let socket = keeping(&bytes(1 << 20));
    let before = counting::so_far();
    for _ in 0..1023 {
        socket.read_exactly(1024).unwrap().unwrap();
    }
    let given_back = -counting::since(before).in_use;
    assert!(given_back > 1_000_000, "{given_back} bytes");
    assert_eq!(socket.readable_length(), 1024);
}

#[test]
fn time_is_linear_in_the_bytes() {
    let expected = bytes(1 << 20);
    for size in [1, 4, 16, 100, 1000] {
        let socket = keeping(&expected);
        let start = Instant::now();
        let pieces = read_all(socket, size);
        let elapsed = start.elapsed();
        assert_eq!(pieces.len(), expected.len() / size);
        // With the rest copied for each it is a minute and more in pieces of one byte.
        assert!(elapsed < Duration::from_secs(8), "{elapsed:?}");
    }
}
