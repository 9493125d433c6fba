//! What one socket's writes may cost the others: how much goes out at an event, and how much is kept.

#[path = "support/counting.rs"]
mod counting;
mod support;

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::rc::Rc;

use soquete::net::{self, Data, Server, ServerOptions, Socket};
use soquete::{event, timers};
use support::{listening_on, note, outsider, pair, record, run_to_end};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

const MUCH: usize = 32 << 20;
/// The most that one socket sends at one event.
const BUDGET: u64 = 512 * 1024;

/// Notes the most bytes that went out in one turn, until there is no server any more and `MUCH` went out.
fn note_each_turn(most: u64, before: u64) {
    timers::set_immediate(move || {
        let now = soquete::metrics().bytes_written;
        let most = most.max(now - before);
        if now < MUCH as u64 {
            note_each_turn(most, now);
        } else {
            note(format!("within the budget: {}", most <= BUDGET));
        }
    });
}

/// Calls `write` with the end of a connection whose peer reads all there is, and drops it at the end.
fn with_a_reader(write: impl FnOnce(Socket) + 'static) {
    let write = Cell::new(Some(write));
    let server = net::create_server(move |socket| {
        socket.server().map(|server: Server| server.close());
        if let Some(write) = write.take() {
            write(socket);
        }
        // What the first call found room for is not of an event.
        timers::set_immediate(|| note_each_turn(0, soquete::metrics().bytes_written));
    });
    let reader = Rc::new(RefCell::new(None));
    let thread = Rc::clone(&reader);
    listening_on(server, "127.0.0.1", move |_, port| {
        let mut stream = outsider(port);
        *thread.borrow_mut() = Some(std::thread::spawn(move || {
            let (mut chunk, mut count) = (vec![0; 1 << 20], 0);
            while let Ok(read @ 1..) = stream.read(&mut chunk) {
                count += read;
            }
            count
        }));
    });
    run_to_end();
    let reader = reader.take().expect("a reader");
    assert_eq!(reader.join().expect("it does not panic"), MUCH);
    assert_eq!(record(), ["within the budget: true"]);
}

#[test]
fn a_big_write_leaves_the_others_their_turn() {
    with_a_reader(|socket| {
        socket.end_with(vec![7; MUCH]);
    });
}

#[test]
fn many_writes_behind_one_another_leave_the_others_their_turn() {
    with_a_reader(|socket| {
        for _ in 0..MUCH / (64 * 1024) {
            socket.write(vec![7; 64 * 1024]);
        }
        socket.end();
    });
}

#[test]
fn what_is_corked_leaves_the_others_their_turn_and_calls_back_together() {
    with_a_reader(|socket| {
        let called = Rc::new(Cell::new(0));
        socket.cork();
        for _ in 0..4 {
            let called = Rc::clone(&called);
            socket.write_then(vec![7; MUCH / 4], move |outcome| {
                assert!(outcome.is_ok());
                assert_eq!(soquete::metrics().bytes_written, MUCH as u64);
                called.set(called.get() + 1);
            });
        }
        socket.uncork();
        socket.on(event::Close, move |_| assert_eq!(called.get(), 4));
        socket.end();
    });
}

#[test]
fn a_write_past_the_ceiling_is_not_copied() {
    const CEILING: usize = 256 * 1024;
    let data: &'static [u8] = vec![0; 10 << 20].leak();
    type Write = fn(Socket, &'static [u8]);
    let writes: [(&str, Write); 3] = [
        ("at once", |socket, data| {
            socket.write(data.to_vec().as_slice());
        }),
        ("corked", |socket, data| {
            socket.cork();
            socket.write(&data.to_vec()[..]);
        }),
        ("behind another", |socket, data| {
            // Taken by the kernel, but for a part that may be queued.
            while socket.write(&[0; 100_000][..]) {}
            socket.write(&data.to_vec()[..]);
        }),
    ];
    for (name, write) in writes {
        let server = net::create_server_with(
            ServerOptions::new().max_write_queue(CEILING),
            move |socket| {
                socket.server().map(|server: Server| server.close());
                socket.on(event::Error, |error| note(error.code()));
                let before = counting::so_far();
                write(socket, data);
                // The data itself is allocated above, and freed.
                let bytes = counting::since(before).bytes - data.len();
                assert!(bytes < 2 * CEILING, "{name}: {bytes} bytes are copied");
                assert!(socket.destroyed(), "{name}");
            },
        );
        let deaf = Cell::new(None);
        listening_on(server, "127.0.0.1", move |_, port| {
            deaf.set(Some(outsider(port)));
            timers::set_timeout(std::time::Duration::from_millis(20), move || {
                drop(deaf.take());
            });
        });
        run_to_end();
        assert_eq!(record(), ["ERR_SOCKET_WRITE_QUEUE_FULL"], "{name}");
    }
}

#[test]
fn callbacks_of_nothing_behind_what_is_not_read_have_a_ceiling_as_well() {
    const CEILING: usize = 256 * 1024;
    let options = ServerOptions::new().max_write_queue(CEILING);
    let server = net::create_server_with(options, |socket| {
        socket.server().map(|server: Server| server.close());
        socket.on(event::Error, |error| note(error.code()));
        while socket.write(&[0; 100_000][..]) {}
        let mut asked = 0;
        while !socket.destroyed() && asked < CEILING {
            socket.write_then("", |_| {});
            asked += 1;
        }
        assert!(asked <= CEILING / 64 + 1, "{asked} callbacks wait");
    });
    let deaf = Rc::new(Cell::new(None));
    listening_on(server, "127.0.0.1", move |server, port| {
        deaf.set(Some(outsider(port)));
        let deaf = Rc::clone(&deaf);
        server.on(event::Close, move |_| drop(deaf.take()));
    });
    run_to_end();
    assert_eq!(record(), ["ERR_SOCKET_WRITE_QUEUE_FULL"]);
}

#[test]
fn destroy_frees_what_is_queued_at_once() {
    pair(|server, client| {
        client.pause();
        client.on(event::Close, |_| note("client"));
        let before = counting::so_far();
        for _ in 0..4 {
            server.write(vec![0; MUCH / 4]);
        }
        server.write(&vec![0; MUCH][..]);
        assert!(counting::since(before).in_use > MUCH as isize);
        server.destroy();
        let kept = counting::since(before).in_use;
        assert!(kept < 64 * 1024, "{kept} bytes are kept");
        client.destroy();
    });
    run_to_end();
    assert_eq!(record(), ["client"]);
}

#[test]
fn a_big_write_behind_as_many_chunks_as_a_system_call_takes_goes_out() {
    const CHUNK: [u8; 1024] = [7; 1024];
    const BIG: [u8; 16 * 1024] = [8; 16 * 1024];
    pair(|served, client| {
        let mut left = 63 * CHUNK.len() + BIG.len();
        served.on(event::Data, move |chunk| {
            left -= chunk.len();
            if left == 0 {
                note("all of it");
                served.end();
            }
        });
        timers::set_immediate(move || {
            // Fewer bytes than fill a buffer, in more pieces than leave room for another.
            for _ in 0..63 {
                client.write(Data::from_static(&CHUNK));
            }
            client.write(&BIG);
        });
    });
    run_to_end();
    assert_eq!(record(), ["all of it"]);
}
