//! A format of a user's, on trial: what is right passes, and each way to break a rule of `Format` is
//! found out by random bytes within a moment.
//!
//! `cargo test --features fuzzing --test fuzz_own_format`

use std::panic::{AssertUnwindSafe, catch_unwind};

use soquete::framing::{
    Cut, Encode, Format, FrameError, Malformed, Streamable, Unpacked, Window, Wrap, Wrapping,
};
use soquete::fuzzing::{End, Naive, Part, Trial};

/// What is wrong with a [`Counted`].
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    /// The next frame is looked at from where this one's head ended.
    KeepsItsCursor,
    /// It counts digits that may go on in the next chunk as a whole number.
    DoesNotWaitForTheEnd,
    /// Heads are longer than it says.
    HasLongerHeads,
    /// An error has a place that depends on how much has arrived.
    ErrsWhereItStands,
    /// Its frames are one byte longer than they should be.
    CountsWrong,
    /// What it writes says one byte more than there is.
    WritesWrong,
}

/// A length in decimal digits and a line feed, and so many bytes.
#[derive(Clone, Copy)]
struct Counted {
    scanned: usize,
    flaw: Flaw,
}

const LONGEST_HEAD: usize = 5;

impl Counted {
    fn with(flaw: Flaw) -> Self {
        Self { scanned: 0, flaw }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }
}

impl Format for Counted {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let mut end = self.scanned;
        loop {
            match window.get(end) {
                Some(b'0'..=b'9') if end + 1 < LONGEST_HEAD => end += 1,
                Some(b'\n') if end > 0 => break,
                Some(_) if self.is(Flaw::ErrsWhereItStands) => {
                    return Err(Malformed::new(window.len(), "length that is no number"));
                }
                Some(_) => return Err(Malformed::new(end, "length that is no number")),
                None if self.is(Flaw::DoesNotWaitForTheEnd) && end > 1 => break,
                None => {
                    self.scanned = end;
                    return Ok(Cut::MORE);
                }
            }
        }
        self.scanned = if self.is(Flaw::KeepsItsCursor) {
            end
        } else {
            0
        };
        let digit = |at| u64::from(window.get(at).map_or(0, |byte| byte.saturating_sub(b'0')));
        let payload = (0..end).fold(0, |value, at| value * 10 + digit(at));
        Ok(Cut::Declared {
            head: end + 1,
            payload: payload + u64::from(self.is(Flaw::CountsWrong)),
            tail: 0,
        })
    }

    fn overhead(&self) -> usize {
        LONGEST_HEAD - 3 * usize::from(self.is(Flaw::HasLongerHeads))
    }
}

impl Streamable for Counted {}

impl Wrap for Counted {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        let len = payload.len() + usize::from(self.is(Flaw::WritesWrong));
        if len as u64 > Wrap::max_payload(self) {
            return Err(FrameError::Unrepresentable {
                len: len as u64,
                max: Wrap::max_payload(self),
            });
        }
        Wrapping::new(format!("{len}\n").as_bytes(), b"")
    }

    fn max_payload(&self) -> u64 {
        9999
    }
}

fn naive(rest: &[u8]) -> Naive<'_> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits >= LONGEST_HEAD {
        return Naive::bad(&[], LONGEST_HEAD - 1, "length that is no number");
    }
    match rest.get(digits) {
        None => Naive::cut(&[]),
        Some(b'\n') if digits > 0 => {
            let text = std::str::from_utf8(&rest[..digits]).unwrap();
            Naive::announced(rest, digits + 1, text.parse().unwrap())
        }
        Some(_) => Naive::bad(&[], digits, "length that is no number"),
    }
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most
    }
}

/// Streams that are frames nearly always: a fuzzer needs a little longer to come by them.
fn streams() -> impl Iterator<Item = Vec<u8>> {
    let mut random = Random(0x5eed);
    (0..3000).map(move |_| {
        let limit = [0, 3, 12, 200, 255][random.below(5)];
        let mut data = vec![0, random.below(256) as u8, limit];
        for _ in 0..random.below(5) {
            let len = [0, 1, 2, 9, 10, 11, 100, 130][random.below(8)];
            data.extend(format!("{len}\n").into_bytes());
            data.resize(data.len() + len, b'x');
        }
        if random.below(2) == 0 {
            let odd = [
                &b"1"[..],
                b"12",
                b"12345",
                b"\n",
                b"7x and more",
                b"3\nabcd",
            ];
            data.extend(odd[random.below(odd.len())]);
        }
        data
    })
}

/// What the trial finds wrong, if it does.
fn found(mut trial: impl FnMut(&[u8])) -> Option<String> {
    streams().find_map(|data| {
        let panic = catch_unwind(AssertUnwindSafe(|| trial(&data))).err()?;
        Some(
            panic
                .downcast::<String>()
                .map_or_else(|_| "not in words".to_owned(), |text| *text),
        )
    })
}

#[track_caller]
fn assert_found(trial: impl FnMut(&[u8]), what: &str, words: &str) {
    let found = found(trial).unwrap_or_else(|| panic!("{what} is not found"));
    assert!(found.contains(words), "{what}: {found}");
}

#[test]
fn a_format_that_keeps_the_rules_passes() {
    let trial = Trial::new(Counted::with(Flaw::None));
    let in_pieces = Trial::new(Counted::with(Flaw::None)).in_pieces();
    for data in streams() {
        trial.reads(&data);
        trial.reads_as(&data, naive);
        in_pieces.reads(&data);
        in_pieces.reads_as(&data, naive);
        trial.writes(&data[2..]);
    }
}

#[test]
fn a_format_that_breaks_a_rule_is_found_out_without_a_naive_decoder() {
    for (flaw, what) in [
        (Flaw::DoesNotWaitForTheEnd, "an answer by what has arrived"),
        (Flaw::HasLongerHeads, "an overhead that is too small"),
        (Flaw::ErrsWhereItStands, "an offset by what has arrived"),
    ] {
        let trial = Trial::new(Counted::with(flaw)).in_pieces();
        assert_found(|data| trial.reads(data), what, "should be");
    }
}

/// Ends with an exclamation mark, for which it searches from the beginning each time.
#[derive(Clone, Copy)]
struct StartsOver;

impl Format for StartsOver {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        Ok(match window.find(b'!', 0) {
            None => Cut::More {
                settled: window.len(),
            },
            Some(payload) => Cut::Frame {
                head: 0,
                payload,
                tail: 1,
            },
        })
    }

    fn overhead(&self) -> usize {
        1
    }
}

#[test]
fn work_that_grows_with_the_square_of_a_frame_is_found_out() {
    let trial = Trial::new(StartsOver);
    trial.reads(b"\0\0\xffshort!");
    let mut long = b"\0\0\xff".to_vec();
    long.resize(200, b'x');
    let panic = catch_unwind(|| trial.reads(&long)).unwrap_err();
    let text = panic.downcast::<String>().unwrap();
    assert!(text.contains("bytes were looked at"), "{text}");
}

#[test]
fn a_format_that_is_consistently_wrong_is_found_out_by_a_naive_decoder() {
    for (flaw, what) in [
        (Flaw::CountsWrong, "a length that is wrong"),
        (Flaw::KeepsItsCursor, "a cursor that is not reset"),
    ] {
        let trial = Trial::new(Counted::with(flaw));
        assert_eq!(found(|data| trial.reads(data)), None, "{what}");
        assert_found(|data| trial.reads_as(data, naive), what, "should be");
    }
}

#[test]
fn a_writer_that_the_reader_does_not_understand_is_found_out() {
    let trial = Trial::new(Counted::with(Flaw::WritesWrong));
    assert_found(|data| trial.writes(&data[2..]), "a wrong length", "");
}

#[test]
fn a_naive_decoder_that_makes_no_progress_is_told_so() {
    let trial = Trial::new(Counted::with(Flaw::None));
    for stuck in [Naive::Noise(0), Naive::found(b"", 0), Naive::found(b"", 99)] {
        let told = |data: &[u8]| trial.reads_as(&[&[0, 0, 16], data].concat(), |_| stuck.clone());
        assert_found(told, "no progress", "the naive decoder took");
    }
}

/// Two bytes of length, payload with each byte inverted, and a semicolon: a format that unpacks.
#[derive(Clone, Copy)]
struct Inverted;

impl Format for Inverted {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        Ok(match window.array(0).map(u16::from_be_bytes) {
            None => Cut::MORE,
            Some(len) => Cut::Declared {
                head: 2,
                payload: len.into(),
                tail: 1,
            },
        })
    }

    fn check_tail(&mut self, tail: &[u8]) -> Result<(), Malformed> {
        match tail {
            [b';'] => Ok(()),
            _ => Err(Malformed::new(0, "frame without its semicolon")),
        }
    }

    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        if let Some(at) = raw.iter().position(|byte| *byte == 0) {
            return Err(Malformed::new(at, "zero in a payload"));
        }
        out.extend(raw.iter().map(|byte| !byte));
        Ok(Unpacked::Out)
    }
}

impl Encode for Inverted {
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        let len = u16::try_from(payload.len()).map_err(|_| FrameError::Unrepresentable {
            len: payload.len() as u64,
            max: self.max_payload(),
        })?;
        if let Some(at) = payload.iter().position(|byte| *byte == 0xff) {
            let what = "byte that cannot be inverted";
            return Err(FrameError::NotOneFrame { at, what });
        }
        out.extend(len.to_be_bytes());
        out.extend(payload.iter().map(|byte| !byte));
        out.push(b';');
        Ok(())
    }

    fn max_payload(&self) -> u64 {
        u16::MAX.into()
    }
}

fn naive_inverted(rest: &[u8]) -> Naive<'_> {
    let Some((len, body)) = rest
        .split_first_chunk()
        .map(|(len, body)| (u16::from_be_bytes(*len), body))
    else {
        return Naive::cut(&[]);
    };
    let part = Part::announced(body, len.into());
    let raw = part.bytes();
    let end = match body.get(raw.len()) {
        None => End::Cut,
        Some(b';') => End::Unpacked(
            3 + raw.len(),
            match raw.iter().position(|byte| *byte == 0) {
                Some(at) => Err(Malformed::new(2 + at, "zero in a payload")),
                None => Ok(raw.iter().map(|byte| !byte).collect()),
            },
        ),
        Some(_) => End::Bad(Malformed::new(2 + raw.len(), "frame without its semicolon")),
    };
    let parts = vec![part];
    Naive::Frame { parts, end }
}

#[test]
fn a_format_that_unpacks_is_put_on_trial_the_same_way() {
    let trial = Trial::new(Inverted);
    let mut random = Random(1);
    for _ in 0..3000 {
        let mut data = vec![0, random.below(256) as u8, random.below(40) as u8];
        for _ in 0..random.below(5) {
            let len = random.below(30);
            data.extend((len as u16).to_be_bytes());
            data.extend((0..len).map(|_| random.below(100) as u8));
            data.push(if random.below(9) == 0 { b'.' } else { b';' });
        }
        data.truncate(data.len() - random.below(2));
        trial.reads(&data);
        trial.reads_as(&data, naive_inverted);
        trial.writes(&data[1..]);
    }
}

/// The first frame is a line, and every other one a byte of length, pairs of a count and a byte, and
/// perhaps padding behind: it has state, noise, and unpacks to more than there was.
#[derive(Clone, Copy, Default)]
struct Runs {
    greeted: bool,
}

const PADDING: u8 = 0xff;

impl Format for Runs {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        if !self.greeted {
            let Some(payload) = window.find(b'\n', 0) else {
                return Ok(match window.len() {
                    ..=8 => Cut::MORE,
                    _ => return Err(Malformed::new(0, "no greeting")),
                });
            };
            if payload > 8 {
                return Err(Malformed::new(0, "no greeting"));
            }
            self.greeted = true;
            return Ok(Cut::Frame {
                head: payload,
                payload: 0,
                tail: 1,
            });
        }
        Ok(match window.get(0) {
            None => Cut::MORE,
            Some(PADDING) => Cut::Skip(1),
            Some(len) => Cut::Declared {
                head: 1,
                payload: len.into(),
                tail: 0,
            },
        })
    }

    fn overhead(&self) -> usize {
        9
    }

    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        out.extend(unpacked(raw)?);
        Ok(Unpacked::Out)
    }
}

fn unpacked(raw: &[u8]) -> Result<Vec<u8>, Malformed> {
    match raw.as_chunks() {
        (pairs, []) => Ok(pairs
            .iter()
            .flat_map(|&[count, byte]| vec![byte; count.into()])
            .collect()),
        _ => Err(Malformed::new(raw.len() - 1, "count without a byte")),
    }
}

#[test]
fn a_format_may_have_state_and_noise_and_unpack_to_more_than_there_was() {
    let trial = Trial::new(Runs::default());
    let mut random = Random(2);
    for _ in 0..3000 {
        let limit = [0, 3, 40, 255][random.below(4)];
        let mut data = vec![0, random.below(256) as u8, limit];
        data.extend(&b"greeting, long\n"[random.below(15)..]);
        for _ in 0..random.below(5) {
            let pairs = random.below(4);
            data.resize(data.len() + random.below(3), PADDING);
            data.push(2 * pairs as u8 + u8::from(random.below(9) == 0));
            data.extend((0..2 * pairs).map(|_| random.below(250) as u8));
        }
        trial.reads(&data);
        let mut greeted = false;
        trial.reads_as(&data, |rest| {
            if std::mem::replace(&mut greeted, true) {
                let len = usize::from(rest[0]);
                return match rest.get(1..1 + len) {
                    _ if rest[0] == PADDING => Naive::Noise(1),
                    None => Naive::announced(rest, 1, len as u64),
                    Some(raw) => {
                        let part = Part::announced(raw, len as u64);
                        let wrong = |Malformed { at, what, .. }| Malformed::new(1 + at, what);
                        let end = End::Unpacked(1 + len, unpacked(raw).map_err(wrong));
                        let parts = vec![part];
                        Naive::Frame { parts, end }
                    }
                };
            }
            match rest.iter().position(|byte| *byte == b'\n') {
                Some(len @ ..=8) => Naive::found(b"", len + 1),
                None if rest.len() <= 8 => Naive::cut(b""),
                _ => Naive::bad(b"", 0, "no greeting"),
            }
        });
    }
}
