//! What a client must receive, and how what it receives is held against that.

use std::fmt;
use std::rc::Rc;

/// What a closure makes of the bytes that have come for its part of an answer, from the part's first byte on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is not all there yet.
    More,
    /// The part takes so many bytes; what follows is the next one's.
    All(usize),
    /// It is not what it must be, and why.
    Wrong(String),
}

/// One part of the answers.
#[derive(Clone)]
pub(super) enum Expectation {
    Like(Pattern),
    By(Rc<str>, Rc<Look>),
}

type Look = dyn Fn(&[u8]) -> Seen;

/// Bytes, with runs between them that vary: each of bytes other than CR and LF, as few as possible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Vec<u8>>);

impl Pattern {
    pub(super) fn exactly(bytes: &[u8]) -> Pattern {
        Pattern(vec![bytes.to_vec()])
    }

    pub(super) fn push(&mut self, byte: u8) {
        match self.0.last_mut() {
            Some(last) => last.push(byte),
            None => self.0.push(vec![byte]),
        }
    }

    pub(super) fn push_run(&mut self) {
        if self.0.is_empty() {
            self.0.push(Vec::new());
        }
        // Two runs in a row are one.
        if self.0.len() == 1 || self.0.last().is_some_and(|last| !last.is_empty()) {
            self.0.push(Vec::new());
        }
    }

    /// Whether nothing says where its last run ends.
    pub(super) fn is_open(&self) -> bool {
        self.0.len() > 1 && self.0.last().is_some_and(Vec::is_empty)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty) && self.0.len() < 2
    }

    /// Holds what has come against it: so many bytes of it, more to come, or the place of the first byte that
    /// does not fit.
    fn fits(&self, bytes: &[u8]) -> Result<Option<usize>, usize> {
        let mut at = 0;
        for (number, literal) in self.0.iter().enumerate() {
            let found = match number {
                0 => begins(bytes, literal)?,
                _ => follows(bytes, at, literal)?,
            };
            match found {
                Some(end) => at = end,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

/// Where `literal` ends, which `bytes` must begin with.
fn begins(bytes: &[u8], literal: &[u8]) -> Result<Option<usize>, usize> {
    let differs = bytes.iter().zip(literal).position(|(a, b)| a != b);
    match differs {
        Some(at) => Err(at),
        None => Ok((bytes.len() >= literal.len()).then_some(literal.len())),
    }
}

/// Where the first `literal` ends behind a run that begins at `from`. A later one would be no better: between
/// the two there is nothing that a run cannot take.
fn follows(bytes: &[u8], from: usize, literal: &[u8]) -> Result<Option<usize>, usize> {
    let rest = &bytes[from..];
    for at in 0..=rest.len() {
        let there = &rest[at..];
        if there.starts_with(literal) {
            return Ok(Some(from + at + literal.len()));
        }
        if literal.starts_with(there) {
            return Ok(None);
        }
        if let Some(b'\r' | b'\n') = there.first() {
            return Err(from + at);
        }
    }
    Ok(None)
}

impl fmt::Display for Pattern {
    /// As in a conversation's file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, literal) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("*")?;
            }
            write!(f, "{}", literal.escape_ascii())?;
        }
        Ok(())
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expectation::Like(pattern) => write!(f, "\"{pattern}\""),
            Expectation::By(what, _) => f.write_str(what),
        }
    }
}

/// Something that came and must not have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) expected: String,
    pub(super) received: String,
    pub(super) why: String,
}

/// What has been heard of the answers.
#[derive(Default)]
pub(super) struct Hearing {
    received: Vec<u8>,
    /// Where the expectation at hand begins.
    from: usize,
    /// How many have come.
    pub(super) met: usize,
}

impl Hearing {
    pub(super) fn into_received(self) -> Vec<u8> {
        self.received
    }

    /// Takes what has come.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
    }

    /// Goes on with the expectations, of which there are these.
    pub(super) fn compare(&mut self, expectations: &[Expectation]) -> Result<(), Mismatch> {
        loop {
            let rest = &self.received[self.from..];
            let Some(expectation) = expectations.get(self.met) else {
                if rest.is_empty() {
                    return Ok(());
                }
                return Err(Mismatch {
                    expected: String::from("nothing more"),
                    received: quoted(rest, 0),
                    why: String::from("more has come than the answers"),
                });
            };
            let seen = match expectation {
                Expectation::Like(pattern) => pattern.fits(rest).map_err(|at| Mismatch {
                    expected: shortened(&expectation.to_string(), at),
                    received: quoted(rest, at),
                    why: format!(
                        "answer {} differs from its byte {} on",
                        self.met + 1,
                        at + 1
                    ),
                })?,
                Expectation::By(what, look) => match look(rest) {
                    Seen::More => None,
                    Seen::All(count) if count <= rest.len() => Some(count),
                    Seen::All(count) => {
                        return Err(Mismatch {
                            expected: what.to_string(),
                            received: quoted(rest, 0),
                            why: format!(
                                "the closure takes {count} bytes of {}, which is its mistake",
                                rest.len()
                            ),
                        });
                    }
                    Seen::Wrong(why) => {
                        return Err(Mismatch {
                            expected: what.to_string(),
                            received: quoted(rest, 0),
                            why: format!("answer {}: {why}", self.met + 1),
                        });
                    }
                },
            };
            let Some(count) = seen else {
                return Ok(());
            };
            self.from += count;
            self.met += 1;
        }
    }

    /// What is missing.
    pub(super) fn missing(&self, expectations: &[Expectation], why: String) -> Mismatch {
        let rest = &self.received[self.from..];
        let expected = expectations.get(self.met);
        Mismatch {
            expected: expected.map_or_else(
                || String::from("the end"),
                |expected| shortened(&expected.to_string(), rest.len()),
            ),
            received: quoted(rest, rest.len()),
            why,
        }
    }
}

/// The most that a finding shows of bytes.
const SHOWN: usize = 120;

/// Bytes as in a literal, shortened around a place.
pub(super) fn quoted(bytes: &[u8], around: usize) -> String {
    let from = around.saturating_sub(SHOWN / 2).min(bytes.len());
    let to = (from + SHOWN).min(bytes.len());
    let before = if from > 0 { "… " } else { "" };
    let more = match bytes.len() - to {
        0 => String::new(),
        more => format!(" … and {more} more"),
    };
    format!("{before}\"{}\"{more}", bytes[from..to].escape_ascii())
}

/// Text, shortened around a place, roughly.
fn shortened(text: &str, around: usize) -> String {
    let count = text.chars().count();
    if count <= 2 * SHOWN {
        return text.to_owned();
    }
    let from = around.saturating_sub(SHOWN / 2);
    let part: String = text.chars().skip(from).take(SHOWN).collect();
    let before = if from > 0 { "… " } else { "" };
    let after = if from + SHOWN < count { " …" } else { "" };
    format!("{before}{part}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        for byte in text.bytes() {
            match byte {
                b'*' => pattern.push_run(),
                byte => pattern.push(byte),
            }
        }
        pattern
    }

    #[test]
    fn a_run_is_as_short_as_possible_and_stays_in_its_line() {
        for (text, bytes, fits) in [
            ("abc", "abcd", Ok(Some(3))),
            ("abc", "ab", Ok(None)),
            ("abc", "abd", Err(2)),
            ("a*c", "abbc", Ok(Some(4))),
            ("a*c", "ac", Ok(Some(2))),
            ("a*c", "abb", Ok(None)),
            ("a*c", "ab\nc", Err(2)),
            ("a*\r\n", "a\r\n", Ok(Some(3))),
            ("a*\r\n", "a12\r", Ok(None)),
            ("a*\r\n", "a12\rx", Err(3)),
            ("*x*y", "1x2y", Ok(Some(4))),
            ("**x", "1x", Ok(Some(2))),
            ("a*ab", "aaab", Ok(Some(4))),
        ] {
            assert_eq!(pattern(text).fits(bytes.as_bytes()), fits, "{text} {bytes}");
        }
        assert!(pattern("a*").is_open() && !pattern("a*b").is_open());
        assert!(pattern("").is_empty() && !pattern("*").is_empty());
    }

    #[test]
    fn what_comes_behind_the_answers_is_too_much() {
        let one = [Expectation::Like(pattern("a*\n"))];
        let mut hearing = Hearing::default();
        hearing.hear(b"a1");
        assert_eq!(hearing.compare(&one), Ok(()));
        assert_eq!(hearing.met, 0);
        hearing.hear(b"\nb");
        let mismatch = hearing.compare(&one).unwrap_err();
        assert_eq!((hearing.met, mismatch.received.as_str()), (1, "\"b\""));
    }
}
