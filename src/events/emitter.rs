//! The emitter's methods.

use std::any::TypeId;
use std::fmt;

use super::closure::{self, Call};
use super::lists::{Lists, Taken};
use super::outcome::Outcome;
use super::{Event, ListenerId, NewListener, NoEvent, RemoveListener};
use crate::error::Result;

/// Holds listeners and calls them. Node's `EventEmitter`.
///
/// It is used through a shared reference, so that a listener can reach the emitter that called it.
///
/// An emitter may prefer one event ([`preferring`](EventEmitter::preferring)), whose listeners it
/// finds without a search: a socket's prefers `Data`.
pub struct EventEmitter<Preferred: Event = NoEvent> {
    pub(super) lists: Lists<Preferred>,
}

/// Node's default: the eleventh listener of one event is worth a warning, for it may be a leak.
const DEFAULT_MAX_LISTENERS: u32 = 10;

impl EventEmitter {
    /// An emitter with no listeners. Allocates nothing.
    pub const fn new() -> EventEmitter {
        EventEmitter::preferring()
    }
}

impl<Preferred: Event> EventEmitter<Preferred> {
    /// As [`new`](EventEmitter::new), for one whose `Preferred` event is emitted all the time.
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Sample;
    /// # impl Event for Sample { type Payload<'a> = f32; }
    /// let sensor = EventEmitter::<Sample>::preferring();
    /// sensor.on(Sample, |value| assert!(value > 0.0));
    /// sensor.emit(Sample, 1.5);
    /// ```
    pub const fn preferring() -> EventEmitter<Preferred> {
        EventEmitter {
            lists: Lists::new(),
        }
    }

    /// Calls `listener` for every `E` from now on, after those that are there.
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Said;
    /// # impl Event for Said { type Payload<'a> = &'a str; }
    /// # let emitter = EventEmitter::new();
    /// emitter.on(Said, |text| println!("{text}"));
    /// emitter.on(Said, |text| println!("as I said: {text}"));
    /// emitter.emit(Said, "hello");
    /// ```
    pub fn on<E: Event, R: Outcome>(
        &self,
        event: E,
        listener: impl FnMut(E::Payload<'_>) -> R + 'static,
    ) -> &Self {
        self.add_listener(event, listener);
        self
    }

    /// Calls `listener` for the next `E` only. It is removed before it is called.
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Said;
    /// # impl Event for Said { type Payload<'a> = &'a str; }
    /// # let emitter = EventEmitter::new();
    /// emitter.once(Said, |text| assert_eq!(text, "first"));
    /// emitter.emit(Said, "first");
    /// assert!(!emitter.emit(Said, "second"), "nobody listens any more");
    /// ```
    pub fn once<E: Event, R: Outcome>(
        &self,
        event: E,
        listener: impl FnOnce(E::Payload<'_>) -> R + 'static,
    ) -> &Self {
        self.add_once_listener(event, listener);
        self
    }

    /// As [`on`](EventEmitter::on), but before those that are there.
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Said;
    /// # impl Event for Said { type Payload<'a> = &'a str; }
    /// # let emitter = EventEmitter::new();
    /// emitter.on(Said, |_| println!("second"));
    /// emitter.prepend_listener(Said, |_| println!("first"));
    /// emitter.emit(Said, "hello");
    /// ```
    #[doc(alias = "prependListener")]
    pub fn prepend_listener<E: Event, R: Outcome>(
        &self,
        _: E,
        listener: impl FnMut(E::Payload<'_>) -> R + 'static,
    ) -> &Self {
        self.insert::<E, R>(Place::First, listener);
        self
    }

    /// As [`once`](EventEmitter::once), but before those that are there.
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Said;
    /// # impl Event for Said { type Payload<'a> = &'a str; }
    /// # let emitter = EventEmitter::new();
    /// emitter.on(Said, |_| println!("always"));
    /// emitter.prepend_once_listener(Said, |_| println!("before that, and once"));
    /// emitter.emit(Said, "hello");
    /// ```
    #[doc(alias = "prependOnceListener")]
    pub fn prepend_once_listener<E: Event, R: Outcome>(
        &self,
        _: E,
        listener: impl FnOnce(E::Payload<'_>) -> R + 'static,
    ) -> &Self {
        self.insert_once::<E, R>(Place::First, listener);
        self
    }

    /// As [`on`](EventEmitter::on), but returns the id to [remove](EventEmitter::remove_listener) the
    /// listener by. (A listener that removes itself returns [`Flow::Stop`](crate::Flow::Stop).)
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Said;
    /// # impl Event for Said { type Payload<'a> = &'a str; }
    /// # let emitter = EventEmitter::new();
    /// let id = emitter.add_listener(Said, |text| println!("{text}"));
    /// assert!(emitter.remove_listener(id));
    /// assert!(!emitter.emit(Said, "hello"));
    /// ```
    #[doc(alias = "addListener")]
    pub fn add_listener<E: Event, R: Outcome>(
        &self,
        _: E,
        listener: impl FnMut(E::Payload<'_>) -> R + 'static,
    ) -> ListenerId {
        self.insert::<E, R>(Place::Last, listener)
    }

    /// As [`once`](EventEmitter::once), but returns the id to remove the listener by.
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Said;
    /// # impl Event for Said { type Payload<'a> = &'a str; }
    /// # let emitter = EventEmitter::new();
    /// let id = emitter.add_once_listener(Said, |text| println!("{text}"));
    /// emitter.emit(Said, "hello");
    /// assert!(!emitter.remove_listener(id), "it was called, and is gone");
    /// ```
    pub fn add_once_listener<E: Event, R: Outcome>(
        &self,
        _: E,
        listener: impl FnOnce(E::Payload<'_>) -> R + 'static,
    ) -> ListenerId {
        self.insert_once::<E, R>(Place::Last, listener)
    }

    pub(crate) fn insert<E: Event, R: Outcome>(
        &self,
        place: Place,
        listener: impl FnMut(E::Payload<'_>) -> R + 'static,
    ) -> ListenerId {
        self.add::<E>(place, ListenerId::next::<E>, || closure::of(listener))
    }

    pub(crate) fn insert_once<E: Event, R: Outcome>(
        &self,
        place: Place,
        listener: impl FnOnce(E::Payload<'_>) -> R + 'static,
    ) -> ListenerId {
        let once = || ListenerId::next::<E>().of_once();
        self.add::<E>(place, once, || closure::once(listener))
    }

    /// Adds what is more than a closure, after those that are there.
    pub(crate) fn add_call<E: Event>(&self, listener: Box<dyn Call<E>>) -> ListenerId {
        self.add::<E>(Place::Last, ListenerId::next::<E>, || listener)
    }

    /// Takes a listener of `E` out that is a `T`, unless it runs; to be given back.
    pub(crate) fn take_out<E: Event, T: ?Sized + 'static>(
        &self,
        _: E,
        id: ListenerId,
    ) -> Option<Box<T>> {
        let mut taken = None;
        let listener = self.lists.take_out::<E>(id)?;
        if listener.is_more() == Some(TypeId::of::<T>()) {
            let kept = listener.open(&mut taken);
            debug_assert!(kept.is_none(), "it has said that it is one");
        } else {
            self.give_back(id, listener);
        }
        taken
    }

    /// Gives a listener back that was taken out.
    pub(crate) fn give_back<E: Event>(&self, id: ListenerId, listener: Box<dyn Call<E>>) {
        let taken = Taken::from_somewhere(id);
        if let Some(removed) = self.lists.give_back(taken, listener) {
            removed.let_go();
        }
    }

    /// Calls the listeners of `E` in their order; true if there were any. An `Err` that one returns is
    /// logged: see [`try_emit`](EventEmitter::try_emit).
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Said;
    /// # impl Event for Said { type Payload<'a> = &'a str; }
    /// # let emitter = EventEmitter::new();
    /// assert!(!emitter.emit(Said, "to nobody"));
    /// emitter.on(Said, |text| assert_eq!(text, "to one"));
    /// assert!(emitter.emit(Said, "to one"));
    /// ```
    pub fn emit<E: Event>(&self, event: E, payload: E::Payload<'_>) -> bool {
        self.try_emit(event, payload).unwrap_or_else(|error| {
            log::error!(target: "soquete::events", "a listener of {} has failed: {error}", E::name());
            true
        })
    }

    /// As [`emit`](EventEmitter::emit).
    ///
    /// ```
    /// # use soquete::events::{Event, EventEmitter};
    /// # struct Said;
    /// # impl Event for Said { type Payload<'a> = &'a str; }
    /// # let emitter = EventEmitter::new();
    /// emitter.on(Said, |text| {
    ///     let number: u32 = text.parse()?;
    ///     println!("{number}");
    ///     Ok(())
    /// });
    /// assert_eq!(emitter.try_emit(Said, "42")?, true);
    /// assert!(emitter.try_emit(Said, "forty-two").is_err());
    /// # Ok::<(), soquete::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first that a listener returned. All of them are called nevertheless.
    #[inline]
    pub fn try_emit<E: Event>(&self, _: E, payload: E::Payload<'_>) -> Result<bool> {
        self.call::<E>(payload)
    }

    /// Removes one listener; false if it was not there (any more).
    #[doc(alias = "off")]
    #[doc(alias = "removeListener")]
    pub fn remove_listener(&self, id: ListenerId) -> bool {
        self.remove(id).is_some()
    }

    /// As [`remove_listener`](EventEmitter::remove_listener), and says which event's it was.
    pub(crate) fn remove(&self, id: ListenerId) -> Option<TypeId> {
        let removed = self.lists.remove(id)?;
        if self.listener_count(RemoveListener) > 0 {
            self.emit(RemoveListener, (removed.event)());
        }
        Some(removed.of)
    }

    /// Removes the listeners of one event. Where [`RemoveListener`] is listened to, they are removed one by
    /// one, the last first, and it is emitted after each.
    pub fn remove_all_listeners_of<E: Event>(&self, _: E) -> &Self {
        if self.listener_count(RemoveListener) > 0 {
            self.remove_each(TypeId::of::<E>());
        } else {
            let _removed = self.lists.take::<E>();
        }
        self
    }

    /// Removes every listener of every event, as [`remove_all_listeners_of`] does; those of
    /// [`RemoveListener`] go last, and hear of each other. What its listeners add meanwhile may go without
    /// a word.
    ///
    /// [`remove_all_listeners_of`]: EventEmitter::remove_all_listeners_of
    #[doc(alias = "removeAllListeners")]
    pub fn remove_all_listeners(&self) -> &Self {
        if self.listener_count(RemoveListener) > 0 {
            let last = TypeId::of::<RemoveListener>();
            let events = self.lists.events();
            for event in events.into_iter().filter(|event| *event != last) {
                self.remove_each(event);
            }
            self.remove_each(last);
        }
        let limit = self.lists.limit();
        let _removed = self.lists.take_all();
        if let Some(limit) = limit {
            self.lists.set_limit(limit);
        }
        self
    }

    fn remove_each(&self, event: TypeId) {
        let ids = self.lists.ids(event);
        for id in ids.into_iter().rev() {
            self.remove(id);
        }
    }

    /// Takes every listener out, and tells nobody: what comes back holds what they have captured.
    pub(crate) fn take_all(&self) -> impl Sized + 'static + use<Preferred> {
        self.lists.take_all()
    }

    /// How many listeners `E` has.
    #[doc(alias = "listenerCount")]
    pub fn listener_count<E: Event>(&self, _: E) -> usize {
        self.lists.len::<E>()
    }

    /// Whether a listener of `E` is running at this moment, further up the call stack.
    pub fn is_running<E: Event>(&self, _: E) -> bool {
        self.lists.is_running::<E>()
    }

    /// The ids of the listeners of `E`, in the order in which they are called.
    pub fn listeners<E: Event>(&self, _: E) -> Vec<ListenerId> {
        self.lists.ids(TypeId::of::<E>())
    }

    /// The names of the events that are listened to, in the order in which they first were.
    #[doc(alias = "eventNames")]
    pub fn event_names(&self) -> Vec<&'static str> {
        let names = self.lists.names();
        names.into_iter().map(|name| name()).collect()
    }

    /// How many listeners one event may have before a warning is logged; 0 for no limit. None is
    /// ever refused.
    #[doc(alias = "setMaxListeners")]
    pub fn set_max_listeners(&self, count: u32) -> &Self {
        self.lists.set_limit(count);
        self
    }

    /// See [`set_max_listeners`](EventEmitter::set_max_listeners).
    #[doc(alias = "getMaxListeners")]
    pub fn max_listeners(&self) -> u32 {
        self.lists.limit().unwrap_or(DEFAULT_MAX_LISTENERS)
    }

    fn add<E: Event>(
        &self,
        place: Place,
        id: impl FnOnce() -> ListenerId,
        closure: impl FnOnce() -> Box<dyn Call<E>>,
    ) -> ListenerId {
        if self.listener_count(NewListener) > 0 {
            self.emit(NewListener, E::name());
        }
        let id = id();
        let count = self.lists.insert(id, closure(), place);
        if count > 1 && count == self.max_listeners() as usize + 1 {
            log::warn!(
                target: "soquete::events",
                "{count} listeners of {} on one emitter: a possible leak (set_max_listeners raises the limit)",
                E::name(),
            );
        }
        id
    }
}

/// Which end of the list a listener joins.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    First,
    Last,
}

impl Default for EventEmitter {
    fn default() -> EventEmitter {
        EventEmitter::new()
    }
}

impl<Preferred: Event> fmt::Debug for EventEmitter<Preferred> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventEmitter")
            .field("events", &self.event_names())
            .finish()
    }
}
