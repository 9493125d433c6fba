//! What a [`Socket`] handle names: the state of one socket in its loop.
//!
//! [`SocketCell`] joins the state machine, the descriptor and the listeners; [`SocketHost`] is the
//! machine's view of them while something is being done. Nothing in here is borrowed while a
//! listener runs.

use std::cell::{Cell, OnceCell, RefCell};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::rc::Rc;

use super::AbortSignal;
use super::Socket;
use super::attachments::Attachments;
use super::bound::Bound;
use super::connect::{Connecting, FailedAttempt};
use super::emitting_in_a_run;
use super::frames::Watches;
use super::idle::IdleTimeout;
use super::lifecycle;
use super::on_read::OnRead;
use super::pipe::Pipes;
use super::prepare::Prepare;
use super::server;
use super::settings::KeepAlive;
use crate::address::BlockList;
use crate::event;
use crate::events::outcome::Verdict;
use crate::events::{Event, EventEmitter, ListenerId};
use crate::kernel::unix::BoundPath;
use crate::kernel::{Stream, ledger};
use crate::machine::{AfterConnect, CloseKind, Duplex, Host, Life, Signal, Tick};
use crate::reactor::{
    self, AfterCall, Counters, Handle, HandleKind, Job, Key, Loop, Origin, Ready, Task,
};

/// How long a write rests for which the kernel had no memory.
const WRITE_PAUSE_MS: u64 = 20;

pub(crate) struct SocketCell {
    pub(crate) key: Key,
    /// Of an accepted socket, that of its server.
    origin: Origin,
    pub(crate) emitter: EventEmitter<event::Data>,
    pub(crate) duplex: Duplex,
    pub(crate) transport: RefCell<Stream>,
    /// What the poll has said and nobody has acted on.
    pub(super) readiness: Cell<Readiness>,
    /// Reading goes on in the next poll phase, unasked.
    pub(super) continuing: Cell<bool>,
    /// As `continuing`, of writing.
    continuing_to_write: Cell<bool>,
    /// Whether this socket is counted among what keeps the loop alive.
    counted: Cell<bool>,
    pub(crate) referenced: Cell<bool>,
    /// Asked for, and set once there is a connection.
    pub(crate) no_delay: Cell<bool>,
    /// A chunk is being handed on; what its listeners write goes out when all have returned.
    pub(super) in_data: Cell<bool>,
    pub(super) framed: Cell<Framed>,
    /// How many framings there are: more than one while one takes over from another.
    pub(super) framings: Cell<u16>,
    pub(super) watches: Watches,
    /// The descriptor was somebody else's, who may have kept a duplicate.
    pub(super) adopted: Cell<bool>,
    /// What is read goes to sockets only, by pipes, and none of them minds how much it is.
    pub(super) reads_much: Cell<bool>,
    /// The peer's address, as accept(2) or the connect has told it. The kernel forgets it when the peer
    /// resets the connection.
    pub(crate) remote: Cell<Option<SocketAddr>>,
    /// Whether it was asked for while there was a connection. As in Node, it is told after that only then.
    pub(super) remote_was_asked: Cell<bool>,
    pub(crate) server: Cell<Option<Key>>,
    /// Made when a timeout is first set: most sockets never have one.
    idle: OnceCell<Box<IdleTimeout>>,
    pub(super) attachments: Attachments,
    rare: RefCell<Option<Box<Rare>>>,
}

/// How many bytes one socket may send at one event, and in one turn of a write that goes on.
const WRITE_BUDGET: u64 = 512 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// A read would block, as far as is known.
    Drained,
    Readable,
    /// A short read does not mean that the next would block: the end, or an error, comes after it.
    Closing,
}

/// What a framing makes of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framed {
    /// There is none.
    No,
    /// It has delivered all of it.
    Delivered,
    /// It has not delivered some of it.
    Holding,
}

/// What most sockets never need.
#[derive(Default)]
pub(crate) struct Rare {
    pub(crate) connecting: Option<Box<Connecting>>,
    /// When it has taken too long.
    pub(crate) connect_timer: Option<Key>,
    /// Counts the lives of the socket, so that a late answer to an earlier one is known as such.
    pub(crate) connect_id: u32,
    /// An attempt that was under way when the socket was destroyed.
    pub(crate) cancelled: Option<FailedAttempt>,
    /// A descriptor that has its local address and waits to be connected.
    pub(crate) bound: Option<Bound>,
    /// The file of the local address.
    pub(crate) bound_path: Option<BoundPath>,
    pub(crate) block_list: Option<BlockList>,
    pub(crate) signal: Option<(AbortSignal, ListenerId)>,
    pub(crate) attempted: Option<Vec<String>>,
    pub(crate) keep_alive: Option<KeepAlive>,
    pub(crate) type_of_service: Option<u8>,
    /// The timer that will try to write again: no event will tell when to.
    pub(super) write_pause: Option<Key>,
    pub(crate) pipes: Pipes,
    pub(crate) on_read: Option<OnRead>,
    pub(crate) prepare: Option<Prepare>,
    /// Listens for a `Close` that comes before the connection.
    close_listener: Option<ListenerId>,
    /// What waits for the connection, among the listeners of `Connect`.
    connect_listeners: Vec<ListenerId>,
}

impl Rare {
    pub(crate) fn is_aborted(&self) -> bool {
        let signal = self.signal.as_ref();
        signal.is_some_and(|(signal, _)| signal.aborted())
    }
}

impl SocketCell {
    /// Puts a socket into the loop.
    pub(crate) fn insert(event_loop: &Loop, transport: Stream, origin: Origin) -> Rc<SocketCell> {
        event_loop.insert(|key| SocketCell {
            key,
            origin,
            emitter: EventEmitter::preferring(),
            duplex: Duplex::new(),
            transport: RefCell::new(transport),
            readiness: Cell::new(Readiness::Drained),
            continuing: Cell::new(false),
            continuing_to_write: Cell::new(false),
            counted: Cell::new(false),
            referenced: Cell::new(true),
            no_delay: Cell::new(false),
            in_data: Cell::new(false),
            framed: Cell::new(Framed::No),
            framings: Cell::new(0),
            watches: Watches::default(),
            adopted: Cell::new(false),
            reads_much: Cell::new(false),
            remote: Cell::new(None),
            remote_was_asked: Cell::new(false),
            server: Cell::new(None),
            idle: OnceCell::new(),
            attachments: Attachments::default(),
            rare: RefCell::new(None),
        })
    }

    /// As `find`, in the loop's table.
    pub(super) fn look_up(event_loop: &Loop, key: Key) -> Option<Rc<SocketCell>> {
        let handle: Rc<dyn std::any::Any> = event_loop.handle(key)?;
        handle.downcast().ok()
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn handle(&self) -> Socket {
        Socket::from_key(self.key)
    }

    pub(crate) fn with_rare<R>(&self, f: impl FnOnce(&mut Rare) -> R) -> R {
        f(self.rare.borrow_mut().get_or_insert_default())
    }

    /// As `with_rare`, for a socket that may have nothing rare.
    pub(crate) fn rare<R>(&self, f: impl FnOnce(&mut Rare) -> R) -> Option<R> {
        self.rare.borrow_mut().as_deref_mut().map(f)
    }

    /// The idle timeout, if one was ever set.
    pub(crate) fn idle(&self) -> Option<&IdleTimeout> {
        self.idle.get().map(|idle| &**idle)
    }

    pub(crate) fn idle_or_new(&self) -> &IdleTimeout {
        self.idle.get_or_init(Box::default)
    }

    /// Registers the descriptor, as an accepted or adopted socket does.
    pub(crate) fn register(&self, event_loop: &Loop) -> io::Result<()> {
        // Out of its cell meanwhile: mio writes to the log, and a logger may come back to this socket.
        let mut transport = self.transport.replace(Stream::None);
        let registered = event_loop.register(transport.watched(), self.key);
        if !self.duplex.is_destroyed() {
            self.transport.replace(transport);
        }
        registered
    }

    /// The local address, which a socket can have before it is connected.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        let connected = self.transport.borrow().local_address();
        connected.or_else(|| {
            let address = |rare: &mut Rare| rare.bound.as_ref()?.socket.local_address().ok()?;
            self.rare(address).flatten()
        })
    }

    /// The remote address while it can be had, and later if it was asked for before.
    pub(crate) fn remote_address(&self) -> Option<SocketAddr> {
        if self.duplex.life() != Life::Open {
            return self.remote.get().filter(|_| self.remote_was_asked.get());
        }
        if self.remote.get().is_none() {
            self.remote.set(self.transport.borrow().remote_address());
        }
        self.remote_was_asked.set(true);
        self.remote.get()
    }

    fn is_alive(&self) -> bool {
        if self.duplex.life() == Life::Open {
            return self.referenced.get() && self.duplex.wants_read() || self.duplex.is_writing();
        }
        self.duplex.life() == Life::Connecting && !self.transport.borrow().is_none()
    }
}

impl Handle for SocketCell {
    fn ready(self: Rc<Self>, event_loop: &Loop, key: Key, ready: Ready) {
        let host = SocketHost {
            event_loop,
            cell: &self,
        };
        if self.duplex.life() == Life::Connecting {
            host.connection_ready(ready);
            event_loop.settle();
        }
        // It was of a descriptor that is gone, or of an attempt that goes on.
        if self.duplex.life() != Life::Open {
            return host.update_alive();
        }
        if ready.closed {
            self.readiness.set(Readiness::Closing);
        } else if ready.readable && self.readiness.get() == Readiness::Drained {
            self.readiness.set(Readiness::Readable);
        }
        // Its turn comes later in this phase, if it is to go on from the last one.
        if !self.continuing.get() {
            host.read_ready();
        }
        if ready.writable && self.duplex.is_writing() && !self.continuing_to_write.get() {
            if event_loop.is_interrupted() {
                event_loop.redeliver(key, ready);
            } else {
                self.duplex.on_writable(&host);
                event_loop.settle();
            }
        }
        host.update_alive();
    }

    fn kind(&self) -> HandleKind {
        HandleKind::Socket(self.key)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn keeps_alive(&self) -> bool {
        self.counted.get()
    }

    #[cfg(feature = "sim")]
    fn waits(&self) -> (bool, bool) {
        self.awaits()
    }

    #[cfg(feature = "sim")]
    fn owes(&self) -> Option<&'static str> {
        self.duplex.owes_drain().then_some("`Drain`")
    }

    #[cfg(feature = "sim")]
    fn account(&self) -> Option<String> {
        self.describe()
    }
}

/// A socket while something is being done with it.
pub(crate) struct SocketHost<'a> {
    pub(crate) event_loop: &'a Loop,
    pub(crate) cell: &'a Rc<SocketCell>,
}

emitting_in_a_run!(SocketHost of Socket);

impl SocketHost<'_> {
    /// Does something with a socket that is still there, and accounts for what that changed.
    pub(crate) fn with<R>(key: Key, f: impl FnOnce(&SocketHost<'_>) -> R) -> Option<R> {
        reactor::with(|event_loop| SocketHost::on(event_loop, key, f)).flatten()
    }

    pub(crate) fn on<R>(
        event_loop: &Loop,
        key: Key,
        f: impl FnOnce(&SocketHost<'_>) -> R,
    ) -> Option<R> {
        let cell = SocketCell::find(event_loop, key)?;
        let host = SocketHost {
            event_loop,
            cell: &cell,
        };
        let result = f(&host);
        host.update_alive();
        Some(result)
    }

    /// Counts the socket among what keeps the loop alive, or not any more.
    pub(crate) fn update_alive(&self) {
        let alive = self.cell.is_alive();
        let before = self.cell.counted.replace(alive);
        self.event_loop.recount(before, alive);
    }

    pub(super) fn task(&self, run: fn(&Loop, Key)) -> Task {
        Task::new(self.cell.key, run)
    }

    /// A listener or a callback has returned an error, and takes the socket with it.
    #[cold]
    pub(super) fn listener_failed(&self, error: crate::Error) {
        if self.cell.duplex.is_destroyed() {
            super::told_too_late(&error);
        } else {
            self.cell.duplex.destroy(self, Some(error));
        }
    }

    /// As `listener_failed`, of a listener of `E`.
    #[cold]
    pub(super) fn listener_of_failed<E: Event>(&self, _: E::Payload<'_>, error: crate::Error) {
        self.listener_failed(error);
    }

    /// Emits an event, later if one of its listeners is still running: it could not be called now.
    pub(crate) fn emit_value<E, V>(&self, event: E, value: V)
    where
        E: for<'p> Event<Payload<'p> = V> + Copy,
        V: Copy + 'static,
        Socket: event::Emits<E>,
    {
        if self.event_loop.is_interrupted() {
            return self.in_next_run(move |host| host.emit_value(event, value));
        }
        if !self.cell.emitter.is_running(event) {
            self.emit_to(event, value);
            return;
        }
        let key = self.cell.key;
        self.tick_call(Box::new(move || {
            SocketHost::with(key, |host| host.emit_value(event, value));
        }));
    }

    /// Emits `Readable`, and sees that a `once` listener has gone by that.
    fn emit_readable(&self) {
        if self.event_loop.is_interrupted() {
            return self.in_next_run(|host| host.emit_readable());
        }
        let emitter = &self.cell.emitter;
        let before = emitter.listener_count(event::Readable);
        self.emit_value(event::Readable, ());
        if emitter.listener_count(event::Readable) < before {
            self.cell.duplex.readable_listener_removed(self);
        }
    }

    /// What waited for a connection that never came must not meet that of the socket's next life.
    fn forget_connect_listeners(&self) {
        let listeners = self
            .cell
            .rare(|rare| std::mem::take(&mut rare.connect_listeners));
        for id in listeners.into_iter().flatten() {
            self.cell.emitter.remove_listener(id);
        }
    }

    /// Takes the descriptor out of the loop.
    pub(crate) fn detach(&self) -> io::Result<Stream> {
        // Out of its cell, as in `register`.
        let mut transport = self.cell.transport.replace(Stream::None);
        let deregistered = self.event_loop.deregister(transport.watched());
        if let Err(error) = deregistered {
            self.cell.transport.replace(transport);
            return Err(error);
        }
        self.cell.readiness.set(Readiness::Drained);
        Ok(transport)
    }

    /// The closing phase has come to this socket.
    fn close_now(&self) {
        self.cell.rare(|rare| {
            if let Some((signal, listener)) = &rare.signal {
                signal.remove_listener(*listener);
            }
        });
        self.tell_of_cancelled_attempt();
        self.cell.duplex.cancel_write();
        // A listener of `Close` must find the socket where it was.
        if self.event_loop.is_interrupted() {
            return self.in_next_run(|host| host.close_now());
        }
        self.cell.duplex.on_closed(self);
        // A listener of `Close` may have connected it again.
        if self.cell.duplex.life() == Life::Closed {
            self.update_alive();
            self.event_loop.remove(self.cell.key);
            self.discard_what_is_the_users();
        }
    }

    /// Whatever the last copy of the cell is dropped in, it has no destructor of the user's left.
    fn discard_what_is_the_users(&self) {
        self.event_loop.discard(self.cell.emitter.take_all());
        let rare = self.cell.rare.take();
        if let Some(mut rare) = rare {
            let pipes = std::mem::take(&mut rare.pipes);
            self.event_loop.call(move || pipes.forget());
            self.event_loop.discard(rare);
        }
    }
}

impl Host for SocketHost<'_> {
    const WRITE_BUDGET: u64 = WRITE_BUDGET;

    #[inline(always)]
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let counters = &self.event_loop.counters;
        Counters::add(&counters.writes, 1);
        let written = self.cell.transport.borrow().write(slices)?;
        Counters::add(&counters.bytes_written, written as u64);
        ledger::sent(self.cell.key, slices, written);
        Ok(written)
    }

    #[inline]
    fn accepts(&self, bytes: &[u8]) {
        ledger::accepted(self.cell.key, bytes);
    }

    fn shutdown(&self) -> io::Result<()> {
        ledger::ending(self.cell.key);
        self.cell.transport.borrow().shutdown()
    }

    fn close(&self, how: CloseKind) {
        if let Some(idle) = self.cell.idle() {
            idle.clear(self.event_loop);
        }
        self.abandon_attempts();
        self.forget_connect_listeners();
        // Before the descriptor, as libuv: whoever comes meanwhile finds nobody, not somebody deaf.
        drop(self.cell.rare(|rare| rare.bound_path.take()));
        let pause = self.cell.rare(|rare| rare.write_pause.take());
        if let Some(timer) = pause.flatten() {
            self.event_loop.clear_timer(timer);
        }
        let mut transport = self.cell.transport.replace(Stream::None);
        if how == CloseKind::Reset {
            self.reset_on_close(&transport);
        }
        self.cell.readiness.set(Readiness::Drained);
        if self.cell.adopted.replace(false) {
            // By a duplicate the poll would go on to tell of it.
            let _gone = self.event_loop.deregister(transport.watched());
        }
        drop(transport);
        if self.cell.duplex.had_descriptor() {
            self.event_loop.close_later(self.task(|event_loop, key| {
                SocketHost::on(event_loop, key, |host| host.close_now());
            }));
        }
    }

    fn start_reading(&self) {
        if self.cell.readiness.get() != Readiness::Drained {
            self.continue_reading();
        }
    }

    fn tick(&self, tick: Tick) {
        macro_rules! task {
            ($($name:ident),*) => {
                match tick {
                    $(Tick::$name => self.task(|event_loop, key| {
                        SocketHost::on(event_loop, key, |host| {
                            host.cell.duplex.on_tick(host, Tick::$name);
                        });
                    }),)*
                    Tick::Closed => self.task(|event_loop, key| {
                        SocketHost::on(event_loop, key, |host| host.close_now());
                    }),
                }
            };
        }
        let task = task!(
            AfterWrite,
            Drained,
            WriteFailed,
            FailQueued,
            Finish,
            Resume,
            Readable,
            ReadMore,
            ReadZero,
            ReadableListening,
            EndReadable,
            EndWritable,
            Destroyed,
            Flow
        );
        self.event_loop.next_tick(Job::Task(task));
    }

    #[inline]
    fn flush_later(&self) {
        if self.cell.in_data.get() {
            return;
        }
        self.event_loop.flush_later(self.task(|event_loop, key| {
            SocketHost::on(event_loop, key, |host| host.cell.duplex.flush(host));
        }));
    }

    #[inline(never)]
    fn continue_writing(&self) {
        if self.cell.continuing_to_write.replace(true) {
            return;
        }
        self.event_loop.continue_later(self.task(|event_loop, key| {
            SocketHost::on(event_loop, key, |host| {
                host.cell.continuing_to_write.set(false);
                if host.cell.duplex.life() == Life::Open {
                    host.cell.duplex.on_writable(host);
                    event_loop.settle();
                }
            });
        }));
    }

    fn write_after_pause(&self) {
        if self.cell.with_rare(|rare| rare.write_pause.is_some()) {
            return;
        }
        let key = self.cell.key;
        let again = move |_| {
            SocketHost::with(key, |host| {
                host.cell.rare(|rare| rare.write_pause = None);
                host.cell.duplex.on_writable(host);
            });
            Verdict::Fine
        };
        let timer = self.event_loop.set_timer(
            WRITE_PAUSE_MS,
            AfterCall::Removed,
            Box::new(again),
            self.cell.origin,
        );
        // A write that waits keeps the loop alive by itself.
        self.event_loop.set_timer_referenced(timer, false);
        self.cell.with_rare(|rare| rare.write_pause = Some(timer));
    }

    fn shutdown_later(&self) {
        self.event_loop.pend(self.task(|event_loop, key| {
            SocketHost::on(event_loop, key, |host| host.cell.duplex.on_shutdown(host));
        }));
    }

    fn on_connect(&self, then: AfterConnect) {
        let key = self.cell.key;
        if then == AfterConnect::Write {
            let id = self.cell.emitter.add_once_listener(event::Close, move |_| {
                SocketHost::with(key, |host| host.cell.duplex.on_closed_before_connect());
            });
            self.cell.with_rare(|rare| rare.close_listener = Some(id));
        }
        let id = self
            .cell
            .emitter
            .add_once_listener(event::Connect, move |()| {
                SocketHost::with(key, |host| {
                    host.cell.with_rare(|rare| rare.connect_listeners.clear());
                    if then == AfterConnect::Write
                        && let Some(id) = host.cell.with_rare(|rare| rare.close_listener.take())
                    {
                        host.cell.emitter.remove_listener(id);
                    }
                    host.cell.duplex.on_connected(host, then);
                });
            });
        self.cell.with_rare(|rare| rare.connect_listeners.push(id));
    }

    fn activity(&self) {
        if let Some(idle) = self.cell.idle() {
            idle.activity(self.event_loop);
        }
    }

    fn lent_to(&self) -> &Cell<usize> {
        &self.event_loop.lent_to
    }

    fn received(&self) {
        // Of a framed socket not every byte is an activity, and the framing says which are.
        if self.cell.framed.get() == Framed::No {
            self.activity();
        }
    }

    // The machine always names the signal: of this, one arm remains wherever it is called.
    #[inline(always)]
    fn emit(&self, signal: Signal<'_>) {
        match signal {
            Signal::Data(data) => self.emit_data(data),
            Signal::Text(text) => {
                self.emit_lent(event::Text, text);
            }
            Signal::Readable => self.emit_readable(),
            Signal::End => {
                lifecycle::peer_has_ended(self);
                self.end_frames();
                self.emit_value(event::End, ());
            }
            Signal::Prefinish => self.emit_value(event::Prefinish, ()),
            Signal::Finish => {
                lifecycle::has_finished(self);
                self.emit_value(event::Finish, ());
            }
            Signal::Drain => self.emit_value(event::Drain, ()),
            Signal::Pause => self.emit_value(event::Pause, ()),
            Signal::Resume => {
                self.emit_value(event::Resume, ());
                self.deliver_frames();
            }
            Signal::Error(error) => self.emit_error(error),
            Signal::Close { had_error } => {
                lifecycle::has_closed(self);
                self.close_frames();
                self.emit_to(event::Close, had_error);
            }
        }
    }

    fn has_data_listeners(&self) -> bool {
        let emitter = &self.cell.emitter;
        emitter.listener_count(event::Data) > 0 || emitter.listener_count(event::Text) > 0
    }

    fn has_readable_listeners(&self) -> bool {
        self.cell.emitter.listener_count(event::Readable) > 0
    }

    fn tick_call(&self, call: Box<dyn FnOnce()>) {
        self.event_loop.next_tick(Job::Call(call));
    }

    fn put_off(&self, tick: Tick) -> bool {
        let interrupted = self.event_loop.is_interrupted();
        if interrupted {
            self.in_next_run(move |host| host.cell.duplex.on_tick(host, tick));
        }
        interrupted
    }

    fn left_server(&self) {
        if let Some(server) = self.cell.server.get() {
            server::connection_left(self.event_loop, server);
        }
    }
}
