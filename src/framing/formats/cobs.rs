//! Consistent overhead byte stuffing.

use super::super::{Cut, Encode, Format, FrameError, Malformed, Unpacked, Window};

/// Frames that end with a zero byte, with the zeros in the payload encoded away (Cheshire and Baker).
///
/// ```text
///   payload:      11 22 00 33
///   frame:     03 11 22 02 33 00
///              │        │     └ the end
///              │        └ the next zero would be 2 bytes on
///              └ the first zero is 3 bytes on
/// ```
///
/// It is the format of serial lines: the payload is decoded into a buffer of the reader's, and the
/// frame after a damaged one is found again
/// ([`skip_bad_frames`](super::super::FrameReader::skip_bad_frames)). The limit is on the decoded
/// payload. Zeros with nothing between them are no frames: an empty payload is `01 00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cobs {
    scanned: usize,
    /// The frame's beginning has been dropped.
    begun: bool,
}

/// The most bytes between two codes.
const BLOCK: usize = 254;

impl Cobs {
    /// COBS with frames that end with a zero.
    pub const fn new() -> Self {
        Self {
            scanned: 0,
            begun: false,
        }
    }
}

impl Format for Cobs {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let Some(end) = window.find(0, self.scanned) else {
            self.scanned = window.len();
            return Ok(Cut::More {
                settled: self.scanned,
            });
        };
        self.scanned = 0;
        let begun = std::mem::take(&mut self.begun);
        if end == 0 && !begun {
            return Ok(Cut::Skip(1));
        }
        Ok(Cut::Frame {
            head: 0,
            payload: end,
            tail: 1,
        })
    }

    fn overhead(&self) -> usize {
        1
    }

    fn forget(&mut self, bytes: usize) {
        self.scanned -= bytes;
        self.begun = true;
    }

    fn raw_limit(&self, limit: usize) -> usize {
        limit.saturating_add(limit / BLOCK).saturating_add(1)
    }

    #[inline]
    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        out.reserve(raw.len());
        let mut at = 0;
        while let Some(&code) = raw.get(at) {
            let next = at + usize::from(code);
            let Some(block) = raw.get(at + 1..next) else {
                return Err(Malformed::new(at, "COBS code that points behind the end"));
            };
            out.extend_from_slice(block);
            at = next;
            if usize::from(code) <= BLOCK && at < raw.len() {
                out.push(0);
            }
        }
        Ok(Unpacked::Out)
    }
}

impl Encode for Cobs {
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        out.reserve(self.raw_limit(payload.len()).saturating_add(1));
        let mut runs = payload.split(|byte| *byte == 0).peekable();
        while let Some(mut run) = runs.next() {
            while let Some((block, rest)) = run.split_at_checked(BLOCK) {
                out.push(0xff);
                out.extend_from_slice(block);
                run = rest;
                // A full block stands for no zero: what is empty and last need not be said.
                if run.is_empty() && runs.peek().is_none() {
                    out.push(0);
                    return Ok(());
                }
            }
            out.push(run.len() as u8 + 1);
            out.extend_from_slice(run);
        }
        out.push(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(payload: &[u8]) -> Vec<u8> {
        let mut out = vec![];
        Cobs::new().encode(payload, &mut out).unwrap();
        out
    }

    fn decoded(frame: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut out = vec![];
        Cobs::new().unpack(frame, &mut out)?;
        Ok(out)
    }

    #[test]
    fn the_examples_of_the_paper_and_the_ends_of_the_blocks() {
        assert_eq!(encoded(b""), [1, 0]);
        assert_eq!(encoded(&[0]), [1, 1, 0]);
        assert_eq!(encoded(&[0, 0]), [1, 1, 1, 0]);
        assert_eq!(encoded(&[0x11, 0x22, 0, 0x33]), [3, 0x11, 0x22, 2, 0x33, 0]);
        let full = [7; 254];
        assert_eq!(encoded(&full), [&[0xff], &full[..], &[0]].concat());
        assert_eq!(
            encoded(&[7; 255]),
            [&[0xff], &full[..], &[2, 7, 0]].concat()
        );
        let and_zero = [&full[..], &[0]].concat();
        assert_eq!(
            encoded(&and_zero),
            [&[0xff], &full[..], &[1, 1, 0]].concat()
        );
        for payload in [
            &[][..],
            &[0],
            &[1, 0],
            &full,
            &[7; 255],
            &[7; 253],
            &[7; 508],
            &[7; 600],
            &and_zero,
        ] {
            let frame = encoded(payload);
            let (last, raw) = frame.split_last().unwrap();
            assert_eq!((*last, raw.contains(&0)), (0, false));
            assert_eq!(decoded(raw).unwrap(), payload);
            assert!(raw.len() <= Cobs::new().raw_limit(payload.len()));
        }
    }

    #[test]
    fn a_needless_last_code_behind_a_full_block_is_understood() {
        let frame = [&[0xff][..], &[7; 254], &[1]].concat();
        assert_eq!(decoded(&frame).unwrap(), [7; 254]);
        assert!(frame.len() <= Cobs::new().raw_limit(254));
    }

    #[test]
    fn a_code_behind_the_end_is_malformed_where_it_stands() {
        assert_eq!(decoded(&[2, 9, 5, 1]).unwrap_err().at, 2);
    }
}
