//! What the user says must always be so.

use std::cell::RefCell;
use std::rc::Rc;

use super::with_kernel;

/// A name, and whether it is so.
pub(crate) type Invariant = (String, Rc<dyn Fn() -> bool>);

thread_local! {
    static INVARIANTS: RefCell<Vec<Invariant>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn set(invariants: Vec<Invariant>) {
    INVARIANTS.set(invariants);
}

/// Asks for each of them, and reports one that is broken once.
pub(crate) fn ask() {
    if INVARIANTS.with_borrow(Vec::is_empty) {
        return;
    }
    let mut all = INVARIANTS.take();
    all.retain(|(name, holds)| {
        let holds = holds();
        if !holds {
            with_kernel(|kernel| kernel.problem(&format!("not so any more: {name}")));
        }
        holds
    });
    INVARIANTS.with_borrow_mut(|invariants| invariants.append(&mut all));
}
