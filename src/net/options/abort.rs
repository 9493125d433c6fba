//! Aborting what was begun: a controller holds the button, its signal is what the others watch.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::error::{Error, Result, node};
use crate::events::{Event, EventEmitter, ListenerId, Outcome};
use crate::reactor;
use crate::timers;

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
        self.signal.inner.abort(reason);
    }
}

/// Tells whether and when something was aborted. Node's `AbortSignal`.
///
/// A socket that was connected with it is destroyed with an `ABORT_ERR`; a server that listens with
/// it closes.
///
/// ```
/// use soquete::net::{self, AbortController, AbortSignal};
/// use std::time::Duration;
///
/// let shutdown = AbortController::new();
/// let timeout = AbortSignal::timeout(Duration::from_secs(5));
/// let either = AbortSignal::any([shutdown.signal(), timeout]);
/// let options = net::ConnectOptions::new(3000).signal(either.clone());
/// shutdown.abort();
/// assert!(either.aborted() && either.check().is_err());
/// ```
#[derive(Clone, Default)]
pub struct AbortSignal {
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    reason: RefCell<Option<Error>>,
    emitter: EventEmitter,
    /// The signals that this one was made of, and its listeners there.
    sources: RefCell<Vec<(AbortSignal, ListenerId)>>,
    /// Keeps a signal that was made of others while somebody listens to it, though only that somebody may
    /// have it.
    kept: RefCell<Option<Rc<Inner>>>,
}

struct Abort;

impl Event for Abort {
    type Payload<'a> = &'a Error;
}

impl AbortSignal {
    /// A signal that was aborted already.
    pub fn abort() -> AbortSignal {
        AbortSignal::abort_with(node::abort_reason())
    }

    /// As [`abort`](AbortSignal::abort), with a reason.
    pub fn abort_with(reason: Error) -> AbortSignal {
        let signal = AbortSignal::default();
        signal.inner.reason.replace(Some(reason));
        signal
    }

    /// A signal that is aborted after `delay`, with a reason whose code is `ABORT_TIMEOUT`. The delay does not
    /// keep the loop alive.
    pub fn timeout(delay: Duration) -> AbortSignal {
        let signal = AbortSignal::default();
        let inner = Rc::downgrade(&signal.inner);
        timers::set_timeout(delay, move || {
            if let Some(inner) = inner.upgrade() {
                inner.abort(node::abort_timeout());
            }
        })
        .unref();
        signal
    }

    /// A signal that is aborted as soon as one of `signals` is, with the reason of that one; at once, if one
    /// is aborted already.
    pub fn any(signals: impl IntoIterator<Item = AbortSignal>) -> AbortSignal {
        let signals: Vec<AbortSignal> = signals.into_iter().collect();
        if let Some(reason) = signals.iter().find_map(AbortSignal::reason) {
            return AbortSignal::abort_with(reason);
        }
        let signal = AbortSignal::default();
        let mut sources = Vec::new();
        for source in AbortSignal::not_made_of_others(signals) {
            let inner = Rc::downgrade(&signal.inner);
            let id = source.on_abort(move |reason| {
                if let Some(inner) = inner.upgrade() {
                    inner.abort(reason.clone());
                }
            });
            sources.push((source, id));
        }
        signal.inner.sources.replace(sources);
        signal
    }

    /// Those signals, each once, and in the place of one that was made of others those it was made of: signals that
    /// are made of such signals, again and again, are no chain then.
    fn not_made_of_others(signals: Vec<AbortSignal>) -> Vec<AbortSignal> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for signal in signals {
            let sources = signal.inner.sources.borrow();
            let made_of = sources.iter().map(|(source, _)| source.clone());
            let own = sources.is_empty().then(|| signal.clone());
            all.extend(
                made_of
                    .chain(own)
                    .filter(|one| seen.insert(Rc::as_ptr(&one.inner))),
            );
        }
        all
    }

    /// Whether it was aborted.
    pub fn aborted(&self) -> bool {
        self.inner.reason.borrow().is_some()
    }

    /// What it was aborted with.
    pub fn reason(&self) -> Option<Error> {
        self.inner.reason.borrow().clone()
    }

    /// Goes on only if it was not aborted. Node's `throwIfAborted`.
    ///
    /// # Errors
    ///
    /// The [`reason`](AbortSignal::reason).
    #[doc(alias = "throwIfAborted")]
    pub fn check(&self) -> Result<()> {
        self.reason().map_or(Ok(()), Err)
    }

    /// Calls `listener` with the reason when it is aborted; never if it is already. An `Err` that it returns
    /// is an uncaught exception: see [`on_unhandled_error`](crate::on_unhandled_error).
    #[doc(alias = "addAbortListener")]
    #[doc(alias = "onabort")]
    pub fn on_abort<R: Outcome>(&self, listener: impl FnOnce(&Error) -> R + 'static) -> ListenerId {
        if !self.inner.sources.borrow().is_empty() {
            self.inner.kept.replace(Some(Rc::clone(&self.inner)));
        }
        self.inner.emitter.add_once_listener(Abort, listener)
    }

    /// Takes an [`on_abort`](AbortSignal::on_abort) back; false if it is not there (any more).
    pub fn remove_listener(&self, id: ListenerId) -> bool {
        let removed = self.inner.emitter.remove_listener(id);
        if self.listener_count() == 0 {
            self.inner.kept.take();
        }
        removed
    }

    /// How many wait for it. Sockets and servers count until they have closed.
    pub fn listener_count(&self) -> usize {
        self.inner.emitter.listener_count(Abort)
    }
}

impl Inner {
    fn abort(&self, reason: Error) {
        if self.reason.borrow().is_some() {
            return;
        }
        self.reason.replace(Some(reason.clone()));
        self.leave_sources();
        let heard = self.emitter.try_emit(Abort, &reason);
        // It may be all that is left of this signal.
        let _kept = self.kept.take();
        reactor::heed(heard);
    }

    fn leave_sources(&self) {
        for (source, id) in self.sources.take() {
            source.remove_listener(id);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.leave_sources();
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

    #[test]
    fn a_signal_of_several_is_aborted_by_the_first_and_leaves_the_others() {
        let (first, second) = (AbortController::new(), AbortController::new());
        let either = AbortSignal::any([first.signal(), second.signal()]);
        assert!(either.check().is_ok());
        second.abort_with(Error::new("SECOND", ""));
        first.abort_with(Error::new("FIRST", ""));
        assert_eq!(either.check().unwrap_err().code(), "SECOND");
        assert_eq!(first.signal().listener_count(), 0);
        let late = AbortSignal::any([AbortController::new().signal(), either]);
        assert_eq!(
            late.reason().map(|e| e.code().to_owned()).as_deref(),
            Some("SECOND")
        );
        assert!(AbortSignal::abort().aborted());
    }

    #[test]
    fn a_signal_of_several_lives_while_it_is_listened_to_and_no_longer() {
        let controller = AbortController::new();
        let signal = controller.signal();
        drop(AbortSignal::any([signal.clone()]));
        assert_eq!(signal.listener_count(), 0, "it was dropped");

        let heard = Rc::new(Cell::new(0));
        let count = Rc::clone(&heard);
        let inner = AbortSignal::any([AbortSignal::any([signal.clone()])]);
        inner.on_abort(move |_| count.set(count.get() + 1));
        let removed = AbortSignal::any([signal.clone()]);
        let id = removed.on_abort(|_| unreachable!("it was removed"));
        removed.remove_listener(id);
        drop((inner, removed));
        assert_eq!(signal.listener_count(), 1);
        controller.abort();
        assert_eq!((heard.get(), signal.listener_count()), (1, 0));
        assert_eq!(Rc::strong_count(&signal.inner), 2, "nothing holds on to it");
    }
}
