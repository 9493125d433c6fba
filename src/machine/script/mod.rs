//! A scripted world for one [`Duplex`]: a kernel that fails on demand, a loop of one socket, and a
//! witness that every promise of the machine is kept.
//!
//! ```text
//!   Op ──▶ World ── calls ──▶ Duplex ── Driver ──▶ World ──▶ Kernel    what is sent
//!            ▲                                     │
//!            └────────── reactions ◀── Witness ◀───┘                 what is seen
//! ```
//!
//! The loop does what the crate's own does with a socket, phase by phase and in the same order, with
//! the same rule for an event whose listener is running (it waits for a tick). Chunks are a few bytes
//! long, so that every limit is met within a few steps.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::{Rc, Weak};

use super::{AfterConnect, CloseKind, Driver, Duplex, Life, Signal, Tick};

mod conclusion;
mod kernel;
mod op;
mod turn;
mod user;
mod witness;

pub(super) use conclusion::Conclusion;
pub(super) use kernel::{Fault, LONGEST};
pub(super) use op::{Callback, KernelOp, Moment, Op, UserOp};

use kernel::Kernel;
use witness::Witness;

/// The high-water marks of both halves.
const HIGH_WATER_MARK: usize = 12;

/// A socket, its kernel and its loop.
pub(super) struct World {
    me: Weak<World>,
    pub(super) duplex: Duplex,
    kernel: RefCell<Kernel>,
    witness: RefCell<Witness>,
    reactions: RefCell<VecDeque<(Moment, UserOp)>>,

    ticks: RefCell<VecDeque<Job>>,
    unflushed: Cell<usize>,
    pending: Cell<usize>,
    closing: Cell<usize>,
    unfinished: Cell<usize>,
    unfinished_writes: Cell<usize>,
    readiness: Cell<Readiness>,
    /// A chunk is being handed on; what its listeners write goes out when all have returned.
    in_data: Cell<bool>,
    lent_to: Cell<usize>,

    /// What waits among the listeners of `Connect`.
    on_connect: RefCell<Vec<AfterConnect>>,
    /// A write listens for a `Close` that comes first.
    close_listener: Cell<bool>,
    /// A `connect` waits for the `Close` of the life before.
    reconnect: Cell<bool>,
    /// How the connection that is being made turns out, once the poll is to tell.
    attempt: Cell<Option<KernelOp>>,
    /// The loop has forgotten the socket.
    gone: Cell<bool>,

    listens_data: Cell<bool>,
    listens_readable: Cell<bool>,
    /// The listeners that have not returned, a bit for each event.
    running: Cell<u32>,
    /// Calls of the user's that have not returned.
    calls: Cell<u32>,
    /// Calls of `read` and `unshift` among them, which give data to a paused reader too.
    explicit_reads: Cell<u32>,
    /// Bytes that a listener of `Data` has read, which are still to come as `Data`.
    granted: Cell<usize>,
}

enum Job {
    Tick(Tick),
    Call(Box<dyn FnOnce()>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Drained,
    Readable,
    Closing,
}

impl World {
    /// A socket that has not been connected.
    pub(super) fn fresh() -> Rc<World> {
        let world = Rc::new_cyclic(|me| World {
            me: Weak::clone(me),
            duplex: Duplex::new(),
            kernel: RefCell::new(Kernel::new()),
            witness: RefCell::default(),
            reactions: RefCell::default(),
            ticks: RefCell::default(),
            unflushed: Cell::new(0),
            pending: Cell::new(0),
            closing: Cell::new(0),
            unfinished: Cell::new(0),
            unfinished_writes: Cell::new(0),
            readiness: Cell::new(Readiness::Drained),
            in_data: Cell::new(false),
            lent_to: Cell::new(0),
            on_connect: RefCell::default(),
            close_listener: Cell::new(false),
            reconnect: Cell::new(false),
            attempt: Cell::new(None),
            gone: Cell::new(false),
            listens_data: Cell::new(false),
            listens_readable: Cell::new(false),
            running: Cell::new(0),
            calls: Cell::new(0),
            explicit_reads: Cell::new(0),
            granted: Cell::new(0),
        });
        world.duplex.set_readable_high_water_mark(HIGH_WATER_MARK);
        world.duplex.set_writable_high_water_mark(HIGH_WATER_MARK);
        world
    }

    /// A socket that is connecting.
    pub(super) fn connecting() -> Rc<World> {
        let world = World::fresh();
        world.apply(Op::User(UserOp::Connect));
        world
    }

    /// An accepted socket.
    pub(super) fn open() -> Rc<World> {
        let world = World::fresh();
        world.duplex.open();
        world.duplex.start(&*world);
        world
    }

    /// Does one step, and checks what must hold after each.
    pub(super) fn apply(&self, op: Op) {
        match op {
            Op::User(call) => self.call(call),
            Op::React(moment, call) => self.reactions.borrow_mut().push_back((moment, call)),
            Op::Kernel(op) => self.kernel_does(op),
            Op::Settle => self.settle(),
            Op::Turn => self.turn(),
        }
        self.check();
        if matches!(op, Op::Settle | Op::Turn) {
            self.check_at_rest();
        }
    }

    pub(super) fn run(&self, ops: &[Op]) {
        ops.iter().for_each(|op| self.apply(*op));
    }

    /// What was seen since the last time, in words.
    #[cfg(test)]
    pub(super) fn trace(&self) -> String {
        self.witness.borrow_mut().take_trace()
    }

    /// How much the kernel has taken.
    #[cfg(test)]
    pub(super) fn sent(&self) -> u64 {
        self.kernel.borrow().sent()
    }

    /// How many system calls that took.
    #[cfg(test)]
    pub(super) fn writes(&self) -> u32 {
        self.kernel.borrow().writes()
    }

    fn kernel_does(&self, op: KernelOp) {
        let mut kernel = self.kernel.borrow_mut();
        match op {
            KernelOp::Connected | KernelOp::Refused => self.attempt.set(Some(op)),
            KernelOp::Arrive(count) => kernel.arrive(count),
            KernelOp::PeerEnds => kernel.end_by_peer(),
            KernelOp::PeerResets => kernel.reset_by_peer(),
            KernelOp::Room(room) => kernel.set_room(room),
            KernelOp::NextWrite(fault) => kernel.fail_next_write(fault),
            KernelOp::NextShutdown(kind) => kernel.fail_next_shutdown(kind),
            KernelOp::Announce => kernel.announce(),
        }
    }

    /// Every tick has been run: what is still to come is for the kernel to bring about.
    fn check_at_rest(&self) {
        let queued = self.duplex.writable_length(self) > 0;
        assert!(
            queued || !self.duplex.writable_need_drain() || self.duplex.is_errored(),
            "Drain is owed, and nothing is queued whose end would bring it"
        );
    }

    fn check(&self) {
        let life = self.duplex.life();
        let witness = self.witness.borrow();
        self.duplex.check();
        assert_eq!(witness.is_closed(), life == Life::Closed);
        if life == Life::Open {
            assert!(self.kernel.borrow().is_open());
            let spoiled = self.duplex.is_errored() || self.duplex.writable_ended();
            assert!(
                spoiled || witness.owes_drain() == self.duplex.writable_need_drain(),
                "a write returned false, so Drain is to come"
            );
        }
    }
}

/// The listeners.
impl World {
    /// The listener of `moment` is called, and does what it was told to.
    fn react(&self, moment: Moment) {
        let before = self.running.get();
        self.running.set(before | 1 << moment as u32);
        let next = {
            let mut reactions = self.reactions.borrow_mut();
            let index = reactions.iter().position(|(when, _)| *when == moment);
            index.and_then(|index| reactions.remove(index))
        };
        if let Some((_, call)) = next {
            self.call(call);
        }
        self.running.set(before);
    }

    fn is_running(&self, moment: Moment) -> bool {
        self.running.get() & 1 << moment as u32 != 0
    }

    /// Sends what the listeners of `Data` write when all that hands it on has returned.
    fn handing_on(&self, hand_on: impl FnOnce()) {
        if self.in_data.get() {
            return hand_on();
        }
        self.in_data.set(true);
        hand_on();
        self.in_data.set(false);
        self.duplex.flush(self);
    }

    /// Calls a listener; later, if it is running.
    fn emit_now_or_later(&self, moment: Moment, see: impl FnOnce(&mut Witness, &World) + 'static) {
        if !self.is_running(moment) {
            see(&mut self.witness.borrow_mut(), self);
            return self.react(moment);
        }
        let me = Weak::clone(&self.me);
        self.tick_call(Box::new(move || {
            if let Some(world) = me.upgrade().filter(|world| !world.gone.get()) {
                world.emit_now_or_later(moment, see);
            }
        }));
    }

    fn emit_plain(&self, moment: Moment, name: &'static str) {
        self.emit_now_or_later(moment, move |witness, _| witness.other_event(name));
    }
}

impl Driver for World {
    const WRITE_BUDGET: u64 = 16 * 1024;

    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.kernel.borrow_mut().write(slices)
    }

    fn shutdown(&self) -> io::Result<()> {
        let all = self.kernel.borrow().sent() == self.witness.borrow().accepted();
        assert!(all, "the end goes out before the last byte");
        self.kernel.borrow_mut().shutdown()
    }

    fn close(&self, how: CloseKind) {
        self.kernel.borrow_mut().close(how);
        self.readiness.set(Readiness::Drained);
        self.attempt.set(None);
        self.on_connect.take();
        if how == CloseKind::Reset {
            self.witness.borrow_mut().note("reset");
        }
    }

    fn close_later(&self) {
        self.closing.set(self.closing.get() + 1);
    }

    fn start_reading(&self) {
        assert!(self.kernel.borrow().is_open(), "reads a closed descriptor");
        if self.readiness.get() != Readiness::Drained {
            self.unfinished.set(self.unfinished.get() + 1);
        }
    }

    fn tick(&self, tick: Tick) {
        self.ticks.borrow_mut().push_back(Job::Tick(tick));
    }

    fn flush_later(&self) {
        if !self.in_data.get() {
            self.unflushed.set(self.unflushed.get() + 1);
        }
    }

    fn continue_writing(&self) {
        self.unfinished_writes.set(self.unfinished_writes.get() + 1);
    }

    fn write_after_pause(&self) {
        self.kernel.borrow_mut().announce();
    }

    fn shutdown_later(&self) {
        self.pending.set(self.pending.get() + 1);
    }

    fn on_connect(&self, then: AfterConnect) {
        if then == AfterConnect::Write {
            self.close_listener.set(true);
        }
        self.on_connect.borrow_mut().push(then);
    }

    fn lent_to(&self) -> &Cell<usize> {
        &self.lent_to
    }

    fn activity(&self) {}

    fn emit_data(&self, chunk: &[u8]) {
        assert!(!self.is_running(Moment::Data), "Data inside Data");
        let granted = self.granted.get();
        let allowed = self.explicit_reads.get() > 0
            || self.duplex.readable_flowing() == Some(true)
            || granted >= chunk.len();
        self.granted.set(granted.saturating_sub(chunk.len()));
        self.witness.borrow_mut().data(chunk, allowed);
        self.handing_on(|| self.react(Moment::Data));
    }

    fn emit(&self, signal: Signal<'_>) {
        match signal {
            // The same chunk comes as `Data`, too.
            Signal::Text(text) => assert!(text.is_ascii()),
            Signal::Readable if self.listens_readable.get() => {
                self.emit_plain(Moment::Readable, "readable");
                if !self.listens_readable.get() {
                    self.duplex.readable_listener_removed(self);
                }
            }
            Signal::Readable => {}
            Signal::End => {
                self.emit_now_or_later(Moment::End, |witness, _| witness.end());
            }
            Signal::Prefinish => {
                self.emit_now_or_later(Moment::Prefinish, |witness, _| witness.prefinish());
            }
            Signal::Finish => {
                self.emit_now_or_later(Moment::Finish, |witness, world| {
                    witness.finish(world.kernel.borrow().sent());
                });
            }
            Signal::Drain => {
                self.emit_now_or_later(Moment::Drain, |witness, _| witness.drain());
            }
            Signal::Pause => self.emit_plain(Moment::Pause, "pause"),
            Signal::Resume => self.emit_plain(Moment::Resume, "resume"),
            Signal::Error(error) => {
                self.witness.borrow_mut().error(error.code());
                self.react(Moment::Error);
            }
            Signal::Close { had_error } => {
                self.witness.borrow_mut().close(had_error);
                let write_listens = self.close_listener.take();
                self.react(Moment::Close);
                if write_listens {
                    self.duplex.on_closed_before_connect();
                }
                if self.reconnect.take() {
                    self.call(UserOp::Connect);
                }
            }
        }
    }

    fn has_data_listeners(&self) -> bool {
        self.listens_data.get()
    }

    fn has_readable_listeners(&self) -> bool {
        self.listens_readable.get()
    }

    fn tick_call(&self, call: Box<dyn FnOnce()>) {
        self.ticks.borrow_mut().push_back(Job::Call(call));
    }

    fn put_off(&self, _: Tick) -> bool {
        false
    }

    fn left_server(&self) {}
}
