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
        /// Whether the head goes with the frame.
        first: bool,
        left: u64,
        extra: u64,
        tail: usize,
        last: bool,
    },
    /// A frame that stands aside is to be handed out as soon as all of it is there.
    Aside(Span),
    /// The payload has gone; `tail` bytes behind it are to be checked.
    Tail { tail: usize, last: bool },
    /// A frame with so many bytes of payload is to be dropped, all of it but `left` bytes having been read.
    Over { left: usize, bytes: u64 },
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
    /// Dropped, for this reason; `told` if nobody is to be told before it ends.
    Drop { error: FrameError, told: bool },
}

/// Where bytes are that were read; nothing is borrowed from the reader yet.
pub(super) enum Place<'c> {
    Chunk(&'c [u8]),
    Carry(Range<usize>),
    Out(Range<usize>),
}

impl<'c> Place<'c> {
    pub(super) const NOWHERE: Self = Self::Chunk(&[]);

    /// The bytes at this place.
    #[inline]
    pub(super) fn bytes<'a>(&self, carry: &'a Carry, out: &'a [u8]) -> &'a [u8]
    where
        'c: 'a,
    {
        match self {
            Self::Chunk(bytes) => bytes,
            Self::Carry(range) => carry.lent(range.clone()),
            Self::Out(range) => &out[range.clone()],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Chunk(bytes) => bytes.is_empty(),
            Self::Carry(range) | Self::Out(range) => range.is_empty(),
        }
    }

    /// A part of them.
    pub(super) fn within(&self, range: Range<usize>) -> Self {
        let shifted = |place: &Range<usize>| place.start + range.start..place.start + range.end;
        match self {
            Self::Chunk(bytes) => Self::Chunk(&bytes[range]),
            Self::Carry(place) => Self::Carry(shifted(place)),
            Self::Out(place) => Self::Out(shifted(place)),
        }
    }
}

/// An item, with its bytes described in such a way that nothing is borrowed yet.
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
