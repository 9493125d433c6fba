//! The state of a reader: its position in a frame, how the frame is delivered, and whether the stream has failed.

use std::ops::Range;

use super::leftover::Leftover;
use super::{Cut, FrameError, Malformed};

/// A format's answer to a window.
pub(super) type Answer = Result<Cut, Malformed>;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The format says next what comes.
    Cut,
    /// A frame is handed out as soon as it is complete.
    Whole(Span),
    /// Payload is delivered as it arrives: `left` bytes, then `extra` above the limit.
    Body {
        head: usize,
        /// Whether the head goes with the frame.
        first: bool,
        left: u64,
        extra: u64,
        tail: usize,
        last: bool,
    },
    /// A frame between two parts of another is handed out as soon as it is complete.
    Aside(Span),
    /// The payload has been read; the `tail` bytes behind it are checked next.
    Tail { tail: usize, last: bool },
    /// A frame with `bytes` bytes of payload is dropped; all of it but `left` bytes has been read.
    Over { left: usize, bytes: u64 },
    /// The stream has failed, and yields nothing more.
    Failed(FrameError),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) head: usize,
    pub(super) payload: usize,
    pub(super) tail: usize,
}

/// How the payload of the open frame reaches the listener.
#[derive(Clone, Copy, Debug)]
pub(super) enum Delivery {
    /// Handed out in one piece, from where it lies. Nothing of the frame has been read.
    Whole,
    /// Collected from several parts.
    Gather,
    /// Handed out as it arrives.
    Stream,
    /// Dropped for this reason. `reported` is whether the listener has its `Refused`, or wants none.
    Drop { error: FrameError, reported: bool },
}

/// The location of bytes that were read. It borrows nothing from the reader.
pub(super) enum Place<'c> {
    Chunk(&'c [u8]),
    Leftover(Range<usize>),
    Out(Range<usize>),
}

impl<'c> Place<'c> {
    pub(super) const NOWHERE: Self = Self::Chunk(&[]);

    /// The bytes at this place.
    #[inline]
    pub(super) fn bytes<'a>(&self, leftover: &'a Leftover, out: &'a [u8]) -> &'a [u8]
    where
        'c: 'a,
    {
        match self {
            Self::Chunk(bytes) => bytes,
            Self::Leftover(range) => leftover.lent(range.clone()),
            Self::Out(range) => &out[range.clone()],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Chunk(bytes) => bytes.is_empty(),
            Self::Leftover(range) | Self::Out(range) => range.is_empty(),
        }
    }

    /// A part of them.
    pub(super) fn within(&self, range: Range<usize>) -> Self {
        let shifted = |place: &Range<usize>| place.start + range.start..place.start + range.end;
        match self {
            Self::Chunk(bytes) => Self::Chunk(&bytes[range]),
            Self::Leftover(place) => Self::Leftover(shifted(place)),
            Self::Out(place) => Self::Out(shifted(place)),
        }
    }
}

/// An item whose bytes are named by their places, so that nothing is borrowed yet.
pub(super) struct Found<'c> {
    pub(super) what: What<'c>,
    pub(super) head: Place<'c>,
    /// Stream offset of the frame's first byte.
    pub(super) at: u64,
}

pub(super) enum What<'c> {
    Frame(Place<'c>),
    Piece(Place<'c>, bool),
    Skipped { bytes: u64, error: FrameError },
    Refused { error: FrameError, lost: bool },
}

impl Step {
    /// How many bytes are known to be missing if there are `have`.
    pub(super) fn want(&self, have: usize) -> Option<u64> {
        let whole = match *self {
            Self::Cut | Self::Over { .. } | Self::Failed(_) => return None,
            Self::Whole(Span {
                head,
                payload,
                tail,
            })
            | Self::Aside(Span {
                head,
                payload,
                tail,
            }) => (head + payload + tail) as u64,
            Self::Body {
                head,
                left,
                extra,
                tail,
                ..
            } => left
                .saturating_add(extra)
                .saturating_add((head + tail) as u64),
            Self::Tail { tail, .. } => tail as u64,
        };
        Some(whole.saturating_sub(have as u64))
    }
}
