//! HTTP/1.1 messages between this crate and others: Node writes what is read here and reads what is written here, and
//! `httparse` sees the same heads.

#[path = "support/node.rs"]
#[allow(dead_code, reason = "only where Node is")]
mod node;
#[path = "support/prng.rs"]
#[allow(dead_code, reason = "a part of it")]
mod prng;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use soquete::framing::http::{self, Body, Chunk, Http, RequestHead, ResponseHead};
use soquete::framing::{Flow, FrameReader, FrameWriter, Item};

use prng::Prng;

const LIMIT: usize = 1 << 20;

struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Node {
    fn start(arguments: &[&str]) -> Option<(Node, BufReader<std::process::ChildStdout>)> {
        let named = std::env::var_os("SOQUETE_NODE").unwrap_or_else(|| "node".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/framing_http_node.js");
        let mut command = Command::new(named);
        command.arg(script).args(arguments);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = child else {
            let note =
                b"LEFT OUT: HTTP between Node and this crate, because there is no node here\n";
            let _ = std::io::stderr().write_all(note);
            return None;
        };
        let out = BufReader::new(child.stdout.take()?);
        Some((Node(child), out))
    }

    /// Node's own server, and its port.
    fn server() -> Option<(Node, u16)> {
        let (node, mut out) = Node::start(&["server"])?;
        let mut port = String::new();
        out.read_line(&mut port).unwrap();
        Some((node, port.trim().parse().unwrap()))
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn timely(stream: TcpStream) -> TcpStream {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// All that comes, as heads, bodies and trailers.
fn responses(mut stream: TcpStream, methods: &[&str]) -> Vec<String> {
    let mut methods = methods.iter().copied();
    let mut reader = FrameReader::new(Http::responses(), LIMIT);
    reader
        .format_mut()
        .answers(methods.next().unwrap_or_default());
    let mut seen = Vec::new();
    let mut chunk = [0; 777];
    loop {
        let len = stream.read(&mut chunk).unwrap();
        let listener = |item: Item<'_>, mut reading: soquete::framing::Reading<'_, Http>| {
            let frame = item.frame().unwrap();
            if reading.kind() == Http::HEAD {
                let head = ResponseHead::parse(frame).unwrap();
                seen.push(format!("{} {}", head.status(), text(head.reason())));
                if head.status() < 200 {
                    return Flow::Continue;
                }
            } else {
                seen.push(text(frame));
            }
            if reading.format().body() == Body::None {
                reading
                    .format_mut()
                    .answers(methods.next().unwrap_or_default());
            }
            Flow::Continue
        };
        match len {
            0 => {
                reader.finish_with(listener).unwrap();
                return seen;
            }
            len => reader.push_with(&chunk[..len], listener).unwrap(),
        };
    }
}

#[test]
fn node_reads_what_is_written_here_and_its_answers_are_read_here() {
    let Some((_node, port)) = Node::server() else {
        return;
    };
    let mut out = Vec::new();
    let request = |out: &mut Vec<u8>, method: &str, target: &str, answer: &str, body: &[u8]| {
        let head = http::request(out, method, target).field("Host", "a.example");
        let head = head
            .field("X-Answer", answer)
            .field("X-Text", b"caf\xe9  \t!");
        head.length(body.len() as u64).finish().unwrap();
        out.extend_from_slice(body);
    };
    request(&mut out, "POST", "/a?b|c", "length", b"hello");
    request(&mut out, "GET", "/b", "chunks", b"");
    request(&mut out, "HEAD", "/c", "length", b"");
    request(&mut out, "GET", "/d", "none", b"");
    let head = http::request(&mut out, "PUT", "/e")
        .field("Host", "")
        .chunked();
    head.field("Expect", "100-continue")
        .field("Connection", "close")
        .finish()
        .unwrap();
    let chunks = FrameWriter::new(Chunk, LIMIT).unwrap();
    for piece in [&b"he"[..], b"llo\r\n0\r\n\r\n", &[b'x'; 0x1234]] {
        chunks.encode(piece, &mut out).unwrap();
    }
    http::last_chunk(&mut out)
        .field("X-Sum", "17")
        .finish()
        .unwrap();

    let mut stream = timely(TcpStream::connect(("127.0.0.1", port)).unwrap());
    for piece in out.chunks(1000) {
        stream.write_all(piece).unwrap();
    }
    let seen = responses(stream, &["POST", "GET", "HEAD", "GET", "PUT"]);
    let fields = |answer: &str, length: usize| {
        format!("Host|a.example|X-Answer|{answer}|X-Text|caf\u{e9}  \t!|Content-Length|{length}")
    };
    let big = "x".repeat(0x1234);
    let chunked = format!("GET /b 1.1\n{}\n\n", fields("chunks", 0));
    let expected = [
        "200 OK".to_owned(),
        format!("POST /a?b|c 1.1\n{}\nhello\n", fields("length", 5)),
        "200 OK".to_owned(),
        format!("X-Sum: {}\r\n", chunked.chars().count()),
        chunked,
        "200 OK".to_owned(),
        "204 No Content".to_owned(),
        "100 Continue".to_owned(),
        "200 OK".to_owned(),
        format!(
            "PUT /e 1.1\nHost||Transfer-Encoding|chunked|Expect|100-continue|Connection|close\n\
             hello\r\n0\r\n\r\n{big}\nX-Sum|17"
        ),
    ];
    assert_eq!(seen, expected);
}

/// Answers one connection of Node's client until it ends. What it asked is noted.
fn serve(mut stream: TcpStream, seen: &mut Vec<String>) {
    let mut reader = FrameReader::new(Http::requests(), LIMIT);
    let mut out = Vec::new();
    let mut chunk = [0; 5000];
    let (mut target, mut method) = (String::new(), String::new());
    loop {
        let len = stream.read(&mut chunk).unwrap();
        if len == 0 {
            reader.finish(|_| panic!()).unwrap();
            return;
        }
        let mut leaving = false;
        let outcome = reader.push_with(&chunk[..len], |item, reading| {
            let frame = item.frame().unwrap();
            match reading.kind() {
                Http::HEAD => {
                    let head = RequestHead::parse(frame).unwrap();
                    (method, target) = (head.method().to_owned(), head.target().to_owned());
                    seen.push(format!("{method} {target} {:?}", reading.format().body()));
                    if let Some(value) = head.field("x-text") {
                        seen.push(text(value));
                    }
                    if head.expects_continue() {
                        http::response(&mut out, 100).finish().unwrap();
                    }
                }
                Http::TRAILERS => seen.push(format!("trailers {}", text(frame))),
                _ => seen.push(format!("body {}", text(&frame[..frame.len().min(10)]))),
            }
            if reading.format().body() == Body::None {
                leaving = target == "/to-the-end";
                let status = if target == "/none" { 204 } else { 200 };
                let head = http::response(&mut out, status).field("X-Is", "ours");
                match target.as_str() {
                    "/to-the-end" | "/none" => head.finish().unwrap(),
                    "/head" => head.length(12345).finish().unwrap(),
                    "/chunks" => {
                        head.chunked().field("Trailer", "X-Sum").finish().unwrap();
                        let chunks = FrameWriter::new(Chunk, LIMIT).unwrap();
                        chunks.encode(b"chunk", &mut out).unwrap();
                        chunks.encode(&[b'y'; 20_000], &mut out).unwrap();
                        http::last_chunk(&mut out)
                            .field("X-Sum", "1")
                            .finish()
                            .unwrap();
                    }
                    _ => head.length(target.len() as u64).finish().unwrap(),
                }
                let has_body = !matches!(target.as_str(), "/none" | "/head" | "/chunks");
                if has_body {
                    out.extend_from_slice(target.as_bytes());
                }
            }
            Flow::Continue
        });
        outcome.unwrap();
        // A byte at a time would do as well; this cuts heads in the middle.
        for piece in out.chunks(37) {
            stream.write_all(piece).unwrap();
        }
        out.clear();
        if leaving {
            stream.shutdown(Shutdown::Write).unwrap();
        }
    }
}

#[test]
fn nodes_requests_are_read_here_and_it_reads_the_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let Some((_node, out)) = Node::start(&["client", &port]) else {
        return;
    };
    let mut asked = Vec::new();
    // The one that ends with the connection takes it along.
    for _ in 0..2 {
        serve(timely(listener.accept().unwrap().0), &mut asked);
    }
    let answers = out.lines().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(
        asked,
        [
            "GET /get?a=b&c=%20|{} None",
            "HEAD /head None",
            "POST /length Length(5)",
            "body hello",
            "POST /chunks Chunked",
            "trailers X-Sum: 17\r\n",
            "body helloxxxxx",
            "PUT /continue Chunked",
            "body later",
            "DELETE /none None",
            "OPTIONS * None",
            "GET /latin1 None",
            "caf\u{e9}",
            "GET /to-the-end None",
            "GET /last None",
        ]
    );
    let sized = |target: &str| {
        format!(
            "\"200 OK\\nX-Is|ours|Content-Length|{}\\n{target}\\n\"",
            target.len()
        )
    };
    let chunks = "y".repeat(20_000);
    let chunks = format!(
        "\"200 OK\\nX-Is|ours|Transfer-Encoding|chunked|Trailer|X-Sum\\nchunk{chunks}\\nX-Sum|1\""
    );
    let expected = [
        sized("/get?a=b&c=%20|{}"),
        "\"200 OK\\nX-Is|ours|Content-Length|12345\\n\\n\"".to_owned(),
        sized("/length"),
        chunks,
        "\"100\"".to_owned(),
        sized("/continue"),
        "\"204 No Content\\nX-Is|ours\\n\\n\"".to_owned(),
        sized("*"),
        sized("/latin1"),
        "\"200 OK\\nX-Is|ours\\n/to-the-end\\n\"".to_owned(),
        sized("/last"),
    ];
    assert_eq!(answers, expected);
}

const STREAMS: [&str; 6] = [
    "GET /a HTTP/1.1\r\nHost: a\r\nX-Answer: length\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n1;a=b\r\nh\r\n0\r\nX: y\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked \r\n\r\n0a\r\n0123456789\r\n0\r\n\r\n\
     DELETE /b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "\r\nGET http://a/ HTTP/1.1\r\nHost: a\r\nA:\r\nB: c, d ;e\r\n\r\n",
];

const KNOWN: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// What the strict parser makes of a stream, if it finds nothing wrong: method, target and body of each.
fn read_here(stream: &[u8]) -> Option<Vec<String>> {
    let mut reader = FrameReader::new(Http::requests(), LIMIT);
    let mut seen: Vec<String> = Vec::new();
    let outcome = reader.push_with(stream, |item, reading| {
        let frame = item.frame().unwrap_or_default();
        match reading.kind() {
            Http::HEAD => {
                let head = RequestHead::parse(frame).unwrap();
                seen.push(format!("{} {}\n", head.method(), head.target()));
            }
            Http::BODY => seen.last_mut().unwrap().push_str(&text(frame)),
            _ => {}
        }
        Flow::Continue
    });
    outcome
        .and_then(|_| reader.finish(|_| Flow::Continue))
        .ok()
        .map(|_| seen)
}

fn varied(random: &mut Prng) -> Vec<u8> {
    const PIECES: [&[u8]; 16] = [
        b"\r",
        b"\n",
        b"\r\n",
        b" ",
        b"\t",
        b":",
        b";",
        b",",
        b"0",
        b"5",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"chunked",
        b"\0",
        b"Host: a\r\n",
        b"\r\n\r\n",
    ];
    let mut stream = STREAMS[random.below(STREAMS.len())].as_bytes().to_vec();
    for _ in 0..=random.below(2) {
        let at = random.below(stream.len());
        match random.below(3) {
            0 => drop(stream.remove(at)),
            1 => stream[at] = random.below(256) as u8,
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                stream.splice(at..at, piece.iter().copied());
            }
        }
    }
    stream
}

/// The other way round it does not hold: Node takes more, such as a space in a chunk's extensions.
#[test]
fn what_is_read_here_node_reads_in_the_same_way() {
    let Some((_node, port)) = Node::server() else {
        return;
    };
    let mut random = Prng::new(17);
    let mut compared = 0;
    for _ in 0..2000 {
        let stream = varied(&mut random);
        let Some(here) = read_here(&stream) else {
            continue;
        };
        // Node has its own opinions on what is to be done with these, which are none on framing.
        let special = ["Connection", "Upgrade", "Expect", "CONNECT", "HEAD"];
        let shown = text(&stream).to_lowercase();
        if special
            .iter()
            .any(|word| shown.contains(&word.to_lowercase()))
        {
            continue;
        }
        // It has its own opinion on schemes, and knows the methods of a list.
        let target = |message: &String| message.split_whitespace().nth(1).map(str::to_owned);
        let plain = |target: String| target.starts_with('/') || target == "http://a/";
        if !here.iter().filter_map(target).all(plain) {
            continue;
        }
        let method = |message: &String| message.split(' ').next().unwrap_or_default().to_owned();
        if !here
            .iter()
            .all(|message| KNOWN.contains(&method(message).as_str()))
        {
            continue;
        }
        let mut connection = timely(TcpStream::connect(("127.0.0.1", port)).unwrap());
        connection.write_all(&stream).unwrap();
        connection.shutdown(Shutdown::Write).unwrap();
        let methods = vec!["GET"; here.len()];
        let there = responses(connection, &methods);
        let mut there_seen = Vec::new();
        for answer in there {
            // A head, and then the text: the first line, the fields, the body, the trailers.
            if let [first, _, rest @ ..] = answer.split('\n').collect::<Vec<_>>().as_slice() {
                let line = first.rsplit_once(' ').unwrap_or_default().0;
                let body = rest[..rest.len() - 1].join("\n");
                there_seen.push(format!("{line}\n{body}"));
            } else if answer != "200 OK" {
                there_seen.push(answer);
            }
        }
        assert_eq!(there_seen, here, "{}", stream.escape_ascii());
        compared += 1;
    }
    assert!(compared > 100, "{compared} of 2000 streams were compared");
}

#[test]
fn httparse_sees_the_same_heads() {
    let mut random = Prng::new(18);
    let mut compared = 0;
    for _ in 0..20_000 {
        let stream = varied(&mut random);
        let mut reader = FrameReader::new(Http::requests(), LIMIT);
        let mut feed = reader.feed(&stream);
        let Ok(Some(item)) = feed.next() else {
            continue;
        };
        let head = RequestHead::parse(item.frame().unwrap()).unwrap();
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut fields);
        let status = request.parse(&stream);
        assert!(
            matches!(status, Ok(httparse::Status::Complete(_))),
            "{}",
            stream.escape_ascii()
        );
        assert_eq!(request.method, Some(head.method()));
        assert_eq!(request.path, Some(head.target()));
        assert_eq!(request.version, Some(head.minor_version()));
        let theirs = request
            .headers
            .iter()
            .map(|field| (field.name, field.value));
        let ours = head.fields().map(|field| (field.name(), field.value()));
        assert!(ours.eq(theirs), "{}", stream.escape_ascii());
        compared += 1;
    }
    assert!(compared > 2000, "{compared} heads were compared");
}
