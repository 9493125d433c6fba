//! Text that ends with a dot on a line of its own.

use super::super::window::work;
use super::super::{
    Cut, Encode, Format, FrameError, Malformed, Output, Streamable, Unpacked, Window, search,
};

/// Lines up to one that is nothing but a dot, with a dot more in front of each that begins with one: the text behind
/// DATA in SMTP (RFC 5321, 4.5.2), and long answers in POP3 (RFC 1939, 3).
///
/// ```text
///   text:   Hi,\r\n            in the stream:   Hi,\r\n
///           .hidden\r\n                         ..hidden\r\n
///                                               .\r\n
/// ```
///
/// A frame is the text with the dots taken out again, its last line end included. It is unpacked as it comes, so that a
/// long message can come [in pieces](super::super::FrameReader::stream_above). The limit is on the text.
///
/// Only CRLF ends a line, and what looks like an end with anything else (`\n.\n`, `\n.\r\n`, `\r.\r\n`) is none: to take
/// it for one where others do not is what lets mail be smuggled. CR and LF that stand alone, which a mail must not have
/// (RFC 5321, 2.3.8), are errors; [`bare_line_ends`](Self::bare_line_ends) takes them for text.
///
/// ```
/// use soquete::framing::{DotStuffed, Either, Flow, FrameReader, Lines};
///
/// let mut reader = FrameReader::new(Either::A(Lines::crlf()), 512);
/// let mut mails = Vec::new();
/// reader.push_with(b"DATA\r\nHi,\r\n..hidden\r\n.\r\nQUIT\r\n", |item, mut reading| {
///     let Some(frame) = item.frame() else { return Flow::Continue };
///     let next = match reading.format() {
///         Either::A(_) if frame == b"DATA" => {
///             reading.switch(Either::B(DotStuffed::new()), 1 << 20)
///         }
///         Either::A(_) => Ok(()),
///         Either::B(_) => {
///             mails.push(frame.to_vec());
///             reading.switch(Either::A(Lines::crlf()), 512)
///         }
///     };
///     next.expect("frames come whole");
///     Flow::Continue
/// })?;
/// assert_eq!(mails, [b"Hi,\r\n.hidden\r\n"]);
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DotStuffed {
    bare: bool,
    /// As far as the end was looked for.
    scanned: usize,
    /// There a line begins.
    at_line: bool,
    /// What was unpacked last ended so.
    unpacked: Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Behind a line end, or with nothing.
    Line,
    Cr,
    /// Behind any other byte.
    Within,
}

impl DotStuffed {
    /// Text in which CR and LF stand together only.
    pub const fn new() -> Self {
        Self {
            bare: false,
            scanned: 0,
            at_line: true,
            unpacked: Ended::Line,
        }
    }

    /// CR and LF that stand alone are text, and end no line: for mail that came from elsewhere, and that is passed on as
    /// it is.
    #[must_use]
    pub const fn bare_line_ends(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Goes on over lines that end with CRLF and do not begin with a dot, as far as they lie in one slice, and says whether
    /// it has come to a line's beginning.
    fn skim(&mut self, window: Window<'_>) -> bool {
        let [first, second] = window.split(self.scanned);
        let run = if first.is_empty() { second } else { first };
        // A line feed in front of all would stand alone.
        if matches!(run.first(), None | Some(b'\n')) {
            return false;
        }
        let remarkable = |first, second| {
            ((first == b'\r') != (second == b'\n')) | is_dot_behind_lf(first, second)
        };
        let at = search::find_pair(run, remarkable).unwrap_or(run.len() - 1);
        work::examined(at + 1);
        self.at_line = run[at] == b'\n';
        self.scanned += at + usize::from(self.at_line);
        self.at_line
    }

    /// Where in `raw` the next line begins with a dot, if its line feed is at `from` or behind.
    fn stuffed(&self, raw: &[u8], mut from: usize) -> Option<usize> {
        loop {
            let end = from + search::find_pair(&raw[from..], is_dot_behind_lf)?;
            let behind_cr = match end.checked_sub(1) {
                Some(before) => raw[before] == b'\r',
                None => self.unpacked == Ended::Cr,
            };
            from = end + 1;
            if behind_cr {
                return Some(from);
            }
        }
    }

    /// How many bytes are text, and how many of the end follow, if they do.
    fn look(&mut self, window: Window<'_>) -> Result<Result<usize, usize>, Malformed> {
        loop {
            let at = self.scanned;
            if self.at_line {
                match [0, 1, 2].map(|behind| window.get(at + behind)) {
                    [Some(b'.'), Some(b'\r'), Some(b'\n')] => return Ok(Ok(at)),
                    [None, ..] | [Some(b'.'), None, _] | [Some(b'.'), Some(b'\r'), None] => {
                        return Ok(Err(at));
                    }
                    [first, ..] => {
                        self.at_line = false;
                        self.scanned += usize::from(first == Some(b'.'));
                        continue;
                    }
                }
            }
            if !self.bare && self.skim(window) {
                continue;
            }
            let at = self.scanned;
            let found = match self.bare {
                true => window.find(b'\r', at),
                false => window.find_either(b'\r', b'\n', at),
            };
            let end = found.unwrap_or(window.len());
            self.scanned = end;
            if found.is_none() {
                return Ok(Err(end));
            }
            if window.get(end) == Some(b'\n') {
                return Err(bare(end, b'\n'));
            }
            match window.get(end + 1) {
                None => return Ok(Err(end)),
                Some(b'\n') => {
                    self.scanned = end + 2;
                    self.at_line = true;
                }
                Some(_) if self.bare => self.scanned = end + 1,
                Some(_) => return Err(bare(end, b'\r')),
            }
        }
    }
}

/// Not `&&`: a branch would keep compilers from looking at many pairs at once.
#[inline]
fn is_dot_behind_lf(first: u8, second: u8) -> bool {
    (first == b'\n') & (second == b'.')
}

fn bare(at: usize, byte: u8) -> Malformed {
    let what = match byte {
        b'\n' => "line feed without a carriage return (RFC 5321, 2.3.8)",
        _ => "carriage return without a line feed (RFC 5321, 2.3.8)",
    };
    Malformed::in_payload(at, what)
}

impl Default for DotStuffed {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for DotStuffed {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        match self.look(window)? {
            Err(settled) => Ok(Cut::More { settled }),
            Ok(payload) => {
                self.scanned = 0;
                self.at_line = true;
                Ok(Cut::Frame {
                    head: 0,
                    payload,
                    tail: 3,
                })
            }
        }
    }

    fn overhead(&self) -> usize {
        3
    }

    fn forget(&mut self, bytes: usize) {
        self.scanned -= bytes;
    }

    /// A line that begins with a dot has three bytes at least.
    fn raw_limit(&self, limit: usize) -> usize {
        limit.saturating_add(limit / 3)
    }

    fn unpacks_in_pieces(&self) -> bool {
        true
    }

    fn unpack_piece(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        let mut from = 0;
        let mut dot = match raw.first() {
            Some(b'.') if self.unpacked == Ended::Line => Some(0),
            _ => self.stuffed(raw, 0),
        };
        while let Some(at) = dot {
            out.extend_from_slice(&raw[from..at]);
            from = at + 1;
            dot = self.stuffed(raw, from);
        }
        self.unpacked = match (last, raw) {
            (true, _) => Ended::Line,
            (false, []) => self.unpacked,
            (false, [.., b'\r', b'\n']) => Ended::Line,
            (false, [b'\n']) if self.unpacked == Ended::Cr => Ended::Line,
            (false, [.., b'\r']) => Ended::Cr,
            (false, _) => Ended::Within,
        };
        if from == 0 {
            return Ok(Unpacked::AsIs);
        }
        out.extend_from_slice(&raw[from..]);
        Ok(Unpacked::Out)
    }

    fn abandon(&mut self) {
        self.unpacked = Ended::Line;
    }
}

impl Streamable for DotStuffed {}

impl Encode for DotStuffed {
    /// The text has to end with CRLF, unless it is empty.
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        let mut at = 0;
        while at < payload.len() {
            let length = line_length(&payload[at..], self.bare);
            at += length.map_err(|wrong| FrameError::NotOneFrame {
                at: at + wrong.at,
                what: wrong.what,
            })?;
        }
        out.reserve(payload.len() + 3);
        let mut at = 0;
        while at < payload.len() {
            let line = &payload[at..];
            let length = line_length(line, self.bare).unwrap_or(line.len());
            if line[0] == b'.' {
                out.push(b'.');
            }
            out.extend_from_slice(&line[..length]);
            at += length;
        }
        out.extend_from_slice(b".\r\n");
        Ok(())
    }
}

/// How long the first line of `text` is, with its end.
fn line_length(text: &[u8], bare_line_ends: bool) -> Result<usize, Malformed> {
    let mut at = 0;
    loop {
        let found = match bare_line_ends {
            true => search::find(&text[at..], b'\r'),
            false => search::find_any(&text[at..], [b'\r', b'\n']),
        };
        let Some(end) = found.map(|end| at + end) else {
            return Err(Malformed::new(
                text.len(),
                "text that does not end with a line end",
            ));
        };
        match (text[end], text.get(end + 1)) {
            (b'\n', _) => return Err(bare(end, b'\n')),
            (_, Some(b'\n')) => return Ok(end + 2),
            _ if !bare_line_ends => return Err(bare(end, b'\r')),
            _ => at = end + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(format: DotStuffed, bytes: &[u8]) -> Result<Cut, Malformed> {
        let mut format = format;
        format.cut(Window::new(&[], bytes))
    }

    fn text(payload: usize) -> Result<Cut, Malformed> {
        Ok(Cut::Frame {
            head: 0,
            payload,
            tail: 3,
        })
    }

    #[test]
    fn text_ends_with_a_dot_on_a_line_of_its_own() {
        assert_eq!(cut(DotStuffed::new(), b".\r\n"), text(0));
        assert_eq!(cut(DotStuffed::new(), b"a\r\n.\r\nb"), text(3));
        assert_eq!(cut(DotStuffed::new(), b"..\r\n.\r\n"), text(4));
        assert_eq!(cut(DotStuffed::new(), b".a\r\n.\r\n"), text(4));
        assert_eq!(cut(DotStuffed::new(), b"\r\n.\r\n"), text(2));
    }

    #[test]
    fn what_may_be_the_end_is_not_settled() {
        let settled = |bytes: &[u8]| match cut(DotStuffed::new(), bytes) {
            Ok(Cut::More { settled }) => settled,
            other => panic!("{other:?}"),
        };
        assert_eq!(settled(b"ab"), 2);
        assert_eq!(settled(b"ab\r"), 2);
        assert_eq!(settled(b"ab\r\n"), 4);
        assert_eq!(settled(b"ab\r\n."), 4);
        assert_eq!(settled(b"ab\r\n.\r"), 4);
        assert_eq!(settled(b"ab\r\n.."), 6);
        assert_eq!(settled(b"."), 0);
    }

    #[test]
    fn line_ends_that_stand_alone_are_errors_or_text() {
        for (bytes, at) in [
            (&b"a\nb"[..], 1),
            (b"a\rb", 1),
            (b"\n.\r\n", 0),
            (b"a\r\n.\n", 4),
            (b"a\r\n.\rx", 4),
        ] {
            let error = cut(DotStuffed::new(), bytes).unwrap_err();
            assert_eq!(error.at, at, "{}", bytes.escape_ascii());
            let rest = [bytes, b"\r\n.\r\n"].concat();
            let bare = DotStuffed::new().bare_line_ends();
            assert_eq!(
                cut(bare, &rest),
                text(rest.len() - 3),
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn dots_are_doubled_and_taken_out() {
        let encoded = |text: &[u8]| {
            let mut out = vec![];
            DotStuffed::new().encode(text, &mut out).map(|()| out)
        };
        assert_eq!(encoded(b"").unwrap(), b".\r\n");
        assert_eq!(
            encoded(b".\r\n..a\r\nb.\r\n").unwrap(),
            b"..\r\n...a\r\nb.\r\n.\r\n"
        );
        for (text, at) in [
            (&b"a"[..], 1),
            (b"a\r\nb", 4),
            (b"a\n", 1),
            (b"a\rb\r\n", 1),
            (b"a\r", 1),
        ] {
            let refused = encoded(text).unwrap_err();
            assert!(
                matches!(refused, FrameError::NotOneFrame { at: reported, .. } if reported == at),
                "{refused}"
            );
        }
        for piece in 1..9 {
            let mut format = DotStuffed::new();
            let raw = b"..\r\n...a\r\nb.\r\n\r\n..";
            let mut made = vec![];
            for raw in raw.chunks(piece) {
                let mut part = vec![];
                match format.unpack_piece(raw, false, &mut Output::new(&mut part, 100)) {
                    Ok(Unpacked::AsIs) => made.extend_from_slice(raw),
                    Ok(Unpacked::Out) => made.extend(part),
                    Err(wrong) => panic!("{wrong:?}"),
                }
            }
            assert_eq!(made, b".\r\n..a\r\nb.\r\n\r\n.", "pieces of {piece}");
        }
    }
}
