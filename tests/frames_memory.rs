//! What a framed connection costs in memory, and that no byte is copied over and over.

#[path = "support/counting.rs"]
mod counting;
mod support;

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{Either, FixedLength, Flow, FrameReader, LengthPrefix, Lines, RecordMark};
use soquete::net::{self, Socket};
use soquete::{event, timers};
use support::{listening_on, outsider};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

const CONNECTIONS: usize = 100;
const READ_BUFFER: isize = 512 * 1024 / CONNECTIONS as isize;
const LEN: usize = 15_000;

/// Bytes in use for each of so many connections that `serve` has set up, when each peer has sent `sent`, half of it
/// after all have sent the other half.
fn bytes_at_rest(sent: &'static [u8], serve: impl Fn(Socket) + 'static) -> isize {
    let each = Rc::new(Cell::new(0));
    let measured = Rc::clone(&each);
    let accepted = Rc::new(RefCell::new(Vec::with_capacity(CONNECTIONS)));
    let accepting = Rc::clone(&accepted);
    let server = net::create_server(move |socket| {
        serve(socket);
        accepting.borrow_mut().push(socket);
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let mut peers: Vec<TcpStream> = Vec::with_capacity(CONNECTIONS);
        let before = counting::so_far();
        peers.extend((0..CONNECTIONS).map(|_| outsider(port)));
        let mut halves = [&sent[..sent.len() / 2], &sent[sent.len() / 2..]].into_iter();
        let mut due = 0;
        timers::set_interval(Duration::from_millis(1), move || {
            let accepted = accepted.borrow();
            let all_came = |socket: &Socket| socket.bytes_read() == due as u64;
            if accepted.len() < CONNECTIONS || !accepted.iter().all(all_came) {
                return;
            }
            let Some(half) = halves.next() else {
                measured.set(counting::since(before).in_use / CONNECTIONS as isize);
                return soquete::stop();
            };
            due += half.len();
            for mut peer in &peers {
                peer.write_all(half).unwrap();
            }
        });
        let _ = server;
    });
    soquete::run().unwrap();
    each.get()
}

/// In a loop of its own.
fn measure(sent: &'static [u8], serve: fn(Socket)) -> isize {
    std::thread::spawn(move || bytes_at_rest(sent, serve))
        .join()
        .unwrap()
}

/// What is kept by the loop, however many sockets it has.
const SPARE: isize = 64 * 1024 / CONNECTIONS as isize;

#[test]
fn a_framed_socket_at_rest_keeps_no_buffer() {
    let of_length = |socket: Socket| {
        socket.on(event::Error, |_| {});
        let reader = FrameReader::new(LengthPrefix::u32_be(), 1 << 20);
        socket.frames(reader, |frame| assert_eq!(frame.len(), LEN));
    };
    let in_fragments = |socket: Socket| {
        socket.on(event::Error, |_| {});
        let reader = FrameReader::new(RecordMark, 1 << 20);
        socket.frames(reader, |frame| assert_eq!(frame.len(), LEN + 1));
    };
    let prefixed = [&(LEN as u32).to_be_bytes()[..], &[7; LEN]].concat();
    let fragments = [&[0, 0, 0, 1, 7, 0x80][..], &prefixed[1..]].concat();
    let serve: [fn(Socket); 2] = [of_length, in_fragments];
    for (serve, frame) in serve.into_iter().zip([prefixed, fragments]) {
        let fresh = measure(&[], serve);
        let used = measure(frame.leak(), serve) - READ_BUFFER - SPARE;
        println!("{fresh} bytes for each framed socket, {used} after a frame over two chunks");
        assert!(used <= fresh + 64, "{used} bytes, and {fresh} before");
    }
}

type Begin = Box<dyn FnOnce()>;

/// Lets the server read `LINES` lines in one chunk, with a framing of its own for each, which `next` begins. Returns how
/// many bytes were allocated for each.
fn bytes_by_line(next: fn(Socket, Begin)) -> usize {
    const LINES: usize = 4_000;
    let measured = Rc::new(Cell::new(0));
    let bytes = Rc::clone(&measured);
    support::pair(move |served, client| {
        client.on(event::Error, |_| {});
        client.write("fifteen bytes..\n".repeat(LINES));
        served.on(event::Error, |_| {});
        // All of it has come before the first line is read.
        served.pause();
        timers::set_timeout(Duration::from_millis(30), move || {
            let begin = counting::so_far();
            let bytes = Rc::clone(&bytes);
            let done = Rc::new(move || {
                bytes.set(counting::since(begin).bytes / LINES);
                served.destroy();
            });
            frame_a_line(served, next, LINES, done);
            served.resume();
        });
    });
    support::run_to_end();
    measured.get()
}

fn frame_a_line(socket: Socket, next: fn(Socket, Begin), left: usize, done: Rc<dyn Fn()>) {
    socket.frames(FrameReader::new(Lines::new(), 100), move |line| {
        assert_eq!(line, b"fifteen bytes..");
        let done = Rc::clone(&done);
        match left - 1 {
            0 => done(),
            left => next(
                socket,
                Box::new(move || frame_a_line(socket, next, left, done)),
            ),
        }
        Flow::Stop
    });
}

/// What a framing is made of, with room to spare; the rest of the chunk is up to sixty times as much.
const ONE_FRAMING: usize = 3_000;

#[test]
fn a_new_framing_for_each_line_copies_no_other_line() {
    let bytes = bytes_by_line(|_, begin| begin());
    assert!(bytes < ONE_FRAMING, "{bytes} bytes allocated for each line");
}

#[test]
fn a_new_framing_that_comes_later_copies_no_other_line() {
    let bytes = bytes_by_line(|_, begin| timers::next_tick(begin));
    assert!(bytes < ONE_FRAMING, "{bytes} bytes allocated for each line");
}

#[test]
fn a_new_framing_after_a_pause_copies_no_other_line() {
    let bytes = bytes_by_line(|socket, begin| {
        socket.pause();
        timers::next_tick(move || {
            begin();
            socket.resume();
        });
    });
    assert!(bytes < ONE_FRAMING, "{bytes} bytes allocated for each line");
}

#[test]
fn a_switch_in_place_allocates_nothing() {
    const PAIRS: usize = 3_000;
    let allocated = Rc::new(Cell::new(None));
    let times = Rc::clone(&allocated);
    support::pair(move |served, client| {
        client.on(event::Error, |_| {});
        client.write("16\nsixteen bytes...".repeat(PAIRS));
        // The table of immediates is the loop's, and made when it is first used.
        timers::set_immediate(|| {});
        let mut frames = 0;
        let mut begin = None;
        let reader = FrameReader::new(Either::A(Lines::new()), 100);
        served.frame_items_with(reader, move |_, mut reading| {
            let begin = *begin.get_or_insert_with(counting::so_far);
            frames += 1;
            if frames == 2 * PAIRS {
                times.set(Some(counting::since(begin).times));
                served.destroy();
            }
            let next = match reading.format() {
                Either::A(_) => Either::B(FixedLength::new(16).unwrap()),
                Either::B(_) => Either::A(Lines::new()),
            };
            reading.switch(next, 100).unwrap();
        });
    });
    support::run_to_end();
    // The frames of later turns are kept until then.
    assert!(matches!(allocated.get(), Some(0..10)), "{allocated:?}");
}
