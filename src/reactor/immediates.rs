//! Immediates: what the check phase calls.

use super::{Key, Loop, Origin};

pub(super) struct Immediate {
    pub(super) origin: Origin,
    callback: Box<dyn FnOnce()>,
    pub(super) referenced: bool,
}

impl Loop {
    /// The check phase.
    pub(super) fn run_check(&self) {
        let count = self.check.borrow().len();
        for _ in 0..count {
            if self.is_interrupted() {
                return;
            }
            let key = self.check.borrow_mut().pop_front();
            let Some(key) = key else { return };
            let immediate = self.immediates.borrow_mut().remove(key);
            if let Some(immediate) = immediate {
                if immediate.referenced {
                    self.unreference();
                }
                self.call_now(immediate.callback);
                self.settle();
            }
        }
    }

    pub(crate) fn set_immediate(&self, callback: Box<dyn FnOnce()>, origin: Origin) -> Key {
        let key = self.immediates.borrow_mut().insert(Immediate {
            origin,
            callback,
            referenced: true,
        });
        self.check.borrow_mut().push_back(key);
        self.reference();
        key
    }

    pub(crate) fn clear_immediate(&self, key: Key) {
        let immediate = self.immediates.borrow_mut().remove(key);
        // Before what the user's closure holds is dropped.
        if immediate
            .as_ref()
            .is_some_and(|immediate| immediate.referenced)
        {
            self.unreference();
        }
    }

    /// Whether the immediate keeps the loop alive; `None` once it was called or cleared.
    pub(crate) fn immediate_is_referenced(&self, key: Key) -> Option<bool> {
        self.immediates
            .borrow()
            .get(key)
            .map(|immediate| immediate.referenced)
    }

    pub(crate) fn set_immediate_referenced(&self, key: Key, referenced: bool) {
        let mut immediates = self.immediates.borrow_mut();
        let Some(immediate) = immediates.get_mut(key) else {
            return;
        };
        let before = std::mem::replace(&mut immediate.referenced, referenced);
        self.recount(before, referenced);
    }
}
