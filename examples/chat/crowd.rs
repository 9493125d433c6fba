//! A crowd in the chat, which counts: `cargo run --release --example chat_crowd PORT [options]`.
//!
//! Half of the clients speak WebSocket and half speak lines, each from an address of its own on the loopback (Linux has
//! them all). Each says so many things, and comes back when it is sent home. In the end every client must have been told
//! of everything that was said, and of nothing twice.
//!
//! | option | |
//! |---|---|
//! | `--clients N` | how many; 100 |
//! | `--messages N` | how much each says; 20 |
//! | `--every MILLISECONDS` | how long a client waits between two of them; 100 |
//! | `--drain PID` | half-way, this server is told to end |
//! | `--newcomers N` | who come after that, and have to be let in elsewhere; 20 |
//! | `--blocked ADDRESS` | from here nobody may be let in |

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::process::{Command, exit};
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::websocket::{self, Outgoing, check_answer, client_key};
use soquete::framing::{Delimiters, Either, Encode, FrameReader, Item, Lines, WebSocket};
use soquete::net::{self, ConnectOptions, Socket};
use soquete::{event, timers};

/// How long after the last thing was said all must have been told.
const PATIENCE: Duration = Duration::from_secs(20);

struct Crowd {
    port: u16,
    messages: usize,
    every: Duration,
    clients: RefCell<Vec<Rc<Client>>>,
    /// In which instance those are that have asked.
    seats: RefCell<BTreeMap<String, usize>>,
    wrong: RefCell<Vec<String>>,
    reconnects: Cell<usize>,
    blocked_in: Cell<bool>,
}

struct Client {
    name: String,
    address: String,
    speaks_lines: bool,
    socket: Cell<Option<Socket>>,
    said: Cell<usize>,
    /// What it was told was said, over all of its connections.
    told: RefCell<HashSet<String>>,
    /// The same on this connection, with how often.
    here: RefCell<HashMap<String, usize>>,
    seat: RefCell<Option<String>>,
}

fn main() -> soquete::Result<()> {
    let options = options();
    let number = |name: &str, otherwise: usize| {
        options
            .get(name)
            .map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let crowd = Rc::new(Crowd {
        port: number("port", 3000) as u16,
        messages: number("--messages", 20),
        every: Duration::from_millis(number("--every", 100) as u64),
        clients: RefCell::default(),
        seats: RefCell::default(),
        wrong: RefCell::default(),
        reconnects: Cell::new(0),
        blocked_in: Cell::new(false),
    });
    let count = number("--clients", 100);
    for n in 0..count {
        crowd.bring(
            format!("c{n}"),
            format!("127.1.{}.{}", n / 200, n % 200 + 1),
        );
    }
    if let Some(address) = options.get("--blocked") {
        crowd.try_from(address);
    }
    let talk = crowd.every * crowd.messages as u32;
    let newcomers = number("--newcomers", 20);
    if let Some(pid) = options.get("--drain").cloned() {
        let crowd = Rc::clone(&crowd);
        timers::set_timeout(talk / 2, move || {
            let seats = crowd.seats.take();
            println!("before: {seats:?}");
            let told = Command::new("kill").args(["-TERM", &pid]).status();
            assert!(
                told.is_ok_and(|status| status.success()),
                "{pid} is told to end"
            );
            // By then the balancer has noticed.
            timers::set_timeout(Duration::from_millis(700), move || {
                for n in 0..newcomers {
                    crowd.bring(format!("n{n}"), format!("127.2.0.{}", n + 1));
                }
            });
        });
    }
    let judging = Rc::clone(&crowd);
    let started = soquete::now();
    timers::set_interval(Duration::from_millis(100), move || {
        let late = soquete::now().saturating_sub(started) > talk + PATIENCE;
        if judging.is_done(count) || late {
            judging.judge(count, newcomers);
        }
    });
    soquete::run()
}

impl Crowd {
    fn bring(self: &Rc<Self>, name: String, address: String) {
        let speaks_lines = self.clients.borrow().len() % 2 == 0;
        let client = Rc::new(Client {
            name,
            address,
            speaks_lines,
            socket: Cell::new(None),
            said: Cell::new(0),
            told: RefCell::default(),
            here: RefCell::default(),
            seat: RefCell::default(),
        });
        self.clients.borrow_mut().push(Rc::clone(&client));
        self.connect(&client);
        let talks = client.name.starts_with('c');
        if talks {
            let crowd = Rc::clone(self);
            timers::set_interval(self.every, move || {
                if client.said.get() == crowd.messages {
                    return soquete::Flow::Stop;
                }
                if let Some(socket) = client.socket.get().filter(Socket::writable) {
                    client.said.set(client.said.get() + 1);
                    client.say(
                        socket,
                        &format!("{} says {}", client.name, client.said.get()),
                    );
                }
                soquete::Flow::Continue
            });
        }
    }

    fn connect(self: &Rc<Self>, client: &Rc<Client>) {
        let options = ConnectOptions::new(self.port)
            .host("127.0.0.1")
            .local_address(&client.address);
        let socket = net::connect(options);
        client.here.borrow_mut().clear();
        socket.on(event::Error, |_| {});
        let (again, coming) = (Rc::clone(self), Rc::clone(client));
        socket.once(event::Close, move |_| {
            coming.socket.set(None);
            again.reconnects.set(again.reconnects.get() + 1);
            timers::set_timeout(Duration::from_millis(50), move || again.connect(&coming));
        });
        let (crowd, hearing) = (Rc::clone(self), Rc::clone(client));
        if client.speaks_lines {
            socket.once(event::Connect, move |()| crowd.enter(&hearing, socket));
            let (crowd, hearing) = (Rc::clone(self), Rc::clone(client));
            socket.frames(FrameReader::new(Lines::new(), 4096), move |line| {
                crowd.told(&hearing, socket, &String::from_utf8_lossy(line));
            });
            return;
        }
        let key = client_key(*b"a crowd of keys.");
        socket.write(format!(
            "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ));
        let head = Delimiters::new(&[b"\r\n\r\n"]).expect("a delimiter");
        socket.frame_items_with(
            FrameReader::new(Either::A(head), 8192),
            move |item, mut reading| {
                let Item::Frame(frame) = item else { return };
                match (reading.format(), reading.kind()) {
                    (Either::A(_), _) => {
                        let head = String::from_utf8_lossy(frame);
                        let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
                        let fields =
                            fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
                        if let Err(refusal) = check_answer(101, fields, &key, &[]) {
                            crowd.wrong(format!("{}: {refusal}", hearing.name));
                        }
                        reading
                            .switch(Either::B(WebSocket::client()), 1 << 16)
                            .expect("the head has ended");
                        crowd.enter(&hearing, socket);
                    }
                    (_, websocket::TEXT) => {
                        crowd.told(&hearing, socket, &String::from_utf8_lossy(frame))
                    }
                    (_, websocket::PING) => hearing.send(socket, Outgoing::pong(), frame),
                    (_, websocket::CLOSE) => {
                        hearing.send(socket, Outgoing::close(), frame);
                        socket.end();
                    }
                    _ => {}
                }
            },
        );
    }

    fn enter(&self, client: &Client, socket: Socket) {
        client.say(socket, &client.name);
        client.say(socket, "/where");
        client.socket.set(Some(socket));
    }

    fn told(&self, client: &Client, socket: Socket, text: &str) {
        // A line is as it is said; a message has fields, of which the last two are who and what.
        let fields: Vec<_> = text.split('\t').collect();
        let (text, id) = match fields[..] {
            ["note", _, _, _, text] => (format!("* {text}"), ""),
            [_, id, _, who, text] => (format!("{who}: {text}"), id),
            _ => (text.to_owned(), ""),
        };
        if let Some(where_) = text.strip_prefix("* you are ") {
            let (address, seat) = where_.split_once(", in ").unwrap_or((where_, ""));
            let own = format!(
                "{}:{}",
                client.address,
                socket.local_port().unwrap_or_default()
            );
            if address != own {
                self.wrong(format!(
                    "{} is {own}, and is taken for {address}",
                    client.name
                ));
            }
            *self.seats.borrow_mut().entry(seat.to_owned()).or_default() += 1;
            *client.seat.borrow_mut() = Some(seat.to_owned());
        } else if text.contains(" says ") {
            let times = client
                .here
                .borrow_mut()
                .entry(text.clone())
                .and_modify(|n| *n += 1)
                .or_insert(1)
                .to_owned();
            if times > 1 {
                self.wrong(format!("{} is told twice {text} ({id})", client.name));
            }
            client.told.borrow_mut().insert(text);
        } else if text.contains("somebody else's name") {
            self.wrong(format!("{}: {text}", client.name));
        }
    }

    /// From this address nobody may get an answer.
    fn try_from(self: &Rc<Self>, address: &str) {
        let socket = net::connect(
            ConnectOptions::new(self.port)
                .host("127.0.0.1")
                .local_address(address),
        );
        socket.write("blocked\n");
        socket.on(event::Error, |_| {});
        let crowd = Rc::clone(self);
        socket.on(event::Data, move |_| crowd.blocked_in.set(true));
    }

    fn wrong(&self, what: String) {
        self.wrong.borrow_mut().push(what);
    }

    fn is_done(&self, talking: usize) -> bool {
        let all = talking * self.messages;
        let clients = self.clients.borrow();
        let talked = clients[..talking]
            .iter()
            .all(|client| client.said.get() == self.messages);
        talked
            && clients[..talking]
                .iter()
                .all(|client| client.told.borrow().len() == all)
    }

    fn judge(&self, talking: usize, newcomers: usize) {
        let all = talking * self.messages;
        let clients = self.clients.borrow();
        for client in &clients[..talking] {
            let told = client.told.borrow().len();
            if told != all {
                self.wrong(format!("{} was told {told} of {all}", client.name));
            }
        }
        if self.blocked_in.get() {
            self.wrong("who is blocked was let in".to_owned());
        }
        let mut seats = BTreeMap::new();
        for newcomer in &clients[talking..] {
            let seat = newcomer.seat.borrow().clone().unwrap_or_default();
            *seats.entry(seat).or_insert(0) += 1;
        }
        if !seats.is_empty()
            && (seats.len() != 1
                || seats.values().sum::<usize>() != newcomers
                || seats.contains_key(""))
        {
            self.wrong(format!("newcomers are in {seats:?}"));
        }
        println!("newcomers: {seats:?}");
        println!(
            "{} clients were told of {all} messages each; {} came again",
            talking,
            self.reconnects.get()
        );
        let wrong = self.wrong.borrow();
        for what in wrong.iter().take(20) {
            println!("WRONG: {what}");
        }
        println!("{} wrong", wrong.len());
        exit(i32::from(!wrong.is_empty()));
    }
}

impl Client {
    fn say(&self, socket: Socket, text: &str) {
        if self.speaks_lines {
            socket.write(format!("{text}\n"));
        } else {
            self.send(socket, Outgoing::text(), text.as_bytes());
        }
    }

    fn send(&self, socket: Socket, outgoing: Outgoing, payload: &[u8]) {
        let key = || (RandomState::new().hash_one(()) as u32).to_ne_bytes();
        let mut frame = Vec::new();
        outgoing
            .masked(key)
            .encode(payload, &mut frame)
            .expect("what was received, or text");
        socket.write(frame);
    }
}

/// The port, and what follows each option.
fn options() -> HashMap<String, String> {
    let mut options = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.starts_with("--") {
            true => options.insert(argument, arguments.next().unwrap_or_default()),
            false => options.insert("port".to_owned(), argument),
        };
    }
    options
}
