//! What the user does to a descriptor before anything else is done with it.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::rc::Rc;

use crate::kernel::errno;
use crate::reactor::Loop;

/// A function of the user's that is lent the descriptor of each socket: see
/// [`SocketOptions::prepare`](crate::net::SocketOptions::prepare).
#[derive(Clone)]
pub(in crate::net) struct Prepare(Rc<Function>);

type Function = dyn Fn(BorrowedFd<'_>) -> io::Result<()>;

impl Prepare {
    pub(super) fn new(prepare: impl Fn(BorrowedFd<'_>) -> io::Result<()> + 'static) -> Prepare {
        Prepare(Rc::new(prepare))
    }

    /// `descriptor` is `None` in a simulated world, where there is nothing to prepare.
    pub(in crate::net) fn run(
        &self,
        event_loop: &Loop,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let Some(descriptor) = descriptor else {
            return Ok(());
        };
        // If it panics, or cannot be called because something else has.
        let mut prepared = Err(errno::error(errno::ECANCELED));
        if !event_loop.is_interrupted() {
            event_loop.call_now(|| prepared = (self.0)(descriptor));
        }
        prepared
    }
}

impl fmt::Debug for Prepare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepare")
    }
}
