//! The operations that a program is made of, and what a socket is asked: the crate's methods by the
//! names that interpreter.mjs has them under. Nothing else of the programs names a method.

use std::rc::Rc;
use std::time::Duration;

use soquete::events::ListenerId;
use soquete::net::{Attempt, FailedAttempt, LookupResult, ReadyState, Server, Socket};
use soquete::{Error, Result, event, stream, timers};

use super::interpreter::{Member, shown};

/// What an operation is told.
#[derive(Clone, Copy)]
pub(super) struct Given {
    pub(super) count: usize,
    pub(super) other: Option<Socket>,
}

impl Given {
    fn socket(self) -> Socket {
        self.other.expect("the interpreter has looked for it")
    }
}

/// What the text of an operation is followed by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    Nothing,
    /// So many bytes.
    Bytes,
    /// One of these.
    OneOf(&'static [usize]),
    /// A socket.
    Socket,
}

pub(super) struct Operation<H> {
    pub(super) name: &'static str,
    /// How often it is chosen, next to the others.
    pub(super) weight: usize,
    pub(super) argument: Argument,
    pub(super) run: fn(&Rc<Member>, H, Given) -> Answer,
}

/// What an operation returns, if that is worth a line.
pub(super) type Answer = Option<String>;

const fn op<H>(
    name: &'static str,
    weight: usize,
    argument: Argument,
    run: fn(&Rc<Member>, H, Given) -> Answer,
) -> Operation<H> {
    Operation {
        name,
        weight,
        argument,
        run,
    }
}

fn some(answer: impl ToString) -> Answer {
    Some(answer.to_string())
}

fn code<T>(outcome: Result<T>) -> Answer {
    outcome.err().map(|error| error.code().to_owned())
}

fn first(listeners: Vec<ListenerId>) -> ListenerId {
    listeners[0]
}

fn mine() -> Error {
    Error::new("MINE", "of the program")
}

use Argument::{Bytes, Nothing, OneOf, Socket as Other};

#[rustfmt::skip]
pub(super) const OPERATIONS: &[Operation<Socket>] = &[
    op("write", 16, Bytes, |m, s, g| some(s.write(&*m.bytes(g.count)))),
    op("writeThen", 16, Bytes, |m, s, g| some(s.write_then(m.bytes(g.count), m.callback("written")))),
    op("end", 8, Nothing, |_, s, _| { s.end(); None }),
    op("endWith", 5, Bytes, |m, s, g| { s.end_with(m.bytes(g.count)); None }),
    op("endThen", 5, Nothing, |m, s, _| { s.end_then(m.callback("ended")); None }),
    op("endWithThen", 5, Bytes, |m, s, g| { s.end_with_then(m.bytes(g.count), m.callback("ended")); None }),
    op("cork", 4, Nothing, |_, s, _| { s.cork(); None }),
    op("uncork", 4, Nothing, |_, s, _| { s.uncork(); None }),
    op("destroy", 5, Nothing, |_, s, _| { s.destroy(); None }),
    op("destroyWith", 3, Nothing, |_, s, _| { s.destroy_with(mine()); None }),
    op("destroySoon", 3, Nothing, |_, s, _| { s.destroy_soon(); None }),
    op("reset", 2, Nothing, |_, s, _| code(s.reset_and_destroy())),
    op("pause", 6, Nothing, |_, s, _| { s.pause(); None }),
    op("resume", 8, Nothing, |_, s, _| { s.resume(); None }),
    op("flow", 16, Nothing, |m, s, _| { m.data.set_if_none(|| s.add_listener(event::Data, m.on_data(false))); None }),
    op("flowOnce", 3, Nothing, |m, s, _| { m.data.set_if_none(|| s.add_once_listener(event::Data, m.on_data(true))); None }),
    op("flowFirst", 2, Nothing, |m, s, _| { m.data.set_if_none(|| first(s.prepend_listener(event::Data, m.on_data(false)).listeners(event::Data))); None }),
    op("unflow", 2, Nothing, |m, s, _| { m.data.take().map(|id| s.remove_listener(id)); None }),
    op("readable", 5, Nothing, |m, s, _| { m.readable.set_if_none(|| s.add_listener(event::Readable, m.on_readable())); None }),
    op("readableFirst", 1, Nothing, |m, s, _| { m.readable.set_if_none(|| first(s.prepend_listener(event::Readable, m.on_readable()).listeners(event::Readable))); None }),
    op("unreadable", 2, Nothing, |m, s, _| { m.readable.take().map(|id| s.remove_listener(id)); None }),
    op("read", 8, Nothing, |_, s, _| some(shown(s.read()))),
    op("readExactly", 4, OneOf(&[1, 2, 5, 7, 20, 3000]), |_, s, g| match s.read_exactly(g.count) {
        Ok(bytes) => some(shown(bytes)),
        Err(error) => some(error.code()),
    }),
    op("unshift", 3, OneOf(&[1, 5, 300]), |_, s, g| some(s.unshift(vec![b'^'; g.count]))),
    op("setEncoding", 3, Nothing, |m, s, _| { m.is_text.set(true); s.set_encoding(); None }),
    op("allowHalfOpen", 2, OneOf(&[0, 1]), |_, s, g| { s.set_allow_half_open(g.count > 0); None }),
    op("setTimeout", 1, OneOf(&[0, 10]), |m, s, g| { m.armed.set(g.count > 0); s.set_timeout(Duration::from_millis(g.count as u64)); None }),
    op("pipe", 4, Other, |_, s, g| { s.pipe(g.socket()); None }),
    op("pipeOnly", 1, Other, |_, s, g| { s.pipe_with(g.socket(), soquete::net::PipeOptions::new().end(false)); None }),
    op("unpipe", 2, Other, |_, s, g| { s.unpipe(g.socket()); None }),
    op("unpipeAll", 1, Nothing, |_, s, _| { s.unpipe_all(); None }),
    op("pipeline", 2, Other, |m, s, g| { stream::pipeline([s, g.socket()], m.callback("pipelined")); None }),
    op("finished", 4, Nothing, |m, s, _| { stream::finished(s, m.callback("finished")); None }),
    op("finishedReading", 2, Nothing, |m, s, _| { stream::finished_with(s, stream::FinishedOptions::new().writable(false), m.callback("finished")); None }),
    op("finishedWriting", 2, Nothing, |m, s, _| { stream::finished_with(s, stream::FinishedOptions::new().readable(false), m.callback("finished")); None }),
    op("connect", 3, Nothing, |m, s, _| { m.connect(s); None }),
    op("abort", 3, Nothing, |m, _, _| { m.abort(); None }),
    op("stop", 1, Nothing, |m, _, _| { m.stops.set(true); None }),
    op("look", 6, Nothing, |m, s, _| some(look(m, s))),
    op("tick", 5, Nothing, |m, _, _| { m.later("tick", timers::next_tick); None }),
    op("immediate", 5, Nothing, |m, _, _| { m.later("immediate", in_a_turn); None }),
    op("timer", 1, Nothing, |m, _, _| { m.later("timer", after_a_while); None }),
    op("throw", 2, Nothing, |m, _, _| { m.interrupt(); None }),
];

#[rustfmt::skip]
pub(super) const SERVER_OPERATIONS: &[Operation<Server>] = &[
    op("close", 4, Nothing, |_, s, _| { s.close(); None }),
    op("closeThen", 3, Nothing, |m, s, _| { s.close_then(m.callback("closed")); None }),
    op("maxConnections", 1, OneOf(&[0, 1, 2]), |_, s, g| { s.set_max_connections(Some(g.count)); None }),
    op("look", 4, Nothing, |_, s, _| some(format!("listening={}", s.listening()))),
    op("connections", 2, Nothing, |m, s, _| { let m = Rc::clone(m); s.get_connections(move |count| m.note(format!("connections {}", count.unwrap_or(0)))); None }),
    op("abort", 1, Nothing, |m, _, _| { m.abort(); None }),
    op("tick", 2, Nothing, |m, _, _| { m.later("tick", timers::next_tick); None }),
    op("immediate", 2, Nothing, |m, _, _| { m.later("immediate", in_a_turn); None }),
    op("timer", 1, Nothing, |m, _, _| { m.later("timer", after_a_while); None }),
    op("throw", 1, Nothing, |m, _, _| { m.interrupt(); None }),
];

fn in_a_turn(call: Box<dyn FnOnce()>) {
    timers::set_immediate(call);
}

fn after_a_while(call: Box<dyn FnOnce()>) {
    timers::set_timeout(Duration::from_millis(2), call);
}

/// Sends what was written.
pub(super) fn send(socket: Socket) {
    let _asked = socket.writable_length();
}

/// What a socket is asked: its flags, and its values.
type Flag = (&'static str, fn(Socket) -> bool);

#[rustfmt::skip]
const FLAGS: &[Flag] = &[
    ("connecting", |s| s.connecting()),
    ("pending", |s| s.pending()),
    ("destroyed", |s| s.destroyed()),
    ("readable", |s| s.readable()),
    ("writable", |s| s.writable()),
    ("readableEnded", |s| s.readable_ended()),
    ("writableEnded", |s| s.writable_ended()),
    ("writableFinished", |s| s.writable_finished()),
    ("writableNeedDrain", |s| s.writable_need_drain()),
    ("allowHalfOpen", |s| s.allow_half_open()),
];

type Value = (&'static str, fn(&Member, Socket) -> String);

#[rustfmt::skip]
const VALUES: &[Value] = &[
    ("flowing", |_, s| s.readable_flowing().map_or("null".to_owned(), |flows| flows.to_string())),
    ("paused", |_, s| s.is_paused().to_string()),
    // Here text counts in bytes, in Node in UTF-16 units.
    ("kept", |m, s| if m.is_text.get() { "-".to_owned() } else { s.readable_length().to_string() }),
    ("queued", |_, s| match s.writable_length() { ..=65536 => s.writable_length().to_string(), _ => "much".to_owned() }),
    ("corked", |_, s| s.writable_corked().to_string()),
    ("errored", |_, s| s.errored().map_or("null".to_owned(), |error| error.code().to_owned())),
    ("received", |_, s| s.bytes_read().to_string()),
    ("sent", |_, s| if s.destroyed() { "-".to_owned() } else { s.bytes_written().to_string() }),
    ("marks", |_, s| format!("{}/{}", s.readable_high_water_mark(), s.writable_high_water_mark())),
    ("timeout", |_, s| if s.destroyed() { "-".to_owned() } else { s.timeout().unwrap_or_default().as_millis().to_string() }),
    ("from", |_, s| family(s.local_socket_addr())),
    ("to", |_, s| if s.destroyed() { "-".to_owned() } else { family(s.remote_socket_addr()) }),
];

/// How many of the values are asked at every event.
const AT_A_GLANCE: usize = 6;

fn family(address: Option<std::net::SocketAddr>) -> String {
    let family = address.map(|address| if address.is_ipv6() { "IPv6" } else { "IPv4" });
    family.unwrap_or("none").to_owned()
}

pub(super) fn look(m: &Member, s: Socket) -> String {
    asked(m, s, VALUES)
}

pub(super) fn glance(m: &Member, s: Socket) -> String {
    asked(m, s, &VALUES[..AT_A_GLANCE])
}

fn asked(m: &Member, s: Socket, values: &[Value]) -> String {
    let ready_state = match s.ready_state() {
        ReadyState::Opening => "opening",
        ReadyState::Open => "open",
        ReadyState::ReadOnly => "readOnly",
        ReadyState::WriteOnly => "writeOnly",
        ReadyState::Closed => "closed",
    };
    let flags: Vec<&str> = FLAGS
        .iter()
        .filter(|(_, ask)| ask(s))
        .map(|(name, _)| *name)
        .collect();
    let values: Vec<String> = values
        .iter()
        .map(|(name, ask)| format!("{name}={}", ask(m, s)))
        .collect();
    format!("[{ready_state} {} {}]", flags.join(" "), values.join(" "))
}

/// Has a member hear of everything but what comes in.
pub(super) fn listen(m: &Rc<Member>, s: Socket, hears_errors: bool) {
    macro_rules! events {
        ($($event:ident $name:literal |$payload:pat_param, $m:ident| $text:expr;)*) => {
            $({
                let $m = Rc::clone(m);
                s.on(event::$event, move |$payload| $m.happens($name, &$text));
            })*
        };
    }
    events! {
        Lookup "lookup" |found, _m| found_address(found);
        ConnectionAttempt "connectionAttempt" |attempt, _m| format!("connectionAttempt({})", place(attempt));
        ConnectionAttemptFailed "connectionAttemptFailed" |failed, _m| failed_attempt(failed);
        ConnectionAttemptTimeout "connectionAttemptTimeout" |attempt, _m| format!("connectionAttemptTimeout({})", place(attempt));
        Connect "connect" |(), _m| "connect";
        Ready "ready" |(), _m| "ready";
        End "end" |(), _m| "end";
        Drain "drain" |(), _m| "drain";
        Prefinish "prefinish" |(), _m| "prefinish";
        Finish "finish" |(), _m| "finish";
        Pause "pause" |(), _m| "pause";
        Resume "resume" |(), _m| "resume";
        Pipe "pipe" |from, m| format!("pipe({})", m.name_of(from));
        Unpipe "unpipe" |from, m| format!("unpipe({})", m.name_of(from));
    }
    let timed_out = Rc::clone(m);
    s.on(event::Timeout, move |()| {
        timed_out.armed.set(false);
        timed_out.happens("timeout", "timeout");
    });
    if hears_errors {
        let failed = Rc::clone(m);
        s.on(event::Error, move |error| {
            failed.happens("error", &format!("error {}", describe(error)));
        });
    }
    let closed = Rc::clone(m);
    s.on(event::Close, move |had_error| closed.closed(had_error));
}

fn found_address(found: &LookupResult) -> String {
    match &found.address {
        Ok(address) => format!("lookup({address})"),
        Err(error) => format!("lookup({})", error.code()),
    }
}

fn failed_attempt(failed: &FailedAttempt) -> String {
    let (place, code) = (place(&failed.attempt), failed.error.code());
    format!("connectionAttemptFailed({place} {code})")
}

fn place(attempt: &Attempt) -> &str {
    if attempt.address.contains("soquete-programs") {
        return "PATH";
    }
    &attempt.address
}

pub(super) fn describe(error: &Error) -> String {
    let codes: Vec<&str> = error.errors().iter().map(Error::code).collect();
    let codes = if codes.is_empty() {
        String::new()
    } else {
        format!(" [{}]", codes.join(" "))
    };
    format!(
        "{}{codes} syscall={}",
        error.code(),
        error.syscall().unwrap_or("none")
    )
}
