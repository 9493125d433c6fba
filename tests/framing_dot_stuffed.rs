//! Text that ends with a dot: what others have taken for its end, and what it costs.

#[path = "support/counting.rs"]
mod counting;
#[path = "support/flowing.rs"]
mod flowing;

use soquete::framing::{DotStuffed, Encode, Flow, FrameError, FrameReader, FrameWriter, Item};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

fn read(format: DotStuffed, limit: usize, chunks: &[&[u8]]) -> Vec<String> {
    let mut reader = FrameReader::new(format, limit);
    let mut seen = Vec::new();
    for chunk in chunks {
        let outcome = reader.push(chunk, |item| {
            seen.push(item.frame().unwrap().escape_ascii().to_string());
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

/// Each has ended a mail for some server and not for the one in front of it, so that what follows was a mail of its own
/// for one of them, and a text for the other: "SMTP smuggling".
#[test]
fn nothing_but_crlf_dot_crlf_ends_a_mail() {
    let ends: [(&[u8], usize); 12] = [
        (b"\n.\n", 1),
        (b"\n.\r\n", 1),
        (b"\n.\r", 1),
        (b"\r.\r", 1),
        (b"\r.\r\n", 1),
        (b"\r.\n", 1),
        (b"\r\n.\n", 4),
        (b"\r\n.\r\r\n", 4),
        (b"\r\n\n.\r\n", 3),
        (b"\r\r\n.\r\n", 1),
        (b"\n\r\n.\n", 1),
        (b"\r\n.\rx", 4),
    ];
    for (end, at) in ends {
        let smuggled = [b"a", end, b"MAIL FROM:<admin@example.com>\r\n"].concat();
        let shown = end.escape_ascii();
        let stream = [&smuggled[..], b".\r\n"].concat();
        let bytes = stream.chunks(1).collect::<Vec<_>>();
        let strict = read(DotStuffed::new(), 1000, &[&stream]);
        let told = format!("(RFC 5321, 2.3.8) at offset {at}");
        assert!(
            strict.len() == 1 && strict[0].ends_with(&told),
            "{shown}: {strict:?}"
        );
        assert_eq!(read(DotStuffed::new(), 1000, &bytes), strict);
        // Who lets them be sees one text, the true end of which is `\r\n.\r\n`.
        let bare = DotStuffed::new().bare_line_ends();
        let whole = read(bare, 1000, &[&stream]);
        let true_end = end.windows(5).position(|end| end == b"\r\n.\r\n");
        match true_end {
            Some(before) => assert_eq!(
                whole[0].len(),
                stream[..1 + before + 2].escape_ascii().count(),
                "{shown}"
            ),
            None => {
                // The dot that begins a line is the stuffing's, whatever follows it.
                let text = smuggled
                    .escape_ascii()
                    .to_string()
                    .replace("\\r\\n.\\", "\\r\\n\\");
                assert_eq!(whole, [text], "{shown}");
            }
        }
        assert_eq!(read(bare, 1000, &bytes), whole);
    }
}

/// A NUL ended the text for programs in C, and what was behind it went through unread.
#[test]
fn any_byte_but_cr_and_lf_is_text() {
    let all = (0..=255u8)
        .filter(|byte| !b"\r\n".contains(byte))
        .collect::<Vec<_>>();
    let stream = [&all[..], b"\r\n\0.\r\n.\r\n"].concat();
    let expected = [&all[..], b"\r\n\0.\r\n"]
        .concat()
        .escape_ascii()
        .to_string();
    assert_eq!(read(DotStuffed::new(), 1000, &[&stream]), [expected]);
}

/// The end was looked for in each chunk by itself, and a mail whose end was cut never ended.
#[test]
fn the_end_and_the_dots_may_be_cut_anywhere() {
    let stream = b"a\r\n..\r\n...b\r\n.\r\n.\r\n..\r\n.\r\n";
    let expected = ["a\\r\\n.\\r\\n..b\\r\\n", "", ".\\r\\n"];
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            let chunks = [&stream[..first], &stream[first..second], &stream[second..]];
            assert_eq!(
                read(DotStuffed::new(), 1000, &chunks),
                expected,
                "cut at {first} and {second}"
            );
        }
    }
}

/// A dot was taken out wherever a chunk began with one.
#[test]
fn a_dot_that_begins_a_chunk_begins_no_line() {
    assert_eq!(
        read(DotStuffed::new(), 100, &[b"a", b".b", b".\r\n", b".\r\n"]),
        ["a.b.\\r\\n"]
    );
}

#[test]
fn the_limit_is_on_the_text() {
    let stream = b"..\r\n..\r\n.\r\n";
    assert_eq!(read(DotStuffed::new(), 6, &[stream]), [".\\r\\n.\\r\\n"]);
    let too_long = "frame at offset 0 is longer than the limit of 5 bytes";
    assert_eq!(read(DotStuffed::new(), 5, &[stream]), [too_long]);
}

#[test]
fn a_mail_without_its_end_is_none() {
    let cut = "input ended inside the frame at offset 0, after 5 of its bytes";
    assert_eq!(read(DotStuffed::new(), 100, &[b"a\r\n.\r"]), [cut]);
    assert_eq!(read(DotStuffed::new(), 100, &[b".\r\n"]), [""]);
}

/// To refuse a mail that is too long, its end has to be found, or the next line of it is a command.
#[test]
fn what_follows_a_mail_that_is_too_long_is_not_in_it() {
    let mut reader = FrameReader::new(DotStuffed::new(), 10).tell_bad_frames();
    let mut seen = Vec::new();
    for chunk in b"a long mail\r\n..\r\nof two lines\r\n.\r\nok\r\n.\r\n".chunks(3) {
        let read = reader.push(chunk, |item| {
            seen.push(match item {
                Item::Refused { error, lost } => format!("{error} {lost}"),
                Item::Skipped { bytes, .. } => format!("skipped {bytes}"),
                item => item.frame().unwrap().escape_ascii().to_string(),
            });
            Flow::Continue
        });
        assert_eq!(read, Ok(Flow::Continue));
    }
    let refused = "frame at offset 0 is longer than the limit of 10 bytes false";
    assert_eq!(seen, [refused, "skipped 31", "ok\\r\\n"]);
}

#[test]
fn a_long_mail_comes_in_pieces_and_takes_no_memory() {
    let line = b"..a line of a long mail, with a dot in front of it\r\n";
    let stream = [&line.repeat(2000)[..], b".\r\n"].concat();
    let mut reader = FrameReader::new(DotStuffed::new(), usize::MAX).stream_above(0);
    let (mut text, mut ends) = (Vec::new(), 0);
    for chunk in stream.chunks(997) {
        let read = reader.push(chunk, |item| {
            let Item::Piece { bytes, last } = item else {
                panic!("{item:?}")
            };
            text.extend_from_slice(bytes);
            ends += usize::from(last);
            Flow::Continue
        });
        assert_eq!(read, Ok(Flow::Continue));
        assert!(reader.capacity() <= 4096, "{}", reader.capacity());
    }
    assert_eq!((text == line[1..].repeat(2000), ends), (true, 1));
}

#[test]
fn texts_that_would_be_read_as_others_are_not_written() {
    let writer = FrameWriter::new(DotStuffed::new(), 100).unwrap();
    let refused = |text: &[u8]| match writer.encode(text, &mut vec![]) {
        Err(FrameError::NotOneFrame { at, .. }) => at,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(b"no end"), 6);
    assert_eq!(refused(b"a\n.\r\nMAIL\r\n"), 1);
    assert_eq!(refused(b"a\r\nb\rc\r\n"), 4);
    let mut out = vec![];
    DotStuffed::new()
        .bare_line_ends()
        .encode(b"a\n.\r\n", &mut out)
        .unwrap();
    assert_eq!(out, b"a\n.\r\n.\r\n");
}

#[test]
fn mails_allocate_nothing_once_they_flow() {
    let mails = b"..dots\r\nand none\r\n.\r\nplain\r\n.\r\n".repeat(200);
    let reader = FrameReader::new(DotStuffed::new(), 1000);
    flowing::without_allocating(reader, &mails, 400);
}
