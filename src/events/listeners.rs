//! The listeners of one event: a list that an emit can walk while it changes.
//!
//! A list of one, by far the commonest, is kept in place. A longer one is shared: an emit holds a
//! reference to the list it started with, and who changes a list that is held changes a copy.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::rc::Rc;

use super::outcome::{Outcome, Verdict};
use super::{Event, ListenerId, Place};

type Closure<E> = dyn for<'a> FnMut(<E as Event>::Payload<'a>) -> Verdict;

/// One listener. Cloning shares the closure.
pub(super) struct Listener<E: Event> {
    id: ListenerId,
    closure: Rc<RefCell<Closure<E>>>,
}

impl<E: Event> Listener<E> {
    pub(super) fn new<R: Outcome>(
        id: ListenerId,
        mut closure: impl FnMut(E::Payload<'_>) -> R + 'static,
    ) -> Self {
        let call = move |payload: E::Payload<'_>| closure(payload).verdict();
        Listener {
            id,
            closure: Rc::new(RefCell::new(call)),
        }
    }

    pub(super) fn once<R: Outcome>(
        id: ListenerId,
        closure: impl FnOnce(E::Payload<'_>) -> R + 'static,
    ) -> Self {
        let mut closure = Some(closure);
        // An emit that started before the first call has the listener in its list too: it finds the
        // closure gone, and that is right.
        let call_once = move |payload: E::Payload<'_>| match closure.take() {
            Some(closure) => closure(payload).verdict(),
            None => Verdict::Fine,
        };
        Listener {
            id: id.of_once(),
            closure: Rc::new(RefCell::new(call_once)),
        }
    }

    pub(super) fn id(&self) -> ListenerId {
        self.id
    }

    pub(super) fn is_once(&self) -> bool {
        self.id.is_once()
    }

    /// Calls the listener, unless it is running already.
    #[inline]
    pub(super) fn call(&self, payload: E::Payload<'_>) -> Verdict {
        match self.closure.try_borrow_mut() {
            Ok(mut closure) => closure(payload),
            Err(_) => Verdict::Fine,
        }
    }

    /// Whether a call has not returned yet. A `once` listener that runs will not be wanted again.
    pub(super) fn is_running(&self) -> bool {
        !self.is_once() && self.closure.try_borrow_mut().is_err()
    }
}

impl<E: Event> Clone for Listener<E> {
    fn clone(&self) -> Self {
        Listener {
            id: self.id,
            closure: Rc::clone(&self.closure),
        }
    }
}

/// The listeners of `E` in the order in which they are called.
pub(super) enum Listeners<E: Event> {
    /// Nobody listens: a list in place, or one that is about to be dropped.
    None,
    One(Listener<E>),
    Many(Rc<Vec<Listener<E>>>),
}

impl<E: Event> Listeners<E> {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Listener<E>> {
        match self {
            Listeners::None => [].iter(),
            Listeners::One(listener) => std::slice::from_ref(listener).iter(),
            Listeners::Many(list) => list.iter(),
        }
    }

    pub(super) fn insert(&mut self, listener: Listener<E>, place: Place) {
        *self = match (std::mem::replace(self, Listeners::None), place) {
            (Listeners::None, _) => Listeners::One(listener),
            (Listeners::One(only), Place::First) => Listeners::many(vec![listener, only]),
            (Listeners::One(only), Place::Last) => Listeners::many(vec![only, listener]),
            (Listeners::Many(mut list), place) => {
                let listeners = Rc::make_mut(&mut list);
                match place {
                    Place::First => listeners.insert(0, listener),
                    Place::Last => listeners.push(listener),
                }
                Listeners::Many(list)
            }
        };
    }

    fn many(list: Vec<Listener<E>>) -> Self {
        Listeners::Many(Rc::new(list))
    }
}

impl<E: Event> Clone for Listeners<E> {
    fn clone(&self) -> Self {
        match self {
            Listeners::None => Listeners::None,
            Listeners::One(listener) => Listeners::One(listener.clone()),
            Listeners::Many(list) => Listeners::Many(Rc::clone(list)),
        }
    }
}

/// A removed listener, still alive: dropping it runs the destructors of what its closure captured,
/// which is the user's code and must find no list borrowed.
pub(super) struct Removed {
    pub(super) of: TypeId,
    /// Its name, which is made of that of a type: not for nothing, then.
    pub(super) event: fn() -> &'static str,
    _listener: Box<dyn Any>,
}

/// The listeners of some event, for what need not know which.
pub(super) trait AnyListeners: Any {
    /// How many there are.
    fn len(&self) -> usize;

    fn event(&self) -> &'static str;

    fn event_type(&self) -> TypeId;

    /// In the order of the calls.
    fn ids(&self) -> Vec<ListenerId>;

    fn remove(&mut self, id: ListenerId) -> Option<Removed>;
}

impl<E: Event> AnyListeners for Listeners<E> {
    fn len(&self) -> usize {
        self.iter().len()
    }

    fn event(&self) -> &'static str {
        E::name()
    }

    fn event_type(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn ids(&self) -> Vec<ListenerId> {
        self.iter().map(|listener| listener.id).collect()
    }

    fn remove(&mut self, id: ListenerId) -> Option<Removed> {
        let index = self.iter().position(|listener| listener.id == id)?;
        let listener = match self {
            Listeners::Many(list) if list.len() > 1 => Rc::make_mut(list).remove(index),
            _ => match std::mem::replace(self, Listeners::None) {
                Listeners::None => return None,
                Listeners::One(listener) => listener,
                Listeners::Many(list) => list[index].clone(),
            },
        };
        Some(Removed {
            of: TypeId::of::<E>(),
            event: E::name,
            _listener: Box::new(listener),
        })
    }
}
