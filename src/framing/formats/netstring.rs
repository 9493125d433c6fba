//! Netstrings: `5:hello,`.

use super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};

/// A length in decimal digits, a colon, the payload, a comma.
///
/// Leading zeros and a missing comma are errors, as a reader that forgives them disagrees with others
/// about where frames end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Netstring {
    scanned: usize,
    length: u64,
}

impl Netstring {
    /// Netstrings.
    pub const fn new() -> Self {
        Self {
            scanned: 0,
            length: 0,
        }
    }
}

impl Format for Netstring {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        loop {
            let at = self.scanned;
            let Some(byte) = window.get(at) else {
                return Ok(Cut::MORE);
            };
            match byte {
                b'0'..=b'9' if at > 0 && self.length == 0 => {
                    return Err(Malformed::new(0, "netstring length with a leading zero"));
                }
                b'0'..=b'9' => {
                    let longer = self.length.checked_mul(10);
                    self.length = longer
                        .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
                        .ok_or(Malformed::new(at, "netstring length of more than 64 bits"))?;
                    self.scanned += 1;
                }
                b':' if at > 0 => {
                    let payload = self.length;
                    *self = Self::new();
                    return Ok(Cut::Declared {
                        head: at + 1,
                        payload,
                        tail: 1,
                    });
                }
                _ => return Err(Malformed::new(at, "netstring length that is no number")),
            }
        }
    }

    fn overhead(&self) -> usize {
        "18446744073709551615:,".len()
    }

    #[inline]
    fn check_tail(&mut self, tail: &[u8]) -> Result<(), Malformed> {
        if tail == b"," {
            Ok(())
        } else {
            Err(Malformed::new(0, "netstring without its comma"))
        }
    }
}

impl Streamable for Netstring {}

impl Wrap for Netstring {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        let mut head = [0; 24];
        let mut from = head.len() - 1;
        head[from] = b':';
        let mut rest = payload.len();
        loop {
            from -= 1;
            head[from] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return Wrapping::new(&head[from..], b",");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(bytes: &[u8]) -> Result<Cut, Malformed> {
        Netstring::new().cut(Window::new(&[], bytes))
    }

    #[test]
    fn digits_and_a_colon() {
        assert_eq!(
            cut(b"0:,"),
            Ok(Cut::Declared {
                head: 2,
                payload: 0,
                tail: 1
            })
        );
        assert_eq!(
            cut(b"12:he"),
            Ok(Cut::Declared {
                head: 3,
                payload: 12,
                tail: 1
            })
        );
        assert_eq!(cut(b"12"), Ok(Cut::MORE));
        let most = u64::MAX.to_string() + ":";
        let declared = Cut::Declared {
            head: 21,
            payload: u64::MAX,
            tail: 1,
        };
        assert_eq!(cut(most.as_bytes()), Ok(declared));
    }

    #[test]
    fn anything_else_is_malformed_where_it_stands() {
        let at = |bytes: &[u8]| cut(bytes).unwrap_err().at;
        assert_eq!(at(b":"), 0);
        assert_eq!(at(b"x"), 0);
        assert_eq!(at(b"1x"), 1);
        assert_eq!(at(b"00:"), 0);
        assert_eq!(at(b"01:"), 0);
        assert_eq!(at(b"18446744073709551616:"), 19);
        assert_eq!(at(b"99999999999999999999999999"), 19);
        assert!(Netstring::new().check_tail(b".").is_err());
    }

    #[test]
    fn heads_are_decimal() {
        let wrapped = |payload: &[u8]| {
            let wrapping = Netstring::new().wrap(payload).unwrap();
            wrapping.around(payload).concat()
        };
        assert_eq!(wrapped(b""), b"0:,");
        assert_eq!(wrapped(b"hello"), b"5:hello,");
        assert!(wrapped(&[b'x'; 1200]).starts_with(b"1200:x"));
    }
}
