//! What is called, whatever its type: a closure in a box of its own size, so that one that has captured
//! nothing takes no memory.
//!
//! A closure is taken out of its place while it runs. A box whose event nobody knows any more becomes one
//! of its event by [`AnyListener::open`], without being copied.

use std::any::{Any, TypeId};
use std::marker::PhantomData;

use super::outcome::{Outcome, Verdict};
use super::{Event, ListenerId};

/// What listens to `E`.
pub(crate) trait Call<E: Event>: AnyListener {
    /// `id` is the listener's own.
    fn call(&mut self, id: ListenerId, payload: E::Payload<'_>) -> Verdict;
}

/// What stands in an emitter's place for one event, for what need not know which.
pub(crate) trait AnyListener: Any {
    /// What names the event. That may be the user's code, and is for where nothing is borrowed.
    fn name(&self) -> fn() -> &'static str;

    fn event(&self) -> TypeId;

    /// Moves itself into `place`, which is an [`Opened`] of the event, or an `Option<Box<T>>` of what it is more.
    /// Hands itself back if it is neither.
    fn open(self: Box<Self>, place: &mut dyn Any) -> Option<Box<dyn AnyListener>>;

    /// What it is more than something that is called, if anything.
    fn is_more(&self) -> Option<TypeId> {
        None
    }

    /// It is not wanted any more, and has returned.
    fn let_go(self: Box<Self>) {}

    /// How many listeners it stands for.
    fn len(&self) -> usize {
        1
    }

    /// The ids of the listeners of a list.
    fn ids(&self) -> Option<Vec<ListenerId>> {
        None
    }

    /// Removes one listener of a list.
    fn remove(&mut self, _: ListenerId) -> Option<Box<dyn Any>> {
        None
    }
}

/// A place for a box that is of this event.
pub(super) type Opened<E> = Option<Box<dyn Call<E>>>;

/// Moves a listener into a place where there is none.
#[inline(always)]
fn move_in<T: ?Sized>(place: &mut Option<Box<T>>, listener: Box<T>) {
    debug_assert!(place.is_none());
    // So there is nothing to drop, which the compiler cannot know.
    std::mem::forget(place.replace(listener));
}

/// A user's closure for `E`.
pub(super) struct Closure<E, F> {
    call: F,
    of: PhantomData<fn(E)>,
}

/// What calls `listener`.
pub(super) fn of<E: Event, R: Outcome>(
    listener: impl FnMut(E::Payload<'_>) -> R + 'static,
) -> Box<dyn Call<E>> {
    let mut listener = listener;
    boxed(move |payload: E::Payload<'_>| listener(payload).verdict())
}

/// What calls `listener` the first time that it is called.
pub(super) fn once<E: Event, R: Outcome>(
    listener: impl FnOnce(E::Payload<'_>) -> R + 'static,
) -> Box<dyn Call<E>> {
    let mut listener = Some(listener);
    boxed(move |payload: E::Payload<'_>| match listener.take() {
        Some(listener) => listener(payload).verdict(),
        None => Verdict::Fine,
    })
}

fn boxed<E: Event>(call: impl FnMut(E::Payload<'_>) -> Verdict + 'static) -> Box<dyn Call<E>> {
    let of = PhantomData;
    Box::new(Closure { call, of })
}

impl<E: Event, F> Call<E> for Closure<E, F>
where
    F: FnMut(E::Payload<'_>) -> Verdict + 'static,
{
    #[inline]
    fn call(&mut self, _: ListenerId, payload: E::Payload<'_>) -> Verdict {
        (self.call)(payload)
    }
}

impl<E: Event, F> AnyListener for Closure<E, F>
where
    F: FnMut(E::Payload<'_>) -> Verdict + 'static,
{
    fn name(&self) -> fn() -> &'static str {
        E::name
    }

    fn event(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn open(self: Box<Self>, place: &mut dyn Any) -> Option<Box<dyn AnyListener>> {
        match place.downcast_mut::<Opened<E>>() {
            Some(place) => {
                move_in(place, self);
                None
            }
            None => Some(self),
        }
    }
}

/// Stands where a closure comes back that is running.
pub(super) struct Running<E>(pub(super) PhantomData<fn(E)>);

impl<E: Event> AnyListener for Running<E> {
    fn name(&self) -> fn() -> &'static str {
        E::name
    }

    fn event(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn open(self: Box<Self>, _: &mut dyn Any) -> Option<Box<dyn AnyListener>> {
        Some(self)
    }
}

/// How many listeners one event may have before a warning is logged, where that was set: it has a place of its
/// own, in front, since few emitters are told.
pub(super) struct Limit(pub(super) u32);

impl AnyListener for Limit {
    fn name(&self) -> fn() -> &'static str {
        || ""
    }

    fn event(&self) -> TypeId {
        TypeId::of::<Limit>()
    }

    fn open(self: Box<Self>, _: &mut dyn Any) -> Option<Box<dyn AnyListener>> {
        Some(self)
    }
}

/// Stands in a place that the next event may have.
pub(super) struct Nobody;

impl AnyListener for Nobody {
    fn name(&self) -> fn() -> &'static str {
        || ""
    }

    fn event(&self) -> TypeId {
        TypeId::of::<Nobody>()
    }

    fn open(self: Box<Self>, _: &mut dyn Any) -> Option<Box<dyn AnyListener>> {
        Some(self)
    }

    fn len(&self) -> usize {
        0
    }
}
