//! How a connection ends: codes and reasons (RFC 6455, sections 5.5.1 and 7.4).

use super::super::super::advance::MANY_EMPTY_PARTS;
use super::super::super::{FrameError, Malformed};
use super::text::Text;
use super::{LONG_FRAME, LONGEST_CONTROL, MALFORMED_TEXT, MANY_FRAGMENTS, UNFINISHED_TEXT};

/// What a close frame says: its payload is the code, two bytes, and the reason.
///
/// ```
/// use soquete::framing::websocket::Close;
///
/// let close = Close { code: Close::GOING_AWAY, reason: "back soon" };
/// let payload = close.to_payload()?;
/// assert_eq!(payload, b"\x03\xe9back soon");
/// assert_eq!(Close::parse(&payload), Ok(Some(close)));
/// assert_eq!(Close::parse(b""), Ok(None), "a close need not say anything");
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close<'a> {
    /// Why, in a number.
    pub code: u16,
    /// Why, in words, of at most 123 bytes.
    pub reason: &'a str,
}

impl<'a> Close<'a> {
    /// All is done that the connection was for.
    pub const NORMAL: u16 = 1000;
    /// The server goes down, or the page is left.
    pub const GOING_AWAY: u16 = 1001;
    /// A frame broke the protocol.
    pub const PROTOCOL_ERROR: u16 = 1002;
    /// A message was of a kind that is not understood here.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text was not UTF-8.
    pub const NOT_TEXT: u16 = 1007;
    /// A message was against the rules of this server.
    pub const POLICY: u16 = 1008;
    /// A message was too big.
    pub const TOO_BIG: u16 = 1009;
    /// Something went wrong inside.
    pub const INTERNAL: u16 = 1011;

    /// Whether a close frame may have this code. 1004 to 1006 and 1015 are for other uses, and what is not registered
    /// below 3000 has no meaning yet.
    pub const fn may_be_sent(code: u16) -> bool {
        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Reads the payload of a close frame; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for a code that is cut off or may not be sent, and for a reason that is not UTF-8. A
    /// [`WebSocket`](super::WebSocket) has checked what it hands out.
    pub fn parse(payload: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let Some((code, reason)) = payload.split_first_chunk() else {
            return match payload {
                [] => Ok(None),
                _ => Err(Malformed::new(
                    0,
                    "close frame with half a code (RFC 6455, section 5.5.1)",
                )),
            };
        };
        let code = u16::from_be_bytes(*code);
        if !Self::may_be_sent(code) {
            return Err(Malformed::new(0, UNSENDABLE));
        }
        match std::str::from_utf8(reason) {
            Ok(reason) => Ok(Some(Self { code, reason })),
            Err(error) => Err(Malformed::new(2 + error.valid_up_to(), MALFORMED_TEXT)),
        }
    }

    /// The payload of a close frame that says this.
    ///
    /// # Errors
    ///
    /// [`FrameError::NotOneFrame`] for a code that may not be sent, [`FrameError::Unrepresentable`] for a reason of more
    /// than 123 bytes.
    pub fn to_payload(self) -> Result<Vec<u8>, FrameError> {
        let payload = [&self.code.to_be_bytes()[..], self.reason.as_bytes()].concat();
        check_sendable(&payload)?;
        Ok(payload)
    }
}

/// What a close frame says, as it comes in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Saying {
    /// Bytes of the code that have come, and what they are.
    digits: u8,
    code: u16,
    reason: Text,
}

impl Saying {
    /// The next bytes: what is wrong with them, and where.
    pub(super) fn check(&mut self, bytes: &[u8]) -> Option<(usize, &'static str)> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.digits == 2 {
                return self
                    .reason
                    .check(&bytes[at..])
                    .map(|wrong| (at + wrong, MALFORMED_TEXT));
            }
            self.code = self.code << 8 | u16::from(*byte);
            self.digits += 1;
            if self.digits == 2 && !Close::may_be_sent(self.code) {
                return Some((at, UNSENDABLE));
            }
        }
        None
    }

    /// Whether it may end here. That there is no half of a code is known from the length.
    pub(super) fn is_whole(self) -> bool {
        self.reason.is_whole()
    }
}

const UNSENDABLE: &str = "close code that may not be sent (RFC 6455, section 7.4)";

/// Whether a close frame can have this payload.
pub(super) fn check_sendable(payload: &[u8]) -> Result<(), FrameError> {
    if payload.len() > LONGEST_CONTROL {
        let (len, max) = (payload.len() as u64, LONGEST_CONTROL as u64);
        return Err(FrameError::Unrepresentable { len, max });
    }
    match Close::parse(payload) {
        Ok(_) => Ok(()),
        Err(Malformed { at, what, .. }) => Err(FrameError::NotOneFrame { at, what }),
    }
}

/// The code to close a connection with whose bytes were wrong in this way: [1002](Close::PROTOCOL_ERROR),
/// [1007](Close::NOT_TEXT) for what is not UTF-8, [1009](Close::TOO_BIG) above the limits.
pub fn close_code(error: FrameError) -> u16 {
    match error {
        FrameError::TooLong { .. } => Close::TOO_BIG,
        FrameError::Malformed { what, .. } => match what {
            MALFORMED_TEXT | UNFINISHED_TEXT => Close::NOT_TEXT,
            LONG_FRAME | MANY_FRAGMENTS | MANY_EMPTY_PARTS => Close::TOO_BIG,
            _ => Close::PROTOCOL_ERROR,
        },
        _ => Close::PROTOCOL_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_mean_something_else_are_no_codes() {
        let sendable = |range: std::ops::RangeInclusive<u16>| {
            range.filter(|code| Close::may_be_sent(*code)).count()
        };
        assert_eq!(sendable(0..=999), 0);
        assert_eq!(sendable(1000..=1015), 12);
        assert_eq!(sendable(1016..=2999), 0);
        assert_eq!(sendable(3000..=4999), 2000);
        assert_eq!(sendable(5000..=u16::MAX), 0);
    }

    #[test]
    fn a_reason_has_room_behind_the_code_and_no_more() {
        let long = "x".repeat(123);
        let close = Close {
            code: 4999,
            reason: &long,
        };
        assert_eq!(close.to_payload().map(|payload| payload.len()), Ok(125));
        let longer = format!("{long}x");
        let close = Close {
            code: 4999,
            reason: &longer,
        };
        assert_eq!(
            close.to_payload(),
            Err(FrameError::Unrepresentable { len: 126, max: 125 })
        );
        let close = Close {
            code: 1006,
            reason: "",
        };
        assert!(matches!(
            close.to_payload(),
            Err(FrameError::NotOneFrame { at: 0, .. })
        ));
    }
}
