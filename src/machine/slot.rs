//! A place for what most sockets never have: one word, and nothing to keep count of.

use std::cell::Cell;

/// An `Option` behind a shared reference. What is in it is taken out while it is used, and nothing
/// that is used in here calls back.
pub(super) struct Slot<T>(Cell<Option<T>>);

impl<T> Slot<T> {
    pub(super) const fn new() -> Slot<T> {
        Slot(Cell::new(None))
    }

    #[inline(always)]
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Option<T>) -> R) -> R {
        let mut value = self.0.take();
        let result = f(&mut value);
        self.put_back(value);
        result
    }

    /// Puts back what was taken.
    #[inline(always)]
    pub(super) fn put_back(&self, value: Option<T>) {
        // The place was empty meanwhile: there is nothing to drop, which the compiler cannot know.
        std::mem::forget(self.0.replace(value));
    }

    /// As `with`, for what may not be there.
    pub(super) fn if_some<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.with(|value| value.as_mut().map(f))
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.take()
    }
}
