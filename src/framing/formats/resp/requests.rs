//! Where a request ends.

use super::super::super::{Cut, Format, FrameError, Malformed, Unpacked, Window, Wrap, Wrapping};
use super::MAX_BULK;
use super::complaints::{Complaints, OF_ARRAY, OF_BULK, expected_bulk};
use super::number;
use super::words::{self, Unbalanced};

/// Requests as Redis reads them: arrays of bulk strings, and words in a line.
///
/// ```text
///   *2\r\n  $3\r\n GET \r\n  $5\r\n hello \r\n        an array
///   GET hello\r\n                                     the same, typed by hand
/// ```
///
/// A frame is an array in both cases, which [`RespRequest`](super::RespRequest) reads: a typed request is turned into one, its quotation
/// marks and escapes resolved. [`kind`](Format::kind) says which of the two it was. Requests without words are skipped,
/// as Redis does.
///
/// What is wrong with a request is said in Redis's words, so that a server answers as Redis does, and ends:
///
/// ```
/// use soquete::framing::{FrameError, FrameReader, RespRequest, RespRequests};
/// use soquete::{event, net};
///
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     let requests = FrameReader::new(RespRequests::new(), 1 << 30);
///     socket
///         .frames(requests, move |frame| {
///             let Some(request) = RespRequest::parse(frame) else { return };
///             match request.name() {
///                 name if name.eq_ignore_ascii_case(b"PING") => socket.write("+PONG\r\n"),
///                 _ => socket.write("-ERR unknown command\r\n"),
///             };
///         })
///         .on_error(move |error| {
///             if let FrameError::Malformed { what, .. } = error {
///                 socket.write(format!("-ERR Protocol error: {what}\r\n"));
///             }
///             socket.destroy_soon();
///         })
/// });
/// ```
///
/// Like Redis it does not look at the two bytes behind a string, unless it is [`strict`](Self::strict). A length ends
/// with CR and any byte; a line with LF or CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RespRequests {
    max_line: usize,
    max_arguments: i64,
    max_bulk: i64,
    strict: bool,
    unauthenticated: bool,
    /// How many bytes of the request need not be looked at again. A string's bytes are skipped before they have
    /// arrived.
    at: usize,
    /// As far as the end of the line at `at` was looked for.
    scanned: usize,
    /// How many arguments have not been seen yet; `None` before the array's head.
    left: Option<i64>,
    kind: u8,
}

/// A typed request longer than this, or the line of a number, is too big.
const MAX_LINE: usize = 64 * 1024;

/// What Redis allows a client that has not authenticated itself.
const UNAUTHENTICATED_ARGUMENTS: i64 = 10;
const UNAUTHENTICATED_BULK: i64 = 16 * 1024;

impl RespRequests {
    /// [`Format::kind`] of a typed request.
    pub const TYPED: u8 = 0;
    /// [`Format::kind`] of an array.
    pub const ARRAY: u8 = b'*';

    /// Requests with Redis's limits: 512 MiB to a string, 2,147,483,647 arguments, 64 KiB to a line. The reader's
    /// limit is on the whole of a request, which Redis allows 1 GiB.
    pub const fn new() -> Self {
        Self {
            max_line: MAX_LINE,
            max_arguments: i32::MAX as i64,
            max_bulk: MAX_BULK as i64,
            strict: false,
            unauthenticated: false,
            at: 0,
            scanned: 0,
            left: None,
            kind: Self::TYPED,
        }
    }

    /// No argument is longer than this; what announces more is malformed at once. At most 2<sup>60</sup>.
    #[must_use]
    pub const fn max_bulk(mut self, most: usize) -> Self {
        self.max_bulk = if most > 1 << 60 { 1 << 60 } else { most as i64 };
        self
    }

    /// No request has more arguments; what announces more is malformed at once.
    #[must_use]
    pub const fn max_arguments(mut self, most: u32) -> Self {
        self.max_arguments = most as i64;
        self
    }

    /// No typed request, and no line of a length, is longer.
    #[must_use]
    pub const fn max_line(mut self, most: usize) -> Self {
        self.max_line = if most > MAX_BULK { MAX_BULK } else { most };
        self
    }

    /// Behind a string there has to be CRLF, and behind a length CR and LF. Redis takes any byte for them, and so it
    /// reads something else than a stricter proxy in front of it.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Whether the client has still to authenticate itself: then a request has ten arguments at most, and each of them
    /// 16 KiB. To be set between requests, by [`Reading::format_mut`](super::super::super::Reading::format_mut).
    pub const fn expect_authentication(&mut self, expected: bool) {
        self.unauthenticated = expected;
    }

    /// The number from behind `at` on, and the position behind its line; `None` if that has not arrived.
    #[inline]
    fn number(
        &mut self,
        window: Window<'_>,
        complaints: &Complaints,
    ) -> Result<Option<(i64, usize)>, Malformed> {
        match number::short(window, self.at + 1) {
            Some(found) => Ok(Some(found)),
            None => self.any_number(window, complaints),
        }
    }

    #[cold]
    fn any_number(
        &mut self,
        window: Window<'_>,
        complaints: &Complaints,
    ) -> Result<Option<(i64, usize)>, Malformed> {
        let from = self.at + 1;
        let found = window.find(b'\r', self.scanned.max(from));
        let length = found.unwrap_or(window.len()) - from;
        if length >= self.max_line {
            return Err(self.wrong(self.at, complaints.too_big));
        }
        self.scanned = from + length;
        let Some(next) = found.and_then(|end| window.get(end + 1)) else {
            return Ok(None);
        };
        if self.strict && next != b'\n' {
            return Err(self.wrong(self.scanned, "carriage return without a line feed"));
        }
        let mut digits = [0; number::LONGEST];
        let number = digits.get_mut(..length).and_then(|digits| {
            for (at, digit) in digits.iter_mut().enumerate() {
                *digit = window.get(from + at)?;
            }
            number::strict(digits)
        });
        match number {
            Some(number) => Ok(Some((number, from + length + 2))),
            None => Err(self.wrong(from, complaints.invalid)),
        }
    }

    /// All in front of the line in question is a part of the request for certain.
    fn wrong(&self, at: usize, what: &'static str) -> Malformed {
        let settled = self.at;
        Malformed { at, what, settled }
    }

    #[inline]
    fn array_head(&mut self, window: Window<'_>) -> Result<Option<Cut>, Malformed> {
        let Some((count, end)) = self.number(window, &OF_ARRAY)? else {
            return Ok(Some(Cut::MORE));
        };
        if count > self.max_arguments {
            return Err(self.wrong(1, OF_ARRAY.invalid));
        }
        if self.unauthenticated && count > UNAUTHENTICATED_ARGUMENTS {
            return Err(self.wrong(1, "unauthenticated multibulk length"));
        }
        self.scanned = 0;
        if count <= 0 {
            return Ok(Some(Cut::Skip(end)));
        }
        self.left = Some(count);
        self.at = end;
        Ok(None)
    }

    // To be a part of `cut`, and with it of the reader's loop, so that its answer is never in memory.
    #[inline(always)]
    fn arguments(&mut self, window: Window<'_>, mut left: i64) -> Result<Cut, Malformed> {
        loop {
            if self.strict {
                self.check_end(window)?;
            }
            if left == 0 {
                break;
            }
            match window.get(self.at) {
                None => break,
                Some(b'$') => {}
                Some(got) => return Err(self.wrong(self.at, expected_bulk(got))),
            }
            let Some((length, end)) = self.number(window, &OF_BULK)? else {
                self.left = Some(left);
                let settled = self.at;
                return Ok(Cut::More { settled });
            };
            if !(0..=self.max_bulk).contains(&length) {
                return Err(self.wrong(self.at + 1, OF_BULK.invalid));
            }
            if self.unauthenticated && length > UNAUTHENTICATED_BULK {
                return Err(self.wrong(self.at + 1, "unauthenticated bulk length"));
            }
            self.at = end + length as usize + 2;
            left -= 1;
        }
        self.left = Some(left);
        if left > 0 || self.at > window.len() {
            let settled = window.len();
            return Ok(Cut::More { settled });
        }
        let payload = self.at;
        self.reset();
        Ok(Cut::Frame {
            head: 0,
            payload,
            tail: 0,
        })
    }

    /// Appends the array of strings that a typed request is.
    #[cold]
    fn unpack_typed(raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        let (start, mut count) = (out.len(), 0);
        // What a head says is known behind it only; it is put in front then.
        let split = words::split(raw, out, |out, from| {
            let end = out.len();
            number::append_head(out, b'$', (end - from) as i64);
            out[from..].rotate_left(end - from);
            out.extend_from_slice(b"\r\n");
            count += 1;
        });
        let end = out.len();
        if let Err(Unbalanced(at)) = split {
            out.truncate(start);
            return Err(Malformed::new(at, "unbalanced quotes in request"));
        }
        number::append_head(out, b'*', count);
        out[start..].rotate_left(end - start);
        Ok(Unpacked::Out)
    }

    /// What is in front of `at`, a string or the array's head, ends with CRLF, as far as that has arrived.
    fn check_end(&self, window: Window<'_>) -> Result<(), Malformed> {
        for (back, expected) in [(2, b'\r'), (1, b'\n')] {
            // What is gone from the window was looked at before.
            let at = self.at.checked_sub(back);
            if let Some(at) = at
                && window.get(at).is_some_and(|byte| byte != expected)
            {
                return Err(Malformed::in_payload(at, "bulk string without its CRLF"));
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn line(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        self.kind = Self::TYPED;
        let found = window.find(b'\n', self.scanned);
        self.scanned = found.unwrap_or(window.len());
        if self.scanned > self.max_line {
            return Err(Malformed::new(0, "too big inline request"));
        }
        let Some(end) = found else {
            return Ok(Cut::MORE);
        };
        self.reset();
        let word = (0..end).find(|at| window.get(*at).is_some_and(|byte| !words::is_space(byte)));
        if word.is_none() {
            return Ok(Cut::Skip(end + 1));
        }
        let cr = usize::from(window.get(end - 1) == Some(b'\r'));
        Ok(Cut::Frame {
            head: 0,
            payload: end - cr,
            tail: 1 + cr,
        })
    }

    fn reset(&mut self) {
        self.at = 0;
        self.scanned = 0;
        self.left = None;
    }
}

impl Default for RespRequests {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for RespRequests {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let left = match self.left {
            Some(left) => left,
            None if window.get(0) != Some(b'*') => return self.line(window),
            None => {
                self.kind = Self::ARRAY;
                if let Some(cut) = self.array_head(window)? {
                    return Ok(cut);
                }
                self.left.unwrap_or_default()
            }
        };
        self.arguments(window, left)
    }

    /// A line may stay undecided until it is too long.
    fn overhead(&self) -> usize {
        self.max_line + 2
    }

    fn forget(&mut self, bytes: usize) {
        self.at -= bytes;
        self.scanned = self.scanned.saturating_sub(bytes);
    }

    fn kind(&self) -> u8 {
        self.kind
    }

    /// Makes an array of a typed request.
    #[inline]
    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        match self.kind {
            Self::ARRAY => Ok(Unpacked::AsIs),
            _ => Self::unpack_typed(raw, out),
        }
    }
}

impl Wrap for RespRequests {
    /// Nothing around it: the payload is a request as [`RespWriter::request`](super::RespWriter::request) makes it.
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        let mut reader = Self {
            at: 0,
            scanned: 0,
            left: None,
            ..*self
        };
        let found = payload
            .starts_with(b"*")
            .then(|| reader.cut(Window::new(&[], payload)));
        match found {
            Some(Ok(Cut::Frame { payload: len, .. })) if len == payload.len() => {
                Wrapping::new(&[], &[])
            }
            Some(Ok(Cut::Frame { payload: at, .. })) => Err(FrameError::NotOneFrame {
                at,
                what: "end of the request",
            }),
            Some(Err(Malformed { at, what, .. })) => Err(FrameError::NotOneFrame { at, what }),
            _ => Err(FrameError::NotOneFrame {
                at: 0,
                what: "no request",
            }),
        }
    }
}

#[cfg(test)]
mod tests;
