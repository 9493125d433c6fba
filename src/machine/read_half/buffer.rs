//! What is kept for a reader: chunks, a decoder, and what listeners put back. A flowing socket has none.

use std::collections::VecDeque;

use super::piece::Piece;
use crate::machine::decoder::Utf8Decoder;

#[derive(Default)]
pub(super) struct Buffer {
    pub(super) chunks: VecDeque<Piece>,
    pub(super) decoder: Option<Utf8Decoder>,
    /// What was read by the listeners that a chunk was handed to.
    pub(super) to_follow: VecDeque<Vec<u8>>,
    /// How many bytes of the chunk at hand its listeners have put back.
    pub(super) put_back: usize,
}

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.to_follow.is_empty() && self.decoder.is_none()
    }

    /// So many bytes of the first chunk, if that has more.
    #[inline(always)]
    pub(super) fn take_a_part(&mut self, wanted: usize) -> Option<Vec<u8>> {
        let first = self.chunks.front_mut()?;
        (wanted < first.len()).then(|| first.take(wanted))
    }

    /// So many bytes, which are there.
    pub(super) fn take_exactly(&mut self, wanted: usize) -> Option<Piece> {
        if let Some(bytes) = self.take_a_part(wanted) {
            return Some(Piece::new(bytes));
        }
        if wanted == self.chunks.front()?.len() {
            return self.chunks.pop_front();
        }
        let mut taken = Vec::with_capacity(wanted);
        while taken.len() < wanted {
            let first = self.chunks.front_mut()?;
            first.move_to(&mut taken, wanted);
            if first.len() == 0 {
                self.chunks.pop_front();
            }
        }
        Some(Piece::new(taken))
    }
}
