//! What a warmed-up server allocates for a message (nothing), and what an idle connection costs.

#[path = "support/counting.rs"]
mod counting;
mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use soquete::net::{self, Socket};
use soquete::{event, timers};
use support::{descriptor_limit, listening_on, note, outsider, pair, record, run_to_end};

const WARM_UP: u32 = 500;
const MESSAGES: u32 = 10_000;

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

/// Lets a client and its server exchange `messages` of `frames` frames each, and asserts that both
/// together allocate nothing for them. `serve` installs the server's listeners.
fn allocates_nothing(messages: u32, frames: usize, serve: impl FnOnce(Socket) + 'static) {
    pair(move |server, client| {
        serve(server);
        let send = move || {
            for _ in 0..frames {
                client.write(b"8 bytes.");
            }
        };
        let (mut round, mut before) = (0, counting::so_far());
        let mut left = frames * 8;
        client.on(event::Data, move |chunk| {
            left -= chunk.len();
            if left > 0 {
                return;
            }
            left = frames * 8;
            round += 1;
            if round == WARM_UP {
                before = counting::so_far();
            }
            if round == WARM_UP + messages {
                let allocations = counting::since(before).times;
                note(format!("{allocations} allocations"));
                client.end();
            } else {
                send();
            }
        });
        send();
    });
    run_to_end();
    assert_eq!(record(), ["0 allocations"]);
}

#[test]
fn an_echo_allocates_nothing() {
    allocates_nothing(MESSAGES, 1, |server| {
        server.on(event::Data, move |chunk| {
            server.write(chunk);
        });
    });
}

#[test]
fn an_echo_with_two_listeners_allocates_nothing() {
    allocates_nothing(MESSAGES, 1, |server| {
        let total = Rc::new(Cell::new(0));
        server.on(event::Data, move |chunk| {
            total.set(total.get() + chunk.len())
        });
        server.on(event::Data, move |chunk| {
            server.write(chunk);
        });
    });
}

#[test]
fn sixteen_frames_in_one_chunk_each_answered_allocate_nothing() {
    allocates_nothing(MESSAGES, 16, |server| {
        server.on(event::Data, move |chunk| {
            for frame in chunk.chunks(8) {
                server.write(frame);
            }
        });
    });
}

#[test]
fn a_message_too_big_to_be_coalesced_allocates_nothing() {
    allocates_nothing(200, 2_048, |server| {
        server.on(event::Data, move |chunk| {
            server.write(chunk);
        });
    });
}

#[test]
fn ticks_of_the_machine_and_idle_timeouts_allocate_nothing() {
    allocates_nothing(MESSAGES, 1, |server| {
        server.set_timeout(std::time::Duration::from_secs(60));
        server.on(event::Data, move |chunk| {
            server.pause();
            server.write(chunk);
            server.resume();
        });
    });
}

#[test]
fn a_connection_that_is_idle_costs_little() {
    const BUDGET: isize = 640;
    // One end of each is here, too.
    let count = descriptor_limit().saturating_sub(200).min(2_000) / 2;
    let peers = Rc::new(RefCell::new(Vec::with_capacity(count)));
    let before = Rc::new(Cell::new(counting::so_far()));
    let sockets = Rc::new(RefCell::new(Vec::with_capacity(count)));
    let server = net::create_server({
        let (peers, before) = (Rc::clone(&peers), Rc::clone(&before));
        move |socket| {
            socket.on(event::Data, move |chunk| {
                socket.write(chunk);
            });
            socket.on(event::End, |()| ());
            sockets.borrow_mut().push(socket);
            if sockets.borrow().len() == count {
                let sockets = Rc::clone(&sockets);
                let (peers, before) = (Rc::clone(&peers), before.get());
                timers::set_immediate(move || {
                    let each = counting::since(before).in_use / count as isize;
                    println!("{each} bytes of user space for each of {count} idle connections");
                    assert!(each <= BUDGET, "{each} bytes per idle connection");
                    note("measured");
                    sockets.borrow()[0].server().unwrap().close();
                    peers.borrow_mut().clear();
                });
            }
        }
    });
    listening_on(server, "127.0.0.1", move |_, port| {
        before.set(counting::so_far());
        connect_in_portions(peers, port, count);
    });
    run_to_end();
    assert_eq!(record(), ["measured"]);
}

/// As many at a time as a backlog holds.
fn connect_in_portions(peers: Rc<RefCell<Vec<std::net::TcpStream>>>, port: u16, count: usize) {
    let left = count - peers.borrow().len();
    peers
        .borrow_mut()
        .extend((0..left.min(50)).map(|_| outsider(port)));
    if left > 50 {
        timers::set_immediate(move || connect_in_portions(peers, port, count));
    }
}
