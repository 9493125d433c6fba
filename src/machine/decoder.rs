//! UTF-8 that arrives in pieces, as Node's `StringDecoder` reads it.
//!
//! However the bytes are cut, the text is that of `String::from_utf8_lossy` of all of them: a
//! character that is split over chunks is put together, and what can never become one is replaced
//! by U+FFFD as soon as that is certain.

use std::borrow::Cow;
use std::str;

/// Keeps the beginning of a character between chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Utf8Decoder {
    /// At most three bytes are kept; the fourth is room to try one more.
    partial: [u8; 4],
    len: u8,
}

const REPLACEMENT: &str = "\u{FFFD}";

impl Utf8Decoder {
    /// The text of `chunk`, without a character that it only begins. Copies nothing where the chunk
    /// is whole and valid.
    pub(super) fn decode<'a>(&mut self, chunk: &'a [u8]) -> Cow<'a, str> {
        if self.len == 0
            && let Ok(text) = str::from_utf8(chunk)
        {
            return Cow::Borrowed(text);
        }
        let mut text = String::with_capacity(chunk.len() + 4);
        let taken = self.complete(chunk, &mut text);
        self.decode_rest(&chunk[taken..], &mut text);
        Cow::Owned(text)
    }

    /// How many bytes of a character that was begun are kept.
    pub(super) fn pending(&self) -> usize {
        self.len as usize
    }

    /// The end of the input: what stands for a character that was begun and never finished.
    pub(super) fn finish(&mut self) -> Option<&'static str> {
        (std::mem::take(&mut self.len) > 0).then_some(REPLACEMENT)
    }

    /// Adds bytes to the character that was begun, until it is one or cannot become one. Returns how
    /// many bytes that took.
    fn complete(&mut self, chunk: &[u8], text: &mut String) -> usize {
        let mut taken = 0;
        while self.len > 0 {
            let Some(byte) = chunk.get(taken) else {
                return taken;
            };
            let len = self.len as usize;
            self.partial[len] = *byte;
            match str::from_utf8(&self.partial[..=len]) {
                Ok(character) => {
                    text.push_str(character);
                    taken += 1;
                    self.len = 0;
                }
                Err(error) if error.error_len().is_none() => {
                    taken += 1;
                    self.len += 1;
                }
                Err(_) => {
                    // The byte does not belong to it, and is looked at afresh.
                    text.push_str(REPLACEMENT);
                    self.len = 0;
                }
            }
        }
        taken
    }

    fn decode_rest(&mut self, bytes: &[u8], text: &mut String) {
        for part in bytes.utf8_chunks() {
            text.push_str(part.valid());
            let invalid = part.invalid();
            if invalid.is_empty() {
                continue;
            }
            let at_end = invalid.as_ptr_range().end == bytes.as_ptr_range().end;
            let unfinished =
                at_end && str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if unfinished {
                self.partial[..invalid.len()].copy_from_slice(invalid);
                self.len = invalid.len() as u8;
            } else {
                text.push_str(REPLACEMENT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_in_pieces(bytes: &[u8], cuts: &[usize]) -> String {
        let mut decoder = Utf8Decoder::default();
        let mut text = String::new();
        let mut start = 0;
        for end in cuts.iter().copied().chain([bytes.len()]) {
            text.push_str(&decoder.decode(&bytes[start..end]));
            start = end;
        }
        text.extend(decoder.finish());
        text
    }

    #[test]
    fn every_cut_gives_the_text_of_the_whole() {
        let samples: &[&[u8]] = &[
            "Olá, 世界 🦀!".as_bytes(),
            b"\xf0\x9f\xa6",
            b"a\xe2\x82b\xff\xc3\xa9\xed\xa0\x80z",
            b"\xf4\x90\x80\x80\xc0\xafq\xe2\x82",
            b"\xf0\x9f\xf0\x9f\xa6\x80",
        ];
        for bytes in samples {
            let whole = String::from_utf8_lossy(bytes);
            for first in 0..=bytes.len() {
                for second in first..=bytes.len() {
                    assert_eq!(
                        decode_in_pieces(bytes, &[first, second]),
                        whole,
                        "{bytes:x?}"
                    );
                }
            }
            let all: Vec<usize> = (1..bytes.len()).collect();
            assert_eq!(
                decode_in_pieces(bytes, &all),
                whole,
                "byte by byte: {bytes:x?}"
            );
        }
    }

    #[test]
    fn a_whole_chunk_is_not_copied() {
        let chunk = "não".as_bytes();
        assert!(matches!(
            Utf8Decoder::default().decode(chunk),
            Cow::Borrowed("não")
        ));
    }

    #[test]
    fn a_character_that_never_ends_becomes_one_replacement() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.decode(b"ok\xe2\x82"), "ok");
        assert_eq!(decoder.finish(), Some("\u{FFFD}"));
        assert_eq!(decoder.finish(), None);
    }
}
