//! Which bytes may stand where, and how far a run of them goes.

const TOKEN: u8 = 1;
const TARGET: u8 = 2;
const HOST: u8 = 4;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        let (byte_class, class) = (byte as u8, &mut classes[byte]);
        if byte_class.is_ascii_alphanumeric() {
            *class = TOKEN | TARGET | HOST;
        } else {
            *class = match byte_class {
                b'!' | b'$' | b'&' | b'\'' | b'*' | b'+' => TOKEN | TARGET | HOST,
                b'-' | b'.' | b'_' | b'~' | b'%' => TOKEN | TARGET | HOST,
                b'(' | b')' | b',' | b';' | b'=' | b':' | b'[' | b']' => TARGET | HOST,
                b'^' | b'`' | b'|' => TOKEN | TARGET,
                b'/' | b'?' | b'@' | b'{' | b'}' | b'\\' => TARGET,
                b'#' => TOKEN,
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
    CLASSES[usize::from(byte)] & TARGET != 0
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
    run(bytes, is_token)
}

/// Whether all of them are of a token.
#[inline(always)]
pub(super) fn is_all_token(bytes: &[u8]) -> bool {
    // Without a branch for each.
    let class = bytes
        .iter()
        .fold(TOKEN, |all, byte| all & CLASSES[usize::from(*byte)]);
    class != 0
}

/// How many bytes at the front are of a request target.
#[inline(always)]
pub(super) fn target_len(bytes: &[u8]) -> usize {
    run(bytes, is_target)
}

#[inline(always)]
fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    let other = bytes.iter().position(|byte| !belongs(*byte));
    other.unwrap_or(bytes.len())
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many bytes stand in front of the first control character, tabs included.
#[inline(always)]
pub(super) fn text_len(bytes: &[u8]) -> usize {
    // Most values are short. Of long ones 32 bytes at a time go through a comparison that compilers turn into vector
    // instructions.
    let near = bytes.len().min(32);
    let len = text_len_by_words(&bytes[..near]);
    if len < near {
        return len;
    }
    let (blocks, _) = bytes[near..].as_chunks::<32>();
    let texts = blocks.iter().take_while(|block| {
        let control = |byte: &u8| u8::from(*byte < b' ') | u8::from(*byte == 0x7f);
        block.iter().fold(0, |any, byte| any | control(byte)) == 0
    });
    let from = near + 32 * texts.count();
    from + text_len_by_words(&bytes[from..])
}

#[inline(always)]
fn text_len_by_words(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // A borrow can mark lanes above a true hit, never below: the lowest mark is exact.
        let control = word.wrapping_sub(ONES * 0x20);
        let delete = (word & !HIGHS) + ONES;
        let hits = (control | delete) & !word & HIGHS;
        if hits != 0 {
            return i * 8 + hits.trailing_zeros() as usize / 8;
        }
    }
    let from = bytes.len() - rest.len();
    let control = rest.iter().position(|byte| *byte < b' ' || *byte == 0x7f);
    from + control.unwrap_or(rest.len())
}

/// How many bytes stand in front of the first `end`: for stretches of the length of a name or a value, for which a
/// loop that is all here is faster than the search for any length.
#[inline(always)]
pub(super) fn len_before(bytes: &[u8], end: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let lanes = ONES * u64::from(end);
    for (i, word) in words.iter().enumerate() {
        let zero_where_equal = u64::from_le_bytes(*word) ^ lanes;
        let hits = zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & HIGHS;
        if hits != 0 {
            return Some(i * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let from = bytes.len() - rest.len();
    Some(from + rest.iter().position(|byte| *byte == end)?)
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
