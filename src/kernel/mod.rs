//! The kernel under the driver: the operating system's, or a simulated one.
//!
//! ```text
//!   net, timers, dns, frames, pipe ── machine ── reactor          the same over both kernels
//!   ───────────────────────────────────────────────────────── this seam
//!   mio, socket2, getaddrinfo, Instant, threads │ Descriptor, Seat
//! ```
//!
//! A simulated kernel lives in the memory of one thread and has a clock of its own. Each place that
//! asks the operating system for something has a second arm, for a [`Descriptor`] or a [`Seat`].
//! In a build without simulation both types have no values, and the compiler removes the arms.

use std::io;

#[cfg(not(feature = "sim"))]
mod absent;
mod answer;
pub(crate) mod ipc;
mod reserve;
mod setting;
#[cfg(feature = "sim")]
pub(crate) mod sim;

#[cfg(not(feature = "sim"))]
use absent as other;
#[cfg(feature = "sim")]
use sim as other;

pub(crate) use answer::{Answer, Call, answer};
pub(crate) use other::{
    Bell, Descriptor, Seat, called, current, emitted, is_simulated, ledger, path, resolve, scope,
};
pub(crate) use reserve::Reserve;
pub(crate) use setting::{KeepAliveTimes, Setting};

/// What a descriptor is ready for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer will send no more, or there is an error to be read, or urgent data: a short read does not
    /// mean that the next one would block.
    pub(crate) closed: bool,
}

/// A descriptor as the poll needs it.
pub(crate) enum Watched<'a> {
    Nothing,
    Stream(&'a mut dyn mio::event::Source),
    Listener(&'a mut dyn mio::event::Source),
    Sim(&'a Descriptor),
}

/// Wakes a loop that waits, from any thread.
pub(crate) enum Alarm {
    Os(mio::Waker),
    #[cfg_attr(
        not(feature = "sim"),
        expect(dead_code, reason = "no loop has a seat to make one")
    )]
    Sim(Bell),
}

impl Alarm {
    pub(crate) fn ring(&self) -> io::Result<()> {
        match self {
            Alarm::Os(waker) => waker.wake(),
            Alarm::Sim(bell) => {
                bell.ring();
                Ok(())
            }
        }
    }
}
