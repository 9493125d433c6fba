//! Replies, in both versions of the protocol.

pub use soquete::framing::RespVersion as Version;
use soquete::framing::RespWriter;

/// How long a reply may be before another value is added to it. A request of a few bytes a key can ask for a value of
/// megabytes a thousand times.
const LONGEST: usize = 64 * 1024 * 1024;

/// The replies that were not sent yet.
#[derive(Default)]
pub struct Replies {
    bytes: Vec<u8>,
    version: Version,
    is_too_long: bool,
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
        self.write().simple(text);
    }

    /// An error; `text` begins with its code. Quoted bytes arrive as the chars of the same numbers.
    pub fn error(&mut self, text: &str) {
        let bytes = text.chars().map(|char| u8::try_from(char).unwrap_or(b'?'));
        self.write().error(bytes.collect::<Vec<_>>());
    }

    pub fn integer(&mut self, value: i64) {
        self.write().integer(value);
    }

    pub fn count(&mut self, count: usize) {
        self.integer(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub fn bulk(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.bytes.len() > LONGEST;
        if !self.is_too_long {
            self.write().bulk(bytes);
        }
    }

    /// Whether values were left out, so that the client cannot be answered.
    pub fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    /// Text for people.
    pub fn text(&mut self, text: &str) {
        self.write().verbatim(b"txt", text.as_bytes());
    }

    /// No value.
    pub fn null(&mut self) {
        self.write().null();
    }

    /// No list of values.
    pub fn null_array(&mut self) {
        self.write().null_array();
    }

    /// `len` replies follow, and are the items.
    pub fn array(&mut self, len: usize) {
        self.write().array(len);
    }

    /// `pairs` times two replies follow, keys and values.
    pub fn map(&mut self, pairs: usize) {
        self.write().map(pairs);
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
        self.is_too_long = false;
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn write(&mut self) -> RespWriter<'_> {
        RespWriter::new(&mut self.bytes, self.version)
    }
}
