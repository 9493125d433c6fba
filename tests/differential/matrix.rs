//! Every operation and then every other, on a socket in every state: one line for each pair.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, ConnectOptions, Server, ServerOptions, Socket};
use soquete::{event, timers};

use crate::trace::{Trace, ignore};

crate::family!("matrix":
    fresh,
    connecting,
    refused,
    open,
    ending,
    ended,
    ended_by_the_peer,
    in_the_end_listener,
    with_data_kept,
    destroyed,
    destroyed_with_an_error,
    in_the_close_listener,
);

const OPERATIONS: [&str; 10] = [
    "write", "cork", "end", "soon", "destroy", "error", "reset", "pause", "resume", "flow",
];

/// Long after everything that follows from the operations has happened.
const SETTLED: Duration = Duration::from_millis(150);

#[derive(Clone, Copy)]
struct Pair {
    first: &'static str,
    second: &'static str,
    lane: &'static str,
}

impl Pair {
    fn apply(self, t: Trace, c: Socket) {
        for operation in [self.first, self.second] {
            operate(t, c, operation, self.lane);
        }
    }
}

fn operate(t: Trace, c: Socket, operation: &str, lane: &'static str) {
    match operation {
        "write" => t.write(c, lane, "w"),
        "cork" => {
            c.cork();
            t.write(c, lane, "k");
            c.uncork();
        }
        "end" => t.end(c, lane, "e"),
        "soon" => ignore(c.destroy_soon()),
        "destroy" => ignore(c.destroy()),
        "error" => ignore(c.destroy_with(t.error("MINE"))),
        "reset" => ignore(c.reset_and_destroy()),
        "pause" => ignore(c.pause()),
        "resume" => ignore(c.resume()),
        _ => ignore(c.on(event::Data, move |chunk| t.data(lane, chunk))),
    }
}

/// All pairs but those that leave Node with an error out of its place and no `close`.
fn pairs() -> impl Iterator<Item = Pair> {
    let seconds = |first| OPERATIONS.into_iter().map(move |second| (first, second));
    let all = OPERATIONS.into_iter().flat_map(seconds);
    let never_closes = |first, second| matches!(first, "end" | "soon") && second == "reset";
    all.filter(move |(first, second)| !never_closes(*first, *second))
        .map(|(first, second)| Pair {
            first,
            second,
            lane: format!("/{first} {second}").leak(),
        })
}

fn clean_up(t: Trace, sockets: Vec<(Socket, Pair)>, peers: Peers, server: Option<Server>) {
    timers::set_timeout(SETTLED, move || {
        for (c, pair) in &sockets {
            if !c.destroyed() {
                t.state(*c, pair.lane);
            }
            c.destroy();
        }
        peers.borrow().iter().for_each(|s| ignore(s.destroy()));
        server.map(|server| server.close());
    });
}

type Peers = Rc<RefCell<Vec<Socket>>>;

fn welcome(peers: &Peers, s: Socket) {
    peers.borrow_mut().push(s.on(event::Error, |_| {}).resume());
}

/// A state that a connected socket is brought into before a pair is applied.
struct State {
    server: ServerOptions,
    client: fn(ConnectOptions) -> ConnectOptions,
    prepare: fn(Trace, Socket, Pair),
    /// What the other ends do then.
    then: fn(Socket),
    skipped: &'static str,
}

impl State {
    fn new(prepare: fn(Trace, Socket, Pair)) -> State {
        State {
            server: ServerOptions::new(),
            client: |options| options,
            prepare,
            then: |_| {},
            skipped: "",
        }
    }

    fn run(self, t: Trace) {
        let wanted = |pair: &Pair| pair.first != self.skipped && pair.second != self.skipped;
        let pairs: Vec<Pair> = pairs().filter(wanted).collect();
        let (peers, open) = (Peers::default(), Rc::new(Cell::new(0)));
        let sockets: Rc<RefCell<Vec<(Socket, Pair)>>> = Rc::default();
        let server = Server::new_with(self.server);
        let (prepare, then, ends) = (self.prepare, self.then, 2 * pairs.len());
        let (all, others) = (Rc::clone(&sockets), Rc::clone(&peers));
        let joined = move || {
            open.set(open.get() + 1);
            if open.get() < ends {
                return;
            }
            let (sockets, peers) = (all.take(), Rc::clone(&others));
            timers::set_immediate(move || {
                for (c, pair) in &sockets {
                    t.on(*c, pair.lane);
                    prepare(t, *c, *pair);
                }
                peers.borrow().iter().for_each(|s| then(*s));
                clean_up(t, sockets, peers, Some(server));
            });
        };
        let accepted = joined.clone();
        server.on(event::Connection, move |s| {
            welcome(&peers, s);
            accepted();
        });
        server.listen_then(("127.0.0.1", 0), move |_| {
            let port = server.address().map_or(0, |address| address.port());
            for pair in pairs {
                let options = ConnectOptions::new(port).host("127.0.0.1");
                let c = net::connect((self.client)(options));
                let joined = joined.clone();
                c.once(event::Connect, move |()| joined());
                sockets.borrow_mut().push((c, pair));
            }
        });
    }
}

fn fresh(t: Trace) {
    let make = |pair: Pair| {
        let c = t.on(Socket::new(), pair.lane);
        pair.apply(t, c);
        (c, pair)
    };
    // A write that has failed and not said so leaves Node with a `close` that tells of another error.
    let unclear = |pair: &Pair| match pair.second {
        "destroy" | "error" => matches!(pair.first, "write" | "cork" | "end"),
        second => (pair.first, second) == ("end", "cork"),
    };
    let sockets = pairs().filter(|pair| !unclear(pair)).map(make).collect();
    clean_up(t, sockets, Peers::default(), None);
}

fn connecting(t: Trace) {
    let peers = Peers::default();
    let others = Rc::clone(&peers);
    let server = net::create_server(move |s| welcome(&others, s));
    server.listen_then(("127.0.0.1", 0), move |_| {
        let port = server.address().map_or(0, |address| address.port());
        let make = |pair: Pair| {
            let c = t.on(net::connect(("127.0.0.1", port)), pair.lane);
            pair.apply(t, c);
            (c, pair)
        };
        clean_up(t, pairs().map(make).collect(), peers, Some(server));
    });
}

fn refused(t: Trace) {
    let make = |pair: Pair| {
        let c = t.on(net::connect(("127.0.0.1", 1)), pair.lane);
        pair.apply(t, c);
        (c, pair)
    };
    clean_up(t, pairs().map(make).collect(), Peers::default(), None);
}

fn open(t: Trace) {
    State::new(|t, c, pair| pair.apply(t, c)).run(t);
}

fn ending(t: Trace) {
    let mut state = State::new(|t, c, pair| {
        c.end_with("first");
        pair.apply(t, c);
    });
    state.skipped = "reset";
    state.run(t);
}

fn ended(t: Trace) {
    let mut state = State::new(|t, c, pair| {
        let apply = move |()| ignore(timers::set_immediate(move || pair.apply(t, c)));
        c.once(event::Finish, apply);
        c.end();
    });
    state.server = ServerOptions::new().allow_half_open(true);
    state.run(t);
}

fn ended_by_the_peer(t: Trace) {
    let mut state = State::new(|t, c, pair| {
        let apply = move |()| ignore(timers::set_immediate(move || pair.apply(t, c)));
        c.once(event::End, apply);
    });
    state.client = |options| options.allow_half_open(true);
    state.then = |s| ignore(s.end());
    state.run(t);
}

fn in_the_end_listener(t: Trace) {
    let mut state = State::new(|t, c, pair| ignore(c.once(event::End, move |()| pair.apply(t, c))));
    state.then = |s| ignore(s.end());
    state.run(t);
}

fn with_data_kept(t: Trace) {
    let mut state = State::new(|t, c, pair| {
        t.until(move || c.readable_length() == 4, move || pair.apply(t, c));
    });
    state.then = |s| ignore(s.write("kept"));
    state.run(t);
}

fn destroyed(t: Trace) {
    let state = State::new(|t, c, pair| {
        c.destroy();
        pair.apply(t, c);
    });
    state.run(t);
}

fn destroyed_with_an_error(t: Trace) {
    let state = State::new(|t, c, pair| {
        c.destroy_with(t.error("FIRST"));
        pair.apply(t, c);
    });
    state.run(t);
}

fn in_the_close_listener(t: Trace) {
    let state = State::new(|t, c, pair| {
        c.once(event::Close, move |_| pair.apply(t, c));
        c.destroy();
    });
    state.run(t);
}
