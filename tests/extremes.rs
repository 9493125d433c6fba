//! Arguments as large as their types allow, and chains as long as a program makes them: there is an answer, not a panic.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, AbortController, AbortSignal, KeepAlive};
use soquete::sim::{self, Call, Faults, Peer, World};
use soquete::{Error, event, timers};

/// More than a thread's stack has room for, if each takes a frame of it.
const MANY: usize = 200_000;

#[test]
fn signals_made_of_signals_again_and_again_are_aborted_and_dropped() {
    let controller = AbortController::new();
    let mut signal = controller.signal();
    for _ in 0..MANY {
        signal = AbortSignal::any([signal]);
    }
    assert!(!signal.aborted());
    controller.abort();
    assert!(signal.aborted());

    let controller = AbortController::new();
    let mut signal = controller.signal();
    for _ in 0..MANY {
        signal = AbortSignal::any([signal.clone(), signal]);
    }
    drop(signal);
    assert_eq!(controller.signal().listener_count(), 0);
}

#[test]
fn an_error_names_the_one_before_it_however_many_there_were() {
    let mut last = Error::new("E0", "the first");
    for attempt in 1..MANY {
        last = Error::new("E", attempt.to_string()).with_cause(last);
    }
    let shown = format!("{last:?}");
    assert!(shown.contains("199999") && shown.contains("199990"));
    assert!(!shown.contains("the first"), "not all are shown");
    drop(last);
}

#[test]
fn a_share_of_more_time_than_there_is() {
    let mut utilization = soquete::event_loop_utilization();
    (utilization.idle, utilization.active) = (Duration::MAX, Duration::MAX);
    assert_eq!(utilization.ratio(), 0.5);
}

/// A world in which somebody connects, is sent `bytes` and the end, and closes.
fn one_connection(world: World, bytes: usize) {
    let report = world.run(move || {
        let server = net::create_server(move |socket| {
            socket.end_with(vec![7; bytes]);
        });
        server.listen(80).on(event::Listening, move |()| {
            let client = net::connect(("127.0.0.1", 80));
            client.on(event::Close, move |_| {
                server.close();
            });
            client.resume();
        });
    });
    report.check();
}

#[test]
fn a_fault_at_a_call_that_never_fails_is_none() {
    let faults = Faults::none().rate(Call::SocketError, 1.0);
    one_connection(World::seed(1).faults(faults), 100);
}

#[test]
fn a_send_buffer_without_an_end() {
    one_connection(World::seed(1).send_buffer(usize::MAX), 1_000_000);
}

#[test]
fn a_plan_may_ask_the_loop_that_waits() {
    let asked = Rc::new(Cell::new(0));
    let count = Rc::clone(&asked);
    let world = World::seed(1).at(Duration::from_secs(1), move || {
        soquete::backend_timeout();
        count.set(count.get() + 1);
    });
    let report = world.run(|| {
        timers::set_timeout(Duration::from_secs(2), || {});
    });
    report.check();
    assert_eq!(asked.get(), 1);
}

#[test]
fn probes_that_take_for_ever_find_no_partition() {
    let world = World::seed(1)
        .latency(Duration::from_millis(1))
        .host("10.0.0.1", || {
            net::create_server(|_| {}).listen(("10.0.0.1", 80));
        })
        .addresses("10.0.0.9")
        .at(Duration::from_secs(1), || {
            sim::partition("10.0.0.1", "10.0.0.9")
        });
    let closed = Rc::new(Cell::new(false));
    let noted = Rc::clone(&closed);
    // The server goes on listening.
    let report = world.run(move || {
        let client = net::connect(("10.0.0.1", 80));
        let probes = KeepAlive::after(Duration::MAX)
            .interval(Duration::MAX)
            .count(u32::MAX);
        client.set_keep_alive(probes);
        client.on(event::Close, move |_| noted.set(true));
        timers::set_timeout(Duration::from_secs(1_000), move || {
            client.destroy();
        });
    });
    assert!(closed.get(), "{report:?}");
}

#[test]
fn a_peer_reads_as_much_as_there_is() {
    let read = Rc::new(Cell::new(0));
    let count = Rc::clone(&read);
    let report = World::seed(1).run(move || {
        let server = net::create_server(|socket| {
            socket.end_with(&[7; 50_000]);
        });
        server.listen(("10.0.0.1", 80));
        sim::after(Duration::from_secs(1), move || {
            let peer = Peer::connect("10.0.0.66:5000", "10.0.0.1:80");
            sim::after(Duration::from_secs(1), move || {
                assert_eq!(peer.read_some(20_000).len(), 20_000);
                count.set(peer.read_some(usize::MAX).len());
                peer.end();
                server.close();
            });
        });
    });
    report.check();
    assert_eq!(read.get(), 30_000);
}
