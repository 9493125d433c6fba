//! The connections: what a peer may do, and for how long.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::http::{self, Body, Http, RequestHead};
use soquete::framing::{FrameReader, Item, Reading};
use soquete::net::{self, Frames, Server, ServerOptions, Socket};
use soquete::{Result, event, timers};

use super::answers::{Answers, Asked, Rest};

/// What a peer may send, and how slowly.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body, in bytes.
    pub body: usize,
    /// From a head's first byte to its last.
    pub head_deadline: Duration,
    /// From the head to the body's last byte.
    pub body_deadline: Duration,
    /// For how long a connection may be silent: between two requests, and in the midst of an answer.
    pub idle: Duration,
    /// For how long a connection stays when its last answer is on the way, if the client goes on sending.
    pub linger: Duration,
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body: 1 << 20,
            head_deadline: Duration::from_secs(10),
            body_deadline: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            connections: 10_000,
        }
    }
}

/// Answers that a client may leave unread. A piece of a file is less, so that only a client that sends requests
/// without reading what comes back gets there.
const MOST_UNREAD: usize = 16 << 20;

/// How much of a long answer is written before the other connections have their turns. A client that reads as fast as
/// this writes would keep them waiting to the answer's end.
const MOST_AT_ONCE: usize = 512 << 10;

/// What all connections share.
struct Shared {
    limits: Limits,
    answers: RefCell<Answers>,
    connections: RefCell<HashMap<Socket, Rc<Connection>>>,
    closing: Cell<bool>,
}

/// One connection.
struct Connection {
    socket: Socket,
    shared: Rc<Shared>,
    frames: OnceCell<Frames>,
    /// What is asked for, once its head has come, until it is answered.
    asked: RefCell<Option<Asked>>,
    /// A long answer is being written: the next request has to wait, and cannot help being late.
    answering: Cell<bool>,
    /// Nothing is read any more.
    leaving: Cell<bool>,
}

/// A server that does not listen yet.
///
/// # Errors
///
/// If there is no such folder.
pub fn create(folder: impl Into<PathBuf>, limits: Limits) -> Result<Server> {
    let shared = Rc::new(Shared {
        limits,
        answers: RefCell::new(Answers::new(folder.into())?),
        connections: RefCell::default(),
        closing: Cell::new(false),
    });
    let options = ServerOptions::new()
        .no_delay(true)
        // What a client has asked for it gets, though it has nothing more to ask.
        .allow_half_open(true)
        .max_write_queue(MOST_UNREAD);
    let own = Rc::clone(&shared);
    let server = net::create_server_with(options, move |socket| serve(socket, &own));
    server.set_max_connections(Some(limits.connections));
    // As Node does it: nobody needs a deadline to the millisecond, and there is one timer for all.
    let often = (limits.head_deadline / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    let late = Rc::downgrade(&shared);
    timers::set_interval(often, move || {
        if let Some(shared) = late.upgrade() {
            shared.refuse_late_ones();
        }
    })
    .unref();
    server.attach(shared);
    Ok(server)
}

/// Takes no more connections, and ends the others behind the answer that is under way; at the deadline in any case.
pub fn shut_down(server: Server, deadline: Duration) {
    if let Some(shared) = server.attachment::<Rc<Shared>>() {
        shared.closing.set(true);
    }
    server.shutdown(deadline);
}

fn serve(socket: Socket, shared: &Rc<Shared>) {
    let connection = Rc::new(Connection {
        socket,
        shared: Rc::clone(shared),
        frames: OnceCell::new(),
        asked: RefCell::new(None),
        answering: Cell::new(false),
        leaving: Cell::new(false),
    });
    let [own, own_error] = [0; 2].map(|_| Rc::clone(&connection));
    let reader = FrameReader::new(Http::requests(), shared.limits.body);
    let frames = socket
        .frame_items_with(reader, move |item, reading| own.take(item, reading))
        .on_error(move |error| own_error.refuse(http::status_of(&error)));
    // It is set this once.
    let _ = connection.frames.set(frames);
    // A connection that breaks is the client's affair.
    socket.on(event::Error, |_| {});
    socket.on(event::End, move |()| socket.end());
    socket.set_timeout(shared.limits.idle);
    socket.on(event::Timeout, move |()| socket.destroy());
    let mut connections = shared.connections.borrow_mut();
    connections.insert(socket, connection);
    let shared = Rc::downgrade(shared);
    socket.on(event::Close, move |_| {
        if let Some(shared) = shared.upgrade() {
            shared.connections.borrow_mut().remove(&socket);
        }
    });
}

impl Shared {
    fn refuse_late_ones(&self) {
        let connections = self.connections.borrow();
        let late = connections
            .values()
            .filter(|connection| connection.is_late());
        let late = late.cloned().collect::<Vec<_>>();
        drop(connections);
        for connection in late {
            connection.refuse(408);
        }
    }
}

impl Connection {
    fn is_late(&self) -> bool {
        let age = self.frames.get().and_then(Frames::age);
        let deadline = match *self.asked.borrow() {
            Some(_) => self.shared.limits.body_deadline,
            None => self.shared.limits.head_deadline,
        };
        !self.leaving.get() && !self.answering.get() && age.is_some_and(|age| age >= deadline)
    }

    fn take(self: &Rc<Self>, item: Item<'_>, reading: Reading<'_, Http>) {
        if self.leaving.get() {
            return;
        }
        let Item::Frame(frame) = item else { return };
        match reading.kind() {
            Http::HEAD => self.take_head(frame, reading.format().body()),
            Http::BODY => self.answer(frame),
            _ => {}
        }
    }

    fn take_head(self: &Rc<Self>, frame: &[u8], body: Body) {
        let Some(head) = RequestHead::parse(frame) else {
            return self.refuse(400);
        };
        let asked = self.shared.answers.borrow().asked(&head);
        self.asked.replace(Some(asked));
        // HTTP/1.0 has no expectations, whatever its client says (RFC 9110, section 10.1.1).
        let expects = head.minor_version() == 1 && head.field("expect").is_some();
        if expects && !head.expects_continue() {
            return self.refuse(417);
        }
        if matches!(body, Body::Length(length) if length > self.shared.limits.body as u64) {
            return self.refuse(413);
        }
        if body == Body::None {
            return self.answer(b"");
        }
        if head.expects_continue() {
            self.socket.write(http::CONTINUE);
        }
    }

    /// The request is there, all of it.
    fn answer(self: &Rc<Self>, body: &[u8]) {
        let Some(mut asked) = self.asked.take() else {
            return;
        };
        asked.keep_alive &= !self.shared.closing.get();
        let mut answers = self.shared.answers.borrow_mut();
        let (written, rest) = answers.write(&asked, body);
        let room = self.socket.write(written);
        drop(answers);
        match rest {
            Some(rest) => self.go_on(rest, asked.keep_alive),
            None if !asked.keep_alive => self.leave(),
            // Nobody reads the answers: no more requests until somebody does.
            None if !room => {
                let socket = self.socket.pause();
                socket.once(event::Drain, move |()| socket.resume());
            }
            None => {}
        }
    }

    /// Writes the rest of a long answer as fast as it is read. The next request has to wait.
    fn go_on(self: &Rc<Self>, mut rest: Rest, keep_alive: bool) {
        let socket = self.socket.pause();
        self.answering.set(true);
        let mut written = 0;
        loop {
            let Ok(piece) = rest.next_piece() else {
                // All that is left to say is that this is not the whole of it.
                socket.destroy();
                return;
            };
            let Some(piece) = piece else { break };
            written += piece.len();
            let own = Rc::clone(self);
            if written > MOST_AT_ONCE {
                // This piece stays behind until then: a connection with nothing queued is idle to a shutdown.
                socket.cork().write(piece);
                timers::set_immediate(move || {
                    if !socket.uncork().destroyed() {
                        own.go_on(rest, keep_alive);
                    }
                });
                return;
            }
            if !socket.write(piece) {
                socket.once(event::Drain, move |()| own.go_on(rest, keep_alive));
                return;
            }
        }
        self.answering.set(false);
        if !keep_alive {
            return self.leave();
        }
        // Requests that were sent in one go have one such answer each, and the others have their turns between them.
        timers::set_immediate(move || socket.resume());
    }

    /// Answers what cannot be read, or is not wanted, and ends.
    fn refuse(&self, status: u16) {
        if self.leaving.get() {
            return;
        }
        let mut answers = self.shared.answers.borrow_mut();
        self.socket
            .write(answers.refusal(status, self.asked.take()));
        drop(answers);
        self.leave();
    }

    /// Ends behind what was written. What the client still sends is read for a while and dropped: a reset would take
    /// the answer away from it. That while begins when the answer is on the way, however slowly the client reads; until
    /// then nothing is read, so that the idle timeout counts what is written alone.
    fn leave(&self) {
        self.leaving.set(true);
        let linger = self.shared.limits.linger;
        let socket = self.socket.pause();
        socket.end_then(move |_| {
            socket.resume();
            timers::set_timeout(linger, move || socket.destroy()).unref();
        });
    }
}
