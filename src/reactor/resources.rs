//! What keeps a loop alive.

use super::{HandleKind, Key, Loop, Origin};

/// Something that keeps the loop alive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept {
    Handle(HandleKind),
    Timer(Key),
    Immediate(Key),
    Work,
}

impl Loop {
    /// The keys of what keeps the loop alive, with where it was made.
    pub(crate) fn resources(&self) -> Vec<(Kept, Origin)> {
        let mut resources = Vec::new();
        for handle in self.handles.borrow().iter() {
            if handle.keeps_alive() && !self.is_told_of_its_owner(handle.kind()) {
                resources.push((Kept::Handle(handle.kind()), handle.origin()));
            }
        }
        for (key, timer) in self.timers.borrow().iter() {
            if timer.counted() {
                resources.push((Kept::Timer(key), timer.origin()));
            }
        }
        for (key, immediate) in self.immediates.borrow().iter_keyed() {
            if immediate.referenced {
                resources.push((Kept::Immediate(key), immediate.origin));
            }
        }
        let work = self.awaited_work();
        resources.extend(work.into_iter().map(|origin| (Kept::Work, origin)));
        resources
    }

    fn is_told_of_its_owner(&self, kind: HandleKind) -> bool {
        match kind {
            HandleKind::Attempt(owner) | HandleKind::Arrival(owner) => {
                let owner = self.handles.borrow().get(owner).cloned();
                owner.is_some_and(|owner| owner.keeps_alive())
            }
            _ => false,
        }
    }

    /// How many remotes and senders keep the loop alive.
    pub(crate) fn remotes(&self) -> usize {
        self.poller.remotes()
    }

    pub(super) fn is_alive(&self) -> bool {
        self.references.get() > 0
            || !self.closing.borrow().is_empty()
            || !self.pending.borrow().is_empty()
            || self.poller.remotes() > 0
    }

    /// Something that has kept the loop alive, or not, does so now, or does not.
    #[inline]
    pub(crate) fn recount(&self, before: bool, now: bool) {
        match (before, now) {
            (false, true) => self.reference(),
            (true, false) => self.unreference(),
            _ => {}
        }
    }

    pub(crate) fn reference(&self) {
        self.references.set(self.references.get() + 1);
    }

    pub(crate) fn unreference(&self) {
        debug_assert!(
            self.references.get() > 0,
            "every reference is given back once"
        );
        self.references.set(self.references.get().saturating_sub(1));
    }
}
