//! What a loop tells of itself, and how a loop of somebody else's drives it.

mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::net::{self, Socket};
use soquete::{Interest, ResourceKind, event, timers};
use support::{listening_on, note, record, run_to_end};

const MS: Duration = Duration::from_millis(1);

/// Keeps the thread busy.
fn spin(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

#[test]
fn utilization_counts_waiting_and_working_apart() {
    assert_eq!(soquete::event_loop_utilization().ratio(), 0.0);
    timers::set_timeout(MS, || spin(40 * MS));
    run_to_end();
    let busy = soquete::event_loop_utilization();
    assert!(busy.active >= 40 * MS, "{busy:?}");
    // What the thread does while the loop does not run is not the loop's.
    spin(20 * MS);
    assert_eq!(soquete::event_loop_utilization(), busy);
    timers::set_timeout(50 * MS, || {});
    run_to_end();
    let idle = soquete::event_loop_utilization().since(&busy);
    assert!(idle.idle >= 40 * MS, "{idle:?}");
    assert!(idle.ratio() < busy.ratio(), "{idle:?} {busy:?}");
}

#[test]
fn utilization_is_told_inside_a_run_too() {
    timers::set_timeout(MS, || {
        let before = soquete::event_loop_utilization();
        spin(10 * MS);
        let since = soquete::event_loop_utilization().since(&before);
        assert!(since.active >= 10 * MS && since.idle.is_zero());
    });
    run_to_end();
}

#[test]
fn a_delay_is_what_a_callback_has_taken() {
    let monitor = soquete::monitor_event_loop_delay(2 * MS);
    timers::set_timeout(30 * MS, || spin(60 * MS));
    timers::set_timeout(120 * MS, || {});
    support::run_on().unwrap();
    assert!(monitor.count() > 0);
    assert!(monitor.max() >= 50 * MS, "{monitor:?}");
    assert!(monitor.percentile(100.0) == monitor.max() && monitor.min() <= monitor.mean());
    monitor.reset();
    assert_eq!((monitor.count(), monitor.max()), (0, Duration::ZERO));
    drop(monitor);
    assert_eq!(soquete::metrics().timers, 0, "its timer goes with it");
}

#[test]
fn slow_callbacks_are_told_of_once_each_and_others_not() {
    soquete::on_slow_callback(20 * MS, |took| {
        assert!(took >= 20 * MS);
        note("slow");
    });
    timers::set_timeout(MS, || note("quick"));
    timers::set_timeout(5 * MS, || {
        spin(25 * MS);
        note("timer");
    });
    timers::set_timeout(60 * MS, soquete::off_slow_callback);
    timers::set_timeout(65 * MS, || {
        spin(25 * MS);
        note("nobody asks");
    });
    run_to_end();
    assert_eq!(record(), ["quick", "timer", "slow", "nobody asks"]);
}

#[test]
fn a_callback_that_panics_is_not_told_of_and_the_next_is() {
    let slow = Rc::new(Cell::new(0));
    let counted = Rc::clone(&slow);
    soquete::on_slow_callback(Duration::ZERO, move |_| counted.set(counted.get() + 1));
    timers::set_immediate(|| panic!("of the user's"));
    let run = std::panic::AssertUnwindSafe(soquete::run);
    assert!(std::panic::catch_unwind(run).is_err());
    assert_eq!(slow.get(), 0);
    timers::set_immediate(|| {});
    soquete::run().unwrap();
    assert_eq!(slow.get(), 1);
}

#[test]
fn a_hook_that_panics_ends_the_run_as_a_callback_does() {
    soquete::on_slow_callback(Duration::ZERO, |_| panic!("of the hook's"));
    timers::set_immediate(|| soquete::queue_work(|| 1, |_| {}));
    let run = std::panic::AssertUnwindSafe(soquete::run);
    assert!(std::panic::catch_unwind(run).is_err());
    soquete::off_slow_callback();
    run_to_end();
}

#[test]
fn resources_are_what_keeps_the_loop_alive() {
    assert!(soquete::active_resources().is_empty());
    let timer = timers::set_timeout(MS, || {});
    timers::set_timeout(MS, || {}).unref();
    let immediate = timers::set_immediate(|| {});
    let (reader, _writer) = std::io::pipe().unwrap();
    let watched = soquete::watch(reader, Interest::READABLE, |_, _| {}).unwrap();
    soquete::queue_work(|| {}, |()| {}).unwrap();
    let remote = soquete::remote().unwrap();
    let idle_socket = Socket::new();
    let resources = soquete::active_resources();
    let kinds: Vec<_> = resources.iter().map(|resource| resource.kind()).collect();
    let expected = [
        ResourceKind::Watch,
        ResourceKind::Timeout(timer),
        ResourceKind::Immediate(immediate),
        ResourceKind::Work,
        ResourceKind::Remotes(1),
    ];
    assert_eq!(kinds, expected, "{resources:#?}");
    watched.close();
    drop(remote);
    idle_socket.destroy();
    run_to_end();
}

#[test]
fn resources_of_a_connection_are_its_sockets_and_its_server() {
    let made = line!() + 1;
    let server = net::create_server(move |accepted| {
        let resources = soquete::active_resources();
        let of = |wanted: ResourceKind| {
            let found = resources.iter().find(|resource| resource.kind() == wanted);
            let found = found.unwrap_or_else(|| panic!("{wanted:?} in {resources:?}"));
            if let Some(at) = found.created_at() {
                assert_eq!(at.file(), file!());
                assert!(format!("{found:?}").ends_with(&format!("made at {at}")));
            }
            assert_eq!(found.created_at().is_some(), cfg!(debug_assertions));
            found.created_at().map_or(0, |at| at.line() - made)
        };
        let listens = ResourceKind::Server(SERVER.get().unwrap());
        let connected = ResourceKind::Socket(CLIENT.get().unwrap());
        let lines = (
            of(listens),
            of(ResourceKind::Socket(accepted)),
            of(connected),
        );
        let client = CONNECTED_AT.get() - made;
        match cfg!(debug_assertions) {
            true => assert_eq!(lines, (0, 0, client), "an accepted socket is its server's"),
            false => assert_eq!(lines, (0, 0, 0)),
        }
        accepted.end();
        SERVER.get().unwrap().close();
    });
    thread_local! {
        static SERVER: Cell<Option<net::Server>> = const { Cell::new(None) };
        static CLIENT: Cell<Option<Socket>> = const { Cell::new(None) };
        static CONNECTED_AT: Cell<u32> = const { Cell::new(0) };
    }
    SERVER.set(Some(server));
    listening_on(server, "127.0.0.1", |_, port| {
        CONNECTED_AT.set(line!() + 1);
        let client = net::connect(("127.0.0.1", port));
        CLIENT.set(Some(client));
    });
    run_to_end();
}

#[test]
fn a_loop_of_somebody_elses_drives_this_one() {
    let server = net::create_server(|socket| socket.pipe(socket));
    listening_on(server, "127.0.0.1", |server, port| {
        let client = net::connect(port);
        client.end_with("hello");
        client.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
        client.on(event::Close, move |_| server.close());
    });
    timers::set_timeout(20 * MS, || note("timer"));
    let descriptor = soquete::backend_fd().unwrap();
    assert!(descriptor >= 0);
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut waits = 0;
    while soquete::is_alive() {
        assert!(Instant::now() < deadline, "it does not end");
        match soquete::backend_timeout() {
            // The other loop would wait for the descriptor.
            Some(most) => std::thread::sleep(most.min(MS)),
            None => std::thread::sleep(MS),
        }
        waits += 1;
        soquete::run_nowait().unwrap();
    }
    assert_eq!(record(), ["hello", "timer"]);
    assert!(waits > 3, "{waits}");
}

#[test]
fn the_backend_timeout_is_until_what_is_due_next() {
    assert_eq!(
        soquete::backend_timeout(),
        Some(Duration::ZERO),
        "nothing lives"
    );
    let timer = timers::set_timeout(1000 * MS, || {});
    let before = soquete::backend_timeout().unwrap();
    assert!((900 * MS..=1000 * MS).contains(&before), "{before:?}");
    spin(20 * MS);
    let after = soquete::backend_timeout().unwrap();
    assert!(
        after <= before - 20 * MS,
        "time goes by: {before:?} {after:?}"
    );
    timers::next_tick(|| {});
    assert_eq!(
        soquete::backend_timeout(),
        Some(Duration::ZERO),
        "a tick is due"
    );
    soquete::run_nowait().unwrap();
    assert!(soquete::backend_timeout() > Some(Duration::ZERO));
    let remote = soquete::remote().unwrap();
    timer.clear();
    assert_eq!(
        soquete::backend_timeout(),
        None,
        "it waits for the remote only"
    );
    drop(remote);
    timers::set_immediate(|| {});
    assert_eq!(soquete::backend_timeout(), Some(Duration::ZERO));
    soquete::run().unwrap();
}
