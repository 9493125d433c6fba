//! What a request says.

use std::ops::Range;

use super::super::super::Window;
use super::number;

/// A request out of [`RespRequests`](super::RespRequests): its arguments, the command's name first.
///
/// Nothing is copied or allocated.
///
/// ```
/// use soquete::framing::{FrameReader, Item, RespRequest, RespRequests};
///
/// let mut reader = FrameReader::new(RespRequests::new(), 1 << 20);
/// let mut feed = reader.feed(b"set key \"two words\"\r\n");
/// let Some(Item::Frame(frame)) = feed.next()? else { panic!() };
/// let request = RespRequest::parse(frame).expect("the format hands out nothing else");
/// assert_eq!((request.len(), request.name()), (3, &b"set"[..]));
/// assert!(request.arguments().eq([&b"set"[..], b"key", b"two words"]));
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RespRequest<'a> {
    arguments: RespArguments<'a>,
}

/// The arguments of a [`RespRequest`], in their order.
#[derive(Clone, Copy, Debug)]
pub struct RespArguments<'a> {
    frame: &'a [u8],
    at: usize,
    left: usize,
}

impl<'a> RespRequest<'a> {
    /// Reads a frame; `None` if it is no array of at least one bulk string.
    #[inline]
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        if frame.first() != Some(&b'*') {
            return None;
        }
        let (count, at) = length(frame, 1)?;
        let arguments = RespArguments {
            frame,
            at,
            left: count,
        };
        // So that there is a name, and nobody reserves room for arguments that are not there.
        let is_one = arguments.clone().next().is_some() && count <= frame.len();
        is_one.then_some(Self { arguments })
    }

    /// How many arguments there are, with the name.
    #[inline]
    // There is one at least.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.arguments.left
    }

    /// The first argument: the command's name.
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        self.arguments.clone().next().unwrap_or_default()
    }

    /// The arguments, with the name.
    #[inline]
    pub fn arguments(&self) -> RespArguments<'a> {
        self.arguments
    }
}

impl<'a> RespArguments<'a> {
    /// Where the arguments stand in the frame: to keep them in a vector that is used again for the next request, where
    /// they are wanted in any order.
    #[inline]
    pub fn ranges(mut self) -> impl Iterator<Item = Range<usize>> {
        std::iter::from_fn(move || self.next_range())
    }

    #[inline]
    fn next_range(&mut self) -> Option<Range<usize>> {
        self.left = self.left.checked_sub(1)?;
        let found = self.argument();
        match &found {
            Some(range) => self.at = range.end + 2,
            // Whoever made this frame, it was not the format.
            None => self.left = 0,
        }
        found
    }

    #[inline]
    fn argument(&self) -> Option<Range<usize>> {
        if self.frame.get(self.at) != Some(&b'$') {
            return None;
        }
        let (length, begin) = length(self.frame, self.at + 1)?;
        let end = begin.checked_add(length)?;
        (end <= self.frame.len()).then_some(begin..end)
    }
}

impl<'a> Iterator for RespArguments<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let range = self.next_range()?;
        self.frame.get(range)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// The number from `from` on, and the position behind its line.
#[inline]
fn length(frame: &[u8], from: usize) -> Option<(usize, usize)> {
    let (number, end) = match number::short(Window::new(&[], frame), from) {
        Some(found) => found,
        None => any_length(frame, from)?,
    };
    Some((usize::try_from(number).ok()?, end))
}

#[cold]
fn any_length(frame: &[u8], from: usize) -> Option<(i64, usize)> {
    let rest = frame.get(from..)?;
    let line = &rest[..rest.len().min(number::LONGEST + 1)];
    let length = line.iter().position(|byte| *byte == b'\r')?;
    Some((number::strict(&line[..length])?, from + length + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_format_would_not_hand_out_is_no_request_or_ends_early() {
        for frame in [
            &b""[..],
            b"*",
            b"*0\r\n",
            b"*1\r\n",
            b"*-1\r\n",
            b"*1\r\n$4\r\nabc",
            b"PING",
            b"*9\r\n$1\r\na",
        ] {
            let request = RespRequest::parse(frame);
            assert!(
                request.is_none_or(|request| request.arguments().count() < request.len()),
                "{frame:?}"
            );
        }
        let cut_short = RespRequest::parse(b"*3\r\n$1\r\na\r\n$1\r\n").unwrap();
        assert!(cut_short.arguments().eq([b"a"]));
        assert!(RespRequest::parse(b"*2147483647\r\n$1\r\na\r\n").is_none());
    }

    #[test]
    fn ranges_are_where_the_arguments_stand() {
        let frame = b"*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n";
        let request = RespRequest::parse(frame).unwrap();
        let ranges = request.arguments().ranges().collect::<Vec<_>>();
        assert_eq!(ranges, [8..11, 18..28]);
    }
}
