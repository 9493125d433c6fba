//! What a listener learns of an item besides its bytes, and how it changes the format behind it.

use soquete::framing::{
    Cobs, Cut, Either, FixedLength, Flow, Format, FrameError, FrameReader, Item, LengthPrefix,
    Lines, Malformed, Netstring, RecordMark, Streamable, Window,
};

/// Pushes `stream` cut at every place, and asserts that `seen` does not depend on it.
fn at_every_cut<T: PartialEq + std::fmt::Debug>(
    stream: &[u8],
    read: impl Fn(&[&[u8]]) -> Vec<T>,
) -> Vec<T> {
    let whole = read(&[stream]);
    for cut in 0..=stream.len() {
        assert_eq!(
            read(&[&stream[..cut], &stream[cut..]]),
            whole,
            "cut at {cut}"
        );
    }
    let bytes = stream.chunks(1).collect::<Vec<_>>();
    assert_eq!(read(&bytes), whole, "byte by byte");
    whole
}

/// Head, payload and offset of every frame.
fn heads<F: Format>(mut reader: FrameReader<F>, chunks: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>, u64)> {
    let mut seen = vec![];
    for chunk in chunks {
        let read = reader.push_with(chunk, |item, reading| {
            let payload = item.frame().expect("whole frames").to_vec();
            seen.push((reading.head().to_vec(), payload, reading.offset()));
            Flow::Continue
        });
        assert_eq!(read, Ok(Flow::Continue));
    }
    seen
}

fn head(head: &[u8], payload: &[u8], offset: u64) -> (Vec<u8>, Vec<u8>, u64) {
    (head.to_vec(), payload.to_vec(), offset)
}

#[test]
fn a_frames_head_is_told_as_it_stood() {
    let seen = at_every_cut(b"\x00\x02ab\x00\x00\x00\x01c", |chunks| {
        heads(FrameReader::new(LengthPrefix::u16_be(), 9), chunks)
    });
    let expected = [
        head(b"\x00\x02", b"ab", 0),
        head(b"\x00\x00", b"", 4),
        head(b"\x00\x01", b"c", 6),
    ];
    assert_eq!(seen, expected);
    let seen = at_every_cut(b"3:abc,0:,", |chunks| {
        heads(FrameReader::new(Netstring::new(), 9), chunks)
    });
    assert_eq!(seen, [head(b"3:", b"abc", 0), head(b"0:", b"", 6)]);
    let seen = at_every_cut(b"a\n\nb\n", |chunks| {
        heads(FrameReader::new(Lines::new(), 9), chunks)
    });
    let expected = [head(b"", b"a", 0), head(b"", b"", 2), head(b"", b"b", 3)];
    assert_eq!(seen, expected, "lines have none");
    let seen = at_every_cut(b"\x02a\0\0\x01\x01\0", |chunks| {
        heads(FrameReader::new(Cobs::new(), 9), chunks)
    });
    assert_eq!(seen, [head(b"", b"a", 0), head(b"", b"\0", 4)], "unpacked");
}

#[test]
fn of_a_frame_in_several_parts_the_head_is_the_first_parts() {
    let stream = b"\0\0\0\x02ab\0\0\0\x01c\x80\0\0\x01d\x80\0\0\x01e";
    let seen = at_every_cut(stream, |chunks| {
        heads(FrameReader::new(RecordMark, 9), chunks)
    });
    let expected = [
        head(b"\0\0\0\x02", b"abcd", 0),
        head(b"\x80\0\0\x01", b"e", 16),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_head_comes_with_the_first_piece() {
    let seen = at_every_cut(b"\x05abcde\x01z", |chunks| {
        let mut reader = FrameReader::new(LengthPrefix::u8(), 9).stream_above(2);
        let mut heads = vec![];
        for chunk in chunks {
            let read = reader.push_with(chunk, |_, reading| {
                heads.extend_from_slice(reading.head());
                Flow::Continue
            });
            assert_eq!(read, Ok(Flow::Continue));
        }
        heads
    });
    assert_eq!(seen, b"\x05\x01", "once for each frame");
}

#[test]
fn what_is_behind_an_item_is_told() {
    let mut reader = FrameReader::new(Lines::new(), 9);
    let mut unread = vec![];
    for chunk in [&b"a\nb"[..], b"\nc\nd"] {
        reader
            .push_with(chunk, |_, reading| {
                unread.push(reading.unread());
                Flow::Continue
            })
            .unwrap();
    }
    assert_eq!(unread, [1, 3, 1]);
    let mut feed = reader.feed(b"\ne\n");
    let (item, reading) = feed.next_with().unwrap().unwrap();
    assert_eq!((item, reading.unread()), (Item::Frame(b"d"), 2));
    assert_eq!(reading.offset(), 6);
}

type LineOrBody = Either<Lines, FixedLength>;

/// A line with a length, and a body of that length, in turn.
fn lines_and_bodies(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), FrameError>) {
    let mut reader: FrameReader<LineOrBody> = FrameReader::new(Either::A(Lines::new()), 8);
    let mut seen = vec![];
    let outcome = chunks.iter().try_for_each(|chunk| {
        let read = reader.push_with(chunk, |item, mut reading| {
            let frame = item.frame().expect("whole frames");
            seen.push(frame.to_vec());
            let (next, limit) = match reading.format() {
                Either::A(_) => {
                    let length = usize::from(frame[0] - b'0');
                    (Either::B(FixedLength::new(length).unwrap()), 16)
                }
                Either::B(_) => (Either::A(Lines::new()), 8),
            };
            assert_eq!(reading.switch(next, limit), Ok(()));
            Flow::Continue
        });
        read.map(drop)
    });
    (seen, outcome)
}

#[test]
fn a_line_says_how_long_the_body_is() {
    let stream = b"5\nhello1\n\n2\n5\n3\nend";
    let seen = at_every_cut(stream, |chunks| {
        let (seen, outcome) = lines_and_bodies(chunks);
        assert_eq!(outcome, Ok(()));
        seen
    });
    assert_eq!(
        seen,
        [&b"5"[..], b"hello", b"1", b"\n", b"2", b"5\n", b"3", b"end"]
    );
}

#[test]
fn the_limit_goes_with_the_format_and_offsets_go_on() {
    let (seen, outcome) = lines_and_bodies(&[b"9\nninebytes123456789\n"]);
    assert_eq!(seen, [&b"9"[..], b"ninebytes"], "more than a line may have");
    let (at, limit, declared) = (11, 8, None);
    let error = FrameError::TooLong {
        at,
        limit,
        declared,
    };
    assert_eq!(outcome, Err(error));
}

#[test]
fn frames_of_all_formats_are_lent_from_the_chunk() {
    let stream = b"5\nhello1\nx3\nend".repeat(100);
    let mut reader: FrameReader<LineOrBody> = FrameReader::new(Either::A(Lines::new()), 8);
    let mut frames = 0;
    let read = reader.push_with(&stream, |item, mut reading| {
        let frame = item.frame().unwrap();
        assert!(stream.as_ptr_range().contains(&frame.as_ptr()));
        frames += 1;
        let next = match reading.format() {
            Either::A(_) => Either::B(FixedLength::new(usize::from(frame[0] - b'0')).unwrap()),
            Either::B(_) => Either::A(Lines::new()),
        };
        reading.switch(next, 8).unwrap();
        Flow::Continue
    });
    assert_eq!((read, frames), (Ok(Flow::Continue), 600));
    assert_eq!(reader.capacity(), 0);
}

#[test]
fn a_format_is_not_switched_inside_a_frame() {
    let mut reader = FrameReader::new(LengthPrefix::u8(), 9).stream_above(0);
    let mut outcomes = vec![];
    for chunk in [&b"\x01z\x03a"[..], b"bc"] {
        reader
            .push_with(chunk, |_, mut reading| {
                outcomes.push(reading.switch(LengthPrefix::u8(), 9));
                Flow::Continue
            })
            .unwrap();
    }
    let inside = Err(FrameError::InsideFrame { at: 2 });
    assert_eq!(outcomes, [Ok(()), inside, Ok(())]);
}

#[test]
fn the_clean_switch_refuses_what_was_pipelined() {
    let clean = |stream: &[u8]| {
        let mut reader = FrameReader::new(Lines::crlf(), 100);
        let mut outcome = Ok(());
        let read = reader.push_with(stream, |_, mut reading| {
            outcome = reading.switch_clean(Lines::lf(), 100);
            assert_eq!(reading.clean().is_ok(), outcome.is_ok());
            Flow::Stop
        });
        assert_eq!(read, Ok(Flow::Stop));
        outcome
    };
    assert_eq!(clean(b"STARTTLS\r\n"), Ok(()));
    let error = FrameError::UnexpectedRest { at: 10, have: 10 };
    assert_eq!(clean(b"STARTTLS\r\nMAIL FROM:"), Err(error));
}

#[test]
fn any_format_can_follow_in_a_box() {
    let first: Box<dyn Streamable> = Box::new(Lines::new());
    let mut reader = FrameReader::new(first, 10).stream_above(5);
    let mut seen = vec![];
    reader
        .push_with(b"ab\n\x02cd\x01e", |item, mut reading| {
            seen.extend(item.frame().map(<[u8]>::to_vec));
            if seen.len() == 1 {
                let next = Box::new(LengthPrefix::u8());
                assert_eq!(reading.switch(next, 10), Ok(()));
            }
            Flow::Continue
        })
        .unwrap();
    assert_eq!(seen, [&b"ab"[..], b"cd", b"e"]);
}

/// Frames of one byte, or of as many as it was told.
#[derive(Default)]
struct Told {
    length: Option<u64>,
}

impl Format for Told {
    fn cut(&mut self, _: Window<'_>) -> Result<Cut, Malformed> {
        Ok(Cut::Declared {
            head: 0,
            payload: self.length.take().unwrap_or(1),
            tail: 0,
        })
    }
}

#[test]
fn a_format_is_told_what_the_bytes_do_not_say() {
    let mut reader = FrameReader::new(Told::default(), 9);
    let mut seen = vec![];
    reader.format_mut().length = Some(2);
    reader
        .push_with(b"abcdefg", |item, mut reading| {
            seen.extend(item.frame().map(<[u8]>::to_vec));
            if item.frame() == Some(b"c") {
                reading.format_mut().length = Some(3);
            }
            Flow::Continue
        })
        .unwrap();
    assert_eq!(seen, [&b"ab"[..], b"c", b"def", b"g"]);
    let mut feed = reader.feed(b"hij");
    assert_eq!(feed.next(), Ok(Some(Item::Frame(b"h"))));
    feed.format_mut().length = Some(2);
    assert_eq!(feed.next(), Ok(Some(Item::Frame(b"ij"))));
}

#[test]
fn parts_without_payload_are_counted() {
    let empty = |parts: usize| [&[0; 4].repeat(parts)[..], b"\x80\0\0\x01a"].concat();
    let read = |reader: FrameReader<RecordMark>, stream: &[u8]| {
        let mut reader = reader;
        let mut frames = 0;
        let read = reader.push(stream, |item| {
            frames += usize::from(item.frame() == Some(b"a"));
            Flow::Continue
        });
        (frames, read.map(drop))
    };
    let reader = || FrameReader::new(RecordMark, 9);
    let what = "frame of too many parts without payload";
    assert_eq!(read(reader(), &empty(1 << 17)), (1, Ok(())));
    let error = FrameError::Malformed { at: 4 << 17, what };
    assert_eq!(read(reader(), &empty((1 << 17) + 1)), (0, Err(error)));
    let reader = || reader().skip_bad_frames().max_empty_parts(2);
    assert_eq!(
        read(reader(), &empty(2).repeat(3)),
        (3, Ok(())),
        "each frame's"
    );
    let error = FrameError::Malformed { at: 8, what };
    assert_eq!(read(reader(), &empty(3)), (0, Err(error)));
}
