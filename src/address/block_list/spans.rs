//! A union of closed intervals that can be searched, grown and shrunk in logarithmic time.
//!
//! ```text
//!   counts   [1────4]   [7──────────12]      every interval that was inserted, and how often
//!               [3──5]     [8──10]
//!   merged   [1─────5]  [7──────────12]      what they cover together: disjoint, sorted
//! ```
//!
//! An interval is merged once when it is inserted and swallowed at most once by a later one, so that
//! inserting is cheap in any order, also between searches. Removing recomputes just the one merged
//! interval that the removed one was part of: all the intervals it consists of start within it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::disjoint::Disjoint;

#[derive(Debug)]
pub(super) struct Spans<T> {
    /// By first point, the longest first, which lets `uncover` stop early.
    counts: BTreeMap<(T, Reverse<T>), usize>,
    merged: Disjoint<T>,
}

impl<T> Default for Spans<T> {
    fn default() -> Self {
        Self {
            counts: BTreeMap::new(),
            merged: Disjoint::default(),
        }
    }
}

impl<T: Copy + Ord> Spans<T> {
    pub(super) fn contains(&self, point: T) -> bool {
        self.merged
            .at_or_before(point)
            .is_some_and(|(_, last)| point <= last)
    }

    pub(super) fn insert(&mut self, (first, last): (T, T)) {
        debug_assert!(first <= last, "a span that covers nothing");
        let count = self.counts.entry((first, Reverse(last))).or_default();
        *count += 1;
        if *count == 1 {
            self.cover(first, last);
        }
    }

    /// Takes back one `insert` of the same interval, if there was one.
    pub(super) fn remove(&mut self, (first, last): (T, T)) {
        let key = (first, Reverse(last));
        match self.counts.get_mut(&key) {
            None => {}
            Some(1) => {
                self.counts.remove(&key);
                self.uncover(first, last);
            }
            Some(count) => *count -= 1,
        }
    }

    fn cover(&mut self, mut first: T, mut last: T) {
        if let Some((start, end)) = self.merged.at_or_before(first)
            && first <= end
        {
            if last <= end {
                return;
            }
            self.merged.remove(start);
            first = start;
        }
        while let Some((start, end)) = self.merged.after(first)
            && start <= last
        {
            self.merged.remove(start);
            last = last.max(end);
        }
        self.merged.insert((first, last));
    }

    fn uncover(&mut self, first: T, last: T) {
        let Some((start, end)) = self.merged.at_or_before(first) else {
            debug_assert!(false, "an inserted span is always covered");
            return;
        };
        let mut pieces: Vec<(T, T)> = Vec::new();
        for &(from, Reverse(to)) in self
            .counts
            .range((start, Reverse(end))..)
            .map(|(key, _)| key)
        {
            if end < from {
                break;
            }
            match pieces.last_mut() {
                Some((_, piece_end)) if from <= *piece_end => *piece_end = to.max(*piece_end),
                _ => pieces.push((from, to)),
            }
            if let Some(&(piece_start, piece_end)) = pieces.last()
                && piece_start <= first
                && last <= piece_end
            {
                return;
            }
        }
        self.merged.remove(start);
        for piece in pieces {
            self.merged.insert(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(inserted: &[(u32, u32)]) -> Spans<u32> {
        let mut spans = Spans::default();
        for &span in inserted {
            spans.insert(span);
        }
        spans
    }

    #[test]
    fn both_ends_are_contained() {
        let spans = spans(&[(3, 5), (u32::MAX, u32::MAX), (0, 0)]);
        let contained: Vec<u32> = (0..8).filter(|&point| spans.contains(point)).collect();
        assert_eq!(contained, [0, 3, 4, 5]);
        assert!(spans.contains(u32::MAX) && !spans.contains(u32::MAX - 1));
    }

    #[test]
    fn overlapping_spans_are_merged() {
        for (inserted, merged) in [
            (vec![(1, 4), (7, 9), (3, 5)], vec![(1, 5), (7, 9)]),
            (vec![(1, 4), (7, 9), (4, 7)], vec![(1, 9)]),
            (vec![(2, 2), (4, 4), (6, 8), (1, 7)], vec![(1, 8)]),
            (vec![(1, 9), (3, 5), (1, 9), (1, 10)], vec![(1, 10)]),
        ] {
            assert_eq!(spans(&inserted).merged.to_vec(), merged, "{inserted:?}");
        }
    }

    #[test]
    fn a_removed_span_uncovers_what_no_other_covers() {
        let mut spans = spans(&[(1, 4), (3, 8), (8, 9), (20, 21)]);
        spans.remove((3, 8));
        assert_eq!(spans.merged.to_vec(), [(1, 4), (8, 9), (20, 21)]);
        spans.remove((1, 4));
        assert_eq!(spans.merged.to_vec(), [(8, 9), (20, 21)]);
    }

    #[test]
    fn what_is_left_of_a_removed_span_is_merged_again() {
        let mut spans = spans(&[(0, 20), (1, 4), (4, 6), (5, 6), (8, 9)]);
        spans.remove((0, 20));
        assert_eq!(spans.merged.to_vec(), [(1, 6), (8, 9)]);
    }

    #[test]
    fn a_removed_span_inside_another_uncovers_nothing() {
        let mut spans = spans(&[(1, 9), (3, 5), (5, 9)]);
        spans.remove((3, 5));
        spans.remove((5, 9));
        assert_eq!(spans.merged.to_vec(), [(1, 9)]);
    }

    #[test]
    fn a_span_inserted_twice_is_to_be_removed_twice() {
        let mut spans = spans(&[(1, 4), (1, 4)]);
        spans.remove((1, 4));
        assert!(spans.contains(2));
        spans.remove((1, 4));
        assert!(!spans.contains(2));
        spans.remove((1, 4));
        assert!(spans.counts.is_empty() && spans.merged.to_vec().is_empty());
    }
}
