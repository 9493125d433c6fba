//! Changing the format in the middle of a stream, and listeners that leave in the middle of a chunk.

use soquete::framing::{Flow, Format, FrameError, FrameReader, Item, LengthPrefix, Lines};

/// Pushes `chunks`; the frames and the outcome.
fn push<F: Format>(
    reader: &mut FrameReader<F>,
    chunks: &[&[u8]],
) -> (Vec<Vec<u8>>, Result<(), FrameError>) {
    let mut frames = vec![];
    let outcome = chunks.iter().try_for_each(|chunk| {
        let listener = |item: Item<'_>| {
            frames.extend(item.frame().map(<[u8]>::to_vec));
            Flow::Continue
        };
        reader.push(chunk, listener).map(drop)
    });
    (frames, outcome)
}

#[test]
fn bytes_in_front_of_a_handshake_are_refused() {
    let mut reader = FrameReader::new(Lines::crlf(), 100);
    assert_eq!(
        reader.push(b"STARTTLS\r\nMAIL FROM:", |_| Flow::Stop),
        Ok(Flow::Stop)
    );
    assert_eq!((reader.offset(), reader.unread()), (10, 10));
    let error = FrameError::UnexpectedRest { at: 10, have: 10 };
    assert_eq!(
        reader
            .switch_clean(LengthPrefix::u16_be(), 100)
            .unwrap_err(),
        error
    );
}

#[test]
fn the_rest_goes_along_exactly() {
    let stopped = || {
        let mut reader = FrameReader::new(Lines::crlf(), 100);
        assert_eq!(
            reader.push(b"binary\r\n\x02hi\x01", |_| Flow::Stop),
            Ok(Flow::Stop)
        );
        reader
    };
    assert_eq!(stopped().into_rest(), b"\x02hi\x01");
    let mut reader = stopped().switch(LengthPrefix::u8(), 5).unwrap();
    assert_eq!(push(&mut reader, &[b"", b"!"]).0, [&b"hi"[..], b"!"]);
    let error = FrameError::TooLong {
        at: 13,
        limit: 5,
        declared: Some(6),
    };
    assert_eq!(
        push(&mut reader, &[b"\x06"]).1,
        Err(error),
        "offsets go on counting"
    );
}

#[test]
fn a_format_does_not_change_inside_a_frame_that_was_handed_out_in_part() {
    let mut reader = FrameReader::new(LengthPrefix::u8(), 100).stream_above(0);
    assert_eq!(
        reader.push(b"\x05abc", |_| Flow::Continue),
        Ok(Flow::Continue)
    );
    let error = FrameError::InsideFrame { at: 0 };
    assert_eq!(reader.switch(Lines::new(), 100).unwrap_err(), error);
}

#[test]
fn a_listener_that_panics_loses_no_frame() {
    let mut reader = FrameReader::new(LengthPrefix::u8(), 10);
    let push_all = |reader: &mut FrameReader<_>, chunk: &[u8]| {
        reader.push(chunk, |item| {
            assert_ne!(item, Item::Frame(b"boom"), "as arranged");
            Flow::Continue
        })
    };
    let panics = std::panic::AssertUnwindSafe(|| push_all(&mut reader, b"\x01a\x04boom\x01b"));
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(push(&mut reader, &[b"\x01c"]).0, [b"b", b"c"]);
}
