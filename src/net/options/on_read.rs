//! A buffer of the caller's to read into, and the callback that gets it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::events::Outcome;
use crate::events::outcome::Verdict;
use crate::net::values::handle::Socket;

/// The buffer, and the callback that is called when it is filled. Sockets of the same options share it, one after the
/// other.
#[derive(Clone)]
pub(in crate::net) struct OnRead(pub(in crate::net) Rc<RefCell<Reader>>);

pub(in crate::net) struct Reader {
    pub(in crate::net) buffer: Vec<u8>,
    pub(in crate::net) callback: Box<Callback>,
}

type Callback = dyn FnMut(Socket, usize, &mut Vec<u8>) -> Verdict;

impl OnRead {
    pub(super) fn new<R: Outcome>(
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
