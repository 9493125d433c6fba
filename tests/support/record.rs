//! The events of a test as one line of text, what its sockets receive, and bytes to send.

use std::cell::RefCell;
use std::rc::Rc;

use soquete::event;
use soquete::net::{Server, ServerOptions, Socket};

/// A server on any free port, which closes after its first connection.
pub fn one_shot_server(options: ServerOptions, accepted: impl FnOnce(Socket) + 'static) -> Server {
    let server = Server::new_with(options);
    server.listen(0).once(event::Connection, move |socket| {
        server.close();
        accepted(socket);
    });
    server
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
