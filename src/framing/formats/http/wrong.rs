//! What can be wrong with a message: the words of the error, each with the rule that is broken.

use super::super::super::FrameError;

pub(in crate::framing) const BARE_LF: &str =
    "line feed without a carriage return (RFC 9112, section 2.2)";
pub(in crate::framing) const BARE_CR: &str =
    "carriage return without a line feed (RFC 9112, section 2.2)";
pub(in crate::framing) const LEADING_SPACE: &str =
    "white space in front of the first field (RFC 9112, section 2.2)";
pub(in crate::framing) const FOLD: &str =
    "field that is folded over several lines (RFC 9112, section 5.2)";

pub(in crate::framing) const METHOD: &str =
    "request that does not begin with a method (RFC 9112, section 3.1)";
pub(in crate::framing) const LONG_METHOD: &str =
    "method longer than any there is (RFC 9110, section 9.1)";
pub(in crate::framing) const REQUEST_LINE: &str =
    "request line that is not a method, a target and a version (RFC 9112, section 3)";
pub(in crate::framing) const TARGET: &str =
    "character that no request target has (RFC 9112, section 3.2)";
pub(in crate::framing) const TARGET_FORM: &str =
    "request target in a form that is not for this method (RFC 9112, section 3.2)";
pub(in crate::framing) const LONG_TARGET: &str =
    "request target longer than the limit (RFC 9110, section 4.1)";
pub(in crate::framing) const STATUS_LINE: &str =
    "response that does not begin with a status line (RFC 9112, section 4)";
pub(in crate::framing) const STATUS: &str =
    "status code that is not 100 to 599 (RFC 9110, section 15)";
pub(in crate::framing) const REASON: &str =
    "control character in the reason phrase (RFC 9112, section 4)";
pub(in crate::framing) const VERSION: &str =
    "version that is neither HTTP/1.1 nor HTTP/1.0 (RFC 9112, section 2.3)";

pub(in crate::framing) const NAME: &str =
    "character that no field name has (RFC 9110, section 5.1)";
pub(in crate::framing) const SPACE_BEFORE_COLON: &str =
    "white space between a field's name and its colon (RFC 9112, section 5.1)";
pub(in crate::framing) const VALUE: &str =
    "control character in a field's value (RFC 9110, section 5.5)";
pub(in crate::framing) const LONG_HEAD: &str = "head longer than the limit (RFC 9110, section 5.4)";
pub(in crate::framing) const MANY_FIELDS: &str =
    "more fields than the limit (RFC 9110, section 5.4)";
pub(in crate::framing) const LONG_TRAILERS: &str =
    "trailer section longer than the limit (RFC 9110, section 5.4)";
pub(in crate::framing) const TRAILER_FIELD: &str =
    "field in the trailers that says how a message is framed or routed (RFC 9110, section 6.5.1)";

pub(in crate::framing) const NO_HOST: &str = "request without a Host (RFC 9112, section 3.2)";
pub(in crate::framing) const SECOND_HOST: &str = "second Host (RFC 9112, section 3.2)";
pub(in crate::framing) const HOST: &str =
    "character that no host has in Host (RFC 9110, section 7.2)";

pub(in crate::framing) const LENGTH: &str =
    "Content-Length that is not a decimal number (RFC 9110, section 8.6)";
pub(in crate::framing) const LENGTH_ZERO: &str =
    "Content-Length with a leading zero, which some read as octal (RFC 9110, section 8.6)";
pub(in crate::framing) const LENGTH_OVERFLOW: &str =
    "Content-Length of more than 64 bits (RFC 9110, section 8.6)";
pub(in crate::framing) const SECOND_LENGTH: &str = "second Content-Length (RFC 9112, section 6.3)";
pub(in crate::framing) const BOTH: &str =
    "Content-Length together with Transfer-Encoding (RFC 9112, section 6.3)";
pub(in crate::framing) const SECOND_CODING: &str =
    "second Transfer-Encoding (RFC 9112, section 6.1)";
pub(in crate::framing) const CODING: &str =
    "transfer coding other than chunked (RFC 9112, section 6.1)";
pub(in crate::framing) const NOT_CHUNKED: &str =
    "Transfer-Encoding that does not end with chunked (RFC 9112, section 6.3)";
pub(in crate::framing) const CODING_IN_1_0: &str =
    "Transfer-Encoding in HTTP/1.0 (RFC 9112, section 6.1)";
pub(in crate::framing) const CONNECT_BODY: &str =
    "CONNECT request with a body (RFC 9110, section 9.3.6)";

pub(in crate::framing) const CHUNK_SIZE: &str =
    "chunk size that is not a hexadecimal number (RFC 9112, section 7.1)";
pub(in crate::framing) const CHUNK_OVERFLOW: &str =
    "chunk size of more than sixteen digits (RFC 9112, section 7.1)";
pub(in crate::framing) const EXTENSION: &str =
    "chunk extension that is none (RFC 9112, section 7.1.1)";
pub(in crate::framing) const LONG_EXTENSION: &str =
    "chunk extensions longer than the limit (RFC 9112, section 7.1.1)";
pub(in crate::framing) const CHUNK_END: &str =
    "chunk that does not end with CRLF (RFC 9112, section 7.1)";

/// The status code by which a server answers a request that it could not read: 413 for a body that is too long, 431
/// for a head, 414 for a target; 501 for a method or a transfer coding that nobody has, 505 for another version, and 400
/// for all that is simply wrong. Trailers above the reader's limit count as a body, and those above
/// [`max_trailers`](super::Http::max_trailers) as a head. The connection is to be closed behind the answer.
///
/// ```
/// use soquete::framing::http::{self, Http};
/// use soquete::framing::{Flow, FrameReader};
///
/// let mut reader = FrameReader::new(Http::requests(), 1 << 20);
/// let error = reader.push(b"GET / HTTP/2.0\r\n", |_| Flow::Continue).unwrap_err();
/// assert_eq!(http::status_of(&error), 505);
/// assert_eq!(
///     error.to_string(),
///     "version that is neither HTTP/1.1 nor HTTP/1.0 (RFC 9112, section 2.3) at offset 11"
/// );
/// ```
pub fn status_of(error: &FrameError) -> u16 {
    match *error {
        FrameError::TooLong {
            declared: Some(_), ..
        } => 413,
        FrameError::TooLong { .. } => 431,
        FrameError::Malformed { what, .. } => match what {
            LONG_TARGET => 414,
            LONG_HEAD | MANY_FIELDS | LONG_TRAILERS => 431,
            LONG_METHOD | CODING => 501,
            VERSION => 505,
            _ => 400,
        },
        _ => 400,
    }
}
