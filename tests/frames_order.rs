//! What a framing puts back stays in its place in the stream, whatever else listens to the socket and reads it.

mod support;

use std::cell::Cell;
use std::time::Duration;

use soquete::framing::{DotStuffed, FrameReader, Item, Lines};
use soquete::net::Socket;
use soquete::{event, timers};
use support::{note, pair, record, run_to_end};

/// Notes each line, and pauses the socket for a while at those that say so.
fn noting_lines(socket: Socket) {
    let lines = FrameReader::new(Lines::new().remainder_at_end(), 100);
    socket.frames(lines, move |line| {
        note(String::from_utf8_lossy(line));
        if line.starts_with(b"pause") {
            socket.pause();
            timers::set_immediate(move || socket.resume());
        }
    });
}

/// Keeps `chunks` in a socket whose first `Data` listener is `first`, behind which come lines; then lets it flow.
fn with_chunks(chunks: &'static [&'static str], first: impl Fn(Socket) + 'static) -> Vec<String> {
    pair(move |served, client| {
        served.pause();
        for chunk in chunks.iter().rev() {
            served.unshift(chunk);
        }
        let is_first = Cell::new(true);
        served.on(event::Data, move |_| {
            if is_first.replace(false) {
                first(served);
            }
        });
        noting_lines(served);
        served.resume();
        client.resume().end();
    });
    run_to_end();
    record()
}

#[test]
fn a_chunk_that_another_listener_reads_does_not_overtake_what_a_framing_puts_back() {
    let lines = with_chunks(&["pause 1\n2\n", "3\n4\n", "5\n6\n"], |socket| {
        assert!(socket.read().is_some());
    });
    assert_eq!(lines, ["pause 1", "2", "3", "4", "5", "6"]);
}

#[test]
fn nor_do_several() {
    let lines = with_chunks(
        &["1\npause 2\n3\n", "pause 4\n5\n", "6\npause 7\n8\n", "9\n"],
        |socket| {
            assert!(socket.read().is_some());
            assert!(socket.read().is_some());
        },
    );
    let expected = [
        "1", "pause 2", "3", "pause 4", "5", "6", "pause 7", "8", "9",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_pause_in_a_chunk_that_was_read_holds_the_next_one_back() {
    let lines = with_chunks(&["1\n", "pause 2\n3\n", "4\n", "5\n"], |socket| {
        assert!(socket.read().is_some());
        assert!(socket.read().is_some());
    });
    assert_eq!(lines, ["1", "pause 2", "3", "4", "5"]);
}

#[test]
fn what_a_format_has_looked_at_is_not_cut_anew_by_a_read() {
    pair(|served, client| {
        served.pause();
        for chunk in ["\r\n.\r\n", "gh\r\nijkl", "abcdef"] {
            served.unshift(chunk);
        }
        let texts = FrameReader::new(DotStuffed::new(), 100).stream_above(10);
        served.frame_items(texts, move |item| {
            let Item::Piece { bytes, .. } = item else {
                panic!("{item:?}");
            };
            note(String::from_utf8_lossy(bytes));
            if bytes == b"abcdef" {
                served.pause();
                timers::set_immediate(move || {
                    // The line feed stays behind.
                    assert!(served.read_exactly(3).is_ok());
                    served.resume();
                });
            }
        });
        served.resume();
        client.resume().end();
    });
    run_to_end();
    assert_eq!(record().concat(), "abcdefgh\r\nijkl\r\n");
}

#[test]
fn what_a_framing_keeps_of_another_sockets_chunk_is_kept_whole() {
    pair(|served, client| {
        served.pause();
        served.unshift("ten bytes\n");
        let emitted = Cell::new(false);
        served.on(event::Data, move |_| {
            if emitted.replace(true) {
                return;
            }
            // A chunk of the client's, which its listener passes on as if it had come for the other one.
            client.pause();
            client.unshift(format!("stop\n{}\n", "x".repeat(990)));
            client.on(event::Data, move |chunk| {
                served.emit(event::Data, chunk);
            });
            assert!(client.read().is_some());
        });
        served.frames(FrameReader::new(Lines::new(), 1_000), move |line| {
            note(format!("{} {}", line.len(), line[0]));
            if line == b"stop" {
                served.pause();
                timers::set_immediate(move || {
                    served.resume();
                });
            }
        });
        served.resume();
        timers::set_timeout(Duration::from_millis(50), move || {
            served.destroy();
            client.destroy();
        });
    });
    run_to_end();
    assert_eq!(record(), ["4 115", "9 116", "990 120"]);
}

#[cfg(feature = "sim")]
support::worlds::also_in_worlds! {
    a_chunk_that_another_listener_reads_does_not_overtake_what_a_framing_puts_back
    nor_do_several
    a_pause_in_a_chunk_that_was_read_holds_the_next_one_back
    what_a_format_has_looked_at_is_not_cut_anew_by_a_read
    what_a_framing_keeps_of_another_sockets_chunk_is_kept_whole
}
