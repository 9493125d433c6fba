//! Formats that people write by hand, each beside the shortest loop that hands out the same payloads of a stream without
//! mistakes. Most of the loops check less than the format does; what they leave out is said of each.

use soquete::framing::{
    ContentLength, DotStuffed, Encode, Flow, FrameReader, Hdlc, Mqtt, Resp, RespRequest,
    RespRequests, Slip,
};

use super::{LIMIT, STREAM, by_hand, consume, kept, race, reader, with_leftovers};

pub fn races() {
    mqtt();
    content_length();
    dot_stuffed();
    slip();
    hdlc();
    resp_requests();
    resp_values();
}

/// As many frames as fill the stream, of this payload.
fn encoded(format: impl Encode, payload: &[u8]) -> (Vec<u8>, usize) {
    let mut frame = Vec::new();
    format.encode(payload, &mut frame).expect("a frame");
    let frames = (STREAM / frame.len()).max(1);
    (frame.repeat(frames), frames)
}

/// Bytes of every value, the same ones in each run.
fn noise(len: usize) -> Vec<u8> {
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let bytes = std::iter::repeat_with(|| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 32) as u8
    });
    bytes.take(len).collect()
}

/// As `by_hand`, for payload that is made of what stands in the stream: `unpack` appends it.
fn unpacked_by_hand(
    end: impl Fn(&[u8]) -> Option<usize>,
    unpack: impl Fn(&[u8], &mut Vec<u8>),
) -> impl Fn(&[u8], usize) -> usize {
    let buffers = (Vec::new(), Vec::new());
    kept(buffers, move |(leftover, out), stream, chunk| {
        let mut sum = 0;
        with_leftovers(leftover, stream, chunk, |mut rest| {
            while let Some(total) = end(rest) {
                out.clear();
                unpack(&rest[..total], out);
                consume(&mut sum, out);
                rest = &rest[total..];
            }
            rest.len()
        });
        sum
    })
}

fn mqtt() {
    for len in [64, 1000] {
        let payload = [&b"\0\x1bsensors/kitchen/temperature"[..], &vec![b'x'; len]].concat();
        let (stream, frames) = encoded(Mqtt::new(), &payload);
        race(
            &format!("mqtt {len}"),
            &stream,
            frames,
            &[
                ("soquete", &reader(Mqtt::new())),
                ("by hand", &by_hand(mqtt_end)),
            ],
        );
    }
}

/// Without a look at the type and its flags, and without a limit.
fn mqtt_end(rest: &[u8]) -> Option<(usize, usize, usize)> {
    let mut len = 0;
    for at in 1..5 {
        let byte = *rest.get(at)?;
        len |= usize::from(byte & 0x7f) << (7 * (at - 1));
        if byte < 0x80 {
            let end = at + 1 + len;
            return (rest.len() >= end).then_some((at + 1, end, end));
        }
    }
    panic!("a length of five bytes");
}

fn content_length() {
    for len in [64, 1000] {
        let payload = vec![b'x'; len];
        let (stream, frames) = encoded(ContentLength::new(), &payload);
        race(
            &format!("content-length {len}"),
            &stream,
            frames,
            &[
                ("soquete", &reader(ContentLength::new())),
                ("by hand, memmem", &by_hand(content_length_end)),
            ],
        );
    }
}

/// Without a limit, and with the last of several lengths.
fn content_length_end(rest: &[u8]) -> Option<(usize, usize, usize)> {
    let head = memchr::memmem::find(rest, b"\r\n\r\n")?;
    let fields = std::str::from_utf8(&rest[..head]).expect("text");
    let mut len = None;
    for field in fields.split("\r\n") {
        let (name, value) = field.split_once(':').expect("a field");
        if name.eq_ignore_ascii_case("content-length") {
            len = Some(value.trim().parse::<usize>().expect("a length"));
        }
    }
    let from = head + 4;
    let body = rest.get(from..from + len.expect("a length"))?;
    std::str::from_utf8(body).expect("text");
    Some((from, from + body.len(), from + body.len()))
}

fn dot_stuffed() {
    // A mail of 40 lines of 72 bytes with their ends; one in ten begins with a dot.
    let line = [&[b'x'; 70][..], b"\r\n"].concat();
    let text = [&line.repeat(9)[..], b".", &line[1..]].concat().repeat(4);
    let (stream, frames) = encoded(DotStuffed::new(), &text);
    race(
        &format!("dot-stuffed {}", text.len()),
        &stream,
        frames,
        &[
            ("soquete", &reader(DotStuffed::new())),
            ("by hand, memmem", &unpacked_by_hand(dots_end, without_dots)),
        ],
    );
}

/// Does not know a mail without a line. Looks at a frame from its beginning again when more of it has come.
fn dots_end(rest: &[u8]) -> Option<usize> {
    Some(memchr::memmem::find(rest, b"\r\n.\r\n")? + 5)
}

/// Takes lone line ends for text, which the format does not, and leaves a dot that the text begins with.
fn without_dots(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = &raw[..raw.len() - 3];
    while let Some(at) = memchr::memmem::find(rest, b"\r\n.") {
        out.extend_from_slice(&rest[..at + 2]);
        rest = &rest[at + 3..];
    }
    out.extend_from_slice(rest);
}

fn slip() {
    for len in [64, 1500] {
        let (stream, frames) = encoded(Slip::new(), &noise(len));
        race(
            &format!("slip {len}"),
            &stream,
            frames,
            &[
                ("soquete", &reader(Slip::new())),
                ("by hand, byte loop", &kept(Vec::new(), slip_by_bytes)),
                ("by hand, memchr", &unpacked_by_hand(slip_end, slip_by_runs)),
            ],
        );
    }
}

/// As it is mostly written: a byte at a time. An escape in front of an escape, or of an end, goes unnoticed.
fn slip_by_bytes(out: &mut Vec<u8>, stream: &[u8], chunk: usize) -> usize {
    let mut escaped = false;
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        for &byte in chunk {
            match byte {
                0xc0 => {
                    consume(&mut sum, out);
                    out.clear();
                }
                0xdb => escaped = true,
                0xdc if escaped => {
                    escaped = false;
                    out.push(0xc0);
                }
                0xdd if escaped => {
                    escaped = false;
                    out.push(0xdb);
                }
                _ if escaped => panic!("an escape of another byte"),
                other => out.push(other),
            }
        }
    }
    sum
}

fn slip_end(rest: &[u8]) -> Option<usize> {
    Some(memchr::memchr(0xc0, rest)? + 1)
}

fn slip_by_runs(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = &raw[..raw.len() - 1];
    while let Some(at) = memchr::memchr(0xdb, rest) {
        out.extend_from_slice(&rest[..at]);
        out.push(match rest[at + 1] {
            0xdc => 0xc0,
            0xdd => 0xdb,
            _ => panic!("an escape of another byte"),
        });
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
}

fn hdlc() {
    let format = Hdlc::new().check_sequence();
    let sums = sums();
    for len in [64, 1500] {
        let (stream, frames) = encoded(format, &noise(len));
        race(
            &format!("hdlc with check sequence {len}"),
            &stream,
            frames,
            &[
                ("soquete", &reader(format)),
                (
                    "by hand, byte loop",
                    &kept(Vec::new(), |out, stream, chunk| {
                        hdlc_by_bytes(&sums, out, stream, chunk)
                    }),
                ),
            ],
        );
    }
}

/// The table of RFC 1662, C.2.
fn sums() -> [u16; 256] {
    std::array::from_fn(|byte| {
        (0..8).fold(byte as u16, |sum, _| match sum & 1 {
            1 => sum >> 1 ^ 0x8408,
            _ => sum >> 1,
        })
    })
}

/// A wrong sum is a panic, and a frame cannot be given up.
fn hdlc_by_bytes(sums: &[u16; 256], out: &mut Vec<u8>, stream: &[u8], chunk: usize) -> usize {
    let (mut escaped, mut fcs) = (false, 0xffffu16);
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        for &byte in chunk {
            match byte {
                0x7e if out.is_empty() => {}
                0x7e => {
                    assert_eq!(fcs, 0xf0b8);
                    consume(&mut sum, &out[..out.len() - 2]);
                    out.clear();
                    fcs = 0xffff;
                }
                0x7d => escaped = true,
                other => {
                    let byte = if escaped { other ^ 0x20 } else { other };
                    escaped = false;
                    fcs = fcs >> 8 ^ sums[usize::from(fcs as u8 ^ byte)];
                    out.push(byte);
                }
            }
        }
    }
    sum
}

fn resp_requests() {
    let request = |value: usize| {
        let value = "x".repeat(value);
        let len = value.len();
        format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n${len}\r\n{value}\r\n")
    };
    for (name, request) in [
        ("PING", "*1\r\n$4\r\nPING\r\n".to_owned()),
        ("SET 64", request(64)),
        ("SET 1000", request(1000)),
    ] {
        let frames = STREAM / request.len();
        race(
            &format!("resp {name}"),
            &request.as_bytes().repeat(frames),
            frames,
            &[
                (
                    "soquete",
                    &kept(
                        FrameReader::new(RespRequests::new(), LIMIT),
                        requests_by_reader,
                    ),
                ),
                ("by hand", &kept(Default::default(), requests_by_hand)),
            ],
        );
    }
}

fn requests_by_reader(
    reader: &mut FrameReader<RespRequests>,
    stream: &[u8],
    chunk: usize,
) -> usize {
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        let outcome = reader.push(chunk, |item| {
            let request = item.frame().and_then(RespRequest::parse);
            for argument in request.expect("a request").arguments() {
                consume(&mut sum, argument);
            }
            Flow::Continue
        });
        assert!(outcome.is_ok());
    }
    sum
}

/// Begins the request again when more of it has come. Knows no typed requests, no limits, and no number that overflows.
fn requests_by_hand(
    (leftover, arguments): &mut (Vec<u8>, Vec<(usize, usize)>),
    stream: &[u8],
    chunk: usize,
) -> usize {
    let mut sum = 0;
    with_leftovers(leftover, stream, chunk, |rest| {
        let mut done = 0;
        while let Some(end) = request_end(&rest[done..], arguments) {
            for &(from, to) in &*arguments {
                consume(&mut sum, &rest[done + from..done + to]);
            }
            done += end;
        }
        rest.len() - done
    });
    sum
}

fn request_end(rest: &[u8], arguments: &mut Vec<(usize, usize)>) -> Option<usize> {
    arguments.clear();
    let (count, mut at) = number(rest, 0, b'*')?;
    for _ in 0..count {
        let (len, from) = number(rest, at, b'$')?;
        at = from + len + 2;
        if rest.len() < at {
            return None;
        }
        arguments.push((from, from + len));
    }
    Some(at)
}

/// A line of a number behind `kind`, and where the next one begins.
fn number(rest: &[u8], at: usize, kind: u8) -> Option<(usize, usize)> {
    assert_eq!(*rest.get(at)?, kind);
    let mut value = 0;
    for (i, &byte) in rest[at + 1..].iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + usize::from(byte - b'0'),
            b'\r' if rest.len() > at + i + 2 => return Some((value, at + i + 3)),
            b'\r' => return None,
            _ => panic!("no number"),
        }
    }
    None
}

fn resp_values() {
    let bulk = format!("$64\r\n{}\r\n", "x".repeat(64));
    let array = "*4\r\n$5\r\nfield\r\n:42\r\n$5\r\nother\r\n+value\r\n";
    for (name, value) in [("+OK", "+OK\r\n"), ("bulk 64", &bulk), ("array", array)] {
        let frames = STREAM / value.len();
        race(
            &format!("resp answer {name}"),
            &value.as_bytes().repeat(frames),
            frames,
            &[
                ("soquete", &reader(Resp::new())),
                (
                    "by hand",
                    &by_hand(|rest| {
                        let end = value_end(rest, 0)?;
                        Some((0, end, end))
                    }),
                ),
            ],
        );
    }
}

/// Knows no types but arrays, strings and lines, and does not look at what a line says.
fn value_end(rest: &[u8], at: usize) -> Option<usize> {
    match *rest.get(at)? {
        b'*' => {
            let (count, mut at) = number(rest, at, b'*')?;
            for _ in 0..count {
                at = value_end(rest, at)?;
            }
            Some(at)
        }
        b'$' => {
            let (len, from) = number(rest, at, b'$')?;
            (rest.len() >= from + len + 2).then_some(from + len + 2)
        }
        _ => {
            let line = at + memchr::memchr(b'\n', &rest[at..])?;
            Some(line + 1)
        }
    }
}
