//! Frames behind a length of variable width.

use super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};

/// A length as a varint (unsigned LEB128, as Protocol Buffers delimit messages), and then as many
/// bytes of payload.
///
/// A varint has one to ten bytes with seven bits each, the least significant ones first; the high bit
/// says that another byte follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VarintPrefix {
    canonical: bool,
    offset: usize,
    whole: bool,
    scanned: usize,
}

/// What the 64 bits of a length need at seven to a byte.
const LONGEST: usize = 10;

impl VarintPrefix {
    /// Varints as Protocol Buffers read them: leading zeros are tolerated, up to ten bytes in all.
    pub const fn new() -> Self {
        Self {
            canonical: false,
            offset: 0,
            whole: false,
            scanned: 0,
        }
    }

    /// Only the shortest encoding of a length is accepted, so that no two streams mean the same.
    #[must_use]
    pub const fn canonical(mut self) -> Self {
        self.canonical = true;
        self
    }

    /// The length stands behind `offset` other bytes, such as the type of an MQTT packet; the frame is
    /// the whole message, as of a [`LengthPrefix`](super::LengthPrefix) with an offset.
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidFormat`] if `offset` is more than 4096.
    pub const fn offset(mut self, offset: usize) -> Result<Self, FrameError> {
        if offset > 4096 {
            return Err(FrameError::InvalidFormat {
                what: "a length so far behind the start",
            });
        }
        self.offset = offset;
        self.whole = self.whole || offset > 0;
        Ok(self)
    }

    /// The frame is the whole message, its length included, in both directions. The limit then counts
    /// all of it.
    #[must_use]
    pub const fn keep_header(mut self) -> Self {
        self.whole = true;
        self
    }

    /// The length of a message that is `payload` bytes long behind its header.
    fn field(payload: usize) -> ([u8; LONGEST], usize) {
        let mut head = [0; LONGEST];
        let mut rest = payload as u64;
        let mut len = 0;
        while rest >= 0x80 {
            head[len] = rest as u8 | 0x80;
            rest >>= 7;
            len += 1;
        }
        head[len] = rest as u8;
        (head, len + 1)
    }
}

impl Format for VarintPrefix {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let last = loop {
            match window.get(self.offset + self.scanned) {
                None => return Ok(Cut::MORE),
                Some(byte) if byte < 0x80 => break std::mem::take(&mut self.scanned),
                Some(_) if self.scanned + 1 == LONGEST => {
                    return Err(Malformed::new(
                        self.offset + self.scanned,
                        "varint of more than ten bytes",
                    ));
                }
                Some(_) => self.scanned += 1,
            }
        };
        let mut payload = 0;
        for at in (0..=last).rev() {
            let bits = window.get(self.offset + at).unwrap_or_default() & 0x7f;
            if at == LONGEST - 1 && bits > 1 {
                return Err(Malformed::new(
                    self.offset + at,
                    "varint of more than 64 bits",
                ));
            }
            if at == last && at > 0 && bits == 0 && self.canonical {
                return Err(Malformed::new(
                    self.offset + at,
                    "varint longer than necessary",
                ));
            }
            payload = payload << 7 | u64::from(bits);
        }
        let header = self.offset + last + 1;
        let (head, payload) = match self.whole {
            true => (0, payload.saturating_add(header as u64)),
            false => (header, payload),
        };
        Ok(Cut::Declared {
            head,
            payload,
            tail: 0,
        })
    }

    fn overhead(&self) -> usize {
        self.offset + LONGEST
    }
}

impl Streamable for VarintPrefix {}

impl Wrap for VarintPrefix {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        if self.whole {
            let window = Window::new(&[], payload);
            let cut = self.clone().cut(window);
            let len = payload.len() as u64;
            return match cut {
                Ok(Cut::Declared { payload, .. }) if payload == len => Wrapping::new(&[], &[]),
                _ => Err(FrameError::NotOneFrame {
                    at: self.offset,
                    what: "length that does not match the message",
                }),
            };
        }
        let (head, len) = Self::field(payload.len());
        Wrapping::new(&head[..len], &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(format: VarintPrefix, bytes: &[u8]) -> Result<Cut, Malformed> {
        let mut by_byte = format;
        for have in 1..=bytes.len() {
            let answer = by_byte.cut(Window::new(&bytes[..have - 1], &bytes[have - 1..have]));
            if answer != Ok(Cut::MORE) || have == bytes.len() {
                assert_eq!(answer, format.clone().cut(Window::new(&[], bytes)));
                return answer;
            }
        }
        Ok(Cut::MORE)
    }

    fn declared(head: usize, payload: u64) -> Result<Cut, Malformed> {
        Ok(Cut::Declared {
            head,
            payload,
            tail: 0,
        })
    }

    #[test]
    fn one_to_ten_bytes() {
        let any = VarintPrefix::new();
        assert_eq!(cut(any, &[0x00]), declared(1, 0));
        assert_eq!(cut(any, &[0x7f]), declared(1, 127));
        assert_eq!(cut(any, &[0xac, 0x02]), declared(2, 300));
        let mut most = [0xff; 10];
        most[9] = 0x01;
        assert_eq!(cut(any, &most), declared(10, u64::MAX));
        for len in 1..10 {
            assert_eq!(cut(any, &most[..len]), Ok(Cut::MORE));
        }
    }

    #[test]
    fn more_than_64_bits_are_refused_at_the_byte_that_has_them() {
        let mut bytes = [0x80; 11];
        bytes[9] = 0x02;
        let wrong = cut(VarintPrefix::new(), &bytes).unwrap_err();
        assert_eq!(wrong, Malformed::new(9, "varint of more than 64 bits"));
        let wrong = cut(VarintPrefix::new(), &[0x80; 11]).unwrap_err();
        assert_eq!(wrong, Malformed::new(9, "varint of more than ten bytes"));
    }

    #[test]
    fn overlong_varints_are_tolerated_unless_canonical_ones_are_asked_for() {
        let overlong = [0x85, 0x80, 0x00];
        assert_eq!(cut(VarintPrefix::new(), &overlong), declared(3, 5));
        let wrong = cut(VarintPrefix::new().canonical(), &overlong).unwrap_err();
        assert_eq!(wrong, Malformed::new(2, "varint longer than necessary"));
        assert_eq!(
            cut(VarintPrefix::new().canonical(), &[0x00]),
            declared(1, 0)
        );
    }

    #[test]
    fn what_is_written_is_the_shortest() {
        let head = |len| {
            VarintPrefix::new()
                .wrap(&vec![0; len])
                .unwrap()
                .head()
                .to_vec()
        };
        assert_eq!(head(0), [0]);
        assert_eq!(head(127), [127]);
        assert_eq!(head(128), [0x80, 1]);
        assert_eq!(head(300), [0xac, 0x02]);
    }

    #[test]
    fn a_length_behind_other_bytes_is_part_of_its_message() {
        // An MQTT packet: its type, and how much is left.
        let mqtt = VarintPrefix::new().offset(1).unwrap();
        assert_eq!(cut(mqtt, &[0xc0, 0x00]), declared(0, 2));
        assert_eq!(cut(mqtt, &[0x30, 0xac, 0x02]), declared(0, 303));
        let mut bytes = [0x80; 12];
        bytes[0] = 0;
        let wrong = cut(mqtt, &bytes).unwrap_err();
        assert_eq!(wrong, Malformed::new(10, "varint of more than ten bytes"));
        assert!(VarintPrefix::new().offset(4097).is_err());
        let kept = VarintPrefix::new().keep_header();
        assert_eq!(cut(kept, &[0x05]), declared(0, 6));
    }

    #[test]
    fn a_whole_message_is_written_as_it_is_if_its_length_is_right() {
        let mqtt = VarintPrefix::new().offset(1).unwrap();
        for good in [&b"\xc0\x00"[..], b"\x30\x02hi"] {
            let wrapping = mqtt.wrap(good).unwrap();
            assert!(wrapping.head().is_empty() && wrapping.tail().is_empty());
        }
        for bad in [
            &b""[..],
            b"\xc0",
            b"\xc0\x01",
            b"\x30\x02hello",
            b"\x30\x80",
        ] {
            let error = mqtt.wrap(bad).err().unwrap();
            assert!(
                matches!(error, FrameError::NotOneFrame { at: 1, .. }),
                "{bad:?}"
            );
        }
    }
}
