//! Reads one stream in many ways, and checks that it makes no difference.

use std::fmt::Debug;

use super::super::rules::LONGEST;
use super::super::window::work;
use super::super::{Flow, Format, FrameError, FrameReader, Item, Reading};
use super::ways;

/// What came out of a stream.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) events: Vec<Event>,
    /// What is known of each event beside its bytes; a naive decoder knows nothing of it.
    about: Vec<About>,
    pub(super) end: Result<(), FrameError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Frame(Vec<u8>),
    /// The pieces of a frame, put together, and whether the last one came.
    Streamed(Vec<u8>, bool),
    Skipped(u64, FrameError),
    /// Reported at once, and whether nothing can be read behind it.
    Refused(FrameError, bool),
}

/// The kind of a frame, its head, and its offset.
#[derive(Clone, Debug, PartialEq, Eq)]
struct About(u8, Vec<u8>, u64);

impl Trace {
    pub(super) fn expected(events: Vec<Event>, end: Result<(), FrameError>) -> Trace {
        let about = Vec::new();
        Trace { events, about, end }
    }

    /// Whether both are the same, as far as both are known.
    pub(super) fn is(&self, expected: &Trace) -> bool {
        let same = self.events == expected.events && self.end == expected.end;
        let unknown = self.about.is_empty() || expected.about.is_empty();
        same && (unknown || self.about == expected.about)
    }

    /// The same for a listener that has bad frames reported at once.
    fn without_refused(mut self) -> Trace {
        let refused = |event: &Event| matches!(event, Event::Refused(..));
        let mut refused_items = self.events.iter().map(refused);
        self.about.retain(|_| refused_items.next() == Some(false));
        for pair in self.events.windows(2) {
            if let [before, Event::Skipped(_, error)] = pair {
                // Nothing but what stood aside comes in between.
                let reported = Event::Refused(*error, false);
                assert!(
                    *before == reported || matches!(before, Event::Frame(_)),
                    "{pair:?}"
                );
            }
        }
        let last = self.events.last();
        let lost = self.end.err().map(|error| Event::Refused(error, true));
        assert!(
            lost.is_none() || lost.as_ref() == last,
            "{last:?}, {lost:?}"
        );
        self.events.retain(|event| !refused(event));
        self
    }
}

/// How the fuzzer wants a stream to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    /// Chooses among the variants of a format.
    pub(super) variant: u8,
    pub(super) limit: usize,
    pub(super) skip_bad: bool,
    /// Bad frames are reported at once, and skipped.
    pub(super) tell_bad: bool,
    /// `usize::MAX` for no streaming.
    pub(super) stream_above: usize,
    pub(super) seed: u64,
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
            tell_bad: false,
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

    /// Whether a reader that knows nothing of it but the limit reads as it says.
    pub(super) fn has_default_policies(&self) -> bool {
        !self.skip_bad && !self.tell_bad && self.stream_above == usize::MAX
    }

    fn reporting(self) -> Self {
        Self {
            tell_bad: true,
            ..self
        }
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
    /// The format is replaced behind each frame, by one that is as it is.
    switches: bool,
}

/// What holds for some formats, and not for all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Promises {
    /// Every frame that lies in the chunk is lent from it.
    pub(super) lends: bool,
    /// What is unpacked is no longer than what it was.
    pub(super) never_longer: bool,
}

/// What a reader from `make` makes of `stream` in one chunk.
pub(super) fn as_a_whole<F: Format + Clone>(
    setup: &Setup,
    promises: Promises,
    make: &dyn Fn(&Setup) -> FrameReader<F>,
    stream: &[u8],
) -> Trace {
    let manner = Manner {
        name: "whole",
        chunk: &|_| stream.len().max(1),
        stop: &|_| false,
        switches: false,
    };
    manner.read(setup, promises, &mut make(setup), stream)
}

/// Reads `stream` with readers from `make`: in one chunk, byte by byte, and cut at random, with and
/// without stops; all must come to `expected`. So must two readers that report bad frames at once, if bad frames are
/// skipped; if they are not, it is how the trace begins.
pub(super) fn check<F: Format + Clone>(
    setup: &Setup,
    promises: Promises,
    make: &dyn Fn(&Setup) -> FrameReader<F>,
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
            switches: false,
        },
        Manner {
            name: "byte by byte",
            chunk: &|_| 1,
            stop: &never,
            switches: false,
        },
        Manner {
            name: "in chunks of up to 7 bytes",
            chunk: &random(7),
            stop: &never,
            switches: false,
        },
        Manner {
            name: "in chunks of any size",
            chunk: &random(whole as u64),
            stop: &never,
            switches: false,
        },
        Manner {
            name: "whole, with a stop after each item",
            chunk: &|_| whole,
            stop: &always,
            switches: false,
        },
        Manner {
            name: "in chunks of up to 5 bytes, with a stop after each item",
            chunk: &random(5),
            stop: &always,
            switches: false,
        },
        Manner {
            name: "in chunks of any size, with stops",
            chunk: &random(whole as u64),
            stop: &at_times,
            switches: true,
        },
    ];
    let mut first: Option<Trace> = None;
    for manner in &manners {
        let trace = manner.read(setup, promises, &mut make(setup), stream);
        let _on_panic = OnPanic(manner.name, setup, stream);
        assert!(trace.is(expected), "{trace:?}\nshould be {expected:?}");
        let first =
            first.get_or_insert_with(|| manner.read(setup, promises, &mut make(setup), stream));
        assert!(trace.is(first), "{trace:?}\nshould be {first:?}");
    }
    ways::check(setup, make, stream, expected);
    let reporting = setup.reporting();
    let _on_panic = OnPanic("bad frames reported", &reporting, stream);
    let [reported, in_pieces] = [&manners[0], &manners[5]]
        .map(|manner| manner.read(&reporting, promises, &mut make(&reporting), stream));
    assert!(
        reported.is(&in_pieces),
        "{reported:?}\nshould be {in_pieces:?}"
    );
    let reported = reported.without_refused();
    if setup.skip_bad {
        assert!(
            reported.is(expected),
            "{reported:?}\nshould be {expected:?}"
        );
    } else {
        let begins = reported.events.starts_with(&expected.events);
        assert!(begins, "{reported:?}\nshould begin as {expected:?}");
    }
}

/// Prints what was read, and how, if that makes somebody panic.
pub(super) struct OnPanic<'a>(
    pub(super) &'a str,
    pub(super) &'a dyn Debug,
    pub(super) &'a [u8],
);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(manner, setup, bytes) = self;
            eprintln!("{manner}, {setup:?}: \"{}\"", bytes.escape_ascii());
        }
    }
}

impl Manner<'_> {
    fn read<F: Format + Clone>(
        &self,
        setup: &Setup,
        promises: Promises,
        reader: &mut FrameReader<F>,
        stream: &[u8],
    ) -> Trace {
        let _on_panic = OnPanic(self.name, setup, stream);
        let mut trace = Trace::expected(Vec::new(), Ok(()));
        let mut calls = 0;
        let mut stopped = false;
        let mut rest = stream;
        work::begin();
        let end = loop {
            let len = (self.chunk)(calls).min(rest.len());
            let (chunk, after) = rest.split_at(len);
            let at_end = chunk.is_empty();
            rest = after;
            let (mut outcome, copied) = self.push(reader, chunk, at_end, &mut calls, &mut trace);
            assert!(
                copied == 0 || !promises.lends,
                "{copied} frames were not lent from the chunk"
            );
            while outcome == Ok(Flow::Stop) {
                stopped = true;
                (outcome, _) = self.push(reader, &[], at_end, &mut calls, &mut trace);
            }
            let fed = (stream.len() - rest.len()) as u64;
            check_bounds(reader, promises, fed, stopped);
            check_work(reader, fed, calls + trace.events.len() as u64);
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
        if let Err(error) = end {
            assert!(!error.to_string().is_empty());
        }
        trace.end = end;
        trace
    }

    fn push<F: Format + Clone>(
        &self,
        reader: &mut FrameReader<F>,
        chunk: &[u8],
        at_end: bool,
        calls: &mut u64,
        trace: &mut Trace,
    ) -> (Result<Flow, FrameError>, usize) {
        let direct = reader.is_direct();
        let mut copied = 0;
        *calls += 1;
        let listener = |item: Item<'_>, mut reading: Reading<'_, F>| {
            // A frame that follows nothing but frames in this chunk lies in the chunk, and is lent from it
            // unless the format had to unpack it.
            if let Item::Frame(bytes) = item
                && direct
                && !bytes.is_empty()
            {
                let lies_in = chunk.as_ptr_range().contains(&bytes.as_ptr());
                copied += usize::from(!lies_in);
            }
            record(item, &reading, trace);
            *calls += 1;
            if self.switches && !matches!(item, Item::Piece { last: false, .. }) {
                let same = reading.format().clone();
                let limit = reading.rules.limit();
                // Not inside a frame, which is for the reader to know.
                let _switched = reading.switch(same, limit);
            }
            if (self.stop)(*calls) {
                Flow::Stop
            } else {
                Flow::Continue
            }
        };
        let outcome = if at_end {
            reader.finish_with(listener)
        } else {
            reader.push_with(chunk, listener)
        };
        (outcome, copied)
    }
}

pub(super) fn record<F: Format>(item: Item<'_>, reading: &Reading<'_, F>, trace: &mut Trace) {
    let before = trace.events.len();
    record_item(item, &mut trace.events);
    if trace.events.len() > before {
        let (kind, head) = (reading.kind(), reading.head().to_vec());
        trace.about.push(About(kind, head, reading.offset()));
    }
}

pub(super) fn record_item(item: Item<'_>, events: &mut Vec<Event>) {
    match item {
        Item::Frame(bytes) => events.push(Event::Frame(bytes.to_vec())),
        Item::Skipped { bytes, error } => events.push(Event::Skipped(bytes, error)),
        Item::Refused { error, lost } => events.push(Event::Refused(error, lost)),
        Item::Piece { bytes, last } => match events.last_mut() {
            Some(Event::Streamed(so_far, done)) if !*done => {
                so_far.extend_from_slice(bytes);
                *done = last;
            }
            _ => events.push(Event::Streamed(bytes.to_vec(), last)),
        },
    }
}

fn check_bounds<F: Format>(reader: &FrameReader<F>, promises: Promises, fed: u64, stopped: bool) {
    let (bound, raw_limit) = (reader.bound(), reader.raw_limit());
    // Only a stop leaves more unread than the frame at hand.
    let leftover = reader.open.leftover.capacity();
    assert!(
        stopped || leftover <= bound.max(64),
        "leftover of {leftover} for frames of {bound}"
    );
    assert!(
        leftover as u64 <= 2 * fed + 64,
        "leftover of {leftover} after {fed} bytes"
    );
    let out = reader.open.out.capacity();
    if reader.format.unpacks_in_pieces() || promises.never_longer {
        assert!(
            out <= 2 * bound.max(64),
            "output buffer of {out} for payloads of {raw_limit}"
        );
    }
    if !promises.never_longer {
        return;
    }
    assert!(
        out as u64 <= 2 * fed + 64,
        "output buffer of {out} after {fed} bytes"
    );
}

/// A few looks at each byte, and at as many as a head and a tail have at each call of `cut`.
fn check_work<F: Format>(reader: &FrameReader<F>, fed: u64, calls: u64) {
    let (examined, cuts) = work::done();
    let each = (reader.overhead() as u64).saturating_add(16);
    let allowed = (4 * fed).saturating_add(each.saturating_mul(cuts + calls));
    assert!(
        examined <= allowed,
        "{examined} bytes were looked at, of {fed} that have come, in {cuts} calls of `cut`"
    );
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
