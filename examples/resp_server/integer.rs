//! Decimal integers as the protocol writes them, in lengths, counts and values alike.

/// The longest one: the sign and nineteen digits.
pub const LONGEST: usize = 20;

/// Reads an integer, of which every value has one spelling only: no plus sign, no leading zeros, no
/// white space.
pub fn parse(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0'] => return (!negative).then_some(0),
        [b'0', ..] => return None,
        _ => {}
    }
    // Downwards, as there is one more negative number than there are positive ones.
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(digit.into())?;
    }
    if negative {
        Some(value)
    } else {
        value.checked_neg()
    }
}

/// Appends an integer.
pub fn append(out: &mut Vec<u8>, value: i64) {
    let mut text = [0; LONGEST];
    let mut from = LONGEST;
    let mut rest = value.unsigned_abs();
    loop {
        from -= 1;
        text[from] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        from -= 1;
        text[from] = b'-';
    }
    out.extend_from_slice(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read_back() {
        for value in [0, 1, -1, 9, 10, 42, -100, i64::MAX, i64::MIN, i64::MIN + 1] {
            let mut text = Vec::new();
            append(&mut text, value);
            assert_eq!(text, value.to_string().as_bytes());
            assert_eq!(parse(&text), Some(value));
        }
    }

    #[test]
    fn other_spellings_are_none() {
        for text in [
            "",
            "-",
            "-0",
            "01",
            "+1",
            " 1",
            "1 ",
            "1a",
            "9223372036854775808",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse(b"-9223372036854775809"), None);
        assert_eq!(parse(&[b'9'; 70]), None);
    }
}
