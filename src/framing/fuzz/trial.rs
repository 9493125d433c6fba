//! Puts a format on trial: this crate's, and those of its users.

use super::super::{Format, FrameReader, Streamable};
use super::check::{Promises, Setup, as_a_whole, check};
use super::expect::expect;
use super::seen::Naive;

/// A format on trial: whatever bytes come, it must do as [`Format`] asks.
///
/// Each method takes a fuzzer's bytes, or random ones, and panics if the format, or the reader with it,
/// breaks a rule; what was read, and how, is written to the standard error then.
///
/// | what is checked | by |
/// |---|---|
/// | the same frames, and the same error at the same offset, however the stream is cut into chunks and wherever a listener stops | [`reads`](Self::reads) |
/// | the same kinds, heads and offsets; payload that is unpacked in pieces is the same whatever the pieces | `reads` |
/// | the same bad frames if they are reported at once; a format that is replaced behind a frame by its clone goes on as it would have | `reads` |
/// | memory within its bounds, a bounded number of looks at each byte, nothing after an error, every byte accounted for | `reads` |
/// | they are the frames that a decoder sees which has the whole stream in front of it | [`reads_as`](Self::reads_as) |
/// | what is written is read back, up to the limit and not beyond | [`writes`](Self::writes) |
///
/// # The bytes
///
/// For reading, the first three are the set-up, and the others the stream:
///
/// ```text
///   0   yours, to choose among options of the format
///   1   bit 0: skips bad frames; bit 1: streams above what the bits 2 to 7 say
///   2   the limit; 255 for none
/// ```
///
/// For writing, the first two are the limit and what cuts the others into payloads.
#[derive(Clone, Debug)]
pub struct Trial<F> {
    pub(super) format: F,
    in_pieces: Option<InPieces<F>>,
    promises: Promises,
}

/// `FrameReader::stream_above`, which not every format's reader has.
type InPieces<F> = fn(FrameReader<F>, usize) -> FrameReader<F>;

impl<F: Format + Clone> Trial<F> {
    /// Puts `format` on trial.
    pub fn new(format: F) -> Self {
        Self {
            format,
            in_pieces: None,
            promises: Promises::default(),
        }
    }

    /// Long frames are to come in pieces as well, at times.
    #[must_use]
    pub fn in_pieces(mut self) -> Self
    where
        F: Streamable,
    {
        self.in_pieces = Some(FrameReader::stream_above);
        self.promises.never_longer = true;
        self
    }

    /// What the format unpacks is no longer than what it was.
    #[must_use]
    pub(super) fn never_longer(mut self) -> Self {
        self.promises.never_longer = true;
        self
    }

    /// Every frame that lies in the chunk is lent from it: the format neither unpacks nor has parts.
    #[must_use]
    pub(super) fn lends(mut self) -> Self {
        self.promises.lends = true;
        self
    }

    /// Reads a stream in eight manners, which must all come to the same, and in two of them again with bad frames
    /// reported at once.
    pub fn reads(&self, data: &[u8]) {
        if let Some((setup, stream)) = Setup::split(data) {
            let setup = self.fitting(&setup);
            let make = self.readers();
            let expected = as_a_whole(&setup, self.promises, &make, stream);
            check(&setup, self.promises, &make, stream, &expected);
        }
    }

    /// As [`reads`](Self::reads), and all must come to what `naive` sees at the front of the rest of
    /// the stream, frame by frame and in order. It is never given an empty rest.
    ///
    /// ```
    /// use soquete::framing::LengthPrefix;
    /// use soquete::fuzzing::{Naive, Trial};
    ///
    /// let data = b"\x00\x00\xff\x05hello\x05wor";
    /// Trial::new(LengthPrefix::u8()).in_pieces().reads_as(data, |rest| {
    ///     Naive::announced(rest, 1, rest[0].into())
    /// });
    /// ```
    pub fn reads_as<'a>(&self, data: &'a [u8], naive: impl FnMut(&'a [u8]) -> Naive<'a>) {
        if let Some((setup, stream)) = Setup::split(data) {
            self.run(&setup, stream, naive);
        }
    }

    pub(super) fn run<'a>(
        &self,
        setup: &Setup,
        stream: &'a [u8],
        naive: impl FnMut(&'a [u8]) -> Naive<'a>,
    ) {
        let setup = self.fitting(setup);
        let make = self.readers();
        let expected = expect(&setup, make(&setup).raw_limit(), stream, naive);
        check(&setup, self.promises, &make, stream, &expected);
    }

    fn fitting(&self, setup: &Setup) -> Setup {
        match self.in_pieces {
            Some(_) => *setup,
            None => setup.without_streaming(),
        }
    }

    /// Makes readers, each for one reading.
    fn readers(&self) -> impl Fn(&Setup) -> FrameReader<F> {
        |setup| {
            let reader = FrameReader::new(self.format.clone(), setup.limit);
            // A decoder that sees the stream whole does not count them.
            let mut reader = reader.max_empty_parts(usize::MAX);
            if let Some(in_pieces) = self.in_pieces {
                reader = in_pieces(reader, setup.stream_above);
            }
            if setup.tell_bad {
                reader = reader.tell_bad_frames();
            } else if setup.skip_bad {
                reader = reader.skip_bad_frames();
            }
            reader
        }
    }
}
