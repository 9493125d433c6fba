//! What comes out of a stream: frames, pieces of them, and what became of bad ones.

use super::FrameError;

/// What a reader hands out. The bytes are valid until the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// A frame's payload, complete.
    Frame(&'a [u8]),
    /// A piece of a long frame's payload; only after
    /// [`stream_above`](super::FrameReader::stream_above).
    Piece {
        /// The bytes; the last piece may have none.
        bytes: &'a [u8],
        /// Whether it ends the frame.
        last: bool,
    },
    /// A frame is bad, which has just become certain, and will be dropped; only after
    /// [`tell_bad_frames`](super::FrameReader::tell_bad_frames).
    Refused {
        /// What is wrong with it.
        error: FrameError,
        /// Whether it is not known where the next frame begins. Nothing more comes out of the stream then;
        /// otherwise a `Skipped` comes when the frame has ended.
        lost: bool,
    },
    /// A frame was dropped, and the stream goes on behind it; only after
    /// [`skip_bad_frames`](super::FrameReader::skip_bad_frames) or
    /// [`tell_bad_frames`](super::FrameReader::tell_bad_frames). It ends the frame if pieces came before it.
    Skipped {
        /// The length of its payload as it stood in the stream, pieces included.
        bytes: u64,
        /// What was wrong with it.
        error: FrameError,
    },
}

impl<'a> Item<'a> {
    /// The payload, if this is a complete frame: all there is without special policies.
    #[inline]
    pub fn frame(self) -> Option<&'a [u8]> {
        match self {
            Self::Frame(bytes) => Some(bytes),
            _ => None,
        }
    }
}
