//! What is answered over HTTP: the page, and the way from there to WebSocket.

use soquete::framing::http::{self, RequestHead};
use soquete::framing::websocket::Upgrade;

/// The page, as it is in the folder.
const PAGE: &str = include_str!("page.html");

/// What the page may do: nothing but what stands in it, and talk to this server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:";

pub enum Answer {
    /// And the connection goes on.
    Page(Vec<u8>),
    /// And it ends.
    Last(Vec<u8>),
    /// It goes on as WebSocket: in the room,
    Chat(String),
    /// or by having all sent back.
    Echo(String),
}

/// The answer to a request, which has a body or none.
pub fn answer(head: &[u8], has_body: bool, leaving: bool) -> Answer {
    let Some(head) = RequestHead::parse(head) else {
        return Answer::Last(refusal(400));
    };
    let path = path(head.target());
    if !has_body && matches!(path, "/chat" | "/echo") {
        return upgrade(&head, path);
    }
    let (status, kind, body) = match (head.method(), path) {
        _ if has_body => (413, "text/plain", http::reason(413)),
        ("GET" | "HEAD", "/") => (200, "text/html; charset=utf-8", PAGE),
        // A balancer asks, and sends nobody any more to a server that leaves.
        ("GET" | "HEAD", "/health") if leaving => (503, "text/plain", "leaving\n"),
        ("GET" | "HEAD", "/health") => (200, "text/plain", "fine\n"),
        ("GET" | "HEAD", _) => (404, "text/plain", "not here\n"),
        _ => (405, "text/plain", http::reason(405)),
    };
    let goes_on = head.keep_alive() && matches!(status, 200 | 404);
    let connection = match head.minor_version() {
        _ if !goes_on => Some("close"),
        // In HTTP/1.0 it ends if nothing is said.
        0 => Some("keep-alive"),
        _ => None,
    };
    let answer = as_asked(&head, page(status, kind, body, connection));
    if goes_on {
        Answer::Page(answer)
    } else {
        Answer::Last(answer)
    }
}

fn upgrade(head: &RequestHead<'_>, path: &str) -> Answer {
    let fields = head
        .fields()
        .map(|field| (field.name().as_bytes(), field.value()));
    match Upgrade::check(head.method(), (1, head.minor_version()), fields) {
        Ok(upgrade) if path == "/echo" => Answer::Echo(upgrade.answer(None)),
        Ok(upgrade) => Answer::Chat(upgrade.answer(None)),
        Err(refusal) => Answer::Last(as_asked(head, refusal.answer().into())),
    }
}

/// Without its body if only the head was asked for.
fn as_asked(head: &RequestHead<'_>, mut answer: Vec<u8>) -> Vec<u8> {
    const END: &[u8] = b"\r\n\r\n";
    if head.method() == "HEAD"
        && let Some(at) = answer.windows(END.len()).position(|bytes| bytes == END)
    {
        answer.truncate(at + END.len());
    }
    answer
}

/// The path of a target, which may be a whole URL (RFC 9112, section 3.2.2), without the query.
fn path(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    match path.split_once("://") {
        Some((_, rest)) if !path.starts_with('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => path,
    }
}

/// The answer to what is no request that is answered here.
pub fn refusal(status: u16) -> Vec<u8> {
    page(status, "text/plain", http::reason(status), Some("close"))
}

fn page(status: u16, kind: &str, body: &str, connection: Option<&str>) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut head = http::response(&mut answer, status)
        .field("Content-Type", kind)
        .field("Cache-Control", "no-cache")
        .field("Content-Security-Policy", POLICY)
        .field("X-Content-Type-Options", "nosniff")
        .length(body.len() as u64);
    if status == 405 {
        head = head.field("Allow", "GET, HEAD");
    }
    if let Some(connection) = connection {
        head = head.field("Connection", connection);
    }
    head.finish().expect("nothing of it is anybody else's");
    answer.extend_from_slice(body.as_bytes());
    answer
}
