//! The state of a thread's loop.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::buffers::{ReadBuffer, SpareBuffers, WriteBudget};
use super::channel::Receiver;
use super::complaints::Complaints;
use super::fairness::Fairness;
use super::handle::{Handle, Job, Task};
use super::immediates::Immediate;
use super::interruption::{Hook, Interruptions};
use super::metrics::Counters;
use super::poller::Poller;
use super::pool::Pool;
use super::slow::SlowCalls;
use super::timers::{Repeating, TimerTask};
use super::wheel::TimerQueue;
use crate::kernel::{self, Clock, Reserve, Seat};
use crate::table::{Key, Table};

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
    pub(super) poller: Poller,
    pub(super) pool: Pool,
    pub(super) handles: RefCell<Table<Rc<dyn Handle>>>,
    pub(super) timers: RefCell<TimerQueue<TimerTask>>,
    pub(super) repeating: Cell<Option<Repeating>>,
    pub(super) immediates: RefCell<Table<Immediate>>,

    /// Handles with writes that have not been offered to the kernel yet.
    pub(super) unflushed: RefCell<Vec<Task>>,
    pub(super) ticks: RefCell<VecDeque<Job>>,
    /// Whether there may be something for `settle` to do.
    pub(super) unsettled: Cell<bool>,
    pub(super) pending: RefCell<VecDeque<Task>>,
    pub(super) check: RefCell<VecDeque<Key>>,
    pub(super) channels: RefCell<Table<Receiver>>,
    pub(super) closing: RefCell<Vec<Task>>,
    /// Handles that stopped though they were still ready, or became willing to read.
    pub(super) unfinished: RefCell<VecDeque<Task>>,

    /// How many handles, timers, immediates and pieces of work keep the loop alive.
    pub(super) references: Cell<usize>,
    pub(super) clock: Clock,
    /// Where this loop is in a simulated world, if it is in one.
    pub(super) seat: Option<Seat>,
    pub(super) now: Cell<u64>,
    /// As `now`, rounded up: what is waited for from here is never cut short.
    pub(super) now_rounded_up: Cell<u64>,
    /// Since when the loop has had much more memory than it needs.
    pub(super) swollen_since: Cell<Option<u64>>,
    pub(super) running: Cell<bool>,
    pub(super) stopping: Cell<bool>,
    pub(super) interruptions: Interruptions,
    pub(super) on_unhandled: RefCell<Option<Hook>>,
    pub(super) slow_calls: SlowCalls,

    pub(super) complaints: Complaints,
    pub(crate) reserve: Reserve,
    pub(crate) read_buffer: ReadBuffer,
    pub(crate) fairness: Fairness,
    pub(crate) spare_buffers: SpareBuffers,
    pub(crate) write_budget: WriteBudget,
    /// The stream whose listeners are being handed a chunk, and where that ends, as addresses.
    pub(crate) lent_to: Cell<(usize, usize)>,
    pub(crate) counters: Counters,
}

impl Loop {
    pub(crate) fn new(seat: Option<Seat>) -> Loop {
        let first = seat.map_or(0, Seat::first_generation);
        Loop {
            poller: Poller::new(seat),
            pool: Pool::new(),
            handles: RefCell::new(Table::beginning_at(first)),
            timers: RefCell::new(TimerQueue::new()),
            repeating: Cell::new(None),
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
            fairness: Fairness::default(),
            spare_buffers: SpareBuffers::new(),
            write_budget: WriteBudget::new(),
            lent_to: Cell::new((0, 0)),
            counters: Counters::default(),
        }
    }
}
