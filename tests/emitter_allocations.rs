//! An emit allocates nothing, however many listeners there are.

#[path = "support/counting.rs"]
mod counting;

use std::cell::Cell;
use std::rc::Rc;

use soquete::events::{Event, EventEmitter};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

struct Ping;

impl Event for Ping {
    type Payload<'a> = u32;
}

#[test]
fn an_emit_allocates_nothing() {
    for listeners in [0, 1, 2, 10] {
        let emitter = EventEmitter::new();
        let calls = Rc::new(Cell::new(0));
        for _ in 0..listeners {
            let calls = Rc::clone(&calls);
            emitter.on(Ping, move |_| calls.set(calls.get() + 1));
        }
        let before = counting::so_far();
        for number in 0..100 {
            emitter.emit(Ping, number);
        }
        assert_eq!(counting::since(before).times, 0, "{listeners} listeners");
        assert_eq!(calls.get(), 100 * listeners);
    }
}
