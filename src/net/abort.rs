//! Aborting what was begun: a controller holds the button, its signal is what the others watch.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::error::{Error, node};
use crate::events::{Event, EventEmitter, ListenerId};

/// Aborts whatever was given its [`signal`](AbortController::signal). Node's `AbortController`.
///
/// ```
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// let controller = net::AbortController::new();
/// let options = net::ConnectOptions::new(1).host("127.0.0.1").signal(controller.signal());
/// net::connect(options).on(event::Error, |error| assert_eq!(error.code(), "ABORT_ERR"));
/// controller.abort();
/// soquete::run()
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct AbortController {
    signal: AbortSignal,
}

impl AbortController {
    /// A controller that has not been used.
    pub fn new() -> AbortController {
        AbortController::default()
    }

    /// What to hand to those who are to be aborted. All of them are the same signal.
    pub fn signal(&self) -> AbortSignal {
        self.signal.clone()
    }

    /// Aborts. Only the first call counts.
    pub fn abort(&self) {
        self.abort_with(node::abort_reason());
    }

    /// As [`abort`](AbortController::abort), with a reason: the cause of the errors that come of it.
    pub fn abort_with(&self, reason: Error) {
        let inner = &self.signal.inner;
        if self.signal.aborted() {
            return;
        }
        inner.reason.replace(Some(reason.clone()));
        inner.emitter.emit(Abort, &reason);
    }
}

/// Tells whether and when something was aborted. Node's `AbortSignal`.
///
/// A socket that was connected with it is destroyed with an `ABORT_ERR`; a server that listens with
/// it closes.
#[derive(Clone, Default)]
pub struct AbortSignal {
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    reason: RefCell<Option<Error>>,
    emitter: EventEmitter,
}

struct Abort;

impl Event for Abort {
    type Payload<'a> = &'a Error;
}

impl AbortSignal {
    /// Whether it was aborted.
    pub fn aborted(&self) -> bool {
        self.inner.reason.borrow().is_some()
    }

    /// What it was aborted with.
    pub fn reason(&self) -> Option<Error> {
        self.inner.reason.borrow().clone()
    }

    /// Calls `listener` with the reason when it is aborted; never if it is already.
    pub fn on_abort(&self, listener: impl FnOnce(&Error) + 'static) -> ListenerId {
        self.inner.emitter.add_once_listener(Abort, listener)
    }

    /// Takes an [`on_abort`](AbortSignal::on_abort) back; false if it is not there (any more).
    pub fn remove_listener(&self, id: ListenerId) -> bool {
        self.inner.emitter.remove_listener(id)
    }

    /// How many wait for it. Sockets and servers count until they have closed.
    pub fn listener_count(&self) -> usize {
        self.inner.emitter.listener_count(Abort)
    }
}

impl fmt::Debug for AbortSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortSignal")
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn only_the_first_abort_counts() {
        let controller = AbortController::new();
        let signal = controller.signal();
        let heard = Rc::new(Cell::new(0));
        let count = Rc::clone(&heard);
        signal.on_abort(move |_| count.set(count.get() + 1));
        let dropped = signal.on_abort(|_| unreachable!("it was removed"));
        assert!(signal.remove_listener(dropped));

        assert!(!signal.aborted());
        controller.abort_with(Error::new("MINE", "enough"));
        controller.abort();
        assert_eq!(
            signal.reason().map(|e| e.code().to_owned()).as_deref(),
            Some("MINE")
        );
        assert_eq!((heard.get(), signal.listener_count()), (1, 0));
    }
}
