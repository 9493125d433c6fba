//! Listening and closing.

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use super::Server;
use super::options::{ListenOptions, ListenTarget, ServerOptions};
use crate::dns;
use crate::error::{Error, Result, node};
use crate::event::{self, Concern, Emits};
use crate::events::{Event, EventEmitter};
use crate::kernel::Listener;
use crate::net::AbortSignal;
use crate::net::attachments::Attachments;
use crate::net::cell::{Framed, SocketCell, SocketHost};
use crate::net::emitting_in_a_run;
use crate::net::lifecycle;
use crate::net::listener::{self, preferred};
use crate::reactor::{self, Handle, HandleKind, Job, Key, Loop, Origin, Ready, Task};

/// What a [`Server`] handle names.
pub(super) struct ServerCell {
    pub(super) key: Key,
    pub(super) origin: Origin,
    pub(super) emitter: EventEmitter,
    pub(super) attachments: Attachments,
    pub(super) listener: RefCell<Listener>,
    pub(super) options: ServerOptions,
    pub(super) max_connections: Cell<Option<usize>>,
    pub(super) connections: Cell<usize>,
    /// Counts calls of `listen` and `close`, so that a late lookup is known as such.
    attempt: Cell<u32>,
    /// `listen` was called, and `close` not since.
    pub(super) wanted: Cell<bool>,
    /// `Close` is on its way.
    closing: Cell<bool>,
    pub(super) referenced: Cell<bool>,
    counted: Cell<bool>,
    /// Accepting goes on in the next poll phase, unasked.
    pub(super) continuing: Cell<bool>,
    /// The timer that will try to accept again: no event will tell when to.
    pub(super) resting: Cell<Option<Key>>,
}

impl ServerCell {
    pub(super) fn new(key: Key, options: ServerOptions, origin: Origin) -> ServerCell {
        ServerCell {
            key,
            origin,
            emitter: EventEmitter::new(),
            attachments: Attachments::default(),
            listener: RefCell::new(Listener::None),
            options,
            max_connections: Cell::new(None),
            connections: Cell::new(0),
            attempt: Cell::new(0),
            wanted: Cell::new(false),
            closing: Cell::new(false),
            referenced: Cell::new(true),
            counted: Cell::new(false),
            continuing: Cell::new(false),
            resting: Cell::new(None),
        }
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

    fn kind(&self) -> HandleKind {
        HandleKind::Server(self.key)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn keeps_alive(&self) -> bool {
        self.counted.get()
    }

    #[cfg(feature = "sim")]
    fn waits(&self) -> (bool, bool) {
        (self.resting.get().is_none(), false)
    }

    #[cfg(feature = "sim")]
    fn account(&self) -> Option<String> {
        let address = listener::address(&self.listener.borrow())?;
        let connections = self.connections.get();
        Some(format!(
            "a server at {address:?}: {connections} connections"
        ))
    }
}

/// A server while something is being done with it.
pub(super) struct ServerHost<'a> {
    pub(super) event_loop: &'a Loop,
    pub(super) cell: &'a Rc<ServerCell>,
}

emitting_in_a_run!(ServerHost of Server);

impl ServerHost<'_> {
    pub(super) fn with<R>(key: Key, f: impl FnOnce(&ServerHost<'_>) -> R) -> Option<R> {
        reactor::with(|event_loop| ServerHost::on(event_loop, key, f)).flatten()
    }

    pub(super) fn on<R>(
        event_loop: &Loop,
        key: Key,
        f: impl FnOnce(&ServerHost<'_>) -> R,
    ) -> Option<R> {
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
        let before = self.cell.counted.replace(alive);
        self.event_loop.recount(before, alive);
    }

    fn next_attempt(&self) -> u32 {
        let attempt = self.cell.attempt.get().wrapping_add(1);
        self.cell.attempt.set(attempt);
        attempt
    }

    pub(super) fn listen(&self, options: ListenOptions) {
        if !self.cell.listener.borrow().is_none() {
            return self.emit_error_later(node::already_listening());
        }
        let attempt = self.next_attempt();
        self.cell.wanted.set(true);
        if let Some(signal) = &options.signal {
            self.watch(signal);
        }
        match &options.target {
            ListenTarget::Tcp { host: None, port } => {
                self.listening(listener::on_all(*port, &options));
            }
            ListenTarget::Tcp {
                host: Some(name),
                port,
            } => self.listen_on_host(name.clone(), *port, attempt, options),
            ListenTarget::Nowhere(text) => {
                self.listening(Err(node::bad_port("options.port", text)));
            }
            ListenTarget::Path(path) => self.listening(listener::on_path(path, &options)),
            ListenTarget::Descriptor(descriptor) => {
                let bound = descriptor.adopt();
                self.listening(bound.and_then(|bound| listener::adopt(bound, options.backlog)));
            }
        }
    }

    fn listen_on_host(&self, name: String, port: u16, attempt: u32, options: ListenOptions) {
        let key = self.cell.key;
        let call = move |found: Result<SocketAddr>| {
            ServerHost::with(key, |host| {
                if host.cell.attempt.get() == attempt {
                    match found {
                        Ok(address) => host.listening(listener::on(address, &options)),
                        Err(error) => host.emit_error(&error),
                    }
                }
            });
        };
        if let Some(address) = dns::literal(&name, port) {
            return crate::timers::next_tick(move || call(Ok(address)));
        }
        let all = dns::LookupOptions::new().all(true);
        dns::lookup_with(&name.clone(), all, move |found| {
            let address = found.and_then(|addresses| {
                preferred(&addresses).ok_or_else(|| Error::lookup("ENOTFOUND", &name))
            });
            call(address.map(|address| SocketAddr::new(address, port)));
        });
    }

    /// Lets the signal close the server.
    fn watch(&self, signal: &AbortSignal) {
        if signal.aborted() {
            return self.tick(|host| host.close());
        }
        let key = self.cell.key;
        let listener = signal.on_abort(move |_| {
            ServerHost::with(key, |host| host.close());
        });
        let signal = signal.clone();
        self.cell.emitter.once(event::Close, move |_| {
            signal.remove_listener(listener);
        });
    }

    fn listening(&self, opened: Result<Listener>) {
        let registered = opened.and_then(|mut listener| {
            self.event_loop
                .register(listener.watched(), self.cell.key)
                .map_err(|error| Error::os("listen", &error))?;
            Ok(listener)
        });
        match registered {
            Ok(listener) => {
                self.cell.listener.replace(listener);
                self.event_loop.reserve.keep();
                self.tick(|host| {
                    lifecycle::listens(host.cell.key, || {
                        listener::address(&host.cell.listener.borrow())
                    });
                    if !host.cell.listener.borrow().is_none() {
                        host.emit_to(event::Listening, ());
                    }
                });
            }
            Err(error) => self.emit_error_later(error),
        }
    }

    /// A listener of `E` has returned an error. One of `Error` cannot be told of its own.
    #[cold]
    pub(super) fn listener_of_failed<E: Event>(&self, payload: E::Payload<'_>, error: Error)
    where
        Server: Emits<E>,
    {
        let is_monitor = TypeId::of::<E>() == TypeId::of::<event::ErrorMonitor>();
        match <Server as Emits<E>>::concerns(payload) {
            Concern::Connection(socket) => socket.listener_failed(error),
            Concern::Nothing if !is_monitor => self.emit_error(&error),
            Concern::Nothing | Concern::Error(_) => self.event_loop.unhandled_error(error),
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

    pub(super) fn close(&self) {
        self.next_attempt();
        self.cell.wanted.set(false);
        if let Some(timer) = self.cell.resting.take() {
            self.event_loop.clear_timer(timer);
        }
        let mut listener = self.cell.listener.replace(Listener::None);
        if !listener.is_none() {
            // By a duplicate that somebody has, the poll would go on to tell of it.
            let _gone = self.event_loop.deregister(listener.watched());
            // Kept in the closing phase, as every handle is: the loop lives until then.
            self.event_loop
                .close_later(Task::new(self.cell.key, |_, _| {}));
            lifecycle::accepts_no_more(self.cell.key);
        }
        drop(listener);
        self.close_if_drained();
    }

    fn close_if_drained(&self) {
        if self.is_idle() && !self.cell.closing.replace(true) {
            self.tick(|host| {
                host.cell.closing.set(false);
                host.emit_to(event::Close, false);
                // A listener of `Close` may have begun to listen again.
                if host.is_idle() && !host.cell.wanted.get() {
                    host.event_loop.remove(host.cell.key);
                    host.event_loop.discard(host.cell.emitter.take_all());
                }
            });
        }
    }

    pub(super) fn destroy_all(&self) -> usize {
        self.destroy_if(|_| true)
    }

    pub(super) fn destroy_idle(&self) -> usize {
        self.destroy_if(|socket| {
            let duplex = &socket.cell.duplex;
            duplex.readable_length() == 0
                && duplex.writable_length(socket) == 0
                && !duplex.is_writing()
                && socket.cell.framed.get() != Framed::Holding
        })
    }

    /// Looks at every socket of the loop: this is rare, and a list would cost each of them memory.
    fn destroy_if(&self, chosen: impl Fn(&SocketHost<'_>) -> bool) -> usize {
        let mut count = 0;
        for handle in self.event_loop.handles() {
            let handle: Rc<dyn std::any::Any> = handle;
            let Ok(cell) = handle.downcast::<SocketCell>() else {
                continue;
            };
            if cell.server.get() != Some(self.cell.key) || cell.duplex.is_destroyed() {
                continue;
            }
            let socket = SocketHost {
                event_loop: self.event_loop,
                cell: &cell,
            };
            if chosen(&socket) {
                socket.cell.duplex.destroy(&socket, None);
                socket.update_alive();
                count += 1;
            }
        }
        count
    }

    fn is_idle(&self) -> bool {
        self.cell.listener.borrow().is_none() && self.cell.connections.get() == 0
    }
}

/// One of a server's sockets was destroyed.
pub(in crate::net) fn connection_left(event_loop: &Loop, server: Key) {
    ServerHost::on(event_loop, server, |host| {
        let left = host.cell.connections.get().saturating_sub(1);
        host.cell.connections.set(left);
        host.close_if_drained();
    });
}
