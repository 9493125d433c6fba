//! Accepting connections, also when there are no descriptors left for them.

use std::io;

use super::DropInfo;
use super::host::ServerHost;
use crate::error::Error;
use crate::event;
use crate::events::outcome::Verdict;
use crate::kernel::{Accepted, Answer, Call, answer};
use crate::net::cell::{SocketCell, SocketHost};
use crate::net::lifecycle;
use crate::reactor::{AfterCall, Complaint, Counters, Task};

/// How many connections one server accepts before others get their turn.
const ACCEPT_BUDGET: usize = 64;

/// How long accepting rests when nothing will tell that it works again.
const PAUSE_MS: u64 = 100;

impl ServerHost<'_> {
    /// Accepts those who wait, up to a number; the others' turn comes in the next poll phase.
    pub(super) fn accept_ready(&self) {
        if self.cell.resting.get().is_some() {
            return;
        }
        let mut failures = 0;
        for _ in 0..ACCEPT_BUDGET {
            if self.event_loop.is_interrupted() {
                break;
            }
            let accepted = self.cell.listener.borrow().accept();
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
        // Nobody came through: that could go on for ever.
        if failures == ACCEPT_BUDGET {
            return self.rest_for_a_while();
        }
        // Once, though an event may have come here besides.
        if self.cell.continuing.replace(true) {
            return;
        }
        let again = Task::new(self.cell.key, |event_loop, key| {
            ServerHost::on(event_loop, key, |host| {
                host.cell.continuing.set(false);
                host.accept_ready();
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
            .cell
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
        if self.cell.listener.borrow().is_none() {
            return;
        }
        let server = self.cell;
        let key = server.key;
        let again = move |_| {
            ServerHost::with(key, |host| {
                host.cell.resting.set(None);
                host.accept_ready();
            });
            Verdict::Fine
        };
        let timer =
            self.event_loop
                .set_timer(PAUSE_MS, AfterCall::Removed, Box::new(again), server.origin);
        self.event_loop.set_timer_referenced(timer, false);
        let before = self.cell.resting.replace(Some(timer));
        debug_assert_eq!(before, None, "a server that rests does not accept");
    }

    fn connection(&self, accepted: Accepted) {
        let server = self.cell;
        let full = server
            .max_connections
            .get()
            .is_some_and(|max| server.connections.get() >= max);
        if full {
            let info = DropInfo {
                local: accepted.stream.local_address(),
                remote: accepted.peer,
            };
            // Closed before anybody is told: a listener that panics must not let it in.
            drop(accepted);
            self.emit_lent(event::Drop, &info);
            return;
        }
        if self.is_blocked(&accepted) {
            return;
        }
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
        let cell = SocketCell::insert(self.event_loop, accepted.stream, server.origin);
        cell.remote.set(accepted.peer);
        let host = SocketHost {
            event_loop: self.event_loop,
            cell: &cell,
        };
        if let Err(error) = cell.register(self.event_loop) {
            self.event_loop.remove(cell.key);
            drop(cell);
            if self.event_loop.complains(Complaint::Watch) {
                log::error!(
                    target: "soquete::net",
                    "a connection is closed, since it could not be registered: {error}"
                );
            }
            return;
        }
        host.configure(&server.options.socket);
        cell.server.set(Some(server.key));
        server.connections.set(server.connections.get() + 1);
        cell.duplex.open();
        host.apply_stored_options();
        if server.options.pause_on_connect {
            cell.duplex.start_paused();
        } else {
            cell.duplex.start(&host);
        }
        host.update_alive();
        lifecycle::came(&host, server.key);
        let socket = cell.handle();
        self.emit_to(event::Connection, socket);
    }

    /// Where there is a list, a peer without an address is blocked, too. Over IPC there are none.
    fn is_blocked(&self, accepted: &Accepted) -> bool {
        let Some(list) = &self.cell.options.block_list else {
            return false;
        };
        match accepted.peer {
            Some(peer) => list.check(peer),
            None => !accepted.stream.is_ipc(),
        }
    }
}
