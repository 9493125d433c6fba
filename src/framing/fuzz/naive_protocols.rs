//! Naive decoders of formats of whole protocols.

use super::super::Malformed;
use super::seen::{End, Naive, Part};

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
