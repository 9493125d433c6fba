//! Record marking, as ONC RPC does it over TCP.

use super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};

/// Records in fragments (RFC 5531, section 11): 31 bits of length behind one bit that says whether
/// the fragment is the record's last.
///
/// The fragments of a record are put together: a frame is a record, and the limit holds for its sum.
/// A record of one fragment, which is what everybody sends, is not copied. Records are written as one
/// fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordMark;

const LAST: u32 = 1 << 31;

impl Format for RecordMark {
    #[inline]
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let Some(mark) = window.array(0).map(u32::from_be_bytes) else {
            return Ok(Cut::MORE);
        };
        let payload = u64::from(mark & !LAST);
        Ok(if mark & LAST != 0 {
            Cut::Declared {
                head: 4,
                payload,
                tail: 0,
            }
        } else {
            Cut::Part {
                head: 4,
                payload,
                tail: 0,
            }
        })
    }

    fn overhead(&self) -> usize {
        4
    }
}

impl Streamable for RecordMark {}

impl Wrap for RecordMark {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        match u32::try_from(payload.len()) {
            Ok(len) if len < LAST => Wrapping::new(&(LAST | len).to_be_bytes(), &[]),
            _ => {
                let (len, max) = (payload.len() as u64, Wrap::max_payload(self));
                Err(FrameError::Unrepresentable { len, max })
            }
        }
    }

    fn max_payload(&self) -> u64 {
        u64::from(LAST - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::{FrameReader, Item};

    #[test]
    fn fragments_become_one_record() {
        let mut reader = FrameReader::new(RecordMark, 100);
        let stream = b"\0\0\0\x02he\0\0\0\0\0\0\0\x01l\x80\0\0\x02lo\x80\0\0\0";
        let mut feed = reader.feed(stream);
        assert_eq!(feed.next(), Ok(Some(Item::Frame(b"hello"))));
        assert_eq!(feed.next(), Ok(Some(Item::Frame(b""))));
        assert_eq!(feed.next(), Ok(None));
    }

    #[test]
    fn the_limit_is_on_the_sum_and_known_at_the_head_that_exceeds_it() {
        let mut reader = FrameReader::new(RecordMark, 4);
        let mut feed = reader.feed(b"\0\0\0\x02he\x80\0\0\x03");
        let error = FrameError::TooLong {
            at: 0,
            limit: 4,
            declared: Some(5),
        };
        assert_eq!(feed.next(), Err(error));
    }

    #[test]
    fn a_record_is_written_as_one_fragment() {
        assert_eq!(RecordMark.wrap(b"abc").unwrap().head(), [0x80, 0, 0, 3]);
    }
}
