//! The event loop of a thread: what libuv is to Node.
//!
//! [`Loop::turn`] is the whole of it. It knows nothing of sockets: a [`Handle`] is something with a
//! descriptor that wants to hear when it is ready, and a [`Task`] is a function to call with the
//! handle's key at a later point of the turn.
//!
//! | phase of a turn | what is called | libuv |
//! |---|---|---|
//! | pending | what a callback put off: shutdowns | `uv__run_pending` |
//! | poll | handles that are ready; posts of other threads; finished work | `uv__io_poll` |
//! | pending | again, at most 8 rounds | |
//! | check | immediates; those that are queued meanwhile wait for the next turn | `uv__run_check` |
//! | closing | closed handles, the last closed first | `uv__run_closing_handles` |
//! | timers | timers that are due, in the order of their deadlines | `uv__run_timers` |
//!
//! After every single callback, writes that it made go out and the tick queue is drained
//! ([`Loop::settle`]).
//!
//! A run can be interrupted (`interruption`): what is still to be called is taken out of queues of the
//! loop one by one, or is kept, so all of it is still there, and the loop can be run again.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::error::{self, Result};
use crate::kernel::{self, Clock, Reserve, Seat, Watched};

mod buffers;
mod channel;
mod clock;
mod complaints;
mod descriptor;
mod embedding;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod handle;
mod immediates;
mod interruption;
mod metrics;
mod origin;
mod poller;
mod pool;
mod remote;
mod resources;
#[cfg(feature = "sim")]
mod simulated;
mod slack;
mod slow;
mod table;
mod timers;

pub use channel::Sender;
pub(crate) use clock::{AfterCall, TimerCall, TimerTask, whole_ms};
pub(crate) use complaints::Complaint;
pub use descriptor::Interest;
pub(crate) use handle::{Handle, HandleKind, Job, Ready, Task};
pub(crate) use interruption::heed;
pub(crate) use metrics::Counters;
pub use metrics::{Metrics, Utilization};
pub(crate) use origin::Origin;
pub(crate) use pool::Lane;
pub use remote::Remote;
pub(crate) use resources::Kept;
pub(crate) use table::{Key, Table};

use buffers::{ReadBuffer, SpareBuffers};
use complaints::Complaints;
use immediates::Immediate;
use interruption::{Hook, Interruptions};
use poller::Poller;
use pool::Pool;
use slow::SlowCalls;
use timers::TimerQueue;

/// How often completions are delivered that a completion's own callback brought about, before the
/// turn goes on. As libuv.
const PENDING_ROUNDS: usize = 8;

thread_local! {
    static CURRENT: Loop = Loop::new(None);
}

/// Calls `use_loop` with this thread's loop; `None` once the thread is on its way out and has
/// destroyed it.
pub(crate) fn with<R>(use_loop: impl FnOnce(&Loop) -> R) -> Option<R> {
    let answer = CURRENT.try_with(|own| {
        let simulated;
        let event_loop = if kernel::is_simulated() {
            simulated = kernel::current()?;
            &*simulated
        } else {
            own
        };
        Some(use_loop(event_loop))
    });
    answer.ok().flatten()
}

/// One thread's event loop.
pub(crate) struct Loop {
    poller: Poller,
    pool: Pool,
    handles: RefCell<Table<Rc<dyn Handle>>>,
    timers: RefCell<TimerQueue<TimerTask>>,
    immediates: RefCell<Table<Immediate>>,

    /// Handles with writes that have not been offered to the kernel yet.
    unflushed: RefCell<Vec<Task>>,
    ticks: RefCell<VecDeque<Job>>,
    /// Whether there may be something for `settle` to do.
    unsettled: Cell<bool>,
    pending: RefCell<VecDeque<Task>>,
    check: RefCell<VecDeque<Key>>,
    channels: RefCell<Table<channel::Receiver>>,
    closing: RefCell<Vec<Task>>,
    /// Handles that stopped though they were still ready, or became willing to read.
    unfinished: RefCell<VecDeque<Task>>,

    /// How many handles, timers, immediates and pieces of work keep the loop alive.
    references: Cell<usize>,
    clock: Clock,
    /// Where this loop is in a simulated world, if it is in one.
    seat: Option<Seat>,
    now: Cell<u64>,
    /// As `now`, rounded up: what is waited for from here is never cut short.
    now_rounded_up: Cell<u64>,
    /// Since when the loop has had much more memory than it needs.
    swollen_since: Cell<Option<u64>>,
    running: Cell<bool>,
    stopping: Cell<bool>,
    interruptions: Interruptions,
    on_unhandled: RefCell<Option<Hook>>,
    slow_calls: SlowCalls,

    complaints: Complaints,
    pub(crate) reserve: Reserve,
    pub(crate) read_buffer: ReadBuffer,
    pub(crate) spare_buffers: SpareBuffers,
    /// Where the chunk ends that listeners are being handed, as an address.
    pub(crate) lent_to: Cell<usize>,
    pub(crate) counters: Counters,
}

/// How long one turn may wait in poll.
#[derive(Clone, Copy, PartialEq)]
enum Wait {
    ForEvents,
    Never,
}

impl Loop {
    pub(crate) fn new(seat: Option<Seat>) -> Loop {
        let first = seat.map_or(0, Seat::first_generation);
        Loop {
            poller: Poller::new(seat),
            pool: Pool::new(),
            handles: RefCell::new(Table::beginning_at(first)),
            timers: RefCell::new(TimerQueue::new()),
            immediates: RefCell::new(Table::new()),
            unflushed: RefCell::default(),
            ticks: RefCell::default(),
            unsettled: Cell::new(false),
            pending: RefCell::default(),
            check: RefCell::default(),
            channels: RefCell::new(Table::new()),
            closing: RefCell::default(),
            unfinished: RefCell::default(),
            references: Cell::new(0),
            clock: Clock::start(seat),
            seat,
            now: Cell::new(0),
            now_rounded_up: Cell::new(0),
            swollen_since: Cell::new(None),
            running: Cell::new(false),
            stopping: Cell::new(false),
            interruptions: Interruptions::default(),
            on_unhandled: RefCell::default(),
            slow_calls: SlowCalls::default(),
            complaints: Complaints::default(),
            reserve: Reserve::default(),
            read_buffer: ReadBuffer::new(),
            spare_buffers: SpareBuffers::new(),
            lent_to: Cell::new(0),
            counters: Counters::default(),
        }
    }

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

    fn turn(&self, wait: Wait) -> Result<()> {
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
                None => return self.unsettled.set(false),
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
        if self.is_interrupted() {
            return Ok(());
        }
        let unfinished = self.unfinished.borrow().len();
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
            if self.is_interrupted() {
                break;
            }
            let task = self.unfinished.borrow_mut().pop_front();
            let Some(task) = task else { break };
            task.run(self);
        }
        Ok(())
    }

    /// How long poll may wait: not at all when something else is to be done.
    fn timeout(&self, wait: Wait) -> Option<Duration> {
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

    fn is_alive(&self) -> bool {
        self.references.get() > 0
            || !self.closing.borrow().is_empty()
            || !self.pending.borrow().is_empty()
            || self.poller.remotes() > 0
    }

    pub(crate) fn stop(&self) {
        self.stopping.set(true);
    }

    /// Milliseconds since the loop was made, as of the last time it looked.
    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    pub(crate) fn update_time(&self) {
        self.look_at_clock();
    }

    /// How long ago the loop was made.
    pub(crate) fn clock(&self) -> Duration {
        self.clock.now()
    }

    /// As `clock`, which is the loop's time from then on.
    fn look_at_clock(&self) -> Duration {
        let since = self.clock.now();
        let ms = since.as_secs() * 1000 + u64::from(since.subsec_millis());
        let rest = since.subsec_nanos() % 1_000_000;
        self.now.set(ms);
        self.now_rounded_up.set(ms + u64::from(rest > 0));
        since
    }

    /// As `now`, rounded up: the moment that a time counts from which must not be cut short.
    pub(crate) fn now_rounded_up(&self) -> u64 {
        self.now_rounded_up.get()
    }

    /// Something that has kept the loop alive, or not, does so now, or does not.
    #[inline]
    pub(crate) fn recount(&self, before: bool, now: bool) {
        match (before, now) {
            (false, true) => self.reference(),
            (true, false) => self.unreference(),
            _ => {}
        }
    }

    pub(crate) fn reference(&self) {
        self.references.set(self.references.get() + 1);
    }

    pub(crate) fn unreference(&self) {
        debug_assert!(
            self.references.get() > 0,
            "every reference is given back once"
        );
        self.references.set(self.references.get().saturating_sub(1));
    }

    pub(crate) fn utilization(&self) -> Utilization {
        self.counters.utilization(self.clock())
    }

    pub(crate) fn metrics(&self) -> Metrics {
        self.counters
            .snapshot(self.handles.borrow().len(), self.timers.borrow().len())
    }
}

/// Handles, and what can be queued for them.
impl Loop {
    pub(crate) fn insert<H: Handle>(&self, make: impl FnOnce(Key) -> H) -> Rc<H> {
        self.handles.borrow_mut().insert_with(|key| {
            let handle = Rc::new(make(key));
            (Rc::clone(&handle) as Rc<dyn Handle>, handle)
        })
    }

    pub(crate) fn handle(&self, key: Key) -> Option<Rc<dyn Handle>> {
        self.handles.borrow().get(key).cloned()
    }

    /// All handles that there are now.
    pub(crate) fn handles(&self) -> Vec<Rc<dyn Handle>> {
        self.handles.borrow().iter().cloned().collect()
    }

    /// Forgets a handle. Its state is dropped when the last one who uses it at this moment is done.
    pub(crate) fn remove(&self, key: Key) {
        let _handle = self.handles.borrow_mut().remove(key);
    }

    pub(crate) fn register(&self, source: Watched<'_>, key: Key) -> std::io::Result<()> {
        self.poller.register(source, key)
    }

    /// Hands an event out again, which came too late in a run that is about to end.
    pub(crate) fn redeliver(&self, key: Key, ready: Ready) {
        self.poller.put_back(key, ready);
    }

    pub(crate) fn deregister(&self, source: Watched<'_>) -> std::io::Result<()> {
        self.poller.deregister(source)
    }

    pub(crate) fn next_tick(&self, job: Job) {
        self.unsettled.set(true);
        self.ticks.borrow_mut().push_back(job);
    }

    /// Calls `task` when the current callback has returned, before the ticks that it queued. The
    /// task must call no listener.
    pub(crate) fn flush_later(&self, task: Task) {
        self.unsettled.set(true);
        self.unflushed.borrow_mut().push(task);
    }

    pub(crate) fn pend(&self, task: Task) {
        self.pending.borrow_mut().push_back(task);
    }

    pub(crate) fn close_later(&self, task: Task) {
        self.closing.borrow_mut().push(task);
    }

    /// Calls `task` in the next poll phase, as if an event had come.
    pub(crate) fn continue_later(&self, task: Task) {
        self.unfinished.borrow_mut().push_back(task);
    }
}

/// Calls its closure when it is dropped, also by a panic.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
