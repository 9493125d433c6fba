//! Why a run ends before its time.
//!
//! An unhandled error and a panic of the user's code interrupt the run in the same way:
//! nothing unwinds through the loop, what was being done is completed without the user, and then `run`
//! ends with the error or the panic.
//!
//! Everything of the user's is called here, the destructors of what listeners have captured included.
//! [`Loop::call`] keeps what comes after an interruption for the next run, which begins with it. Of
//! several reasons each run ends with one, in their order: none is lost.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use super::Loop;
use super::slack::Slack;
use crate::error::{Error, Result};
use crate::events::Outcome;
use crate::events::outcome::Verdict;
use crate::kernel;

/// What takes the errors that no listener took.
pub(super) type Hook = Rc<dyn Fn(Error)>;

/// Why a run ends though there is more to do.
enum Interruption {
    /// An error without a listener.
    Error(Error),
    /// The user's code has panicked.
    Panic(Box<dyn Any + Send>),
}

/// What becomes of what a callback has returned that belongs to no socket.
pub(crate) fn heed(outcome: impl Outcome) {
    if let Verdict::Failed(error) = outcome.verdict() {
        super::with(|event_loop| event_loop.unhandled_error(error));
    }
}

/// Interruptions of a loop, and what they have kept from being called.
#[derive(Default)]
pub(super) struct Interruptions {
    /// The run at hand is about to end.
    interrupted: Cell<bool>,
    reasons: RefCell<VecDeque<Interruption>>,
    /// What the next run begins with.
    left: RefCell<VecDeque<Box<dyn FnOnce()>>>,
}

impl Interruptions {
    pub(super) fn is_swollen(&self) -> bool {
        self.left.borrow().is_swollen()
    }

    pub(super) fn trim(&self) {
        self.left.borrow_mut().trim();
    }
}

impl Loop {
    /// Calls the user's code; in the next run, if this one has been interrupted.
    pub(crate) fn call(&self, call: impl FnOnce() + 'static) {
        if self.is_interrupted() {
            self.call_in_next_run(Box::new(call));
        } else {
            self.call_now(call);
        }
    }

    /// As `call`, for what cannot be kept: the caller has checked that nothing has interrupted the
    /// run. A panic ends it; outside of a run it goes on to the caller.
    pub(crate) fn call_now(&self, call: impl FnOnce()) {
        debug_assert!(!self.is_interrupted(), "the user's code has to wait");
        kernel::called();
        if !self.running.get() {
            return call();
        }
        let timing = self.begin_timing();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(call)) {
            self.interrupt_by(panic);
        }
        if let Some(timing) = timing {
            self.end_timing(&timing);
        }
    }

    #[cold]
    pub(super) fn interrupt_by(&self, panic: Box<dyn Any + Send>) {
        self.interrupt(Interruption::Panic(panic));
    }

    /// Calls `call` first thing in the next run, before what is left of this one.
    #[cold]
    pub(crate) fn call_in_next_run(&self, call: Box<dyn FnOnce()>) {
        self.interruptions.left.borrow_mut().push_back(call);
    }

    /// Drops what may have a destructor of the user's.
    pub(crate) fn discard<T: 'static>(&self, value: T) {
        if std::mem::needs_drop::<T>() {
            self.call(move || drop(value));
        }
    }

    /// What an error is handed to that no listener takes.
    pub(crate) fn unhandled_error(&self, error: Error) {
        let hook = self.on_unhandled.borrow().clone();
        match hook {
            Some(hook) => self.call(move || hook(error)),
            None => self.interrupt(Interruption::Error(error)),
        }
    }

    fn interrupt(&self, why: Interruption) {
        self.interruptions.reasons.borrow_mut().push_back(why);
        self.interruptions.interrupted.set(self.running.get());
    }

    /// Whether the run is about to end: what calls the user's code is left for the next.
    #[inline]
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interruptions.interrupted.get()
    }

    /// A run begins, with what the last one has left: a further reason to end, or calls.
    pub(super) fn begin_with_what_was_left(&self) {
        let Interruptions {
            interrupted,
            reasons,
            left,
        } = &self.interruptions;
        interrupted.set(!reasons.borrow().is_empty());
        let mut calls = left.take();
        while !self.is_interrupted()
            && let Some(call) = calls.pop_front()
        {
            self.call_now(call);
        }
        // What the last of them has left comes before the others.
        left.borrow_mut().append(&mut calls);
    }

    /// What a run that is over ends with.
    pub(super) fn end_interruption(&self) -> Result<()> {
        self.interruptions.interrupted.set(false);
        let reason = self.interruptions.reasons.borrow_mut().pop_front();
        match reason {
            Some(Interruption::Error(error)) => Err(error),
            Some(Interruption::Panic(panic)) => resume_unwind(panic),
            None => Ok(()),
        }
    }

    pub(crate) fn on_unhandled_error(&self, hook: Option<Hook>) {
        // The old hook is dropped when the borrow is over: it is the user's code.
        let _old = self.on_unhandled.replace(hook);
    }
}
