//! What a server keeps.

use std::cell::{Cell, RefCell};

use crate::events::EventEmitter;
use crate::kernel::Listener;
use crate::net::options::server::ServerOptions;
use crate::net::state::attachments::Attachments;
use crate::reactor::{Key, Origin};

/// What a [`Server`] handle names.
pub(in crate::net) struct ServerState {
    pub(in crate::net) key: Key,
    pub(in crate::net) origin: Origin,
    pub(in crate::net) emitter: EventEmitter,
    pub(in crate::net) attachments: Attachments,
    pub(in crate::net) listener: RefCell<Listener>,
    /// The user has had its descriptor: what is accepted inherits the options that were set on it.
    pub(in crate::net) listener_was_shown: Cell<bool>,
    pub(in crate::net) options: ServerOptions,
    pub(in crate::net) max_connections: Cell<Option<usize>>,
    pub(in crate::net) connections: Cell<usize>,
    /// Connections whose PROXY header is coming in.
    pub(in crate::net) arriving: Cell<usize>,
    /// Counts calls of `listen` and `close`, so that a late lookup is known as such.
    pub(in crate::net) attempt: Cell<u32>,
    /// `listen` was called, and `close` not since.
    pub(in crate::net) wanted: Cell<bool>,
    pub(in crate::net) end: Cell<ServerEnd>,
    pub(in crate::net) referenced: Cell<bool>,
    pub(in crate::net) counted: Cell<bool>,
    /// Accepting goes on in the next poll phase, unasked.
    pub(in crate::net) continuing: Cell<bool>,
    /// Accepting is paused until `resume_accept`.
    pub(in crate::net) accept_paused: Cell<bool>,
    /// The timer that will try to accept again: no event will say when.
    pub(in crate::net) resting: Cell<Option<Key>>,
}

/// Whether `Close` is emitted, which it is once until the server listens again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::net) enum ServerEnd {
    None,
    /// It is on its way.
    Due,
    /// Its listeners are running, and none of them has made the server listen again.
    Told,
}

impl ServerState {
    pub(in crate::net) fn new(key: Key, options: ServerOptions, origin: Origin) -> ServerState {
        ServerState {
            key,
            origin,
            emitter: EventEmitter::new(),
            attachments: Attachments::default(),
            listener: RefCell::new(Listener::None),
            listener_was_shown: Cell::new(false),
            options,
            max_connections: Cell::new(None),
            connections: Cell::new(0),
            arriving: Cell::new(0),
            attempt: Cell::new(0),
            wanted: Cell::new(false),
            end: Cell::new(ServerEnd::None),
            referenced: Cell::new(true),
            counted: Cell::new(false),
            continuing: Cell::new(false),
            accept_paused: Cell::new(false),
            resting: Cell::new(None),
        }
    }
}
