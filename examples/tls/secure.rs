//! TLS on a socket: rustls's state machine between the descriptor and the listeners.
//!
//! ```text
//!   socket ── Data ──▶ ciphertext ──▶ rustls ──▶ plaintext ──▶ Plain, Secured, PlainEnd
//!   socket ◀── write ── ciphertext ◀── rustls ◀── plaintext ◀── write, end
//! ```
//!
//! [`Secure`] is a `Copy` handle as [`Socket`] is, and the connection is an attachment of the socket: both
//! go together. `Error`, `Close`, `Drain` and `Timeout` are the socket's own. The file depends on nothing
//! else of the example, to be copied.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Read, Write};

use rustls::{ClientConnection, Connection, ServerConnection};
use soquete::events::{Event, EventEmitter, Outcome};
use soquete::net::Socket;
use soquete::{Error, event};

/// The handshake is complete. Node's `secureConnect` and `secureConnection`.
pub struct Secured;

impl Event for Secured {
    type Payload<'a> = ();
}

/// Decrypted bytes, at most 16 KiB.
pub struct Plain;

impl Event for Plain {
    type Payload<'a> = &'a [u8];
}

/// The peer has sent close_notify: there is no more to come, and it may still be written to.
pub struct PlainEnd;

impl Event for PlainEnd {
    type Payload<'a> = ();
}

/// A socket that speaks TLS.
#[derive(Clone, Copy, Debug)]
pub struct Secure(Socket);

struct State {
    connection: RefCell<Connection>,
    emitter: EventEmitter,
    /// Ciphertext that came while the reader was paused.
    held: RefCell<Vec<u8>>,
    phase: Cell<Phase>,
    paused: Cell<bool>,
    /// The peer's TCP has ended.
    fin: Cell<bool>,
    /// Listeners are running: none of them can be entered again.
    delivering: Cell<bool>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Handshake {
        /// `end` was called: close_notify has to wait for the handshake.
        ends: bool,
    },
    Open,
    /// close_notify came.
    Ended,
}

impl Secure {
    /// Answers a client's handshake.
    pub fn server(socket: Socket, connection: ServerConnection) -> Secure {
        Secure::over(socket, connection.into())
    }

    /// Begins a handshake, as soon as the socket is connected.
    pub fn client(socket: Socket, connection: ClientConnection) -> Secure {
        Secure::over(socket, connection.into())
    }

    fn over(socket: Socket, mut connection: Connection) -> Secure {
        // The socket's queue is what bounds the writes.
        connection.set_buffer_limit(None);
        socket.set_allow_half_open(true);
        socket.attach(State {
            connection: RefCell::new(connection),
            emitter: EventEmitter::new(),
            held: RefCell::default(),
            phase: Cell::new(Phase::Handshake { ends: false }),
            paused: Cell::new(false),
            fin: Cell::new(false),
            delivering: Cell::new(false),
        });
        let secure = Secure(socket);
        socket.on(event::Data, move |ciphertext| secure.decrypt(ciphertext));
        socket.on(event::End, move |()| {
            secure.with(|state| {
                state.fin.set(true);
                secure.check_end(state);
            })
        });
        secure.send();
        secure
    }

    /// Listens to [`Secured`], [`Plain`] or [`PlainEnd`].
    pub fn on<E: Event, R: Outcome>(
        self,
        event: E,
        listener: impl FnMut(E::Payload<'_>) -> R + 'static,
    ) -> Secure {
        self.with(|state| {
            state.emitter.on(event, listener);
        });
        self
    }

    /// The socket underneath, with its `Error`, `Close` and `Drain`.
    pub fn socket(self) -> Socket {
        self.0
    }

    /// Encrypts and sends. False from the socket's high-water mark on, until its `Drain`; and where the
    /// socket has ended or gone.
    pub fn write(self, plaintext: impl AsRef<[u8]>) -> bool {
        if !self.0.writable() {
            return false;
        }
        self.with(|state| {
            // With no limit on its buffer, rustls takes all of it.
            let _all = state
                .connection
                .borrow_mut()
                .writer()
                .write(plaintext.as_ref());
        });
        self.send();
        !self.0.writable_need_drain()
    }

    /// Sends close_notify and ends the writing half; the peer may go on.
    pub fn end(self) {
        let is_early = self.with(|state| {
            let is_early = matches!(state.phase.get(), Phase::Handshake { .. });
            if is_early {
                state.phase.set(Phase::Handshake { ends: true });
            } else {
                state.connection.borrow_mut().send_close_notify();
            }
            is_early
        });
        if is_early == Some(true) {
            return;
        }
        self.send();
        self.0.end();
    }

    /// Stops `Plain` until [`resume`](Secure::resume).
    pub fn pause(self) {
        self.with(|state| state.paused.set(true));
        self.0.pause();
    }

    /// Goes on with what was held back, and then with what comes.
    pub fn resume(self) {
        let Some(state) = self.0.attachment::<State>() else {
            return;
        };
        state.paused.set(false);
        // From inside a listener of `Plain` there is nothing to do: its caller goes on by itself.
        if !state.delivering.get() {
            let held = state.held.take();
            self.decrypt(&held);
        }
        if !state.paused.get() {
            self.0.resume();
        }
    }

    /// The protocol that both sides have agreed on (ALPN).
    pub fn alpn(self) -> Option<Vec<u8>> {
        self.with(|state| {
            state
                .connection
                .borrow()
                .alpn_protocol()
                .map(<[u8]>::to_vec)
        })?
    }

    /// `TLSv1_2` or `TLSv1_3`, once the handshake is complete.
    pub fn protocol(self) -> Option<String> {
        self.with(|state| {
            let version = state.connection.borrow().protocol_version()?;
            version.as_str().map(String::from)
        })?
    }

    fn with<R>(self, f: impl FnOnce(&State) -> R) -> Option<R> {
        self.0.attachment::<State>().map(|state| f(&state))
    }

    fn decrypt(self, mut ciphertext: &[u8]) {
        let Some(state) = self.0.attachment::<State>() else {
            return;
        };
        state.delivering.set(true);
        let _returned = Delivered(&state.delivering);
        loop {
            self.emit_progress(&state);
            // What follows close_notify is ignored, and rustls takes none of it.
            let is_over = state.phase.get() == Phase::Ended;
            if ciphertext.is_empty() || is_over || self.0.destroyed() {
                return self.check_end(&state);
            }
            if state.paused.get() {
                state.held.borrow_mut().extend_from_slice(ciphertext);
                return;
            }
            let processed = {
                let mut connection = state.connection.borrow_mut();
                let taken = connection.read_tls(&mut ciphertext).map_err(tls_error);
                taken.and_then(|_| connection.process_new_packets().map_err(tls_error))
            };
            // Answers of the handshake, or the alert that says what is wrong.
            self.send();
            if let Err(error) = processed {
                self.0.destroy_with(error);
                return;
            }
        }
    }

    /// Emits what the last records have brought.
    fn emit_progress(self, state: &State) {
        if let Phase::Handshake { ends } = state.phase.get()
            && !state.connection.borrow().is_handshaking()
        {
            state.phase.set(Phase::Open);
            self.emit(state, Secured, ());
            if ends {
                self.end();
            }
        }
        let mut plaintext = [0; 16 * 1024];
        while state.phase.get() == Phase::Open && !state.paused.get() && !self.0.destroyed() {
            let read = state.connection.borrow_mut().reader().read(&mut plaintext);
            match read {
                Ok(0) => {
                    state.phase.set(Phase::Ended);
                    self.emit(state, PlainEnd, ());
                }
                Ok(count) => self.emit(state, Plain, &plaintext[..count]),
                Err(_nothing_yet) => return,
            }
        }
    }

    /// A listener that fails costs its own connection, as one of the socket's does.
    fn emit<E: Event>(self, state: &State, event: E, payload: E::Payload<'_>) {
        if let Err(error) = state.emitter.try_emit(event, payload) {
            self.0.destroy_with(error);
        }
    }

    /// Hands the socket what rustls wants sent.
    fn send(self) {
        let mut socket = self.0;
        self.with(|state| {
            let mut connection = state.connection.borrow_mut();
            while socket.writable() && connection.wants_write() {
                if connection.write_tls(&mut socket).is_err() {
                    return;
                }
            }
        });
    }

    /// The peer's FIN without close_notify may be somebody else's: what came may be cut off. A pause holds
    /// close_notify back, and not the FIN.
    fn check_end(self, state: &State) {
        if state.fin.get() && !state.paused.get() && state.phase.get() != Phase::Ended {
            let cut = io::Error::from(io::ErrorKind::UnexpectedEof);
            self.0.destroy_with(tls_error(cut));
        }
    }
}

/// Says that the listeners have returned, also by a panic.
struct Delivered<'a>(&'a Cell<bool>);

impl Drop for Delivered<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// An error of rustls's as one of the crate's.
pub fn tls_error(error: impl fmt::Display) -> Error {
    Error::other("ERR_TLS", error)
}
