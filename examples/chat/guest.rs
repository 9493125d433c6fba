//! One connection, from its first bytes on.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::http::{self, Body, Http};
use soquete::framing::websocket::{self, Close, Outgoing};
use soquete::framing::{FrameError, FrameReader, Item, Reading, WebSocket};
use soquete::net::Socket;
use soquete::{Error, event, timers};

use super::door::{Door, LONGEST_HEAD};
use super::notice::{Tongue, cleaned, framed, note};
use super::room::{Room, end, say_goodbye};
use super::web::{self, Answer};

/// How long a connection may take to say who it is, or to ask for another page.
const UNKNOWN_FOR: Duration = Duration::from_secs(10);
/// How long one line, request or message may take from its first byte to its last.
const DEADLINE: Duration = Duration::from_secs(10);

/// In bytes, whatever it came by.
const LONGEST_MESSAGE: usize = 2000;
const LONGEST_NAME: usize = 24;
/// What is sent back on the path for tests may be longer: the Autobahn cases go up to 16 MiB.
const LONGEST_ECHO: usize = 32 << 20;
/// Each may hold two such messages, and read the answer slowly: more at a time are turned away.
const MOST_ECHOES: usize = 8;

/// How much of an answer is written before it is looked at whether it goes out.
const PIECE: usize = 64 << 10;

/// What all guests have in common beside the room.
#[derive(Default)]
pub struct House {
    /// The server is on its way out.
    pub leaving: Cell<bool>,
    /// How many guests have all sent back.
    echoes: Cell<usize>,
}

pub struct Guest {
    socket: Socket,
    room: Rc<Room>,
    house: Rc<House>,
    state: Cell<State>,
    /// It is one of those that have all sent back.
    has_echo: Cell<bool>,
    name: RefCell<String>,
    /// Why the connection broke, if it did.
    broken: RefCell<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// No name yet.
    Unknown(Tongue),
    Member(Tongue),
    /// A program that tries out our WebSocket.
    Echo,
    /// A browser that gets pages.
    Browser,
    /// The connection ends, and whatever else comes is of no interest.
    Gone,
}

pub fn welcome(socket: Socket, room: &Rc<Room>, house: &Rc<House>) {
    let guest = Rc::new(Guest {
        socket,
        room: Rc::clone(room),
        house: Rc::clone(house),
        state: Cell::new(State::Unknown(Tongue::Lines)),
        has_echo: Cell::new(false),
        name: RefCell::default(),
        broken: RefCell::default(),
    });
    let unknown = Rc::clone(&guest);
    // Each try at a name would put off the idle timeout.
    let too_long = timers::set_timeout(UNKNOWN_FOR, move || {
        if let State::Unknown(_) = unknown.state.get() {
            socket.destroy();
        }
    });
    too_long.unref();
    let (failing, closing) = (Rc::clone(&guest), Rc::clone(&guest));
    socket.on(event::Error, move |error| failing.broke(error));
    socket.on(event::Close, move |_| {
        too_long.clear();
        closing.leave();
    });
    socket.set_timeout_then(UNKNOWN_FOR, move |socket| socket.destroy());
    // Told of what is wrong, as the door says in which words to answer.
    let reader = FrameReader::new(Door::Closed, LONGEST_HEAD).tell_bad_frames();
    socket
        .frame_items_with(reader, move |item, reading| match item {
            Item::Frame(frame) => guest.heard(frame, reading),
            Item::Refused { error, .. } => guest.misheard(error, reading.format()),
            _ => {}
        })
        .deadline(DEADLINE);
}

impl Guest {
    fn heard(&self, frame: &[u8], reading: Reading<'_, Door>) {
        if self.state.get() == State::Gone {
            return;
        }
        self.room.heard_of(self.socket);
        match reading.format() {
            Door::Closed => {}
            Door::Requests(_) if reading.kind() != Http::HEAD => {}
            Door::Requests(_) => self.asked(frame, reading),
            Door::Lines(_) => self.said(&String::from_utf8_lossy(frame)),
            Door::WebSocket(_) => match (reading.kind(), self.state.get()) {
                (websocket::PING, _) => self.send(Outgoing::pong(), frame),
                (websocket::CLOSE, _) => {
                    end(self.socket, framed(Outgoing::close(), frame));
                    self.gone();
                }
                (websocket::TEXT, State::Echo) => self.send(Outgoing::text(), frame),
                (websocket::BINARY, State::Echo) => self.send(Outgoing::binary(), frame),
                (websocket::TEXT, _) => self.said(&String::from_utf8_lossy(frame)),
                (websocket::BINARY, State::Unknown(tongue) | State::Member(tongue)) => {
                    say_goodbye(self.socket, tongue, Close::UNSUPPORTED, "words, please");
                    self.gone();
                }
                _ => {}
            },
        }
    }

    /// A request has come over HTTP.
    fn asked(&self, head: &[u8], mut reading: Reading<'_, Door>) {
        self.state.set(State::Browser);
        let has_body =
            matches!(reading.format(), Door::Requests(http) if http.body() != Body::None);
        let mut answer = web::answer(head, has_body, self.house.leaving.get());
        if matches!(answer, Answer::Echo(_)) && !self.begins_echo() {
            answer = Answer::Last(web::refusal(503));
        }
        let (answer, limit, state) = match answer {
            Answer::Page(answer) => return write_on(self.socket, answer, 0),
            Answer::Last(answer) => {
                end(self.socket, answer);
                return self.gone();
            }
            Answer::Chat(answer) => (answer, LONGEST_MESSAGE, State::Unknown(Tongue::WebSocket)),
            Answer::Echo(answer) => (answer, LONGEST_ECHO, State::Echo),
        };
        self.socket.write(answer);
        self.state.set(state);
        match reading.switch(Door::WebSocket(WebSocket::server()), limit) {
            Ok(()) => {}
            Err(_) => self.gone(),
        }
    }

    /// A line, or a message: a name, a command, or what is to be told to all.
    fn said(&self, text: &str) {
        let text = cleaned(text);
        let (State::Unknown(tongue) | State::Member(tongue)) = self.state.get() else {
            return;
        };
        let note = |text: &str| self.socket.writable() && self.socket.write(note(tongue, text));
        match (self.state.get(), text.as_str()) {
            (_, "") => {}
            (_, "/quit") => {
                say_goodbye(self.socket, tongue, Close::NORMAL, "bye");
                self.gone();
            }
            (State::Unknown(_), name) => self.introduced(name, tongue),
            (_, "/who") => _ = note(&format!("here are {}", self.room.names())),
            (_, "/where") => _ = note(&self.whereabouts()),
            (_, text) if text.starts_with('/') => _ = note("there are /who, /where and /quit"),
            // The limit of lines is that of a request, which they may have become.
            (_, text) if text.len() > LONGEST_MESSAGE => {
                note(&format!(
                    "that was not sent: it is longer than {LONGEST_MESSAGE} bytes"
                ));
            }
            (_, text) => {
                if !self.room.say(&self.name.borrow(), text) {
                    note("that was not sent: too much waits already");
                }
            }
        }
    }

    fn introduced(&self, name: &str, tongue: Tongue) {
        let fits = name.chars().count() <= LONGEST_NAME
            && !name.contains(char::is_whitespace)
            && !name.starts_with('/');
        if !fits {
            self.socket
                .write(note(tongue, "a name is one word of up to 24 letters"));
        } else if self.room.enter(self.socket, name, tongue) {
            name.clone_into(&mut self.name.borrow_mut());
            self.state.set(State::Member(tongue));
            // From here on the room looks who is too silent.
            self.socket.set_timeout(Duration::ZERO);
        } else {
            self.socket
                .write(note(tongue, &format!("{name} is somebody else's name")));
        }
    }

    /// Who this is for the server, and which server that is.
    fn whereabouts(&self) -> String {
        let (address, port) = (self.socket.remote_address(), self.socket.remote_port());
        let address = address.map_or("?".to_owned(), |address| address.to_string());
        format!(
            "you are {address}:{}, in {}",
            port.unwrap_or_default(),
            self.room.origin()
        )
    }

    /// Whether there is room for one more that has all sent back.
    fn begins_echo(&self) -> bool {
        let echoes = &self.house.echoes;
        let begins = echoes.get() < MOST_ECHOES;
        if begins {
            echoes.set(echoes.get() + 1);
            self.has_echo.set(true);
        }
        begins
    }

    fn leave(&self) {
        if self.has_echo.take() {
            self.house.echoes.set(self.house.echoes.get() - 1);
        }
        self.room.leave(self.socket, &self.broken.borrow());
    }

    fn gone(&self) {
        self.state.set(State::Gone);
    }

    fn send(&self, outgoing: Outgoing, payload: &[u8]) {
        // After a goodbye nothing is to follow, but what still comes is heard.
        if self.socket.writable() {
            write_on(self.socket, framed(outgoing, payload), 0);
        }
    }

    /// What came is none of what is spoken behind that door.
    fn misheard(&self, error: FrameError, door: &Door) {
        match (door, self.state.get()) {
            (_, State::Gone) => {}
            (Door::Requests(_), _) => {
                let status = http::status_of(&error);
                end(self.socket, web::refusal(status));
            }
            (Door::WebSocket(_), _) => {
                let code = websocket::close_code(error);
                say_goodbye(self.socket, Tongue::WebSocket, code, &error.to_string());
            }
            _ => say_goodbye(
                self.socket,
                Tongue::Lines,
                Close::TOO_BIG,
                &error.to_string(),
            ),
        }
        self.gone();
    }

    fn broke(&self, error: &Error) {
        *self.broken.borrow_mut() = match error.code() {
            "ERR_SOCKET_WRITE_QUEUE_FULL" => ", who did not listen".into(),
            _ => ", whose connection broke".into(),
        };
    }
}

/// Writes from there on, as fast as it is read. Nothing more is heard before all of it has gone out, so that whoever
/// asks for much and reads it slowly gets it.
fn write_on(socket: Socket, answer: Vec<u8>, mut from: usize) {
    for piece in answer[from..].chunks(PIECE) {
        from += piece.len();
        if !socket.write(piece) {
            socket
                .pause()
                .once(event::Drain, move |()| write_on(socket, answer, from));
            return;
        }
    }
    socket.resume();
}
