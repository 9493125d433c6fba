//! The little JSON that a list of rules needs: an array of strings, printed and read.
//!
//! The reader knows nothing else. It tells other values apart (`ERR_INVALID_ARG_TYPE`) from text that
//! is not JSON (`ERR_INVALID_ARG_VALUE`) by how they begin, and looks no further into them.

use crate::address::AddressError;
use crate::error::quoted;

/// Rules have neither quotes nor backslashes nor controls, so that nothing is to be escaped.
pub(super) fn print(rules: &[String]) -> String {
    let strings: Vec<String> = rules.iter().map(|rule| format!("\"{rule}\"")).collect();
    format!("[{}]", strings.join(","))
}

pub(super) fn parse(text: &str) -> Result<Vec<String>, AddressError> {
    let mut reader = Reader { text, at: 0 };
    let strings = reader.array()?;
    reader.skip_whitespace();
    match reader.peek() {
        None => Ok(strings),
        Some(_) => Err(reader.error("Unexpected non-whitespace character after JSON")),
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The byte that comes next; always at the boundary of a character.
    at: usize,
}

impl Reader<'_> {
    fn array(&mut self) -> Result<Vec<String>, AddressError> {
        self.skip_whitespace();
        if self.peek() != Some('[') {
            return Err(self.not_an_array());
        }
        self.at += 1;
        self.skip_whitespace();
        let mut strings = Vec::new();
        if self.take(']') {
            return Ok(strings);
        }
        loop {
            self.skip_whitespace();
            strings.push(self.element()?);
            self.skip_whitespace();
            if self.take(']') {
                return Ok(strings);
            }
            if !self.take(',') {
                return Err(self.error("Expected ',' or ']' after array element in JSON"));
            }
        }
    }

    fn element(&mut self) -> Result<String, AddressError> {
        match self.peek() {
            Some('"') => self.string(),
            Some('[' | '{' | '-' | '0'..='9' | 't' | 'f' | 'n') => Err(AddressError::NotRules {
                received: "an instance of Array".to_owned(),
            }),
            _ => Err(self.unexpected()),
        }
    }

    fn not_an_array(&mut self) -> AddressError {
        let rest = self.text[self.at..].trim_ascii_end();
        let received = match rest {
            "null" => rest.to_owned(),
            "true" | "false" => format!("type boolean ({rest})"),
            _ if rest.starts_with('{') => "an instance of Object".to_owned(),
            _ if rest.starts_with('"') => match self.string() {
                Ok(text) => format!("type string ({})", quoted(&text)),
                Err(error) => return error,
            },
            _ if rest.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                format!("type number ({rest})")
            }
            _ => return self.unexpected(),
        };
        AddressError::NotRules { received }
    }

    /// Reads a string from its first quote to behind its last.
    fn string(&mut self) -> Result<String, AddressError> {
        let mut units: Vec<u16> = Vec::new();
        self.at += 1;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.at += 1;
                    // Half a surrogate pair, which JSON can spell, is no rule in any case.
                    return Ok(String::from_utf16_lossy(&units));
                }
                '\\' => {
                    self.at += 1;
                    units.push(self.escape()?);
                }
                c if c < ' ' => {
                    return Err(self.error("Bad control character in string literal in JSON"));
                }
                c => {
                    self.at += c.len_utf8();
                    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
                }
            }
        }
        Err(self.error("Unterminated string in JSON"))
    }

    /// Reads what follows a backslash, and returns what it stands for.
    fn escape(&mut self) -> Result<u16, AddressError> {
        let unit = match self.peek() {
            Some(c @ ('"' | '\\' | '/')) => c as u16,
            Some('b') => 0x08,
            Some('f') => 0x0c,
            Some('n') => 0x0a,
            Some('r') => 0x0d,
            Some('t') => 0x09,
            Some('u') => {
                self.at += 1;
                return self.four_hex_digits();
            }
            Some(_) => return Err(self.error("Bad escaped character in JSON")),
            None => return Err(self.error("Unterminated string in JSON")),
        };
        self.at += 1;
        Ok(unit)
    }

    fn four_hex_digits(&mut self) -> Result<u16, AddressError> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) else {
                return Err(self.error("Bad Unicode escape in JSON"));
            };
            unit = unit << 4 | digit as u16;
            self.at += 1;
        }
        Ok(unit)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self) -> AddressError {
        match self.peek() {
            Some(c) => self.error(&format!("Unexpected token '{c}' in JSON")),
            None => AddressError::InvalidJson {
                message: "Unexpected end of JSON input".to_owned(),
            },
        }
    }

    /// Says where, as JavaScript does: in UTF-16 units.
    fn error(&self, what: &str) -> AddressError {
        let before = &self.text[..self.at];
        let line = before.split('\n').count();
        let column = 1 + before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.encode_utf16().count());
        let position = before.encode_utf16().count();
        AddressError::InvalidJson {
            message: format!("{what} at position {position} (line {line} column {column})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        for rules in [
            vec![],
            vec![
                "Address: IPv4 1.2.3.4".to_owned(),
                "Range: IPv6 ::-::1".into(),
            ],
        ] {
            assert_eq!(parse(&print(&rules)), Ok(rules));
        }
    }

    #[test]
    fn reads_every_escape_and_any_whitespace() {
        let json =
            " [\t\"\\\"\\\\\\/\\b\\f\\n\\r\\t\" ,\r\n\"\\u0041\\ud83d\\ude00é😀\\ud800\"\n] ";
        let strings = [
            "\"\\/\u{8}\u{c}\n\r\t".to_owned(),
            "A😀é😀\u{fffd}".to_owned(),
        ];
        assert_eq!(parse(json), Ok(strings.to_vec()));
    }

    #[test]
    fn text_that_is_not_json_says_where() {
        for (json, message) in [
            ("", "Unexpected end of JSON input"),
            ("[", "Unexpected end of JSON input"),
            ("[\"a\",", "Unexpected end of JSON input"),
            (
                "[\"a\"",
                "Expected ',' or ']' after array element in JSON at position 4 (line 1 column 5)",
            ),
            (
                "[\"a\" \"b\"]",
                "Expected ',' or ']' after array element in JSON at position 5 (line 1 column 6)",
            ),
            (
                "[\"abc",
                "Unterminated string in JSON at position 5 (line 1 column 6)",
            ),
            (
                "[\"\\",
                "Unterminated string in JSON at position 3 (line 1 column 4)",
            ),
            (
                "[\"a\\qb\"]",
                "Bad escaped character in JSON at position 4 (line 1 column 5)",
            ),
            (
                "[\"\\u00\"]",
                "Bad Unicode escape in JSON at position 6 (line 1 column 7)",
            ),
            (
                "[\"a\nb\"]",
                "Bad control character in string literal in JSON at position 3 (line 1 column 4)",
            ),
            (
                "[\"😀\"]\n x",
                "Unexpected non-whitespace character after JSON at position 8 (line 2 column 2)",
            ),
            (
                "[\"a\",]",
                "Unexpected token ']' in JSON at position 5 (line 1 column 6)",
            ),
            (
                "['a']",
                "Unexpected token ''' in JSON at position 1 (line 1 column 2)",
            ),
            (
                "\u{a0}[]",
                "Unexpected token '\u{a0}' in JSON at position 0 (line 1 column 1)",
            ),
        ] {
            let error = parse(json).unwrap_err();
            assert_eq!(error.code(), "ERR_INVALID_ARG_VALUE");
            assert_eq!(error.to_string(), message, "{json}");
        }
    }

    #[test]
    fn only_an_array_of_strings_is_a_list_of_rules() {
        for (json, received) in [
            ("{}", "an instance of Object"),
            (" null ", "null"),
            ("true", "type boolean (true)"),
            ("5", "type number (5)"),
            ("\"x\"", "type string ('x')"),
            ("[1]", "an instance of Array"),
            ("[\"a\", null]", "an instance of Array"),
            ("[[\"a\"]]", "an instance of Array"),
        ] {
            let error = parse(json).unwrap_err();
            assert_eq!(error.code(), "ERR_INVALID_ARG_TYPE");
            assert_eq!(
                error.to_string(),
                format!(
                    "The \"data\" argument must be of type string or string[]. Received {received}"
                )
            );
        }
    }
}
