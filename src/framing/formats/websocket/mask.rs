//! The mask of a client's frames (RFC 6455, section 5.3).

/// A key, turned so that its first byte is the next one to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mask(u32);

/// How many bytes are changed at a time: as many as the widest registers hold, on most machines.
const BLOCK: usize = 32;

impl Mask {
    /// No mask, which is the same as a key of zeros.
    pub(super) const NONE: Self = Self(0);

    #[inline]
    pub(super) fn new(key: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(key))
    }

    /// Whether the bytes stand for themselves.
    #[inline]
    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Masks the next bytes, or unmasks them: it is the same.
    #[inline]
    pub(super) fn apply(&mut self, bytes: &mut [u8]) {
        let key = self.0.to_le_bytes();
        let block: [u8; BLOCK] = std::array::from_fn(|i| key[i % 4]);
        let (blocks, rest) = bytes.as_chunks_mut::<BLOCK>();
        for bytes in blocks {
            for (byte, key) in bytes.iter_mut().zip(block) {
                *byte ^= key;
            }
        }
        let (words, rest) = rest.as_chunks_mut::<4>();
        for word in words {
            *word = (u32::from_le_bytes(*word) ^ self.0).to_le_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(key) {
            *byte ^= key;
        }
        self.0 = self.0.rotate_right(8 * rest.len() as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_on_where_it_was_whatever_the_pieces_are() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let bytes: Vec<u8> = (0..200).collect();
        let expected: Vec<u8> = bytes
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ key[i % 4])
            .collect();
        for first in 0..100 {
            for second in [0, 1, 2, 3, 4, 31, 32, 33, 64] {
                let mut mask = Mask::new(key);
                let mut masked = bytes.clone();
                let (one, rest) = masked.split_at_mut(first);
                let (two, three) = rest.split_at_mut(second);
                for piece in [one, two, three] {
                    mask.apply(piece);
                }
                assert_eq!(masked, expected, "pieces of {first} and {second}");
            }
        }
    }
}
