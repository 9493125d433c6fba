//! The socket: a handle to one connection, with Node's methods.

use std::any::TypeId;
use std::fmt;

use crate::error::{Error, Result};
use crate::event;
use crate::events::closure::Call;
use crate::events::outcome::dropped;
use crate::events::{Event, EventEmitter, ListenerId, Outcome};
use crate::kernel::Stream;
use crate::net::driver::socket::SocketDriver;
use crate::net::handles::listeners::{ListenerChange, emitting};
use crate::net::options::bound::BoundSocket;
use crate::net::options::connect::ConnectOptions;
use crate::net::options::socket::SocketOptions;
use crate::net::state::attachments::Attachments;
use crate::net::state::socket::SocketState;
use crate::net::values::handle::Socket;
use crate::reactor::{self, Key, Origin};

/// Making and connecting.
impl Socket {
    /// A socket that is not connected. It is there until it is connected and closes, or is
    /// destroyed. Options go to [`new_with`](Socket::new_with).
    #[track_caller]
    pub fn new() -> Socket {
        Socket::new_with(SocketOptions::default())
    }

    /// As [`new`](Socket::new), with options.
    #[track_caller]
    pub fn new_with(options: SocketOptions) -> Socket {
        let origin = Origin::here();
        let key = reactor::with(|event_loop| {
            let state = SocketState::insert(event_loop, Stream::None, origin);
            SocketDriver {
                event_loop,
                state: &state,
            }
            .configure(&options);
            state.key
        });
        Socket::from_key(key.unwrap_or(Key::RESERVED))
    }

    /// A socket that connects from an address that was taken before. It adopts `bound`: nobody else
    /// can. Connecting to an IP address begins in the call of `connect` then.
    ///
    /// # Errors
    ///
    /// `ERR_SOCKET_HANDLE_ADOPTED`.
    #[track_caller]
    pub fn from_bound(bound: &BoundSocket) -> Result<Socket> {
        Socket::from_bound_with(bound, SocketOptions::default())
    }

    /// As [`from_bound`](Socket::from_bound), with options.
    ///
    /// ```
    /// use soquete::net::{BoundSocket, Socket, SocketOptions};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let bound = BoundSocket::new(("127.0.0.1", 0))?;
    /// let socket = Socket::from_bound_with(&bound, SocketOptions::new().no_delay(true))?;
    /// assert!(socket.no_delay());
    /// # socket.destroy();
    /// # soquete::run()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_bound`](Socket::from_bound).
    #[track_caller]
    pub fn from_bound_with(bound: &BoundSocket, options: SocketOptions) -> Result<Socket> {
        let bound = bound.descriptor().adopt()?;
        let socket = Socket::new_with(options);
        socket.with(|driver| {
            driver.state.bits.was_shown().set(true);
            driver
                .state
                .with_extras(|extras| extras.bound = Some(bound))
        });
        Ok(socket)
    }

    /// Connects. A socket that has closed can be connected again in its `Close` listener; its
    /// listeners are still there then. Later it is stale, and a new one is needed.
    ///
    /// Of `options`, only what is about connecting counts; what a socket is made with (`no_delay`, marks,
    /// `timeout`, `signal`, a block list …) counts for [`net::connect`](crate::net::connect()). While the socket
    /// connects, another call destroys it with EALREADY (EINVAL for a path), when it is connected with
    /// EISCONN; after `destroy` it connects once `Close` was emitted.
    pub fn connect(&self, options: impl Into<ConnectOptions>) -> Socket {
        let options = options.into();
        if self.with(|driver| driver.connect(options)).is_none() {
            log::warn!(
                target: "soquete::net",
                "connect of a socket that has closed does nothing: make a new one"
            );
        }
        *self
    }

    /// As [`connect`](Socket::connect), and calls `listener` with the socket at the next
    /// [`event::Connect`].
    ///
    /// ```
    /// use soquete::{event, net};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// # let server = net::create_server(|socket| {
    /// #     socket.on(event::Error, |error| eprintln!("{error}"));
    /// #     socket.pipe(socket);
    /// # });
    /// # server.listen(0);
    /// # let port = server.address().unwrap().port();
    /// let client = net::Socket::new();
    /// client.on(event::Error, |error| eprintln!("{error}"));
    /// client.connect_then(port, |client| client.end_with("hello"));
    /// client.on(event::Data, move |chunk| {
    ///     assert_eq!(chunk, b"hello");
    ///     # server.close();
    /// });
    /// # soquete::run()
    /// # }
    /// ```
    #[doc(alias = "connect")]
    pub fn connect_then<R: Outcome>(
        &self,
        options: impl Into<ConnectOptions>,
        listener: impl FnOnce(Socket) -> R + 'static,
    ) -> Socket {
        let socket = *self;
        self.once(event::Connect, move |()| listener(socket));
        self.connect(options)
    }
}

/// The handle, for the rest of the crate.
impl Socket {
    /// Emits an event that tells of a socket, held back while one of its listeners is running.
    pub(super) fn emit_later_if_running<E>(self, event: E, socket: Socket)
    where
        E: for<'p> Event<Payload<'p> = Socket> + Copy,
        Socket: event::Emits<E>,
    {
        self.with(|driver| driver.emit_value(event, socket));
    }

    pub(super) fn with<R>(self, f: impl FnOnce(&SocketDriver<'_>) -> R) -> Option<R> {
        SocketDriver::with(self.key(), f)
    }

    pub(super) fn ask<R: Default>(self, f: impl FnOnce(&SocketDriver<'_>) -> R) -> R {
        self.with(f).unwrap_or_default()
    }

    /// What becomes of an error that a listener of `E` has returned.
    fn failed<E: Event>(self, _: E::Payload<'_>, error: Error) {
        self.listener_failed(error);
    }

    pub(super) fn call_later<R: Outcome>(self, callback: impl FnOnce() -> R + 'static) {
        crate::timers::next_tick(move || self.heed(callback()));
    }

    fn with_attachments<R>(self, f: impl FnOnce(&Attachments) -> R) -> Option<R> {
        self.with(|driver| driver.state.with_attachments(f))
    }

    /// As `add_listener`, of what is more than a closure.
    pub(in crate::net) fn add_call(self, listener: Box<dyn Call<event::Data>>) -> ListenerId {
        self.adding::<event::Data>(|emitter| emitter.add_call(listener))
    }

    fn with_emitter<R>(self, f: impl FnOnce(&EventEmitter<event::Data>) -> R) -> Option<R> {
        self.with(|driver| f(&driver.state.emitter))
    }

    /// Some listeners decide how a socket is read.
    fn listeners_changed(self, change: ListenerChange) {
        let readable = TypeId::of::<event::Readable>();
        match change {
            ListenerChange::Added(event) if event == TypeId::of::<event::Text>() => {
                self.with(|driver| {
                    driver.begin_text();
                    driver.state.duplex.data_listener_added(driver);
                });
            }
            ListenerChange::Prepended(event) if event == TypeId::of::<event::Text>() => {
                self.with(|driver| driver.begin_text());
            }
            ListenerChange::Added(event) if event == TypeId::of::<event::Data>() => {
                self.with(|driver| driver.state.duplex.data_listener_added(driver));
            }
            ListenerChange::Added(event) if event == readable => {
                self.with(|driver| driver.state.duplex.readable_listener_added(driver));
            }
            ListenerChange::Added(_) | ListenerChange::Prepended(_) => {}
            ListenerChange::Removed(event) if event != readable => {}
            ListenerChange::Removed(_) | ListenerChange::AllRemoved => {
                self.with(|driver| driver.state.duplex.readable_listener_removed(driver));
            }
        }
    }
}

impl SocketDriver<'_> {
    /// Decodes from now on, if that has not begun.
    fn begin_text(&self) {
        if !self.state.duplex.is_text() {
            self.state.duplex.decode_utf8();
        }
    }
}

emitting!(Socket, EventEmitter<event::Data>);
dropped!(Socket);

impl Default for Socket {
    fn default() -> Socket {
        Socket::new()
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("key", &self.key())
            .field("ready_state", &self.ready_state())
            .field("local", &self.local_socket_addr())
            .field("remote", &self.remote_socket_addr())
            .field("readable_length", &self.readable_length())
            .finish()
    }
}
