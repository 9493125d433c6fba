//! Why a run ends before its time.
//!
//! An error that nobody handles and a panic of the user's code interrupt the run in the same way:
//! nothing unwinds through the loop ([`Loop::call`] sees to that), what was being done is completed,
//! nothing further is called, and then `run` ends with the error or the panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use super::Loop;
use crate::error::{Error, Result};
use crate::events::Outcome;
use crate::events::outcome::Verdict;

/// What takes the errors that no listener took.
pub(crate) type Hook = Rc<dyn Fn(Error)>;

/// Why a run ends though there is more to do.
pub(super) enum Interruption {
    /// An error that nobody listened for.
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

impl Loop {
    /// Calls the user's code. Its panic ends the run, once whoever called this is done; outside of
    /// a run it goes on to the caller.
    pub(crate) fn call(&self, call: impl FnOnce()) {
        if !self.running.get() {
            return call();
        }
        let called = if self.slow_calls.are_timed() {
            self.timed(call)
        } else {
            catch_unwind(AssertUnwindSafe(call))
        };
        if let Err(panic) = called {
            self.interrupt(Interruption::Panic(panic));
        }
    }

    /// What an error is handed to that no listener takes.
    pub(crate) fn unhandled_error(&self, error: Error) {
        let hook = self.on_unhandled.borrow().clone();
        match hook {
            Some(hook) => self.call(|| hook(error)),
            None => self.interrupt(Interruption::Error(error)),
        }
    }

    /// The first reason is what ends the run.
    fn interrupt(&self, why: Interruption) {
        if !self.interrupted.replace(true) {
            self.interruption.set(Some(why));
        }
    }

    /// Whether the run is about to end: what calls the user's code should be left for the next.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.get()
    }

    /// What a run that is over ends with.
    pub(super) fn end_interruption(&self) -> Result<()> {
        self.interrupted.set(false);
        match self.interruption.take() {
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
