//! Idle timeouts of sockets: behaviours that Node's own tests of `net` show. The table of those
//! tests is `node_tests.md`.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::net::{ConnectOptions, ServerOptions, Socket};
use soquete::{event, net, timers};

mod support;

use support::record::{Record, one_shot_server, pattern};
use support::{pair, port_of, run_on, run_to_end};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Counts the timeouts of a socket.
fn count_timeouts(socket: Socket) -> Rc<Cell<u32>> {
    let timeouts = Rc::new(Cell::new(0));
    let count = Rc::clone(&timeouts);
    socket.on(event::Timeout, move |()| count.set(count.get() + 1));
    timeouts
}

#[test]
fn a_timeout_is_told_once_and_closes_nothing() {
    pair(|socket, peer| {
        assert_eq!(socket.set_timeout(ms(10)), socket);
        assert_eq!(socket.timeout(), Some(ms(10)));
        let timeouts = count_timeouts(socket);
        timers::set_timeout(ms(60), move || {
            assert_eq!(timeouts.get(), 1);
            assert!(socket.readable() && socket.writable());
            socket.destroy();
            peer.destroy();
        });
    });
    run_to_end();
}

#[test]
fn a_write_after_a_timeout_arms_it_again() {
    pair(|socket, peer| {
        socket.set_timeout(ms(10));
        let timeouts = count_timeouts(socket);
        peer.resume();
        socket.on(event::Timeout, move |()| {
            if timeouts.get() == 3 {
                socket.destroy();
            } else {
                socket.write("on we go");
            }
        });
    });
    run_to_end();
}

#[test]
fn a_timeout_of_zero_cancels() {
    pair(|socket, peer| {
        socket.set_timeout(ms(5)).set_timeout(Duration::ZERO);
        assert_eq!(socket.timeout(), None);
        socket.on(event::Timeout, |()| panic!("it was cancelled"));
        timers::set_timeout(ms(30), move || {
            socket.destroy();
            peer.destroy();
        });
    });
    run_to_end();
}

#[test]
fn a_socket_that_is_not_connected_times_out_too() {
    let socket = Socket::new();
    let timeouts = count_timeouts(socket.set_timeout(ms(10)));
    // Nothing but this timer keeps the loop alive.
    timers::set_timeout(ms(40), move || {
        assert_eq!(timeouts.get(), 1);
        assert!(!socket.connecting());
        socket.destroy();
    });
    run_to_end();
}

#[test]
fn a_timeout_does_not_keep_the_loop_alive() {
    let socket = Socket::new();
    socket.set_timeout(ms(10));
    socket.on(event::Timeout, |()| panic!("the loop has ended before"));
    run_on().unwrap();
    socket.destroy();
    run_to_end();
}

#[test]
fn a_connection_that_does_not_come_about_times_out_and_goes_on() {
    let options = ConnectOptions::new(1).host("nowhere").timeout(ms(10));
    let socket = net::connect(options.lookup(|_, _, _| {}));
    let timeouts = count_timeouts(socket);
    timers::set_timeout(ms(40), move || {
        assert_eq!(timeouts.get(), 1);
        assert!(socket.connecting());
        socket.destroy();
    });
    run_to_end();
}

#[test]
fn a_server_times_a_client_out_after_the_last_exchange() {
    let server = one_shot_server(ServerOptions::new(), |socket| {
        socket.set_timeout(ms(200));
        let last = Rc::new(Cell::new(Instant::now()));
        let at = Rc::clone(&last);
        socket.on(event::Data, move |chunk| {
            at.set(Instant::now());
            socket.write(chunk);
        });
        socket.on(event::Timeout, move |()| {
            assert!(
                last.get().elapsed() >= ms(199),
                "{:?}",
                last.get().elapsed()
            );
            socket.destroy();
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    let exchanges = Rc::new(Cell::new(0));
    let count = Rc::clone(&exchanges);
    client.write("hello");
    client.on(event::Data, move |_| {
        count.set(count.get() + 1);
        if count.get() < 5 {
            timers::set_timeout(ms(10), move || {
                client.write("hello");
            });
        }
    });
    client.on(event::Close, |had_error| assert!(!had_error));
    run_to_end();
    assert_eq!(exchanges.get(), 5);
}

#[test]
fn writing_now_and_then_keeps_it_from_firing() {
    pair(|socket, peer| {
        peer.resume();
        socket.set_timeout(ms(400));
        let timeouts = count_timeouts(socket);
        let writes = Cell::new(0);
        let ticker: Rc<Cell<Option<timers::Timeout>>> = Rc::default();
        let own = Rc::clone(&ticker);
        ticker.set(Some(timers::set_interval(ms(30), move || {
            writes.set(writes.get() + 1);
            socket.write("still here");
            if writes.get() == 20 {
                own.take().expect("it is this one").clear();
                assert_eq!(timeouts.get(), 0);
                socket.destroy();
            }
        })));
    });
    run_to_end();
}

#[test]
fn setting_it_again_starts_it_anew() {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        socket.set_timeout(ms(60));
        let begun = Instant::now();
        socket.on(event::Timeout, move |()| {
            assert!(begun.elapsed() >= ms(99), "{:?}", begun.elapsed());
            events.note("timeout");
            socket.destroy();
            peer.destroy();
        });
        timers::set_timeout(ms(40), move || {
            socket.set_timeout(ms(60));
        });
    });
    run_to_end();
    assert_eq!(record.text(), "timeout");
}

#[test]
fn neither_pausing_nor_ending_nor_data_left_in_the_kernel_is_an_activity() {
    let record = Record::default();
    let events = record.clone();
    let server = one_shot_server(ServerOptions::new().pause_on_connect(true), move |socket| {
        socket.set_timeout(ms(300));
        let begun = Instant::now();
        timers::set_timeout(ms(200), move || {
            socket.pause();
            socket.end();
        });
        // Nobody reads, so that nothing else keeps the loop alive.
        let alive = timers::set_timeout(ms(1000), || panic!("no timeout"));
        socket.on(event::Timeout, move |()| {
            assert!(begun.elapsed() < ms(450), "{:?}", begun.elapsed());
            assert_eq!(socket.bytes_read(), 0);
            events.note("timeout");
            alive.clear();
            socket.destroy();
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.on(event::Error, |_| {});
    client.on(event::Connect, move |()| {
        timers::set_timeout(ms(200), move || {
            client.write("nobody reads this");
        });
    });
    run_to_end();
    assert_eq!(record.text(), "timeout");
}

#[test]
fn receiving_is_an_activity() {
    pair(|socket, peer| {
        socket.resume().set_timeout(ms(60));
        let begun = Instant::now();
        timers::set_timeout(ms(40), move || {
            peer.write("something");
        });
        socket.on(event::Timeout, move |()| {
            assert!(begun.elapsed() >= ms(99), "{:?}", begun.elapsed());
            socket.destroy();
        });
    });
    run_to_end();
}

#[test]
fn a_big_write_that_is_stuck_times_out_at_the_second_look() {
    pair(|socket, peer| {
        peer.pause();
        socket.write(pattern(32 << 20));
        assert!(socket.writable_length() > 0);
        // The kernels of both ends fill their buffers first.
        timers::set_timeout(ms(50), move || {
            socket.set_timeout(ms(40));
            let begun = Instant::now();
            socket.on(event::Timeout, move |()| {
                assert!(begun.elapsed() >= ms(79), "{:?}", begun.elapsed());
                socket.destroy();
                peer.destroy();
            });
        });
    });
    run_to_end();
}

#[test]
fn on_a_destroyed_socket_it_does_nothing() {
    pair(|socket, _peer| {
        socket.destroy().set_timeout(ms(5));
        assert_eq!(socket.timeout(), None);
        socket.on(event::Timeout, |()| panic!("it is destroyed"));
        timers::set_timeout(ms(20), || {});
    });
    run_to_end();
}

#[test]
fn a_timeout_counts_from_a_write_at_the_end_of_a_long_callback() {
    for took in [ms(50), ms(120)] {
        a_callback_takes(took);
    }
}

fn a_callback_takes(took: Duration) {
    let record = Record::default();
    let events = record.clone();
    pair(move |socket, peer| {
        let wrote = Rc::new(Cell::new(None::<Instant>));
        let at = Rc::clone(&wrote);
        socket.set_timeout(ms(80));
        socket.on(event::Data, move |_| {
            let begun = Instant::now();
            while begun.elapsed() < took {}
            socket.write("at last");
            at.set(Some(Instant::now()));
        });
        socket.on(event::Timeout, move |()| {
            let since = wrote.get().expect("a write").elapsed();
            assert!(since >= ms(79), "{since:?}");
            events.note("timeout");
            socket.destroy();
        });
        peer.resume();
        peer.write("question");
    });
    run_to_end();
    assert_eq!(record.text(), "timeout");
}
