//! The room: who is here, what was said, and who cannot stay.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::websocket::{Close, Outgoing};
use soquete::net::Socket;

use super::notice::{Kind, Notice, Tongue, framed, note};

/// How many notices somebody who comes is told.
const REMEMBERED: usize = 200;

pub struct Room {
    members: RefCell<HashMap<Socket, Member>>,
    history: RefCell<VecDeque<Notice>>,
    /// What the notices' ids begin with, so that they are nobody else's.
    origin: String,
    told: Cell<u64>,
    /// How long a member may be silent.
    patience: Duration,
    /// What pings a browser; one for all of them.
    ping: Rc<[u8]>,
}

struct Member {
    name: String,
    tongue: Tongue,
    heard: Cell<Duration>,
}

impl Room {
    pub fn new(patience: Duration) -> Room {
        Room {
            members: RefCell::default(),
            history: RefCell::default(),
            origin: format!("{:08x}", RandomState::new().hash_one(()) as u32),
            told: Cell::new(0),
            patience,
            ping: framed(Outgoing::ping(), b"still there?").into(),
        }
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
        for notice in self.history.borrow().iter() {
            socket.write(notice.in_tongue(tongue));
        }
        let heard = Cell::new(soquete::now());
        let member = Member {
            name: name.to_owned(),
            tongue,
            heard,
        };
        self.members.borrow_mut().insert(socket, member);
        self.tell(Kind::Came, name, "");
        true
    }

    /// Somebody's connection has closed.
    pub fn leave(&self, socket: Socket, why: &str) {
        let gone = self.members.borrow_mut().remove(&socket);
        if let Some(member) = gone {
            self.tell(Kind::Went, &member.name, why);
        }
    }

    pub fn say(&self, name: &str, text: &str) {
        self.tell(Kind::Said, name, text);
    }

    pub fn names(&self) -> String {
        let members = self.members.borrow();
        let mut names: Vec<_> = members
            .values()
            .map(|member| member.name.as_str())
            .collect();
        names.sort_unstable();
        names.join(" ")
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
            } else if member.tongue == Tongue::WebSocket {
                socket.write(&self.ping);
            }
        }
    }

    /// Ends all connections, when what was written to them has gone out.
    pub fn send_home(&self, why: &str) {
        for (socket, member) in self.members.borrow().iter() {
            say_goodbye(*socket, member.tongue, Close::GOING_AWAY, why);
        }
    }

    fn tell(&self, kind: Kind, who: &str, text: &str) {
        self.told.set(self.told.get() + 1);
        let id = format!("{}-{}", self.origin, self.told.get());
        let notice = Notice::new(kind, &id, who, text);
        for (socket, member) in self.members.borrow().iter() {
            socket.write(notice.in_tongue(member.tongue));
        }
        let mut history = self.history.borrow_mut();
        if history.len() == REMEMBERED {
            history.pop_front();
        }
        history.push_back(notice);
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
    socket.end_with(farewell);
}
