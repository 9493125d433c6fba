//! Where a value ends.

use super::super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};
use super::line::{self, LONGEST_NUMBER, Line};
use super::number;
use super::{DEEPEST, MAX_BULK};

/// Values of RESP, as a server answers with them: of version 2, or of version 3, which can say all that 2 can.
///
/// ```text
///   +OK\r\n     $5\r\nhello\r\n     *2\r\n:1\r\n_\r\n     |1\r\n+ttl\r\n:60\r\n$1\r\nx\r\n
///   └ simple ┘  └─── string ───┘    └──── array ────┘     └ attributes of ─┘└ this ──┘
/// ```
///
/// A frame is a value as it stands, with everything in it and with the attributes in front of it;
/// [`RespValue`](super::RespValue) reads it. [`kind`](Format::kind) is its first byte: `b'>'` for what a server pushes,
/// which is no answer to a request.
///
/// Beside what every reader holds, it keeps 24 bytes for each level that values nest.
///
/// Streamed strings and aggregates (`$?`, `*?`, `~?`, `%?`) are one frame, too. Every line is checked as the protocol
/// describes its type: what is wrong is an error at the byte that is.
///
/// ```
/// use soquete::framing::{Flow, FrameReader, Resp, RespValue};
///
/// let mut reader = FrameReader::new(Resp::new(), 1 << 20);
/// let mut answers = 0;
/// reader.push_with(b">2\r\n+message\r\n+hi\r\n:1\r\n", |item, reading| {
///     let value = item.frame().and_then(RespValue::parse);
///     match (reading.kind(), value) {
///         (b'>', Some(RespValue::Push(items))) => assert_eq!(items.count(), 2),
///         (_, value) => {
///             answers += 1;
///             assert_eq!(value, Some(RespValue::Integer(1)));
///         }
///     }
///     Flow::Continue
/// })?;
/// assert_eq!(answers, 1);
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Resp {
    version_3: bool,
    max_depth: usize,
    max_bulk: usize,
    kind: u8,
    within: Within,
    /// All in front of this need not be looked at again; a string's bytes are skipped before they have arrived.
    at: usize,
    /// As far as the end of the line at `at` was looked for.
    scanned: usize,
    /// Attributes have come, and the value that has them has not.
    attributed: bool,
    /// The aggregates that are open.
    open: Vec<Aggregate>,
}

/// Where in a value `at` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// At a line's first byte.
    Line,
    /// In text without a length.
    Text,
    /// In a big number: at its first byte, behind its sign, behind a digit.
    Number(Digits),
    /// At the colon of a verbatim string, which so many bytes follow.
    Verbatim(usize),
    /// Behind the bytes of a string.
    Bulk,
    /// At the first byte of a part of a streamed string.
    Chunk,
    /// Behind the bytes of such a part.
    ChunkEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    Sign,
    First,
    Rest,
}

#[derive(Clone, Copy, Debug)]
struct Aggregate {
    /// How many values are to come; `None` if it is streamed.
    left: Option<u64>,
    /// They come in pairs, and one of the pair has come.
    half: bool,
    kind: u8,
}

impl Resp {
    /// Values of version 3 and of version 2. Nothing tells the two apart that a reader would have to know.
    pub const fn new() -> Self {
        Self {
            version_3: true,
            max_depth: 32,
            max_bulk: MAX_BULK,
            kind: 0,
            within: Within::Line,
            at: 0,
            scanned: 0,
            attributed: false,
            open: Vec::new(),
        }
    }

    /// Values of version 2 only; those of version 3 are malformed.
    pub const fn version_2() -> Self {
        let mut format = Self::new();
        format.version_3 = false;
        format
    }

    /// Aggregates nest no deeper; 32 by default, 128 at most.
    #[must_use]
    pub const fn max_depth(mut self, most: usize) -> Self {
        self.max_depth = if most > DEEPEST { DEEPEST } else { most };
        self
    }

    /// No string is longer than this (of a streamed one, no part); what announces more is malformed at once. 512 MiB
    /// by default.
    #[must_use]
    pub const fn max_bulk(mut self, most: usize) -> Self {
        let possible = isize::MAX as usize / 4;
        self.max_bulk = if most > possible { possible } else { most };
        self
    }

    /// Goes on from `at`; whether the value that the frame is has ended there.
    fn step(&mut self, window: Window<'_>) -> Result<Step, Malformed> {
        match self.within {
            Within::Line => self.line(window),
            Within::Text => self.text(window),
            Within::Number(digits) => self.big_number(window, digits),
            Within::Verbatim(left) => match window.get(self.at) {
                None => Ok(Step::Starved),
                Some(b':') => {
                    self.at += 1 + left;
                    self.within = Within::Bulk;
                    Ok(Step::On)
                }
                Some(_) => Err(self.wrong(self.at, "verbatim string without its format")),
            },
            Within::Bulk => self.end_of_string(window, Within::Line),
            Within::Chunk => self.chunk(window),
            Within::ChunkEnd => self.end_of_string(window, Within::Chunk),
        }
    }

    fn line(&mut self, window: Window<'_>) -> Result<Step, Malformed> {
        let Some(kind) = window.get(self.at) else {
            return Ok(Step::Starved);
        };
        if self.at == 0 && self.open.is_empty() && !self.attributed {
            self.kind = kind;
        }
        self.check_place(kind)?;
        match kind {
            b'+' | b'-' => {
                self.within = Within::Text;
                self.at += 1;
                return Ok(Step::On);
            }
            b'(' => {
                self.within = Within::Number(Digits::Sign);
                self.at += 1;
                return Ok(Step::On);
            }
            b'$' | b'*' => {
                if let Some((length, end)) = number::short(window, self.at + 1) {
                    let line = line::sized(kind, length, self.max_bulk);
                    return self.said(kind, line, end);
                }
            }
            _ => {}
        }
        let mut buffer = [0; LONGEST_NUMBER];
        let Some((text, end)) = self.number_line(window, &mut buffer)? else {
            return Ok(Step::Starved);
        };
        let line = line::read(kind, text, self.version_3, self.max_bulk);
        self.said(kind, line, end)
    }

    /// Whether a line of this type may stand here.
    fn check_place(&self, kind: u8) -> Result<(), Malformed> {
        let wrong = match kind {
            b'+' | b'-' | b':' | b'$' | b'*' => return Ok(()),
            b'_' | b'#' | b',' | b'(' | b'!' | b'=' | b'%' | b'~' | b'|' if self.version_3 => {
                return Ok(());
            }
            b'>' if self.version_3 => match self.open.is_empty() {
                true => return Ok(()),
                false => "push inside of a value",
            },
            b'.' if self.version_3 => match self.open.last() {
                Some(Aggregate {
                    left: None,
                    half: true,
                    kind: b'%',
                }) => "streamed map that ends behind a key",
                Some(Aggregate { left: None, .. }) if self.attributed => "attributes of nothing",
                Some(Aggregate { left: None, .. }) => return Ok(()),
                _ => "end of a stream where none is open",
            },
            b';' if self.version_3 => "part of a string where none is streamed",
            _ => "no type of RESP",
        };
        Err(self.wrong(self.at, wrong))
    }

    /// What stands between the type and the line end, and the position behind that; `None` if it has not arrived.
    fn number_line<'b>(
        &mut self,
        window: Window<'_>,
        buffer: &'b mut [u8; LONGEST_NUMBER],
    ) -> Result<Option<(&'b [u8], usize)>, Malformed> {
        let from = self.at + 1;
        let found = window.find(b'\r', self.scanned.max(from));
        let length = found.unwrap_or(window.len()) - from;
        if length > LONGEST_NUMBER {
            return Err(self.wrong(from, "number that is too long"));
        }
        self.scanned = from + length;
        match found.and_then(|end| window.get(end + 1)) {
            None => return Ok(None),
            Some(b'\n') => {}
            Some(_) => {
                let what = "carriage return without a line feed";
                return Err(self.wrong(from + length, what));
            }
        }
        let text = &mut buffer[..length];
        for (at, byte) in text.iter_mut().enumerate() {
            *byte = window.get(from + at).unwrap_or_default();
        }
        Ok(Some((text, from + length + 2)))
    }

    /// The line at `at`, which ends at `end`, has said so.
    #[inline]
    fn said(
        &mut self,
        kind: u8,
        line: Result<Line, &'static str>,
        end: usize,
    ) -> Result<Step, Malformed> {
        let line = line.map_err(|what| self.wrong(self.at + 1, what))?;
        let (left, at) = match line {
            Line::Bulk(length) if kind == b'=' => {
                self.within = Within::Verbatim(length - 4);
                self.at = end + 3;
                return Ok(Step::On);
            }
            Line::Bulk(length) => {
                self.within = Within::Bulk;
                self.at = end + length;
                return Ok(Step::On);
            }
            Line::StreamedString => {
                self.within = Within::Chunk;
                self.at = end;
                return Ok(Step::On);
            }
            Line::Whole => {
                self.at = end;
                return Ok(self.value());
            }
            Line::End => {
                self.open.pop();
                self.at = end;
                return Ok(self.value());
            }
            Line::Aggregate(0) => {
                self.at = end;
                if kind == b'|' {
                    self.attributed = true;
                    return Ok(Step::On);
                }
                return Ok(self.value());
            }
            Line::Aggregate(count) => (Some(count), end),
            Line::StreamedAggregate => (None, end),
        };
        if self.open.len() == self.max_depth {
            return Err(self.wrong(self.at, "value that nests too deeply"));
        }
        self.attributed = false;
        let half = false;
        self.open.push(Aggregate { left, half, kind });
        self.at = at;
        Ok(Step::On)
    }

    /// A value has ended at `at`, and with it maybe those it was the last of.
    fn value(&mut self) -> Step {
        self.within = Within::Line;
        self.attributed = false;
        while let Some(aggregate) = self.open.last_mut() {
            aggregate.half = !aggregate.half;
            match &mut aggregate.left {
                None => return Step::On,
                Some(left) => *left -= 1,
            }
            if aggregate.left != Some(0) {
                return Step::On;
            }
            let attributes = aggregate.kind == b'|';
            self.open.pop();
            if attributes {
                self.attributed = true;
                return Step::On;
            }
        }
        Step::Ended
    }

    fn text(&mut self, window: Window<'_>) -> Result<Step, Malformed> {
        let found = window.find_either(b'\r', b'\n', self.at);
        self.at = found.unwrap_or(window.len());
        match found {
            None => Ok(Step::Starved),
            Some(at) => self.line_end(window, at),
        }
    }

    /// Something without a length ends at `at`, if with CRLF.
    fn line_end(&mut self, window: Window<'_>, at: usize) -> Result<Step, Malformed> {
        if window.get(at) == Some(b'\n') {
            return Err(self.wrong(at, "line feed without a carriage return"));
        }
        match window.get(at + 1) {
            None => Ok(Step::Starved),
            Some(b'\n') => {
                self.at = at + 2;
                Ok(self.value())
            }
            Some(_) => Err(self.wrong(at, "carriage return without a line feed")),
        }
    }

    fn big_number(&mut self, window: Window<'_>, digits: Digits) -> Result<Step, Malformed> {
        let mut digits = digits;
        loop {
            self.within = Within::Number(digits);
            let Some(byte) = window.get(self.at) else {
                return Ok(Step::Starved);
            };
            digits = match (digits, byte) {
                (_, b'0'..=b'9') => Digits::Rest,
                (Digits::Sign, b'-' | b'+') => Digits::First,
                (Digits::Rest, b'\r') => return self.line_end(window, self.at),
                _ => return Err(self.wrong(self.at, "big number that is no number")),
            };
            self.at += 1;
        }
    }

    fn end_of_string(&mut self, window: Window<'_>, next: Within) -> Result<Step, Malformed> {
        for (behind, expected) in [(0, b'\r'), (1, b'\n')] {
            let at = self.at + behind;
            match window.get(at) {
                None => return Ok(Step::Starved),
                Some(byte) if byte == expected => {}
                Some(_) => return Err(self.wrong(at, "string without its CRLF")),
            }
        }
        self.at += 2;
        self.within = next;
        match next {
            Within::Chunk => Ok(Step::On),
            _ => Ok(self.value()),
        }
    }

    fn chunk(&mut self, window: Window<'_>) -> Result<Step, Malformed> {
        match window.get(self.at) {
            None => return Ok(Step::Starved),
            Some(b';') => {}
            Some(_) => return Err(self.wrong(self.at, "streamed string without its end")),
        }
        let mut buffer = [0; LONGEST_NUMBER];
        let Some((text, end)) = self.number_line(window, &mut buffer)? else {
            return Ok(Step::Starved);
        };
        let line = line::read(b';', text, self.version_3, self.max_bulk);
        match line.map_err(|what| self.wrong(self.at + 1, what))? {
            Line::Bulk(0) => {
                self.at = end;
                Ok(self.value())
            }
            Line::Bulk(length) => {
                self.within = Within::ChunkEnd;
                self.at = end + length;
                Ok(Step::On)
            }
            _ => Err(self.wrong(self.at + 1, "negative length")),
        }
    }

    /// All in front of what is looked at is a part of the value for certain.
    fn wrong(&self, at: usize, what: &'static str) -> Malformed {
        let settled = self.at;
        Malformed { at, what, settled }
    }

    fn reset(&mut self) {
        self.within = Within::Line;
        self.at = 0;
        self.scanned = 0;
        self.attributed = false;
        self.open.clear();
    }
}

/// What a step has come to.
enum Step {
    /// The next one can be taken.
    On,
    /// It takes more bytes.
    Starved,
    /// The frame's value has ended.
    Ended,
}

impl Default for Resp {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Resp {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        loop {
            match self.step(window)? {
                Step::On => {}
                Step::Starved => {
                    let settled = window.len().min(self.at);
                    return Ok(Cut::More { settled });
                }
                Step::Ended => break,
            }
        }
        let payload = self.at;
        self.reset();
        Ok(Cut::Frame {
            head: 0,
            payload,
            tail: 0,
        })
    }

    fn overhead(&self) -> usize {
        LONGEST_NUMBER + 3
    }

    fn forget(&mut self, bytes: usize) {
        self.at -= bytes;
        self.scanned = self.scanned.saturating_sub(bytes);
    }

    fn kind(&self) -> u8 {
        self.kind
    }
}

impl Streamable for Resp {}

impl Wrap for Resp {
    /// Nothing around it: the payload is a value as [`RespWriter`](super::RespWriter) writes it.
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        let mut reader = Self {
            open: Vec::new(),
            ..*self
        };
        reader.reset();
        match reader.cut(Window::new(&[], payload)) {
            Ok(Cut::Frame { payload: len, .. }) if len == payload.len() => Wrapping::new(&[], &[]),
            Ok(Cut::Frame { payload: at, .. }) => Err(FrameError::NotOneFrame {
                at,
                what: "end of the value",
            }),
            Err(Malformed { at, what, .. }) => Err(FrameError::NotOneFrame { at, what }),
            Ok(_) => Err(FrameError::NotOneFrame {
                at: payload.len(),
                what: "value without its end",
            }),
        }
    }
}

#[cfg(test)]
mod tests;
