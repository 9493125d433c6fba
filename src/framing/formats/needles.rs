//! Searching for several byte strings at once, a byte at a time, never going back.

use super::super::search;

/// A set of byte strings, as an automaton (Aho and Corasick's).
///
/// Its state is the longest beginning of a string that the bytes read so far end with. So a search may
/// be interrupted anywhere and taken up again with the state alone.
#[derive(Debug)]
pub(super) struct Needles {
    nodes: Vec<Node>,
    first: First,
    longest: usize,
}

/// A beginning of a string.
#[derive(Debug, Default)]
struct Node {
    /// Which byte leads to which longer beginning.
    next: Vec<(u8, usize)>,
    /// The longest proper ending of this beginning that is a beginning as well.
    fallback: usize,
    /// Length of this beginning.
    depth: usize,
    /// Length of the longest string that this beginning ends with; 0 if there is none.
    found: usize,
}

/// The bytes that a string can start with, in the form that finds them fastest.
#[derive(Debug)]
enum First {
    One([u8; 1]),
    Two([u8; 2]),
    Three([u8; 3]),
    Many(Box<[bool; 256]>),
}

impl Needles {
    /// The set of `needles`, none of which is empty.
    pub(super) fn new(needles: &[&[u8]]) -> Self {
        let mut nodes = vec![Node::default()];
        for needle in needles {
            let mut node = 0;
            for &byte in *needle {
                node = match nodes[node].next.iter().find(|(edge, _)| *edge == byte) {
                    Some(&(_, next)) => next,
                    None => {
                        let (next, depth) = (nodes.len(), nodes[node].depth + 1);
                        nodes[node].next.push((byte, next));
                        nodes.push(Node {
                            depth,
                            ..Node::default()
                        });
                        next
                    }
                };
            }
            nodes[node].found = needle.len();
        }
        let first = First::new(nodes[0].next.iter().map(|(byte, _)| *byte).collect());
        let longest = needles.iter().map(|needle| needle.len()).max().unwrap_or(0);
        let mut set = Self {
            nodes,
            first,
            longest,
        };
        set.link();
        set
    }

    /// Length of the longest string.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The state after `byte` was read in `state`.
    #[inline]
    pub(super) fn step(&self, mut state: usize, byte: u8) -> usize {
        loop {
            let node = &self.nodes[state];
            if let Some(&(_, next)) = node.next.iter().find(|(edge, _)| *edge == byte) {
                return next;
            }
            if state == 0 {
                return 0;
            }
            state = node.fallback;
        }
    }

    /// How many of the bytes read may yet belong to a string.
    #[inline]
    pub(super) fn depth(&self, state: usize) -> usize {
        self.nodes[state].depth
    }

    /// Length of the longest string that ends here; 0 if none does.
    #[inline]
    pub(super) fn found(&self, state: usize) -> usize {
        self.nodes[state].found
    }

    /// Whether no string can be found here that is longer than the one of `len` bytes that was.
    #[inline]
    pub(super) fn ends_here(&self, state: usize, len: usize) -> bool {
        let node = &self.nodes[state];
        node.depth == len && node.next.is_empty()
    }

    /// The first place in `bytes` where a string can start.
    #[inline]
    pub(super) fn find_first(&self, bytes: &[u8]) -> Option<usize> {
        match &self.first {
            First::One(one) => search::find_any(bytes, *one),
            First::Two(two) => search::find_any(bytes, *two),
            First::Three(three) => search::find_any(bytes, *three),
            First::Many(set) => bytes.iter().position(|byte| set[usize::from(*byte)]),
        }
    }

    /// Sets the fallbacks, shorter beginnings first.
    fn link(&mut self) {
        let mut order: Vec<usize> = self.nodes[0].next.iter().map(|(_, next)| *next).collect();
        let mut done = 0;
        while let Some(&node) = order.get(done) {
            done += 1;
            for (byte, next) in self.nodes[node].next.clone() {
                let fallback = self.step(self.nodes[node].fallback, byte);
                self.nodes[next].fallback = fallback;
                self.nodes[next].found = self.nodes[next].found.max(self.nodes[fallback].found);
                order.push(next);
            }
        }
    }
}

impl First {
    fn new(bytes: Vec<u8>) -> Self {
        match *bytes {
            [a] => Self::One([a]),
            [a, b] => Self::Two([a, b]),
            [a, b, c] => Self::Three([a, b, c]),
            _ => {
                let mut set = Box::new([false; 256]);
                for byte in bytes {
                    set[usize::from(byte)] = true;
                }
                Self::Many(set)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place where strings end, with the longest of them.
    fn ends(needles: &[&[u8]], hay: &[u8]) -> Vec<(usize, usize)> {
        let set = Needles::new(needles);
        let mut state = 0;
        let mut ends = vec![];
        for (at, &byte) in hay.iter().enumerate() {
            state = set.step(state, byte);
            if set.found(state) > 0 {
                ends.push((at + 1, set.found(state)));
            }
        }
        ends
    }

    #[test]
    fn strings_that_overlap_themselves_are_found() {
        assert_eq!(ends(&[b"aab"], b"aaab"), [(4, 3)]);
        assert_eq!(ends(&[b"abab"], b"ababab"), [(4, 4), (6, 4)]);
    }

    #[test]
    fn a_string_inside_of_another_is_found_by_falling_back() {
        assert_eq!(ends(&[b"abcd", b"bc"], b"abcx"), [(3, 2)]);
        assert_eq!(ends(&[b"he", b"she", b"hers"], b"shers"), [(3, 3), (5, 4)]);
    }
}
