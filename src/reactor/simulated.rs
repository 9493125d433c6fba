//! What a simulated world asks the loops in it.

use std::time::Duration;

use super::resources::Kept;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
use super::turn::Wait;
use super::{Handle, Loop, Origin};
use crate::kernel::Seat;

impl Loop {
    /// Whether a run that does not wait would do something. Nobody turns a loop that nothing keeps alive, but for
    /// what its program has left undone.
    pub(crate) fn can_go_on(&self) -> bool {
        if self.unsettled.get() || !self.unfinished.borrow().is_empty() {
            return true;
        }
        if !self.is_alive() {
            return false;
        }
        let now = self.seat.map_or(Duration::ZERO, Seat::now);
        !self.pending.borrow().is_empty()
            || !self.check.borrow().is_empty()
            || !self.closing.borrow().is_empty()
            || self.poller.has_events()
            || self
                .wakes_at()
                .is_some_and(|at| now.as_nanos() as u64 >= at)
    }

    /// Whether a turn that does not wait would ask the kernel.
    pub(crate) fn polls(&self) -> bool {
        self.is_alive()
    }

    /// When its next timer is due, in ns. Nobody turns a loop that nothing keeps alive.
    pub(crate) fn wakes_at(&self) -> Option<u64> {
        if !self.is_alive() {
            return None;
        }
        let wakeup = self.timers.borrow().next_wakeup()?;
        Some(wakeup.saturating_mul(1_000_000))
    }

    /// What keeps it alive, or might.
    pub(crate) fn why_alive(&self) -> Vec<String> {
        if !self.is_alive() {
            return Vec::new();
        }
        let mut why = self.accounts();
        let timers = self.timers.borrow().len();
        if timers > 0 {
            why.push(format!("{timers} timers"));
        }
        let resources = self.resources().into_iter();
        why.extend(resources.filter_map(|(kept, origin)| match kept {
            Kept::Handle(_) => None,
            Kept::Timer(_) => made("a timer", origin),
            Kept::Immediate(_) => made("an immediate", origin),
            Kept::Work => made("work of the pool", origin),
        }));
        if self.poller.remotes() > 0 {
            why.push("a `Remote`, by which another thread could post".to_owned());
        }
        if why.is_empty() {
            why.push("work of the pool, or an immediate".to_owned());
        }
        why
    }

    /// What its handles are, and the calls that made them.
    pub(crate) fn accounts(&self) -> Vec<String> {
        let account = |handle: &std::rc::Rc<dyn Handle>| {
            let account = handle.account()?;
            Some(made(&account, handle.origin()).unwrap_or(account))
        };
        self.handles().iter().filter_map(account).collect()
    }
}

/// Scripts, which turn a loop by hand.
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
impl Loop {
    /// Takes a step as part of a run, without what a run begins and ends with.
    pub(crate) fn step(&self, step: impl FnOnce()) {
        self.running.set(true);
        step();
        self.running.set(false);
        if let Err(error) = self.end_interruption() {
            panic!("nobody has taken {error}");
        }
    }

    /// Goes round once, without waiting.
    pub(crate) fn step_turn(&self) {
        if let Err(error) = self.turn(Wait::Never) {
            panic!("the poll has failed: {error}");
        }
    }
}

/// What something is, and the call that made it, where that is known.
fn made(what: &str, origin: Origin) -> Option<String> {
    let place = origin.location()?;
    Some(format!("{what}, made at {place}"))
}
