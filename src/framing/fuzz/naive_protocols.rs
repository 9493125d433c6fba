//! Naive decoders of formats of whole protocols.

use super::super::Malformed;
use super::seen::{End, Naive, Part, Payload};

pub(super) fn mqtt(rest: &[u8], version_3: bool) -> Naive<'_> {
    let (kind, flags) = (rest[0] >> 4, rest[0] & 15);
    if kind == 0 || kind == 15 && version_3 {
        return Naive::bad(&[], 0, "MQTT packet of a reserved type (2.1.2)");
    }
    let quality = flags >> 1 & 3;
    if kind == 3 {
        if quality == 3 {
            return Naive::bad(&[], 0, "MQTT message of quality 3 (3.3.1-4)");
        }
        if quality == 0 && flags & 8 != 0 {
            let what = "MQTT message of quality 0 for the second time (3.3.1-2)";
            return Naive::bad(&[], 0, what);
        }
    } else if flags != if [6, 8, 10].contains(&kind) { 2 } else { 0 } {
        let what = "MQTT packet with flags that its type does not have (2.1.3)";
        return Naive::bad(&[], 0, what);
    }
    let field = &rest[1..rest.len().min(5)];
    let Some(last) = field.iter().position(|byte| *byte < 128) else {
        if field.len() == 4 {
            return Naive::bad(&[], 4, "MQTT length of more than four bytes (2.1.4)");
        }
        return Naive::cut(&[]);
    };
    if last > 0 && field[last] == 0 {
        return Naive::bad(&[], last + 1, "MQTT length longer than necessary (1.5.5-1)");
    }
    let mut length = 0;
    for byte in field[..=last].iter().rev() {
        length = length * 128 + u64::from(byte & 127);
    }
    let least = match kind {
        1 => 12,
        3 if quality > 0 => 4,
        8 => 6,
        9 => 3,
        10 => 5,
        12.. => 0,
        _ => 2,
    };
    let nothing = kind == 12 || kind == 13 || kind == 14 && version_3;
    if length < least || nothing && length > 0 {
        let what = "MQTT packet of a length that its type does not have";
        return Naive::bad(&[], 1, what);
    }
    Naive::announced(rest, last + 2, length)
}

pub(super) fn content_length(rest: &[u8], other_fields: bool) -> Naive<'_> {
    match head(rest, other_fields) {
        Err(None) => Naive::cut(&[]),
        Err(Some((at, what))) => Naive::bad(&[], at, what),
        Ok((head, length)) => {
            let part = Part::announced(&rest[head..], length);
            let body = part.bytes();
            let end = match std::str::from_utf8(body) {
                _ if !part.is_whole() => End::Cut,
                Ok(_) => End::Whole(head + body.len()),
                Err(error) => {
                    let at = head + error.valid_up_to();
                    let wrong = Malformed::new(at, "body that is no UTF-8");
                    End::Unpacked(head + body.len(), Err(wrong))
                }
            };
            let parts = vec![part];
            Naive::Frame { parts, end }
        }
    }
}

type Wrong = Option<(usize, &'static str)>;

/// Where the body begins, and how long it is.
fn head(rest: &[u8], other_fields: bool) -> Result<(usize, u64), Wrong> {
    let bad = |at, what| Err(Some((at, what)));
    let (mut length, mut typed, mut at) = (None, false, 0);
    loop {
        let end = (at..rest.len()).find(|at| b"\r\n".contains(&rest[*at]));
        if end.unwrap_or(rest.len()) > 1024 {
            return bad(1024, "head of more than 1,024 bytes");
        }
        let end = end.ok_or(None)?;
        if rest[end] == b'\n' {
            return bad(end, "line feed without a carriage return");
        }
        if *rest.get(end + 1).ok_or(None)? != b'\n' {
            return bad(end, "carriage return without a line feed");
        }
        if end == at {
            return match length {
                Some(length) => Ok((end + 2, length)),
                None => bad(end, "head without a Content-Length"),
            };
        }
        let line = rest[at..end]
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>();
        let token = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
        let name = line
            .chars()
            .take_while(|char| token(*char))
            .collect::<String>();
        let name_len = name.chars().count();
        match line.chars().nth(name_len) {
            None => return bad(end, "header line without a colon"),
            Some(':') if name_len == 0 => return bad(at, "header field without a name"),
            Some(':') => {}
            Some(' ' | '\t') if name_len > 0 => {
                return bad(at + name_len, "space in front of the colon");
            }
            Some(_) => return bad(at + name_len, "header field whose name is no word"),
        }
        let value = line.chars().skip(name_len + 1).collect::<String>();
        let white = |char: char| char.is_ascii_whitespace();
        let begun = value.trim_start_matches(white);
        let value_at = end - begun.chars().count();
        let value = begun.trim_end_matches(white);
        match &name.to_ascii_lowercase()[..] {
            "content-length" if length.is_some() => return bad(at, "second Content-Length"),
            "content-length" => {
                let digits = value.chars().all(|char| char.is_ascii_digit());
                match value.parse::<u64>() {
                    Ok(number) if digits => length = Some(number),
                    _ => return bad(value_at, "Content-Length that is no number"),
                }
            }
            "content-type" if typed => return bad(at, "second Content-Type"),
            "content-type" => {
                for parameter in value.split(';').skip(1) {
                    let parameter = parameter.trim_matches(white).to_ascii_lowercase();
                    let Some(set) = parameter.strip_prefix("charset=") else {
                        continue;
                    };
                    if !["utf-8", "utf8", "\"utf-8\"", "\"utf8\""].contains(&set) {
                        let what = "Content-Type with another character set than UTF-8";
                        return bad(value_at, what);
                    }
                }
                typed = true;
            }
            _ if other_fields => {}
            _ => {
                let what = "header field other than Content-Length and Content-Type";
                return bad(at, what);
            }
        }
        at = end + 2;
    }
}

pub(super) fn dots(rest: &[u8], bare: bool) -> Naive<'_> {
    let frame = |raw: usize, end| Naive::Frame {
        parts: vec![Part::found(&rest[..raw]).made_by(without_dots)],
        end,
    };
    let bad = |at, what| frame(at, End::Bad(Malformed::new(at, what)));
    let mut line = 0;
    loop {
        let behind = &rest[line..];
        if behind.starts_with(b".\r\n") {
            return frame(line, End::Whole(line + 3));
        }
        if b".\r\n".starts_with(behind) {
            return frame(line, End::Cut);
        }
        let crlf = (line..rest.len()).find(|at| rest[*at..].starts_with(b"\r\n"));
        let lone = (line..crlf.unwrap_or(rest.len())).find(|at| b"\r\n".contains(&rest[*at]));
        match (lone, crlf) {
            (Some(at), _) if !bare && rest[at] == b'\n' => {
                return bad(at, "line feed without a carriage return (RFC 5321, 2.3.8)");
            }
            (Some(at), _) if !bare && at + 1 < rest.len() => {
                return bad(at, "carriage return without a line feed (RFC 5321, 2.3.8)");
            }
            (_, Some(end)) => line = end + 2,
            (_, None) => {
                let last_is_cr = rest.last() == Some(&b'\r');
                return frame(rest.len() - usize::from(last_is_cr), End::Cut);
            }
        }
    }
}

fn without_dots(raw: &[u8]) -> Payload {
    let begins_line = |at: usize| at == 0 || raw[..at].ends_with(b"\r\n");
    let kept = (0..raw.len()).filter(|at| raw[*at] != b'.' || !begins_line(*at));
    (kept.map(|at| raw[at]).collect(), None)
}

/// What stands between two ends, which `unpack` makes something of; `wrong` is what the end shows.
fn between_ends(
    rest: &[u8],
    end: u8,
    unpack: fn(&[u8]) -> Payload,
    wrong: impl Fn(&[u8]) -> Option<&'static str>,
) -> Naive<'_> {
    let at = rest.iter().position(|byte| *byte == end);
    if at == Some(0) {
        return Naive::Noise(1);
    }
    let raw = &rest[..at.unwrap_or(rest.len())];
    let end = match (at, wrong(raw)) {
        (None, _) => End::Cut,
        (Some(at), Some(what)) => End::Unpacked(at + 1, Err(Malformed::new(at, what))),
        (Some(at), None) => End::Whole(at + 1),
    };
    let parts = vec![Part::found(raw).made_by(unpack)];
    Naive::Frame { parts, end }
}

/// Whether the last byte is an escape that is not escaped itself.
fn ends_escaped(raw: &[u8], escape: u8) -> bool {
    raw.iter()
        .fold(false, |escaped, byte| !escaped && *byte == escape)
}

pub(super) fn slip(rest: &[u8]) -> Naive<'_> {
    between_ends(rest, 0xc0, without_slip, |raw| {
        ends_escaped(raw, 0xdb).then_some("SLIP escape of nothing")
    })
}

fn without_slip(raw: &[u8]) -> Payload {
    let mut made = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        match (raw[at], raw.get(at + 1)) {
            (0xdb, None) => {}
            (0xdb, Some(0xdc)) => made.push(0xc0),
            (0xdb, Some(0xdd)) => made.push(0xdb),
            (0xdb, Some(_)) => {
                let wrong = Malformed::new(at + 1, "SLIP escape of another byte");
                return (made, Some(wrong));
            }
            (byte, _) => made.push(byte),
        }
        at += if raw[at] == 0xdb { 2 } else { 1 };
    }
    (made, None)
}

/// With a check sequence if `CHECKED`; the control characters in `MAP` are dropped.
pub(super) fn hdlc<const CHECKED: bool, const MAP: u32>(rest: &[u8]) -> Naive<'_> {
    if without_controls::<MAP>(&rest[..1]).is_empty() {
        return Naive::Noise(1);
    }
    between_ends(rest, 0x7e, without_hdlc::<CHECKED, MAP>, |raw| {
        let frame = turned::<MAP>(raw);
        if ends_escaped(&without_controls::<MAP>(raw), 0x7d) {
            return Some("frame that is given up (RFC 1662, 4.3)");
        }
        let Some((payload, sum)) = frame.split_last_chunk::<2>().filter(|_| CHECKED) else {
            return CHECKED.then_some("frame shorter than its check sequence (RFC 1662, 4.3)");
        };
        let wrong = crc(payload) != u16::from_le_bytes(*sum);
        wrong.then_some("frame with a wrong check sequence (RFC 1662, C.2)")
    })
}

fn without_hdlc<const CHECKED: bool, const MAP: u32>(raw: &[u8]) -> Payload {
    let mut made = turned::<MAP>(raw);
    made.truncate(made.len().saturating_sub(if CHECKED { 2 } else { 0 }));
    (made, None)
}

fn without_controls<const MAP: u32>(raw: &[u8]) -> Vec<u8> {
    let kept = raw
        .iter()
        .filter(|byte| **byte >= 32 || MAP >> **byte & 1 == 0);
    kept.copied().collect()
}

fn turned<const MAP: u32>(raw: &[u8]) -> Vec<u8> {
    let mut made = Vec::new();
    let raw = without_controls::<MAP>(raw);
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            0x7d => made.extend(bytes.next().map(|next| next ^ 0x20)),
            byte => made.push(*byte),
        }
    }
    made
}

/// Bit by bit.
fn crc(bytes: &[u8]) -> u16 {
    let mut sum = 0xffffu16;
    for byte in bytes {
        for bit in 0..8 {
            let turn = (sum ^ u16::from(byte >> bit)) & 1 == 1;
            sum = sum >> 1 ^ if turn { 0x8408 } else { 0 };
        }
    }
    sum ^ 0xffff
}
