//! The methods of a server.

use std::fmt;

use crate::error::{Error, Result, node};
use crate::event;
use crate::events::outcome::dropped;
use crate::events::{Event, Outcome};
use crate::net::driver::server::ServerDriver;
use crate::net::handles::listeners::{ListenerChange, emitting};
use crate::net::options::listen::ListenOptions;
use crate::net::options::server::ServerOptions;
use crate::net::state::attachments::Attachments;
use crate::net::state::server::ServerState;
use crate::net::values::address::Address;
use crate::net::values::handle::Server;
use crate::reactor::{self, Key, Origin};

impl Server {
    /// A server that does not listen yet. Node's `new net.Server()`.
    #[track_caller]
    pub fn new() -> Server {
        Server::new_with(ServerOptions::default())
    }

    /// As [`new`](Server::new), with options for the sockets that it accepts.
    #[track_caller]
    pub fn new_with(options: ServerOptions) -> Server {
        let origin = Origin::here();
        let key = reactor::with(|event_loop| {
            let state = event_loop.insert(|key| ServerState::new(key, options, origin));
            state.key
        });
        Server::from_key(key.unwrap_or(Key::RESERVED))
    }

    /// Starts to listen: [`event::Listening`] follows, or [`event::Error`]. After an error the server
    /// can listen again.
    ///
    /// Without a host and for a path the address is known when this returns; with a host it is known
    /// in `Listening`. Listening twice is an error (`ERR_SERVER_ALREADY_LISTEN`).
    pub fn listen(&self, options: impl Into<ListenOptions>) -> Server {
        let options = options.into();
        if ServerDriver::with(self.key(), |driver| driver.listen(options)).is_none() {
            log::warn!(
                target: "soquete::net",
                "listen of a server that has closed does nothing: make a new one"
            );
        }
        *self
    }

    /// As [`listen`](Server::listen), and calls `callback` with the server at the next `Listening`,
    /// also if that comes of a later `listen` because this one failed.
    ///
    /// ```
    /// use soquete::{event, net};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    /// });
    /// server.listen_then(("127.0.0.1", 0), |server| {
    ///     println!("listening on {:?}", server.address());
    ///     # server.close();
    /// });
    /// # soquete::run()
    /// # }
    /// ```
    #[doc(alias = "listen")]
    pub fn listen_then<R: Outcome>(
        &self,
        options: impl Into<ListenOptions>,
        callback: impl FnOnce(Server) -> R + 'static,
    ) -> Server {
        if !self.listening() {
            let server = *self;
            self.once(event::Listening, move |()| callback(server));
        }
        self.listen(options)
    }

    /// Stops taking connections. [`event::Close`] is emitted when those that there are have closed.
    pub fn close(&self) -> Server {
        ServerDriver::with(self.key(), |driver| driver.close());
        *self
    }

    /// As [`close`](Server::close), and calls `callback` at `Close`; with `ERR_SERVER_NOT_RUNNING` if
    /// the server was not listening.
    #[doc(alias = "close")]
    pub fn close_then<R: Outcome>(
        &self,
        callback: impl FnOnce(Result<()>) -> R + 'static,
    ) -> Server {
        let listening = self.listening();
        let outcome = move || {
            if listening {
                Ok(())
            } else {
                Err(node::not_running())
            }
        };
        let will_tell = ServerDriver::with(self.key(), |driver| driver.will_tell_of_its_end());
        if will_tell == Some(true) {
            self.once(event::Close, move |_| callback(outcome()));
            self.close()
        } else {
            crate::timers::next_tick(move || callback(outcome()));
            *self
        }
    }

    /// Where the server listens; `None` if it does not.
    pub fn address(&self) -> Option<Address> {
        ServerDriver::with(self.key(), |driver| driver.listening_address()).flatten()
    }

    /// Whether the server has its address.
    pub fn listening(&self) -> bool {
        ServerDriver::with(self.key(), |driver| {
            !driver.state.listener.borrow().is_none()
        })
        .unwrap_or(false)
    }

    /// Whether `listen` was called, and `close` not since.
    #[cfg(any(test, fuzzing, feature = "fuzzing", feature = "sim"))]
    pub(crate) fn is_to_listen(&self) -> bool {
        ServerDriver::with(self.key(), |driver| driver.state.wanted.get()).unwrap_or(false)
    }

    /// How many connections are open. Node's `getConnections`, which cannot say it at once.
    pub fn connections(&self) -> usize {
        ServerDriver::with(self.key(), |driver| driver.state.connections.get()).unwrap_or(0)
    }

    /// Calls `callback` with the number of open connections on the next tick.
    #[doc(alias = "getConnections")]
    pub fn get_connections<R: Outcome>(
        &self,
        callback: impl FnOnce(Result<usize>) -> R + 'static,
    ) -> Server {
        let count = self.connections();
        crate::timers::next_tick(move || callback(Ok(count)));
        *self
    }

    /// The most connections there may be; further ones are closed at once, and
    /// [`event::Drop`] is emitted. `None`, the default, for no limit; 0 turns everybody away.
    #[doc(alias = "maxConnections")]
    pub fn set_max_connections(&self, count: Option<usize>) -> Server {
        ServerDriver::with(self.key(), |driver| driver.state.max_connections.set(count));
        *self
    }

    /// See [`set_max_connections`](Server::set_max_connections).
    #[doc(alias = "maxConnections")]
    pub fn max_connections(&self) -> Option<usize> {
        ServerDriver::with(self.key(), |driver| driver.state.max_connections.get()).flatten()
    }

    /// Accepts nobody until [`resume_accept`](Server::resume_accept): further connections wait in the kernel's
    /// [backlog](crate::net::ListenOptions::backlog), where they are up for their clients, who may send already.
    /// When the backlog is full, the kernel lets clients wait that connect by TCP, and refuses those by IPC
    /// (EAGAIN). Those that are there go on, and so do those whose
    /// [PROXY header](crate::net::ServerOptions::proxy_protocol) is coming in.
    ///
    /// It takes effect at once, also inside a listener of [`Connection`](event::Connection). A server may be
    /// paused before it listens, and still is after it has closed and listens again. It keeps the loop alive
    /// as any that listens. Node has no such method: where [`max_connections`](Server::set_max_connections)
    /// turns those away that are too many, this lets them wait.
    ///
    /// ```
    /// use soquete::{event, net};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     socket.end_with("your turn").resume();
    /// });
    /// // One after the other.
    /// server.on(event::Connection, move |socket| {
    ///     server.pause_accept();
    ///     socket.on(event::Close, move |_| server.resume_accept());
    /// });
    /// server.listen_then(("127.0.0.1", 0), |server| {
    ///     for _ in 0..2 {
    ///         let client = net::connect(server.address().unwrap());
    ///         client.resume().end();
    ///     }
    /// # let mut left = 2;
    /// # server.on(event::Connection, move |_| { left -= 1; if left == 0 { server.close(); } });
    /// });
    /// soquete::run()
    /// # }
    /// ```
    pub fn pause_accept(&self) -> Server {
        ServerDriver::with(self.key(), |driver| driver.pause_accept());
        *self
    }

    /// Accepts again, after [`pause_accept`](Server::pause_accept), beginning with those who have come
    /// meanwhile. The first [`Connection`](event::Connection) comes in the loop's next turn, not inside this call.
    pub fn resume_accept(&self) -> Server {
        ServerDriver::with(self.key(), |driver| driver.resume_accept());
        *self
    }

    /// Whether [`pause_accept`](Server::pause_accept) is in force.
    pub fn is_accept_paused(&self) -> bool {
        ServerDriver::with(self.key(), |driver| driver.state.accept_paused.get()).unwrap_or(false)
    }

    /// Destroys the connections that are idle: those with nothing queued to be written, nothing received that
    /// waits to be read, and no [frame](crate::net::Socket::frames) that has begun to come in. Returns
    /// how many it destroyed.
    ///
    /// Whether a request is being worked on is the protocol's secret: a connection that was asked
    /// something and has not answered yet looks idle, too. Call it where answers are written in the
    /// listener that gets the request, and keep a list of your own otherwise.
    #[doc(alias = "closeIdleConnections")]
    pub fn close_idle_connections(&self) -> usize {
        ServerDriver::with(self.key(), |driver| driver.destroy_idle()).unwrap_or(0)
    }

    /// Destroys all connections, and returns how many there were.
    #[doc(alias = "closeAllConnections")]
    pub fn close_all_connections(&self) -> usize {
        ServerDriver::with(self.key(), |driver| driver.destroy_all()).unwrap_or(0)
    }

    /// Makes the server keep the loop alive while it listens, as it does by default.
    #[doc(alias = "ref")]
    pub fn ref_(&self) -> Server {
        ServerDriver::with(self.key(), |driver| driver.state.referenced.set(true));
        *self
    }

    /// Lets the loop end though the server listens. Its connections keep the loop alive all the
    /// same.
    pub fn unref(&self) -> Server {
        ServerDriver::with(self.key(), |driver| driver.state.referenced.set(false));
        *self
    }

    /// What becomes of an error that a listener of `E` has returned.
    fn failed<E: Event>(self, payload: E::Payload<'_>, error: Error)
    where
        Server: event::Emits<E>,
    {
        ServerDriver::with(self.key(), |driver| {
            driver.listener_of_failed::<E>(payload, error)
        });
    }

    fn with_attachments<R>(self, f: impl FnOnce(&Attachments) -> R) -> Option<R> {
        ServerDriver::with(self.key(), |driver| f(&driver.state.attachments))
    }

    fn with_emitter<R>(self, f: impl FnOnce(&crate::events::EventEmitter) -> R) -> Option<R> {
        ServerDriver::with(self.key(), |driver| f(&driver.state.emitter))
    }

    /// Nothing about a server depends on who listens.
    fn listeners_changed(self, _: ListenerChange) {}
}

emitting!(Server, crate::events::EventEmitter);
dropped!(Server);

impl Default for Server {
    fn default() -> Server {
        Server::new()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("key", &self.key())
            .field("address", &self.address())
            .field("connections", &self.connections())
            .finish()
    }
}
