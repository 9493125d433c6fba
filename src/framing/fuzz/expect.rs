//! What a reader must make of a stream, given a naive decoder of it.

use super::super::{FrameError, Malformed};
use super::check::{Event, Setup, Trace};
use super::seen::{End, Naive, Part};

pub(super) fn expect<'a>(
    setup: &Setup,
    raw_limit: usize,
    stream: &'a [u8],
    mut naive: impl FnMut(&'a [u8]) -> Naive<'a>,
) -> Trace {
    let mut events = Vec::new();
    let mut at = 0;
    while at < stream.len() {
        let have = stream.len() - at;
        let used = match naive(&stream[at..]) {
            Naive::Noise(len) => len,
            Naive::Frame { parts, end } => {
                let frame = Frame {
                    setup,
                    raw_limit,
                    at,
                    have,
                };
                match frame.read(&parts, end, &mut events) {
                    Ok(used) => used,
                    Err(error) => {
                        return Trace::expected(events, Err(error));
                    }
                }
            }
        };
        assert!(
            (1..=have).contains(&used),
            "the naive decoder took {used} bytes at {at}, where {have} are"
        );
        at += used;
    }
    Trace::expected(events, Ok(()))
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
