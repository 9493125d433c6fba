use super::*;
use crate::framing::{Flow, FrameReader, RespRequest};

/// The arguments of each request, and what is wrong at last, however the stream is cut.
fn read(format: RespRequests, stream: &[u8]) -> Vec<String> {
    let read = |size: usize| {
        let mut reader = FrameReader::new(format, 1 << 30);
        let mut seen = Vec::new();
        for chunk in stream.chunks(size) {
            let outcome = reader.push(chunk, |item| {
                let request = RespRequest::parse(item.frame().unwrap()).unwrap();
                let words = request
                    .arguments()
                    .map(|word| word.escape_ascii().to_string());
                seen.push(words.collect::<Vec<_>>().join(" "));
                Flow::Continue
            });
            if let Err(error) = outcome {
                seen.push(error.to_string());
                break;
            }
        }
        seen
    };
    let whole = read(stream.len());
    for size in 1..stream.len().min(40) {
        assert_eq!(read(size), whole, "in chunks of {size}");
    }
    whole
}

#[test]
fn arrays_lines_and_nothings_in_one_stream() {
    let stream = b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n*0\r\nset a 'b c'\r\n\n \t\r\n*-1\r\n*1\r\n$0\r\n\r\nx\n";
    let expected = ["GET \\r\\n", "set a b c", "", "x"];
    assert_eq!(read(RespRequests::new(), stream), expected);
}

#[test]
fn a_mistake_is_reported_after_the_requests_before_it_and_where_it_is() {
    let mistakes: [(&[u8], &str); 11] = [
        (b"*x\r\n", "invalid multibulk length at offset 7"),
        (b"*\r\n", "invalid multibulk length at offset 7"),
        (b"*01\r\n", "invalid multibulk length at offset 7"),
        (b"*2147483648\r\n", "invalid multibulk length at offset 7"),
        (
            b"*2\r\n$1\r\na\r\nbc\r\n",
            "expected '$', got 'b' at offset 17",
        ),
        (b"*1\r\n$-1\r\n", "invalid bulk length at offset 11"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length at offset 11"),
        (b"*1\r\n$\r\n", "invalid bulk length at offset 11"),
        (b"*1\r\n$4x\r\n", "invalid bulk length at offset 11"),
        (b"set 'a\r\n", "unbalanced quotes in request at offset 10"),
        (b"*1\r\n\xe9", "expected '$', got '\u{e9}' at offset 10"),
    ];
    for (mistake, error) in mistakes {
        let stream = [b"PING\r\n", mistake, b"PING\r\n"].concat();
        assert_eq!(read(RespRequests::new(), &stream), ["PING", error]);
    }
}

#[test]
fn lines_end_at_64_kib() {
    let long = vec![b'1'; MAX_LINE + 10];
    let cases: [(&[u8], &str); 3] = [
        (b"", "too big inline request at offset 0"),
        (b"*", "too big mbulk count string at offset 0"),
        (b"*1\r\n$", "too big bulk count string at offset 4"),
    ];
    for (before, error) in cases {
        for behind in [&b""[..], b"\r\n"] {
            let stream = [before, &long, behind].concat();
            for size in [1000, 1 << 20] {
                let mut reader = FrameReader::new(RespRequests::new(), 1 << 30);
                let mut chunks = stream.chunks(size);
                let outcome = chunks
                    .try_for_each(|chunk| reader.push(chunk, |item| panic!("{item:?}")).map(drop));
                assert_eq!(outcome.unwrap_err().to_string(), error);
            }
        }
    }
}

#[test]
fn a_promise_of_much_takes_no_memory() {
    let mut reader = FrameReader::new(RespRequests::new(), 1 << 30);
    let promise = b"*1000000\r\n$3\r\nSET\r\n$536870912\r\nabc";
    reader.push(promise, |_| unreachable!()).unwrap();
    assert!(reader.capacity() <= 2 * promise.len() + 64);
}

#[test]
fn redis_takes_any_two_bytes_for_the_end_of_a_string_and_who_is_strict_does_not() {
    let stream = b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n";
    assert_eq!(read(RespRequests::new(), stream), ["PING", "PING"]);
    let strict = RespRequests::new().strict();
    assert_eq!(
        read(strict, stream),
        ["bulk string without its CRLF at offset 12"]
    );
    let good = b"*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n";
    assert_eq!(read(strict, good), ["ECHO \\r\\n"]);
    let half = b"*2\r\n$4\r\nECHO\r\r$2\r\n\r\n\r\n";
    assert_eq!(
        read(strict, half),
        ["bulk string without its CRLF at offset 13"]
    );
    let length = b"*1\r\n$4\rxPING\r\n";
    assert_eq!(read(RespRequests::new(), length), ["PING"]);
    assert_eq!(
        read(strict, length),
        ["carriage return without a line feed at offset 6"]
    );
}

#[test]
fn who_has_not_authenticated_may_not_send_much() {
    let mut format = RespRequests::new();
    format.expect_authentication(true);
    let many = b"*11\r\n$4\r\nPING\r\n";
    assert_eq!(
        read(format, many),
        ["unauthenticated multibulk length at offset 1"]
    );
    let long = b"*1\r\n$16385\r\nPING\r\n";
    assert_eq!(
        read(format, long),
        ["unauthenticated bulk length at offset 5"]
    );
    assert_eq!(read(format, b"*1\r\n$4\r\nPING\r\n"), ["PING"]);
}

#[test]
fn only_a_whole_request_is_one_frame() {
    let at = |payload: &[u8]| match RespRequests::new().wrap(payload) {
        Ok(wrapping) => {
            assert!(wrapping.is_empty());
            None
        }
        Err(FrameError::NotOneFrame { at, .. }) => Some(at),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(at(b"*1\r\n$1\r\na\r\n"), None);
    assert_eq!(at(b"*1\r\n$1\r\na\r\nb"), Some(11));
    assert_eq!(at(b"*1\r\n$1\r\na\r"), Some(0));
    assert_eq!(at(b"*1\r\n$x\r\na\r\n"), Some(5));
    assert_eq!(at(b"*x\r\n"), Some(1));
    assert_eq!(at(b"PING\r\n"), Some(0));
    assert_eq!(at(b""), Some(0));
    assert_eq!(at(b"*0\r\n"), Some(0));
}
