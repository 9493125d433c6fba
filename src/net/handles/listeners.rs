//! The emitter's methods, which every handle has.

use std::any::TypeId;

/// A listener that came or went, by its event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::net) enum ListenerChange {
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
            ///
            /// ```
            /// use soquete::{event, net};
            ///
            /// let server = net::create_server(|socket| {
            ///     socket
            ///         .on(event::Error, |error| eprintln!("{error}"))
            ///         .on(event::Data, move |chunk| socket.write(chunk));
            /// });
            /// server.on(event::Listening, move |()| println!("{:?}", server.address()));
            /// # server.close();
            /// ```
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
            ///
            /// ```
            /// use soquete::{event, net};
            ///
            /// let server = net::create_server(|socket| {
            ///     socket.on(event::Error, |error| eprintln!("{error}"));
            ///     // The first chunk only.
            ///     socket.once(event::Data, move |chunk| socket.end_with(chunk));
            /// });
            /// server.once(event::Connection, |_| println!("somebody has come"));
            /// # server.close();
            /// ```
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
            ///
            /// As in Node, a prepended listener does not change how a socket is read: only `on`, `once` and
            /// `add_listener` make it flow (`Data`, `Text`) or stop flowing (`Readable`).
            ///
            /// ```
            /// use soquete::{event, net};
            ///
            /// let server = net::create_server(|socket| {
            ///     socket.on(event::Error, |error| eprintln!("{error}"));
            ///     socket.on(event::End, |()| println!("second"));
            ///     socket.prepend_listener(event::End, |()| println!("first"));
            /// });
            /// // Before the listener that the server was made with.
            /// server.prepend_listener(event::Connection, |socket| println!("{socket:?}"));
            /// # server.close();
            /// ```
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

            /// As `once`, but before the listeners that are there. Like
            /// [`prepend_listener`](Self::prepend_listener), it does not change how a socket is read.
            ///
            /// ```
            /// use soquete::{event, net};
            ///
            /// let server = net::create_server(|socket| {
            ///     socket.on(event::Error, |error| eprintln!("{error}"));
            ///     socket.on(event::Data, |_| println!("every chunk"));
            ///     socket.prepend_once_listener(event::Data, |_| println!("before the first chunk"));
            /// });
            /// server.prepend_once_listener(event::Connection, |_| println!("the first of all"));
            /// # server.close();
            /// ```
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
            ///
            /// ```
            /// use soquete::{event, net};
            ///
            /// let server = net::create_server(|socket| {
            ///     socket.on(event::Error, |error| eprintln!("{error}"));
            ///     let echo = socket.add_listener(event::Data, move |chunk| socket.write(chunk));
            ///     socket.on(event::Timeout, move |()| socket.remove_listener(echo));
            /// });
            /// let counted = server.add_listener(event::Connection, |_| println!("one more"));
            /// assert!(server.remove_listener(counted));
            /// # server.close();
            /// ```
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
            ///
            /// ```
            /// use soquete::{event, net};
            ///
            /// let server = net::create_server(|socket| {
            ///     socket.on(event::Error, |error| eprintln!("{error}"));
            ///     let first = socket.add_once_listener(event::Data, |_| println!("the first chunk"));
            ///     socket.on(event::Timeout, move |()| socket.remove_listener(first));
            /// });
            /// let first = server.add_once_listener(event::Connection, |_| println!("the first of all"));
            /// assert!(server.remove_listener(first));
            /// # server.close();
            /// ```
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
            pub(in crate::net) fn add_first<E: $crate::events::Event, R: $crate::events::Outcome>(
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
                    self.listeners_changed(
                        $crate::net::handles::listeners::ListenerChange::Removed(event),
                    );
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
                self.listeners_changed($crate::net::handles::listeners::ListenerChange::Removed(
                    event,
                ));
                *self
            }

            /// Removes every listener of every event.
            #[doc(alias = "removeAllListeners")]
            pub fn remove_all_listeners(&self) -> $handle {
                self.with_emitter(|emitter| {
                    emitter.remove_all_listeners();
                });
                self.listeners_changed($crate::net::handles::listeners::ListenerChange::AllRemoved);
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
            /// crate's own listeners, those of a pipe and a framing's of `Data`, are among them.
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
            ///
            /// ```
            /// use soquete::event::{self, Emits};
            /// use soquete::events::Event;
            /// use soquete::net::{self, Server, Socket};
            ///
            /// struct LoggedIn;
            /// impl Event for LoggedIn {
            ///     type Payload<'a> = &'a str;
            /// }
            /// impl Emits<LoggedIn> for Socket {}
            /// impl Emits<LoggedIn> for Server {}
            ///
            /// let server = net::create_server(|socket| {
            ///     socket.on(event::Error, |error| eprintln!("{error}"));
            ///     socket.on(event::Text, move |nick| socket.emit(LoggedIn, nick.trim()));
            /// });
            /// server.on(LoggedIn, |nick| assert_eq!(nick, "ana"));
            /// assert!(server.emit(LoggedIn, "ana"));
            /// # server.close();
            /// ```
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
            /// ```
            /// use soquete::event::{self, Emits};
            /// use soquete::events::Event;
            /// use soquete::net::{self, Server, Socket};
            ///
            /// struct LoggedIn;
            /// impl Event for LoggedIn {
            ///     type Payload<'a> = &'a str;
            /// }
            /// impl Emits<LoggedIn> for Socket {}
            /// impl Emits<LoggedIn> for Server {}
            ///
            /// let server = net::create_server(|socket| {
            ///     socket.on(event::Error, |error| eprintln!("{error}"));
            ///     // What a listener refuses destroys this connection.
            ///     socket.on(event::Text, move |nick| socket.try_emit(LoggedIn, nick.trim()));
            /// });
            /// server.on(LoggedIn, |nick| {
            ///     println!("{}", nick.parse::<u32>()?);
            ///     Ok(())
            /// });
            /// assert!(server.try_emit(LoggedIn, "ana").is_err());
            /// # server.close();
            /// ```
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
                    self.listeners_changed(
                        $crate::net::handles::listeners::ListenerChange::Prepended(event),
                    );
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
                        self.listeners_changed(
                            $crate::net::handles::listeners::ListenerChange::Added(event),
                        );
                        id
                    }
                    None => $crate::events::ListenerId::NONE,
                }
            }
        }
    };
}
pub(super) use emitting;
