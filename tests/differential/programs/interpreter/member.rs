//! What takes part in a program, and the lane of what happens to it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::resume_unwind;
use std::rc::Rc;

use soquete::events::ListenerId;
use soquete::net::{AbortController, Server, Socket};
use soquete::{Error, Result, timers};

use super::Running;
use crate::programs::program::word;
use crate::programs::table;

const PATTERN: &[u8] = "aé€😀".as_bytes();

/// How many rules one socket may follow, for those that lead to themselves.
const MOST_RULES: u32 = 60;

/// What a listener that is to be interrupted panics with.
pub(super) struct Thrown;

/// A client, an accepted socket, or the server.
pub(in crate::programs) struct Member {
    pub(super) running: Rc<Running>,
    pub(super) name: String,
    pub(super) words: Vec<String>,
    pub(super) handle: Cell<Option<Handle>>,
    pub(super) controller: RefCell<Option<AbortController>>,
    pub(super) sent: Cell<usize>,
    pub(super) followed: Cell<u32>,
    pub(super) counts: RefCell<HashMap<&'static str, u32>>,
    pub(super) lines: RefCell<Vec<Line>>,
    pub(super) is_gone: Cell<bool>,
    pub(super) may_connect: Cell<bool>,
    pub(super) is_settled: Cell<bool>,
    pub(in crate::programs) data: Listener,
    pub(in crate::programs) readable: Listener,
    pub(in crate::programs) is_text: Cell<bool>,
    pub(in crate::programs) armed: Cell<bool>,
    pub(in crate::programs) stops: Cell<bool>,
}

#[derive(Clone, Copy)]
pub(super) enum Handle {
    Socket(Socket),
    Server(Server),
}

pub(super) enum Line {
    Text(String),
    Bytes(Bytes),
}

/// The one listener that a program may have of an event.
#[derive(Default)]
pub(in crate::programs) struct Listener(Cell<Option<ListenerId>>);

impl Listener {
    pub(in crate::programs) fn set_if_none(&self, listen: impl FnOnce() -> ListenerId) {
        if self.0.get().is_none() {
            self.0.set(Some(listen()));
        }
    }

    pub(in crate::programs) fn take(&self) -> Option<ListenerId> {
        self.0.take()
    }
}
impl Member {
    pub(super) fn new(running: &Rc<Running>, name: &str, words: &[String]) -> Member {
        Member {
            running: Rc::clone(running),
            name: name.to_owned(),
            words: words.to_vec(),
            handle: Cell::default(),
            controller: RefCell::default(),
            sent: Cell::default(),
            followed: Cell::default(),
            counts: RefCell::default(),
            lines: RefCell::default(),
            is_gone: Cell::default(),
            may_connect: Cell::default(),
            is_settled: Cell::default(),
            data: Listener::default(),
            readable: Listener::default(),
            is_text: Cell::default(),
            armed: Cell::default(),
            stops: Cell::default(),
        }
    }

    pub(in crate::programs) fn note(&self, text: impl Into<String>) {
        self.push(Line::Text(text.into()));
    }

    fn push(&self, line: Line) {
        let activity = &self.running.activity;
        activity.set(activity.get() + 1);
        self.lines.borrow_mut().push(line);
    }

    /// Where TCP cuts bytes means nothing, so neighbours make one line.
    pub(super) fn received(&self, chunk: &[u8]) {
        if let Some(Line::Bytes(bytes)) = self.lines.borrow_mut().last_mut() {
            let activity = &self.running.activity;
            activity.set(activity.get() + 1);
            return bytes.add(chunk);
        }
        let mut bytes = Bytes::default();
        bytes.add(chunk);
        self.push(Line::Bytes(bytes));
    }

    /// The next `count` bytes of a stream that is valid UTF-8 as a whole.
    pub(in crate::programs) fn bytes(&self, count: usize) -> Vec<u8> {
        let at = self.sent.replace(self.sent.get() + count) % PATTERN.len();
        let mut bytes = PATTERN.repeat((at + count).div_ceil(PATTERN.len()));
        bytes.truncate(at + count);
        bytes.split_off(at)
    }

    pub(in crate::programs) fn callback(
        self: &Rc<Member>,
        event: &'static str,
    ) -> impl FnOnce(Result<()>) + use<> {
        let member = Rc::clone(self);
        move |outcome| {
            let code = outcome.as_ref().err().map_or("ok", Error::code);
            member.happens(event, &format!("{event}({code})"));
        }
    }

    pub(in crate::programs) fn happens(self: &Rc<Member>, event: &'static str, text: &str) {
        // What the other ends of pipes are told when all is over is of no interest.
        if self.running.is_over.get() && event == "unpipe" {
            return;
        }
        // When an attempt has failed, Node's sockets do not say that they still connect.
        let is_watched = self.running.watches && event != "connectionAttemptFailed";
        match self.socket() {
            Some(socket) if is_watched && !self.is_gone.get() => {
                self.note(format!("{text} {}", table::glance(self, socket)));
            }
            _ => self.note(text),
        }
        self.follow(event);
        if matches!(event, "ready" | "close") {
            self.settled();
        }
    }

    /// A client is made when the one before it is connected or closed: how many connections a server
    /// accepts in one turn is not to matter.
    pub(super) fn settled(&self) {
        if self.name.starts_with('c') && !self.is_settled.replace(true) {
            let running = Rc::clone(&self.running);
            timers::set_immediate(move || {
                timers::set_immediate(move || running.make_client());
            });
        }
    }

    pub(super) fn server_event(self: &Rc<Member>, event: &'static str, text: &str) {
        self.note(text);
        self.follow(event);
    }

    pub(in crate::programs) fn closed(self: &Rc<Member>, had_error: bool) {
        // Without a descriptor Node does not say whether there was an error.
        let never_connected = self.may_connect.replace(true);
        let had_error = if never_connected {
            "?"
        } else if had_error {
            "true"
        } else {
            "false"
        };
        self.happens("close", &format!("close({had_error})"));
        if self.may_connect.get() {
            self.is_gone.set(true);
        }
    }

    /// What the program says is to be done at this event.
    pub(super) fn follow(self: &Rc<Member>, event: &'static str) {
        let count = {
            let mut counts = self.counts.borrow_mut();
            let count = counts.entry(event).or_default();
            *count += 1;
            *count
        };
        let running = &self.running;
        let find = |on: String| running.program.rules.iter().rfind(|rule| rule.on == on);
        let rule = find(format!("{}.{event}#{count}", self.name))
            .or_else(|| find(format!("{}.{event}#*", self.name)));
        let Some(rule) = rule.filter(|_| !running.is_over.get()) else {
            return;
        };
        if self.followed.replace(self.followed.get() + 1) < MOST_RULES {
            running.perform(self, &rule.steps);
        }
    }

    pub(in crate::programs) fn on_data(self: &Rc<Member>, once: bool) -> impl FnMut(&[u8]) + use<> {
        let member = Rc::clone(self);
        move |chunk: &[u8]| {
            if once {
                member.data.take();
            }
            member.received(chunk);
            member.follow("data");
        }
    }

    pub(in crate::programs) fn on_readable(self: &Rc<Member>) -> impl FnMut(()) + use<> {
        let member = Rc::clone(self);
        move |()| {
            member.note("readable");
            member.follow("readable");
        }
    }

    pub(in crate::programs) fn later(
        self: &Rc<Member>,
        event: &'static str,
        schedule: impl FnOnce(Box<dyn FnOnce()>),
    ) {
        let waiting = &self.running.waiting;
        waiting.set(waiting.get() + 1);
        let member = Rc::clone(self);
        schedule(Box::new(move || {
            let waiting = &member.running.waiting;
            waiting.set(waiting.get() - 1);
            member.note(event);
            member.follow(event);
        }));
    }

    /// Only out of a listener that nothing of the program's has led to.
    pub(in crate::programs) fn interrupt(&self) {
        if self.running.depth.get() == 1 {
            resume_unwind(Box::new(Thrown));
        }
    }

    pub(in crate::programs) fn abort(&self) {
        let controller = self.controller.borrow().clone();
        controller
            .into_iter()
            .for_each(|controller| controller.abort());
    }

    pub(in crate::programs) fn name_of(&self, socket: Socket) -> String {
        let named = self
            .running
            .all()
            .into_iter()
            .find(|m| m.socket() == Some(socket));
        named.map_or("?".to_owned(), |member| member.name.clone())
    }

    pub(super) fn socket(&self) -> Option<Socket> {
        match self.handle.get() {
            Some(Handle::Socket(socket)) => Some(socket),
            _ => None,
        }
    }

    pub(super) fn adopt(self: &Rc<Member>, socket: Socket) {
        self.handle.set(Some(Handle::Socket(socket)));
        table::listen(self, socket, word(&self.words, "deaf").is_none());
    }
}

/// Bytes as they are shown: their number, and a hash of them.
pub(super) struct Bytes {
    count: usize,
    hash: u32,
}

impl Default for Bytes {
    fn default() -> Bytes {
        let (count, hash) = (0, 0x811c_9dc5);
        Bytes { count, hash }
    }
}

impl Bytes {
    pub(super) fn add(&mut self, chunk: &[u8]) {
        let hash = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        self.count += chunk.len();
        self.hash = chunk.iter().fold(self.hash, hash);
    }

    pub(super) fn text(&self) -> String {
        format!("{} #{:x}", self.count, self.hash)
    }
}

pub(in crate::programs) fn shown(chunk: Option<Vec<u8>>) -> String {
    let Some(chunk) = chunk else {
        return "null".to_owned();
    };
    let mut bytes = Bytes::default();
    bytes.add(&chunk);
    bytes.text()
}
