//! A few threads for what would block the loop: name look-ups, and the user's own work.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::slack::Slack;
use super::{Complaint, Key, Loop, Table};
use crate::error::Result;
use crate::events;

/// As libuv's. The threads are started one by one, as there is work for them.
const DEFAULT_SIZE: usize = 4;

type Work = Box<dyn FnOnce() + Send>;
type Done = Box<dyn FnOnce(Box<dyn Any + Send>)>;
type Outcome = std::thread::Result<Box<dyn Any + Send>>;

pub(super) struct Pool {
    size: Cell<usize>,
    started: Cell<usize>,
    queue: OnceCell<Arc<Queue>>,
    /// What to call on the loop when a piece of work is done.
    done: RefCell<Table<Done>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    work: VecDeque<Work>,
    idle: usize,
    closed: bool,
}

impl Pool {
    pub(super) const fn new() -> Pool {
        Pool {
            size: Cell::new(DEFAULT_SIZE),
            started: Cell::new(0),
            queue: OnceCell::new(),
            done: RefCell::new(Table::new()),
        }
    }

    pub(super) fn is_swollen(&self) -> bool {
        self.done.borrow().is_swollen()
    }

    pub(super) fn trim(&self) {
        self.done.borrow_mut().trim();
    }

    fn submit(&self, event_loop: &Loop, work: Work) {
        let queue = self.queue.get_or_init(Arc::default);
        let idle = {
            let mut state = queue.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.work.push_back(work);
            state.idle >= state.work.len()
        };
        queue.changed.notify_one();
        if !idle && self.started.get() < self.size.get() {
            self.start_thread(event_loop, queue);
        }
    }

    fn start_thread(&self, event_loop: &Loop, queue: &Arc<Queue>) {
        let shared = Arc::clone(queue);
        let thread = std::thread::Builder::new().name("soquete-work".into());
        match thread.spawn(move || shared.work()) {
            Ok(_detached) => self.started.set(self.started.get() + 1),
            Err(error) => {
                let has_none = self.started.get() == 0;
                if event_loop.complains(Complaint::Thread) {
                    let instead = if has_none {
                        "it blocks the loop"
                    } else {
                        "it waits"
                    };
                    log::warn!(target: "soquete::reactor", "no thread for work, {instead}: {error}");
                }
                if has_none {
                    queue.work_off();
                }
            }
        }
    }
}

impl Queue {
    /// The life of a thread of the pool.
    fn work(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return;
            }
            match state.work.pop_front() {
                Some(work) => {
                    if state.work.is_empty() {
                        state.work.trim();
                    }
                    drop(state);
                    work();
                    state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                }
                None => {
                    state.idle += 1;
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                    state.idle -= 1;
                }
            }
        }
    }

    fn work_off(&self) {
        let next = || {
            self.state
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .work
                .pop_front()
        };
        while let Some(work) = next() {
            work();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.get() {
            let mut state = queue.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.closed = true;
            let _work = std::mem::take(&mut state.work);
            drop(state);
            queue.changed.notify_all();
        }
    }
}

impl Loop {
    pub(crate) fn set_pool_size(&self, threads: usize) {
        self.pool.size.set(threads.max(1));
    }

    /// Runs `work` on a thread of the pool, then `done` on the loop. It keeps the loop alive.
    pub(crate) fn queue_work<T: Send + 'static, R: events::Outcome>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(T) -> R + 'static,
    ) -> Result<()> {
        let mailbox = Arc::clone(self.poller.mailbox()?);
        let done = Box::new(move |result: Box<dyn Any + Send>| {
            if let Ok(result) = result.downcast::<T>() {
                super::heed(done(*result));
            }
        });
        let key = self.pool.done.borrow_mut().insert(done);
        self.reference();
        let job = move || {
            let outcome = catch_unwind(AssertUnwindSafe(work))
                .map(|result| Box::new(result) as Box<dyn Any + Send>);
            move || {
                // A loop that has gone away meanwhile does not want to know.
                let _gone = mailbox.post(Box::new(move || {
                    super::with(|event_loop| event_loop.finish_work(key, outcome));
                }));
            }
        };
        match self.seat {
            Some(seat) => seat.work(Box::new(|| Box::new(job()))),
            None => self.pool.submit(self, Box::new(|| job()())),
        }
        Ok(())
    }

    fn finish_work(&self, key: Key, outcome: Outcome) {
        let done = self.pool.done.borrow_mut().remove(key);
        let Some(done) = done else { return };
        self.unreference();
        match outcome {
            Ok(result) => done(result),
            Err(panic) => resume_unwind(panic),
        }
    }
}
