//! Text in pieces against text as a whole.

use crate::fuzzing::Input;
use crate::machine::decoder::Utf8Decoder;

/// However the bytes are cut, the text is that of all of them.
pub fn utf8(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut decoder = Utf8Decoder::default();
    let mut whole = Vec::new();
    let mut text = String::new();
    while !input.is_empty() {
        let len = input.below(9);
        let piece = input.bytes(len);
        whole.extend_from_slice(piece);
        text.push_str(&decoder.decode(piece));
        // What is certain is not held back: at most one unfinished character is.
        let known = String::from_utf8_lossy(&whole);
        assert!(known.len() - text.len() <= 3, "{whole:x?}");
    }
    text.extend(decoder.finish());
    assert_eq!(text, String::from_utf8_lossy(&whole), "{whole:x?}");
}
