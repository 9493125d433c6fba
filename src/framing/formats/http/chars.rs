//! Which bytes may stand where, and how far a run of them goes.

const TOKEN: u8 = 1;
const HOST: u8 = 2;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        let (byte_class, class) = (byte as u8, &mut classes[byte]);
        if byte_class.is_ascii_alphanumeric() {
            *class = TOKEN | HOST;
        } else {
            *class = match byte_class {
                b'!' | b'$' | b'&' | b'\'' | b'*' | b'+' => TOKEN | HOST,
                b'-' | b'.' | b'_' | b'~' | b'%' => TOKEN | HOST,
                b'(' | b')' | b',' | b';' | b'=' | b':' | b'[' | b']' => HOST,
                b'^' | b'`' | b'|' | b'#' => TOKEN,
                _ => 0,
            };
        }
        byte += 1;
    }
    classes
}

/// RFC 9110, section 5.6.2.
#[inline(always)]
pub(super) fn is_token(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TOKEN != 0
}

/// What RFC 3986 has in a URI without its fragment, and what browsers leave as it is in one: ``\^`{|}``.
#[inline(always)]
pub(super) fn is_target(byte: u8) -> bool {
    // All that is printed but the quotation mark and the number sign, which are neighbours, and two brackets.
    (0x21..0x7f).contains(&byte) && byte & !1 != b'"' && byte | 2 != b'>'
}

/// RFC 3986, section 3.2.2, and the colon in front of a port.
#[inline(always)]
pub(super) fn is_host(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & HOST != 0
}

/// What stands in a field's value: all but controls, of which a tab is allowed.
#[inline(always)]
pub(super) fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// How many bytes at the front are of a token.
#[inline(always)]
pub(super) fn token_len(bytes: &[u8]) -> usize {
    // Most names are made of these, and a comparison of many at once has no tables.
    let in_names = |byte: u8| (byte | 0x20).is_ascii_lowercase() || byte == b'-';
    let len = run(bytes, in_names);
    let others = bytes[len..].iter().take_while(|byte| is_token(**byte));
    len + others.count()
}

/// How many bytes at the front are of a request target.
#[inline(always)]
pub(super) fn target_len(bytes: &[u8]) -> usize {
    run(bytes, is_target)
}

/// How many bytes stand in front of the first control character, tabs included.
#[inline(always)]
pub(super) fn text_len(bytes: &[u8]) -> usize {
    run(bytes, |byte| byte >= b' ' && byte != 0x7f)
}

/// How many bytes stand in front of the first `end`.
#[inline(always)]
pub(super) fn len_before(bytes: &[u8], end: u8) -> Option<usize> {
    let len = run(bytes, |byte| byte != end);
    (len < bytes.len()).then_some(len)
}

/// How many bytes are looked at at once: as many as the vector registers that every machine has.
const BLOCK: usize = 16;

/// How many bytes at the front belong together: for stretches of the length of a name or a value, for which a loop that
/// is all here is faster than the search for any length.
#[inline(always)]
fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    // Compilers turn this into vector instructions: a byte of ones for each that does not belong.
    let first_other = |block: &[u8; BLOCK]| {
        let others = block.map(|byte| if belongs(byte) { 0 } else { 0xff });
        let others = u128::from_le_bytes(others);
        (others != 0).then(|| others.trailing_zeros() as usize / 8)
    };
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for (i, block) in blocks.iter().enumerate() {
        if let Some(at) = first_other(block) {
            return i * BLOCK + at;
        }
    }
    // What is left is looked at once more with bytes in front of it, where there are some.
    if let Some(block) = bytes.last_chunk::<BLOCK>() {
        let at = first_other(block);
        return at.map_or(bytes.len(), |at| bytes.len() - BLOCK + at);
    }
    let other = rest.iter().position(|byte| !belongs(*byte));
    other.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_at_the_first_control_character_wherever_it_stands() {
        for control in (0..0x20).chain([0x7f]) {
            for len in 0..130 {
                for at in (0..len).filter(|at| *at < 40 || at % 7 == 0) {
                    let mut bytes = vec![b'x'; len];
                    bytes[at] = control;
                    bytes[len - 1] = control;
                    assert_eq!(text_len(&bytes), at);
                }
            }
        }
        for byte in (0x20..=0xff).filter(|byte| *byte != 0x7f) {
            assert_eq!(text_len(&[byte; 21]), 21, "{byte:#x}");
            let mut bytes = [byte; 21];
            bytes[13] = b'\r';
            assert_eq!(text_len(&bytes), 13, "{byte:#x}");
        }
    }

    #[test]
    fn a_run_ends_at_the_first_byte_that_does_not_belong_wherever_it_stands() {
        for len in 0..70 {
            let names = vec![b'x'; len];
            assert_eq!(token_len(&names), len);
            assert_eq!(len_before(&names, b':'), None);
            for at in 0..len {
                for other in 0..=255 {
                    let mut bytes = names.clone();
                    bytes[at] = other;
                    bytes[len - 1] = b':';
                    let by_one =
                        |is: fn(u8) -> bool| bytes.iter().take_while(|byte| is(**byte)).count();
                    assert_eq!(token_len(&bytes), by_one(is_token), "{other:#x}");
                    assert_eq!(target_len(&bytes), by_one(is_target), "{other:#x}");
                    let colon = bytes.iter().position(|byte| *byte == b':');
                    assert_eq!(len_before(&bytes, b':'), colon, "{other:#x}");
                }
            }
        }
    }

    #[test]
    fn tokens_are_those_of_the_rfc() {
        let others = b"!#$%&'*+-.^_`|~";
        for byte in 0..=255u8 {
            let token = byte.is_ascii_alphanumeric() || others.contains(&byte);
            assert_eq!(is_token(byte), token, "{byte:#x}");
        }
    }

    #[test]
    fn targets_have_no_space_no_fragment_and_no_quotes() {
        for byte in 0..=255u8 {
            let target = byte.is_ascii_graphic() && !b"\"#<>".contains(&byte);
            assert_eq!(is_target(byte), target, "{byte:#x}");
        }
    }
}
