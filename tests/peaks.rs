//! The memory that a peak has taken goes back once the loop has been idle for a while.

#[path = "support/counting.rs"]
mod counting;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::{net, timers};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

const MANY: usize = 200_000;

/// Lets the loop be idle until it has slept for longer than it keeps what it does not need.
fn idle_for_a_while() {
    timers::set_timeout(Duration::from_millis(1500), || ());
    soquete::run().unwrap();
}

/// Asserts that after `peak` and a while of rest as much memory is in use as before.
fn is_given_back(peak: impl FnOnce()) {
    timers::set_immediate(|| timers::next_tick(|| ()));
    idle_for_a_while();
    let before = counting::so_far();
    peak();
    let most = counting::since(before).in_use;
    assert!(most > 1 << 20, "a peak, with {most} bytes in use");
    idle_for_a_while();
    let left = counting::since(before).in_use;
    // Of a page of timers between others that stay, its place in a list does.
    assert!(left < most / 64, "{left} of {most} bytes are left");
}

#[test]
fn of_timers_that_were_cleared_but_for_a_few_far_apart() {
    let few = Rc::new(Cell::new(Vec::new()));
    let kept = Rc::clone(&few);
    is_given_back(move || {
        let set = |_| timers::set_timeout(Duration::from_secs(3600), || ()).unref();
        let all: Vec<_> = (0..MANY).map(set).collect();
        for (number, timer) in all.iter().enumerate() {
            if !number.is_multiple_of(MANY / 10) {
                timer.clear();
            }
        }
        kept.set(all.into_iter().step_by(MANY / 10).collect());
    });
    for timer in few.take() {
        assert!(!timer.has_ref());
        assert!(timer.ref_().has_ref(), "it is still there");
        timer.clear();
    }
}

#[test]
fn of_timers_that_have_fired_together() {
    is_given_back(|| {
        for _ in 0..MANY {
            timers::set_timeout(Duration::from_millis(1), || ());
        }
    });
}

#[test]
fn of_ticks_and_immediates() {
    is_given_back(|| {
        for _ in 0..MANY {
            timers::next_tick(|| ());
            timers::set_immediate(|| ());
        }
    });
}

#[test]
fn of_posts() {
    let remote = soquete::remote().unwrap();
    remote.unref();
    is_given_back(move || {
        for _ in 0..MANY {
            remote.post(|| ()).unwrap();
        }
    });
}

#[test]
fn of_sockets_that_were_never_connected() {
    is_given_back(|| {
        let sockets: Vec<_> = (0..MANY / 20).map(|_| net::Socket::new()).collect();
        for socket in sockets {
            socket.destroy();
        }
    });
}

#[test]
fn of_channels() {
    is_given_back(|| {
        let senders: Vec<_> = (0..MANY / 20)
            .map(|_| soquete::channel(|()| ()).unwrap())
            .collect();
        drop(senders);
    });
}
