//! Sockets and servers: Node's `net` module.
//!
//! [`create_server`] and [`connect`] are the two ways in. What a [`Socket`] emits is in
//! [`event`](mod@crate::event), with the payloads.
//!
//! # Places
//!
//! [`connect`], [`Server::listen`] and [`BoundSocket::new`] take anything that names a place:
//!
//! | place | |
//! |---|---|
//! | a port | `3000`, `"3000"` |
//! | a host and a port, either first | `("localhost", 3000)`, `(3000, host)` with a `String`, `(Ipv4Addr::LOCALHOST, 3000)` |
//! | both in a text | `"localhost:3000"`, `"[::1]:3000"` |
//! | an address of the standard library's, or a [`SocketAddress`] | `socket_addr` |
//! | where a server listens | `server.address().unwrap()`, an [`Address`] |
//! | a path, which is any other text, too | `Path::new("app.sock")`, `path_buf`, `"/tmp/app.sock"` |
//! | any of them with more to say | [`ConnectOptions`], [`ListenOptions`], [`BindOptions`] |
//!
//! As in Node, `connect("example.org")` is to a path, and fails with ENOENT. Text with a port out of range is
//! `ERR_SOCKET_BAD_PORT`.

mod abort;
#[cfg(feature = "sim")]
mod account;
mod address;
mod adopt;
mod attachments;
mod bound;
mod cell;
mod connect;
mod frames;
mod idle;
mod inquiry;
mod lifecycle;
mod listener;
mod on_read;
mod options;
mod pipe;
mod place;
mod prepare;
mod reading;
mod server;
mod settings;
mod socket;
mod speaker;

pub use crate::address::{
    BlockList, Family, IntoAddress, SocketAddress, SocketAddressOptions, is_ip, is_ipv4, is_ipv6,
};
pub use crate::machine::ReadyState;
pub use crate::machine::data::Data;
pub use abort::{AbortController, AbortSignal};
pub use address::Address;
pub use adopt::{SimulatedStream, StdStream};
pub use bound::{BindOptions, BoundSocket};
pub use connect::{
    Attempt, ConnectOptions, FailedAttempt, LookupResult, get_default_auto_select_family,
    get_default_auto_select_family_attempt_timeout, set_default_auto_select_family,
    set_default_auto_select_family_attempt_timeout,
};
pub use frames::Frames;
pub use options::SocketOptions;
pub use pipe::PipeOptions;
pub use server::{DropInfo, ListenOptions, Server, ServerOptions};
pub use settings::KeepAlive;
pub use socket::Socket;

use std::any::TypeId;
use std::net::SocketAddr;

use crate::error::{Error, Result};
use crate::event;
use crate::events::{Event, EventEmitter, Outcome};
use crate::reactor::Loop;

/// A server that calls `listener` with every socket that it accepts. It does not listen yet: see
/// [`Server::listen`].
#[doc(alias = "createServer")]
#[track_caller]
pub fn create_server<R: Outcome>(listener: impl FnMut(Socket) -> R + 'static) -> Server {
    create_server_with(ServerOptions::default(), listener)
}

/// As [`create_server`], with options for the sockets that it accepts.
#[doc(alias = "createServer")]
#[track_caller]
pub fn create_server_with<R: Outcome>(
    options: ServerOptions,
    listener: impl FnMut(Socket) -> R + 'static,
) -> Server {
    Server::new_with(options).on(event::Connection, listener)
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
#[track_caller]
pub fn connect(options: impl Into<ConnectOptions>) -> Socket {
    let options = options.into();
    socket_for(&options).connect(options)
}

/// [`connect`] under its other name.
#[doc(alias = "createConnection")]
#[track_caller]
pub fn create_connection(options: impl Into<ConnectOptions>) -> Socket {
    connect(options)
}

/// As [`connect`], and calls `listener` with the socket when the connection is up. Node's
/// `net.connect(options, listener)`, where the socket is the listener's `this`.
#[doc(alias = "connect")]
#[track_caller]
pub fn connect_then<R: Outcome>(
    options: impl Into<ConnectOptions>,
    listener: impl FnOnce(Socket) -> R + 'static,
) -> Socket {
    let options = options.into();
    socket_for(&options).connect_then(options, listener)
}

#[track_caller]
fn socket_for(options: &ConnectOptions) -> Socket {
    let socket = Socket::new_with(options.socket.clone());
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

/// Calls the listeners of `E` in a run that nothing has interrupted; true if there are any, also if one
/// of them panics. The first error that one of them returned is for the emitter to deal with.
fn emit_now<E: Event, P: Event>(
    event_loop: &Loop,
    emitter: &EventEmitter<P>,
    event: E,
    payload: E::Payload<'_>,
) -> Result<bool> {
    let mut heard = Ok(true);
    event_loop.call_now(|| heard = emitter.try_emit(event, payload));
    heard
}

/// An error that was returned to nobody who could still be told by an event.
fn told_too_late(error: &Error) {
    log::warn!(target: "soquete::net", "a listener of a socket that was destroyed has failed: {error}");
}

/// How sockets and servers emit: at once, or in the next run if this one has been interrupted. What
/// is emitted then is what was to be told now.
macro_rules! emitting_in_a_run {
    ($host:ident of $handle:ty) => {
        impl $host<'_> {
            /// Calls the listeners of `E`; true if there are any.
            pub(in crate::net) fn emit_to<E, V>(&self, event: E, value: V) -> bool
            where
                E: for<'p> $crate::events::Event<Payload<'p> = V> + Copy,
                V: Copy + 'static,
                $handle: $crate::event::Emits<E>,
            {
                if self.event_loop.is_interrupted() {
                    self.in_next_run(move |host| {
                        host.emit_to(event, value);
                    });
                    return self.cell.emitter.listener_count(event) > 0;
                }
                $crate::kernel::emitted::<E>(stringify!($handle), self.cell.key);
                $crate::net::emit_now(self.event_loop, &self.cell.emitter, event, value)
                    .unwrap_or_else(|error| {
                        self.listener_of_failed::<E>(value, error);
                        true
                    })
            }

            /// As `emit_to`, for what is lent to the listeners.
            pub(in crate::net) fn emit_lent<E, T>(&self, event: E, lent: &T) -> bool
            where
                E: for<'p> $crate::events::Event<Payload<'p> = &'p T> + Copy,
                T: ToOwned + ?Sized + 'static,
                $handle: $crate::event::Emits<E>,
            {
                if self.event_loop.is_interrupted() {
                    let kept = lent.to_owned();
                    self.in_next_run(move |host| {
                        host.emit_lent(event, std::borrow::Borrow::borrow(&kept));
                    });
                    return self.cell.emitter.listener_count(event) > 0;
                }
                $crate::kernel::emitted::<E>(stringify!($handle), self.cell.key);
                $crate::net::emit_now(self.event_loop, &self.cell.emitter, event, lent)
                    .unwrap_or_else(|error| {
                        self.listener_of_failed::<E>(lent, error);
                        true
                    })
            }

            /// Emits an error, which is unhandled if nobody listens.
            pub(in crate::net) fn emit_error(&self, error: &$crate::Error) {
                if self.event_loop.is_interrupted() {
                    let error = error.clone();
                    return self.in_next_run(move |host| host.emit_error(&error));
                }
                self.emit_lent($crate::event::ErrorMonitor, error);
                if !self.emit_lent($crate::event::Error, error) {
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
            pub fn on<E: $crate::events::Event, R: $crate::events::Outcome>(
                &self,
                event: E,
                listener: impl FnMut(E::Payload<'_>) -> R + 'static,
            ) -> $handle
            where
                $handle: $crate::event::Emits<E>,
            {
                self.add_listener(event, listener);
                *self
            }

            /// Calls `listener` for the next `E` only. It is removed before it is called.
            pub fn once<E: $crate::events::Event, R: $crate::events::Outcome>(
                &self,
                event: E,
                listener: impl FnOnce(E::Payload<'_>) -> R + 'static,
            ) -> $handle
            where
                $handle: $crate::event::Emits<E>,
            {
                self.add_once_listener(event, listener);
                *self
            }

            /// As `on`, but before the listeners that are there.
            #[doc(alias = "prependListener")]
            pub fn prepend_listener<E: $crate::events::Event, R: $crate::events::Outcome>(
                &self,
                event: E,
                listener: impl FnMut(E::Payload<'_>) -> R + 'static,
            ) -> $handle
            where
                $handle: $crate::event::Emits<E>,
            {
                self.add_first(event, listener);
                *self
            }

            /// As `once`, but before the listeners that are there.
            #[doc(alias = "prependOnceListener")]
            pub fn prepend_once_listener<E: $crate::events::Event, R: $crate::events::Outcome>(
                &self,
                _: E,
                listener: impl FnOnce(E::Payload<'_>) -> R + 'static,
            ) -> $handle
            where
                $handle: $crate::event::Emits<E>,
            {
                let first = $crate::events::Place::First;
                let id = self.with_emitter(|emitter| emitter.insert_once::<E, R>(first, listener));
                self.prepended::<E>(id);
                *self
            }

            /// As `on`, but returns the id to remove the listener by.
            #[doc(alias = "addListener")]
            pub fn add_listener<E: $crate::events::Event, R: $crate::events::Outcome>(
                &self,
                event: E,
                listener: impl FnMut(E::Payload<'_>) -> R + 'static,
            ) -> $crate::events::ListenerId
            where
                $handle: $crate::event::Emits<E>,
            {
                self.adding::<E>(|emitter| emitter.add_listener(event, listener))
            }

            /// As `once`, but returns the id to remove the listener by.
            pub fn add_once_listener<E: $crate::events::Event, R: $crate::events::Outcome>(
                &self,
                event: E,
                listener: impl FnOnce(E::Payload<'_>) -> R + 'static,
            ) -> $crate::events::ListenerId
            where
                $handle: $crate::event::Emits<E>,
            {
                self.adding::<E>(|emitter| emitter.add_once_listener(event, listener))
            }

            /// As `prepend_listener`, but returns the id.
            pub(crate) fn add_first<E: $crate::events::Event, R: $crate::events::Outcome>(
                &self,
                _: E,
                listener: impl FnMut(E::Payload<'_>) -> R + 'static,
            ) -> $crate::events::ListenerId
            where
                $handle: $crate::event::Emits<E>,
            {
                let first = $crate::events::Place::First;
                let id = self.with_emitter(|emitter| emitter.insert::<E, R>(first, listener));
                self.prepended::<E>(id)
            }

            /// The ids of the listeners of `E`, in the order in which they are called.
            #[doc(alias = "rawListeners")]
            pub fn listeners<E: $crate::events::Event>(
                &self,
                event: E,
            ) -> Vec<$crate::events::ListenerId>
            where
                $handle: $crate::event::Emits<E>,
            {
                self.with_emitter(|emitter| emitter.listeners(event))
                    .unwrap_or_default()
            }

            /// Removes one listener; false if it was not there (any more).
            #[doc(alias = "off")]
            #[doc(alias = "removeListener")]
            pub fn remove_listener(&self, id: $crate::events::ListenerId) -> bool {
                let removed = self.with_emitter(|emitter| emitter.remove(id)).flatten();
                if let Some(event) = removed {
                    self.listeners_changed($crate::net::ListenerChange::Removed(event));
                }
                removed.is_some()
            }

            /// Removes the listeners of one event.
            #[doc(alias = "removeAllListeners")]
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
            #[doc(alias = "removeAllListeners")]
            pub fn remove_all_listeners(&self) -> $handle {
                self.with_emitter(|emitter| {
                    emitter.remove_all_listeners();
                });
                self.listeners_changed($crate::net::ListenerChange::AllRemoved);
                *self
            }

            /// Sets how many listeners an event may have before a warning is logged; 10 at first, 0
            /// for any number.
            #[doc(alias = "setMaxListeners")]
            pub fn set_max_listeners(&self, count: u32) -> $handle {
                self.with_emitter(|emitter| {
                    emitter.set_max_listeners(count);
                });
                *self
            }

            /// See [`set_max_listeners`](Self::set_max_listeners); 0 on a stale handle.
            #[doc(alias = "getMaxListeners")]
            pub fn max_listeners(&self) -> u32 {
                self.with_emitter(|emitter| emitter.max_listeners())
                    .unwrap_or(0)
            }

            /// The names of the events that are listened to, in the order in which they first were. The
            /// crate's own listeners, those of a pipe or a framing, are among them.
            #[doc(alias = "eventNames")]
            pub fn event_names(&self) -> Vec<&'static str> {
                self.with_emitter(|emitter| emitter.event_names())
                    .unwrap_or_default()
            }

            /// How many listeners `E` has.
            #[doc(alias = "listenerCount")]
            pub fn listener_count<E: $crate::events::Event>(&self, event: E) -> usize
            where
                $handle: $crate::event::Emits<E>,
            {
                self.with_emitter(|emitter| emitter.listener_count(event))
                    .unwrap_or(0)
            }

            /// Calls the listeners of `E`; true if there were any. For events of your own: see
            /// [`Emits`]($crate::event::Emits). An `Err` that a listener returns has the consequences that
            /// [`Outcome`]($crate::events::Outcome) tells of.
            pub fn emit<E: $crate::events::Event>(&self, event: E, payload: E::Payload<'_>) -> bool
            where
                $handle: $crate::event::Emits<E>,
            {
                self.try_emit(event, payload).unwrap_or_else(|error| {
                    self.failed::<E>(payload, error);
                    true
                })
            }

            /// As `emit`, but an `Err` that a listener returns comes back, and has no consequences.
            ///
            /// # Errors
            ///
            /// The first `Err` of a listener. The listeners behind it were called nevertheless.
            #[doc(alias = "emit")]
            pub fn try_emit<E: $crate::events::Event>(
                &self,
                event: E,
                payload: E::Payload<'_>,
            ) -> $crate::Result<bool>
            where
                $handle: $crate::event::Emits<E>,
            {
                self.with_emitter(|emitter| {
                    let concern = <$handle as $crate::event::Emits<E>>::concerns(payload);
                    if let $crate::event::Concern::Error(error) = concern {
                        emitter.emit($crate::event::ErrorMonitor, error);
                    }
                    emitter.try_emit(event, payload)
                })
                .unwrap_or(Ok(false))
            }

            /// Keeps a value with this handle, for all who have one: state that several listeners share
            /// needs no other place. It goes after `Close`, or when another one of its type is attached.
            /// What is to change in it is a [`Cell`](std::cell::Cell) or a
            /// [`RefCell`](std::cell::RefCell).
            #[doc(alias = "data")]
            pub fn attach<T: 'static>(&self, value: T) -> $handle {
                let _old = self.with_attachments(|attachments| attachments.put(value));
                *self
            }

            /// The value of this type that was [attached](Self::attach).
            pub fn attachment<T: 'static>(&self) -> Option<std::rc::Rc<T>> {
                self.with_attachments(|attachments| attachments.get())
                    .flatten()
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
