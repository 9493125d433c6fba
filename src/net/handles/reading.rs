//! Reading.

use crate::error::Result;
use crate::kernel::ledger;
use crate::machine::read_half::Amount;
use crate::net::values::handle::Socket;

/// Reading.
impl Socket {
    /// Stops `Data`. The descriptor is still read until the high-water mark is reached, and the
    /// peer's end is emitted if nothing is kept; a socket that is paused before it is connected is
    /// not read at all.
    pub fn pause(&self) -> Socket {
        self.with(|driver| driver.state.duplex.pause(driver));
        *self
    }

    /// Lets `Data` flow, from the next tick on.
    pub fn resume(&self) -> Socket {
        self.with(|driver| driver.state.duplex.resume(driver));
        *self
    }

    /// Whether `pause` was called last, rather than `resume`.
    #[doc(alias = "isPaused")]
    pub fn is_paused(&self) -> bool {
        self.ask(|driver| driver.state.duplex.is_paused())
    }

    /// Takes the first chunk of what is kept; `None` if there is none. What is read is also emitted
    /// as `Data`.
    pub fn read(&self) -> Option<Vec<u8>> {
        ledger::read_otherwise(self.key());
        self.with(|driver| driver.state.duplex.read(driver, Amount::Chunk))
            .and_then(Result::ok)
            .flatten()
    }

    /// Takes exactly `size` bytes of what is kept; `None` if there are fewer, or all there are if
    /// the peer has ended.
    ///
    /// A `size` above the high-water mark raises the mark to the next power of two, so check a length that a peer has
    /// sent before asking for it.
    ///
    /// # Errors
    ///
    /// `ERR_OUT_OF_RANGE` for more than 1 GiB.
    #[doc(alias = "read")]
    pub fn read_exactly(&self, size: usize) -> Result<Option<Vec<u8>>> {
        ledger::read_otherwise(self.key());
        // Not handed up through what finds the socket: each move of it would wait for the stores before.
        let mut taken = Ok(None);
        self.with(|driver| taken = driver.state.duplex.read(driver, Amount::Exactly(size)));
        taken
    }

    /// Puts bytes back in front of what is kept, as if they had not been read. Returns whether less than the
    /// high-water mark is kept now. After `End` it destroys the socket with `ERR_STREAM_UNSHIFT_AFTER_END_EVENT`.
    pub fn unshift(&self, bytes: impl AsRef<[u8]>) -> bool {
        ledger::read_otherwise(self.key());
        self.ask(|driver| driver.state.duplex.unshift(driver, bytes.as_ref()))
    }

    /// Decodes what comes in as UTF-8 from now on, and emits [`event::Text`](crate::event::Text). A character that is
    /// split over chunks is put together; what is not UTF-8 becomes U+FFFD. [`event::Data`](crate::event::Data) follows each
    /// `Text` with its bytes, which `read` returns, too.
    #[doc(alias = "setEncoding")]
    pub fn set_encoding(&self) -> Socket {
        ledger::read_otherwise(self.key());
        self.with(|driver| driver.state.duplex.decode_utf8());
        *self
    }
}
