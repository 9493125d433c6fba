//! RESP against Redis itself: what it answers in both versions, and what its clients send. And what such decoders have
//! got wrong elsewhere, one test each.
//!
//! The comparisons need `redis-server` (Debian: redis-server) and `redis-cli`, `redis-benchmark` (Debian: redis-tools);
//! what is not there is left out, which is said.

#[path = "support/counting.rs"]
mod counting;
#[path = "support/redis.rs"]
mod redis;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use redis::{Redis, left_out};
use soquete::framing::{
    Flow, FrameError, FrameReader, Item, Resp, RespRequest, RespRequests, RespValue, RespVersion,
    RespWriter,
};
use soquete::{event, net};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

const TOO_LONG: Duration = Duration::from_secs(20);

// Redis as the oracle.

/// Sends requests, and reads as many values as there are requests; pushes do not count.
fn answers(redis: &Redis, format: Resp, requests: &[&[&[u8]]]) -> Vec<Vec<u8>> {
    let mut stream = redis.connect();
    let mut out = Vec::new();
    let mut writer = RespWriter::new(&mut out, RespVersion::V2);
    requests.iter().for_each(|request| writer.request(request));
    stream.write_all(&out).unwrap();
    let mut reader = FrameReader::new(format, 1 << 26);
    let (mut answers, mut due) = (Vec::new(), requests.len());
    let mut chunk = [0; 113];
    while due > 0 {
        let len = stream.read(&mut chunk).unwrap();
        assert!(len > 0, "{due} answers are missing");
        let read = reader.push_with(&chunk[..len], |item, reading| {
            answers.extend(item.frame().map(<[u8]>::to_vec));
            due -= usize::from(reading.kind() != b'>');
            Flow::Continue
        });
        read.unwrap();
    }
    assert_eq!(reader.unread(), 0, "there is more than was asked for");
    answers
}

fn value(frame: &[u8]) -> RespValue<'_> {
    RespValue::parse(frame).unwrap_or_else(|| panic!("{}", frame.escape_ascii()))
}

#[test]
fn every_type_that_redis_has_comes_as_what_it_is() {
    let Some(redis) = Redis::start("resp-types") else {
        return;
    };
    let types = [
        "string", "integer", "double", "null", "array", "set", "map", "attrib", "push", "verbatim",
        "true", "false", "bignum",
    ];
    let mut requests: Vec<[&[u8]; 3]> = Vec::new();
    for name in types {
        requests.push([b"DEBUG", b"PROTOCOL", name.as_bytes()]);
    }
    let hello: [&[u8]; 2] = [b"HELLO", b"3"];
    let mut all = vec![&hello[..]];
    all.extend(requests.iter().map(|request| &request[..]));
    let answers = answers(&redis, Resp::new(), &all);
    let values = answers.iter().map(|frame| value(frame)).collect::<Vec<_>>();
    let RespValue::Map(hello) = values[0] else {
        panic!("{:?}", values[0])
    };
    assert!(
        hello
            .pairs()
            .any(|pair| pair == (RespValue::Bulk(b"proto"), RespValue::Integer(3)))
    );
    let three = [0, 1, 2].map(RespValue::Integer);
    assert_eq!(values[1], RespValue::Bulk(b"Hello World"));
    assert_eq!(values[2], RespValue::Integer(12345));
    let double = "3.141".parse().unwrap();
    assert_eq!(values[3], RespValue::Double(double));
    assert_eq!(values[4], RespValue::Null);
    assert!(matches!(values[5], RespValue::Array(items) if items.eq(three)));
    assert!(matches!(values[6], RespValue::Set(items) if items.eq(three)));
    let RespValue::Map(map) = values[7] else {
        panic!("{:?}", values[7])
    };
    let booleans = [false, true, false].map(RespValue::Boolean);
    assert!(map.pairs().eq(three.into_iter().zip(booleans)));
    assert_eq!(
        values[8],
        RespValue::Bulk(b"Some real reply following the attribute")
    );
    let (key, popularity) = RespValue::attributes(&answers[8]).next().unwrap();
    assert_eq!(key, RespValue::Bulk(b"key-popularity"));
    let expected = [RespValue::Bulk(b"key:123"), RespValue::Integer(90)];
    assert!(matches!(popularity, RespValue::Array(items) if items.eq(expected)));
    let expected = [RespValue::Bulk(b"server-cpu-usage"), RespValue::Integer(42)];
    assert!(matches!(values[9], RespValue::Push(items) if items.eq(expected)));
    assert_eq!(
        values[10],
        RespValue::Bulk(b"Some real reply following the push reply")
    );
    let (format, text) = (&b"txt"[..], &b"This is a verbatim\nstring"[..]);
    assert_eq!(values[11], RespValue::Verbatim { format, text });
    assert_eq!(values[12], RespValue::Boolean(true));
    assert_eq!(values[13], RespValue::Boolean(false));
    assert_eq!(
        values[14],
        RespValue::BigNumber(b"1234567999999999999999999999999999999")
    );
}

/// `COMMAND` is the longest and deepest answer there is: all commands with their keys and flags.
#[test]
fn the_longest_answers_of_redis_are_read_in_both_versions() {
    let Some(redis) = Redis::start("resp-long") else {
        return;
    };
    for version in ["2", "3"] {
        let format = match version {
            "2" => Resp::version_2(),
            _ => Resp::new(),
        };
        let requests: [&[&[u8]]; 8] = [
            &[b"HELLO", version.as_bytes()],
            &[b"COMMAND"],
            &[b"COMMAND", b"DOCS"],
            &[b"INFO", b"all"],
            &[b"CONFIG", b"GET", b"*"],
            &[b"ZADD", b"z", b"inf", b"a", b"-1.5", b"b"],
            &[b"ZRANGE", b"z", b"0", b"-1", b"WITHSCORES"],
            &[b"NO-SUCH-COMMAND", b"a\r\nb"],
        ];
        let answers = answers(&redis, format, &requests);
        assert_eq!(answers.len(), requests.len());
        let mut commands = 0;
        if let RespValue::Array(items) = value(&answers[1]) {
            commands = items.count();
        }
        assert!(commands > 200, "{commands} commands");
        assert!(answers[2].len() > 100_000);
        assert!(matches!(value(&answers[7]), RespValue::Error(text) if text.starts_with(b"ERR ")));
        // It is written as it was read.
        assert_eq!(rewritten(&answers[2], version), answers[2]);
        assert_eq!(rewritten(&answers[6], version), answers[6]);
    }
}

/// What `RespWriter` makes of what `RespValue` reads.
fn rewritten(frame: &[u8], version: &str) -> Vec<u8> {
    fn write(value: RespValue<'_>, out: &mut RespWriter<'_>) {
        match value {
            RespValue::Array(items) => {
                out.array(items.count());
                items.for_each(|item| write(item, out));
            }
            RespValue::Set(items) => {
                out.set(items.count());
                items.for_each(|item| write(item, out));
            }
            RespValue::Map(items) => {
                out.map(items.count() / 2);
                items.for_each(|item| write(item, out));
            }
            RespValue::Simple(text) => out.simple(std::str::from_utf8(text).unwrap()),
            RespValue::Error(text) => out.error(text),
            RespValue::Integer(number) => out.integer(number),
            RespValue::Bulk(bytes) => out.bulk(bytes),
            RespValue::Null => out.null(),
            RespValue::Double(double) => out.double(double),
            other => panic!("{other:?}"),
        }
    }
    let version = match version {
        "2" => RespVersion::V2,
        _ => RespVersion::V3,
    };
    let mut out = Vec::new();
    write(value(frame), &mut RespWriter::new(&mut out, version));
    out
}

/// A server that answers `PING`, `ECHO` and `COMMAND`, on a thread and a loop of its own.
struct Echo {
    port: u16,
    remote: soquete::Remote,
    thread: Option<thread::JoinHandle<()>>,
}

impl Echo {
    fn start() -> Echo {
        let (sender, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let server = net::create_server(|socket| {
                socket.on(event::Error, |_| {});
                let requests = FrameReader::new(RespRequests::new(), 1 << 20);
                socket.frames(requests, move |frame| {
                    let request = RespRequest::parse(frame).unwrap();
                    let mut out = Vec::new();
                    let mut answer = RespWriter::new(&mut out, RespVersion::V2);
                    let last = request.arguments().last().unwrap_or_default();
                    match &request.name().to_ascii_uppercase()[..] {
                        b"PING" => answer.simple("PONG"),
                        b"ECHO" => answer.bulk(last),
                        _ => answer.array(0),
                    }
                    socket.write(out);
                });
            });
            let listening = net::ListenOptions::new(0).host("127.0.0.1");
            server.listen_then(listening, move |_| {
                let port = server.address().unwrap().port();
                sender.send((port, soquete::remote().unwrap())).unwrap();
            });
            soquete::run().unwrap();
        });
        let (port, remote) = started.recv_timeout(TOO_LONG).unwrap();
        Echo {
            port,
            remote,
            thread: Some(thread),
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let stopped = self.remote.post(soquete::stop);
        if let (Ok(()), Some(thread)) = (stopped, self.thread.take()) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

#[test]
fn the_clients_of_redis_are_answered() {
    let echo = Echo::start();
    let port = echo.port.to_string();
    let run = |program: &str, arguments: &[&str], input: &str| {
        let child = Command::new(program)
            .args(["-p", &port])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = child else {
            left_out(program, "redis-tools");
            return None;
        };
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        Some(String::from_utf8(output.stdout).unwrap())
    };
    if let Some(answer) = run("redis-cli", &["ECHO", "two words\r\n"], "") {
        assert_eq!(answer, "two words\r\n\n");
    }
    // Typed, as it is over a plain connection.
    if let Some(answer) = run("redis-cli", &[], "PING\nECHO \"a b\"\n") {
        assert_eq!(answer, "PONG\na b\n");
    }
    let arguments = ["-t", "ping", "-n", "2000", "-c", "5", "-P", "7", "-q"];
    if let Some(answer) = run("redis-benchmark", &arguments, "") {
        let lines = answer
            .lines()
            .filter(|line| line.contains("requests per second"));
        assert_eq!(lines.count(), 2, "{answer}");
    }
    let mut telnet = TcpStream::connect(("127.0.0.1", echo.port)).unwrap();
    telnet.set_read_timeout(Some(TOO_LONG)).unwrap();
    telnet.write_all(b"\r\n  echo 'it\\'s' \n").unwrap();
    let mut answer = [0; 10];
    telnet.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"$4\r\nit's\r\n");
}

// What others have got wrong.

fn read(format: Resp, chunks: &[&[u8]]) -> Vec<String> {
    let mut reader = FrameReader::new(format, 1000);
    let mut seen = Vec::new();
    for chunk in chunks {
        let outcome = reader.push(chunk, |item| {
            seen.push(format!("{:?}", value(item.frame().unwrap())));
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

/// Netty's limits its inline lines, and not the line that a length stands in.
#[test]
fn a_length_without_an_end_is_refused_after_a_few_bytes() {
    let mut reader = FrameReader::new(Resp::new(), usize::MAX);
    let mut fed = 0;
    let error = loop {
        fed += 100;
        assert!(fed < 2000, "the line goes on and on");
        if let Err(error) = reader.push(
            &[&b"$"[..usize::from(fed == 100)], &[b'1'; 100]].concat(),
            |_| Flow::Continue,
        ) {
            break error;
        }
    };
    assert_eq!(error.to_string(), "number that is too long at offset 1");
}

/// `$-1` is null, and any other negative length once was a crash, or an endless loop.
#[test]
fn only_one_negative_length_means_something() {
    assert_eq!(read(Resp::new(), &[b"$-1\r\n*-1\r\n"]), ["Null", "Null"]);
    for bad in [
        &b"$-2\r\n"[..],
        b"*-2\r\n",
        b"%-1\r\n",
        b"!-1\r\n",
        b"=-1\r\n",
        b"$-\r\n",
        b"$-0\r\n",
    ] {
        let seen = read(Resp::new(), &[bad]);
        assert!(seen[0].ends_with("at offset 1"), "{seen:?}");
    }
}

/// An aggregate was reserved room for as many items as it announced.
#[test]
fn a_promise_of_many_items_takes_no_memory() {
    for promise in [
        &b"*9223372036854775807\r\n"[..],
        b"%4294967296\r\n*1000000000\r\n:1\r\n",
        b"$536870912\r\nabc",
    ] {
        let before = counting::so_far();
        let mut reader = FrameReader::new(Resp::new(), usize::MAX);
        reader.push(promise, |_| Flow::Continue).unwrap();
        let held = counting::since(before).in_use;
        assert!(held < 1000, "{held} bytes for {}", promise.escape_ascii());
    }
}

/// What nests without an end ended the stack of recursive decoders.
#[test]
fn nesting_ends_at_its_limit() {
    let seen = read(Resp::new(), &[&b"*1\r\n".repeat(100_000)]);
    assert_eq!(seen, ["value that nests too deeply at offset 128"]);
}

/// A decoder that looked for the line end of a string in its bytes found one in them.
#[test]
fn strings_may_contain_line_ends_and_values() {
    let seen = read(Resp::new(), &[b"$9\r\n\r\n$1\r\na\r\n\r\n", b":1\r\n"]);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1], "Integer(1)");
}

/// A CR at the end of a chunk was taken for the line end, or for a part of the text.
#[test]
fn a_line_end_may_be_cut_anywhere() {
    let stream = b"+OK\r\n-ERR a\r\n:12\r\n$2\r\nab\r\n*1\r\n,1.5\r\n";
    let whole = read(Resp::new(), &[stream]);
    assert_eq!(whole.len(), 5);
    for cut in 0..stream.len() {
        assert_eq!(
            read(Resp::new(), &[&stream[..cut], &stream[cut..]]),
            whole,
            "cut at {cut}"
        );
    }
}

/// An error of a version before the last was sent without its CR, and swallowed the next answer.
#[test]
fn a_bare_line_feed_ends_nothing() {
    let what = "line feed without a carriage return at offset 4";
    assert_eq!(read(Resp::new(), &[b"-ERR\n:1\r\n"]), [what]);
}

/// Some C libraries print a sign in front of what is no number, and Redis has sent it.
#[test]
fn what_is_no_number_may_have_a_sign() {
    assert_eq!(
        read(Resp::new(), &[b",-nan\r\n,nan\r\n"]),
        ["Double(NaN)", "Double(NaN)"]
    );
}

/// A client took a push for the answer, and every answer after it for that of the request before.
#[test]
fn a_push_is_told_from_an_answer_before_it_is_looked_at() {
    let mut reader = FrameReader::new(Resp::new(), 100);
    let mut kinds = Vec::new();
    let stream = b">2\r\n+invalidate\r\n*1\r\n+key\r\n+OK\r\n|1\r\n+a\r\n:1\r\n:2\r\n";
    let read = reader.push_with(stream, |_, reading| {
        kinds.push(char::from(reading.kind()));
        Flow::Continue
    });
    assert_eq!((read, kinds), (Ok(Flow::Continue), vec!['>', '+', '|']));
}

#[test]
fn an_answer_that_the_input_cuts_off_is_no_answer() {
    let seen = read(Resp::new(), &[b"+OK\r\n$5\r\nhel"]);
    assert_eq!(
        seen[1],
        "input ended inside the frame at offset 5, after 7 of its bytes"
    );
}

#[test]
fn a_long_string_comes_in_pieces_with_its_head() {
    let mut reader = FrameReader::new(Resp::new(), 1 << 20).stream_above(100);
    let stream = [&b"$5000\r\n"[..], &[b'x'; 5000], b"\r\n:1\r\n"].concat();
    let mut pieces = Vec::new();
    let mut frames = 0;
    for chunk in stream.chunks(700) {
        let read = reader.push(chunk, |item| {
            match item {
                Item::Piece { bytes, .. } => pieces.extend_from_slice(bytes),
                item => frames += usize::from(item.frame() == Some(b":1\r\n")),
            }
            Flow::Continue
        });
        assert_eq!(read, Ok(Flow::Continue));
        assert!(reader.capacity() <= 2000, "{}", reader.capacity());
    }
    assert_eq!((&pieces[..], frames), (&stream[..5009], 1));
}

/// A typed request that is too long by its quotes and escapes alone was let through, and cut.
#[test]
fn the_limit_is_on_a_typed_request_as_an_array_as_well() {
    let mut reader = FrameReader::new(RespRequests::new(), 30);
    let read = reader.push(b"a b c d e f\r\n", |_| Flow::Continue);
    let (at, limit, declared) = (0, 30, None);
    assert_eq!(
        read,
        Err(FrameError::TooLong {
            at,
            limit,
            declared
        })
    );
}

/// Unbalanced quotation marks lose the request, and not the place in the stream.
#[test]
fn a_typed_request_with_unbalanced_quotes_can_be_skipped() {
    let mut reader = FrameReader::new(RespRequests::new(), 100).skip_bad_frames();
    let mut seen = Vec::new();
    let read = reader.push(b"a 'b\r\nPING\r\n", |item| {
        seen.push(match item {
            Item::Skipped { error, .. } => error.to_string(),
            item => format!("{}", item.frame().unwrap_or_default().escape_ascii()),
        });
        Flow::Continue
    });
    assert_eq!(read, Ok(Flow::Continue));
    assert_eq!(
        seen,
        [
            "unbalanced quotes in request at offset 2",
            "*1\\r\\n$4\\r\\nPING\\r\\n"
        ]
    );
}

// What it costs.

#[test]
fn requests_and_values_allocate_nothing_once_they_flow() {
    let requests = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n\"PI\"\r\nNG\r\n".repeat(100);
    let mut reader = FrameReader::new(RespRequests::new(), 1000);
    let mut flow = |chunk: usize| {
        let mut bytes = 0;
        for chunk in requests.chunks(chunk) {
            let listener = |item: Item<'_>| {
                let request = item.frame().and_then(RespRequest::parse).unwrap();
                bytes += request.arguments().map(<[u8]>::len).sum::<usize>();
                Flow::Continue
            };
            reader.push(chunk, listener).unwrap();
        }
        bytes
    };
    assert_eq!(flow(37), 1300);
    let before = counting::so_far();
    assert_eq!((flow(37), flow(1)), (1300, 1300));
    assert_eq!(counting::since(before).times, 0);

    let values = b"*2\r\n*1\r\n:1\r\n%1\r\n+a\r\n$1\r\nb\r\n>1\r\n+x\r\n,1.5\r\n".repeat(100);
    let mut reader = FrameReader::new(Resp::new(), 1000);
    let mut flow = |chunk: usize| {
        let mut items = 0;
        for chunk in values.chunks(chunk) {
            let listener = |item: Item<'_>| {
                if let RespValue::Array(inner) = value(item.frame().unwrap()) {
                    items += inner.count();
                }
                Flow::Continue
            };
            reader.push(chunk, listener).unwrap();
        }
        items
    };
    assert_eq!(flow(37), 200);
    let before = counting::so_far();
    assert_eq!((flow(37), flow(1)), (200, 200));
    assert_eq!(counting::since(before).times, 0);
}
