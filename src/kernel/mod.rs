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
//!
//! Nothing above this layer names mio, socket2, the resolver, the clock or a file, but for two files of the
//! reactor, which wait (`poller`) and start threads (`pool`); what wakes a loop is [`Alarm`]. `tests/seam.rs`
//! reads the sources for it.
//!
//! | file | what it owns |
//! |---|---|
//! | `socket.rs` | a TCP socket that neither listens nor connects: opened, bound |
//! | `unix.rs`, `ipc.rs` | Unix domain sockets: their addresses, their files, their reads |
//! | `stream.rs` | a connection, up or not: read, write, shutdown, options, addresses |
//! | `listener.rs` | a server's descriptor: accept, and turning away |
//! | `reserve.rs` | the descriptor that is kept for the day on which there are none left |
//! | `foreign.rs` | descriptors that come from outside, or leave |
//! | `activation.rs` | descriptors that came with the process |
//! | `names.rs` | getaddrinfo(3) |
//! | `clock.rs` | the time |
//! | `setting.rs` | options of a connection, as values |
//! | `answer.rs`, `errno.rs` | what follows from an error of a call; errors that are made here |
//! | `sim/`, or `absent.rs` | the simulated kernel, or types without values |

use std::io;

/// Defines the first item on these systems, the second one on all others.
macro_rules! on_systems {
    ([$($os:tt)+] $there:item $elsewhere:item) => {
        #[cfg(any($(target_os = $os),+))]
        $there
        #[cfg(not(any($(target_os = $os),+)))]
        $elsewhere
    };
}

#[cfg(not(feature = "sim"))]
mod absent;
#[cfg(feature = "activation")]
pub(crate) mod activation;
mod answer;
mod clock;
pub(crate) mod errno;
pub(crate) mod foreign;
mod ipc;
mod listener;
pub(crate) mod names;
mod reserve;
mod setting;
#[cfg(feature = "sim")]
pub(crate) mod sim;
pub(crate) mod socket;
mod stream;
pub(crate) mod unix;

#[cfg(not(feature = "sim"))]
use absent as other;
#[cfg(feature = "sim")]
use sim as other;

pub(crate) use answer::{Answer, Call, answer};
pub(crate) use clock::Clock;
pub(crate) use ipc::Received;
pub(crate) use listener::{Accepted, Listener};
pub(crate) use other::{Bell, Descriptor, Seat, called, current, emitted, is_simulated, ledger};
pub(crate) use reserve::Reserve;
pub(crate) use setting::{KeepAliveTimes, Setting};
pub(crate) use socket::Socket;
pub(crate) use stream::{Peer, Stream};

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
