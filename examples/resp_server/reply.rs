//! Replies, in both versions of the protocol.

use super::integer;

/// What a client asked for by `HELLO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    #[default]
    Resp2,
    /// Has types for null, maps and text.
    Resp3,
}

/// The replies that were not sent yet.
#[derive(Default)]
pub struct Replies {
    bytes: Vec<u8>,
    version: Version,
}

impl Replies {
    /// The version from here on.
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    pub fn ok(&mut self) {
        self.bytes.extend_from_slice(b"+OK\r\n");
    }

    pub fn status(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error; `text` begins with its code. Line ends in what it quotes become spaces.
    pub fn error(&mut self, text: &str) {
        self.bytes.push(b'-');
        for char in text.chars() {
            // Quoted bytes arrive as the chars of the same numbers.
            self.bytes.push(match char {
                '\r' | '\n' => b' ',
                other => u8::try_from(other).unwrap_or(b'?'),
            });
        }
        self.end_line();
    }

    pub fn integer(&mut self, value: i64) {
        self.head(b':', value);
    }

    pub fn count(&mut self, count: usize) {
        self.integer(signed(count));
    }

    pub fn bulk(&mut self, bytes: &[u8]) {
        self.head(b'$', signed(bytes.len()));
        self.bytes.extend_from_slice(bytes);
        self.end_line();
    }

    /// Text for people.
    pub fn text(&mut self, text: &str) {
        match self.version {
            Version::Resp2 => self.bulk(text.as_bytes()),
            Version::Resp3 => {
                self.head(b'=', signed("txt:".len() + text.len()));
                self.bytes.extend_from_slice(b"txt:");
                self.bytes.extend_from_slice(text.as_bytes());
                self.end_line();
            }
        }
    }

    /// No value.
    pub fn null(&mut self) {
        self.absent(b"$-1\r\n");
    }

    /// No list of values.
    pub fn null_array(&mut self) {
        self.absent(b"*-1\r\n");
    }

    /// `len` replies follow, and are the items.
    pub fn array(&mut self, len: usize) {
        self.head(b'*', signed(len));
    }

    /// `pairs` times two replies follow, keys and values.
    pub fn map(&mut self, pairs: usize) {
        match self.version {
            Version::Resp2 => self.array(2 * pairs),
            Version::Resp3 => self.head(b'%', signed(pairs)),
        }
    }

    /// `bytes`, or null.
    pub fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn absent(&mut self, in_resp2: &[u8]) {
        match self.version {
            Version::Resp2 => self.bytes.extend_from_slice(in_resp2),
            Version::Resp3 => self.bytes.extend_from_slice(b"_\r\n"),
        }
    }

    fn head(&mut self, kind: u8, number: i64) {
        self.bytes.push(kind);
        integer::append(&mut self.bytes, number);
        self.end_line();
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(text);
        self.end_line();
    }

    fn end_line(&mut self) {
        self.bytes.extend_from_slice(b"\r\n");
    }
}

fn signed(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
