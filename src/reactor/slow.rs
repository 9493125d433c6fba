//! Callbacks that take too long, and the hook for them.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use super::Loop;

type SlowHook = Rc<dyn Fn(Duration)>;

/// The hook for callbacks that take too long.
#[derive(Default)]
pub(super) struct SlowCalls {
    /// From how long on; `None` without a hook, or while a call is being timed already.
    threshold: Cell<Option<Duration>>,
    hook: RefCell<Option<SlowHook>>,
}

/// A call that is being timed. Calls that are made inside of it are part of it.
pub(super) struct Timing {
    threshold: Duration,
    since: Duration,
}

/// None of it is generic, and so it is not there again for each kind of call.
impl Loop {
    #[inline]
    pub(super) fn begin_timing(&self) -> Option<Timing> {
        let threshold = self.slow_calls.threshold.get()?;
        Some(self.timing(threshold))
    }

    #[cold]
    fn timing(&self, threshold: Duration) -> Timing {
        self.slow_calls.threshold.set(None);
        let since = self.clock();
        Timing { threshold, since }
    }

    /// Logs a call that has taken too long.
    #[cold]
    pub(super) fn end_timing(&self, timing: &Timing) {
        let slow = &self.slow_calls;
        let took = self.clock().saturating_sub(timing.since);
        // The call may have set another, or taken the hook away.
        let hook = slow.hook.borrow().clone();
        if slow.threshold.get().is_none() && hook.is_some() {
            slow.threshold.set(Some(timing.threshold));
        }
        let is_told = took >= timing.threshold && !self.is_interrupted();
        let Some(hook) = hook.filter(|_| is_told) else {
            return;
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| hook(took))) {
            self.interrupt_by(panic);
        }
    }

    pub(crate) fn on_slow_callback(&self, threshold: Duration, hook: Option<SlowHook>) {
        self.slow_calls
            .threshold
            .set(hook.is_some().then_some(threshold));
        // The old hook is dropped when the borrow is over: it is the user's code.
        let _old = self.slow_calls.hook.replace(hook);
    }
}
