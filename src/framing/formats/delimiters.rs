//! Frames up to a delimiter.

use std::sync::Arc;

use super::super::window::work;
use super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};
use super::needles::Needles;

/// Frames that end with one of several byte strings, which are not a part of the frame.
///
/// The delimiter that starts first ends the frame; of several that start there, the longest. So with
/// `"\r"`, `"\n"` and `"\r\n"`, a CRLF is one line end and not two. The stream is looked at once,
/// however many delimiters there are.
///
/// The writer uses the first one that no other one begins with, and refuses payloads that might be
/// read back differently.
///
/// Clones share the set of delimiters: make one value, and clone it for every connection.
#[derive(Clone, Debug)]
pub struct Delimiters {
    needles: Arc<Needles>,
    written: Wrapping,
    remainder: bool,
    scanned: usize,
    state: usize,
    /// Start and length of a delimiter that is the end of the frame, unless a longer one is.
    best: Option<(usize, usize)>,
}

impl Delimiters {
    /// Frames that end with one of `delimiters`.
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidFormat`] if there is none, or more than 64, or if one is empty or longer
    /// than 32 bytes.
    pub fn new(delimiters: &[&[u8]]) -> Result<Self, FrameError> {
        let invalid = |what| Err(FrameError::InvalidFormat { what });
        if delimiters.len() > 64 {
            return invalid("more than 64 delimiters");
        }
        if delimiters.iter().any(|delimiter| delimiter.is_empty()) {
            return invalid("an empty delimiter");
        }
        if delimiters
            .iter()
            .any(|delimiter| delimiter.len() > Wrapping::MAX)
        {
            return invalid("a delimiter of more than 32 bytes");
        }
        let begins_another = |one: &[u8]| {
            delimiters
                .iter()
                .any(|other| other.len() > one.len() && other.starts_with(one))
        };
        let Some(written) = delimiters.iter().find(|one| !begins_another(one)) else {
            return invalid("no delimiter");
        };
        Ok(Self {
            needles: Arc::new(Needles::new(delimiters)),
            written: Wrapping::new(&[], written)?,
            remainder: false,
            scanned: 0,
            state: 0,
            best: None,
        })
    }

    /// What stands behind the last delimiter when the input ends is a frame, too (if there is
    /// something), and not an error.
    #[must_use]
    pub fn remainder_at_end(mut self) -> Self {
        self.remainder = true;
        self
    }

    fn reset(&mut self) {
        self.scanned = 0;
        self.state = 0;
        self.best = None;
    }

    fn found(&mut self, (payload, tail): (usize, usize)) -> Cut {
        self.reset();
        Cut::Frame {
            head: 0,
            payload,
            tail,
        }
    }

    /// Reads `byte`; true if now it is certain that `best` is the end.
    #[inline]
    fn read(&mut self, byte: u8) -> bool {
        work::examined(1);
        self.state = self.needles.step(self.state, byte);
        self.scanned += 1;
        if let Some((start, _)) = self.best
            && self.scanned - self.needles.depth(self.state) > start
        {
            return true;
        }
        let len = self.needles.found(self.state);
        if len > 0 {
            let start = self.scanned - len;
            if self.best.is_none_or(|(first, _)| start <= first) {
                self.best = Some((start, len));
            }
        }
        // Nothing longer can follow if no longer beginning is open here.
        self.best.is_some_and(|(start, len)| {
            start + len == self.scanned && self.needles.ends_here(self.state, len)
        })
    }

    /// Reads `bytes`, up to the end of the frame.
    #[inline]
    fn scan(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if self.state == 0 && self.best.is_none() {
                let skipped = self.needles.find_first(rest).unwrap_or(rest.len());
                if skipped > 0 {
                    work::examined(skipped);
                    self.scanned += skipped;
                    rest = &rest[skipped..];
                    continue;
                }
            }
            rest = after;
            if self.read(byte) {
                return true;
            }
        }
        false
    }
}

impl Format for Delimiters {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let [first, second] = window.split(self.scanned);
        if (self.scan(first) || self.scan(second))
            && let Some(best) = self.best
        {
            return Ok(self.found(best));
        }
        // What may yet be a delimiter starts no later than the one that was found, if one was.
        Ok(Cut::More {
            settled: self.scanned - self.needles.depth(self.state),
        })
    }

    fn overhead(&self) -> usize {
        self.needles.longest()
    }

    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        match self.best {
            Some(best) => Ok(self.found(best)),
            None if self.remainder => Ok(self.found((window.len(), 0))),
            None => Ok(Cut::MORE),
        }
    }

    fn forget(&mut self, bytes: usize) {
        self.scanned -= bytes;
        self.best = self.best.map(|(start, len)| (start - bytes, len));
    }
}

impl Streamable for Delimiters {}

impl Wrap for Delimiters {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        let mut reader = self.clone();
        reader.reset();
        let certain = reader.scan(payload) || reader.scan(self.written.tail());
        let open = reader.scanned - reader.needles.depth(reader.state);
        match reader.best {
            Some((at, _)) if certain && at == payload.len() => Ok(self.written),
            Some((at, _)) if certain => Err(FrameError::NotOneFrame {
                at,
                what: "delimiter",
            }),
            // It starts in the payload, and goes on behind it.
            _ => Err(FrameError::NotOneFrame {
                at: open,
                what: "beginning of a delimiter",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames in `stream` as `payload|delimiter` lengths, in steps of every length.
    fn frames(delimiters: &[&[u8]], stream: &[u8]) -> Vec<(usize, usize)> {
        let format = Delimiters::new(delimiters).unwrap();
        let whole = cut_all(format.clone(), stream, stream.len());
        for step in 1..stream.len() {
            assert_eq!(
                cut_all(format.clone(), stream, step),
                whole,
                "in steps of {step}"
            );
        }
        whole
    }

    fn cut_all(mut format: Delimiters, stream: &[u8], step: usize) -> Vec<(usize, usize)> {
        let (mut start, mut have) = (0, 0);
        let mut frames = vec![];
        while start < stream.len() {
            have = (have + step).min(stream.len());
            while start < have {
                let window = Window::new(&[], &stream[start..have]);
                let answer = match format.cut(window).unwrap() {
                    Cut::More { .. } if have == stream.len() => format.at_end(window).unwrap(),
                    answer => answer,
                };
                match answer {
                    Cut::Frame { payload, tail, .. } => {
                        start += payload + tail;
                        frames.push((payload, tail));
                    }
                    _ if have == stream.len() => return frames,
                    _ => break,
                }
            }
        }
        frames
    }

    #[test]
    fn the_longest_of_those_that_start_first_wins() {
        let line_ends: &[&[u8]] = &[b"\r", b"\n", b"\r\n"];
        assert_eq!(
            frames(line_ends, b"a\r\nb\rc\n\r"),
            [(1, 2), (1, 1), (1, 1), (0, 1)]
        );
        assert_eq!(frames(&[b"abc", b"b"], b"xabcxabx"), [(1, 3), (2, 1)]);
        assert_eq!(frames(&[b"abcd", b"bc"], b"abcx"), [(1, 2)]);
    }

    #[test]
    fn a_delimiter_that_overlaps_itself_is_found() {
        assert_eq!(frames(&[b"aab"], b"aaab"), [(1, 3)]);
        assert_eq!(frames(&[b"--x"], b"---x--"), [(1, 3)]);
    }

    #[test]
    fn at_the_end_a_shorter_delimiter_is_as_good() {
        assert_eq!(frames(&[b"\r", b"\r\n\r\n"], b"a\r\n\r"), [(1, 1), (1, 1)]);
    }

    #[test]
    fn more_first_bytes_than_three() {
        let many: &[&[u8]] = &[b",", b";", b":", b"!", b"?!"];
        assert_eq!(
            frames(many, b"a,b;c:d!e?!f?"),
            [(1, 1), (1, 1), (1, 1), (1, 1), (1, 2)]
        );
    }

    #[test]
    fn the_writer_refuses_what_might_be_read_differently() {
        let wrap = |delimiters: &[&[u8]], payload: &[u8]| {
            let wrapping = Delimiters::new(delimiters).unwrap().wrap(payload)?;
            Ok::<_, FrameError>(wrapping.tail().to_vec())
        };
        let at = |delimiters: &[&[u8]], payload: &[u8]| match wrap(delimiters, payload) {
            Err(FrameError::NotOneFrame { at, .. }) => at,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            wrap(&[b"\r", b"\r\n"], b"ab").unwrap(),
            b"\r\n",
            "CR alone is ambiguous"
        );
        assert_eq!(at(&[b"\n"], b"a\nb"), 1);
        assert_eq!(
            at(&[b"aba"], b"xab"),
            1,
            "the delimiter would start in the payload"
        );
        assert_eq!(
            at(&[b"\n", b"a\nb"], b"xa"),
            1,
            "it depends on the frame that follows"
        );
        assert_eq!(wrap(&[b"\n", b"a\nb"], b"xab").unwrap(), b"\n");
    }

    #[test]
    fn impossible_sets_are_refused() {
        assert!(Delimiters::new(&[]).is_err());
        assert!(Delimiters::new(&[b"a", b""]).is_err());
        assert!(Delimiters::new(&[&[b'a'; 33]]).is_err());
        assert!(Delimiters::new(&[b"a".as_slice(); 65]).is_err());
    }
}
