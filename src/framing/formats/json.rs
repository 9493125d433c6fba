//! A sequence of JSON values.

use super::super::window::work;
use super::super::{
    Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping, search,
};

/// JSON values one after the other, with any white space between them, or none where none is needed:
/// `{"a":1}{"b":2} [3] 4`. Newline-delimited JSON is a case of it, even with values over several
/// lines; for one value to a line, see [`Lines::ndjson`](super::Lines::ndjson).
///
/// It finds where values end; whether they are valid is for the parser to say. Brackets are checked
/// to match, as the end depends on them, and to be nested no deeper than 128 levels (or
/// [fewer](Self::max_depth)), so that a parser that recurses is safe. A number or a word ends with
/// white space or with the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json {
    max_depth: u32,
    scanned: usize,
    state: State,
    depth: u32,
    /// The open brackets, the innermost in the lowest bit; set for a square one.
    square: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    Word,
    Nested,
    InString,
    Escaped,
}

/// As many as there are bits for.
const DEEPEST: u32 = 128;

impl Json {
    /// Values nested up to 128 levels deep.
    pub const fn new() -> Self {
        Self {
            max_depth: DEEPEST,
            scanned: 0,
            state: State::Between,
            depth: 0,
            square: 0,
        }
    }

    /// Values nested up to `levels` deep; no more than 128, whatever it says.
    #[must_use]
    pub const fn max_depth(mut self, levels: u32) -> Self {
        self.max_depth = if levels < DEEPEST { levels } else { DEEPEST };
        self
    }

    fn frame(&mut self, payload: usize) -> Result<Option<Cut>, Malformed> {
        *self = Self::new().max_depth(self.max_depth);
        Ok(Some(Cut::Frame {
            head: 0,
            payload,
            tail: 0,
        }))
    }

    /// Looks at `bytes`, which start at position `scanned`, up to the end of the value.
    fn scan(&mut self, bytes: &[u8]) -> Result<Option<Cut>, Malformed> {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if self.state == State::InString {
                let plain = search::find_any(rest, *b"\"\\").unwrap_or(rest.len());
                if plain > 0 {
                    work::examined(plain);
                    self.scanned += plain;
                    rest = &rest[plain..];
                    continue;
                }
            }
            work::examined(1);
            let answer = self.read(byte)?;
            if answer.is_some() {
                return Ok(answer);
            }
            self.scanned += 1;
            rest = after;
        }
        Ok(None)
    }

    #[inline]
    fn read(&mut self, byte: u8) -> Result<Option<Cut>, Malformed> {
        let at = self.scanned;
        match (self.state, byte) {
            (State::Escaped, _) => self.state = State::InString,
            (State::InString, b'\\') => self.state = State::Escaped,
            (State::InString, b'"') if self.depth == 0 => return self.frame(at + 1),
            (State::InString, b'"') => self.state = State::Nested,
            (State::InString, _) => {}
            (State::Word, b' ' | b'\t' | b'\n' | b'\r') => return self.frame(at),
            (State::Between | State::Nested, b'"') => self.state = State::InString,
            (State::Between | State::Nested, b'{' | b'[') => {
                if self.depth == self.max_depth {
                    return Err(Malformed::in_payload(at, "JSON value nested too deeply"));
                }
                self.depth += 1;
                self.square = self.square << 1 | u128::from(byte == b'[');
                self.state = State::Nested;
            }
            (State::Nested, b'}' | b']') => {
                if (self.square & 1 == 1) != (byte == b']') {
                    return Err(Malformed::in_payload(at, "JSON brackets that do not match"));
                }
                self.square >>= 1;
                self.depth -= 1;
                if self.depth == 0 {
                    return self.frame(at + 1);
                }
            }
            (State::Nested, _) => {}
            (_, b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') => {
                self.state = State::Word;
            }
            _ => {
                return Err(Malformed::in_payload(
                    at,
                    "byte that no JSON value starts or goes on with",
                ));
            }
        }
        Ok(None)
    }
}

impl Default for Json {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Json {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let [first, second] = window.split(self.scanned);
        if self.state == State::Between {
            let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
            let spaces = first.iter().chain(second).take_while(is_space).count();
            if spaces > 0 {
                work::examined(spaces);
                return Ok(Cut::Skip(spaces));
            }
        }
        if let Some(cut) = self.scan(first)? {
            return Ok(cut);
        }
        let cut = self.scan(second)?;
        Ok(cut.unwrap_or(Cut::More {
            settled: self.scanned,
        }))
    }

    fn overhead(&self) -> usize {
        1
    }

    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let cut = if self.state == State::Word {
            self.frame(window.len())?
        } else {
            None
        };
        Ok(cut.unwrap_or(Cut::MORE))
    }

    fn forget(&mut self, bytes: usize) {
        self.scanned -= bytes;
    }
}

impl Streamable for Json {}

impl Wrap for Json {
    /// A value, and a line end. The payload must be what the reader would cut out: one value, without
    /// white space around it.
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        let mut reader = Self::new().max_depth(self.max_depth);
        let whole = Cut::Frame {
            head: 0,
            payload: payload.len(),
            tail: 0,
        };
        match reader.cut(Window::new(payload, b"\n")) {
            Ok(cut) if cut == whole && !payload.is_empty() => Wrapping::new(&[], b"\n"),
            Ok(Cut::Frame { payload: at, .. }) => Err(FrameError::NotOneFrame {
                at,
                what: "end of the JSON value",
            }),
            Ok(_) => Err(FrameError::NotOneFrame {
                at: 0,
                what: "no JSON value",
            }),
            Err(Malformed { at, what, .. }) => Err(FrameError::NotOneFrame { at, what }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(bytes: &[u8]) -> Result<Cut, Malformed> {
        Json::new().cut(Window::new(&[], bytes))
    }

    fn value(payload: usize) -> Result<Cut, Malformed> {
        Ok(Cut::Frame {
            head: 0,
            payload,
            tail: 0,
        })
    }

    #[test]
    fn values_end_where_their_brackets_do() {
        assert_eq!(cut(br#"{"a":[1,2]}{"#), value(11));
        assert_eq!(cut(br#"[]"#), value(2));
        assert_eq!(cut(br#"{"}":"\"}"} "#), value(11));
        assert_eq!(cut(br#""a\\" "#), value(5));
        assert_eq!(cut(b"  \n{"), Ok(Cut::Skip(3)));
        assert_eq!(cut(br#"{"a":"#), Ok(Cut::More { settled: 5 }));
    }

    #[test]
    fn words_end_with_white_space_or_the_input() {
        assert_eq!(cut(b"-1.5e3\n"), value(6));
        assert_eq!(cut(b"true"), Ok(Cut::More { settled: 4 }));
        let mut json = Json::new();
        let window = Window::new(b"", b"true");
        assert_eq!(json.cut(window), Ok(Cut::More { settled: 4 }));
        assert_eq!(json.at_end(window), value(4));
        assert_eq!(cut(b"1{").unwrap_err().at, 1);
        assert_eq!(cut(b",").unwrap_err().at, 0);
    }

    #[test]
    fn brackets_that_do_not_match_are_malformed() {
        assert_eq!(
            cut(b"[1}").unwrap_err(),
            Malformed::in_payload(2, "JSON brackets that do not match")
        );
        assert_eq!(cut(b"}").unwrap_err().at, 0);
    }

    #[test]
    fn depth_has_a_limit() {
        let deep = |levels| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert_eq!(cut(&deep(128)), value(256));
        assert_eq!(cut(&deep(129)).unwrap_err().at, 128);
        let flat = Json::new().max_depth(1);
        assert!(flat.clone().cut(Window::new(&[], b"[[")).is_err());
        assert!(flat.clone().cut(Window::new(&[], b"[]")).is_ok());
    }

    #[test]
    fn only_one_value_is_a_payload() {
        let wrap = |payload: &[u8]| Json::new().wrap(payload).map(|wrapping| wrapping.len());
        assert_eq!(wrap(br#"{"a": 1}"#), Ok(1));
        assert_eq!(wrap(b"17"), Ok(1));
        for bad in [&b""[..], b" 1", b"1 ", b"1 2", b"[", b"]", b"\"", b"[]x"] {
            assert!(wrap(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
