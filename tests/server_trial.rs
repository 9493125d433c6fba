//! Servers on trial: one that is right passes, and what is wrong with others is found and named, with the offset.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{FrameReader, Lines};
use soquete::fuzzing::{Conversation, Cut, Finding, Seen, ServerTrial, TrialReport};
use soquete::net::{self, Server, ServerOptions, Socket};
use soquete::{event, timers};

/// What a server of lines answers.
fn answer(line: &[u8]) -> Vec<u8> {
    [b"you said ", line, b"\n"].concat()
}

/// As it should be.
fn lines() -> Server {
    net::create_server(|socket| {
        socket.on(event::Error, |_| {});
        socket.frames(FrameReader::new(Lines::new(), 100), move |line| {
            socket.write(answer(line));
        });
    })
}

fn two_lines() -> Conversation {
    Conversation::new("two lines")
        .send("one\n")
        .expect("you said one\n")
        .send("twice\n")
        .expect("you said twice\n")
}

fn trial(make: fn() -> Server) -> ServerTrial {
    ServerTrial::new(make).conversation(two_lines())
}

fn findings(make: fn() -> Server) -> Vec<Finding> {
    trial(make).run().findings
}

/// The cuts that were found, as they are written.
fn cuts(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| finding.cut.to_string())
        .collect()
}

/// Serves by what a closure makes of each chunk.
fn by_chunks(serve: impl FnMut(Socket, &mut Vec<u8>, &[u8]) + Clone + 'static) -> Server {
    net::create_server(move |socket| {
        socket.on(event::Error, |_| {});
        let mut serve = serve.clone();
        let mut kept = Vec::new();
        socket.on(event::Data, move |chunk| serve(socket, &mut kept, chunk));
    })
}

/// Takes the lines that are complete.
fn complete(kept: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    while let Some(end) = kept.iter().position(|byte| *byte == b'\n') {
        lines.push(kept.drain(..=end).take(end).collect());
    }
    lines
}

#[test]
fn a_server_that_is_right_passes_every_cut() {
    let report = trial(lines).test();
    // 10 bytes in two requests: whole, bytewise, pipelined, dripped, half-closed; cut and paused inside of requests;
    // pipelined, ended and reset anywhere.
    assert_eq!(report.runs, 5 + 2 * 8 + 2 * 9 + 11);
    assert!(report.left_out.is_empty());
}

#[test]
fn it_passes_over_loopback_too() {
    let report = trial(lines).over_loopback().test();
    assert_eq!(report.runs, 50);
}

#[test]
fn a_server_that_parses_each_chunk_for_itself_is_found_at_the_first_cut() {
    let findings = findings(|| {
        by_chunks(|socket, _, chunk| {
            let line = chunk.strip_suffix(b"\n").unwrap_or(chunk);
            socket.write(answer(line));
        })
    });
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::Before(1), 1));
    assert_eq!(first.expected, "\"you said one\\n\"");
    assert_eq!(first.received, "\"you said o\\n\"");
    assert_eq!(first.what, "answer 1 differs from its byte 11 on");
    assert_eq!(first.sent, "\"o|ne\\ntwice\\n\"");
    let text = first.to_string();
    assert!(
        text.starts_with(
            "\"two lines\", cut@1 (at byte 1 of 10: byte 1 of 4 in request 1 of 2): answer 1"
        ),
        "{text}"
    );
    // The second request is cut as well.
    assert!(cuts(&findings).contains(&"cut@7".into()), "{findings:#?}");
}

#[test]
fn a_server_that_loses_what_follows_in_a_chunk_is_found_when_requests_are_pipelined() {
    let findings = findings(|| {
        by_chunks(|socket, kept, chunk| {
            kept.extend_from_slice(chunk);
            if let Some(line) = complete(kept).into_iter().next() {
                kept.clear();
                socket.write(answer(&line));
            }
        })
    });
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::Pipelined, 10));
    assert_eq!(first.expected, "\"you said twice\\n\"");
    assert_eq!(
        (first.received.as_str(), first.what.as_str()),
        ("\"\"", "nothing has come for 60 s")
    );
    let pipelined = |cut: &String| cut.starts_with("pipelined");
    // A cut between the two helps it, as any before the first line's end does not.
    let cuts = cuts(&findings);
    assert!(
        cuts.iter().all(pipelined) && cuts.contains(&"pipelined@3".into()),
        "{cuts:?}"
    );
    assert!(!cuts.contains(&"pipelined@4".into()), "{cuts:?}");
}

#[test]
fn a_server_that_answers_twice_at_one_cut_is_found_there_and_nowhere_else() {
    let findings = findings(|| {
        by_chunks(|socket, kept, chunk| {
            kept.extend_from_slice(chunk);
            let is_end_alone = chunk == b"\n" && kept.len() == 4;
            for line in complete(kept) {
                socket.write(answer(&line));
                if is_end_alone {
                    socket.write(answer(&line));
                }
            }
        })
    });
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::Before(3), 3));
    assert!(first.received.starts_with("\"you said one\\n"), "{first}");
    let expected = ["cut@3", "bytewise", "dripped", "paused@3"];
    assert_eq!(cuts(&findings), expected);
    let bytewise = &findings[1];
    assert_eq!(bytewise.offset, 4, "{bytewise}");
}

#[test]
fn a_second_answer_at_the_very_end_is_found_as_well() {
    let findings = findings(|| {
        by_chunks(|socket, kept, chunk| {
            kept.extend_from_slice(chunk);
            let is_end_alone = chunk == b"\n" && kept.len() == 6;
            for line in complete(kept) {
                socket.write(answer(&line));
                if is_end_alone {
                    // Late: the client has had its answer.
                    timers::set_immediate(move || socket.write("and again\n"));
                }
            }
        })
    });
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::Before(9), 9));
    assert_eq!(first.expected, "nothing more");
    assert_eq!(first.received, "\"and again\\n\"");
}

#[test]
fn a_server_that_leaks_a_connection_is_found_by_the_reset_or_the_end_that_does_it() {
    // Whoever ends in the middle of a line is never ended.
    let findings = findings(|| {
        let options = ServerOptions::new().allow_half_open(true);
        net::create_server_with(options, |socket| {
            socket.on(event::Error, |_| {});
            let kept = Rc::new(RefCell::new(Vec::new()));
            let rest = Rc::clone(&kept);
            socket.on(event::Data, move |chunk| {
                rest.borrow_mut().extend_from_slice(chunk);
                for line in complete(&mut rest.borrow_mut()) {
                    socket.write(answer(&line));
                }
            });
            socket.on(event::End, move |()| {
                if kept.borrow().is_empty() {
                    socket.end();
                }
            });
        })
    });
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::EndedAfter(1), 1));
    assert_eq!(
        first.what,
        "the server has not ended the connection 10 s after the client's end"
    );
    // Not where a line ends.
    let expected = [1, 2, 3, 5, 6, 7, 8, 9].map(|at| format!("ended@{at}"));
    assert_eq!(cuts(&findings), expected);
}

#[test]
fn a_server_that_never_ends_after_a_half_close_is_found() {
    let findings = findings(|| {
        let options = ServerOptions::new().allow_half_open(true);
        net::create_server_with(options, |socket| {
            socket.on(event::Error, |_| {});
            socket.frames(FrameReader::new(Lines::new(), 100), move |line| {
                socket.write(answer(line));
            });
        })
    });
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::Whole, 10));
    assert_eq!(
        first.what,
        "the server has not ended the connection 10 s after the client's end"
    );
}

#[test]
fn an_answer_that_is_lost_with_the_clients_end_is_found_where_that_follows_at_once() {
    let findings = findings(|| {
        net::create_server(|socket| {
            socket.on(event::Error, |_| {});
            socket.frames(FrameReader::new(Lines::new(), 100), move |line| {
                let answer = answer(line);
                timers::set_timeout(Duration::from_millis(1), move || socket.write(answer));
            });
        })
    });
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::HalfClosed, 10));
    assert_eq!(
        first.what,
        "the server has ended the connection after the client's end"
    );
    assert_eq!(first.expected, "\"you said twice\\n\"");
}

#[test]
fn a_server_that_answers_differently_after_a_pause_is_found_with_the_place_of_the_pause() {
    // What has waited for 5 ms is taken for a line.
    let make = || {
        by_chunks(|socket, kept, chunk| {
            kept.extend_from_slice(chunk);
            for line in complete(kept) {
                socket.write(answer(&line));
            }
            let waits = std::mem::take(kept);
            if waits == b"twi" {
                timers::set_timeout(Duration::from_millis(500), move || {
                    socket.write("TIMEOUT\n")
                });
            }
            *kept = waits;
        })
    };
    let found = findings(make);
    assert_eq!(cuts(&found), ["paused@7"], "{found:#?}");
    assert_eq!(found[0].offset, 7);
    assert_eq!(found[0].received, "\"TIMEOUT\\n\"");

    let dripped = || {
        by_chunks(|socket, kept, chunk| {
            kept.extend_from_slice(chunk);
            let lines = complete(kept);
            let began = Rc::new(Cell::new(soquete::now()));
            for line in lines {
                socket.write(answer(&line));
            }
            let (kept_now, began) = (kept.clone(), began);
            if kept_now == b"on" {
                timers::set_timeout(Duration::from_millis(15), move || {
                    let waited = soquete::now() - began.get();
                    socket.write(format!("slow: {} ms\n", waited.as_millis()));
                });
            }
        })
    };
    // With the answer to a reset or an end at that place nobody can find fault.
    let dripped = findings(dripped);
    let first = dripped.iter().find(|finding| finding.cut == Cut::Dripped);
    assert_eq!(first.map(|finding| finding.offset), Some(2), "{dripped:#?}");
}

#[test]
fn a_timer_that_keeps_the_loop_alive_is_found() {
    let findings = findings(|| {
        net::create_server(|socket| {
            socket.on(event::Error, |_| {});
            let beat = timers::set_interval(Duration::from_secs(1), || {});
            socket.on(event::End, move |()| beat.clear());
            socket.frames(FrameReader::new(Lines::new(), 100), move |line| {
                socket.write(answer(line));
            });
        })
    });
    // A socket that was reset has no `End`.
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::ResetAfter(0), 0));
    assert!(
        first
            .what
            .starts_with("10 s after the client has gone, what keeps the loop alive is a timer"),
        "{first}"
    );
    if cfg!(debug_assertions) {
        assert!(
            first.what.contains("made at tests/server_trial.rs:"),
            "{first}"
        );
    }
    assert_eq!(findings.len(), 11);
}

#[test]
fn a_socket_that_nobody_ends_is_found_over_loopback_too_and_the_trial_stops_there() {
    let report = trial(|| {
        net::create_server(|socket| {
            socket.on(event::Error, |_| {});
            let beat = timers::set_interval(Duration::from_secs(1), || {});
            socket.on(event::End, move |()| beat.clear());
            socket.frames(FrameReader::new(Lines::new(), 100), move |line| {
                socket.write(answer(line));
            });
        })
    })
    .over_loopback()
    .closes_within(Duration::from_millis(100))
    .run();
    assert_eq!(cuts(&report.findings), ["reset@0"]);
    assert_eq!(
        report.left_out,
        ["10 cuts: what stays open would be in the way of all that follows"]
    );
}

#[test]
fn an_error_that_nobody_listens_for_is_found_by_a_reset() {
    let findings = findings(|| {
        net::create_server(|socket| {
            socket.frames(FrameReader::new(Lines::new(), 100), move |line| {
                socket.write(answer(line));
            });
        })
    });
    let reset = findings
        .iter()
        .find(|finding| finding.cut == Cut::ResetAfter(0));
    let what = reset.map(|finding| finding.what.as_str());
    assert_eq!(what, Some("nobody listens for the error read ECONNRESET"));
    // A line that is cut off by the end is an error, too.
    assert_eq!(findings[0].cut, Cut::EndedAfter(1));
}

#[test]
fn a_panic_is_a_finding() {
    let findings = findings(|| {
        by_chunks(|socket, kept, chunk| {
            assert!(chunk != b"wice\n", "a bad cut");
            kept.extend_from_slice(chunk);
            for line in complete(kept) {
                socket.write(answer(&line));
            }
        })
    });
    let first = &findings[0];
    assert_eq!((first.cut, first.offset), (Cut::Before(5), 5));
    assert_eq!(first.what, "the server has panicked: a bad cut");
}

#[test]
fn what_varies_is_expected_by_a_pattern_or_by_a_closure() {
    let make = || {
        let count = Rc::new(Cell::new(0));
        net::create_server(move |socket| {
            socket.on(event::Error, |_| {});
            socket.write("hello 42\r\n");
            let count = Rc::clone(&count);
            socket.frames(FrameReader::new(Lines::new(), 100), move |_| {
                count.set(count.get() + 1);
                socket.write(format!("Date: {} s\r\n{}\n", count.get() * 7, count.get()));
            });
        })
    };
    let number = |bytes: &[u8]| match bytes.iter().position(|byte| *byte == b'\n') {
        None => Seen::More,
        Some(end) if bytes[..end].iter().all(u8::is_ascii_digit) => Seen::All(end + 1),
        Some(_) => Seen::Wrong("is no number".into()),
    };
    let good = Conversation::new("greeted")
        .expect_like("hello *\r\n")
        .send("a\n")
        .expect_like("Date: *\r\n")
        .expect_by("a number", number)
        .send("b\n")
        .expect_like("Date: * s\r\n*\n");
    let _ = ServerTrial::new(make).conversation(good).test();

    let bad = Conversation::new("greeted")
        .expect_like("hello *\r\n")
        .send("a\n")
        .expect_by("a number", number);
    let report = ServerTrial::new(make).conversation(bad).run();
    assert_eq!(report.findings.len(), 1, "{report:?}");
    let finding = &report.findings[0];
    assert_eq!(
        (finding.cut, finding.what.as_str()),
        (Cut::Whole, "answer 2: is no number")
    );
    assert_eq!(finding.expected, "a number");
    let [left_out] = &report.left_out[..] else {
        panic!("{:?}", report.left_out);
    };
    assert!(
        left_out.ends_with("cuts of \"greeted\", which fails as a whole"),
        "{left_out}"
    );
}

#[test]
fn a_server_that_ends_the_connection_itself_is_held_to_that() {
    let quits = || {
        net::create_server(|socket| {
            socket.on(event::Error, |_| {});
            socket.frames(
                FrameReader::new(Lines::new(), 100),
                move |line| match line {
                    b"quit" => drop(socket.end_with("bye\n")),
                    line => drop(socket.write(answer(line))),
                },
            );
        })
    };
    let conversation = || {
        Conversation::new("quit")
            .send("x\n")
            .expect("you said x\n")
            .send("quit\n")
            .expect("bye\n")
    };
    let trial = ServerTrial::new(quits);
    let _ = trial.clone().conversation(conversation().closes()).test();
    // It does not, where it is told in another way.
    let report = ServerTrial::new(lines)
        .conversation(
            Conversation::new("quit")
                .send("quit\n")
                .expect("you said quit\n")
                .closes(),
        )
        .run();
    assert_eq!(
        report.findings[0].what,
        "the server has not ended the connection 10 s after its last answer"
    );
}

#[test]
fn a_server_may_refuse_before_the_last_byte_is_there() {
    let make = || {
        net::create_server(|socket| {
            socket.on(event::Error, |_| {});
            socket.on(event::Data, move |chunk| {
                if chunk.contains(&b'!') {
                    socket.end_with("no\n");
                }
            });
        })
    };
    let conversation = Conversation::new("refused")
        .send("what! is that?\n")
        .expect("no\n");
    let report = ServerTrial::new(make)
        .conversation(conversation.closes())
        .test();
    assert!(report.runs > 50);
}

#[test]
fn a_conversation_in_a_file_is_the_same() {
    let text = "> one\\n\n< you said one\\n\n\n> twice\\n\n~ you said *\\n\n";
    let conversation = Conversation::parse("from a file", text).expect("as it should be");
    let report = ServerTrial::new(lines).conversation(conversation).test();
    assert_eq!(report.runs, 50);
}

#[test]
fn a_failed_check_says_what_is_wrong_and_how_to_run_it_again() {
    let report = trial(|| {
        by_chunks(|socket, _, chunk| {
            socket.write(answer(chunk.strip_suffix(b"\n").unwrap_or(chunk)));
        })
    })
    .run();
    let panic = catch_unwind(AssertUnwindSafe(|| drop(report.check().clone())));
    let panic = panic.expect_err("it was found");
    let text = panic.downcast_ref::<String>().expect("a text");
    for part in [
        "\"two lines\", cut@1 (at byte 1 of 10: byte 1 of 4 in request 1 of 2): answer 1 differs from its byte 11 on",
        "    expected \"you said one\\n\"\n    received \"you said o\\n\"\n    sent     \"o|ne\\ntwice\\n\"",
        "again: SOQUETE_CUT='cut@1 two lines' cargo test a_failed_check_says",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let alone = trial(lines).only(Cut::Before(1)).run();
    assert_eq!(alone.runs, 1);
}

#[test]
fn random_conversations_find_what_depends_on_the_cut() {
    let right = trial(lines);
    let wrong = trial(|| {
        by_chunks(|socket, _, chunk| {
            socket.write(answer(chunk.strip_suffix(b"\n").unwrap_or(chunk)));
        })
    });
    let mut found = 0;
    let mut state = 1u64;
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..40)
            .map(|_| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        right.fuzz(&bytes);
        let attempt = catch_unwind(AssertUnwindSafe(|| wrong.fuzz(&bytes)));
        found += u32::from(attempt.is_err());
    }
    assert!(found > 30, "found {found} times");
}

#[test]
fn thousands_of_cuts_take_a_second() {
    let request = format!("{}\n", "x".repeat(90));
    let mut conversation = Conversation::new("long");
    for _ in 0..5 {
        let answer = answer(request.trim_end().as_bytes());
        conversation = conversation.send(&request).expect(answer);
    }
    let begun = std::time::Instant::now();
    let report: TrialReport = ServerTrial::new(lines).conversation(conversation).test();
    println!("{} cuts in {:?}", report.runs, begun.elapsed());
    assert!(report.runs > 2000);
}
