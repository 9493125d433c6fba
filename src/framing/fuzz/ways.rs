//! Other ways in which a stream is read than by pushing chunks: by pulling, as a socket's framing does it, and by readers
//! that go on where others have stopped.

use super::super::{Feed, Flow, Format, FrameError, FrameReader, Item, Reading};
use super::check::{OnPanic, Setup, Trace, mix, record, record_item};

type Make<'a, F> = &'a dyn Fn(&Setup) -> FrameReader<F>;
type Way<F> = fn(&Setup, Make<'_, F>, &[u8]) -> Trace;

/// Reads `stream` in one of these ways, which must come to `expected`.
pub(super) fn check<F: Format + Clone>(
    setup: &Setup,
    make: Make<'_, F>,
    stream: &[u8],
    expected: &Trace,
) {
    let ways: [(&str, Way<F>); 4] = [
        ("by pulling", by_pulling),
        ("by pulling items alone", by_pulling_items_alone),
        ("as by a socket", as_by_a_socket),
        ("by one reader after the other", by_several),
    ];
    let (name, read) = ways[(setup.seed % 4) as usize];
    let _on_panic = OnPanic(name, setup, stream);
    let trace = read(setup, make, stream);
    assert!(trace.is(expected), "{trace:?}\nshould be {expected:?}");
}

/// Chunks of any size, and yes or no, out of a seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 = mix(self.0);
        self.0
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.throw().is_multiple_of(n)
    }

    fn chunk<'s>(&mut self, stream: &mut &'s [u8]) -> &'s [u8] {
        let most = stream.len().clamp(1, 20) as u64;
        let len = (1 + self.throw() % most) as usize;
        let (chunk, rest) = stream.split_at(len.min(stream.len()));
        *stream = rest;
        chunk
    }
}

fn by_pulling<F: Format + Clone>(setup: &Setup, make: Make<'_, F>, stream: &[u8]) -> Trace {
    pulled(setup, make, stream, |feed, trace| {
        let pulled = feed.next_with()?;
        Ok(pulled.map(|(item, reading)| record(item, &reading, trace)))
    })
}

fn by_pulling_items_alone<F: Format + Clone>(
    setup: &Setup,
    make: Make<'_, F>,
    stream: &[u8],
) -> Trace {
    pulled(setup, make, stream, |feed, trace| {
        let pulled = feed.next()?;
        Ok(pulled.map(|item| record_item(item, &mut trace.events)))
    })
}

/// Calls `pull` until there is no more, in vain only where a chunk ends.
fn pulled<F: Format + Clone>(
    setup: &Setup,
    make: Make<'_, F>,
    stream: &[u8],
    pull: impl Fn(&mut Feed<'_, '_, F>, &mut Trace) -> Result<Option<()>, FrameError>,
) -> Trace {
    let mut dice = Dice(setup.seed);
    let mut reader = make(setup);
    let mut trace = Trace::expected(Vec::new(), Ok(()));
    let mut rest = stream;
    loop {
        let chunk = dice.chunk(&mut rest);
        let mut feed = match chunk {
            [] => reader.feed_end(),
            chunk => reader.feed(chunk),
        };
        loop {
            match pull(&mut feed, &mut trace) {
                // What is not pulled now is kept.
                Ok(Some(())) if dice.one_in(4) => break,
                Ok(Some(())) => {}
                Ok(None) if chunk.is_empty() => return trace,
                Ok(None) => break,
                Err(error) => {
                    trace.end = Err(error);
                    return trace;
                }
            }
        }
    }
}

fn as_by_a_socket<F: Format + Clone>(setup: &Setup, make: Make<'_, F>, stream: &[u8]) -> Trace {
    let mut dice = Dice(setup.seed ^ 1);
    let mut pool: Vec<Vec<u8>> = Vec::new();
    let mut reader = make(setup);
    let mut trace = Trace::expected(Vec::new(), Ok(()));
    let mut rest = stream;
    loop {
        let before = rest;
        let chunk = dice.chunk(&mut rest);
        if !chunk.is_empty() && dice.one_in(8) {
            // It comes while nothing may be delivered.
            reader.receive(chunk, |_| pool.pop().unwrap_or_default());
            continue;
        }
        reader.lend(|| pool.pop().unwrap_or_default());
        let listener = |item: Item<'_>, reading: Reading<'_, F>| {
            record(item, &reading, &mut trace);
            match dice.one_in(3) {
                true => Flow::Stop,
                false => Flow::Continue,
            }
        };
        let (outcome, behind) = match chunk {
            [] => (reader.finish_with(listener), &[][..]),
            chunk => reader.push_lent(chunk, listener),
        };
        match outcome {
            Err(error) => {
                trace.end = Err(error);
                return trace;
            }
            Ok(Flow::Stop)
                if reader.unread() == 0 && !reader.has_looked_ahead() && dice.one_in(2) =>
            {
                reader.take_away(behind.len());
                rest = &before[before.len() - rest.len() - behind.len()..];
            }
            Ok(Flow::Stop) => reader.keep_rest(behind, |_| pool.pop().unwrap_or_default()),
            Ok(Flow::Continue) if chunk.is_empty() => return trace,
            Ok(Flow::Continue) => {
                reader.keep_rest(behind, |_| pool.pop().unwrap_or_default());
            }
        }
        reader.spare_buffers(|mut buffer| {
            buffer.clear();
            pool.push(buffer);
        });
    }
}

fn by_several<F: Format + Clone>(setup: &Setup, make: Make<'_, F>, stream: &[u8]) -> Trace {
    let mut dice = Dice(setup.seed ^ 2);
    let mut reader = make(setup);
    let mut trace = Trace::expected(Vec::new(), Ok(()));
    let mut rest = stream;
    loop {
        let chunk = dice.chunk(&mut rest);
        let listener = |item: Item<'_>, reading: Reading<'_, F>| {
            record(item, &reading, &mut trace);
            match dice.one_in(3) {
                true => Flow::Stop,
                false => Flow::Continue,
            }
        };
        let outcome = match chunk {
            [] => reader.finish_with(listener),
            chunk => reader.push_with(chunk, listener),
        };
        match outcome {
            Err(error) => {
                trace.end = Err(error);
                return trace;
            }
            Ok(Flow::Continue) if chunk.is_empty() => return trace,
            Ok(_) => {}
        }
        let fed = stream.len() - rest.len();
        if let Some(partial) = reader.partial() {
            assert_eq!(partial.at + partial.have, fed as u64);
        }
        if !reader.between_frames() {
            let inside = reader.why_not_switch().is_some() || reader.partial().is_some();
            assert!(inside, "neither between frames nor in one");
            continue;
        }
        // The format goes along, with as much as it has seen of the bytes that go along.
        let (format, at) = (reader.format().clone(), reader.offset());
        let unread = &stream[at as usize..fed];
        reader = match dice.throw() % 4 {
            0 => {
                let rest = reader.into_rest();
                assert_eq!(rest, unread);
                resumed(make(setup), format, rest, 0, at)
            }
            1 => {
                let (bytes, taken) = reader.take_buffer();
                assert_eq!(&bytes[taken..], unread);
                resumed(make(setup), format, bytes, taken, at)
            }
            // The policies are the default ones behind it.
            2 if setup.has_default_policies() => {
                let limit = reader.rules.limit();
                let switched = match unread {
                    [] => reader.switch_clean(format, limit),
                    _ => reader.switch(format, limit),
                };
                match switched {
                    Ok(reader) => reader,
                    Err(error) => panic!("{error} between frames"),
                }
            }
            _ => reader,
        };
    }
}

fn resumed<F: Format>(
    mut reader: FrameReader<F>,
    format: F,
    bytes: Vec<u8>,
    taken: usize,
    at: u64,
) -> FrameReader<F> {
    *reader.format_mut() = format;
    reader.take_over(bytes, taken, at);
    reader
}
