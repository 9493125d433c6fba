//! The seed corpus, by hand: small streams with something at every edge.

pub(super) type Seed = (String, Vec<u8>);

/// The seeds of `target`, by name.
pub(super) fn of(target: &str) -> Vec<Seed> {
    match target {
        "framing_length" => lengths(),
        "framing_varint" => streams(
            &[0, 1],
            &[
                ("short", b"\x00\x01a\x03abc"),
                ("ten_bytes", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
                (
                    "eleven_bytes",
                    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
                ),
                ("overlong", b"\x83\x80\x00abc\x01z"),
                (
                    "two_bytes",
                    &[&[0x80, 0x01][..], &[b'v'; 128], b"\x00"].concat(),
                ),
            ],
        ),
        "framing_lines" => streams(
            &[0, 1, 2, 32, 33, 34, 64, 98],
            &[
                ("ends", b"a\nbc\r\n\r\n\nlast"),
                ("carriage_returns", b"a\r\r\nb\rc\r\n\r"),
                ("long", b"short\nlonger than the limit\r\nok\n"),
            ],
        ),
        "framing_delimiters" => streams(
            &[0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 12],
            &[
                ("line_ends", b"a\r\nb\rc\n\n.\n\r\n.\r\nx"),
                ("letters", b"aaabababcabcdbccddaaaaaaaabxaaaaaaa"),
            ],
        ),
        "framing_fixed" => streams(&[1, 3, 200], &[("bytes", b"abcdefgh"), ("none", b"")]),
        "framing_netstring" => streams(
            &[0],
            &[
                ("good", b"0:,1:a,5:hello,12:hello, world,"),
                ("long", b"40:0123456789012345678901234567890123456789,1:a,"),
                ("zero", b"00:,"),
                ("comma", b"2:ab;"),
                ("huge", b"18446744073709551616:"),
                ("most", b"18446744073709551615:x"),
            ],
        ),
        "framing_cobs" => streams(
            &[0],
            &[
                ("good", b"\x01\x00\x03\x11\x22\x02\x33\x00\x01\x01\x00"),
                ("noise", b"\x00\x00\x02a\x00\x00"),
                ("damaged", b"\x05ab\x00\x02a\x00"),
                (
                    "full",
                    &[&[0xff][..], &[7; 254], b"\x00\xff", &[7; 254], b"\x01\x00"].concat(),
                ),
            ],
        ),
        "framing_json" => streams(
            &[1, 3, 128],
            &[
                ("values", br#"{"a":[1,"x\"]"]} [2]"s"{}17 true"#),
                ("mismatch", b"[{]}"),
                ("deep", b"[[[[[[]]]]]]"),
                ("word", b"12x[1]"),
            ],
        ),
        "framing_http" => [requests(), responses()].concat(),
        "framing_record" => streams(
            &[0],
            &[
                ("one", b"\x80\0\0\x03abc\x80\0\0\0"),
                (
                    "many",
                    b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01c\x80\0\0\x02de\x80\0\0\x01f",
                ),
                ("empty_last", b"\0\0\0\x09abcdefghi\x80\0\0\0\x80\0\0\x01z"),
                ("huge", b"\0\0\0\x01a\xff\xff\xff\xffb"),
            ],
        ),
        "framing_packets" => streams(
            &[0],
            &[
                ("plain", b"\x81\x03abc\x82\x00\x89\x01p"),
                ("masked", b"\xc1\x03\x10qsq\xc8\x02\x01\x00\x00"),
                (
                    "parts",
                    b"\x01\x02ab\x89\x01p\x00\x00\x40\x02\x07dk\x88\x00\x80\x03fgh\x81\x01z",
                ),
                (
                    "escapes",
                    b"\x01\x03a\x1bA\x00\x01\x1b\x89\x01\x1b\x80\x01B\x81\x02c\x1b\x81\x01z",
                ),
                (
                    "forbidden",
                    b"\x01\x05ab\xeecd\x80\x01e\x81\x01z\x01\x01a\x89\x01\xee",
                ),
                (
                    "long",
                    b"\x01\x07abcdefg\x00\x07hijklmn\x89\x01p\x80\x02op\x81\x09longer...\x81\x01z",
                ),
                ("mixed_up", b"\x01\x01a\x81\x01b"),
                ("notice_in_parts", b"\x09\x01a"),
            ],
        ),
        "framing_messages" => streams(
            &[0],
            &[
                ("bodies", b"3\nabc0\n12\nabcdefghijkl1\nz"),
                ("to_the_end", b"1\na*\nabcdefghijklmnop"),
                ("nothing_to_the_end", b"*\n"),
                ("no_body", b"5\n"),
                ("bad", b"2\nab*3\n"),
                ("too_long", b"12345\n"),
            ],
        ),
        "framing_websocket" => websockets(),
        "framing_proxy" => proxies(),
        "framing_round_trip" => round_trips(),
        "framing_search" => streams(
            b"n",
            &[(
                "words",
                &[&[b'.'; 100][..], b"n", &[b'.'; 30], b"\x10\x02n"].concat(),
            )],
        ),
        _ => super::seeds_of_protocols::of(target),
    }
}

fn requests() -> Vec<Seed> {
    let head = "GET / HTTP/1.1\r\nHost: a\r\n";
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let texts = [
        ("two", format!("{head}\r\n{head}Accept: */*\r\n\r\n")),
        (
            "connect_with_a_body",
            "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n".to_owned(),
        ),
        (
            "leading_space",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n".to_owned(),
        ),
        ("many_fields", format!("{head}{}\r\n", "a:b\r\n".repeat(60))),
        (
            "long_trailers",
            format!("{chunked}0\r\n{}\r\n", "a: b\r\n".repeat(90)),
        ),
        ("empty_line", format!("\r\n{head}\r\n\r\n\r\n{head}")),
        (
            "body",
            format!("{head}Content-Length: 5\r\n\r\nhello{head}content-length:0\r\n\r\n"),
        ),
        ("no_body", format!("{head}Content-Length: 12\r\n\r\nhello")),
        (
            "chunks",
            format!(
                "{chunked}5\r\nhello\r\nA;a=b;c=\"d\\\"\"\r\n0123456789\r\n0\r\n\r\n{head}\r\n"
            ),
        ),
        (
            "trailers",
            format!("{chunked}00\r\nA: b\r\nC:\r\n\r\n{head}\r\n"),
        ),
        (
            "forbidden_trailer",
            format!("{chunked}1\r\na\r\n0\r\nHost: b\r\n\r\n"),
        ),
        ("chunk_end", format!("{chunked}2\r\nabc\r\n0\r\n\r\n")),
        ("chunk_size", format!("{chunked}0x2\r\nab\r\n0\r\n\r\n")),
        (
            "extension",
            format!("{chunked}1;abcdefghijkl\r\na\r\n0\r\n\r\n"),
        ),
        (
            "both",
            format!("{head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ),
        (
            "lengths",
            format!("{head}Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        ),
        (
            "coding",
            format!("{head}Transfer-Encoding: gzip, chunked\r\n\r\n"),
        ),
        ("fold", format!("{head}A: b\r\n c\r\n\r\n")),
        ("bare_lf", "GET / HTTP/1.1\nHost: a\n\n".to_owned()),
        ("bare_cr", format!("{head}A: b\rc\r\n\r\n")),
        ("space", format!("{head}Content-Length : 1\r\n\r\n")),
        ("control", format!("{head}A:\t b\t \r\nB: \0\r\n\r\n")),
        ("no_host", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        ("old", "GET / HTTP/1.0\r\n\r\n".to_owned()),
        ("newer", "GET / HTTP/2.0\r\n\r\n".to_owned()),
        (
            "connect",
            "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\nOPTIONS * HTTP/1.1\r\nHost:\r\n\r\n"
                .to_owned(),
        ),
        (
            "absolute",
            "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        ),
        (
            "long",
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(20)),
        ),
    ];
    http(1, &[3], &texts)
}

fn responses() -> Vec<Seed> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let texts = [
        (
            "length",
            format!("{ok}Content-Length: 5\r\n\r\nhello{ok}Content-Length: 0\r\n\r\n"),
        ),
        ("to_the_end", format!("{ok}\r\nall that comes")),
        (
            "any_host",
            format!("{ok}Host: /\r\nHost: \"\r\nContent-Length: 0\r\n\r\n"),
        ),
        ("no_version", "HTTP/1.1.200 OK\r\n\r\n".to_owned()),
        ("nothing_to_the_end", format!("{ok}\r\n")),
        (
            "interim",
            format!("HTTP/1.1 100 \r\n\r\n{ok}Content-Length: 2\r\n\r\nab"),
        ),
        (
            "only_interim",
            "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n".to_owned(),
        ),
        (
            "upgrade",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\n\x01\x02".to_owned(),
        ),
        (
            "none",
            format!(
                "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.0 304 a\r\nContent-Length: 7\r\n\r\n{ok}"
            ),
        ),
        (
            "chunks",
            format!("{ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n{ok}"),
        ),
        ("status", "HTTP/1.1 20 OK\r\n\r\n".to_owned()),
        ("no_reason", "HTTP/1.1 200\r\n\r\n".to_owned()),
    ];
    http(0, &[2, 4, 8, 6], &texts)
}

/// Each text twice: with the usual limits and no limit of the reader's, and with one of the low variants and a limit
/// that is at times too low for a head.
fn http(high: u8, low: &[u8], texts: &[(&str, String)]) -> Vec<Seed> {
    let mut seeds = vec![];
    for (i, (name, text)) in texts.iter().enumerate() {
        let pieces = 2 | 3 << 2;
        let low = low[i % low.len()];
        let limit = 30 + 10 * (i as u8 % 3);
        for setup in [[high, i as u8 & 1, 255], [low, pieces | i as u8 & 1, limit]] {
            let seed = [&setup[..], text.as_bytes()].concat();
            seeds.push((format!("{name}_{}_{}", setup[0], setup[2]), seed));
        }
    }
    seeds
}

/// Each stream with each variant, with a low limit and with a high one, and the policies in turn.
pub(super) fn streams(variants: &[u8], streams: &[(&str, &[u8])]) -> Vec<Seed> {
    let mut seeds = vec![];
    for variant in variants {
        for (i, (name, stream)) in streams.iter().enumerate() {
            for limit in [8, 255] {
                let skip = i as u8 & 1;
                let pieces = 2 | 3 << 2;
                let policy = skip
                    | if (variant ^ limit) & 1 == 0 {
                        pieces
                    } else {
                        0
                    };
                let seed = [&[*variant, policy, limit], *stream].concat();
                seeds.push((format!("{name}_{variant}_{limit}"), seed));
            }
        }
    }
    seeds
}

fn lengths() -> Vec<Seed> {
    let mut seeds = vec![];
    for width in 1..=8u8 {
        let field = |len: u64| len.to_be_bytes()[8 - usize::from(width)..].to_vec();
        let limit = 5;
        for (name, len) in [("limit", 5), ("above", 6), ("most", u64::MAX)] {
            let stream = [
                &field(1)[..],
                b"a",
                &field(0),
                &field(len),
                b"frames",
                &field(0),
            ]
            .concat();
            let big = [&[width - 1, 2 | 2 << 2, limit, 0, 0], &stream[..]].concat();
            seeds.push((format!("{name}_{width}"), big));
        }
        let mut little = field(7);
        little.reverse();
        let setup = [(width - 1) | 8 | 16, 1, 99, 2, 0xfe];
        let kinds = [&setup[..], b"kk", &little, b"frames"].concat();
        seeds.push((format!("kinds_{width}"), kinds));
    }
    seeds
}

fn proxies() -> Vec<Seed> {
    const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
    let v2 = |rest: &[u8]| [V2, rest].concat();
    let unix = [
        &b"\x21\x31\x00\xd8/run/a"[..],
        &[0; 102],
        b"\0abstract",
        &[0; 99],
    ]
    .concat();
    let inet6 = [&b"\x21\x21\x00\x24"[..], &[0x20; 32], b"\x1f\x90\x01\xbb"].concat();
    streams(
        &[255],
        &[
            ("v1_tcp4", b"PROXY TCP4 192.0.2.7 192.0.2.1 5432 80\r\n"),
            (
                "v1_tcp6",
                b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\nPROXY UNKNOWN\r\n",
            ),
            ("v1_unknown", b"PROXY UNKNOWN any thing\r\n"),
            ("v1_port", b"PROXY TCP4 1.1.1.1 2.2.2.2 01 80\r\n"),
            (
                "v1_long",
                &[&b"PROXY UNKNOWN "[..], &[b'x'; 93], b"\r\n"].concat(),
            ),
            (
                "v1_longest",
                &[&b"PROXY UNKNOWN "[..], &[b'x'; 91], b"\r\n"].concat(),
            ),
            (
                "v2_tcp4",
                &v2(b"\x21\x11\x00\x10\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\0\x51\x04\0\x01x"),
            ),
            (
                "v2_tlv",
                &v2(b"\x21\x11\x00\x0f\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\0\x51\x04\0\x01"),
            ),
            ("v2_tcp6", &v2(&inet6)),
            ("v2_unix", &v2(&unix)),
            ("v2_local", &v2(b"\x20\x00\x00\x00")),
            ("v2_short", &v2(b"\x21\x21\x00\x04abcd")),
        ],
    )
}

/// Streams of a server's frames; the same of a client's are made of them.
fn websockets() -> Vec<Seed> {
    let long = [&b"\x82\x7e\x00\x7e"[..], &[b'b'; 126], b"\x81\x01z"].concat();
    let frames: [(&str, &[u8]); 12] = [
        ("whole", b"\x81\x05Hello\x82\x00\x82\x03\xff\x00\x80\x89\x01p\x8a\x00\x88\x02\x03\xe8"),
        ("fragments", b"\x01\x03Hel\x89\x01p\x00\x00\x8a\x00\x80\x02lo\x02\x01a\x00\x01b\x80\x00"),
        ("text", b"\x81\x0b\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\x01\x01\xf0\x00\x02\x9f\xa6\x80\x01\x80"),
        ("no_text", b"\x01\x03ab\xf0\x00\x02\x9f(\x80\x01c\x81\x02\xed\xa0\x81\x01z"),
        ("half_a_character", b"\x01\x01\xe2\x80\x01\x82\x81\x01z"),
        ("close", b"\x88\x05\x0b\xb8bye\x88\x00\x88\x03\x03\xe8\xc3\x88\x03\x03\xe8\xff\x88\x02\x03\xed\x81\x01z"),
        ("close_inside", b"\x01\x01a\x88\x02\x03\xee\x80\x01b"),
        ("long", &long),
        ("huge", b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffb"),
        ("reserved", b"\x81\x01a\x91\x01b"),
        ("continuation_of_nothing", b"\x81\x01a\x80\x01b"),
        ("not_shortest", b"\x81\x7e\x00\x7da"),
    ];
    let masked = frames.map(|(name, frames)| (name, masked(frames)));
    let masked = masked.each_ref().map(|(name, frames)| (*name, &frames[..]));
    let mut seeds = streams(&[1, 3, 5, 9], &frames);
    seeds.extend(streams(&[0, 2, 4, 10], &masked));
    let payloads = (0..700u32)
        .map(|i| b"ab\xc3\xa9y"[i as usize % 5])
        .collect::<Vec<_>>();
    for variant in 0x80..0x88 {
        for limit in [7, 125, 255] {
            let seed = [&[variant, 0, 0, limit, 3][..], &payloads].concat();
            seeds.push((format!("written_{variant}_{limit}"), seed));
        }
    }
    seeds
}

/// The frames of a server as a client would send them. What is no frame stays as it is.
fn masked(frames: &[u8]) -> Vec<u8> {
    let (key, mut rest, mut all) = ([0x37, 0xfa, 0x21, 0x3d], frames, vec![]);
    while let [first, second, behind @ ..] = rest {
        let width = match second {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let (long, behind) = behind.split_at(width);
        let long = long
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        let len = if width > 0 {
            long
        } else {
            usize::from(*second)
        };
        let (payload, behind) = behind.split_at(len.min(behind.len()));
        let head = &rest[2..2 + width];
        all.extend([&[*first, second | 0x80], head, &key].concat());
        all.extend(
            payload
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        rest = behind;
    }
    all
}

fn round_trips() -> Vec<Seed> {
    let mut seeds = vec![];
    let text: Vec<u8> = (0..400u32)
        .map(|i| b"ab\r\nx\0\ny7[]"[i as usize % 11])
        .collect();
    for kind in 0..9 {
        for (variant, limit) in [(0, 255), (19, 40), (0xeb, 7)] {
            let seed = [&[kind, variant, limit, 5][..], &text].concat();
            seeds.push((format!("kind_{kind}_{variant}"), seed));
        }
    }
    seeds
}
