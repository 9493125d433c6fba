//! Callbacks that take too long, and who wants to know.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use super::Loop;

type SlowHook = Rc<dyn Fn(Duration)>;

/// Who is told of callbacks that take too long.
#[derive(Default)]
pub(super) struct SlowCalls {
    /// From how long on; `None` if nobody wants to know, or a call is being timed already.
    threshold: Cell<Option<Duration>>,
    hook: RefCell<Option<SlowHook>>,
}

impl SlowCalls {
    #[inline]
    pub(super) fn are_timed(&self) -> bool {
        self.threshold.get().is_some()
    }
}

impl Loop {
    /// Makes a call, and tells of it if it has taken too long. Calls that are made inside of it are part of it.
    #[cold]
    pub(super) fn timed(&self, call: impl FnOnce()) -> std::thread::Result<()> {
        let slow = &self.slow_calls;
        let threshold = slow.threshold.take();
        let before = self.clock();
        let called = catch_unwind(AssertUnwindSafe(call));
        let took = self.clock().saturating_sub(before);
        // The call may have set another, or taken the hook away.
        let hook = slow.hook.borrow().clone();
        if slow.threshold.get().is_none() && hook.is_some() {
            slow.threshold.set(threshold);
        }
        match hook.filter(|_| threshold.is_some_and(|threshold| took >= threshold)) {
            Some(hook) => called.and(catch_unwind(AssertUnwindSafe(|| hook(took)))),
            None => called,
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
