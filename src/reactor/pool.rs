//! A few threads for what would block the loop: name look-ups, and the user's own work.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::slack::Slack;
use super::{Complaint, Job, Key, Loop, Origin, Table};
use crate::error::{Error, Result};
use crate::events;

/// As libuv's. The threads are started one by one, as there is work for them.
const DEFAULT_SIZE: usize = 4;

type Work = Box<dyn FnOnce() + Send>;
type Done = Box<dyn FnOnce(Box<dyn Any + Send>)>;
type Outcome = std::thread::Result<Box<dyn Any + Send>>;

/// What a piece of work is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The user's.
    Work,
    /// A name look-up, which may take the resolver's timeout. As in libuv, half of the threads are kept from them.
    LookUp,
}

pub(super) struct Pool {
    size: Cell<usize>,
    started: Cell<usize>,
    queue: OnceCell<Arc<Queue>>,
    /// What to call on the loop when a piece of work is done.
    done: RefCell<Table<Awaited>>,
    /// Look-ups that are under way by what they are for, with the keys that their results are delivered to.
    shared: RefCell<BTreeMap<String, Vec<Key>>>,
}

struct Awaited {
    done: Done,
    /// Where the user's code has asked for it; `None` for what is only the means to another.
    origin: Option<Origin>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// In the order in which they came, each with the number of that.
    work: VecDeque<(u64, Work)>,
    look_ups: VecDeque<(u64, Work)>,
    came: u64,
    /// How many look-ups are under way, and how many may be.
    looking_up: usize,
    most_look_ups: usize,
    idle: usize,
    closed: bool,
}

impl State {
    fn push(&mut self, lane: Lane, work: Work) {
        self.came += 1;
        match lane {
            Lane::Work => self.work.push_back((self.came, work)),
            Lane::LookUp => self.look_ups.push_back((self.came, work)),
        }
    }

    /// Whether a look-up waits for another to end, so that a further thread would be of no use to it.
    fn look_ups_wait(&self) -> bool {
        self.looking_up + self.look_ups.len() > self.most_look_ups
    }

    /// How many pieces of work wait for nothing but a thread.
    fn due(&self) -> usize {
        let look_ups = self.most_look_ups.saturating_sub(self.looking_up);
        self.work.len() + self.look_ups.len().min(look_ups)
    }

    /// What came first of what may be done now.
    fn take(&mut self) -> Option<(Lane, Work)> {
        let first = |queue: &VecDeque<(u64, Work)>| queue.front().map(|(came, _)| *came);
        let may_look_up = self.looking_up < self.most_look_ups;
        let look_up = first(&self.look_ups).filter(|_| may_look_up);
        let lane = match (first(&self.work), look_up) {
            (Some(work), Some(look_up)) if look_up < work => Lane::LookUp,
            (Some(_), _) => Lane::Work,
            (None, Some(_)) => Lane::LookUp,
            (None, None) => return None,
        };
        let taken = match lane {
            Lane::Work => self.work.pop_front(),
            Lane::LookUp => {
                self.looking_up += 1;
                self.look_ups.pop_front()
            }
        };
        for queue in [&mut self.work, &mut self.look_ups] {
            if queue.is_empty() {
                queue.trim();
            }
        }
        taken.map(|(_, work)| (lane, work))
    }

    fn finished(&mut self, lane: Lane) {
        if lane == Lane::LookUp {
            self.looking_up -= 1;
        }
    }
}

impl Pool {
    pub(super) const fn new() -> Pool {
        Pool {
            size: Cell::new(DEFAULT_SIZE),
            started: Cell::new(0),
            queue: OnceCell::new(),
            done: RefCell::new(Table::new()),
            shared: RefCell::new(BTreeMap::new()),
        }
    }

    pub(super) fn is_swollen(&self) -> bool {
        self.done.borrow().is_swollen()
    }

    pub(super) fn trim(&self) {
        self.done.borrow_mut().trim();
    }

    fn submit(&self, event_loop: &Loop, lane: Lane, work: Work) {
        let queue = self.queue.get_or_init(Arc::default);
        let has_thread = {
            let mut state = queue.lock();
            state.most_look_ups = self.size.get().div_ceil(2);
            state.push(lane, work);
            state.idle >= state.due() || lane == Lane::LookUp && state.look_ups_wait()
        };
        queue.changed.notify_one();
        if !has_thread && self.started.get() < self.size.get() {
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
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that could panic is called under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a thread of the pool.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if state.closed {
                return;
            }
            match state.take() {
                Some((lane, work)) => {
                    drop(state);
                    work();
                    state = self.lock();
                    state.finished(lane);
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
        let next = || self.lock().take();
        while let Some((lane, work)) = next() {
            work();
            self.lock().finished(lane);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.get() {
            let mut state = queue.lock();
            state.closed = true;
            // What they own is dropped when the lock is released.
            let _work = std::mem::take(&mut state.work);
            let _look_ups = std::mem::take(&mut state.look_ups);
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
        lane: Lane,
        work: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(T) -> R + 'static,
        origin: Origin,
    ) -> Result<()> {
        let mailbox = Arc::clone(self.poller.mailbox()?);
        let origin = (lane == Lane::Work).then_some(origin);
        let key = self.insert_awaited(done, origin);
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
            None => self.pool.submit(self, lane, Box::new(|| job()())),
        }
        Ok(())
    }

    /// Calls `done` with what is delivered under the key that this returns. It keeps the loop alive until then.
    fn insert_awaited<T: Send + 'static, R: events::Outcome>(
        &self,
        done: impl FnOnce(T) -> R + 'static,
        origin: Option<Origin>,
    ) -> Key {
        let done = Box::new(move |result: Box<dyn Any + Send>| {
            if let Ok(result) = result.downcast::<T>() {
                super::heed(done(*result));
            }
        });
        self.reference();
        let awaited = Awaited { done, origin };
        self.pool.done.borrow_mut().insert(awaited)
    }

    /// Looks something up and calls `done` with the result. While that is under way, others that look the same up
    /// wait for the same result, each as if it had asked alone.
    pub(crate) fn look_up<T: Clone + Send + 'static, R: events::Outcome>(
        &self,
        name: String,
        look_up: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(Result<T>) -> R + 'static,
        origin: Origin,
    ) {
        let key = self.insert_awaited(done, Some(origin));
        if let Some(waiting) = self.pool.shared.borrow_mut().get_mut(&name) {
            return waiting.push(key);
        }
        let found = {
            let name = name.clone();
            move |result: T| {
                super::with(|event_loop| event_loop.found(&name, result));
            }
        };
        match self.queue_work(Lane::LookUp, look_up, found, origin) {
            Ok(()) => {
                let waiting = self.pool.shared.borrow_mut().insert(name, vec![key]);
                debug_assert!(waiting.is_none(), "it is under way once");
            }
            // There is no descriptor to hear of a result by.
            Err(error) => self.next_tick(Job::Call(Box::new(move || {
                super::with(|event_loop| event_loop.finish(key, Err::<T, _>(error)));
            }))),
        }
    }

    fn found<T: Clone + Send + 'static>(&self, name: &str, result: T) {
        let waiting = self.pool.shared.borrow_mut().remove(name);
        let mut waiting = waiting.into_iter().flatten();
        let first = waiting.next();
        // Each is a callback of its own, which the loop settles after.
        for key in waiting {
            self.deliver(key, Ok::<T, Error>(result.clone()));
        }
        if let Some(key) = first {
            self.finish(key, Ok::<T, Error>(result));
        }
    }

    /// Delivers a result, as if it were that of a piece of work of its own.
    fn deliver<T: Send + 'static>(&self, key: Key, result: T) {
        // Only a thread that has queued work waits, and the mailbox was made for that work.
        let Some(mailbox) = self.poller.existing_mailbox() else {
            return;
        };
        let _gone = mailbox.post(Box::new(move || {
            super::with(|event_loop| event_loop.finish(key, result));
        }));
    }

    /// As `deliver`, at once.
    fn finish<T: Send + 'static>(&self, key: Key, result: T) {
        self.finish_work(key, Ok(Box::new(result)));
    }

    fn finish_work(&self, key: Key, outcome: Outcome) {
        let awaited = self.pool.done.borrow_mut().remove(key);
        let Some(Awaited { done, .. }) = awaited else {
            return;
        };
        self.unreference();
        match outcome {
            Ok(result) => done(result),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Where the work was queued that is awaited.
    pub(super) fn awaited_work(&self) -> Vec<Origin> {
        let done = self.pool.done.borrow();
        done.iter().filter_map(|awaited| awaited.origin).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{channel, sync_channel};

    #[test]
    fn look_ups_leave_threads_to_work() {
        let (told, came) = channel();
        super::super::with(|event_loop| {
            event_loop.set_pool_size(3);
            let mut hold = Vec::new();
            for _ in 0..5 {
                let (release, held) = sync_channel::<()>(0);
                hold.push(release);
                let told = told.clone();
                let slow = move || {
                    told.send("looks up").unwrap();
                    let _released = held.recv();
                };
                let queued = event_loop.queue_work(Lane::LookUp, slow, |()| {}, Origin::here());
                queued.unwrap();
            }
            // They came later, and would wait for ever behind all of those.
            for _ in 0..3 {
                let told = told.clone();
                let work = move || told.send("works").unwrap();
                let queued = event_loop.queue_work(Lane::Work, work, |()| {}, Origin::here());
                queued.unwrap();
            }
            let mut first: Vec<_> = came.iter().take(5).collect();
            first.sort_unstable();
            assert_eq!(first, ["looks up", "looks up", "works", "works", "works"]);
            drop(hold);
            event_loop.run().unwrap();
            assert_eq!(came.try_iter().count(), 3, "the other look-ups");
        });
    }
}
