//! A server while something is done with it.

use std::rc::Rc;

use crate::net::driver::emit::emitting_in_a_run;
use crate::net::state::server::ServerState;
use crate::net::values::handle::Server;
use crate::reactor::{self, Key, Loop};

/// A server while something is being done with it.
pub(in crate::net) struct ServerDriver<'a> {
    pub(in crate::net) event_loop: &'a Loop,
    pub(in crate::net) state: &'a Rc<ServerState>,
}

emitting_in_a_run!(ServerDriver of Server);

impl ServerDriver<'_> {
    pub(in crate::net) fn with<R>(key: Key, f: impl FnOnce(&ServerDriver<'_>) -> R) -> Option<R> {
        reactor::with(|event_loop| ServerDriver::on(event_loop, key, f)).flatten()
    }

    pub(in crate::net) fn on<R>(
        event_loop: &Loop,
        key: Key,
        f: impl FnOnce(&ServerDriver<'_>) -> R,
    ) -> Option<R> {
        let handle: Rc<dyn std::any::Any> = event_loop.handle(key)?;
        let state = handle.downcast::<ServerState>().ok()?;
        let driver = ServerDriver {
            event_loop,
            state: &state,
        };
        let result = f(&driver);
        driver.update_alive();
        Some(result)
    }

    fn update_alive(&self) {
        let alive = self.state.referenced.get() && !self.state.listener.borrow().is_none();
        let before = self.state.counted.replace(alive);
        self.event_loop.recount(before, alive);
    }
}
