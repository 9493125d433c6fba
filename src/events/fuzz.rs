//! The emitter against the rules of its documentation, word for word.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::{Event, EventEmitter, ListenerId, NewListener, NoEvent, Place, RemoveListener};
use crate::fuzzing::Input;

struct Ping;
struct Pong;

impl Event for Ping {
    type Payload<'a> = &'a str;
}

impl Event for Pong {
    type Payload<'a> = usize;
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Which {
    Ping,
    Pong,
}

/// How deep emits are nested.
const DEEPEST: usize = 4;

/// Adds, removes and emits as the bytes say, in listeners too. Who is called, and in which order, is
/// what the model says, whether or not one of the events is preferred.
pub fn emitter(bytes: &[u8]) {
    run::<NoEvent>(bytes);
    run::<Ping>(bytes);
}

fn run<Preferred: Event>(bytes: &[u8]) {
    let harness = Rc::new_cyclic(|me| Harness::<Preferred> {
        me: Weak::clone(me),
        emitter: EventEmitter::preferring(),
        model: RefCell::default(),
        input: RefCell::new(bytes.to_vec()),
        added: Cell::new(0),
        removed: Cell::new(0),
    });
    let me = Weak::clone(&harness.me);
    harness.emitter.on(NewListener, move |_| {
        let harness = me.upgrade().unwrap();
        harness.added.set(harness.added.get() + 1);
    });
    let me = Weak::clone(&harness.me);
    harness.emitter.on(RemoveListener, move |_| {
        let harness = me.upgrade().unwrap();
        harness.removed.set(harness.removed.get() + 1);
    });
    harness.added.set(0);
    while !harness.input.borrow().is_empty() {
        harness.step();
        harness.compare();
    }
}

struct Harness<Preferred: Event> {
    me: Weak<Harness<Preferred>>,
    emitter: EventEmitter<Preferred>,
    model: RefCell<Model>,
    input: RefCell<Vec<u8>>,
    /// What `NewListener` and `RemoveListener` told.
    added: Cell<usize>,
    removed: Cell<usize>,
}

#[derive(Default)]
struct Model {
    /// In the order of the calls, each event's among those of the other.
    listeners: Vec<Listener>,
    /// The events that are listened to, in the order in which they first were.
    events: Vec<Which>,
    /// The emits that have not returned.
    frames: Vec<Frame>,
    next: u32,
    /// Listeners that have not returned, and `once` listeners that were ever called.
    busy: Vec<u32>,
    removals: usize,
}

#[derive(Clone, Copy)]
struct Listener {
    number: u32,
    id: Option<ListenerId>,
    event: Which,
    once: bool,
}

struct Frame {
    snapshot: Vec<Listener>,
    at: usize,
}

impl Model {
    fn of(&self, event: Which) -> Vec<Listener> {
        let listeners = self.listeners.iter().copied();
        listeners
            .filter(|listener| listener.event == event)
            .collect()
    }

    /// The listener that the innermost emit calls next.
    fn next_call(&mut self) -> Option<Listener> {
        let frame = self.frames.last_mut()?;
        let busy = &self.busy;
        let rest = &frame.snapshot[frame.at..];
        let callable = |listener: &Listener| !busy.contains(&listener.number);
        let skipped = rest.iter().position(callable)?;
        frame.at += skipped + 1;
        Some(rest[skipped])
    }

    fn add(&mut self, listener: Listener, first: bool) {
        match first {
            true => self.listeners.insert(0, listener),
            false => self.listeners.push(listener),
        }
        if !self.events.contains(&listener.event) {
            self.events.push(listener.event);
        }
    }

    fn remove(&mut self, number: u32) {
        let before = self.listeners.len();
        self.listeners.retain(|listener| listener.number != number);
        self.removals += before - self.listeners.len();
        let listeners = &self.listeners;
        self.events
            .retain(|event| listeners.iter().any(|listener| listener.event == *event));
    }
}

impl<Preferred: Event> Harness<Preferred> {
    /// Up to three decisions, which the listeners that they call go on with.
    fn step(&self) {
        let (what, which, more) = self.decisions();
        let event = match which & 1 {
            0 => Which::Ping,
            _ => Which::Pong,
        };
        match what % 8 {
            0..3 => self.add(event, which & 2 > 0, which & 4 > 0),
            3 => self.remove(more),
            4 if which & 24 == 24 => self.remove_all(event),
            _ => self.emit(event),
        }
    }

    fn decisions(&self) -> (u8, u8, u8) {
        let mut bytes = self.input.borrow_mut();
        let taken = bytes.len().min(3);
        let first: Vec<u8> = bytes.drain(..taken).collect();
        let mut input = Input::new(&first);
        (input.byte(), input.byte(), input.byte())
    }

    fn add(&self, event: Which, once: bool, first: bool) {
        let number = {
            let mut model = self.model.borrow_mut();
            let number = model.next;
            model.next += 1;
            let listener = Listener {
                number,
                id: None,
                event,
                once,
            };
            model.add(listener, first);
            number
        };
        let (emitter, me) = (&self.emitter, Weak::clone(&self.me));
        let body = move || {
            if let Some(harness) = me.upgrade() {
                harness.called(number);
            }
        };
        let id = match (event, once, first) {
            (Which::Ping, false, false) => emitter.add_listener(Ping, move |_| body()),
            (Which::Ping, false, true) => emitter.insert::<Ping, ()>(Place::First, move |_| body()),
            (Which::Ping, true, false) => emitter.add_once_listener(Ping, move |_| body()),
            (Which::Ping, true, true) => {
                emitter.insert_once::<Ping, ()>(Place::First, move |_| body())
            }
            (Which::Pong, false, false) => emitter.add_listener(Pong, move |_| body()),
            (Which::Pong, false, true) => emitter.insert::<Pong, ()>(Place::First, move |_| body()),
            (Which::Pong, true, false) => emitter.add_once_listener(Pong, move |_| body()),
            (Which::Pong, true, true) => {
                emitter.insert_once::<Pong, ()>(Place::First, move |_| body())
            }
        };
        let mut model = self.model.borrow_mut();
        let mut listeners = model.listeners.iter_mut();
        listeners
            .find(|listener| listener.number == number)
            .unwrap()
            .id = Some(id);
    }

    fn remove(&self, which: u8) {
        let chosen = {
            let model = self.model.borrow();
            if model.listeners.is_empty() {
                return;
            }
            model.listeners[which as usize % model.listeners.len()]
        };
        self.model.borrow_mut().remove(chosen.number);
        let id = chosen.id.unwrap();
        assert!(self.emitter.remove_listener(id));
        assert!(!self.emitter.remove_listener(id), "removed already");
    }

    fn remove_all(&self, event: Which) {
        let removed = self.model.borrow().of(event);
        for listener in removed {
            self.model.borrow_mut().remove(listener.number);
        }
        match event {
            Which::Ping => self.emitter.remove_all_listeners_of(Ping),
            Which::Pong => self.emitter.remove_all_listeners_of(Pong),
        };
    }

    fn emit(&self, event: Which) {
        let snapshot = self.model.borrow().of(event);
        if self.model.borrow().frames.len() == DEEPEST {
            return;
        }
        let any = !snapshot.is_empty();
        self.model
            .borrow_mut()
            .frames
            .push(Frame { snapshot, at: 0 });
        let emitted = match event {
            Which::Ping => self.emitter.emit(Ping, "payload"),
            Which::Pong => self.emitter.emit(Pong, 7),
        };
        assert_eq!(emitted, any);
        let mut model = self.model.borrow_mut();
        assert!(model.next_call().is_none(), "a listener was left out");
        model.frames.pop();
    }

    /// A listener is called: the one that the model says.
    fn called(&self, number: u32) {
        let next = {
            let mut model = self.model.borrow_mut();
            let next = model.next_call().expect("one listener too many");
            assert_eq!(next.number, number, "listeners out of order");
            model.busy.push(number);
            if next.once {
                model.remove(number);
            }
            next
        };
        self.compare();
        if !self.input.borrow().is_empty() {
            self.step();
        }
        if !next.once {
            self.model.borrow_mut().busy.retain(|busy| *busy != number);
        }
    }

    fn compare(&self) {
        let model = self.model.borrow();
        assert_eq!(
            self.emitter.listener_count(Ping),
            model.of(Which::Ping).len()
        );
        assert_eq!(
            self.emitter.listener_count(Pong),
            model.of(Which::Pong).len()
        );
        let names = self.emitter.event_names();
        let of_model = model.events.iter().map(|event| match event {
            Which::Ping => Ping::name(),
            Which::Pong => Pong::name(),
        });
        // The harness itself listens to those two.
        assert_eq!(names[..2], [NewListener::name(), RemoveListener::name()]);
        assert!(names[2..].iter().copied().eq(of_model), "{names:?}");
        assert_eq!(self.removed.get(), model.removals);
        assert_eq!(self.added.get(), model.next as usize);
        let running = model
            .of(Which::Ping)
            .iter()
            .any(|listener| !listener.once && model.busy.contains(&listener.number));
        assert_eq!(self.emitter.is_running(Ping), running);
    }
}
