//! Several listeners of one event: a list that an emit can walk while it changes.
//!
//! The list is shared: an emit holds a reference to the list it started with, and who changes a list that
//! is held changes a copy.
//!
//! To remove one of many takes no walk: ids rise with every listener that is added, so that the list
//! is sorted by them, and what is removed leaves a gap.
//!
//! ```text
//!   entries    9  ·  4 │ 1  2  ·  ·  7  8       · a gap
//!          in front = 3   ids fall before, and rise from there on
//! ```

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::collections::{VecDeque, vec_deque};
use std::ops::Range;
use std::rc::Rc;

use super::closure::{AnyListener, Call, Opened};
use super::outcome::Verdict;
use super::{Event, ListenerId, Place};

/// One of several listeners. Cloning shares the closure.
pub(super) struct Listener<E: Event> {
    id: ListenerId,
    /// Out of it while it runs.
    pub(super) closure: Rc<Cell<Opened<E>>>,
}

impl<E: Event> Listener<E> {
    /// `closure` is `None` if it runs at the moment.
    fn new(id: ListenerId, closure: Opened<E>) -> Self {
        Listener {
            id,
            closure: Rc::new(Cell::new(closure)),
        }
    }

    pub(super) fn id(&self) -> ListenerId {
        self.id
    }

    /// Calls the listener, unless it is running already, or was called once and is done with.
    pub(super) fn call(&self, payload: E::Payload<'_>) -> Verdict {
        let mut out = Out {
            listener: self,
            closure: self.closure.take(),
        };
        match &mut out.closure {
            Some(closure) => closure.call(self.id, payload),
            None => Verdict::Fine,
        }
    }

    /// Whether a call has not returned yet. A `once` listener that runs will not be wanted again.
    fn is_running(&self) -> bool {
        let closure = self.closure.take();
        let running = closure.is_none() && !self.id.is_once();
        put_back(&self.closure, closure);
        running
    }
}

/// A listener that runs. It is in its place again when it has returned, also by a panic.
struct Out<'a, E: Event> {
    listener: &'a Listener<E>,
    closure: Opened<E>,
}

impl<E: Event> Drop for Out<'_, E> {
    fn drop(&mut self) {
        if self.closure.is_some() && !self.listener.id.is_once() {
            put_back(&self.listener.closure, self.closure.take());
        }
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

/// Puts something back from where it was taken.
#[inline(always)]
pub(super) fn put_back<T>(place: &Cell<Option<T>>, value: Option<T>) {
    // The place was empty meanwhile: there is nothing to drop, which the compiler cannot know.
    std::mem::forget(place.replace(value));
}

/// Several listeners, in the order in which they are called, and places of some that were removed.
pub(super) struct List<E: Event> {
    entries: VecDeque<Entry<E>>,
    /// How many of the entries were put in front of the others.
    in_front: usize,
    gaps: usize,
}

enum Entry<E: Event> {
    Listener(Listener<E>),
    Gap(ListenerId),
}

/// A walk along the listeners of one event.
pub(super) struct Iter<'a, E: Event>(vec_deque::Iter<'a, Entry<E>>);

/// The list as it stands in an emitter.
pub(super) struct Several<E: Event>(pub(super) Rc<List<E>>);

impl<E: Event> Several<E> {
    /// The list of who was alone, and of one more.
    pub(super) fn new(first: ListenerId, closure: Opened<E>) -> Several<E> {
        let mut list = List {
            entries: VecDeque::with_capacity(2),
            in_front: 0,
            gaps: 0,
        };
        list.insert(Listener::new(first, closure), Place::Last);
        Several(Rc::new(list))
    }

    pub(super) fn insert(&mut self, id: ListenerId, closure: Box<dyn Call<E>>, place: Place) {
        let listener = Listener::new(id, Some(closure));
        Rc::make_mut(&mut self.0).insert(listener, place);
    }

    pub(super) fn is_running(&self) -> bool {
        self.0.iter().any(Listener::is_running)
    }
}

impl<E: Event> AnyListener for Several<E> {
    fn name(&self) -> fn() -> &'static str {
        E::name
    }

    fn event(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn open(self: Box<Self>, _: &mut dyn Any) -> Option<Box<dyn AnyListener>> {
        Some(self)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn ids(&self) -> Option<Vec<ListenerId>> {
        Some(self.0.iter().map(Listener::id).collect())
    }

    fn remove(&mut self, id: ListenerId) -> Option<Box<dyn Any>> {
        // Asked first: who is not there is no reason for a copy.
        let index = self.0.position(id)?;
        let removed = Rc::make_mut(&mut self.0).remove(index)?;
        // The list of an emit that is under way may call it still.
        Some(Box::new(removed))
    }
}

impl<E: Event> List<E> {
    pub(super) fn iter(&self) -> Iter<'_, E> {
        Iter(self.entries.iter())
    }

    /// The listener of this id.
    pub(super) fn get(&self, id: ListenerId) -> Option<&Listener<E>> {
        self.entries.get(self.position(id)?)?.listener()
    }

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
        self.0.find_map(Entry::listener)
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
