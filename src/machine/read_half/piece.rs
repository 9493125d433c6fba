//! A chunk that is kept, and consumed from its front.

/// From this size on, what is left of a chunk of which most was taken moves to a place of its own.
const WORTH_MOVING: usize = 4 * 1024;

/// The bytes of a chunk that have not been taken. Taking some moves a cursor, not the rest.
pub(super) struct Piece {
    bytes: Vec<u8>,
    start: usize,
}

impl Piece {
    pub(super) fn new(bytes: Vec<u8>) -> Piece {
        Piece { bytes, start: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    #[inline]
    pub(super) fn into_rest(self) -> Vec<u8> {
        match self.start {
            0 => self.bytes,
            _ => self.as_slice().to_vec(),
        }
    }

    /// Takes the first bytes, of more.
    #[inline(always)]
    pub(super) fn take(&mut self, wanted: usize) -> Vec<u8> {
        let taken = self.as_slice()[..wanted].to_vec();
        self.start += wanted;
        self.let_go();
        taken
    }

    /// Moves bytes to the end of `taken` until that has as many as are wanted, or none are left.
    pub(super) fn move_to(&mut self, taken: &mut Vec<u8>, wanted: usize) {
        let rest = self.as_slice();
        let count = rest.len().min(wanted - taken.len());
        taken.extend_from_slice(&rest[..count]);
        self.start += count;
        self.let_go();
    }

    /// Appends the bytes of a chunk that came behind it.
    pub(super) fn join(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes all but the last `kept` bytes.
    pub(super) fn leave(&mut self, kept: usize) {
        debug_assert!(kept <= self.len(), "they were taken already");
        self.start = self.bytes.len() - kept;
        self.let_go();
    }

    /// Gives up a place that is much too big for what is left.
    #[inline]
    fn let_go(&mut self) {
        // A quarter of the bytes at most, of which a half is gone until the next time: no byte moves
        // more than once on the average.
        if self.bytes.capacity() >= WORTH_MOVING && self.len() < self.bytes.capacity() / 4 {
            self.move_away();
        }
    }

    #[cold]
    fn move_away(&mut self) {
        *self = Piece::new(self.as_slice().to_vec());
    }

    /// Puts bytes back where as many were taken; false if there is no such place.
    pub(super) fn put_back(&mut self, bytes: &[u8]) -> bool {
        let Some(start) = self.start.checked_sub(bytes.len()) else {
            return false;
        };
        self.bytes[start..self.start].copy_from_slice(bytes);
        self.start = start;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_put_back_in_its_place() {
        let mut piece = Piece::new(b"head and body".to_vec());
        let mut taken = Vec::new();
        piece.move_to(&mut taken, 5);
        assert_eq!((taken.as_slice(), piece.len()), (&b"head "[..], 8));
        assert!(!piece.put_back(b"longer"), "there is no room for it");
        assert!(piece.put_back(b"tail "));
        assert_eq!(piece.into_rest(), b"tail and body");
    }

    #[test]
    fn a_small_rest_does_not_hold_a_big_chunk() {
        let mut piece = Piece::new(vec![7; 64 * 1024]);
        let mut taken = Vec::new();
        for wanted in (0..=64 * 1024 - 100).step_by(100) {
            piece.move_to(&mut taken, wanted);
            assert!(piece.bytes.capacity() <= (4 * piece.len()).max(WORTH_MOVING));
        }
        assert_eq!(taken.len() + piece.len(), 64 * 1024);
    }
}
