//! What a client says, and what it must be told.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

use super::expectation::{Expectation, Pattern, Seen};
use super::text;

/// What a client sends to a server, and what it must receive: what a [`ServerTrial`](super::ServerTrial) cuts
/// into pieces.
///
/// ```
/// use soquete::fuzzing::{Conversation, Seen};
///
/// let conversation = Conversation::new("two pings and a date")
///     .send("PING\r\nPING\r\n")
///     .expect("+PONG\r\n+PONG\r\n")
///     .send("DATE\r\n")
///     .expect_like("+* GMT\r\n")
///     .send("COUNT\r\n")
///     .expect_by("a number in a line", |bytes| {
///         match bytes.iter().position(|byte| *byte == b'\n') {
///             None => Seen::More,
///             Some(end) if bytes[..end].iter().all(u8::is_ascii_digit) => Seen::All(end + 1),
///             Some(_) => Seen::Wrong("is no number".into()),
///         }
///     });
/// # assert_eq!(conversation.name(), "two pings and a date");
/// ```
///
/// # As a file
///
/// [`read`](Conversation::read) and [`parse`](Conversation::parse) take text, of which each line begins with a
/// mark and, if more follows, a space:
///
/// ```text
/// # Comment. A line ends with LF; what is sent and received says itself where its lines end.
/// > GET / HTTP/1.1\r\n
/// > Host: a\r\n
/// > \r\n
/// < HTTP/1.1 200 OK\r\n
/// ~ Date: *\r\n
/// < \r\n
/// ! closes
/// ```
///
/// | line | means |
/// |---|---|
/// | `> text` | these bytes are sent; lines that follow each other are one request |
/// | `< text` | exactly these bytes must be received |
/// | `~ text` | likewise, and each `*` is any run of bytes other than CR and LF, as short as possible |
/// | an empty line | what follows is a request or an answer of its own |
/// | `! name TEXT` | the conversation's name; the file's, if there is none |
/// | `! closes` | the server ends the connection after the last answer |
/// | `! not pipelined` | [`not_pipelined`](Conversation::not_pipelined) |
/// | `! not half-closed` | [`not_half_closed`](Conversation::not_half_closed) |
/// | `# text` | nothing |
///
/// In the text `\r \n \t \0 \\ \*` and `\xHH` stand for bytes. White space at the end of a line is an error, since
/// nobody sees it: `\x20` is a space.
#[derive(Clone)]
pub struct Conversation {
    pub(super) name: String,
    /// All that is sent.
    pub(super) stream: Vec<u8>,
    /// Where each request begins, and how many expectations must have been met by then.
    pub(super) requests: Vec<(usize, usize)>,
    pub(super) expectations: Vec<Expectation>,
    pub(super) closes: bool,
    pub(super) is_pipelined: bool,
    pub(super) is_half_closed: bool,
}

impl Conversation {
    /// One in which nothing is said yet.
    pub fn new(name: impl Into<String>) -> Conversation {
        Conversation {
            name: name.into(),
            stream: Vec::new(),
            requests: Vec::new(),
            expectations: Vec::new(),
            closes: false,
            is_pipelined: true,
            is_half_closed: true,
        }
    }

    /// What findings call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client sends a request. It does so once all that stands before has been received, where requests are
    /// not pipelined.
    #[must_use]
    pub fn send(mut self, request: impl AsRef<[u8]>) -> Conversation {
        let request = request.as_ref();
        if !request.is_empty() {
            let begins = self.stream.len();
            self.requests.push((begins, self.expectations.len()));
            self.stream.extend_from_slice(request);
        }
        self
    }

    /// The client must receive exactly these bytes.
    #[must_use]
    pub fn expect(self, answer: impl AsRef<[u8]>) -> Conversation {
        self.like(Pattern::exactly(answer.as_ref()))
    }

    /// As [`expect`](Conversation::expect), with parts that vary: each `*` is any run of bytes other than CR
    /// and LF, as short as possible. `\*` is an asterisk, `\\` a backslash.
    ///
    /// # Panics
    ///
    /// If it ends with a `*`, since nothing says where that ends; if a `\` stands before anything else.
    #[must_use]
    #[track_caller]
    pub fn expect_like(self, pattern: impl AsRef<[u8]>) -> Conversation {
        let mut bytes = pattern.as_ref().iter();
        let mut pattern = Pattern::default();
        while let Some(byte) = bytes.next() {
            match byte {
                b'*' => pattern.push_run(),
                b'\\' => match bytes.next() {
                    Some(escaped @ (b'*' | b'\\')) => pattern.push(*escaped),
                    _ => panic!("in a pattern, `\\` stands before `*` and `\\` only"),
                },
                byte => pattern.push(*byte),
            }
        }
        assert!(!pattern.is_open(), "nothing says where the last `*` ends");
        self.like(pattern)
    }

    pub(super) fn like(mut self, pattern: Pattern) -> Conversation {
        if !pattern.is_empty() {
            self.expectations.push(Expectation::Like(pattern));
        }
        self
    }

    /// As [`expect`](Conversation::expect), for what a closure knows better. It is given all that has come from
    /// this part on, each time that there is more; `what` is what findings call it.
    ///
    /// ```
    /// use soquete::fuzzing::{Conversation, Seen};
    ///
    /// let date = Conversation::new("a date").send("DATE\r\n").expect_by("four digits", |bytes| {
    ///     match bytes.len() {
    ///         0..4 => Seen::More,
    ///         _ if bytes[..4].iter().all(u8::is_ascii_digit) => Seen::All(4),
    ///         _ => Seen::Wrong("no digits".into()),
    ///     }
    /// });
    /// # assert_eq!(date.name(), "a date");
    /// ```
    #[must_use]
    pub fn expect_by(
        mut self,
        what: impl Into<String>,
        look: impl Fn(&[u8]) -> Seen + 'static,
    ) -> Conversation {
        let what: String = what.into();
        self.expectations
            .push(Expectation::By(what.into(), Rc::new(look)));
        self
    }

    /// The server ends the connection after the last answer. Otherwise the client does.
    #[must_use]
    pub fn closes(mut self) -> Conversation {
        self.closes = true;
        self
    }

    /// A request must not be sent before the answers to those before it have come.
    #[must_use]
    pub fn not_pipelined(mut self) -> Conversation {
        self.is_pipelined = false;
        self
    }

    /// The server need not answer what was asked by a client that has ended its half: the end is not sent behind
    /// the last request.
    #[must_use]
    pub fn not_half_closed(mut self) -> Conversation {
        self.is_half_closed = false;
        self
    }

    /// Reads a conversation from its [text](Conversation#as-a-file).
    ///
    /// ```
    /// use soquete::fuzzing::Conversation;
    ///
    /// let ping = Conversation::parse("ping", "> PING\\r\\n\n< +PONG\\r\\n\n")?;
    /// assert_eq!(ping.name(), "ping");
    /// # Ok::<(), soquete::fuzzing::ConversationError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first line that is not as it must be, and why.
    pub fn parse(
        name: impl Into<String>,
        text: impl AsRef<[u8]>,
    ) -> Result<Conversation, ConversationError> {
        text::parse(name.into(), text.as_ref())
    }

    /// Reads a conversation from a file, after which it is called.
    ///
    /// # Errors
    ///
    /// As [`parse`](Conversation::parse), and of line 0 if the file cannot be read.
    pub fn read(file: impl AsRef<Path>) -> Result<Conversation, ConversationError> {
        let file = file.as_ref();
        let text = std::fs::read(file).map_err(|error| ConversationError {
            line: 0,
            what: format!("{}: {error}", file.display()),
        })?;
        let name = file.file_stem().unwrap_or(file.as_os_str());
        Conversation::parse(name.to_string_lossy(), text)
    }

    /// How many bytes are sent.
    pub(super) fn len(&self) -> usize {
        self.stream.len()
    }

    /// Which request a place in the stream belongs to, and where in it that is.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let number = self.requests.partition_point(|(begins, _)| *begins < at);
        let number = number.saturating_sub(1);
        let begins = self.requests.get(number).map_or(0, |(begins, _)| *begins);
        (number, at - begins)
    }

    /// How long a request is.
    pub(super) fn length_of(&self, request: usize) -> usize {
        let begins = |at: usize| self.requests.get(at).map(|(begins, _)| *begins);
        let from = begins(request).unwrap_or(0);
        begins(request + 1).unwrap_or(self.stream.len()) - from
    }

    /// Whether a request begins at this place.
    pub(super) fn begins_at(&self, at: usize) -> bool {
        self.requests
            .binary_search_by_key(&at, |(begins, _)| *begins)
            .is_ok()
    }

    /// How many expectations belong to the requests that end at this place or before.
    pub(super) fn due_at(&self, at: usize) -> usize {
        if at >= self.stream.len() {
            return self.expectations.len();
        }
        let behind = self.requests.partition_point(|(begins, _)| *begins <= at);
        self.requests[behind.saturating_sub(1)].1
    }

    /// Where the next request begins for which more must have come than for what stands at this place.
    pub(super) fn next_wait(&self, at: usize) -> Option<usize> {
        let due = self.due_at(at);
        let behind = self.requests.partition_point(|(begins, _)| *begins <= at);
        let next = self.requests[behind..]
            .iter()
            .find(|(_, needs)| *needs > due);
        next.map(|(begins, _)| *begins)
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("name", &self.name)
            .field("bytes", &self.stream.len())
            .field("requests", &self.requests.len())
            .field("answers", &self.expectations.len())
            .finish_non_exhaustive()
    }
}

/// What is wrong in a [conversation's text](Conversation#as-a-file).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationError {
    pub(super) line: usize,
    pub(super) what: String,
}

impl ConversationError {
    /// The line, from 1 on; 0 for the text as a whole.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for ConversationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

impl std::error::Error for ConversationError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_what_is_due_there() {
        let talk = Conversation::new("x")
            .expect("hello")
            .send("abc")
            .expect("1")
            .expect("2")
            .send("de")
            .send("")
            .expect("3");
        assert_eq!(talk.requests, [(0, 1), (3, 3)]);
        assert_eq!(talk.place(0), (0, 0));
        assert_eq!(talk.place(3), (0, 3));
        assert_eq!(talk.place(4), (1, 1));
        assert_eq!((talk.length_of(0), talk.length_of(1)), (3, 2));
        let due: Vec<usize> = (0..=5).map(|at| talk.due_at(at)).collect();
        assert_eq!(due, [1, 1, 1, 3, 3, 4]);
    }
}
