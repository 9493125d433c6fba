//! HTTP/1.1: messages as frames, what a head says, and writing them.
//!
//! A message is a head and, if it has one, a body; each is a frame, and [`Reading::kind`](super::super::Reading::kind)
//! tells which. The head comes before the body has, so that an upload can be refused before it is sent (413), or asked
//! for (100). With [`stream_above`](super::super::FrameReader::stream_above) long bodies come in pieces.
//!
//! | kind | payload | the message |
//! |---|---|---|
//! | [`Http::HEAD`] | first line and fields: see [`RequestHead`] and [`ResponseHead`] | goes on with the [`body`](Http::body), or is over if it has none |
//! | [`Http::BODY`] | the body, whatever it was framed by; chunks are put together | is over |
//! | [`Http::TRAILERS`] | [`Fields`] that came behind the last chunk, if there were any | has its body next, or its last piece |
//!
//! ```
//! use soquete::framing::http::{Http, RequestHead};
//! use soquete::framing::{Flow, FrameReader, Item};
//!
//! let mut reader = FrameReader::new(Http::requests(), 1 << 20);
//! let mut seen = Vec::new();
//! let stream = b"POST /notes HTTP/1.1\r\nHost: a.example\r\n\
//!     Transfer-Encoding: chunked\r\n\r\n\
//!     5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
//! for chunk in stream.chunks(7) {
//!     reader.push_with(chunk, |item, reading| {
//!         let Item::Frame(frame) = item else { return Flow::Continue };
//!         if reading.kind() == Http::HEAD {
//!             let head = RequestHead::parse(frame).expect("the format has looked at it");
//!             let (method, target) = (head.method(), head.target());
//!             seen.push(format!("{method} {target} {:?}", reading.format().body()));
//!         } else {
//!             seen.push(String::from_utf8_lossy(frame).into_owned());
//!         }
//!         Flow::Continue
//!     })?;
//! }
//! assert_eq!(seen, ["POST /notes Chunked", "hello", "GET / None"]);
//! # Ok::<(), soquete::framing::FrameError>(())
//! ```
//!
//! # Strictness
//!
//! Two parsers that read the same bytes differently are a way around whatever stands in front of a server (request
//! smuggling). So everything that RFC 9112 does not allow is an error: a line feed alone, a folded field, white space in
//! front of a colon, a second Content-Length, Content-Length beside Transfer-Encoding, a missing Host, any coding but
//! `chunked`. [`status_of`] has the status code to answer with. It is stricter than the RFC in that a list of lengths is
//! an error even if they are the same, as are a length with a leading zero, white space around the parts of a chunk
//! extension, more than one empty line in front of a request, and a method of more than 24 bytes. It is more lenient in
//! that a target may have the characters ``\^`{|}``, which browsers send.
//!
//! # Limits
//!
//! The reader's limit is for each frame: a head, a body, a trailer section. The format has limits of its own
//! ([`max_head`](Http::max_head) and so on), so that the reader's may be as high as bodies need. What is kept of a message
//! ends at the reader's limit and the longest head together.
//!
//! # Writing
//!
//! [`request`], [`response`] and [`last_chunk`] write heads and trailers, and refuse what a reader would not take for
//! the same one: line ends in a value above all. A [`Chunk`] wraps a piece of a body.

mod chars;
mod chunk;
mod meaning;
mod section;
mod view;
mod writer;
pub(in crate::framing) mod wrong;

pub use view::{Field, Fields, RequestHead, ResponseHead};
pub use writer::{CONTINUE, Chunk, HeadWriter, last_chunk, reason, request, response};
pub use wrong::status_of;

use super::super::{Cut, Format, Malformed, Streamable, Window};
use chunk::ChunkLine;
use section::{Of, Section};

/// HTTP/1.1 and HTTP/1.0 messages: [requests](Http::requests), or [responses](Http::responses). See the
/// [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Http {
    of: Of,
    limits: Limits,
    kind: u8,
    next: Next,
    section: Section,
    chunk: ChunkLine,
    /// An empty line was skipped in front of the request.
    skipped: bool,
    /// What the next response is to.
    answers: Answers,
    /// The last response was an interim one: another one follows.
    interim: bool,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    head: usize,
    target: usize,
    fields: usize,
    extension: usize,
    trailers: usize,
}

/// What comes next in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Head,
    Body(u64),
    ToTheEnd {
        begun: bool,
    },
    Chunk,
    Trailers,
    /// The empty line behind the trailers.
    End,
}

/// What kind of request a response is to, as far as its framing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Any,
    Head,
    Connect,
}

/// How long the body of a message is: see [`Http::body`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none: the message is over.
    None,
    /// So many bytes, which are not none.
    Length(u64),
    /// As many as come in chunks, perhaps none.
    Chunked,
    /// All that comes, perhaps nothing: of a response only, or of what is no HTTP any more (101, and a 2xx to CONNECT).
    ToTheEnd,
}

impl Http {
    /// A head.
    pub const HEAD: u8 = 1;
    /// A body, or a piece of one. It ends its message.
    pub const BODY: u8 = 2;
    /// The fields behind the last chunk of a body.
    pub const TRAILERS: u8 = 3;

    /// What a server reads.
    pub const fn requests() -> Self {
        Self::of(Of::Request)
    }

    /// What a client reads. Whether a response has a body depends on the request as well: see
    /// [`answers`](Http::answers).
    pub const fn responses() -> Self {
        Self::of(Of::Response)
    }

    const fn of(of: Of) -> Self {
        Self {
            of,
            limits: Limits {
                head: 16 * 1024,
                target: 8 * 1024,
                fields: 128,
                extension: 256,
                trailers: 8 * 1024,
            },
            kind: Self::HEAD,
            next: Next::Head,
            section: Section::new(of),
            chunk: ChunkLine::new(),
            skipped: false,
            answers: Answers::Any,
            interim: false,
        }
    }

    /// The longest head, with its empty line; 16 KiB by default.
    #[must_use]
    pub const fn max_head(mut self, bytes: usize) -> Self {
        self.limits.head = bytes;
        self
    }

    /// The longest request target; 8 KiB by default.
    #[must_use]
    pub const fn max_target(mut self, bytes: usize) -> Self {
        self.limits.target = bytes;
        self
    }

    /// The most fields of a head, and of a trailer section; 128 by default.
    #[must_use]
    pub const fn max_fields(mut self, fields: usize) -> Self {
        self.limits.fields = fields;
        self
    }

    /// How long the extensions of one chunk may be, all together; 256 bytes by default.
    #[must_use]
    pub const fn max_extension(mut self, bytes: usize) -> Self {
        self.limits.extension = bytes;
        self
    }

    /// The longest trailer section, with its empty line; 8 KiB by default.
    #[must_use]
    pub const fn max_trailers(mut self, bytes: usize) -> Self {
        self.limits.trailers = bytes;
        self
    }

    /// The next response is to a request of this method, which matters for HEAD (no body, whatever the fields say)
    /// and CONNECT (a tunnel, if it succeeds). To be set before the response comes, by
    /// [`Reading::format_mut`](super::super::Reading::format_mut) behind the response before it,
    /// [`Frames::with_format`](crate::net::Frames::with_format), or
    /// [`FrameReader::format_mut`](super::super::FrameReader::format_mut). It counts for one response, interim ones
    /// (100, 103) left out.
    ///
    /// ```
    /// use soquete::framing::http::{Body, Http};
    /// use soquete::framing::{Flow, FrameReader};
    ///
    /// let mut reader = FrameReader::new(Http::responses(), 100);
    /// reader.format_mut().answers("HEAD");
    /// reader.push_with(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", |_, reading| {
    ///     assert_eq!(reading.format().body(), Body::None);
    ///     Flow::Continue
    /// })?;
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    pub fn answers(&mut self, method: &str) {
        self.answers = match method {
            "HEAD" => Answers::Head,
            "CONNECT" => Answers::Connect,
            _ => Answers::Any,
        };
    }

    /// The body that comes behind the head (or the trailers) that was handed out last: for a listener, by
    /// [`Reading::format`](super::super::Reading::format), to refuse it, or to ask for it. [`Body::None`] behind a head
    /// without a body, and behind a body: the message is over.
    #[inline]
    pub fn body(&self) -> Body {
        match self.next {
            Next::Body(length) => Body::Length(length),
            Next::Chunk | Next::Trailers | Next::End => Body::Chunked,
            Next::ToTheEnd { .. } => Body::ToTheEnd,
            Next::Head => Body::None,
        }
    }

    fn cut_head(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        if self.of == Of::Request && self.section.is_new() && window.get(0) == Some(b'\r') {
            return self.skip_empty_line(window);
        }
        self.kind = Self::HEAD;
        let Some(end) = self.section.read(window, &self.limits)? else {
            return Ok(Cut::More {
                settled: self.section.settled(),
            });
        };
        self.skipped = false;
        self.next = self.behind_head();
        self.section = Section::new(self.of);
        Ok(Cut::Frame {
            head: 0,
            payload: end - 2,
            tail: 2,
        })
    }

    /// A server should ignore one (RFC 9112, section 2.2): there were clients that sent one behind a body.
    #[cold]
    fn skip_empty_line(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        if self.skipped {
            return Err(Malformed::new(0, wrong::METHOD));
        }
        match window.get(1) {
            None => Ok(Cut::MORE),
            Some(b'\n') => {
                self.skipped = true;
                Ok(Cut::Skip(2))
            }
            Some(_) => Err(Malformed::new(0, wrong::BARE_CR)),
        }
    }

    /// RFC 9112, section 6.3.
    fn behind_head(&mut self) -> Next {
        let meaning = &self.section.meaning;
        if self.of == Of::Response {
            let status = meaning.status;
            self.interim = status < 200 && status != 101;
            if self.interim {
                return Next::Head;
            }
            let answers = std::mem::replace(&mut self.answers, Answers::Any);
            match (status, answers) {
                // From here on it is another protocol.
                (101, _) | (200..300, Answers::Connect) => return Next::ToTheEnd { begun: false },
                (204 | 304, _) | (_, Answers::Head) => return Next::Head,
                _ => {}
            }
        }
        match (meaning.chunked, meaning.length) {
            (true, _) => Next::Chunk,
            (_, Some(0)) => Next::Head,
            (_, Some(length)) => Next::Body(length),
            (_, None) if self.of == Of::Response => Next::ToTheEnd { begun: false },
            (_, None) => Next::Head,
        }
    }

    fn cut_chunk(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        self.kind = Self::BODY;
        let Some((head, payload)) = self.chunk.read(window, self.limits.extension)? else {
            return Ok(Cut::MORE);
        };
        if payload > 0 {
            self.chunk = ChunkLine::new();
            return Ok(Cut::Part {
                head,
                payload,
                tail: 2,
            });
        }
        // The last one, behind which there are nearly never trailers.
        let (payload, tail) = (0, 0);
        match (window.get(head), window.get(head + 1)) {
            (None, _) | (Some(b'\r'), None) => return Ok(Cut::MORE),
            (Some(b'\r'), Some(b'\n')) => {
                self.chunk = ChunkLine::new();
                self.next = Next::Head;
                return Ok(Cut::Declared {
                    head: head + 2,
                    payload,
                    tail,
                });
            }
            (Some(b'\r'), Some(_)) => return Err(Malformed::new(head, wrong::BARE_CR)),
            _ => {}
        }
        self.chunk = ChunkLine::new();
        self.next = Next::Trailers;
        self.section = Section::new(Of::Trailers);
        Ok(Cut::Part {
            head,
            payload,
            tail,
        })
    }

    fn cut_trailers(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        self.kind = Self::TRAILERS;
        let Some(end) = self.section.read(window, &self.limits)? else {
            return Ok(Cut::MORE);
        };
        self.section = Section::new(self.of);
        self.next = Next::End;
        Ok(Cut::Aside {
            head: 0,
            payload: end as u64 - 2,
            tail: 0,
        })
    }
}

impl Format for Http {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        match self.next {
            Next::Head => self.cut_head(window),
            Next::Body(payload) => {
                (self.kind, self.next) = (Self::BODY, Next::Head);
                Ok(Cut::Declared {
                    head: 0,
                    payload,
                    tail: 0,
                })
            }
            Next::ToTheEnd { .. } => {
                self.kind = Self::BODY;
                let settled = window.len();
                Ok(Cut::More { settled })
            }
            Next::Chunk => self.cut_chunk(window),
            Next::Trailers => self.cut_trailers(window),
            Next::End if window.len() < 2 => Ok(Cut::MORE),
            // It was seen with the trailers.
            Next::End => {
                (self.kind, self.next) = (Self::BODY, Next::Head);
                Ok(Cut::Declared {
                    head: 2,
                    payload: 0,
                    tail: 0,
                })
            }
        }
    }

    fn overhead(&self) -> usize {
        let chunk = self.limits.extension.saturating_add(chunk::BRACKETS);
        self.limits.head.max(self.limits.trailers).max(chunk)
    }

    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let Next::ToTheEnd { .. } = self.next else {
            return Ok(Cut::MORE);
        };
        (self.kind, self.next) = (Self::BODY, Next::Head);
        Ok(Cut::Frame {
            head: 0,
            payload: window.len(),
            tail: 0,
        })
    }

    fn forget(&mut self, bytes: usize) {
        match &mut self.next {
            Next::ToTheEnd { begun } => *begun = true,
            _ => self.section.forget(bytes),
        }
    }

    #[inline]
    fn check_tail(&mut self, tail: &[u8]) -> Result<(), Malformed> {
        match tail {
            // What was found was looked at.
            b"\r\n" | b"" => Ok(()),
            _ => Err(Malformed::new(0, wrong::CHUNK_END)),
        }
    }

    #[inline]
    fn kind(&self) -> u8 {
        self.kind
    }

    #[inline]
    fn expects_more(&self) -> bool {
        !matches!(self.next, Next::Head | Next::ToTheEnd { begun: true }) || self.interim
    }

    fn may_stream(&self) -> bool {
        self.kind == Self::BODY
    }
}

impl Streamable for Http {}
