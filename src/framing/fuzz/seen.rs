//! The words in which a naive decoder says what it sees.

use super::super::Malformed;

/// What a naive decoder sees at the front of the rest of a stream: all that will ever come.
///
/// The constructors are for formats of the usual kinds.
#[derive(Clone, Debug)]
#[must_use]
pub enum Naive<'a> {
    /// So many bytes of noise, at least one.
    Noise(usize),
    /// A frame that asks for another one, as a head does for its body: the input must not end behind it, unless the
    /// decoder says so, which is asked in any case.
    AndMore(Box<Naive<'a>>),
    /// A frame, or as much of it as there is.
    Frame {
        /// Its payload as it stands in the stream; one part, for nearly all formats.
        parts: Vec<Part<'a>>,
        /// How it ends.
        end: End,
    },
}

/// A run of payload.
#[derive(Clone, Debug)]
#[must_use]
pub struct Part<'a> {
    /// What there is of it.
    pub(super) bytes: &'a [u8],
    /// How long it is.
    pub(super) len: u64,
    /// Whether a head in front of it says so.
    pub(super) announced: bool,
    pub(super) made: Option<Made>,
    /// It is a frame of its own, whose head stands here in the frame.
    pub(super) aside: Option<usize>,
    pub(super) never_in_pieces: bool,
}

/// What payload becomes, and what is wrong with the rest of it (at a place in the frame).
pub type Payload = (Vec<u8>, Option<Malformed>);

/// What a part is to become: what there is of it, or any of its beginnings.
#[derive(Clone, Debug)]
pub(super) enum Made {
    All(Payload),
    By(fn(&[u8]) -> Payload),
}

/// How a frame ends.
#[derive(Clone, Debug)]
pub enum End {
    /// It takes so many bytes in all, head and tail included.
    Whole(usize),
    /// As `Whole`, and the payload is to be this, or cannot be unpacked (at a place in the frame).
    Unpacked(usize, Result<Vec<u8>, Malformed>),
    /// The input ends inside of it; also in a tail, whatever there is of that.
    Cut,
    /// It is malformed behind the parts (at a place in the frame).
    Bad(Malformed),
}

impl<'a> Naive<'a> {
    /// A frame of this payload, which takes `used` bytes in all.
    ///
    /// ```
    /// use soquete::fuzzing::Naive;
    ///
    /// /// Lines.
    /// fn naive(rest: &[u8]) -> Naive<'_> {
    ///     match rest.iter().position(|byte| *byte == b'\n') {
    ///         Some(end) => Naive::found(&rest[..end], end + 1),
    ///         None => Naive::cut(rest),
    ///     }
    /// }
    /// # naive(b"line\n");
    /// ```
    pub fn found(payload: &'a [u8], used: usize) -> Self {
        Self::Frame {
            parts: vec![Part::found(payload)],
            end: End::Whole(used),
        }
    }

    /// A frame at the front of `rest`: `head` bytes, which announce a payload of `len` bytes, and that.
    ///
    /// ```
    /// use soquete::fuzzing::Naive;
    ///
    /// /// A byte with the length, and the payload.
    /// fn naive(rest: &[u8]) -> Naive<'_> {
    ///     Naive::announced(rest, 1, rest[0].into())
    /// }
    /// # naive(b"\x05hello");
    /// ```
    pub fn announced(rest: &'a [u8], head: usize, len: u64) -> Self {
        Self::announced_with_tail(rest, head, len, b"", "")
    }

    /// As [`announced`](Self::announced), and behind the payload stands `tail`; if it does not, that is
    /// what the format says is wrong, at the tail's first byte.
    ///
    /// ```
    /// use soquete::fuzzing::Naive;
    ///
    /// /// A byte with the length, the payload, and a comma.
    /// fn naive(rest: &[u8]) -> Naive<'_> {
    ///     Naive::announced_with_tail(rest, 1, rest[0].into(), b",", "payload without its comma")
    /// }
    /// # naive(b"\x05hello,");
    /// ```
    pub fn announced_with_tail(
        rest: &'a [u8],
        head: usize,
        len: u64,
        tail: &[u8],
        wrong: &'static str,
    ) -> Self {
        let Some(body) = rest.get(head..) else {
            return Self::cut(&[]);
        };
        let part = Part::announced(body, len);
        let at = head + part.bytes.len();
        let end = match rest.get(at..at + tail.len()) {
            Some(behind) if part.is_whole() && behind == tail => End::Whole(at + tail.len()),
            Some(_) if part.is_whole() => End::Bad(Malformed::new(at, wrong)),
            _ => End::Cut,
        };
        let parts = vec![part];
        Self::Frame { parts, end }
    }

    /// A frame that takes `used` bytes in all, of which `raw` is the payload as it stands in the stream;
    /// it is to become `payload`, or cannot be unpacked (at a place in the frame).
    ///
    /// ```
    /// use soquete::fuzzing::Naive;
    ///
    /// /// Lines that stand in the stream back to front.
    /// fn naive(rest: &[u8]) -> Naive<'_> {
    ///     match rest.iter().position(|byte| *byte == b'\n') {
    ///         Some(end) => {
    ///             let payload = rest[..end].iter().rev().copied().collect();
    ///             Naive::unpacked(&rest[..end], end + 1, Ok(payload))
    ///         }
    ///         None => Naive::cut(&[]),
    ///     }
    /// }
    /// # naive(b"olleh\n");
    /// ```
    pub fn unpacked(raw: &'a [u8], used: usize, payload: Result<Vec<u8>, Malformed>) -> Self {
        Self::Frame {
            parts: vec![Part::found(raw)],
            end: End::Unpacked(used, payload),
        }
    }

    /// As it is, for a frame that asks for another one behind it.
    pub fn and_more(self) -> Self {
        Self::AndMore(Box::new(self))
    }

    /// As it is, for a frame that does not come in pieces, however long it is.
    pub fn never_in_pieces(mut self) -> Self {
        if let Self::Frame { parts, .. } = &mut self {
            for part in parts {
                part.never_in_pieces = true;
            }
        }
        self
    }

    /// The input ends in a frame, of which this is payload for certain.
    pub fn cut(settled: &'a [u8]) -> Self {
        Self::Frame {
            parts: vec![Part::found(settled)],
            end: End::Cut,
        }
    }

    /// The frame is malformed at `at`, and this, in front of it, is payload for certain.
    ///
    /// ```
    /// use soquete::fuzzing::Naive;
    ///
    /// /// A byte with the length, which is at most 9, and the payload.
    /// fn naive(rest: &[u8]) -> Naive<'_> {
    ///     match rest[0] {
    ///         length @ 0..=9 => Naive::announced(rest, 1, length.into()),
    ///         _ => Naive::bad(&[], 0, "length above 9"),
    ///     }
    /// }
    /// # naive(b"\x05hello");
    /// ```
    pub fn bad(settled: &'a [u8], at: usize, what: &'static str) -> Self {
        Self::Frame {
            parts: vec![Part::found(settled)],
            end: End::Bad(Malformed::new(at, what)),
        }
    }
}

impl<'a> Part<'a> {
    /// Payload that no head has announced.
    pub fn found(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            len: bytes.len() as u64,
            announced: false,
            made: None,
            aside: None,
            never_in_pieces: false,
        }
    }

    /// Payload of `len` bytes, as a head has said, at the front of `rest`.
    ///
    /// ```
    /// use soquete::fuzzing::Part;
    ///
    /// let part = Part::announced(b"hel", 5);
    /// assert_eq!(part.bytes(), b"hel");
    /// assert!(!part.is_whole());
    /// ```
    pub fn announced(rest: &'a [u8], len: u64) -> Self {
        let there = rest.len().min(usize::try_from(len).unwrap_or(usize::MAX));
        Self {
            bytes: &rest[..there],
            len,
            announced: true,
            made: None,
            aside: None,
            never_in_pieces: false,
        }
    }

    /// As it is, for a format that unpacks in pieces: what there is of it is to become `payload`, and then, if
    /// something is `wrong`, it cannot be unpacked any further (at a place in the frame).
    ///
    /// ```
    /// use soquete::fuzzing::Part;
    ///
    /// let part = Part::announced(b"olleh", 5).made(b"hello".to_vec(), None);
    /// assert!(part.is_whole());
    /// ```
    pub fn made(mut self, payload: Vec<u8>, wrong: Option<Malformed>) -> Self {
        self.made = Some(Made::All((payload, wrong)));
        self
    }

    /// As [`made`](Self::made), for payload that no head has announced: of that, what stands in front of the limit is
    /// handed out as well.
    pub fn made_by(mut self, unpack: fn(&[u8]) -> Payload) -> Self {
        self.made = Some(Made::By(unpack));
        self
    }

    /// As it is, for a frame that stands aside, between two parts of this one; its head begins at this place in
    /// the frame.
    pub fn aside(mut self, at: usize) -> Self {
        self.aside = Some(at);
        self
    }

    /// What there is of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.bytes.len() as u64 == self.len
    }
}
