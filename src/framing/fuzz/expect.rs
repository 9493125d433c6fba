//! What a reader must make of a stream, given a naive decoder of it.

use super::super::{FrameError, Malformed};
use super::check::{Event, Setup, Trace};

/// What a naive decoder sees at the front of the rest of a stream: all that will ever come.
pub enum Naive<'a> {
    /// So many bytes of noise.
    Noise(usize),
    /// A frame, or as much of it as there is.
    Frame {
        /// Its payload; one part, for nearly all formats.
        parts: Vec<Part<'a>>,
        /// How it ends.
        end: End,
    },
}

/// A run of payload.
pub struct Part<'a> {
    /// What there is of it.
    bytes: &'a [u8],
    /// How long it is.
    len: u64,
    /// Whether a head in front of it says so.
    announced: bool,
}

/// How a frame ends.
pub enum End {
    /// It takes so many bytes in all.
    Whole(usize),
    /// As `Whole`, and the payload is to be this, or cannot be unpacked (at a place in the frame).
    Unpacked(usize, Result<Vec<u8>, Malformed>),
    /// The input ends inside of it.
    Cut,
    /// It is malformed behind the parts (at a place in the frame).
    Bad(Malformed),
}

impl<'a> Naive<'a> {
    /// A frame of this payload, which takes `used` bytes in all.
    pub fn found(payload: &'a [u8], used: usize) -> Self {
        Self::Frame {
            parts: vec![Part::found(payload)],
            end: End::Whole(used),
        }
    }

    /// A frame at the front of `rest`: `head` bytes, which announce a payload of `len` bytes, and that.
    pub fn announced(rest: &'a [u8], head: usize, len: u64) -> Self {
        let part = Part::announced(&rest[head..], len);
        let end = if part.is_whole() {
            End::Whole(head + part.bytes().len())
        } else {
            End::Cut
        };
        Self::Frame {
            parts: vec![part],
            end,
        }
    }

    /// The input ends in a frame, of which this is payload for certain.
    pub fn cut(settled: &'a [u8]) -> Self {
        Self::Frame {
            parts: vec![Part::found(settled)],
            end: End::Cut,
        }
    }

    /// The frame is malformed at `at`, and this, in front of it, is payload for certain.
    pub fn bad(settled: &'a [u8], at: usize, what: &'static str) -> Self {
        Self::Frame {
            parts: vec![Part::found(settled)],
            end: End::Bad(Malformed::new(at, what)),
        }
    }
}

impl<'a> Part<'a> {
    /// Payload whose end was found.
    pub fn found(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            len: bytes.len() as u64,
            announced: false,
        }
    }

    /// Payload of `len` bytes, as a head has said, at the front of `rest`.
    pub fn announced(rest: &'a [u8], len: u64) -> Self {
        let there = rest.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        Self {
            bytes: &rest[..there],
            len,
            announced: true,
        }
    }

    /// What there is of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.bytes.len() as u64 == self.len
    }
}

pub(super) fn expect<'a>(
    setup: &Setup,
    raw_limit: usize,
    stream: &'a [u8],
    naive: &dyn Fn(&'a [u8]) -> Naive<'a>,
) -> Trace {
    let mut events = Vec::new();
    let mut at = 0;
    while at < stream.len() {
        match naive(&stream[at..]) {
            Naive::Noise(len) => at += len,
            Naive::Frame { parts, end } => {
                let frame = Frame {
                    setup,
                    raw_limit,
                    at,
                    have: stream.len() - at,
                };
                match frame.read(&parts, end, &mut events) {
                    Ok(used) => at += used,
                    Err(error) => {
                        return Trace {
                            events,
                            end: Err(error),
                        };
                    }
                }
            }
        }
    }
    Trace {
        events,
        end: Ok(()),
    }
}

struct Frame<'s> {
    setup: &'s Setup,
    raw_limit: usize,
    at: usize,
    have: usize,
}

impl Frame<'_> {
    /// Applies the policies; returns how many bytes the frame takes.
    fn read(
        &self,
        parts: &[Part<'_>],
        end: End,
        events: &mut Vec<Event>,
    ) -> Result<usize, FrameError> {
        let limit = self.raw_limit as u64;
        let mut payload = Vec::new();
        let mut len = 0u64;
        let mut streaming = false;
        let mut dropped = None;
        for part in parts {
            let before = len;
            len = len.saturating_add(part.len);
            let long = self.setup.streams() && len > self.setup.stream_above as u64;
            if dropped.is_some() {
                continue;
            }
            if len > limit {
                let mut pieces = &payload[..];
                let declared = part.announced.then_some(len);
                if !part.announced && self.setup.streams() {
                    payload.extend_from_slice(&part.bytes[..(limit - before) as usize]);
                    pieces = &payload;
                    streaming = true;
                }
                if streaming && !pieces.is_empty() {
                    events.push(Event::Streamed(pieces.to_vec(), false));
                }
                dropped = Some(self.skip(self.too_long(declared))?);
                continue;
            }
            streaming |= long;
            payload.extend_from_slice(part.bytes);
        }
        self.finish(end, len, payload, streaming, dropped, events)
    }

    fn finish(
        &self,
        end: End,
        len: u64,
        payload: Vec<u8>,
        streaming: bool,
        dropped: Option<FrameError>,
        events: &mut Vec<Event>,
    ) -> Result<usize, FrameError> {
        let (used, unpacked) = match end {
            End::Whole(used) => (used, Ok(payload)),
            End::Unpacked(used, unpacked) => (used, unpacked),
            End::Cut | End::Bad(_) => {
                if dropped.is_none() && streaming && !payload.is_empty() {
                    events.push(Event::Streamed(payload, false));
                }
                let (at, have) = (self.at as u64, self.have as u64);
                return Err(match end {
                    End::Bad(wrong) => self.malformed(wrong),
                    _ => FrameError::Truncated { at, have },
                });
            }
        };
        events.push(match (dropped, unpacked) {
            (Some(error), _) => Event::Skipped(len, error),
            (None, Err(wrong)) => Event::Skipped(len, self.skip(self.malformed(wrong))?),
            (None, Ok(payload)) if streaming => Event::Streamed(payload, true),
            (None, Ok(payload)) if payload.len() > self.setup.limit => {
                Event::Skipped(len, self.skip(self.too_long(None))?)
            }
            (None, Ok(payload)) => Event::Frame(payload),
        });
        Ok(used)
    }

    fn skip(&self, error: FrameError) -> Result<FrameError, FrameError> {
        if self.setup.skip_bad {
            Ok(error)
        } else {
            Err(error)
        }
    }

    fn too_long(&self, declared: Option<u64>) -> FrameError {
        FrameError::TooLong {
            at: self.at as u64,
            limit: self.setup.limit,
            declared,
        }
    }

    fn malformed(&self, wrong: Malformed) -> FrameError {
        FrameError::Malformed {
            at: (self.at + wrong.at) as u64,
            what: wrong.what,
        }
    }
}
