//! SLIP.

use super::super::{
    Cut, Encode, Format, FrameError, Malformed, Output, Streamable, Unpacked, Window,
};
use super::stuffing::Stuffing;

/// Frames that end with a byte, and escapes for where it stands in them (RFC 1055).
///
/// ```text
///   payload:   61 c0 62 db            END  c0
///   frame:     61 db dc 62 db dd c0   ESC  db, in front of dc for END and dd for ESC
/// ```
///
/// Ends with nothing between them are no frames, so a frame may begin with one as well;
/// [`begins_with_end`](Self::begins_with_end) does that, for noisy lines. Frames are unpacked as they come, and long
/// ones can come [in pieces](super::super::FrameReader::stream_above). An escape of another byte spoils its frame, and the next one
/// is found ([`skip_bad_frames`](super::super::FrameReader::skip_bad_frames)). The limit is on the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slip {
    stuffing: Stuffing,
    begins_with_end: bool,
    /// The last piece ended with an escape.
    escaped: bool,
}

const END: u8 = 0xc0;
const ESC: u8 = 0xdb;
const ESC_END: u8 = 0xdc;
const ESC_ESC: u8 = 0xdd;

impl Slip {
    /// SLIP.
    pub const fn new() -> Self {
        Self {
            stuffing: Stuffing::new(END),
            begins_with_end: false,
            escaped: false,
        }
    }

    /// What is written begins with an end, too: noise in front of it is then a frame of its own for the peer, and does
    /// not spoil this one.
    #[must_use]
    pub const fn begins_with_end(mut self) -> Self {
        self.begins_with_end = true;
        self
    }
}

impl Default for Slip {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Slip {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        Ok(self.stuffing.cut(window))
    }

    fn overhead(&self) -> usize {
        1
    }

    fn forget(&mut self, bytes: usize) {
        self.stuffing.forget(bytes);
    }

    /// Every byte may be escaped.
    fn raw_limit(&self, limit: usize) -> usize {
        limit.saturating_mul(2)
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
        let whole = !self.escaped;
        while !rest.is_empty() {
            if std::mem::take(&mut self.escaped) {
                match rest[0] {
                    ESC_END => out.push(END),
                    ESC_ESC => out.push(ESC),
                    _ => {
                        let at = raw.len() - rest.len();
                        return Err(Malformed::new(at, "SLIP escape of another byte"));
                    }
                }
                rest = &rest[1..];
                continue;
            }
            let plain = super::super::search::find(rest, ESC);
            if plain.is_none() && rest.len() == raw.len() && whole {
                return Ok(Unpacked::AsIs);
            }
            let run = plain.unwrap_or(rest.len());
            out.extend_from_slice(&rest[..run]);
            self.escaped = plain.is_some();
            rest = &rest[(run + 1).min(rest.len())..];
        }
        if last && std::mem::take(&mut self.escaped) {
            return Err(Malformed::new(raw.len(), "SLIP escape of nothing"));
        }
        Ok(Unpacked::Out)
    }

    fn abandon(&mut self) {
        self.escaped = false;
    }
}

impl Streamable for Slip {}

impl Encode for Slip {
    /// A frame without payload has no way to be said.
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        if payload.is_empty() {
            let what = "nothing, which SLIP cannot say";
            return Err(FrameError::NotOneFrame { at: 0, what });
        }
        out.reserve(payload.len() + 2);
        if self.begins_with_end {
            out.push(END);
        }
        for &byte in payload {
            match byte {
                END => out.extend_from_slice(&[ESC, ESC_END]),
                ESC => out.extend_from_slice(&[ESC, ESC_ESC]),
                other => out.push(other),
            }
        }
        out.push(END);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(format: Slip, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![];
        format.encode(payload, &mut out).unwrap();
        out
    }

    #[test]
    fn ends_and_escapes_are_escaped() {
        let format = Slip::new();
        assert_eq!(encoded(format, b"a\xc0b\xdb"), b"a\xdb\xdcb\xdb\xdd\xc0");
        assert_eq!(encoded(format.begins_with_end(), b"a"), b"\xc0a\xc0");
        assert!(format.encode(b"", &mut vec![]).is_err());
    }

    #[test]
    fn they_are_unpacked_in_pieces_of_any_size() {
        let raw = b"a\xdb\xdcb\xdb\xdd\xdb\xdc";
        for piece in 1..=raw.len() {
            let mut format = Slip::new();
            let mut made = vec![];
            for raw in raw.chunks(piece) {
                let mut part = vec![];
                match format.unpack_piece(raw, false, &mut Output::new(&mut part, 100)) {
                    Ok(Unpacked::AsIs) => made.extend_from_slice(raw),
                    Ok(Unpacked::Out) => made.extend(part),
                    Err(wrong) => panic!("{wrong:?}"),
                }
            }
            assert_eq!(made, b"a\xc0b\xdb\xc0", "pieces of {piece}");
        }
    }
}
