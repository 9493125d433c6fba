//! Lines of text.

use super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};

/// Lines of bytes, without their ends. The end does not count against the limit.
///
/// | | ends a line | a lone CR | a lone LF | written |
/// |---|---|---|---|---|
/// | [`new`](Self::new) | LF or CRLF | is text | ends the line | LF |
/// | [`lf`](Self::lf) | LF | is text, also in front of LF | ends the line | LF |
/// | [`crlf`](Self::crlf) | CRLF | is an error | is an error | CRLF |
///
/// A protocol that says CRLF should get [`crlf`](Self::crlf): where two programs on the way disagree
/// about what ends a line, messages can be smuggled past one of them.
///
/// Lines are bytes; text is a layer above, and what to do with bytes that are none is for that layer
/// to say:
///
/// ```
/// use soquete::framing::{FrameReader, Lines};
///
/// let mut reader = FrameReader::new(Lines::new(), 80);
/// let mut feed = reader.feed("olá\n".as_bytes());
/// let line = feed.next()?.and_then(|item| item.frame()).unwrap_or_default();
/// assert_eq!(std::str::from_utf8(line), Ok("olá"));
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    end: End,
    remainder: bool,
    skip_blank: bool,
    scanned: usize,
    /// The line's beginning has been handed out or dropped.
    begun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    LfOrCrlf,
    Lf,
    Crlf,
}

/// What there is of a line's end. A [`Cut`] is more than what passes from function to function in
/// registers, and in memory it would cost as much as the search.
enum Seen {
    Line { payload: usize, tail: usize },
    More { settled: usize },
}

impl Lines {
    /// LF or CRLF ends a line.
    pub const fn new() -> Self {
        Self::ending(End::LfOrCrlf)
    }

    /// LF ends a line, and CR is a byte like others.
    pub const fn lf() -> Self {
        Self::ending(End::Lf)
    }

    /// CRLF ends a line, and neither of the two may stand alone.
    pub const fn crlf() -> Self {
        Self::ending(End::Crlf)
    }

    /// JSON values, one to a line: empty lines are skipped, and the last line may go without its end.
    pub const fn ndjson() -> Self {
        Self::new().skip_blank().remainder_at_end()
    }

    const fn ending(end: End) -> Self {
        Self {
            end,
            remainder: false,
            skip_blank: false,
            scanned: 0,
            begun: false,
        }
    }

    /// What stands behind the last line end when the input ends is a line, too (if there is
    /// something), and not an error.
    #[must_use]
    pub const fn remainder_at_end(mut self) -> Self {
        self.remainder = true;
        self
    }

    /// Empty lines are no frames.
    #[must_use]
    pub const fn skip_blank(mut self) -> Self {
        self.skip_blank = true;
        self
    }

    #[inline]
    fn line(&mut self, payload: usize, tail: usize) -> Result<Cut, Malformed> {
        self.scanned = 0;
        let begun = std::mem::take(&mut self.begun);
        if self.skip_blank && payload == 0 && !begun {
            return Ok(Cut::Skip(tail));
        }
        Ok(Cut::Frame {
            head: 0,
            payload,
            tail,
        })
    }

    #[inline(always)]
    fn look(&mut self, window: Window<'_>) -> Result<Seen, Malformed> {
        if self.end == End::Crlf {
            return self.look_strictly(window);
        }
        let found = window.find(b'\n', self.scanned);
        let end = found.unwrap_or(window.len());
        let may_be_cr = self.end == End::LfOrCrlf && end > 0;
        let cr = usize::from(may_be_cr && window.get(end - 1) == Some(b'\r'));
        let payload = end - cr;
        if found.is_some() {
            let tail = 1 + cr;
            return Ok(Seen::Line { payload, tail });
        }
        self.scanned = end;
        Ok(Seen::More { settled: payload })
    }

    #[inline(never)]
    fn look_strictly(&mut self, window: Window<'_>) -> Result<Seen, Malformed> {
        let Some(at) = window.find_either(b'\r', b'\n', self.scanned) else {
            self.scanned = window.len();
            return Ok(Seen::More {
                settled: self.scanned,
            });
        };
        self.scanned = at;
        if window.get(at) == Some(b'\n') {
            return Err(Malformed::in_payload(
                at,
                "line feed without a carriage return",
            ));
        }
        match window.get(at + 1) {
            Some(b'\n') => Ok(Seen::Line {
                payload: at,
                tail: 2,
            }),
            Some(_) => Err(Malformed::in_payload(
                at,
                "carriage return without a line feed",
            )),
            None => Ok(Seen::More { settled: at }),
        }
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Lines {
    #[inline(always)]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        match self.look(window)? {
            Seen::Line { payload, tail } => self.line(payload, tail),
            Seen::More { settled } => Ok(Cut::More { settled }),
        }
    }

    fn overhead(&self) -> usize {
        2
    }

    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let len = window.len();
        let half_an_end = self.end == End::Crlf && self.scanned < len;
        if !self.remainder || half_an_end {
            Ok(Cut::MORE)
        } else {
            self.line(len, 0)
        }
    }

    fn forget(&mut self, bytes: usize) {
        self.scanned -= bytes;
        self.begun = true;
    }
}

impl Streamable for Lines {}

impl Wrap for Lines {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        let window = Window::new(&[], payload);
        let found = match self.end {
            End::Crlf => window.find_either(b'\r', b'\n', 0),
            End::Lf | End::LfOrCrlf => window.find(b'\n', 0),
        };
        if let Some(at) = found {
            return Err(FrameError::NotOneFrame {
                at,
                what: "line end",
            });
        }
        if self.end == End::LfOrCrlf && payload.ends_with(b"\r") {
            let what = "carriage return that would become a part of the line end";
            return Err(FrameError::NotOneFrame {
                at: payload.len() - 1,
                what,
            });
        }
        if self.skip_blank && payload.is_empty() {
            return Err(FrameError::NotOneFrame {
                at: 0,
                what: "empty line",
            });
        }
        Wrapping::new(
            &[],
            if self.end == End::Crlf {
                b"\r\n"
            } else {
                b"\n"
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(mut format: Lines, bytes: &[u8]) -> Result<Cut, Malformed> {
        format.cut(Window::new(&[], bytes))
    }

    fn line(payload: usize, tail: usize) -> Result<Cut, Malformed> {
        Ok(Cut::Frame {
            head: 0,
            payload,
            tail,
        })
    }

    #[test]
    fn the_three_kinds_of_line_ends() {
        assert_eq!(cut(Lines::new(), b"ab\r\n"), line(2, 2));
        assert_eq!(cut(Lines::new(), b"ab\n"), line(2, 1));
        assert_eq!(cut(Lines::new(), b"a\rb\n"), line(3, 1));
        assert_eq!(cut(Lines::new(), b"\r\r\n"), line(1, 2));
        assert_eq!(cut(Lines::lf(), b"ab\r\n"), line(3, 1));
        assert_eq!(cut(Lines::crlf(), b"ab\r\n"), line(2, 2));
        assert_eq!(cut(Lines::crlf(), b"ab\n").unwrap_err().at, 2);
        assert_eq!(cut(Lines::crlf(), b"ab\rc").unwrap_err().at, 2);
    }

    #[test]
    fn a_carriage_return_at_the_end_of_the_window_is_not_settled() {
        assert_eq!(cut(Lines::new(), b"ab\r"), Ok(Cut::More { settled: 2 }));
        assert_eq!(cut(Lines::crlf(), b"ab\r"), Ok(Cut::More { settled: 2 }));
        assert_eq!(cut(Lines::lf(), b"ab\r"), Ok(Cut::More { settled: 3 }));
    }

    #[test]
    fn payloads_that_would_be_read_as_other_lines_are_refused() {
        let at = |format: Lines, payload: &[u8]| match format.wrap(payload) {
            Ok(_) => None,
            Err(FrameError::NotOneFrame { at, .. }) => Some(at),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(at(Lines::new(), b"a\rb"), None);
        assert_eq!(at(Lines::new(), b"a\nb"), Some(1));
        assert_eq!(at(Lines::new(), b"ab\r"), Some(2));
        assert_eq!(at(Lines::lf(), b"ab\r"), None);
        assert_eq!(at(Lines::crlf(), b"a\rb"), Some(1));
        assert_eq!(at(Lines::ndjson(), b""), Some(0));
    }
}
