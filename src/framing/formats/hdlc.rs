//! HDLC-like framing.

use super::super::{
    Cut, Encode, Format, FrameError, Malformed, Output, Streamable, Unpacked, Window, search,
};
use super::stuffing::Stuffing;

/// Frames between flags, with escapes for flags in them, and maybe with a check sequence: PPP on serial lines
/// (RFC 1662, 4).
///
/// ```text
///   payload:   31 7e 7d 32                flag    7e
///   frame:     7e 31 7d 5e 7d 5d 32 7e    escape  7d, and a byte with bit 5 turned over
/// ```
///
/// One flag ends a frame and begins the next; flags with nothing between them are no frames. An escape in front of a
/// flag says that the sender gives the frame up: that is an error which spoils the frame alone, as a wrong check
/// sequence is, and the next one is found ([`skip_bad_frames`](super::super::FrameReader::skip_bad_frames)). The RFC
/// has both dropped silently. Frames are unpacked as they come, and long ones can come
/// [in pieces](super::super::FrameReader::stream_above), whose check sequence is known behind them only. The limit is on
/// the payload.
///
/// ```
/// use soquete::framing::{Flow, FrameReader, FrameWriter, Hdlc};
///
/// let format = Hdlc::new().check_sequence();
/// let mut stream = Vec::new();
/// FrameWriter::new(format, 1500)?.encode(b"1~", &mut stream)?;
/// assert_eq!(stream, b"~1\x7d\x5e\xc4\x3a~");
///
/// let mut reader = FrameReader::new(format, 1500);
/// reader.push(&stream, |item| {
///     assert_eq!(item.frame(), Some(&b"1~"[..]));
///     Flow::Continue
/// })?;
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hdlc {
    stuffing: Stuffing,
    checked: bool,
    /// Which bytes below 32 are escaped, and dropped where they are not: bit n is byte n.
    control: u32,
    /// The last piece ended with an escape.
    escaped: bool,
    sum: u16,
    /// The last bytes that came, which may be the check sequence, and how many there are.
    held: [u8; SUM],
    holds: usize,
}

const FLAG: u8 = 0x7e;
const ESC: u8 = 0x7d;
const TURNED: u8 = 0x20;

/// How long a check sequence is.
const SUM: usize = 2;
const FIRST_SUM: u16 = 0xffff;
/// What a frame and its check sequence add up to.
const GOOD_SUM: u16 = 0xf0b8;

impl Hdlc {
    /// Frames without a check sequence.
    pub const fn new() -> Self {
        Self {
            stuffing: Stuffing::new(FLAG),
            checked: false,
            control: 0,
            escaped: false,
            sum: FIRST_SUM,
            held: [0; SUM],
            holds: 0,
        }
    }

    /// Each frame ends with the sixteen bits of its check sequence (FCS-16), which are not a part of the payload.
    #[must_use]
    pub const fn check_sequence(mut self) -> Self {
        self.checked = true;
        self
    }

    /// The control characters that the line changes or adds (the ACCM): bit n stands for the character n. They are
    /// written with an escape, and dropped where they come without one. What is dropped counts against twice the limit.
    #[must_use]
    pub const fn control_characters(mut self, map: u32) -> Self {
        self.control = map;
        self
    }

    #[inline]
    fn is_control(&self, byte: u8) -> bool {
        byte < 32 && self.control >> byte & 1 == 1
    }

    /// Bytes of the frame, the last of which may be of its check sequence.
    fn take(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        if !self.checked {
            return out.extend_from_slice(bytes);
        }
        self.sum = added(self.sum, bytes);
        let Some((before, last)) = bytes.split_last_chunk::<SUM>() else {
            for &byte in bytes {
                self.hold(byte, out);
            }
            return;
        };
        out.extend_from_slice(&self.held[..self.holds]);
        out.extend_from_slice(before);
        self.held = *last;
        self.holds = SUM;
    }

    fn hold(&mut self, byte: u8, out: &mut Output<'_>) {
        if self.holds == SUM {
            out.push(self.held[0]);
            self.held = [self.held[1], byte];
        } else {
            self.held[self.holds] = byte;
            self.holds += 1;
        }
    }

    /// How many bytes stand at the front that mean themselves.
    fn plain(&self, raw: &[u8]) -> usize {
        let found = match self.control {
            0 => search::find(raw, ESC),
            _ => raw
                .iter()
                .position(|byte| *byte == ESC || self.is_control(*byte)),
        };
        found.unwrap_or(raw.len())
    }

    fn end(&mut self, at: usize) -> Result<(), Malformed> {
        let ended = *self;
        self.abandon();
        let wrong = |what| Err(Malformed::new(at, what));
        if ended.escaped {
            return wrong("frame that is given up (RFC 1662, 4.3)");
        }
        if ended.checked && ended.holds < SUM {
            return wrong("frame shorter than its check sequence (RFC 1662, 4.3)");
        }
        if ended.checked && ended.sum != GOOD_SUM {
            return wrong("frame with a wrong check sequence (RFC 1662, C.2)");
        }
        Ok(())
    }
}

/// The sum with these bytes more: the polynomial x^16 + x^12 + x^5 + 1, least significant bit first.
fn added(sum: u16, bytes: &[u8]) -> u16 {
    // Eight at a time: what each of them adds does not wait for the one in front of it.
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(sum, |sum, word| {
        let mut word = *word;
        let [low, high] = sum.to_le_bytes();
        word[0] ^= low;
        word[1] ^= high;
        let added = word.iter().zip(SUMS.iter().rev());
        added.fold(0, |sum, (byte, sums)| sum ^ sums[usize::from(*byte)])
    });
    rest.iter().fold(sum, |sum, byte| {
        sum >> 8 ^ SUMS[0][usize::from(sum as u8 ^ byte)]
    })
}

/// What a byte adds, with so many bytes behind it.
static SUMS: [[u16; 256]; 8] = {
    let mut sums = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 {
                sum >> 1 ^ 0x8408
            } else {
                sum >> 1
            };
            bit += 1;
        }
        sums[0][byte] = sum;
        byte += 1;
    }
    let mut behind = 1;
    while behind < 8 {
        let mut byte = 0;
        while byte < 256 {
            let sum = sums[behind - 1][byte];
            sums[behind][byte] = sum >> 8 ^ sums[0][sum as usize & 0xff];
            byte += 1;
        }
        behind += 1;
    }
    sums
};

impl Default for Hdlc {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Hdlc {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        // What the line adds between two frames is no frame.
        let added = self.control != 0
            && self.stuffing.is_between_frames()
            && window.get(0).is_some_and(|byte| self.is_control(byte));
        if added {
            return Ok(Cut::Skip(1));
        }
        Ok(self.stuffing.cut(window))
    }

    fn overhead(&self) -> usize {
        1
    }

    fn forget(&mut self, bytes: usize) {
        self.stuffing.forget(bytes);
    }

    /// Every byte may be escaped, those of the check sequence, too.
    fn raw_limit(&self, limit: usize) -> usize {
        let sum = if self.checked { SUM } else { 0 };
        limit.saturating_add(sum).saturating_mul(2)
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
        let mut rest = raw;
        if !self.checked && !self.escaped && self.plain(raw) == raw.len() {
            return Ok(Unpacked::AsIs);
        }
        while let [first, tail @ ..] = rest {
            if self.is_control(*first) {
                rest = tail;
            } else if std::mem::take(&mut self.escaped) {
                self.take(&[first ^ TURNED], out);
                rest = tail;
            } else if *first == ESC {
                self.escaped = true;
                rest = tail;
            } else {
                let (run, behind) = rest.split_at(self.plain(rest));
                self.take(run, out);
                rest = behind;
            }
        }
        if last {
            self.end(raw.len())?;
        }
        Ok(Unpacked::Out)
    }

    fn abandon(&mut self) {
        self.escaped = false;
        self.sum = FIRST_SUM;
        self.holds = 0;
    }
}

impl Streamable for Hdlc {}

impl Encode for Hdlc {
    /// Without a check sequence, a frame without payload has no way to be said.
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        if payload.is_empty() && !self.checked {
            let what = "nothing, which takes a check sequence";
            return Err(FrameError::NotOneFrame { at: 0, what });
        }
        out.reserve(payload.len() + 2 + 2 * SUM);
        let sum = (added(FIRST_SUM, payload) ^ 0xffff).to_le_bytes();
        let sum = if self.checked { &sum[..] } else { &[] };
        out.push(FLAG);
        for &byte in payload.iter().chain(sum) {
            if byte == FLAG || byte == ESC || self.is_control(byte) {
                out.extend_from_slice(&[ESC, byte ^ TURNED]);
            } else {
                out.push(byte);
            }
        }
        out.push(FLAG);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_does_not_depend_on_how_many_bytes_are_added_at_a_time() {
        let bytes: Vec<u8> = (0..100u32).map(|i| (i * i * 31) as u8).collect();
        for len in 0..bytes.len() {
            let bytes = &bytes[..len];
            let one_by_one = bytes
                .iter()
                .fold(FIRST_SUM, |sum, byte| added(sum, &[*byte]));
            assert_eq!(added(FIRST_SUM, bytes), one_by_one);
        }
    }

    fn encoded(format: Hdlc, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![];
        format.encode(payload, &mut out).unwrap();
        out
    }

    fn unpacked(format: Hdlc, raw: &[u8], piece: usize) -> Result<Vec<u8>, Malformed> {
        let mut format = format;
        let mut made = vec![];
        let count = raw.chunks(piece).len();
        for (i, raw) in raw.chunks(piece).enumerate() {
            let mut part = vec![];
            match format.unpack_piece(raw, i + 1 == count, &mut Output::new(&mut part, 100))? {
                Unpacked::AsIs => made.extend_from_slice(raw),
                Unpacked::Out => made.extend(part),
            }
        }
        Ok(made)
    }

    /// The check value that all lists of such sums give for this one, CRC-16/X-25.
    #[test]
    fn the_sum_is_the_one_that_everybody_has() {
        assert_eq!(added(FIRST_SUM, b"123456789") ^ 0xffff, 0x906e);
    }

    #[test]
    fn what_is_written_is_read_in_pieces_of_any_size() {
        let plain = Hdlc::new();
        let formats = [
            plain,
            plain.check_sequence(),
            plain.control_characters(u32::MAX).check_sequence(),
        ];
        for format in formats {
            for payload in [&b"1~}2\x11\x00"[..], b"x", b"~~~~", b"}", b"\x5d\x7d"] {
                let frame = encoded(format, payload);
                let raw = &frame[1..frame.len() - 1];
                assert!(!raw.contains(&FLAG));
                for piece in 1..=raw.len() {
                    assert_eq!(unpacked(format, raw, piece).unwrap(), payload);
                }
            }
        }
        let empty = encoded(plain.check_sequence(), b"");
        assert_eq!(empty, b"~\0\0~");
        assert_eq!(unpacked(plain.check_sequence(), b"\0\0", 1).unwrap(), b"");
        assert!(plain.encode(b"", &mut vec![]).is_err());
    }

    #[test]
    fn characters_that_the_line_adds_are_dropped_and_those_that_were_sent_are_not() {
        let format = Hdlc::new().control_characters(1 << 0x11 | 1 << 0x13);
        assert_eq!(encoded(format, b"\x11\x12"), b"~}1\x12~");
        for piece in 1..8 {
            assert_eq!(
                unpacked(format, b"\x13a\x11}\x131\x12\x13", piece).unwrap(),
                b"a\x11\x12"
            );
        }
    }

    #[test]
    fn a_wrong_sum_and_a_frame_given_up_are_reported_at_the_end() {
        let format = Hdlc::new().check_sequence();
        let what = |raw: &[u8]| unpacked(format, raw, 1).unwrap_err().what;
        assert_eq!(
            what(b"abc"),
            "frame with a wrong check sequence (RFC 1662, C.2)"
        );
        assert_eq!(
            what(b"a"),
            "frame shorter than its check sequence (RFC 1662, 4.3)"
        );
        assert_eq!(what(b"abc}"), "frame that is given up (RFC 1662, 4.3)");
        assert_eq!(unpacked(format, b"abc}", 4).unwrap_err().at, 4);
    }
}
