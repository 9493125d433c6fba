//! What a [`Socket`] handle names: the state of one socket in its loop.
//!
//! [`SocketState`] joins the state machine, the descriptor and the listeners; [`SocketDriver`] is the
//! machine's view of them while something is being done. Nothing in here is borrowed while a
//! listener runs.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::event;
use crate::events::EventEmitter;
use crate::kernel::Stream;
use crate::machine::{Duplex, Life};
use crate::net::state::attachments::Attachments;
use crate::net::state::extras::Extras;
use crate::net::state::idle::IdleTimeout;
use crate::net::values::handle::Socket;
use crate::reactor::{Key, Loop, Origin};

pub(in crate::net) struct SocketState {
    pub(in crate::net) key: Key,
    /// Of an accepted socket, that of its server.
    pub(in crate::net) origin: Origin,
    pub(in crate::net) emitter: EventEmitter<event::Data>,
    pub(in crate::net) duplex: Duplex,
    pub(in crate::net) transport: RefCell<Stream>,
    /// What the poll has said and nobody has acted on.
    pub(in crate::net) readiness: Cell<Readiness>,
    /// Reading goes on in the next poll phase, unasked.
    pub(in crate::net) continuing: Cell<bool>,
    /// As `continuing`, of writing.
    pub(in crate::net) continuing_to_write: Cell<bool>,
    /// Whether this socket is counted among what keeps the loop alive.
    pub(in crate::net) counted: Cell<bool>,
    pub(in crate::net) referenced: Cell<bool>,
    /// Asked for, and set once there is a connection.
    pub(in crate::net) no_delay: Cell<bool>,
    /// A chunk is being handed on; what its listeners write goes out when all have returned.
    pub(in crate::net) in_data: Cell<bool>,
    pub(in crate::net) framed: Cell<Framed>,
    /// The descriptor was somebody else's, who may have kept a duplicate.
    pub(in crate::net) adopted: Cell<bool>,
    /// What is read goes to sockets only, by pipes, and none of them minds how much it is.
    pub(in crate::net) reads_much: Cell<bool>,
    /// The peer's address, as accept(2) or the connect has told it. The kernel forgets it when the peer
    /// resets the connection.
    pub(in crate::net) remote: Cell<Option<SocketAddr>>,
    /// Whether it was asked for while there was a connection. As in Node, it is told after that only then.
    pub(in crate::net) remote_was_asked: Cell<bool>,
    pub(in crate::net) server: Cell<Option<Key>>,
    /// Made when a timeout is first set: most sockets never have one.
    idle: OnceCell<Box<IdleTimeout>>,
    pub(in crate::net) attachments: Attachments,
    pub(in crate::net) extras: RefCell<Option<Box<Extras>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::net) enum Readiness {
    /// A read would block, as far as is known.
    Drained,
    Readable,
    /// A short read does not mean that the next would block: the end, or an error, comes after it.
    Closing,
}

/// What a framing makes of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::net) enum Framed {
    /// There is none.
    No,
    /// It has delivered all of it.
    Delivered,
    /// It has not delivered some of it.
    Holding,
}

impl SocketState {
    /// Puts a socket into the loop.
    pub(in crate::net) fn insert(
        event_loop: &Loop,
        transport: Stream,
        origin: Origin,
    ) -> Rc<SocketState> {
        event_loop.insert(|key| SocketState {
            key,
            origin,
            emitter: EventEmitter::preferring(),
            duplex: Duplex::new(),
            transport: RefCell::new(transport),
            readiness: Cell::new(Readiness::Drained),
            continuing: Cell::new(false),
            continuing_to_write: Cell::new(false),
            counted: Cell::new(false),
            referenced: Cell::new(true),
            no_delay: Cell::new(false),
            in_data: Cell::new(false),
            framed: Cell::new(Framed::No),
            adopted: Cell::new(false),
            reads_much: Cell::new(false),
            remote: Cell::new(None),
            remote_was_asked: Cell::new(false),
            server: Cell::new(None),
            idle: OnceCell::new(),
            attachments: Attachments::default(),
            extras: RefCell::new(None),
        })
    }

    /// As `find`, in the loop's table.
    pub(in crate::net) fn look_up(event_loop: &Loop, key: Key) -> Option<Rc<SocketState>> {
        let handle: Rc<dyn std::any::Any> = event_loop.handle(key)?;
        handle.downcast().ok()
    }

    pub(in crate::net) fn handle(&self) -> Socket {
        Socket::from_key(self.key)
    }

    pub(in crate::net) fn with_extras<R>(&self, f: impl FnOnce(&mut Extras) -> R) -> R {
        f(self.extras.borrow_mut().get_or_insert_default())
    }

    /// As `with_extras`, for a socket that may have nothing extras.
    pub(in crate::net) fn extras<R>(&self, f: impl FnOnce(&mut Extras) -> R) -> Option<R> {
        self.extras.borrow_mut().as_deref_mut().map(f)
    }

    /// The idle timeout, if one was ever set.
    pub(in crate::net) fn idle(&self) -> Option<&IdleTimeout> {
        self.idle.get().map(|idle| &**idle)
    }

    pub(in crate::net) fn idle_or_new(&self) -> &IdleTimeout {
        self.idle.get_or_init(Box::default)
    }

    /// Registers the descriptor, as an accepted or adopted socket does.
    pub(in crate::net) fn register(&self, event_loop: &Loop) -> io::Result<()> {
        // Out of its cell meanwhile: mio writes to the log, and a logger may come back to this socket.
        let mut transport = self.transport.replace(Stream::None);
        let registered = event_loop.register(transport.watched(), self.key);
        if !self.duplex.is_destroyed() {
            self.transport.replace(transport);
        }
        registered
    }

    /// The local address, which a socket can have before it is connected.
    pub(in crate::net) fn local_address(&self) -> Option<SocketAddr> {
        let connected = self.transport.borrow().local_address();
        connected.or_else(|| {
            let address =
                |extras: &mut Extras| extras.bound.as_ref()?.socket.local_address().ok()?;
            self.extras(address).flatten()
        })
    }

    /// The remote address while it can be had, and later if it was asked for before.
    pub(in crate::net) fn remote_address(&self) -> Option<SocketAddr> {
        if self.duplex.life() != Life::Open {
            return self.remote.get().filter(|_| self.remote_was_asked.get());
        }
        if self.remote.get().is_none() {
            self.remote.set(self.transport.borrow().remote_address());
        }
        self.remote_was_asked.set(true);
        self.remote.get()
    }

    pub(in crate::net) fn is_alive(&self) -> bool {
        if self.duplex.life() == Life::Open {
            return self.referenced.get() && self.duplex.wants_read() || self.duplex.is_writing();
        }
        self.duplex.life() == Life::Connecting && !self.transport.borrow().is_none()
    }
}
