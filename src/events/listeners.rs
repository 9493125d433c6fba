//! The listeners of one event: a list that an emit can walk while it changes.
//!
//! A list of one, by far the commonest, is kept in place. A longer one is shared: an emit holds a
//! reference to the list it started with, and who changes a list that is held changes a copy.
//!
//! To remove one of many takes no walk: ids rise with every listener that is added, so that the list
//! is sorted by them, and what is removed leaves a gap.
//!
//! ```text
//!   entries    9  ·  4 │ 1  2  ·  ·  7  8       · a gap
//!          in front = 3   ids fall before, and rise from there on
//! ```

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::{VecDeque, vec_deque};
use std::ops::Range;
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
    Many(Rc<List<E>>),
}

/// Several listeners, and places of some that were removed.
pub(super) struct List<E: Event> {
    entries: VecDeque<Entry<E>>,
    /// How many of the entries were put in front of the others.
    in_front: usize,
    gaps: usize,
}

pub(super) enum Entry<E: Event> {
    Listener(Listener<E>),
    Gap(ListenerId),
}

/// A walk along the listeners of one event.
pub(super) enum Iter<'a, E: Event> {
    InPlace(Option<&'a Listener<E>>),
    Many(vec_deque::Iter<'a, Entry<E>>),
}

impl<E: Event> Listeners<E> {
    pub(super) fn iter(&self) -> Iter<'_, E> {
        match self {
            Listeners::None => Iter::InPlace(None),
            Listeners::One(listener) => Iter::InPlace(Some(listener)),
            Listeners::Many(list) => Iter::Many(list.entries.iter()),
        }
    }

    pub(super) fn insert(&mut self, listener: Listener<E>, place: Place) {
        *self = match std::mem::replace(self, Listeners::None) {
            Listeners::None => Listeners::One(listener),
            Listeners::One(only) => {
                let mut list = List {
                    entries: VecDeque::with_capacity(2),
                    in_front: 0,
                    gaps: 0,
                };
                list.insert(only, Place::Last);
                list.insert(listener, place);
                Listeners::Many(Rc::new(list))
            }
            Listeners::Many(mut list) => {
                Rc::make_mut(&mut list).insert(listener, place);
                Listeners::Many(list)
            }
        };
    }
}

impl<E: Event> List<E> {
    fn len(&self) -> usize {
        self.entries.len() - self.gaps
    }

    fn insert(&mut self, listener: Listener<E>, place: Place) {
        let entry = Entry::Listener(listener);
        match place {
            Place::First => {
                self.entries.push_front(entry);
                self.in_front += 1;
            }
            Place::Last => self.entries.push_back(entry),
        }
    }

    fn position(&self, id: ListenerId) -> Option<usize> {
        let (front, back) = (0..self.in_front, self.in_front..self.entries.len());
        let in_front = self.first(front, |other| !id.is_older_than(other));
        let behind = self.first(back, |other| !other.is_older_than(id));
        let is_it = |index: &usize| match self.entries.get(*index) {
            Some(Entry::Listener(listener)) => listener.id == id,
            Some(Entry::Gap(_)) | None => false,
        };
        [in_front, behind].into_iter().find(is_it)
    }

    /// The first entry of a part that is sorted so that all who are meant come last.
    fn first(&self, part: Range<usize>, is_meant: impl Fn(ListenerId) -> bool) -> usize {
        let Range { mut start, mut end } = part;
        while start < end {
            let middle = start.midpoint(end);
            if is_meant(self.entries[middle].id()) {
                end = middle;
            } else {
                start = middle + 1;
            }
        }
        start
    }

    fn remove(&mut self, index: usize) -> Option<Listener<E>> {
        let entry = self.entries.get_mut(index)?;
        let gap = Entry::Gap(entry.id());
        let entry = std::mem::replace(entry, gap);
        self.gaps += 1;
        while let Some(Entry::Gap(_)) = self.entries.front() {
            self.entries.pop_front();
            self.in_front = self.in_front.saturating_sub(1);
            self.gaps -= 1;
        }
        while let Some(Entry::Gap(_)) = self.entries.back() {
            self.entries.pop_back();
            self.in_front = self.in_front.min(self.entries.len());
            self.gaps -= 1;
        }
        if self.gaps > self.len() {
            self.close_gaps();
        }
        match entry {
            Entry::Listener(listener) => Some(listener),
            Entry::Gap(_) => None,
        }
    }

    /// Costs no more than what has left the gaps.
    fn close_gaps(&mut self) {
        let is_listener = |entry: &Entry<E>| matches!(entry, Entry::Listener(_));
        let front = self.entries.range(..self.in_front);
        self.in_front = front.filter(|entry| is_listener(entry)).count();
        self.entries.retain(is_listener);
        self.entries.shrink_to(2 * self.entries.len());
        self.gaps = 0;
    }
}

impl<E: Event> Entry<E> {
    fn id(&self) -> ListenerId {
        match self {
            Entry::Listener(listener) => listener.id,
            Entry::Gap(id) => *id,
        }
    }

    fn listener(&self) -> Option<&Listener<E>> {
        match self {
            Entry::Listener(listener) => Some(listener),
            Entry::Gap(_) => None,
        }
    }
}

impl<'a, E: Event> Iterator for Iter<'a, E> {
    type Item = &'a Listener<E>;

    #[inline]
    fn next(&mut self) -> Option<&'a Listener<E>> {
        match self {
            Iter::InPlace(listener) => listener.take(),
            Iter::Many(entries) => entries.find_map(Entry::listener),
        }
    }
}

impl<E: Event> Clone for List<E> {
    fn clone(&self) -> Self {
        List {
            entries: self.entries.clone(),
            in_front: self.in_front,
            gaps: self.gaps,
        }
    }
}

impl<E: Event> Clone for Entry<E> {
    fn clone(&self) -> Self {
        match self {
            Entry::Listener(listener) => Entry::Listener(listener.clone()),
            Entry::Gap(id) => Entry::Gap(*id),
        }
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
        match self {
            Listeners::None => 0,
            Listeners::One(_) => 1,
            Listeners::Many(list) => list.len(),
        }
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
        let listener = match self {
            Listeners::Many(list) => {
                // Asked first: who is not there is no reason for a copy.
                let index = list.position(id)?;
                Rc::make_mut(list).remove(index)?
            }
            Listeners::One(only) if only.id == id => only.clone(),
            Listeners::None | Listeners::One(_) => return None,
        };
        let is_last = match self {
            Listeners::Many(list) => list.len() == 0,
            Listeners::None | Listeners::One(_) => true,
        };
        if is_last {
            *self = Listeners::None;
        }
        Some(Removed {
            of: TypeId::of::<E>(),
            event: E::name,
            _listener: Box::new(listener),
        })
    }
}
