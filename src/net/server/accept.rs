//! Accepting connections, also when there are no descriptors left for them.

use super::DropInfo;
use super::host::ServerHost;
use crate::event;
use crate::events::outcome::Verdict;
use crate::net::cell::{SocketCell, SocketHost};
use crate::net::listener::{Accepted, Reserve};
use crate::net::transport::Transport;
use crate::reactor::{AfterCall, Counters, Task};

/// How many connections one server accepts before others get their turn.
const ACCEPT_BUDGET: usize = 64;

/// How long accepting rests when descriptors have run out and nobody could be turned away.
const EXHAUSTION_PAUSE_MS: u64 = 100;

/// A server at its limit, where one leaves and two come, must not fill the log.
const WARN_AGAIN_MS: u64 = 60_000;

impl ServerHost<'_> {
    /// Accepts those who wait, up to a number; the others' turn comes in the next poll phase.
    pub(super) fn accept_ready(&self) {
        for _ in 0..ACCEPT_BUDGET {
            if self.event_loop.is_interrupted() {
                break;
            }
            let accepted = self.cell.listener.borrow().accept();
            match accepted {
                Accepted::Connection(transport) => {
                    Counters::add(&self.event_loop.counters.accepts, 1);
                    self.connection(transport);
                    self.event_loop.settle();
                }
                Accepted::Retry => {}
                Accepted::Nobody => return,
                Accepted::Exhausted(error) => return self.exhausted(&error),
            }
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

    fn exhausted(&self, error: &std::io::Error) {
        let now = self.event_loop.now();
        let warned_at = self.cell.warned_at.get();
        if warned_at.is_none_or(|at| now - at >= WARN_AGAIN_MS) {
            self.cell.warned_at.set(Some(now));
            log::warn!(
                target: "soquete::net",
                "accept: {error}; connections are turned away until it works again"
            );
        }
        if Reserve::turn_away(&self.cell.listener.borrow()) {
            return;
        }
        // One timer, however many come meanwhile.
        if self.cell.resting.replace(true) {
            return;
        }
        let server = self.cell;
        let key = server.key;
        let again = move |_| {
            ServerHost::with(key, |host| {
                host.cell.resting.set(false);
                host.accept_ready();
            });
            Verdict::Fine
        };
        let timer = self.event_loop.set_timer(
            EXHAUSTION_PAUSE_MS,
            AfterCall::Removed,
            Box::new(again),
            server.origin,
        );
        self.event_loop.set_timer_referenced(timer, false);
    }

    fn connection(&self, transport: Transport) {
        let server = self.cell;
        let full = server
            .max_connections
            .get()
            .is_some_and(|max| server.connections.get() >= max);
        if full {
            let info = DropInfo {
                local: transport.local_address(),
                remote: transport.remote_address(),
            };
            // Closed before anybody is told: a listener that panics must not let it in.
            drop(transport);
            self.emit(event::Drop, &info);
            return;
        }
        if self.is_blocked(&transport) {
            return;
        }
        let cell = SocketCell::insert(self.event_loop, transport, server.origin);
        let host = SocketHost {
            event_loop: self.event_loop,
            cell: &cell,
        };
        if let Err(error) = cell.register(self.event_loop) {
            log::error!(target: "soquete::net", "a connection could not be registered: {error}");
            return self.event_loop.remove(cell.key);
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
        let socket = cell.handle();
        self.emit(event::Connection, socket);
    }

    fn is_blocked(&self, transport: &Transport) -> bool {
        let Some(list) = &self.cell.options.block_list else {
            return false;
        };
        let peer = transport.remote_address();
        peer.is_some_and(|peer| list.check(peer))
    }
}
