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

use super::closure::{Call, Opened};
use super::entry::{Entry, Unusual};
use super::listeners::{Several, put_back};
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

/// Who is to be called.
pub(super) enum Heard<E: Event> {
    Nobody,
    /// Taken out, to be [given back](Lists::give_back).
    One(Taken, Box<dyn Call<E>>),
    /// See [`open_unusual`](Lists::open_unusual).
    Unusual,
}

/// A listener that was taken out, and the place to look at first when it is given back.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    pub(super) id: ListenerId,
    place: usize,
}

impl Taken {
    /// Who has not seen the place.
    pub(super) fn from_somewhere(id: ListenerId) -> Taken {
        Taken { id, place: 0 }
    }
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
            entries.find(|entry| entry.is_of::<E>()).map(f)
        })
    }

    /// Who is to be called for an `E`: an only listener is taken out.
    #[inline(always)]
    pub(super) fn open<E: Event>(&self) -> Heard<E> {
        if let Some(place) = self.place_of::<E>() {
            return match self.preferred.get() {
                None => Heard::Nobody,
                Some(id) if id == IN_OTHERS || id.is_once() => Heard::Unusual,
                Some(id) => match place.take() {
                    Some(closure) => Heard::One(Taken::from_somewhere(id), closure),
                    None => Heard::Unusual,
                },
            };
        }
        let Some(mut others) = self.others.take() else {
            return Heard::Nobody;
        };
        let heard = open_in(&mut others);
        put_back(&self.others, Some(others));
        heard
    }

    /// As `open`, where that has left somebody where they are.
    pub(super) fn open_unusual<E: Event>(&self) -> Option<Unusual<E>> {
        if let Some(place) = self.place_of::<E>()
            && let Some(id) = self.preferred.get()
            && id != IN_OTHERS
        {
            return Some(match place.take() {
                Some(closure) => Unusual::Only(id, closure),
                None => Unusual::Running,
            });
        }
        self.with_entry::<E, _>(Entry::open_unusual)
    }

    /// Takes one listener of `E` out, unless it runs.
    pub(super) fn take_out<E: Event>(&self, id: ListenerId) -> Opened<E> {
        if let Some(place) = self.place_of::<E>()
            && self.preferred.get() == Some(id)
        {
            return place.take();
        }
        let found = self.with_entry::<E, _>(|entry| entry.take_out_by_id(id));
        found.flatten()
    }

    /// Gives a listener back that was taken out. Hands back what has no place any more.
    #[inline(always)]
    pub(super) fn give_back<E: Event>(&self, taken: Taken, closure: Box<dyn Call<E>>) -> Opened<E> {
        let Taken { id, place } = taken;
        if let Some(place) = self.place_of::<E>()
            && self.preferred.get() == Some(id)
        {
            put_back(place, Some(closure));
            return None;
        }
        let mut others = self.others.take();
        let entry = others
            .as_deref_mut()
            .and_then(|entries| entries.get_mut(place));
        match entry {
            Some(entry) if entry.awaits(id) => {
                entry.give_back(closure);
                put_back(&self.others, others);
                None
            }
            _ => {
                put_back(&self.others, others);
                self.give_back_elsewhere(id, closure)
            }
        }
    }

    /// As `give_back`, for a listener whose place has moved, that is not alone any more, or that was removed.
    #[cold]
    fn give_back_elsewhere<E: Event>(
        &self,
        id: ListenerId,
        closure: Box<dyn Call<E>>,
    ) -> Opened<E> {
        let mut closure = Some(closure);
        self.with_entry::<E, _>(|entry| {
            if let Some(several) = entry.several::<E>() {
                put_back(&several.0.get(id)?.closure, closure.take());
            } else if entry.awaits(id) {
                entry.give_back(closure.take()?);
            }
            Some(())
        });
        closure
    }

    /// What was set as the most listeners that one event should have.
    pub(super) fn limit(&self) -> Option<u32> {
        self.with_others(|others| others.as_ref()?.first()?.limit())
    }

    pub(super) fn set_limit(&self, limit: u32) {
        self.with_others(|others| {
            let first = others.iter_mut().flatten().next();
            match first.filter(|first| first.limit().is_some()) {
                Some(first) => *first = Entry::of_limit(limit),
                None => add(others, Entry::of_limit(limit)),
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
        let several = self.with_entry::<E, _>(|entry| entry.len());
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
        let running = self.with_entry::<E, _>(Entry::is_running::<E>);
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
                    self.with_others(|others| add(others, Entry::of_several(first, several)));
                    return 2;
                }
            }
        }
        let mut closure = Some(closure);
        let count = self.with_entry::<E, _>(|entry| {
            if let (Some(several), Some(closure)) = (entry.make_several::<E>(), closure.take()) {
                several.insert(id, closure, place);
            }
            entry.len()
        });
        if let Some(closure) = closure {
            self.with_others(|others| add(others, Entry::new(id, closure)));
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
                if !entry.may_have(id) {
                    return None;
                }
                let (of, event) = (entry.event(), entry.name());
                let _listener = entry.remove(id)?;
                let removed = Removed {
                    of,
                    event,
                    _listener,
                };
                Some((entry.is_vacant().then_some(index), removed))
            })?;
            if let Some(index) = index {
                self.close_up(others, index, removed.of);
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
            let entries = others.as_deref_mut()?;
            let index = entries.iter().position(Entry::is_of::<E>)?;
            let listeners: Box<dyn Any> = entries[index].vacate();
            self.close_up(others, index, TypeId::of::<E>());
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
        self.in_order(TypeId::of::<P>(), Entry::event)
    }

    /// What names them.
    pub(super) fn names(&self) -> Vec<fn() -> &'static str> {
        self.in_order(P::name, Entry::name)
    }

    /// The listeners of one event, in the order of the calls.
    pub(super) fn ids(&self, event: TypeId) -> Vec<ListenerId> {
        let preferred = self.preferred.get().filter(|id| *id != IN_OTHERS);
        if let (Some(id), true) = (preferred, event == TypeId::of::<P>()) {
            return vec![id];
        }
        self.with_others(|others| {
            let mut entries = others.iter().flatten();
            let entry = entries.find(|entry| entry.event() == event);
            entry.map_or_else(Vec::new, Entry::ids)
        })
    }

    /// Something of the preferred event, if it has its own place, and of each of the others, in their order.
    fn in_order<T>(&self, preferred: T, of: impl Fn(&Entry) -> T) -> Vec<T> {
        let place = self.preferred.get().filter(|id| *id != IN_OTHERS);
        self.with_others(|others| {
            let entries = others.as_deref().unwrap_or_default();
            let limited = usize::from(entries.first().is_some_and(|first| first.limit().is_some()));
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

    /// A place has become vacant. One more than are needed is kept, for who comes and goes.
    fn close_up(&self, others: &mut Others, index: usize, was_of: TypeId) {
        if was_of == TypeId::of::<P>() {
            self.preferred.set(None);
        }
        let Some(entries) = others else { return };
        entries[index..].rotate_left(1);
        let occupied = occupied(entries);
        let kept = if occupied == 0 { 0 } else { occupied + 1 };
        if kept < entries.len() {
            let mut shorter = others.take().map_or_else(Vec::new, Vec::from);
            shorter.truncate(kept);
            *others = (kept > 0).then(|| shorter.into_boxed_slice());
        }
    }
}

/// Who is to be called, of those who have a place here.
#[inline(always)]
fn open_in<E: Event>(entries: &mut [Entry]) -> Heard<E> {
    for (place, entry) in entries.iter_mut().enumerate() {
        if !entry.may_be_of::<E>() {
            continue;
        }
        let Some(id) = entry.usual_id() else {
            return Heard::Unusual;
        };
        if let Some(closure) = entry.take_out::<E>() {
            return Heard::One(Taken { id, place }, closure);
        }
    }
    Heard::Nobody
}

/// How many places are not vacant: these come first.
fn occupied(entries: &[Entry]) -> usize {
    let vacant = entries.iter().rev().take_while(|entry| entry.is_vacant());
    entries.len() - vacant.count()
}

/// Where an event belongs whose first listener is this.
fn place_for(entries: &[Entry], id: ListenerId) -> usize {
    let later = |entry: &&Entry| !entry.is_vacant() && id.is_older_than(entry.id());
    let occupied = occupied(entries);
    occupied - entries[..occupied].iter().rev().take_while(later).count()
}

/// Makes a place for one more event.
fn add(others: &mut Others, entry: Entry) {
    let entries = others.as_deref_mut().unwrap_or_default();
    let place = place_for(entries, entry.id());
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
