//! Sockets whose format changes, and whose bad frames are answered.

mod support;

use std::time::Duration;

use soquete::framing::{Either, FixedLength, Flow, FrameReader, Item, LengthPrefix, Lines};
use soquete::net::Socket;
use soquete::{event, timers};
use support::{note, pair, record, run_to_end};

fn lines() -> FrameReader<Lines> {
    FrameReader::new(Lines::new(), 100)
}

fn text(item: Item<'_>) -> String {
    String::from_utf8_lossy(item.frame().expect("a frame")).into_owned()
}

/// Notes what `client` gets, line by line.
fn noting_answers(client: Socket) {
    client.on(event::Error, |error| note(error.code().to_owned()));
    client.frames(lines(), |line| note(String::from_utf8_lossy(line)));
}

#[test]
fn a_listener_switches_between_lines_and_bodies() {
    pair(|served, client| {
        let reader = FrameReader::new(Either::A(Lines::new()), 10);
        served.frame_items_with(reader, move |item, mut reading| {
            let next = match reading.format() {
                Either::A(_) => Either::B(FixedLength::new(text(item).parse().unwrap()).unwrap()),
                Either::B(_) => {
                    note(text(item));
                    Either::A(Lines::new())
                }
            };
            reading.switch(next, 10).unwrap();
        });
        client.resume().write("5\nhel");
        timers::set_timeout(Duration::from_millis(5), move || {
            client.end_with("lo2\nhi1\n!");
        });
    });
    run_to_end();
    assert_eq!(record(), ["hello", "hi", "!"]);
}

#[test]
fn a_format_is_switched_from_outside_between_two_frames() {
    pair(|served, client| {
        let frames = served.frames(lines(), move |line| {
            note(String::from_utf8_lossy(line));
            served.pause();
        });
        client.resume().end_with("one\n\x02hi\x01!");
        timers::set_timeout(Duration::from_millis(5), move || {
            let reader = FrameReader::new(LengthPrefix::u8(), 10);
            let switched = frames.switch(reader, |item, reading| {
                note(format!("{} at {}", text(item), reading.offset()));
            });
            assert!(switched.is_ok());
            assert_eq!(frames.age(), None);
            served.resume();
        });
    });
    run_to_end();
    assert_eq!(record(), ["one", "hi at 4", "! at 7"]);
}

#[test]
fn a_half_frame_goes_along_when_the_format_is_switched_from_outside() {
    pair(|served, client| {
        let frames = served.frames(lines(), |line| note(String::from_utf8_lossy(line)));
        client.resume().write("one\n\x03ab");
        timers::set_timeout(Duration::from_millis(10), move || {
            let reader = || FrameReader::new(LengthPrefix::u8(), 10);
            let refused = frames.switch_clean(reader(), |_, _| ()).unwrap_err();
            assert_eq!(refused.code(), "ERR_INVALID_FRAME", "{refused}");
            frames.switch(reader(), |item, _| note(text(item))).unwrap();
            let over = frames.switch(reader(), |_, _| ()).unwrap_err();
            assert_eq!(over.code(), "ERR_INVALID_STATE");
            client.end_with("c\x01d");
        });
    });
    run_to_end();
    assert_eq!(record(), ["one", "abc", "d"]);
}

/// A server that goes on in another format after STARTTLS, unless something came along.
fn starttls(sent: &'static str, then: &'static str) -> Vec<String> {
    pair(move |served, client| {
        served.on(event::Error, |error| note(error.to_string()));
        served.frame_items_with(
            FrameReader::new(Lines::crlf(), 100),
            move |item, reading| {
                note(text(item));
                if let Err(error) = reading.clean() {
                    served.destroy_with(error.into());
                    return Flow::Continue;
                }
                served.on(event::Data, |chunk| {
                    note(format!("handshake {}", String::from_utf8_lossy(chunk)));
                });
                served.write("220 go ahead\r\n");
                Flow::Stop
            },
        );
        client.on(event::Error, |_| {});
        client.write(sent);
        client.once(event::Data, move |_| {
            client.end_with(then);
        });
    });
    run_to_end();
    record()
}

#[test]
fn what_was_pipelined_behind_starttls_is_refused() {
    assert_eq!(
        starttls("STARTTLS\r\n", "hello"),
        ["STARTTLS", "handshake hello"]
    );
    let refused = starttls("STARTTLS\r\nRCPT TO:", "");
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[1].contains("10"), "where it begins: {refused:?}");
}

#[test]
fn a_format_is_told_from_outside_what_the_bytes_do_not_say() {
    pair(|served, client| {
        let frames = served.frames(FrameReader::new(FixedLength::new(2).unwrap(), 9), |frame| {
            note(String::from_utf8_lossy(frame));
        });
        client.resume().write("ab");
        timers::set_timeout(Duration::from_millis(5), move || {
            assert_eq!(frames.with_format(|_: &mut Lines| ()), None, "another");
            let before = frames.with_format(|format: &mut FixedLength| {
                std::mem::replace(format, FixedLength::new(3).unwrap())
            });
            assert_eq!(before, FixedLength::new(2).ok());
            client.end_with("cde");
        });
    });
    run_to_end();
    assert_eq!(record(), ["ab", "cde"]);
}

#[test]
fn a_bad_frame_is_answered_and_the_next_one_is_read() {
    pair(|served, client| {
        let reader = FrameReader::new(Lines::new(), 8).tell_bad_frames();
        served.frame_items(reader, move |item| match item {
            Item::Frame(_) => drop(served.write("250\n")),
            Item::Refused { .. } => drop(served.write("500\n")),
            _ => {}
        });
        noting_answers(client);
        client.write("good\nfar too lo");
        timers::set_timeout(Duration::from_millis(10), move || {
            note("the rest");
            client.end_with("ng\ngood\n");
        });
    });
    run_to_end();
    assert_eq!(record(), ["250", "500", "the rest", "250"]);
}

/// Error, reply, end: the answer arrives though the peer goes on sending.
fn refused(serve: impl FnOnce(Socket) + 'static) {
    pair(move |served, client| {
        served.on(event::Error, |error| note(format!("served: {error}")));
        serve(served);
        served.on(event::Close, |had_error| {
            note(format!("closed {had_error}"))
        });
        noting_answers(client);
        client.write("good\n");
        client.write(vec![b'x'; 100_000]);
        client.on(event::End, |()| note("end"));
    });
    run_to_end();
    let mut record = record();
    record.sort();
    assert_eq!(record, ["250", "500", "closed false", "end"]);
}

#[test]
fn who_stops_at_a_bad_frame_ends_in_peace() {
    refused(|served| {
        let reader = FrameReader::new(Lines::new(), 8).tell_bad_frames();
        served.frame_items(reader, move |item| match item {
            Item::Refused { .. } => {
                served.end_with("500\n");
                Flow::Stop
            }
            _ => {
                served.write("250\n");
                Flow::Continue
            }
        });
    });
}

#[test]
fn who_is_told_of_an_error_ends_in_peace() {
    refused(|served| {
        served
            .frames(FrameReader::new(Lines::new(), 8), move |_| {
                served.write("250\n");
            })
            .on_error(move |_| {
                served.end_with("500\n");
            });
    });
}

#[test]
fn who_is_told_of_what_cannot_be_skipped_is_not_destroyed() {
    pair(|served, client| {
        served.on(event::Error, |error| note(error.to_string()));
        let reader = FrameReader::new(Lines::crlf(), 50).tell_bad_frames();
        served.frame_items(reader, move |item| match item {
            Item::Refused { lost, .. } => {
                note(format!("lost {lost}"));
                served.end_with("500\n");
            }
            _ => note(text(item)),
        });
        noting_answers(client);
        client.write("good\r\nbad\nbehind\r\n");
    });
    run_to_end();
    assert_eq!(record(), ["good", "lost true", "500"]);
}

#[cfg(feature = "sim")]
support::worlds::also_in_worlds! {
    a_listener_switches_between_lines_and_bodies
    a_format_is_switched_from_outside_between_two_frames
    a_half_frame_goes_along_when_the_format_is_switched_from_outside
    what_was_pipelined_behind_starttls_is_refused
    a_format_is_told_from_outside_what_the_bytes_do_not_say
    a_bad_frame_is_answered_and_the_next_one_is_read
    who_stops_at_a_bad_frame_ends_in_peace
    who_is_told_of_an_error_ends_in_peace
    who_is_told_of_what_cannot_be_skipped_is_not_destroyed
}
