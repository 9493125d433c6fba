//! Where a format puts what it unpacks.

use super::leftover;

/// What a format has made of a piece of a frame: see [`Format::unpack_piece`](super::Format::unpack_piece).
///
/// It takes no more than the frame's limit leaves room for. What a format appends above that is dropped, and
/// the reader refuses the frame as too long: a format need not look. Memory grows with what is appended, and
/// ends at the limit.
#[derive(Debug)]
pub struct Output<'a> {
    buffer: &'a mut Vec<u8>,
    /// How long the buffer may become.
    most: usize,
    overflowed: bool,
}

impl<'a> Output<'a> {
    /// An output that appends up to `room` bytes to `buffer`.
    ///
    /// ```
    /// use soquete::framing::Output;
    ///
    /// let mut buffer = Vec::new();
    /// let mut output = Output::new(&mut buffer, 4);
    /// output.extend_from_slice(b"hello");
    /// assert_eq!(buffer, b"hell");
    /// ```
    pub fn new(buffer: &'a mut Vec<u8>, room: usize) -> Self {
        let most = buffer.len().saturating_add(room);
        Self {
            buffer,
            most,
            overflowed: false,
        }
    }

    /// Appends `bytes`.
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let fitting = self.fitting(bytes);
        leftover::append(self.buffer, fitting, self.most);
    }

    /// Appends a byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    /// Appends `bytes`, and has `change` make of them what they are to be, in place and piece by piece: it is given
    /// how many of them came before the piece, and the piece.
    ///
    /// For formats whose payload is as long as it was, such as masked ones. The pieces are short enough to
    /// stay in the processor's first cache between the copy and the change.
    ///
    /// ```
    /// use soquete::framing::Output;
    ///
    /// let mask = [1, 2, 3, 4];
    /// let mut buffer = Vec::new();
    /// Output::new(&mut buffer, 80).extend_changed(b"masked", |done, piece| {
    ///     for (at, byte) in piece.iter_mut().enumerate() {
    ///         *byte ^= mask[(done + at) % mask.len()];
    ///     }
    /// });
    /// assert_eq!(buffer[..2], [b'm' ^ 1, b'a' ^ 2]);
    /// ```
    #[inline]
    pub fn extend_changed(&mut self, bytes: &[u8], mut change: impl FnMut(usize, &mut [u8])) {
        let fitting = self.fitting(bytes);
        leftover::reserve(self.buffer, fitting.len(), self.most);
        let mut done = 0;
        for piece in fitting.chunks(CHANGED_AT_ONCE) {
            let from = self.buffer.len();
            self.buffer.extend_from_slice(piece);
            change(done, &mut self.buffer[from..]);
            done += piece.len();
        }
    }

    /// Appends as many bytes as these are, and has `make` say which, eight at a time: of the last ones only as many count
    /// as there were. Nearly as fast as a copy: of long stretches, what is made is in the processor's registers when it is
    /// appended, and no room is cleared first.
    #[inline]
    pub(super) fn extend_made(&mut self, bytes: &[u8], make: impl Fn(u64) -> u64) {
        let fitting = self.fitting(bytes);
        leftover::reserve(self.buffer, fitting.len(), self.most);
        let made = |word: &[u8; 8]| make(u64::from_le_bytes(*word)).to_le_bytes();
        let (words, last) = fitting.as_chunks::<8>();
        let (blocks, words) = words.as_chunks::<16>();
        for block in blocks {
            self.buffer
                .extend_from_slice(block.each_ref().map(made).as_flattened());
        }
        let from = self.buffer.len();
        self.buffer.resize(from + 8 * words.len() + last.len(), 0);
        let (made_words, made_last) = self.buffer[from..].as_chunks_mut::<8>();
        for (word, made_word) in words.iter().zip(made_words) {
            *made_word = made(word);
        }
        let mut word = [0; 8];
        word[..last.len()].copy_from_slice(last);
        made_last.copy_from_slice(&made(&word)[..last.len()]);
    }

    /// What was appended behind the first `len` bytes of the buffer.
    #[inline]
    pub(super) fn behind(&self, len: usize) -> &[u8] {
        &self.buffer[len..]
    }

    /// How long the buffer is.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Takes back what was appended behind the first `len` bytes of the buffer.
    pub(super) fn truncate(&mut self, len: usize) {
        self.buffer.truncate(len);
    }

    /// How many bytes there is room for.
    #[inline]
    pub fn room(&self) -> usize {
        self.most - self.buffer.len()
    }

    /// Whether something was dropped.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    #[inline]
    fn fitting<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let room = self.room();
        if bytes.len() <= room {
            return bytes;
        }
        self.overflowed = true;
        &bytes[..room]
    }
}

const CHANGED_AT_ONCE: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_dropped() {
        let mut buffer = b"before".to_vec();
        let mut output = Output::new(&mut buffer, 5);
        output.extend_from_slice(b"abc");
        output.push(b'd');
        assert_eq!((output.room(), output.overflowed()), (1, false));
        output.extend_changed(b"ef", |from, piece| {
            assert_eq!(from, 0);
            piece.make_ascii_uppercase();
        });
        assert_eq!((output.room(), output.overflowed()), (0, true));
        output.extend_from_slice(b"");
        assert_eq!(buffer, b"beforeabcdE");
    }

    #[test]
    fn pieces_are_changed_in_their_order() {
        let bytes = (0..50_000).map(|i| i as u8).collect::<Vec<_>>();
        let mut buffer = vec![];
        Output::new(&mut buffer, usize::MAX).extend_changed(&bytes, |from, piece| {
            for (i, byte) in piece.iter_mut().enumerate() {
                assert_eq!(*byte, (from + i) as u8);
                *byte ^= 0x55;
            }
        });
        assert!(
            buffer
                .iter()
                .zip(&bytes)
                .all(|(new, old)| *new == old ^ 0x55)
        );
        assert_eq!(buffer.len(), bytes.len());
    }
}
