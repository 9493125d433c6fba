//! MQTT packets.

use super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};

/// Packets of MQTT 3.1.1 and 5: a byte with type and flags, the length of the rest as a varint of four bytes at most,
/// and the rest.
///
/// ```text
///   0x32   0x0a    0x00 0x03 a/b ...
///   type   length  the payload: variable header and payload of the packet
///   flags
/// ```
///
/// A frame is what the length counts. [`kind`](Format::kind) is the first byte, so `kind() >> 4` is the type, and the
/// lower bits are the flags. What the head alone shows is checked there: a reserved type, flags other than the
/// type has, a length that is not as short as it can be, or that the type does not have. That is the same in both
/// versions but for AUTH, which is of version 5 only: see [`version_3_1_1`](Self::version_3_1_1).
///
/// ```
/// use soquete::framing::{Flow, FrameReader, Mqtt};
///
/// let mut reader = FrameReader::new(Mqtt::new(), 256 * 1024);
/// reader.push_with(b"\x32\x08\x00\x03a/b\x00\x07!\xc0\x00", |item, reading| {
///     match (reading.kind() >> 4, item.frame()) {
///         (Mqtt::PUBLISH, Some(packet)) => {
///             let (topic, rest) = packet[2..].split_at(packet[1].into());
///             let quality = reading.kind() >> 1 & 3;
///             assert_eq!((topic, quality, rest), (&b"a/b"[..], 1, &b"\x00\x07!"[..]));
///         }
///         (packet, _) => assert_eq!(packet, Mqtt::PINGREQ),
///     }
///     Flow::Continue
/// })?;
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mqtt {
    version_3: bool,
    /// What the packets begin with that are written.
    first: u8,
    kind: u8,
}

/// What a type of packet has to be like.
#[derive(Clone, Copy)]
struct Rule {
    /// Its flags; `None` where they say something.
    flags: Option<u8>,
    /// The lengths that it can have in either version.
    least: u32,
    most: u32,
}

const fn rule(flags: u8, least: u32, most: u32) -> Rule {
    Rule {
        flags: Some(flags),
        least,
        most,
    }
}

/// By the type, from 1 on.
const RULES: [Rule; 15] = [
    rule(0, 12, LONGEST),
    rule(0, 2, LONGEST),
    Rule {
        flags: None,
        least: 2,
        most: LONGEST,
    },
    rule(0, 2, LONGEST),
    rule(0, 2, LONGEST),
    rule(2, 2, LONGEST),
    rule(0, 2, LONGEST),
    rule(2, 6, LONGEST),
    rule(0, 3, LONGEST),
    rule(2, 5, LONGEST),
    rule(0, 2, LONGEST),
    rule(0, 0, 0),
    rule(0, 0, 0),
    rule(0, 0, LONGEST),
    rule(0, 0, LONGEST),
];

/// What four bytes with seven bits each can say.
const LONGEST: u32 = (1 << 28) - 1;

/// The most bytes of a length.
const WIDEST: usize = 4;

impl Mqtt {
    /// The type of a client's first packet.
    pub const CONNECT: u8 = 1;
    /// The type of the answer to it.
    pub const CONNACK: u8 = 2;
    /// The type of a message. Its flags say whether it is retained (1), its quality of service (2 and 4), and whether
    /// it may have come before (8).
    pub const PUBLISH: u8 = 3;
    /// The type that acknowledges a message of quality 1.
    pub const PUBACK: u8 = 4;
    /// The type that acknowledges a message of quality 2 at first.
    pub const PUBREC: u8 = 5;
    /// The type that releases a message of quality 2.
    pub const PUBREL: u8 = 6;
    /// The type that acknowledges a message of quality 2 at last.
    pub const PUBCOMP: u8 = 7;
    /// The type that asks for messages.
    pub const SUBSCRIBE: u8 = 8;
    /// The type of the answer to it.
    pub const SUBACK: u8 = 9;
    /// The type that asks for no more messages.
    pub const UNSUBSCRIBE: u8 = 10;
    /// The type of the answer to it.
    pub const UNSUBACK: u8 = 11;
    /// The type that asks for a sign of life.
    pub const PINGREQ: u8 = 12;
    /// The type of the sign of life.
    pub const PINGRESP: u8 = 13;
    /// The type of the last packet.
    pub const DISCONNECT: u8 = 14;
    /// The type of what authentication takes beside CONNECT; in version 5 only.
    pub const AUTH: u8 = 15;

    /// Packets of both versions: which one a client speaks is said in its first packet.
    pub const fn new() -> Self {
        Self {
            version_3: false,
            first: Self::PUBLISH << 4,
            kind: 0,
        }
    }

    /// Packets of version 3.1.1: AUTH is a reserved type there, and a DISCONNECT has no rest.
    pub const fn version_3_1_1() -> Self {
        let mut format = Self::new();
        format.version_3 = true;
        format
    }

    /// The packets that are written begin with this byte: type and flags. A PUBLISH of quality 0 otherwise.
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidFormat`] if no packet begins so.
    pub const fn writes(mut self, first: u8) -> Result<Self, FrameError> {
        match self.complaint(first) {
            Some(what) => Err(FrameError::InvalidFormat { what }),
            None => {
                self.first = first;
                Ok(self)
            }
        }
    }

    /// What is wrong with a packet's first byte.
    const fn complaint(&self, first: u8) -> Option<&'static str> {
        let (kind, flags) = (first >> 4, first & 15);
        if kind == 0 || kind == Self::AUTH && self.version_3 {
            return Some("MQTT packet of a reserved type (2.1.2)");
        }
        match RULES[kind as usize - 1].flags {
            Some(fixed) if fixed != flags => {
                Some("MQTT packet with flags that its type does not have (2.1.3)")
            }
            None if flags & 6 == 6 => Some("MQTT message of quality 3 (3.3.1-4)"),
            None if flags & 8 != 0 && flags & 6 == 0 => {
                Some("MQTT message of quality 0 for the second time (3.3.1-2)")
            }
            _ => None,
        }
    }

    /// Whether a packet that begins with `first` can be so long.
    fn fits(&self, first: u8, length: u32) -> bool {
        let kind = first >> 4;
        let rule = RULES[usize::from(kind) - 1];
        let most = match self.version_3 && kind == Self::DISCONNECT {
            true => 0,
            false => rule.most,
        };
        // A message says its topic's length, and with a quality its number.
        let number = if kind == Self::PUBLISH && first & 6 != 0 {
            2
        } else {
            0
        };
        (rule.least + number..=most).contains(&length)
    }
}

impl Default for Mqtt {
    fn default() -> Self {
        Self::new()
    }
}

impl Format for Mqtt {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let Some(first) = window.get(0) else {
            return Ok(Cut::MORE);
        };
        self.kind = first;
        if let Some(what) = self.complaint(first) {
            return Err(Malformed::new(0, what));
        }
        let mut length = 0;
        for at in 1..=WIDEST {
            let Some(byte) = window.get(at) else {
                return Ok(Cut::MORE);
            };
            length |= u32::from(byte & 0x7f) << (7 * (at - 1));
            if byte >= 0x80 {
                continue;
            }
            if byte == 0 && at > 1 {
                return Err(Malformed::new(
                    at,
                    "MQTT length longer than necessary (1.5.5-1)",
                ));
            }
            if !self.fits(first, length) {
                return Err(Malformed::new(
                    1,
                    "MQTT packet of a length that its type does not have",
                ));
            }
            return Ok(Cut::Declared {
                head: at + 1,
                payload: length.into(),
                tail: 0,
            });
        }
        Err(Malformed::new(
            WIDEST,
            "MQTT length of more than four bytes (2.1.4)",
        ))
    }

    fn overhead(&self) -> usize {
        1 + WIDEST
    }

    #[inline]
    fn kind(&self) -> u8 {
        self.kind
    }
}

impl Streamable for Mqtt {}

impl Wrap for Mqtt {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        let len = payload.len() as u64;
        let length = u32::try_from(len)
            .ok()
            .filter(|length| self.fits(self.first, *length));
        let Some(mut rest) = length else {
            let max = self.max_payload();
            return Err(FrameError::Unrepresentable { len, max });
        };
        let mut head = [self.first, 0, 0, 0, 0];
        let mut at = 1;
        loop {
            head[at] = rest as u8 & 0x7f;
            rest >>= 7;
            at += 1;
            if rest == 0 {
                return Wrapping::new(&head[..at], &[]);
            }
            head[at - 1] |= 0x80;
        }
    }

    fn max_payload(&self) -> u64 {
        if self.fits(self.first, LONGEST) {
            LONGEST.into()
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(format: Mqtt, bytes: &[u8]) -> Result<Cut, Malformed> {
        let mut format = format;
        format.cut(Window::new(&[], bytes))
    }

    #[test]
    fn lengths_have_one_to_four_bytes() {
        for (bytes, head, payload) in [
            (&b"\x30\x7f"[..], 2, 127),
            (b"\x30\x80\x01", 3, 128),
            (b"\x30\xff\x7f", 3, 16_383),
            (b"\x30\x80\x80\x01", 4, 16_384),
            (b"\x30\xff\xff\x7f", 4, 2_097_151),
            (b"\x30\x80\x80\x80\x01", 5, 2_097_152),
            (b"\x30\xff\xff\xff\x7f", 5, u64::from(LONGEST)),
        ] {
            let declared = Cut::Declared {
                head,
                payload,
                tail: 0,
            };
            assert_eq!(cut(Mqtt::new(), bytes), Ok(declared));
            assert_eq!(cut(Mqtt::new(), &bytes[..head - 1]), Ok(Cut::MORE));
        }
        let error = cut(Mqtt::new(), b"\x30\x80\x80\x80\x80").unwrap_err();
        assert_eq!(
            (error.at, error.what),
            (4, "MQTT length of more than four bytes (2.1.4)")
        );
        for (bytes, at) in [(&b"\x30\x82\x00"[..], 2), (b"\x30\x80\x80\x80\x00", 4)] {
            let error = cut(Mqtt::new(), bytes).unwrap_err();
            assert_eq!(
                (error.at, error.what),
                (at, "MQTT length longer than necessary (1.5.5-1)")
            );
        }
    }

    #[test]
    fn each_type_has_its_flags() {
        for first in 0..=255u8 {
            let flags = first & 15;
            let right = match first >> 4 {
                0 => false,
                6 | 8 | 10 => flags == 2,
                3 => flags & 6 != 6 && (flags & 8 == 0 || flags & 6 != 0),
                _ => flags == 0,
            };
            assert_eq!(cut(Mqtt::new(), &[first]).is_ok(), right, "{first:#x}");
            assert_eq!(Mqtt::new().writes(first).is_ok(), right, "{first:#x}");
            let right = right && first >> 4 != Mqtt::AUTH;
            assert_eq!(
                cut(Mqtt::version_3_1_1(), &[first]).is_ok(),
                right,
                "{first:#x}"
            );
        }
    }

    #[test]
    fn each_type_has_its_lengths() {
        for bad in [
            b"\xc0\x01",
            b"\xd0\x02",
            b"\x10\x0b",
            b"\x20\x01",
            b"\x30\x01",
            b"\x32\x03",
            b"\x82\x05",
            b"\xa2\x04",
            b"\x90\x02",
        ] {
            assert_eq!(cut(Mqtt::new(), bad).unwrap_err().at, 1, "{bad:?}");
        }
        for good in [
            b"\xc0\x00",
            b"\x10\x0c",
            b"\x20\x02",
            b"\x30\x02",
            b"\x32\x04",
            b"\x82\x06",
            b"\xa2\x05",
            b"\xe0\x00",
            b"\xe0\x02",
        ] {
            assert!(cut(Mqtt::new(), good).is_ok(), "{good:?}");
        }
        assert!(cut(Mqtt::version_3_1_1(), b"\xe0\x02").is_err());
    }

    #[test]
    fn what_is_written_says_its_type() {
        let wrapped = |first: u8, payload: &[u8]| {
            let wrapping = Mqtt::new().writes(first).unwrap().wrap(payload)?;
            Ok(wrapping.head().to_vec())
        };
        assert_eq!(wrapped(0xc0, b""), Ok(b"\xc0\x00".to_vec()));
        assert_eq!(wrapped(0x30, &[0; 128]), Ok(b"\x30\x80\x01".to_vec()));
        assert_eq!(
            wrapped(0x30, &[0; 2_097_152]),
            Ok(b"\x30\x80\x80\x80\x01".to_vec())
        );
        assert_eq!(
            wrapped(0xc0, b"x"),
            Err(FrameError::Unrepresentable { len: 1, max: 0 })
        );
        let max = LONGEST.into();
        assert_eq!(
            wrapped(0x30, b"x"),
            Err(FrameError::Unrepresentable { len: 1, max })
        );
    }
}
