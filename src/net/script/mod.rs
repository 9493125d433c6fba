//! Scripts: one socket, step by step, on a simulated kernel that fails on demand, with a witness that every promise
//! is kept.
//!
//! ```text
//!   Op ── a call ────────▶ Socket ── driver, machine, loop ──▶ kernel ──▶ peer    what is sent
//!    │                       │                                   ▲         │
//!    ├── the kernel's ───────┼───────────────────────────────────┘◀────────┤       what arrives
//!    │                       ▼                                             │
//!    └── reactions ◀── listeners ──▶ Witness ◀─────────────────────────────┘       what is seen
//! ```
//!
//! Everything between the socket's methods and the kernel is the crate itself: the loop with the phases of its turn, the
//! driver, the machine, and how they read, connect, emit and close. A script turns that loop by hand. Its buffer
//! holds 64 bytes, so that a chunk has 8 and every limit is met within a few steps.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::rc::{Rc, Weak};

use crate::error::Error;
use crate::event;
use crate::events::ListenerId;
use crate::kernel::Ready;
use crate::kernel::sim::peer::Outside;
use crate::kernel::sim::scripted::{self, Written};
use crate::machine::{Duplex, Life};
use crate::net::driver::socket::SocketDriver;
use crate::net::{Socket, SocketOptions, StdStream};
use crate::reactor::Loop;

mod bytes;
mod conclusion;
mod op;
mod plan;
#[cfg(test)]
mod tests;
mod user;
mod witness;

pub use plan::stream_machine;

use bytes::{incoming, outgoing};
#[cfg(test)]
use conclusion::Conclusion;
#[cfg(test)]
use op::Callback;
use op::{Fault, KernelOp, Moment, Op, UserOp};
use witness::Witness;

/// The high-water marks of both halves.
const HIGH_WATER_MARK: usize = 12;

/// What one event reads, an eighth of which is a chunk.
const READ_BUDGET: usize = 64;

/// What one event sends.
const WRITE_BUDGET: u64 = 16 * 1024;

/// Where the peers are.
const PEER: (&str, u16) = ("10.0.0.66", 80);

/// A socket, its loop, and what the script knows of its kernel.
struct World {
    me: Weak<World>,
    socket: Socket,
    event_loop: Rc<Loop>,
    /// The other end of the connection, from the first attempt to connect on.
    peer: RefCell<Option<Outside>>,
    /// What it is to do once it is there.
    before_peer: RefCell<Vec<KernelOp>>,
    /// What becomes of the attempt to connect, once it has begun.
    answer: Cell<Option<bool>>,
    /// How much the peer has sent, and how much it has got.
    arrived: Cell<u64>,
    received: Cell<u64>,
    peer_ended: Cell<bool>,

    witness: RefCell<Witness>,
    reactions: RefCell<VecDeque<(Moment, UserOp)>>,
    /// A `connect` waits for the `Close` of the life before.
    reconnect: Cell<bool>,
    listens_data: Cell<bool>,
    listens_readable: RefCell<Vec<ListenerId>>,
    listens_finish: RefCell<Vec<ListenerId>>,
    /// A listener of `Data` has not returned.
    in_data: Cell<bool>,
    /// Calls of the user's that have not returned.
    calls: Cell<u32>,
    /// Calls of `read` and `unshift` among them, which give data to a paused reader too.
    explicit_reads: Cell<u32>,
    /// Bytes that a listener of `Data` has read, which are still to come as `Data`.
    granted: Cell<usize>,
}

impl World {
    /// A socket that has not been connected.
    fn fresh() -> Rc<World> {
        let event_loop = begin();
        World::of(event_loop, Socket::new_with(options()))
    }

    /// A socket that is connecting.
    fn connecting() -> Rc<World> {
        let world = World::fresh();
        world.apply(Op::User(UserOp::Connect));
        world
    }

    /// A socket of a connection that is up.
    fn open() -> Rc<World> {
        let event_loop = begin();
        let stream = crate::kernel::sim::Descriptor::tcp(false);
        let stream = stream.and_then(Result::ok).expect("a descriptor");
        let _in_progress = stream.connect(([10, 0, 0, 66], PEER.1).into());
        scripted::answer(true);
        let stream = StdStream::of_world(stream);
        let socket = Socket::from_std_with(stream, options()).expect("nothing fails");
        // As of a socket that the crate has made: nobody has a duplicate.
        SocketDriver::with(socket.key(), |driver| {
            driver.state.bits.was_shown().set(false);
        });
        let world = World::of(event_loop, socket);
        world.meet_peer();
        world
    }

    fn of(event_loop: Rc<Loop>, socket: Socket) -> Rc<World> {
        let world = Rc::new_cyclic(|me| World {
            me: Weak::clone(me),
            socket,
            event_loop,
            peer: RefCell::default(),
            before_peer: RefCell::default(),
            answer: Cell::new(None),
            arrived: Cell::new(0),
            received: Cell::new(0),
            peer_ended: Cell::new(false),
            witness: RefCell::default(),
            reactions: RefCell::default(),
            reconnect: Cell::new(false),
            listens_data: Cell::new(false),
            listens_readable: RefCell::default(),
            listens_finish: RefCell::default(),
            in_data: Cell::new(false),
            calls: Cell::new(0),
            explicit_reads: Cell::new(0),
            granted: Cell::new(0),
        });
        world.listen();
        world
    }

    /// Does one step, and checks what must hold after each.
    fn apply(&self, op: Op) {
        scripted::stepped();
        self.event_loop.step(|| match op {
            Op::User(call) => self.call(call),
            Op::React(moment, call) => self.reactions.borrow_mut().push_back((moment, call)),
            Op::Kernel(op) => self.kernel_does(op),
            Op::Settle => self.event_loop.settle(),
            Op::Turn => {
                self.event_loop.settle();
                self.meet_peer();
                self.event_loop.step_turn();
            }
        });
        self.check();
        if matches!(op, Op::Settle | Op::Turn) {
            self.meet_peer();
            self.check_at_rest();
        }
    }

    fn run(&self, ops: &[Op]) {
        ops.iter().for_each(|op| self.apply(*op));
    }

    /// What was seen since the last time, in words.
    #[cfg(test)]
    fn trace(&self) -> String {
        self.witness.borrow_mut().take_trace()
    }

    /// How much the kernel has taken.
    #[cfg(test)]
    fn sent(&self) -> u64 {
        scripted::taken()
    }

    /// How many system calls that took.
    #[cfg(test)]
    fn writes(&self) -> u32 {
        scripted::calls()
    }

    fn duplex<R: Default>(&self, ask: impl FnOnce(&Duplex) -> R) -> R {
        SocketDriver::with(self.socket.key(), |driver| ask(&driver.state.duplex))
            .unwrap_or_default()
    }

    /// `Closed` once the loop has forgotten the socket.
    fn life(&self) -> Life {
        self.duplex(|duplex| Some(duplex.life()))
            .unwrap_or(Life::Closed)
    }

    /// The loop has forgotten the socket.
    fn is_gone(&self) -> bool {
        SocketDriver::with(self.socket.key(), |_| ()).is_none()
    }

    /// Every tick has been run: what is still to come is for the kernel to bring about.
    fn check_at_rest(&self) {
        let owes_drain = self.duplex(|duplex| duplex.writable_need_drain() && !duplex.is_errored());
        assert!(
            !owes_drain || self.socket.writable_length() > 0,
            "Drain is owed, and nothing is queued whose end would bring it"
        );
    }

    fn check(&self) {
        let problems = scripted::problems();
        assert!(problems.is_empty(), "{problems:#?}");
        let witness = self.witness.borrow();
        let life = self.duplex(|duplex| {
            duplex.check();
            let is_sound = !duplex.is_errored() && !duplex.writable_ended();
            assert!(
                duplex.life() != Life::Open
                    || !is_sound
                    || witness.owes_drain() == duplex.writable_need_drain(),
                "a write returned false, so Drain is to come"
            );
            Some(duplex.life())
        });
        assert_eq!(
            witness.is_closed(),
            life.is_none_or(|life| life == Life::Closed)
        );
    }
}

/// The kernel and the peer.
impl World {
    fn kernel_does(&self, op: KernelOp) {
        match op {
            KernelOp::Connected | KernelOp::Refused => {
                self.answer.set(Some(op == KernelOp::Connected));
            }
            KernelOp::Arrive(_) | KernelOp::PeerEnds | KernelOp::PeerResets
                if self.peer.borrow().is_none()
                    && matches!(self.life(), Life::Fresh | Life::Connecting) =>
            {
                self.before_peer.borrow_mut().push(op);
            }
            KernelOp::Arrive(count) => self.arrive(count),
            KernelOp::PeerEnds => {
                if let Some(peer) = &*self.peer.borrow() {
                    self.peer_ended.set(peer.shutdown().is_ok());
                    self.see(Witness::peer_ended);
                }
            }
            KernelOp::PeerResets => {
                if let Some(peer) = self.peer.take() {
                    peer.reset();
                }
            }
            KernelOp::Room(room) => scripted::set_room(room),
            KernelOp::NextWrite(fault) => scripted::on_next_write(match fault {
                Fault::Short(most) => Written::Short(most),
                Fault::WouldBlock => Written::Short(0),
                Fault::Interrupted => Written::Fails(number(ErrorKind::Interrupted)),
                Fault::Fail(kind) => Written::Fails(number(kind)),
            }),
            KernelOp::NextShutdown(kind) => scripted::fail_next_shutdown(number(kind)),
            KernelOp::Announce => self.announce(),
        }
    }

    fn arrive(&self, count: usize) {
        if let Some(peer) = &*self.peer.borrow()
            && !self.peer_ended.get()
        {
            let bytes = incoming(self.arrived.get(), count);
            let sent = peer.write(&bytes).unwrap_or(0);
            self.arrived.set(self.arrived.get() + sent as u64);
            self.witness.borrow_mut().was_sent(&bytes[..sent]);
        }
    }

    fn announce(&self) {
        if self.life() == Life::Open {
            let ready = Ready {
                readable: true,
                writable: true,
                closed: self.peer_ended.get() || self.peer.borrow().is_none(),
            };
            self.event_loop.redeliver(self.socket.key(), ready);
        }
    }

    /// The peer takes what has come, and a connection that has begun has its answer.
    fn meet_peer(&self) {
        if let Some(peer) = scripted::take_peer() {
            self.peer.replace(Some(peer));
            for op in self.before_peer.take() {
                self.kernel_does(op);
            }
        }
        if scripted::has_begun()
            && let Some(is_accepted) = self.answer.take()
        {
            scripted::answer(is_accepted);
            if !is_accepted {
                self.peer.take();
            }
        }
        if scripted::taken() == self.received.get() {
            return;
        }
        let mut buffer = [0; 4096];
        while let Some(Ok(count @ 1..)) = self
            .peer
            .borrow()
            .as_ref()
            .map(|peer| peer.read(&mut buffer))
        {
            let expected = outgoing(self.received.get(), count);
            assert!(
                buffer[..count] == *expected,
                "other bytes are sent than were written, after {}",
                self.received.get()
            );
            self.received.set(self.received.get() + count as u64);
        }
    }

    /// The connection that comes next knows nothing of this one.
    fn begin_again(&self) {
        self.witness.borrow_mut().begin_again();
        scripted::begin_again();
        self.peer.take();
        self.before_peer.take();
        self.answer.set(None);
        self.arrived.set(0);
        self.received.set(0);
        self.peer_ended.set(false);
    }
}

/// The listeners.
impl World {
    fn listen(&self) {
        let socket = self.socket;
        socket.on(
            event::Connect,
            self.on(|world, ()| {
                world.see(|witness| witness.other_event("connect"));
                world.react(Moment::Connect);
            }),
        );
        socket.on(
            event::End,
            self.on(|world, ()| {
                if !world.listens_data.get() {
                    world.forget_what_was_missed();
                }
                world.see(Witness::end);
                world.react(Moment::End);
            }),
        );
        let prefinish = self.on(|world, ()| {
            world.see(Witness::prefinish);
            world.react(Moment::Prefinish);
        });
        let finish = self.on(|world, ()| {
            world.see(|witness| witness.finish(scripted::taken()));
            world.react(Moment::Finish);
        });
        self.listens_finish.replace(vec![
            socket.add_listener(event::Prefinish, prefinish),
            socket.add_listener(event::Finish, finish),
        ]);
        socket.on(
            event::Drain,
            self.on(|world, ()| {
                world.see(Witness::drain);
                world.react(Moment::Drain);
            }),
        );
        socket.on(
            event::Pause,
            self.on(|world, ()| {
                world.see(|witness| witness.other_event("pause"));
                world.react(Moment::Pause);
            }),
        );
        socket.on(
            event::Resume,
            self.on(|world, ()| {
                world.see(|witness| witness.other_event("resume"));
                world.react(Moment::Resume);
            }),
        );
        let me = Weak::clone(&self.me);
        socket.on(event::Error, move |error: &Error| {
            let Some(world) = me.upgrade() else { return };
            world.see(|witness| witness.error(error.code()));
            world.react(Moment::Error);
        });
        socket.on(
            event::Close,
            self.on(|world, had_error| {
                world.see(|witness| witness.close(had_error));
                world.react(Moment::Close);
                // Among the listeners after this one, that of the connect.
                if world.reconnect.take() {
                    world.begin_again();
                }
            }),
        );
    }

    fn on<P>(&self, listener: fn(&World, P)) -> impl FnMut(P) + use<P> {
        let me = Weak::clone(&self.me);
        move |payload| {
            if let Some(world) = me.upgrade() {
                listener(&world, payload);
            }
        }
    }

    fn see(&self, see: impl FnOnce(&mut Witness)) {
        see(&mut self.witness.borrow_mut());
    }

    /// The listener of `moment` is called, and does what it was told to.
    fn react(&self, moment: Moment) {
        let next = {
            let mut reactions = self.reactions.borrow_mut();
            let index = reactions.iter().position(|(when, _)| *when == moment);
            index.and_then(|index| reactions.remove(index))
        };
        if let Some((_, call)) = next {
            self.call(call);
        }
    }

    fn on_data(&self, chunk: &[u8]) {
        assert!(!self.in_data.replace(true), "Data inside Data");
        let granted = self.granted.get();
        let allowed = self.explicit_reads.get() > 0
            || self.socket.readable_flowing() == Some(true)
            || granted >= chunk.len();
        self.granted.set(granted.saturating_sub(chunk.len()));
        self.see(|witness| witness.data(chunk, allowed));
        self.react(Moment::Data);
        self.in_data.set(false);
    }
}

/// A loop in a world of its own, with short budgets.
fn begin() -> Rc<Loop> {
    let event_loop = scripted::begin();
    event_loop.read_buffer.shrink(READ_BUDGET);
    event_loop.write_budget.set(WRITE_BUDGET);
    event_loop
}

fn options() -> SocketOptions {
    SocketOptions::new().high_water_mark(HIGH_WATER_MARK)
}

fn number(kind: ErrorKind) -> i32 {
    scripted::number(match kind {
        ErrorKind::BrokenPipe => "EPIPE",
        ErrorKind::ConnectionReset => "ECONNRESET",
        ErrorKind::Interrupted => "EINTR",
        ErrorKind::NotConnected => "ENOTCONN",
        ErrorKind::OutOfMemory => "ENOMEM",
        ErrorKind::PermissionDenied => "EPERM",
        other => panic!("no errno is known for {other:?}"),
    })
}
