//! What can be wrong with a frame, and where in the stream.

use std::fmt;

/// Why a stream of bytes is not a stream of frames, or a payload cannot become one.
///
/// Offsets (`at`) count bytes from the first byte that the reader was ever given, so an error can be
/// looked up in a capture of the connection. A reader's error is sticky: every later call returns the
/// same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The payload is longer than the limit.
    TooLong {
        /// Stream offset of the frame's first byte.
        at: u64,
        /// The reader's limit, in bytes of payload.
        limit: usize,
        /// The length that the header announced, for formats that announce one.
        declared: Option<u64>,
    },
    /// The input ended inside a frame.
    Truncated {
        /// Stream offset of the frame's first byte.
        at: u64,
        /// How many bytes of the frame had arrived.
        have: u64,
    },
    /// The bytes cannot be a frame of this format.
    Malformed {
        /// Stream offset of the offending byte.
        at: u64,
        /// What the format has against it.
        what: &'static str,
    },
    /// The format was to be changed in the middle of a frame of which a part was handed out already.
    InsideFrame {
        /// Stream offset of the frame's first byte.
        at: u64,
    },
    /// The format was to be changed with nothing left over, but bytes had already arrived.
    UnexpectedRest {
        /// Stream offset of the first byte left over.
        at: u64,
        /// How many there are.
        have: usize,
    },
    /// A format was described that cannot exist.
    InvalidFormat {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The writer was given a payload whose length this format or this limit does not allow, or a
    /// limit that the format's length field cannot hold.
    Unrepresentable {
        /// The length in question.
        len: u64,
        /// The longest that is possible.
        max: u64,
    },
    /// The writer was given a payload that its reader would not read back as one frame, because it
    /// contains the delimiter or breaks the format's own rule.
    NotOneFrame {
        /// Offset in the payload.
        at: usize,
        /// What is there.
        what: &'static str,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooLong {
                at,
                limit,
                declared: Some(declared),
            } => {
                write!(
                    f,
                    "frame at offset {at} announces {declared} bytes, the limit is {limit}"
                )
            }
            Self::TooLong {
                at,
                limit,
                declared: None,
            } => {
                write!(
                    f,
                    "frame at offset {at} is longer than the limit of {limit} bytes"
                )
            }
            Self::Truncated { at, have } => {
                write!(
                    f,
                    "input ended inside the frame at offset {at}, after {have} of its bytes"
                )
            }
            Self::Malformed { at, what } => write!(f, "{what} at offset {at}"),
            Self::InsideFrame { at } => {
                write!(f, "format changed inside the frame at offset {at}")
            }
            Self::UnexpectedRest { at, have } => {
                write!(
                    f,
                    "{have} unexpected bytes at offset {at}, before the change of format"
                )
            }
            Self::InvalidFormat { what } => write!(f, "impossible format: {what}"),
            Self::Unrepresentable { len, max } => {
                write!(f, "{len} bytes do not fit into a frame, at most {max} do")
            }
            Self::NotOneFrame { at, what } => {
                write!(f, "payload is not one frame: {what} at its offset {at}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_and_where() {
        let shown = |error: FrameError| error.to_string();
        assert_eq!(
            shown(FrameError::TooLong {
                at: 7,
                limit: 3,
                declared: Some(9)
            }),
            "frame at offset 7 announces 9 bytes, the limit is 3"
        );
        assert_eq!(
            shown(FrameError::Malformed {
                at: 2,
                what: "bare line feed"
            }),
            "bare line feed at offset 2"
        );
        assert_eq!(
            shown(FrameError::Truncated { at: 4, have: 2 }),
            "input ended inside the frame at offset 4, after 2 of its bytes"
        );
    }
}
