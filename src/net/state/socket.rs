//! What a [`Socket`] handle names: the state of one socket in its loop.
//!
//! [`SocketState`] joins the state machine, the descriptor and the listeners; [`SocketDriver`] is the
//! machine's view of them while something is being done. Nothing in here is borrowed while a
//! listener runs.
//!
//! A server may have very many of them. On 64-bit systems one takes, in release builds, some 210 bytes and a place in
//! the loop's table of 24; and then
//!
//! | | bytes |
//! |---|---|
//! | the first listener of `Data` | what its closure has captured |
//! | the first one of another event | 24, and what its closure has captured |
//! | a framing | its format, its listener, and 48 |
//! | a timeout | its timer, 64 |
//! | attachments, a remote address that is IPv6's own | 48 for the first of them, and their own size |
//! | bytes that are kept or queued | a buffer, which goes when it is empty |

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::bits::bits;
use crate::event;
use crate::events::EventEmitter;
use crate::kernel::Stream;
use crate::machine::{Duplex, Life};
use crate::net::state::aside::Aside;
use crate::net::state::attachments::Attachments;
use crate::net::state::extras::Extras;
use crate::net::state::framing_memory::FramingMemories;
use crate::net::state::idle::IdleTimeout;
use crate::net::state::remote::Remote;
use crate::net::state::transport::Transport;
use crate::net::values::handle::Socket;
use crate::reactor::{Key, Loop, Origin};

pub(in crate::net) struct SocketState {
    pub(in crate::net) key: Key,
    /// Of an accepted socket, that of its server.
    pub(in crate::net) origin: Origin,
    pub(in crate::net) emitter: EventEmitter<event::Data>,
    pub(in crate::net) duplex: Duplex,
    pub(in crate::net) transport: Transport,
    /// Readiness from the poll that has not been used up.
    pub(in crate::net) readiness: Cell<Readiness>,
    /// How many framings there are: more than one while one takes over from another.
    pub(in crate::net) framings: Cell<u16>,
    pub(in crate::net) bits: Bits,
    pub(in crate::net) framing_memories: FramingMemories,
    pub(in crate::net) idle: IdleTimeout,
    /// The peer's address, as accept(2) or the connect has returned it. The kernel forgets it when the peer
    /// resets the connection.
    remote: Cell<Remote>,
    /// Reserved, if there is none.
    server: Cell<Key>,
    aside: Aside,
}

bits! {
    pub(in crate::net) struct Bits {
        /// A task that continues reading is queued for the next poll phase.
        continuing,
        /// As `continuing`, for writing.
        continuing_to_write,
        /// Whether this socket is counted among what keeps the loop alive.
        counted,
        referenced,
        /// The setting, which is applied once there is a connection.
        no_delay,
        /// The `Data` listeners of a chunk are running; their writes are flushed when all have returned.
        in_data,
        /// The descriptor came from outside, where a duplicate of it may live on.
        adopted,
        /// The user has had it, or its listener's: there may be a duplicate, and options of theirs.
        was_shown,
        /// All readers are pipes to sockets without a write limit, so a read may fill the whole loop buffer.
        reads_much,
        /// A short read behind a long one is the rest of that, and no request.
        last_read_was_long,
        /// The remote address was queried while connected. As in Node, only then is it available afterwards.
        remote_was_asked,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::net) enum Readiness {
    /// A read would block, as far as is known.
    Drained,
    Readable,
    /// A short read does not mean that the next would block: the end, or an error, comes after it.
    Closing,
}

impl SocketState {
    /// Puts a socket into the loop.
    pub(in crate::net) fn insert(
        event_loop: &Loop,
        transport: Stream,
        origin: Origin,
    ) -> Rc<SocketState> {
        let state = event_loop.insert(|key| SocketState {
            key,
            origin,
            emitter: EventEmitter::preferring(),
            duplex: Duplex::new(),
            transport: Transport::new(transport),
            readiness: Cell::new(Readiness::Drained),
            framings: Cell::new(0),
            bits: Bits::default(),
            framing_memories: FramingMemories::default(),
            idle: IdleTimeout::none(),
            remote: Cell::new(Remote::Unknown),
            server: Cell::new(Key::RESERVED),
            aside: Aside::default(),
        });
        state.bits.referenced().set(true);
        state
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
        let place = &self.aside.get_or_new().extras;
        let mut extras = place.take().unwrap_or_default();
        let result = f(&mut extras);
        place.set(Some(extras));
        result
    }

    /// As `with_extras`, for a socket that may have none; those are not made for it.
    pub(in crate::net) fn extras<R>(&self, f: impl FnOnce(&mut Extras) -> R) -> Option<R> {
        let place = &self.aside.get()?.extras;
        let mut extras = place.take()?;
        let result = f(&mut extras);
        place.set(Some(extras));
        Some(result)
    }

    pub(in crate::net) fn with_attachments<R>(&self, f: impl FnOnce(&Attachments) -> R) -> R {
        f(&self.aside.get_or_new().attachments)
    }

    /// The peer's address, if it is known.
    pub(in crate::net) fn remote(&self) -> Option<SocketAddr> {
        self.remote.get().address(|| self.aside.get()?.remote.get())
    }

    pub(in crate::net) fn set_remote(&self, address: Option<SocketAddr>) {
        let remote = Remote::of(address);
        if let (Remote::V6, Some(SocketAddr::V6(address))) = (remote, address) {
            self.aside.get_or_new().remote.set(Some(address));
        }
        self.remote.set(remote);
    }

    /// What the socket has had that most have not.
    pub(in crate::net) fn take_extras(&self) -> Option<Box<Extras>> {
        self.aside.get()?.extras.take()
    }

    pub(in crate::net) fn server(&self) -> Option<Key> {
        let server = self.server.get();
        (server != Key::RESERVED).then_some(server)
    }

    pub(in crate::net) fn set_server(&self, server: Option<Key>) {
        self.server.set(server.unwrap_or(Key::RESERVED));
    }

    /// Registers the descriptor, as an accepted or adopted socket does.
    pub(in crate::net) fn register(&self, event_loop: &Loop) -> io::Result<()> {
        // Out of its cell meanwhile: mio writes to the log, and a logger may come back to this socket.
        let mut transport = self.transport.replace(Stream::None);
        debug_assert!(!transport.is_none(), "there is a descriptor to register");
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
            let asked = self.bits.remote_was_asked().get();
            return self.remote().filter(|_| asked);
        }
        if self.remote().is_none() {
            let address = self.transport.borrow().remote_address();
            self.set_remote(address);
        }
        self.bits.remote_was_asked().set(true);
        self.remote()
    }

    pub(in crate::net) fn is_alive(&self) -> bool {
        if self.duplex.life() == Life::Open {
            return self.bits.referenced().get() && self.duplex.wants_read()
                || self.duplex.is_writing();
        }
        self.duplex.life() == Life::Connecting && !self.transport.borrow().is_none()
    }
}
