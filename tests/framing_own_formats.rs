//! Formats that users write: what they get without doing anything for it, and what happens to the
//! reader when they are wrong.

use soquete::framing::{
    Cobs, Cut, Flow, Format, FrameError, FrameReader, Item, Json, LengthPrefix, Lines, Malformed,
    Netstring, Proxy, Streamable, Unpacked, Window,
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

#[test]
fn a_frame_whose_head_and_tail_exceed_what_the_format_has_announced_is_refused_however_it_comes() {
    /// A digit says how long the head is, another how long the tail; the payload is one byte.
    struct Brackets;
    impl Format for Brackets {
        fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
            let Some([head, tail]) = window.array(0) else {
                return Ok(Cut::MORE);
            };
            let [head, tail] = [head, tail].map(|digit| usize::from(digit - b'0'));
            Ok(Cut::Declared {
                head,
                payload: 1,
                tail,
            })
        }
        fn overhead(&self) -> usize {
            3
        }
    }
    let error = FrameError::Malformed {
        at: 4,
        what: "head and tail longer than the format allows",
    };
    for bad in ["40xx.", "22.xx", "31..x"] {
        let stream = ["21.x", bad, "20.20."].concat();
        for len in [1, 4, 7, stream.len()] {
            let mut reader = FrameReader::new(Brackets, 10);
            let mut frames = 0;
            let outcome = stream.as_bytes().chunks(len).try_for_each(|chunk| {
                let read = reader.push(chunk, |_| {
                    frames += 1;
                    Flow::Continue
                });
                read.map(drop)
            });
            assert_eq!((frames, outcome), (1, Err(error)), "{bad} by {len}");
        }
    }
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
                    other => panic!("{other:?} was not asked for"),
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

/// Ends with a zero; a payload without a one stands as it is, and each one stands for two bytes.
#[derive(Clone, Copy)]
struct Escaped;

impl Format for Escaped {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        Ok(match window.find(0, 0) {
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

    fn raw_limit(&self, limit: usize) -> usize {
        2 * limit
    }

    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        if !raw.contains(&1) {
            return Ok(Unpacked::AsIs);
        }
        let mut escaped = false;
        for byte in raw {
            match (escaped, byte) {
                (false, 1) => escaped = true,
                (true, byte) => {
                    out.push(byte ^ 1);
                    escaped = false;
                }
                (false, byte) => out.push(*byte),
            }
        }
        Ok(Unpacked::Out)
    }
}

#[test]
fn the_limit_is_on_the_payload_also_where_there_was_nothing_to_unpack() {
    let too_long = |at| FrameError::TooLong {
        at,
        limit: 4,
        declared: None,
    };
    let stream = b"abcd\0\x01a\x01b\x01c\x01d\0abcde\0ok\0";
    for step in 1..=stream.len() {
        let mut reader = FrameReader::new(Escaped, 4).skip_bad_frames();
        let mut seen = vec![];
        for chunk in stream.chunks(step) {
            let listener = |item: Item<'_>| {
                seen.push(match item {
                    Item::Frame(bytes) => Ok(bytes.to_vec()),
                    Item::Skipped { bytes, error } => Err((bytes, error)),
                    other => panic!("{other:?} was not asked for"),
                });
                Flow::Continue
            };
            reader.push(chunk, listener).unwrap();
        }
        let expected = [
            Ok(b"abcd".to_vec()),
            Ok(b"`cbe".to_vec()),
            Err((5, too_long(14))),
            Ok(b"ok".to_vec()),
        ];
        assert_eq!(seen, expected, "in steps of {step}");
    }
    let mut strict = FrameReader::new(Escaped, 4);
    assert_eq!(
        strict.push(b"abcde\0", |_| panic!("an item")),
        Err(too_long(0))
    );
}

/// Two parts of so many bytes make a frame.
#[derive(Clone, Copy)]
struct Halves {
    second: bool,
}

impl Format for Halves {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let Some(len) = window.get(0) else {
            return Ok(Cut::MORE);
        };
        let (head, payload, tail) = (1, len.into(), 0);
        self.second = !self.second;
        Ok(if self.second {
            Cut::Part {
                head,
                payload,
                tail,
            }
        } else {
            Cut::Declared {
                head,
                payload,
                tail,
            }
        })
    }

    fn raw_limit(&self, limit: usize) -> usize {
        2 * limit
    }
}

#[test]
fn the_limit_is_on_what_the_parts_make() {
    let halves = Halves { second: false };
    let mut reader = FrameReader::new(halves, 4).skip_bad_frames();
    let mut seen = vec![];
    let outcome = reader.push(b"\x02ab\x02cd\x03abc\x02de\x01x\x01y", |item| {
        seen.push(match item {
            Item::Frame(bytes) => Ok(bytes.to_vec()),
            Item::Skipped { bytes, .. } => Err(bytes),
            other => panic!("{other:?} was not asked for"),
        });
        Flow::Continue
    });
    assert_eq!(outcome, Ok(Flow::Continue));
    assert_eq!(seen, [Ok(b"abcd".to_vec()), Err(5), Ok(b"xy".to_vec())]);
}

#[test]
fn a_format_is_not_asked_again_about_a_frame_that_it_has_announced() {
    /// Each head has a byte more than the one before.
    struct Growing(usize);
    impl Format for Growing {
        fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
            let Some(len) = window.get(self.0) else {
                return Ok(Cut::MORE);
            };
            self.0 += 1;
            Ok(Cut::Declared {
                head: self.0,
                payload: len.into(),
                tail: 0,
            })
        }
    }
    let mut reader = FrameReader::new(Growing(0), 10);
    let mut feed = reader.feed(b"\x02a");
    assert_eq!(feed.next(), Ok(None));
    assert_eq!(feed.next(), Ok(None));
    drop(feed);
    let mut feed = reader.feed(b"b_\x01c");
    assert_eq!(feed.next(), Ok(Some(Item::Frame(b"ab"))));
    assert_eq!(feed.next(), Ok(Some(Item::Frame(b"c"))));
}

/// What a reader makes of a stream that comes byte by byte, and of its end.
fn told<F: Format>(mut reader: FrameReader<F>, stream: &[u8]) -> Vec<String> {
    let mut told = vec![];
    let mut outcomes = vec![];
    for chunk in stream.chunks(1) {
        let note = |item: Item<'_>| {
            told.push(format!("{item:?}"));
            Flow::Continue
        };
        outcomes.push(reader.push(chunk, note));
    }
    let note = |item: Item<'_>| {
        told.push(format!("{item:?}"));
        Flow::Continue
    };
    outcomes.push(reader.finish(note));
    told.extend(outcomes.iter().map(|outcome| format!("{outcome:?}")));
    told
}

#[test]
fn a_format_in_a_box_is_the_format() {
    fn same<F: Format + Clone + 'static>(format: F, limit: usize, stream: &[u8]) {
        let boxed: Box<dyn Format> = Box::new(format.clone());
        assert_eq!(
            told(FrameReader::new(boxed, limit), stream),
            told(FrameReader::new(format, limit), stream)
        );
    }
    same(Lines::new(), 6, b"one\r\ntwo\nlast");
    same(LengthPrefix::u16_be(), 6, b"\0\x02hi\0\x07");
    // What must stand behind a payload, and what a payload becomes and how long it may be.
    same(Netstring::new(), 6, b"2:hi,2:ho;");
    same(Cobs::new(), 6, b"\x03ab\x02c\0\x07abcdef\0\x08abcdefg\0");

    // A head of more than the usual size, and a number that only the end of the input ends.
    let address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let header = format!("PROXY TCP6 {address} {address} 65535 65535\r\n");
    same(Proxy::new(), 200, header.as_bytes());
    same(Json::new(), 6, b"12");

    let boxed: Box<dyn Streamable> = Box::new(Lines::new());
    assert_eq!(
        told(FrameReader::new(boxed, 6).stream_above(1), b"three\n"),
        told(
            FrameReader::new(Lines::new(), 6).stream_above(1),
            b"three\n"
        )
    );
}
