//! Who is told of bad frames is told at once, and says what follows.

use soquete::framing::{
    Cobs, Flow, Format, FrameError, FrameReader, Item, LengthPrefix, Lines, Netstring,
};

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Frame(Vec<u8>),
    Piece(Vec<u8>),
    Refused(FrameError, bool),
    Skipped(u64),
    Failed(FrameError),
}

fn seen(item: Item<'_>) -> Seen {
    match item {
        Item::Frame(bytes) => Seen::Frame(bytes.to_vec()),
        Item::Piece { bytes, .. } => Seen::Piece(bytes.to_vec()),
        Item::Refused { error, lost } => Seen::Refused(error, lost),
        Item::Skipped { bytes, .. } => Seen::Skipped(bytes),
        other => panic!("{other:?}"),
    }
}

/// What came of each chunk, and of the end.
fn read<F: Format>(mut reader: FrameReader<F>, chunks: &[&[u8]]) -> Vec<Vec<Seen>> {
    let mut all = vec![];
    for chunk in chunks {
        let mut of_chunk = vec![];
        let read = reader.push(chunk, |item| {
            of_chunk.push(seen(item));
            Flow::Continue
        });
        of_chunk.extend(read.err().map(Seen::Failed));
        all.push(of_chunk);
    }
    let mut at_end = vec![];
    let read = reader.finish(|item| {
        at_end.push(seen(item));
        Flow::Continue
    });
    at_end.extend(read.err().map(Seen::Failed));
    all.push(at_end);
    all
}

fn frame(bytes: &[u8]) -> Seen {
    Seen::Frame(bytes.to_vec())
}

fn too_long(at: u64, limit: usize, declared: Option<u64>) -> FrameError {
    FrameError::TooLong {
        at,
        limit,
        declared,
    }
}

#[test]
fn a_line_is_refused_when_it_is_too_long_and_not_when_it_ends() {
    let reader = FrameReader::new(Lines::new(), 5).tell_bad_frames();
    let seen = read(reader, &[b"ok\nfar to", b"o long", b"\nok\n"]);
    let error = too_long(3, 5, None);
    let expected = [
        vec![frame(b"ok"), Seen::Refused(error, false)],
        vec![],
        vec![Seen::Skipped(12), frame(b"ok")],
        vec![],
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_length_is_refused_with_the_head_that_says_it() {
    let reader = FrameReader::new(LengthPrefix::u16_be(), 4).tell_bad_frames();
    let seen = read(reader, &[b"\x00\x06", b"abcdef\x00\x01z"]);
    let expected = [
        vec![Seen::Refused(too_long(0, 4, Some(6)), false)],
        vec![Seen::Skipped(6), frame(b"z")],
        vec![],
    ];
    assert_eq!(seen, expected);
}

#[test]
fn pieces_stand_in_front_of_the_refusal() {
    let reader = FrameReader::new(Lines::new(), 5)
        .stream_above(2)
        .tell_bad_frames();
    let seen = read(reader, &[b"abcdefgh\nz\n"]);
    let expected = [
        vec![
            Seen::Piece(b"abcde".to_vec()),
            Seen::Refused(too_long(0, 5, None), false),
            Seen::Skipped(8),
            frame(b"z"),
        ],
        vec![],
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_cannot_be_unpacked_is_refused() {
    let reader = FrameReader::new(Cobs::new(), 5).tell_bad_frames();
    let seen = read(reader, &[b"\x02a\0\x05b\0\x02c\0"]);
    let what = "COBS code that points behind the end";
    let error = FrameError::Malformed { at: 3, what };
    let expected = [
        vec![
            frame(b"a"),
            Seen::Refused(error, false),
            Seen::Skipped(2),
            frame(b"c"),
        ],
        vec![],
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_cannot_be_skipped_is_told_and_then_the_reader_fails() {
    let reader = FrameReader::new(Netstring::new(), 5).tell_bad_frames();
    let seen = read(reader, &[b"1:a,1:bX2:cd,"]);
    let what = "netstring without its comma";
    let error = FrameError::Malformed { at: 7, what };
    let expected = [
        vec![frame(b"a"), Seen::Refused(error, true), Seen::Failed(error)],
        vec![Seen::Failed(error)],
    ];
    assert_eq!(seen, expected);
}

#[test]
fn an_end_inside_a_frame_is_told() {
    let reader = FrameReader::new(Lines::new(), 5).tell_bad_frames();
    let seen = read(reader, &[b"a\nb"]);
    let error = FrameError::Truncated { at: 2, have: 1 };
    let at_end = vec![Seen::Refused(error, true), Seen::Failed(error)];
    assert_eq!(seen, [vec![frame(b"a")], at_end]);
}

#[test]
fn a_listener_may_stop_at_a_refusal_and_go_on_later() {
    let mut reader = FrameReader::new(Lines::new(), 5).tell_bad_frames();
    let mut all = vec![];
    let mut chunk = &b"far too long\nok\n"[..];
    loop {
        let read = reader.push(chunk, |item| {
            all.push(seen(item));
            Flow::Stop
        });
        chunk = b"";
        if read == Ok(Flow::Continue) {
            break;
        }
    }
    let error = too_long(0, 5, None);
    let expected = [Seen::Refused(error, false), Seen::Skipped(12), frame(b"ok")];
    assert_eq!(all, expected);
}

#[test]
fn the_kind_and_the_offset_of_a_bad_frame_are_told() {
    let mut reader = FrameReader::new(LengthPrefix::u8(), 2).tell_bad_frames();
    let mut offsets = vec![];
    reader
        .push_with(b"\x01a\x03bcd\x01e", |_, reading| {
            offsets.push((reading.offset(), reading.kind()));
            Flow::Continue
        })
        .unwrap();
    assert_eq!(offsets, [(0, 0), (2, 0), (2, 0), (6, 0)]);
}
