//! Sockets and servers: Node's `net` module.
//!
//! [`create_server`] and [`connect`] are the two ways in. What a [`Socket`] emits is in
//! [`event`](mod@crate::event), with the payloads.

mod abort;
mod adopt;
mod bound;
mod cell;
mod connect;
mod frames;
mod idle;
mod inquiry;
mod listener;
mod on_read;
mod options;
mod pipe;
mod raw;
mod reading;
mod server;
mod settings;
mod socket;
mod speaker;
mod transport;
#[cfg(unix)]
mod unix;

pub use crate::address::{
    AddressError, BlockList, Family, IntoAddress, SocketAddress, SocketAddressOptions, is_ip,
    is_ipv4, is_ipv6,
};
pub use crate::machine::ReadyState;
pub use crate::machine::data::Data;
pub use abort::{AbortController, AbortSignal};
pub use adopt::StdStream;
pub use bound::{BindOptions, BoundSocket};
pub use connect::{
    Attempt, ConnectOptions, FailedAttempt, LookupResult, get_default_auto_select_family,
    get_default_auto_select_family_attempt_timeout, set_default_auto_select_family,
    set_default_auto_select_family_attempt_timeout,
};
pub use frames::{Frames, IntoFlow};
pub use options::SocketOptions;
pub use pipe::PipeOptions;
pub use server::{DropInfo, ListenOptions, Server, ServerAddress, ServerOptions};
pub use settings::KeepAlive;
pub use socket::Socket;

use std::any::TypeId;
use std::net::SocketAddr;

use crate::event;
use crate::events::{Event, EventEmitter};
use crate::reactor::Loop;

/// A server that calls `listener` with every socket that it accepts. It does not listen yet: see
/// [`Server::listen`].
pub fn create_server(listener: impl FnMut(Socket) + 'static) -> Server {
    create_server_with(ServerOptions::default(), listener)
}

/// As [`create_server`], with options for the sockets that it accepts.
pub fn create_server_with(
    options: ServerOptions,
    listener: impl FnMut(Socket) + 'static,
) -> Server {
    Server::new(options).on(event::Connection, listener)
}

/// A socket that connects: [`event::Connect`] follows, or [`event::Error`].
///
/// ```no_run
/// use soquete::{event, net};
/// use std::path::Path;
///
/// let local = net::connect(3000);
/// let remote = net::connect(("example.org", 80));
/// let ipc = net::connect(Path::new("/tmp/app.sock"));
/// let tuned = net::connect(net::ConnectOptions::new(3000).host("::1").no_delay(true));
/// ```
pub fn connect(options: impl Into<ConnectOptions>) -> Socket {
    let options = options.into();
    socket_for(&options).connect(options)
}

/// [`connect`] under its other name.
pub fn create_connection(options: impl Into<ConnectOptions>) -> Socket {
    connect(options)
}

/// As [`connect`], and calls `listener` when the connection is up.
pub fn connect_with(
    options: impl Into<ConnectOptions>,
    listener: impl FnOnce() + 'static,
) -> Socket {
    let options = options.into();
    let socket = socket_for(&options);
    socket.once(event::Connect, |()| listener());
    socket.connect(options)
}

fn socket_for(options: &ConnectOptions) -> Socket {
    let socket = Socket::new(options.socket.clone());
    if let Some(timeout) = options.timeout {
        socket.set_timeout(timeout);
    }
    socket
}

/// An address without its port, as text: with its zone, if it has one.
fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(address) if address.scope_id() != 0 => {
            format!("{}%{}", address.ip(), address.scope_id())
        }
        address => address.ip().to_string(),
    }
}

/// Calls the listeners of `E` in a run that nothing has interrupted; true if there are any, also if
/// one of them panics.
fn emit_now<E: Event, P: Event>(
    event_loop: &Loop,
    emitter: &EventEmitter<P>,
    event: E,
    payload: E::Payload<'_>,
) -> bool {
    let mut heard = true;
    event_loop.call_now(|| heard = emitter.emit(event, payload));
    heard
}

/// How sockets and servers emit: at once, or in the next run if this one has been interrupted. What
/// is emitted then is what was to be told now.
macro_rules! emitting_in_a_run {
    ($host:ident) => {
        impl $host<'_> {
            /// Calls the listeners of `E`; true if there are any.
            pub(in crate::net) fn emit_to<E, V>(&self, event: E, value: V) -> bool
            where
                E: for<'p> $crate::events::Event<Payload<'p> = V> + Copy,
                V: Copy + 'static,
            {
                if self.event_loop.is_interrupted() {
                    self.in_next_run(move |host| {
                        host.emit_to(event, value);
                    });
                    return self.cell.emitter.listener_count(event) > 0;
                }
                $crate::net::emit_now(self.event_loop, &self.cell.emitter, event, value)
            }

            /// As `emit_to`, for what is lent to the listeners.
            pub(in crate::net) fn emit_lent<E, T>(&self, event: E, lent: &T) -> bool
            where
                E: for<'p> $crate::events::Event<Payload<'p> = &'p T> + Copy,
                T: ToOwned + ?Sized + 'static,
            {
                if self.event_loop.is_interrupted() {
                    let kept = lent.to_owned();
                    self.in_next_run(move |host| {
                        host.emit_lent(event, std::borrow::Borrow::borrow(&kept));
                    });
                    return self.cell.emitter.listener_count(event) > 0;
                }
                $crate::net::emit_now(self.event_loop, &self.cell.emitter, event, lent)
            }

            /// Emits an error, which is unhandled if nobody listens.
            pub(in crate::net) fn emit_error(&self, error: &$crate::Error) {
                if self.event_loop.is_interrupted() {
                    let error = error.clone();
                    self.in_next_run(move |host| host.emit_error(&error));
                } else if !self.emit_lent($crate::event::Error, error) {
                    self.event_loop.unhandled_error(error.clone());
                }
            }

            /// Goes on first thing in the next run, though the handle may be stale by then.
            #[cold]
            pub(in crate::net) fn in_next_run(&self, then: impl FnOnce(&$host<'_>) + 'static) {
                let cell = std::rc::Rc::clone(self.cell);
                self.event_loop.call_in_next_run(Box::new(move || {
                    $crate::reactor::with(|event_loop| {
                        let host = $host {
                            event_loop,
                            cell: &cell,
                        };
                        then(&host);
                        host.update_alive();
                    });
                }));
            }
        }
    };
}
use emitting_in_a_run;

/// A listener that came or went, by its event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ListenerChange {
    Added(TypeId),
    /// Before the others, which asks for nothing.
    Prepended(TypeId),
    Removed(TypeId),
    /// Those of every event.
    AllRemoved,
}

/// The emitter's methods on a handle. Those of a stale handle do nothing.
macro_rules! emitting {
    ($handle:ident, $emitter:ty) => {
        impl $handle {
            /// Calls `listener` for every `E` from now on.
            pub fn on<E: $crate::events::Event>(
                &self,
                event: E,
                listener: impl FnMut(E::Payload<'_>) + 'static,
            ) -> $handle
            where
                $handle: $crate::event::Emits<E>,
            {
                self.add_listener(event, listener);
                *self
            }

            /// As `on`, but returns the id to remove the listener by.
            pub fn add_listener<E: $crate::events::Event>(
                &self,
                event: E,
                listener: impl FnMut(E::Payload<'_>) + 'static,
            ) -> $crate::events::ListenerId
            where
                $handle: $crate::event::Emits<E>,
            {
                self.adding::<E>(|emitter| emitter.add_listener(event, listener))
            }

            /// Calls `listener` for the next `E` only. It is removed before it is called.
            pub fn once<E: $crate::events::Event>(
                &self,
                event: E,
                listener: impl FnOnce(E::Payload<'_>) + 'static,
            ) -> $crate::events::ListenerId
            where
                $handle: $crate::event::Emits<E>,
            {
                self.adding::<E>(|emitter| emitter.once(event, listener))
            }

            /// As `on`, but before the listeners that are there. As in Node, this does not begin to read:
            /// only `on`, `once` and `add_listener` make a socket flow, or stop flowing.
            pub fn prepend_listener<E: $crate::events::Event>(
                &self,
                event: E,
                listener: impl FnMut(E::Payload<'_>) + 'static,
            ) -> $crate::events::ListenerId
            where
                $handle: $crate::event::Emits<E>,
            {
                let id = self.with_emitter(|emitter| emitter.prepend_listener(event, listener));
                self.prepended::<E>(id)
            }

            /// As `once`, but before the listeners that are there.
            pub fn prepend_once_listener<E: $crate::events::Event>(
                &self,
                event: E,
                listener: impl FnOnce(E::Payload<'_>) + 'static,
            ) -> $crate::events::ListenerId
            where
                $handle: $crate::event::Emits<E>,
            {
                let id =
                    self.with_emitter(|emitter| emitter.prepend_once_listener(event, listener));
                self.prepended::<E>(id)
            }

            /// Removes one listener; false if it was not there (any more).
            pub fn remove_listener(&self, id: $crate::events::ListenerId) -> bool {
                let removed = self.with_emitter(|emitter| emitter.remove(id)).flatten();
                if let Some(event) = removed {
                    self.listeners_changed($crate::net::ListenerChange::Removed(event));
                }
                removed.is_some()
            }

            /// Removes the listeners of one event.
            pub fn remove_all_listeners_of<E: $crate::events::Event>(&self, event: E) -> $handle
            where
                $handle: $crate::event::Emits<E>,
            {
                self.with_emitter(|emitter| {
                    emitter.remove_all_listeners_of(event);
                });
                let event = std::any::TypeId::of::<E>();
                self.listeners_changed($crate::net::ListenerChange::Removed(event));
                *self
            }

            /// Removes every listener of every event.
            pub fn remove_all_listeners(&self) -> $handle {
                self.with_emitter(|emitter| {
                    emitter.remove_all_listeners();
                });
                self.listeners_changed($crate::net::ListenerChange::AllRemoved);
                *self
            }

            /// Sets how many listeners an event may have before a warning is logged; 10 at first, 0
            /// for any number.
            pub fn set_max_listeners(&self, count: u32) -> $handle {
                self.with_emitter(|emitter| {
                    emitter.set_max_listeners(count);
                });
                *self
            }

            /// How many listeners `E` has.
            pub fn listener_count<E: $crate::events::Event>(&self, event: E) -> usize
            where
                $handle: $crate::event::Emits<E>,
            {
                self.with_emitter(|emitter| emitter.listener_count(event))
                    .unwrap_or(0)
            }

            /// Calls the listeners of `E`; true if there were any. For events of your own: see
            /// [`Emits`]($crate::event::Emits).
            pub fn emit<E: $crate::events::Event>(&self, event: E, payload: E::Payload<'_>) -> bool
            where
                $handle: $crate::event::Emits<E>,
            {
                self.with_emitter(|emitter| emitter.emit(event, payload))
                    .unwrap_or(false)
            }

            fn prepended<E: $crate::events::Event>(
                self,
                id: Option<$crate::events::ListenerId>,
            ) -> $crate::events::ListenerId {
                if id.is_some() {
                    let event = std::any::TypeId::of::<E>();
                    self.listeners_changed($crate::net::ListenerChange::Prepended(event));
                }
                id.unwrap_or($crate::events::ListenerId::NONE)
            }

            fn adding<E: $crate::events::Event>(
                self,
                add: impl FnOnce(&$emitter) -> $crate::events::ListenerId,
            ) -> $crate::events::ListenerId {
                match self.with_emitter(add) {
                    Some(id) => {
                        let event = std::any::TypeId::of::<E>();
                        self.listeners_changed($crate::net::ListenerChange::Added(event));
                        id
                    }
                    None => $crate::events::ListenerId::NONE,
                }
            }
        }
    };
}
use emitting;
