//! Messages from other threads to a listener that need not be `Send`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use soquete::{Error, Flow, Sender};

mod support;
use support::{note, record, run_on, run_to_end};

fn counting() -> (Sender<u32>, Rc<RefCell<Vec<u32>>>) {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let listener = Rc::clone(&heard);
    let sender = soquete::channel(move |number| listener.borrow_mut().push(number)).unwrap();
    (sender, heard)
}

#[test]
fn messages_of_four_threads_arrive_each_threads_in_its_order() {
    let (sender, heard) = counting();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let sender = sender.clone();
            thread::spawn(move || {
                (0..1000).try_for_each(|number| sender.send(thread * 1000 + number))
            })
        })
        .collect();
    drop(sender);
    run_to_end();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    let heard = Rc::try_unwrap(heard).expect("the listener goes with the last sender");
    let heard = heard.into_inner();
    assert_eq!(heard.len(), 4000);
    for thread in 0..4 {
        let of_one = heard.iter().filter(|number| **number / 1000 == thread);
        assert!(of_one.is_sorted());
    }
}

#[test]
fn a_sender_keeps_its_loop_alive_unless_it_is_unrefd() {
    let (sender, heard) = counting();
    let (started, start) = mpsc::channel();
    let worker = thread::spawn(move || {
        start.recv().unwrap();
        sender.send(1)
    });
    soquete::timers::next_tick(move || started.send(()).is_ok());
    run_to_end();
    assert_eq!(*heard.borrow(), [1]);
    worker.join().unwrap().unwrap();

    let (sender, heard) = counting();
    sender.unref();
    run_to_end();
    sender.send(2).unwrap();
    // Something that keeps the loop alive for a turn.
    soquete::timers::set_immediate(|| ());
    soquete::run_nowait().unwrap();
    assert_eq!(*heard.borrow(), [2]);
    sender.ref_();
    drop(sender);
    run_to_end();
    assert_eq!(Rc::strong_count(&heard), 1);
}

#[test]
fn flow_stop_closes_the_channel() {
    let sender = soquete::channel(|number: u32| {
        note(format!("{number}"));
        if number == 2 {
            Flow::Stop
        } else {
            Flow::Continue
        }
    })
    .unwrap();
    for number in 1..4 {
        sender.send(number).unwrap();
    }
    assert_eq!((sender.len(), sender.is_closed()), (3, false));
    soquete::run_nowait().unwrap();
    assert_eq!(record(), ["1", "2"]);
    assert!(sender.is_closed() && sender.is_empty());
    for _ in 0..2 {
        assert_eq!(sender.send(4).unwrap_err().code(), "ERR_CHANNEL_CLOSED");
        assert_eq!(sender.try_send(4).unwrap_err().code(), "ERR_CHANNEL_CLOSED");
    }
    drop(sender);
    run_to_end();
}

#[test]
fn an_err_is_uncaught_and_the_rest_is_heard_in_the_next_run() {
    let sender = soquete::channel(|number: u32| {
        note(format!("{number}"));
        (number != 1)
            .then_some(())
            .ok_or_else(|| Error::new("MINE", "not one"))
    })
    .unwrap();
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    drop(sender);
    assert_eq!(run_on().unwrap_err().code(), "MINE");
    assert_eq!(record(), ["1"]);
    run_to_end();
    assert_eq!(record(), ["2"]);
}

#[test]
fn a_panic_of_the_listener_loses_no_message_behind_it() {
    let sender = soquete::channel(|number: u32| {
        note(format!("{number}"));
        assert_ne!(number, 1, "on purpose");
    })
    .unwrap();
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    drop(sender);
    let panicked = std::panic::catch_unwind(soquete::run);
    assert!(panicked.is_err());
    run_to_end();
    assert_eq!(record(), ["1", "2"]);
}

#[test]
fn a_loop_that_has_ended_is_a_closed_channel_for_every_message() {
    let sender = thread::spawn(|| soquete::channel(|_: u32| ()).unwrap())
        .join()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(sender.send(1).unwrap_err().code(), "ERR_CHANNEL_CLOSED");
    }
    assert_eq!(sender.len(), 0, "nothing is kept for nobody");
}

#[test]
fn a_full_channel_makes_other_threads_wait_and_is_an_error_on_its_own() {
    const LIMIT: usize = 4;
    let sender = soquete::channel_with(LIMIT, |_: u32| ()).unwrap();
    for number in 0..LIMIT as u32 {
        sender.send(number).unwrap();
    }
    assert_eq!(sender.send(9).unwrap_err().code(), "ERR_CHANNEL_FULL");
    assert_eq!(sender.try_send(9).unwrap(), Some(9));
    assert_eq!(sender.len(), LIMIT);

    let most = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (sender, most) = (sender.clone(), Arc::clone(&most));
            thread::spawn(move || {
                for number in 0..2000 {
                    sender.send(number).unwrap();
                    most.fetch_max(sender.len(), Ordering::Relaxed);
                }
            })
        })
        .collect();
    drop(sender);
    run_to_end();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(most.load(Ordering::Relaxed) <= LIMIT);
}

#[test]
fn who_waits_for_room_hears_when_the_listener_goes() {
    let sender = soquete::channel_with(1, |_: u32| Flow::Stop).unwrap();
    sender.send(1).unwrap();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let sender = sender.clone();
            thread::spawn(move || sender.send(2))
        })
        .collect();
    drop(sender);
    run_on().unwrap();
    for thread in threads {
        // One may have found room between the first message and the end.
        let _either = thread.join().unwrap();
    }
}

#[test]
fn what_the_listener_holds_is_dropped_where_it_can_call_back() {
    let dropped = Rc::new(Cell::new(0));
    let holds = Rc::new(RefCell::new(None::<Sends>));
    struct Sends(Sender<u32>, Rc<Cell<u32>>);
    impl Drop for Sends {
        fn drop(&mut self) {
            assert_eq!(self.0.send(7).unwrap_err().code(), "ERR_CHANNEL_CLOSED");
            self.1.set(self.1.get() + 1);
        }
    }
    let held = Rc::clone(&holds);
    let sender = soquete::channel(move |_: u32| {
        let _held = &held;
        Flow::Stop
    })
    .unwrap();
    holds.replace(Some(Sends(sender.clone(), Rc::clone(&dropped))));
    drop(holds);
    sender.send(1).unwrap();
    soquete::run_nowait().unwrap();
    assert_eq!(dropped.get(), 1);
    drop(sender);
    run_to_end();
}
