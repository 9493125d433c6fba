//! Sockets and servers: Node's `net` module.
//!
//! [`create_server`] and [`connect`] are the two ways in. What a [`Socket`] emits is in
//! [`event`](mod@crate::event), with the payloads.

mod abort;
#[cfg(feature = "sim")]
mod account;
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

/// Calls the listeners of `E`; true if there are any, also if one of them panics.
fn emit<E: Event, P: Event>(
    event_loop: &Loop,
    emitter: &EventEmitter<P>,
    event: E,
    payload: E::Payload<'_>,
) -> bool {
    let mut heard = true;
    event_loop.call(|| heard = emitter.emit(event, payload));
    heard
}

/// A listener that came or went, by its event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ListenerChange {
    Added(TypeId),
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

            /// As `on`, but before the listeners that are there.
            pub fn prepend_listener<E: $crate::events::Event>(
                &self,
                event: E,
                listener: impl FnMut(E::Payload<'_>) + 'static,
            ) -> $crate::events::ListenerId
            where
                $handle: $crate::event::Emits<E>,
            {
                self.adding::<E>(|emitter| emitter.prepend_listener(event, listener))
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
                self.adding::<E>(|emitter| emitter.prepend_once_listener(event, listener))
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

/// The spare descriptor is given up, for a world that begins or ends.
#[cfg(feature = "sim")]
pub(crate) fn forget_reserve() {
    listener::Reserve::forget();
}
