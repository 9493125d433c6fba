//! Naive decoders of the formats whose frames end where something stands.

use super::super::Malformed;
use super::seen::Naive;

/// A frame of `len` bytes of payload, and `tail` bytes.
fn found(rest: &[u8], len: usize, tail: usize) -> Naive<'_> {
    Naive::found(&rest[..len], len + tail)
}

/// A frame that is malformed behind `at` bytes of payload.
fn bad<'a>(rest: &'a [u8], at: usize, what: &'static str) -> Naive<'a> {
    Naive::bad(&rest[..at], at, what)
}

#[derive(Clone, Copy)]
pub(super) enum LineEnd {
    LfOrCrlf,
    Lf,
    Crlf,
}

pub(super) fn lines(rest: &[u8], end: LineEnd, remainder: bool, skip_blank: bool) -> Naive<'_> {
    let (len, tail) = match end {
        LineEnd::Crlf => match rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            Some(at) if rest[at..].starts_with(b"\r\n") => (at, 2),
            Some(at) if rest[at] == b'\n' => {
                return bad(rest, at, "line feed without a carriage return");
            }
            Some(at) if at + 1 < rest.len() => {
                return bad(rest, at, "carriage return without a line feed");
            }
            Some(at) => return Naive::cut(&rest[..at]),
            None if remainder => (rest.len(), 0),
            None => return Naive::cut(rest),
        },
        LineEnd::Lf | LineEnd::LfOrCrlf => {
            let strips = matches!(end, LineEnd::LfOrCrlf);
            match rest.iter().position(|byte| *byte == b'\n') {
                Some(at) if strips && rest[..at].ends_with(b"\r") => (at - 1, 2),
                Some(at) => (at, 1),
                None if remainder => (rest.len(), 0),
                None => {
                    let cr = usize::from(strips && rest.ends_with(b"\r"));
                    return Naive::cut(&rest[..rest.len() - cr]);
                }
            }
        }
    };
    if skip_blank && len == 0 {
        Naive::Noise(tail)
    } else {
        found(rest, len, tail)
    }
}

pub(super) fn delimiters<'a>(rest: &'a [u8], delimiters: &[&[u8]], remainder: bool) -> Naive<'a> {
    for at in 0..rest.len() {
        let here = &rest[at..];
        let longest = delimiters
            .iter()
            .filter(|one| here.starts_with(one))
            .map(|one| one.len());
        if let Some(tail) = longest.max() {
            return found(rest, at, tail);
        }
    }
    if remainder {
        return found(rest, rest.len(), 0);
    }
    let may_begin = |at: &usize| delimiters.iter().any(|one| one.starts_with(&rest[*at..]));
    let settled = (0..=rest.len()).find(may_begin).unwrap_or(rest.len());
    Naive::cut(&rest[..settled])
}

pub(super) fn cobs(rest: &[u8]) -> Naive<'_> {
    let Some(end) = rest.iter().position(|byte| *byte == 0) else {
        return Naive::cut(rest);
    };
    if end == 0 {
        return Naive::Noise(1);
    }
    let raw = &rest[..end];
    Naive::unpacked(raw, end + 1, cobs_decoded(raw))
}

fn cobs_decoded(raw: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut payload = Vec::new();
    let mut until_code = 0;
    let mut code_at = 0;
    let mut zero_next = false;
    for (at, &byte) in raw.iter().enumerate() {
        if until_code == 0 {
            if zero_next {
                payload.push(0);
            }
            code_at = at;
            until_code = byte - 1;
            zero_next = byte != 0xff;
        } else {
            payload.push(byte);
            until_code -= 1;
        }
    }
    match until_code {
        0 => Ok(payload),
        _ => Err(Malformed::new(
            code_at,
            "COBS code that points behind the end",
        )),
    }
}

pub(super) fn json(rest: &[u8], max_depth: usize) -> Naive<'_> {
    let is_space = |byte: u8| b" \t\n\r".contains(&byte);
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let no_value = "byte that no JSON value starts or goes on with";
    if is_space(rest[0]) {
        return Naive::Noise(1);
    }
    if is_word(rest[0]) {
        return match rest.iter().position(|byte| !is_word(*byte)) {
            Some(at) if is_space(rest[at]) => found(rest, at, 0),
            Some(at) => bad(rest, at, no_value),
            None => found(rest, rest.len(), 0),
        };
    }
    let mut open = Vec::new();
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            b'"' => match string_end(&rest[at..]) {
                Some(len) => at += len - 1,
                None => return Naive::cut(rest),
            },
            b'{' | b'[' if open.len() == max_depth => {
                return bad(rest, at, "JSON value nested too deeply");
            }
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            _ if open.is_empty() => return bad(rest, at, no_value),
            close @ (b'}' | b']') if open.pop() != Some(close) => {
                return bad(rest, at, "JSON brackets that do not match");
            }
            _ => {}
        }
        at += 1;
        if open.is_empty() {
            return found(rest, at, 0);
        }
    }
    Naive::cut(rest)
}

/// The length of the string that `rest` starts with, quotes included.
fn string_end(rest: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match rest.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}
