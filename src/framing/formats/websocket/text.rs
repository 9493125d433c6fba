//! Whether bytes that come in pieces are UTF-8.

/// The end of what came so far, if it is the beginning of a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// At most three bytes are kept; the fourth is room to try one more.
    begun: [u8; 4],
    len: u8,
}

impl Text {
    /// Whether the text may end here.
    pub(super) fn is_whole(self) -> bool {
        self.len == 0
    }

    /// The next bytes: the position of the first one with which they cannot be UTF-8 any more, whatever comes behind.
    #[inline]
    pub(super) fn check(&mut self, bytes: &[u8]) -> Option<usize> {
        let taken = match self.len {
            0 => 0,
            _ => match self.complete(bytes) {
                Ok(taken) => taken,
                Err(at) => return Some(at),
            },
        };
        let rest = &bytes[taken..];
        let error = std::str::from_utf8(rest).err()?;
        let valid = error.valid_up_to();
        let behind = &rest[valid..];
        match error.error_len() {
            None => {
                self.begun[..behind.len()].copy_from_slice(behind);
                self.len = behind.len() as u8;
                None
            }
            // A byte that no character begins with, or one that does not go on with it.
            Some(1)
                if std::str::from_utf8(&behind[..1])
                    .is_err_and(|first| first.error_len().is_some()) =>
            {
                Some(taken + valid)
            }
            Some(len) => Some(taken + valid + len),
        }
    }

    /// Completes the character that was begun; how many bytes that took.
    fn complete(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        for (at, byte) in bytes.iter().enumerate() {
            let len = usize::from(self.len);
            self.begun[len] = *byte;
            match std::str::from_utf8(&self.begun[..=len]) {
                Ok(_) => {
                    self.len = 0;
                    return Ok(at + 1);
                }
                Err(error) if error.error_len().is_none() => self.len += 1,
                Err(_) => return Err(at),
            }
        }
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the text goes wrong, and whether it may end; the same for every two cuts.
    fn check(bytes: &[u8]) -> (Option<usize>, bool) {
        let mut all = vec![];
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut text = Text::default();
                let pieces = [
                    (0, &bytes[..first]),
                    (first, &bytes[first..second]),
                    (second, &bytes[second..]),
                ];
                let wrong = pieces
                    .into_iter()
                    .find_map(|(from, piece)| text.check(piece).map(|at| from + at));
                all.push((wrong, wrong.is_none() && text.is_whole()));
            }
        }
        all.dedup();
        assert_eq!(all.len(), 1, "{bytes:?}: {all:?}");
        all[0]
    }

    #[test]
    fn text_is_wrong_at_the_first_byte_that_makes_it_so_however_it_is_cut() {
        for good in [
            "",
            "abc",
            "κόσμε",
            "\u{80}\u{800}\u{10000}\u{10ffff}",
            "🦀🦀",
        ] {
            assert_eq!(check(good.as_bytes()), (None, true));
        }
        let wrong: [(&[u8], usize); 10] = [
            (b"a\x80", 1),
            (b"ab\xc0\x80", 2),
            (b"a\xc3(", 2),
            (b"\xe0\x80\x80", 1),
            (b"\xed\xa0\x80", 1),
            (b"\xe2\x82(", 2),
            (b"\xf0\x9f\xa6(", 3),
            (b"\xf4\x90\x80\x80", 1),
            (b"\xf5", 0),
            (b"\xce\xba\xff", 2),
        ];
        for (bytes, at) in wrong {
            assert_eq!(check(bytes), (Some(at), false), "{bytes:?}");
        }
        for unfinished in [&b"a\xc3"[..], b"\xe2\x82", b"\xf0\x9f\xa6"] {
            assert_eq!(check(unfinished), (None, false));
        }
    }
}
