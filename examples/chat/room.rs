//! The room: who is here, what was said, and who cannot stay.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::websocket::{Close, Outgoing};
use soquete::net::{Group, Socket};
use soquete::timers;

use super::MOST_UNREAD;
use super::broker::Broker;
use super::notice::{CAME, Notice, SAID, Tongue, WENT, fields, framed, note};

/// How many ids are known for certain, so that what comes again is recognized.
const KNOWN: usize = 10_000;

/// How many bytes of notices are remembered. Whoever comes is written all of them at once, and has to have room for
/// what is said meanwhile.
const MOST_REMEMBERED: usize = MOST_UNREAD / 2;

/// How many are named to whoever asks.
const MOST_NAMED: usize = 100;

/// How long a connection may take to end when it has been told to.
pub const FAREWELL: Duration = Duration::from_secs(2);

pub struct Room {
    members: RefCell<HashMap<Socket, Member>>,
    /// Their names, as somebody has asked for them since one came or went.
    named: RefCell<Option<Rc<str>>>,
    /// The same members, by how they are spoken to.
    lines: Group,
    pages: Group,
    history: RefCell<History>,
    /// The ids of what was told, and of what was told before that.
    known: RefCell<[HashSet<String>; 2]>,
    /// What the ids of this instance's notices begin with, so that they are nobody else's.
    origin: String,
    told: Cell<u64>,
    /// How long a member may be silent.
    patience: Duration,
    broker: OnceCell<Rc<Broker>>,
}

/// What somebody who comes is told.
struct History {
    notices: VecDeque<Notice>,
    /// How many bytes they are.
    bytes: usize,
    /// How many notices there may be.
    most: usize,
}

struct Member {
    name: String,
    tongue: Tongue,
    heard: Cell<Duration>,
}

impl Room {
    pub fn new(patience: Duration, remembers: usize) -> Room {
        Room {
            members: RefCell::default(),
            named: RefCell::default(),
            lines: Group::new(),
            pages: Group::new(),
            history: RefCell::new(History {
                notices: VecDeque::new(),
                bytes: 0,
                most: remembers,
            }),
            known: RefCell::default(),
            origin: format!("{:08x}", RandomState::new().hash_one(()) as u32),
            told: Cell::new(0),
            patience,
            broker: OnceCell::new(),
        }
    }

    /// From here on the room is one with those of other instances.
    pub fn join(&self, broker: Rc<Broker>) {
        assert!(self.broker.set(broker).is_ok(), "once");
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Lets somebody in. False if the name is somebody else's.
    pub fn enter(&self, socket: Socket, name: &str, tongue: Tongue) -> bool {
        let taken = self
            .members
            .borrow()
            .values()
            .any(|member| member.name == name);
        if taken {
            return false;
        }
        if tongue == Tongue::WebSocket {
            socket.write(framed(
                Outgoing::text(),
                format!("welcome\t\t\t{name}\t").as_bytes(),
            ));
        }
        for notice in self.history.borrow().notices.iter() {
            socket.write(notice.in_tongue(tongue));
        }
        let member = Member {
            name: name.to_owned(),
            tongue,
            heard: Cell::new(soquete::now()),
        };
        self.members.borrow_mut().insert(socket, member);
        self.named.take();
        self.group(tongue).add(socket);
        self.tell(CAME, name, "");
        true
    }

    /// Somebody's connection has closed.
    pub fn leave(&self, socket: Socket, why: &str) {
        let gone = self.members.borrow_mut().remove(&socket);
        if let Some(member) = gone {
            self.named.take();
            self.tell(WENT, &member.name, why);
        }
    }

    /// False if it cannot be told, as too much waits for the broker.
    pub fn say(&self, name: &str, text: &str) -> bool {
        self.tell(SAID, name, text)
    }

    pub fn names(&self) -> Rc<str> {
        let mut named = self.named.borrow_mut();
        Rc::clone(named.get_or_insert_with(|| self.look_up_names().into()))
    }

    fn look_up_names(&self) -> String {
        let members = self.members.borrow();
        let mut names: Vec<_> = members
            .values()
            .map(|member| member.name.as_str())
            .collect();
        names.sort_unstable();
        let others = names.len().saturating_sub(MOST_NAMED);
        names.truncate(MOST_NAMED);
        match (names.join(" "), others) {
            (names, 0) => names,
            (names, others) => format!("{names} and {others} more"),
        }
    }

    /// Anything that a member sends says that it is still there.
    pub fn heard_of(&self, socket: Socket) {
        if let Some(member) = self.members.borrow().get(&socket) {
            member.heard.set(soquete::now());
        }
    }

    /// Cuts off those who have been silent for too long, and pings the browsers, which answer by themselves.
    pub fn look_around(&self) {
        for (socket, member) in self.members.borrow().iter() {
            if soquete::now().saturating_sub(member.heard.get()) > self.patience {
                say_goodbye(
                    *socket,
                    member.tongue,
                    Close::POLICY,
                    "you have been silent for too long",
                );
            }
        }
        self.pages
            .publish(framed(Outgoing::ping(), b"still there?"));
    }

    /// Ends all connections, when what was written to them has gone out.
    pub fn send_home(&self, why: &str) {
        for (socket, member) in self.members.borrow().iter() {
            say_goodbye(*socket, member.tongue, Close::GOING_AWAY, why);
        }
    }

    /// Everybody has gone home.
    pub fn close_up(&self, patience: Duration) {
        if let Some(broker) = self.broker.get() {
            broker.leave(patience);
        }
    }

    /// Has the server itself say something to all of its members.
    pub fn announce(&self, text: &str) {
        for tongue in [Tongue::Lines, Tongue::WebSocket] {
            self.group(tongue).publish(note(tongue, text));
        }
    }

    fn tell(&self, kind: &str, who: &str, text: &str) -> bool {
        self.told.set(self.told.get() + 1);
        let id = format!("{}-{}", self.origin, self.told.get());
        let fields = fields(kind, &id, who, text);
        match self.broker.get() {
            Some(broker) => broker.tell(&id, &fields),
            None => {
                self.deliver(&fields);
                true
            }
        }
    }

    /// Tells the members, unless they were told before.
    pub fn deliver(&self, fields: &str) {
        let Some(notice) = Notice::new(fields) else {
            return;
        };
        if !self.is_news(notice.id()) {
            return;
        }
        // Those who have ended are passed over, and those who do not read are cut off.
        for tongue in [Tongue::Lines, Tongue::WebSocket] {
            self.group(tongue).publish(notice.in_tongue(tongue));
        }
        self.history.borrow_mut().add(notice);
    }

    fn is_news(&self, id: &str) -> bool {
        let mut known = self.known.borrow_mut();
        let [recent, older] = &mut *known;
        if older.contains(id) || !recent.insert(id.to_owned()) {
            return false;
        }
        if recent.len() == KNOWN {
            *older = std::mem::take(recent);
        }
        true
    }

    pub fn each_remembered(&self, mut with: impl FnMut(&str)) {
        for notice in self.history.borrow().notices.iter() {
            with(&notice.fields);
        }
    }

    fn group(&self, tongue: Tongue) -> &Group {
        match tongue {
            Tongue::Lines => &self.lines,
            Tongue::WebSocket => &self.pages,
        }
    }
}

impl History {
    /// What is oldest is forgotten for it.
    fn add(&mut self, notice: Notice) {
        self.bytes += notice.longest();
        self.notices.push_back(notice);
        while self.notices.len() > self.most || self.bytes > MOST_REMEMBERED {
            let Some(oldest) = self.notices.pop_front() else {
                break;
            };
            self.bytes -= oldest.longest();
        }
    }
}

/// Ends a connection with the reason.
pub fn say_goodbye(socket: Socket, tongue: Tongue, code: u16, reason: &str) {
    let farewell = match tongue {
        Tongue::Lines => note(tongue, reason),
        Tongue::WebSocket => {
            let close = Close { code, reason }.to_payload().expect("a short reason");
            framed(Outgoing::close(), &close)
        }
    };
    end(socket, farewell);
}

/// Ends a connection with these bytes. Whoever does not end the other side is not waited for.
pub fn end(socket: Socket, farewell: Vec<u8>) {
    if socket.writable() {
        socket.end_with(farewell);
        timers::set_timeout(FAREWELL, move || socket.destroy()).unref();
    }
}
