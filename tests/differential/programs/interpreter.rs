//! Runs a program by this crate. The other half is interpreter.mjs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use soquete::net::{AbortController, Address, ListenOptions, Server, ServerOptions};
use soquete::{event, timers};

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

mod making;
mod member;

use member::{Handle, Line, Thrown};
pub(super) use member::{Member, shown};

/// What ticks of one millisecond without anything new mean, and how many there may be.
const QUIET_TICKS: u32 = 4;
const MOST_TICKS: u32 = 400;
/// A program takes milliseconds; one that takes so long hangs.
const WATCHDOG: Duration = Duration::from_secs(20);

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
        let member = Rc::new(Member::new(self, name, words));
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
