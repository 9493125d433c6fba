//! What a reader must make of a stream, given a naive decoder of it.

use super::super::{FrameError, Malformed};
use super::check::{Event, Setup, Trace};
use super::seen::{End, Made, Naive, Part};

pub(super) fn expect<'a>(
    setup: &Setup,
    raw_limit: usize,
    stream: &'a [u8],
    mut naive: impl FnMut(&'a [u8]) -> Naive<'a>,
) -> Trace {
    let mut events = Vec::new();
    let mut at = 0;
    let mut more = false;
    while at < stream.len() || more {
        let have = stream.len() - at;
        let mut seen = naive(&stream[at..]);
        more = false;
        if let Naive::AndMore(frame) = seen {
            seen = *frame;
            more = true;
        }
        let used = match seen {
            Naive::Noise(len) => len,
            Naive::AndMore(_) => panic!("there is no more than more"),
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
            (have.min(1)..=have).contains(&used),
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
        let mut made = 0;
        let mut streaming = false;
        let mut dropped = None;
        for part in parts {
            if let Some(at) = part.aside {
                self.read_aside(part, at, events, streaming.then_some(&mut payload))?;
                continue;
            }
            let before = len;
            len = len.saturating_add(part.len);
            let long = self.streams(part) && len > self.setup.stream_above as u64;
            if dropped.is_some() {
                continue;
            }
            if len > limit {
                let declared = part.announced.then_some(len);
                let mut error = self.too_long(declared);
                if !part.announced && self.streams(part) {
                    let room = (limit - before) as usize;
                    let wrong = self.unpack(part, room, &mut payload, &mut made);
                    error = wrong.unwrap_or(error);
                    streaming = true;
                }
                if streaming && !payload.is_empty() {
                    events.push(Event::Streamed(std::mem::take(&mut payload), false));
                }
                dropped = Some(self.skip(error)?);
                continue;
            }
            streaming |= long;
            // A frame whose end is not known is not looked at before, unless it comes in pieces.
            let waits = !part.announced && !streaming && matches!(end, End::Cut | End::Bad(_));
            if waits {
                continue;
            }
            let all = part.bytes.len();
            if let Some(error) = self.unpack(part, all, &mut payload, &mut made) {
                if streaming && !payload.is_empty() {
                    events.push(Event::Streamed(std::mem::take(&mut payload), false));
                }
                dropped = Some(self.skip(error)?);
            }
        }
        self.finish(end, len, payload, streaming, dropped, events)
    }

    /// What the first `raw` bytes of a part become, behind `payload`; and what is wrong with them.
    fn unpack(
        &self,
        part: &Part<'_>,
        raw: usize,
        payload: &mut Vec<u8>,
        made: &mut usize,
    ) -> Option<FrameError> {
        let (bytes, wrong) = match &part.made {
            None => {
                payload.extend_from_slice(&part.bytes[..raw]);
                return None;
            }
            Some(Made::All(made)) => made.clone(),
            Some(Made::By(unpack)) => unpack(&part.bytes[..raw]),
        };
        let room = self.setup.limit - *made;
        let fitting = &bytes[..bytes.len().min(room)];
        payload.extend_from_slice(fitting);
        *made += fitting.len();
        if bytes.len() > room {
            return Some(self.too_long(None));
        }
        wrong.map(|wrong| self.malformed(wrong))
    }

    /// `pieces` are those of the frame around it that have not been delivered, if that comes in pieces.
    fn read_aside(
        &self,
        part: &Part<'_>,
        at: usize,
        events: &mut Vec<Event>,
        pieces: Option<&mut Vec<u8>>,
    ) -> Result<(), FrameError> {
        let limit = self.setup.limit;
        let at = (self.at + at) as u64;
        if part.len > limit as u64 {
            if let Some(pieces) = pieces.filter(|pieces| !pieces.is_empty()) {
                events.push(Event::Streamed(std::mem::take(pieces), false));
            }
            return Err(FrameError::TooLong {
                at,
                limit,
                declared: Some(part.len),
            });
        }
        if !part.is_whole() {
            return Ok(());
        }
        if let Some(pieces) = pieces.filter(|pieces| !pieces.is_empty()) {
            events.push(Event::Streamed(std::mem::take(pieces), false));
        }
        let (bytes, wrong) = match &part.made {
            Some(Made::All(made)) => made.clone(),
            Some(Made::By(unpack)) => unpack(part.bytes),
            None => (part.bytes.to_vec(), None),
        };
        match wrong {
            Some(wrong) => Err(self.malformed(wrong)),
            None => {
                events.push(Event::Frame(bytes));
                Ok(())
            }
        }
    }

    fn streams(&self, part: &Part<'_>) -> bool {
        self.setup.stream_above < self.raw_limit && !part.never_in_pieces
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
            End::Unpacked(used, Err(wrong)) if streaming && dropped.is_none() => {
                if !payload.is_empty() {
                    events.push(Event::Streamed(payload, false));
                }
                (used, Err(wrong))
            }
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
