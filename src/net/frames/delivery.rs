//! From the chunks of a socket to the listener of its frames.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::clock::Clock;
use super::control::{OnError, Rest};
use crate::error::Error;
use crate::event;
use crate::events::ListenerId;
use crate::events::Outcome;
use crate::events::outcome::Verdict;
use crate::framing::{Flow, Format, FrameError, FrameReader, Item, Reading};
use crate::kernel::ledger;
use crate::machine::Driver;
use crate::net::driver::socket::SocketDriver;
use crate::net::state::socket::Framed;
use crate::net::values::handle::Socket;
use crate::reactor;
use crate::timers;

/// How many frames of one socket are delivered before others get their turn.
const FRAMES_PER_TURN: usize = 1024;

/// One per socket that is framed. It is taken out while frames are delivered.
pub(super) struct Source<F: Format, L> {
    pub(super) reader: FrameReader<F>,
    listener: L,
}

pub(super) struct Framing<F: Format, L> {
    pub(super) socket: Socket,
    pub(super) source: Cell<Option<Box<Source<F, L>>>>,
    pub(super) clock: Clock,
    pub(super) on_error: Cell<Option<OnError>>,
    listeners: Cell<Option<[ListenerId; 4]>>,
    /// The descriptor is not read because of this framing.
    holds: Cell<bool>,
    /// So many bytes wait with the socket, which was paused in front of them.
    put_back: Cell<usize>,
    /// The peer has ended.
    ended: Cell<bool>,
    /// What came from inside of the listener, by `unshift`.
    came_inside: RefCell<Vec<u8>>,
}

/// Whoever removes all of its listeners ends a framing as well, and gives up what it holds.
impl<F: Format, L> Drop for Framing<F, L> {
    fn drop(&mut self) {
        if self.source.take().is_some() {
            SocketDriver::with(self.socket.key(), |driver| {
                note(driver, Framed::No);
                if self.holds.get() {
                    ledger::read_otherwise(self.socket.key());
                    driver.state.duplex.throw_away(self.put_back.get());
                    driver.state.duplex.hold(driver, false);
                }
            });
        }
    }
}

/// Notes what a framing has of the socket's bytes. The end of a frame that is held may be the peer's end.
fn note(driver: &SocketDriver<'_>, framed: Framed) {
    driver.state.framed.set(framed);
    driver.state.duplex.let_end_wait(framed == Framed::Holding);
}

/// Why delivering stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    No,
    ByListener,
    /// By a listener that was told of a bad frame.
    Refused,
    /// Also by who has destroyed the socket, or has failed, which destroys it.
    Paused,
    OutOfTurn,
}

/// How it went, and what was not read of the chunk.
struct Delivered<'c> {
    outcome: Result<Flow, FrameError>,
    stopped: Stopped,
    /// What the listener has returned.
    failed: Option<Error>,
    items: usize,
    rest: &'c [u8],
}

impl<F, L, R> Framing<F, L>
where
    F: Format + 'static,
    L: FnMut(Item<'_>, Reading<'_, F>) -> R + 'static,
    R: Outcome,
{
    pub(super) fn begin(socket: Socket, reader: FrameReader<F>, listener: L) -> Rc<Self> {
        let framing = Rc::new(Framing {
            socket,
            source: Cell::new(Some(Box::new(Source { reader, listener }))),
            clock: Clock::default(),
            on_error: Cell::new(None),
            listeners: Cell::new(None),
            holds: Cell::new(false),
            put_back: Cell::new(0),
            ended: Cell::new(false),
            came_inside: RefCell::new(Vec::new()),
        });
        SocketDriver::with(socket.key(), |driver| note(driver, Framed::Delivered));
        let [data, end, resumed, closed] = std::array::from_fn(|_| Rc::clone(&framing));
        framing.listeners.set(Some([
            socket.add_listener(event::Data, move |chunk| data.deliver(chunk)),
            socket.add_listener(event::Resume, move |()| resumed.deliver(&[])),
            socket.add_listener(event::End, move |()| {
                end.clock.stop();
                end.ended.set(true);
                end.deliver(&[]);
            }),
            socket.add_listener(event::Close, move |_| closed.close()),
        ]));
        framing
    }

    /// Goes on with what a framing before has left.
    pub(super) fn take_over(self: &Rc<Self>, rest: Rest) {
        SocketDriver::with(self.socket.key(), |driver| {
            let Some(mut source) = self.source.take() else {
                return;
            };
            source.reader.take_over(rest.bytes, rest.taken, rest.at);
            let waits = source.reader.unread() > 0;
            self.hold(driver, waits);
            self.source.set(Some(source));
            if waits {
                self.deliver_later();
            }
        });
    }

    /// Delivers what is kept, and the frames of `chunk`.
    fn deliver(self: &Rc<Self>, chunk: &[u8]) {
        // A socket that is gone has no frames: what was kept of them goes with the framing.
        SocketDriver::with(self.socket.key(), |driver| {
            let Some(source) = self.source.take() else {
                return self.came_inside.borrow_mut().extend_from_slice(chunk);
            };
            let mut out = Out {
                framing: self,
                source: Some(source),
            };
            let Some(source) = &mut out.source else {
                return;
            };
            driver.state.framed.set(Framed::Holding);
            self.put_back.set(0);
            let mut delivered = match why_not(driver) {
                None => self.push(driver, source, chunk),
                Some(stopped) => {
                    keep(driver, &mut source.reader, chunk);
                    Delivered {
                        outcome: Ok(Flow::Stop),
                        stopped,
                        failed: None,
                        items: 0,
                        rest: &[],
                    }
                }
            };
            let Some(source) = out.source.take() else {
                return;
            };
            if let Some(error) = delivered.failed.take() {
                driver.listener_failed(error);
            }
            if let Err(error) = delivered.outcome {
                let told = self.take_apart(*source).tells();
                return self.fail(driver, error, told);
            }
            self.go_on(driver, source, &delivered, chunk.is_empty());
        });
    }

    /// Calls the listener, for as long as it may be called.
    fn push<'c>(
        &self,
        driver: &SocketDriver<'_>,
        source: &mut Source<F, L>,
        chunk: &'c [u8],
    ) -> Delivered<'c> {
        let mut stopped = Stopped::No;
        let mut failed = None;
        let mut items = 0;
        let Source { reader, listener } = source;
        reader.lend(|| driver.event_loop.spare_buffers.lend(1, chunk.len()));
        let listener = |item: Item<'_>, reading: Reading<'_, F>| {
            items += 1;
            let verdict = listener(item, reading).verdict();
            stopped = match (verdict, why_not(driver)) {
                (Verdict::Stop, _) => match item {
                    Item::Refused { .. } => Stopped::Refused,
                    _ => Stopped::ByListener,
                },
                (Verdict::Failed(error), _) => {
                    failed = Some(error);
                    Stopped::Paused
                }
                (Verdict::Fine, Some(stopped)) => stopped,
                (Verdict::Fine, None) if items == FRAMES_PER_TURN => Stopped::OutOfTurn,
                (Verdict::Fine, None) => return Flow::Continue,
            };
            Flow::Stop
        };
        let (outcome, rest) = if self.ended.get() {
            (reader.finish_with(listener), &[][..])
        } else {
            reader.push_lent(chunk, listener)
        };
        Delivered {
            outcome,
            stopped,
            failed,
            items,
            rest,
        }
    }

    /// Notes what is held now, how long a frame has been under way, and whether that was an activity.
    fn account(
        &self,
        driver: &SocketDriver<'_>,
        reader: &FrameReader<F>,
        items: usize,
        waits_for_peer: bool,
        nothing_came: bool,
    ) {
        let open_at = reader.partial().map(|partial| partial.at);
        note(
            driver,
            match open_at {
                None => Framed::Delivered,
                Some(_) => Framed::Holding,
            },
        );
        // What waits for a paused socket is not the peer's fault.
        self.clock
            .look(self.socket, open_at.filter(|_| waits_for_peer));
        let progress = items > 0 || open_at.is_some() || !waits_for_peer;
        if progress {
            self.clock.progress();
        }
        match (nothing_came, progress) {
            (true, _) => {}
            (false, true) => driver.activity(),
            (false, false) => self.clock.no_progress(self.socket),
        }
    }

    fn deliver_later(self: &Rc<Self>) {
        let framing = Rc::downgrade(self);
        timers::set_immediate(move || {
            if let Some(framing) = framing.upgrade() {
                framing.deliver(&[]);
            }
        });
    }

    /// Decides what becomes of the rest of a chunk.
    fn go_on(
        self: &Rc<Self>,
        driver: &SocketDriver<'_>,
        mut source: Box<Source<F, L>>,
        delivered: &Delivered<'_>,
        nothing_came: bool,
    ) {
        let duplex = &driver.state.duplex;
        let spare = &driver.event_loop.spare_buffers;
        let mut stopped = delivered.stopped;
        let mut rest = delivered.rest;
        let came_inside = self.came_inside.take();
        if stopped == Stopped::ByListener {
            if !nothing_came {
                driver.activity();
            }
            let reader = self.take_apart(*source);
            return self.leave(driver, came_inside, reader, rest);
        }
        if stopped == Stopped::Refused {
            driver.event_loop.discard(source);
            return self.break_off(driver);
        }
        if self.ended.get() && stopped == Stopped::No {
            driver.event_loop.discard(source);
            return note(driver, Framed::No);
        }
        let reader = &mut source.reader;
        if stopped == Stopped::Paused && reader.unread() == 0 && came_inside.is_empty() {
            reader.take_away(rest.len());
            self.put_back.set(rest.len());
            ledger::given_back(self.socket.key(), rest);
            duplex.put_back(driver, rest);
            rest = &[];
        }
        reader.keep_rest(rest, |len| spare.lend(len, len));
        if !came_inside.is_empty() {
            keep(driver, reader, &came_inside);
            if stopped == Stopped::No {
                stopped = Stopped::OutOfTurn;
            }
        }
        reader.spare_buffers(|buffer| spare.give(buffer));
        self.hold(driver, stopped != Stopped::No);
        let waits_for_peer = stopped == Stopped::No;
        self.account(
            driver,
            reader,
            delivered.items,
            waits_for_peer,
            nothing_came,
        );
        self.source.set(Some(source));
        if stopped == Stopped::OutOfTurn {
            self.deliver_later();
        }
    }

    /// The stream is none of frames, or not any more; `told` if the listener knows already.
    fn fail(&self, driver: &SocketDriver<'_>, error: FrameError, told: bool) {
        match self.on_error.take() {
            // Of a socket that is gone there is nothing to answer.
            _ if driver.state.duplex.is_destroyed() => self.break_off(driver),
            Some(handler) => {
                self.break_off(driver);
                let socket = self.socket;
                driver
                    .event_loop
                    .call(move || socket.heed_verdict(handler(error)));
            }
            None if told => self.break_off(driver),
            None => driver.state.duplex.destroy(driver, Some(error.into())),
        }
    }

    /// What else comes in goes to nobody, unless somebody else listens: an answer arrives, and no reset
    /// overtakes it.
    fn break_off(&self, driver: &SocketDriver<'_>) {
        self.hold(driver, false);
        self.close();
    }

    /// Hands the stream over to whoever listens next, now or later.
    fn leave(
        &self,
        driver: &SocketDriver<'_>,
        mut put_back: Vec<u8>,
        reader: FrameReader<F>,
        rest: &[u8],
    ) {
        let duplex = &driver.state.duplex;
        self.hold(driver, false);
        self.close();
        if driver.has_data_listeners() {
            // They have had it.
            put_back.clear();
        } else if !duplex.is_paused() {
            duplex.wait_for_listeners();
        }
        let (mut kept, mut taken) = reader.into_buffer();
        if put_back.is_empty() && taken == kept.len() {
            ledger::given_back(self.socket.key(), rest);
            return duplex.put_back(driver, rest);
        }
        kept.extend_from_slice(rest);
        if !put_back.is_empty() {
            put_back.extend_from_slice(&kept[taken..]);
            (kept, taken) = (put_back, 0);
        }
        ledger::given_back(self.socket.key(), &kept[taken..]);
        duplex.unshift_owned(driver, kept, taken);
    }
}

impl<F: Format + 'static, L: 'static> Framing<F, L> {
    /// Keeps the descriptor from being read, and the peer's end from overtaking what is held, or not any more.
    fn hold(&self, driver: &SocketDriver<'_>, holds: bool) {
        self.holds.set(holds);
        driver.state.duplex.hold(driver, holds);
    }

    /// What is left of a source that nobody is called from any more. The listener is the user's, and so is
    /// its destructor.
    pub(super) fn take_apart(&self, source: Source<F, L>) -> FrameReader<F> {
        let Source { reader, listener } = source;
        reactor::with(|event_loop| event_loop.discard(listener));
        reader
    }

    /// Ends with the socket's life: its next one is framed anew, or not at all.
    pub(super) fn close(&self) {
        self.clock.stop();
        if let Some(source) = self.source.take() {
            drop(self.take_apart(*source));
        }
        SocketDriver::with(self.socket.key(), |driver| note(driver, Framed::No));
        for id in self.listeners.take().into_iter().flatten() {
            self.socket.remove_listener(id);
        }
    }
}

/// Why no frame may be delivered now.
#[inline]
fn why_not(driver: &SocketDriver<'_>) -> Option<Stopped> {
    let duplex = &driver.state.duplex;
    if duplex.is_told_to_pause() || duplex.is_destroyed() {
        return Some(Stopped::Paused);
    }
    driver
        .event_loop
        .is_interrupted()
        .then_some(Stopped::OutOfTurn)
}

/// Keeps a chunk that cannot be read now.
fn keep<F: Format>(driver: &SocketDriver<'_>, reader: &mut FrameReader<F>, chunk: &[u8]) {
    reader.receive(chunk, |len| driver.event_loop.spare_buffers.lend(len, len));
}

/// The source while it is out. A listener that panics leaves the frames behind its own where they
/// are, and they are delivered in the next turn; the peer's end waits for them.
struct Out<'a, F, L, R>
where
    F: Format + 'static,
    L: FnMut(Item<'_>, Reading<'_, F>) -> R + 'static,
    R: Outcome,
{
    framing: &'a Rc<Framing<F, L>>,
    source: Option<Box<Source<F, L>>>,
}

impl<F, L, R> Drop for Out<'_, F, L, R>
where
    F: Format + 'static,
    L: FnMut(Item<'_>, Reading<'_, F>) -> R + 'static,
    R: Outcome,
{
    fn drop(&mut self) {
        if let Some(source) = self.source.take() {
            self.framing.source.set(Some(source));
            SocketDriver::with(self.framing.socket.key(), |driver| {
                self.framing.hold(driver, true)
            });
            self.framing.deliver_later();
        }
    }
}
