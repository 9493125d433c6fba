//! What is read by hand: `Readable`, `read`, `unshift`, text.

use soquete::net::Socket;
use soquete::{event, timers};

use crate::trace::{Trace, has_read, ignore, keeps};

crate::family!("readable":
    readable_then_read,
    readable_at_the_end_with_nothing_left,
    read_of_so_many_bytes,
    read_gives_one_chunk_and_emits_it,
    readable_and_data_together,
    readable_without_read_stays_quiet,
    removing_the_readable_listener_resumes_for_data,
    removing_the_readable_listener_without_data_listeners,
    readable_listener_that_comes_after_the_end,
    unshift_puts_back_in_front,
    unshift_before_anything_came,
    unshift_after_the_end_is_an_error,
    text_puts_split_characters_together,
    put_back_into_what_flows_but_has_not_begun,
    put_back_where_nobody_listens_and_read,
    put_back_into_a_flow_with_a_listener_and_without,
    listeners_that_are_put_in_front_ask_for_nothing,
    read_in_pieces_of_every_size,
);

fn readable_then_read(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.on(event::Readable, move |()| {
            t.log("c", "readable");
            read(t, c);
            read(t, c);
        });
        t.state(c, "c");
        s.write("one");
        t.until(has_read(c, 3), move || {
            t.turns(3, move || ignore(s.end_with("two")))
        });
    });
}

fn readable_at_the_end_with_nothing_left(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.on(event::Readable, move |()| readable_and_read(t, c));
        s.end();
    });
}

fn read_of_so_many_bytes(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        s.write("abcdefgh");
        t.until(keeps(c, 8), move || {
            read_exactly(t, c, 3);
            read_exactly(t, c, 10);
            read_exactly(t, c, 0);
            t.state(c, "c");
            s.end();
            t.turns(10, move || {
                t.state(c, "c");
                read_exactly(t, c, 10);
                read(t, c);
            });
        });
    });
}

fn read_gives_one_chunk_and_emits_it(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        s.write("one");
        t.until(keeps(c, 3), move || {
            s.write("two");
            t.until(keeps(c, 6), move || {
                c.pause();
                c.on(event::Data, move |chunk| log_data(t, "data", chunk));
                read(t, c);
                read(t, c);
                read(t, c);
                s.end();
            });
        });
    });
}

fn readable_and_data_together(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.on(event::Data, move |chunk| log_data(t, "data", chunk));
        c.on(event::Readable, move |()| readable_and_read(t, c));
        t.state(c, "c");
        s.end_with("one");
    });
}

fn readable_without_read_stays_quiet(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.on(event::Readable, move |()| t.log("c", "readable"));
        s.write("one");
        t.until(has_read(c, 3), move || {
            t.turns(3, move || {
                s.write("two");
                t.until(has_read(c, 6), move || {
                    t.turns(3, move || {
                        t.state(c, "c");
                        c.destroy();
                    });
                });
            });
        });
    });
}

fn removing_the_readable_listener_resumes_for_data(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.on(event::Data, move |chunk| log_data(t, "data", chunk));
        c.once(event::Readable, move |()| t.log("c", "readable"));
        s.write("one");
        t.until(has_read(c, 3), move || {
            t.turns(3, move || {
                t.state(c, "c");
                s.end_with("two");
            });
        });
    });
}

fn removing_the_readable_listener_without_data_listeners(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.once(event::Readable, move |()| t.log("c", "readable"));
        s.write("one");
        t.until(has_read(c, 3), move || {
            t.turns(3, move || {
                t.state(c, "c");
                c.destroy();
            });
        });
    });
}

fn readable_listener_that_comes_after_the_end(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        s.end_with("kept");
        t.until(keeps(c, 4), move || {
            t.turns(5, move || {
                c.on(event::Readable, move |()| readable_and_read(t, c));
            });
        });
    });
}

fn unshift_puts_back_in_front(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.once(event::Data, move |chunk| {
            log_data(t, "data", chunk);
            c.pause();
            c.unshift("head");
            t.state(c, "c");
            c.on(event::Data, move |chunk| log_data(t, "data", chunk));
            timers::set_immediate(move || ignore(c.resume()));
        });
        s.end_with("tail");
    });
}

fn unshift_before_anything_came(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.unshift("head");
        t.state(c, "c");
        c.on(event::Data, move |chunk| log_data(t, "data", chunk));
        t.turns(3, move || ignore(s.end_with("tail")));
    });
}

fn unshift_after_the_end_is_an_error(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        c.on(event::End, move |()| {
            c.unshift("late");
            t.state(c, "c");
        });
        s.end();
    });
}

fn text_puts_split_characters_together(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.set_encoding();
        c.on(event::Text, move |text| t.log("c", format!("text {text}")));
        s.write([0xc3].as_slice());
        t.until(has_read(c, 1), move || {
            s.write([0xa9, 0xe2, 0x82].as_slice());
            t.until(has_read(c, 4), move || {
                ignore(s.end_with([0xac, 0x21, 0xe2].as_slice()))
            });
        });
    });
}

fn readable_and_read(t: Trace, c: Socket) {
    t.log("c", "readable");
    read(t, c);
}

fn read(t: Trace, c: Socket) {
    log_read(t, c.read());
}

fn read_exactly(t: Trace, c: Socket, size: usize) {
    log_read(t, c.read_exactly(size).unwrap_or_default());
}

fn log_read(t: Trace, chunk: Option<Vec<u8>>) {
    let chunk = chunk.map(|chunk| String::from_utf8_lossy(&chunk).into_owned());
    t.log("c", format!("read {}", chunk.as_deref().unwrap_or("null")));
}

fn log_data(t: Trace, name: &str, chunk: &[u8]) {
    t.log("c", format!("{name} {}", String::from_utf8_lossy(chunk)));
}

fn put_back_into_what_flows_but_has_not_begun(t: Trace) {
    let c = Socket::new();
    c.on(event::Resume, move |()| t.log("c", "resume"));
    c.on(event::Data, move |chunk| log_chunk(t, chunk));
    put_back(t, c, "early");
    timers::next_tick(move || {
        t.log("c", "a tick");
        c.destroy();
    });
}

fn put_back_where_nobody_listens_and_read(t: Trace) {
    let c = Socket::new();
    c.on(event::Resume, move |()| t.log("c", "resume"));
    c.resume();
    put_back(t, c, "early");
    let read = String::from_utf8(c.read().unwrap()).unwrap();
    t.log("c", format!("{read} {}", c.readable_length()));
    timers::set_immediate(move || ignore(c.destroy()));
}

fn put_back_into_a_flow_with_a_listener_and_without(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        s.write("sent");
        t.until(has_read(c, 4), move || {
            put_back(t, c, "heard");
            c.remove_all_listeners_of(event::Data);
            let kept = c.unshift(b"kept");
            let flowing = c.readable_flowing().unwrap();
            t.log("c", format!("{kept} {} {flowing}", c.readable_length()));
            let read = String::from_utf8(c.read().unwrap()).unwrap();
            t.log("c", read);
            c.destroy();
            t.log("c", format!("{} {}", c.unshift(b"late"), c.unshift(b"")));
        });
    });
}

fn listeners_that_are_put_in_front_ask_for_nothing(t: Trace) {
    t.pair(move |c, s| {
        t.on(c, "c");
        c.prepend_listener(event::Data, move |chunk| log_chunk(t, chunk));
        c.prepend_listener(event::Readable, move |()| t.log("c", "readable"));
        s.end_with("kept");
        t.until(keeps(c, 4), move || {
            t.turns(5, move || {
                let flowing = match c.readable_flowing() {
                    None => "null",
                    Some(true) => "true",
                    Some(false) => "false",
                };
                t.log("c", format!("{flowing} {}", c.is_paused()));
                c.resume();
            });
        });
    });
}

fn read_in_pieces_of_every_size(t: Trace) {
    t.pair(move |c, s| {
        c.pause();
        s.write("a head, ");
        t.until(keeps(c, 8), move || {
            s.end_with("a body and a tail");
            t.until(keeps(c, 25), move || {
                for size in [1, 2, 7, 0, 3, 30, 4] {
                    log_piece(t, c, &format!("{size} "), c.read_exactly(size).unwrap());
                }
                c.unshift(b"put back ");
                for size in [4, 9, 4] {
                    log_piece(t, c, &format!("{size} "), c.read_exactly(size).unwrap());
                }
                log_piece(t, c, "", c.read());
                t.flow(c, "c");
                c.resume();
            });
        });
    });
}

fn put_back(t: Trace, c: Socket, text: &str) {
    let room = c.unshift(text.as_bytes());
    t.log("c", format!("{room} {}", c.readable_length()));
}

fn log_piece(t: Trace, c: Socket, before: &str, read: Option<Vec<u8>>) {
    let read = read.map_or("null".into(), |read| String::from_utf8(read).unwrap());
    t.log("c", format!("{before}{read} {}", c.readable_length()));
}

fn log_chunk(t: Trace, chunk: &[u8]) {
    t.log("c", format!("data {}", String::from_utf8_lossy(chunk)));
}
