//! The narrow interface between a socket's state machine and everything else: the kernel, the loop and the listeners.
//!
//! `net/socket/driver_calls.rs` implements it for a socket with its descriptor, its emitter and its loop. The machine
//! names none of them, and stays below them.

use std::cell::Cell;
use std::io::{self, IoSlice};

use crate::error::Error;

/// What a [`Duplex`](super::Duplex) needs from the world.
///
/// `emit` and `emit_data` may come back into the machine before they return. `close` may, too: it writes to the
/// log, and the logger is the user's. The machine is destroyed by then, and what it does after `close` depends on
/// nothing that such a call can change. Nothing else may.
pub(crate) trait Driver {
    /// How many bytes a socket may send at one event before the others have their turn.
    fn write_budget(&self) -> u64;

    /// Writes to the descriptor, without blocking.
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Bytes were queued for sending, behind all others. A simulated kernel checks that they arrive.
    #[inline]
    fn accepts(&self, _bytes: &[u8]) {}

    /// Ends the sending half.
    fn shutdown(&self) -> io::Result<()>;

    /// Closes the descriptor now, by a reset if asked for.
    fn close(&self, how: CloseKind);

    /// Calls [`Duplex::on_closed`](super::Duplex::on_closed) in the closing phase.
    fn close_later(&self);

    /// The stream wants to read: [`Duplex::on_data`](super::Duplex::on_data) and its siblings may be
    /// called from the next poll phase on.
    fn start_reading(&self);

    /// Calls [`Duplex::on_tick`](super::Duplex::on_tick) from the tick queue.
    fn tick(&self, tick: Tick);

    /// Calls [`Duplex::flush`](super::Duplex::flush) when the current callback has returned.
    fn flush_later(&self);

    /// The budget is spent, and the descriptor may take more: calls
    /// [`Duplex::on_writable`](super::Duplex::on_writable) in the next poll phase, unasked.
    fn continue_writing(&self);

    /// The kernel had no memory for a write, and no event will say when it has: calls
    /// [`Duplex::on_writable`](super::Duplex::on_writable) after a pause.
    fn write_after_pause(&self);

    /// Calls [`Duplex::on_shutdown`](super::Duplex::on_shutdown) in the next pending phase.
    fn shutdown_later(&self);

    /// Calls [`Duplex::on_connected`](super::Duplex::on_connected) from among the listeners of
    /// `Connect`, in the place that a listener added now has. A write that waits also wants
    /// [`Duplex::on_closed_before_connect`](super::Duplex::on_closed_before_connect) called from
    /// among the listeners of `Close`, should that come first.
    fn on_connect(&self, then: AfterConnect);

    /// Something was received, sent or begun: the idle timeout starts anew.
    fn activity(&self);

    /// The stream whose listeners are being handed a chunk, and where that ends, as addresses.
    fn lent_to(&self) -> &Cell<(usize, usize)>;

    /// Calls the listeners.
    fn emit(&self, signal: Signal<'_>);

    /// Calls the listeners of `Data`.
    fn emit_data(&self, chunk: &[u8]);

    /// Whether anybody listens to `Data`.
    fn has_data_listeners(&self) -> bool;

    /// Whether anybody listens to `Data` or `Text`.
    fn has_chunk_listeners(&self) -> bool;

    /// Whether anybody listens to `Readable`.
    fn has_readable_listeners(&self) -> bool;

    /// Calls a callback of the user's from the tick queue.
    fn tick_call(&self, call: Box<dyn FnOnce()>);

    /// Whether the run was interrupted by the user's code; `tick` comes first thing in the next one
    /// then.
    fn put_off(&self, tick: Tick) -> bool;

    /// The socket does not belong to its server any more.
    fn left_server(&self);
}

/// How a descriptor is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseKind {
    /// What the kernel has is sent, then the end.
    Gracefully,
    /// The peer gets a reset.
    Reset,
}

/// What a socket does on a later tick. The names are those of what Node has on its tick queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// A synchronous write is complete: drain, then its callback.
    AfterWrite,
    /// A synchronous write without a callback is complete, and has emptied the queue.
    Drained,
    /// A synchronous write failed.
    WriteFailed,
    /// The queued writes of a destroyed socket fail.
    FailQueued,
    Finish,
    Resume,
    Readable,
    ReadMore,
    /// A read of nothing, to set reading off.
    ReadZero,
    ReadableListening,
    EndReadable,
    /// The peer has ended, and this end follows.
    EndWritable,
    /// A destroyed socket's error, or the point after which it emits nothing more but `Close`.
    Destroyed,
    /// `Close` of a socket that was `Fresh`.
    Closed,
    /// What is kept goes on to the listeners, where an interruption has stopped it.
    Flow,
}

/// What waits for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterConnect {
    Write,
    Final,
    Reset,
}

/// An event of the machine, but for `Data`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal<'a> {
    Text(&'a str),
    Readable,
    End,
    Prefinish,
    Finish,
    Drain,
    Pause,
    Resume,
    Error(&'a Error),
    Close { had_error: bool },
}
