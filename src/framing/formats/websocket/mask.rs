//! The mask of a client's frames (RFC 6455, section 5.3).

use super::super::super::Output;

/// A key, turned so that its first byte is the next one to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mask(u32);

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

    /// Appends the next bytes unmasked, or masked, which is the same.
    #[inline]
    pub(super) fn apply(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        let key = u64::from(self.0);
        let key = key << 32 | key;
        out.extend_made(bytes, |word| word ^ key);
        self.0 = self.0.rotate_right(8 * (bytes.len() % 4) as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_on_where_it_was_whatever_the_pieces_are() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let bytes: Vec<u8> = (0..=255).collect();
        let expected: Vec<u8> = bytes
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ key[i % 4])
            .collect();
        for first in 0..100 {
            for second in [0, 1, 2, 3, 4, 31, 32, 33, 64, 128, 150] {
                let mut mask = Mask::new(key);
                let mut masked = vec![];
                for piece in [
                    &bytes[..first],
                    &bytes[first..first + second],
                    &bytes[first + second..],
                ] {
                    mask.apply(piece, &mut Output::new(&mut masked, piece.len()));
                }
                assert_eq!(masked, expected, "pieces of {first} and {second}");
            }
        }
    }
}
