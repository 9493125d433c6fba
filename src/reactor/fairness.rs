//! How much one socket may read while the others wait.
//!
//! A socket that floods fills whatever it is lent, and the more it is lent the less a byte costs. The others wait for
//! as long as that takes. The last turns tell whether there are others: a peer that asks and waits for its
//! answer sends little at a time. A short read behind a long one of the same socket is the rest of a flood's chunk.
//!
//! | in the last turns | a socket reads per turn | those that go on from the last turn, together |
//! |---|---|---|
//! | every read was long | 512 KiB | as many as there are |
//! | a read was short, and no rest of a long one | 128 KiB | until 256 KiB have been read, the others in the next turn |

use std::cell::Cell;

use crate::bits::Bit;

/// A shorter read is a request rather than a part of a flood.
const SHORT: usize = 4 * 1024;

/// How many turns a short read counts for.
const REMEMBERED: u32 = 16;

/// Which part of the loop's buffer one socket may fill in a turn beside light ones. Among floods it is all of it: a
/// quarter of libuv's 2 MiB, which a thousand others have to wait for. The poll that comes between costs a system call
/// for eight reads.
const PART: usize = 4;

/// Bytes after which those that go on from the last turn wait for the next one.
const TOGETHER: u64 = 256 * 1024;

#[derive(Default)]
pub(crate) struct Fairness {
    saw_short: Cell<bool>,
    turns_left: Cell<u32>,
}

impl Fairness {
    /// Counts a read that brought something. The socket keeps whether its last one was long.
    #[inline]
    pub(crate) fn read(&self, len: usize, last_was_long: Bit<'_>) {
        let is_long = len >= SHORT;
        if !last_was_long.replace(is_long) && !is_long {
            self.saw_short.set(true);
        }
    }

    /// How much a socket may read in this turn, of a buffer of so many bytes.
    #[inline]
    pub(crate) fn allowance(&self, buffer: usize) -> usize {
        match self.turns_left.get() {
            0 => buffer,
            _ => buffer / PART,
        }
    }

    /// How many bytes are read in this turn before those that go on from the last one wait for the next.
    pub(super) fn most_together(&self) -> u64 {
        match self.turns_left.get() {
            0 => u64::MAX,
            _ => TOGETHER,
        }
    }

    #[inline]
    pub(super) fn begin_turn(&self) {
        let left = match self.saw_short.replace(false) {
            true => REMEMBERED,
            false => self.turns_left.get().saturating_sub(1),
        };
        self.turns_left.set(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floods_among_themselves_read_much_and_beside_a_short_read_little() {
        let fairness = Fairness::default();
        let bits = Cell::new(0);
        let last_was_long = || Bit::new(&bits, 0);
        for len in [SHORT, SHORT - 1, SHORT] {
            fairness.read(len, last_was_long());
            fairness.begin_turn();
            assert_eq!(fairness.allowance(64), 64, "the rest of a chunk at most");
            assert_eq!(fairness.most_together(), u64::MAX);
        }
        for len in [SHORT - 1, 1] {
            fairness.read(len, last_was_long());
            assert_eq!(fairness.allowance(64), 64, "the turn is under way");
        }
        for _ in 0..REMEMBERED {
            fairness.begin_turn();
            fairness.read(SHORT, last_was_long());
            assert_eq!(fairness.allowance(64), 16);
            assert_eq!(fairness.most_together(), TOGETHER);
        }
        fairness.begin_turn();
        assert_eq!(fairness.allowance(64), 64);
    }
}
