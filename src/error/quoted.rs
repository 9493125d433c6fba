//! Strings in messages.

/// A string as Node's `inspect` shows it: in the quotes that need no escape, if there are such.
pub(crate) fn quoted(text: &str) -> String {
    let quote = match (text.contains('\''), text.contains('"'), text.contains('`')) {
        (false, ..) => '\'',
        (true, false, _) => '"',
        (true, true, false) if !text.contains("${") => '`',
        _ => '\'',
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            '\'' if quote == '\'' => out.push_str("\\'"),
            c if c.is_control() => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_node_shows_it() {
        for (text, expected) in [
            ("foo", "'foo'"),
            ("fo'o", "\"fo'o\""),
            ("a'\"", "`a'\"`"),
            ("a'\"`", "'a\\'\"`'"),
            ("a'\"${", "'a\\'\"${'"),
            (
                "\u{8}\t\n\u{b}\u{c}\r\u{1b}\0",
                "'\\b\\t\\n\\x0B\\f\\r\\x1B\\x00'",
            ),
            ("\\\u{7f}\u{80}é", "'\\\\\\x7F\\x80é'"),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
