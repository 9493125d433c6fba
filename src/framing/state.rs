//! Where in a frame a reader is, what becomes of the frame, and whether all is over.

use std::ops::Range;

use super::carry::Carry;
use super::{Cut, FrameError, Malformed};

/// What a format has said about a window.
pub(super) type Answer = Result<Cut, Malformed>;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The format is to be asked what comes next.
    Cut,
    /// A frame is to be handed out as soon as all of it is there.
    Whole(Span),
    /// Payload goes wherever `Fate` says as it arrives: `left` bytes, then `extra` above the limit.
    Body {
        head: usize,
        left: u64,
        extra: u64,
        tail: usize,
        last: bool,
    },
    /// The payload has gone; `tail` bytes behind it are to be checked.
    Tail { tail: usize, last: bool },
    /// Nothing more is to come out of this stream.
    Failed(FrameError),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) head: usize,
    pub(super) payload: usize,
    pub(super) tail: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// Handed out in one piece, from where it lies. Nothing of the frame has been read.
    Whole,
    /// Collected from several parts.
    Gather,
    /// Handed out as it arrives.
    Stream,
    /// Dropped, for this reason.
    Drop(FrameError),
}

/// Where bytes are that were read; nothing is borrowed from the reader yet.
pub(super) enum Place<'c> {
    Chunk(&'c [u8]),
    Carry(Range<usize>),
    Out,
}

impl<'c> Place<'c> {
    /// The bytes at this place.
    #[inline]
    pub(super) fn bytes<'a>(&self, carry: &'a Carry, out: &'a [u8]) -> &'a [u8]
    where
        'c: 'a,
    {
        match self {
            Self::Chunk(bytes) => bytes,
            Self::Carry(range) => carry.lent(range.clone()),
            Self::Out => out,
        }
    }

    /// A part of them.
    pub(super) fn within(self, range: Range<usize>) -> Self {
        match self {
            Self::Chunk(bytes) => Self::Chunk(&bytes[range]),
            Self::Carry(place) => Self::Carry(place.start + range.start..place.start + range.end),
            Self::Out => Self::Out,
        }
    }
}

/// An item, with its bytes described in such a way that nothing is borrowed yet.
pub(super) enum Found<'c> {
    Frame(Place<'c>),
    Piece(Place<'c>, bool),
    Skipped { bytes: u64, error: FrameError },
}

impl Step {
    /// How many bytes are known to be missing if there are `have`.
    pub(super) fn want(&self, have: usize) -> Option<u64> {
        let whole = match *self {
            Self::Cut | Self::Failed(_) => return None,
            Self::Whole(Span {
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
