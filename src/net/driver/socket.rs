//! A socket while something is done with it.

use std::rc::Rc;

use crate::event;
use crate::events::Event;
use crate::machine::Driver;
use crate::net::driver::emit::{emitting_in_a_run, log_late_error};
use crate::net::state::socket::SocketState;
use crate::net::values::handle::Socket;
use crate::reactor::{self, Key, Loop, Task};

/// A socket while something is being done with it.
pub(in crate::net) struct SocketDriver<'a> {
    pub(in crate::net) event_loop: &'a Loop,
    pub(in crate::net) state: &'a Rc<SocketState>,
}

emitting_in_a_run!(SocketDriver of Socket);

impl SocketDriver<'_> {
    /// Does something with a socket that is still there, and accounts for what that changed.
    pub(in crate::net) fn with<R>(key: Key, f: impl FnOnce(&SocketDriver<'_>) -> R) -> Option<R> {
        reactor::with(|event_loop| SocketDriver::on(event_loop, key, f)).flatten()
    }

    pub(in crate::net) fn on<R>(
        event_loop: &Loop,
        key: Key,
        f: impl FnOnce(&SocketDriver<'_>) -> R,
    ) -> Option<R> {
        let state = SocketState::find(event_loop, key)?;
        let driver = SocketDriver {
            event_loop,
            state: &state,
        };
        let result = f(&driver);
        driver.update_alive();
        Some(result)
    }

    /// Counts the socket among what keeps the loop alive, or not any more.
    // After each call of the user's, and nearly always there is nothing to do.
    #[inline]
    pub(in crate::net) fn update_alive(&self) {
        let alive = self.state.is_alive();
        let counted = self.state.bits.counted();
        if counted.get() != alive {
            counted.set(alive);
            self.event_loop.recount(!alive, alive);
        }
    }

    pub(in crate::net) fn task(&self, run: fn(&Loop, Key)) -> Task {
        Task::new(self.state.key, run)
    }

    /// A listener or a callback has returned an error, and takes the socket with it.
    #[cold]
    pub(in crate::net) fn listener_failed(&self, error: crate::Error) {
        if self.state.duplex.is_destroyed() {
            log_late_error(&error);
        } else {
            self.state.duplex.destroy(self, Some(error));
        }
    }

    /// As `listener_failed`, of a listener of `E`.
    #[cold]
    fn listener_of_failed<E: Event>(&self, _: E::Payload<'_>, error: crate::Error) {
        self.listener_failed(error);
    }

    /// Emits an event, later if one of its listeners is still running: it could not be called now.
    pub(in crate::net) fn emit_value<E, V>(&self, event: E, value: V)
    where
        E: for<'p> Event<Payload<'p> = V> + Copy,
        V: Copy + 'static,
        Socket: event::Emits<E>,
    {
        if self.event_loop.is_interrupted() {
            return self.in_next_run(move |driver| driver.emit_value(event, value));
        }
        if !self.state.emitter.is_running(event) {
            self.emit_to(event, value);
            return;
        }
        let key = self.state.key;
        self.tick_call(Box::new(move || {
            SocketDriver::with(key, |driver| driver.emit_value(event, value));
        }));
    }
}
