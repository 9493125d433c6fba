//! The server: listening, accepting, closing.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;

use super::cell::{SocketCell, SocketHost};
use super::emitting;
use super::listener::{Accepted, Listener, Reserve, preferred};
use super::options::{ListenOptions, ListenTarget, ServerOptions};
use super::transport::Transport;
use crate::dns;
use crate::error::{Error, Result, node};
use crate::event;
use crate::events::Event;
use crate::reactor::{self, Counters, Handle, Job, Key, Loop, Ready, Task};

/// How many connections one server accepts before others get their turn.
const ACCEPT_BUDGET: usize = 64;

/// How long accepting rests when descriptors have run out and nobody could be turned away.
const EXHAUSTION_PAUSE_MS: u64 = 100;

/// A server at its limit, where one leaves and two come, must not fill the log.
const WARN_AGAIN_MS: u64 = 60_000;

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
}

struct ServerCell {
    key: Key,
    emitter: crate::events::EventEmitter,
    listener: RefCell<Listener>,
    options: ServerOptions,
    max_connections: Cell<Option<usize>>,
    connections: Cell<usize>,
    /// Counts calls of `listen` and `close`, so that a late lookup is known as such.
    attempt: Cell<u32>,
    /// `listen` was called, and `close` not since.
    wanted: Cell<bool>,
    referenced: Cell<bool>,
    counted: Cell<bool>,
    /// When it was last told that there are no descriptors left.
    warned_at: Cell<Option<u64>>,
    /// A timer will try to accept again.
    resting: Cell<bool>,
}

impl Server {
    /// A server that does not listen yet. Node's `new net.Server(options)`.
    pub fn new(options: ServerOptions) -> Server {
        let key = reactor::with(|event_loop| {
            let cell = event_loop.insert(|key| ServerCell {
                key,
                emitter: crate::events::EventEmitter::new(),
                listener: RefCell::new(Listener::None),
                options,
                max_connections: Cell::new(None),
                connections: Cell::new(0),
                attempt: Cell::new(0),
                wanted: Cell::new(false),
                referenced: Cell::new(true),
                counted: Cell::new(false),
                warned_at: Cell::new(None),
                resting: Cell::new(false),
            });
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
        ServerHost::with(self.key, |host| host.listen(options));
        *self
    }

    /// As [`listen`](Server::listen), and calls `callback` at the next `Listening`, also if that
    /// comes of a later `listen` because this one failed.
    pub fn listen_with(
        &self,
        options: impl Into<ListenOptions>,
        callback: impl FnOnce() + 'static,
    ) -> Server {
        self.once(event::Listening, |()| callback());
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
        ServerHost::with(self.key, |host| match &*host.cell.listener.borrow() {
            Listener::None => None,
            #[cfg(unix)]
            Listener::Unix { path, .. } => Some(ServerAddress::Path(path.clone())),
            listener => listener.local_address().map(ServerAddress::Tcp),
        })
        .flatten()
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

emitting!(Server);

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("key", &self.key)
            .field("address", &self.address())
            .field("connections", &self.connections())
            .finish()
    }
}

impl Handle for ServerCell {
    fn ready(self: Rc<Self>, event_loop: &Loop, _key: Key, _ready: Ready) {
        ServerHost {
            event_loop,
            cell: &self,
        }
        .accept_ready();
    }
}

struct ServerHost<'a> {
    event_loop: &'a Loop,
    cell: &'a Rc<ServerCell>,
}

impl ServerHost<'_> {
    fn with<R>(key: Key, f: impl FnOnce(&ServerHost<'_>) -> R) -> Option<R> {
        reactor::with(|event_loop| ServerHost::on(event_loop, key, f)).flatten()
    }

    fn on<R>(event_loop: &Loop, key: Key, f: impl FnOnce(&ServerHost<'_>) -> R) -> Option<R> {
        let handle: Rc<dyn std::any::Any> = event_loop.handle(key)?;
        let cell = handle.downcast::<ServerCell>().ok()?;
        let host = ServerHost {
            event_loop,
            cell: &cell,
        };
        let result = f(&host);
        host.update_alive();
        Some(result)
    }

    fn update_alive(&self) {
        let alive = self.cell.referenced.get() && !self.cell.listener.borrow().is_none();
        if self.cell.counted.replace(alive) != alive {
            if alive {
                self.event_loop.reference();
            } else {
                self.event_loop.unreference();
            }
        }
    }

    fn next_attempt(&self) -> u32 {
        let attempt = self.cell.attempt.get().wrapping_add(1);
        self.cell.attempt.set(attempt);
        attempt
    }

    fn listen(&self, options: ListenOptions) {
        if !self.cell.listener.borrow().is_none() {
            return self.emit_error_later(node::already_listening());
        }
        let attempt = self.next_attempt();
        self.cell.wanted.set(true);
        match options.target.clone() {
            ListenTarget::Tcp { host: None, port } => {
                self.listening(Listener::on_all(port, &options));
            }
            ListenTarget::Tcp {
                host: Some(name),
                port,
            } => {
                let key = self.cell.key;
                dns::lookup(&name, dns::LookupOptions::new(), move |found| {
                    ServerHost::with(key, |host| {
                        if host.cell.attempt.get() == attempt {
                            host.looked_up(found, port, &options);
                        }
                    });
                });
            }
            #[cfg(unix)]
            ListenTarget::Path(path) => self.listening(Listener::on_path(&path, &options)),
            #[cfg(not(unix))]
            ListenTarget::Path(path) => {
                let what = format!("listen ENOTSUP: operation not supported {}", path.display());
                self.emit_error_later(Error::new("ENOTSUP", what));
            }
        }
    }

    fn looked_up(&self, found: Result<Vec<IpAddr>>, port: u16, options: &ListenOptions) {
        match found.map(|addresses| preferred(&addresses)) {
            Ok(Some(address)) => {
                self.listening(Listener::on(SocketAddr::new(address, port), options));
            }
            Ok(None) => self.emit_error(&Error::lookup("ENOTFOUND", "")),
            Err(error) => self.emit_error(&error),
        }
    }

    fn listening(&self, opened: Result<Listener>) {
        let registered = opened.and_then(|mut listener| {
            self.event_loop
                .register(&mut listener, self.cell.key)
                .map_err(|error| Error::os("listen", &error))?;
            Ok(listener)
        });
        match registered {
            Ok(listener) => {
                self.cell.listener.replace(listener);
                Reserve::keep();
                self.tick(|host| {
                    if !host.cell.listener.borrow().is_none() {
                        host.emit(event::Listening, ());
                    }
                });
            }
            Err(error) => self.emit_error_later(error),
        }
    }

    fn emit<E: Event>(&self, event: E, payload: E::Payload<'_>) -> bool {
        super::emit(self.event_loop, &self.cell.emitter, event, payload)
    }

    fn emit_error(&self, error: &Error) {
        if !self.emit(event::Error, error) {
            self.event_loop.unhandled_error(error.clone());
        }
    }

    fn emit_error_later(&self, error: Error) {
        self.tick(move |host| host.emit_error(&error));
    }

    fn tick(&self, then: impl FnOnce(&ServerHost<'_>) + 'static) {
        let key = self.cell.key;
        self.event_loop.next_tick(Job::Call(Box::new(move || {
            ServerHost::with(key, then);
        })));
    }

    /// Accepts those who wait, up to a number; the others' turn comes in the next poll phase.
    fn accept_ready(&self) {
        for _ in 0..ACCEPT_BUDGET {
            if self.event_loop.is_interrupted() {
                break;
            }
            let accepted = self.cell.listener.borrow().accept();
            match accepted {
                Accepted::Connection(transport) => {
                    Counters::add(&self.event_loop.counters.accepts, 1);
                    self.connection(transport);
                    self.event_loop.settle();
                }
                Accepted::Retry => {}
                Accepted::Nobody => return,
                Accepted::Exhausted(error) => return self.exhausted(&error),
            }
        }
        let again = Task::new(self.cell.key, |event_loop, key| {
            ServerHost::on(event_loop, key, |host| host.accept_ready());
        });
        self.event_loop.continue_later(again);
    }

    fn exhausted(&self, error: &std::io::Error) {
        let now = self.event_loop.now();
        let warned_at = self.cell.warned_at.get();
        if warned_at.is_none_or(|at| now - at >= WARN_AGAIN_MS) {
            self.cell.warned_at.set(Some(now));
            log::warn!(
                target: "soquete::net",
                "accept: {error}; connections are turned away until descriptors are closed"
            );
        }
        if Reserve::turn_away(&self.cell.listener.borrow()) {
            return;
        }
        // One timer, however many come meanwhile.
        if self.cell.resting.replace(true) {
            return;
        }
        let key = self.cell.key;
        let again = move || {
            ServerHost::with(key, |host| {
                host.cell.resting.set(false);
                host.accept_ready();
            });
        };
        let timer = self
            .event_loop
            .set_timer(EXHAUSTION_PAUSE_MS, false, Box::new(again));
        self.event_loop.set_timer_referenced(timer, false);
    }

    fn connection(&self, transport: Transport) {
        let server = self.cell;
        let full = server
            .max_connections
            .get()
            .is_some_and(|max| server.connections.get() >= max);
        if full {
            let info = DropInfo {
                local: transport.local_address(),
                remote: transport.remote_address(),
            };
            // Closed before anybody is told: a listener that panics must not let it in.
            drop(transport);
            self.emit(event::Drop, &info);
            return;
        }
        let cell = SocketCell::insert(self.event_loop, transport);
        let host = SocketHost {
            event_loop: self.event_loop,
            cell: &cell,
        };
        if let Err(error) = cell.register(self.event_loop) {
            log::error!(target: "soquete::net", "a connection could not be registered: {error}");
            return self.event_loop.remove(cell.key);
        }
        host.configure(&server.options.socket);
        cell.server.set(Some(server.key));
        server.connections.set(server.connections.get() + 1);
        cell.duplex.open();
        host.apply_stored_options();
        if server.options.pause_on_connect {
            cell.duplex.start_paused();
        } else {
            cell.duplex.start(&host);
        }
        host.update_alive();
        let socket = cell.handle();
        self.emit(event::Connection, socket);
    }

    fn close(&self) {
        self.next_attempt();
        self.cell.wanted.set(false);
        let listener = self.cell.listener.replace(Listener::None);
        if !listener.is_none() {
            // Kept in the closing phase, as every handle is: the loop lives until then.
            self.event_loop
                .close_later(Task::new(self.cell.key, |_, _| {}));
        }
        drop(listener);
        self.close_if_drained();
    }

    fn close_if_drained(&self) {
        if self.is_idle() {
            self.tick(|host| {
                host.emit(event::Close, false);
                // A listener of `Close` may have begun to listen again.
                if host.is_idle() && !host.cell.wanted.get() {
                    host.event_loop.remove(host.cell.key);
                }
            });
        }
    }

    fn is_idle(&self) -> bool {
        self.cell.listener.borrow().is_none() && self.cell.connections.get() == 0
    }
}

/// One of a server's sockets was destroyed.
pub(super) fn connection_left(event_loop: &Loop, server: Key) {
    ServerHost::on(event_loop, server, |host| {
        let left = host.cell.connections.get().saturating_sub(1);
        host.cell.connections.set(left);
        host.close_if_drained();
    });
}
