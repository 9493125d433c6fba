//! What is answered over HTTP: the page, and the way from there to WebSocket.

use std::str;

use soquete::framing::websocket::Upgrade;

/// The page, as it is in the folder.
const PAGE: &str = include_str!("page.html");

/// The answer to a head above the limit, and to what is none.
pub const TOO_LONG: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

pub enum Answer {
    /// And the connection goes on.
    Page(String),
    /// And it ends.
    Last(String),
    /// It goes on as WebSocket: in the room,
    Chat(String),
    /// or by having all sent back.
    Echo(String),
}

pub fn answer(head: &[u8], leaving: bool) -> Answer {
    let Some((method, path, version, fields)) = parsed(head) else {
        return Answer::Last(page(
            "400 Bad Request",
            "text/plain",
            "that is no request\n",
            true,
        ));
    };
    if fields.iter().any(|(name, _)| {
        name.eq_ignore_ascii_case(b"transfer-encoding")
            || name.eq_ignore_ascii_case(b"content-length")
    }) {
        return Answer::Last(page(
            "413 Content Too Large",
            "text/plain",
            "no bodies, please\n",
            true,
        ));
    }
    match (method, path) {
        (_, "/chat" | "/echo") => match Upgrade::check(method, version, fields) {
            Ok(upgrade) if path == "/echo" => Answer::Echo(upgrade.answer(None)),
            Ok(upgrade) => Answer::Chat(upgrade.answer(None)),
            Err(refusal) => Answer::Last(refusal.answer()),
        },
        ("GET" | "HEAD", "/") => Answer::Page(page(
            "200 OK",
            "text/html; charset=utf-8",
            PAGE,
            method == "GET",
        )),
        // A balancer asks, and sends nobody any more to a server that leaves.
        ("GET" | "HEAD", "/health") if leaving => Answer::Last(page(
            "503 Service Unavailable",
            "text/plain",
            "leaving\n",
            method == "GET",
        )),
        ("GET" | "HEAD", "/health") => {
            Answer::Page(page("200 OK", "text/plain", "fine\n", method == "GET"))
        }
        ("GET" | "HEAD", _) => Answer::Page(page(
            "404 Not Found",
            "text/plain",
            "not here\n",
            method == "GET",
        )),
        _ => Answer::Last(page(
            "405 Method Not Allowed",
            "text/plain",
            "GET, please\n",
            true,
        )),
    }
}

fn page(status: &str, kind: &str, body: &str, with_body: bool) -> String {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
         connect-src 'self'; img-src data:\r\nX-Content-Type-Options: nosniff\r\n\r\n",
        body.len()
    );
    if with_body { head + body } else { head }
}

type Head<'a> = (&'a str, &'a str, (u8, u8), Vec<(&'a [u8], &'a [u8])>);

/// Method, path, version and fields.
fn parsed(head: &[u8]) -> Option<Head<'_>> {
    let mut lines = str::from_utf8(head).ok()?.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let version = match version {
        "HTTP/1.1" => (1, 1),
        "HTTP/1.0" => (1, 0),
        _ => return None,
    };
    let path = target.split('?').next()?;
    let fields = lines.map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_name = !name.is_empty() && !name.contains([' ', '\t']);
        is_name.then_some((name.as_bytes(), value.trim_matches([' ', '\t']).as_bytes()))
    });
    Some((method, path, version, fields.collect::<Option<_>>()?))
}
