//! What is asked for, and what comes back.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use soquete::Result;
use soquete::framing::http::{self, Chunk, HeadWriter, RequestHead};
use soquete::framing::{Encode, FrameError};

use super::date::Dates;
use super::files::{Files, Found};

/// A request, as much of it as is needed when its body has come.
pub struct Asked {
    pub keep_alive: bool,
    /// By a client of HTTP/1.1: one of HTTP/1.0 knows no chunks, and wants to be told that the connection stays.
    is_1_1: bool,
    /// The answer is to have no body.
    head_only: bool,
    what: What,
}

enum What {
    Hello,
    /// The body comes back, as this type.
    Echo(Vec<u8>),
    Count(u64),
    File(PathBuf, Option<Vec<u8>>),
    Moved(String),
    /// Nothing, and why; the methods that there are, if it is the wrong one.
    Refused(u16, &'static str),
}

/// The rest of a long answer.
pub enum Rest {
    /// So many bytes.
    File(File, u64),
    /// Numbers from this one up to that one, in chunks,
    Chunks(u64, u64),
    /// or as they are, to the end of the connection.
    Lines(u64, u64),
    Over,
}

/// What answers are made of. The buffer is used again for each.
pub struct Answers {
    files: Files,
    dates: Dates,
    out: Vec<u8>,
}

const PIECE: usize = 64 << 10;

/// As far as anybody is counted for: that is 80 MB.
const MOST_COUNTED: u64 = 10_000_000;

impl Answers {
    pub fn new(folder: PathBuf) -> Result<Answers> {
        Ok(Answers {
            files: Files::in_folder(folder)?,
            dates: Dates::default(),
            out: Vec::new(),
        })
    }

    pub fn asked(&self, head: &RequestHead<'_>) -> Asked {
        let path = head.path();
        let reads = matches!(head.method(), "GET" | "HEAD");
        let what = match (head.method(), path) {
            (_, "/hello") if reads => What::Hello,
            ("POST", "/echo") => {
                let kind = head.field("content-type");
                What::Echo(kind.unwrap_or(b"application/octet-stream").to_vec())
            }
            (_, "/echo") => What::Refused(405, "POST"),
            ("GET" | "HEAD", _) => match path.strip_prefix("/count/").map(str::parse) {
                Some(Ok(most)) if most <= MOST_COUNTED => What::Count(most),
                _ => match self.files.find(path) {
                    Found::File(file) => {
                        let tags = head.field("if-none-match");
                        What::File(file, tags.map(<[u8]>::to_vec))
                    }
                    Found::Folder => {
                        let query = head.query().map(|query| format!("?{query}"));
                        What::Moved(format!("{path}/{}", query.unwrap_or_default()))
                    }
                    Found::Nothing => What::Refused(404, ""),
                },
            },
            ("POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS", _) => What::Refused(405, "GET, HEAD"),
            _ => What::Refused(501, ""),
        };
        let is_1_1 = head.minor_version() == 1;
        // What has neither a length nor chunks ends with the connection.
        let has_end = is_1_1 || !matches!(what, What::Count(_));
        Asked {
            keep_alive: head.keep_alive() && has_end,
            is_1_1,
            head_only: head.method() == "HEAD",
            what,
        }
    }

    /// The answer, and the rest of it if it is long.
    pub fn write(&mut self, asked: &Asked, body: &[u8]) -> (&[u8], Option<Rest>) {
        self.out.clear();
        let written = self.try_write(asked, body);
        // A file that has gone, or a name that is none: the head was not finished, and nothing is written.
        let rest = written.unwrap_or_else(|_| {
            self.out.clear();
            self.text(500, asked, "");
            None
        });
        (&self.out, rest)
    }

    fn try_write(
        &mut self,
        asked: &Asked,
        body: &[u8],
    ) -> std::result::Result<Option<Rest>, Failed> {
        match &asked.what {
            What::Hello => self.text(200, asked, ""),
            What::Refused(status, allow) => self.text(*status, asked, allow),
            What::Echo(kind) => {
                let head = self.head(200, asked).field("Content-Type", kind);
                head.length(body.len() as u64).finish()?;
                self.out.extend_from_slice(body);
            }
            What::Moved(target) => {
                let head = self.head(301, asked).field("Location", target);
                head.length(0).finish()?;
            }
            What::Count(most) => {
                let head = self.head(200, asked);
                let (head, rest) = match asked.is_1_1 {
                    true => (head.chunked(), Rest::Chunks(0, *most)),
                    false => (head, Rest::Lines(0, *most)),
                };
                head.field("Content-Type", "text/plain").finish()?;
                return Ok((!asked.head_only).then_some(rest));
            }
            What::File(path, tags) => {
                let file = File::open(path)?;
                let (length, tag) = Files::tag(&file)?;
                if tags.as_ref().is_some_and(|tags| Files::has_tag(tags, &tag)) {
                    let head = self.head(304, asked).field("ETag", &tag);
                    head.finish()?;
                    return Ok(None);
                }
                let head = self.head(200, asked).field("ETag", &tag);
                let head = head.field("Content-Type", Files::kind(path)).length(length);
                head.finish()?;
                return Ok((!asked.head_only).then_some(Rest::File(file, length)));
            }
        }
        Ok(None)
    }

    /// The answer to what cannot be read, or not be done, behind which the connection ends. What was asked is known if
    /// its head could be read.
    pub fn refusal(&mut self, status: u16, asked: Option<Asked>) -> &[u8] {
        self.out.clear();
        let asked = Asked {
            keep_alive: false,
            is_1_1: true,
            head_only: asked.is_some_and(|asked| asked.head_only),
            what: What::Refused(status, ""),
        };
        self.text(status, &asked, "");
        &self.out
    }

    fn text(&mut self, status: u16, asked: &Asked, allow: &str) {
        let body = match status {
            200 => "Hello, world!\n",
            status => http::reason(status),
        };
        let mut head = self.head(status, asked);
        if !allow.is_empty() {
            head = head.field("Allow", allow);
        }
        let head = head
            .field("Content-Type", "text/plain")
            .length(body.len() as u64);
        let finished = head.finish();
        debug_assert!(finished.is_ok(), "{finished:?}");
        if !asked.head_only {
            self.out.extend_from_slice(body.as_bytes());
        }
    }

    fn head(&mut self, status: u16, asked: &Asked) -> HeadWriter<'_> {
        let head = http::response(&mut self.out, status).field("Date", self.dates.now());
        match (asked.keep_alive, asked.is_1_1) {
            (true, true) => head,
            (true, false) => head.field("Connection", "keep-alive"),
            (false, _) => head.field("Connection", "close"),
        }
    }
}

impl Rest {
    /// The next piece; `None` behind the last one.
    pub fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = Vec::new();
        match self {
            Rest::File(_, 0) | Rest::Over => return Ok(None),
            Rest::File(file, left) => {
                let most = (PIECE as u64).min(*left);
                // It has become shorter, and the client was told how long it is.
                if file.take(most).read_to_end(&mut piece)? < most as usize {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                *left -= most;
            }
            Rest::Lines(from, to) if from == to => return Ok(None),
            Rest::Lines(from, to) => piece = lines(from, *to).into_bytes(),
            Rest::Chunks(from, to) => {
                let lines = lines(from, *to);
                if !lines.is_empty() {
                    Chunk
                        .encode(lines.as_bytes(), &mut piece)
                        .map_err(io::Error::other)?;
                }
                if from == to {
                    http::last_chunk(&mut piece)
                        .finish()
                        .map_err(io::Error::other)?;
                    *self = Rest::Over;
                }
            }
        }
        Ok(Some(piece))
    }
}

/// As many of the numbers as make a piece.
fn lines(from: &mut u64, to: u64) -> String {
    let mut lines = String::new();
    while *from < to && lines.len() < PIECE {
        lines += &format!("{from}\n");
        *from += 1;
    }
    lines
}

/// Why an answer cannot be given.
struct Failed;

impl From<io::Error> for Failed {
    fn from(_: io::Error) -> Failed {
        Failed
    }
}

impl From<FrameError> for Failed {
    fn from(_: FrameError) -> Failed {
        Failed
    }
}
