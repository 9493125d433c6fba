//! What is to come: arrivals on the network, work of the pools, plans.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use super::end::EndId;
use super::kernel::Kernel;
use super::random::Draw;

/// What comes to pass in the kernel itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A connection request arrives, after so many that were lost.
    Syn(EndId, u32),
    /// What became of a request is known to its sender.
    Answer(EndId, bool),
    /// The third part of the handshake arrives.
    Joined(EndId),
    /// So many bytes of this end arrive at the other.
    Segment(EndId, u32),
    /// The end of this end's stream arrives at the other.
    Fin(EndId),
    /// A reset arrives here.
    Reset(EndId),
    /// There is room in the send buffer again.
    Room(EndId),
    /// The peer's window has opened.
    Window(EndId),
    /// What was sent, or asked by probes, has had no answer since before so many healings.
    GivesUp(EndId, u32),
}

/// What is called while the kernel is not borrowed.
pub(crate) enum Due {
    Work(u16, Work),
    Done(u16, Done),
    Plan(Box<dyn FnOnce()>),
}

/// A piece of work; it returns what hands its result over.
pub(crate) type Work = Box<dyn FnOnce() -> Done>;
pub(crate) type Done = Box<dyn FnOnce()>;

struct Event<T> {
    at: u64,
    /// Events of one moment come in the order in which they were planned.
    sequence: u64,
    what: T,
}

impl<T> PartialEq for Event<T> {
    fn eq(&self, other: &Event<T>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Event<T> {}

impl<T> PartialOrd for Event<T> {
    fn partial_cmp(&self, other: &Event<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Event<T> {
    /// The earliest is the greatest, which a heap has on top.
    fn cmp(&self, other: &Event<T>) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

#[derive(Default)]
pub(super) struct Schedule {
    events: BinaryHeap<Event<What>>,
    calls: BinaryHeap<Event<Due>>,
    sequence: u64,
}

impl Schedule {
    pub(super) fn at(&mut self, at: u64, what: What) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.events.push(Event { at, sequence, what });
    }

    pub(super) fn call_at(&mut self, at: u64, what: Due) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.calls.push(Event { at, sequence, what });
    }

    #[inline]
    pub(super) fn due(&mut self, now: u64) -> Option<What> {
        if self.events.peek()?.at > now {
            return None;
        }
        self.events.pop().map(|event| event.what)
    }

    pub(super) fn due_call(&mut self, now: u64) -> Option<Due> {
        if self.calls.peek()?.at > now {
            return None;
        }
        self.calls.pop().map(|event| event.what)
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<u64> {
        let event = self.events.peek().map(|event| event.at);
        let call = self.calls.peek().map(|event| event.at);
        event.into_iter().chain(call).min()
    }
}

/// The threads of the hosts' pools, none of which is a thread.
#[derive(Default)]
pub(super) struct Pools {
    /// By host: how many are at work, and what waits for one.
    busy: Vec<(usize, VecDeque<Work>)>,
    /// How long the work at hand takes, in ns; whoever does it says so.
    pub(super) spent: u64,
}

/// The longest that a piece of work waits for its thread to start, in ns.
const START: u64 = 100_000;

impl Kernel {
    /// Work for a host's pool: at once, or when a thread is free.
    pub(super) fn queue_work(&mut self, host: u16, work: Work) {
        let size = self.config.pool;
        if self.pools.busy.len() <= usize::from(host) {
            self.pools
                .busy
                .resize_with(usize::from(host) + 1, Default::default);
        }
        let (busy, waiting) = &mut self.pools.busy[usize::from(host)];
        if *busy >= size {
            return waiting.push_back(work);
        }
        *busy += 1;
        self.start_work(host, work);
    }

    fn start_work(&mut self, host: u16, work: Work) {
        let at = self
            .now
            .saturating_add(self.random.next(Draw::WorkDelay) % START);
        self.schedule.call_at(at, Due::Work(host, work));
    }

    /// Work has begun that takes as long as it has said.
    pub(super) fn work_begun(&mut self, host: u16, done: Done) {
        let at = self.now.saturating_add(self.pools.spent);
        self.schedule.call_at(at, Due::Done(host, done));
    }

    /// A thread is free.
    pub(super) fn work_done(&mut self, host: u16) {
        let Some((busy, waiting)) = self.pools.busy.get_mut(usize::from(host)) else {
            return;
        };
        match waiting.pop_front() {
            Some(work) => self.start_work(host, work),
            None => *busy = busy.saturating_sub(1),
        }
    }
}
