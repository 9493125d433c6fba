//! Naive decoders of RESP.

use std::sync::OnceLock;

use super::super::Malformed;
use super::seen::{End, Naive};

/// What `RespRequests` is to be as.
#[derive(Clone, Copy)]
pub(super) struct Requests {
    pub(super) max_line: usize,
    pub(super) max_bulk: i64,
    pub(super) max_arguments: i64,
    pub(super) strict: bool,
    pub(super) unauthenticated: bool,
}

pub(super) fn requests<'a>(rest: &'a [u8], model: &Requests) -> Naive<'a> {
    if rest[0] != b'*' {
        return typed(rest, model);
    }
    match array(rest, model) {
        Ok(None) => Naive::cut(rest),
        Ok(Some((0, end))) => Naive::Noise(end),
        Ok(Some((_, end))) => Naive::found(&rest[..end], end),
        Err(Stop::Cut(settled)) => Naive::cut(&rest[..settled]),
        Err(Stop::Bad(settled, at, what)) => Naive::bad(&rest[..settled], at, what),
    }
}

/// Why a decoder stops: how much is payload for certain, and what is wrong.
enum Stop {
    Cut(usize),
    Bad(usize, usize, &'static str),
}

/// How many arguments there are, and where they end, if they do.
fn array(rest: &[u8], model: &Requests) -> Result<Option<(i64, usize)>, Stop> {
    let what = ["too big mbulk count string", "invalid multibulk length"];
    let (count, mut at) = redis_number(rest, 0, model, what)?;
    if count > model.max_arguments {
        return Err(Stop::Bad(0, 1, what[1]));
    }
    if model.unauthenticated && count > 10 {
        return Err(Stop::Bad(0, 1, "unauthenticated multibulk length"));
    }
    if count <= 0 {
        return Ok(Some((0, at)));
    }
    for _ in 0..count {
        match rest.get(at) {
            None => return Ok(None),
            Some(b'$') => {}
            Some(got) => {
                return Err(Stop::Bad(at, at, expected_length(*got)));
            }
        }
        let what = ["too big bulk count string", "invalid bulk length"];
        let (length, begin) = redis_number(rest, at, model, what)?;
        if length < 0 || length > model.max_bulk {
            return Err(Stop::Bad(at, at + 1, what[1]));
        }
        if model.unauthenticated && length > 16 * 1024 {
            return Err(Stop::Bad(at, at + 1, "unauthenticated bulk length"));
        }
        let end = begin + length as usize;
        for (at, expected) in [(end, b'\r'), (end + 1, b'\n')] {
            match rest.get(at) {
                Some(byte) if *byte != expected && model.strict => {
                    return Err(Stop::Bad(at, at, "bulk string without its CRLF"));
                }
                _ => {}
            }
        }
        at = end + 2;
    }
    Ok((at <= rest.len()).then_some((count, at)))
}

/// A number as Redis reads it, of the line at `at`, and where what follows it begins.
/// Made once: what leaks with every frame is a finding to a fuzzer.
fn expected_length(got: u8) -> &'static str {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        let text = |got| format!("expected '$', got '{}'", char::from(got));
        (0..=u8::MAX).map(text).collect()
    });
    &texts[usize::from(got)]
}

fn redis_number(
    rest: &[u8],
    at: usize,
    model: &Requests,
    [too_big, invalid]: [&'static str; 2],
) -> Result<(i64, usize), Stop> {
    let line = &rest[at + 1..];
    let end = line.iter().position(|byte| *byte == b'\r');
    if end.unwrap_or(line.len()) >= model.max_line {
        return Err(Stop::Bad(at, at, too_big));
    }
    let Some(end) = end.filter(|end| end + 1 < line.len()) else {
        return Err(Stop::Cut(at));
    };
    if model.strict && line[end + 1] != b'\n' {
        let what = "carriage return without a line feed";
        return Err(Stop::Bad(at, at + 1 + end, what));
    }
    let text = String::from_utf8_lossy(&line[..end]);
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Ok((number, at + 1 + end + 2)),
        _ => Err(Stop::Bad(at, at + 1, invalid)),
    }
}

fn typed<'a>(rest: &'a [u8], model: &Requests) -> Naive<'a> {
    let end = rest.iter().position(|byte| *byte == b'\n');
    if end.unwrap_or(rest.len()) > model.max_line {
        return Naive::bad(&[], 0, "too big inline request");
    }
    let Some(end) = end else {
        return Naive::cut(&[]);
    };
    let line = &rest[..end];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match words(line) {
        Ok(words) if words.is_empty() => Naive::Noise(end + 1),
        Ok(words) => {
            let mut array = format!("*{}\r\n", words.len()).into_bytes();
            for word in words {
                array.extend(format!("${}\r\n", word.len()).into_bytes());
                array.extend(word);
                array.extend(b"\r\n");
            }
            Naive::unpacked(line, end + 1, Ok(array))
        }
        Err(at) => {
            let wrong = Malformed::new(at, "unbalanced quotes in request");
            Naive::unpacked(line, end + 1, Err(wrong))
        }
    }
}

/// The words of a line, or where a quotation mark is that does not balance.
fn words(line: &[u8]) -> Result<Vec<Vec<u8>>, usize> {
    let space = |at: usize| {
        line.get(at)
            .is_none_or(|byte| (9..=13).contains(byte) || *byte == 32)
    };
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        while at < line.len() && space(at) {
            at += 1;
        }
        if at == line.len() {
            return Ok(words);
        }
        let mut word = Vec::new();
        while at < line.len() && !b" \t\r\n".contains(&line[at]) {
            let quote = line[at];
            if quote != b'"' && quote != b'\'' {
                word.push(quote);
                at += 1;
                continue;
            }
            let opened = at;
            at += 1;
            loop {
                match line.get(at) {
                    None => return Err(opened),
                    Some(byte) if *byte == quote => break,
                    Some(b'\\') if quote == b'\'' && line.get(at + 1) == Some(&b'\'') => {
                        word.push(b'\'');
                        at += 2;
                    }
                    Some(b'\\') if quote == b'"' && at + 1 < line.len() => {
                        let digits = line.get(at + 2..at + 4).filter(|digits| {
                            line[at + 1] == b'x' && digits.iter().all(u8::is_ascii_hexdigit)
                        });
                        if let Some(digits) = digits {
                            let text = String::from_utf8_lossy(digits);
                            word.push(u8::from_str_radix(&text, 16).unwrap_or_default());
                            at += 4;
                            continue;
                        }
                        let letters = *b"nrtba";
                        let means = *b"\n\r\t\x08\x07";
                        let letter = letters.iter().position(|letter| *letter == line[at + 1]);
                        word.push(letter.map_or(line[at + 1], |letter| means[letter]));
                        at += 2;
                    }
                    Some(byte) => {
                        word.push(*byte);
                        at += 1;
                    }
                }
            }
            at += 1;
            if !space(at) {
                return Err(opened);
            }
            break;
        }
        words.push(word);
    }
}

/// What `Resp` is to be as.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) max_depth: usize,
    pub(super) max_bulk: i64,
    pub(super) version_3: bool,
}

pub(super) fn values<'a>(rest: &'a [u8], model: &Values) -> Naive<'a> {
    match model.value(rest, 0, 0, None) {
        Ok(end) => {
            let naive = Naive::found(&rest[..end], end);
            assert!(matches!(
                naive,
                Naive::Frame {
                    end: End::Whole(_),
                    ..
                }
            ));
            naive
        }
        Err(Stop::Cut(settled)) => Naive::cut(&rest[..settled]),
        Err(Stop::Bad(settled, at, what)) => Naive::bad(&rest[..settled], at, what),
    }
}

impl Values {
    /// Where the value that begins at `at` ends, with the attributes in front of it. Of an item of a stream it is given
    /// whether it is to be the value of a pair.
    fn value(
        &self,
        rest: &[u8],
        at: usize,
        depth: usize,
        in_stream: Option<bool>,
    ) -> Result<usize, Stop> {
        let Some(kind) = rest.get(at) else {
            return Err(Stop::Cut(at));
        };
        let bad = |what| Err(Stop::Bad(at, at, what));
        let known: &[u8] = if self.version_3 {
            b"+-:$*_#,(!=%~|>.;"
        } else {
            b"+-:$*"
        };
        if !known.contains(kind) {
            return bad("no type of RESP");
        }
        match kind {
            b'.' => {
                return bad(match in_stream {
                    None => "end of a stream where none is open",
                    Some(true) => "streamed map that ends behind a key",
                    // Else this would not have been asked for.
                    Some(false) => "attributes of nothing",
                });
            }
            b';' => return bad("part of a string where none is streamed"),
            b'>' if depth > 0 => return bad("push inside of a value"),
            b'+' | b'-' => return text(rest, at + 1),
            b'(' => return big_number(rest, at + 1),
            _ => {}
        }
        let (line, end) = number_line(rest, at)?;
        let wrong = |what| Err(Stop::Bad(at, at + 1, what));
        let streams = line == "?" && self.version_3;
        match kind {
            b':' => match line.parse::<i64>() {
                Ok(_) => Ok(end),
                Err(_) => wrong("integer that is no number"),
            },
            b'_' if line.is_empty() => Ok(end),
            b'_' => wrong("null that says something"),
            b'#' if line == "t" || line == "f" => Ok(end),
            b'#' => wrong("boolean that is neither t nor f"),
            b',' if is_double(&line) => Ok(end),
            b',' => wrong("double that is no number"),
            b'$' if streams => self.parts(rest, end),
            b'*' | b'~' | b'%' if streams && depth == self.max_depth => {
                bad("value that nests too deeply")
            }
            b'*' | b'~' | b'%' if streams => self.streamed(rest, end, depth, *kind == b'%'),
            _ => {
                let length = match line.parse::<i64>() {
                    Ok(length) if length.to_string() == line => length,
                    _ => return wrong("length that is no number"),
                };
                if length == -1 && (*kind == b'$' || *kind == b'*') {
                    return Ok(end);
                }
                if length < 0 {
                    return wrong("negative length");
                }
                match kind {
                    b'$' | b'!' | b'=' => self.bulk(rest, at, end, length),
                    _ => {
                        let end = self.counted(rest, at, end, depth, length as u64)?;
                        match kind {
                            b'|' => self.value(rest, end, depth, in_stream),
                            _ => Ok(end),
                        }
                    }
                }
            }
        }
    }

    fn counted(
        &self,
        rest: &[u8],
        at: usize,
        end: usize,
        depth: usize,
        length: u64,
    ) -> Result<usize, Stop> {
        let kind = rest[at];
        if length > 0 && depth == self.max_depth {
            return Err(Stop::Bad(at, at, "value that nests too deeply"));
        }
        let count = if kind == b'%' || kind == b'|' {
            2 * length
        } else {
            length
        };
        let mut end = end;
        for _ in 0..count {
            end = self.value(rest, end, depth + 1, None)?;
        }
        Ok(end)
    }

    fn streamed(&self, rest: &[u8], end: usize, depth: usize, pairs: bool) -> Result<usize, Stop> {
        let mut end = end;
        let mut half = false;
        while rest.get(end) != Some(&b'.') || half && pairs {
            end = self.value(rest, end, depth + 1, Some(half && pairs))?;
            half = !half;
        }
        match number_line(rest, end)? {
            (line, behind) if line.is_empty() => Ok(behind),
            _ => {
                let what = "end of a stream that says something";
                Err(Stop::Bad(end, end + 1, what))
            }
        }
    }

    fn bulk(&self, rest: &[u8], at: usize, begin: usize, length: i64) -> Result<usize, Stop> {
        let verbatim = rest[at] == b'=';
        if verbatim && length < 4 {
            return Err(Stop::Bad(at, at + 1, "verbatim string without its format"));
        }
        if length > self.max_bulk {
            return Err(Stop::Bad(at, at + 1, "string that is too long"));
        }
        if verbatim {
            match rest.get(begin + 3) {
                None => return Err(Stop::Cut(rest.len())),
                Some(b':') => {}
                Some(_) => {
                    let what = "verbatim string without its format";
                    return Err(Stop::Bad(begin + 3, begin + 3, what));
                }
            }
        }
        behind_bytes(rest, begin + length as usize)
    }

    fn parts(&self, rest: &[u8], end: usize) -> Result<usize, Stop> {
        let mut at = end;
        loop {
            match rest.get(at) {
                None => return Err(Stop::Cut(at)),
                Some(b';') => {}
                Some(_) => return Err(Stop::Bad(at, at, "streamed string without its end")),
            }
            let (line, end) = number_line(rest, at)?;
            let length = match line.parse::<i64>() {
                Ok(length) if length.to_string() == line => length,
                _ => return Err(Stop::Bad(at, at + 1, "length that is no number")),
            };
            match length {
                0 => return Ok(end),
                ..0 => return Err(Stop::Bad(at, at + 1, "negative length")),
                _ if length > self.max_bulk => {
                    return Err(Stop::Bad(at, at + 1, "string that is too long"));
                }
                _ => at = behind_bytes(rest, end + length as usize)?,
            }
        }
    }
}

/// Behind the CRLF at `end`, behind any bytes.
fn behind_bytes(rest: &[u8], end: usize) -> Result<usize, Stop> {
    for (at, expected) in [(end, b'\r'), (end + 1, b'\n')] {
        match rest.get(at) {
            None => return Err(Stop::Cut(rest.len().min(end))),
            Some(byte) if *byte == expected => {}
            Some(_) => return Err(Stop::Bad(end, at, "string without its CRLF")),
        }
    }
    Ok(end + 2)
}

fn number_line(rest: &[u8], at: usize) -> Result<(String, usize), Stop> {
    let line = &rest[at + 1..];
    let end = line.iter().position(|byte| *byte == b'\r');
    if end.unwrap_or(line.len()) > 326 {
        return Err(Stop::Bad(at, at + 1, "number that is too long"));
    }
    match end.map(|end| (end, line.get(end + 1))) {
        None | Some((_, None)) => Err(Stop::Cut(at)),
        Some((end, Some(b'\n'))) => {
            let text = line[..end].iter().map(|byte| char::from(*byte)).collect();
            Ok((text, at + 1 + end + 2))
        }
        Some((end, Some(_))) => {
            let what = "carriage return without a line feed";
            Err(Stop::Bad(at, at + 1 + end, what))
        }
    }
}

fn text(rest: &[u8], from: usize) -> Result<usize, Stop> {
    let Some(at) = (from..rest.len()).find(|at| rest[*at] == b'\r' || rest[*at] == b'\n') else {
        return Err(Stop::Cut(rest.len()));
    };
    line_end(rest, at)
}

fn line_end(rest: &[u8], at: usize) -> Result<usize, Stop> {
    match (rest[at], rest.get(at + 1)) {
        (b'\n', _) => Err(Stop::Bad(at, at, "line feed without a carriage return")),
        (_, None) => Err(Stop::Cut(at)),
        (_, Some(b'\n')) => Ok(at + 2),
        (_, Some(_)) => Err(Stop::Bad(at, at, "carriage return without a line feed")),
    }
}

fn big_number(rest: &[u8], from: usize) -> Result<usize, Stop> {
    let signed = matches!(rest.get(from), Some(b'-' | b'+'));
    let first = from + usize::from(signed);
    let end = (first..rest.len()).find(|at| !rest[*at].is_ascii_digit());
    match end {
        None => Err(Stop::Cut(rest.len())),
        Some(end) if end > first && rest[end] == b'\r' => line_end(rest, end),
        Some(end) => Err(Stop::Bad(end, end, "big number that is no number")),
    }
}

fn is_double(line: &str) -> bool {
    if ["inf", "-inf", "nan", "-nan"].contains(&line) {
        return true;
    }
    let line = line.strip_prefix(['-', '+']).unwrap_or(line);
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match line.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            exponent.strip_prefix(['-', '+']).unwrap_or(exponent),
        ),
        None => (line, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    number(whole) && number(fraction) && number(exponent)
}
