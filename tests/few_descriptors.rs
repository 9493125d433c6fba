//! A process with few descriptors, and many who want to connect: nobody is forgotten, and nothing
//! spins.

#![cfg(target_os = "linux")]

mod support;

use std::cell::Cell;
use std::fs::File;
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

#[test]
fn what_could_not_be_made_at_the_limit_can_be_made_when_there_are_descriptors_again() {
    let test = "what_could_not_be_made_at_the_limit_can_be_made_when_there_are_descriptors_again";
    if std::env::var_os("SOQUETE_ALONE").is_none() {
        return support::in_a_process(test, ("SOQUETE_ALONE", "1"), Some(LIMIT));
    }
    for left in 0..3 {
        // Each on a thread of its own, whose loop has made nothing yet.
        let worker = std::thread::spawn(move || {
            let mut hogs: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
            hogs.truncate(hogs.len() - left);
            let before = support::open_descriptors();
            let failed = left < 2;
            assert_eq!(
                soquete::remote().is_err(),
                failed,
                "{left} descriptors left"
            );
            if failed {
                assert_eq!(soquete::remote().unwrap_err().code(), "EMFILE");
                assert_eq!(support::open_descriptors(), before, "half of it is left");
            }
            hogs.clear();
            let remote = soquete::remote().expect("there are descriptors");
            let posted = std::thread::spawn(move || remote.post(|| ()).is_ok());
            run_to_end();
            assert!(posted.join().unwrap());
        });
        worker.join().unwrap();
    }
}
