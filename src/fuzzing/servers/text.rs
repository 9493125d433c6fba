//! Conversations as text.

use super::conversation::{Conversation, ConversationError};
use super::expectation::Pattern;

/// What the lines at hand are a part of.
enum Part {
    None,
    Request(Vec<u8>),
    /// And the line of its last run.
    Answer(Pattern, usize),
}

pub(super) fn parse(name: String, text: &[u8]) -> Result<Conversation, ConversationError> {
    let mut talk = Conversation::new(name);
    let mut part = Part::None;
    let mut is_said_to_close = 0;
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let wrong = |what: String| ConversationError { line: number, what };
        if let Some(b'\r') = line.last() {
            return Err(wrong(
                "ends with CR LF: the lines of this file end with LF".into(),
            ));
        }
        if let Some(b' ' | b'\t') = line.last() {
            return Err(wrong(
                "white space at the end: a space is written \\x20".into(),
            ));
        }
        let Some((mark, rest)) = line.split_first() else {
            talk = close(talk, std::mem::replace(&mut part, Part::None))?;
            continue;
        };
        if !b"><~!#".contains(mark) {
            let mark = mark.escape_ascii();
            return Err(wrong(format!(
                "begins with `{mark}`, and must with `>`, `<`, `~`, `!` or `#`"
            )));
        }
        let rest = match rest {
            [] => rest,
            [b' ', rest @ ..] => rest,
            _ if *mark == b'#' => rest,
            _ => {
                return Err(wrong(format!(
                    "a space must follow `{}`",
                    mark.escape_ascii()
                )));
            }
        };
        if is_said_to_close > 0 && matches!(mark, b'>' | b'<' | b'~') {
            return Err(wrong(format!(
                "the server has closed, says line {is_said_to_close}"
            )));
        }
        match mark {
            b'>' => {
                let mut request = match part {
                    Part::Request(request) => request,
                    other => {
                        talk = close(talk, other)?;
                        Vec::new()
                    }
                };
                read(rest, false, |byte| request.extend(byte)).map_err(wrong)?;
                part = Part::Request(request);
            }
            b'<' | b'~' => {
                let (mut pattern, mut last_run) = match part {
                    Part::Answer(pattern, last_run) => (pattern, last_run),
                    other => {
                        talk = close(talk, other)?;
                        (Pattern::default(), 0)
                    }
                };
                read(rest, *mark == b'~', |byte| match byte {
                    Some(byte) => pattern.push(byte),
                    None => {
                        pattern.push_run();
                        last_run = number;
                    }
                })
                .map_err(wrong)?;
                part = Part::Answer(pattern, last_run);
            }
            b'!' => {
                talk = close(talk, std::mem::replace(&mut part, Part::None))?;
                if rest == b"closes" {
                    is_said_to_close = number;
                }
                talk = direct(talk, rest).map_err(wrong)?;
            }
            _ => {}
        }
    }
    talk = close(talk, part)?;
    let empty = |what: &str| ConversationError {
        line: 0,
        what: what.into(),
    };
    if talk.stream.is_empty() {
        return Err(empty("nothing is sent"));
    }
    if talk.expectations.is_empty() && !talk.closes {
        return Err(empty("nothing is expected"));
    }
    Ok(talk)
}

/// A part is complete.
fn close(talk: Conversation, part: Part) -> Result<Conversation, ConversationError> {
    Ok(match part {
        Part::None => talk,
        Part::Request(request) => talk.send(request),
        Part::Answer(pattern, line) if pattern.is_open() => {
            let _ = talk;
            return Err(ConversationError {
                line,
                what: "nothing says where the last `*` ends".into(),
            });
        }
        Part::Answer(pattern, _) => talk.like(pattern),
    })
}

fn direct(mut talk: Conversation, text: &[u8]) -> Result<Conversation, String> {
    match text {
        b"closes" => Ok(talk.closes()),
        b"not pipelined" => Ok(talk.not_pipelined()),
        b"not half-closed" => Ok(talk.not_half_closed()),
        [b'n', b'a', b'm', b'e', b' ', name @ ..] => match std::str::from_utf8(name) {
            Ok(name) => {
                name.clone_into(&mut talk.name);
                Ok(talk)
            }
            Err(_) => Err("the name is not UTF-8".into()),
        },
        other => Err(format!(
            "`{}` is unknown: there are `name TEXT`, `closes`, `not pipelined` and `not half-closed`",
            other.escape_ascii()
        )),
    }
}

/// Hands on the bytes that a text stands for, and `None` for each run.
fn read(text: &[u8], has_runs: bool, mut each: impl FnMut(Option<u8>)) -> Result<(), String> {
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        let byte = match byte {
            b'*' if has_runs => {
                each(None);
                continue;
            }
            b'\\' => {
                let (byte, tail) = escaped(tail).ok_or_else(|| {
                    let column = text.len() - tail.len() + 2;
                    format!("column {column}: `\\` stands before r, n, t, 0, \\, * or xHH")
                })?;
                rest = tail;
                byte
            }
            byte => *byte,
        };
        each(Some(byte));
    }
    Ok(())
}

/// What stands behind a backslash.
fn escaped(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (first, tail) = rest.split_first()?;
    let byte = match first {
        b'r' => b'\r',
        b'n' => b'\n',
        b't' => b'\t',
        b'0' => 0,
        b'\\' | b'*' => *first,
        b'x' => {
            let (digits, tail) = tail.split_first_chunk::<2>()?;
            let digit = |at: usize| char::from(digits[at]).to_digit(16);
            return Some(((digit(0)? * 16 + digit(1)?) as u8, tail));
        }
        _ => return None,
    };
    Some((byte, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_requests_and_answers() {
        let text = b"# A server that greets.\n< 220 hi\\r\\n\n\n> a\\x00\\*\n> b\\\\\n\n> c\n\
            ~ 1*\\r\\n\n< 2*\n\n< 3\n! name of it\n! not pipelined\n! not half-closed\n! closes\n";
        let talk = parse("file".into(), text).unwrap();
        assert_eq!(talk.name(), "of it");
        assert_eq!(talk.stream, b"a\0*b\\c");
        assert_eq!(talk.requests, [(0, 1), (5, 1)]);
        let answers: Vec<String> = talk.expectations.iter().map(|e| e.to_string()).collect();
        assert_eq!(answers, ["\"220 hi\\r\\n\"", "\"1*\\r\\n2*\"", "\"3\""]);
        assert!(talk.closes && !talk.is_pipelined && !talk.is_half_closed);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, expected) in [
            ("", "nothing is sent"),
            ("# only this", "nothing is sent"),
            ("> a", "nothing is expected"),
            ("> a\n>b\n< c", "line 2: a space must follow `>`"),
            (
                "> a\n* c",
                "line 2: begins with `*`, and must with `>`, `<`, `~`, `!` or `#`",
            ),
            (
                "> a \n< c",
                "line 1: white space at the end: a space is written \\x20",
            ),
            (
                "> a\r\n< c",
                "line 1: ends with CR LF: the lines of this file end with LF",
            ),
            (
                "> a\n\n< b\\q",
                "line 3: column 4: `\\` stands before r, n, t, 0, \\, * or xHH",
            ),
            (
                "> a\\x4\n< b",
                "line 1: column 4: `\\` stands before r, n, t, 0, \\, * or xHH",
            ),
            (
                "> a\\",
                "line 1: column 4: `\\` stands before r, n, t, 0, \\, * or xHH",
            ),
            (
                "> a\n~ b*\n\n> c",
                "line 2: nothing says where the last `*` ends",
            ),
            (
                "> a\n< b\n! closes\n> c",
                "line 4: the server has closed, says line 3",
            ),
            (
                "> a\n! close",
                "line 2: `close` is unknown: there are `name TEXT`, `closes`, `not pipelined` and \
                 `not half-closed`",
            ),
        ] {
            let error = parse("x".into(), text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_taken_as_they_are() {
        let talk = parse("x".into(), b"> \xff\xfe\n< \x80*").unwrap();
        assert_eq!(talk.stream, b"\xff\xfe");
        assert_eq!(talk.expectations[0].to_string(), "\"\\x80*\"");
    }
}
