//! Formats that users write: what they get without doing anything for it, and what happens to the
//! reader when they are wrong.

use soquete::framing::{
    Cut, Flow, Format, FrameError, FrameReader, Item, LengthPrefix, Malformed, Streamable,
    Unpacked, Window,
};

/// Gives the same answer always.
#[derive(Clone, Copy)]
struct Always(Result<Cut, Malformed>);

impl Format for Always {
    fn cut(&mut self, _: Window<'_>) -> Result<Cut, Malformed> {
        self.0
    }

    fn overhead(&self) -> usize {
        usize::MAX
    }
}

impl Streamable for Always {}

#[test]
fn a_format_that_talks_nonsense_neither_panics_nor_hangs() {
    let sizes = [0, 1, 3, 4, 5, usize::MAX / 2, usize::MAX];
    let mut answers = vec![];
    for size in sizes {
        answers.extend([Cut::Skip(size), Cut::More { settled: size }]);
        for payload in sizes {
            for tail in [0, 1, usize::MAX] {
                let long = payload as u64;
                answers.extend([
                    Cut::Frame {
                        head: size,
                        payload,
                        tail,
                    },
                    Cut::Declared {
                        head: size,
                        payload: long,
                        tail,
                    },
                    Cut::Part {
                        head: size,
                        payload: long,
                        tail,
                    },
                ]);
            }
        }
    }
    let mut answers = answers.into_iter().map(Ok).collect::<Vec<_>>();
    answers.extend([0, 3, usize::MAX].map(|at| Err(Malformed::new(at, "nonsense"))));
    answers.extend([0, 3, usize::MAX].map(|at| Err(Malformed::in_payload(at, "nonsense"))));
    for answer in answers {
        for limit in [0, 3, usize::MAX] {
            let plain = FrameReader::new(Always(answer), limit);
            let pieces = FrameReader::new(Always(answer), limit).stream_above(1);
            let skips = FrameReader::new(Always(answer), limit).skip_bad_frames();
            for mut reader in [plain, pieces, skips] {
                for chunk in [&b"abcd"[..], b"", b"e"] {
                    let _ = reader.push(chunk, |_| Flow::Continue);
                }
                let _ = reader.finish(|_| Flow::Continue);
            }
        }
    }
}

#[test]
fn a_length_of_all_ones_without_a_limit_is_just_a_frame_that_never_ends() {
    let mut reader = FrameReader::new(LengthPrefix::u64_be(), usize::MAX);
    let outcome = reader.push(&[0xff; 8], |_| Flow::Continue);
    assert!(matches!(
        outcome,
        Err(FrameError::TooLong {
            declared: Some(u64::MAX),
            ..
        })
    ));
    let mut reader = FrameReader::new(LengthPrefix::u64_be(), usize::MAX).stream_above(0);
    assert!(reader.push(&[0x0f; 64], |_| Flow::Continue).is_ok());
}

#[test]
fn a_head_that_exceeds_what_the_format_has_announced_is_refused() {
    struct Endless;
    impl Format for Endless {
        fn cut(&mut self, _: Window<'_>) -> Result<Cut, Malformed> {
            Ok(Cut::MORE)
        }
        fn overhead(&self) -> usize {
            10
        }
    }
    let mut reader = FrameReader::new(Endless, 1 << 30);
    assert_eq!(
        reader.push(&[0; 10], |_| Flow::Continue),
        Ok(Flow::Continue)
    );
    let error = FrameError::Malformed {
        at: 0,
        what: "head longer than the format allows",
    };
    assert_eq!(reader.push(&[0], |_| Flow::Continue), Err(error));
}

/// A length, a payload masked with 0x2a, and their sum behind it: unpacks, and checks.
struct Masked;

impl Format for Masked {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        Ok(match window.get(0) {
            None => Cut::MORE,
            Some(len) => Cut::Declared {
                head: 1,
                payload: u64::from(len) + 1,
                tail: 0,
            },
        })
    }

    fn raw_limit(&self, limit: usize) -> usize {
        limit + 1
    }

    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        let Some((sum, masked)) = raw.split_last() else {
            return Err(Malformed::new(0, "no sum"));
        };
        out.extend(masked.iter().map(|byte| byte ^ 0x2a));
        match out.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) == *sum {
            true => Ok(Unpacked::Out),
            false => Err(Malformed::new(masked.len(), "wrong sum")),
        }
    }
}

#[test]
fn a_format_may_unmask_and_check_its_payload() {
    let frame = |payload: &[u8]| {
        let mut frame = vec![payload.len() as u8];
        frame.extend(payload.iter().map(|byte| byte ^ 0x2a));
        frame.push(payload.iter().fold(0, |sum, byte| sum.wrapping_add(*byte)));
        frame
    };
    let mut bad = frame(b"bad");
    bad[4] ^= 1;
    let stream = [frame(b"one"), bad, frame(b""), frame(b"two")].concat();
    for step in 1..=stream.len() {
        let mut reader = FrameReader::new(Masked, 3).skip_bad_frames();
        let mut seen = vec![];
        for chunk in stream.chunks(step) {
            let listener = |item: Item<'_>| {
                seen.push(match item {
                    Item::Frame(bytes) => Ok(bytes.to_vec()),
                    Item::Skipped { error, .. } => Err(error),
                    Item::Piece { .. } => panic!("not asked for"),
                });
                Flow::Continue
            };
            reader.push(chunk, listener).unwrap();
        }
        let wrong = FrameError::Malformed {
            at: 9,
            what: "wrong sum",
        };
        let expected = [
            Ok(b"one".to_vec()),
            Err(wrong),
            Ok(vec![]),
            Ok(b"two".to_vec()),
        ];
        assert_eq!(seen, expected, "in steps of {step}");
    }
}
