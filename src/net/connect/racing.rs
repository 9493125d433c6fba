//! Attempts side by side, as RFC 8305 has them: one that takes long goes on beside the next.
//!
//! ```text
//!   the socket's own descriptor    attempt 1 ──┐ (too long)   attempt 2 ──┐          attempt 3
//!   beside it, as handles                      └▶ attempt 1               └▶ 1, 2
//! ```
//!
//! The first to connect is the connection; the others are closed without a word.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::error::Local;
use crate::event;
use crate::kernel::Stream;
use crate::machine::Life;
use crate::net::connect::reply::{Reply, reply};
use crate::net::driver::socket::SocketDriver;
use crate::net::state::connecting::Connecting;
use crate::net::values::payload::{Attempt, FailedAttempt};
use crate::reactor::{Handle, HandleKind, Key, Loop, Origin, Ready};

/// An attempt that is left to go on.
struct Racer {
    key: Key,
    /// Whose it is.
    socket: Key,
    stream: RefCell<Stream>,
    attempt: Attempt,
    local: Local,
    origin: Origin,
}

impl Handle for Racer {
    fn ready(self: Rc<Self>, event_loop: &Loop, _key: Key, ready: Ready) {
        let reply = reply(&self.stream.borrow(), ready);
        SocketDriver::on(event_loop, self.socket, |driver| match reply {
            Reply::NotYet => {}
            Reply::Connected(address) => driver.racer_won(&self, address),
            Reply::Failed(error) => driver.racer_failed(&self, &error),
        });
        event_loop.settle();
    }

    fn kind(&self) -> HandleKind {
        HandleKind::Attempt(self.socket)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn keeps_alive(&self) -> bool {
        true
    }

    #[cfg(feature = "sim")]
    fn waits(&self) -> (bool, bool) {
        (false, true)
    }

    #[cfg(feature = "sim")]
    fn account(&self) -> Option<String> {
        let address = &self.attempt.address;
        Some(format!("an attempt to connect to {address}"))
    }
}

impl SocketDriver<'_> {
    /// Whether an attempt that takes too long goes on.
    pub(super) fn is_side_by_side(&self) -> bool {
        self.with_connecting(|connecting| connecting.options().side_by_side) == Some(true)
    }

    /// Lets the attempt under way go on beside the socket, which is free for the next.
    pub(super) fn let_it_race(&self) -> io::Result<()> {
        let mut stream = self.detach()?;
        let about = self.with_connecting(|connecting| {
            connecting.under_way = false;
            (connecting.current.clone(), connecting.local.clone())
        });
        let (attempt, local) = about.unwrap_or_default();
        let racer = self.event_loop.insert(|key| Racer {
            key,
            socket: self.state.key,
            stream: RefCell::new(Stream::None),
            attempt,
            local,
            origin: self.state.origin(),
        });
        if let Err(error) = self.event_loop.register(stream.watched(), racer.key) {
            self.event_loop.remove(racer.key);
            return Err(error);
        }
        racer.stream.replace(stream);
        self.event_loop.reference();
        self.with_connecting(|connecting| connecting.racers.push(racer.key));
        Ok(())
    }

    /// Whether an attempt goes on beside the socket.
    pub(super) fn has_racers(&self) -> bool {
        self.with_connecting(|connecting| !connecting.racers.is_empty()) == Some(true)
    }

    fn racer_won(&self, racer: &Rc<Racer>, address: Option<SocketAddr>) {
        let mut stream = self.take_out(racer);
        self.with_connecting(|connecting| {
            connecting.current = racer.attempt.clone();
            connecting.local = racer.local.clone();
        });
        let moved = self.event_loop.deregister(stream.watched());
        // The attempt that it has outrun is closed.
        drop(self.state.transport.replace(stream));
        match moved.and_then(|()| self.state.register(self.event_loop)) {
            Ok(()) => {
                self.state.set_remote(address);
                self.connection_established();
            }
            Err(error) => self.connection_failed(&error),
        }
    }

    fn racer_failed(&self, racer: &Rc<Racer>, error: &io::Error) {
        drop(self.take_out(racer));
        let error = Connecting::error_of(&racer.attempt, error, racer.local.clone());
        let failed = FailedAttempt {
            attempt: racer.attempt.clone(),
            error: error.clone(),
        };
        self.emit_lent(event::ConnectionAttemptFailed, &failed);
        if self.state.duplex.life() != Life::Connecting {
            return;
        }
        self.record(error);
        // The last of all, where no address is left.
        if self.state.transport.borrow().is_none() {
            self.try_next_address();
        }
    }

    fn take_out(&self, racer: &Racer) -> Stream {
        self.with_connecting(|connecting| connecting.racers.retain(|key| *key != racer.key));
        self.event_loop.remove(racer.key);
        self.event_loop.unreference();
        racer.stream.replace(Stream::None)
    }
}

/// Closes those that have lost.
pub(super) fn call_off(event_loop: &Loop, racers: Vec<Key>) {
    for racer in racers {
        event_loop.remove(racer);
        event_loop.unreference();
    }
}
