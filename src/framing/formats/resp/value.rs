//! What a value says.

use super::super::super::Window;
use super::{DEEPEST, number};

/// A value out of [`Resp`](super::Resp). Nothing is copied or allocated; text is bytes.
///
/// ```
/// use soquete::framing::RespValue;
///
/// let frame = b"%2\r\n+name\r\n$3\r\nAda\r\n+born\r\n:1815\r\n";
/// let Some(RespValue::Map(map)) = RespValue::parse(frame) else { panic!() };
/// for (key, value) in map.pairs() {
///     match (key, value) {
///         (RespValue::Simple(b"name"), RespValue::Bulk(name)) => assert_eq!(name, b"Ada"),
///         (_, value) => assert_eq!(value, RespValue::Integer(1815)),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum RespValue<'a> {
    /// `+`: text without line ends.
    Simple(&'a [u8]),
    /// `-`, or `!` where it is long: an error, which begins with its code.
    Error(&'a [u8]),
    /// `:`
    Integer(i64),
    /// `$`: any bytes.
    Bulk(&'a [u8]),
    /// `$?`: any bytes, in parts.
    Streamed(RespChunks<'a>),
    /// `_`; in version 2, a string or an array of length -1.
    Null,
    /// `,`
    Double(f64),
    /// `#`
    Boolean(bool),
    /// `(`: an integer that need not fit into 64 bits, in decimal digits.
    BigNumber(&'a [u8]),
    /// `=`: text for people.
    Verbatim {
        /// Three letters: `txt`, or `mkd` for Markdown.
        format: &'a [u8],
        /// The text.
        text: &'a [u8],
    },
    /// `*`
    Array(RespItems<'a>),
    /// `~`: values in no order.
    Set(RespItems<'a>),
    /// `%`: keys and values, see [`RespItems::pairs`].
    Map(RespItems<'a>),
    /// `>`: what the server says unasked; the first item says what it is.
    Push(RespItems<'a>),
}

/// The values in an aggregate, in their order; of a map, a key and its value in turn. Attributes are left out.
///
/// A step takes as long as the value that it passes, whatever is in it: who reads values in values down to their depth
/// looks at each byte once per level.
#[derive(Clone, Copy, Debug)]
pub struct RespItems<'a> {
    rest: &'a [u8],
    /// `None` if they are streamed.
    left: Option<u64>,
    /// How deep in a value they are.
    depth: usize,
}

/// The keys and values of a map, or of attributes.
#[derive(Clone, Copy, Debug)]
pub struct RespPairs<'a> {
    items: RespItems<'a>,
    /// There may be more attributes behind these.
    attributes: bool,
}

/// The parts of a streamed string.
#[derive(Clone, Copy, Debug)]
pub struct RespChunks<'a> {
    rest: &'a [u8],
}

impl<'a> RespValue<'a> {
    /// Reads a frame; `None` if it does not begin with a value. Attributes in front of it are left out.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (value, _) = behind_attributes(frame, 0)?;
        Some(value)
    }

    /// The attributes in front of a frame's value: keys and values, none for most.
    pub fn attributes(frame: &'a [u8]) -> RespPairs<'a> {
        let items = RespItems {
            rest: frame,
            left: Some(0),
            depth: 0,
        };
        RespPairs {
            items,
            attributes: true,
        }
    }

    /// The bytes, if the value is text of one piece: simple, a string, or verbatim.
    pub fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Simple(text) | Self::Bulk(text) | Self::Verbatim { text, .. } => Some(text),
            _ => None,
        }
    }
}

impl<'a> RespItems<'a> {
    /// The values in pairs: keys and values.
    pub fn pairs(self) -> RespPairs<'a> {
        RespPairs {
            items: self,
            attributes: false,
        }
    }
}

impl<'a> Iterator for RespItems<'a> {
    type Item = RespValue<'a>;

    fn next(&mut self) -> Option<RespValue<'a>> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        match behind_attributes(self.rest, self.depth) {
            Some((value, rest)) => {
                self.rest = rest;
                Some(value)
            }
            // The end of a stream, or what no format has looked at.
            None => {
                self.left = Some(0);
                None
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // A value takes three bytes at least, so that nobody reserves room for what is not there.
        let most = self.rest.len() / 3;
        let announced = self.left.map_or(usize::MAX, |left| {
            usize::try_from(left).unwrap_or(usize::MAX)
        });
        (0, Some(most.min(announced)))
    }
}

/// The same values.
impl PartialEq for RespItems<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

/// The same parts.
impl PartialEq for RespChunks<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

impl<'a> Iterator for RespPairs<'a> {
    type Item = (RespValue<'a>, RespValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(key) = self.items.next() {
                return Some((key, self.items.next()?));
            }
            if !self.attributes {
                return None;
            }
            let (kind, head) = line(self.items.rest)?;
            if kind != b'|' {
                return None;
            }
            self.items = aggregate(head, 2, 0)?;
        }
    }
}

impl<'a> Iterator for RespChunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (kind, head) = line(self.rest)?;
        if kind != b';' {
            return None;
        }
        // The last part is empty, and no part: there is no line end behind it.
        if head.text == b"0" {
            self.rest = head.rest;
            return None;
        }
        let (bytes, rest) = bulk(head)?;
        self.rest = rest;
        Some(bytes)
    }
}

/// A line behind its type, and what follows it.
struct Head<'a> {
    text: &'a [u8],
    rest: &'a [u8],
}

fn line(bytes: &[u8]) -> Option<(u8, Head<'_>)> {
    let (kind, behind) = bytes.split_first()?;
    let (text, rest) = match number::short(Window::new(&[], bytes), 1) {
        Some((_, end)) => (&bytes[1..end - 2], &bytes[end..]),
        None => {
            let end = Window::new(&[], behind).find(b'\r', 0)?;
            (&behind[..end], behind.get(end + 2..)?)
        }
    };
    Some((*kind, Head { text, rest }))
}

/// The value behind attributes, and what follows it.
fn behind_attributes(bytes: &[u8], depth: usize) -> Option<(RespValue<'_>, &[u8])> {
    let mut bytes = bytes;
    loop {
        let (kind, head) = line(bytes)?;
        if kind != b'|' {
            return value(kind, head, depth);
        }
        bytes = passed(aggregate(head, 2, depth)?)?;
    }
}

fn value<'a>(kind: u8, head: Head<'a>, depth: usize) -> Option<(RespValue<'a>, &'a [u8])> {
    let Head { text, rest } = head;
    let value = match kind {
        b'+' => RespValue::Simple(text),
        b'-' => RespValue::Error(text),
        b':' => RespValue::Integer(number::decimal(text)?),
        b'_' => RespValue::Null,
        b'$' | b'*' if text == b"-1" => RespValue::Null,
        b'#' => RespValue::Boolean(text == b"t"),
        b',' => RespValue::Double(double(text)?),
        b'(' => RespValue::BigNumber(text),
        b'$' if text == b"?" => {
            let chunks = RespChunks { rest };
            let mut passing = chunks;
            passing.by_ref().for_each(drop);
            return Some((RespValue::Streamed(chunks), passing.rest));
        }
        b'$' => {
            let (bytes, rest) = bulk(head)?;
            return Some((RespValue::Bulk(bytes), rest));
        }
        b'!' => {
            let (bytes, rest) = bulk(head)?;
            return Some((RespValue::Error(bytes), rest));
        }
        b'=' => {
            let (bytes, rest) = bulk(head)?;
            let (format, text) = bytes.split_at_checked(4)?;
            let format = &format[..3];
            return Some((RespValue::Verbatim { format, text }, rest));
        }
        b'*' | b'~' | b'%' | b'>' => {
            let each = if kind == b'%' { 2 } else { 1 };
            let items = aggregate(head, each, depth)?;
            let value = match kind {
                b'*' => RespValue::Array(items),
                b'~' => RespValue::Set(items),
                b'%' => RespValue::Map(items),
                _ => RespValue::Push(items),
            };
            return Some((value, passed(items)?));
        }
        _ => return None,
    };
    Some((value, rest))
}

/// A string of the length that its head says, and what follows it.
fn bulk(head: Head<'_>) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(number::strict(head.text)?).ok()?;
    let (bytes, rest) = head.rest.split_at_checked(length)?;
    Some((bytes, rest.get(2..)?))
}

fn aggregate(head: Head<'_>, each: u64, depth: usize) -> Option<RespItems<'_>> {
    let left = match head.text {
        b"?" => None,
        text => Some(
            u64::try_from(number::strict(text)?)
                .ok()?
                .checked_mul(each)?,
        ),
    };
    let depth = depth + 1;
    (depth <= DEEPEST).then_some(RespItems {
        rest: head.rest,
        left,
        depth,
    })
}

/// What follows these values.
fn passed(items: RespItems<'_>) -> Option<&[u8]> {
    let mut passing = items;
    while passing.left != Some(0) {
        let streamed = passing.left.is_none();
        if passing.next().is_none() {
            let (kind, end) = line(passing.rest)?;
            return (streamed && kind == b'.').then_some(end.rest);
        }
    }
    Some(passing.rest)
}

fn double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    match text.strip_prefix('-') {
        Some("nan") => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(frame: &[u8]) -> Vec<RespValue<'_>> {
        match RespValue::parse(frame) {
            Some(RespValue::Array(items)) => items.collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_type_is_read() {
        let frame = b"*16\r\n+OK\r\n-ERR no\r\n!5\r\nERR a\r\n:-7\r\n:+7\r\n$3\r\na\r\n\r\n_\r\n$-1\r\n*-1\r\n\
            ,-1.5e3\r\n,inf\r\n#t\r\n#f\r\n(-99999999999999999999\r\n=7\r\nmkd:*a*\r\n*0\r\n";
        let values = array(frame);
        let expected = [
            RespValue::Simple(b"OK"),
            RespValue::Error(b"ERR no"),
            RespValue::Error(b"ERR a"),
            RespValue::Integer(-7),
            RespValue::Integer(7),
            RespValue::Bulk(b"a\r\n"),
            RespValue::Null,
            RespValue::Null,
            RespValue::Null,
            RespValue::Double(-1500.0),
            RespValue::Double(f64::INFINITY),
            RespValue::Boolean(true),
            RespValue::Boolean(false),
            RespValue::BigNumber(b"-99999999999999999999"),
            RespValue::Verbatim {
                format: b"mkd",
                text: b"*a*",
            },
        ];
        assert_eq!(values[..15], expected);
        assert_eq!(values[15], RespValue::parse(b"*0\r\n").unwrap());
        assert_eq!(values[14].text(), Some(&b"*a*"[..]));
        assert_eq!(values[3].text(), None);
    }

    #[test]
    fn what_is_not_a_number_is_read_with_and_without_a_sign() {
        for text in [&b",nan\r\n"[..], b",-nan\r\n"] {
            assert!(
                matches!(RespValue::parse(text), Some(RespValue::Double(value)) if value.is_nan())
            );
        }
    }

    #[test]
    fn streamed_values_are_as_others() {
        let frame = b"*3\r\n*?\r\n:1\r\n*?\r\n.\r\n.\r\n$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n%?\r\n+a\r\n:2\r\n.\r\n";
        let values = array(frame);
        let RespValue::Array(items) = values[0] else {
            panic!()
        };
        assert_eq!(items.count(), 2);
        let RespValue::Streamed(chunks) = values[1] else {
            panic!()
        };
        assert_eq!(chunks.collect::<Vec<_>>(), [&b"Hell"[..], b"o"]);
        let RespValue::Map(map) = values[2] else {
            panic!()
        };
        let pairs = map.pairs().collect::<Vec<_>>();
        assert_eq!(pairs, [(RespValue::Simple(b"a"), RespValue::Integer(2))]);
        assert_eq!(values.len(), 3);
    }

    #[test]
    fn attributes_are_beside_the_value_wherever_they_stand() {
        let frame =
            b"|1\r\n+ttl\r\n:60\r\n|1\r\n+a\r\n*1\r\n:1\r\n*2\r\n:1\r\n|1\r\n+x\r\n:9\r\n:2\r\n";
        assert_eq!(array(frame), [RespValue::Integer(1), RespValue::Integer(2)]);
        let keys = RespValue::attributes(frame).map(|(key, _)| key);
        assert!(keys.eq([RespValue::Simple(b"ttl"), RespValue::Simple(b"a")]));
        assert_eq!(RespValue::attributes(b"+OK\r\n").count(), 0);
    }

    #[test]
    fn what_no_format_has_looked_at_ends_early() {
        let deep = b"*1\r\n".repeat(10_000);
        let bad = [
            &b""[..],
            b"+",
            b"+OK",
            b"x\r\n",
            b"$5\r\nabc\r\n",
            b"=3\r\nabc\r\n",
            b"|1\r\n+a\r\n",
            b"*?\r\n",
            b":x\r\n",
            &deep,
        ];
        for frame in bad {
            let shown = frame[..frame.len().min(20)].escape_ascii();
            assert_eq!(RespValue::parse(frame), None, "{shown}");
        }
        let promise = b"*9223372036854775807\r\n:1\r\n";
        assert_eq!(RespValue::parse(promise), None);
        assert_eq!(RespValue::parse(b"%9223372036854775807\r\n"), None);
    }
}
