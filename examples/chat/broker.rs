//! The room beyond one machine: instances tell each other by Redis what they tell their members.
//!
//! What is to be told goes to the broker, and is told here as well when it comes back from there, so that all instances
//! tell it in one order. A notice that has not come back waits. Should the broker go away, what waits is sent again when
//! it is there, with the same id, by which everybody finds out what they have had already: nothing is told twice. And as
//! an instance may have missed what others have told meanwhile, each publishes what it remembers when it comes back, and
//! when another does.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{FrameReader, Resp, RespItems, RespValue, RespVersion, RespWriter};
use soquete::net::{self, Socket};
use soquete::{event, timers};

use super::room::Room;

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// How long the broker may be silent, and how often it is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(15);
const ASK_EVERY: Duration = Duration::from_secs(5);

/// How much may wait for the broker; more is not taken.
const MOST_WAITING: usize = 10_000;
const LONGEST_VALUE: usize = 64 << 10;

const CHANNEL: &[u8] = b"chat";
/// What an instance says that wants to be told what the others remember.
const WANT: &str = "want\t";

pub struct Broker {
    place: String,
    room: Rc<Room>,
    state: Cell<State>,
    delay: Cell<Duration>,
    /// What has not come back, with its id, oldest first.
    waiting: RefCell<VecDeque<(String, String)>>,
    leaving: Cell<bool>,
}

#[derive(Clone, Copy)]
enum State {
    /// Not connected, until the timer has run out.
    Away(Option<timers::Timeout>),
    /// Connected, but not subscribed.
    Greeting(Socket),
    Joined(Socket),
}

impl Broker {
    /// Joins the broker at this place, `HOST:PORT`, now and whenever it is there again.
    pub fn join(place: &str, room: &Rc<Room>) -> Rc<Broker> {
        let broker = Rc::new(Broker {
            place: place.to_owned(),
            room: Rc::clone(room),
            state: Cell::new(State::Away(None)),
            delay: Cell::new(FIRST_DELAY),
            waiting: RefCell::default(),
            leaving: Cell::new(false),
        });
        broker.connect();
        let asking = Rc::clone(&broker);
        timers::set_interval(ASK_EVERY, move || asking.request(&[b"PING"])).unref();
        broker
    }

    /// Publishes a notice. False if too many wait already.
    pub fn tell(&self, id: &str, fields: &str) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= MOST_WAITING {
            return false;
        }
        waiting.push_back((id.to_owned(), fields.to_owned()));
        self.publish(fields);
        true
    }

    /// Leaves when nothing waits any more, or after so long.
    pub fn leave(self: &Rc<Self>, patience: Duration) {
        self.leaving.set(true);
        self.leave_if_done();
        let broker = Rc::clone(self);
        timers::set_timeout(patience, move || broker.hang_up()).unref();
    }

    fn leave_if_done(&self) {
        if self.leaving.get() && self.waiting.borrow().is_empty() {
            self.hang_up();
        }
    }

    fn hang_up(&self) {
        match self.state.replace(State::Away(None)) {
            State::Away(timer) => drop(timer.map(|timer| timer.clear())),
            State::Greeting(socket) | State::Joined(socket) => drop(socket.end()),
        }
    }

    fn connect(self: &Rc<Self>) {
        let socket = net::connect(self.place.as_str());
        self.state.set(State::Greeting(socket));
        let (hearing, lost) = (Rc::clone(self), Rc::clone(self));
        socket.set_no_delay(true);
        socket.set_timeout_then(SILENCE, |socket| socket.destroy());
        socket.on(event::Error, |_| {});
        socket.once(event::Close, move |_| lost.lost());
        let reader = FrameReader::new(Resp::new(), LONGEST_VALUE);
        socket.frames(reader, move |value| match RespValue::parse(value) {
            Some(RespValue::Push(items)) => hearing.heard(socket, items),
            Some(RespValue::Error(error)) => {
                eprintln!("the broker refuses: {}", error.escape_ascii());
                socket.destroy();
            }
            _ => {}
        });
        // Version 3 lets requests and what is subscribed to share a connection.
        socket.write(request(&[b"HELLO", b"3"]));
        socket.write(request(&[b"SUBSCRIBE", CHANNEL]));
    }

    /// What the broker says unasked: that we have subscribed, or what somebody has published.
    fn heard(&self, socket: Socket, mut items: RespItems<'_>) {
        let mut next = || items.next().and_then(RespValue::text).unwrap_or_default();
        match (next(), next(), next()) {
            (b"subscribe", ..) => self.joined(socket),
            (b"message", _, text) => {
                let text = String::from_utf8_lossy(text);
                match text.strip_prefix(WANT) {
                    Some(origin) if origin == self.room.origin() => {}
                    Some(_) => self.publish_history(),
                    None => self.came_back(&text),
                }
            }
            _ => {}
        }
    }

    fn joined(&self, socket: Socket) {
        self.state.set(State::Joined(socket));
        self.delay.set(FIRST_DELAY);
        self.publish_history();
        self.publish(&format!("{WANT}{}", self.room.origin()));
        let waiting = self.waiting.borrow();
        for (_, fields) in waiting.iter() {
            self.publish(fields);
        }
        eprintln!("joined {}; sent what waited: {}", self.place, waiting.len());
    }

    fn publish_history(&self) {
        self.room.each_remembered(|fields| self.publish(fields));
    }

    fn came_back(&self, fields: &str) {
        let id = fields.split('\t').nth(1).unwrap_or_default();
        let mut waiting = self.waiting.borrow_mut();
        if let Some(at) = waiting.iter().position(|(waiting, _)| waiting == id) {
            waiting.remove(at);
        }
        drop(waiting);
        self.room.deliver(fields);
        self.leave_if_done();
    }

    fn lost(self: &Rc<Self>) {
        let state = self.state.replace(State::Away(None));
        if self.leaving.get() {
            return;
        }
        if let State::Joined(_) = state {
            let on_their_way = self.waiting.borrow().len();
            eprintln!("lost {}; on their way: {on_their_way}", self.place);
            for (id, fields) in self.waiting.borrow().iter() {
                eprintln!("on its way: {id} {}", fields.escape_debug());
            }
            let news = match on_their_way {
                0 => "the other rooms are out of reach: what is said now waits".to_owned(),
                n => format!(
                    "the other rooms are out of reach: {n} on their way are sent again, what is said now waits"
                ),
            };
            self.room.announce(&news);
        }
        let delay = self.delay.get();
        self.delay.set((delay * 2).min(LONGEST_DELAY));
        let broker = Rc::clone(self);
        let timer = timers::set_timeout(delay, move || broker.connect());
        self.state.set(State::Away(Some(timer)));
    }

    fn publish(&self, fields: &str) {
        self.request(&[b"PUBLISH", CHANNEL, fields.as_bytes()]);
    }

    /// Only to a broker that is there: what is published goes again when it is back.
    fn request(&self, words: &[&[u8]]) {
        if let State::Joined(socket) = self.state.get() {
            socket.write(request(words));
        }
    }
}

fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut request = Vec::new();
    RespWriter::new(&mut request, RespVersion::V3).request(words);
    request
}
