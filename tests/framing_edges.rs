//! What formats do at their edges: limits, the end of the input, empty frames.

use soquete::framing::{
    Cobs, Delimiters, FixedLength, Flow, Format, FrameError, FrameReader, FrameWriter, Item, Json,
    LengthPrefix, Lines, Netstring, Proxied, Proxy, ProxyHeader, RecordMark, VarintPrefix,
};

/// What a reader makes of chunks and of the end behind them.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Frame(Vec<u8>),
    Piece(Vec<u8>, bool),
    Skipped(u64, FrameError),
    Error(FrameError),
}

fn frame(bytes: &[u8]) -> Seen {
    Seen::Frame(bytes.to_vec())
}

fn piece(bytes: &[u8], last: bool) -> Seen {
    Seen::Piece(bytes.to_vec(), last)
}

fn truncated(at: u64, have: u64) -> Seen {
    Seen::Error(FrameError::Truncated { at, have })
}

fn too_long(at: u64, limit: usize, declared: Option<u64>) -> FrameError {
    FrameError::TooLong {
        at,
        limit,
        declared,
    }
}

fn read<F: Format>(mut reader: FrameReader<F>, chunks: &[&[u8]]) -> Vec<Seen> {
    let mut seen = vec![];
    let mut note = |item: Item<'_>| {
        seen.push(match item {
            Item::Frame(bytes) => frame(bytes),
            Item::Piece { bytes, last } => piece(bytes, last),
            Item::Skipped { bytes, error } => Seen::Skipped(bytes, error),
            other => panic!("{other:?} was not asked for"),
        });
        Flow::Continue
    };
    let outcome = chunks
        .iter()
        .try_for_each(|chunk| reader.push(chunk, &mut note).map(drop))
        .and_then(|()| reader.finish(&mut note).map(drop));
    seen.extend(outcome.err().map(Seen::Error));
    seen
}

// Length prefixes.

#[test]
fn a_length_above_the_limit_fails_before_its_payload_arrives() {
    let reader = FrameReader::new(LengthPrefix::u32_be(), 8);
    let error = too_long(5, 8, Some(9));
    assert_eq!(
        read(reader, &[b"\0\0\0\x01a\0\0\0\x09"]),
        [frame(b"a"), Seen::Error(error)]
    );
}

#[test]
fn a_frame_that_is_skipped_is_told_of_once_and_the_next_one_is_read() {
    let reader = FrameReader::new(LengthPrefix::u8(), 2).skip_bad_frames();
    let skipped = Seen::Skipped(5, too_long(0, 2, Some(5)));
    assert_eq!(
        read(reader, &[b"\x05he", b"ll", b"o\x02ok"]),
        [skipped, frame(b"ok")]
    );
}

#[test]
fn an_empty_frame_is_a_frame() {
    let reader = FrameReader::new(LengthPrefix::u16_le(), 0);
    assert_eq!(read(reader, &[b"\0\0\0\0"]), [frame(b""), frame(b"")]);
}

#[test]
fn input_that_ends_inside_a_frame_is_truncated() {
    let reader = || FrameReader::new(LengthPrefix::u16_be(), 100);
    assert_eq!(
        read(reader(), &[b"\0\x01a\0\x05he"]),
        [frame(b"a"), truncated(3, 4)]
    );
    assert_eq!(
        read(reader(), &[b"\0\x01a\0"]),
        [frame(b"a"), truncated(3, 1)]
    );
    assert_eq!(read(reader(), &[b"\0\x01a"]), [frame(b"a")]);
    assert_eq!(read(reader(), &[]), []);
}

#[test]
fn a_long_frame_comes_in_pieces_if_asked_for() {
    let reader = FrameReader::new(LengthPrefix::u8(), 100).stream_above(3);
    assert_eq!(
        read(reader, &[b"\x03abc\x05d", b"", b"ef", b"gh\x01i"]),
        [
            frame(b"abc"),
            piece(b"d", false),
            piece(b"ef", false),
            piece(b"gh", true),
            frame(b"i")
        ]
    );
}

#[test]
fn pieces_of_a_frame_that_the_input_cuts_short_have_no_last_one() {
    let reader = FrameReader::new(LengthPrefix::u8(), 100).stream_above(0);
    assert_eq!(
        read(reader, &[b"\x05abc"]),
        [piece(b"abc", false), truncated(0, 4)]
    );
}

// Varint prefixes.

#[test]
fn a_varint_prefix_has_the_limit_of_its_payload() {
    let frames = [&b"\x80\x01"[..], &[b'v'; 128]].concat();
    let reader = |limit| FrameReader::new(VarintPrefix::new(), limit);
    assert_eq!(read(reader(128), &[&frames]), [frame(&[b'v'; 128])]);
    let error = too_long(0, 127, Some(128));
    assert_eq!(read(reader(127), &[&frames]), [Seen::Error(error)]);
    assert_eq!(read(reader(127), &[b"\x80"]), [truncated(0, 1)]);
}

// Lines.

#[test]
fn a_line_above_the_limit_fails_as_soon_as_that_is_certain() {
    let mut reader = FrameReader::new(Lines::new(), 3);
    assert_eq!(
        reader.push(b"abc\r", |_| Flow::Continue),
        Ok(Flow::Continue)
    );
    let error = too_long(0, 3, None);
    assert_eq!(reader.push(b"d", |_| Flow::Continue), Err(error));
}

#[test]
fn a_line_that_is_skipped_is_told_of_once_and_the_next_one_is_read() {
    let reader = FrameReader::new(Lines::new(), 3).skip_bad_frames();
    let skipped = Seen::Skipped(10, too_long(0, 3, None));
    let chunks: [&[u8]; 5] = [b"long", b" ", b"line!\r", b"\n", b"ok\n"];
    assert_eq!(read(reader, &chunks), [skipped, frame(b"ok")]);
}

#[test]
fn a_line_without_its_end_is_an_error_unless_remainders_are_lines() {
    let strict = FrameReader::new(Lines::new(), 10);
    assert_eq!(read(strict, &[b"a\nlast"]), [frame(b"a"), truncated(2, 4)]);
    let lenient = || FrameReader::new(Lines::new().remainder_at_end(), 10);
    assert_eq!(
        read(lenient(), &[b"a\nlast"]),
        [frame(b"a"), frame(b"last")]
    );
    assert_eq!(
        read(lenient(), &[b"a\nlast\r"]),
        [frame(b"a"), frame(b"last\r")]
    );
    assert_eq!(
        read(lenient(), &[b"a\n"]),
        [frame(b"a")],
        "nothing is no line"
    );
}

#[test]
fn empty_lines_are_lines_unless_they_are_skipped() {
    let reader = FrameReader::new(Lines::new(), 10);
    assert_eq!(
        read(reader, &[b"\n\r\na\n"]),
        [frame(b""), frame(b""), frame(b"a")]
    );
    let reader = FrameReader::new(Lines::ndjson(), 10);
    assert_eq!(
        read(reader, &[b"\n\r\n{}\n\n[]"]),
        [frame(b"{}"), frame(b"[]")]
    );
}

#[test]
fn a_long_line_comes_in_pieces_before_its_end_is_known() {
    let reader = FrameReader::new(Lines::new(), 100).stream_above(4);
    assert_eq!(
        read(reader, &[b"four\nlonger", b" than\r", b"\nx\n"]),
        [
            frame(b"four"),
            piece(b"longer", false),
            piece(b" than", false),
            piece(b"", true),
            frame(b"x")
        ]
    );
}

// Delimiters.

#[test]
fn a_delimiter_may_be_cut_anywhere() {
    let format = Delimiters::new(&[b"\r\n.\r\n"]).unwrap();
    for cut in 0..=8 {
        let (one, two) = b"a\r\n.\r\nb".split_at(cut.min(7));
        let reader = FrameReader::new(format.clone().remainder_at_end(), 1);
        assert_eq!(
            read(reader, &[one, two]),
            [frame(b"a"), frame(b"b")],
            "cut at {cut}"
        );
    }
}

#[test]
fn what_may_yet_be_a_delimiter_does_not_count_against_the_limit() {
    let format = Delimiters::new(&[b"--end"]).unwrap();
    let mut reader = FrameReader::new(format, 2);
    assert_eq!(
        reader.push(b"ab--en", |_| Flow::Continue),
        Ok(Flow::Continue)
    );
    let error = too_long(0, 2, None);
    assert_eq!(reader.push(b"t", |_| Flow::Continue), Err(error));
}

#[test]
fn input_that_ends_without_a_delimiter_is_truncated_and_empty_frames_are_frames() {
    let format = Delimiters::new(&[b";", b",", b";;"]).unwrap();
    let reader = FrameReader::new(format, 10);
    let seen = [frame(b""), frame(b""), frame(b"a"), truncated(5, 1)];
    assert_eq!(read(reader, &[b";;,a;b"]), seen);
}

// Fixed length.

#[test]
fn frames_of_a_fixed_length_end_with_the_input_or_are_truncated() {
    let format = FixedLength::new(3).unwrap();
    let reader = || FrameReader::new(format, 3);
    assert_eq!(
        read(reader(), &[b"abcd", b"ef"]),
        [frame(b"abc"), frame(b"def")]
    );
    assert_eq!(read(reader(), &[b"abcd"]), [frame(b"abc"), truncated(3, 1)]);
    let error = too_long(0, 2, Some(3));
    assert_eq!(
        read(FrameReader::new(format, 2), &[b"a"]),
        [Seen::Error(error)]
    );
}

// Netstrings.

#[test]
fn a_netstring_is_refused_at_the_byte_that_is_wrong() {
    let reader = || FrameReader::new(Netstring::new(), 10);
    let malformed = |at, what| Seen::Error(FrameError::Malformed { at, what });
    assert_eq!(read(reader(), &[b"0:,2:ab,"]), [frame(b""), frame(b"ab")]);
    let comma = malformed(7, "netstring without its comma");
    assert_eq!(read(reader(), &[b"0:,2:ab;"]), [frame(b""), comma]);
    assert_eq!(
        read(reader(), &[b"05:"]),
        [malformed(0, "netstring length with a leading zero")]
    );
    assert_eq!(read(reader(), &[b"2:ab"]), [truncated(0, 4)]);
    assert_eq!(
        read(reader(), &[b"11:"]),
        [Seen::Error(too_long(0, 10, Some(11)))]
    );
}

// COBS.

#[test]
fn cobs_has_the_limit_of_the_decoded_payload_and_finds_the_next_frame_after_a_bad_one() {
    let reader = |limit| FrameReader::new(Cobs::new(), limit);
    assert_eq!(
        read(reader(2), &[b"\x03ab\0\0\x01\0"]),
        [frame(b"ab"), frame(b"")]
    );
    assert_eq!(
        read(reader(1), &[b"\x03ab\0"]),
        [Seen::Error(too_long(0, 1, None))]
    );
    let what = "COBS code that points behind the end";
    let skipped = Seen::Skipped(3, FrameError::Malformed { at: 0, what });
    assert_eq!(
        read(reader(9).skip_bad_frames(), &[b"\x09ab\0\x02c\0"]),
        [skipped, frame(b"c")]
    );
    assert_eq!(read(reader(9), &[b"\x03ab"]), [truncated(0, 3)]);
}

// JSON.

#[test]
fn json_values_end_where_they_end_and_an_open_one_is_truncated() {
    let reader = || FrameReader::new(Json::new(), 20);
    let values = [
        frame(b"{\"a\":[1]}"),
        frame(b"[]"),
        frame(b"12"),
        frame(b"\"s\""),
    ];
    assert_eq!(
        read(reader(), &[b"{\"a\":", b"[1]}[]\n1", b"2 \"s\" \n"]),
        values
    );
    assert_eq!(read(reader(), &[b" [1, "]), [truncated(1, 4)]);
    assert_eq!(read(reader(), &[b"tru", b"e"]), [frame(b"true")]);
}

#[test]
fn many_small_json_values_do_not_add_up_to_the_limit() {
    let reader = FrameReader::new(Json::new(), 2);
    assert_eq!(read(reader, &[&b"{}".repeat(1000)]).len(), 1000);
}

// Record marking.

#[test]
fn the_fragments_of_a_record_share_one_limit() {
    let reader = |limit| FrameReader::new(RecordMark, limit);
    let stream = b"\0\0\0\x02ab\0\0\0\0\x80\0\0\x01c\x80\0\0\0";
    assert_eq!(read(reader(3), &[stream]), [frame(b"abc"), frame(b"")]);
    let error = too_long(0, 2, Some(3));
    assert_eq!(read(reader(2), &[stream]), [Seen::Error(error)]);
    let skipped = Seen::Skipped(3, error);
    assert_eq!(
        read(reader(2).skip_bad_frames(), &[stream]),
        [skipped, frame(b"")]
    );
    let pieces = [piece(b"ab", false), piece(b"c", true), frame(b"")];
    assert_eq!(read(reader(3).stream_above(1), &[stream]), pieces);
    assert_eq!(read(reader(9), &[b"\0\0\0\x02ab"]), [truncated(0, 6)]);
}

// PROXY protocol.

#[test]
fn a_proxy_header_is_refused_at_the_first_byte_that_is_not_one() {
    let mut reader = FrameReader::new(Proxy::new(), Proxy::LONGEST);
    let error = FrameError::Malformed {
        at: 0,
        what: "no PROXY header",
    };
    assert_eq!(reader.push(b"G", |_| Flow::Continue), Err(error));
    let mut reader = FrameReader::new(Proxy::new(), Proxy::LONGEST);
    let error = FrameError::Malformed {
        at: 4,
        what: "no PROXY header",
    };
    assert_eq!(reader.push(b"PROXX", |_| Flow::Continue), Err(error));
}

#[test]
fn a_proxy_line_ends_with_crlf_within_107_bytes() {
    let line = |len: usize| [&b"PROXY UNKNOWN "[..], &vec![b'x'; len - 16], b"\r\n"].concat();
    let reader = || FrameReader::new(Proxy::new(), Proxy::LONGEST);
    assert_eq!(read(reader(), &[&line(107)]), [frame(&line(107))]);
    assert!(matches!(
        read(reader(), &[&line(108)])[..],
        [Seen::Error(FrameError::Malformed { .. })]
    ));
    let what = "PROXY line that does not end with CRLF";
    let error = Seen::Error(FrameError::Malformed { at: 13, what });
    assert_eq!(read(reader(), &[b"PROXY UNKNOWN\nGET"]), [error]);
}

/// "The receiver must ignore anything presented before the CRLF is found."
#[test]
fn a_proxy_line_of_an_unknown_protocol_may_have_any_byte_in_it() {
    let line = b"PROXY UNKNOWN a\nb\rc\r\r\n";
    for cut in 0..line.len() {
        let reader = FrameReader::new(Proxy::new(), Proxy::LONGEST);
        let seen = read(reader, &[&line[..cut], &line[cut..], b"PROXY UNKNOWN\r\n"]);
        assert_eq!(
            seen,
            [frame(line), frame(b"PROXY UNKNOWN\r\n")],
            "cut at {cut}"
        );
    }
    assert_eq!(ProxyHeader::parse(line).unwrap().proxied, Proxied::Unknown);
    let truncated = Seen::Error(FrameError::Truncated { at: 0, have: 16 });
    let reader = FrameReader::new(Proxy::new(), Proxy::LONGEST);
    assert_eq!(read(reader, &[b"PROXY UNKNOWN a\n"]), [truncated]);
}

/// "… and discard the protocol block including the family which is ignored."
#[test]
fn a_proxy_that_speaks_for_itself_may_do_so_in_any_family() {
    for (command, family, len) in [(0x20, 0x41, 5), (0x20, 0xff, 0), (0x20, 0x11, 3)] {
        let head = [command, family, 0, len];
        let header = [
            b"\r\n\r\n\0\r\nQUIT\n",
            &head[..],
            &[7; 5][..usize::from(len)],
        ]
        .concat();
        let reader = FrameReader::new(Proxy::new(), Proxy::LONGEST);
        assert_eq!(read(reader, &[&header]), [frame(&header)]);
        assert_eq!(ProxyHeader::parse(&header).unwrap().proxied, Proxied::Local);
    }
    let reader = FrameReader::new(Proxy::new(), Proxy::LONGEST);
    let what = "PROXY header of an unknown family";
    let error = Seen::Error(FrameError::Malformed { at: 13, what });
    let proxied = b"\r\n\r\n\0\r\nQUIT\n\x21\x41\0\0";
    assert_eq!(read(reader, &[proxied]), [error], "of another's connection");
}

#[test]
fn what_a_proxy_header_says_is_checked_before_it_is_handed_out() {
    let bad = [
        "PROXY TCP4 1.2.3.4 5.6.7.8 80\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 80 081\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 80 65536\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 80 +81\r\n",
        "PROXY TCP4 ::1 5.6.7.8 80 81\r\n",
        "PROXY TCP6 1.2.3.4 ::1 80 81\r\n",
        "PROXY TCP4 1.2.3.4  5.6.7.8 80 81\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 80 81 \r\n",
        "PROXY UDP4 1.2.3.4 5.6.7.8 80 81\r\n",
        "PROXY \r\n",
    ];
    for line in bad {
        let reader = FrameReader::new(Proxy::new(), Proxy::LONGEST);
        let seen = read(reader, &[line.as_bytes()]);
        assert!(
            matches!(seen[..], [Seen::Error(FrameError::Malformed { .. })]),
            "{line}: {seen:?}"
        );
    }
    assert!(ProxyHeader::parse(b"PROXY UNKNOWN\r\n").is_ok());
    assert!(ProxyHeader::parse(b"anything").is_err());
    assert!(ProxyHeader::parse(b"").is_err());
}

// Writers.

#[test]
fn a_writer_refuses_a_limit_that_its_format_cannot_say() {
    assert!(FrameWriter::new(LengthPrefix::u8(), 255).is_ok());
    let error = FrameWriter::new(LengthPrefix::u8(), 256).unwrap_err();
    assert_eq!(error, FrameError::Unrepresentable { len: 256, max: 255 });
    assert!(FrameWriter::new(RecordMark, (1 << 31) - 1).is_ok());
    assert!(FrameWriter::new(RecordMark, 1 << 31).is_err());
}
