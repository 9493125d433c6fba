//! What an open connection at rest costs in memory, by the bytes that are allocated for it.

#[path = "support/counting.rs"]
mod counting;
mod support;

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{FrameReader, LengthPrefix, Lines};
use soquete::net::{self, Socket};
use soquete::{event, timers};
use support::{listening_on, outsider};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

/// What each peer sends, in parts that arrive one after the other, and how many bytes come back.
#[derive(Clone, Copy)]
struct Talk {
    parts: &'static [&'static [u8]],
    answer: usize,
}

const SILENCE: Talk = Talk {
    parts: &[],
    answer: 0,
};

const TWO_PARTS: Talk = Talk {
    parts: &[b"\0\0\0\x0chalf a", b" frame"],
    answer: 0,
};

const ECHO: Talk = Talk {
    parts: &[b"all of it is echoed"],
    answer: 19,
};

/// Bytes in use when so many connections that `serve` has set up have had their talk.
fn bytes_in_use(connections: usize, talk: Talk, serve: fn(Socket)) -> isize {
    let in_use = Rc::new(Cell::new(0));
    let measured = Rc::clone(&in_use);
    let accepted = Rc::new(RefCell::new(Vec::with_capacity(connections)));
    let accepting = Rc::clone(&accepted);
    let server = net::create_server(move |socket| {
        serve(socket);
        accepting.borrow_mut().push(socket);
    });
    listening_on(server, "127.0.0.1", move |_, port| {
        let mut peers: Vec<TcpStream> = Vec::with_capacity(connections);
        let before = counting::so_far();
        let (mut due, mut parts) = (0, talk.parts.iter());
        timers::set_interval(Duration::from_millis(1), move || {
            let accepted = accepted.borrow();
            let all_came = |socket: &Socket| socket.bytes_read() == due as u64;
            if accepted.len() < peers.len() || !accepted.iter().all(all_came) {
                return;
            }
            if peers.len() < connections {
                // As many at a time as a backlog holds.
                let more = (connections - peers.len()).min(100);
                return peers.extend((0..more).map(|_| outsider(port)));
            }
            if let Some(part) = parts.next() {
                due += part.len();
                let send = |mut peer: &TcpStream| peer.write_all(part).unwrap();
                return peers.iter().for_each(send);
            }
            let mut answer = [0; 64];
            let answer = &mut answer[..talk.answer];
            let heard = |mut peer: &TcpStream| peer.read_exact(answer).unwrap();
            peers.iter().for_each(heard);
            measured.set(counting::since(before).in_use);
            soquete::stop();
        });
    });
    soquete::run().unwrap();
    in_use.get()
}

/// Bytes for each connection, without what the loop has once.
fn bytes_each(talk: Talk, serve: fn(Socket)) -> isize {
    // Whole pages of the loop's tables.
    const FEW: usize = 64;
    const MANY: usize = 448;
    let [few, many] = [FEW, MANY].map(|connections| {
        // In a loop of its own.
        let loop_thread = std::thread::spawn(move || bytes_in_use(connections, talk, serve));
        loop_thread.join().unwrap()
    });
    (many - few) / (MANY - FEW) as isize
}

fn four_listeners(socket: Socket) {
    socket.on(event::Data, move |chunk| socket.write(chunk));
    socket.on(event::End, |()| ());
    socket.on(event::Error, |_| ());
    socket.on(event::Close, |_| ());
}

fn silent_listeners(socket: Socket) {
    socket.on(event::Data, |chunk: &[u8]| assert!(!chunk.is_empty()));
    socket.on(event::End, |()| ());
    socket.on(event::Error, |_| ());
    socket.on(event::Close, |_| ());
}

fn framed(socket: Socket) {
    let reader = FrameReader::new(LengthPrefix::u32_be(), 1 << 20);
    socket.frames(reader, |frame| assert_eq!(frame.len(), 12));
    socket.on(event::End, |()| ());
    socket.on(event::Error, |_| ());
    socket.on(event::Close, |_| ());
}

fn lines(socket: Socket) {
    socket.frames(FrameReader::new(Lines::new(), 1 << 16), |_| ());
    socket.on(event::End, |()| ());
    socket.on(event::Error, |_| ());
    socket.on(event::Close, |_| ());
}

fn with_timeout(socket: Socket) {
    four_listeners(socket);
    socket.set_timeout(Duration::from_secs(60));
}

/// As few bytes as have been reached. Debug builds have a few more for each socket than others.
#[track_caller]
fn takes(most: isize, talk: Talk, serve: fn(Socket)) {
    let each = bytes_each(talk, serve);
    assert!(each <= most, "{each} bytes for each connection");
}

#[test]
fn a_connection_without_listeners() {
    takes(250, SILENCE, |_| ());
}

#[test]
fn a_connection_with_four_listeners() {
    takes(330, SILENCE, four_listeners);
}

#[test]
fn a_connection_that_has_echoed() {
    takes(342, ECHO, four_listeners);
}

#[test]
fn a_connection_that_has_had_a_chunk_in_two_parts() {
    takes(334, TWO_PARTS, silent_listeners);
}

#[test]
fn a_connection_with_a_timeout() {
    takes(402, SILENCE, with_timeout);
}

#[test]
fn a_framed_connection() {
    takes(386, SILENCE, framed);
    takes(386, SILENCE, lines);
}

#[test]
fn a_framed_connection_that_has_had_a_frame_in_two_parts() {
    takes(398, TWO_PARTS, framed);
}

#[test]
fn a_framing_takes_little_more_than_a_listener_of_data() {
    for talk in [SILENCE, TWO_PARTS] {
        let without = bytes_each(talk, silent_listeners);
        let with = bytes_each(talk, framed);
        assert!(with <= without + 64, "{with} bytes, and {without} without");
    }
}
