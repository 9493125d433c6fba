//! Listening and closing.

use std::any::TypeId;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::dns;
use crate::error::{Error, Result, node};
use crate::event::{self, Concern, Emits};
use crate::events::Event;
use crate::kernel::Listener;
use crate::machine::Framed;
use crate::net::driver::log_line;
use crate::net::driver::server::ServerDriver;
use crate::net::driver::socket::SocketDriver;
use crate::net::options::abort::AbortSignal;
use crate::net::options::listen::{ListenOptions, ListenTarget};
use crate::net::server::listener;
use crate::net::state::server::ServerEnd;
use crate::net::state::socket::SocketState;
use crate::net::values::address::Address;
use crate::net::values::handle::Server;
use crate::reactor::{Job, Key, Loop, Task};

impl ServerDriver<'_> {
    /// Where it listens; `None` if it does not.
    pub(in crate::net) fn listening_address(&self) -> Option<Address> {
        listener::address(&self.state.listener.borrow())
    }

    fn next_attempt(&self) -> u32 {
        let attempt = self.state.attempt.get().wrapping_add(1);
        self.state.attempt.set(attempt);
        attempt
    }

    pub(in crate::net) fn listen(&self, options: ListenOptions) {
        if !self.state.listener.borrow().is_none() {
            return self.emit_error_later(node::already_listening());
        }
        let attempt = self.next_attempt();
        self.state.wanted.set(true);
        if self.state.end.get() == ServerEnd::Told {
            self.state.end.set(ServerEnd::None);
        }
        if let Some(signal) = &options.signal {
            self.watch(signal);
        }
        let was_handed_in = matches!(options.target, ListenTarget::Descriptor(_));
        self.state.listener_was_shown.set(was_handed_in);
        match &options.target {
            ListenTarget::Tcp { host: None, port } => {
                self.listening(listener::on_all(*port, &options));
            }
            ListenTarget::Tcp {
                host: Some(name),
                port,
            } => self.listen_on_host(name.clone(), *port, attempt, options),
            ListenTarget::Nowhere(text) => {
                self.listening(Err(node::bad_port("options.port", text)));
            }
            ListenTarget::Path(path) => self.listening(listener::on_path(path, &options)),
            ListenTarget::Descriptor(descriptor) => {
                let bound = descriptor.adopt();
                self.listening(bound.and_then(|bound| listener::adopt(bound, options.backlog)));
            }
        }
    }

    fn listen_on_host(&self, name: String, port: u16, attempt: u32, options: ListenOptions) {
        let key = self.state.key;
        let call = move |found: Result<SocketAddr>| {
            ServerDriver::with(key, |driver| {
                if driver.state.attempt.get() == attempt {
                    match found {
                        Ok(address) => driver.listening(listener::on(address, &options)),
                        Err(error) => driver.emit_error(&error),
                    }
                }
            });
        };
        if let Some(address) = dns::literal(&name, port) {
            return crate::timers::next_tick(move || call(Ok(address)));
        }
        let all = dns::LookupOptions::new().all(true);
        dns::lookup_with(&name.clone(), all, move |found| {
            let address = found.and_then(|addresses| {
                listener::preferred(&addresses).ok_or_else(|| Error::lookup("ENOTFOUND", &name))
            });
            call(address.map(|address| SocketAddr::new(address, port)));
        });
    }

    /// Lets the signal close the server.
    fn watch(&self, signal: &AbortSignal) {
        if signal.aborted() {
            return self.tick(|driver| driver.close());
        }
        let key = self.state.key;
        let listener = signal.on_abort(move |_| {
            ServerDriver::with(key, |driver| driver.close());
        });
        let signal = signal.clone();
        self.state.emitter.once(event::Close, move |_| {
            signal.remove_listener(listener);
        });
    }

    fn listening(&self, opened: Result<Listener>) {
        let attempt = self.state.attempt.get();
        let registered = opened.and_then(|mut listener| {
            self.event_loop
                .register(listener.watched(), self.state.key)
                .map_err(|error| Error::os("listen", &error))?;
            Ok(listener)
        });
        // mio writes to the log, and a logger may have closed the server.
        if self.state.attempt.get() != attempt {
            return;
        }
        match registered {
            Ok(listener) => {
                self.state.listener.replace(listener);
                self.event_loop.reserve.keep();
                self.tick(|driver| {
                    log_line::listens(driver.state.key, || {
                        listener::address(&driver.state.listener.borrow())
                    });
                    if !driver.state.listener.borrow().is_none() {
                        driver.emit_to(event::Listening, ());
                    }
                });
            }
            Err(error) => self.emit_error_later(error),
        }
    }

    /// A listener of `E` has returned an error. An error of an `Error` listener is unhandled.
    #[cold]
    pub(in crate::net) fn listener_of_failed<E: Event>(&self, payload: E::Payload<'_>, error: Error)
    where
        Server: Emits<E>,
    {
        let is_monitor = TypeId::of::<E>() == TypeId::of::<event::ErrorMonitor>();
        match <Server as Emits<E>>::concerns(payload) {
            Concern::Connection(socket) => socket.listener_failed(error),
            Concern::Nothing if !is_monitor => self.emit_error(&error),
            Concern::Nothing | Concern::Error(_) => self.event_loop.unhandled_error(error),
        }
    }

    fn emit_error_later(&self, error: Error) {
        self.tick(move |driver| driver.emit_error(&error));
    }

    fn tick(&self, then: impl FnOnce(&ServerDriver<'_>) + 'static) {
        let key = self.state.key;
        self.event_loop.next_tick(Job::Call(Box::new(move || {
            ServerDriver::with(key, then);
        })));
    }

    pub(in crate::net) fn close(&self) {
        self.next_attempt();
        self.state.wanted.set(false);
        if let Some(timer) = self.state.resting.take() {
            self.event_loop.clear_timer(timer);
        }
        let mut listener = self.state.listener.replace(Listener::None);
        if !listener.is_none() {
            // While a duplicate is open elsewhere, the poll would go on to report this registration.
            let _gone = self.event_loop.deregister(listener.watched());
            // Kept in the closing phase, as every handle is: the loop lives until then.
            self.event_loop
                .close_later(Task::new(self.state.key, |_, _| {}));
            log_line::accepts_no_more(self.state.key);
        }
        drop(listener);
        self.call_arrivals_off();
        self.close_if_drained();
    }

    fn close_if_drained(&self) {
        if self.is_idle() && self.state.end.get() == ServerEnd::None {
            self.state.end.set(ServerEnd::Due);
            self.tick(|driver| {
                driver.state.end.set(ServerEnd::Told);
                driver.emit_to(event::Close, false);
                // A listener of `Close` may have begun to listen again, and may have closed that as well.
                if driver.state.end.get() != ServerEnd::Told {
                    return;
                }
                driver.state.end.set(ServerEnd::None);
                if driver.is_idle() && !driver.state.wanted.get() {
                    debug_assert_eq!(driver.state.arriving.get(), 0, "`close` calls them off");
                    driver.event_loop.remove(driver.state.key);
                    driver.event_loop.discard(driver.state.emitter.take_all());
                }
            });
        }
    }

    /// Whether there is a `Close` to come, which another listener of it would hear.
    pub(in crate::net) fn will_tell_of_its_end(&self) -> bool {
        self.state.end.get() != ServerEnd::Told
    }

    pub(in crate::net) fn destroy_all(&self) -> usize {
        self.destroy_if(|_| true)
    }

    pub(in crate::net) fn destroy_idle(&self) -> usize {
        self.destroy_if(|socket| {
            let duplex = &socket.state.duplex;
            duplex.readable_length() == 0
                && duplex.writable_length(socket) == 0
                && !duplex.is_writing()
                && duplex.framed() != Framed::Holding
        })
    }

    /// Looks at every socket of the loop: this is rare, and a list would cost each of them memory.
    fn destroy_if(&self, chosen: impl Fn(&SocketDriver<'_>) -> bool) -> usize {
        let mut count = 0;
        for handle in self.event_loop.handles() {
            let handle: Rc<dyn std::any::Any> = handle;
            let Ok(state) = handle.downcast::<SocketState>() else {
                continue;
            };
            if state.server() != Some(self.state.key) || state.duplex.is_destroyed() {
                continue;
            }
            let socket = SocketDriver {
                event_loop: self.event_loop,
                state: &state,
            };
            if chosen(&socket) {
                socket.state.duplex.destroy(&socket, None);
                socket.update_alive();
                count += 1;
            }
        }
        count
    }

    fn is_idle(&self) -> bool {
        self.state.listener.borrow().is_none() && self.state.connections.get() == 0
    }
}

/// One of a server's sockets was destroyed.
pub(in crate::net) fn connection_left(event_loop: &Loop, server: Key) {
    ServerDriver::on(event_loop, server, |driver| {
        debug_assert!(
            driver.state.connections.get() > 0,
            "each connection leaves once"
        );
        let left = driver.state.connections.get().saturating_sub(1);
        driver.state.connections.set(left);
        driver.close_if_drained();
    });
}
