//! What holds of the reading half whenever it is not in the middle of something.

use super::piece::Piece;
use crate::machine::duplex::Duplex;

impl Duplex {
    pub(in crate::machine) fn check_read_half(&self) {
        let half = &self.read;
        let kept = half
            .buffer
            .if_some(|buffer| buffer.chunks.iter().map(Piece::len).sum())
            .unwrap_or(0);
        assert_eq!(kept, half.length.get(), "the length of what is kept");
        assert!(!half.is_read() || !half.has_ended(), "reads past the end");
        assert!(!half.end_emitted() || kept == 0, "End, but there is data");
    }
}
