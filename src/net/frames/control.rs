//! What can be done to a framing from outside, whatever its format and its listener.

use std::any::Any;

use super::clock::Clock;
use super::delivery::{Framing, Source};
use crate::error::{Error, Result};
use crate::events::outcome::Verdict;
use crate::framing::{Format, FrameError};

/// What is called with an error in place of destroying the socket.
pub(super) type OnError = Box<dyn FnOnce(FrameError) -> Verdict>;

/// What has arrived and was not read: behind so many other bytes, and from where in the stream on.
pub(super) struct Rest {
    pub(super) bytes: Vec<u8>,
    pub(super) taken: usize,
    pub(super) at: u64,
}

/// What can be done to a framing, whatever its format and its listener.
pub(super) trait Control {
    fn clock(&self) -> &Clock;

    fn set_on_error(&self, handler: OnError);

    /// Calls `with` with the format, unless a listener is running.
    fn with_format(&self, with: &mut dyn FnMut(&mut dyn Any));

    /// Refuses if bytes have come that were not read.
    fn clean(&self) -> Result<()>;

    /// Ends the framing, for another one to go on.
    fn give_up(&self) -> Result<Rest>;
}

impl<F: Format + 'static, L: 'static> Control for Framing<F, L> {
    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn set_on_error(&self, handler: OnError) {
        self.on_error.set(Some(handler));
    }

    fn with_format(&self, with: &mut dyn FnMut(&mut dyn Any)) {
        let mut lent = Lent(self, self.source.take());
        if let Some(source) = &mut lent.1 {
            with(source.reader.format_mut());
        }
    }

    fn clean(&self) -> Result<()> {
        let Some(source) = self.source.take() else {
            return Err(not_now());
        };
        // With the socket, too, there may be some, if it was paused.
        let have = source.reader.unread() + self.socket.readable_length();
        let at = source.reader.offset();
        self.source.set(Some(source));
        match have {
            0 => Ok(()),
            have => Err(FrameError::UnexpectedRest { at, have }.into()),
        }
    }

    fn give_up(&self) -> Result<Rest> {
        let Some(source) = self.source.take() else {
            return Err(not_now());
        };
        if let Some(error) = source.reader.why_not_switch() {
            self.source.set(Some(source));
            return Err(error.into());
        }
        let at = source.reader.offset();
        let (bytes, taken) = self.take_apart(*source).into_buffer();
        self.close();
        Ok(Rest { bytes, taken, at })
    }
}

fn not_now() -> Error {
    let message = "frames are being delivered, or not any more";
    Error::new("ERR_INVALID_STATE", message)
}

/// The source, if it is there, while the user does something to it from outside; it goes back in any case.
struct Lent<'a, F: Format, L>(&'a Framing<F, L>, Option<Box<Source<F, L>>>);

impl<F: Format, L> Drop for Lent<'_, F, L> {
    fn drop(&mut self) {
        if let Some(source) = self.1.take() {
            self.0.source.set(Some(source));
        }
    }
}
