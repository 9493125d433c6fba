//! The limit and the policies of a reader, and what the format makes of them.

use super::Format;

#[derive(Debug)]
pub(super) struct Rules {
    pub(super) limit: usize,
    /// `limit`, as the format's bytes between head and tail can amount to.
    pub(super) raw_limit: usize,
    /// Payloads longer than this come in pieces; `usize::MAX` if none do.
    pub(super) stream_above: usize,
    /// The longest payload that does not come in pieces: the lesser of these two.
    pub(super) whole: u64,
    /// The longest payload that is simply a slice: not more than the limit, either.
    pub(super) plain: u64,
    pub(super) bad: Bad,
    pub(super) most_empty_parts: usize,
    pub(super) keep: usize,
    pub(super) overhead: usize,
    /// The most bytes of one frame that are ever kept: the sum of `raw_limit` and `overhead`.
    pub(super) bound: usize,
}

/// What becomes of a bad frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// The reader fails.
    Fail,
    /// It is dropped, and told of when it has ended.
    Skip,
    /// It is dropped, and told of at once as well.
    Tell,
}

impl Rules {
    pub(super) fn new(format: &impl Format, limit: usize, keep: usize) -> Self {
        let mut rules = Self {
            limit: 0,
            raw_limit: 0,
            stream_above: usize::MAX,
            whole: 0,
            plain: 0,
            bad: Bad::Fail,
            most_empty_parts: MOST_EMPTY_PARTS,
            keep,
            overhead: 0,
            bound: 0,
        };
        rules.refit(format, limit);
        rules
    }

    /// Makes what depends on the format and the limit fit another one.
    #[inline]
    pub(super) fn refit(&mut self, format: &impl Format, limit: usize) {
        self.limit = limit.min(LONGEST);
        self.raw_limit = format.raw_limit(self.limit).clamp(self.limit, LONGEST);
        self.overhead = format.overhead().min(LONGEST);
        self.bound = self.raw_limit + self.overhead;
        self.whole = self.stream_above.min(self.raw_limit) as u64;
        self.plain = self.stream_above.min(self.limit) as u64;
    }
}

/// No limit is above this. No buffer could hold as much, and sums of lengths cannot overflow.
pub(super) const LONGEST: usize = isize::MAX as usize / 4;

/// Parts without payload that a frame may have unless told otherwise.
const MOST_EMPTY_PARTS: usize = 1 << 17;
