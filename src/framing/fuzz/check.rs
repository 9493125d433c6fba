//! Reads one stream in many ways, and checks that it makes no difference.

use super::super::reader::LONGEST;
use super::super::window::work;
use super::super::{Flow, Format, FrameError, FrameReader, Item};

/// What came out of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) events: Vec<Event>,
    pub(super) end: Result<(), FrameError>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    Frame(Vec<u8>),
    /// The pieces of a frame, put together, and whether the last one came.
    Streamed(Vec<u8>, bool),
    Skipped(u64, FrameError),
}

/// How the fuzzer wants a stream to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    /// Chooses among the variants of a format.
    pub(super) variant: u8,
    pub(super) limit: usize,
    pub(super) skip_bad: bool,
    /// `usize::MAX` for no streaming.
    pub(super) stream_above: usize,
    seed: u64,
}

impl Setup {
    /// Takes a set-up from the front of the fuzzer's bytes.
    pub(super) fn split(data: &[u8]) -> Option<(Self, &[u8])> {
        let (&[variant, policy, limit], stream) = data.split_first_chunk()?;
        let streams = policy & 2 != 0;
        let setup = Self {
            variant,
            // The greatest stands for no limit at all.
            limit: if limit == 255 { LONGEST } else { limit.into() },
            skip_bad: policy & 1 != 0,
            stream_above: if streams {
                usize::from(policy >> 2)
            } else {
                usize::MAX
            },
            seed: stream
                .iter()
                .fold(1, |seed, byte| mix(seed ^ u64::from(*byte))),
        };
        Some((setup, stream))
    }

    pub(super) fn without_streaming(self) -> Self {
        Self {
            stream_above: usize::MAX,
            ..self
        }
    }

    pub(super) fn streams(&self) -> bool {
        self.stream_above < self.limit
    }
}

/// A good enough random number from another.
pub(super) fn mix(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// How long the next chunk is, and whether the listener stops after an item.
struct Manner<'a> {
    name: &'static str,
    chunk: &'a dyn Fn(u64) -> usize,
    stop: &'a dyn Fn(u64) -> bool,
}

/// What a reader from `make` makes of `stream` in one chunk.
pub(super) fn as_a_whole<F: Format>(make: &dyn Fn() -> FrameReader<F>, stream: &[u8]) -> Trace {
    let manner = Manner {
        name: "whole",
        chunk: &|_| stream.len(),
        stop: &|_| false,
    };
    read(&mut make(), stream, &manner, false)
}

/// Reads `stream` with readers from `make`: in one chunk, byte by byte, and cut at random, with and
/// without stops; all must come to `expected`. `lends` if every frame that lies in the chunk must be
/// lent from it.
pub(super) fn check<F: Format>(
    setup: &Setup,
    lends: bool,
    make: &dyn Fn() -> FrameReader<F>,
    stream: &[u8],
    expected: &Trace,
) {
    let Setup { seed, .. } = *setup;
    let random = |most: u64| move |n: u64| 1 + (mix(seed ^ n) % most) as usize;
    let never = |_| false;
    let always = |_| true;
    let at_times = move |n: u64| mix(seed ^ n).is_multiple_of(3);
    let whole = stream.len().max(1);
    let manners = [
        Manner {
            name: "whole",
            chunk: &|_| whole,
            stop: &never,
        },
        Manner {
            name: "byte by byte",
            chunk: &|_| 1,
            stop: &never,
        },
        Manner {
            name: "in chunks of up to 7 bytes",
            chunk: &random(7),
            stop: &never,
        },
        Manner {
            name: "in chunks of any size",
            chunk: &random(whole as u64),
            stop: &never,
        },
        Manner {
            name: "whole, with a stop after each item",
            chunk: &|_| whole,
            stop: &always,
        },
        Manner {
            name: "in chunks of up to 5 bytes, with a stop after each item",
            chunk: &random(5),
            stop: &always,
        },
        Manner {
            name: "in chunks of any size, with stops",
            chunk: &random(whole as u64),
            stop: &at_times,
        },
    ];
    for manner in &manners {
        let trace = read(&mut make(), stream, manner, lends);
        assert!(
            trace == *expected,
            "read {}, \"{}\"\nis {trace:?}\nand should be {expected:?}\n({setup:?})",
            manner.name,
            stream.escape_ascii(),
        );
    }
}

fn read<F: Format>(
    reader: &mut FrameReader<F>,
    stream: &[u8],
    manner: &Manner<'_>,
    lends: bool,
) -> Trace {
    let mut events = Vec::new();
    let mut calls = 0;
    let mut stopped = false;
    let mut rest = stream;
    work::take();
    let end = loop {
        let len = (manner.chunk)(calls).min(rest.len());
        let (chunk, after) = rest.split_at(len);
        let at_end = chunk.is_empty();
        rest = after;
        let (mut outcome, copied) = push(reader, chunk, at_end, manner, &mut calls, &mut events);
        assert!(
            copied == 0 || !lends,
            "{copied} frames were not lent from the chunk"
        );
        while outcome == Ok(Flow::Stop) {
            stopped = true;
            (outcome, _) = push(reader, &[], at_end, manner, &mut calls, &mut events);
        }
        let fed = (stream.len() - rest.len()) as u64;
        check_bounds(reader, fed, stopped, calls + events.len() as u64);
        match outcome {
            Err(error) => break Err(error),
            Ok(_) if at_end => break Ok(()),
            Ok(_) => {}
        }
    };
    if end.is_ok() {
        assert_eq!(
            reader.offset(),
            stream.len() as u64,
            "every byte is accounted for"
        );
        assert_eq!((reader.unread(), reader.partial()), (0, None));
    } else {
        check_stickiness(reader, end);
    }
    Trace { events, end }
}

fn push<F: Format>(
    reader: &mut FrameReader<F>,
    chunk: &[u8],
    at_end: bool,
    manner: &Manner<'_>,
    calls: &mut u64,
    events: &mut Vec<Event>,
) -> (Result<Flow, FrameError>, usize) {
    let direct = reader.is_direct();
    let mut copied = 0;
    *calls += 1;
    let listener = |item: Item<'_>| {
        // A frame that follows nothing but frames in this chunk lies in the chunk, and is lent from it
        // unless the format had to unpack it.
        if let Item::Frame(bytes) = item
            && direct
            && !bytes.is_empty()
        {
            let lies_in = chunk.as_ptr_range().contains(&bytes.as_ptr());
            copied += usize::from(!lies_in);
        }
        record(item, events);
        *calls += 1;
        if (manner.stop)(*calls) {
            Flow::Stop
        } else {
            Flow::Continue
        }
    };
    let outcome = if at_end {
        reader.finish(listener)
    } else {
        reader.push(chunk, listener)
    };
    (outcome, copied)
}

fn record(item: Item<'_>, events: &mut Vec<Event>) {
    match item {
        Item::Frame(bytes) => events.push(Event::Frame(bytes.to_vec())),
        Item::Skipped { bytes, error } => events.push(Event::Skipped(bytes, error)),
        Item::Piece { bytes, last } => match events.last_mut() {
            Some(Event::Streamed(so_far, done)) if !*done => {
                so_far.extend_from_slice(bytes);
                *done = last;
            }
            _ => events.push(Event::Streamed(bytes.to_vec(), last)),
        },
    }
}

fn check_bounds<F: Format>(reader: &FrameReader<F>, fed: u64, stopped: bool, steps: u64) {
    let rules = &reader.rules;
    let frame = rules.raw_limit + rules.overhead;
    // Only a stop leaves more unread than the frame at hand.
    let carry = reader.carry.capacity();
    assert!(
        stopped || carry <= frame.max(64),
        "carry of {carry} for frames of {frame}"
    );
    assert!(
        carry as u64 <= 2 * fed + 64,
        "carry of {carry} after {fed} bytes"
    );
    let (out, raw_limit) = (reader.out.capacity(), rules.raw_limit);
    assert!(
        out <= 2 * raw_limit.max(64),
        "output buffer of {out} for payloads of {raw_limit}"
    );
    assert!(
        out as u64 <= 2 * fed + 64,
        "output buffer of {out} after {fed} bytes"
    );
    let examined = work::take();
    assert!(
        examined <= 4 * fed + (16 + rules.overhead as u64) * steps,
        "{examined} bytes examined of {fed}, in {steps} steps"
    );
    work::examined(examined as usize);
}

fn check_stickiness<F: Format>(reader: &mut FrameReader<F>, end: Result<(), FrameError>) {
    for _ in 0..5 {
        let again = reader
            .push(b"more", |item| panic!("{item:?} after an error"))
            .map(drop);
        assert_eq!(again, end);
        assert_eq!(
            reader
                .finish(|item| panic!("{item:?} after an error"))
                .map(drop),
            end
        );
        assert_eq!(reader.unread(), 0);
    }
}
