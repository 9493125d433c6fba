//! Accepting connections, also when there are no descriptors left for them.

use std::io;
use std::rc::Rc;

use crate::error::Error;
use crate::event;
use crate::events::outcome::Verdict;
use crate::kernel::{Accepted, Answer, Call, answer};
use crate::net::driver::log_line;
use crate::net::driver::server::ServerDriver;
use crate::net::driver::socket::SocketDriver;
use crate::net::state::socket::SocketState;
use crate::net::values::payload::{DropInfo, DropReason};
use crate::reactor::{AfterCall, Complaint, Counters, Task};

/// How many connections one server accepts before others get their turn.
const ACCEPT_BUDGET: usize = 64;

/// How long accepting rests when nothing will tell that it works again.
const PAUSE_MS: u64 = 100;

impl ServerDriver<'_> {
    /// Accepts pending connections, up to the budget; the rest are accepted in the next poll phase.
    pub(super) fn accept_ready(&self) {
        if self.state.resting.get().is_some() {
            return;
        }
        let mut failures = 0;
        for _ in 0..ACCEPT_BUDGET {
            // `resume_accept` comes back to the connections that are pending.
            if self.state.accept_paused.get() {
                return;
            }
            if self.event_loop.is_interrupted() {
                break;
            }
            let accepted = self.state.listener.borrow().accept();
            let error = match accepted {
                Ok(accepted) => {
                    Counters::add(&self.event_loop.counters.accepts, 1);
                    self.connection(accepted);
                    self.event_loop.settle();
                    continue;
                }
                Err(error) => error,
            };
            match answer(Call::Accept, &error) {
                Answer::Wait => return,
                Answer::Next | Answer::Retry => {
                    failures += 1;
                    if self.event_loop.complains(Complaint::Aborted) {
                        log::debug!(target: "soquete::net", "accept: {error}");
                    }
                }
                Answer::Shed => return self.shed(&error),
                Answer::Fail => {
                    self.emit_error(&Error::os("accept", &error));
                    return self.event_loop.settle();
                }
                _ => return self.rest(&error),
            }
        }
        // Failures alone, which could go on for ever.
        if failures == ACCEPT_BUDGET {
            return self.rest_for_a_while();
        }
        self.accept_later();
    }

    pub(in crate::net) fn pause_accept(&self) {
        self.state.accept_paused.set(true);
    }

    /// The event of connections that came meanwhile is used up, so accepting continues without one.
    pub(in crate::net) fn resume_accept(&self) {
        if self.state.accept_paused.replace(false) && !self.state.listener.borrow().is_none() {
            self.accept_later();
        }
    }

    /// Goes on in the next poll phase.
    fn accept_later(&self) {
        // Once, though an event may have come here besides.
        if self.state.continuing.replace(true) {
            return;
        }
        let again = Task::new(self.state.key, |event_loop, key| {
            ServerDriver::on(event_loop, key, |driver| {
                driver.state.continuing.set(false);
                driver.accept_ready();
            });
        });
        self.event_loop.continue_later(again);
    }

    /// There are no descriptors left.
    fn shed(&self, error: &io::Error) {
        if self.event_loop.complains(Complaint::Accept) {
            log::warn!(
                target: "soquete::net",
                "accept: {error}; connections are turned away until it works again"
            );
        }
        if !self
            .state
            .listener
            .borrow()
            .turn_away(&self.event_loop.reserve)
        {
            self.rest_for_a_while();
        }
    }

    fn rest(&self, error: &io::Error) {
        if self.event_loop.complains(Complaint::Accept) {
            log::warn!(
                target: "soquete::net",
                "accept: {error}; it is tried again every {PAUSE_MS} ms until it works"
            );
        }
        self.rest_for_a_while();
    }

    fn rest_for_a_while(&self) {
        // A logger may have closed the server.
        if self.state.listener.borrow().is_none() {
            return;
        }
        let server = self.state;
        let key = server.key;
        let again = move |_| {
            ServerDriver::with(key, |driver| {
                driver.state.resting.set(None);
                driver.accept_ready();
            });
            Verdict::Fine
        };
        let timer =
            self.event_loop
                .set_timer(PAUSE_MS, AfterCall::Removed, Box::new(again), server.origin);
        self.event_loop.set_timer_referenced(timer, false);
        let before = self.state.resting.replace(Some(timer));
        debug_assert_eq!(before, None, "a server that rests does not accept");
    }

    fn connection(&self, accepted: Accepted) {
        let server = self.state;
        let there_are = server.connections.get() + server.arriving.get();
        let is_full = server
            .max_connections
            .get()
            .is_some_and(|max| there_are >= max);
        match &server.options.proxy {
            Some(proxy) => self.proxied(accepted, proxy, is_full),
            None if is_full => self.turn_away(accepted, DropReason::MaxConnections),
            None => self.welcome(accepted, None),
        }
    }

    pub(super) fn turn_away(&self, accepted: Accepted, reason: DropReason) {
        let info = DropInfo {
            local: accepted.stream.local_address(),
            remote: accepted.peer,
            reason,
        };
        // Closed before `Drop` is emitted: a listener that panics must not let the connection in.
        drop(accepted);
        log_line::is_turned_away(self.state.key, &info);
        self.emit_lent(event::Drop, &info);
    }

    /// Makes a socket of a connection, with the PROXY header that it began with.
    pub(super) fn welcome(&self, accepted: Accepted, header: Option<Rc<[u8]>>) {
        let server = self.state;
        if self.is_blocked(&accepted) {
            return;
        }
        let attempt = server.attempt.get();
        if let Some(prepare) = &server.options.socket.prepare
            && let Err(error) = prepare.run(self.event_loop, accepted.stream.as_fd())
        {
            drop(accepted);
            if self.event_loop.complains(Complaint::Option) {
                log::error!(
                    target: "soquete::net",
                    "a connection is closed, since it could not be prepared: {error}"
                );
            }
            return;
        }
        // It may have closed the server.
        if server.attempt.get() != attempt {
            return;
        }
        let state = SocketState::insert(self.event_loop, accepted.stream, server.origin);
        state.set_remote(accepted.peer);
        state.bits.was_shown().set(server.listener_was_shown.get());
        let driver = SocketDriver {
            event_loop: self.event_loop,
            state: &state,
        };
        let registered = state.register(self.event_loop);
        // So may a logger, as mio writes to the log.
        let is_closed = server.attempt.get() != attempt;
        if is_closed || registered.is_err() {
            self.event_loop.remove(state.key);
            drop(state);
            if let Err(error) = registered
                && self.event_loop.complains(Complaint::Watch)
            {
                log::error!(
                    target: "soquete::net",
                    "a connection is closed, since it could not be registered: {error}"
                );
            }
            return;
        }
        driver.configure(&server.options.socket);
        if header.is_some() {
            state.with_extras(|extras| extras.proxy_header = header);
        }
        state.set_server(Some(server.key));
        server.connections.set(server.connections.get() + 1);
        state.duplex.open();
        driver.apply_stored_options_unheard();
        if server.options.pause_on_connect {
            state.duplex.start_paused();
        } else {
            state.duplex.start(&driver);
        }
        driver.update_alive();
        log_line::came(&driver, server.key);
        let socket = state.handle();
        self.emit_to(event::Connection, socket);
    }

    /// Where there is a list, a peer without an address is blocked, too. Over IPC there are none.
    fn is_blocked(&self, accepted: &Accepted) -> bool {
        let Some(list) = &self.state.options.block_list else {
            return false;
        };
        match accepted.peer {
            Some(peer) => list.check(peer),
            None => !accepted.stream.is_ipc(),
        }
    }
}
