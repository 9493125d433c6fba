//! What a head says, read where it lies.

use std::str;

use super::chars::{len_before_colon, line_len};

/// A request's head, as [`Http`](super::Http) hands it out: borrowed, and nothing is allocated.
///
/// ```
/// use soquete::framing::http::RequestHead;
///
/// let head = b"GET /a?b HTTP/1.1\r\nHost: a.example\r\nAccept: text/html\r\nAccept: */*\r\n";
/// let head = RequestHead::parse(head).unwrap();
/// assert_eq!((head.method(), head.target()), ("GET", "/a?b"));
/// assert_eq!(head.field("host"), Some(&b"a.example"[..]));
/// assert_eq!(head.fields().filter(|field| field.is("accept")).count(), 2);
/// assert!(head.keep_alive());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    method: &'a str,
    target: &'a str,
    is_1_1: bool,
    fields: Fields<'a>,
}

/// A response's head, as [`Http`](super::Http) hands it out: borrowed, and nothing is allocated.
///
/// ```
/// use soquete::framing::http::ResponseHead;
///
/// let head = ResponseHead::parse(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n").unwrap();
/// assert_eq!((head.status(), head.reason()), (404, &b"Not Found"[..]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    status: u16,
    reason: &'a [u8],
    is_1_1: bool,
    fields: Fields<'a>,
}

/// The fields of a head or of a trailer section, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    lines: &'a [u8],
}

/// A field of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Field<'a> {
    /// Whether this is its name, in whatever case.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The name as it was written, in a case that means nothing.
    #[inline]
    pub fn name(&self) -> &'a str {
        str::from_utf8(self.name).unwrap_or_default()
    }

    /// The value without the white space around it: nearly always ASCII, but it need not be UTF-8.
    #[inline]
    pub fn value(&self) -> &'a [u8] {
        self.value
    }
}

impl<'a> RequestHead<'a> {
    /// The head in `frame`, which [`Http`](super::Http) has looked at; `None` if it is no request's head. Nothing is
    /// checked that it has checked already.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (line, lines) = split_line(frame)?;
        let (line, is_1_1) = (line.strip_suffix(b" HTTP/1.1").map(|line| (line, true)))
            .or_else(|| Some((line.strip_suffix(b" HTTP/1.0")?, false)))?;
        let space = line.iter().position(|byte| *byte == b' ')?;
        Some(Self {
            method: str::from_utf8(&line[..space]).ok()?,
            target: str::from_utf8(&line[space + 1..]).ok()?,
            is_1_1,
            fields: Fields::new(lines),
        })
    }

    /// The method, in the case in which it was written, which matters.
    #[inline]
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The request target: a path, nearly always, with a query behind it; `http://…` from a client that takes this for
    /// a proxy; a host and a port of CONNECT; and `*` of OPTIONS.
    #[inline]
    pub fn target(&self) -> &'a str {
        self.target
    }

    /// The path of the target as it was written, without the query; `/` if it is empty. A server takes `http://…` as it
    /// takes the path alone (RFC 9112, section 3.2.2): scheme and authority are left out. Of `*`, and of the host and the
    /// port of CONNECT, it is all.
    ///
    /// It is not decoded, and may have empty segments, `.` and `..`. A Location that begins with two slashes names another
    /// host.
    ///
    /// ```
    /// use soquete::framing::http::RequestHead;
    ///
    /// let head = b"GET http://a.example/b?c=d HTTP/1.1\r\nHost: a.example\r\n";
    /// let head = RequestHead::parse(head).expect("a head");
    /// assert_eq!((head.path(), head.query()), ("/b", Some("c=d")));
    /// ```
    pub fn path(&self) -> &'a str {
        match self.origin().split('?').next() {
            None | Some("") => "/",
            Some(path) => path,
        }
    }

    /// The query of the target as it was written, without its question mark; `None` if there is no question mark.
    pub fn query(&self) -> Option<&'a str> {
        self.origin().split_once('?').map(|(_, query)| query)
    }

    /// The target without scheme and authority. Only a target in that form begins with anything but a slash and has
    /// `://` in it.
    fn origin(&self) -> &'a str {
        if self.target.starts_with('/') {
            return self.target;
        }
        let Some((_, rest)) = self.target.split_once("://") else {
            return self.target;
        };
        let authority = rest.find(['/', '?']).unwrap_or(rest.len());
        &rest[authority..]
    }

    /// The minor version, 1 or 0.
    #[inline]
    pub fn minor_version(&self) -> u8 {
        self.is_1_1.into()
    }

    /// The fields.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        self.fields
    }

    /// The value of the first field of this name, in whatever case.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.get(name)
    }

    /// Whether the connection is to stay open behind the response (RFC 9112, section 9.3).
    pub fn keep_alive(&self) -> bool {
        self.fields.keep_alive(self.is_1_1)
    }

    /// Whether the client waits for a 100 before it sends the body (RFC 9110, section 10.1.1).
    pub fn expects_continue(&self) -> bool {
        self.is_1_1 && self.fields.has_token("expect", "100-continue")
    }
}

impl<'a> ResponseHead<'a> {
    /// The head in `frame`, which [`Http`](super::Http) has looked at; `None` if it is no response's head. Nothing is
    /// checked that it has checked already.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (line, lines) = split_line(frame)?;
        let (line, is_1_1) = (line.strip_prefix(b"HTTP/1.1 ").map(|line| (line, true)))
            .or_else(|| Some((line.strip_prefix(b"HTTP/1.0 ")?, false)))?;
        let (status, reason) = line.split_at_checked(3)?;
        Some(Self {
            status: str::from_utf8(status).ok()?.parse().ok()?,
            reason: reason.strip_prefix(b" ")?,
            is_1_1,
            fields: Fields::new(lines),
        })
    }

    /// The status code.
    #[inline]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What stands behind the status code, for people to read; often empty.
    #[inline]
    pub fn reason(&self) -> &'a [u8] {
        self.reason
    }

    /// The minor version, 1 or 0.
    #[inline]
    pub fn minor_version(&self) -> u8 {
        self.is_1_1.into()
    }

    /// The fields.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        self.fields
    }

    /// The value of the first field of this name, in whatever case.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.get(name)
    }

    /// Whether the connection may be used again behind the response (RFC 9112, section 9.3). Not so for a response
    /// whose body goes on to the end of the stream.
    pub fn keep_alive(&self) -> bool {
        self.fields.keep_alive(self.is_1_1)
    }
}

impl<'a> Fields<'a> {
    /// The fields in a trailer section, as [`Http`](super::Http) hands it out.
    pub fn new(lines: &'a [u8]) -> Self {
        Self { lines }
    }

    /// The value of the first field of this name, in whatever case.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The values of all fields of this name, in whatever case.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.filter(move |field| field.is(name));
        fields.map(|field| field.value)
    }

    /// Whether the fields of this name, as a list with commas, have this member, in whatever case.
    ///
    /// ```
    /// use soquete::framing::http::RequestHead;
    ///
    /// let head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n";
    /// let head = RequestHead::parse(head).expect("a head");
    /// assert!(head.fields().has_token("connection", "upgrade"));
    /// ```
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.all(name).any(|value| {
            let mut members = value.split(|byte| *byte == b',');
            members.any(|member| member.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
        })
    }

    fn keep_alive(&self, is_1_1: bool) -> bool {
        match is_1_1 {
            true => !self.has_token("connection", "close"),
            false => {
                self.has_token("connection", "keep-alive") && !self.has_token("connection", "close")
            }
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        // The line's end first: see `Section::skim`.
        let (line, rest) = split_line(self.lines)?;
        let (name, behind) = line.split_at(len_before_colon(line));
        let value = behind.strip_prefix(b":")?.trim_ascii();
        self.lines = rest;
        Some(Field { name, value })
    }
}

/// A line without its end, and what stands behind it.
// Inlined in any case: whoever goes from line to line waits for nothing but where the next one begins.
#[inline(always)]
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = bytes.split_at(line_len(bytes));
    Some((line, rest.strip_prefix(b"\r\n")?))
}
