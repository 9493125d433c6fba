//! A kernel, a network and a clock in the memory of one thread.
//!
//! ```text
//!   Seat ──────── a loop's place: waits in virtual time          Descriptor ── a socket's place
//!        └──────────────────────┐                     ┌──────────────────────┘
//!                            Kernel, one per world, of the thread
//!   what is open     file, sockets, end, connecting, transfer, ending
//!   what is reported poll
//!   what comes       schedule (arrivals, work, plans), random (what the seed says), hosts
//!   what goes wrong  faults, fault, errno
//!   what is checked  witness, ledger, invariants, and `poll` for who was forgotten
//! ```
//!
//! The rules are Linux's. What a program sees of them:
//!
//! | | |
//! |---|---|
//! | edges | a file is queued when something changes and when it is watched; the event reports its state at the poll |
//! | room | after a full or short write an edge follows once a third of the buffer is free; none otherwise |
//! | read order | data, then the error, then the end; a reset leaves what was received readable, and empties what was to be sent |
//! | errors | ECONNRESET; EPIPE after the peer's end; ECONNREFUSED while connecting; once, then EPIPE for writes and 0 for reads |
//! | close | unread data or linger 0: reset; else the rest and the end still go out, with nobody there |
//! | accept | EMFILE leaves the connection in the queue and gives no new edge; ECONNABORTED takes it away |
//! | connect | 6 more requests after 1, 2, 4 … s, ETIMEDOUT at 127 s; a full backlog drops the request; on loopback all at once |
//! | partition | segments wait, and come 0.2 to 1.2 s after it is healed, in order; ETIMEDOUT after a time |
//! | descriptors | the lowest free number is next; a limit per host |
//! | faults | only those that a kernel could have made: a read that fails with ECONNRESET has killed the connection |

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;

use crate::reactor::Loop;
use crate::table::Key;

pub(crate) mod config;
mod connecting;
mod descriptor;
mod end;
mod ending;
mod errno;
pub(crate) mod fault;
pub(crate) mod faults;
mod file;
mod hosts;
pub(crate) mod invariants;
mod kernel;
pub(crate) mod ledger;
pub(crate) mod path;
pub(crate) mod peer;
mod poll;
mod random;
mod schedule;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub(crate) mod scripted;
mod seat;
mod sockets;
mod transfer;
mod witness;
pub(crate) mod world;

pub(crate) use descriptor::Descriptor;
use kernel::Kernel;
pub(crate) use seat::{Bell, Seat};

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    static KERNEL: RefCell<Option<Box<Kernel>>> = const { RefCell::new(None) };
    static LOOPS: RefCell<Vec<Rc<Loop>>> = const { RefCell::new(Vec::new()) };
    static HERE: Cell<u16> = const { Cell::new(0) };
    /// How many loops are in a turn: the first, and one that runs while that one waits.
    static BUSY: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is in a world.
#[inline]
pub(crate) fn is_simulated() -> bool {
    ACTIVE.get()
}

/// The loop of the host whose turn it is; none while the world is taken down.
pub(crate) fn current() -> Option<Rc<Loop>> {
    LOOPS.with_borrow(|loops| loops.get(usize::from(HERE.get())).cloned())
}

/// Calls `call` on this host.
pub(crate) fn at_host<R>(host: u16, call: impl FnOnce() -> R) -> R {
    struct Back(u16);
    impl Drop for Back {
        fn drop(&mut self) {
            set_here(self.0);
        }
    }
    let _back = Back(HERE.get());
    set_here(host);
    call()
}

fn set_here(host: u16) {
    HERE.set(host);
    with_kernel(|kernel| kernel.here = host);
}

fn with_kernel<R>(f: impl FnOnce(&mut Kernel) -> R) -> Option<R> {
    // The thread may be at its end: what its other variables keep is dropped after the kernel.
    let answer = KERNEL.try_with(|kernel| kernel.borrow_mut().as_mut().map(|kernel| f(kernel)));
    answer.ok().flatten()
}

fn with_loops<R>(f: impl FnOnce(&[Rc<Loop>]) -> R) -> R {
    LOOPS.with_borrow(|loops| f(loops))
}

/// The addresses of a name; `None` outside of a world.
pub(crate) fn resolve(host: &str) -> Option<Result<Vec<IpAddr>, &'static str>> {
    if !is_simulated() {
        return None;
    }
    with_kernel(|kernel| kernel.resolve(host))
}

/// The number of the interface that the zone of an address names, 0 if there is none; `None` outside of a
/// world.
pub(crate) fn scope(zoned: &str) -> Option<u32> {
    if !is_simulated() {
        return None;
    }
    let zone = zoned.split_once('%').map_or("", |(_, zone)| zone);
    with_kernel(|kernel| match kernel.zones.get(zone) {
        Some(number) => *number,
        None => zone.parse().unwrap_or(0),
    })
}

/// An event of a socket or a server is about to be emitted.
#[inline]
pub(crate) fn emitted<E>(kind: &'static str, key: Key) {
    if is_simulated() {
        with_kernel(|kernel| kernel.emitted(std::any::type_name::<E>(), kind, key));
    }
}

/// The user's code is about to be called.
#[inline]
pub(crate) fn called() {
    if is_simulated() {
        with_kernel(Kernel::called);
    }
}
