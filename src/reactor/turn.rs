//! A turn of the loop, phase by phase.

use std::cell::RefCell;
use std::time::Duration;

use super::event_loop::Loop;
use super::metrics::Counters;
use super::poller::Poller;
use crate::error::{self, Result};
use crate::kernel::Seat;

/// How often pending tasks are run that a pending task has brought about, before the turn goes on. As
/// libuv.
const PENDING_ROUNDS: usize = 8;

/// How long one turn may wait in poll.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wait {
    ForEvents,
    Never,
}

impl Loop {
    /// Runs turns until nothing keeps the loop alive, `stop` is called, or an error is not handled.
    pub(crate) fn run(&self) -> Result<()> {
        if self.seat.is_some_and(Seat::is_run_by_world) {
            return Ok(());
        }
        self.running(|| {
            // What an interrupted run has left of a batch came before the timers that are due now.
            if self.is_alive() && !self.poller.has_events() {
                self.run_timers();
            }
            while self.may_go_on() && self.is_alive() {
                self.turn(Wait::ForEvents)?;
            }
            Ok(())
        })
    }

    /// Runs one turn, which waits for events if there is nothing else to do.
    pub(crate) fn run_once(&self) -> Result<()> {
        self.running(|| self.turn_if_alive(Wait::ForEvents))
    }

    /// Runs one turn that does not wait.
    pub(crate) fn run_nowait(&self) -> Result<()> {
        self.running(|| self.turn_if_alive(Wait::Never))
    }

    fn turn_if_alive(&self, wait: Wait) -> Result<()> {
        if self.is_alive() {
            self.turn(wait)?;
        }
        Ok(())
    }

    pub(super) fn turn(&self, wait: Wait) -> Result<()> {
        Counters::add(&self.counters.turns, 1);
        self.run_pending(1);
        self.poll(wait)?;
        self.run_pending(PENDING_ROUNDS);
        self.run_check();
        self.run_closing();
        self.run_timers();
        Ok(())
    }

    /// The frame around turns: entered once at a time, left with what interrupted them.
    fn running(&self, turns: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.running.replace(true) {
            return Err(error::node::already_running());
        }
        self.counters.begin_run(self.clock());
        let _stopped = OnDrop(|| {
            self.counters.end_run(self.clock());
            self.running.set(false);
            self.stopping.set(false);
        });
        self.update_time();
        self.begin_with_what_was_left();
        self.settle();
        if self.may_go_on() {
            turns()?;
        }
        self.end_interruption()
    }

    /// After a callback: the writes that it made go out, then the ticks that it queued are called,
    /// and theirs.
    #[inline]
    pub(crate) fn settle(&self) {
        if self.unsettled.get() {
            self.settle_all();
        }
    }

    fn settle_all(&self) {
        loop {
            self.flush();
            if self.is_interrupted() {
                return;
            }
            let job = self.ticks.borrow_mut().pop_front();
            match job {
                Some(job) => job.run(self),
                None => {
                    debug_assert!(
                        self.unflushed.borrow().is_empty(),
                        "flushed before each tick"
                    );
                    return self.unsettled.set(false);
                }
            }
        }
    }

    fn flush(&self) {
        // Flushing calls no listener, so nothing can be added to the list that is taken here.
        let mut tasks = self.unflushed.take();
        if tasks.is_empty() {
            return;
        }
        tasks.drain(..).for_each(|task| task.run(self));
        debug_assert!(
            self.unflushed.borrow().is_empty(),
            "a flush calls no listener"
        );
        self.unflushed.replace(tasks);
    }

    fn run_pending(&self, rounds: usize) {
        for _ in 0..rounds {
            let round = self.pending.borrow().len();
            for _ in 0..round {
                if self.is_interrupted() {
                    return;
                }
                let task = self.pending.borrow_mut().pop_front();
                let Some(task) = task else { break };
                task.run(self);
                self.settle();
            }
        }
    }

    fn poll(&self, wait: Wait) -> Result<()> {
        debug_assert!(self.running.get(), "a turn is part of a run");
        if self.is_interrupted() {
            return Ok(());
        }
        let unfinished = self.unfinished.borrow().len();
        let read_before = self.counters.bytes_read.get();
        self.fairness.begin_turn();
        if !self.poller.has_events() {
            // Timers that were run before have taken their time.
            let before = self.look_at_clock();
            let timeout = if unfinished > 0 {
                Some(Duration::ZERO)
            } else {
                match self.timeout(wait) {
                    Some(Duration::ZERO) => Some(Duration::ZERO),
                    timeout => self.may_sleep(timeout),
                }
            };
            let count = self.poller.wait(timeout)?;
            let after = self.look_at_clock();
            Counters::add(&self.counters.polls, 1);
            Counters::add(&self.counters.events, count as u64);
            if timeout != Some(Duration::ZERO) {
                self.counters
                    .idle
                    .set(self.counters.idle.get() + (after - before));
            }
        }
        while !self.is_interrupted() {
            let Some((key, ready)) = self.poller.next_event() else {
                break;
            };
            if key == Poller::WAKE {
                self.run_posted();
            } else if let Some(handle) = self.handle(key) {
                handle.ready(self, key, ready);
            }
        }
        for _ in 0..unfinished {
            let read = self.counters.bytes_read.get() - read_before;
            if self.is_interrupted() || read >= self.fairness.most_together() {
                break;
            }
            let task = self.unfinished.borrow_mut().pop_front();
            let Some(task) = task else { break };
            task.run(self);
        }
        Ok(())
    }

    /// How long poll may wait: not at all when something else is to be done.
    pub(super) fn timeout(&self, wait: Wait) -> Option<Duration> {
        let busy = wait == Wait::Never
            || self.stopping.get()
            || !self.is_alive()
            || !self.pending.borrow().is_empty()
            || !self.check.borrow().is_empty()
            || !self.closing.borrow().is_empty();
        if busy {
            return Some(Duration::ZERO);
        }
        let wakeup = self.timers.borrow().next_wakeup()?;
        Some(Duration::from_millis(wakeup.saturating_sub(self.now.get())))
    }

    fn run_closing(&self) {
        // Those that are closed meanwhile wait for the next turn.
        let due = RefCell::new(self.closing.take());
        let _those_left_come_first = OnDrop(|| {
            let mut closing = self.closing.borrow_mut();
            due.borrow_mut().append(&mut closing);
            *closing = due.take();
        });
        while !self.is_interrupted() {
            let task = due.borrow_mut().pop();
            let Some(task) = task else { return };
            task.run(self);
            self.settle();
        }
    }

    /// Whether what calls the user's code is part of a run: there a panic does not unwind through it,
    /// and the loop cannot be run again from inside.
    pub(crate) fn is_running(&self) -> bool {
        self.running.get()
    }

    /// Whether there is to be another turn. `stop` lets a turn end; an interruption does not.
    fn may_go_on(&self) -> bool {
        !self.is_interrupted() && !self.stopping.get()
    }

    pub(crate) fn stop(&self) {
        self.stopping.set(true);
    }
}

/// Calls its closure when it is dropped, also by a panic.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
