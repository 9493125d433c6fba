//! Mistakes that framing layers are known to make, each with the test that this one does not.

use std::time::{Duration, Instant};

use soquete::framing::{
    Delimiters, Flow, Format, FrameError, FrameReader, FrameWriter, Item, Json, LengthPrefix,
    Lines, Netstring, Partial, RecordMark, VarintPrefix,
};

/// Pushes `chunks`; the frames, how many were skipped, and the outcome.
fn push<F: Format>(
    reader: &mut FrameReader<F>,
    chunks: &[&[u8]],
) -> (Vec<Vec<u8>>, usize, Result<(), FrameError>) {
    let (mut frames, mut skipped) = (vec![], 0);
    let outcome = chunks.iter().try_for_each(|chunk| {
        let listener = |item: Item<'_>| {
            match item {
                Item::Frame(bytes) => frames.push(bytes.to_vec()),
                Item::Skipped { .. } => skipped += 1,
                other => panic!("{other:?}, which nobody asked for"),
            }
            Flow::Continue
        };
        reader.push(chunk, listener).map(drop)
    });
    (frames, skipped, outcome)
}

/// Pushes bytes of a frame that do not end it, or end it: what comes out does not matter.
fn drip<F: Format>(reader: &mut FrameReader<F>, bytes: &[u8]) {
    assert_eq!(reader.push(bytes, |_| Flow::Continue), Ok(Flow::Continue));
}

// What it means.

#[test]
fn recoverable_conditions_do_not_share_a_type_with_fatal_ones() {
    // Skipping is an item among others: reading goes on in the same chunk, with what is behind it.
    let mut reader = FrameReader::new(Lines::new(), 4).skip_bad_frames();
    let (frames, skipped, outcome) = push(&mut reader, &[b"one\ntoo long\ntwo\n"]);
    assert_eq!((frames.len(), skipped, outcome), (2, 1, Ok(())));
    // An error is the end, and stays it.
    let mut reader = FrameReader::new(Lines::new(), 4);
    let (frames, _, outcome) = push(&mut reader, &[b"one\ntoo long\ntwo\n"]);
    assert_eq!(frames.len(), 1);
    assert_eq!(push(&mut reader, &[b"three\n"]), (vec![], 0, outcome));
    assert_eq!(reader.finish(|_| Flow::Continue).map(drop), outcome);
}

#[test]
fn one_frame_that_is_too_long_is_told_of_once() {
    let mut reader = FrameReader::new(Lines::new(), 4).skip_bad_frames();
    let long = vec![&b"longer and longer "[..]; 100];
    assert_eq!(push(&mut reader, &long), (vec![], 0, Ok(())));
    assert_eq!(push(&mut reader, &[b"\n"]), (vec![], 1, Ok(())));
}

#[test]
fn the_limit_is_on_the_payload_in_both_directions() {
    for format in [
        LengthPrefix::u16_be(),
        LengthPrefix::u16_be().inclusive(),
        LengthPrefix::u16_be().adjustment(-6),
        LengthPrefix::u16_be().adjustment(6),
    ] {
        let writer = FrameWriter::new(format, 10).unwrap();
        let mut stream = vec![];
        writer.encode(&[7; 10], &mut stream).unwrap();
        let mut reader = FrameReader::new(format, 10);
        assert_eq!(
            push(&mut reader, &[&stream]),
            (vec![vec![7; 10]], 0, Ok(())),
            "{format:?}"
        );
        let refused = FrameWriter::new(format, 9).unwrap().wrap(&[7; 10]);
        assert_eq!(
            refused,
            Err(FrameError::Unrepresentable { len: 10, max: 9 })
        );
        let mut reader = FrameReader::new(format, 9);
        let error = FrameError::TooLong {
            at: 0,
            limit: 9,
            declared: Some(10),
        };
        assert_eq!(push(&mut reader, &[&stream]).2, Err(error), "{format:?}");
    }
}

#[test]
fn a_length_is_not_truncated_to_its_field() {
    use soquete::framing::Wrap;
    assert!(LengthPrefix::u8().wrap(&[0; 256]).is_err());
    assert!(LengthPrefix::u8().inclusive().wrap(&[0; 255]).is_err());
    assert!(LengthPrefix::u16_le().wrap(&[0; 65536]).is_err());
    assert!(FrameWriter::new(LengthPrefix::u16_le(), 65536).is_err());
}

#[test]
fn every_option_holds_in_both_directions() {
    let formats = [
        LengthPrefix::u16_be().offset(3).unwrap(),
        LengthPrefix::u16_le().keep_header(),
        LengthPrefix::u32_be().offset(1).unwrap().inclusive(),
        LengthPrefix::u32_be().offset(1).unwrap().adjustment(-2),
    ];
    for format in formats {
        let mut message = *b"123456789 and some more";
        format.seal(&mut message).unwrap();
        let mut stream = vec![];
        FrameWriter::new(format, 100)
            .unwrap()
            .encode(&message, &mut stream)
            .unwrap();
        let mut reader = FrameReader::new(format, 100);
        assert_eq!(push(&mut reader, &[&stream]).0, [message], "{format:?}");
    }
}

#[test]
fn fragmentation_does_not_change_the_result() {
    // Prefixes of four and five bytes with low bits of zero, cut at every place.
    let stream = [
        &b"\x80\x80\x80\x00"[..],
        b"\x81\x80\x80\x80\x00a",
        b"\x02bc",
    ]
    .concat();
    for one in 0..stream.len() {
        for two in one..stream.len() {
            let mut reader = FrameReader::new(VarintPrefix::new(), 10);
            let chunks = [&stream[..one], &stream[one..two], &stream[two..]];
            let frames = push(&mut reader, &chunks).0;
            assert_eq!(frames, [&b""[..], b"a", b"bc"], "cut at {one} and {two}");
        }
    }
}

#[test]
fn half_a_delimiter_is_not_lost_while_discarding() {
    let stream = b"much too long\r\nok\r\n";
    for cut in 0..stream.len() {
        let format = Delimiters::new(&[b"\r\n"]).unwrap();
        let mut reader = FrameReader::new(format, 4).skip_bad_frames();
        let (frames, skipped, outcome) = push(&mut reader, &[&stream[..cut], &stream[cut..]]);
        assert_eq!(
            (frames, skipped, outcome),
            (vec![b"ok".to_vec()], 1, Ok(())),
            "cut at {cut}"
        );
    }
}

#[test]
fn nothing_of_one_frame_is_remembered_in_the_next() {
    // After a frame that was skipped ...
    let mut reader = FrameReader::new(LengthPrefix::u8(), 3).skip_bad_frames();
    let (frames, skipped, _) = push(&mut reader, &[b"\x05", b"12345", b"\x02", b"ab"]);
    assert_eq!((frames, skipped), (vec![b"ab".to_vec()], 1));
    // ... and with limits that count from the frame, not from the start of the buffer.
    let mut reader = FrameReader::new(Json::new(), 10);
    let (frames, _, outcome) = push(&mut reader, &[&b"{\"a\":1} ".repeat(50)]);
    assert_eq!((frames.len(), outcome), (50, Ok(())));
}

#[test]
fn the_carriage_return_does_not_count_against_the_limit() {
    let mut reader = FrameReader::new(Lines::new(), 3);
    let abc = b"abc".to_vec();
    assert_eq!(
        push(&mut reader, &[b"abc\r\nabc\n"]),
        (vec![abc.clone(), abc], 0, Ok(()))
    );
}

#[test]
fn strict_line_ends_leave_no_two_opinions() {
    for stream in [&b"a\n.\r\nb"[..], b"a\r.\r\nb", b"a\n.\nb", b"a\r\r\nb"] {
        let mut reader = FrameReader::new(Lines::crlf(), 100);
        let (frames, _, outcome) = push(&mut reader, &[stream]);
        assert_eq!(frames.len(), 0);
        assert!(
            matches!(outcome, Err(FrameError::Malformed { at: 1, .. })),
            "{outcome:?}"
        );
        assert!(
            FrameWriter::new(Lines::crlf(), 100)
                .unwrap()
                .wrap(&stream[..2])
                .is_err()
        );
    }
}

#[test]
fn a_partial_frame_at_the_end_is_not_dropped_in_silence() {
    let mut reader = FrameReader::new(Netstring::new(), 100);
    assert_eq!(push(&mut reader, &[b"1:a,3:ab"]).0.len(), 1);
    let error = FrameError::Truncated { at: 4, have: 4 };
    assert_eq!(reader.finish(|_| Flow::Continue), Err(error));
}

// Memory.

#[test]
fn memory_is_proportional_to_what_was_received_not_to_what_was_promised() {
    let mut reader = FrameReader::new(LengthPrefix::u32_be(), usize::MAX);
    assert_eq!(push(&mut reader, &[b"\xff\xff\xff\xff"]).2, Ok(()));
    assert!(reader.capacity() <= 64, "{} bytes for 4", reader.capacity());
    let mut received = 4;
    for _ in 0..100 {
        assert_eq!(push(&mut reader, &[&[0; 1000]]).2, Ok(()));
        received += 1000;
        assert!(
            reader.capacity() <= 2 * received,
            "{} bytes",
            reader.capacity()
        );
    }
}

#[test]
fn memory_stays_within_the_formula() {
    let (limit, head) = (100_000, 4);
    let mut reader = FrameReader::new(LengthPrefix::u32_be(), limit);
    let frame = [&100_000u32.to_be_bytes()[..], &vec![b'x'; limit]].concat();
    let stream = frame.repeat(5);
    let mut frames = 0;
    for chunk in stream.chunks(997) {
        frames += push(&mut reader, &[chunk]).0.len();
        assert!(
            reader.capacity() <= limit + head,
            "{} bytes",
            reader.capacity()
        );
    }
    assert_eq!(frames, 5);
}

#[test]
fn every_state_has_a_limit() {
    // A head that never ends is as bounded as a payload that never does.
    let endless: [(&[u8], &[u8]); 4] =
        [(b"1", b"1"), (b"[", b"["), (b"\x80", b"\x80"), (b"x", b"x")];
    for (i, (first, more)) in endless.iter().enumerate() {
        let (mut varint, mut lines) = (VarintPrefix::new(), Lines::new());
        let (mut netstring, mut json) = (Netstring::new(), Json::new());
        let format: &mut dyn Format = match i {
            0 => &mut netstring,
            1 => &mut json,
            2 => &mut varint,
            _ => &mut lines,
        };
        let mut reader = FrameReader::new(Borrowed(format), 50);
        let mut outcome = push(&mut reader, &[first]).2;
        for _ in 0..200 {
            assert!(reader.capacity() <= 128, "{i}: {} bytes", reader.capacity());
            outcome = outcome.and_then(|()| push(&mut reader, &[more]).2);
        }
        assert!(outcome.is_err(), "{i}");
    }
}

/// Any format behind a reference.
struct Borrowed<'a>(&'a mut dyn Format);

impl Format for Borrowed<'_> {
    fn cut(
        &mut self,
        window: soquete::framing::Window<'_>,
    ) -> Result<soquete::framing::Cut, soquete::framing::Malformed> {
        self.0.cut(window)
    }

    fn overhead(&self) -> usize {
        self.0.overhead()
    }
}

#[test]
fn a_count_has_a_limit_of_its_own() {
    let mut reader = FrameReader::new(Json::new().max_depth(16), 1 << 20);
    let error = FrameError::Malformed {
        at: 16,
        what: "JSON value nested too deeply",
    };
    assert_eq!(push(&mut reader, &[&[b'['; 100]]).2, Err(error));
    // Fragments without bytes cost nothing, and the limit on their number is high.
    let mut reader = FrameReader::new(RecordMark, 10);
    assert_eq!(
        push(&mut reader, &[&[0; 400_000], b"\x80\0\0\x01a"]).0,
        [b"a"]
    );
    assert!(reader.capacity() <= 64 + 64);
}

#[test]
fn a_big_frame_leaves_no_big_buffer_behind() {
    let mut reader = FrameReader::new(LengthPrefix::u32_be(), 1 << 22).keep(1024);
    let frame = [&(1u32 << 22).to_be_bytes()[..], &vec![0; 1 << 22]].concat();
    let mut frames = 0;
    for chunk in frame.chunks(65536) {
        frames += push(&mut reader, &[chunk]).0.len();
    }
    assert_eq!(frames, 1);
    assert!(reader.capacity() <= 1024, "{} bytes", reader.capacity());
}

/// A reader that shrank its buffer had the system unmap the pages of each frame, and map them again for the next one.
#[cfg(target_os = "linux")]
#[test]
fn big_frames_do_not_have_their_memory_mapped_anew() {
    const FRAMES: u64 = 100;
    let mut reader = FrameReader::new(LengthPrefix::u32_be(), 1 << 20);
    let frame = [&(1u32 << 19).to_be_bytes()[..], &vec![0; 1 << 19]].concat();
    let mut read = || {
        for chunk in frame.chunks(16 << 10) {
            assert!(reader.push(chunk, |_| Flow::Continue).is_ok());
        }
    };
    read();
    let before = page_faults();
    (0..FRAMES).for_each(|_| read());
    let faults = page_faults() - before;
    assert!(
        faults < 64 * FRAMES,
        "{faults} page faults for {FRAMES} frames of 128 pages"
    );
}

/// How many pages this thread was given so far.
#[cfg(target_os = "linux")]
fn page_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap();
    fields.split_whitespace().nth(7).unwrap().parse().unwrap()
}

#[test]
fn a_frame_that_drips_in_is_visible_from_its_first_byte_to_its_last() {
    let mut reader = FrameReader::new(LengthPrefix::u8(), 10);
    assert_eq!(reader.partial(), None);
    drip(&mut reader, b"\x01a\x03");
    assert_eq!(
        reader.partial(),
        Some(Partial {
            at: 2,
            have: 1,
            want: Some(3)
        })
    );
    drip(&mut reader, b"b");
    assert_eq!(
        reader.partial(),
        Some(Partial {
            at: 2,
            have: 2,
            want: Some(2)
        })
    );
    // The next frame is another one, although there was no moment without a frame.
    drip(&mut reader, b"cd\x02e");
    assert_eq!(
        reader.partial(),
        Some(Partial {
            at: 6,
            have: 2,
            want: Some(1)
        })
    );
    drip(&mut reader, b"f");
    assert_eq!(reader.partial(), None);
}

// Time.

/// Runs `work` on inputs of one size and of 32 times that, a few times each, and compares the fastest
/// runs: linear work takes 32 times as long, quadratic work 1,024 times. The bound lies so far from
/// either that a busy machine does not matter. (The exact count of bytes that are examined is held to
/// by the fuzz bodies.)
fn assert_linear(work: impl Fn(usize)) {
    let fastest = |size: usize| {
        let run = |_| {
            let start = Instant::now();
            work(size);
            start.elapsed()
        };
        (0..5)
            .map(run)
            .min()
            .unwrap_or_default()
            .max(Duration::from_micros(1))
    };
    let (small, big) = (fastest(10_000), fastest(320_000));
    assert!(big < small * 200, "{small:?} for one, {big:?} for 32");
}

#[test]
fn a_line_that_comes_byte_by_byte_is_not_scanned_from_its_start_each_time() {
    assert_linear(|size| {
        let mut reader = FrameReader::new(Lines::new(), usize::MAX);
        for _ in 0..size {
            drip(&mut reader, b"x");
        }
        assert_eq!(push(&mut reader, &[b"\n"]).0.len(), 1);
    });
}

#[test]
fn many_delimiters_are_one_scan() {
    // The second one is nowhere: a scan for it alone would go through everything, for every frame.
    assert_linear(|size| {
        let format = Delimiters::new(&[b";", b"nowhere"]).unwrap();
        let mut reader = FrameReader::new(format, 10);
        assert_eq!(push(&mut reader, &[&b"a;".repeat(size)]).0.len(), size);
    });
}

#[test]
fn a_delimiter_that_nearly_matches_everywhere_is_found_in_one_pass() {
    assert_linear(|size| {
        let needle = [&[b'a'; 31][..], b"b"].concat();
        let mut reader = FrameReader::new(Delimiters::new(&[&needle]).unwrap(), usize::MAX);
        let stream = [&vec![b'a'; size][..], b"b"].concat();
        assert_eq!(push(&mut reader, &[&stream]).0.len(), 1);
    });
}

#[test]
fn the_remainder_is_not_moved_down_after_each_frame() {
    // All the frames are left unread by a stop, and then read one at a time.
    assert_linear(|size| {
        let mut reader = FrameReader::new(LengthPrefix::u8(), 10);
        let stream = b"\x01a".repeat(size);
        assert_eq!(reader.push(&stream, |_| Flow::Stop), Ok(Flow::Stop));
        let mut frames = 1;
        while reader.push(&[], |_| Flow::Stop) == Ok(Flow::Stop) {
            frames += 1;
        }
        assert_eq!(frames, size);
    });
}

#[test]
fn a_listener_can_stop_after_its_share_of_frames() {
    let mut reader = FrameReader::new(LengthPrefix::u8(), 10);
    let stream = b"\0".repeat(32_768);
    let mut turns = vec![];
    let mut chunk = &stream[..];
    loop {
        let mut share = 0;
        let flow = reader.push(std::mem::take(&mut chunk), |_| {
            share += 1;
            if share == 64 {
                Flow::Stop
            } else {
                Flow::Continue
            }
        });
        turns.push(share);
        if flow == Ok(Flow::Continue) {
            break;
        }
    }
    assert_eq!(turns.iter().sum::<usize>(), 32_768);
    assert!(turns.iter().all(|share| *share <= 64));
}
