//! Requests as a person types them: words in a line, quoted where they have to be.

/// A quotation mark that opens and does not close, or closes in the middle of a word.
#[derive(Debug, PartialEq, Eq)]
pub struct Unbalanced;

/// Calls `word` with every word of `line`.
///
/// | written | means |
/// |---|---|
/// | `"…"` | the bytes in between; `\n \r \t \b \a`, `\xHH`, and `\` before anything else |
/// | `'…'` | the bytes in between; `\'` |
pub fn split(line: &[u8], mut word: impl FnMut(&[u8])) -> Result<(), Unbalanced> {
    let mut rest = line;
    let mut current = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Ok(());
        }
        current.clear();
        loop {
            rest = match rest {
                [b'"', tail @ ..] => behind_closing(double_quoted(tail, &mut current)?)?,
                [b'\'', tail @ ..] => behind_closing(single_quoted(tail, &mut current)?)?,
                [byte, tail @ ..] if !byte.is_ascii_whitespace() => {
                    current.push(*byte);
                    tail
                }
                _ => break,
            };
        }
        word(&current);
    }
}

/// Only white space may stand behind a closing quotation mark.
fn behind_closing(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    match rest.first() {
        Some(byte) if !byte.is_ascii_whitespace() => Err(Unbalanced),
        _ => Ok(rest),
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, tail) = match rest {
            [b'"', tail @ ..] => return Ok(tail),
            [b'\\', b'x', high, low, tail @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex(*high) << 4 | hex(*low), tail)
            }
            [b'\\', escaped, tail @ ..] => (unescaped(*escaped), tail),
            [byte, tail @ ..] => (*byte, tail),
            [] => return Err(Unbalanced),
        };
        out.push(byte);
        rest = tail;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, tail) = match rest {
            [b'\'', tail @ ..] => return Ok(tail),
            [b'\\', b'\'', tail @ ..] => (b'\'', tail),
            [byte, tail @ ..] => (*byte, tail),
            [] => return Err(Unbalanced),
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
        split(line.as_bytes(), |word| {
            words.push(word.escape_ascii().to_string())
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
    }

    #[test]
    fn quoted_words_may_contain_anything() {
        let line = r#"set "a b" 'c "d' "\x00\xfF\n\"" '\n\'' "" a"b""#;
        let expected = [
            "set",
            "a b",
            r#"c \"d"#,
            r#"\x00\xff\n\""#,
            r"\\n\'",
            "",
            "ab",
        ];
        assert_eq!(words(line).unwrap(), expected);
    }

    #[test]
    fn quotation_marks_have_to_balance() {
        for line in [r#""a"#, "'a", r#""a"b"#, "'a'b", r#""a\""#] {
            assert_eq!(words(line), Err(Unbalanced), "{line}");
        }
    }
}
