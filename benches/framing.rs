//! How fast frames are cut out of a stream: this crate's reader, the codecs of tokio-util and tungstenite, and a loop as
//! one writes it by hand, over the same bytes in the same chunks, in turns.
//!
//! Run with `cargo bench --bench framing`. Each figure is the median of the rounds; ratios are of
//! medians. A part of a name as an argument runs only what has it.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::time::Instant;

use bytes::{Buf, BytesMut};
use soquete::framing::http::{Http, RequestHead};
use soquete::framing::websocket::Outgoing;
use soquete::framing::{
    Either, Encode, FixedLength, Flow, Format, FrameReader, LengthPrefix, Lines, WebSocket,
};
use tokio_util::codec::{AnyDelimiterCodec, Decoder, LengthDelimitedCodec, LinesCodec};
use tungstenite::protocol::Role;
use tungstenite::protocol::frame::FrameSocket;

const LIMIT: usize = 1 << 20;
const ROUNDS: usize = 31;
/// Small enough to stay in the second-level cache, as a buffer that was just read into does.
const STREAM: usize = 256 << 10;
const PASSES: usize = 16;

/// What a consumer does with a frame: enough that it cannot be left out, and next to nothing.
fn consume(sum: &mut usize, frame: &[u8]) {
    *sum = sum
        .wrapping_add(frame.len())
        .wrapping_add(usize::from(*frame.first().unwrap_or(&0)));
}

/// A contender that has been at it for a while: what it keeps, buffers above all, goes on from pass to pass.
fn kept<S>(
    state: S,
    read: impl Fn(&mut S, &[u8], usize) -> usize,
) -> impl Fn(&[u8], usize) -> usize {
    let state = RefCell::new(state);
    move |stream, chunk| read(&mut state.borrow_mut(), stream, chunk)
}

fn reader<F: Format>(format: F) -> impl Fn(&[u8], usize) -> usize {
    kept(FrameReader::new(format, LIMIT), by_reader)
}

fn codec<C: Decoder<Item: AsRef<[u8]>>>(codec: C) -> impl Fn(&[u8], usize) -> usize {
    kept((codec, BytesMut::new()), by_codec)
}

fn by_reader<F: Format>(reader: &mut FrameReader<F>, stream: &[u8], chunk: usize) -> usize {
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        let outcome = reader.push(chunk, |item| {
            if let Some(frame) = item.frame() {
                consume(&mut sum, frame);
            }
            Flow::Continue
        });
        assert!(outcome.is_ok());
    }
    sum
}

fn by_pulling<F: Format>(reader: &mut FrameReader<F>, stream: &[u8], chunk: usize) -> usize {
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        let mut feed = reader.feed(chunk);
        while let Some(item) = feed.next().expect("frames") {
            if let Some(frame) = item.frame() {
                consume(&mut sum, frame);
            }
        }
    }
    sum
}

fn by_codec<C: Decoder<Item: AsRef<[u8]>>>(
    (codec, buffer): &mut (C, BytesMut),
    stream: &[u8],
    chunk: usize,
) -> usize {
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        buffer.extend_from_slice(chunk);
        while let Ok(Some(frame)) = codec.decode(buffer) {
            consume(&mut sum, frame.as_ref());
        }
    }
    assert!(!buffer.has_remaining());
    sum
}

/// Hands `cut` each chunk, behind what it has left of those before, and has it say how much it leaves of that. Frames in
/// one chunk are not copied. `leftover` is empty before and after.
#[inline(always)]
fn with_leftovers(
    leftover: &mut Vec<u8>,
    stream: &[u8],
    chunk: usize,
    mut cut: impl FnMut(&[u8]) -> usize,
) {
    for chunk in stream.chunks(chunk) {
        if leftover.is_empty() {
            let left = cut(chunk);
            leftover.extend_from_slice(&chunk[chunk.len() - left..]);
        } else {
            leftover.extend_from_slice(chunk);
            let left = cut(leftover);
            leftover.drain(..leftover.len() - left);
        }
    }
    assert!(leftover.is_empty());
}

/// The loop by hand, for as long as `end` finds a frame in front: payload start, payload end and frame end.
fn by_hand(end: impl Fn(&[u8]) -> Option<(usize, usize, usize)>) -> impl Fn(&[u8], usize) -> usize {
    kept(Vec::new(), move |leftover, stream, chunk| {
        let mut sum = 0;
        with_leftovers(leftover, stream, chunk, |mut rest| {
            while let Some((start, stop, total)) = end(rest) {
                consume(&mut sum, &rest[start..stop]);
                rest = &rest[total..];
            }
            rest.len()
        });
        sum
    })
}

fn u32_end(rest: &[u8]) -> Option<(usize, usize, usize)> {
    let len = u32::from_be_bytes(*rest.first_chunk()?) as usize;
    assert!(len <= LIMIT);
    (rest.len() - 4 >= len).then_some((4, 4 + len, 4 + len))
}

fn line_end(rest: &[u8]) -> Option<(usize, usize, usize)> {
    let at = rest.iter().position(|byte| *byte == b'\n')?;
    Some((0, at - usize::from(rest[..at].ends_with(b"\r")), at + 1))
}

/// As `line_end`, with the best search there is.
fn line_end_memchr(rest: &[u8]) -> Option<(usize, usize, usize)> {
    let at = memchr::memchr(b'\n', rest)?;
    Some((0, at - usize::from(rest[..at].ends_with(b"\r")), at + 1))
}

/// Lines that are followed by bodies of 16 bytes, the format being changed in place.
fn by_switching(stream: &[u8], chunk: usize) -> usize {
    let mut reader = FrameReader::new(Either::A(Lines::new()), LIMIT);
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        let outcome = reader.push_with(chunk, |item, mut reading| {
            if let Some(frame) = item.frame() {
                consume(&mut sum, frame);
            }
            let next = match reading.format() {
                Either::A(_) => FixedLength::new(BODY).map(Either::B),
                Either::B(_) => Ok(Either::A(Lines::new())),
            };
            let switched = next.and_then(|next| reading.switch(next, LIMIT));
            assert!(switched.is_ok());
            Flow::Continue
        });
        assert!(outcome.is_ok());
    }
    sum
}

/// The same bytes as lines, of which every second would be the body without its last byte.
fn by_lines_only(stream: &[u8], chunk: usize) -> usize {
    let mut reader = FrameReader::new(Lines::new(), LIMIT);
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        let outcome = reader.push(chunk, |item| {
            if let Some(frame) = item.frame() {
                consume(&mut sum, frame);
                sum += usize::from(frame.len() == BODY - 1);
            }
            Flow::Continue
        });
        assert!(outcome.is_ok());
    }
    sum
}

const BODY: usize = 16;

/// Hands out a stream in chunks, as a socket would.
#[derive(Default)]
struct Chunks {
    all: Vec<u8>,
    at: usize,
    chunk: usize,
}

impl Chunks {
    fn begin(&mut self, stream: &[u8], chunk: usize) {
        if self.all.is_empty() {
            self.all = stream.to_vec();
        }
        (self.at, self.chunk) = (0, chunk);
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.all[self.at..];
        let n = self.chunk.min(buffer.len()).min(rest.len());
        if n == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// tungstenite's frame codec, which leaves the mask on: the payloads are not to be read yet.
fn by_tungstenite_frames(socket: &mut FrameSocket<Chunks>, stream: &[u8], chunk: usize) -> usize {
    socket.get_mut().begin(stream, chunk);
    let mut sum = 0usize;
    while let Ok(Some(frame)) = socket.read(Some(LIMIT)) {
        let key = frame.header().mask.expect("a key");
        let payload = frame.payload();
        let first = payload.first().map_or(0, |first| first ^ key[0]);
        sum = sum.wrapping_add(payload.len()).wrapping_add(first.into());
    }
    sum
}

/// tungstenite with its masks taken off, which is its message layer.
fn by_tungstenite(
    socket: &mut tungstenite::WebSocket<Chunks>,
    stream: &[u8],
    chunk: usize,
) -> usize {
    socket.get_mut().begin(stream, chunk);
    let mut sum = 0;
    while let Ok(message) = socket.read() {
        consume(&mut sum, &message.into_data());
    }
    sum
}

/// What it takes at least: the payloads copied, with their masks on.
fn by_copying(buffer: &mut Vec<u8>, stream: &[u8], head: usize, len: usize) -> usize {
    let mut sum = 0usize;
    for frame in stream.chunks_exact(head + len) {
        buffer.clear();
        buffer.extend_from_slice(black_box(&frame[head..]));
        let first = black_box(&*buffer)[0] ^ MASK[0];
        sum = sum.wrapping_add(buffer.len()).wrapping_add(first.into());
    }
    sum
}

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn websockets() {
    for len in [64, 1024, 64 * 1024] {
        let mut frame = Vec::new();
        let writer = Outgoing::binary().masked(|| MASK);
        writer
            .encode(&vec![b'x'; len], &mut frame)
            .expect("a frame");
        let head = frame.len() - len;
        let frames = STREAM / frame.len();
        // As the rivals do.
        let reader = FrameReader::new(WebSocket::server(), LIMIT).keep(LIMIT);
        let frame_socket = FrameSocket::new(Chunks::default());
        let web_socket =
            tungstenite::WebSocket::from_raw_socket(Chunks::default(), Role::Server, None);
        race(
            &format!("websocket {len}"),
            &frame.repeat(frames),
            frames,
            &[
                ("soquete push", &kept(reader, by_reader)),
                ("tungstenite", &kept(web_socket, by_tungstenite)),
                (
                    "tungstenite, mask on",
                    &kept(frame_socket, by_tungstenite_frames),
                ),
                (
                    "memcpy of payloads",
                    &kept(Vec::new(), |buffer, stream, _| {
                        by_copying(buffer, stream, head, len)
                    }),
                ),
            ],
        );
    }
}

/// What a consumer does with a request: enough of it that it has to be looked at.
fn consume_request(sum: &mut usize, method: &[u8], target: &[u8], fields: usize) {
    consume(sum, method);
    consume(sum, target);
    *sum += fields;
}

/// Pipelined requests, by the crate's format. `all` looks at every field as well.
fn requests_by_reader(
    reader: &mut FrameReader<Http>,
    stream: &[u8],
    chunk: usize,
    all: bool,
) -> usize {
    let mut sum = 0;
    for chunk in stream.chunks(chunk) {
        let outcome = reader.push(chunk, |item| {
            let head = item.frame().and_then(RequestHead::parse);
            let head = head.expect("a request");
            let (method, target) = (head.method().as_bytes(), head.target().as_bytes());
            consume_request(&mut sum, method, target, 0);
            if all {
                for field in head.fields() {
                    sum += usize::from(field.is("x-request-id"));
                    consume(&mut sum, field.value());
                }
            }
            Flow::Continue
        });
        assert!(outcome.is_ok());
    }
    sum
}

/// The same with `httparse` and a loop that finds out how each message is framed, as it has to.
fn requests_by_httparse(leftover: &mut Vec<u8>, stream: &[u8], chunk: usize, all: bool) -> usize {
    let mut sum = 0;
    with_leftovers(leftover, stream, chunk, |mut rest| {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; 128];
            let mut request = httparse::Request::new(&mut fields);
            let status = request.parse(rest).expect("a request");
            let httparse::Status::Complete(len) = status else {
                return rest.len();
            };
            let mut host = false;
            let mut length = 0;
            for field in request.headers.iter() {
                if field.name.eq_ignore_ascii_case("host") {
                    host = true;
                } else if field.name.eq_ignore_ascii_case("content-length") {
                    let text = std::str::from_utf8(field.value).expect("a length");
                    length = text.parse().expect("a length");
                } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
                    panic!("no chunks here");
                }
                if all {
                    sum += usize::from(field.name.eq_ignore_ascii_case("x-request-id"));
                    consume(&mut sum, field.value);
                }
            }
            assert!(host);
            let (method, target) = (request.method.unwrap_or(""), request.path.unwrap_or(""));
            consume_request(&mut sum, method.as_bytes(), target.as_bytes(), 0);
            rest = &rest[len + length..];
        }
    });
    sum
}

/// Requests of three sorts: of a load generator, of a benchmark that pretends to be a browser, and of a browser.
const REQUESTS: [(&str, &str); 3] = [
    ("short", "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"),
    (
        "middling",
        "GET /plaintext HTTP/1.1\r\nHost: server\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20130501 \
         Firefox/30.0 AppleWebKit/600.00 Chrome/30.0.0000.0 Trident/10.0 Safari/600.00\r\n\
         Cookie: uid=12345678901234567890; __utma=1.1234567890.1234567890.1234567890.1234567890.12; wd=2560x1600\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
         Accept-Language: en-US,en;q=0.5\r\nConnection: keep-alive\r\n\r\n",
    ),
    (
        "browser",
        "GET /api/v2/rooms/42/messages?after=1700000000&limit=50 HTTP/1.1\r\nHost: chat.example.org\r\n\
         Connection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\"\r\n\
         sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 \
         Safari/537.36\r\nAccept: application/json, text/plain, */*\r\nSec-Fetch-Site: same-origin\r\n\
         Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nReferer: https://chat.example.org/rooms/42\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7\r\n\
         Cookie: session=6f1ed002ab5595859014ebf0951522d9; theme=dark\r\n\
         If-None-Match: W/\"33a64df551425fcc55e4d42a148795d9f25f89d4\"\r\n\r\n",
    ),
];

type Contender<'a> = (&'a str, &'a dyn Fn(&[u8], usize) -> usize);

/// Lets the contenders take turns over `stream`, and prints what the first one's ratio to each is.
fn race(name: &str, stream: &[u8], frames: usize, contenders: &[Contender<'_>]) {
    let wanted = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect::<Vec<_>>();
    if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
        return;
    }
    for chunk in [64 * 1024, 1500, usize::MAX] {
        if chunk > stream.len() && stream.len() <= STREAM {
            continue;
        }
        let mut times = vec![Vec::new(); contenders.len()];
        let mut sums = vec![0; contenders.len()];
        for round in 0..ROUNDS {
            for turn in 0..contenders.len() {
                let i = (turn + round) % contenders.len();
                let start = Instant::now();
                for _ in 0..PASSES {
                    sums[i] = (contenders[i].1)(black_box(stream), chunk);
                }
                times[i].push(start.elapsed().as_secs_f64());
            }
        }
        assert!(
            sums.iter().all(|sum| *sum == sums[0]),
            "all have read the same"
        );
        let medians = times.iter_mut().map(|times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        let medians = medians.collect::<Vec<_>>();
        let chunk = chunk.min(stream.len());
        println!("{name}, in chunks of {chunk}");
        for ((who, _), median) in contenders.iter().zip(&medians) {
            println!(
                "  {who:<22} {:>8.2} ns/frame {:>9.0} MB/s   {:>6.2}x",
                median * 1e9 / (frames * PASSES) as f64,
                (stream.len() * PASSES) as f64 / median / 1e6,
                median / medians[0],
            );
        }
    }
}

#[path = "framing/protocols.rs"]
mod protocols;

/// The crate's own search, which is private to it.
#[allow(dead_code, unused_imports)]
#[path = "../src/framing/search.rs"]
mod search;

/// Counts the line feeds in `stream`, one search after the other.
fn count(stream: &[u8], find: impl Fn(&[u8]) -> Option<usize>) -> usize {
    let mut rest = stream;
    let mut lines = 0;
    while let Some(at) = find(rest) {
        rest = &rest[at + 1..];
        lines += 1;
    }
    lines
}

fn main() {
    println!("ns per frame, throughput, and how many times the reader's time it took\n");
    for len in [16, 256, 64 * 1024] {
        let frames = STREAM / (4 + len);
        let frame = [&(len as u32).to_be_bytes()[..], &vec![b'x'; len]].concat();
        let stream = frame.repeat(frames);
        let format = LengthPrefix::u32_be();
        let mut delimited = LengthDelimitedCodec::new();
        delimited.set_max_frame_length(LIMIT);
        race(
            &format!("u32 {len}"),
            &stream,
            frames,
            &[
                ("soquete push", &reader(format)),
                (
                    "soquete feed",
                    &kept(FrameReader::new(format, LIMIT), by_pulling),
                ),
                ("by hand", &by_hand(u32_end)),
                ("tokio-util", &codec(delimited)),
            ],
        );
    }
    for len in [16, 80, 1000] {
        let frames = STREAM / (1 + len);
        let stream = [&vec![b'x'; len][..], b"\n"].concat().repeat(frames);
        let lines = LinesCodec::new_with_max_length(LIMIT);
        let delimiter = AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), vec![], LIMIT);
        race(
            &format!("lines {len}"),
            &stream,
            frames,
            &[
                ("soquete push", &reader(Lines::new())),
                ("by hand, byte loop", &by_hand(line_end)),
                ("by hand, memchr", &by_hand(line_end_memchr)),
                ("tokio-util lines", &codec(lines)),
                ("tokio-util delimiter", &codec(delimiter)),
            ],
        );
    }
    websockets();
    let pairs = 50_000;
    let stream = b"16\nfifteen bytes..\n".repeat(pairs);
    race(
        "line and body in turn",
        &stream,
        2 * pairs,
        &[
            ("switched in place", &by_switching),
            ("lines only", &by_lines_only),
        ],
    );
    for (name, request) in REQUESTS {
        let requests = STREAM / request.len();
        let stream = request.as_bytes().repeat(requests);
        for (what, all) in [("method and target", false), ("every field", true)] {
            race(
                &format!("http {name}, {} bytes, {what}", request.len()),
                &stream,
                requests,
                &[
                    (
                        "soquete",
                        &kept(
                            FrameReader::new(Http::requests(), LIMIT),
                            |reader, stream, chunk| requests_by_reader(reader, stream, chunk, all),
                        ),
                    ),
                    (
                        "httparse and a loop",
                        &kept(Vec::new(), |leftover, stream, chunk| {
                            requests_by_httparse(leftover, stream, chunk, all)
                        }),
                    ),
                ],
            );
        }
    }
    protocols::races();
    for len in [4, 16, 80, 1000, 65536] {
        let lines = STREAM / (1 + len);
        let stream = [&vec![b'x'; len][..], b"\n"].concat().repeat(lines);
        race(
            &format!("search {len}"),
            &stream,
            lines,
            &[
                ("soquete", &|stream, _| {
                    count(stream, |rest| search::find(rest, b'\n'))
                }),
                ("memchr", &|stream, _| {
                    count(stream, |rest| memchr::memchr(b'\n', rest))
                }),
                ("byte loop", &|stream, _| {
                    count(stream, |rest| rest.iter().position(|b| *b == b'\n'))
                }),
            ],
        );
    }
}
