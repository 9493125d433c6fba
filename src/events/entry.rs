//! The place of one event among the others: of its only listener, or of the list of several.

use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::rc::Rc;

use super::closure::{AnyListener, Call, Limit, Nobody, Opened, Running};
use super::id::{STATE, bits_of, may_be_of_one_event};
use super::listeners::{List, Several};
use super::{Event, ListenerId};

pub(super) struct Entry {
    /// The id of the event's first listener, and the state; 0 where there is none.
    mark: u64,
    listener: Box<dyn AnyListener>,
}

/// The only listener is out: [`Running`] stands in its place.
const RUNNING: u64 = STATE[0];
/// There is a list.
const SEVERAL: u64 = STATE[1];

/// Who is to be called, where that may be unusual.
pub(super) enum Unusual<E: Event> {
    /// The only one is further up the call stack.
    Running,
    /// Taken out, to be given back, or to be removed if it is called once.
    Only(ListenerId, Box<dyn Call<E>>),
    Several(Rc<List<E>>),
}

impl Entry {
    pub(super) fn new(id: ListenerId, listener: Box<dyn AnyListener>) -> Entry {
        let mark = id.to_bits();
        Entry { mark, listener }
    }

    pub(super) fn of_several<E: Event>(first: ListenerId, several: Several<E>) -> Entry {
        Entry {
            mark: first.to_bits() | SEVERAL,
            listener: Box::new(several),
        }
    }

    pub(super) fn of_limit(limit: u32) -> Entry {
        Entry::new(ListenerId::SEVERAL, Box::new(Limit(limit)))
    }

    pub(super) fn limit(&self) -> Option<u32> {
        if self.mark != ListenerId::SEVERAL.to_bits() {
            return None;
        }
        let listener: &dyn Any = &*self.listener;
        listener.downcast_ref().map(|Limit(limit)| *limit)
    }

    pub(super) fn id(&self) -> ListenerId {
        ListenerId::from_bits(self.mark & !(RUNNING | SEVERAL))
    }

    pub(super) fn is_vacant(&self) -> bool {
        self.mark == 0
    }

    /// Asked before the listener itself is, which is a call to who knows where.
    #[inline(always)]
    pub(super) fn may_be_of<E: Event>(&self) -> bool {
        may_be_of_one_event(self.mark, bits_of(TypeId::of::<E>()))
    }

    pub(super) fn is_of<E: Event>(&self) -> bool {
        self.may_be_of::<E>() && self.event() == TypeId::of::<E>()
    }

    pub(super) fn event(&self) -> TypeId {
        self.listener.event()
    }

    pub(super) fn name(&self) -> fn() -> &'static str {
        self.listener.name()
    }

    /// Whether a listener of this id may be here.
    pub(super) fn may_have(&self, id: ListenerId) -> bool {
        !self.is_vacant() && may_be_of_one_event(self.mark, id.to_bits())
    }

    pub(super) fn len(&self) -> usize {
        match self.mark & SEVERAL {
            0 => 1,
            _ => self.listener.len(),
        }
    }

    pub(super) fn ids(&self) -> Vec<ListenerId> {
        let ids = self.listener.ids();
        ids.unwrap_or_else(|| vec![self.id()])
    }

    pub(super) fn several<E: Event>(&mut self) -> Option<&mut Several<E>> {
        if self.mark & SEVERAL == 0 {
            return None;
        }
        let listener: &mut dyn Any = &mut *self.listener;
        listener.downcast_mut()
    }

    /// The id of an only listener that is called every time and does not run.
    #[inline(always)]
    pub(super) fn usual_id(&self) -> Option<ListenerId> {
        let id = ListenerId::from_bits(self.mark);
        let is_usual = self.mark & (RUNNING | SEVERAL) == 0 && !id.is_once();
        is_usual.then_some(id)
    }

    /// Takes the only listener out, if it is one of `E`.
    #[inline(always)]
    pub(super) fn take_out<E: Event>(&mut self) -> Opened<E> {
        debug_assert_eq!(self.mark & SEVERAL, 0);
        let mut opened: Opened<E> = None;
        let running = Box::new(Running::<E>(PhantomData));
        let listener = std::mem::replace(&mut self.listener, running);
        match listener.open(&mut opened) {
            None => self.mark |= RUNNING,
            Some(of_another) => self.replace_sized_nothing(of_another),
        }
        opened
    }

    /// Who is to be called of the listeners of `E`, which this is the place of.
    pub(super) fn open_unusual<E: Event>(&mut self) -> Unusual<E> {
        if let Some(several) = self.several::<E>() {
            return Unusual::Several(Rc::clone(&several.0));
        }
        match self.take_out() {
            Some(closure) => Unusual::Only(self.id(), closure),
            None => Unusual::Running,
        }
    }

    /// Whether the only listener is this one, and out.
    #[inline(always)]
    pub(super) fn awaits(&self, id: ListenerId) -> bool {
        self.mark == id.to_bits() | RUNNING
    }

    /// Puts the only listener back.
    #[inline(always)]
    pub(super) fn give_back(&mut self, listener: Box<dyn AnyListener>) {
        debug_assert!(self.mark & RUNNING != 0, "it was taken out");
        self.mark &= !RUNNING;
        self.replace_sized_nothing(listener);
    }

    /// Whether a listener of `E`, which this is the place of, runs and will be wanted again.
    pub(super) fn is_running<E: Event>(&mut self) -> bool {
        let out = self.mark & RUNNING != 0;
        out || self.several::<E>().is_some_and(|list| list.is_running())
    }

    /// Takes one listener of a list out, or the only one, unless it runs.
    pub(super) fn take_out_by_id<E: Event>(&mut self, id: ListenerId) -> Opened<E> {
        if let Some(several) = self.several::<E>() {
            return several.0.get(id)?.closure.take();
        }
        (self.id() == id).then(|| self.take_out()).flatten()
    }

    /// Makes a list of the only listener, if it is not one.
    pub(super) fn make_several<E: Event>(&mut self) -> Option<&mut Several<E>> {
        if self.mark & SEVERAL == 0 {
            let several = Several::<E>::new(self.id(), self.take_out());
            self.listener = Box::new(several);
            self.mark = self.mark & !RUNNING | SEVERAL;
        }
        self.several()
    }

    /// Removes one listener, which leaves the place vacant if it was the last.
    pub(super) fn remove(&mut self, id: ListenerId) -> Option<Box<dyn Any>> {
        if self.mark & SEVERAL != 0 {
            let removed = self.listener.remove(id)?;
            if self.listener.len() == 0 {
                self.vacate();
            }
            return Some(removed);
        }
        let is_it = self.mark & !RUNNING == id.to_bits();
        let removed: Box<dyn Any> = is_it.then(|| self.vacate())?;
        Some(removed)
    }

    /// Makes the place vacant, and hands back what was there.
    pub(super) fn vacate(&mut self) -> Box<dyn AnyListener> {
        self.mark = 0;
        std::mem::replace(&mut self.listener, Box::new(Nobody))
    }

    /// Puts a listener where something stands that takes no memory and has no destructor, which the compiler
    /// cannot know.
    #[inline(always)]
    fn replace_sized_nothing(&mut self, listener: Box<dyn AnyListener>) {
        debug_assert_eq!(size_of_val(&*self.listener), 0);
        std::mem::forget(std::mem::replace(&mut self.listener, listener));
    }
}
