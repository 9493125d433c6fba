//! Requests as a person types them: words in a line, quoted where they have to be.

/// A quotation mark that opens and does not close, or closes in the middle of a word: where it opens.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unbalanced(pub(super) usize);

/// What may stand in front of a word, and behind a closing quotation mark: white space as C knows it.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// What ends a word without quotation marks; Redis takes two kinds of white space for a part of it.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Appends the words of `line` to `out`, and calls `word` behind each, with where it begins there.
///
/// | written | means |
/// |---|---|
/// | `"…"` | the bytes in between; `\n \r \t \b \a`, `\xHH`, and `\` before anything else |
/// | `'…'` | the bytes in between; `\'` |
pub(super) fn split(
    line: &[u8],
    out: &mut Vec<u8>,
    mut word: impl FnMut(&mut Vec<u8>, usize),
) -> Result<(), Unbalanced> {
    let mut rest = line;
    loop {
        while let [first, tail @ ..] = rest
            && is_space(*first)
        {
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let from = out.len();
        loop {
            let unbalanced = Unbalanced(line.len() - rest.len());
            let quoted = match rest {
                [b'"', tail @ ..] => double_quoted(tail, out),
                [b'\'', tail @ ..] => single_quoted(tail, out),
                [byte, tail @ ..] if !ends_word(*byte) => {
                    out.push(*byte);
                    rest = tail;
                    continue;
                }
                _ => break,
            };
            rest = behind_closing(quoted).ok_or(unbalanced)?;
            break;
        }
        word(out, from);
    }
}

/// Only white space may stand behind a closing quotation mark.
fn behind_closing(rest: Option<&[u8]>) -> Option<&[u8]> {
    rest.filter(|rest| rest.first().is_none_or(|byte| is_space(*byte)))
}

fn double_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, tail) = match rest {
            [b'"', tail @ ..] => return Some(tail),
            [b'\\', b'x', high, low, tail @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex(*high) << 4 | hex(*low), tail)
            }
            [b'\\', escaped, tail @ ..] => (unescaped(*escaped), tail),
            [byte, tail @ ..] => (*byte, tail),
            [] => return None,
        };
        out.push(byte);
        rest = tail;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, tail) = match rest {
            [b'\'', tail @ ..] => return Some(tail),
            [b'\\', b'\'', tail @ ..] => (b'\'', tail),
            [byte, tail @ ..] => (*byte, tail),
            [] => return None,
        };
        out.push(byte);
        rest = tail;
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

fn unescaped(letter: u8) -> u8 {
    match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<String>, Unbalanced> {
        let mut words = Vec::new();
        split(line.as_bytes(), &mut Vec::new(), |out, from| {
            words.push(out[from..].escape_ascii().to_string())
        })?;
        Ok(words)
    }

    #[test]
    fn words_are_split_at_white_space() {
        assert_eq!(
            words("  set  key\tvalue \r").unwrap(),
            ["set", "key", "value"]
        );
        assert_eq!(words("").unwrap(), Vec::<String>::new());
        assert_eq!(words(" \t\r\n\x0b\x0c").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn two_kinds_of_white_space_separate_words_only_in_front_of_them() {
        assert_eq!(words("\x0becho\x0ba 'b'\x0c").unwrap(), ["echo\\x0ba", "b"]);
    }

    #[test]
    fn quoted_words_may_contain_anything() {
        let line = r#"set "a b" 'c "d' "\x00\xfF\n\"\x4g" '\n\'' "" a"b""#;
        let expected = [
            "set",
            "a b",
            r#"c \"d"#,
            r#"\x00\xff\n\"x4g"#,
            r"\\n\'",
            "",
            "ab",
        ];
        assert_eq!(words(line).unwrap(), expected);
    }

    #[test]
    fn quotation_marks_have_to_balance() {
        for (line, at) in [
            (r#""a"#, 0),
            ("b 'a", 2),
            (r#""a"b""#, 0),
            ("'a'b", 0),
            (r#"x"a\""#, 1),
        ] {
            assert_eq!(words(line), Err(Unbalanced(at)), "{line}");
        }
    }
}
