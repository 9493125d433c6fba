//! Connections that are no sockets yet, since their PROXY header has not come in full.
//!
//! ```text
//!   accept ── the header is there already ──────────────▶ a socket, `Connection`
//!      └───── not all of it ──▶ Arrival ── complete ──▶
//!                                  └────── too late, wrong, gone ──▶ closed, `Drop`
//! ```

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use crate::events::outcome::Verdict;
use crate::kernel::{Accepted, Stream};
use crate::net::driver::server::ServerDriver;
use crate::net::options::proxy::ProxyProtocol;
use crate::net::server::header::{Header, Progress};
use crate::net::values::payload::DropReason;
use crate::reactor::{self, AfterCall, Complaint, Handle, HandleKind, Key, Loop, Origin, Ready};

struct Arrival {
    key: Key,
    server: Key,
    origin: Origin,
    stream: RefCell<Stream>,
    /// The proxy.
    peer: Option<SocketAddr>,
    header: RefCell<Header>,
    /// Fires when the header is late.
    timer: Cell<Option<Key>>,
}

impl Handle for Arrival {
    fn ready(self: Rc<Self>, event_loop: &Loop, key: Key, ready: Ready) {
        if event_loop.is_interrupted() {
            return event_loop.redeliver(key, ready);
        }
        ServerDriver::on(event_loop, self.server, |driver| driver.header_ready(&self));
        event_loop.settle();
    }

    fn kind(&self) -> HandleKind {
        HandleKind::Arrival(self.server)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn keeps_alive(&self) -> bool {
        true
    }

    #[cfg(feature = "sim")]
    fn waits(&self) -> (bool, bool) {
        (true, false)
    }

    #[cfg(feature = "sim")]
    fn account(&self) -> Option<String> {
        Some("a connection whose PROXY header is coming in".into())
    }
}

impl ServerDriver<'_> {
    /// A connection that has to begin with a header.
    pub(super) fn proxied(&self, accepted: Accepted, proxy: &ProxyProtocol, is_full: bool) {
        if !proxy.trusts(accepted.peer) {
            return self.turn_away(accepted, DropReason::UntrustedPeer);
        }
        let mut header = Header::default();
        let progress = header.read(&accepted.stream);
        match progress {
            Progress::Whole => {
                let accepted = on_behalf(accepted, &header);
                if is_full {
                    return self.turn_away(accepted, DropReason::MaxConnections);
                }
                self.welcome(accepted, Some(header.take().into()));
            }
            Progress::Failed(reason) => self.turn_away(accepted, reason),
            // For the client's address it would take a descriptor that is not to be had.
            Progress::Partial if is_full => self.turn_away(accepted, DropReason::MaxConnections),
            Progress::Partial => self.await_header(accepted, header, proxy),
        }
    }

    fn await_header(&self, accepted: Accepted, header: Header, proxy: &ProxyProtocol) {
        let server = self.state.key;
        let Accepted { mut stream, peer } = accepted;
        let arrival = self.event_loop.insert(|key| Arrival {
            key,
            server,
            origin: self.state.origin,
            stream: RefCell::new(Stream::None),
            peer,
            header: RefCell::new(header),
            timer: Cell::new(None),
        });
        let key = arrival.key;
        // Counted first: mio writes to the log, and a logger may close the server, which calls this arrival off.
        self.event_loop.reference();
        self.state.arriving.set(self.state.arriving.get() + 1);
        let registered = self.event_loop.register(stream.watched(), key);
        if self.arrival(key).is_none() {
            return;
        }
        if let Err(error) = registered {
            drop((self.take_out(&arrival), stream));
            if self.event_loop.complains(Complaint::Watch) {
                log::error!(
                    target: "soquete::net",
                    "a connection is closed, since it could not be registered: {error}"
                );
            }
            return;
        }
        arrival.stream.replace(stream);
        let late = move |_| {
            ServerDriver::with(server, |driver| driver.header_is_late(key));
            Verdict::Fine
        };
        let timer = self.event_loop.set_timer(
            reactor::whole_ms(proxy.deadline),
            AfterCall::Removed,
            Box::new(late),
            self.state.origin,
        );
        // The arrival itself keeps the loop alive.
        self.event_loop.set_timer_referenced(timer, false);
        arrival.timer.set(Some(timer));
    }

    fn header_ready(&self, arrival: &Arrival) {
        let progress = arrival.header.borrow_mut().read(&arrival.stream.borrow());
        match progress {
            Progress::Partial => {}
            Progress::Failed(reason) => {
                let accepted = self.take_out(arrival);
                self.turn_away(accepted, reason);
            }
            Progress::Whole => {
                let mut accepted = self.take_out(arrival);
                let attempt = self.state.attempt.get();
                if let Err(error) = self.event_loop.deregister(accepted.stream.watched()) {
                    if self.event_loop.complains(Complaint::Watch) {
                        log::error!(
                            target: "soquete::net",
                            "a connection is closed, since it could not be moved: {error}"
                        );
                    }
                    return;
                }
                // A logger may have closed the server.
                if self.state.attempt.get() != attempt {
                    return;
                }
                let accepted = on_behalf(accepted, &arrival.header.borrow());
                let header = arrival.header.borrow_mut().take();
                self.welcome(accepted, Some(header.into()));
            }
        }
    }

    fn header_is_late(&self, key: Key) {
        if let Some(arrival) = self.arrival(key) {
            let accepted = self.take_out(&arrival);
            self.turn_away(accepted, DropReason::HeaderTimeout);
        }
    }

    fn arrival(&self, key: Key) -> Option<Rc<Arrival>> {
        let handle: Rc<dyn std::any::Any> = self.event_loop.handle(key)?;
        handle.downcast().ok()
    }

    /// Closes all those that are no sockets yet, as it does those that nobody has accepted.
    pub(super) fn call_arrivals_off(&self) {
        if self.state.arriving.get() == 0 {
            return;
        }
        for handle in self.event_loop.handles() {
            let handle: Rc<dyn std::any::Any> = handle;
            if let Ok(arrival) = handle.downcast::<Arrival>()
                && arrival.server == self.state.key
            {
                drop(self.take_out(&arrival));
            }
        }
        debug_assert_eq!(self.state.arriving.get(), 0, "each is a handle of the loop");
    }

    fn take_out(&self, arrival: &Arrival) -> Accepted {
        if let Some(timer) = arrival.timer.take() {
            self.event_loop.clear_timer(timer);
        }
        self.event_loop.remove(arrival.key);
        self.event_loop.unreference();
        let arriving = self.state.arriving.get();
        debug_assert!(arriving > 0, "each is counted");
        self.state.arriving.set(arriving.saturating_sub(1));
        Accepted {
            stream: arrival.stream.replace(Stream::None),
            peer: arrival.peer,
        }
    }
}

/// As a connection of the client that the header names.
fn on_behalf(accepted: Accepted, header: &Header) -> Accepted {
    Accepted {
        peer: header.client().or(accepted.peer),
        ..accepted
    }
}
