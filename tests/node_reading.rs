//! Reading, pausing and closing: behaviours that Node's own tests of `net` show. The table of those
//! tests is `node_tests.md`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{ReadyState, ServerOptions, Socket};
use soquete::{event, net, timers};

mod support;

use support::record::{Record, collect, one_shot_server, pattern};
use support::{pair, pair_of, port_of, run_to_end};

#[test]
fn end_while_connecting_ends_in_close() {
    let record = Record::default();
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.end();
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    record.watch("c", client);
    client.end();
    run_to_end();
    assert!(
        record.text().ends_with("c.close(false)"),
        "{}",
        record.text()
    );
    assert!(record.has("c.finish") && record.has("c.end"));
}

#[test]
fn nothing_that_is_asked_or_told_does_harm_after_close() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        peer.end();
        socket.resume();
        socket.on(event::Close, move |_| {
            let events = events.clone();
            timers::set_immediate(move || {
                socket
                    .set_no_delay(true)
                    .set_keep_alive(None)
                    .set_timeout(Duration::ZERO);
                socket.ref_().unref().pause().resume().end().destroy();
                socket.set_encoding();
                socket.cork();
                socket.uncork();
                assert!(!socket.write("late") && !socket.unshift("late"));
                assert_eq!(socket.read(), None);
                assert_eq!(
                    (socket.local_address(), socket.remote_address()),
                    (None, None)
                );
                assert_eq!((socket.bytes_read(), socket.bytes_written()), (0, 0));
                assert_eq!(socket.ready_state(), ReadyState::Closed);
                assert!(socket.destroyed() && !socket.readable() && !socket.writable());
                assert!(socket.reset_and_destroy().is_ok());
                events.note("asked");
            });
        });
    });
    run_to_end();
    assert_eq!(record.text(), "asked");
}

#[test]
fn addresses_are_gone_while_a_socket_closes_but_for_those_that_were_asked_for() {
    pair(|socket, _peer| {
        let remote = socket.remote_port();
        assert!(remote.is_some());
        socket.destroy();
        assert_eq!(socket.local_address(), None);
        assert_eq!(socket.remote_port(), remote);
        socket.on(event::Close, move |_| {
            assert_eq!(socket.remote_port(), remote)
        });
    });
    run_to_end();
}

#[test]
fn whether_data_flows_after_connect_depends_on_the_last_word_before() {
    // What is said before the connection, and whether data is read.
    type Calls = &'static [fn(Socket)];
    let said: [(Calls, bool); 5] = [
        (&[], true),
        (&[|s| drop_handle(s.pause())], false),
        (&[|s| drop_handle(s.resume())], true),
        (
            &[|s| drop_handle(s.pause()), |s| drop_handle(s.resume())],
            true,
        ),
        (
            &[|s| drop_handle(s.resume()), |s| drop_handle(s.pause())],
            false,
        ),
    ];
    for (calls, flows) in said {
        let server = one_shot_server(ServerOptions::new(), |socket| {
            socket.end_with("data");
            // What a client never reads makes its end a reset.
            socket.on(event::Error, |_| {});
        });
        let client = net::connect(("127.0.0.1", port_of(server)));
        for call in calls {
            call(client);
        }
        let received = collect(client);
        client.on(event::Connect, move |()| {
            timers::set_timeout(Duration::from_millis(20), move || {
                client.destroy();
            });
        });
        run_to_end();
        assert_eq!(!received.borrow().is_empty(), flows);
    }
}

fn drop_handle(_: Socket) {}

#[test]
fn a_socket_that_flows_goes_on_to_its_end_without_any_listener() {
    let record = Record::default();
    let events = record.clone();
    pair(move |peer, socket| {
        peer.write("one");
        socket.on(event::Data, move |_| {
            socket.remove_all_listeners();
            events.watch("socket", socket);
            timers::set_immediate(move || {
                assert_eq!(socket.readable_flowing(), Some(true));
                peer.end_with("two");
            });
        });
    });
    run_to_end();
    assert!(
        record
            .text()
            .ends_with("socket.end socket.prefinish socket.finish socket.close(false)"),
        "{}",
        record.text()
    );
}

#[test]
fn accepted_sockets_can_begin_paused_with_nothing_read() {
    let record = Record::default();
    let events = record.clone();
    let server = one_shot_server(ServerOptions::new().pause_on_connect(true), move |socket| {
        events.watch("s", socket);
        assert_eq!(socket.readable_flowing(), Some(false));
        let received = collect(socket);
        timers::set_timeout(Duration::from_millis(30), move || {
            assert_eq!(socket.bytes_read(), 0, "not even its end is noticed");
            assert!(received.borrow().is_empty());
            events.note("now");
            socket.resume();
            let received = Rc::clone(&received);
            socket.on(event::End, move |()| {
                assert_eq!(*received.borrow(), b"early")
            });
        });
    });
    net::connect(("127.0.0.1", port_of(server))).end_with("early");
    run_to_end();
    assert_eq!(
        record.text(),
        "now s.resume s.end s.prefinish s.finish s.close(false)"
    );
}

#[test]
fn a_trickle_is_paused_and_resumed_without_loss_and_nothing_comes_while_paused() {
    const CHUNKS: usize = 60;
    pair(|socket, peer| {
        let sent = Rc::new(Cell::new(0));
        let trickle: Rc<Cell<Option<timers::Timeout>>> = Rc::default();
        let own = Rc::clone(&trickle);
        trickle.set(Some(timers::set_interval(
            Duration::from_millis(1),
            move || {
                peer.write([b'a' + (sent.get() % 26) as u8; 1].as_slice());
                sent.set(sent.get() + 1);
                if sent.get() == CHUNKS {
                    peer.end();
                    own.take().unwrap().clear();
                }
            },
        )));
        let received = collect(socket);
        for at in [10, 30] {
            let received = Rc::clone(&received);
            timers::set_timeout(Duration::from_millis(at), move || {
                socket.pause();
                let before = received.borrow().len();
                let received = Rc::clone(&received);
                timers::set_timeout(Duration::from_millis(10), move || {
                    assert_eq!(received.borrow().len(), before, "it is paused");
                    socket.resume();
                });
            });
        }
        socket.on(event::Close, move |_| {
            let expected: Vec<u8> = (0..CHUNKS).map(|at| b'a' + (at % 26) as u8).collect();
            assert_eq!(*received.borrow(), expected);
        });
    });
    run_to_end();
}

#[test]
fn a_slow_reader_that_gets_on_is_no_timeout() {
    let total = 4 << 20;
    pair(move |writer, reader| {
        writer.set_timeout(Duration::from_millis(200));
        writer.on(event::Timeout, |()| panic!("there was progress"));
        writer.end_with(pattern(total));
        let received = Rc::new(Cell::new(0));
        let count = Rc::clone(&received);
        reader.on(event::Data, move |chunk| {
            count.set(count.get() + chunk.len());
            reader.pause();
            timers::set_timeout(Duration::from_millis(1), move || {
                reader.resume();
            });
        });
        reader.on(event::End, move |()| assert_eq!(received.get(), total));
    });
    run_to_end();
}

#[test]
fn every_value_of_a_byte_comes_back_as_it_was() {
    let all: Vec<u8> = (0..=255).collect();
    let expected = all.clone();
    pair(move |server, client| {
        server.pipe(server);
        let received = collect(client);
        client.end_with(all);
        client.on(event::End, move |()| {
            assert_eq!(*received.borrow(), expected)
        });
    });
    run_to_end();
}

#[test]
fn text_of_wide_characters_larger_than_a_chunk_is_put_together() {
    let text = "\u{4e00}\u{1f600}\u{e9}".repeat(40_000);
    let expected = text.clone();
    pair(move |socket, peer| {
        let received = Rc::new(RefCell::new(String::new()));
        let into = Rc::clone(&received);
        socket.on(event::Text, move |chunk| into.borrow_mut().push_str(chunk));
        peer.end_with(text);
        socket.on(event::End, move |()| {
            assert!(*received.borrow() == expected)
        });
    });
    run_to_end();
}

#[test]
fn close_waits_for_an_end_that_waits_for_late_reading() {
    let record = Record::default();
    let events = record.clone();
    pair_of(
        ServerOptions::new(),
        |options| options,
        move |peer, socket| {
            events.watch("socket", socket);
            socket.on(event::Readable, |()| {});
            peer.end_with("read me late");
            socket.end();
            timers::set_timeout(Duration::from_millis(20), move || {
                assert!(!events.has("socket.close(false)"));
                assert_eq!(socket.read(), Some(b"read me late".to_vec()));
                assert_eq!(socket.read(), None);
            });
        },
    );
    run_to_end();
    assert!(
        record.text().ends_with("socket.end socket.close(false)"),
        "{}",
        record.text()
    );
}
