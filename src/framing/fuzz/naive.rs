//! Naive decoders of the formats whose frames announce their length.

use super::super::{ByteOrder, Malformed, ProxyHeader};
use super::seen::{End, Naive, Part};

pub(super) struct LengthModel {
    pub(super) offset: usize,
    pub(super) width: usize,
    pub(super) order: ByteOrder,
    pub(super) inclusive: bool,
    pub(super) adjustment: i64,
    pub(super) whole: bool,
}

pub(super) fn length<'a>(rest: &'a [u8], model: &LengthModel) -> Naive<'a> {
    let header = model.offset + model.width;
    if rest.len() < header {
        return Naive::cut(&[]);
    }
    let field = &rest[model.offset..header];
    let digit = |value: i128, byte: &u8| value * 256 + i128::from(*byte);
    let mut body = match model.order {
        ByteOrder::Big => field.iter().fold(0, digit),
        ByteOrder::Little => field.iter().rev().fold(0, digit),
    };
    if model.inclusive {
        body -= header as i128;
    }
    body += i128::from(model.adjustment);
    if body < 0 {
        return Naive::bad(
            &[],
            model.offset,
            "length smaller than the header it counts",
        );
    }
    let head = if model.whole { 0 } else { header };
    let len = body + (header - head) as i128;
    Naive::announced(rest, head, u64::try_from(len).unwrap_or(u64::MAX))
}

pub(super) fn varint(rest: &[u8], canonical: bool, offset: usize, whole: bool) -> Naive<'_> {
    let Some(bytes) = rest.get(offset..) else {
        return Naive::cut(&[]);
    };
    let bytes = &bytes[..bytes.len().min(10)];
    let Some(last) = bytes.iter().position(|byte| *byte < 128) else {
        if bytes.len() == 10 {
            return Naive::bad(&[], offset + 9, "varint of more than ten bytes");
        }
        return Naive::cut(&[]);
    };
    let value = bytes[..=last]
        .iter()
        .enumerate()
        .map(|(i, byte)| u128::from(byte & 127) << (7 * i))
        .sum::<u128>();
    let Ok(len) = u64::try_from(value) else {
        return Naive::bad(&[], offset + last, "varint of more than 64 bits");
    };
    if canonical && last > 0 && bytes[last] == 0 {
        return Naive::bad(&[], offset + last, "varint longer than necessary");
    }
    let header = offset + last + 1;
    match whole || offset > 0 {
        true => Naive::announced(rest, 0, len.saturating_add(header as u64)),
        false => Naive::announced(rest, header, len),
    }
}

pub(super) fn fixed(rest: &[u8], len: usize) -> Naive<'_> {
    Naive::announced(rest, 0, len as u64)
}

pub(super) fn netstring(rest: &[u8]) -> Naive<'_> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 1 && rest[0] == b'0' {
        return Naive::bad(&[], 0, "netstring length with a leading zero");
    }
    let number = |len: usize| {
        let text = rest[..len]
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>();
        text.parse::<u64>()
    };
    if let Some(over) = (1..=digits).find(|len| number(*len).is_err()) {
        return Naive::bad(&[], over - 1, "netstring length of more than 64 bits");
    }
    match rest.get(digits) {
        None => return Naive::cut(&[]),
        Some(b':') if digits > 0 => {}
        Some(_) => return Naive::bad(&[], digits, "netstring length that is no number"),
    }
    let len = number(digits).unwrap_or(0);
    Naive::announced_with_tail(rest, digits + 1, len, b",", "netstring without its comma")
}

pub(super) fn record(rest: &[u8]) -> Naive<'_> {
    let mut parts = Vec::new();
    let mut at = 0;
    loop {
        let Some(mark) = rest.get(at..at + 4) else {
            return Naive::Frame {
                parts,
                end: End::Cut,
            };
        };
        let len = u32::from_be_bytes([mark[0] & 0x7f, mark[1], mark[2], mark[3]]);
        at += 4;
        let part = Part::announced(&rest[at..], len.into());
        at += part.bytes().len();
        let short = !part.is_whole();
        parts.push(part);
        if short {
            return Naive::Frame {
                parts,
                end: End::Cut,
            };
        }
        if mark[0] >= 0x80 {
            return Naive::Frame {
                parts,
                end: End::Whole(at),
            };
        }
    }
}

/// Only that a header is as long as it says is decided here; what it says is for `ProxyHeader`, which
/// is given the header whole.
pub(super) fn proxy(rest: &[u8]) -> Naive<'_> {
    let v1 = rest[0] == b'P';
    let signature: &[u8] = if v1 {
        b"PROXY "
    } else {
        b"\r\n\r\n\0\r\nQUIT\n"
    };
    if let Some(at) = (0..rest.len().min(signature.len())).find(|i| rest[*i] != signature[*i]) {
        return Naive::bad(&[], at, "no PROXY header");
    }
    if rest.len() < signature.len() {
        return Naive::cut(&[]);
    }
    let (part, used) = if v1 {
        let line = &rest[..rest.len().min(107)];
        let ignored = line.starts_with(b"PROXY UNKNOWN ");
        let is_end = |at: &usize| match line[*at] {
            b'\r' => !ignored || line[*at..].starts_with(b"\r\n") || line[*at..] == *b"\r",
            b'\n' => !ignored,
            _ => false,
        };
        let control = (0..line.len()).find(is_end);
        match control {
            Some(at) if at < 106 && line[at..].starts_with(b"\r\n") => {
                (Part::found(&rest[..at + 2]), at + 2)
            }
            Some(at) if at < 106 && &line[at..] == b"\r" => return Naive::cut(&[]),
            Some(at) if at < 106 => {
                return Naive::bad(&[], at, "PROXY line that does not end with CRLF");
            }
            _ if rest.len() >= 107 || line.len() == 107 => {
                return Naive::bad(&[], 106, "PROXY line of more than 107 bytes");
            }
            _ if line.len() == 106 => {
                return Naive::bad(&[], 106, "PROXY line of more than 107 bytes");
            }
            _ => return Naive::cut(&[]),
        }
    } else {
        let wrong = |at, what| Naive::bad(&[], at, what);
        match rest.get(12) {
            None => return Naive::cut(&[]),
            Some(0x20 | 0x21) => {}
            Some(_) => return wrong(12, "PROXY header of an unknown version or command"),
        }
        let least = match rest.get(13) {
            None => return Naive::cut(&[]),
            Some(_) if rest[12] == 0x20 => 0,
            Some(0x00) => 0,
            Some(0x11 | 0x12) => 12,
            Some(0x21 | 0x22) => 36,
            Some(0x31 | 0x32) => 216,
            Some(_) => return wrong(13, "PROXY header of an unknown family"),
        };
        let Some(len) = rest.get(14..16) else {
            return Naive::cut(&[]);
        };
        let len = u16::from_be_bytes([len[0], len[1]]);
        if len < least {
            return wrong(14, "PROXY header without room for its addresses");
        }
        let used = 16 + usize::from(len);
        (Part::announced(rest, used as u64), used)
    };
    let end = if rest.len() < used {
        End::Cut
    } else {
        End::Unpacked(used, unpacked_proxy(&rest[..used]))
    };
    Naive::Frame {
        parts: vec![part],
        end,
    }
}

fn unpacked_proxy(frame: &[u8]) -> Result<Vec<u8>, Malformed> {
    match ProxyHeader::parse(frame) {
        Ok(header) => {
            // Whatever the additions say, they say it within the frame.
            assert!(header.tlvs().all(|(_, value)| value.len() <= frame.len()));
            Ok(frame.to_vec())
        }
        Err(super::super::FrameError::Malformed { at, what }) => {
            Err(Malformed::new(at as usize, what))
        }
        Err(other) => panic!("{other}"),
    }
}
