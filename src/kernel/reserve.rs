//! A descriptor that is kept for the day on which there are none left.

use std::cell::RefCell;
use std::fs::File;

use super::Descriptor;

/// Given up, it makes room to accept those who wait, and to close them, so that they learn of it and the
/// backlog does not stay full.
#[derive(Default)]
pub(crate) struct Reserve(RefCell<Option<Spare>>);

#[expect(dead_code, reason = "held")]
enum Spare {
    Os(File),
    Sim(Descriptor),
}

impl Reserve {
    /// Has one from here on, if there is one to be had.
    pub(crate) fn keep(&self) {
        let mut spare = self.0.borrow_mut();
        if spare.is_none() {
            *spare = match Descriptor::spare() {
                Some(opened) => opened.map(Spare::Sim).ok(),
                None => File::open("/dev/null").map(Spare::Os).ok(),
            };
        }
    }

    /// False if there was none.
    pub(crate) fn give_up(&self) -> bool {
        self.0.take().is_some()
    }
}
