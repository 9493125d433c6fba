//! Frames behind a length of fixed width.

use super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};

/// A length of one to eight bytes, and then as many bytes of payload.
///
/// ```text
///   u32_be()                    offset(2), u16, inclusive()
///   ┌──────────┬─────────┐      ┌──────┬────────┬──────────┐
///   │ length 4 │ payload │      │ kind │ length │ body     │
///   └──────────┴────┬────┘      └──────┴────────┴──────────┘
///                 frame         └───────── frame ──────────┘
/// ```
///
/// Bytes in front of the length mean something, so with an [`offset`](Self::offset) the frame is the
/// whole message, header included. That goes for both directions: the writer is given such a message,
/// and checks that its length is right; [`seal`](Self::seal) makes it so.
///
/// # Protocols
///
/// ```
/// use soquete::framing::{ByteOrder, LengthPrefix};
///
/// // The length in front, and the message without it:
/// let dns = LengthPrefix::u16_be();                // DNS over TCP (RFC 1035, 4.2.2)
/// let kafka = LengthPrefix::u32_be();              // Kafka's requests and responses
/// let start_up = LengthPrefix::u32_be().inclusive(); // PostgreSQL, a client's first message
///
/// // The length in the midst of a head, and the message with all of it:
/// let tpkt = LengthPrefix::u16_be().offset(2)?.inclusive(); // TPKT (RFC 1006, 6)
/// let modbus = LengthPrefix::u16_be().offset(4)?;           // Modbus/TCP
/// let bgp = LengthPrefix::u16_be().offset(16)?.inclusive(); // BGP (RFC 4271, 4.1)
/// let tls = LengthPrefix::u16_be().offset(3)?;              // TLS records (RFC 8446, 5.1)
/// let grpc = LengthPrefix::u32_be().offset(1)?;             // gRPC
/// // PostgreSQL, all messages but the first; MongoDB's wire protocol.
/// let postgresql = LengthPrefix::u32_be().offset(1)?.adjustment(-4);
/// let mongodb = LengthPrefix::u32_le().keep_header().inclusive();
/// // HTTP/2 (RFC 9113, 4.1); MySQL's packets.
/// let http_2 = LengthPrefix::new(3, ByteOrder::Big)?.keep_header().adjustment(6);
/// let mysql = LengthPrefix::new(3, ByteOrder::Little)?.keep_header().adjustment(1);
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
///
/// The lengths of Kafka and PostgreSQL are signed: a negative one is read as a number that is above any limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthPrefix {
    // Narrow, since many connections have a reader of their own.
    offset: u16,
    width: u8,
    order: ByteOrder,
    inclusive: bool,
    whole: bool,
    shape: Shape,
    /// The adjustment, less what `inclusive` makes of the header.
    net: i64,
}

/// The lengths that nearly all protocols have, without any of the options. That they have code of
/// their own makes 16-byte frames half as expensive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    U16Be,
    U16Le,
    U32Be,
    U32Le,
    Other,
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The most significant one, as network protocols like it.
    Big,
    /// The least significant one.
    Little,
}

impl LengthPrefix {
    /// A length of `width` bytes.
    ///
    /// ```
    /// use soquete::framing::{ByteOrder, LengthPrefix};
    ///
    /// let three_bytes = LengthPrefix::new(3, ByteOrder::Little)?;
    /// # drop(three_bytes);
    /// # Ok::<(), soquete::framing::FrameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidFormat`] unless `width` is 1 to 8.
    pub const fn new(width: usize, order: ByteOrder) -> Result<Self, FrameError> {
        if width == 0 || width > 8 {
            return Err(FrameError::InvalidFormat {
                what: "a length has one to eight bytes",
            });
        }
        Ok(Self::of(width as u8, order))
    }

    /// A length of one byte.
    pub const fn u8() -> Self {
        Self::of(1, ByteOrder::Big)
    }

    /// A length of two bytes, most significant first.
    pub const fn u16_be() -> Self {
        Self::of(2, ByteOrder::Big)
    }

    /// A length of two bytes, least significant first.
    pub const fn u16_le() -> Self {
        Self::of(2, ByteOrder::Little)
    }

    /// A length of four bytes, most significant first: what most protocols have.
    pub const fn u32_be() -> Self {
        Self::of(4, ByteOrder::Big)
    }

    /// A length of four bytes, least significant first.
    pub const fn u32_le() -> Self {
        Self::of(4, ByteOrder::Little)
    }

    /// A length of eight bytes, most significant first.
    pub const fn u64_be() -> Self {
        Self::of(8, ByteOrder::Big)
    }

    /// A length of eight bytes, least significant first.
    pub const fn u64_le() -> Self {
        Self::of(8, ByteOrder::Little)
    }

    const fn of(width: u8, order: ByteOrder) -> Self {
        Self {
            offset: 0,
            width,
            order,
            inclusive: false,
            whole: false,
            shape: Shape::Other,
            net: 0,
        }
        .reckoned(0)
    }

    /// The length stands behind `offset` other bytes; the frame is the whole message.
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidFormat`] if `offset` is more than 4096.
    pub const fn offset(mut self, offset: usize) -> Result<Self, FrameError> {
        if offset > 4096 {
            return Err(FrameError::InvalidFormat {
                what: "a length so far behind the start",
            });
        }
        let adjustment = self.given_adjustment();
        self.offset = offset as u16;
        self.whole = self.whole || offset > 0;
        Ok(self.reckoned(adjustment))
    }

    /// The frame is the whole message, its length field included, in both directions. The limit then
    /// counts all of it.
    #[must_use]
    pub const fn keep_header(mut self) -> Self {
        self.whole = true;
        let adjustment = self.given_adjustment();
        self.reckoned(adjustment)
    }

    /// The length counts the whole message, itself and the bytes in front of it included.
    #[must_use]
    pub const fn inclusive(mut self) -> Self {
        let adjustment = self.given_adjustment();
        self.inclusive = true;
        self.reckoned(adjustment)
    }

    /// `adjustment` more bytes follow the length than it says (or fewer, if it is negative): for a
    /// length that leaves out some of the header, or counts some of it.
    #[must_use]
    pub const fn adjustment(self, adjustment: i64) -> Self {
        self.reckoned(adjustment)
    }

    const fn given_adjustment(&self) -> i64 {
        self.net.saturating_add(self.counted())
    }

    /// How much of the header the length counts.
    const fn counted(&self) -> i64 {
        if self.inclusive {
            self.header() as i64
        } else {
            0
        }
    }

    const fn reckoned(mut self, adjustment: i64) -> Self {
        self.net = adjustment.saturating_sub(self.counted());
        self.shape = match (self.width, self.order) {
            _ if self.whole || self.net != 0 => Shape::Other,
            (2, ByteOrder::Big) => Shape::U16Be,
            (2, ByteOrder::Little) => Shape::U16Le,
            (4, ByteOrder::Big) => Shape::U32Be,
            (4, ByteOrder::Little) => Shape::U32Le,
            _ => Shape::Other,
        };
        self
    }

    /// Writes the length into a message that has room for it, so that it is a frame.
    ///
    /// # Errors
    ///
    /// [`FrameError::Unrepresentable`] if the length does not fit into its field, or the message has
    /// no room for it.
    pub fn seal(&self, message: &mut [u8]) -> Result<(), FrameError> {
        let field = self.field(self.body_of(message.len())?)?;
        message[self.start()..self.header()].copy_from_slice(&field[..self.width()]);
        Ok(())
    }

    /// Bytes up to the end of the length.
    #[inline]
    const fn header(&self) -> usize {
        self.start() + self.width()
    }

    #[inline]
    const fn start(&self) -> usize {
        self.offset as usize
    }

    #[inline]
    const fn width(&self) -> usize {
        self.width as usize
    }

    /// How many bytes follow the length if it says `value`; `None` for less than none.
    #[inline]
    fn body(&self, value: u64) -> Option<u64> {
        match value.checked_add_signed(self.net) {
            Some(body) => Some(body),
            None => (self.net > 0).then_some(u64::MAX),
        }
    }

    /// How many bytes of a message with `len` bytes follow the length.
    fn body_of(&self, len: usize) -> Result<usize, FrameError> {
        len.checked_sub(self.header())
            .ok_or_else(|| self.unrepresentable(len as u64))
    }

    /// The length field for a message with `body` bytes behind it.
    #[inline]
    fn field(&self, body: usize) -> Result<[u8; 8], FrameError> {
        match u64::try_from(i128::from(body as u64) - i128::from(self.net)) {
            Ok(value) if value <= self.max_value() => Ok(match self.order {
                ByteOrder::Big => (value << self.unused_bits()).to_be_bytes(),
                ByteOrder::Little => value.to_le_bytes(),
            }),
            _ => Err(self.unrepresentable(body as u64)),
        }
    }

    fn unrepresentable(&self, len: u64) -> FrameError {
        FrameError::Unrepresentable {
            len,
            max: Wrap::max_payload(self),
        }
    }

    #[inline]
    fn unused_bits(&self) -> u32 {
        64 - 8 * self.width as u32
    }

    #[inline]
    fn max_value(&self) -> u64 {
        u64::MAX >> self.unused_bits()
    }

    /// Length of the head to be left out, and of the payload if its head is there.
    // The window comes in two, because a reference to it would have it written to memory for every
    // frame of the other shapes, too.
    #[inline(never)]
    fn read_other(&self, first: &[u8], second: &[u8]) -> Result<(usize, Option<u64>), Malformed> {
        let window = Window::new(first, second);
        let header = self.header();
        let head = if self.whole { 0 } else { header };
        if window.len() < header {
            return Ok((head, None));
        }
        let mut bytes = [0; 8];
        for (i, byte) in bytes[..self.width()].iter_mut().enumerate() {
            *byte = window.get(self.start() + i).unwrap_or_default();
        }
        let value = match self.order {
            ByteOrder::Big => u64::from_be_bytes(bytes) >> self.unused_bits(),
            ByteOrder::Little => u64::from_le_bytes(bytes),
        };
        match self.body(value) {
            Some(body) => Ok((head, Some(body.saturating_add((header - head) as u64)))),
            None => Err(Malformed::new(
                self.start(),
                "length smaller than the header it counts",
            )),
        }
    }
}

impl Format for LengthPrefix {
    #[inline(always)]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let (head, payload) = match self.shape {
            Shape::U16Be => (
                2,
                window
                    .array(0)
                    .map(|field| u16::from_be_bytes(field).into()),
            ),
            Shape::U16Le => (
                2,
                window
                    .array(0)
                    .map(|field| u16::from_le_bytes(field).into()),
            ),
            Shape::U32Be => (
                4,
                window
                    .array(0)
                    .map(|field| u32::from_be_bytes(field).into()),
            ),
            Shape::U32Le => (
                4,
                window
                    .array(0)
                    .map(|field| u32::from_le_bytes(field).into()),
            ),
            Shape::Other => {
                let [first, second] = window.split(0);
                self.read_other(first, second)?
            }
        };
        Ok(payload.map_or(Cut::MORE, |payload| Cut::Declared {
            head,
            payload,
            tail: 0,
        }))
    }

    #[inline]
    fn overhead(&self) -> usize {
        // Said of each shape, as by `cut`, so that compilers see that such a head is not longer.
        match self.shape {
            Shape::U16Be | Shape::U16Le => 2,
            Shape::U32Be | Shape::U32Le => 4,
            Shape::Other => self.header(),
        }
    }
}

impl Streamable for LengthPrefix {}

impl Wrap for LengthPrefix {
    #[inline]
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        // What most protocols have takes a few instructions.
        if let (Shape::U32Be, Ok(length)) = (self.shape, u32::try_from(payload.len())) {
            return Ok(Wrapping::field((u64::from(length) << 32).to_be_bytes(), 4));
        }
        if !self.whole {
            return Ok(Wrapping::field(self.field(payload.len())?, self.width()));
        }
        let field = self.field(self.body_of(payload.len())?)?;
        if payload[self.start()..self.header()] != field[..self.width()] {
            let what = "length that does not match the message";
            return Err(FrameError::NotOneFrame {
                at: self.start(),
                what,
            });
        }
        Wrapping::new(&[], &[])
    }

    fn max_payload(&self) -> u64 {
        let body = self.body(self.max_value()).unwrap_or(0);
        if self.whole {
            body.saturating_add(self.header() as u64)
        } else {
            body
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(format: LengthPrefix, bytes: &[u8]) -> Result<Cut, Malformed> {
        let whole = format.clone().cut(Window::new(&[], bytes));
        for cut in 0..bytes.len() {
            let split = Window::new(&bytes[..cut], &bytes[cut..]);
            assert_eq!(format.clone().cut(split), whole, "cut at {cut}");
        }
        whole
    }

    fn declared(head: usize, payload: u64) -> Result<Cut, Malformed> {
        Ok(Cut::Declared {
            head,
            payload,
            tail: 0,
        })
    }

    #[test]
    fn every_width_in_both_orders() {
        for width in 1..=8 {
            let big = LengthPrefix::new(width, ByteOrder::Big).unwrap();
            let little = LengthPrefix::new(width, ByteOrder::Little).unwrap();
            let mut bytes = vec![0; width];
            bytes[width - 1] = 5;
            assert_eq!(cut(big, &bytes), declared(width, 5));
            bytes.extend([0xff; 9]);
            assert_eq!(cut(big, &bytes), declared(width, 5));
            bytes[..width].reverse();
            assert_eq!(cut(little, &bytes), declared(width, 5));
            assert_eq!(cut(little, &bytes[..width]), declared(width, 5));
            assert_eq!(cut(little, &bytes[..width - 1]), Ok(Cut::MORE));
        }
        assert!(LengthPrefix::new(0, ByteOrder::Big).is_err());
        assert!(LengthPrefix::new(9, ByteOrder::Big).is_err());
    }

    #[test]
    fn a_length_of_all_ones_is_no_overflow() {
        let wide = LengthPrefix::u64_be();
        assert_eq!(cut(wide, &[0xff; 8]), declared(8, u64::MAX));
        assert_eq!(cut(wide.adjustment(5), &[0xff; 8]), declared(8, u64::MAX));
        assert_eq!(cut(wide.keep_header(), &[0xff; 8]), declared(0, u64::MAX));
        let back = wide.adjustment(i64::MIN);
        assert_eq!(cut(back, &[0xff; 8]), declared(8, u64::MAX >> 1));
    }

    #[test]
    fn a_length_that_counts_the_header_is_never_less_than_it() {
        let format = LengthPrefix::u16_be().inclusive();
        assert_eq!(cut(format, &[0, 2]), declared(2, 0));
        assert_eq!(cut(format, &[0, 1]).unwrap_err().at, 0);
        assert_eq!(format.wrap(b"abc").unwrap().head(), [0, 5]);
        let format = LengthPrefix::u8().adjustment(-4);
        assert_eq!(cut(format, &[4]), declared(1, 0));
        assert!(cut(format, &[3]).is_err());
        assert_eq!(format.wrap(b"abc").unwrap().head(), [7]);
    }

    #[test]
    fn with_an_offset_the_frame_is_the_message_in_both_directions() {
        let format = LengthPrefix::u16_le().offset(2).unwrap();
        let mut message = *b"KK..body!";
        assert!(matches!(
            format.wrap(&message),
            Err(FrameError::NotOneFrame { at: 2, .. })
        ));
        format.seal(&mut message).unwrap();
        assert_eq!(&message, b"KK\x05\x00body!");
        assert!(format.wrap(&message).unwrap().is_empty());
        assert_eq!(cut(format, &message), declared(0, 9));
        assert!(format.seal(&mut [0; 3]).is_err());
        assert!(LengthPrefix::u8().offset(4097).is_err());
    }

    #[test]
    fn the_longest_payload_is_what_the_field_can_say() {
        assert_eq!(Wrap::max_payload(&LengthPrefix::u8()), 255);
        assert_eq!(Wrap::max_payload(&LengthPrefix::u8().inclusive()), 254);
        assert_eq!(Wrap::max_payload(&LengthPrefix::u8().adjustment(3)), 258);
        assert_eq!(Wrap::max_payload(&LengthPrefix::u64_le()), u64::MAX);
        assert!(LengthPrefix::u8().wrap(&[0; 255]).is_ok());
        let error = LengthPrefix::u8().wrap(&[0; 256]).unwrap_err();
        assert_eq!(error, FrameError::Unrepresentable { len: 256, max: 255 });
        let error = LengthPrefix::u8().adjustment(3).wrap(b"ab").unwrap_err();
        assert_eq!(
            error,
            FrameError::Unrepresentable { len: 2, max: 258 },
            "would be negative"
        );
    }
}
