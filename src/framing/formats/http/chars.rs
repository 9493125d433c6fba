//! Which bytes may stand where, and how far a run of them goes.

const TOKEN: u8 = 1;
const HOST: u8 = 2;

static CLASSES: [u8; 256] = {
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
};

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
    // Most names are made of these alone.
    let in_names = |byte: u8| (byte | 0x20).is_ascii_lowercase() || byte == b'-';
    let others = |word: u64| {
        let lower = (word | lanes(0x20)) & !HIGHS;
        let from_a = lower + lanes(0x80 - b'a');
        let behind_z = lower + lanes(0x7f - b'z');
        // Exactly, since what is said to be one is no other.
        let from_dash = word ^ lanes(b'-');
        let no_dash = ((from_dash & !HIGHS) + lanes(0x7f)) | from_dash;
        !(from_a & !behind_z) & no_dash | word
    };
    let len = run(bytes, others, in_names);
    let rest = bytes[len..].iter().take_while(|byte| is_token(**byte));
    len + rest.count()
}

/// How many bytes at the front are of a request target.
#[inline(always)]
pub(super) fn target_len(bytes: &[u8]) -> usize {
    let others = |word: u64| {
        let quotes = equal_to(word & !lanes(1), b'"');
        let brackets = equal_to(word | lanes(2), b'>');
        below(word, 0x21) | from_delete_on(word) | quotes | brackets
    };
    run(bytes, others, is_target)
}

/// How many bytes stand in front of the first control character, tabs included.
#[inline(always)]
pub(super) fn text_len(bytes: &[u8]) -> usize {
    let others = |word: u64| below(word, b' ') | from_delete_on(word) & !word;
    long_run(bytes, others, |byte| byte >= b' ' && byte != 0x7f)
}

/// How many bytes stand in front of the first carriage return.
#[inline(always)]
pub(super) fn line_len(bytes: &[u8]) -> usize {
    long_run(bytes, |word| equal_to(word, b'\r'), |byte| byte != b'\r')
}

/// How many bytes stand in front of the first colon.
#[inline(always)]
pub(super) fn len_before_colon(bytes: &[u8]) -> usize {
    run(bytes, |word| equal_to(word, b':'), |byte| byte != b':')
}

/// Eight bytes are looked at as one number. What is true of a byte is said by its highest bit. The bits in front of the
/// lowest one that is set are exact, those above need not be: a borrow goes on upwards.
const HIGHS: u64 = lanes(0x80);

const fn lanes(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

#[inline(always)]
fn equal_to(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ lanes(byte);
    zero_where_equal.wrapping_sub(lanes(1)) & !zero_where_equal
}

#[inline(always)]
fn below(word: u64, byte: u8) -> u64 {
    word.wrapping_sub(lanes(byte)) & !word
}

/// What is greater than 0x7e.
#[inline(always)]
fn from_delete_on(word: u64) -> u64 {
    ((word & !HIGHS) + lanes(1)) | word
}

/// How many bytes at the front belong together, as both say: `others` of eight at once, by the highest bits of those that
/// do not, and `belongs` of each. For stretches of the length of a name, for which a loop that is all here is faster
/// than the search for any length.
#[inline(always)]
fn run(bytes: &[u8], others: impl Fn(u64) -> u64, belongs: impl Fn(u8) -> bool) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        if let Some(at) = first_other(word, &others) {
            return 8 * i + at;
        }
    }
    let other = rest.iter().position(|byte| !belongs(*byte));
    bytes.len() - rest.len() + other.unwrap_or(rest.len())
}

/// As `run`, for stretches of the length of a line: sixteen bytes at a time go through a comparison that compilers turn
/// into vector instructions, and those that have another among them through the other one.
#[inline(always)]
fn long_run(bytes: &[u8], others: impl Fn(u64) -> u64, belongs: impl Fn(u8) -> bool) -> usize {
    let (blocks, rest) = bytes.as_chunks::<16>();
    for (i, block) in blocks.iter().enumerate() {
        let any = block.iter().map(|byte| u8::from(!belongs(*byte)));
        if any.fold(0, |any, other| any | other) != 0 {
            return 16 * i + run(block, others, belongs);
        }
    }
    bytes.len() - rest.len() + run(rest, others, belongs)
}

#[inline(always)]
fn first_other(word: &[u8; 8], others: impl Fn(u64) -> u64) -> Option<usize> {
    let hits = others(u64::from_le_bytes(*word)) & HIGHS;
    (hits != 0).then(|| hits.trailing_zeros() as usize / 8)
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
        for (filler, len) in [b'x', b'-', b'/']
            .into_iter()
            .flat_map(|filler| [7, 8, 31, 100].map(|len| (filler, len)))
        {
            for at in 0..len {
                for other in 0..=255 {
                    let mut bytes = vec![filler; len];
                    bytes[at] = other;
                    bytes[len - 1] = b':';
                    let by_one =
                        |is: fn(u8) -> bool| bytes.iter().take_while(|byte| is(**byte)).count();
                    assert_eq!(token_len(&bytes), by_one(is_token), "{other:#x}");
                    assert_eq!(target_len(&bytes), by_one(is_target), "{other:#x}");
                    let before = |end| bytes.iter().take_while(|byte| **byte != end).count();
                    assert_eq!(len_before_colon(&bytes), before(b':'), "{other:#x}");
                    assert_eq!(line_len(&bytes), before(b'\r'), "{other:#x}");
                }
            }
        }
        assert_eq!(token_len(&[b'x'; 77]), 77);
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
