//! Heads of text that say how long the body is, as language servers have them.

use super::super::window::work;
use super::super::{Cut, Format, FrameError, Malformed, Unpacked, Window, Wrap, Wrapping};

/// Header fields, an empty line, and a body as long as `Content-Length` says: the base protocol of LSP, DAP and others
/// that speak JSON-RPC.
///
/// ```text
///   Content-Length: 19\r\n
///   \r\n
///   {"jsonrpc":"2.0"...
/// ```
///
/// A frame is the body, which is UTF-8 for certain. `Content-Type` may be there, and if it names a character set, that
/// is UTF-8 (or `utf8`, as older programs spell it). Names are in any case. Everything else is an error: another field
/// (but see [`other_fields`](Self::other_fields)), a field twice, no length, spaces in front of the colon, lines that
/// are folded or do not end with CRLF, more than 1,024 bytes of head.
///
/// ```
/// use soquete::framing::{ContentLength, Flow, FrameReader, FrameWriter};
///
/// let mut stream = Vec::new();
/// FrameWriter::new(ContentLength::new(), 1 << 20)?.encode(br#"{"id":1}"#, &mut stream)?;
/// assert_eq!(stream, b"Content-Length: 8\r\n\r\n{\"id\":1}");
///
/// let mut reader = FrameReader::new(ContentLength::new(), 1 << 20);
/// reader.push(&stream, |item| {
///     assert_eq!(item.frame(), Some(&br#"{"id":1}"#[..]));
///     Flow::Continue
/// })?;
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentLength {
    other_fields: bool,
    /// Where the line begins that has not been read.
    at: usize,
    /// As far as its end was looked for.
    scanned: usize,
    length: Option<u64>,
    typed: bool,
}

const LONGEST_HEAD: usize = 1024;

impl ContentLength {
    /// `Content-Length`, and maybe `Content-Type`.
    pub const fn new() -> Self {
        Self {
            other_fields: false,
            at: 0,
            scanned: 0,
            length: None,
            typed: false,
        }
    }

    /// Other fields may be there, and are ignored.
    #[must_use]
    pub const fn other_fields(mut self) -> Self {
        self.other_fields = true;
        self
    }

    /// Reads a field, which begins at `self.at`.
    fn field(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let wrong = |at, what| Err(Malformed::new(self.at + at, what));
        let name = line.iter().take_while(|byte| is_of_name(**byte)).count();
        match line.get(name) {
            Some(b':') if name > 0 => {}
            Some(b':') => return wrong(0, "header field without a name"),
            Some(b' ' | b'\t') if name > 0 => return wrong(name, "space in front of the colon"),
            None => return wrong(name, "header line without a colon"),
            Some(_) => return wrong(name, "header field whose name is no word"),
        }
        let behind = &line[name + 1..];
        let value = behind.trim_ascii_start();
        let value_at = line.len() - value.len();
        let value = value.trim_ascii_end();
        let name = &line[..name];
        if name.eq_ignore_ascii_case(b"Content-Length") {
            if self.length.is_some() {
                return wrong(0, "second Content-Length");
            }
            match number(value) {
                Some(length) => self.length = Some(length),
                None => return wrong(value_at, "Content-Length that is no number"),
            }
        } else if name.eq_ignore_ascii_case(b"Content-Type") {
            if self.typed {
                return wrong(0, "second Content-Type");
            }
            if !is_utf_8(value) {
                return wrong(
                    value_at,
                    "Content-Type with another character set than UTF-8",
                );
            }
            self.typed = true;
        } else if !self.other_fields {
            return wrong(0, "header field other than Content-Length and Content-Type");
        }
        Ok(())
    }
}

/// A character of a token, as HTTP has them.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        let digit = (digit < 10).then_some(digit)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Whether a media type names UTF-8 as its character set, or none.
fn is_utf_8(value: &[u8]) -> bool {
    value.split(|byte| *byte == b';').skip(1).all(|parameter| {
        let parameter = parameter.trim_ascii();
        let Some((name, set)) = parameter.split_at_checked("charset=".len()) else {
            return true;
        };
        let set = set
            .strip_prefix(b"\"")
            .and_then(|set| set.strip_suffix(b"\""))
            .unwrap_or(set);
        !name.eq_ignore_ascii_case(b"charset=")
            || set.eq_ignore_ascii_case(b"utf-8")
            || set.eq_ignore_ascii_case(b"utf8")
    })
}

/// The bytes of the window between two positions, from where they lie or put together in `buffer`.
fn between<'b>(
    window: Window<'b>,
    from: usize,
    to: usize,
    buffer: &'b mut [u8; LONGEST_HEAD],
) -> &'b [u8] {
    work::examined(to - from);
    let [first, second] = window.split(from);
    let len = to - from;
    if let Some(line) = first.get(..len) {
        return line;
    }
    if first.is_empty() {
        return second.get(..len).unwrap_or_default();
    }
    let line = &mut buffer[..len];
    line[..first.len()].copy_from_slice(first);
    line[first.len()..].copy_from_slice(&second[..len - first.len()]);
    line
}

impl Default for ContentLength {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for ContentLength {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        loop {
            let found = window.find_either(b'\r', b'\n', self.scanned);
            let end = found.unwrap_or(window.len());
            if end > LONGEST_HEAD {
                return Err(Malformed::new(
                    LONGEST_HEAD,
                    "head of more than 1,024 bytes",
                ));
            }
            self.scanned = end;
            if window.get(end) == Some(b'\n') {
                return Err(Malformed::new(end, "line feed without a carriage return"));
            }
            match window.get(end + 1) {
                None => return Ok(Cut::MORE),
                Some(b'\n') => {}
                Some(_) => return Err(Malformed::new(end, "carriage return without a line feed")),
            }
            let next = end + 2;
            if end > self.at {
                let mut buffer = [0; LONGEST_HEAD];
                self.field(between(window, self.at, end, &mut buffer))?;
                self.at = next;
                self.scanned = next;
                continue;
            }
            let Some(payload) = self.length else {
                return Err(Malformed::new(end, "head without a Content-Length"));
            };
            *self = Self {
                other_fields: self.other_fields,
                ..Self::new()
            };
            return Ok(Cut::Declared {
                head: next,
                payload,
                tail: 0,
            });
        }
    }

    fn overhead(&self) -> usize {
        LONGEST_HEAD + 2
    }

    fn unpack(&mut self, raw: &[u8], _: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        match std::str::from_utf8(raw) {
            Ok(_) => Ok(Unpacked::AsIs),
            Err(error) => Err(Malformed::new(error.valid_up_to(), "body that is no UTF-8")),
        }
    }
}

impl Wrap for ContentLength {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        if let Err(error) = std::str::from_utf8(payload) {
            let (at, what) = (error.valid_up_to(), "what is no UTF-8");
            return Err(FrameError::NotOneFrame { at, what });
        }
        let (len, max) = (payload.len() as u64, self.max_payload());
        if len > max {
            return Err(FrameError::Unrepresentable { len, max });
        }
        let mut head = *b"Content-Length: 000000000000\r\n\r\n";
        let (mut from, mut rest) = (head.len() - 4, payload.len());
        loop {
            from -= 1;
            head[from] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        head.copy_within(from.., NAME);
        Wrapping::new(&head[..head.len() - (from - NAME)], &[])
    }

    /// What twelve digits say: a head has room for no more.
    fn max_payload(&self) -> u64 {
        999_999_999_999
    }
}

/// How long the head's beginning is.
const NAME: usize = "Content-Length: ".len();

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(format: ContentLength, bytes: &[u8]) -> Result<Cut, Malformed> {
        let whole = format.clone().cut(Window::new(&[], bytes));
        for cut in 0..=bytes.len() {
            let split = Window::new(&bytes[..cut], &bytes[cut..]);
            assert_eq!(format.clone().cut(split), whole, "cut at {cut}");
        }
        whole
    }

    #[test]
    fn heads_of_every_right_spelling() {
        let heads: [&[u8]; 8] = [
            b"Content-Length: 12\r\n\r\n",
            b"content-length:12\r\n\r\n",
            b"CONTENT-LENGTH:\t 012 \r\n\r\n",
            b"Content-Length: 12\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n",
            b"Content-Type: application/vscode-jsonrpc;charset=\"UTF8\"\r\nContent-Length: 12\r\n\r\n",
            b"Content-Type: application/json\r\nContent-Length: 12\r\n\r\n",
            b"Content-Type: a; b=c\r\nContent-Length: 12\r\n\r\n",
            b"Content-Type:\r\nContent-Length: 12\r\n\r\n",
        ];
        for bytes in heads {
            let declared = Cut::Declared {
                head: bytes.len(),
                payload: 12,
                tail: 0,
            };
            assert_eq!(cut(ContentLength::new(), bytes), Ok(declared));
            for end in 0..bytes.len() {
                assert_eq!(cut(ContentLength::new(), &bytes[..end]), Ok(Cut::MORE));
            }
        }
        let other = b"X-Id: 7\r\nContent-Length: 1\r\n\r\n";
        assert!(cut(ContentLength::new().other_fields(), other).is_ok());
    }

    #[test]
    fn what_is_wrong_is_reported_where_it_is() {
        let wrong: [(&[u8], usize, &str); 23] = [
            (b"\r\n", 0, "head without a Content-Length"),
            (
                b"Content-Type: a\r\n\r\n",
                17,
                "head without a Content-Length",
            ),
            (
                b"Content-Length: 1\n",
                17,
                "line feed without a carriage return",
            ),
            (
                b"Content-Length: 1\r\r\n",
                17,
                "carriage return without a line feed",
            ),
            (b"Content-Length : 1\r\n", 14, "space in front of the colon"),
            (
                b" Content-Length: 1\r\n",
                0,
                "header field whose name is no word",
            ),
            (
                b"Content-Length: 1\r\n 2\r\n",
                19,
                "header field whose name is no word",
            ),
            (b": 1\r\n", 0, "header field without a name"),
            (b"Content-Length\r\n", 14, "header line without a colon"),
            (b"{\"id\":1}\r\n", 0, "header field whose name is no word"),
            (
                b"Content-Length: \r\n",
                16,
                "Content-Length that is no number",
            ),
            (
                b"Content-Length: +1\r\n",
                16,
                "Content-Length that is no number",
            ),
            (
                b"Content-Length: -1\r\n",
                16,
                "Content-Length that is no number",
            ),
            (
                b"Content-Length: 0x1\r\n",
                16,
                "Content-Length that is no number",
            ),
            (
                b"Content-Length: 1, 1\r\n",
                16,
                "Content-Length that is no number",
            ),
            (
                b"Content-Length: 1.0\r\n",
                16,
                "Content-Length that is no number",
            ),
            (
                b"Content-Length: 18446744073709551616\r\n",
                16,
                "Content-Length that is no number",
            ),
            (
                b"Content-Length: 1\r\nContent-Length: 1\r\n",
                19,
                "second Content-Length",
            ),
            (
                b"Content-Type: a\r\ncontent-type: a\r\n",
                17,
                "second Content-Type",
            ),
            (
                b"Content-Type: a; charset=utf-16\r\n",
                14,
                "Content-Type with another character set than UTF-8",
            ),
            (
                b"Content-Type: a; charset=\r\n",
                14,
                "Content-Type with another character set than UTF-8",
            ),
            (
                b"X-Id: 7\r\n",
                0,
                "header field other than Content-Length and Content-Type",
            ),
            (
                b"Content-Length: 1\r\n\n",
                19,
                "line feed without a carriage return",
            ),
        ];
        for (bytes, at, what) in wrong {
            let error = cut(ContentLength::new(), bytes).unwrap_err();
            let shown = bytes.escape_ascii();
            assert_eq!((error.at, error.what), (at, what), "{shown}");
        }
        let long = [&b"Content-Type: "[..], &[b'x'; 1024]].concat();
        assert_eq!(
            cut(ContentLength::new(), &long).unwrap_err().at,
            LONGEST_HEAD
        );
        assert_eq!(
            cut(ContentLength::new(), &long[..LONGEST_HEAD]),
            Ok(Cut::MORE)
        );
    }

    #[test]
    fn heads_are_decimal_and_bodies_are_text() {
        let wrapped = |payload: &[u8]| {
            let wrapping = ContentLength::new().wrap(payload)?;
            Ok(wrapping.head().to_vec())
        };
        assert_eq!(wrapped(b""), Ok(b"Content-Length: 0\r\n\r\n".to_vec()));
        assert_eq!(
            wrapped(&[b'x'; 1200]),
            Ok(b"Content-Length: 1200\r\n\r\n".to_vec())
        );
        let (at, what) = (2, "what is no UTF-8");
        assert_eq!(
            wrapped(b"ab\xff"),
            Err(FrameError::NotOneFrame { at, what })
        );
        let mut out = vec![];
        assert_eq!(
            ContentLength::new().unpack("a\u{e9}".as_bytes(), &mut out),
            Ok(Unpacked::AsIs)
        );
        assert_eq!(
            ContentLength::new()
                .unpack(b"a\xe9", &mut out)
                .unwrap_err()
                .at,
            1
        );
    }
}
