//! Decimal numbers, as lengths, counts and values are written.

use super::super::super::Window;

/// The most bytes of a 64-bit number: a sign and nineteen digits.
pub(super) const LONGEST: usize = 20;

/// A number with one spelling only: no plus sign, no leading zeros, no white space.
pub(super) fn strict(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] => (text.len() == 1).then_some(0),
        [b'1'..=b'9', ..] => decimal(text),
        _ => None,
    }
}

/// A number as the value of an integer may be spelt: with a sign, and with zeros in front. That is how std reads one.
pub(super) fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Nearly all lengths have a few digits, and searching for their end takes longer than reading them: the number from
/// `from` on, and the position behind its line end.
#[inline(always)]
pub(super) fn short(window: Window<'_>, from: usize) -> Option<(i64, usize)> {
    let mut value = 0;
    for at in from..from + 8 {
        match window.get(at) {
            Some(digit @ b'0'..=b'9') if value > 0 || at == from => {
                value = 10 * value + i64::from(digit - b'0');
            }
            Some(b'\r') if at > from && window.get(at + 1) == Some(b'\n') => {
                return Some((value, at + 2));
            }
            _ => break,
        }
    }
    None
}

/// Appends a number.
pub(super) fn append(out: &mut Vec<u8>, value: i64) {
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

/// Appends a line of a type and a number.
#[inline]
pub(super) fn append_head(out: &mut Vec<u8>, kind: u8, value: i64) {
    out.push(kind);
    append(out, value);
    out.extend_from_slice(b"\r\n");
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
            assert_eq!(strict(&text), Some(value));
            assert_eq!(decimal(&text), Some(value));
        }
    }

    #[test]
    fn lengths_have_one_spelling_and_values_have_more() {
        for text in ["-0", "01", "+1", "-01", "00"] {
            assert_eq!(strict(text.as_bytes()), None, "{text:?}");
            assert!(decimal(text.as_bytes()).is_some(), "{text:?}");
        }
        for text in ["", "-", "+", " 1", "1 ", "1a", "+-1", "9223372036854775808"] {
            assert_eq!(strict(text.as_bytes()), None, "{text:?}");
            assert_eq!(decimal(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(strict(b"-9223372036854775809"), None);
        assert_eq!(strict(&[b'9'; 70]), None);
    }

    #[test]
    fn a_short_number_is_read_with_its_line_end() {
        let read = |text| short(Window::new(&[], text), 1);
        assert_eq!(read(b"$0\r\n"), Some((0, 4)));
        assert_eq!(read(b"$12\r\nabc"), Some((12, 5)));
        for other in [
            &b"$12\r"[..],
            b"$12",
            b"$\r\n",
            b"$01\r\n",
            b"$-1\r\n",
            b"$12345678\r\n",
            b"$1\ra",
        ] {
            assert_eq!(read(other), None);
        }
    }
}
