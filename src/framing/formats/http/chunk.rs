//! The line in front of a chunk: its size, and extensions that are looked at and left alone.

use super::super::super::{Malformed, Window};
use super::chars::is_token;
use super::wrong;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    /// Behind a semicolon.
    ExtensionBegins,
    Extension,
    /// Behind an equals sign.
    ValueBegins,
    Value,
    Quoted,
    /// Behind a backslash in quotes.
    Escaped,
    /// Behind the quotes.
    Unquoted,
    Lf,
}

/// A line that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkLine {
    state: State,
    /// How many bytes of the window were looked at.
    at: usize,
    size: u64,
    /// How many digits the size has.
    digits: usize,
}

/// More digits than these would not fit into a `u64`. Leading zeros count.
const MOST_DIGITS: usize = 16;

/// The longest line without extensions, and the line end behind the chunk.
pub(super) const BRACKETS: usize = MOST_DIGITS + 2 + 2;

impl ChunkLine {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Size,
            at: 0,
            size: 0,
            digits: 0,
        }
    }

    /// Reads on from where it left off. The length of the line and the size of the chunk behind it, once the line is
    /// complete.
    pub(super) fn read(
        &mut self,
        window: Window<'_>,
        longest_extension: usize,
    ) -> Result<Option<(usize, u64)>, Malformed> {
        while let Some(byte) = window.get(self.at) {
            let extended = !matches!(self.state, State::Size | State::Lf);
            let extended = extended && byte != b'\r' && byte != b'\n';
            if extended && self.at - self.digits >= longest_extension {
                return Err(Malformed::new(self.at, wrong::LONG_EXTENSION));
            }
            if (self.state, byte) == (State::Lf, b'\n') {
                return Ok(Some((self.at + 1, self.size)));
            }
            self.state = self.after(byte)?;
            self.at += 1;
        }
        Ok(None)
    }

    /// The state after `byte`, which is at `self.at`.
    fn after(&mut self, byte: u8) -> Result<State, Malformed> {
        let at = self.at;
        let wrong = |what| Err(Malformed::new(at, what));
        if let (State::Size, Some(digit)) = (self.state, char::from(byte).to_digit(16)) {
            if at >= MOST_DIGITS {
                return wrong(wrong::CHUNK_OVERFLOW);
            }
            self.size = self.size << 4 | u64::from(digit);
            self.digits = at + 1;
            return Ok(State::Size);
        }
        match (self.state, byte) {
            (State::Lf, _) => Err(Malformed::new(at - 1, wrong::BARE_CR)),
            (_, b'\n') => wrong(wrong::BARE_LF),
            (State::Size, b'\r') if at > 0 => Ok(State::Lf),
            (State::Size, b';') if at > 0 => Ok(State::ExtensionBegins),
            (State::Size, _) => wrong(wrong::CHUNK_SIZE),
            (State::Extension | State::Value | State::Unquoted, b'\r') => Ok(State::Lf),
            (State::Extension | State::Value | State::Unquoted, b';') => Ok(State::ExtensionBegins),
            (State::Extension, b'=') => Ok(State::ValueBegins),
            (State::ExtensionBegins | State::Extension, _) if is_token(byte) => {
                Ok(State::Extension)
            }
            (State::ValueBegins, b'"') => Ok(State::Quoted),
            (State::ValueBegins | State::Value, _) if is_token(byte) => Ok(State::Value),
            (State::Quoted, b'"') => Ok(State::Unquoted),
            (State::Quoted, b'\\') => Ok(State::Escaped),
            (State::Quoted | State::Escaped, b'\t' | b' '..=b'~' | 0x80..) => Ok(State::Quoted),
            _ => wrong(wrong::EXTENSION),
        }
    }
}
