//! From the chunks of a socket to the listener of its frames.

use std::any::{Any, TypeId};

use super::control::Control;
use crate::error::Error;
use crate::event;
use crate::events::ListenerId;
use crate::events::closure::{AnyListener, Call};
use crate::events::outcome::Verdict;
use crate::framing::{Flow, Format, FrameError, FrameReader, Item, Reading};
use crate::kernel::ledger;
use crate::machine::{Driver, Framed};
use crate::net::driver::socket::SocketDriver;
use crate::net::values::handle::Socket;
use crate::reactor::{self, Key};

/// How many frames of one socket are delivered before others get their turn.
const FRAMES_PER_TURN: usize = 1024;

/// In the place of a listener of `Data`, out of which it is while frames are delivered.
///
/// Many connections have one at rest: what is not always needed is elsewhere.
pub(super) struct Framing<F: Format, L> {
    /// Of nobody when it is over.
    socket: Socket,
    pub(super) reader: FrameReader<F>,
    listener: L,
}

/// Why delivering stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    No,
    ByListener,
    /// By a listener to which a bad frame was reported.
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

/// Begins to frame a socket; `None` if it is gone.
pub(super) fn begin<F, L>(socket: Socket, reader: FrameReader<F>, listener: L) -> ListenerId
where
    F: Format + 'static,
    L: FnMut(Item<'_>, Reading<'_, F>) -> Verdict + 'static,
{
    let framing = Box::new(Framing {
        socket,
        reader,
        listener,
    });
    SocketDriver::with(socket.key(), |driver| {
        let framings = driver.state.framings.get();
        driver.state.framings.set(framings.saturating_add(1));
        driver.note_framed(Framed::Delivered);
    });
    socket.add_call(framing)
}

impl<F, L> Call<event::Data> for Framing<F, L>
where
    F: Format + 'static,
    L: FnMut(Item<'_>, Reading<'_, F>) -> Verdict + 'static,
{
    fn call(&mut self, id: ListenerId, chunk: &[u8]) -> Verdict {
        // A socket that is gone has no frames: what was kept of them goes with the framing.
        SocketDriver::with(self.socket.key(), |driver| self.deliver(driver, id, chunk));
        Verdict::Fine
    }
}

impl<F, L> AnyListener for Framing<F, L>
where
    F: Format + 'static,
    L: FnMut(Item<'_>, Reading<'_, F>) -> Verdict + 'static,
{
    fn name(&self) -> fn() -> &'static str {
        <event::Data as crate::events::Event>::name
    }

    fn event(&self) -> TypeId {
        TypeId::of::<event::Data>()
    }

    fn is_more(&self) -> Option<TypeId> {
        Some(TypeId::of::<dyn Control>())
    }

    fn open(self: Box<Self>, place: &mut dyn Any) -> Option<Box<dyn AnyListener>> {
        if let Some(place) = place.downcast_mut::<Option<Box<dyn Control>>>() {
            *place = Some(self);
        } else if let Some(place) = place.downcast_mut::<Option<Box<dyn Call<event::Data>>>>() {
            *place = Some(self);
        } else {
            return Some(self);
        }
        None
    }

    fn let_go(self: Box<Self>) {
        // The listener is the user's, and so is its destructor.
        reactor::with(|event_loop| event_loop.discard(self));
    }
}

/// Whoever removes all of its listeners ends a framing as well, and gives up what it holds.
impl<F: Format, L> Drop for Framing<F, L> {
    fn drop(&mut self) {
        if self.is_over() {
            return;
        }
        SocketDriver::with(self.socket.key(), |driver| {
            driver.framing_is_over();
            let listeners = driver.state.emitter.listeners(event::Data);
            let memory = driver.state.framing_memories.remove_orphan(&listeners);
            if driver.state.duplex.is_held() {
                ledger::read_otherwise(self.socket.key());
                if let Some(memory) = &memory {
                    driver.state.duplex.throw_away(memory.put_back);
                }
                driver.state.duplex.hold(driver, false);
            }
            driver.event_loop.discard(memory);
        });
    }
}

impl<F: Format, L> Framing<F, L> {
    pub(super) fn is_over(&self) -> bool {
        self.socket.key() == Key::RESERVED
    }
}

impl<F, L> Framing<F, L>
where
    F: Format + 'static,
    L: FnMut(Item<'_>, Reading<'_, F>) -> Verdict + 'static,
{
    /// Delivers what is kept, and the frames of `chunk`.
    pub(super) fn deliver(&mut self, driver: &SocketDriver<'_>, id: ListenerId, chunk: &[u8]) {
        if self.is_over() {
            return;
        }
        driver.note_framed(Framed::Holding);
        if !driver.state.framing_memories.is_empty() {
            driver
                .state
                .framing_memories
                .of(id, |memory| memory.put_back = 0);
        }
        let mut delivered = match why_not(driver) {
            None => {
                let panics = Panics { driver, id };
                let delivered = self.push(driver, chunk);
                std::mem::forget(panics);
                delivered
            }
            Some(stopped) => {
                keep(driver, &mut self.reader, chunk);
                Delivered {
                    outcome: Ok(Flow::Stop),
                    stopped,
                    failed: None,
                    items: 0,
                    rest: &[],
                }
            }
        };
        if let Some(error) = delivered.failed.take() {
            driver.listener_failed(error);
        }
        if let Err(error) = delivered.outcome {
            return self.fail(driver, id, error);
        }
        self.account_for(driver, id, &delivered, chunk.is_empty());
    }

    /// Calls the listener, for as long as it may be called.
    fn push<'c>(&mut self, driver: &SocketDriver<'_>, chunk: &'c [u8]) -> Delivered<'c> {
        let mut stopped = Stopped::No;
        let mut failed = None;
        let mut items = 0;
        let Framing {
            reader, listener, ..
        } = self;
        reader.lend(|| driver.event_loop.spare_buffers.lend(1, chunk.len()));
        let listener = |item: Item<'_>, reading: Reading<'_, F>| {
            items += 1;
            stopped = match (listener(item, reading), why_not(driver)) {
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
        let (outcome, rest) = if driver.state.duplex.readable_ended() {
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
    fn note(
        &self,
        driver: &SocketDriver<'_>,
        id: ListenerId,
        items: usize,
        waits_for_peer: bool,
        nothing_came: bool,
    ) {
        let open_at = self.reader.partial().map(|partial| partial.at);
        driver.note_framed(match open_at {
            None => Framed::Delivered,
            Some(_) => Framed::Holding,
        });
        let progress = items > 0 || open_at.is_some() || !waits_for_peer;
        // What waits for a paused socket is not the peer's fault.
        let open_at = open_at.filter(|_| waits_for_peer);
        let framing_memories = &driver.state.framing_memories;
        if open_at.is_some() {
            framing_memories.with(id, |memory| memory.look(self.socket, open_at));
        } else if !framing_memories.is_empty() {
            framing_memories.of(id, |memory| memory.look(self.socket, None));
        }
        if progress && !framing_memories.is_empty() {
            framing_memories.of(id, |memory| memory.progress());
        }
        match (nothing_came, progress) {
            (true, _) => {}
            (false, true) => driver.activity(),
            (false, false) => {
                if let Some(Some(error)) = framing_memories.of(id, |memory| memory.no_progress()) {
                    self.socket.destroy_with(error);
                }
            }
        }
        if !framing_memories.is_empty() {
            framing_memories.settle(id);
        }
    }

    /// Decides what becomes of the rest of a chunk.
    fn account_for(
        &mut self,
        driver: &SocketDriver<'_>,
        id: ListenerId,
        delivered: &Delivered<'_>,
        nothing_came: bool,
    ) {
        let duplex = &driver.state.duplex;
        let spare = &driver.event_loop.spare_buffers;
        let stopped = delivered.stopped;
        let mut rest = delivered.rest;
        if stopped == Stopped::ByListener {
            if !nothing_came {
                driver.activity();
            }
            return self.leave(driver, id, rest);
        }
        let over = duplex.readable_ended() && stopped == Stopped::No;
        if over || stopped == Stopped::Refused {
            return self.break_off(driver, id);
        }
        let reader = &mut self.reader;
        // By `read` the user may take it from the socket in other pieces than it came in.
        let comes_again = stopped == Stopped::Paused && !reader.has_looked_ahead();
        if comes_again && reader.unread() == 0 && !rest.is_empty() {
            reader.take_away(rest.len());
            driver
                .state
                .framing_memories
                .with(id, |memory| memory.put_back = rest.len());
            ledger::given_back(self.socket.key(), rest);
            duplex.put_back(driver, rest);
            rest = &[];
        }
        reader.keep_rest(rest, |len| spare.lend(len, len));
        reader.spare_buffers(|buffer| spare.give(buffer));
        duplex.hold(driver, stopped != Stopped::No);
        let waits_for_peer = stopped == Stopped::No;
        self.note(driver, id, delivered.items, waits_for_peer, nothing_came);
        if stopped == Stopped::OutOfTurn {
            driver.deliver_later(id);
        }
    }

    /// The stream cannot be read as frames any further. A listener that has bad frames reported knows already.
    fn fail(&mut self, driver: &SocketDriver<'_>, id: ListenerId, error: FrameError) {
        let (socket, reported) = (self.socket, self.reader.reports_bad_frames());
        let handler = driver
            .state
            .framing_memories
            .of(id, |memory| memory.on_error.take());
        match handler.flatten() {
            // Of a socket that is gone there is nothing to answer.
            _ if driver.state.duplex.is_destroyed() => self.break_off(driver, id),
            Some(handler) => {
                self.break_off(driver, id);
                driver
                    .event_loop
                    .call(move || socket.heed_verdict(handler(error)));
            }
            None if reported => self.break_off(driver, id),
            None => {
                driver.state.duplex.destroy(driver, Some(error.into()));
                self.end(driver, id);
            }
        }
    }

    /// What else comes in goes to nobody, unless somebody else listens: an answer arrives, and no reset
    /// overtakes it.
    fn break_off(&mut self, driver: &SocketDriver<'_>, id: ListenerId) {
        driver.state.duplex.hold(driver, false);
        self.end(driver, id);
    }

    /// Hands the stream over to whoever listens next, now or later.
    fn leave(&mut self, driver: &SocketDriver<'_>, id: ListenerId, rest: &[u8]) {
        let (duplex, key) = (&driver.state.duplex, self.socket.key());
        duplex.hold(driver, false);
        self.end(driver, id);
        if !driver.has_chunk_listeners() && !duplex.is_paused() {
            duplex.wait_for_listeners();
        }
        let (mut kept, taken) = self.reader.take_buffer();
        if taken == kept.len() {
            ledger::given_back(key, rest);
            return duplex.put_back(driver, rest);
        }
        kept.extend_from_slice(rest);
        ledger::given_back(key, &kept[taken..]);
        duplex.unshift_owned(driver, kept, taken);
    }

    /// Nobody is called any more.
    pub(super) fn end(&mut self, driver: &SocketDriver<'_>, id: ListenerId) {
        debug_assert!(!self.is_over(), "it ends once");
        let socket = std::mem::replace(&mut self.socket, Socket::from_key(Key::RESERVED));
        driver.framing_is_over();
        socket.remove_listener(id);
        let memory = driver
            .state
            .framing_memories
            .remove(|memory| memory.is_of(id));
        driver.event_loop.discard(memory);
    }
}

/// Why no frame may be delivered now.
#[inline]
fn why_not(driver: &SocketDriver<'_>) -> Option<Stopped> {
    let duplex = &driver.state.duplex;
    if duplex.is_paused_by_user() || duplex.is_destroyed() {
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

/// A listener that panics leaves the frames behind its own where they are, and they are delivered in the
/// next turn; the peer's end waits for them.
struct Panics<'a> {
    driver: &'a SocketDriver<'a>,
    id: ListenerId,
}

impl Drop for Panics<'_> {
    fn drop(&mut self) {
        self.driver.state.duplex.hold(self.driver, true);
        self.driver.deliver_later(self.id);
    }
}
