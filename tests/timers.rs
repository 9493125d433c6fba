//! Timers, intervals, immediates and ticks by themselves.

mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use soquete::timers::{self, Immediate, Timeout};
use support::{note, record, run_on, run_to_end, spin};

const MS: Duration = Duration::from_millis(1);

/// A place for a handle that its own callback needs.
type Slot<T> = Rc<Cell<Option<T>>>;

fn slot<T>() -> (Slot<T>, Slot<T>) {
    let slot = Slot::default();
    (Rc::clone(&slot), slot)
}

#[test]
fn timers_fire_in_the_order_of_their_deadlines_and_equal_ones_in_that_of_their_setting() {
    for (delay, name) in [
        (9, "9a"),
        (3, "3a"),
        (6, "6"),
        (3, "3b"),
        (9, "9b"),
        (3, "3c"),
    ] {
        timers::set_timeout(delay * MS, move || note(name));
    }
    // All of them come due while nobody looks.
    spin(15 * MS);
    run_to_end();
    assert_eq!(record(), ["3a", "3b", "3c", "6", "9a", "9b"]);
}

#[test]
fn a_timer_counts_from_the_moment_it_is_set_in_a_callback_that_takes_long() {
    timers::set_immediate(|| {
        spin(30 * MS);
        let set = Instant::now();
        timers::set_timeout(20 * MS, move || {
            // The loop counts whole milliseconds.
            assert!(set.elapsed() >= 19 * MS, "{:?}", set.elapsed());
            note("timeout");
        });
        let (refreshed_at, at) = slot::<Instant>();
        let timer = timers::set_timeout(20 * MS, move || {
            let refreshed_at: Instant = refreshed_at.get().unwrap();
            assert!(
                refreshed_at.elapsed() >= 19 * MS,
                "{:?}",
                refreshed_at.elapsed()
            );
            note("refreshed");
        });
        spin(30 * MS);
        timer.refresh();
        at.set(Some(Instant::now()));
    });
    run_to_end();
    assert_eq!(record(), ["timeout", "refreshed"]);
}

#[test]
fn an_interval_is_called_until_it_is_cleared_by_itself() {
    let (own, interval) = slot::<Timeout>();
    let mut calls = 0;
    interval.set(Some(timers::set_interval(MS, move || {
        calls += 1;
        note(format!("call {calls}"));
        if calls == 3 {
            own.get().unwrap().clear();
        }
    })));
    run_to_end();
    assert_eq!(record(), ["call 1", "call 2", "call 3"]);
}

#[test]
fn a_timer_of_an_intervals_own_delay_that_its_call_sets_comes_before_the_next_call() {
    for delay in [MS, 20 * MS] {
        let (own, interval) = slot::<Timeout>();
        let mut calls = 0;
        interval.set(Some(timers::set_interval(delay, move || {
            calls += 1;
            let call = calls;
            note(format!("call {call}"));
            timers::set_timeout(delay, move || note(format!("timeout {call}")));
            if call == 3 {
                own.get().unwrap().clear();
            }
        })));
        run_to_end();
        let order = (1..=3).flat_map(|call| [format!("call {call}"), format!("timeout {call}")]);
        assert_eq!(record(), order.collect::<Vec<_>>());
    }
}

#[test]
fn an_interval_that_is_slower_than_its_period_does_not_starve_the_others() {
    let (own, interval) = slot::<Timeout>();
    interval.set(Some(timers::set_interval(MS, || spin(3 * MS))));
    timers::set_timeout(5 * MS, move || {
        note("timeout");
        let interval = own.get().unwrap();
        timers::set_immediate(move || interval.clear());
    });
    run_to_end();
    assert_eq!(record(), ["timeout"]);
}

#[test]
fn clearing_a_timer_that_is_due_in_the_same_round_keeps_it_from_firing() {
    let (own, second) = slot::<Timeout>();
    timers::set_timeout(MS, move || {
        note("first");
        own.get().unwrap().clear();
    });
    second.set(Some(timers::set_timeout(MS, || note("second"))));
    timers::set_timeout(MS, || note("third"));
    spin(3 * MS);
    run_to_end();
    assert_eq!(record(), ["first", "third"]);
}

#[test]
fn a_timer_set_by_a_timer_waits_for_the_next_round() {
    let turn = || soquete::metrics().turns;
    timers::set_timeout(MS, move || {
        let first = turn();
        timers::set_timeout(Duration::ZERO, move || {
            assert!(turn() > first);
            note("second");
        });
        spin(3 * MS);
        note("first");
    });
    run_to_end();
    assert_eq!(record(), ["first", "second"]);
}

#[test]
fn refresh_puts_a_deadline_off_and_in_its_own_callback_asks_for_another_call() {
    let put_off = timers::set_timeout(10 * MS, || note("put off"));
    timers::set_timeout(5 * MS, move || {
        put_off.refresh();
    });
    timers::set_timeout(12 * MS, || note("in between"));
    let mut calls = 0;
    timers::set_refreshable(30 * MS, move |own| {
        calls += 1;
        note(format!("call {calls}"));
        if calls == 1 {
            own.refresh();
        } else {
            own.clear();
        }
    });
    // A busy machine may look late: then the order is what the deadlines say all the same.
    run_to_end();
    let record = record();
    assert_eq!(record.len(), 4);
    assert_eq!(record[2..], ["call 1", "call 2"]);
    assert!(record.contains(&"put off".to_owned()));
}

#[test]
fn a_handle_of_a_timer_that_has_fired_is_stale() {
    let (own, fired) = slot::<Timeout>();
    fired.set(Some(timers::set_timeout(MS, || note("fired"))));
    timers::set_timeout(3 * MS, move || {
        let stale = own.get().unwrap();
        // The slot is another's now.
        let other = timers::set_timeout(MS, || note("other"));
        assert_ne!(stale, other);
        assert!(!stale.has_ref());
        stale.clear();
        stale.refresh().unref().ref_();
        assert!(other.has_ref());
    });
    run_to_end();
    assert_eq!(record(), ["fired", "other"]);
}

#[test]
fn a_cleared_timer_drops_what_its_callback_holds_at_once() {
    struct Held(Rc<Cell<bool>>);
    impl Drop for Held {
        fn drop(&mut self) {
            // Destructors may come back into the loop.
            timers::set_immediate(|| note("set by a destructor"));
            self.0.set(true);
        }
    }
    let dropped = Rc::new(Cell::new(false));
    let held = Held(Rc::clone(&dropped));
    let timer = timers::set_timeout(Duration::from_secs(3600), move || {
        let _held = &held;
    });
    timer.clear();
    assert!(dropped.get());
    run_to_end();
    assert_eq!(record(), ["set by a destructor"]);
}

#[test]
fn an_immediate_can_be_cleared_by_one_before_it() {
    let (own, second) = slot::<Immediate>();
    timers::set_immediate(move || {
        note("first");
        let second = own.get().unwrap();
        second.clear();
        second.clear();
        assert!(!second.has_ref());
    });
    second.set(Some(timers::set_immediate(|| note("second"))));
    timers::set_immediate(|| note("third"));
    run_to_end();
    assert_eq!(record(), ["first", "third"]);
}

#[test]
fn an_unreferenced_timer_fires_while_something_else_keeps_the_loop_alive() {
    timers::set_timeout(MS, || note("unreferenced")).unref();
    timers::set_timeout(10 * MS, || note("referenced"));
    timers::set_timeout(Duration::from_secs(3600), || note("never")).unref();
    run_on().unwrap();
    assert_eq!(record(), ["unreferenced", "referenced"]);
}

#[test]
fn clearing_the_last_referenced_timer_ends_the_loop() {
    let far = timers::set_timeout(Duration::from_secs(3600), || note("never"));
    timers::set_timeout(MS, move || far.clear());
    run_to_end();
    assert!(record().is_empty());
}

#[test]
fn the_longest_delay_is_armed_and_cleared_like_any_other() {
    let long = timers::set_timeout(Duration::MAX, || note("never"));
    timers::set_timeout(MS, move || {
        assert!(long.has_ref());
        long.clear();
    });
    run_to_end();
    assert!(record().is_empty());
}

#[test]
fn a_hundred_thousand_timers_fire_once_each() {
    const COUNT: usize = 100_000;
    let fired = Rc::new(RefCell::new(vec![0u8; COUNT]));
    for index in 0..COUNT {
        let fired = Rc::clone(&fired);
        let timer = timers::set_timeout((index % 50) as u32 * MS, move || {
            fired.borrow_mut()[index] += 1;
        });
        if index % 2 == 0 {
            timer.clear();
        }
    }
    run_to_end();
    let fired = fired.borrow();
    assert!((0..COUNT).all(|index| fired[index] == (index % 2) as u8));
}

#[test]
fn ticks_and_immediates_queued_before_the_run_are_called_by_it() {
    timers::set_immediate(|| note("immediate"));
    timers::next_tick(|| note("tick"));
    assert!(record().is_empty(), "never inside the call");
    run_to_end();
    assert_eq!(record(), ["tick", "immediate"]);
}

#[test]
fn a_timeout_set_late_in_a_long_callback_does_not_fire_early() {
    timers::set_immediate(|| {
        support::spin(Duration::from_millis(40));
        let set = Instant::now();
        timers::set_timeout(Duration::from_millis(20), move || {
            assert!(
                set.elapsed() >= Duration::from_millis(19),
                "{:?}",
                set.elapsed()
            );
            note("in time");
        });
    });
    run_to_end();
    assert_eq!(record(), ["in time"]);
}

#[test]
fn a_refreshable_timer_fires_again_after_it_has_fired() {
    let holds = Rc::new(());
    let held = Rc::clone(&holds);
    let timer = timers::set_refreshable(MS, move |_| {
        let _held = &held;
        note("fired");
    });
    soquete::run().unwrap();
    assert!(timer.has_ref(), "as in Node, it would keep the loop alive");
    timer.refresh();
    soquete::run().unwrap();
    assert_eq!(record(), ["fired", "fired"]);
    timer.unref().refresh();
    soquete::run().unwrap();
    assert_eq!((record().len(), timer.has_ref()), (0, false));
    timer.clear();
    assert_eq!(Rc::strong_count(&holds), 1);
    timer.refresh();
    run_to_end();
    assert!(record().is_empty());
}

#[test]
fn a_timeout_takes_what_was_moved_into_it_and_is_gone_when_it_is_called() {
    let moved = String::from("moved");
    let (own, timer) = slot::<Timeout>();
    timer.set(Some(timers::set_timeout(MS, move || {
        // Armed anew it would have nothing to call, and the loop would wait for nothing.
        own.get().unwrap().refresh();
        assert_eq!(soquete::metrics().timers, 1, "that of the test alone");
        drop(moved);
        note("called");
    })));
    run_to_end();
    assert_eq!(record(), ["called"]);
}

#[test]
fn a_timer_that_is_due_does_not_fire_where_nothing_keeps_the_loop_alive() {
    let timer = timers::set_timeout(MS, || note("fired")).unref();
    spin(3 * MS);
    soquete::run().unwrap();
    soquete::run_once().unwrap();
    soquete::run_nowait().unwrap();
    assert_eq!(record(), [""; 0]);
    // Something does, and the timer has its turn.
    timers::set_immediate(|| note("immediate"));
    soquete::run().unwrap();
    assert_eq!(record(), ["fired", "immediate"]);
    timer.clear();
}

#[test]
fn no_timer_is_early_whatever_wakes_the_loop() {
    let remote = soquete::remote().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let (stop, waking) = (Arc::clone(&over), remote.clone());
    let waker = std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            waking.post(|| ()).unwrap();
            std::thread::yield_now();
        }
    });
    let early = Rc::new(Cell::new(0));
    for round in 0..200u64 {
        let early = Rc::clone(&early);
        // From every part of a millisecond.
        timers::set_timeout(Duration::from_micros(1 + round * 137), move || {
            let delay = Duration::from_millis(1 + round % 5);
            let start = Instant::now();
            let early = Rc::clone(&early);
            timers::set_timeout(delay, move || {
                early.set(early.get() + u32::from(start.elapsed() < delay));
            });
        });
    }
    remote.unref();
    timers::set_timeout(60 * MS, move || over.store(true, Ordering::Relaxed));
    soquete::run().unwrap();
    waker.join().unwrap();
    assert_eq!(early.get(), 0, "timers that were early");
}
