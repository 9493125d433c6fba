//! WebSocket: what RFC 6455 asks for, mistakes that others have made, and what it costs.

#[path = "support/counting.rs"]
mod counting;

use std::time::{Duration, Instant};

use soquete::framing::websocket::{
    self, BINARY, CLOSE, CONTINUATION, Close, Outgoing, PING, PONG, Refusal, TEXT, Upgrade,
};
use soquete::framing::{
    Encode, Flow, FrameError, FrameReader, FrameWriter, Item, Malformed, WebSocket,
};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Frames of a client.
fn masked(outgoing: Outgoing, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![];
    outgoing.masked(|| KEY).encode(payload, &mut frame).unwrap();
    frame
}

type Seen = Vec<(u8, Vec<u8>)>;

/// What comes out of the chunks, kinds and payloads, and how it ends.
fn push(reader: &mut FrameReader<WebSocket>, chunks: &[&[u8]]) -> (Seen, Result<(), FrameError>) {
    let mut seen = vec![];
    let outcome = chunks.iter().try_for_each(|chunk| {
        let read = reader.push_with(chunk, |item, reading| {
            match item {
                Item::Frame(bytes) | Item::Piece { bytes, .. } => {
                    seen.push((reading.kind(), bytes.to_vec()));
                }
                other => panic!("{other:?}"),
            }
            Flow::Continue
        });
        read.map(drop)
    });
    (seen, outcome)
}

/// What a client makes of a server's bytes, whole and byte by byte.
fn read(stream: &[u8]) -> (Seen, Result<(), FrameError>) {
    let reader = || FrameReader::new(WebSocket::client(), 1 << 20);
    let whole = push(&mut reader(), &[stream]);
    let bytes: Vec<_> = stream.chunks(1).collect();
    assert_eq!(push(&mut reader(), &bytes), whole);
    whole
}

/// The offset at which it is malformed, and the code that it is to be closed with.
fn refused(stream: &[u8]) -> (u64, u16) {
    match read(stream).1 {
        Err(error @ FrameError::Malformed { at, .. }) => (at, websocket::close_code(error)),
        other => panic!("{stream:?}: {other:?}"),
    }
}

fn close_code(error: Option<FrameError>) -> Option<u16> {
    error.map(websocket::close_code)
}

// What the RFC asks for.

#[test]
fn each_side_takes_the_other_sides_masks_and_no_others() {
    let frame = masked(Outgoing::text(), b"Hello");
    assert_eq!(frame, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    let mut server = FrameReader::new(WebSocket::server(), 100);
    assert_eq!(
        push(&mut server, &[&frame]),
        (vec![(TEXT, b"Hello".to_vec())], Ok(()))
    );
    let unmasked = push(&mut server, &[b"\x81\x05Hello"]).1.err();
    assert!(
        matches!(unmasked, Some(FrameError::Malformed { at: 12, .. })),
        "{unmasked:?}"
    );
    assert_eq!(close_code(unmasked), Some(1002));
    assert_eq!(refused(&frame), (1, 1002));
}

#[test]
fn reserved_bits_and_opcodes_are_errors_at_their_byte() {
    for first in 0..=255u8 {
        let (opcode, last, reserved) = (first & 0xf, first & 0x80 != 0, first & 0x70);
        let frame = [first, 0];
        let legal = reserved == 0 && matches!((opcode, last), (1 | 2, _) | (8..=10, true));
        match read(&frame).1 {
            Ok(()) => assert!(legal, "{first:x}"),
            Err(error) => {
                assert!(!legal, "{first:x}: {error}");
                assert!(
                    matches!(error, FrameError::Malformed { at: 0, .. }),
                    "{error}"
                );
                assert_eq!(websocket::close_code(error), 1002);
            }
        }
    }
}

#[test]
fn control_frames_are_short() {
    let longest = [&b"\x89\x7d"[..], &[b'p'; 125]].concat();
    assert_eq!(read(&longest).0, [(PING, vec![b'p'; 125])]);
    assert_eq!(refused(b"\x89\x7e\x00\x7e"), (1, 1002));
    assert_eq!(refused(b"\x8a\x7f"), (1, 1002));
}

#[test]
fn lengths_are_written_in_as_few_bytes_as_possible() {
    assert_eq!(refused(b"\x82\x7e\x00\x7d"), (2, 1002));
    assert_eq!(
        refused(b"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"),
        (2, 1002)
    );
    assert_eq!(
        read(&[&b"\x82\x7e\x00\x7e"[..], &[0; 126]].concat()).0,
        [(BINARY, vec![0; 126])]
    );
    let long = [
        &b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"[..],
        &[7; 65536],
    ]
    .concat();
    let mut reader = FrameReader::new(WebSocket::client(), 1 << 20);
    let chunks: Vec<_> = long.chunks(1000).collect();
    assert_eq!(push(&mut reader, &chunks).0, [(BINARY, vec![7; 65536])]);
}

#[test]
fn a_close_frame_has_a_code_that_may_be_sent_and_a_reason_in_utf_8() {
    let with = |payload: &[u8]| [&[0x88, payload.len() as u8], payload].concat();
    let code = |code: u16| with(&code.to_be_bytes());
    for good in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
        4999,
    ] {
        assert_eq!(read(&code(good)).0, [(CLOSE, good.to_be_bytes().to_vec())]);
    }
    for bad in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
    ] {
        assert_eq!(refused(&code(bad)), (3, 1002), "{bad}");
    }
    assert_eq!(read(&with(b"")).0, [(CLOSE, vec![])]);
    assert_eq!(refused(&with(b"\x03")), (1, 1002), "half a code");
    assert_eq!(refused(&with(b"\x03\xe8ok\xff!")), (6, 1007));
    assert_eq!(
        refused(&with(b"\x03\xe8\xe2\x82")),
        (6, 1007),
        "the reason ends inside a character"
    );
}

#[test]
fn text_is_refused_with_the_byte_that_makes_it_wrong_and_before_its_frame_has_ended() {
    let mut reader = FrameReader::new(WebSocket::client(), 100);
    // Of a frame of 50 bytes, that never come.
    assert_eq!(push(&mut reader, &[b"\x01\x32ab\xf4"]), (vec![], Ok(())));
    let error = push(&mut reader, &[b"\x90"]).1.unwrap_err();
    assert!(
        matches!(error, FrameError::Malformed { at: 5, .. }),
        "{error}"
    );
    assert_eq!(websocket::close_code(error), 1007);
}

#[test]
fn messages_and_control_frames_between_their_fragments_come_in_the_order_of_their_ends() {
    let (seen, end) = read(b"\x01\x03Hel\x89\x01p\x00\x00\x8a\x00\x80\x02lo\x82\x01b");
    let expected: Seen = vec![
        (PING, b"p".to_vec()),
        (PONG, vec![]),
        (TEXT, b"Hello".to_vec()),
        (BINARY, b"b".to_vec()),
    ];
    assert_eq!((seen, end), (expected, Ok(())));
}

#[test]
fn each_frame_can_be_an_item_and_text_is_checked_across_them_nevertheless() {
    let read = |stream: &[u8]| {
        push(
            &mut FrameReader::new(WebSocket::client().each_frame(), 100),
            &[stream],
        )
    };
    let (seen, end) = read(b"\x01\x01\xe2\x89\x00\x00\x01\x82\x80\x01\xac");
    let kinds: Vec<_> = seen.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(
        (kinds, end),
        (vec![TEXT, PING, CONTINUATION, CONTINUATION], Ok(()))
    );
    let (seen, end) = read(b"\x01\x01\xe2\x80\x01\x82");
    assert_eq!((seen.len(), close_code(end.err())), (1, Some(1007)));
    let mut reader = FrameReader::new(WebSocket::client().each_frame(), 100);
    assert_eq!(push(&mut reader, &[b"\x01\x01a"]).1, Ok(()));
    assert!(
        reader.partial().is_some(),
        "the rest of the message is waited for"
    );
    assert!(reader.finish(|_| Flow::Continue).is_err());
}

#[test]
fn limits_by_frame_by_message_and_by_number_are_answered_with_1009() {
    let format = WebSocket::client().max_frame(4).max_fragments(3);
    let end = |stream: &[u8]| push(&mut FrameReader::new(format, 10), &[stream]).1;
    assert_eq!(end(b"\x02\x04abcd\x00\x04efgh\x80\x02ij"), Ok(()));
    let above = [
        &b"\x82\x05"[..],
        b"\x02\x04abcd\x00\x04efgh\x80\x03",
        b"\x02\x00\x00\x00\x00\x00\x80\x00",
        b"\x02\x01a\x00\x01b\x00\x01c\x80\x01d",
    ];
    for stream in above {
        assert_eq!(close_code(end(stream).err()), Some(1009), "{stream:?}");
    }
    let mut reader =
        FrameReader::new(WebSocket::client().max_fragments(u32::MAX), 10).max_empty_parts(5);
    let end = push(&mut reader, &[b"\x02\x00", &[0; 12]]).1;
    assert_eq!(close_code(end.err()), Some(1009), "whoever counts");
}

#[test]
fn long_messages_come_in_pieces_and_what_stands_between_them_whole() {
    let mut reader = FrameReader::new(WebSocket::server(), usize::MAX).stream_above(3);
    let stream = [
        masked(Outgoing::binary().unfinished(), b"abcdef"),
        masked(Outgoing::ping(), b"pingpong"),
        masked(Outgoing::continuation(), b"ghi"),
    ]
    .concat();
    let chunks: Vec<_> = stream.chunks(5).collect();
    let (seen, end) = push(&mut reader, &chunks);
    let of = |kind| {
        seen.iter()
            .filter(|(of, _)| *of == kind)
            .map(|(_, bytes)| &bytes[..])
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (of(BINARY).concat(), of(PING), end),
        (b"abcdefghi".to_vec(), vec![&b"pingpong"[..]], Ok(()))
    );
    assert!(of(BINARY).len() > 2, "{seen:?}");
}

#[test]
fn a_writer_makes_frames_that_the_other_side_reads_and_no_others() {
    let text = FrameWriter::new(Outgoing::text(), 1 << 20).unwrap();
    assert!(text.wrap(b"\xff").is_err());
    assert!(FrameWriter::new(Outgoing::ping(), 126).is_err());
    let mut stream = vec![];
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
        let payload = vec![b'x'; len];
        text.encode(&payload, &mut stream).unwrap();
        let mut reader = FrameReader::new(WebSocket::client(), 1 << 20);
        assert_eq!(push(&mut reader, &[&stream]).0, [(TEXT, payload.clone())]);
        let mut reader = FrameReader::new(WebSocket::server(), 1 << 20);
        let frame = masked(Outgoing::binary(), &payload);
        assert_eq!(push(&mut reader, &[&frame]).0, [(BINARY, payload)]);
        stream.clear();
    }
}

// Mistakes of others.

/// noPoll #84, baresip/re #1584 and gorilla/websocket (CVE-2020-27813) added to such a length, or took it for a
/// negative one.
#[test]
fn a_length_of_64_bits_is_no_overflow() {
    let top_bit = b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00";
    assert_eq!(refused(top_bit), (2, 1002));
    assert_eq!(
        refused(b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xfc"),
        (2, 1002)
    );
    let mut reader = FrameReader::new(WebSocket::client(), usize::MAX);
    let longest = b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff";
    let error = push(&mut reader, &[longest]).1.unwrap_err();
    assert!(
        matches!(
            error,
            FrameError::TooLong {
                declared: Some(0x7fff_ffff_ffff_ffff),
                ..
            }
        ),
        "{error}"
    );
    let mut reader = FrameReader::new(WebSocket::client(), usize::MAX);
    let sum = [&b"\x02\x01a\x80\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"[..]];
    assert_eq!(close_code(push(&mut reader, &sum).1.err()), Some(1009));
}

/// CWIST #119, rigplane-core #945: 4 GiB were allocated for a head of 14 bytes.
#[test]
fn a_promise_allocates_nothing() {
    let mut reader = FrameReader::new(WebSocket::server(), 1 << 32);
    let head = b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00keyskeys";
    assert_eq!(push(&mut reader, &[head]).1, Ok(()));
    assert!(reader.capacity() <= 128, "{}", reader.capacity());
}

/// CWIST #161: each frame had a limit, and the message had none.
#[test]
fn a_message_of_many_frames_has_a_limit() {
    let mut reader = FrameReader::new(WebSocket::client(), 1000);
    let parts = [&b"\x02\x64"[..], &[b'a'; 100]].concat();
    assert_eq!(push(&mut reader, &[&parts]).1, Ok(()));
    let more = [&b"\x00\x64"[..], &[b'a'; 100]].concat();
    let sent = (1..).find(|_| push(&mut reader, &[&more]).1.is_err());
    assert_eq!(sent, Some(10));
}

/// ws #2329: empty fragments were not counted, and kept the parser busy for ever.
#[test]
fn empty_fragments_are_counted() {
    let mut reader = FrameReader::new(WebSocket::client(), 1000);
    assert_eq!(push(&mut reader, &[b"\x02\x01a"]).1, Ok(()));
    let empty = [0; 2048];
    let sent = (1..1000).find(|_| push(&mut reader, &[&empty]).1.is_err());
    assert_eq!(sent, Some(128), "131,072 fragments");
}

/// ws #2331: each fragment of one byte was kept as an object of 128.
#[test]
fn fragments_of_a_byte_take_a_byte() {
    let mut reader = FrameReader::new(WebSocket::client(), 1 << 20);
    let fragments = b"\x00\x01a".repeat(100_000);
    assert_eq!(push(&mut reader, &[b"\x02\x01a", &fragments]).1, Ok(()));
    assert!(reader.capacity() < 300_000, "{}", reader.capacity());
}

/// embedded-websocket #31, mio_httpc #20: a ping between two fragments became a part of the message.
#[test]
fn a_ping_between_two_fragments_is_no_part_of_the_message() {
    let (seen, _) = read(b"\x01\x05hello\x89\x00\x80\x05world");
    assert_eq!(seen, [(PING, vec![]), (TEXT, b"helloworld".to_vec())]);
}

/// tetsuo-pulse #3473: a continuation of nothing was delivered, and its text was not checked.
#[test]
fn a_continuation_of_nothing_is_an_error() {
    assert_eq!(refused(b"\x00\x02\xff\xfe"), (0, 1002));
    assert_eq!(
        refused(b"\x81\x01a\x80\x00"),
        (3, 1002),
        "the message has ended"
    );
}

/// tinymux #1886: a new message threw away the one that was open.
#[test]
fn a_message_inside_another_is_an_error() {
    assert_eq!(refused(b"\x01\x01a\x81\x01b"), (3, 1002));
    assert_eq!(refused(b"\x02\x01a\x89\x00\x02\x01b"), (5, 1002));
}

/// ballerina-lang #12695: characters that were cut by fragments came out as others.
#[test]
fn a_character_may_be_cut_by_fragments_anywhere() {
    let text = "κόσμε 🦀";
    let mut stream = b"\x01\x00".to_vec();
    for byte in text.bytes() {
        stream.extend([0, 1, byte, 0x8a, 0]);
    }
    stream.extend([0x80, 0]);
    let (seen, end) = read(&stream);
    assert_eq!(
        (seen.last(), end),
        (Some(&(TEXT, text.as_bytes().to_vec())), Ok(()))
    );
}

/// The mask of a frame goes on where it was however its bytes come, and the next one's begins anew.
#[test]
fn masks_go_on_across_chunks_and_begin_anew_with_each_frame() {
    let payloads: [&[u8]; 4] = [b"abcdefg", b"", b"hijkl", &[0x55; 300]];
    let stream: Vec<_> = payloads
        .iter()
        .flat_map(|payload| masked(Outgoing::binary(), payload))
        .collect();
    for size in 1..40 {
        let mut reader = FrameReader::new(WebSocket::server(), 1000);
        let chunks: Vec<_> = stream.chunks(size).collect();
        let (seen, _) = push(&mut reader, &chunks);
        assert!(
            seen.iter().map(|(_, bytes)| &bytes[..]).eq(payloads),
            "in chunks of {size}"
        );
    }
}

/// ws (CVE-2021-32640): the value of a field took time that grew with the square of its length.
#[test]
fn a_long_field_takes_time_in_proportion() {
    let checked = |value: &[u8]| {
        let start = Instant::now();
        let fields = [(&b"Sec-WebSocket-Protocol"[..], value)];
        assert!(Upgrade::check("GET", (1, 1), fields).is_err());
        start.elapsed()
    };
    for long in [
        "a,".repeat(500_000),
        " ,".repeat(500_000),
        format!("b{}x", " ".repeat(1_000_000)),
    ] {
        assert!(checked(long.as_bytes()) < Duration::from_secs(2));
    }
}

// What it costs.

#[test]
fn frames_allocate_nothing_once_the_reader_has_its_buffer() {
    let mut stream = vec![];
    for len in [0, 1, 64, 125, 1000, 5000] {
        stream.extend(masked(Outgoing::text(), &vec![b'x'; len]));
        stream.extend(masked(Outgoing::binary().unfinished(), &vec![b'y'; len]));
        stream.extend(masked(Outgoing::ping(), b"are you there?"));
        stream.extend(masked(Outgoing::continuation(), &vec![b'z'; len]));
    }
    for size in [stream.len(), 1500, 7] {
        let mut reader = FrameReader::new(WebSocket::server(), 1 << 14);
        let mut bytes = 0;
        let mut pass = || {
            for chunk in stream.chunks(size) {
                let read = reader.push(chunk, |item| {
                    bytes += item.frame().map_or(0, <[u8]>::len);
                    Flow::Continue
                });
                assert_eq!(read, Ok(Flow::Continue));
            }
        };
        pass();
        let before = counting::so_far();
        for _ in 0..100 {
            pass();
        }
        assert_eq!(counting::since(before).times, 0, "in chunks of {size}");
    }
}

// The handshake.

const FIELDS: [(&[u8], &[u8]); 5] = [
    (b"Host", b"localhost"),
    (b"Upgrade", b"WebSocket"),
    (b"Connection", b"keep-alive, Upgrade"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"Sec-WebSocket-Version", b"13"),
];

type Field = (&'static [u8], &'static [u8]);

fn check(method: &str, version: (u8, u8), fields: &[Field]) -> Result<&'static str, u16> {
    match Upgrade::check(method, version, fields.iter().copied()) {
        Ok(upgrade) => Ok(upgrade.key()),
        Err(Refusal { status, .. }) => Err(status),
    }
}

/// The fields, with one of them taken out, and others put in.
fn changed(without: &str, with: &[Field]) -> Vec<Field> {
    let kept = FIELDS
        .iter()
        .filter(|(name, _)| *name != without.as_bytes());
    kept.chain(with).copied().collect()
}

#[test]
fn an_upgrade_that_is_right_is_granted() {
    assert_eq!(
        check("GET", (1, 1), &FIELDS),
        Ok("dGhlIHNhbXBsZSBub25jZQ==")
    );
    let split = changed(
        "Connection",
        &[
            (b"CONNECTION", b"keep-alive"),
            (b"connection", b"\tupgrade "),
        ],
    );
    assert!(
        check("GET", (1, 1), &split).is_ok(),
        "a list may stand in several fields"
    );
    let empty = changed(
        "",
        &[
            (b"Content-Length", b"0"),
            (b"Cookie", b"\xff"),
            (b"Sec-WebSocket-Extensions", b"x"),
        ],
    );
    assert!(check("GET", (1, 1), &empty).is_ok());
}

#[test]
fn an_upgrade_that_is_wrong_is_refused_with_the_status_for_it() {
    let wrong: [(u16, Vec<Field>); 13] = [
        (426, changed("Upgrade", &[])),
        (426, changed("Upgrade", &[(b"Upgrade", b"h2c")])),
        (426, changed("Connection", &[(b"Connection", b"close")])),
        (
            426,
            changed("Sec-WebSocket-Version", &[(b"Sec-WebSocket-Version", b"8")]),
        ),
        (426, changed("Sec-WebSocket-Version", &[])),
        (
            400,
            changed(
                "Sec-WebSocket-Version",
                &[
                    (b"Sec-WebSocket-Version", b"13"),
                    (b"sec-websocket-version", b"13"),
                ],
            ),
        ),
        (400, changed("Sec-WebSocket-Key", &[])),
        (
            400,
            changed(
                "Sec-WebSocket-Key",
                &[(b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ")],
            ),
        ),
        (
            400,
            changed("", &[(b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")]),
        ),
        (400, changed("Host", &[])),
        (400, changed("", &[(b"host", b"other")])),
        (400, changed("", &[(b"Content-Length", b"5")])),
        (400, changed("", &[(b"Transfer-Encoding", b"chunked")])),
    ];
    for (status, fields) in wrong {
        assert_eq!(check("GET", (1, 1), &fields), Err(status), "{fields:?}");
    }
    assert_eq!(check("POST", (1, 1), &FIELDS), Err(405));
    assert_eq!(check("GET", (1, 0), &FIELDS), Err(426));
}

/// A finding of the fuzzer's: of two fields of one name, the first being no text, the second counted here, and the
/// first elsewhere.
#[test]
fn what_a_handshake_depends_on_is_text() {
    let origins: [Field; 2] = [(b"Origin", b"https://\xff"), (b"Origin", b"https://a")];
    assert_eq!(check("GET", (1, 1), &changed("", &origins)), Err(400));
    for name in [
        &b"host"[..],
        b"upgrade",
        b"connection",
        b"content-length",
        b"transfer-encoding",
        b"origin",
        b"sec-websocket-protocol",
    ] {
        let fields = changed("", &[(name, b"\xff")]);
        assert_eq!(check("GET", (1, 1), &fields), Err(400), "{fields:?}");
    }
}

#[test]
fn a_subprotocol_is_one_of_those_that_were_named() {
    let named = |values: &[&'static [u8]]| {
        let fields: Vec<Field> = values
            .iter()
            .map(|value| (&b"Sec-WebSocket-Protocol"[..], *value))
            .collect();
        let fields = changed("", &fields);
        let upgrade = Upgrade::check("GET", (1, 1), fields).map_err(|refusal| refusal.status)?;
        Ok(upgrade.protocols().collect::<Vec<_>>())
    };
    assert_eq!(
        named(&[b"chat, v2.chat", b"x"]),
        Ok(vec!["chat", "v2.chat", "x"])
    );
    assert_eq!(named(&[b" ,chat,,"]), Ok(vec!["chat"]));
    assert_eq!(named(&[b"chat, chat"]), Err(400));
    assert_eq!(named(&[b"chat", b"chat"]), Err(400));
    assert_eq!(named(&[b"no token"]), Err(400));
    assert_eq!(
        named(&[b"a", b"b", b"c", b"d", b"e"]),
        Err(400),
        "who needs so many fields"
    );
}

#[test]
fn a_client_takes_the_answer_to_its_own_key_only() {
    let key = websocket::client_key(*b"sixteen bytes...");
    let fields = changed("Sec-WebSocket-Key", &[]);
    let request = [&fields[..], &[(b"Sec-WebSocket-Key", key.as_bytes())]].concat();
    let upgrade = Upgrade::check("GET", (1, 1), request).unwrap();
    let answer = upgrade.answer(Some("chat"));
    let fields = || {
        let lines = answer
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    };
    let what = |refusal: Refusal| refusal.what;
    assert_eq!(
        websocket::check_answer(101, fields(), &key, &["chat"]),
        Ok(Some("chat"))
    );
    assert!(
        websocket::check_answer(101, fields(), &key, &[])
            .map_err(what)
            .unwrap_err()
            .contains("subprotocol")
    );
    assert!(websocket::check_answer(200, fields(), &key, &["chat"]).is_err());
    let other = websocket::client_key([0; 16]);
    assert!(
        websocket::check_answer(101, fields(), &other, &["chat"])
            .map_err(what)
            .unwrap_err()
            .contains("key")
    );
    let extended = fields().chain([(&b"Sec-WebSocket-Extensions"[..], &b"permessage-deflate"[..])]);
    assert!(
        websocket::check_answer(101, extended, &key, &["chat"])
            .map_err(what)
            .unwrap_err()
            .contains("extension")
    );
}

#[test]
fn what_a_close_says_is_found_out_again() {
    assert!(Close::parse(b"\x03").is_err_and(|Malformed { at, .. }| at == 0));
    let payload = Close {
        code: Close::TOO_BIG,
        reason: "9,000 bytes",
    }
    .to_payload()
    .unwrap();
    let (seen, _) = read(&[&[0x88, payload.len() as u8], &payload[..]].concat());
    let close = Close::parse(&seen[0].1).unwrap().unwrap();
    assert_eq!((close.code, close.reason), (1009, "9,000 bytes"));
}
