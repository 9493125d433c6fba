//! Naive decoders of the sample formats.

use super::super::Malformed;
use super::samples::{ESCAPE, FORBIDDEN, KIND, LAST, LONGEST_HEAD, MASKED, NOTICE};
use super::seen::{End, Naive, Part};

pub(super) fn packets(rest: &[u8]) -> Naive<'_> {
    let mut parts = Vec::new();
    let (mut at, mut open, mut escaped) = (0, false, false);
    let end = loop {
        let Some(flags) = rest.get(at) else {
            break End::Cut;
        };
        let (kind, last) = (flags & KIND, flags & LAST != 0);
        let is_notice = kind >= NOTICE;
        if !is_notice && open != (kind == 0) {
            break End::Bad(Malformed::new(at, "part of another message"));
        }
        if is_notice && !last {
            break End::Bad(Malformed::new(at, "notice of several parts"));
        }
        let head = 2 + usize::from(flags & MASKED != 0);
        let Some(body) = rest.get(at + head..) else {
            break End::Cut;
        };
        let key = (head == 3).then(|| rest[at + 2]);
        let part = Part::announced(body, rest[at + 1].into());
        let is_whole = part.is_whole();
        let len = part.bytes().len();
        let mut made = Vec::new();
        let mut wrong = None;
        for (i, byte) in part.bytes().iter().enumerate() {
            match byte ^ key.map_or(0, |key| key.wrapping_add(i as u8)) {
                FORBIDDEN => {
                    wrong = Some(Malformed::new(at + head + i, "forbidden byte"));
                    break;
                }
                byte if is_notice => made.push(byte),
                byte if std::mem::take(&mut escaped) => made.push(byte ^ 0x20),
                ESCAPE => escaped = true,
                byte => made.push(byte),
            }
        }
        let mut part = part.made(made, wrong);
        if is_notice && open {
            part = part.aside(at);
        }
        parts.push(part);
        if !is_whole {
            break End::Cut;
        }
        at += head + len;
        if is_notice && !open {
            break End::Whole(at);
        }
        open = open || !is_notice;
        if !is_notice && last {
            break if escaped {
                End::Unpacked(at, Err(Malformed::new(at, "escape of nothing")))
            } else {
                End::Whole(at)
            };
        }
    };
    Naive::Frame { parts, end }
}

/// Has to be given all the frames of a stream in their order, as it keeps in mind which body is due.
pub(super) fn messages<'a>() -> impl FnMut(&'a [u8]) -> Naive<'a> {
    let mut due = None;
    move |rest| match due.take() {
        Some(Some(_)) if rest.is_empty() => Naive::cut(&[]),
        Some(Some(len)) => Naive::announced(rest, 0, len),
        Some(None) => Naive::found(rest, rest.len()),
        None => {
            let line = &rest[..rest.len().min(LONGEST_HEAD)];
            let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = if line[0] == b'*' { 1 } else { digits };
            let head = &line[..end];
            match line.get(end) {
                None if line.len() == LONGEST_HEAD => {
                    return Naive::bad(&[], LONGEST_HEAD, "length that is too long");
                }
                None => return Naive::cut(&[]),
                Some(b'\n') if end > 0 => {}
                Some(_) => {
                    // A star is no digit, either, but where it stands alone.
                    let at = if line[0] == b'*' { 0 } else { end };
                    return Naive::bad(&[], at, "no length");
                }
            }
            let found = Naive::found(head, end + 1).never_in_pieces();
            let length = head
                .iter()
                .fold(0, |length, digit| length * 10 + u64::from(digit & 0xf));
            due = match (head, length) {
                (b"*", _) => Some(None),
                (_, 0) => return found,
                (_, length) => Some(Some(length)),
            };
            found.and_more()
        }
    }
}
