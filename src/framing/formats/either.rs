//! One of two formats.

use super::super::{
    Cut, Format, FrameError, Malformed, Output, Streamable, Unpacked, Window, Wrap, Wrapping,
};

/// One of two formats, for a stream that is read in both: see [`Reading::switch`](super::super::Reading::switch).
///
/// For three formats, nest: `Either<A, Either<B, C>>`; or write a format of your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The one.
    A(A),
    /// The other.
    B(B),
}

/// Does to whichever it is what is to be done.
macro_rules! either {
    ($either:expr, $format:ident => $what:expr) => {
        match $either {
            Either::A($format) => $what,
            Either::B($format) => $what,
        }
    };
}

impl<A: Format, B: Format> Format for Either<A, B> {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        either!(self, format => format.cut(window))
    }

    #[inline]
    fn overhead(&self) -> usize {
        either!(self, format => format.overhead())
    }

    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        either!(self, format => format.at_end(window))
    }

    fn forget(&mut self, bytes: usize) {
        either!(self, format => format.forget(bytes))
    }

    #[inline]
    fn check_tail(&mut self, tail: &[u8]) -> Result<(), Malformed> {
        either!(self, format => format.check_tail(tail))
    }

    #[inline]
    fn raw_limit(&self, limit: usize) -> usize {
        either!(self, format => format.raw_limit(limit))
    }

    #[inline]
    fn kind(&self) -> u8 {
        either!(self, format => format.kind())
    }

    #[inline]
    fn expects_more(&self) -> bool {
        either!(self, format => format.expects_more())
    }

    #[inline]
    fn may_stream(&self) -> bool {
        either!(self, format => format.may_stream())
    }

    #[inline]
    fn unpacks_in_pieces(&self) -> bool {
        either!(self, format => format.unpacks_in_pieces())
    }

    #[inline]
    fn unpack_piece(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        either!(self, format => format.unpack_piece(raw, last, out))
    }

    fn abandon(&mut self) {
        either!(self, format => format.abandon())
    }

    #[inline]
    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        either!(self, format => format.unpack(raw, out))
    }
}

impl<A: Streamable, B: Streamable> Streamable for Either<A, B> {}

impl<A: Wrap, B: Wrap> Wrap for Either<A, B> {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        either!(self, format => format.wrap(payload))
    }

    fn max_payload(&self) -> u64 {
        either!(self, format => Wrap::max_payload(format))
    }
}
