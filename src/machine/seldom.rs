//! What most streams never have: an error, callbacks of `end`, marks and a ceiling that are not the default.
//! In a word of each.

use std::cell::{Cell, OnceCell};

use super::life::DEFAULT_HIGH_WATER_MARK;
use super::slot::Slot;
use super::write_queue::Callback;
use crate::error::Error;

/// It is made when one of these is first set, and stays for as long as the socket does.
#[derive(Default)]
pub(in crate::machine) struct Seldom(OnceCell<Box<SeldomFields>>);

pub(in crate::machine) struct SeldomFields {
    /// Node's `errored`: what destroyed the socket, or is about to.
    pub(in crate::machine) error: Slot<Error>,
    /// What `destroy` was called with: it is emitted, and counts for `Close`, though a write may have
    /// failed before with an error of its own.
    pub(in crate::machine) destroyed_with: Slot<Error>,
    pub(in crate::machine) end_callbacks: Slot<Vec<Callback>>,
    pub(in crate::machine) read_mark: Cell<u32>,
    pub(in crate::machine) write_mark: Cell<u32>,
    /// The most that may be queued; 0 for no limit.
    pub(in crate::machine) ceiling: Cell<u32>,
}

impl Seldom {
    /// What there is, if there is anything.
    #[inline(always)]
    pub(in crate::machine) fn get(&self) -> Option<&SeldomFields> {
        self.0.get().map(|fields| &**fields)
    }

    pub(in crate::machine) fn get_or_new(&self) -> &SeldomFields {
        self.0.get_or_init(|| {
            Box::new(SeldomFields {
                error: Slot::new(),
                destroyed_with: Slot::new(),
                end_callbacks: Slot::new(),
                read_mark: Cell::new(DEFAULT_HIGH_WATER_MARK as u32),
                write_mark: Cell::new(DEFAULT_HIGH_WATER_MARK as u32),
                ceiling: Cell::new(0),
            })
        })
    }
}
