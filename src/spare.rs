//! Boxes that a thread keeps for who needs one next.

use std::cell::RefCell;
use std::thread::LocalKey;

/// So many of a kind.
const MOST: usize = 16;

/// For what many connections need now and then, and few at a time.
pub(crate) struct Spares<T>(RefCell<Vec<Box<T>>>);

impl<T> Spares<T> {
    pub(crate) const fn new() -> Spares<T> {
        Spares(RefCell::new(Vec::new()))
    }

    /// A box with this in it, which may have served before.
    #[cold]
    pub(crate) fn take(spares: &'static LocalKey<Spares<T>>, value: T) -> Box<T> {
        // A thread on its way out has none.
        let spare = spares.try_with(|spares| spares.0.borrow_mut().pop());
        match spare.ok().flatten() {
            Some(mut spare) => {
                *spare = value;
                spare
            }
            None => Box::new(value),
        }
    }

    /// Takes a box back that nobody needs any more. What is in it stays there until the next time.
    #[cold]
    pub(crate) fn give(spares: &'static LocalKey<Spares<T>>, spare: Option<Box<T>>) {
        let _ = spares.try_with(|spares| {
            let mut spares = spares.0.borrow_mut();
            if spares.len() < MOST {
                spares.extend(spare);
            }
        });
    }
}
