//! HTTP/1.1 messages: what is read, what is refused and where, what is written, and what others make of it.

#[path = "support/counting.rs"]
mod counting;
#[path = "support/smuggling.rs"]
mod smuggling;

use soquete::framing::http::{self, Body, Chunk, Fields, Http, RequestHead, ResponseHead};
use soquete::framing::{Flow, FrameError, FrameReader, FrameWriter, Item, Reading};

use smuggling::FRONT;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const LIMIT: usize = 1 << 20;

/// What came out of a stream, in words.
fn told(item: Item<'_>, reading: &Reading<'_, Http>) -> String {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    match (item, reading.kind()) {
        (Item::Frame(frame), Http::HEAD) => {
            let line = match (RequestHead::parse(frame), ResponseHead::parse(frame)) {
                (Some(head), None) => format!("{} {}", head.method(), head.target()),
                (None, Some(head)) => format!("{} {}", head.status(), text(head.reason())),
                both => panic!("{both:?}"),
            };
            format!("{line} {:?}", reading.format().body())
        }
        (Item::Frame(frame), Http::BODY) => format!("body {}", text(frame)),
        (Item::Frame(frame), Http::TRAILERS) => {
            let fields = Fields::new(frame);
            let fields = fields.map(|field| format!("{}={}", field.name(), text(field.value())));
            format!("trailers {}", fields.collect::<Vec<_>>().join("&"))
        }
        (Item::Piece { bytes, last }, Http::BODY) => format!("piece {} {last}", text(bytes)),
        (item, kind) => panic!("{item:?} of kind {kind}"),
    }
}

/// Reads a stream in the given chunks, to its end.
fn read<'a>(
    format: Http,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> (Vec<String>, Option<FrameError>) {
    let mut reader = FrameReader::new(format, LIMIT);
    let mut seen = Vec::new();
    for chunk in chunks {
        let outcome = reader.push_with(chunk, |item, reading| {
            seen.push(told(item, &reading));
            Flow::Continue
        });
        if let Err(error) = outcome {
            return (seen, Some(error));
        }
    }
    let outcome = reader.finish_with(|item, reading| {
        seen.push(told(item, &reading));
        Flow::Continue
    });
    (seen, outcome.err())
}

/// Reads a stream whole, cut at every place, and byte by byte; all has to come to the same.
#[track_caller]
fn read_anyhow(format: Http, stream: &[u8]) -> (Vec<String>, Option<FrameError>) {
    let whole = read(format, [stream].into_iter());
    for cut in 1..stream.len() {
        let (a, b) = stream.split_at(cut);
        assert_eq!(read(format, [a, b].into_iter()), whole, "cut at {cut}");
    }
    assert_eq!(read(format, stream.chunks(1)), whole, "byte by byte");
    whole
}

#[track_caller]
fn reads(format: Http, stream: &str, expected: &[&str]) {
    let (seen, error) = read_anyhow(format, stream.as_bytes());
    assert_eq!(seen, expected);
    assert_eq!(error, None);
}

/// What is wrong with a stream, where, and which status code goes with it; nothing comes out of it but `before`.
#[track_caller]
fn refuses(format: Http, stream: &[u8], before: &[&str], at: u64, what: &str, status: u16) {
    let shown = stream.escape_ascii().to_string();
    let (seen, error) = read_anyhow(format, stream);
    assert_eq!(seen, before, "{shown}");
    let error = error.unwrap_or_else(|| panic!("{shown} is read"));
    assert_eq!(http::status_of(&error), status, "{shown}: {error}");
    let message = error.to_string();
    assert!(message.contains(what), "{shown}: {message}");
    assert!(
        message.contains("RFC 91") && message.contains("section"),
        "{message}"
    );
    assert!(
        message.ends_with(&format!(" at offset {at}")),
        "{shown}: {message}"
    );
}

#[test]
fn requests_come_as_heads_and_bodies() {
    reads(
        Http::requests(),
        "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n\
         POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\
         PUT /c HTTP/1.1\r\nhost:x\r\ncontent-length:\t0 \r\n\r\n\
         \r\nDELETE /d HTTP/1.0\r\n\r\n\
         PATCH http://x/e HTTP/1.1\r\nHOST: x:80\r\nTRANSFER-ENCODING: Chunked\r\n\r\n\
         5\r\nhello\r\n6;a;b=c;d=\"e\\\"f\"\r\n world\r\n0\r\n\r\n\
         OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n\
         CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
        &[
            "GET /a?b=c None",
            "POST /b Length(5)",
            "body hello",
            "PUT /c None",
            "DELETE /d None",
            "PATCH http://x/e Chunked",
            "body hello world",
            "OPTIONS * None",
            "CONNECT x:443 None",
        ],
    );
}

#[test]
fn responses_come_as_heads_and_bodies() {
    reads(
        Http::responses(),
        "HTTP/1.1 100 Continue\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\
         HTTP/1.1 204 \r\nContent-Length: 5\r\n\r\n\
         HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n\
         HTTP/1.1 200 caf\u{e9}\r\nTransfer-Encoding: chunked\r\n\r\n\
         1\r\na\r\n0\r\nX-Sum: 1\r\nX-Other:\r\n\r\n\
         HTTP/1.0 404 Not Found\r\n\r\nall there is",
        &[
            "100 Continue None",
            "200 OK Length(5)",
            "body hello",
            "204  None",
            "304 Not Modified None",
            "200 caf\\xc3\\xa9 Chunked",
            "trailers X-Sum=1&X-Other=",
            "body a",
            "404 Not Found ToTheEnd",
            "body all there is",
        ],
    );
    reads(
        Http::responses(),
        "HTTP/1.1 200 OK\r\n\r\n",
        &["200 OK ToTheEnd", "body "],
    );
    reads(
        Http::responses(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\n\x01\x02",
        &["101 Switching Protocols ToTheEnd", "body \\x01\\x02"],
    );
}

#[test]
fn what_a_response_is_to_decides_whether_it_has_a_body() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let mut to_head = Http::responses();
    to_head.answers("HEAD");
    let interim = format!("HTTP/1.1 103 \r\n\r\n{head}{head}hello");
    reads(
        to_head,
        &interim,
        &["103  None", "200 OK None", "200 OK Length(5)", "body hello"],
    );
    let mut to_connect = Http::responses();
    to_connect.answers("CONNECT");
    reads(
        to_connect,
        &format!("{head}tunnel"),
        &["200 OK ToTheEnd", "body tunnel"],
    );
    let refused = "HTTP/1.1 403 \r\nContent-Length: 1\r\n\r\nx";
    reads(to_connect, refused, &["403  Length(1)", "body x"]);
}

#[test]
fn a_listener_says_what_the_next_response_is_to() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    let stream = format!("{head}ab{head}{head}cd");
    let mut methods = ["GET", "HEAD", "GET"].into_iter();
    let mut reader = FrameReader::new(Http::responses(), 100);
    reader.format_mut().answers(methods.next().unwrap());
    let mut seen = Vec::new();
    for byte in stream.as_bytes().chunks(1) {
        reader
            .push_with(byte, |item, mut reading| {
                seen.push(told(item, &reading));
                if reading.format().body() == Body::None {
                    reading
                        .format_mut()
                        .answers(methods.next().unwrap_or_default());
                }
                Flow::Continue
            })
            .unwrap();
    }
    let expected = [
        "200 OK Length(2)",
        "body ab",
        "200 OK None",
        "200 OK Length(2)",
        "body cd",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_head_is_there_before_the_body_is_and_the_body_is_waited_for() {
    let mut reader = FrameReader::new(Http::requests(), 100);
    let head =
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n";
    let mut heads = 0;
    reader
        .push_with(head, |item, reading| {
            let Item::Frame(frame) = item else { panic!() };
            assert!(RequestHead::parse(frame).unwrap().expects_continue());
            assert_eq!(reading.format().body(), Body::Length(2000));
            heads += 1;
            Flow::Continue
        })
        .unwrap();
    assert_eq!(heads, 1);
    assert!(reader.partial().is_some(), "the body is due");
    let error = reader.push(b"x", |_| panic!()).unwrap_err();
    assert_eq!(http::status_of(&error), 413, "{error}");
}

#[test]
fn long_bodies_come_in_pieces_and_heads_do_not() {
    let stream = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        5\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n";
    let mut reader = FrameReader::new(Http::requests(), usize::MAX).stream_above(0);
    let mut seen = Vec::new();
    reader
        .push_with(stream, |item, reading| {
            seen.push(told(item, &reading));
            Flow::Continue
        })
        .unwrap();
    let expected = [
        "POST / Chunked",
        "piece hello false",
        "piece ! false",
        "trailers A=b",
        "piece  true",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn an_input_that_ends_in_a_message_is_truncated() {
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    let streams = [
        "G".to_owned(),
        "GET / HTTP/1.1\r\nHost: a\r\n\r".to_owned(),
        post.to_owned(),
        format!("{post}ab"),
        chunked.to_owned(),
        format!("{chunked}1\r\na\r\n"),
        format!("{chunked}0\r\nA: b\r\n"),
    ];
    for stream in streams {
        let (_, error) = read_anyhow(Http::requests(), stream.as_bytes());
        assert!(
            matches!(error, Some(FrameError::Truncated { .. })),
            "{stream}: {error:?}"
        );
    }
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    let (_, error) = read_anyhow(Http::responses(), interim);
    assert!(
        matches!(error, Some(FrameError::Truncated { .. })),
        "the response is missing"
    );
}

#[test]
fn a_limit_that_is_lowered_below_what_has_come_is_passed() {
    let mut reader = FrameReader::new(Http::requests(), 100);
    let head = [&b"GET / HTTP/1.1\r\nHost: a\r\nB: "[..], &[b'x'; 100]].concat();
    assert_eq!(reader.push(&head, |_| Flow::Continue), Ok(Flow::Continue));
    let mut feed = reader.feed(b"");
    let format = feed.format_mut();
    *format = format.max_head(64);
    drop(feed);
    let error = reader.push(b"x", |_| Flow::Continue).unwrap_err();
    assert!(
        error.to_string().contains("head longer than the limit"),
        "{error}"
    );
}

#[test]
fn every_limit_has_its_status_code() {
    let format = Http::requests().max_head(80).max_target(20).max_fields(3);
    let format = format.max_extension(8).max_trailers(20);
    let chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let head = ["POST / Chunked"];
    let long = |middle: &[u8]| [&b"GET / HTTP/1.1\r\nHost: a\r\nB: "[..], middle].concat();
    refuses(
        format,
        &long(&[b'x'; 60]),
        &[],
        80,
        "head longer than the limit",
        431,
    );
    refuses(
        format,
        &[b"GET /", &[b'x'; 60][..]].concat(),
        &[],
        24,
        "target longer",
        414,
    );
    let fields = b"GET / HTTP/1.1\r\nHost: a\r\nA: a\r\nB: b\r\nC: c\r\n";
    refuses(format, fields, &[], 37, "more fields than the limit", 431);
    refuses(
        format,
        &[&b"A"[..]; 40].concat(),
        &[],
        24,
        "method longer than any",
        501,
    );
    let extended = [&chunked[..], b"5;a=bcdefgh\r\nhello\r\n"].concat();
    refuses(
        format,
        &extended,
        &head,
        65,
        "chunk extensions longer than the limit",
        400,
    );
    let trailing = [&chunked[..], b"0\r\nA: bcdefghijklmnopqrst\r\n\r\n"].concat();
    refuses(
        format,
        &trailing,
        &head,
        79,
        "trailer section longer than the limit",
        431,
    );
    // At the limits all is well.
    let just = [
        &b"GET /xxxxxxxxxxxxxxxxxxx HTTP/1.1\r\nHost: a\r\nB: "[..],
        &[b'x'; 29],
        b"\r\n\r\n",
    ];
    let just = just.concat();
    assert_eq!(just.len(), 80);
    reads(
        format,
        std::str::from_utf8(&just).unwrap(),
        &["GET /xxxxxxxxxxxxxxxxxxx None"],
    );
}

#[test]
fn the_table_of_request_smuggling() {
    let at = FRONT.len() as u64;
    for (behind, wrong, what, status) in smuggling::BEHIND {
        let stream = [FRONT, behind].concat();
        let in_body = *wrong >= 30 && behind.starts_with("Transfer-Encoding: chunked\r\n\r\n");
        let before: &[&str] = if in_body { &["POST / Chunked"] } else { &[] };
        refuses(
            Http::requests(),
            stream.as_bytes(),
            before,
            at + wrong,
            what,
            *status,
        );
    }
}

#[test]
fn the_table_of_wrong_first_lines() {
    for (stream, at, what, status) in smuggling::FIRST_LINES {
        refuses(Http::requests(), stream, &[], *at, what, *status);
    }
}

#[test]
fn the_table_of_wrong_responses() {
    let table: &[(&[u8], u64, &str)] = &[
        (
            b"\r\nHTTP/1.1 200 OK\r\n",
            0,
            "does not begin with a status line",
        ),
        (b"ICY 200 OK\r\n", 0, "does not begin with a status line"),
        (
            b"http/1.1 200 OK\r\n",
            0,
            "does not begin with a status line",
        ),
        (
            b"HTTP/1.1  200 OK\r\n",
            9,
            "status code that is not 100 to 599",
        ),
        (b"HTTP/1.1 99 \r\n", 9, "status code that is not 100 to 599"),
        (
            b"HTTP/1.1 600 \r\n",
            9,
            "status code that is not 100 to 599",
        ),
        (
            b"HTTP/1.1 2000 \r\n",
            12,
            "does not begin with a status line",
        ),
        (b"HTTP/1.1 200\r\n", 12, "does not begin with a status line"),
        (
            b"HTTP/1.1 200 O\0K\r\n",
            14,
            "control character in the reason phrase",
        ),
        (
            b"HTTP/1.1 200 OK\n",
            15,
            "line feed without a carriage return",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            36,
            "second Content-Length",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            17,
            "does not end with chunked",
        ),
    ];
    for (stream, at, what) in table {
        refuses(Http::responses(), stream, &[], *at, what, 400);
    }
    refuses(
        Http::responses(),
        b"HTTP/3.0 200 OK\r\n",
        &[],
        5,
        "neither HTTP/1.1 nor",
        505,
    );
}

/// The bugs of others, each as it was found.
mod bugs_of_others {
    use super::*;

    /// Go's net/http until 2025 (CVE-2025-22871), and many others ("TERM.EXT"): a lone line feed ended a chunk line.
    #[test]
    fn a_line_feed_in_a_chunk_extension_does_not_end_the_line() {
        let stream = [
            FRONT,
            "Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n4c\r\n0\r\n\r\n",
        ]
        .concat();
        let at = FRONT.len() as u64 + 32;
        let before = ["POST / Chunked"];
        refuses(
            Http::requests(),
            stream.as_bytes(),
            &before,
            at,
            "line feed without",
            400,
        );
    }

    /// Node's llhttp (CVE-2022-32215): a folded Transfer-Encoding was read as chunked by one and not by another.
    #[test]
    fn a_folded_transfer_encoding_is_refused() {
        let stream = [FRONT, "Transfer-Encoding: chunked\r\n , identity\r\n\r\n"].concat();
        let at = FRONT.len() as u64 + 28;
        refuses(Http::requests(), stream.as_bytes(), &[], at, "folded", 400);
    }

    /// Node's llhttp (CVE-2023-30589): a carriage return alone ended a field.
    #[test]
    fn a_carriage_return_alone_does_not_end_a_field() {
        let stream = [FRONT, "Dummy: x\rContent-Length: 23\r\n\r\n"].concat();
        let at = FRONT.len() as u64 + 8;
        refuses(
            Http::requests(),
            stream.as_bytes(),
            &[],
            at,
            "carriage return without",
            400,
        );
    }

    /// Node's llhttp (CVE-2024-27982): the space in front of Content-Length was ignored.
    #[test]
    fn a_space_in_front_of_a_name_is_no_part_of_it() {
        let stream = "GET / HTTP/1.1\r\n Content-Length: 5\r\nHost: a\r\n\r\n";
        refuses(
            Http::requests(),
            stream.as_bytes(),
            &[],
            16,
            "white space in front",
            400,
        );
    }

    /// hyper (CVE-2021-32715): a plus sign was taken in Content-Length, as Rust's own parser takes it.
    #[test]
    fn a_plus_sign_is_no_part_of_a_length() {
        let stream = [FRONT, "Content-Length: +3\r\n\r\nabc"].concat();
        let at = FRONT.len() as u64 + 16;
        refuses(
            Http::requests(),
            stream.as_bytes(),
            &[],
            at,
            "not a decimal number",
            400,
        );
    }

    /// hyper (CVE-2021-32714): the size of a chunk overflowed and became another one.
    #[test]
    fn a_chunk_size_does_not_overflow() {
        let stream = [
            FRONT,
            "Transfer-Encoding: chunked\r\n\r\nf0000000000000003\r\nabc\r\n0\r\n\r\n",
        ];
        let at = FRONT.len() as u64 + 46;
        let before = ["POST / Chunked"];
        let stream = stream.concat();
        refuses(
            Http::requests(),
            stream.as_bytes(),
            &before,
            at,
            "sixteen digits",
            400,
        );
    }

    /// A size of 64 bits is one: nothing is added to it that would overflow, and no memory is taken for it.
    #[test]
    fn the_longest_chunk_is_too_long_and_nothing_else() {
        let stream = [
            FRONT,
            "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nffffffffffffffff\r\n",
        ]
        .concat();
        let (seen, error) = read_anyhow(Http::requests(), stream.as_bytes());
        assert_eq!(seen, ["POST / Chunked"]);
        let error = error.unwrap();
        assert_eq!(http::status_of(&error), 413);
        let declared = Some(u64::MAX);
        assert!(matches!(error, FrameError::TooLong { declared: d, .. } if d == declared));
    }

    /// Go (CVE-2023-39326): a peer sends hundreds of bytes of extensions for each byte of the body.
    #[test]
    fn extensions_are_bounded() {
        let long = format!("1;a={}\r\n", "b".repeat(300));
        let stream = [FRONT, "Transfer-Encoding: chunked\r\n\r\n", &long].concat();
        let at = FRONT.len() as u64 + 30 + 1 + 256;
        let before = ["POST / Chunked"];
        refuses(
            Http::requests(),
            stream.as_bytes(),
            &before,
            at,
            "extensions longer",
            400,
        );
    }

    /// Many servers: a request without a version is none of HTTP/0.9, whose answer has no head.
    #[test]
    fn there_is_no_http_0_9() {
        refuses(
            Http::requests(),
            b"GET /\r\n",
            &[],
            5,
            "not a method, a target and",
            400,
        );
    }

    /// gunicorn (CVE-2024-1135): of two codings the last one alone was looked at.
    #[test]
    fn a_second_transfer_encoding_is_refused() {
        let stream = [
            FRONT,
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        ];
        let at = FRONT.len() as u64 + 28;
        refuses(
            Http::requests(),
            stream.concat().as_bytes(),
            &[],
            at,
            "second Transfer",
            400,
        );
    }

    /// aiohttp (CVE-2024-23334 and its kin) and others: `chunked` was looked for anywhere in the value.
    #[test]
    fn chunked_is_the_whole_value() {
        let stream = [FRONT, "Transfer-Encoding: notchunked\r\n\r\n"].concat();
        let at = FRONT.len() as u64;
        refuses(
            Http::requests(),
            stream.as_bytes(),
            &[],
            at,
            "does not end with",
            400,
        );
    }

    /// Parsers in C: a NUL ended a value, and what stood behind it was not seen.
    #[test]
    fn a_nul_ends_nothing() {
        let stream = [FRONT, "X: a\0Transfer-Encoding: chunked\r\n\r\n"].concat();
        let at = FRONT.len() as u64 + 4;
        refuses(
            Http::requests(),
            stream.as_bytes(),
            &[],
            at,
            "control character",
            400,
        );
    }

    /// A client must not take what a server says of the body of an answer to HEAD for a promise.
    #[test]
    fn an_answer_to_head_has_no_chunks() {
        let mut format = Http::responses();
        format.answers("HEAD");
        let stream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 204 \r\n\r\n";
        reads(format, stream, &["200 OK None", "204  None"]);
    }
}

#[test]
fn a_head_says_whether_the_connection_stays() {
    let keeps = |version: &str, fields: &str| {
        let head = format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}");
        RequestHead::parse(head.as_bytes()).unwrap().keep_alive()
    };
    assert!(keeps("1.1", ""));
    assert!(keeps("1.1", "Connection: keep-alive\r\n"));
    assert!(!keeps("1.1", "Connection: close\r\n"));
    assert!(!keeps("1.1", "connection: TE , Close\r\n"));
    assert!(!keeps("1.1", "Connection: a\r\nConnection: close\r\n"));
    assert!(keeps("1.1", "Connection: closed\r\n"));
    assert!(!keeps("1.0", ""));
    assert!(keeps("1.0", "Connection: Keep-Alive\r\n"));
    assert!(!keeps("1.0", "Connection: keep-alive, close\r\n"));
}

#[test]
fn a_view_of_anything_does_not_panic() {
    let bytes = b"GET / HTTP/1.1\r\nA: b\r\n: \r\n\xff\r\nHTTP/1.1 200 \r\n\r\r\n:";
    for from in 0..bytes.len() {
        for to in from..bytes.len() {
            let bytes = &bytes[from..to];
            let fields = Fields::new(bytes).count();
            assert!(fields <= 3);
            if let Some(head) = RequestHead::parse(bytes) {
                assert!(!head.method().contains(' '));
            }
            if let Some(head) = ResponseHead::parse(bytes) {
                assert!(head.status() < 1000);
            }
        }
    }
}

#[test]
fn nothing_is_injected_into_what_is_written() {
    let mut out = b"before".to_vec();
    let field = |out: &mut Vec<u8>, name: &str, value: &[u8]| {
        http::response(out, 200).field(name, value).finish()
    };
    for value in [&b"a\r\nb: c"[..], b"a\nb", b"a\rb", b"\0", b"\x7f", b"\x1b"] {
        assert!(field(&mut out, "X", value).is_err());
    }
    for name in ["", " X", "X ", "X:", "X\r\nY", "\u{e9}"] {
        assert!(field(&mut out, name, b"a").is_err());
    }
    for target in ["", " ", "/ HTTP/1.1\r\nX: y", "/\0", "a", "*", "/\u{e9}"] {
        assert!(
            http::request(&mut out, "GET", target)
                .field("Host", "a")
                .finish()
                .is_err()
        );
    }
    for method in ["", "G T", "GET\r\n"] {
        assert!(
            http::request(&mut out, method, "/")
                .field("Host", "a")
                .finish()
                .is_err()
        );
    }
    assert!(
        http::request(&mut out, "GET", "/").finish().is_err(),
        "no Host"
    );
    assert!(
        http::request(&mut out, "GET", "/")
            .field("Host", "a")
            .field("host", "b")
            .finish()
            .is_err()
    );
    assert!(
        http::response(&mut out, 200)
            .length(1)
            .chunked()
            .finish()
            .is_err()
    );
    assert!(
        http::response(&mut out, 200)
            .chunked()
            .length(1)
            .finish()
            .is_err()
    );
    assert!(
        http::response(&mut out, 200)
            .length(1)
            .field("content-length", "1")
            .finish()
            .is_err()
    );
    assert!(
        http::response(&mut out, 200)
            .field("Content-Length", "x")
            .finish()
            .is_err()
    );
    assert!(http::response(&mut out, 204).length(0).finish().is_err());
    assert!(http::response(&mut out, 99).finish().is_err());
    assert!(
        http::last_chunk(&mut out)
            .field("Content-Length", "1")
            .finish()
            .is_err()
    );
    assert!(http::last_chunk(&mut out).length(1).finish().is_err());
    let unfinished = http::response(&mut out, 200).field("A", "b");
    drop(unfinished);
    assert!(
        FrameWriter::new(Chunk, 9)
            .unwrap()
            .encode(b"", &mut out)
            .is_err()
    );
    assert_eq!(out, b"before", "nothing of all that was written");
}

#[test]
fn what_is_written_is_read_back() {
    let mut out = Vec::new();
    http::request(&mut out, "GET", "/a?b")
        .field("Host", "a.example")
        .finish()
        .unwrap();
    let post = http::request(&mut out, "POST", "/")
        .field("Host", "")
        .chunked();
    post.field("X-Text", "caf\u{e9} \t au lait")
        .finish()
        .unwrap();
    let chunks = FrameWriter::new(Chunk, 100_000).unwrap();
    chunks.encode(b"hello", &mut out).unwrap();
    chunks.encode(&[b'x'; 70_000], &mut out).unwrap();
    http::last_chunk(&mut out)
        .field("X-Sum", "17")
        .finish()
        .unwrap();
    http::request(&mut out, "CONNECT", "a:1")
        .field("Host", "a:1")
        .finish()
        .unwrap();
    http::request(&mut out, "OPTIONS", "*")
        .field("Host", "a:1")
        .length(0)
        .finish()
        .unwrap();
    let (seen, error) = read(Http::requests(), out.chunks(1000));
    let body = format!("body hello{}", "x".repeat(70_000));
    let expected = [
        "GET /a?b None",
        "POST / Chunked",
        "trailers X-Sum=17",
        &body,
        "CONNECT a:1 None",
        "OPTIONS * None",
    ];
    assert_eq!((seen, error), (expected.map(str::to_owned).to_vec(), None));

    let mut out = Vec::new();
    http::response(&mut out, 100).finish().unwrap();
    http::response(&mut out, 404)
        .length(u64::MAX)
        .finish()
        .unwrap();
    let stream = [&out[..], b"x"].concat();
    let mut reader = FrameReader::new(Http::responses(), usize::MAX).stream_above(10);
    let mut seen = Vec::new();
    let outcome = reader.push_with(&stream, |item, reading| {
        seen.push(told(item, &reading));
        Flow::Continue
    });
    assert!(outcome.is_err(), "no reader's limit is that high");
    assert_eq!(
        seen,
        [
            "100 Continue None",
            "404 Not Found Length(18446744073709551615)"
        ]
    );
}

/// Messages of every sort, several times over.
fn busy_stream() -> Vec<u8> {
    let chunked = [
        FRONT,
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ]
    .concat();
    let length = [FRONT, "Content-Length: 5\r\n\r\nhello"].concat();
    let short = [FRONT, "\r\n"].concat();
    [chunked, length, short].concat().into_bytes()
}

#[test]
fn no_message_allocates_in_the_steady_state() {
    let stream = busy_stream().repeat(20);
    for chunk in [1, 7, 100, stream.len()] {
        let mut reader = FrameReader::new(Http::requests(), LIMIT);
        let mut seen = 0;
        let mut read = |reader: &mut FrameReader<Http>| {
            for chunk in stream.chunks(chunk) {
                let outcome = reader.push_with(chunk, |item, reading| {
                    if reading.kind() == Http::HEAD {
                        let head = item.frame().and_then(RequestHead::parse).unwrap();
                        assert!(head.keep_alive() && !head.expects_continue());
                        assert_eq!(head.field("host"), Some(&b"a"[..]));
                    }
                    seen += 1;
                    Flow::Continue
                });
                assert!(outcome.is_ok());
            }
        };
        read(&mut reader);
        let before = counting::so_far();
        read(&mut reader);
        assert_eq!(counting::since(before).times, 0, "in chunks of {chunk}");
        assert_eq!(seen, 2 * 20 * 5);
    }
    let mut out = Vec::with_capacity(1000);
    let before = counting::so_far();
    for _ in 0..10 {
        out.clear();
        http::response(&mut out, 200)
            .field("Server", "a")
            .length(5)
            .finish()
            .unwrap();
        http::last_chunk(&mut out).finish().unwrap();
    }
    assert_eq!(counting::since(before).times, 0);
}

#[test]
fn memory_follows_what_has_arrived_and_not_what_is_promised() {
    let promises = [
        [FRONT, "Content-Length: 1000000\r\n\r\nx"].concat(),
        [FRONT, "Transfer-Encoding: chunked\r\n\r\nfffff\r\nx"].concat(),
    ];
    for promise in promises {
        let mut reader = FrameReader::new(Http::requests(), LIMIT);
        for byte in promise.as_bytes().chunks(1) {
            reader.push(byte, |_| Flow::Continue).unwrap();
            assert!(
                reader.capacity() <= 2 * promise.len() + 64,
                "{}",
                reader.capacity()
            );
        }
    }
}

#[test]
fn a_head_that_is_dripped_takes_time_that_grows_with_its_length_alone() {
    // A megabyte of a value, of spaces and of short lines, whole and a few bytes at a time: to look at what has come
    // again and again would take hours.
    let format = Http::requests().max_head(4 << 20).max_fields(1 << 20);
    let starts = [
        format!("{FRONT}X: {}", "y".repeat(1 << 20)),
        format!("{FRONT}X: y{}", " ".repeat(1 << 20)),
        format!("{FRONT}X:{}", " ".repeat(1 << 20)),
        format!("{FRONT}{}", "a:b\r\n".repeat(200_000)),
        format!("GET /{}", "y".repeat(1 << 20)),
        format!("{FRONT}{}", "n".repeat(1 << 20)),
    ];
    for start in starts {
        for size in [3, start.len()] {
            let mut reader = FrameReader::new(format.max_target(2 << 20), 4 << 20);
            for chunk in start.as_bytes().chunks(size) {
                reader.push(chunk, |_| Flow::Continue).unwrap();
            }
            assert!(reader.partial().is_some());
        }
    }
}

#[test]
fn a_path_and_a_query_are_found_in_each_form_of_a_target() {
    for (target, path, query) in [
        ("/", "/", None),
        ("/a/b?c=d?e", "/a/b", Some("c=d?e")),
        ("/a?", "/a", Some("")),
        ("/a?http://b/c", "/a", Some("http://b/c")),
        ("/http://b/c", "/http://b/c", None),
        ("//a", "//a", None),
        ("http://a.example:80/b?c", "/b", Some("c")),
        ("HTTPS://u@[::1]:80/b", "/b", None),
        ("http://a", "/", None),
        ("http://a?b=/c", "/", Some("b=/c")),
        ("http://a//b", "//b", None),
    ] {
        let stream = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut seen = 0;
        let mut reader = FrameReader::new(Http::requests(), 1000);
        let read = reader.push(stream.as_bytes(), |item| {
            let head = item.frame().and_then(RequestHead::parse).expect("a head");
            assert_eq!((head.path(), head.query()), (path, query), "{target}");
            seen += 1;
            Flow::Continue
        });
        assert!(read.is_ok() && seen == 1, "{target}: {read:?}");
    }
    for (line, path) in [("OPTIONS *", "*"), ("CONNECT a:80", "a:80")] {
        let head = format!("{line} HTTP/1.1\r\nHost: a\r\n");
        let head = RequestHead::parse(head.as_bytes()).expect("a head");
        assert_eq!((head.path(), head.query()), (path, None));
    }
}

#[test]
fn long_trailers_are_a_long_body_or_a_long_head() {
    let stream = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\
        Trailer-Of-Some-Length: and with a value that is longer still\r\n\r\n";
    for (format, limit, status) in [
        (Http::requests(), 60, 413),
        (Http::requests().max_trailers(60), 1000, 431),
    ] {
        let mut reader = FrameReader::new(format, limit);
        let error = reader.push(stream, |_| Flow::Continue).unwrap_err();
        assert_eq!(http::status_of(&error), status, "{error}");
    }
}

#[test]
fn a_method_longer_than_readers_take_is_not_written() {
    let mut written = Vec::new();
    let mut write = |length| {
        let head = http::request(&mut written, &"M".repeat(length), "/");
        head.field("Host", "a").finish()
    };
    assert_eq!(write(24), Ok(()));
    assert!(matches!(
        write(25),
        Err(FrameError::NotOneFrame { at: 24, .. })
    ));
    let mut reader = FrameReader::new(Http::requests(), 1000);
    assert_eq!(reader.push(&written, |_| Flow::Stop), Ok(Flow::Stop));
}
