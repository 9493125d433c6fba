//! An emit allocates nothing, however many listeners there are.

#[path = "support/counting.rs"]
mod counting;

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
        for _ in 0..listeners {
            emitter.on(Ping, |_| {});
        }
        let before = counting::so_far();
        for number in 0..100 {
            emitter.emit(Ping, number);
        }
        assert_eq!(counting::since(before).times, 0, "{listeners} listeners");
    }
}
