//! What it costs to remove listeners grows with their number, not with its square.

use std::time::{Duration, Instant};

use soquete::events::{Event, EventEmitter};
use soquete::net::AbortController;

struct Ping;

impl Event for Ping {
    type Payload<'a> = u32;
}

const MANY: u32 = 160_000;

/// Asserts that many take a small part of the half minute and more that their square would.
fn is_soon_done(operation: impl Fn(u32) -> Duration) {
    let elapsed = operation(MANY);
    assert!(elapsed < Duration::from_secs(8), "{elapsed:?}");
}

fn time(operation: impl FnOnce()) -> Duration {
    let start = Instant::now();
    operation();
    start.elapsed()
}

#[test]
fn an_emit_that_removes_its_once_listeners() {
    is_soon_done(|count| {
        let emitter = EventEmitter::new();
        emitter.set_max_listeners(0);
        for _ in 0..count {
            emitter.once(Ping, |_| ());
        }
        time(|| assert!(emitter.emit(Ping, 1)))
    });
}

#[test]
fn listeners_of_a_signal_that_are_taken_back_in_any_order() {
    is_soon_done(|count| {
        let signal = AbortController::new().signal();
        let mut ids: Vec<_> = (0..count).map(|_| signal.on_abort(|_| ())).collect();
        // Now from the one end, now from the other, now from the middle.
        let (mut first, mut others) = (ids.split_off(count as usize / 2), ids);
        first.reverse();
        others.reverse();
        let mut order = Vec::new();
        while let Some(id) = first.pop() {
            order.push(id);
            order.extend(others.pop());
        }
        let elapsed = time(|| {
            for id in order {
                assert!(signal.remove_listener(id));
            }
        });
        assert_eq!(signal.listener_count(), 0);
        elapsed
    });
}

#[test]
fn listeners_that_are_put_in_front_and_removed() {
    is_soon_done(|count| {
        let emitter = EventEmitter::new();
        emitter.set_max_listeners(0);
        time(|| {
            for _ in 0..count {
                emitter.prepend_once_listener(Ping, |_| ());
            }
            assert!(emitter.emit(Ping, 1));
            assert_eq!(emitter.listener_count(Ping), 0);
        })
    });
}
