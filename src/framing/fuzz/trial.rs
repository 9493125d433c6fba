//! Puts a format on trial: this crate's, and those of its users.

use super::super::reader::LONGEST;
use super::super::{Format, FrameReader, Streamable};
use super::check::{Setup, as_a_whole, check};
use super::expect::{Naive, expect};

/// A format on trial: whatever bytes come, it must do as [`Format`] asks.
///
/// Each method takes a fuzzer's bytes, or random ones, and panics with the bytes and what came of them
/// if the format, or the reader with it, breaks a rule. Options of the format are best chosen by the
/// first of the bytes, of which the method is given the others.
///
/// | what is checked | by |
/// |---|---|
/// | the same frames, and the same error at the same offset, however the stream is cut into chunks and wherever a listener stops | [`reads`](Self::reads) |
/// | memory within its bounds, each byte looked at a bounded number of times, nothing after an error, every byte accounted for | `reads` |
/// | they are the frames that a decoder sees which has the whole stream in front of it | [`reads_as`](Self::reads_as) |
/// | what is written is read back, up to the limit and not beyond | [`writes`](Self::writes) |
pub struct Trial<F> {
    pub(super) format: F,
    in_pieces: Option<InPieces<F>>,
    lends: bool,
}

/// `FrameReader::stream_above`, which not every format's reader has.
type InPieces<F> = fn(FrameReader<F>, usize) -> FrameReader<F>;

impl<F: Format + Clone> Trial<F> {
    /// Puts `format` on trial.
    pub fn new(format: F) -> Self {
        Self {
            format,
            in_pieces: None,
            lends: false,
        }
    }

    /// Long frames are to come in pieces as well, at times.
    #[must_use]
    pub fn in_pieces(mut self) -> Self
    where
        F: Streamable,
    {
        self.in_pieces = Some(FrameReader::stream_above);
        self
    }

    /// Every frame that lies in the chunk is lent from it: the format neither unpacks nor has parts.
    #[must_use]
    pub(super) fn lends(mut self) -> Self {
        self.lends = true;
        self
    }

    /// Reads a stream in seven manners, which must all come to the same.
    ///
    /// The first three bytes are the set-up: one that is yours, the policies, the limit.
    pub fn reads(&self, data: &[u8]) {
        if let Some((setup, stream)) = Setup::split(data) {
            let setup = self.fitting(&setup);
            let expected = as_a_whole(&self.reader(&setup), stream);
            check(&setup, self.lends, &self.reader(&setup), stream, &expected);
        }
    }

    /// As [`reads`](Self::reads), and all must come to what `naive` sees at the front of the rest of
    /// the stream, frame by frame. It is never given an empty rest.
    pub fn reads_as<'a>(&self, data: &'a [u8], naive: impl Fn(&'a [u8]) -> Naive<'a>) {
        if let Some((setup, stream)) = Setup::split(data) {
            self.run(&setup, stream, naive);
        }
    }

    pub(super) fn run<'a>(
        &self,
        setup: &Setup,
        stream: &'a [u8],
        naive: impl Fn(&'a [u8]) -> Naive<'a>,
    ) {
        let setup = self.fitting(setup);
        let raw_limit = self.format.raw_limit(setup.limit).min(LONGEST);
        let expected = expect(&setup, raw_limit, stream, &naive);
        check(&setup, self.lends, &self.reader(&setup), stream, &expected);
    }

    fn fitting(&self, setup: &Setup) -> Setup {
        match self.in_pieces {
            Some(_) => *setup,
            None => setup.without_streaming(),
        }
    }

    /// Makes readers, each for one reading.
    fn reader<'s>(&'s self, setup: &'s Setup) -> impl Fn() -> FrameReader<F> + 's {
        move || {
            let mut reader = FrameReader::new(self.format.clone(), setup.limit);
            if let Some(in_pieces) = self.in_pieces {
                reader = in_pieces(reader, setup.stream_above);
            }
            if setup.skip_bad {
                reader = reader.skip_bad_frames();
            }
            reader
        }
    }
}
