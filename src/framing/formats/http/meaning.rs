//! What a head says about how its message is framed.

use super::super::super::Window;
use super::chars::{is_host, is_target};
use super::wrong;

/// What is known of a head so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    /// HTTP/1.1, and not HTTP/1.0.
    pub(super) is_1_1: bool,
    pub(super) status: u16,
    pub(super) method: Method,
    pub(super) length: Option<u64>,
    pub(super) chunked: bool,
    pub(super) host: bool,
}

/// The methods whose requests have other targets than the others have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Other,
    Options,
    Connect,
}

/// The fields that framing depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Other,
    Host,
    Length,
    Coding,
}

/// Bytes of which the first may lie in the leftover and the others in the chunk.
pub(super) type Parts<'a> = [&'a [u8]; 2];

/// The bytes of the window from one position to another.
#[inline]
pub(super) fn parts(window: Window<'_>, from: usize, to: usize) -> Parts<'_> {
    let [first, second] = window.split(from);
    let len = to - from;
    let in_first = first.len().min(len);
    [&first[..in_first], &second[..len - in_first]]
}

fn bytes<'a>(parts: Parts<'a>) -> impl Iterator<Item = u8> + Clone + 'a {
    let [first, second] = parts;
    first.iter().chain(second).copied()
}

impl Method {
    pub(super) fn of(parts: Parts<'_>) -> Method {
        if bytes(parts).eq(*b"CONNECT") {
            Method::Connect
        } else if bytes(parts).eq(*b"OPTIONS") {
            Method::Options
        } else {
            Method::Other
        }
    }

    /// Whether this method's requests have a target like this one, which is not empty.
    pub(super) fn has_target(self, parts: Parts<'_>) -> bool {
        let mut target = bytes(parts);
        let first = target.next();
        match self {
            Method::Connect => is_authority(bytes(parts)),
            Method::Options if first == Some(b'*') => target.next().is_none(),
            _ => first == Some(b'/') || is_absolute(bytes(parts)),
        }
    }
}

/// A host and a port.
fn is_authority(target: impl Iterator<Item = u8> + Clone) -> bool {
    let len = target.clone().count();
    let mut colon = None;
    for (at, byte) in target.clone().enumerate() {
        if byte == b':' {
            colon = Some(at);
        } else if !is_host(byte) {
            return false;
        }
    }
    let Some(colon) = colon else {
        return false;
    };
    let mut port = target.skip(colon + 1);
    colon > 0 && (1..=5).contains(&(len - colon - 1)) && port.all(|byte| byte.is_ascii_digit())
}

/// A scheme, `://`, and something behind it.
fn is_absolute(mut target: impl Iterator<Item = u8>) -> bool {
    if !target.next().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let behind = target.find(|byte| !scheme(byte));
    behind == Some(b':')
        && target.next() == Some(b'/')
        && target.next() == Some(b'/')
        && target
            .next()
            .is_some_and(|byte| is_target(byte) && byte != b'/')
}

impl Known {
    pub(super) fn of(parts: Parts<'_>) -> Known {
        let [first, second] = parts;
        let is = |name: &[u8]| {
            let (begins, ends) = name.split_at(first.len());
            first.eq_ignore_ascii_case(begins) && second.eq_ignore_ascii_case(ends)
        };
        match first.len() + second.len() {
            4 if is(b"host") => Known::Host,
            14 if is(b"content-length") => Known::Length,
            17 if is(b"transfer-encoding") => Known::Coding,
            _ => Known::Other,
        }
    }
}

/// What is wrong with a field: at its name, or so many bytes into its value.
pub(super) enum Wrong {
    Field(&'static str),
    Value(usize, &'static str),
}

impl Meaning {
    pub(super) const NOTHING: Self = Self {
        is_1_1: false,
        status: 0,
        method: Method::Other,
        length: None,
        chunked: false,
        host: false,
    };

    /// A field is there that framing depends on. Nothing is noted of one that is wrong.
    pub(super) fn note(&mut self, known: Known, value: Parts<'_>) -> Result<(), Wrong> {
        match known {
            Known::Other => {}
            Known::Host if self.host => return Err(Wrong::Field(wrong::SECOND_HOST)),
            Known::Host => {
                if let Some(at) = bytes(value).position(|byte| !is_host(byte)) {
                    return Err(Wrong::Value(at, wrong::HOST));
                }
                self.host = true;
            }
            Known::Length if self.length.is_some() => {
                return Err(Wrong::Field(wrong::SECOND_LENGTH));
            }
            Known::Length if self.chunked => return Err(Wrong::Field(wrong::BOTH)),
            Known::Length => self.length = Some(length(value)?),
            Known::Coding if self.chunked => return Err(Wrong::Field(wrong::SECOND_CODING)),
            Known::Coding if self.length.is_some() => return Err(Wrong::Field(wrong::BOTH)),
            Known::Coding if !self.is_1_1 => return Err(Wrong::Field(wrong::CODING_IN_1_0)),
            Known::Coding => {
                if !bytes(value)
                    .map(|byte| byte.to_ascii_lowercase())
                    .eq(*b"chunked")
                {
                    return Err(Wrong::Field(wrong_coding(value)));
                }
                self.chunked = true;
            }
        }
        Ok(())
    }
}

/// Digits, and nothing else.
fn length(value: Parts<'_>) -> Result<u64, Wrong> {
    if let Some(at) = bytes(value).position(|byte| !byte.is_ascii_digit()) {
        return Err(Wrong::Value(at, wrong::LENGTH));
    }
    let mut digits = bytes(value);
    match (digits.next(), digits.next()) {
        (None, _) => return Err(Wrong::Value(0, wrong::LENGTH)),
        (Some(b'0'), Some(_)) => return Err(Wrong::Value(0, wrong::LENGTH_ZERO)),
        _ => {}
    }
    let mut length = 0u64;
    for (at, digit) in bytes(value).enumerate() {
        let longer = length.checked_mul(10);
        length = longer
            .and_then(|tens| tens.checked_add(u64::from(digit - b'0')))
            .ok_or(Wrong::Value(at, wrong::LENGTH_OVERFLOW))?;
    }
    Ok(length)
}

/// What is wrong with a list of codings: the last one is `chunked`, or it is not.
fn wrong_coding(value: Parts<'_>) -> &'static str {
    const LAST: &[u8] = b"chunked";
    let mut matched = 0;
    let mut begins = true;
    for byte in bytes(value) {
        match byte {
            b',' => (begins, matched) = (true, 0),
            b' ' | b'\t' if begins => {}
            _ if (begins || matched > 0)
                && LAST.get(matched) == Some(&byte.to_ascii_lowercase()) =>
            {
                (begins, matched) = (false, matched + 1);
            }
            _ => (begins, matched) = (false, 0),
        }
    }
    if matched == LAST.len() {
        wrong::CODING
    } else {
        wrong::NOT_CHUNKED
    }
}
