//! Runs a program by this crate. The other half is interpreter.mjs.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use soquete::events::ListenerId;
use soquete::net::{
    AbortController, Address, ConnectOptions, ListenOptions, Server, ServerOptions, Socket,
    SocketOptions,
};
use soquete::{Error, Result, event, net, timers};

use super::program::{Client, Program, Step, word};
use super::table::{self, Argument, Given, Operation};

/// The options that whatever makes sockets has.
macro_rules! socket_words {
    ($words:expr, $options:expr) => {{
        let options = $options
            .no_delay(true)
            .allow_half_open(word($words, "half").is_some());
        match number($words, "mark") {
            Some(mark) => options.high_water_mark(mark),
            None => options,
        }
    }};
}

const PATTERN: &[u8] = "aé€😀".as_bytes();

/// What ticks of one millisecond without anything new mean, and how many there may be.
const QUIET_TICKS: u32 = 4;
const MOST_TICKS: u32 = 400;
/// How many rules one socket may follow, for those that lead to themselves.
const MOST_RULES: u32 = 60;
/// A program takes milliseconds; one that takes so long hangs.
const WATCHDOG: Duration = Duration::from_secs(20);

/// What a listener that is to be interrupted panics with.
struct Thrown;

/// When small writes go out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// When the callback that wrote them returns.
    Together,
    /// At once, as in Node.
    AtOnce,
}

/// Everything that happens in a program, in a loop of its own.
pub(super) fn run(program: &Program, sending: Sending) -> String {
    let (sender, receiver) = channel();
    let program = program.clone();
    let thread = std::thread::spawn(move || {
        let running = Rc::new(Running::new(program, sending));
        let beginning = Rc::clone(&running);
        timers::set_immediate(move || beginning.begin());
        let uncaught = Rc::clone(&running);
        soquete::on_unhandled_error(move |error| uncaught.uncaught(&table::describe(&error)));
        loop {
            match catch_unwind(AssertUnwindSafe(soquete::run)) {
                Ok(Ok(())) => break,
                Ok(Err(error)) => panic!("the loop: {error}"),
                Err(thrown) if thrown.is::<Thrown>() => running.uncaught("THROWN syscall=none"),
                Err(panic) => resume_unwind(panic),
            }
        }
        let _ = sender.send(running.text());
        running.members.take();
    });
    match receiver.recv_timeout(WATCHDOG) {
        Ok(text) => text,
        Err(RecvTimeoutError::Timeout) => format!("!: still running after {WATCHDOG:?}\n"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => format!("!: panicked: {}\n", message(&*panic)),
            Ok(()) => unreachable!("a program sends its text or panics"),
        },
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        _ => "something",
    }
}

struct Running {
    program: Program,
    sending: Sending,
    watches: bool,
    members: RefCell<BTreeMap<String, Rc<Member>>>,
    address: RefCell<Option<Address>>,
    activity: Cell<u64>,
    /// How many clients.
    made: Cell<usize>,
    waiting: Cell<u32>,
    depth: Cell<u32>,
    is_over: Cell<bool>,
    uncaught: RefCell<Vec<String>>,
}

/// A client, an accepted socket, or the server.
pub(super) struct Member {
    running: Rc<Running>,
    name: String,
    words: Vec<String>,
    handle: Cell<Option<Handle>>,
    controller: RefCell<Option<AbortController>>,
    sent: Cell<usize>,
    followed: Cell<u32>,
    counts: RefCell<HashMap<&'static str, u32>>,
    lines: RefCell<Vec<Line>>,
    is_gone: Cell<bool>,
    may_connect: Cell<bool>,
    is_settled: Cell<bool>,
    pub(super) data: Listener,
    pub(super) readable: Listener,
    pub(super) is_text: Cell<bool>,
    pub(super) armed: Cell<bool>,
    pub(super) stops: Cell<bool>,
}

#[derive(Clone, Copy)]
enum Handle {
    Socket(Socket),
    Server(Server),
}

enum Line {
    Text(String),
    Bytes(Bytes),
}

/// The one listener that a program may have of an event.
#[derive(Default)]
pub(super) struct Listener(Cell<Option<ListenerId>>);

impl Listener {
    pub(super) fn set_if_none(&self, listen: impl FnOnce() -> ListenerId) {
        if self.0.get().is_none() {
            self.0.set(Some(listen()));
        }
    }

    pub(super) fn take(&self) -> Option<ListenerId> {
        self.0.take()
    }
}

impl Running {
    fn new(program: Program, sending: Sending) -> Running {
        Running {
            sending,
            watches: word(&program.server, "watch").is_some(),
            program,
            members: RefCell::default(),
            address: RefCell::default(),
            activity: Cell::default(),
            made: Cell::default(),
            waiting: Cell::default(),
            depth: Cell::default(),
            is_over: Cell::default(),
            uncaught: RefCell::default(),
        }
    }

    fn begin(self: &Rc<Running>) {
        let member = self.member("S", &self.program.server);
        let words = &self.program.server;
        let mut options = socket_words!(words, ServerOptions::new());
        options = options.pause_on_connect(word(words, "pause").is_some());
        let server = Server::new_with(options);
        member.handle.set(Some(Handle::Server(server)));
        if let Some(max) = number(words, "max") {
            server.set_max_connections(Some(max));
        }
        self.listen(&member, server);
        let mut options = if self.program.is_ipc() {
            ListenOptions::path(fresh_path())
        } else {
            ListenOptions::new(0).host("127.0.0.1")
        };
        if let Some(controller) = controller(words) {
            options = options.signal(controller.signal());
            member.controller.replace(Some(controller));
        }
        server.listen(options);
        let running = Rc::clone(self);
        self.when_quiet(move || running.finish());
    }

    fn listen(self: &Rc<Running>, member: &Rc<Member>, server: Server) {
        let (running, m) = (Rc::clone(self), Rc::clone(member));
        server.on(event::Listening, move |()| {
            m.server_event("listening", "listening");
            running.make_clients(server);
        });
        let (running, m, accepted) = (Rc::clone(self), Rc::clone(member), Cell::new(0));
        server.on(event::Connection, move |socket| {
            m.note("connection");
            let name = format!("s{}", accepted.replace(accepted.get() + 1));
            let accepted = running.member(&name, &running.program.server);
            accepted.adopt(socket);
            accepted.follow("start");
            m.follow("connection");
        });
        let m = Rc::clone(member);
        server.on(event::Drop, move |_| m.server_event("drop", "drop"));
        let m = Rc::clone(member);
        server.on(event::Error, move |error| {
            m.server_event("error", &format!("error {}", table::describe(error)));
        });
        let m = Rc::clone(member);
        server.on(event::Close, move |had_error| {
            m.is_gone.set(true);
            m.server_event("close", &format!("close({had_error})"));
        });
    }

    fn make_clients(self: &Rc<Running>, server: Server) {
        let Some(address) = server.address() else {
            return;
        };
        self.address.replace(Some(address));
        self.make_client();
    }

    fn make_client(self: &Rc<Running>) {
        let made = self.made.replace(self.made.get() + 1);
        let Some(Client { name, words }) = self.program.clients.get(made) else {
            return;
        };
        if !self.is_over.get() {
            let member = self.member(name, words);
            member.make();
            member.follow("start");
        }
    }

    fn member(self: &Rc<Running>, name: &str, words: &[String]) -> Rc<Member> {
        let member = Rc::new(Member {
            running: Rc::clone(self),
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
        });
        let mut members = self.members.borrow_mut();
        members.insert(name.to_owned(), Rc::clone(&member));
        member
    }

    fn all(&self) -> Vec<Rc<Member>> {
        self.members.borrow().values().map(Rc::clone).collect()
    }

    /// Nothing happens any more: everything is closed.
    fn finish(self: Rc<Running>) {
        self.is_over.set(true);
        let open: Vec<Rc<Member>> = self
            .all()
            .into_iter()
            .filter(|m| !m.is_gone.get())
            .collect();
        for member in &open {
            if let Some(Handle::Socket(socket)) = member.handle.get() {
                member.note(format!("at rest {}", table::look(member, socket)));
            }
        }
        for member in &open {
            match member.handle.get() {
                Some(Handle::Socket(socket)) => drop(socket.destroy()),
                Some(Handle::Server(server)) => drop(server.close()),
                None => {}
            }
        }
        let running = Rc::clone(&self);
        self.when_quiet(move || {
            let open = running.all().into_iter().filter(|m| !m.is_gone.get());
            open.for_each(|member| member.note("never closes"));
        });
    }

    /// Calls `then` when nothing has happened for some turns of the loop, or everything has closed.
    fn when_quiet(self: &Rc<Running>, then: impl FnOnce() + 'static) {
        let (running, own) = (Rc::clone(self), Rc::new(Cell::new(None::<timers::Timeout>)));
        let interval = Rc::clone(&own);
        let (mut seen, mut calm, mut ticks) = (self.activity.get(), 0, 0);
        let mut then = Some(then);
        let look = move || {
            let is_armed = |m: &Rc<Member>| m.armed.get() && !m.is_gone.get();
            let is_armed = !running.is_over.get() && running.all().iter().any(is_armed);
            let is_busy = running.waiting.get() > 0 || is_armed;
            calm = if seen == running.activity.get() && !is_busy {
                calm + 1
            } else {
                0
            };
            seen = running.activity.get();
            ticks += 1;
            let is_closed = running.all().iter().all(|m| m.is_gone.get());
            if ticks > MOST_TICKS {
                running
                    .uncaught
                    .borrow_mut()
                    .push("!: restless\n".to_owned());
            }
            if calm >= QUIET_TICKS || calm > 0 && is_closed || ticks > MOST_TICKS {
                own.take().into_iter().for_each(|own| own.clear());
                then.take().into_iter().for_each(|then| then());
            }
        };
        interval.set(Some(timers::set_interval(Duration::from_millis(1), look)));
    }

    fn perform(&self, member: &Rc<Member>, steps: &[Step]) {
        let _depth = Depth::enter(&self.depth);
        for step in steps {
            self.operate(member, step);
        }
    }

    fn operate(&self, from: &Rc<Member>, step: &Step) {
        let target = match &step.target {
            Some(name) => self.members.borrow().get(name).map(Rc::clone),
            None => Some(Rc::clone(from)),
        };
        let Some(member) = target.filter(|member| !member.is_gone.get()) else {
            return;
        };
        match member.handle.get() {
            Some(Handle::Socket(socket)) => {
                self.apply(&member, socket, step, table::OPERATIONS);
                if self.sending == Sending::AtOnce {
                    table::send(socket);
                }
            }
            Some(Handle::Server(server)) => {
                self.apply(&member, server, step, table::SERVER_OPERATIONS);
            }
            None => {}
        }
    }

    fn apply<H>(&self, member: &Rc<Member>, handle: H, step: &Step, table: &[Operation<H>]) {
        let operation = table.iter().find(|operation| operation.name == step.name);
        let operation = operation.unwrap_or_else(|| panic!("there is no operation {step}"));
        let argument = step.argument.as_deref().unwrap_or_default();
        let other = self.members.borrow().get(argument).map(Rc::clone);
        let other = other
            .filter(|other| !other.is_gone.get())
            .and_then(|other| other.socket());
        if operation.argument == Argument::Socket && other.is_none() {
            return;
        }
        let count = argument.parse().unwrap_or_default();
        let space = if argument.is_empty() { "" } else { " " };
        member.note(format!("> {}{space}{argument}", step.name));
        if let Some(answer) = (operation.run)(member, handle, Given { count, other }) {
            member.note(format!("= {answer}"));
        }
    }

    fn uncaught(&self, what: &str) {
        self.activity.set(self.activity.get() + 1);
        self.uncaught
            .borrow_mut()
            .push(format!("!: uncaught {what}\n"));
    }

    fn text(&self) -> String {
        let mut text = self.uncaught.borrow().concat();
        for (name, member) in &*self.members.borrow() {
            for line in &*member.lines.borrow() {
                text.push_str(&match line {
                    Line::Text(line) => format!("{name}: {line}\n"),
                    Line::Bytes(bytes) => format!("{name}: data {}\n", bytes.text()),
                });
            }
        }
        text
    }
}

/// Counts how deep in listeners of the program's own an operation is, also on the way out of a panic.
struct Depth<'a>(&'a Cell<u32>);

impl Depth<'_> {
    fn enter(depth: &Cell<u32>) -> Depth<'_> {
        depth.set(depth.get() + 1);
        Depth(depth)
    }
}

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Member {
    pub(super) fn note(&self, text: impl Into<String>) {
        self.push(Line::Text(text.into()));
    }

    fn push(&self, line: Line) {
        let activity = &self.running.activity;
        activity.set(activity.get() + 1);
        self.lines.borrow_mut().push(line);
    }

    /// Where TCP cuts bytes means nothing, so neighbours make one line.
    fn received(&self, chunk: &[u8]) {
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
    pub(super) fn bytes(&self, count: usize) -> Vec<u8> {
        let at = self.sent.replace(self.sent.get() + count) % PATTERN.len();
        let mut bytes = PATTERN.repeat((at + count).div_ceil(PATTERN.len()));
        bytes.truncate(at + count);
        bytes.split_off(at)
    }

    pub(super) fn callback(
        self: &Rc<Member>,
        event: &'static str,
    ) -> impl FnOnce(Result<()>) + use<> {
        let member = Rc::clone(self);
        move |outcome| {
            let code = outcome.as_ref().err().map_or("ok", Error::code);
            member.happens(event, &format!("{event}({code})"));
        }
    }

    pub(super) fn happens(self: &Rc<Member>, event: &'static str, text: &str) {
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
    fn settled(&self) {
        if self.name.starts_with('c') && !self.is_settled.replace(true) {
            let running = Rc::clone(&self.running);
            timers::set_immediate(move || {
                timers::set_immediate(move || running.make_client());
            });
        }
    }

    fn server_event(self: &Rc<Member>, event: &'static str, text: &str) {
        self.note(text);
        self.follow(event);
    }

    pub(super) fn closed(self: &Rc<Member>, had_error: bool) {
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
    fn follow(self: &Rc<Member>, event: &'static str) {
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

    pub(super) fn on_data(self: &Rc<Member>, once: bool) -> impl FnMut(&[u8]) + use<> {
        let member = Rc::clone(self);
        move |chunk: &[u8]| {
            if once {
                member.data.take();
            }
            member.received(chunk);
            member.follow("data");
        }
    }

    pub(super) fn on_readable(self: &Rc<Member>) -> impl FnMut(()) + use<> {
        let member = Rc::clone(self);
        move |()| {
            member.note("readable");
            member.follow("readable");
        }
    }

    pub(super) fn later(
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
    pub(super) fn interrupt(&self) {
        if self.running.depth.get() == 1 {
            resume_unwind(Box::new(Thrown));
        }
    }

    pub(super) fn abort(&self) {
        let controller = self.controller.borrow().clone();
        controller
            .into_iter()
            .for_each(|controller| controller.abort());
    }

    pub(super) fn name_of(&self, socket: Socket) -> String {
        let named = self
            .running
            .all()
            .into_iter()
            .find(|m| m.socket() == Some(socket));
        named.map_or("?".to_owned(), |member| member.name.clone())
    }

    fn socket(&self) -> Option<Socket> {
        match self.handle.get() {
            Some(Handle::Socket(socket)) => Some(socket),
            _ => None,
        }
    }

    fn adopt(self: &Rc<Member>, socket: Socket) {
        self.handle.set(Some(Handle::Socket(socket)));
        table::listen(self, socket, word(&self.words, "deaf").is_none());
    }

    /// A client's socket.
    fn make(self: &Rc<Member>) {
        let words = &self.words;
        let controller = controller(words);
        let signal = controller.as_ref().map(AbortController::signal);
        self.controller.replace(controller);
        let socket = if word(words, "late").is_some() {
            self.may_connect.set(true);
            self.settled();
            let options = self.reading(socket_words!(words, SocketOptions::new()));
            Socket::new_with(signal.into_iter().fold(options, SocketOptions::signal))
        } else {
            let options = self.reading(socket_words!(words, self.target()));
            net::connect(signal.into_iter().fold(options, ConnectOptions::signal))
        };
        self.adopt(socket);
    }

    pub(super) fn connect(&self, socket: Socket) {
        if self.may_connect.replace(false) {
            socket.connect(self.target());
        }
    }

    fn target(&self) -> ConnectOptions {
        let address = self.running.address.borrow().clone();
        let address = address.expect("the server listens");
        let Some(at) = word(&self.words, "at").filter(|_| address.path().is_none()) else {
            return ConnectOptions::from(address);
        };
        let auto = word(&self.words, "noauto").is_none();
        let (when, letters) = at.split_once(':').expect("at=when:letters");
        let (when, letters) = (when.to_owned(), letters.to_owned());
        ConnectOptions::new(address.port())
            .host("name.test")
            .auto_select_family(auto)
            .lookup(move |_, _, callback| {
                let found = found(&letters);
                let answer = move || callback(found);
                match when.as_str() {
                    "s" => answer(),
                    "t" => timers::next_tick(answer),
                    _ => {
                        timers::set_immediate(answer);
                    }
                }
            })
    }
}

fn found(letters: &str) -> Result<Vec<IpAddr>> {
    if letters == "e" {
        return Err(Error::new("ENOTFOUND", "getaddrinfo ENOTFOUND name.test"));
    }
    let address = |letter| match letter {
        'g' => IpAddr::from([127, 0, 0, 1]),
        'r' => IpAddr::from([127, 0, 0, 2]),
        _ => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1u16]),
    };
    Ok(letters.chars().map(address).collect())
}

trait Reads: Sized {
    fn on_read(
        self,
        buffer: Vec<u8>,
        callback: impl FnMut(Socket, usize, &mut Vec<u8>) -> bool + 'static,
    ) -> Self;
}

macro_rules! reads {
    ($($options:ty),*) => {
        $(impl Reads for $options {
            fn on_read(self, buffer: Vec<u8>, callback: impl FnMut(Socket, usize, &mut Vec<u8>) -> bool + 'static) -> Self {
                <$options>::on_read(self, buffer, callback)
            }
        })*
    };
}
reads!(SocketOptions, ConnectOptions);

impl Member {
    /// With a buffer of its own, where the program says so.
    fn reading<O: Reads>(self: &Rc<Member>, options: O) -> O {
        let Some(size) = number(&self.words, "onread") else {
            return options;
        };
        let member = Rc::clone(self);
        options.on_read(vec![0; size], move |_, count, buffer| {
            member.stops.set(false);
            member.received(&buffer[..count]);
            member.follow("data");
            !member.stops.get()
        })
    }
}

fn number(words: &[String], name: &str) -> Option<usize> {
    word(words, name)?.parse().ok()
}

fn controller(words: &[String]) -> Option<AbortController> {
    word(words, "signal").map(|_| AbortController::new())
}

fn fresh_path() -> std::path::PathBuf {
    static SERVED: AtomicU32 = AtomicU32::new(0);
    let served = SERVED.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("soquete-programs-{}-{served}", std::process::id()))
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
    fn add(&mut self, chunk: &[u8]) {
        let hash = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        self.count += chunk.len();
        self.hash = chunk.iter().fold(self.hash, hash);
    }

    fn text(&self) -> String {
        format!("{} #{:x}", self.count, self.hash)
    }
}

pub(super) fn shown(chunk: Option<Vec<u8>>) -> String {
    let Some(chunk) = chunk else {
        return "null".to_owned();
    };
    let mut bytes = Bytes::default();
    bytes.add(&chunk);
    bytes.text()
}
