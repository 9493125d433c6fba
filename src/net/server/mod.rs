//! The server: a handle to what listens and accepts.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | the handle, with Node's methods |
//! | `options.rs` | options of servers and of listening |
//! | `host.rs` | listening and closing |
//! | `accept.rs` | accepting, also when descriptors have run out |

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::PathBuf;

mod accept;
mod host;
mod options;

pub(super) use host::connection_left;
pub use options::{ListenOptions, ServerOptions};

use super::emitting;
use crate::error::{Result, node};
use crate::event;
use crate::reactor::{self, Key};
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
    _not_send: PhantomData<*const ()>,
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

/// The address that a server listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerAddress {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A Unix domain socket.
    Path(PathBuf),
}

impl ServerAddress {
    /// The port; 0 for a path.
    pub fn port(&self) -> u16 {
        match self {
            ServerAddress::Tcp(address) => address.port(),
            ServerAddress::Path(_) => 0,
        }
    }

    /// The IP address; `None` for a path.
    pub fn ip(&self) -> Option<std::net::IpAddr> {
        match self {
            ServerAddress::Tcp(address) => Some(address.ip()),
            ServerAddress::Path(_) => None,
        }
    }

    /// The path of a Unix domain socket.
    pub fn path(&self) -> Option<&std::path::Path> {
        match self {
            ServerAddress::Tcp(_) => None,
            ServerAddress::Path(path) => Some(path),
        }
    }
}

impl Server {
    /// A server that does not listen yet. Node's `new net.Server(options)`.
    pub fn new(options: ServerOptions) -> Server {
        let key = reactor::with(|event_loop| {
            let cell = event_loop.insert(|key| ServerCell::new(key, options));
            cell.key
        });
        Server {
            key: key.unwrap_or(Key::RESERVED),
            _not_send: PhantomData,
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

    /// As [`listen`](Server::listen), and calls `callback` at the next `Listening`, also if that
    /// comes of a later `listen` because this one failed.
    pub fn listen_with(
        &self,
        options: impl Into<ListenOptions>,
        callback: impl FnOnce() + 'static,
    ) -> Server {
        if !self.listening() {
            self.once(event::Listening, |()| callback());
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
    pub fn close_with(&self, callback: impl FnOnce(Result<()>) + 'static) -> Server {
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
    pub fn address(&self) -> Option<ServerAddress> {
        ServerHost::with(self.key, |host| host.cell.listener.borrow().address()).flatten()
    }

    /// Whether the server has its address.
    pub fn listening(&self) -> bool {
        ServerHost::with(self.key, |host| !host.cell.listener.borrow().is_none()).unwrap_or(false)
    }

    /// How many connections are open. Node's `getConnections`, which cannot say it at once.
    pub fn connections(&self) -> usize {
        ServerHost::with(self.key, |host| host.cell.connections.get()).unwrap_or(0)
    }

    /// Calls `callback` with the number of open connections on the next tick.
    pub fn get_connections(&self, callback: impl FnOnce(Result<usize>) + 'static) -> Server {
        let count = self.connections();
        crate::timers::next_tick(move || callback(Ok(count)));
        *self
    }

    /// The most connections there may be; further ones are closed at once, and
    /// [`event::Drop`] is emitted. `None`, the default, for no limit; 0 turns everybody away.
    pub fn set_max_connections(&self, count: Option<usize>) -> Server {
        ServerHost::with(self.key, |host| host.cell.max_connections.set(count));
        *self
    }

    /// See [`set_max_connections`](Server::set_max_connections).
    pub fn max_connections(&self) -> Option<usize> {
        ServerHost::with(self.key, |host| host.cell.max_connections.get()).flatten()
    }

    /// Does nothing: in Node it tells a worker of a cluster to turn a connection away rather than hand
    /// it to another worker, and here there is no cluster.
    pub fn set_drop_max_connection(&self, _drop: bool) -> Server {
        *self
    }

    /// Destroys the connections that are idle: those with nothing queued to be written, and with
    /// nothing received that waits to be read. How many that were.
    ///
    /// Whether a request is being worked on is the protocol's secret: a connection that was asked
    /// something and has not answered yet looks idle, too. Call it where answers are written in the
    /// listener that gets the request, and keep a list of your own otherwise.
    pub fn close_idle_connections(&self) -> usize {
        ServerHost::with(self.key, |host| host.destroy_idle()).unwrap_or(0)
    }

    /// Destroys all connections. How many that were.
    ///
    /// Together with [`close`](Server::close) this is a shutdown with a deadline: nobody new is let
    /// in, the idle are sent home, the others have some time to get done.
    ///
    /// ```
    /// use soquete::{event, net, timers};
    /// use std::time::Duration;
    ///
    /// fn shut_down(server: net::Server) {
    ///     server.close();
    ///     server.close_idle_connections();
    ///     let deadline = timers::set_timeout(Duration::from_secs(10), move || {
    ///         server.close_all_connections();
    ///     });
    ///     server.once(event::Close, move |_| {
    ///         deadline.clear();
    ///     });
    /// }
    /// # fn main() -> soquete::Result<()> {
    /// # let server = net::create_server(|_| {});
    /// # server.listen(0);
    /// # shut_down(server);
    /// # soquete::run()
    /// # }
    /// ```
    pub fn close_all_connections(&self) -> usize {
        ServerHost::with(self.key, |host| host.destroy_all()).unwrap_or(0)
    }

    /// Makes the server keep the loop alive while it listens, as it does by default.
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

    fn exists(&self) -> bool {
        ServerHost::with(self.key, |_| ()).is_some()
    }

    pub(crate) fn with_emitter<R>(
        self,
        f: impl FnOnce(&crate::events::EventEmitter) -> R,
    ) -> Option<R> {
        ServerHost::with(self.key, |host| f(&host.cell.emitter))
    }

    pub(super) fn from_key(key: Key) -> Server {
        Server {
            key,
            _not_send: PhantomData,
        }
    }

    /// Nothing about a server depends on who listens.
    fn listeners_changed(self, _: super::ListenerChange) {}
}

emitting!(Server, crate::events::EventEmitter);

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("key", &self.key)
            .field("address", &self.address())
            .field("connections", &self.connections())
            .finish()
    }
}
