//! The request that asks for WebSocket, and the answer to it (RFC 6455, section 4).

use std::fmt;

use super::accept::{accept_key, is_key};

/// A request to speak WebSocket that may be granted.
///
/// It is made of the head of an HTTP request, whoever has read that:
///
/// ```
/// use soquete::framing::websocket::Upgrade;
///
/// let fields: [(&[u8], &[u8]); 6] = [
///     (b"Host", b"server.example.com"),
///     (b"Upgrade", b"websocket"),
///     (b"Connection", b"keep-alive, Upgrade"),
///     (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
///     (b"Sec-WebSocket-Protocol", b"chat, superchat"),
///     (b"Sec-WebSocket-Version", b"13"),
/// ];
/// let upgrade = Upgrade::check("GET", (1, 1), fields)?;
/// let protocol = upgrade.protocols().find(|protocol| *protocol == "chat");
/// assert_eq!(
///     upgrade.answer(protocol),
///     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///      Sec-WebSocket-Protocol: chat\r\n\r\n",
/// );
/// let refusal = Upgrade::check("GET", (1, 1), fields[..5].iter().copied()).unwrap_err();
/// assert!(refusal.answer().starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
/// # Ok::<(), soquete::framing::websocket::Refusal>(())
/// ```
///
/// Behind the request may stand what is read as frames already. The client has to wait for the answer, but a server
/// need not insist: hand the rest over to the [`WebSocket`](super::WebSocket) format by
/// [`Reading::switch`](super::super::super::Reading::switch), or whatever else took the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade<'a> {
    key: &'a str,
    protocols: Protocols<'a>,
    origin: Option<&'a str>,
}

/// The names of subprotocols, as they stood in at most so many fields.
type Protocols<'a> = [&'a str; 4];

/// The most subprotocols in one field. Each is compared with all that came before.
const MOST_PROTOCOLS: usize = 32;

/// Why a handshake fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status to answer a request with.
    pub status: u16,
    /// What is wrong.
    pub what: &'static str,
}

impl<'a> Upgrade<'a> {
    /// Checks a request: its method, its version of HTTP, its fields.
    ///
    /// ```
    /// use soquete::framing::websocket::Upgrade;
    ///
    /// let fields: [(&[u8], &[u8]); 5] = [
    ///     (b"Host", b"example.org"),
    ///     (b"Upgrade", b"websocket"),
    ///     (b"Connection", b"Upgrade"),
    ///     (b"Sec-WebSocket-Version", b"13"),
    ///     (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    /// ];
    /// let upgrade = Upgrade::check("GET", (1, 1), fields)?;
    /// assert_eq!(upgrade.key(), "dGhlIHNhbXBsZSBub25jZQ==");
    /// assert_eq!(Upgrade::check("POST", (1, 1), fields).unwrap_err().status, 405);
    /// # Ok::<(), soquete::framing::websocket::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`Refusal`] with the status 405, 426 or 400. Whoever asks for no upgrade to WebSocket at all is refused with
    /// 426 as well: a path that has nothing else to offer may answer so.
    pub fn check(
        method: &str,
        version: (u8, u8),
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, Refusal> {
        let mut head = Fields::default();
        for (name, value) in fields {
            head.add(name, value)?;
        }
        if method != "GET" {
            return refuse(
                405,
                "upgrade by another method than GET (RFC 6455, section 4.1)",
            );
        }
        if version < (1, 1) {
            return refuse(426, "upgrade of HTTP before 1.1 (RFC 6455, section 4.1)");
        }
        if head.host != 1 {
            return refuse(400, "request without one Host (RFC 9112, section 3.2)");
        }
        if !head.upgrades || !head.connection_upgrades {
            return refuse(426, "no upgrade to websocket (RFC 6455, section 4.2.1)");
        }
        if head.has_body {
            return refuse(400, "upgrade with a body");
        }
        match head.version {
            Some("13") => {}
            _ => return refuse(426, "another version than 13 (RFC 6455, section 4.4)"),
        }
        match head.key {
            Some(key) if is_key(key) => Ok(Self {
                key,
                protocols: head.protocols,
                origin: head.origin,
            }),
            _ => refuse(400, "no key of 16 bytes (RFC 6455, section 4.1)"),
        }
    }

    /// The client's key.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// The page that asks, if a browser does. A server that knows its users by cookies must look at it, as a page of
    /// anybody's can ask.
    pub fn origin(&self) -> Option<&'a str> {
        self.origin
    }

    /// The subprotocols that the client speaks, the one that it prefers first.
    pub fn protocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.protocols.into_iter().flat_map(list)
    }

    /// The head of the answer that grants it, and chooses `protocol` among those that the client has named.
    pub fn answer(&self, protocol: Option<&str>) -> String {
        let accept = accept_key(self.key);
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n"
        );
        if let Some(protocol) = protocol {
            answer.push_str(&format!("Sec-WebSocket-Protocol: {protocol}\r\n"));
        }
        answer + "\r\n"
    }
}

/// Checks the answer to a client's request, and returns the subprotocol that the server has chosen. `key` is what the
/// client has sent, `offered` the subprotocols that it has named.
///
/// ```
/// use soquete::framing::websocket::check_answer;
///
/// let fields: [(&[u8], &[u8]); 3] = [
///     (b"Upgrade", b"websocket"),
///     (b"Connection", b"Upgrade"),
///     (b"Sec-WebSocket-Accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
/// ];
/// let chosen = check_answer(101, fields, "dGhlIHNhbXBsZSBub25jZQ==", &["chat"])?;
/// assert_eq!(chosen, None);
/// # Ok::<(), soquete::framing::websocket::Refusal>(())
/// ```
///
/// # Errors
///
/// A [`Refusal`] with the server's status and what is wrong with the answer.
pub fn check_answer<'a>(
    status: u16,
    fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    key: &str,
    offered: &[&str],
) -> Result<Option<&'a str>, Refusal> {
    let mut head = Fields::default();
    for (name, value) in fields {
        head.add(name, value)?;
    }
    if status != 101 {
        return refuse(
            status,
            "the server does not switch to WebSocket (RFC 6455, section 4.1)",
        );
    }
    if !head.upgrades || !head.connection_upgrades {
        return refuse(
            status,
            "answer that upgrades to something else (RFC 6455, section 4.1)",
        );
    }
    if head.accept != Some(&*accept_key(key)) {
        return refuse(status, "answer to another key (RFC 6455, section 4.1)");
    }
    if head.has_extensions {
        return refuse(
            status,
            "extension that was not asked for (RFC 6455, section 4.1)",
        );
    }
    let mut chosen = head.protocols.into_iter().flat_map(list);
    match (chosen.next(), chosen.next()) {
        (None, _) => Ok(None),
        (Some(protocol), None) if offered.contains(&protocol) => Ok(Some(protocol)),
        _ => refuse(
            status,
            "subprotocol that was not offered (RFC 6455, section 4.1)",
        ),
    }
}

fn refuse<T>(status: u16, what: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, what })
}

/// The fields that matter.
#[derive(Default)]
struct Fields<'a> {
    host: usize,
    upgrades: bool,
    connection_upgrades: bool,
    has_body: bool,
    has_extensions: bool,
    key: Option<&'a str>,
    accept: Option<&'a str>,
    version: Option<&'a str>,
    origin: Option<&'a str>,
    protocols: Protocols<'a>,
    /// How many of them there are.
    named: usize,
}

impl<'a> Fields<'a> {
    fn add(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Refusal> {
        // What is no text is no reason to pass a field over: whoever else reads it may make something of it.
        let text = || match std::str::from_utf8(value) {
            Ok(text) => Ok(text.trim_matches([' ', '\t'])),
            Err(_) => refuse(400, "field of the handshake that is no text"),
        };
        match &*name.to_ascii_lowercase() {
            b"host" => self.host += 1,
            b"upgrade" => self.upgrades |= has(text()?, "websocket"),
            b"connection" => self.connection_upgrades |= has(text()?, "upgrade"),
            b"content-length" => self.has_body |= text()? != "0",
            b"transfer-encoding" => self.has_body = true,
            b"sec-websocket-extensions" => self.has_extensions = true,
            b"sec-websocket-key" => return once(&mut self.key, text()?),
            b"sec-websocket-accept" => return once(&mut self.accept, text()?),
            b"sec-websocket-version" => return once(&mut self.version, text()?),
            b"origin" => return once(&mut self.origin, text()?),
            b"sec-websocket-protocol" => return self.add_protocols(text()?),
            _ => {}
        }
        Ok(())
    }

    fn add_protocols(&mut self, value: &'a str) -> Result<(), Refusal> {
        let before = self.protocols;
        let Some(field) = self.protocols.get_mut(self.named) else {
            return refuse(400, "too many fields of subprotocols");
        };
        *field = value;
        self.named += 1;
        for (at, protocol) in list(value).enumerate() {
            if at == MOST_PROTOCOLS {
                return refuse(400, "too many subprotocols");
            }
            let mut others = before
                .into_iter()
                .flat_map(list)
                .chain(list(value).take(at));
            if !protocol.bytes().all(is_token) || others.any(|other| other == protocol) {
                return refuse(
                    400,
                    "subprotocol that is no token, or named twice (RFC 6455, section 4.1)",
                );
            }
        }
        Ok(())
    }
}

fn once<'a>(field: &mut Option<&'a str>, value: &'a str) -> Result<(), Refusal> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => refuse(
            400,
            "field that may stand once only (RFC 6455, section 11.3)",
        ),
    }
}

/// The elements of a list with commas; empty ones are none (RFC 9110, section 5.6.1).
fn list(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(|element| element.trim_matches([' ', '\t']))
        .filter(|element| !element.is_empty())
}

/// Whether a list has that element, in whatever case.
fn has(value: &str, token: &str) -> bool {
    list(value).any(|element| element.eq_ignore_ascii_case(token))
}

/// A character of a token (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl Refusal {
    /// The head of the answer to a request that is refused. The connection ends with it.
    pub fn answer(&self) -> String {
        let (name, field) = match self.status {
            405 => ("Method Not Allowed", "Allow: GET\r\n"),
            426 => (
                "Upgrade Required",
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            ),
            _ => ("Bad Request", ""),
        };
        let (status, connection) = match self.status {
            status @ 426 => (status, "Upgrade, close"),
            status @ 405 => (status, "close"),
            _ => (400, "close"),
        };
        let body = self.what.len() + 1;
        format!(
            "HTTP/1.1 {status} {name}\r\n{field}Connection: {connection}\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: {body}\r\n\r\n{}\n",
            self.what
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (status {})", self.what, self.status)
    }
}

impl std::error::Error for Refusal {}
