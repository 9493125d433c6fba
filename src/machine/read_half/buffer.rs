//! What is kept for a reader: chunks, a decoder, and what listeners put back. A flowing socket has none.

use std::collections::VecDeque;

use super::piece::Piece;
use crate::machine::decoder::Utf8Decoder;

/// How many chunks are kept apart. Behind those a small one joins the one before it: a peer that sends byte by byte
/// would have each of them cost as much as fifty.
const APART: usize = 64;

/// How long a chunk may become by that.
const JOINED: usize = 4 * 1024;

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

    /// Keeps what has come behind what is there.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        if self.chunks.len() >= APART
            && let Some(last) = self.chunks.back_mut()
            && last.len() + chunk.len() <= JOINED
        {
            return last.join(chunk);
        }
        self.chunks.push_back(Piece::new(chunk.to_vec()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_small_chunks_the_first_stay_apart_and_the_others_are_joined() {
        let mut buffer = Buffer::default();
        let sent: Vec<u8> = (0..10_000).map(|at| at as u8).collect();
        sent.chunks(1).for_each(|chunk| buffer.push(chunk));
        assert!(buffer.chunks.len() < APART + sent.len().div_ceil(JOINED));
        assert!(
            buffer
                .chunks
                .iter()
                .take(APART - 1)
                .all(|piece| piece.len() == 1)
        );
        buffer.push(&[7; JOINED]);
        assert_eq!(buffer.chunks.back().map(Piece::len), Some(JOINED));
        let kept: Vec<u8> = buffer
            .chunks
            .iter()
            .flat_map(Piece::as_slice)
            .copied()
            .collect();
        assert_eq!(kept[..sent.len()], sent);
    }
}
