//! What most tests of sockets need: connected pairs, a record of events, a loop that cannot hang.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{ConnectOptions, Server, ServerOptions, Socket};
use soquete::{event, net, timers};

/// Far longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the loop to its end, and panics where it would hang.
pub fn run() {
    let watchdog = timers::set_timeout(PATIENCE, || panic!("the loop has not ended"));
    watchdog.unref();
    soquete::run().expect("no error is unhandled");
    watchdog.clear();
}

/// A server on any free port, which closes after its first connection.
pub fn one_shot_server(options: ServerOptions, accepted: impl FnOnce(Socket) + 'static) -> Server {
    let server = Server::new(options);
    server.listen(0).once(event::Connection, move |socket| {
        server.close();
        accepted(socket);
    });
    server
}

/// The port of a server that listens.
pub fn port(server: Server) -> u16 {
    server.address().expect("the server listens").port()
}

/// Calls `then` with both ends of a connection, as soon as both are up: the accepted one first.
pub fn pair(then: impl FnOnce(Socket, Socket) + 'static) {
    pair_with(ServerOptions::new(), |options| options, then);
}

/// As [`pair`], with options for either end.
pub fn pair_with(
    server_options: ServerOptions,
    client_options: impl FnOnce(ConnectOptions) -> ConnectOptions,
    then: impl FnOnce(Socket, Socket) + 'static,
) {
    let ends: Rc<Cell<[Option<Socket>; 2]>> = Rc::default();
    let then = Rc::new(Cell::new(Some(then)));
    let (ends_too, then_too) = (Rc::clone(&ends), Rc::clone(&then));
    let server = one_shot_server(server_options, move |accepted| {
        let [_, client] = ends_too.get();
        ends_too.set([Some(accepted), client]);
        if let Some(client) = client
            && let Some(then) = then_too.take()
        {
            then(accepted, client);
        }
    });
    let options = ConnectOptions::new(port(server)).host("127.0.0.1");
    let client = net::connect(client_options(options));
    client.once(event::Connect, move |()| {
        let [accepted, _] = ends.get();
        ends.set([accepted, Some(client)]);
        if let Some(accepted) = accepted
            && let Some(then) = then.take()
        {
            then(accepted, client);
        }
    });
}

/// Collects what a socket receives.
pub fn collect(socket: Socket) -> Rc<RefCell<Vec<u8>>> {
    let bytes = Rc::new(RefCell::new(Vec::new()));
    let into = Rc::clone(&bytes);
    socket.on(event::Data, move |chunk| {
        into.borrow_mut().extend_from_slice(chunk);
    });
    bytes
}

/// The events of a test, in their order.
#[derive(Clone, Default)]
pub struct Record(Rc<RefCell<Vec<String>>>);

impl Record {
    /// Adds a line.
    pub fn note(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    /// All lines so far, joined by blanks.
    pub fn text(&self) -> String {
        self.0.borrow().join(" ")
    }

    /// Whether a line was added.
    pub fn has(&self, line: &str) -> bool {
        self.0.borrow().iter().any(|noted| noted == line)
    }

    /// A callback that notes `name(ok)` or `name(CODE)`.
    pub fn outcome(&self, name: &'static str) -> impl FnOnce(soquete::Result<()>) + 'static {
        let record = self.clone();
        move |outcome| {
            let outcome = match &outcome {
                Ok(()) => "ok",
                Err(error) => error.code(),
            };
            record.note(format!("{name}({outcome})"));
        }
    }

    /// Records the events of a socket as `name.event`. `Data` is not listened to, for that would
    /// make it flow.
    pub fn watch(&self, name: &'static str, socket: Socket) {
        macro_rules! watch {
            ($($event:ident = $text:literal),*) => {$(
                let record = self.clone();
                socket.on(event::$event, move |_| record.note(format!("{name}.{}", $text)));
            )*};
        }
        watch!(
            End = "end",
            Prefinish = "prefinish",
            Finish = "finish",
            Drain = "drain",
            Pause = "pause",
            Resume = "resume",
            Pipe = "pipe",
            Unpipe = "unpipe",
            Timeout = "timeout"
        );
        let record = self.clone();
        socket.on(event::Error, move |error| {
            record.note(format!("{name}.error({})", error.code()));
        });
        let record = self.clone();
        socket.on(event::Close, move |had_error| {
            record.note(format!("{name}.close({had_error})"));
        });
    }
}

/// Bytes of `len`, each telling where it is.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at ^ at >> 8 ^ at >> 16) as u8).collect()
}
