//! What is said in heads: written and read back, and read out of any bytes.

use super::super::http::{self, Body, Fields, Http, RequestHead, ResponseHead};
use super::super::websocket::{self, Close, Outgoing, Upgrade, WebSocket};
use super::super::{Encode, Flow, FrameError, FrameReader, ProxyHeader};

/// Heads of HTTP and of WebSocket's handshake, close frames and PROXY headers. The first byte chooses what is done with the
/// others.
pub fn fuzz_heads(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    match choice & 7 {
        0 => any_bytes(data),
        1 => requests_are_read_back(data),
        2 => responses_are_read_back(data),
        3 => chunks_are_read_back(data),
        4 => handshake(data),
        5 => answer_to_a_handshake(data),
        6 => close(data),
        _ => proxy(data),
    }
}

/// Whatever the bytes are, views of them say what is read byte by byte.
fn any_bytes(data: &[u8]) {
    Said::of(data).is_said_by(Fields::new(data));
    let line = data.iter().position(|byte| *byte == b'\r').unwrap_or(0);
    let (line, lines) = (&data[..line], data.get(line + 2..).unwrap_or_default());
    let said = Said::of(lines);
    if let Some(head) = RequestHead::parse(data) {
        said.is_said_by(head.fields());
        assert_eq!(head.keep_alive(), said.keep_alive(head.minor_version()));
        let expects = said.has_token("expect", "100-continue");
        assert_eq!(
            head.expects_continue(),
            expects && head.minor_version() == 1
        );
        let (method, target) = (head.method(), head.target());
        let version = head.minor_version();
        let written = format!("{method} {target} HTTP/1.{version}");
        assert_eq!(line, written.as_bytes());
        path_and_query(&head);
    }
    if let Some(head) = ResponseHead::parse(data) {
        said.is_said_by(head.fields());
        assert_eq!(head.keep_alive(), said.keep_alive(head.minor_version()));
        let written = format!("HTTP/1.{} ", head.minor_version());
        let (before, reason) = line.split_at(written.len() + 4);
        assert_eq!(
            (&before[..written.len()], reason),
            (written.as_bytes(), head.reason())
        );
        let status = std::str::from_utf8(&before[written.len()..]);
        assert_eq!(
            status.map(|text| text.trim().parse()),
            Ok(Ok(head.status()))
        );
    }
}

/// Both are what stands in the target, behind scheme and authority if there are any.
fn path_and_query(head: &RequestHead<'_>) {
    let (path, target) = (head.path(), head.target());
    assert!(!path.contains('?'));
    let query = head.query().map(|query| format!("?{query}"));
    let both = format!("{path}{}", query.unwrap_or_default());
    if target.starts_with('/') {
        assert_eq!(both, target);
    } else if let Some((_, behind)) = target.split_once("://") {
        let end = behind.find(['/', '?']).unwrap_or(behind.len());
        let origin = &behind[end..];
        assert!(both == origin || both == format!("/{origin}") && !origin.starts_with('/'));
    } else {
        let has_path = !target.is_empty() && !target.starts_with('?');
        assert!(both == target || both == format!("/{target}") && !has_path);
    }
}

/// The fields of a section with their names, read byte by byte up to the first line that does not end, or has no colon.
struct Said<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Said<'a> {
    fn of(lines: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        let mut rest = lines;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\r') {
            let (line, behind) = rest.split_at(end);
            let colon = line.iter().position(|byte| *byte == b':');
            let (Some(colon), Some(behind)) = (colon, behind.strip_prefix(b"\r\n")) else {
                break;
            };
            fields.push((&line[..colon], line[colon + 1..].trim_ascii()));
            rest = behind;
        }
        Self(fields)
    }

    fn values(&self, name: &str) -> Vec<&'a [u8]> {
        let of_that_name =
            |(other, _): &&(&[u8], &[u8])| other.eq_ignore_ascii_case(name.as_bytes());
        let fields = self.0.iter().filter(of_that_name);
        fields.map(|(_, value)| *value).collect()
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        let values = self.values(name);
        let mut members = values
            .iter()
            .flat_map(|value| value.split(|byte| *byte == b','));
        members.any(|member| member.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    fn keep_alive(&self, minor_version: u8) -> bool {
        let asked = minor_version == 1 || self.has_token("connection", "keep-alive");
        asked && !self.has_token("connection", "close")
    }

    fn is_said_by(&self, fields: Fields<'_>) {
        // A name that is no text is none.
        let text = |name| std::str::from_utf8(name).unwrap_or_default();
        let named = self.0.iter().map(|(name, value)| (text(name), *value));
        assert!(named.eq(fields.map(|field| (field.name(), field.value()))));
        // Not all of many, each of which is looked for among all.
        for (name, value) in self.0.iter().take(20) {
            let name = text(name).to_ascii_uppercase();
            let values = self.values(&name);
            assert_eq!(fields.get(&name), values.first().copied());
            assert!(fields.all(&name).eq(values));
            let members = value.split(|byte| *byte == b',').take(20).map(text);
            for token in members.chain(["chunked"]) {
                for token in [token, token.trim_ascii()] {
                    let said = self.has_token(&name, token);
                    assert_eq!(fields.has_token(&name, token), said, "{token:?}");
                }
            }
        }
    }
}

/// The words of a head: a word, and names and values in turn.
fn words(data: &[u8]) -> (&str, Vec<(&str, &[u8])>) {
    let mut parts = data.split(|byte| *byte == 0);
    let mut text = || {
        parts
            .next()
            .map(|part| (std::str::from_utf8(part).unwrap_or("x"), part))
    };
    let first = text().map_or("", |(first, _)| first);
    let mut fields = Vec::new();
    while let Some((name, _)) = text() {
        let value = text().map_or(&b""[..], |(_, value)| value);
        fields.push((name, value));
    }
    (first, fields)
}

/// Reads a stream that has one head at its front and nothing behind it.
fn read_head(mut format: Http, stream: &[u8], answers: &str) -> (Vec<u8>, Body) {
    format.answers(answers);
    let format = format.max_head(usize::MAX / 8).max_target(usize::MAX / 8);
    let mut reader = FrameReader::new(format.max_fields(usize::MAX), usize::MAX);
    let mut head = None;
    let read = reader.push_with(stream, |item, reading| {
        assert_eq!((reading.kind(), reading.unread()), (Http::HEAD, 0));
        head = item
            .frame()
            .map(|frame| (frame.to_vec(), reading.format().body()));
        Flow::Stop
    });
    match (read, head) {
        (Ok(Flow::Stop), Some(head)) => head,
        (read, _) => panic!("{read:?} of {}", stream.escape_ascii()),
    }
}

/// What is written with a head beside its fields.
fn framed<'a>(head: http::HeadWriter<'a>, how: usize) -> http::HeadWriter<'a> {
    match how % 4 {
        0 => head,
        1 => head.length(how as u64 / 4),
        2 => head.chunked(),
        _ => head.chunked().length(1),
    }
}

fn with_fields<'a>(
    mut head: http::HeadWriter<'a>,
    fields: &[(&str, &[u8])],
) -> http::HeadWriter<'a> {
    for (name, value) in fields {
        head = head.field(name, value);
    }
    head
}

/// The fields that were given are those that are read, in their order, without the white space around them; behind them
/// stands what was not given as a field.
fn check_fields(read: Fields<'_>, given: &[(&str, &[u8])]) {
    let says_length = |name: &str| {
        let known = ["content-length", "transfer-encoding"];
        known.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let mut rest = read;
    for (name, value) in given {
        let field = rest.next();
        let field = field.map(|field| (field.name(), field.value()));
        assert_eq!(field, Some((*name, value.trim_ascii())));
    }
    let more = rest.map(|field| says_length(field.name()));
    let more = more.collect::<Vec<_>>();
    let said = given.iter().any(|(name, _)| says_length(name));
    assert!(more.is_empty() || more == [true] && !said);
}

fn requests_are_read_back(data: &[u8]) {
    let (line, fields) = words(data);
    let (method, target) = line.split_once(' ').unwrap_or((line, "/"));
    let mut out = b"before".to_vec();
    let head = with_fields(http::request(&mut out, method, target), &fields);
    if framed(head, data.len()).finish().is_err() {
        assert_eq!(out, b"before");
        return;
    }
    let (head, _) = read_head(Http::requests(), &out[6..], "GET");
    let Some(head) = RequestHead::parse(&head) else {
        panic!("no request: {}", out.escape_ascii());
    };
    assert_eq!((head.method(), head.target()), (method, target));
    check_fields(head.fields(), &fields);
}

fn responses_are_read_back(data: &[u8]) {
    let (line, fields) = words(data);
    let status = line.parse::<u16>().unwrap_or(204);
    let mut out = b"before".to_vec();
    let head = with_fields(http::response(&mut out, status), &fields);
    if framed(head, data.len()).finish().is_err() {
        assert_eq!(out, b"before");
        return;
    }
    let method = ["GET", "HEAD", "CONNECT"][data.len() / 4 % 3];
    let (head, body) = read_head(Http::responses(), &out[6..], method);
    let Some(head) = ResponseHead::parse(&head) else {
        panic!("no response: {}", out.escape_ascii());
    };
    assert_eq!(head.status(), status);
    assert_eq!(head.reason(), http::reason(status).as_bytes());
    let no_body = method == "HEAD" || matches!(status, 204 | 304);
    let tunnel = status == 101 || method == "CONNECT" && (200..300).contains(&status);
    match body {
        Body::ToTheEnd if tunnel => {}
        Body::None if no_body || status < 200 => {}
        body => assert!(!no_body && !tunnel && status >= 200, "{body:?}"),
    }
    check_fields(head.fields(), &fields);
}

/// A body in chunks, and trailers.
fn chunks_are_read_back(data: &[u8]) {
    let (first, trailers) = words(data);
    let mut out = Vec::new();
    let mut body = Vec::new();
    let written = http::response(&mut out, 200).chunked().finish();
    assert_eq!(written, Ok(()));
    for chunk in first.as_bytes().split_inclusive(|byte| *byte == b' ') {
        assert_eq!(http::Chunk.encode(chunk, &mut out), Ok(()));
        body.extend_from_slice(chunk);
    }
    assert!(http::Chunk.encode(b"", &mut out).is_err());
    let before = out.len();
    let mut trailers = with_fields(http::last_chunk(&mut out), &trailers);
    if data.len().is_multiple_of(16) {
        trailers = framed(trailers, data.len() / 16);
    }
    if trailers.finish().is_err() {
        assert_eq!(out.len(), before);
        let written = http::last_chunk(&mut out).finish();
        assert_eq!(written, Ok(()));
    }
    let format = Http::responses().max_trailers(usize::MAX / 8);
    let mut reader = FrameReader::new(format.max_fields(usize::MAX), usize::MAX);
    let mut read = None;
    let outcome = reader.push_with(&out, |item, reading| {
        if reading.kind() == Http::BODY {
            read = item.frame().map(<[u8]>::to_vec);
        }
        Flow::Continue
    });
    assert_eq!((outcome, read), (Ok(Flow::Continue), Some(body)));
    assert_eq!(reader.partial(), None);
}

/// Any request may be one for an upgrade, and what it is answered is a response.
fn handshake(data: &[u8]) {
    let mut reader = FrameReader::new(Http::requests(), usize::MAX);
    let read = reader.push_with(data, |item, reading| {
        if reading.kind() != Http::HEAD {
            return Flow::Continue;
        }
        let Some(head) = item.frame().and_then(RequestHead::parse) else {
            panic!("no head");
        };
        let version = (1, head.minor_version());
        let fields = head
            .fields()
            .map(|field| (field.name().as_bytes(), field.value()));
        match Upgrade::check(head.method(), version, fields) {
            Ok(upgrade) => {
                let origin = upgrade.origin().map(str::as_bytes);
                assert_eq!(origin, head.field("origin"));
                let protocol = upgrade.protocols().last();
                let answer = upgrade.answer(protocol);
                let (answer, body) = read_head(Http::responses(), answer.as_bytes(), "GET");
                assert_eq!(body, Body::ToTheEnd);
                let Some(answer) = ResponseHead::parse(&answer) else {
                    panic!("no answer");
                };
                let fields = answer
                    .fields()
                    .map(|field| (field.name().as_bytes(), field.value()));
                let offered = upgrade.protocols().collect::<Vec<_>>();
                let checked =
                    websocket::check_answer(answer.status(), fields, upgrade.key(), &offered);
                assert_eq!(checked, Ok(protocol));
            }
            Err(refusal) => {
                assert!(refusal.to_string().contains(refusal.what));
                let answer = refusal.answer();
                let mut reader = FrameReader::new(Http::responses(), usize::MAX);
                let mut kinds = Vec::new();
                let read = reader.push_with(answer.as_bytes(), |_, reading| {
                    kinds.push(reading.kind());
                    Flow::Continue
                });
                assert_eq!(read, Ok(Flow::Continue));
                assert_eq!(
                    (kinds, reader.partial()),
                    (vec![Http::HEAD, Http::BODY], None)
                );
            }
        }
        Flow::Continue
    });
    if let Err(error) = read {
        assert!((400..600).contains(&http::status_of(&error)));
    }
}

/// Any response may be the answer to a handshake; only the right one is taken.
fn answer_to_a_handshake(data: &[u8]) {
    let Some((nonce, data)) = data.split_first_chunk() else {
        return;
    };
    let key = websocket::client_key(*nonce);
    let accept = websocket::accept_key(&key);
    // What nobody finds by chance.
    let text = String::from_utf8_lossy(data).replace("ACCEPT", &accept);
    let Some(head) = ResponseHead::parse(text.as_bytes()) else {
        return;
    };
    let fields = head
        .fields()
        .map(|field| (field.name().as_bytes(), field.value()));
    match websocket::check_answer(head.status(), fields, &key, &["chat", "v2"]) {
        Ok(protocol) => {
            assert!(matches!(protocol, None | Some("chat" | "v2")));
            let accepts = head.field("sec-websocket-accept");
            assert_eq!((head.status(), accepts), (101, Some(accept.as_bytes())));
        }
        Err(refusal) => assert!(refusal.to_string().contains(refusal.what)),
    }
}

/// What a close frame can say is read back, and nothing else can be written.
fn close(data: &[u8]) {
    let mut frame = Vec::new();
    let written = Outgoing::close()
        .masked(|| [1, 2, 3, 4])
        .encode(data, &mut frame);
    let parsed = Close::parse(data);
    let short = data.len() <= websocket::LONGEST_CONTROL;
    assert_eq!(written.is_ok(), short && parsed.is_ok());
    if let Ok(Some(close)) = parsed {
        assert!(Close::may_be_sent(close.code));
        assert_eq!(close.to_payload().ok(), short.then(|| data.to_vec()));
    }
    if !short {
        return;
    }
    // As if it had been written.
    let head = [0x88, 0x80 | data.len() as u8, 0, 0, 0, 0];
    let frame = [&head[..], data].concat();
    let mut reader = FrameReader::new(WebSocket::server(), usize::MAX);
    let mut payload = None;
    let read = reader.push(&frame, |item| {
        payload = item.frame().map(<[u8]>::to_vec);
        Flow::Continue
    });
    match read {
        Ok(_) => assert_eq!(payload.as_deref(), Some(data)),
        Err(error) => assert!(Close::may_be_sent(websocket::close_code(error))),
    }
    assert_eq!(read.is_ok(), parsed.is_ok(), "{}", data.escape_ascii());
}

/// How many bytes of a header are missing is at most as many as are, and what is wrong is said by both.
fn proxy(data: &[u8]) {
    let mut have = 0;
    let whole = loop {
        let Some(bytes) = data.get(..have) else {
            return;
        };
        match super::super::Proxy::missing(bytes) {
            Ok(0) => break bytes,
            Ok(missing) => have += missing,
            Err(FrameError::Malformed { at, .. }) => {
                assert!(at <= have as u64);
                return;
            }
            Err(error) => panic!("{error}"),
        }
    };
    match ProxyHeader::parse(whole) {
        Ok(header) => {
            assert!(header.tlvs().map(|(_, value)| value.len()).sum::<usize>() < whole.len())
        }
        Err(error) => panic!("{error}"),
    }
    // Any bytes may be said to be a header.
    let _said = ProxyHeader::parse(data);
}
