//! Heads and trailers, line by line: the state machine that looks at each byte once, and a short way for lines that
//! lie in one slice and have nothing wrong with them.
//!
//! What is wrong is found by the state machine alone, at the first byte that shows it. The short way only ever says
//! yes.

use super::super::super::window::work;
use super::super::super::{Malformed, Window};
use super::Limits;
use super::chars::{is_target, is_text, is_token, target_len, text_len, token_len};
use super::meaning::{Known, Meaning, Method, Wrong, parts};
use super::wrong;

/// What lines are read of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Request,
    Response,
    Trailers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Method,
    Target,
    Version,
    Status,
    Reason,
    /// Behind the carriage return of the first line.
    FirstLf,
    Line,
    Name,
    Value,
    /// Behind the carriage return of a field.
    FieldLf,
    /// Behind the carriage return of the empty line.
    EndLf,
    Ended,
}

/// A section that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    of: Of,
    state: State,
    /// How many bytes of the window were looked at.
    at: usize,
    /// Where the line begins that has not ended.
    line: usize,
    /// Bytes of the section that are not in the window any more.
    gone: usize,
    /// Where the target, the version, the status or the value begins, whichever it is.
    from: usize,
    /// Where the value ends, white space left out.
    to: usize,
    known: Known,
    fields: usize,
    pub(super) meaning: Meaning,
}

/// No method of IANA's registry has more than 17.
pub(super) const LONGEST_METHOD: usize = 24;

impl Section {
    pub(super) const fn new(of: Of) -> Self {
        Self {
            of,
            state: match of {
                Of::Request => State::Method,
                Of::Response => State::Version,
                Of::Trailers => State::Line,
            },
            at: 0,
            line: 0,
            gone: 0,
            from: 0,
            to: 0,
            known: Known::Other,
            fields: 0,
            meaning: Meaning::NOTHING,
        }
    }

    /// Whether nothing was looked at.
    #[inline]
    pub(super) fn is_new(&self) -> bool {
        self.at == 0 && self.gone == 0
    }

    /// How many bytes at the window's front are whole lines of the section.
    #[inline]
    pub(super) fn settled(&self) -> usize {
        self.line
    }

    /// So many bytes of whole lines are not in the window any more.
    pub(super) fn forget(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.line);
        self.gone += bytes;
        self.at -= bytes;
        self.line -= bytes;
        self.from = self.from.saturating_sub(bytes);
        self.to = self.to.saturating_sub(bytes);
    }

    /// Looks at what has come since, and says where the section ends: behind its empty line.
    #[inline]
    pub(super) fn read(
        &mut self,
        window: Window<'_>,
        limits: &Limits,
    ) -> Result<Option<usize>, Malformed> {
        let longest = match self.of {
            Of::Trailers => limits.trailers,
            _ => limits.head,
        };
        loop {
            // Less than nothing where the limit was lowered inside the section.
            let room = longest.saturating_sub(self.gone + self.at);
            let [first, second] = window.split(self.at);
            let run = if first.is_empty() { second } else { first };
            let run = &run[..run.len().min(room)];
            if run.is_empty() {
                return match room {
                    0 => Err(self.wrong(self.at, self.too_long())),
                    _ => Ok(None),
                };
            }
            let skimmed = if self.line == self.at {
                self.skim(run, limits)
            } else {
                0
            };
            let rest = &run[skimmed..];
            if self.state == State::Line && rest.starts_with(b"\r\n") && self.may_end().is_ok() {
                work::examined(2);
                return Ok(Some(self.at + 2));
            }
            let mut rest = rest;
            while let Some((byte, behind)) = rest.split_first() {
                work::examined(1);
                self.state = self.after(*byte, window, limits)?;
                self.at += 1;
                match self.state {
                    State::Line => {
                        self.line = self.at;
                        break;
                    }
                    State::Ended => return Ok(Some(self.at)),
                    _ => rest = &behind[self.run_on(behind)..],
                }
            }
        }
    }

    /// Takes what stands at the front of `rest` and changes nothing but how long the name or the value is: bytes that
    /// the state machine would take one by one.
    fn run_on(&mut self, rest: &[u8]) -> usize {
        let len = match self.state {
            State::Name => token_len(rest),
            State::Value => {
                let text = &rest[..text_len(rest)];
                let content = text.trim_ascii_start();
                if self.from == self.to {
                    self.from += text.len() - content.len();
                    self.to = self.from;
                }
                if !content.is_empty() {
                    self.to = self.at + text.trim_ascii_end().len();
                }
                text.len()
            }
            _ => 0,
        };
        work::examined(len);
        self.at += len;
        len
    }

    fn too_long(&self) -> &'static str {
        match self.of {
            Of::Trailers => wrong::LONG_TRAILERS,
            _ => wrong::LONG_HEAD,
        }
    }

    #[cold]
    fn wrong(&self, at: usize, what: &'static str) -> Malformed {
        Malformed {
            at,
            what,
            settled: match self.of {
                // They are in the midst of a body, and not of its payload.
                Of::Trailers => 0,
                _ => self.line,
            },
        }
    }

    /// Takes the lines at the front of `run`, which begins with one, for as long as they lie in it and there is
    /// nothing wrong with them. Says how many bytes they are.
    #[inline]
    fn skim(&mut self, run: &[u8], limits: &Limits) -> usize {
        let mut at = 0;
        if self.state != State::Line {
            let Some(len) = self.skim_first(run, limits) else {
                work::examined(run.len().min(limits.target));
                return 0;
            };
            at = len;
            self.state = State::Line;
        }
        while self.fields < limits.fields {
            // The line's end first, without a look at what it says: the next line waits for nothing else, and a
            // processor begins with it meanwhile.
            let line = &run[at..];
            let len = text_len(line);
            if len == 0 || !line[len..].starts_with(b"\r\n") {
                work::examined(len);
                break;
            }
            let name = token_len(line);
            let Some((b':', value)) = line[name..len].split_first() else {
                work::examined(len + name);
                break;
            };
            if name == 0 {
                work::examined(len);
                break;
            }
            // The lengths of the names that matter.
            if matches!(name, 4 | 14 | 17) {
                let known = Known::of([&line[..name], &[]]);
                if known != Known::Other && !self.accepts(known, value.trim_ascii()) {
                    work::examined(len + name);
                    break;
                }
            }
            self.fields += 1;
            at += len + 2;
            work::examined(name);
        }
        work::examined(at);
        self.at += at;
        self.line = self.at;
        at
    }

    fn accepts(&mut self, known: Known, value: &[u8]) -> bool {
        self.of != Of::Trailers
            && self
                .meaning
                .note(self.known_here(known), [value, &[]])
                .is_ok()
    }

    /// The length of the first line, if it is one of the usual kind.
    #[inline]
    fn skim_first(&mut self, run: &[u8], limits: &Limits) -> Option<usize> {
        if self.of == Of::Response {
            let (line, rest) = run.split_first_chunk::<13>()?;
            let (b"HTTP/1.1 ", &[a @ b'1'..=b'5', b, c, b' ']) = line.split_first_chunk::<9>()?
            else {
                return None;
            };
            let reason = text_len(rest);
            let digits = b.is_ascii_digit() && c.is_ascii_digit();
            if !digits || !rest[reason..].starts_with(b"\r\n") {
                return None;
            }
            let digit = |byte: u8| u16::from(byte - b'0');
            self.meaning.status = digit(a) * 100 + digit(b) * 10 + digit(c);
            self.meaning.is_1_1 = true;
            return Some(line.len() + reason + 2);
        }
        let method = token_len(run);
        // Those of seven letters are CONNECT and OPTIONS, whose targets are of other forms.
        if method == 0 || method == 7 || method > LONGEST_METHOD {
            return None;
        }
        let rest = run[method..].strip_prefix(b" ")?;
        let target = target_len(rest);
        if rest.first() != Some(&b'/') || target > limits.target {
            return None;
        }
        self.meaning.is_1_1 = match rest[target..].first_chunk::<11>()? {
            b" HTTP/1.1\r\n" => true,
            b" HTTP/1.0\r\n" => false,
            _ => return None,
        };
        Some(method + 1 + target + 11)
    }

    /// The state behind `byte`, which stands at `self.at`.
    fn after(&mut self, byte: u8, window: Window<'_>, limits: &Limits) -> Result<State, Malformed> {
        let at = self.at;
        match (self.state, byte) {
            (State::FirstLf, b'\n') => return Ok(State::Line),
            (State::FieldLf, b'\n') => {
                self.end_field(window)?;
                return Ok(State::Line);
            }
            (State::EndLf, b'\n') => {
                self.may_end()?;
                return Ok(State::Ended);
            }
            (State::FirstLf | State::FieldLf | State::EndLf, _) => {
                return Err(self.wrong(at - 1, wrong::BARE_CR));
            }
            (_, b'\n') => return Err(self.wrong(at, wrong::BARE_LF)),
            _ => {}
        }
        match self.state {
            State::Method => self.method(byte, window),
            State::Target => self.target(byte, window, limits),
            State::Version => self.version(byte, window),
            State::Status => self.status(byte),
            State::Reason if byte == b'\r' => Ok(State::FirstLf),
            State::Reason if is_text(byte) => Ok(State::Reason),
            State::Reason => Err(self.wrong(at, wrong::REASON)),
            State::Line => self.begin_line(byte, limits),
            State::Name => self.name(byte, window),
            State::Value => self.value(byte),
            State::FirstLf | State::FieldLf | State::EndLf | State::Ended => Ok(self.state),
        }
    }

    fn method(&mut self, byte: u8, window: Window<'_>) -> Result<State, Malformed> {
        let at = self.at;
        match byte {
            b' ' if at > 0 => {
                self.meaning.method = Method::of(parts(window, 0, at));
                self.from = at + 1;
                Ok(State::Target)
            }
            _ if !is_token(byte) => Err(self.wrong(at, wrong::METHOD)),
            _ if at >= LONGEST_METHOD => Err(self.wrong(at, wrong::LONG_METHOD)),
            _ => Ok(State::Method),
        }
    }

    fn target(
        &mut self,
        byte: u8,
        window: Window<'_>,
        limits: &Limits,
    ) -> Result<State, Malformed> {
        let (from, at) = (self.from, self.at);
        match byte {
            b' ' if at > from => {
                work::examined(at - from);
                if !self.meaning.method.has_target(parts(window, from, at)) {
                    return Err(self.wrong(from, wrong::TARGET_FORM));
                }
                self.from = at + 1;
                Ok(State::Version)
            }
            b' ' | b'\r' => Err(self.wrong(at, wrong::REQUEST_LINE)),
            _ if !is_target(byte) => Err(self.wrong(at, wrong::TARGET)),
            _ if at - from >= limits.target => Err(self.wrong(at, wrong::LONG_TARGET)),
            _ => Ok(State::Target),
        }
    }

    fn version(&mut self, byte: u8, window: Window<'_>) -> Result<State, Malformed> {
        let no_line = match self.of {
            Of::Response => wrong::STATUS_LINE,
            _ => wrong::REQUEST_LINE,
        };
        let at = self.at;
        let fits = match at - self.from {
            nth @ 0..5 => byte == b"HTTP/"[nth],
            6 => byte == b'.',
            5 | 7 => byte.is_ascii_digit(),
            _ => match self.of {
                Of::Response if byte == b' ' => {
                    self.from = at + 1;
                    return Ok(State::Status);
                }
                Of::Request if byte == b'\r' => return Ok(State::FirstLf),
                _ => false,
            },
        };
        if !fits {
            return Err(self.wrong(at, no_line));
        }
        if at - self.from == 7 {
            self.meaning.is_1_1 = match (window.get(at - 2), byte) {
                (Some(b'1'), b'1') => true,
                (Some(b'1'), b'0') => false,
                _ => return Err(self.wrong(at - 2, wrong::VERSION)),
            };
        }
        Ok(State::Version)
    }

    fn status(&mut self, byte: u8) -> Result<State, Malformed> {
        match (self.at - self.from, byte) {
            (0, b'1'..=b'5') | (1 | 2, b'0'..=b'9') => {
                self.meaning.status = self.meaning.status * 10 + u16::from(byte - b'0');
                Ok(State::Status)
            }
            (3, b' ') => Ok(State::Reason),
            (3, _) => Err(self.wrong(self.at, wrong::STATUS_LINE)),
            _ => Err(self.wrong(self.at, wrong::STATUS)),
        }
    }

    fn begin_line(&mut self, byte: u8, limits: &Limits) -> Result<State, Malformed> {
        let what = match byte {
            b'\r' => return Ok(State::EndLf),
            b' ' | b'\t' if self.fields == 0 => wrong::LEADING_SPACE,
            b' ' | b'\t' => wrong::FOLD,
            _ if !is_token(byte) => wrong::NAME,
            _ if self.fields >= limits.fields => wrong::MANY_FIELDS,
            _ => {
                self.fields += 1;
                return Ok(State::Name);
            }
        };
        Err(self.wrong(self.at, what))
    }

    fn name(&mut self, byte: u8, window: Window<'_>) -> Result<State, Malformed> {
        let what = match byte {
            b':' => {
                self.known = self.known_here(Known::of(parts(window, self.line, self.at)));
                (self.from, self.to) = (self.at + 1, self.at + 1);
                return Ok(State::Value);
            }
            b' ' | b'\t' => wrong::SPACE_BEFORE_COLON,
            _ if !is_token(byte) => wrong::NAME,
            _ => return Ok(State::Name),
        };
        Err(self.wrong(self.at, what))
    }

    fn value(&mut self, byte: u8) -> Result<State, Malformed> {
        match byte {
            b'\r' => return Ok(State::FieldLf),
            b' ' | b'\t' if self.from == self.to => {
                (self.from, self.to) = (self.at + 1, self.at + 1);
            }
            b' ' | b'\t' => {}
            _ if is_text(byte) => self.to = self.at + 1,
            _ => return Err(self.wrong(self.at, wrong::VALUE)),
        }
        Ok(State::Value)
    }

    fn end_field(&mut self, window: Window<'_>) -> Result<(), Malformed> {
        if self.known == Known::Other {
            return Ok(());
        }
        if self.of == Of::Trailers {
            return Err(self.wrong(self.line, wrong::TRAILER_FIELD));
        }
        let (from, to) = (self.from, self.to);
        work::examined(to - from);
        match self.meaning.note(self.known, parts(window, from, to)) {
            Ok(()) => Ok(()),
            Err(Wrong::Field(what)) => Err(self.wrong(self.line, what)),
            Err(Wrong::Value(at, what)) => Err(self.wrong(from + at, what)),
        }
    }

    /// A response may have any Host.
    fn known_here(&self, known: Known) -> Known {
        match (known, self.of) {
            (Known::Host, Of::Response) => Known::Other,
            (known, _) => known,
        }
    }

    fn may_end(&self) -> Result<(), Malformed> {
        let Meaning {
            is_1_1,
            host,
            method,
            length,
            chunked,
            ..
        } = self.meaning;
        if self.of != Of::Request {
            return Ok(());
        }
        if is_1_1 && !host {
            return Err(self.wrong(self.line, wrong::NO_HOST));
        }
        if method == Method::Connect && (chunked || length.is_some_and(|length| length > 0)) {
            return Err(self.wrong(self.line, wrong::CONNECT_BODY));
        }
        Ok(())
    }
}
