//! The server: a handle to what listens and accepts.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the handle, with Node's methods |
//! | `options.rs` | options of servers and of listening |
//! | `host.rs` | listening and closing |
//! | `accept.rs` | accepting, also when descriptors have run out |
//! | `shutdown.rs` | closing with a deadline |

use std::fmt;
use std::net::SocketAddr;

mod accept;
mod host;
mod options;
mod shutdown;

pub(super) use host::connection_left;
pub(super) use options::ListenTarget;
pub use options::{ListenOptions, ServerOptions};

use super::{Address, emitting};
use crate::StaysOnItsThread;
use crate::error::{Error, Result, node};
use crate::event;
use crate::events::outcome::dropped;
use crate::events::{Event, Outcome};
use crate::reactor::{self, Key, Origin};
use host::{ServerCell, ServerHost};

/// Takes connections. Node's `net.Server`.
///
/// A `Server` is a handle: copies name the same server. Once it has closed, all of them are stale,
/// and their methods do nothing.
///
/// ```
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.end_with("goodbye");
/// });
/// server.listen(0);
/// server.on(event::Listening, move |()| {
///     let port = server.address().unwrap().port();
///     let client = net::connect(port);
///     client.on(event::Data, |chunk| assert_eq!(chunk, b"goodbye"));
///     client.on(event::Close, move |_| {
///         server.close();
///     });
/// });
/// soquete::run()
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Server {
    key: Key,
    _not_send: StaysOnItsThread,
}

/// What [`event::Drop`] tells of a connection that was turned away. `None` throughout for IPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DropInfo {
    /// The server's end.
    pub local: Option<SocketAddr>,
    /// The client's end.
    pub remote: Option<SocketAddr>,
}

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
            let cell = event_loop.insert(|key| ServerCell::new(key, options, origin));
            cell.key
        });
        Server::from_key(key.unwrap_or(Key::RESERVED))
    }

    pub(crate) fn from_key(key: Key) -> Server {
        Server {
            key,
            _not_send: StaysOnItsThread::HERE,
        }
    }

    /// Starts to listen: [`event::Listening`] follows, or [`event::Error`]. After an error the server
    /// can listen again.
    ///
    /// Without a host and for a path the address is known when this returns; with a host it is known
    /// in `Listening`. Listening twice is an error (`ERR_SERVER_ALREADY_LISTEN`).
    pub fn listen(&self, options: impl Into<ListenOptions>) -> Server {
        let options = options.into();
        if ServerHost::with(self.key, |host| host.listen(options)).is_none() {
            log::warn!(
                target: "soquete::net",
                "listen of a server that has closed does nothing: make a new one"
            );
        }
        *self
    }

    /// As [`listen`](Server::listen), and calls `callback` with the server at the next `Listening`,
    /// also if that comes of a later `listen` because this one failed.
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
        ServerHost::with(self.key, |host| host.close());
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
        if self.exists() {
            self.once(event::Close, move |_| callback(outcome()));
            self.close()
        } else {
            crate::timers::next_tick(move || callback(outcome()));
            *self
        }
    }

    /// Where the server listens; `None` if it does not.
    pub fn address(&self) -> Option<Address> {
        ServerHost::with(self.key, |host| {
            crate::net::listener::address(&host.cell.listener.borrow())
        })
        .flatten()
    }

    /// Whether the server has its address.
    pub fn listening(&self) -> bool {
        ServerHost::with(self.key, |host| !host.cell.listener.borrow().is_none()).unwrap_or(false)
    }

    /// Whether `listen` was called, and `close` not since.
    #[cfg(any(test, fuzzing, feature = "fuzzing", feature = "sim"))]
    pub(crate) fn is_to_listen(&self) -> bool {
        ServerHost::with(self.key, |host| host.cell.wanted.get()).unwrap_or(false)
    }

    /// How many connections are open. Node's `getConnections`, which cannot say it at once.
    pub fn connections(&self) -> usize {
        ServerHost::with(self.key, |host| host.cell.connections.get()).unwrap_or(0)
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
        ServerHost::with(self.key, |host| host.cell.max_connections.set(count));
        *self
    }

    /// See [`set_max_connections`](Server::set_max_connections).
    #[doc(alias = "maxConnections")]
    pub fn max_connections(&self) -> Option<usize> {
        ServerHost::with(self.key, |host| host.cell.max_connections.get()).flatten()
    }

    /// Destroys the connections that are idle: those with nothing queued to be written, nothing received that
    /// waits to be read, and no [frame](super::Socket::frames) that has begun to come in. How many that were.
    ///
    /// Whether a request is being worked on is the protocol's secret: a connection that was asked
    /// something and has not answered yet looks idle, too. Call it where answers are written in the
    /// listener that gets the request, and keep a list of your own otherwise.
    #[doc(alias = "closeIdleConnections")]
    pub fn close_idle_connections(&self) -> usize {
        ServerHost::with(self.key, |host| host.destroy_idle()).unwrap_or(0)
    }

    /// Destroys all connections. How many that were.
    #[doc(alias = "closeAllConnections")]
    pub fn close_all_connections(&self) -> usize {
        ServerHost::with(self.key, |host| host.destroy_all()).unwrap_or(0)
    }

    /// Makes the server keep the loop alive while it listens, as it does by default.
    #[doc(alias = "ref")]
    pub fn ref_(&self) -> Server {
        ServerHost::with(self.key, |host| host.cell.referenced.set(true));
        *self
    }

    /// Lets the loop end though the server listens. Its connections keep the loop alive all the
    /// same.
    pub fn unref(&self) -> Server {
        ServerHost::with(self.key, |host| host.cell.referenced.set(false));
        *self
    }

    /// What becomes of an error that a listener of `E` has returned.
    fn failed<E: Event>(self, payload: E::Payload<'_>, error: Error)
    where
        Server: event::Emits<E>,
    {
        ServerHost::with(self.key, |host| {
            host.listener_of_failed::<E>(payload, error)
        });
    }

    fn exists(&self) -> bool {
        ServerHost::with(self.key, |_| ()).is_some()
    }

    fn with_attachments<R>(
        self,
        f: impl FnOnce(&super::attachments::Attachments) -> R,
    ) -> Option<R> {
        ServerHost::with(self.key, |host| f(&host.cell.attachments))
    }

    pub(crate) fn with_emitter<R>(
        self,
        f: impl FnOnce(&crate::events::EventEmitter) -> R,
    ) -> Option<R> {
        ServerHost::with(self.key, |host| f(&host.cell.emitter))
    }

    /// Nothing about a server depends on who listens.
    fn listeners_changed(self, _: super::ListenerChange) {}
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
            .field("key", &self.key)
            .field("address", &self.address())
            .field("connections", &self.connections())
            .finish()
    }
}
