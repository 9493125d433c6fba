//! From `destroy` to `Close`; and two that need no room of their own: `Readable`, and a descriptor that leaves
//! the loop.

use std::io;

use crate::event;
use crate::kernel::Stream;
use crate::machine::Life;
use crate::net::driver::current::Current;
use crate::net::driver::socket::SocketDriver;
use crate::net::state::socket::{Readiness, SocketState};

impl SocketDriver<'_> {
    /// Emits `Readable`, and sees that a `once` listener has gone by that.
    pub(super) fn emit_readable(&self) {
        if self.event_loop.is_interrupted() {
            return self.in_next_run(|driver| driver.emit_readable());
        }
        let emitter = &self.state.emitter;
        let before = emitter.listener_count(event::Readable);
        let in_run = self.event_loop.is_running();
        let current = in_run.then(|| Current::begin(self.state));
        self.emit_value(event::Readable, ());
        drop(current);
        if emitter.listener_count(event::Readable) < before {
            self.state.duplex.readable_listener_removed(self);
        }
    }

    /// What waited for a connection that never came must not meet that of the socket's next life.
    pub(super) fn forget_connect_listeners(&self) {
        let listeners = self
            .state
            .extras(|extras| std::mem::take(&mut extras.connect_listeners));
        for id in listeners.into_iter().flatten() {
            self.state.emitter.remove_listener(id);
        }
    }

    /// Whether a socket whose half has ended is closed on the next tick, before a listener is called, and the user has
    /// never had its descriptor. A duplicate would keep the connection open, and SO_LINGER would reset it.
    pub(super) fn closes_next(&self) -> bool {
        let SocketState {
            emitter,
            duplex,
            bits,
            ..
        } = &**self.state;
        let is_heard = emitter.listener_count(event::Prefinish) > 0
            || emitter.listener_count(event::Finish) > 0
            || duplex.has_end_callbacks();
        duplex.readable_ended() && !bits.was_shown().get() && !is_heard
    }

    /// Takes the descriptor out of the loop.
    pub(in crate::net) fn detach(&self) -> io::Result<Stream> {
        // Out of its state, as in `register`.
        let mut transport = self.state.transport.replace(Stream::None);
        let deregistered = self.event_loop.deregister(transport.watched());
        if let Err(error) = deregistered {
            self.state.transport.replace(transport);
            return Err(error);
        }
        self.state.readiness.set(Readiness::Drained);
        Ok(transport)
    }

    /// The closing phase has come to this socket.
    pub(super) fn close_now(&self) {
        debug_assert!(
            self.state.transport.borrow().is_none(),
            "`destroy` closes the descriptor"
        );
        self.state.extras(|extras| {
            if let Some((signal, listener)) = &extras.signal {
                signal.remove_listener(*listener);
            }
        });
        // Each is a callback of its own, as each request of a handle that closes is in libuv: its ticks come behind it.
        if self.tell_of_cancelled_attempt() {
            self.event_loop.settle();
        }
        if self.state.duplex.cancel_write() {
            self.event_loop.settle();
        }
        // A listener of `Close` must find the socket where it was.
        if self.event_loop.is_interrupted() {
            return self.in_next_run(|driver| driver.close_now());
        }
        self.state.duplex.on_closed(self);
        // A listener of `Close` may have connected it again.
        if self.state.duplex.life() == Life::Closed {
            self.update_alive();
            self.event_loop.remove(self.state.key);
            self.discard_what_is_the_users();
        }
    }

    /// Whatever the last copy of the cell is dropped in, it has no destructor of the user's left.
    fn discard_what_is_the_users(&self) {
        self.event_loop.discard(self.state.emitter.take_all());
        let extras = self.state.take_extras();
        if let Some(mut extras) = extras {
            let pipes = std::mem::take(&mut extras.pipes);
            self.event_loop.call(move || pipes.forget());
            self.event_loop.discard(extras);
        }
    }
}
