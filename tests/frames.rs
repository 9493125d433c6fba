//! Frames on sockets, through the public API.

mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{Flow, FrameReader, FrameWriter, Item, LengthPrefix, Lines, Proxy};
use soquete::net::{self, Frames, Socket};
use soquete::{event, timers};
use support::{done, keeping_data, note, pair, port_of, record, run_to_end};

const LIMIT: usize = 1 << 20;

fn reader() -> FrameReader<LengthPrefix> {
    FrameReader::new(LengthPrefix::u32_be(), LIMIT)
}

fn writer() -> FrameWriter<LengthPrefix> {
    FrameWriter::new(LengthPrefix::u32_be(), LIMIT).unwrap()
}

fn lines() -> FrameReader<Lines> {
    FrameReader::new(Lines::new(), 1024)
}

/// Collects the frames of a socket as text, and what ended it.
fn noting_frames(socket: Socket) -> Frames {
    socket.on(event::Error, |error| {
        note(format!("{}: {error}", error.code()))
    });
    socket.on(event::Close, |_| note("close"));
    socket.frames(lines(), |frame| note(String::from_utf8_lossy(frame)))
}

#[test]
fn every_frame_is_echoed_whatever_its_size() {
    let sizes = [0, 1, 63, 64, 1000, 70_000, LIMIT];
    pair(move |served, client| {
        served.frames(reader(), move |frame| {
            served.write_frame(&writer(), frame).unwrap();
        });
        for size in sizes {
            client
                .write_frame(&writer(), vec![size as u8; size])
                .unwrap();
        }
        let mut expected = sizes.into_iter();
        client.frames(reader(), move |frame| {
            let size = expected.next().unwrap();
            assert_eq!(frame.len(), size);
            assert!(frame.iter().all(|byte| *byte == size as u8));
            note(size.to_string());
            if expected.len() == 0 {
                client.end();
            }
        });
    });
    run_to_end();
    assert_eq!(record().len(), sizes.len());
}

#[test]
fn sixteen_frames_in_a_chunk_are_answered_by_one_write() {
    let before = Rc::new(Cell::new(0));
    pair(move |served, client| {
        let noticed = Rc::clone(&before);
        served.frames(reader(), move |frame| {
            served.write_frame(&writer(), frame).unwrap();
        });
        for _ in 0..16 {
            client.write_frame(&writer(), b"ping").unwrap();
        }
        let mut answers = 0;
        client.frames(reader(), move |_| {
            answers += 1;
            if answers == 16 {
                note((soquete::metrics().writes - noticed.get()).to_string());
                client.end();
            }
        });
        before.set(soquete::metrics().writes);
    });
    run_to_end();
    assert_eq!(record(), ["2"], "one there, one back");
}

#[test]
fn a_pause_takes_hold_between_two_frames_and_nothing_is_lost() {
    pair(|served, client| {
        client.end_with("one\ntwo\nthree\n");
        served.on(event::End, |()| note("end"));
        served.frames(lines(), move |frame| {
            note(String::from_utf8_lossy(frame));
            served.pause();
            timers::set_timeout(Duration::from_millis(2), move || {
                note("resume");
                served.resume();
            });
        });
    });
    run_to_end();
    let expected = ["one", "resume", "two", "resume", "three", "resume", "end"];
    assert_eq!(record(), expected, "the end does not overtake a frame");
}

#[test]
fn a_flood_of_tiny_frames_leaves_turns_to_others() {
    const FRAMES: usize = 50_000;
    pair(|served, client| {
        client.end_with("\n".repeat(FRAMES));
        let in_a_row = Rc::new(Cell::new(0));
        let most = Rc::new(Cell::new(0));
        let total = Rc::new(Cell::new(0));
        let (row, high, sum) = (Rc::clone(&in_a_row), Rc::clone(&most), Rc::clone(&total));
        served.frames(lines(), move |_| {
            row.set(row.get() + 1);
            sum.set(sum.get() + 1);
            high.set(high.get().max(row.get()));
        });
        let ticker = timers::set_interval(Duration::from_millis(1), || {});
        fn each_turn(in_a_row: Rc<Cell<usize>>, until: Socket) {
            in_a_row.set(0);
            if !until.destroyed() {
                timers::set_immediate(move || each_turn(in_a_row, until));
            }
        }
        each_turn(in_a_row, served);
        served.on(event::Close, move |_| {
            ticker.clear();
            assert_eq!(total.get(), FRAMES);
            assert!(most.get() <= 2048, "{} frames in one turn", most.get());
            note("all");
        });
    });
    run_to_end();
    assert_eq!(record(), ["all"]);
}

#[test]
fn bytes_that_are_no_frame_are_an_error_that_says_where() {
    pair(|served, client| {
        noting_frames(served);
        client.on(event::Error, |_| {});
        client.write(format!("fine\n{}", "x".repeat(2000)));
    });
    run_to_end();
    let record = record();
    assert_eq!(record[0], "fine");
    assert!(record[1].starts_with("ERR_INVALID_FRAME: "), "{record:?}");
    assert!(
        record[1].contains('5'),
        "the offset of the bad frame: {record:?}"
    );
    assert_eq!(record[2], "close");
}

#[test]
fn an_end_inside_a_frame_is_an_error() {
    pair(|served, client| {
        noting_frames(served);
        client.end_with("whole\nhalf");
    });
    run_to_end();
    let record = record();
    assert_eq!(record[0], "whole");
    assert!(record[1].starts_with("ERR_INVALID_FRAME: "), "{record:?}");
}

#[test]
fn a_frame_that_drips_is_cut_off_by_its_deadline() {
    pair(|served, client| {
        noting_frames(served).deadline(Duration::from_millis(30));
        client.write("quick\nslow");
        let drip = timers::set_interval(Duration::from_millis(5), move || {
            client.write(".");
        });
        client.on(event::Error, |_| {});
        client.on(event::Close, move |_| drip.clear());
    });
    run_to_end();
    let record = record();
    assert_eq!(record[0], "quick");
    assert!(
        record[1].starts_with("ERR_FRAME_TIMEOUT: the frame at offset 6"),
        "{record:?}"
    );
}

#[test]
fn a_header_is_read_once_and_the_rest_goes_to_another_format() {
    pair(|served, client| {
        served.frames(FrameReader::new(Proxy::new(), 536), move |header| {
            note(String::from_utf8_lossy(header).trim_end());
            served.frames(lines(), |line| note(String::from_utf8_lossy(line)));
            Flow::Stop
        });
        client.end_with("PROXY TCP4 192.0.2.1 192.0.2.2 4000 80\r\nhello\nworld\n");
    });
    run_to_end();
    assert_eq!(
        record(),
        ["PROXY TCP4 192.0.2.1 192.0.2.2 4000 80", "hello", "world"]
    );
}

#[test]
fn a_big_frame_comes_in_pieces_on_request() {
    pair(|served, client| {
        client.write_frame(&writer(), vec![7; 300_000]).unwrap();
        client.end();
        let got = Rc::new(RefCell::new(0));
        served.frame_items(reader().stream_above(1000), move |item| match item {
            Item::Piece { bytes, last } => {
                *got.borrow_mut() += bytes.len();
                if last {
                    note(got.borrow().to_string());
                }
            }
            other => panic!("{other:?}"),
        });
    });
    run_to_end();
    assert_eq!(record(), ["300000"]);
}

#[test]
fn a_listener_that_panics_loses_only_its_own_frame() {
    pair(|served, client| {
        served.frames(lines(), move |frame| {
            note(String::from_utf8_lossy(frame));
            assert_ne!(frame, b"bad", "as the test wants");
        });
        client.end_with("good\nbad\nbetter\nbest\n");
    });
    let panicked = std::panic::catch_unwind(soquete::run);
    assert!(panicked.is_err());
    run_to_end();
    assert_eq!(record(), ["good", "bad", "better", "best"]);
}

#[test]
fn a_payload_that_is_not_one_frame_is_refused_and_nothing_is_sent() {
    pair(|served, client| {
        let writer = FrameWriter::new(Lines::new(), 10).unwrap();
        for payload in ["two\nlines", "far too long"] {
            let error = client.write_frame(&writer, payload).unwrap_err();
            note(error.code().to_owned());
        }
        client.write_frame(&writer, "fine").unwrap();
        client.end();
        served.frames(lines(), |frame| note(String::from_utf8_lossy(frame)));
    });
    run_to_end();
    assert_eq!(record(), ["ERR_INVALID_FRAME", "ERR_INVALID_FRAME", "fine"]);
}

#[test]
fn a_socket_that_is_destroyed_between_two_shares_of_frames_lets_the_loop_end() {
    pair(|served, client| {
        client.write("\n".repeat(10_000));
        client.on(event::Error, |_| {});
        let mut frames = 0;
        served.frames(lines(), move |_| {
            frames += 1;
            if frames == 1_500 {
                timers::next_tick(move || {
                    served.destroy();
                });
            }
        });
        served.on(event::Close, |_| note("close"));
    });
    run_to_end();
    assert_eq!(record(), ["close"]);
}

#[test]
fn the_next_life_of_a_socket_is_read_though_its_frames_ended_the_last() {
    let server = soquete::net::create_server(|socket| {
        socket.on(event::Error, |_| {});
        socket.end_with("one\ntwo\n");
    });
    support::listening_on(server, "127.0.0.1", move |server, port| {
        let client = soquete::net::connect(("127.0.0.1", port));
        client.frames(lines(), move |line| {
            note(String::from_utf8_lossy(line));
            client.destroy();
        });
        client.once(event::Close, move |_| {
            client.connect(("127.0.0.1", port));
            client.frames(lines(), |line| note(String::from_utf8_lossy(line)));
            client.once(event::Close, move |_| {
                server.close();
            });
        });
    });
    run_to_end();
    assert_eq!(record(), ["one", "one", "two"]);
}

#[test]
fn what_follows_a_change_of_format_waits_for_a_listener_that_comes_later() {
    pair(|served, client| {
        client.end_with("header\nbody");
        served.frames(lines(), move |header| {
            note(String::from_utf8_lossy(header));
            timers::set_timeout(Duration::from_millis(2), move || {
                served.on(event::Data, |rest| note(String::from_utf8_lossy(rest)));
            });
            Flow::Stop
        });
    });
    run_to_end();
    assert_eq!(record(), ["header", "body"]);
}

#[test]
fn a_framing_error_is_an_error_like_others() {
    let error = soquete::Error::from(FrameWriter::new(LengthPrefix::u8(), 256).unwrap_err());
    assert_eq!(error.code(), "ERR_INVALID_FRAME");
    assert!(error.to_string().contains("255"), "{error}");
}

/// Paused, and keeping what its peer has sent and ended with.
fn kept_to_the_end(sent: &'static str) -> Socket {
    let (socket, peer) = keeping_data(sent);
    peer.resume().end();
    (0..5).for_each(|_| soquete::run_nowait().unwrap());
    assert_eq!(socket.readable_length(), sent.len());
    socket
}

#[test]
fn the_end_does_not_overtake_the_frames_of_a_socket_that_pauses() {
    let socket = kept_to_the_end("one\ntwo\nthree\n");
    socket.on(event::End, |()| note("end"));
    socket.frames(lines(), move |frame| {
        note(String::from_utf8_lossy(frame));
        socket.pause();
        timers::set_timeout(Duration::from_millis(2), move || {
            note("resume");
            socket.resume();
        });
    });
    socket.resume();
    run_to_end();
    assert_eq!(
        record(),
        ["one", "resume", "two", "resume", "three", "resume", "end"]
    );
}

#[test]
fn no_frame_follows_a_destroy_or_a_pause_between_two_shares() {
    for pauses in [false, true] {
        pair(move |served, client| {
            let count = Rc::new(Cell::new(0));
            let stopped = Rc::new(Cell::new(false));
            let (seen, over) = (Rc::clone(&count), Rc::clone(&stopped));
            served.frames(lines(), move |_| {
                assert!(!over.get(), "a frame of a socket that was stopped");
                seen.set(seen.get() + 1);
                if seen.get() == 10 {
                    let over = Rc::clone(&over);
                    timers::next_tick(move || {
                        over.set(true);
                        if !pauses {
                            served.destroy();
                            return;
                        }
                        served.pause();
                        timers::set_timeout(Duration::from_millis(5), move || {
                            over.set(false);
                            served.resume();
                        });
                    });
                }
            });
            served.on(event::Close, move |_| note(count.get().to_string()));
            client.on(event::Error, |_| {});
            client.resume();
            client.end_with("x\n".repeat(10_000));
        });
        run_to_end();
        assert_eq!(record(), [if pauses { "10000" } else { "1024" }]);
    }
}

#[test]
fn pausing_again_at_once_lets_no_frame_through() {
    let socket = kept_to_the_end("one\ntwo\n");
    socket.frames(lines(), move |frame| {
        note(String::from_utf8_lossy(frame));
        assert!(!socket.is_paused());
    });
    socket.resume();
    socket.pause();
    timers::set_timeout(Duration::from_millis(5), move || {
        note("later");
        socket.resume();
    });
    run_to_end();
    assert_eq!(record(), ["later", "one", "two"]);
}

#[test]
fn a_framing_whose_listeners_are_removed_lets_the_socket_go() {
    pair(|served, client| {
        served.frames(lines(), move |frame| {
            note(String::from_utf8_lossy(frame));
            served.pause();
            timers::set_immediate(move || {
                served.remove_all_listeners();
                served.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
                served.resume();
                client.end_with("plain");
            });
        });
        client.resume();
        client.write("one\ntwo\n");
    });
    run_to_end();
    assert_eq!(record(), ["one", "plain"]);
}

#[test]
fn what_a_listener_of_frames_puts_back_comes_behind_the_frames_of_the_chunk() {
    pair(|served, client| {
        served.frames(lines(), move |frame| {
            note(String::from_utf8_lossy(frame));
            if frame == b"two" {
                served.unshift("put back\n");
            }
        });
        // From `Resume`, too, nothing is lost.
        served.pause();
        client.resume();
        client.end_with("one\ntwo\nthree\n");
        timers::set_timeout(Duration::from_millis(10), move || done(served.resume()));
    });
    run_to_end();
    assert_eq!(record(), ["one", "two", "three", "put back"]);
}

#[test]
fn a_socket_that_is_destroyed_with_its_end_withheld_ends_in_its_next_life() {
    let server = net::create_server(|socket| {
        socket.end_with("again");
    });
    let socket = kept_to_the_end("one\ntwo\n");
    server.listen(0);
    let port = port_of(server);
    socket.frames(lines(), move |frame| {
        note(String::from_utf8_lossy(frame));
        socket.pause();
        timers::set_timeout(Duration::from_millis(2), move || done(socket.destroy()));
    });
    socket.once(event::Close, move |_| {
        socket.connect(("127.0.0.1", port));
        socket.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
        socket.on(event::End, move |()| {
            note("end");
            server.close();
        });
        socket.resume();
    });
    socket.resume();
    run_to_end();
    assert_eq!(record(), ["one", "again", "end"]);
}

#[test]
fn who_only_listens_to_readable_does_not_stop_the_frames() {
    pair(|served, client| {
        served.frames(lines(), |frame| note(String::from_utf8_lossy(frame)));
        served.on(event::Readable, move |()| while served.read().is_some() {});
        served.on(event::End, |()| note("end"));
        client.resume();
        client.end_with("one\ntwo\n");
    });
    run_to_end();
    assert_eq!(record(), ["one", "two", "end"]);
}

/// A server whose lines may be 8 bytes long; what is wrong with one is answered before the end.
fn answers_bad_lines(client: impl FnOnce(Socket) + 'static) {
    pair(move |served, socket| {
        served
            .frames(FrameReader::new(Lines::new(), 8), |line| {
                note(format!("line of {}", line.len()))
            })
            .on_error(move |error| served.end_with(format!("500 {error}")));
        served.on(event::End, |()| note("end of the client"));
        served.on(event::Close, |had_error| note(format!("close {had_error}")));
        socket.on(event::Text, |text| note(text));
        socket.on(event::Error, |error| note(error.code()));
        client(socket);
    });
    run_to_end();
}

#[test]
fn bytes_that_are_no_frame_are_answered_before_the_end_if_there_is_a_handler() {
    answers_bad_lines(|client| {
        client.write("short\r\n");
        client.write("x".repeat(100_000));
        timers::set_timeout(Duration::from_millis(5), move || {
            client.end_with("\r\nshort\r\n")
        });
    });
    let record = record();
    let answer = "500 frame at offset 7 is longer than the limit of 8 bytes";
    // What comes in behind is thrown away, and no reset overtakes the answer.
    assert_eq!(
        record,
        ["line of 5", answer, "end of the client", "close false"]
    );
}

#[test]
fn a_bad_frame_in_a_later_turn_lets_the_stream_go() {
    answers_bad_lines(|client| {
        client.write("ok\n".repeat(5000));
        client.end_with("much too long\n");
    });
    let record = record();
    let lines = record.iter().filter(|line| *line == "line of 2").count();
    assert_eq!(lines, 5000);
    let rest: Vec<_> = record.iter().skip(5000).map(|line| &line[..3]).collect();
    assert_eq!(rest, ["500", "end", "clo"]);
}

#[test]
fn an_end_inside_of_a_frame_goes_to_the_handler_and_its_err_destroys() {
    pair(|served, client| {
        served
            .frames(reader(), |_| note("a frame"))
            .on_error(|error| {
                note(error.to_string());
                Err::<(), _>(error.into())
            });
        served.on(event::Error, |error| note(error.code()));
        client.resume();
        client.end_with("\0\0\0\u{9}half");
    });
    run_to_end();
    let record = record();
    assert_eq!(
        (record.len(), record[1].as_str()),
        (2, "ERR_INVALID_FRAME"),
        "{record:?}"
    );
}

#[test]
fn an_err_of_a_listener_of_frames_destroys_the_socket_and_no_frame_follows() {
    pair(|served, client| {
        served.frames(lines(), |line| {
            note(String::from_utf8_lossy(line));
            let _number: u32 = std::str::from_utf8(line)?.parse()?;
            Ok(())
        });
        served.on(event::Error, |error| note(error.to_string()));
        client.on(event::Close, |_| ());
        client.resume();
        client.write("1\ntwo\n3\n");
    });
    run_to_end();
    assert_eq!(record(), ["1", "two", "invalid digit found in string"]);
}

#[cfg(feature = "sim")]
support::worlds::also_in_worlds! {
    every_frame_is_echoed_whatever_its_size
    sixteen_frames_in_a_chunk_are_answered_by_one_write
    a_pause_takes_hold_between_two_frames_and_nothing_is_lost
    a_flood_of_tiny_frames_leaves_turns_to_others
    bytes_that_are_no_frame_are_an_error_that_says_where
    an_end_inside_a_frame_is_an_error
    a_frame_that_drips_is_cut_off_by_its_deadline
    a_header_is_read_once_and_the_rest_goes_to_another_format
    a_big_frame_comes_in_pieces_on_request
    a_listener_that_panics_loses_only_its_own_frame
    a_payload_that_is_not_one_frame_is_refused_and_nothing_is_sent
    a_socket_that_is_destroyed_between_two_shares_of_frames_lets_the_loop_end
    the_next_life_of_a_socket_is_read_though_its_frames_ended_the_last
    what_follows_a_change_of_format_waits_for_a_listener_that_comes_later
    a_framing_error_is_an_error_like_others
    the_end_does_not_overtake_the_frames_of_a_socket_that_pauses
    no_frame_follows_a_destroy_or_a_pause_between_two_shares
    pausing_again_at_once_lets_no_frame_through
    a_framing_whose_listeners_are_removed_lets_the_socket_go
    what_a_listener_of_frames_puts_back_comes_behind_the_frames_of_the_chunk
    a_socket_that_is_destroyed_with_its_end_withheld_ends_in_its_next_life
    who_only_listens_to_readable_does_not_stop_the_frames
    bytes_that_are_no_frame_are_answered_before_the_end_if_there_is_a_handler
    a_bad_frame_in_a_later_turn_lets_the_stream_go
    an_end_inside_of_a_frame_goes_to_the_handler_and_its_err_destroys
    an_err_of_a_listener_of_frames_destroys_the_socket_and_no_frame_follows
}
