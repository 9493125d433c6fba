//! Pipes: from socket to socket, into oneself, across, and to a writer.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{ConnectOptions, PipeOptions, ServerOptions, Socket};
use soquete::{event, net, timers};

mod support;

use support::record::{Record, collect, one_shot_server, pattern};
use support::{pair, pair_of, port_of, run_to_end};

#[test]
fn an_echo_by_pipe_has_nodes_order_of_events() {
    let record = Record::default();
    let events = record.clone();
    pair(move |server, client| {
        events.watch("s", server);
        server.pipe(server);
        let received = collect(client);
        client.end_with("ping");
        client.on(event::End, move |()| {
            assert_eq!(*received.borrow(), b"ping")
        });
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "s.pipe s.resume s.end s.prefinish s.finish s.pause s.unpipe s.close(false)"
    );
}

#[test]
fn an_echo_of_more_than_the_kernel_holds_arrives_whole() {
    let sent = pattern(8 << 20);
    let expected = sent.clone();
    pair(move |server, client| {
        server.pipe(server);
        let received = collect(client);
        client.end_with(sent);
        client.on(event::End, move |()| {
            assert!(*received.borrow() == expected, "the bytes that were sent");
        });
    });
    run_to_end();
}

#[test]
fn a_destination_that_does_not_read_pauses_the_source_until_it_drains() {
    let record = Record::default();
    let total = 16 << 20;
    let checks = record.clone();
    pair(move |source, sender| {
        sender.end_with(pattern(total));
        pair(move |dest, reader| {
            reader.pause();
            checks.watch("source", source);
            checks.watch("dest", dest);
            source.pipe(dest);
            let seen = checks.clone();
            let received = Rc::new(RefCell::new(0));
            source.once(event::Pause, move |()| {
                assert!(dest.writable_need_drain(), "that is why");
                let before = source.bytes_read();
                timers::set_timeout(Duration::from_millis(30), move || {
                    let more = source.bytes_read() - before;
                    assert!(
                        more <= 2 * 64 * 1024,
                        "nothing is read but up to the mark: {more}"
                    );
                    assert!(!seen.has("dest.drain"));
                    let count = Rc::clone(&received);
                    reader.on(event::Data, move |chunk| *count.borrow_mut() += chunk.len());
                    let count = Rc::clone(&received);
                    reader.on(event::End, move |()| assert_eq!(*count.borrow(), total));
                    reader.resume();
                });
            });
        });
    });
    run_to_end();
    let text = record.text();
    let order = [
        "source.pause",
        "dest.drain",
        "source.resume",
        "source.end",
        "dest.finish",
    ];
    let mut at = 0;
    for line in order {
        at += text[at..]
            .find(line)
            .unwrap_or_else(|| panic!("{line} in {text}"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn only_a_source_whose_pipes_can_take_more_is_read_by_more_than_64_kib() {
    use std::os::unix::net::UnixStream;

    /// The chunks in which a socket gets what had come before it was first read.
    fn chunks(then: impl FnOnce(Socket) + 'static) -> Vec<usize> {
        let (mut sender, receiver) = UnixStream::pair().unwrap();
        sender.write_all(&[7; 150_000]).unwrap();
        let chunks = Rc::new(RefCell::new(Vec::new()));
        let (seen, source) = (Rc::clone(&chunks), Socket::from_std(receiver).unwrap());
        source.on(event::Data, move |chunk| {
            seen.borrow_mut().push(chunk.len())
        });
        then(source);
        drop(sender);
        run_to_end();
        chunks.take()
    }
    let piped = chunks(|source| {
        pair(move |dest, reader| {
            source.pipe(dest);
            let received = collect(reader);
            reader.on(event::End, move |()| {
                assert_eq!(received.borrow().len(), 150_000);
            });
        });
        source.pause();
    });
    // What was kept during the pause, and the rest.
    assert_eq!(piped, [65_536, 84_464]);
    let not_piped = chunks(|_| {});
    assert_eq!(not_piped, [65_536, 65_536, 18_928]);
    let to_writer = chunks(|source| {
        source.pipe_to_writer(io::sink());
    });
    assert_eq!(to_writer, not_piped);
}

#[test]
fn a_destination_with_a_ceiling_is_paused_before_a_pipe_exceeds_it() {
    // A write below the high-water mark of 64 KiB returns true, and the next chunk has at most as much.
    let limited = ServerOptions::new().max_write_queue(2 * 64 * 1024);
    pair_of(
        limited,
        |options| options,
        |dest, reader| {
            reader.pause();
            pair(move |source, sender| {
                sender.end_with(pattern(16 << 20));
                source.pipe(dest);
                source.once(event::Pause, move |()| {
                    assert!(!dest.destroyed());
                    let received = collect(reader);
                    reader.resume();
                    reader.on(event::End, move |()| {
                        assert_eq!(received.borrow().len(), 16 << 20);
                    });
                });
            });
        },
    );
    run_to_end();
}

#[test]
fn a_proxy_of_two_crossing_pipes_carries_both_directions() {
    let upstream = net::create_server(|socket| {
        socket.on(event::Data, move |chunk| {
            let answer: Vec<u8> = chunk.iter().map(u8::to_ascii_uppercase).collect();
            socket.write(answer);
        });
    });
    upstream.listen(0);
    // Half-open: the answer comes after the client's end.
    let options = ServerOptions::new().allow_half_open(true);
    let proxy = net::create_server_with(options, move |inner| {
        let outer = ConnectOptions::new(port_of(upstream)).host("127.0.0.1");
        let outer = net::connect(outer.allow_half_open(true));
        inner.pipe(outer).pipe(inner);
    });
    proxy.listen(0);
    let client = net::connect(("127.0.0.1", port_of(proxy)));
    let received = collect(client);
    client.end_with("through the proxy");
    client.on(event::Close, move |had_error| {
        assert!(!had_error);
        proxy.close();
        upstream.close();
    });
    run_to_end();
    assert_eq!(*received.borrow(), b"THROUGH THE PROXY");
}

#[test]
fn without_end_the_destination_is_unpiped_and_stays_open() {
    let record = Record::default();
    let (events, notes) = (record.clone(), record.clone());
    pair(move |source, sender| {
        sender.end_with("first");
        pair(move |dest, reader| {
            events.watch("source", source);
            events.watch("dest", dest);
            let received = collect(reader);
            source.pipe_with(dest, PipeOptions::new().end(false));
            source.on(event::Close, move |_| {
                assert!(dest.writable());
                dest.end_with(" and more");
            });
            reader.on(event::End, move |()| {
                notes.note(String::from_utf8_lossy(&received.borrow()));
            });
        });
    });
    run_to_end();
    assert!(record.has("first and more"), "{}", record.text());
    let text = record.text();
    assert!(
        text.contains("dest.pipe source.resume source.end source.pause dest.unpipe"),
        "{text}"
    );
}

#[test]
fn the_slowest_of_several_destinations_sets_the_pace() {
    let total = 8 << 20;
    let counts = [Rc::new(Cell::new(0)), Rc::new(Cell::new(0))];
    let [fast_count, slow_count] = counts.clone();
    let count = |socket: Socket, into: &Rc<Cell<usize>>| {
        let into = Rc::clone(into);
        socket.on(event::Data, move |chunk| into.set(into.get() + chunk.len()));
    };
    pair(move |source, sender| {
        sender.end_with(pattern(total));
        pair(move |fast, fast_reader| {
            pair(move |slow, slow_reader| {
                slow_reader.pause();
                count(fast_reader, &fast_count);
                source.pipe(fast);
                source.pipe(slow);
                let paused = move || {
                    assert!(fast_count.get() < total, "the slow one holds up both");
                    assert!(slow.writable_need_drain());
                    assert!(source.is_paused());
                    count(slow_reader, &slow_count);
                    slow_reader.resume();
                };
                source.once(event::Pause, move |()| {
                    timers::set_timeout(Duration::from_millis(30), paused.clone());
                });
            });
        });
    });
    run_to_end();
    assert_eq!(counts.map(|count| count.get()), [total, total]);
}

#[test]
fn a_destination_that_drains_does_not_resume_the_source_while_another_waits() {
    let done = Rc::new(Cell::new(false));
    let is_done = Rc::clone(&done);
    pair(move |source, sender| {
        pair(move |first, first_reader| {
            pair(move |second, second_reader| {
                for (dest, reader) in [(first, first_reader), (second, second_reader)] {
                    reader.pause();
                    while dest.write(vec![0; 1 << 20]) {}
                    source.pipe(dest);
                }
                assert!(source.is_paused());
                sender.end_with("x");
                first_reader.resume();
                first.on(event::Drain, move |()| {
                    assert!(source.is_paused(), "the second still waits");
                    second_reader.resume();
                });
                source.on(event::End, move |()| assert!(!second.writable_need_drain()));
                let is_done = Rc::clone(&is_done);
                source.on(event::Close, move |_| is_done.set(true));
            });
        });
    });
    run_to_end();
    assert!(done.get());
}

#[test]
fn a_slow_destination_that_dies_lets_the_others_go_on() {
    let total = 8 << 20;
    let done = Rc::new(Cell::new(false));
    let is_done = Rc::clone(&done);
    pair(move |source, sender| {
        sender.end_with(pattern(total));
        pair(move |fast, fast_reader| {
            pair(move |slow, slow_reader| {
                slow_reader.pause();
                let received = collect(fast_reader);
                source.pipe(fast);
                source.pipe(slow);
                slow.on(event::Error, |_| {});
                source.once(event::Pause, move |()| {
                    slow_reader.destroy();
                });
                fast_reader.on(event::Close, move |_| {
                    assert_eq!(received.borrow().len(), total);
                    is_done.set(true);
                });
            });
        });
    });
    run_to_end();
    assert!(done.get());
}

#[test]
fn a_destination_that_already_needs_drain_starts_paused() {
    pair(|source, sender| {
        pair(move |dest, reader| {
            reader.pause();
            while dest.write(pattern(1 << 20)) {}
            source.pipe(dest);
            assert!(source.is_paused());
            assert!(!dest.writable_finished());
            reader.resume();
            let received = collect(reader);
            sender.end_with("the tail");
            reader.on(event::End, move |()| {
                assert!(received.borrow().ends_with(b"the tail"));
            });
        });
    });
    run_to_end();
}

#[test]
fn an_error_of_the_destination_unpipes_and_is_still_unhandled() {
    let record = Record::default();
    let events = record.clone();
    pair(move |source, sender| {
        pair(move |dest, reader| {
            events.watch("source", source);
            let unpiped = events.clone();
            source.pipe(dest);
            dest.on(event::Unpipe, move |from| {
                assert_eq!(from, source);
                unpiped.note("dest.unpipe");
            });
            dest.destroy_with(soquete::Error::new("EGONE", "on purpose"));
            reader.on(event::Close, move |_| {
                assert!(source.writable(), "the source is not closed by that");
                source.destroy();
                sender.destroy();
            });
        });
    });
    let error = soquete::run().expect_err("nobody but the pipe listened");
    assert_eq!(error.code(), "EGONE");
    run_to_end();
    assert_eq!(
        record.text(),
        "source.resume source.pause dest.unpipe source.close(false)"
    );
}

#[test]
fn an_error_that_somebody_listens_to_is_handled() {
    let seen = Rc::new(Cell::new(0));
    let count = Rc::clone(&seen);
    pair(move |source, sender| {
        pair(move |dest, _reader| {
            source.pipe(dest);
            dest.on(event::Error, move |_| count.set(count.get() + 1));
            dest.destroy_with(soquete::Error::new("EGONE", "on purpose"));
            dest.on(event::Close, move |_| {
                source.destroy();
                sender.destroy();
            });
        });
    });
    run_to_end();
    assert_eq!(seen.get(), 1);
}

#[test]
fn unpiping_pauses_the_source_and_stops_the_copy() {
    let record = Record::default();
    let events = record.clone();
    pair(move |source, sender| {
        pair(move |dest, reader| {
            events.watch("source", source);
            events.watch("dest", dest);
            let received = collect(reader);
            source.pipe(dest);
            sender.write("one");
            let got = Rc::clone(&received);
            reader.once(event::Data, move |_| {
                assert_eq!(*got.borrow(), b"one");
                source.unpipe(dest);
                source.unpipe(dest);
                assert!(source.is_paused());
                assert_eq!(source.listener_count(event::Data), 0);
                assert_eq!(
                    dest.listener_count(event::Drain),
                    1,
                    "only that of the record"
                );
                sender.end_with("two");
                timers::set_timeout(Duration::from_millis(20), move || {
                    assert_eq!(*got.borrow(), b"one");
                    assert_eq!(source.readable_length(), 3, "it is kept");
                    assert_eq!(source.read(), Some(b"two".to_vec()));
                    source.resume();
                    dest.destroy();
                });
            });
        });
    });
    run_to_end();
    let text = record.text();
    assert!(
        text.starts_with("dest.pipe source.resume source.pause dest.unpipe"),
        "{text}"
    );
    assert_eq!(text.matches("unpipe").count(), 1, "{text}");
}

#[test]
fn unpiping_inside_a_write_that_had_to_wait_leaves_nothing_behind() {
    pair(|source, sender| {
        pair(move |dest, reader| {
            reader.pause();
            source.pipe(dest);
            sender.write(pattern(8 << 20));
            source.once(event::Pause, move |()| {
                source.unpipe_all();
                assert_eq!(dest.listener_count(event::Drain), 0);
                timers::next_tick(move || {
                    assert_eq!(dest.listener_count(event::Drain), 0);
                    assert_eq!(dest.listener_count(event::Close), 0);
                    for socket in [source, dest, reader, sender] {
                        socket.destroy();
                    }
                });
            });
        });
    });
    run_to_end();
}

#[test]
fn a_source_that_closes_leaves_no_listener_on_the_destination() {
    pair(|source, sender| {
        pair(move |dest, reader| {
            source.pipe(dest);
            assert_eq!(dest.listener_count(event::Close), 1);
            source.destroy();
            source.on(event::Close, move |_| {
                timers::set_immediate(move || {
                    assert_eq!(dest.listener_count(event::Close), 0);
                    assert_eq!(dest.listener_count(event::Error), 0);
                    assert!(dest.writable());
                    for socket in [dest, reader, sender] {
                        socket.destroy();
                    }
                });
            });
        });
    });
    run_to_end();
}

#[test]
fn a_source_that_has_ended_ends_the_destination_all_the_same() {
    let options = ServerOptions::new().allow_half_open(true);
    pair_of(
        options,
        |options| options,
        |source, sender| {
            sender.end();
            source.on(event::End, move |()| {
                pair(move |dest, reader| {
                    assert!(source.readable_ended());
                    source.pipe(dest);
                    reader.on(event::End, move |()| {
                        source.end();
                    });
                });
            });
        },
    );
    run_to_end();
}

/// A writer that tells of what is done with it.
struct Told {
    record: Record,
    fails_after: usize,
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.fails_after == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.fails_after -= 1;
        self.record.note(String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.record.note("flush");
        Ok(())
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.record.note("dropped");
    }
}

#[test]
fn a_writer_gets_the_bytes_and_one_flush_at_the_end() {
    let record = Record::default();
    let told = record.clone();
    let server = one_shot_server(ServerOptions::new(), move |socket| {
        socket.pipe_to_writer(Told {
            record: told,
            fails_after: 10,
        });
    });
    net::connect(("127.0.0.1", port_of(server))).end_with("written");
    run_to_end();
    assert_eq!(record.text(), "written flush dropped");
}

#[test]
fn an_error_of_the_writer_destroys_the_socket_with_it() {
    let record = Record::default();
    let told = record.clone();
    let server = one_shot_server(ServerOptions::new(), move |socket| {
        told.watch("socket", socket);
        socket.pipe_to_writer(Told {
            record: told.clone(),
            fails_after: 0,
        });
        socket.on(event::Error, |error| {
            assert_eq!(error.syscall(), Some("write"))
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.write("lost");
    client.on(event::Error, |_| {});
    run_to_end();
    assert_eq!(
        record.text(),
        "socket.resume socket.pause dropped socket.error(EACCES) socket.close(true)"
    );
}

#[test]
fn a_text_source_is_piped_as_text() {
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.set_encoding().pipe(socket);
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    let received = collect(client);
    client.end_with(b"ol\xc3\xa1 \xff");
    run_to_end();
    assert_eq!(*received.borrow(), "ol\u{e1} \u{fffd}".as_bytes());
}

#[cfg(feature = "sim")]
support::worlds::also_in_worlds! {
    an_echo_by_pipe_has_nodes_order_of_events
    an_echo_of_more_than_the_kernel_holds_arrives_whole
    a_destination_that_does_not_read_pauses_the_source_until_it_drains
    a_destination_with_a_ceiling_is_paused_before_a_pipe_exceeds_it
    a_proxy_of_two_crossing_pipes_carries_both_directions
    without_end_the_destination_is_unpiped_and_stays_open
    the_slowest_of_several_destinations_sets_the_pace
    a_destination_that_drains_does_not_resume_the_source_while_another_waits
    a_slow_destination_that_dies_lets_the_others_go_on
    a_destination_that_already_needs_drain_starts_paused
    an_error_of_the_destination_unpipes_and_is_still_unhandled
    an_error_that_somebody_listens_to_is_handled
    unpiping_pauses_the_source_and_stops_the_copy
    unpiping_inside_a_write_that_had_to_wait_leaves_nothing_behind
    a_source_that_closes_leaves_no_listener_on_the_destination
    a_source_that_has_ended_ends_the_destination_all_the_same
    a_writer_gets_the_bytes_and_one_flush_at_the_end
    an_error_of_the_writer_destroys_the_socket_with_it
    a_text_source_is_piped_as_text
    ; left_out:
    #[cfg(target_os = "linux")]
    only_a_source_whose_pipes_can_take_more_is_read_by_more_than_64_kib: "hands in a descriptor of the operating system"
}
