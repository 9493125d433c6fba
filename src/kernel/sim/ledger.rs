//! Bytes held against bytes: what a socket accepts against what reaches the kernel, and what the kernel gives
//! against what the listeners of `Data` get.

use std::collections::VecDeque;
use std::io::IoSlice;

use super::kernel::Kernel;
use super::random::QuickMap;
use super::{is_simulated, with_kernel};
use crate::table::Key;

/// The books of each socket, by host and key, from its first byte to its `Close`.
#[derive(Default)]
pub(super) struct Ledger(QuickMap<(u16, Key), Books>);

#[derive(Default)]
struct Books {
    /// Accepted, and not given to the kernel.
    unsent: VecDeque<u8>,
    /// Read, and not handed to a listener.
    unheard: VecDeque<u8>,
    /// Some was handed to a listener of `Data`.
    is_heard: bool,
    /// What is read is taken in another way, too.
    is_read_otherwise: bool,
}

impl Kernel {
    fn books(&mut self, key: Key) -> Option<&mut Books> {
        if self.witness.is_off {
            return None;
        }
        Some(self.ledger.0.entry((self.here, key)).or_default())
    }

    fn sends(&mut self, key: Key, slices: &[IoSlice<'_>], count: usize) {
        let Some(books) = self.books(key) else { return };
        let mut left = count;
        let mut is_right = true;
        for slice in slices {
            let part = &slice[..slice.len().min(left)];
            left -= part.len();
            is_right &= takes(&mut books.unsent, part);
        }
        if !is_right {
            self.problem(&format!(
                "socket {key:?} sends what was not written, or in another order"
            ));
        }
    }

    fn hears(&mut self, key: Key, bytes: &[u8]) {
        let Some(books) = self.books(key) else { return };
        books.is_heard = true;
        if !books.is_read_otherwise && !takes(&mut books.unheard, bytes) {
            books.is_read_otherwise = true;
            self.problem(&format!(
                "socket {key:?} hands on what was not read, or in another order"
            ));
        }
    }

    /// At an event that says that one direction is complete, or that all is over.
    pub(super) fn balance(&mut self, key: Key, event: &str) {
        if !matches!(event, "Finish" | "End" | "Close") {
            return;
        }
        let at = (self.here, key);
        let Some(books) = self.ledger.0.get(&at) else {
            return;
        };
        let unsent = books.unsent.len();
        let unheard = match books.is_heard && !books.is_read_otherwise {
            true => books.unheard.len(),
            false => 0,
        };
        match event {
            "Finish" if unsent > 0 => {
                self.problem(&format!(
                    "socket {key:?} has finished with {unsent} bytes unsent"
                ));
            }
            "End" if unheard > 0 => {
                self.problem(&format!(
                    "socket {key:?} has ended with {unheard} bytes unheard"
                ));
            }
            "Close" => drop(self.ledger.0.remove(&at)),
            _ => {}
        }
    }

    fn ends(&mut self, key: Key) {
        let unsent = self.books(key).map_or(0, |books| books.unsent.len());
        if unsent > 0 {
            self.problem(&format!(
                "socket {key:?} is shut down with {unsent} bytes unsent"
            ));
        }
    }
}

/// Takes `bytes` from the front, if they are there.
fn takes(from: &mut VecDeque<u8>, bytes: &[u8]) -> bool {
    let (first, second) = from.as_slices();
    let of_first = first.len().min(bytes.len());
    let is_there = from.len() >= bytes.len()
        && first[..of_first] == bytes[..of_first]
        && second[..bytes.len() - of_first] == bytes[of_first..];
    from.drain(..bytes.len().min(from.len()));
    is_there
}

fn on(call: impl FnOnce(&mut Kernel)) {
    if is_simulated() {
        with_kernel(call);
    }
}

/// A socket has accepted bytes.
#[inline]
pub(crate) fn accepted(key: Key, bytes: &[u8]) {
    on(|kernel| {
        if let Some(books) = kernel.books(key) {
            books.unsent.extend(bytes);
        }
    });
}

/// The kernel has taken so many bytes of those that a socket offered.
#[inline]
pub(crate) fn sent(key: Key, slices: &[IoSlice<'_>], count: usize) {
    on(|kernel| kernel.sends(key, slices, count));
}

/// A socket is about to end its sending half.
#[inline]
pub(crate) fn ending(key: Key) {
    on(|kernel| kernel.ends(key));
}

/// A socket has read bytes, and is not to if it keeps as many as its high-water mark.
#[inline]
pub(crate) fn received(key: Key, bytes: &[u8], mark: usize) {
    on(|kernel| {
        if let Some(books) = kernel.books(key).filter(|books| !books.is_read_otherwise) {
            let kept = books.unheard.len();
            books.unheard.extend(bytes);
            if kept >= mark.max(1) {
                kernel.problem(&format!(
                    "socket {key:?} reads on with {kept} bytes unheard, and a mark of {mark}"
                ));
            }
        }
    });
}

/// A life of the socket begins.
#[inline]
pub(crate) fn connects(key: Key) {
    on(|kernel| kernel.connects(key));
}

/// A write has answered that there is too much.
#[inline]
pub(crate) fn refused(key: Key) {
    on(|kernel| kernel.refused(key));
}

/// A callback that a write or an end is given; 0 outside of a world.
pub(crate) type Promise = u32;

#[inline]
pub(crate) fn promised(key: Key) -> Promise {
    match is_simulated() {
        true => with_kernel(|kernel| kernel.promised(key)).unwrap_or(0),
        false => 0,
    }
}

/// That callback is about to be called, with success or without.
#[inline]
pub(crate) fn called_back(key: Key, promise: Promise, is_ok: bool) {
    if promise > 0 {
        on(|kernel| kernel.called_back(key, promise, is_ok));
    }
}

/// Listeners of `Data` are about to be handed bytes.
#[inline]
pub(crate) fn heard(key: Key, bytes: &[u8]) {
    on(|kernel| kernel.hears(key, bytes));
}

/// Bytes that a framing was handed, and gives back: they are handed on once more.
#[inline]
pub(crate) fn given_back(key: Key, bytes: &[u8]) {
    on(|kernel| {
        if let Some(books) = kernel.books(key).filter(|books| !books.is_read_otherwise) {
            for byte in bytes.iter().rev() {
                books.unheard.push_front(*byte);
            }
        }
    });
}

/// What a socket reads is taken in another way than by `Data`, or changed.
#[inline]
pub(crate) fn read_otherwise(key: Key) {
    on(|kernel| {
        if let Some(books) = kernel.books(key) {
            books.is_read_otherwise = true;
            books.unheard = VecDeque::new();
        }
    });
}
