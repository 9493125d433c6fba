//! A naive decoder of HTTP/1.1: one that has the whole message in front of it, and reads it from left to right.

use super::super::Malformed;
use super::super::formats::http::wrong;
use super::seen::{End, Naive, Part};

/// The options of the format.
#[derive(Clone, Copy)]
pub(super) struct HttpModel {
    pub(super) requests: bool,
    pub(super) answers: &'static str,
    pub(super) head: usize,
    pub(super) target: usize,
    pub(super) fields: usize,
    pub(super) extension: usize,
    pub(super) trailers: usize,
}

enum Due {
    Head { skipped: bool },
    Body(u64),
    ToTheEnd,
    Chunks,
}

/// Why reading ends early.
enum Stop {
    Wrong(usize, &'static str),
    Out,
}

struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

#[derive(Default)]
struct Facts {
    minor: u8,
    status: u16,
    connect: bool,
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
}

/// Has to be given all the frames of a stream in their order, as it keeps in mind what is due.
pub(super) fn http<'a>(model: HttpModel) -> impl FnMut(&'a [u8]) -> Naive<'a> {
    let mut due = Due::Head { skipped: false };
    let mut answers = model.answers;
    move |rest| match std::mem::replace(&mut due, Due::Head { skipped: false }) {
        Due::Body(_) if rest.is_empty() => Naive::cut(&[]),
        Due::Body(length) => Naive::announced(rest, 0, length),
        Due::ToTheEnd => Naive::found(rest, rest.len()),
        Due::Chunks => chunks(rest, &model),
        Due::Head { skipped } => {
            if model.requests && rest.first() == Some(&b'\r') {
                return match rest.get(1) {
                    _ if skipped => Naive::bad(&[], 0, wrong::METHOD),
                    None => Naive::cut(&[]),
                    Some(b'\n') => {
                        due = Due::Head { skipped: true };
                        Naive::Noise(2)
                    }
                    Some(_) => Naive::bad(&[], 0, wrong::BARE_CR),
                };
            }
            let mut text = Text::of(rest, model.head);
            let mut settled = 0;
            match head(&mut text, &model, &mut settled) {
                Ok(facts) => {
                    let frame = Naive::found(&rest[..text.at - 2], text.at).never_in_pieces();
                    if !model.requests && facts.status < 200 && facts.status != 101 {
                        return frame.and_more();
                    }
                    match behind(&facts, &model, std::mem::take(&mut answers)) {
                        None => frame,
                        Some(body) => {
                            due = body;
                            frame.and_more()
                        }
                    }
                }
                Err(stop) => {
                    let settled = &rest[..settled];
                    let seen = match stop {
                        Stop::Wrong(at, what) => Naive::bad(settled, at, what),
                        Stop::Out if rest.len() < model.head => Naive::cut(settled),
                        Stop::Out => Naive::bad(settled, model.head, wrong::LONG_HEAD),
                    };
                    seen.never_in_pieces()
                }
            }
        }
    }
}

/// RFC 9112, section 6.3.
fn behind(facts: &Facts, model: &HttpModel, answers: &str) -> Option<Due> {
    if !model.requests {
        let success = (200..300).contains(&facts.status);
        if facts.status == 101 || answers == "CONNECT" && success {
            return Some(Due::ToTheEnd);
        }
        if answers == "HEAD" || [204, 304].contains(&facts.status) {
            return None;
        }
    }
    match facts.length {
        _ if facts.chunked => Some(Due::Chunks),
        Some(0) => None,
        Some(length) => Some(Due::Body(length)),
        None => (!model.requests).then_some(Due::ToTheEnd),
    }
}

impl<'a> Text<'a> {
    fn of(bytes: &'a [u8], most: usize) -> Self {
        let bytes = &bytes[..bytes.len().min(most)];
        Self { bytes, at: 0 }
    }

    fn next(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop::Out)?;
        self.at += 1;
        Ok(byte)
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().take_while(|byte| belongs(**byte)).count();
        self.at += len;
        &rest[..len]
    }

    /// The byte that was just taken is wrong.
    fn wrong<T>(&self, what: &'static str) -> Result<T, Stop> {
        let at = self.at - 1;
        let what = if self.bytes[at] == b'\n' {
            wrong::BARE_LF
        } else {
            what
        };
        Err(Stop::Wrong(at, what))
    }

    /// The line feed behind the carriage return that was just taken.
    fn line_feed(&mut self) -> Result<(), Stop> {
        match self.next()? {
            b'\n' => Ok(()),
            _ => Err(Stop::Wrong(self.at - 2, wrong::BARE_CR)),
        }
    }
}

fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn target(byte: u8) -> bool {
    (0x21..0x7f).contains(&byte) && !b"\"#<>".contains(&byte)
}

fn host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
}

fn text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

fn head(text: &mut Text<'_>, model: &HttpModel, settled: &mut usize) -> Result<Facts, Stop> {
    let mut facts = Facts::default();
    if model.requests {
        request_line(text, model, &mut facts)?;
    } else {
        status_line(text, &mut facts)?;
    }
    *settled = text.at;
    fields(text, model, Some(&mut facts), settled)?;
    if model.requests && facts.minor == 1 && facts.hosts == 0 {
        return Err(Stop::Wrong(*settled, wrong::NO_HOST));
    }
    if facts.connect && (facts.chunked || facts.length.unwrap_or(0) > 0) {
        return Err(Stop::Wrong(*settled, wrong::CONNECT_BODY));
    }
    Ok(facts)
}

fn request_line(text: &mut Text<'_>, model: &HttpModel, facts: &mut Facts) -> Result<(), Stop> {
    let method = text.run(token);
    if method.len() > 24 {
        return Err(Stop::Wrong(24, wrong::LONG_METHOD));
    }
    if text.next()? != b' ' || method.is_empty() {
        return text.wrong(wrong::METHOD);
    }
    let from = text.at;
    let uri = text.run(target);
    if uri.len() > model.target {
        return Err(Stop::Wrong(from + model.target, wrong::LONG_TARGET));
    }
    match text.next()? {
        b' ' if !uri.is_empty() => {}
        b' ' | b'\r' => return text.wrong(wrong::REQUEST_LINE),
        _ => return text.wrong(wrong::TARGET),
    }
    facts.connect = method == b"CONNECT";
    let uri = std::str::from_utf8(uri).unwrap_or_default();
    let has_form = match method {
        b"CONNECT" => is_authority(uri),
        b"OPTIONS" if uri == "*" => true,
        _ => uri.starts_with('/') || is_absolute(uri),
    };
    if !has_form {
        return Err(Stop::Wrong(from, wrong::TARGET_FORM));
    }
    version(text, facts, wrong::REQUEST_LINE)?;
    if text.next()? != b'\r' {
        return text.wrong(wrong::REQUEST_LINE);
    }
    text.line_feed()
}

fn is_authority(uri: &str) -> bool {
    let Some((name, port)) = uri.rsplit_once(':') else {
        return false;
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    !name.is_empty() && name.bytes().all(host) && digits && (1..=5).contains(&port.len())
}

fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return false;
    };
    let first = scheme
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic());
    let others = scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    first && others && !rest.is_empty() && !rest.starts_with('/')
}

fn version(text: &mut Text<'_>, facts: &mut Facts, what: &'static str) -> Result<(), Stop> {
    for expected in b"HTTP/" {
        if text.next()? != *expected {
            return text.wrong(what);
        }
    }
    let from = text.at;
    for is_digit in [true, false, true] {
        let byte = text.next()?;
        if byte.is_ascii_digit() != is_digit || !is_digit && byte != b'.' {
            return text.wrong(what);
        }
    }
    facts.minor = match &text.bytes[from..text.at] {
        b"1.1" => 1,
        b"1.0" => 0,
        _ => return Err(Stop::Wrong(from, wrong::VERSION)),
    };
    Ok(())
}

fn status_line(text: &mut Text<'_>, facts: &mut Facts) -> Result<(), Stop> {
    version(text, facts, wrong::STATUS_LINE)?;
    if text.next()? != b' ' {
        return text.wrong(wrong::STATUS_LINE);
    }
    for nth in 0..3 {
        let byte = text.next()?;
        if !byte.is_ascii_digit() || nth == 0 && !(b'1'..=b'5').contains(&byte) {
            return text.wrong(wrong::STATUS);
        }
        facts.status = facts.status * 10 + u16::from(byte - b'0');
    }
    if text.next()? != b' ' {
        return text.wrong(wrong::STATUS_LINE);
    }
    text.run(self::text);
    if text.next()? != b'\r' {
        return text.wrong(wrong::REASON);
    }
    text.line_feed()
}

/// Up to the empty line and with it; `settled` is what stands in front of the line at hand. Trailers have no facts.
fn fields(
    text: &mut Text<'_>,
    model: &HttpModel,
    mut facts: Option<&mut Facts>,
    settled: &mut usize,
) -> Result<(), Stop> {
    for count in 0.. {
        let start = text.at;
        *settled = start;
        match text.next()? {
            b'\r' => return text.line_feed(),
            b' ' | b'\t' if count == 0 => return text.wrong(wrong::LEADING_SPACE),
            b' ' | b'\t' => return text.wrong(wrong::FOLD),
            byte if !token(byte) => return text.wrong(wrong::NAME),
            _ if count == model.fields => return text.wrong(wrong::MANY_FIELDS),
            _ => {}
        }
        text.run(token);
        let name = text.bytes[start..text.at].to_ascii_lowercase();
        match text.next()? {
            b':' => {}
            b' ' | b'\t' => return text.wrong(wrong::SPACE_BEFORE_COLON),
            _ => return text.wrong(wrong::NAME),
        }
        let from = text.at;
        let value = text.run(self::text);
        if text.next()? != b'\r' {
            return text.wrong(wrong::VALUE);
        }
        text.line_feed()?;
        let before = value
            .iter()
            .take_while(|byte| b" \t".contains(byte))
            .count();
        let value = value.trim_ascii();
        let of_framing: &[&[u8]] = &[b"content-length", b"transfer-encoding", b"host"];
        match facts.as_deref_mut() {
            None if of_framing.contains(&&name[..]) => {
                return Err(Stop::Wrong(start, wrong::TRAILER_FIELD));
            }
            None => {}
            Some(facts) => note(&name, value, (start, from + before), model, facts)?,
        }
    }
    Ok(())
}

fn note(
    name: &[u8],
    value: &[u8],
    (start, from): (usize, usize),
    model: &HttpModel,
    facts: &mut Facts,
) -> Result<(), Stop> {
    let field = |what| Err(Stop::Wrong(start, what));
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    match name {
        b"host" if model.requests => {
            facts.hosts += 1;
            match value.iter().position(|byte| !host(*byte)) {
                _ if facts.hosts == 2 => field(wrong::SECOND_HOST),
                Some(at) => Err(Stop::Wrong(from + at, wrong::HOST)),
                None => Ok(()),
            }
        }
        b"content-length" => {
            let digits = value
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let over = (0..digits).find(|at| text[..=*at].parse::<u64>().is_err());
            match over {
                _ if facts.length.is_some() => return field(wrong::SECOND_LENGTH),
                _ if facts.chunked => return field(wrong::BOTH),
                _ if value.is_empty() || digits < value.len() => {
                    return Err(Stop::Wrong(from + digits, wrong::LENGTH));
                }
                _ if digits > 1 && value[0] == b'0' => {
                    return Err(Stop::Wrong(from, wrong::LENGTH_ZERO));
                }
                Some(over) => return Err(Stop::Wrong(from + over, wrong::LENGTH_OVERFLOW)),
                None => facts.length = text.parse().ok(),
            }
            Ok(())
        }
        b"transfer-encoding" => {
            let last = text.rsplit(',').next().unwrap_or_default();
            match text.as_str() {
                _ if facts.chunked => field(wrong::SECOND_CODING),
                _ if facts.length.is_some() => field(wrong::BOTH),
                _ if facts.minor == 0 => field(wrong::CODING_IN_1_0),
                "chunked" => {
                    facts.chunked = true;
                    Ok(())
                }
                _ if last.trim_matches([' ', '\t']) == "chunked" => field(wrong::CODING),
                _ => field(wrong::NOT_CHUNKED),
            }
        }
        _ => Ok(()),
    }
}

fn chunks<'a>(rest: &'a [u8], model: &HttpModel) -> Naive<'a> {
    let mut parts = Vec::new();
    let mut at = 0;
    let end = loop {
        let mut text = Text::of(&rest[at..], usize::MAX);
        let size = match chunk_line(&mut text, model) {
            Ok(size) => size,
            Err(Stop::Wrong(wrong, what)) => break End::Bad(Malformed::new(at + wrong, what)),
            Err(Stop::Out) => break End::Cut,
        };
        at += text.at;
        if size == 0 {
            break last_chunk(rest, at, model, &mut parts);
        }
        let part = Part::announced(&rest[at..], size);
        let is_whole = part.is_whole();
        at += part.bytes().len();
        parts.push(part);
        match rest.get(at..at + 2) {
            Some(b"\r\n") if is_whole => at += 2,
            Some(_) if is_whole => break End::Bad(Malformed::new(at, wrong::CHUNK_END)),
            _ => break End::Cut,
        }
    };
    Naive::Frame { parts, end }
}

fn last_chunk<'a>(rest: &'a [u8], at: usize, model: &HttpModel, parts: &mut Vec<Part<'a>>) -> End {
    match (rest.get(at), rest.get(at + 1)) {
        (None, _) | (Some(b'\r'), None) => return End::Cut,
        (Some(b'\r'), Some(b'\n')) => return End::Whole(at + 2),
        (Some(b'\r'), _) => return End::Bad(Malformed::new(at, wrong::BARE_CR)),
        _ => {}
    }
    let mut text = Text::of(&rest[at..], model.trailers);
    match fields(&mut text, model, None, &mut 0) {
        Ok(()) => {
            let len = text.at - 2;
            let trailers = Part::announced(&rest[at..], len as u64);
            parts.push(trailers.aside(at));
            End::Whole(at + text.at)
        }
        Err(Stop::Wrong(wrong, what)) => End::Bad(Malformed::new(at + wrong, what)),
        Err(Stop::Out) if text.bytes.len() < model.trailers => End::Cut,
        Err(Stop::Out) => End::Bad(Malformed::new(at + model.trailers, wrong::LONG_TRAILERS)),
    }
}

fn chunk_line(text: &mut Text<'_>, model: &HttpModel) -> Result<u64, Stop> {
    let digits = text.run(|byte| byte.is_ascii_hexdigit());
    if digits.len() > 16 {
        return Err(Stop::Wrong(16, wrong::CHUNK_OVERFLOW));
    }
    let size = std::str::from_utf8(digits).unwrap_or_default();
    let from = text.at;
    let extension = extensions(text, digits.is_empty());
    let line = &text.bytes[from..];
    let end = line.iter().position(|byte| b"\r\n".contains(byte));
    let end = from + end.unwrap_or(line.len());
    let most = from + model.extension;
    let seen = match extension {
        Err(Stop::Wrong(at, _)) => at,
        _ => end,
    };
    // The first byte behind the size is one of them, whatever it is.
    if !digits.is_empty() && most < end && most <= seen && line.starts_with(b";") && most > from {
        return Err(Stop::Wrong(most, wrong::LONG_EXTENSION));
    }
    extension?;
    Ok(u64::from_str_radix(size, 16).unwrap_or(0))
}

fn extensions(text: &mut Text<'_>, no_size: bool) -> Result<(), Stop> {
    match text.next()? {
        b'\r' if !no_size => return text.line_feed(),
        b';' if !no_size => {}
        _ => return text.wrong(wrong::CHUNK_SIZE),
    }
    loop {
        let name = text.run(token);
        let mut behind = text.next()?;
        if name.is_empty() {
            return text.wrong(wrong::EXTENSION);
        }
        if behind == b'=' {
            behind = value(text)?;
        }
        match behind {
            b';' => {}
            b'\r' => return text.line_feed(),
            _ => return text.wrong(wrong::EXTENSION),
        }
    }
}

/// Says what stands behind it.
fn value(text: &mut Text<'_>) -> Result<u8, Stop> {
    let value = text.run(token);
    let behind = text.next()?;
    if !value.is_empty() {
        return Ok(behind);
    }
    if behind != b'"' {
        return text.wrong(wrong::EXTENSION);
    }
    loop {
        text.run(|byte| self::text(byte) && byte != b'"' && byte != b'\\');
        match text.next()? {
            b'"' => return text.next(),
            b'\\' => {
                if !self::text(text.next()?) {
                    return text.wrong(wrong::EXTENSION);
                }
            }
            _ => return text.wrong(wrong::EXTENSION),
        }
    }
}
