//! Reading into a buffer of the caller's. Node's `onread`.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::Socket;
use super::cell::SocketHost;
use crate::error::Error;
use crate::events::Outcome;
use crate::events::outcome::Verdict;
use crate::kernel::ledger;

/// The buffer, and who is told what is in it. Sockets of the same options share it, one after the
/// other.
#[derive(Clone)]
pub(crate) struct OnRead(Rc<RefCell<Reader>>);

struct Reader {
    buffer: Vec<u8>,
    callback: Box<Callback>,
}

type Callback = dyn FnMut(Socket, usize, &mut Vec<u8>) -> Verdict;

impl OnRead {
    pub(crate) fn new<R: Outcome>(
        buffer: Vec<u8>,
        mut callback: impl FnMut(Socket, usize, &mut Vec<u8>) -> R + 'static,
    ) -> OnRead {
        let callback = Box::new(move |socket, count, buffer: &mut Vec<u8>| {
            callback(socket, count, buffer).verdict_on_read()
        });
        OnRead(Rc::new(RefCell::new(Reader { buffer, callback })))
    }
}

impl fmt::Debug for OnRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRead")
    }
}

impl SocketHost<'_> {
    /// Reads once, into the caller's buffer, and says how long that is.
    #[inline(never)]
    pub(super) fn read_into_own(&self) -> usize {
        let Some(Some(OnRead(reader))) = self.cell.rare(|rare| rare.on_read.clone()) else {
            return 0;
        };
        // Only a run of the loop inside the callback could find it taken, and there is none.
        let Ok(mut reader) = reader.try_borrow_mut() else {
            return 0;
        };
        let Reader { buffer, callback } = &mut *reader;
        let duplex = &self.cell.duplex;
        let len = buffer.len();
        if len == 0 {
            // A read into nothing could not be told from the end.
            duplex.destroy(self, Some(Error::new("ENOBUFS", "read ENOBUFS")));
            return 0;
        }
        ledger::read_otherwise(self.cell.key);
        if let Some(count) = self.receive(buffer)
            && duplex.on_data_taken(self, count)
        {
            let mut verdict = Verdict::Fine;
            self.event_loop
                .call_now(|| verdict = callback(self.cell.handle(), count, buffer));
            match verdict {
                Verdict::Fine => {}
                Verdict::Stop => duplex.stop_reading(),
                Verdict::Failed(error) => self.listener_failed(error),
            }
        }
        len
    }
}
