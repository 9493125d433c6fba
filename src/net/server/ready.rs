//! What the poll says of a server.

use std::rc::Rc;

use crate::net::driver::server::ServerDriver;
use crate::net::state::server::ServerState;
use crate::reactor::{Handle, HandleKind, Key, Loop, Origin, Ready};

impl Handle for ServerState {
    fn ready(self: Rc<Self>, event_loop: &Loop, _key: Key, _ready: Ready) {
        ServerDriver {
            event_loop,
            state: &self,
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
        let accepts = self.resting.get().is_none() && !self.accept_paused.get();
        (accepts, false)
    }

    #[cfg(feature = "sim")]
    fn account(&self) -> Option<String> {
        let listener = self.listener.borrow();
        if listener.is_none() {
            return None;
        }
        // The kernel may not say where.
        let place = match super::listener::address(&listener) {
            Some(address) => format!("at {address:?}"),
            None => String::from("somewhere"),
        };
        let connections = self.connections.get();
        Some(format!("a server {place}: {connections} connections"))
    }
}
