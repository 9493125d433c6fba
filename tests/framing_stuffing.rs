//! SLIP and HDLC-like framing: frames on lines that lose and change bytes.

#[path = "support/counting.rs"]
mod counting;
#[path = "support/flowing.rs"]
mod flowing;

use soquete::framing::{Encode, Flow, Format, FrameReader, Hdlc, Item, Slip};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

/// Frames and skipped ones.
fn read<F: Format>(mut reader: FrameReader<F>, chunks: &[&[u8]]) -> Vec<String> {
    let mut seen = Vec::new();
    for chunk in chunks {
        let outcome = reader.push(chunk, |item| {
            seen.push(match item {
                Item::Skipped { error, bytes } => format!("{error}, {bytes} bytes"),
                item => item.frame().unwrap().escape_ascii().to_string(),
            });
            Flow::Continue
        });
        if let Err(error) = outcome {
            seen.push(error.to_string());
            return seen;
        }
    }
    let end = reader.finish(|_| Flow::Continue);
    seen.extend(end.err().map(|error| error.to_string()));
    seen
}

fn however_cut<F: Format>(reader: impl Fn() -> FrameReader<F>, stream: &[u8]) -> Vec<String> {
    let whole = read(reader(), &[stream]);
    for cut in 0..=stream.len() {
        assert_eq!(
            read(reader(), &[&stream[..cut], &stream[cut..]]),
            whole,
            "cut at {cut}"
        );
    }
    let bytes = stream.chunks(1).collect::<Vec<_>>();
    assert_eq!(read(reader(), &bytes), whole);
    whole
}

// SLIP.

fn slip(limit: usize) -> FrameReader<Slip> {
    FrameReader::new(Slip::new(), limit)
}

/// Each end was a frame, so that every packet of a sender that begins with one came with an empty one.
#[test]
fn ends_back_to_back_are_no_frames() {
    let seen = however_cut(|| slip(10), b"\xc0\xc0a\xc0\xc0\xc0b\xc0");
    assert_eq!(seen, ["a", "b"]);
}

/// The escape at the end of a chunk was forgotten, or the byte behind it taken as it stood.
#[test]
fn an_escape_may_be_cut_from_what_it_escapes() {
    let seen = however_cut(
        || slip(10),
        b"\xdb\xdc\xdb\xdda\xdb\xdc\xc0\xdb\xdd\xdc\xdd\xc0",
    );
    assert_eq!(seen, ["\\xc0\\xdba\\xc0", "\\xdb\\xdc\\xdd"]);
}

/// RFC 1055 lets a protocol violation be whatever it is; two receivers need not make the same of it.
#[test]
fn an_escape_of_another_byte_spoils_its_frame_and_no_other() {
    let stream = b"ab\xdbc\xc0d\xdb\xc0\xdb\xdb\xdc\xc0ok\xc0";
    let seen = however_cut(|| slip(10).skip_bad_frames(), stream);
    let expected = [
        "SLIP escape of another byte at offset 3, 4 bytes",
        "SLIP escape of nothing at offset 7, 2 bytes",
        "SLIP escape of another byte at offset 9, 3 bytes",
        "ok",
    ];
    assert_eq!(seen, expected);
    assert_eq!(
        however_cut(|| slip(10), stream),
        ["SLIP escape of another byte at offset 3"]
    );
}

#[test]
fn noise_in_front_of_a_frame_is_a_frame_of_its_own_if_the_sender_begins_with_an_end() {
    let mut stream = b"noise".to_vec();
    Slip::new()
        .begins_with_end()
        .encode(b"data", &mut stream)
        .unwrap();
    assert_eq!(however_cut(|| slip(10), &stream), ["noise", "data"]);
}

#[test]
fn the_limit_is_on_what_was_unpacked() {
    let stream = [&b"\xdb\xdc".repeat(5)[..], b"\xc0"].concat();
    assert_eq!(
        however_cut(|| slip(5), &stream),
        ["\\xc0\\xc0\\xc0\\xc0\\xc0"]
    );
    let too_long = "frame at offset 0 is longer than the limit of 4 bytes";
    assert_eq!(however_cut(|| slip(4), &stream), [too_long]);
}

#[test]
fn a_frame_without_an_end_is_none_and_takes_its_limit_at_most() {
    let cut = "input ended inside the frame at offset 2, after 1 of its bytes";
    assert_eq!(however_cut(|| slip(9), b"a\xc0b"), ["a", cut]);
    let mut reader = slip(100).skip_bad_frames();
    for _ in 0..1000 {
        reader.push(&[b'x'; 50], |item| panic!("{item:?}")).unwrap();
        assert!(reader.capacity() <= 1000, "{}", reader.capacity());
    }
}

#[test]
fn a_long_frame_comes_in_pieces() {
    let mut reader = FrameReader::new(Slip::new(), 1 << 20).stream_above(10);
    let payload = b"\xc0payload\xdb".repeat(100);
    let mut stream = Vec::new();
    Slip::new().encode(&payload, &mut stream).unwrap();
    let mut made = Vec::new();
    for chunk in stream.chunks(7) {
        let read = reader.push(chunk, |item| {
            let Item::Piece { bytes, .. } = item else {
                panic!("{item:?}")
            };
            made.extend_from_slice(bytes);
            Flow::Continue
        });
        assert_eq!(read, Ok(Flow::Continue));
        assert!(reader.capacity() <= 200);
    }
    assert!(made == payload);
}

// HDLC.

fn hdlc(format: Hdlc) -> FrameReader<Hdlc> {
    FrameReader::new(format, 100)
}

/// One flag between two frames ends the one and begins the other; receivers that wanted two lost every second frame.
#[test]
fn one_flag_is_enough_between_two_frames() {
    let seen = however_cut(|| hdlc(Hdlc::new()), b"~a~b~~~c~");
    assert_eq!(seen, ["a", "b", "c"]);
}

/// What PPP begins with: a Configure-Request of the link, all control characters escaped.
#[test]
fn a_frame_of_ppp_is_read_and_written() {
    let payload = b"\xff\x03\xc0\x21\x01\x01\x00\x0e\x02\x06\x00\x00\x00\x00\x07\x02\x08\x02";
    let format = Hdlc::new().control_characters(u32::MAX).check_sequence();
    let mut stream = Vec::new();
    format.encode(payload, &mut stream).unwrap();
    assert!(
        stream.starts_with(b"~\xff}#\xc0!}!}!} }.}\"}&} } } } }'}\"}(}\""),
        "{}",
        stream.escape_ascii()
    );
    assert!(stream[1..].iter().all(|byte| *byte >= 32));
    assert_eq!(
        however_cut(|| hdlc(format), &stream),
        [payload.escape_ascii().to_string()]
    );
    // The line has put flow control in between.
    let noisy = stream
        .iter()
        .flat_map(|byte| [0x11, *byte, 0x13])
        .collect::<Vec<_>>();
    assert_eq!(
        however_cut(|| hdlc(format), &noisy[..noisy.len() - 1])[0],
        payload.escape_ascii().to_string()
    );
}

#[test]
fn a_bit_that_turns_over_spoils_its_frame_and_no_other() {
    let format = Hdlc::new().check_sequence();
    let mut good = Vec::new();
    format.encode(b"123456789", &mut good).unwrap();
    assert_eq!(good, b"~123456789\x6e\x90~");
    for bit in 0..8 * 11 {
        let mut bad = good.clone();
        bad[1 + bit / 8] ^= 1 << (bit % 8);
        // A bit may make a flag or an escape, too.
        let stream = [&bad[..], &good].concat();
        let seen = however_cut(|| hdlc(format).skip_bad_frames(), &stream);
        assert_eq!(seen.last().unwrap(), "123456789", "bit {bit}");
        assert!(
            seen.len() > 1
                && seen[..seen.len() - 1]
                    .iter()
                    .all(|seen| seen.contains(" (RFC 1662, ")),
            "{seen:?}"
        );
    }
}

#[test]
fn a_sender_may_give_a_frame_up() {
    let seen = however_cut(|| hdlc(Hdlc::new()).skip_bad_frames(), b"~abc}~ok~");
    assert_eq!(
        seen,
        [
            "frame that is given up (RFC 1662, 4.3) at offset 5, 4 bytes",
            "ok"
        ]
    );
}

#[test]
fn a_frame_shorter_than_its_check_sequence_is_none() {
    let format = Hdlc::new().check_sequence();
    let seen = however_cut(|| hdlc(format).skip_bad_frames(), b"~a~\0\0~");
    assert_eq!(
        seen,
        [
            "frame shorter than its check sequence (RFC 1662, 4.3) at offset 2, 1 bytes",
            ""
        ]
    );
}

/// The check sequence was counted as payload, so that frames of exactly the limit were refused.
#[test]
fn the_check_sequence_does_not_count_against_the_limit() {
    let format = Hdlc::new().check_sequence();
    let mut stream = Vec::new();
    format.encode(b"~~~~~~~~", &mut stream).unwrap();
    assert_eq!(
        however_cut(|| FrameReader::new(format, 8), &stream),
        ["~~~~~~~~"]
    );
    let too_long = "frame at offset 1 is longer than the limit of 7 bytes";
    assert_eq!(
        however_cut(|| FrameReader::new(format, 7), &stream),
        [too_long]
    );
}

#[test]
fn a_wrong_check_sequence_is_told_behind_the_pieces() {
    let mut reader = FrameReader::new(Hdlc::new().check_sequence(), 1000)
        .stream_above(0)
        .skip_bad_frames();
    let mut seen = Vec::new();
    let read = reader.push(b"~123456789\x6e\x91~", |item| {
        seen.push(match item {
            Item::Piece { bytes, last } => format!("{} {last}", bytes.escape_ascii()),
            Item::Skipped { error, .. } => error.to_string(),
            item => panic!("{item:?}"),
        });
        Flow::Continue
    });
    assert_eq!(read, Ok(Flow::Continue));
    assert_eq!(
        seen,
        [
            "123456789 false",
            "frame with a wrong check sequence (RFC 1662, C.2) at offset 12"
        ]
    );
}

#[test]
fn frames_allocate_nothing_once_they_flow() {
    let stream = b"plain\xc0\xdb\xdcescaped\xc0".repeat(200);
    flowing::without_allocating(slip(100), &stream, 400);
    let stream = b"~123456789\x6e\x90~1\x7d\x5e\xc4\x3a~".repeat(200);
    flowing::without_allocating(hdlc(Hdlc::new().check_sequence()), &stream, 400);
}
