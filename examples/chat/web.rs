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
    if has_body {
        return Answer::Last(refusal(413));
    }
    let path = path(head.target());
    if let "/chat" | "/echo" = path {
        let fields = head
            .fields()
            .map(|field| (field.name().as_bytes(), field.value()));
        return match Upgrade::check(head.method(), (1, head.minor_version()), fields) {
            Ok(upgrade) if path == "/echo" => Answer::Echo(upgrade.answer(None)),
            Ok(upgrade) => Answer::Chat(upgrade.answer(None)),
            Err(refusal) => Answer::Last(refusal.answer().into()),
        };
    }
    let with_body = match head.method() {
        "GET" => true,
        "HEAD" => false,
        _ => return Answer::Last(refusal(405)),
    };
    let answer = match path {
        "/" => page(200, "text/html; charset=utf-8", PAGE, with_body),
        // A balancer asks, and sends nobody any more to a server that leaves.
        "/health" if leaving => {
            return Answer::Last(page(503, "text/plain", "leaving\n", with_body));
        }
        "/health" => page(200, "text/plain", "fine\n", with_body),
        _ => page(404, "text/plain", "not here\n", with_body),
    };
    if head.keep_alive() {
        Answer::Page(answer)
    } else {
        Answer::Last(answer)
    }
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
    page(status, "text/plain", http::reason(status), true)
}

fn page(status: u16, kind: &str, body: &str, with_body: bool) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut head = http::response(&mut answer, status)
        .field("Content-Type", kind)
        .field("Cache-Control", "no-cache")
        .field("Content-Security-Policy", POLICY)
        .field("X-Content-Type-Options", "nosniff")
        .length(body.len() as u64);
    if status != 200 && status != 404 {
        head = head.field("Connection", "close");
    }
    head.finish().expect("nothing of it is anybody else's");
    if with_body {
        answer.extend_from_slice(body.as_bytes());
    }
    answer
}
