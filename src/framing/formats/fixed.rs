//! Frames that are all of the same length.

use super::super::{Cut, Format, FrameError, Malformed, Streamable, Window, Wrap, Wrapping};

/// Frames of exactly so many bytes, with nothing in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedLength(usize);

impl FixedLength {
    /// Frames of `len` bytes.
    ///
    /// # Errors
    ///
    /// [`FrameError::InvalidFormat`] if `len` is 0, as a stream has any number of such frames.
    pub const fn new(len: usize) -> Result<Self, FrameError> {
        if len == 0 {
            return Err(FrameError::InvalidFormat {
                what: "frames of a fixed length of 0 bytes",
            });
        }
        Ok(Self(len))
    }
}

impl Format for FixedLength {
    #[inline]
    fn cut(&mut self, _: Window<'_>) -> Result<Cut, Malformed> {
        Ok(Cut::Declared {
            head: 0,
            payload: self.0 as u64,
            tail: 0,
        })
    }

    fn overhead(&self) -> usize {
        0
    }
}

impl Streamable for FixedLength {}

impl Wrap for FixedLength {
    fn wrap(&self, payload: &[u8]) -> Result<Wrapping, FrameError> {
        if payload.len() != self.0 {
            let (len, max) = (payload.len() as u64, self.0 as u64);
            return Err(FrameError::Unrepresentable { len, max });
        }
        Wrapping::new(&[], &[])
    }

    fn max_payload(&self) -> u64 {
        self.0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_payloads_of_the_length_are_frames() {
        let format = FixedLength::new(3).unwrap();
        assert!(format.wrap(b"abc").unwrap().is_empty());
        assert!(format.wrap(b"ab").is_err());
        assert!(format.wrap(b"abcd").is_err());
        assert!(FixedLength::new(0).is_err());
    }
}
