//! All listeners of an emitter: one list to an event.
//!
//! ```text
//!   others     [ End │ Error ┊ Close ]     each list an allocation of its own
//!                          before = 2
//!   preferred        Data                  in place: no search and no look elsewhere
//! ```
//!
//! The order is that in which the events were first listened to: the preferred one stands behind as
//! many of the others as were there `before` it.

use std::any::{Any, TypeId};

use super::listeners::{AnyListeners, Listener, Listeners, Removed};
use super::{Event, ListenerId, Place};

pub(super) struct Lists<P: Event> {
    preferred: Listeners<P>,
    before: u32,
    others: Vec<Box<dyn AnyListeners>>,
}

impl<P: Event> Lists<P> {
    pub(super) const fn new() -> Lists<P> {
        Lists {
            preferred: Listeners::None,
            before: 0,
            others: Vec::new(),
        }
    }

    /// The listeners of `E`, if there are any.
    pub(super) fn get<E: Event>(&self) -> Option<&Listeners<E>> {
        let preferred: &dyn Any = &self.preferred;
        match preferred.downcast_ref::<Listeners<E>>() {
            Some(listeners) => (listeners.len() > 0).then_some(listeners),
            None => self.others.iter().find_map(|listeners| {
                let listeners: &dyn Any = &**listeners;
                listeners.downcast_ref()
            }),
        }
    }

    /// Adds a listener, and says how many `E` has now.
    pub(super) fn insert<E: Event>(&mut self, listener: Listener<E>, place: Place) -> usize {
        let preferred: &mut dyn Any = &mut self.preferred;
        let found = match preferred.downcast_mut::<Listeners<E>>() {
            Some(listeners) => {
                if listeners.len() == 0 {
                    self.before = self.others.len() as u32;
                }
                Some(listeners)
            }
            None => self.others.iter_mut().find_map(|listeners| {
                let listeners: &mut dyn Any = &mut **listeners;
                listeners.downcast_mut()
            }),
        };
        if let Some(listeners) = found {
            listeners.insert(listener, place);
            return listeners.len();
        }
        // Sockets have few events and there are many sockets: no room is kept in advance.
        self.others.reserve_exact(1);
        self.others.push(Box::new(Listeners::One(listener)));
        1
    }

    pub(super) fn remove(&mut self, id: ListenerId) -> Option<Removed> {
        if let Some(removed) = self.preferred.remove(id) {
            return Some(removed);
        }
        let mut others = self.others.iter_mut().enumerate();
        let (index, removed) =
            others.find_map(|(index, listeners)| Some((index, listeners.remove(id)?)))?;
        if self.others[index].len() == 0 {
            self.remove_other(index);
        }
        Some(removed)
    }

    /// Takes the listeners of `E` out, if there are any.
    pub(super) fn take<E: Event>(&mut self) -> Option<Box<dyn AnyListeners>> {
        let preferred: &dyn Any = &self.preferred;
        if preferred.is::<Listeners<E>>() {
            return self.take_preferred();
        }
        let index = self.others.iter().position(|other| is_of::<E>(&**other))?;
        Some(self.remove_other(index))
    }

    /// Takes all listeners of all events out, to be dropped where nothing is borrowed.
    pub(super) fn take_all(&mut self) -> Lists<P> {
        std::mem::replace(self, Lists::new())
    }

    /// The events that are listened to, in their order.
    pub(super) fn events(&self) -> Vec<TypeId> {
        self.iter().map(AnyListeners::event_type).collect()
    }

    /// The listeners of one event, in the order of the calls.
    pub(super) fn ids(&self, event: TypeId) -> Vec<ListenerId> {
        let found = self
            .iter()
            .find(|listeners| listeners.event_type() == event);
        found.map_or_else(Vec::new, AnyListeners::ids)
    }

    fn take_preferred(&mut self) -> Option<Box<dyn AnyListeners>> {
        match std::mem::replace(&mut self.preferred, Listeners::None) {
            Listeners::None => None,
            listeners => Some(Box::new(listeners)),
        }
    }

    fn remove_other(&mut self, index: usize) -> Box<dyn AnyListeners> {
        if index < self.before as usize {
            self.before -= 1;
        }
        self.others.remove(index)
    }

    /// The lists that are not empty, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn AnyListeners> {
        let preferred: Option<&dyn AnyListeners> = match self.preferred.len() {
            0 => None,
            _ => Some(&self.preferred),
        };
        let before = preferred.map_or(0, |_| self.before as usize);
        let (earlier, later) = self.others.split_at(before);
        let earlier = earlier.iter().map(Box::as_ref);
        earlier
            .chain(preferred)
            .chain(later.iter().map(Box::as_ref))
    }
}

fn is_of<E: Event>(listeners: &dyn AnyListeners) -> bool {
    let listeners: &dyn Any = listeners;
    listeners.is::<Listeners<E>>()
}
