//! Writing requests and answers.

use super::number;

/// A version of the protocol. A client asks for one by `HELLO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RespVersion {
    /// Has strings, errors, integers, arrays, and null for two of them.
    #[default]
    V2,
    /// Has more types.
    V3,
}

/// Appends values of RESP to a buffer: answers, or a request.
///
/// What version 2 has no type for is written as what Redis writes for it there: a map as an array of twice as many, a
/// set or a push as an array, a double as a string, a boolean as 1 or 0.
///
/// ```
/// use soquete::framing::{RespVersion, RespWriter};
///
/// let mut out = Vec::new();
/// let mut answer = RespWriter::new(&mut out, RespVersion::V3);
/// answer.map(1);
/// answer.simple("name");
/// answer.bulk(b"Ada");
/// assert_eq!(out, b"%1\r\n+name\r\n$3\r\nAda\r\n");
///
/// out.clear();
/// RespWriter::new(&mut out, RespVersion::V2).request(&[b"GET", b"key"]);
/// assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
/// ```
#[derive(Debug)]
pub struct RespWriter<'a> {
    out: &'a mut Vec<u8>,
    version: RespVersion,
}

impl<'a> RespWriter<'a> {
    /// A writer that appends to `out`, in the version that the client has asked for.
    ///
    /// ```
    /// use soquete::framing::{RespVersion, RespWriter};
    ///
    /// let mut out = b"+OK\r\n".to_vec();
    /// RespWriter::new(&mut out, RespVersion::V2).null();
    /// RespWriter::new(&mut out, RespVersion::V3).null();
    /// assert_eq!(out, b"+OK\r\n$-1\r\n_\r\n");
    /// ```
    ///
    /// ```
    /// use soquete::framing::{RespVersion, RespWriter};
    ///
    /// let mut out = Vec::new();
    /// RespWriter::new(&mut out, RespVersion::V2).integer(42);
    /// assert_eq!(out, b":42\r\n");
    /// ```
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, version: RespVersion) -> Self {
        Self { out, version }
    }

    /// A request: an array of strings.
    pub fn request(&mut self, arguments: &[&[u8]]) {
        self.array(arguments.len());
        for argument in arguments {
            self.bulk(argument);
        }
    }

    /// Text in one line. Line ends in it become spaces, as they would end the value.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error, which begins with its code, such as `ERR`. Line ends in it become spaces.
    #[inline]
    pub fn error(&mut self, text: impl AsRef<[u8]>) {
        self.line(b'-', text.as_ref());
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        number::append_head(self.out, b':', value);
    }

    /// Any bytes.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.sized(b'$', bytes.len());
        self.out.extend_from_slice(bytes);
        self.end_line();
    }

    /// Null: `$-1` in version 2, `_` in version 3.
    pub fn null(&mut self) {
        self.either(b"$-1\r\n", b"_\r\n");
    }

    /// A null array: `*-1` in version 2, `_` in version 3.
    pub fn null_array(&mut self) {
        self.either(b"*-1\r\n", b"_\r\n");
    }

    /// The `len` values that are written next are the items of an array.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.sized(b'*', len);
    }

    /// The `len` values that are written next are the items of a set.
    pub fn set(&mut self, len: usize) {
        self.aggregate(b'~', len, 1);
    }

    /// The `len` values that are written next are what a client has not asked for, such as a message; the first says
    /// what it is.
    pub fn push(&mut self, len: usize) {
        self.aggregate(b'>', len, 1);
    }

    /// The `pairs` times two values that are written next are keys and values.
    pub fn map(&mut self, pairs: usize) {
        self.aggregate(b'%', pairs, 2);
    }

    /// A double.
    pub fn double(&mut self, value: f64) {
        let text = match value {
            // What is not a number has no sign in the protocol.
            nan if nan.is_nan() => "nan".to_owned(),
            value => format!("{value:?}"),
        };
        match self.version {
            RespVersion::V2 => self.bulk(text.as_bytes()),
            RespVersion::V3 => self.line(b',', text.as_bytes()),
        }
    }

    /// True or false.
    pub fn boolean(&mut self, value: bool) {
        match value {
            true => self.either(b":1\r\n", b"#t\r\n"),
            false => self.either(b":0\r\n", b"#f\r\n"),
        }
    }

    /// Text for people, in a `format` such as `txt`.
    ///
    /// ```
    /// use soquete::framing::{RespVersion, RespWriter};
    ///
    /// let mut out = Vec::new();
    /// RespWriter::new(&mut out, RespVersion::V3).verbatim(b"mkd", b"*hello*");
    /// assert_eq!(out, b"=11\r\nmkd:*hello*\r\n");
    /// ```
    ///
    /// ```
    /// use soquete::framing::{RespVersion, RespWriter};
    ///
    /// let mut out = Vec::new();
    /// RespWriter::new(&mut out, RespVersion::V3).verbatim(b"txt", b"hello");
    /// assert_eq!(out, b"=9\r\ntxt:hello\r\n");
    /// ```
    pub fn verbatim(&mut self, format: &[u8; 3], text: &[u8]) {
        if self.version == RespVersion::V2 {
            return self.bulk(text);
        }
        self.sized(b'=', format.len() + 1 + text.len());
        for part in [&format[..], b":", text, b"\r\n"] {
            self.out.extend_from_slice(part);
        }
    }

    fn aggregate(&mut self, kind: u8, len: usize, each: usize) {
        match self.version {
            RespVersion::V2 => self.sized(b'*', len.saturating_mul(each)),
            RespVersion::V3 => self.sized(kind, len),
        }
    }

    fn either(&mut self, in_2: &[u8], in_3: &[u8]) {
        self.out.extend_from_slice(match self.version {
            RespVersion::V2 => in_2,
            RespVersion::V3 => in_3,
        });
    }

    #[inline]
    fn sized(&mut self, kind: u8, len: usize) {
        number::append_head(self.out, kind, i64::try_from(len).unwrap_or(i64::MAX));
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.push(kind);
        let in_line = |byte: &u8| match byte {
            b'\r' | b'\n' => b' ',
            other => *other,
        };
        self.out.extend(text.iter().map(in_line));
        self.end_line();
    }

    fn end_line(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Resp, RespValue};
    use super::*;
    use crate::framing::Wrap;

    fn written(version: RespVersion, write: impl FnOnce(&mut RespWriter<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut RespWriter::new(&mut out, version));
        Resp::new().wrap(&out).expect("one value");
        out
    }

    fn all(answer: &mut RespWriter<'_>) {
        answer.array(14);
        answer.simple("OK");
        answer.error("ERR a\r\nb");
        answer.integer(i64::MIN);
        answer.bulk(b"\r\n");
        answer.null();
        answer.null_array();
        answer.set(1);
        answer.integer(1);
        answer.map(1);
        answer.simple("key");
        answer.bulk(b"value");
        answer.double(0.1);
        answer.double(f64::NEG_INFINITY);
        answer.double(1e300);
        answer.boolean(true);
        answer.boolean(false);
        answer.verbatim(b"txt", b"text");
    }

    #[test]
    fn version_2_says_all_in_its_five_types() {
        let out = written(RespVersion::V2, all);
        Resp::version_2().wrap(&out).expect("one value");
        let text = out.escape_ascii().to_string().replace("\\r\\n", " ");
        assert_eq!(
            text,
            "*14 +OK -ERR a  b :-9223372036854775808 $2   $-1 *-1 *1 :1 *2 +key $5 value $3 0.1 $4 -inf $5 1e300 :1 :0 $4 text "
        );
    }

    #[test]
    fn what_version_3_says_is_read_back() {
        let out = written(RespVersion::V3, all);
        let Some(RespValue::Array(items)) = RespValue::parse(&out) else {
            panic!()
        };
        let values = items.collect::<Vec<_>>();
        assert_eq!(values.len(), 14);
        assert_eq!(values[1], RespValue::Error(b"ERR a  b"));
        assert!(matches!(values[6], RespValue::Set(_)) && matches!(values[7], RespValue::Map(_)));
        assert_eq!(values[8], RespValue::Double(0.1));
        assert_eq!(values[9], RespValue::Double(f64::NEG_INFINITY));
        assert_eq!(values[10], RespValue::Double(1e300));
        assert_eq!(values[11], RespValue::Boolean(true));
        let (format, text) = (&b"txt"[..], &b"text"[..]);
        assert_eq!(values[13], RespValue::Verbatim { format, text });
        for double in [f64::NAN, -f64::NAN, 1.0, -0.0, f64::MIN_POSITIVE, f64::MAX] {
            written(RespVersion::V3, |answer| answer.double(double));
        }
        written(RespVersion::V3, |answer| {
            answer.push(1);
            answer.simple("invalidate");
        });
    }
}
