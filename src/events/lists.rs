//! All listeners of an emitter: one place to an event.
//!
//! ```text
//!   others     [ End │ Error ┊ Close ]     one allocation
//!   preferred        Data                  in place: no search and no look elsewhere
//! ```
//!
//! A place holds the box of the only listener, by far the commonest, or a list of several. A place of
//! several is among the others, whichever event it is of.
//!
//! The order is that in which the events were first listened to. The others are sorted by it, and where
//! among them the preferred one belongs is told by the ids, which rise.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;

use super::closure::{AnyListener, Call, Limit, Nobody, Opened, Running};
use super::listeners::{List, Several, put_back};
use super::{Event, ListenerId, Place};

pub(super) struct Lists<P: Event> {
    /// The preferred event's only listener, unless it runs.
    closure: Cell<Opened<P>>,
    /// The preferred event's only listener, or `IN_OTHERS`.
    preferred: Cell<Option<ListenerId>>,
    others: Cell<Others>,
}

/// The preferred event's listeners are several.
const IN_OTHERS: ListenerId = ListenerId::SEVERAL;

/// The places of the other events. Taken out of their cell while they are looked at, where no code of the
/// user's runs.
type Others = Option<Box<[Entry]>>;

struct Entry {
    /// Of the event's first listener.
    id: ListenerId,
    listener: Box<dyn AnyListener>,
}

impl Entry {
    fn is_vacant(&self) -> bool {
        self.listener.len() == 0
    }

    fn is_of<T: 'static>(&self) -> bool {
        let listener: &dyn Any = &*self.listener;
        listener.is::<T>()
    }

    fn several<E: Event>(&mut self) -> Option<&mut Several<E>> {
        let listener: &mut dyn Any = &mut *self.listener;
        listener.downcast_mut()
    }

    fn remove(&mut self, id: ListenerId) -> Option<Box<dyn Any>> {
        if self.listener.is_list() {
            return self.listener.remove(id);
        }
        let nobody = Box::new(Nobody);
        let is_it = self.id == id && !self.is_vacant();
        let removed: Box<dyn Any> = is_it.then(|| std::mem::replace(&mut self.listener, nobody))?;
        Some(removed)
    }

    /// Takes the only listener of `E` out, unless it runs.
    fn take_out<E: Event>(&mut self) -> Opened<E> {
        let mut opened: Opened<E> = None;
        let running = Box::new(Running::<E>(PhantomData));
        std::mem::replace(&mut self.listener, running).open(&mut opened);
        opened
    }
}

/// Who is to be called.
pub(super) enum Heard<E: Event> {
    Nobody,
    /// It is its only listener, and runs.
    Running,
    /// Taken out, to be [given back](Lists::give_back).
    One(ListenerId, Box<dyn Call<E>>),
    Several(Rc<List<E>>),
}

/// A removed listener, still alive: dropping it runs the destructors of what its closure captured,
/// which is the user's code and must find nothing borrowed.
pub(super) struct Removed {
    pub(super) of: TypeId,
    /// Its name, which is made of that of a type: not for nothing, then.
    pub(super) event: fn() -> &'static str,
    _listener: Box<dyn Any>,
}

impl<P: Event> Lists<P> {
    pub(super) const fn new() -> Lists<P> {
        Lists {
            closure: Cell::new(None),
            preferred: Cell::new(None),
            others: Cell::new(None),
        }
    }

    /// The place in place, if `E` is preferred.
    #[inline(always)]
    fn place_of<E: Event>(&self) -> Option<&Cell<Opened<E>>> {
        let place: &dyn Any = &self.closure;
        place.downcast_ref()
    }

    #[inline(always)]
    fn with_others<R>(&self, f: impl FnOnce(&mut Others) -> R) -> R {
        let mut others = self.others.take();
        let result = f(&mut others);
        put_back(&self.others, others);
        result
    }

    /// As `with_others`, for the place of `E`, if it is there.
    fn with_entry<E: Event, R>(&self, f: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        self.with_others(|others| {
            let mut entries = others.iter_mut().flatten();
            let is_it = |entry: &&mut Entry| entry.listener.event() == TypeId::of::<E>();
            entries.find(is_it).map(f)
        })
    }

    /// The listeners of `E`, to be called; an only one is taken out.
    #[inline(always)]
    pub(super) fn open<E: Event>(&self) -> Heard<E> {
        if let Some(place) = self.place_of::<E>() {
            match self.preferred.get() {
                None => return Heard::Nobody,
                Some(id) if id == IN_OTHERS => {}
                Some(id) => {
                    return match place.take() {
                        Some(closure) => Heard::One(id, closure),
                        None => Heard::Running,
                    };
                }
            }
        }
        self.open_other()
    }

    #[inline(never)]
    fn open_other<E: Event>(&self) -> Heard<E> {
        let found = self.with_entry::<E, _>(|entry| {
            if entry.listener.is_list()
                && let Some(several) = entry.several::<E>()
            {
                return Heard::Several(Rc::clone(&several.0));
            }
            match entry.take_out() {
                Some(closure) => Heard::One(entry.id, closure),
                None => Heard::Running,
            }
        });
        found.unwrap_or(Heard::Nobody)
    }

    /// Takes one listener of `E` out, unless it runs.
    pub(super) fn take_out<E: Event>(&self, id: ListenerId) -> Opened<E> {
        if let Some(place) = self.place_of::<E>()
            && self.preferred.get() == Some(id)
        {
            return place.take();
        }
        let found = self.with_entry::<E, _>(|entry| {
            if let Some(several) = entry.several::<E>() {
                return several.0.get(id)?.closure.take();
            }
            let is_it = entry.id == id;
            is_it.then(|| entry.take_out()).flatten()
        });
        found.flatten()
    }

    /// Gives a listener back that was taken out. Hands back what has no place any more.
    #[inline(always)]
    pub(super) fn give_back<E: Event>(
        &self,
        id: ListenerId,
        closure: Box<dyn Call<E>>,
    ) -> Opened<E> {
        if let Some(place) = self.place_of::<E>()
            && self.preferred.get() == Some(id)
        {
            put_back(place, Some(closure));
            return None;
        }
        self.give_back_to_other(id, closure)
    }

    #[inline(never)]
    fn give_back_to_other<E: Event>(&self, id: ListenerId, closure: Box<dyn Call<E>>) -> Opened<E> {
        let mut closure = Some(closure);
        self.with_others(|others| {
            // An only listener is found by its id, without asking the others what they are of.
            let entry = others.iter_mut().flatten().find(|entry| entry.id == id);
            if let Some(entry) = entry
                && entry.is_of::<Running<E>>()
                && let Some(closure) = closure.take()
            {
                entry.listener = closure;
            }
        });
        self.give_back_to_several(id, closure?)
    }

    /// As `give_back`, for a listener that is not alone any more, or was removed.
    #[cold]
    fn give_back_to_several<E: Event>(
        &self,
        id: ListenerId,
        closure: Box<dyn Call<E>>,
    ) -> Opened<E> {
        let mut closure = Some(closure);
        self.with_entry::<E, _>(|entry| {
            let listener = entry.several::<E>()?.0.get(id)?;
            put_back(&listener.closure, closure.take());
            Some(())
        });
        closure
    }

    /// What was set as the most listeners that one event should have.
    pub(super) fn limit(&self) -> Option<u32> {
        self.with_others(|others| {
            let first: &dyn Any = &*others.as_ref()?.first()?.listener;
            first.downcast_ref().map(|Limit(limit)| *limit)
        })
    }

    pub(super) fn set_limit(&self, limit: u32) {
        let place = ListenerId::SEVERAL;
        self.with_others(|others| {
            let first = others.iter_mut().flatten().next();
            match first.filter(|first| first.is_of::<Limit>()) {
                Some(first) => first.listener = Box::new(Limit(limit)),
                None => add(others, place, Box::new(Limit(limit))),
            }
        });
    }

    /// How many listeners `E` has.
    pub(super) fn len<E: Event>(&self) -> usize {
        if self.place_of::<E>().is_some() {
            match self.preferred.get() {
                None => return 0,
                Some(id) if id == IN_OTHERS => {}
                Some(_) => return 1,
            }
        }
        let several = self.with_entry::<E, _>(|entry| entry.listener.len());
        several.unwrap_or(0)
    }

    /// Whether a listener of `E` runs that will be wanted again.
    #[inline(always)]
    pub(super) fn is_running<E: Event>(&self) -> bool {
        if let Some(place) = self.place_of::<E>() {
            match self.preferred.get() {
                None => return false,
                Some(id) if id == IN_OTHERS => {}
                Some(_) => {
                    let closure = place.take();
                    let running = closure.is_none();
                    put_back(place, closure);
                    return running;
                }
            }
        }
        let running = self.with_entry::<E, _>(|entry| match entry.several::<E>() {
            Some(several) => several.is_running(),
            None => entry.is_of::<Running<E>>(),
        });
        running.unwrap_or(false)
    }

    /// Adds a listener, and says how many `E` has now.
    pub(super) fn insert<E: Event>(
        &self,
        id: ListenerId,
        closure: Box<dyn Call<E>>,
        place: Place,
    ) -> usize {
        if let Some(only) = self.place_of::<E>() {
            match self.preferred.get() {
                None => {
                    self.preferred.set(Some(id));
                    put_back(only, Some(closure));
                    return 1;
                }
                Some(id) if id == IN_OTHERS => {}
                Some(first) => {
                    let mut several = Several::new(first, only.take());
                    several.insert(id, closure, place);
                    self.preferred.set(Some(IN_OTHERS));
                    self.with_others(|others| add(others, first, Box::new(several)));
                    return 2;
                }
            }
        }
        let mut closure = Some(closure);
        let count = self.with_entry::<E, _>(|entry| {
            if entry.several::<E>().is_none() {
                let only = Several::<E>::new(entry.id, entry.take_out());
                entry.listener = Box::new(only);
            }
            if let (Some(several), Some(closure)) = (entry.several::<E>(), closure.take()) {
                several.insert(id, closure, place);
            }
            entry.listener.len()
        });
        if let Some(closure) = closure {
            self.with_others(|others| add(others, id, closure));
        }
        count.unwrap_or(1)
    }

    pub(super) fn remove(&self, id: ListenerId) -> Option<Removed> {
        if self.preferred.get() == Some(id) && id != IN_OTHERS {
            return Some(Removed {
                of: TypeId::of::<P>(),
                event: P::name,
                _listener: self.take_preferred(),
            });
        }
        self.with_others(|others| {
            let mut entries = others.iter_mut().flatten().enumerate();
            let (index, removed) = entries.find_map(|(index, entry)| {
                let (of, event) = (entry.listener.event(), entry.listener.name());
                let _listener = entry.remove(id)?;
                let removed = Removed {
                    of,
                    event,
                    _listener,
                };
                let is_last = entry.is_vacant();
                Some((is_last.then_some(index), removed))
            })?;
            if let Some(index) = index {
                let _nobody = self.vacate(others, index);
            }
            Some(removed)
        })
    }

    /// Takes the listeners of `E` out, if there are any.
    pub(super) fn take<E: Event>(&self) -> Option<Box<dyn Any>> {
        if self.place_of::<E>().is_some() && self.preferred.get()? != IN_OTHERS {
            return Some(self.take_preferred());
        }
        self.with_others(|others| {
            let mut entries = others.iter().flatten();
            let index = entries.position(|entry| entry.listener.event() == TypeId::of::<E>())?;
            let listeners: Box<dyn Any> = self.vacate(others, index);
            Some(listeners)
        })
    }

    /// Takes all listeners of all events out, to be dropped where nothing is borrowed.
    pub(super) fn take_all(&self) -> Lists<P> {
        Lists {
            closure: Cell::new(self.closure.take()),
            preferred: Cell::new(self.preferred.take()),
            others: Cell::new(self.others.take()),
        }
    }

    /// The events that are listened to, in their order.
    pub(super) fn events(&self) -> Vec<TypeId> {
        self.in_order(TypeId::of::<P>(), |entry| entry.listener.event())
    }

    /// What names them.
    pub(super) fn names(&self) -> Vec<fn() -> &'static str> {
        self.in_order(P::name, |entry| entry.listener.name())
    }

    /// The listeners of one event, in the order of the calls.
    pub(super) fn ids(&self, event: TypeId) -> Vec<ListenerId> {
        let preferred = self.preferred.get().filter(|id| *id != IN_OTHERS);
        if let (Some(id), true) = (preferred, event == TypeId::of::<P>()) {
            return vec![id];
        }
        self.with_others(|others| {
            let mut entries = others.iter().flatten();
            let entry = entries.find(|entry| entry.listener.event() == event);
            entry.map_or_else(Vec::new, |entry| {
                let ids = entry.listener.ids();
                ids.unwrap_or_else(|| vec![entry.id])
            })
        })
    }

    /// Something of the preferred event, if it has its own place, and of each of the others, in their order.
    fn in_order<T>(&self, preferred: T, of: impl Fn(&Entry) -> T) -> Vec<T> {
        let place = self.preferred.get().filter(|id| *id != IN_OTHERS);
        self.with_others(|others| {
            let entries = others.as_deref().unwrap_or_default();
            let limited = usize::from(entries.first().is_some_and(|first| first.is_of::<Limit>()));
            let listened = &entries[limited..occupied(entries)];
            let mut all: Vec<T> = listened.iter().map(of).collect();
            if let Some(id) = place {
                all.insert(place_for(entries, id) - limited, preferred);
            }
            all
        })
    }

    fn take_preferred(&self) -> Box<dyn Any> {
        self.preferred.set(None);
        match self.closure.take() {
            Some(closure) => closure,
            // It runs, and is dropped when it has returned.
            None => Box::new(()),
        }
    }

    /// Empties a place. One more than are needed is kept, for who comes and goes.
    fn vacate(&self, others: &mut Others, index: usize) -> Box<dyn AnyListener> {
        let Some(entries) = others else {
            return Box::new(Nobody);
        };
        let left = std::mem::replace(&mut entries[index].listener, Box::new(Nobody));
        if left.event() == TypeId::of::<P>() {
            self.preferred.set(None);
        }
        entries[index..].rotate_left(1);
        let occupied = occupied(entries);
        let kept = if occupied == 0 { 0 } else { occupied + 1 };
        if kept < entries.len() {
            let mut shorter = others.take().map_or_else(Vec::new, Vec::from);
            shorter.truncate(kept);
            *others = (kept > 0).then(|| shorter.into_boxed_slice());
        }
        left
    }
}

/// How many places are not vacant: these come first.
fn occupied(entries: &[Entry]) -> usize {
    let vacant = entries.iter().rev().take_while(|entry| entry.is_vacant());
    entries.len() - vacant.count()
}

/// Where an event belongs whose first listener is this.
fn place_for(entries: &[Entry], id: ListenerId) -> usize {
    let later = |entry: &&Entry| !entry.is_vacant() && id.is_older_than(entry.id);
    let occupied = occupied(entries);
    occupied - entries[..occupied].iter().rev().take_while(later).count()
}

/// Makes a place for one more event.
fn add(others: &mut Others, id: ListenerId, listener: Box<dyn AnyListener>) {
    let entries = others.as_deref_mut().unwrap_or_default();
    let (place, entry) = (place_for(entries, id), Entry { id, listener });
    if let Some(last) = entries.last_mut().filter(|last| last.is_vacant()) {
        *last = entry;
        entries[place..].rotate_right(1);
        return;
    }
    let mut longer = others.take().map_or_else(Vec::new, Vec::from);
    // Sockets have few events and there are many sockets: no room is kept in advance.
    longer.reserve_exact(1);
    longer.insert(place, entry);
    *others = Some(longer.into_boxed_slice());
}
