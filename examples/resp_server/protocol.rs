//! RESP requests: where one ends ([`Resp`]), and what it says ([`Request`]).
//!
//! ```text
//!   *2\r\n  $3\r\n GET \r\n  $5\r\n hello \r\n        an array of bulk strings
//!   GET hello\r\n                                     the same, typed by hand
//! ```
//!
//! The format finds the end of a request while its bytes come in, and looks at the heads only. When
//! all of it is there, it is read again as one slice, by the same [`head`]. What is wrong with it, if
//! something is, is answered by the second reading: the format ends the frame behind the first
//! mistake, as the peer is owed the replies to all requests before it, and then the reason.

use std::ops::Range;

use soquete::framing::{Cut, Format, Malformed, Window};

use super::{inline, integer};

/// The most bytes of a line: a typed request, or the head of an array or a bulk string.
const LONGEST_LINE: usize = 64 * 1024;
/// The longest argument.
const LONGEST_BULK: i64 = 512 * 1024 * 1024;
/// The most arguments.
const MOST_ARGUMENTS: i64 = i32::MAX as i64;
/// The longest request; the limit for the reader.
pub const LONGEST_REQUEST: usize = 1024 * 1024 * 1024;

/// The boundaries of requests.
#[derive(Debug, Default)]
pub struct Resp {
    /// How many bytes of the request need not be looked at again. A bulk string's bytes are skipped
    /// before they have arrived.
    at: usize,
    /// How many arguments have not been seen yet; none before the array's head.
    arguments_left: i64,
}

/// The head of an array or a bulk string, or the lack of one.
enum Head {
    Incomplete,
    TooLong,
    Complete {
        /// None if it is no number.
        number: Option<i64>,
        /// The position behind the line.
        end: usize,
    },
}

/// Why a request is none. The connection ends after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    TooBigInline,
    UnbalancedQuotes,
    TooBigArrayHead,
    InvalidArrayLength,
    ExpectedBulk { got: u8 },
    TooBigBulkHead,
    InvalidBulkLength,
}

/// A request's arguments. The value is reused, as its memory is.
#[derive(Default)]
pub struct Request {
    spans: Vec<Range<usize>>,
    /// The arguments of a typed request, without their quotation marks.
    unquoted: Vec<u8>,
    typed: bool,
}

/// The arguments of one request, the command's name first.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    bytes: &'a [u8],
    spans: &'a [Range<usize>],
}

impl Format for Resp {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        if self.arguments_left == 0 {
            if window.get(0) != Some(b'*') {
                return Ok(self.cut_line(window));
            }
            match head(window, 1) {
                Head::Incomplete => return Ok(Cut::MORE),
                Head::TooLong => return Ok(frame(LONGEST_LINE + 1)),
                Head::Complete { number, end } => match number {
                    Some(..=0) => return Ok(Cut::Skip(end)),
                    Some(count @ ..=MOST_ARGUMENTS) => {
                        self.arguments_left = count;
                        self.at = end;
                    }
                    _ => return Ok(frame(end)),
                },
            }
        }
        Ok(self.cut_arguments(window))
    }

    /// A line may stay undecided until it is too long.
    fn overhead(&self) -> usize {
        LONGEST_LINE + 2
    }
}

impl Resp {
    fn cut_arguments(&mut self, window: Window<'_>) -> Cut {
        let settled = window.len();
        while self.arguments_left > 0 {
            let end = match window.get(self.at) {
                None => return Cut::More { settled },
                Some(b'$') => match head(window, self.at + 1) {
                    Head::Incomplete => return Cut::More { settled },
                    Head::TooLong => self.at + LONGEST_LINE + 1,
                    Head::Complete { number, end } => match number {
                        Some(length @ 0..=LONGEST_BULK) => {
                            self.at = end + length as usize + 2;
                            self.arguments_left -= 1;
                            continue;
                        }
                        _ => end,
                    },
                },
                Some(_) => self.at + 1,
            };
            *self = Resp::default();
            return frame(end);
        }
        let payload = self.at as u64;
        *self = Resp::default();
        Cut::Declared {
            head: 0,
            payload,
            tail: 0,
        }
    }

    fn cut_line(&mut self, window: Window<'_>) -> Cut {
        let end = match window.find(b'\n', self.at) {
            Some(newline) => newline + 1,
            None if window.len() <= LONGEST_LINE => {
                self.at = window.len();
                return Cut::MORE;
            }
            None => usize::MAX,
        };
        self.at = 0;
        frame(end.min(LONGEST_LINE + 1))
    }
}

impl Request {
    /// Reads a frame. No arguments are nothing to answer.
    pub fn parse<'a>(&'a mut self, frame: &'a [u8]) -> Result<Arguments<'a>, ProtocolError> {
        self.spans.clear();
        self.typed = frame.first() != Some(&b'*');
        if self.typed {
            self.parse_line(frame)?;
            return Ok(Arguments {
                bytes: &self.unquoted,
                spans: &self.spans,
            });
        }
        self.parse_array(frame)?;
        Ok(Arguments {
            bytes: frame,
            spans: &self.spans,
        })
    }

    fn parse_array(&mut self, frame: &[u8]) -> Result<(), ProtocolError> {
        let window = Window::new(&[], frame);
        let (count, mut at) = match head(window, 1) {
            Head::Complete {
                number: Some(count @ 1..=MOST_ARGUMENTS),
                end,
            } => (count, end),
            Head::Complete { .. } => return Err(ProtocolError::InvalidArrayLength),
            _ => return Err(ProtocolError::TooBigArrayHead),
        };
        for _ in 0..count {
            let got = frame.get(at).copied().unwrap_or_default();
            if got != b'$' {
                return Err(ProtocolError::ExpectedBulk { got });
            }
            let (length, begin) = match head(window, at + 1) {
                Head::Complete {
                    number: Some(length @ 0..=LONGEST_BULK),
                    end,
                } => (length, end),
                Head::Complete { .. } => return Err(ProtocolError::InvalidBulkLength),
                _ => return Err(ProtocolError::TooBigBulkHead),
            };
            let end = begin + length as usize;
            self.spans.push(begin..end);
            at = end + 2;
        }
        Ok(())
    }

    fn parse_line(&mut self, frame: &[u8]) -> Result<(), ProtocolError> {
        let Some((b'\n', line)) = frame.split_last() else {
            return Err(ProtocolError::TooBigInline);
        };
        self.unquoted.clear();
        let Request {
            spans, unquoted, ..
        } = self;
        inline::split(line, |word| {
            let begin = unquoted.len();
            unquoted.extend_from_slice(word);
            spans.push(begin..unquoted.len());
        })
        .map_err(|inline::Unbalanced| ProtocolError::UnbalancedQuotes)
    }

    /// Gives back the memory of an uncommonly long request.
    pub fn shrink(&mut self) {
        self.spans.shrink_to(1024);
        self.unquoted.shrink_to(LONGEST_LINE);
    }
}

impl<'a> Arguments<'a> {
    pub fn len(self) -> usize {
        self.spans.len()
    }

    /// The argument at `index`; empty if there is none.
    pub fn at(self, index: usize) -> &'a [u8] {
        let span = self.spans.get(index).cloned().unwrap_or_default();
        self.bytes.get(span).unwrap_or_default()
    }

    /// The arguments from `index` on.
    pub fn from(self, index: usize) -> impl ExactSizeIterator<Item = &'a [u8]> {
        let spans = self.spans.get(index..).unwrap_or_default();
        spans
            .iter()
            .map(move |span| self.bytes.get(span.clone()).unwrap_or_default())
    }
}

impl ProtocolError {
    /// What the peer is told.
    pub fn message(self) -> String {
        let reason = match self {
            Self::TooBigInline => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
            Self::TooBigArrayHead => "too big mbulk count string",
            Self::InvalidArrayLength => "invalid multibulk length",
            Self::TooBigBulkHead => "too big bulk count string",
            Self::InvalidBulkLength => "invalid bulk length",
            Self::ExpectedBulk { got } => {
                return format!(
                    "ERR Protocol error: expected '$', got '{}'",
                    char::from(got)
                );
            }
        };
        format!("ERR Protocol error: {reason}")
    }
}

/// Reads the line from `from` on, which is behind the character that says what it counts.
#[inline]
fn head(window: Window<'_>, from: usize) -> Head {
    // Nearly all numbers have a few digits, and searching takes longer than reading them.
    let mut value = 0;
    for at in from..from + 8 {
        match window.get(at) {
            Some(digit @ b'0'..=b'9') if value > 0 || at == from => {
                value = 10 * value + i64::from(digit - b'0');
            }
            Some(b'\r') if at > from && at + 2 <= window.len() => {
                return Head::Complete {
                    number: Some(value),
                    end: at + 2,
                };
            }
            _ => break,
        }
    }
    any_head(window, from)
}

#[cold]
fn any_head(window: Window<'_>, from: usize) -> Head {
    let Some(length) = window.find(b'\r', from).map(|end| end - from) else {
        return if window.len() - from >= LONGEST_LINE {
            Head::TooLong
        } else {
            Head::Incomplete
        };
    };
    if length >= LONGEST_LINE {
        return Head::TooLong;
    }
    let end = from + length + 2;
    if end > window.len() {
        return Head::Incomplete;
    }
    let mut digits = [0; integer::LONGEST];
    let number = digits.get_mut(..length).and_then(|digits| {
        for (at, digit) in digits.iter_mut().enumerate() {
            *digit = window.get(from + at)?;
        }
        integer::parse(digits)
    });
    Head::Complete { number, end }
}

/// What is there is the last that is read of this connection, if the frame is a mistake.
fn frame(payload: usize) -> Cut {
    Cut::Frame {
        head: 0,
        payload,
        tail: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use soquete::framing::{Flow, FrameReader};

    /// The requests in a stream that is cut into chunks of `size`.
    fn read(stream: &[u8], size: usize) -> Vec<Result<Vec<String>, ProtocolError>> {
        let mut reader = FrameReader::new(Resp::default(), LONGEST_REQUEST);
        let mut requests = Vec::new();
        for chunk in stream.chunks(size) {
            let flow = reader.push(chunk, |item| {
                let mut request = Request::default();
                let parsed = request.parse(item.frame().unwrap());
                requests.push(parsed.map(|arguments| {
                    arguments
                        .from(0)
                        .map(|argument| argument.escape_ascii().to_string())
                        .collect()
                }));
                if requests.iter().any(Result::is_err) {
                    Flow::Stop
                } else {
                    Flow::Continue
                }
            });
            if flow.unwrap() == Flow::Stop {
                break;
            }
        }
        requests
    }

    fn read_however_cut(stream: &[u8]) -> Vec<Result<Vec<String>, ProtocolError>> {
        let whole = read(stream, stream.len());
        for size in 1..stream.len().min(40) {
            assert_eq!(read(stream, size), whole, "in chunks of {size}");
        }
        whole
    }

    #[test]
    fn arrays_lines_and_nothings_in_one_stream() {
        let stream =
            b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n*0\r\nset a 'b c'\r\n\n*-1\r\n*1\r\n$0\r\n\r\n";
        let words = |words: &[&str]| Ok(words.iter().map(ToString::to_string).collect());
        let expected = [
            words(&["GET", "\\r\\n"]),
            words(&["set", "a", "b c"]),
            words(&[]),
            words(&[""]),
        ];
        assert_eq!(read_however_cut(stream), expected);
    }

    #[test]
    fn a_mistake_is_told_after_the_requests_before_it() {
        let mistakes: [(&[u8], ProtocolError); 7] = [
            (b"*x\r\n", ProtocolError::InvalidArrayLength),
            (b"*2147483648\r\n", ProtocolError::InvalidArrayLength),
            (
                b"*2\r\n$1\r\na\r\nb",
                ProtocolError::ExpectedBulk { got: b'b' },
            ),
            (b"*1\r\n$-1\r\n", ProtocolError::InvalidBulkLength),
            (b"*1\r\n$536870913\r\n", ProtocolError::InvalidBulkLength),
            (b"*1\r\n$\r\n", ProtocolError::InvalidBulkLength),
            (b"set 'a\r\n", ProtocolError::UnbalancedQuotes),
        ];
        for (mistake, error) in mistakes {
            let stream = [b"PING\r\n", mistake, b"PING\r\n"].concat();
            let ping = Ok(vec![String::from("PING")]);
            assert_eq!(read_however_cut(&stream), [ping, Err(error)]);
        }
    }

    #[test]
    fn lines_end_at_64_kib() {
        let long = vec![b'1'; LONGEST_LINE + 10];
        let cases: [(&[u8], ProtocolError); 3] = [
            (b"", ProtocolError::TooBigInline),
            (b"*", ProtocolError::TooBigArrayHead),
            (b"*1\r\n$", ProtocolError::TooBigBulkHead),
        ];
        for (before, error) in cases {
            for behind in [&b""[..], b"\r\n"] {
                let stream = [before, &long, behind].concat();
                for size in [1000, 1 << 20] {
                    assert_eq!(read(&stream, size), [Err(error)]);
                }
            }
        }
    }

    #[test]
    fn a_promise_of_much_takes_no_memory() {
        let mut reader = FrameReader::new(Resp::default(), LONGEST_REQUEST);
        let promise = b"*1000000\r\n$3\r\nSET\r\n$536870912\r\nabc";
        reader.push(promise, |_| unreachable!()).unwrap();
        assert!(reader.capacity() <= 2 * promise.len() + 64);
    }
}
