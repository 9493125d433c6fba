//! Reading into a buffer of the caller's.

use std::cell::{Cell, RefCell};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{ConnectOptions, ServerOptions, Socket, SocketOptions};
use soquete::sim::World;
use soquete::{event, net, timers};

mod support;

use support::record::{Record, one_shot_server, pattern};
use support::{pair_of, port_of, run_to_end};

/// Both ends of a connection, the second of which reads by `callback` into `buffer`.
fn reading_pair(
    buffer: impl Into<Vec<u8>>,
    callback: impl FnMut(Socket, usize, &mut Vec<u8>) -> bool + 'static,
    then: impl FnOnce(Socket, Socket) + 'static,
) {
    let buffer = buffer.into();
    let options = move |options: ConnectOptions| options.on_read(buffer, callback);
    pair_of(ServerOptions::new(), options, then);
}

#[test]
fn the_callback_gets_everything_in_the_one_buffer() {
    let sent = pattern(100_000);
    let received = Rc::new(RefCell::new(Vec::new()));
    let into = Rc::clone(&received);
    let at = Cell::new(None);
    let callback = move |_, count: usize, buffer: &mut Vec<u8>| {
        assert_eq!(buffer.len(), 1000);
        assert!(count <= 1000);
        let address = buffer.as_ptr();
        assert_eq!(at.replace(Some(address)).unwrap_or(address), address);
        into.borrow_mut().extend_from_slice(&buffer[..count]);
        true
    };
    let to_send = sent.clone();
    reading_pair(vec![0; 1000], callback, move |peer, _| {
        peer.end_with(to_send);
    });
    run_to_end();
    assert!(*received.borrow() == sent);
}

#[test]
fn there_is_no_data_and_nothing_is_kept_but_the_end_comes() {
    let record = Record::default();
    let events = record.clone();
    let noted = record.clone();
    let callback = move |socket: Socket, count: usize, _: &mut Vec<u8>| {
        noted.note(format!("read({count})"));
        assert_eq!(socket.readable_length(), 0);
        true
    };
    reading_pair(vec![0; 64], callback, move |peer, socket| {
        events.watch("socket", socket);
        let data = events.clone();
        socket.on(event::Data, move |_| data.note("data"));
        peer.end_with("hello");
        socket.on(event::Close, move |_| assert_eq!(socket.bytes_read(), 5));
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "socket.resume read(5) socket.end socket.prefinish socket.finish socket.close(false)"
    );
}

#[test]
fn returning_false_stops_reading_until_resume() {
    let reads = Rc::new(Cell::new(0));
    let count = Rc::clone(&reads);
    let callback = move |socket: Socket, _, _: &mut Vec<u8>| {
        count.set(count.get() + 1);
        let reads = Rc::clone(&count);
        let seen = count.get();
        timers::set_timeout(Duration::from_millis(5), move || {
            assert_eq!(reads.get(), seen, "nothing more is read");
            socket.resume();
        });
        false
    };
    reading_pair(vec![0; 10], callback, |peer, socket| {
        peer.end_with("twenty-five bytes of text");
        socket.on(event::End, move |()| assert_eq!(socket.bytes_read(), 25));
    });
    run_to_end();
    assert_eq!(reads.get(), 3);
}

#[test]
fn pause_stops_the_descriptor_at_once() {
    let record = Record::default();
    let events = record.clone();
    let noted = record.clone();
    let callback = move |socket: Socket, count: usize, _: &mut Vec<u8>| {
        noted.note(format!("read({count})"));
        socket.pause();
        true
    };
    reading_pair(vec![0; 4], callback, move |peer, socket| {
        events.watch("socket", socket);
        peer.end_with("12345");
        timers::set_timeout(Duration::from_millis(20), move || {
            assert_eq!(socket.bytes_read(), 4, "the rest is left in the kernel");
            assert!(socket.is_paused());
            socket.resume();
            timers::set_timeout(Duration::from_millis(20), move || {
                assert_eq!(socket.bytes_read(), 5);
                assert!(!socket.readable_ended(), "nor is the end noticed");
                socket.resume();
            });
        });
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "read(4) socket.pause socket.resume read(1) socket.pause socket.resume socket.end socket.prefinish \
         socket.finish socket.close(false)"
    );
}

#[test]
fn another_buffer_can_be_put_in_the_place_of_the_first() {
    let sizes = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&sizes);
    let callback = move |_, count: usize, buffer: &mut Vec<u8>| {
        seen.borrow_mut().push(count);
        *buffer = vec![0; buffer.len() * 2];
        true
    };
    reading_pair(vec![0; 2], callback, |peer, _| {
        peer.end_with("0123456789");
    });
    run_to_end();
    assert_eq!(*sizes.borrow(), [2, 4, 4]);
}

#[test]
fn an_empty_buffer_is_an_error() {
    let record = Record::default();
    let events = record.clone();
    reading_pair(
        Vec::new(),
        |_, _, _| true,
        move |peer, socket| {
            events.watch("socket", socket);
            peer.write("x");
            // What was not read makes it a reset.
            peer.on(event::Error, |_| {});
        },
    );
    run_to_end();
    assert_eq!(record.text(), "socket.error(ENOBUFS) socket.close(true)");
}

#[test]
fn the_callback_can_answer_and_destroy() {
    let callback = |socket: Socket, count: usize, buffer: &mut Vec<u8>| {
        socket.write(&buffer[..count]);
        if buffer[..count].ends_with(b".") {
            socket.destroy();
        }
        true
    };
    let got = Rc::new(RefCell::new(Vec::new()));
    let into = Rc::clone(&got);
    reading_pair(vec![0; 16], callback, move |peer, _| {
        peer.write("The end.");
        peer.on(event::Data, move |chunk| {
            into.borrow_mut().extend_from_slice(chunk)
        });
    });
    run_to_end();
    assert_eq!(*got.borrow(), b"The end.");
}

#[test]
fn a_peer_that_resets_is_an_error_as_ever() {
    let record = Record::default();
    let events = record.clone();
    reading_pair(
        vec![0; 16],
        |_, _, _| true,
        move |peer, socket| {
            events.watch("socket", socket);
            peer.reset_and_destroy().expect("it is TCP");
        },
    );
    run_to_end();
    assert_eq!(record.text(), "socket.error(ECONNRESET) socket.close(true)");
}

#[test]
fn accepted_sockets_share_the_buffer_of_their_server() {
    let total = Rc::new(Cell::new(0));
    let sum = Rc::clone(&total);
    let options = ServerOptions::new().on_read([0; 32], move |_, count, _| {
        sum.set(sum.get() + count);
        true
    });
    let server = net::Server::new_with(options);
    server.listen(0);
    let closed = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let client = net::connect(("127.0.0.1", port_of(server)));
        client.end_with("twelve bytes");
        let closed = Rc::clone(&closed);
        client.on(event::Close, move |_| {
            closed.set(closed.get() + 1);
            if closed.get() == 3 {
                server.close();
            }
        });
    }
    run_to_end();
    assert_eq!(total.get(), 36);
}

#[test]
fn an_adopted_stream_can_be_read_that_way_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    std::io::Write::write_all(&mut &peer, b"waiting").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let read = Rc::new(Cell::new(0));
    let count = Rc::clone(&read);
    let options = SocketOptions::new().on_read([0; 100], move |_, bytes, _| {
        count.set(count.get() + bytes);
        true
    });
    Socket::from_std_with(ours, options).unwrap();
    run_to_end();
    assert_eq!(read.get(), 7);
}

#[test]
fn paused_before_it_connects_nothing_is_read_until_resume() {
    let read = Rc::new(Cell::new(false));
    let was_read = Rc::clone(&read);
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.end_with("early");
    });
    let options = ConnectOptions::new(port_of(server)).host("127.0.0.1");
    let client = net::connect(options.on_read([0; 8], move |_, _, _| {
        was_read.set(true);
        true
    }));
    client.pause();
    client.on(event::Connect, move |()| {
        timers::set_timeout(Duration::from_millis(20), move || {
            assert_eq!(client.bytes_read(), 0);
            client.resume();
        });
    });
    run_to_end();
    assert!(read.get());
}

#[test]
fn the_one_readable_tells_of_the_end() {
    let record = Record::default();
    let (reads, events) = (record.clone(), record.clone());
    let callback = move |_: Socket, count: usize, _: &mut Vec<u8>| {
        reads.note(format!("read({count})"));
        true
    };
    reading_pair(vec![0; 64], callback, move |peer, socket| {
        let ends = events.clone();
        socket.on(event::Readable, move |()| events.note("readable"));
        socket.on(event::End, move |()| ends.note("end"));
        peer.end_with("hi");
    });
    run_to_end();
    assert_eq!(record.text(), "read(2) readable end");
}

#[test]
fn a_turn_fills_a_long_buffer_eight_times_before_others_have_theirs() {
    const LEN: usize = 256 * 1024;
    const MUCH: usize = 64 * LEN;
    let turns = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&turns);
    let world = World::seed(1).window(MUCH).send_buffer(MUCH).segments(MUCH);
    let outcome = world.run(move || {
        let callback = move |_, count: usize, _: &mut Vec<u8>| {
            let turn = soquete::metrics().turns;
            (count == LEN).then(|| seen.borrow_mut().push(turn));
            true
        };
        reading_pair(vec![0; LEN], callback, |peer, _| {
            peer.end_with(pattern(MUCH));
        });
    });
    outcome.check();
    let turns = turns.take();
    let in_one = turns.chunk_by(|a, b| a == b).map(<[u64]>::len).max();
    assert_eq!(in_one, Some(8), "{turns:?}");
}
