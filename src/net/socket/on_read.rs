//! Reading into a buffer of the caller's. Node's `onread`.

use crate::error::Error;
use crate::events::outcome::Verdict;
use crate::kernel::ledger;
use crate::net::driver::socket::SocketDriver;
use crate::net::options::on_read::Reader;

impl SocketDriver<'_> {
    /// Reads once, into the caller's buffer.
    #[inline(never)]
    pub(super) fn read_into_own(&self) {
        let Some(Some(on_read)) = self.state.extras(|extras| extras.on_read.clone()) else {
            return;
        };
        // Only a run of the loop inside the callback could find it taken, and there is none.
        let Ok(mut reader) = on_read.0.try_borrow_mut() else {
            return;
        };
        let Reader { buffer, callback } = &mut *reader;
        let duplex = &self.state.duplex;
        if buffer.is_empty() {
            // A read into nothing could not be told from the end.
            duplex.destroy(self, Some(Error::new("ENOBUFS", "read ENOBUFS")));
            return;
        }
        ledger::read_otherwise(self.state.key);
        if let Some(count) = self.receive(buffer)
            && duplex.on_data_taken(self, count)
        {
            let mut verdict = Verdict::Fine;
            self.event_loop
                .call_now(|| verdict = callback(self.state.handle(), count, buffer));
            match verdict {
                Verdict::Fine => {}
                Verdict::Stop => duplex.stop_reading(),
                Verdict::Failed(error) => self.listener_failed(error),
            }
        }
    }
}
