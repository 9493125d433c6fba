//! A process with few descriptors, and many who want to connect: nobody is forgotten, and nothing
//! spins.

#![cfg(target_os = "linux")]

mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::net;
use soquete::{event, timers};
use support::{listening_on, run_to_end};

const LIMIT: u32 = 64;
const CONNECTS: usize = 500;

#[test]
fn five_hundred_connects_with_sixty_four_descriptors_all_come_to_an_end() {
    let test = "five_hundred_connects_with_sixty_four_descriptors_all_come_to_an_end";
    if std::env::var_os("SOQUETE_ALONE").is_none() {
        return support::in_a_process(test, ("SOQUETE_ALONE", "1"), Some(LIMIT));
    }
    assert_eq!(support::descriptor_limit(), LIMIT as usize);
    let server = net::create_server(|socket| {
        socket.end_with("hello");
        socket.resume();
        socket.on(event::Error, |_| {});
    });
    let (served, failed) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let closed = Rc::new(Cell::new(0));
    let outcome = (Rc::clone(&served), Rc::clone(&failed));
    let turns = Rc::new(Cell::new(0));
    let all_turns = Rc::clone(&turns);
    listening_on(server, "127.0.0.1", move |server, port| {
        for _ in 0..CONNECTS {
            let client = net::connect(("127.0.0.1", port));
            let (served, failed, closed) =
                (Rc::clone(&served), Rc::clone(&failed), Rc::clone(&closed));
            let all_turns = Rc::clone(&all_turns);
            client.on(event::Data, move |chunk| {
                assert_eq!(chunk, b"hello");
                served.set(served.get() + 1);
            });
            client.on(event::Error, move |error| {
                // No descriptor here, or turned away there.
                assert!(["EMFILE", "ECONNRESET"].contains(&error.code()), "{error}");
                failed.set(failed.get() + 1);
            });
            client.on(event::Close, move |_| {
                closed.set(closed.get() + 1);
                if closed.get() == CONNECTS {
                    all_turns.set(soquete::metrics().turns);
                    serves_again(server, port);
                }
            });
        }
    });
    run_to_end();
    let (served, failed) = outcome;
    assert!(failed.get() > 0, "there were enough descriptors");
    assert!(served.get() + failed.get() <= CONNECTS);
    assert!(turns.get() < 10_000, "{} turns: it spins", turns.get());
}

/// Once there are descriptors again, connections are taken as before.
fn serves_again(server: net::Server, port: u16) {
    timers::set_timeout(Duration::from_millis(1), move || {
        let client = net::connect(("127.0.0.1", port));
        let greeted = Rc::new(Cell::new(false));
        let told = Rc::clone(&greeted);
        client.on(event::Data, move |_| told.set(true));
        client.on(event::Close, move |_| {
            assert!(greeted.get(), "nobody is served any more");
            server.close();
        });
    });
}
