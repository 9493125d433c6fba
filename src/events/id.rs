//! What names a listener, and what is known of it by its id alone.
//!
//! ```text
//!   63                              9 │ 8        3 │ 2    1   │ 0
//!   how many there were before it     │ its event  │ state    │ once
//! ```
//!
//! Ids rise, since the count is on top. Of the event there are six bits, which are enough to pass others over:
//! of two events with the same bits the types are compared. The state is a place's, which keeps the id of its
//! first listener: an id that was handed out has none.

use std::any::TypeId;
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;

use super::Event;
use crate::StaysOnItsThread;

/// Names one listener, to remove it by. Ids are unique within their thread, so that one that is offered to
/// another emitter removes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId {
    number: NonZeroU64,
    _not_send: StaysOnItsThread,
}

const ONCE: u64 = 1;
/// The bits of an id in which a place keeps its state.
pub(super) const STATE: [u64; 2] = [0b10, 0b100];
const EVENT: u64 = 0b11_1111 << 3;
const FIRST: u64 = 1 << 9;

thread_local! {
    static LAST: Cell<u64> = const { Cell::new(0) };
}

impl ListenerId {
    /// What a listener gets that was offered to an emitter that is gone.
    pub(crate) const NONE: ListenerId = ListenerId::numbered(NonZeroU64::MAX);

    /// What no listener has, and is older than all.
    pub(super) const SEVERAL: ListenerId = ListenerId::numbered(NonZeroU64::MIN);

    const fn numbered(number: NonZeroU64) -> ListenerId {
        ListenerId {
            number,
            _not_send: StaysOnItsThread::HERE,
        }
    }

    /// The next listener's, which is one of `E`.
    pub(super) fn next<E: Event>() -> ListenerId {
        let count = LAST.get() + FIRST;
        LAST.set(count);
        // It takes centuries until there are so many.
        let number = NonZeroU64::new(count | bits_of(TypeId::of::<E>()));
        ListenerId::numbered(number.unwrap_or(NonZeroU64::MAX))
    }

    pub(super) fn of_once(self) -> ListenerId {
        ListenerId::numbered(self.number | ONCE)
    }

    #[inline(always)]
    pub(super) fn is_once(self) -> bool {
        self.number.get() & ONCE != 0
    }

    pub(super) fn is_older_than(self, other: ListenerId) -> bool {
        self.number < other.number
    }

    #[inline(always)]
    pub(super) fn to_bits(self) -> u64 {
        self.number.get()
    }

    #[inline(always)]
    pub(super) fn from_bits(bits: u64) -> ListenerId {
        ListenerId::numbered(NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN))
    }
}

/// Whether listeners may be of one event, by their bits.
#[inline(always)]
pub(super) fn may_be_of_one_event(one: u64, other: u64) -> bool {
    (one ^ other) & EVENT == 0
}

/// The bits of an id that tell of the event. A number that the compiler knows, where it knows the event.
#[inline(always)]
pub(super) fn bits_of(event: TypeId) -> u64 {
    let mut bits = Bits(0);
    event.hash(&mut bits);
    bits.0 & EVENT
}

/// Keeps the last number that it is told: a `TypeId` is hashed as a number that is a hash already.
struct Bits(u64);

impl Hasher for Bits {
    #[inline(always)]
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
