//! What a socket has only while it connects, or by an option or a method that most never use.

use std::rc::Rc;

use crate::address::BlockList;
use crate::events::ListenerId;
use crate::kernel::unix::BoundPath;
use crate::net::options::abort::AbortSignal;
use crate::net::options::bound::Bound;
use crate::net::options::on_read::OnRead;
use crate::net::options::prepare::Prepare;
use crate::net::state::connecting::Connecting;
use crate::net::state::pipes::Pipes;
use crate::net::values::keep_alive::KeepAlive;
use crate::net::values::payload::FailedAttempt;
use crate::reactor::Key;

#[derive(Default)]
pub(in crate::net) struct Extras {
    pub(in crate::net) connecting: Option<Box<Connecting>>,
    /// When it has taken too long.
    pub(in crate::net) connect_timer: Option<Key>,
    /// Counts the lives of the socket, so that a late answer to an earlier one is known as such.
    pub(in crate::net) life_id: u32,
    /// An attempt that was under way when the socket was destroyed.
    pub(in crate::net) cancelled: Option<FailedAttempt>,
    /// A descriptor that has its local address and waits to be connected.
    pub(in crate::net) bound: Option<Bound>,
    /// The file of the local address.
    pub(in crate::net) bound_path: Option<BoundPath>,
    pub(in crate::net) block_list: Option<BlockList>,
    pub(in crate::net) signal: Option<(AbortSignal, ListenerId)>,
    pub(in crate::net) attempted: Option<Vec<String>>,
    pub(in crate::net) keep_alive: Option<KeepAlive>,
    pub(in crate::net) type_of_service: Option<u8>,
    /// The timer that will try to write again: no event will say when.
    pub(in crate::net) write_pause: Option<Key>,
    pub(in crate::net) pipes: Pipes,
    pub(in crate::net) on_read: Option<OnRead>,
    pub(in crate::net) prepare: Option<Prepare>,
    /// The PROXY header that the connection began with.
    pub(in crate::net) proxy_header: Option<Rc<[u8]>>,
    /// Listens for a `Close` that comes before the connection.
    pub(in crate::net) close_listener: Option<ListenerId>,
    /// What waits for the connection, among the listeners of `Connect`.
    pub(in crate::net) connect_listeners: Vec<ListenerId>,
}

impl Extras {
    pub(in crate::net) fn is_aborted(&self) -> bool {
        let signal = self.signal.as_ref();
        signal.is_some_and(|(signal, _)| signal.aborted())
    }
}
