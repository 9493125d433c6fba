use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::*;

struct Ping;
struct Pong;

impl Event for Ping {
    type Payload<'a> = &'a str;
}

impl Event for Pong {
    type Payload<'a> = u32;
}

/// What was called, in order.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    fn add(&self, what: &'static str) {
        self.0.borrow_mut().push(what);
    }

    fn listener(&self, what: &'static str) -> impl Fn() + Clone + 'static {
        let log = self.clone();
        move || log.add(what)
    }

    fn take(&self) -> String {
        self.0.take().join(" ")
    }
}

fn emitter() -> (Rc<EventEmitter>, Log) {
    (Rc::new(EventEmitter::new()), Log::default())
}

#[test]
fn listeners_are_called_in_their_order_with_the_payload() {
    let (emitter, log) = emitter();
    let (second, first) = (log.clone(), log.clone());
    emitter.on(Ping, move |text| {
        second.add(if text == "hi" { "second" } else { "?" })
    });
    emitter.prepend_listener(Ping, move |_| first.add("first"));
    assert!(emitter.emit(Ping, "hi"));
    assert_eq!(log.take(), "first second");
    assert!(!emitter.emit(Pong, 1), "nobody listens");
}

#[test]
fn a_listener_added_during_an_emit_is_not_called_this_time() {
    for prepend in [false, true] {
        let (emitter, log) = emitter();
        let (inner, added) = (Rc::downgrade(&emitter), log.listener("added"));
        emitter.once(Ping, move |_| {
            let emitter = inner.upgrade().unwrap();
            if prepend {
                emitter.prepend_listener(Ping, move |_| added());
            } else {
                emitter.on(Ping, move |_| added());
            }
        });
        emitter.emit(Ping, "");
        assert_eq!(log.take(), "");
        emitter.emit(Ping, "");
        assert_eq!(log.take(), "added");
    }
}

#[test]
fn a_listener_removed_during_an_emit_is_still_called_this_time() {
    let (emitter, log) = emitter();
    let second = Rc::new(Cell::new(None));
    let (inner, id) = (Rc::downgrade(&emitter), Rc::clone(&second));
    emitter.on(Ping, move |_| {
        if let Some(id) = id.take() {
            assert!(inner.upgrade().unwrap().remove_listener(id));
        }
    });
    let called = log.listener("removed");
    second.set(Some(emitter.add_listener(Ping, move |_| called())));
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "removed");
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "");
}

#[test]
fn a_listener_may_remove_itself_and_all_others() {
    let (emitter, log) = emitter();
    for name in ["one", "two"] {
        let (inner, log) = (Rc::downgrade(&emitter), log.clone());
        emitter.on(Ping, move |_| {
            log.add(name);
            inner.upgrade().unwrap().remove_all_listeners();
        });
    }
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "one two");
    assert!(!emitter.emit(Ping, ""));
    assert_eq!(emitter.event_names(), [""; 0]);
}

#[test]
fn a_once_listener_is_removed_before_it_is_called() {
    let (emitter, log) = emitter();
    let (inner, called) = (Rc::downgrade(&emitter), log.listener("once"));
    emitter.once(Ping, move |_| {
        let emitter = inner.upgrade().unwrap();
        assert_eq!(emitter.listener_count(Ping), 0);
        called();
        assert!(!emitter.emit(Ping, ""), "nobody listens any more");
    });
    emitter.emit(Ping, "");
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "once");
}

#[test]
fn a_once_listener_is_called_once_though_two_emits_have_it() {
    let (emitter, log) = emitter();
    let (inner, once) = (Rc::downgrade(&emitter), log.listener("once"));
    let nested = Cell::new(false);
    emitter.on(Ping, move |_| {
        if !nested.replace(true) {
            inner.upgrade().unwrap().emit(Ping, "");
        }
    });
    emitter.once(Ping, move |_| once());
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "once");
}

#[test]
fn prepended_once_listeners_come_first_and_once() {
    let (emitter, log) = emitter();
    let (last, first) = (log.listener("on"), log.listener("once"));
    emitter.on(Ping, move |_| last());
    emitter.prepend_once_listener(Ping, move |_| first());
    emitter.emit(Ping, "");
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "once on on");
}

#[test]
fn a_panic_skips_the_listeners_after_it_and_leaves_all_in_place() {
    let (emitter, log) = emitter();
    let after = log.listener("after");
    emitter.on(Ping, |text| assert_ne!(text, "panic", "on purpose"));
    emitter.on(Ping, move |_| after());
    let emit = AssertUnwindSafe(|| emitter.emit(Ping, "panic"));
    assert!(catch_unwind(emit).is_err());
    assert_eq!(log.take(), "");
    assert!(!emitter.is_running(Ping));
    emitter.emit(Ping, "calm");
    assert_eq!(log.take(), "after");
}

#[test]
fn a_once_listener_that_panics_is_gone() {
    let (emitter, _) = emitter();
    emitter.once(Ping, |_| panic!("on purpose"));
    let emit = AssertUnwindSafe(|| emitter.emit(Ping, ""));
    assert!(catch_unwind(emit).is_err());
    assert!(!emitter.emit(Ping, ""));
}

#[test]
fn an_inner_emit_is_one_of_its_own_and_skips_who_is_running() {
    let (emitter, log) = emitter();
    let (inner, outer) = (Rc::downgrade(&emitter), log.clone());
    emitter.on(Ping, move |text| {
        outer.add("outer");
        let emitter = inner.upgrade().unwrap();
        assert!(emitter.is_running(Ping));
        assert!(!emitter.is_running(Pong));
        if text == "nested" {
            return;
        }
        let late = outer.listener("late");
        emitter.on(Ping, move |_| late());
        emitter.emit(Ping, "nested");
    });
    let other = log.listener("other");
    emitter.on(Ping, move |_| other());
    emitter.emit(Ping, "");
    // The inner emit knows the listener that was added, the outer does not.
    assert_eq!(log.take(), "outer other late other");
}

#[test]
fn a_listener_of_another_event_is_called_inside() {
    let (emitter, log) = emitter();
    let (inner, pong) = (Rc::downgrade(&emitter), log.clone());
    emitter.on(Ping, move |_| {
        inner.upgrade().unwrap().emit(Pong, 7);
    });
    emitter.on(Pong, move |number| {
        pong.add(if number == 7 { "pong" } else { "?" })
    });
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "pong");
}

#[test]
fn new_listener_comes_before_the_listener_is_added() {
    let (emitter, log) = emitter();
    let (inner, names) = (Rc::downgrade(&emitter), log.clone());
    emitter.on(NewListener, move |name| {
        names.add(name);
        assert_eq!(inner.upgrade().unwrap().listener_count(Ping), 0);
    });
    emitter.once(Ping, |_| {});
    assert_eq!(log.take(), "Ping");
    assert_eq!(emitter.listener_count(Ping), 1);
}

#[test]
fn what_new_listener_adds_comes_before() {
    let (emitter, log) = emitter();
    let (inner, before) = (Rc::downgrade(&emitter), log.listener("before"));
    emitter.once(NewListener, move |_| {
        inner.upgrade().unwrap().on(Ping, move |_| before());
    });
    let after = log.listener("after");
    emitter.on(Ping, move |_| after());
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "before after");
}

#[test]
fn remove_listener_comes_after_each_is_removed() {
    let (emitter, log) = emitter();
    let (inner, names) = (Rc::downgrade(&emitter), log.clone());
    let left = Rc::new(Cell::new(0));
    let counted = Rc::clone(&left);
    emitter.on(RemoveListener, move |name| {
        names.add(name);
        let pings = inner.upgrade().unwrap().listener_count(Ping);
        assert_eq!(pings, counted.get());
        counted.set(pings.saturating_sub(1));
    });
    let id = emitter.add_listener(Ping, |_| {});
    assert!(emitter.remove_listener(id));
    assert!(!emitter.remove_listener(id), "it is there no more");
    assert_eq!(log.take(), "Ping");
    emitter.once(Ping, |_| {});
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "Ping");
    emitter.on(Ping, |_| {}).on(Ping, |_| {});
    left.set(1);
    emitter.remove_all_listeners_of(Ping);
    assert_eq!(log.take(), "Ping Ping");
    emitter.on(Pong, |_| {}).remove_all_listeners();
    assert_eq!(log.take(), "Pong");
    assert_eq!(emitter.listener_count(RemoveListener), 0);
}

/// What Node 26 tells, number for number.
#[test]
fn all_listeners_are_removed_one_by_one_and_those_that_hear_of_it_last() {
    let (emitter, _) = emitter();
    let heard = Rc::new(RefCell::new(Vec::new()));
    emitter.on(Ping, |_| {}).on(Pong, |_| {});
    emitter.on(Ping, |_| {}).on(Ping, |_| {});
    for name in ["first", "second", "third"] {
        let (emitter_again, heard) = (Rc::downgrade(&emitter), Rc::clone(&heard));
        emitter.on(RemoveListener, move |event| {
            let emitter = emitter_again.upgrade().unwrap();
            let counts = (
                emitter.listener_count(Ping),
                emitter.listener_count(Pong),
                emitter.listener_count(RemoveListener),
            );
            heard.borrow_mut().push((name, event, counts));
        });
    }
    emitter.remove_all_listeners();
    let all = ["first", "second", "third"];
    let mut expected = Vec::new();
    for pings in [2, 1, 0] {
        expected.extend(all.map(|name| (name, "Ping", (pings, 1, 3))));
    }
    expected.extend(all.map(|name| (name, "Pong", (0, 0, 3))));
    expected.extend(["first", "second"].map(|name| (name, "RemoveListener", (0, 0, 2))));
    expected.push(("first", "RemoveListener", (0, 0, 1)));
    assert_eq!(*heard.borrow(), expected);
    assert!(emitter.event_names().is_empty());
}

#[test]
fn what_is_added_while_all_are_removed_goes_too() {
    let (emitter, log) = emitter();
    let (again, pong) = (Rc::downgrade(&emitter), log.listener("pong"));
    emitter.on(Ping, |_| {}).on(RemoveListener, move |_| {
        let pong = pong.clone();
        again.upgrade().unwrap().on(Pong, move |_| pong());
    });
    emitter.remove_all_listeners();
    emitter.emit(Pong, 1);
    assert_eq!(log.take(), "");
    assert!(emitter.event_names().is_empty());
}

#[test]
fn an_id_names_one_listener_of_one_emitter_only() {
    let (emitter, log) = emitter();
    let (ping, pong) = (log.listener("ping"), log.listener("pong"));
    let id = emitter.add_listener(Ping, move |_| ping());
    emitter.on(Pong, move |_| pong());
    assert!(!emitter.remove_listener(ListenerId::NONE));
    assert!(emitter.remove_listener(id));
    emitter.emit(Pong, 1);
    assert_eq!(log.take(), "pong");
}

#[test]
fn names_are_in_the_order_of_the_first_listeners() {
    let (emitter, _) = emitter();
    emitter.on(Pong, |_| {}).on(Ping, |_| {}).on(Pong, |_| {});
    assert_eq!(emitter.event_names(), ["Pong", "Ping"]);
    assert_eq!(emitter.listener_count(Pong), 2);
    assert_eq!(
        format!("{emitter:?}"),
        r#"EventEmitter { events: ["Pong", "Ping"] }"#
    );
}

#[test]
fn a_preferred_event_has_its_place_among_the_others() {
    let emitter = EventEmitter::<Ping>::preferring();
    let pong = emitter.add_listener(Pong, |_| {});
    let ping = emitter.add_listener(Ping, |_| {});
    emitter.on(NewListener, |_| {}).on(Ping, |_| {});
    assert_eq!(emitter.event_names(), ["Pong", "Ping", "NewListener"]);
    assert!(emitter.remove_listener(pong));
    assert_eq!(emitter.event_names(), ["Ping", "NewListener"]);
    assert!(emitter.remove_listener(ping));
    assert_eq!(emitter.listener_count(Ping), 1);
    emitter.remove_all_listeners_of(Ping).on(Pong, |_| {});
    assert_eq!(emitter.event_names(), ["NewListener", "Pong"]);
    emitter.on(Ping, |_| {});
    assert_eq!(emitter.event_names(), ["NewListener", "Pong", "Ping"]);
}

#[test]
fn all_are_removed_in_the_order_of_their_events_whichever_is_preferred() {
    fn removed<P: Event>() -> String {
        let (emitter, log) = (Rc::new(EventEmitter::<P>::preferring()), Log::default());
        let (inner, names) = (Rc::downgrade(&emitter), log.clone());
        emitter.on(Pong, |_| {});
        emitter.on(RemoveListener, move |name| {
            names.add(name);
            let left = inner.upgrade().unwrap().event_names();
            assert!(!left.contains(&name), "{name} is there still");
            assert!(left.contains(&"RemoveListener"));
        });
        emitter.on(Ping, |_| {}).on(NewListener, |_| {});
        emitter.remove_all_listeners();
        assert_eq!(emitter.event_names(), [""; 0]);
        emitter.on(Pong, |_| {}).on(Ping, |_| {});
        assert_eq!(emitter.event_names(), ["Pong", "Ping"]);
        log.take()
    }
    let in_order = "Pong Ping NewListener";
    assert_eq!(removed::<NoEvent>(), in_order);
    assert_eq!(removed::<Ping>(), in_order);
    assert_eq!(removed::<Pong>(), in_order);
    assert_eq!(removed::<RemoveListener>(), in_order);
}

/// One of so many events that not all of them differ in what an id says of them.
struct Numbered<const N: usize>;

impl<const N: usize> Event for Numbered<N> {
    type Payload<'a> = &'a RefCell<Vec<usize>>;
}

/// Calls a macro with each of 81 numbers.
macro_rules! for_each_number {
    ($call:ident) => {
        for_each_number!(@ $call, 0 1 2 3 4 5 6 7 8);
    };
    (@ $call:ident, $($nine:tt)*) => {
        $(
            $call!({ 9 * $nine }); $call!({ 9 * $nine + 1 }); $call!({ 9 * $nine + 2 });
            $call!({ 9 * $nine + 3 }); $call!({ 9 * $nine + 4 }); $call!({ 9 * $nine + 5 });
            $call!({ 9 * $nine + 6 }); $call!({ 9 * $nine + 7 }); $call!({ 9 * $nine + 8 });
        )*
    };
}

#[test]
fn events_that_look_alike_are_told_apart() {
    let (emitter, _) = emitter();
    let emit_all = {
        let emitter = Rc::downgrade(&emitter);
        move |heard: &RefCell<Vec<usize>>| {
            let emitter = emitter.upgrade().unwrap();
            macro_rules! emit {
                ($n:tt) => {
                    emitter.emit(Numbered::<$n>, heard)
                };
            }
            for_each_number!(emit);
        }
    };
    let mut ids = Vec::new();
    macro_rules! listen {
        ($n:tt) => {
            let inner = emit_all.clone();
            ids.push(emitter.add_listener(Numbered::<$n>, move |heard| {
                heard.borrow_mut().push($n);
                if heard.borrow().len() == 1 {
                    inner(heard);
                }
            }));
        };
    }
    for_each_number!(listen);
    // All but the first are called twice: by its listener, in which it is out of its place, and after it.
    let heard = RefCell::default();
    emit_all(&heard);
    let expected: Vec<usize> = (0..81).chain(1..81).collect();
    assert_eq!(heard.take(), expected);
    // Removing every other one leaves those between.
    for id in ids.iter().step_by(2) {
        assert!(emitter.remove_listener(*id));
    }
    assert_eq!(emitter.event_names().len(), 40);
    emit_all(&heard);
    let expected: Vec<usize> = (1..81).step_by(2).chain((3..81).step_by(2)).collect();
    assert_eq!(heard.take(), expected);
}

/// Calls the emitter when it is dropped, as a captured value may.
struct CallsBack(std::rc::Weak<EventEmitter>, Log);

impl Drop for CallsBack {
    fn drop(&mut self) {
        self.1.add("dropped");
        if let Some(emitter) = self.0.upgrade() {
            emitter.on(Pong, |_| {});
            emitter.emit(Pong, 1);
            emitter.remove_all_listeners_of(Pong);
            assert_eq!(emitter.listener_count(Ping), 0);
        }
    }
}

#[test]
fn what_a_listener_captured_may_call_back_when_it_is_dropped() {
    let removals: [fn(&EventEmitter, ListenerId); 4] = [
        |emitter, id| assert!(emitter.remove_listener(id)),
        |emitter, _| {
            emitter.remove_all_listeners_of(Ping);
        },
        |emitter, _| {
            emitter.remove_all_listeners();
        },
        |emitter, _| {
            emitter.emit(Ping, "");
        },
    ];
    for (index, remove) in removals.into_iter().enumerate() {
        let (emitter, log) = emitter();
        let captured = CallsBack(Rc::downgrade(&emitter), log.clone());
        let id = match index {
            3 => emitter.add_once_listener(Ping, move |_| drop(captured)),
            _ => emitter.add_listener(Ping, move |_| {
                let _kept = &captured;
            }),
        };
        remove(&emitter, id);
        assert_eq!(log.take(), "dropped");
        assert_eq!(emitter.event_names(), [""; 0]);
    }
}

#[test]
fn a_running_listener_that_is_removed_keeps_what_it_captured_until_it_returns() {
    let (emitter, log) = emitter();
    let captured = CallsBack(Rc::downgrade(&emitter), log.clone());
    let (inner, running) = (Rc::downgrade(&emitter), log.clone());
    emitter.on(Ping, move |_| {
        inner.upgrade().unwrap().remove_all_listeners_of(Ping);
        running.add("running");
        let _kept = &captured;
    });
    emitter.emit(Ping, "");
    assert_eq!(log.take(), "running dropped");
}

#[test]
fn a_random_life_agrees_with_the_rules() {
    let mut state = 0x5eed_u64;
    for _ in 0..2_000 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .take(120)
        .collect();
        super::fuzz::emitter(&bytes);
    }
}
