//! Writing heads, chunks and trailers, so that a reader takes them for what they are.

use super::super::super::{FrameError, Wrap, Wrapping};
use super::chars::{is_target, is_text, is_token};
use super::meaning::{Known, Meaning, Method, Wrong};
use super::section::{LONGEST_METHOD, Of};
use super::wrong;

/// A head, or a trailer section, that is being written: see [`request`], [`response`] and [`last_chunk`].
///
/// What is wrong is the error of [`finish`](HeadWriter::finish), and nothing is written then; nor is anything of a head
/// that is not finished.
#[derive(Debug)]
#[must_use = "nothing is written without `finish`"]
pub struct HeadWriter<'a> {
    out: &'a mut Vec<u8>,
    from: usize,
    of: Of,
    meaning: Meaning,
    error: Option<FrameError>,
    finished: bool,
}

/// Appends the head of an HTTP/1.1 request to `out`.
///
/// A method of more than 24 bytes is refused, as [`Http`](super::Http) refuses it in what it reads; no registered one has
/// more than 17.
///
/// ```
/// use soquete::framing::http;
///
/// let mut out = Vec::new();
/// http::request(&mut out, "POST", "/").field("Host", "a.example").length(5).finish()?;
/// out.extend_from_slice(b"hello");
/// assert_eq!(out, b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello");
///
/// let injected = http::request(&mut out, "GET", "/\r\nX: y").field("Host", "a.example");
/// assert!(injected.finish().is_err());
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
pub fn request<'a>(out: &'a mut Vec<u8>, method: &str, target: &str) -> HeadWriter<'a> {
    let mut head = HeadWriter::new(out, Of::Request);
    head.check(method.as_bytes(), is_token, wrong::METHOD);
    head.check(target.as_bytes(), is_target, wrong::TARGET);
    head.meaning.method = Method::of([method.as_bytes(), &[]]);
    if method.is_empty() || target.is_empty() {
        head.refuse(0, wrong::REQUEST_LINE);
    } else if method.len() > LONGEST_METHOD {
        head.refuse(LONGEST_METHOD, wrong::LONG_METHOD);
    } else if !head.meaning.method.has_target([target.as_bytes(), &[]]) {
        head.refuse(0, wrong::TARGET_FORM);
    }
    head.append(&[method.as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"]);
    head
}

/// Appends the head of an HTTP/1.1 response to `out`, with the usual [reason].
///
/// ```
/// use soquete::framing::http;
///
/// let mut out = Vec::new();
/// http::response(&mut out, 200).field("Content-Type", "text/plain").length(5).finish()?;
/// out.extend_from_slice(b"hello");
/// assert!(out.starts_with(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"));
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
pub fn response(out: &mut Vec<u8>, status: u16) -> HeadWriter<'_> {
    let mut head = HeadWriter::new(out, Of::Response);
    if !(100..600).contains(&status) {
        head.refuse(0, wrong::STATUS);
    }
    head.meaning.status = status;
    head.append(&[b"HTTP/1.1 "]);
    head.number(status.into());
    head.append(&[b" ", reason(status).as_bytes(), b"\r\n"]);
    head
}

/// Appends the last chunk of a body to `out`, and trailers, if there are any.
///
/// ```
/// use soquete::framing::http;
///
/// let mut out = Vec::new();
/// http::last_chunk(&mut out).field("Digest", "none").finish()?;
/// assert_eq!(out, b"0\r\nDigest: none\r\n\r\n");
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
pub fn last_chunk(out: &mut Vec<u8>) -> HeadWriter<'_> {
    let mut trailers = HeadWriter::new(out, Of::Trailers);
    trailers.append(&[b"0\r\n"]);
    trailers
}

impl<'a> HeadWriter<'a> {
    fn new(out: &'a mut Vec<u8>, of: Of) -> Self {
        Self {
            from: out.len(),
            out,
            of,
            meaning: Meaning {
                is_1_1: true,
                ..Meaning::NOTHING
            },
            error: None,
            finished: false,
        }
    }

    /// A field. Content-Length, Transfer-Encoding and Host are looked at as a reader would.
    ///
    /// ```
    /// use soquete::framing::http;
    ///
    /// let mut out = Vec::new();
    /// http::request(&mut out, "GET", "/").field("Host", "a.example").finish()?;
    /// assert_eq!(out, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.check(name.as_bytes(), is_token, wrong::NAME);
        self.check(value, is_text, wrong::VALUE);
        if name.is_empty() {
            self.refuse(0, wrong::NAME);
        }
        let known = Known::of([name.as_bytes(), &[]]);
        if known != Known::Other {
            self.note(known, value);
        }
        self.append(&[name.as_bytes(), b": ", value, b"\r\n"]);
        self
    }

    /// The length of the body that follows, as Content-Length.
    pub fn length(mut self, bytes: u64) -> Self {
        self.note_framing(|meaning| {
            let twice = meaning.length.replace(bytes).is_some();
            twice.then_some(wrong::SECOND_LENGTH)
        });
        self.append(&[b"Content-Length: "]);
        self.number(bytes);
        self.append(&[b"\r\n"]);
        self
    }

    /// The body that follows comes in [chunks](Chunk).
    pub fn chunked(mut self) -> Self {
        self.note_framing(|meaning| {
            let twice = std::mem::replace(&mut meaning.chunked, true);
            twice.then_some(wrong::SECOND_CODING)
        });
        self.append(&[b"Transfer-Encoding: chunked\r\n"]);
        self
    }

    /// Ends the head.
    ///
    /// # Errors
    ///
    /// [`FrameError::NotOneFrame`] if a reader would not read it back as it was meant: a line end or another control
    /// character in a value, two lengths, a request without Host. Nothing is written then.
    pub fn finish(mut self) -> Result<(), FrameError> {
        let meaning = self.meaning;
        let framed = meaning.chunked || meaning.length.is_some();
        if self.of == Of::Request && !meaning.host {
            self.refuse(0, wrong::NO_HOST);
        }
        if meaning.chunked && meaning.length.is_some() {
            self.refuse(0, wrong::BOTH);
        }
        if self.of == Of::Response && (meaning.status < 200 || meaning.status == 204) && framed {
            self.refuse(
                0,
                "body of a response that has none (RFC 9110, section 8.6)",
            );
        }
        if meaning.method == Method::Connect && framed {
            self.refuse(0, wrong::CONNECT_BODY);
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        self.append(&[b"\r\n"]);
        self.finished = true;
        Ok(())
    }

    fn note(&mut self, known: Known, value: &[u8]) {
        if self.of == Of::Trailers {
            return self.refuse(0, wrong::TRAILER_FIELD);
        }
        match self.meaning.note(known, [value.trim_ascii(), &[]]) {
            Ok(()) => {}
            Err(Wrong::Field(what)) => self.refuse(0, what),
            Err(Wrong::Value(at, what)) => self.refuse(at, what),
        }
    }

    fn note_framing(&mut self, note: impl FnOnce(&mut Meaning) -> Option<&'static str>) {
        if self.of == Of::Trailers {
            self.refuse(0, wrong::TRAILER_FIELD);
        } else if let Some(what) = note(&mut self.meaning) {
            self.refuse(0, what);
        }
    }

    fn check(&mut self, bytes: &[u8], allowed: fn(u8) -> bool, what: &'static str) {
        if let Some(at) = bytes.iter().position(|byte| !allowed(*byte)) {
            self.refuse(at, what);
        }
    }

    #[cold]
    fn refuse(&mut self, at: usize, what: &'static str) {
        self.error
            .get_or_insert(FrameError::NotOneFrame { at, what });
    }

    fn append(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.out.extend_from_slice(part);
        }
    }

    fn number(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut from = digits.len();
        loop {
            from -= 1;
            digits[from] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.append(&[&digits[from..]]);
    }
}

impl Drop for HeadWriter<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.from);
        }
    }
}

/// A chunk of a body: what [`FrameWriter`](super::super::super::FrameWriter) and
/// [`Socket::write_frame`](crate::net::Socket::write_frame) wrap a piece in. An empty piece cannot be one, as that would
/// end the body: [`last_chunk`] does.
///
/// ```
/// use soquete::framing::FrameWriter;
/// use soquete::framing::http::Chunk;
///
/// let mut out = Vec::new();
/// FrameWriter::new(Chunk, 1 << 20)?.encode(b"hello", &mut out)?;
/// assert_eq!(out, b"5\r\nhello\r\n");
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunk;

impl Wrap for Chunk {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        if payload.is_empty() {
            let what = "empty chunk, which would be the last (RFC 9112, section 7.1)";
            return Err(FrameError::NotOneFrame { at: 0, what });
        }
        let mut head = [0; 18];
        let mut from = head.len() - 2;
        head[from..].copy_from_slice(b"\r\n");
        let mut rest = payload.len();
        while rest > 0 {
            from -= 1;
            head[from] = b"0123456789abcdef"[rest % 16];
            rest /= 16;
        }
        Wrapping::new(&head[from..], b"\r\n")
    }
}

/// The interim response that asks for the body (RFC 9110, section 10.1.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The phrase that goes with a status code; empty for one that has none here.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_status_codes_have_reasons() {
        let with_reason = (0..=u16::MAX).filter(|status| !reason(*status).is_empty());
        for status in with_reason {
            assert!((100..600).contains(&status));
            assert!(reason(status).bytes().all(is_text), "{status}");
        }
        assert_eq!((reason(200), reason(299)), ("OK", ""));
    }
}
