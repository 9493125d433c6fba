//! What happened in a scenario: the Rust half of the vocabulary that `driver.mjs` has in JavaScript.
//!
//! A lane is what is compared: one end of a connection, a server, a callback's owner. Within a lane
//! the order is fixed; between two ends it is not.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use soquete::net::{
    self, Attempt, ConnectOptions, FailedAttempt, LookupResult, ReadyState, Server, ServerOptions,
    Socket,
};
use soquete::{Error, event, timers};

thread_local! {
    /// A scenario has a thread of its own, and with it a trace and a loop.
    static LANES: RefCell<BTreeMap<String, Vec<Line>>> = const { RefCell::new(BTreeMap::new()) };
}

enum Line {
    Text(String),
    /// Where TCP cuts bytes means nothing, so neighbours make one line.
    Bytes(Vec<u8>),
}

/// Records what happens on this thread.
#[derive(Clone, Copy)]
pub(crate) struct Trace;

/// Which lanes the events of a socket go to.
#[derive(Clone, Copy)]
enum Lanes {
    One(&'static str),
    /// One for each half: `c<` and `c>`.
    Halves(&'static str),
    /// One, with what the getters say at each event.
    Watched(&'static str),
}

impl Lanes {
    fn incoming(self, socket: Socket, text: &str) {
        match self {
            Lanes::Halves(lane) => Trace.log(&format!("{lane}<"), text),
            lanes => lanes.outgoing(socket, text),
        }
    }

    fn outgoing(self, socket: Socket, text: &str) {
        match self {
            Lanes::One(lane) => Trace.log(lane, text),
            Lanes::Halves(lane) => Trace.log(&format!("{lane}>"), text),
            Lanes::Watched(lane) => Trace.log(lane, format!("{text} {}", state(socket))),
        }
    }
}

impl Trace {
    /// A line of its own.
    pub(crate) fn log(self, lane: &str, text: impl AsRef<str>) {
        self.push(lane, Line::Text(text.as_ref().to_owned()));
    }

    fn push(self, lane: &str, line: Line) {
        LANES.with_borrow_mut(|lanes| lanes.entry(lane.to_owned()).or_default().push(line));
    }

    /// Bytes, in one line with those right before them.
    pub(crate) fn data(self, lane: &str, chunk: &[u8]) {
        let merged = LANES.with_borrow_mut(|lanes| {
            match lanes.get_mut(lane).and_then(|lines| lines.last_mut()) {
                Some(Line::Bytes(bytes)) => bytes.extend_from_slice(chunk),
                _ => return false,
            }
            true
        });
        if !merged {
            self.push(lane, Line::Bytes(chunk.to_vec()));
        }
    }

    /// Records every event but `Data`, `Text` and `Readable`, which change what they observe.
    pub(crate) fn on(self, socket: Socket, lane: &'static str) -> Socket {
        record(socket, Lanes::One(lane))
    }

    /// As `on`, and lets the socket flow.
    pub(crate) fn flow(self, socket: Socket, lane: &'static str) -> Socket {
        self.on(socket, lane)
            .on(event::Data, move |chunk| Trace.data(lane, chunk))
    }

    /// As `flow`, with the two halves in lanes of their own: for ends that do not wait for each
    /// other.
    pub(crate) fn halves(self, socket: Socket, lane: &'static str) -> Socket {
        record(socket, Lanes::Halves(lane)).on(event::Data, move |chunk| {
            Trace.data(&format!("{lane}<"), chunk);
        })
    }

    /// As `flow`, with what the getters say at each event.
    pub(crate) fn watch(self, socket: Socket, lane: &'static str) -> Socket {
        record(socket, Lanes::Watched(lane)).on(event::Data, move |_| {
            Trace.log(lane, format!("data {}", state(socket)));
        })
    }

    /// What the getters say.
    pub(crate) fn state(self, socket: Socket, lane: &str) {
        self.log(lane, state(socket));
    }

    /// Records every event of a server.
    pub(crate) fn on_server(self, server: Server, lane: &'static str) -> Server {
        server
            .on(event::Listening, move |()| Trace.log(lane, "listening"))
            .on(event::Connection, move |_| Trace.log(lane, "connection"))
            .on(event::Drop, move |_| Trace.log(lane, "drop"))
            .on(event::Error, move |error| {
                Trace.log(lane, describe("error", error))
            })
            .on(event::Close, move |had_error| {
                Trace.log(lane, format!("close({had_error})"));
            })
    }

    /// An error of the scenario's own.
    pub(crate) fn error(self, code: &'static str) -> Error {
        Error::new(code, "of the scenario")
    }

    /// A callback that records its outcome.
    pub(crate) fn cb(
        self,
        lane: &'static str,
        name: &'static str,
    ) -> impl FnOnce(soquete::Result<()>) + 'static {
        move |outcome| {
            let code = outcome.err().map(|error| error.code().to_owned());
            let code = code.as_deref().unwrap_or("null");
            self.log(lane, format!("cb:{name}({code})"));
        }
    }

    /// As `cb`, for a callback that has no outcome.
    pub(crate) fn called<T>(
        self,
        lane: &'static str,
        name: &'static str,
    ) -> impl FnOnce(T) + 'static {
        move |_| self.cb(lane, name)(Ok(()))
    }

    /// Writes `text`, and records what `write` answers and what the callback is told.
    pub(crate) fn write(self, socket: Socket, lane: &'static str, text: &'static str) {
        let room = socket.write_then(text, self.cb(lane, text));
        self.log(lane, format!("write({text}) {room}"));
    }

    /// As `write`, for so many bytes.
    pub(crate) fn write_bytes(self, socket: Socket, lane: &'static str, count: usize) {
        let room = socket.write_then(vec![b'.'; count], self.cb(lane, "bytes"));
        self.log(lane, format!("write({count}) {room}"));
    }

    /// Ends with `text`, and records what the callback is told.
    pub(crate) fn end(self, socket: Socket, lane: &'static str, text: &'static str) {
        match text {
            "" => socket.end_then(self.cb(lane, "end")),
            text => socket.end_with_then(text, self.cb(lane, "end")),
        };
    }

    /// Two ends of a connection that is up, from an immediate; the server is closed.
    pub(crate) fn pair(self, then: impl FnOnce(Socket, Socket) + 'static) {
        self.pair_with(ServerOptions::new(), |options| options, then);
    }

    /// As `pair`, with options for the server's end and the client's.
    pub(crate) fn pair_with(
        self,
        server: ServerOptions,
        client: impl FnOnce(ConnectOptions) -> ConnectOptions + 'static,
        then: impl FnOnce(Socket, Socket) + 'static,
    ) {
        let ends = Rc::new(RefCell::new((None, None, Some(then))));
        let joined = move |end: End| {
            let mut ends = ends.borrow_mut();
            match end {
                End::Client(socket) => ends.0 = Some(socket),
                End::Server(socket) => ends.1 = Some(socket),
            }
            if let (Some(c), Some(s)) = (ends.0, ends.1)
                && let Some(then) = ends.2.take()
            {
                timers::set_immediate(move || then(c, s));
            }
        };
        let accepted = joined.clone();
        let server = net::create_server_with(server, move |s| {
            if let Some(server) = s.server() {
                server.close();
            }
            accepted(End::Server(s));
        });
        server.listen(("127.0.0.1", 0));
        server.once(event::Listening, move |()| {
            let port = server.address().map_or(0, |address| address.port());
            let c = net::connect(client(ConnectOptions::new(port).host("127.0.0.1")));
            c.once(event::Connect, move |()| joined(End::Client(c)));
        });
    }

    /// A server on a free port, which is handed to `then`.
    pub(crate) fn listen(
        self,
        options: ServerOptions,
        connected: impl FnMut(Socket) + 'static,
        then: impl FnOnce(u16, Server) + 'static,
    ) -> Server {
        let server = net::create_server_with(options, connected);
        server.listen(("127.0.0.1", 0));
        server.once(event::Listening, move |()| {
            then(server.address().map_or(0, |address| address.port()), server);
        });
        server
    }

    /// A server for one connection, whose end flows into lane `s`.
    pub(crate) fn serve(self, then: impl FnOnce(u16) + 'static) {
        let accepted = move |s: Socket| {
            self.flow(s, "s");
            s.server().map(|server| server.close());
        };
        self.listen(ServerOptions::new(), accepted, move |port, _| then(port));
    }

    /// Looks in every turn of the loop.
    pub(crate) fn until(self, holds: impl Fn() -> bool + 'static, then: impl FnOnce() + 'static) {
        timers::set_immediate(move || {
            if holds() {
                then();
            } else {
                self.until(holds, then);
            }
        });
    }

    /// Lets the loop turn, for what must not happen to have had its chance.
    pub(crate) fn turns(self, count: u32, then: impl FnOnce() + 'static) {
        let mut then: Box<dyn FnOnce()> = Box::new(then);
        for _ in 0..count {
            let next = then;
            then = Box::new(move || {
                timers::set_immediate(next);
            });
        }
        then();
    }

    /// Everything that was recorded, lane by lane, and begins anew.
    pub(crate) fn text(self) -> String {
        let mut text = String::new();
        for (lane, lines) in LANES.take() {
            let lines: Vec<String> = lines.into_iter().map(shown).collect();
            // A lane that begins with a slash is short, one of many, and one line.
            if lane.starts_with('/') {
                let _ = writeln!(text, "{lane}: {}", lines.join(" | "));
                continue;
            }
            for line in lines {
                let _ = writeln!(text, "{lane}: {line}");
            }
        }
        text
    }
}

enum End {
    Client(Socket),
    Server(Socket),
}

/// For closures that return nothing: a call that chains returns the handle.
pub(crate) fn ignore<T>(_: T) {}

/// Accepted sockets are not read.
pub(crate) fn paused() -> ServerOptions {
    ServerOptions::new().pause_on_connect(true)
}

/// Accepted sockets stay open when the client has ended.
pub(crate) fn half_open() -> ServerOptions {
    ServerOptions::new().allow_half_open(true)
}

pub(crate) fn reset(socket: Socket) {
    assert!(
        socket.reset_and_destroy().is_ok(),
        "it is not an IPC socket"
    );
}

/// Whether so many bytes are kept for a reader, for `until`.
pub(crate) fn keeps(socket: Socket, count: usize) -> impl Fn() -> bool {
    move || socket.readable_length() == count
}

/// Whether so many bytes were read, for `until`.
pub(crate) fn has_read(socket: Socket, count: u64) -> impl Fn() -> bool {
    move || socket.bytes_read() == count
}

fn record(socket: Socket, lanes: Lanes) -> Socket {
    macro_rules! plain {
        ($half:ident: $($event:ident $name:literal),*) => {
            $(socket.on(event::$event, move |()| lanes.$half(socket, $name));)*
        };
    }
    plain!(incoming: End "end", Pause "pause", Resume "resume");
    plain!(outgoing: Connect "connect", Ready "ready", Drain "drain", Prefinish "prefinish",
        Finish "finish", Timeout "timeout");
    socket
        .on(event::Pipe, move |_| lanes.outgoing(socket, "pipe"))
        .on(event::Unpipe, move |_| lanes.outgoing(socket, "unpipe"))
        .on(event::Lookup, move |found: &LookupResult| {
            let found = match &found.address {
                Ok(address) => address.to_string(),
                Err(error) => error.code().to_owned(),
            };
            lanes.outgoing(socket, &format!("lookup({found})"));
        })
        .on(event::ConnectionAttempt, move |attempt: &Attempt| {
            lanes.outgoing(socket, &format!("connectionAttempt({})", attempt.address));
        })
        .on(event::ConnectionAttemptTimeout, move |attempt: &Attempt| {
            lanes.outgoing(
                socket,
                &format!("connectionAttemptTimeout({})", attempt.address),
            );
        })
        .on(
            event::ConnectionAttemptFailed,
            move |failed: &FailedAttempt| {
                let (address, code) = (&failed.attempt.address, failed.error.code());
                let text = format!("connectionAttemptFailed({address} {code})");
                lanes.outgoing(socket, &text);
            },
        )
        .on(event::Error, move |error| {
            lanes.outgoing(socket, &describe("error", error));
        })
        .on(event::Close, move |had_error| {
            lanes.outgoing(socket, &format!("close({had_error})"));
        })
}

pub(crate) fn describe(name: &str, error: &Error) -> String {
    if !error.errors().is_empty() {
        let codes: Vec<&str> = error.errors().iter().map(Error::code).collect();
        return format!("{name} {} [{}]", error.code(), codes.join(" "));
    }
    format!(
        "{name} {}: {}",
        error.code(),
        without_ports(&error.to_string())
    )
}

/// Writes `:PORT` for every `:` with a number after it.
fn without_ports(text: &str) -> String {
    let mut parts = text.split(':');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        shown.push(':');
        if rest.len() < part.len() {
            shown.push_str("PORT");
        }
        shown.push_str(rest);
    }
    shown
}

fn shown(line: Line) -> String {
    match line {
        Line::Text(text) => text,
        Line::Bytes(bytes) if bytes.len() > 40 => format!("data {} bytes", bytes.len()),
        Line::Bytes(bytes) => format!("data {}", String::from_utf8_lossy(&bytes)),
    }
}

fn state(socket: Socket) -> String {
    let ready_state = match socket.ready_state() {
        ReadyState::Opening => "opening",
        ReadyState::Open => "open",
        ReadyState::ReadOnly => "readOnly",
        ReadyState::WriteOnly => "writeOnly",
        ReadyState::Closed => "closed",
    };
    let flags = [
        ("connecting", socket.connecting()),
        ("pending", socket.pending()),
        ("destroyed", socket.destroyed()),
        ("readable", socket.readable()),
        ("writable", socket.writable()),
        ("readableEnded", socket.readable_ended()),
        ("writableEnded", socket.writable_ended()),
        ("writableFinished", socket.writable_finished()),
        ("writableNeedDrain", socket.writable_need_drain()),
    ];
    let flags: Vec<&str> = flags
        .iter()
        .filter_map(|(name, is_set)| is_set.then_some(*name))
        .collect();
    let flowing = match socket.readable_flowing() {
        None => "null",
        Some(false) => "false",
        Some(true) => "true",
    };
    format!(
        "[{ready_state} {} flowing={flowing} kept={} queued={}]",
        flags.join(" "),
        socket.readable_length(),
        socket.writable_length()
    )
}
