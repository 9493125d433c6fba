//! The life of a socket: one state machine, which does no I/O of its own.
//!
//! [`Duplex`] is Node's `Duplex` stream together with what `net.Socket` adds to it, with Node's order
//! of events. It is driven from three sides: the user's calls (`write`, `end`, `pause`, …), what the
//! kernel has to say (`on_data`, `on_eof`, `on_writable`, …), and the ticks that it asked for itself.
//! What it wants done goes out through a [`Driver`].
//!
//! ```text
//!                      connect                  established
//!   Life    Fresh ─────────────▶ Connecting ──────────────────▶ Open
//!             │                      │                            │
//!             │ destroy              │ destroy, or it failed      │ destroy, an error,
//!             ▼                      ▼                            ▼ or both halves ended
//!         Destroyed ──────────────────────────────────────────────▶ Closed
//!                     the closing phase of the loop; a tick, if it was `Fresh`
//!
//!   reading   Open ── the peer's end ──▶ Ended ── all data read, a tick ──▶ Emitted (`End`)
//!
//!   writing   Open ── end() ──▶ Ending ── queue empty ──▶ Final ── shutdown done ──▶ Finished (`Finish`)
//! ```
//!
//! The two halves end in either order; when both have, the socket destroys itself. `End` makes the
//! writing half end too, one tick later, unless half-open is allowed. No listener is ever called
//! while anything in here is borrowed.

pub(crate) mod data;
mod decoder;
mod driver;
mod duplex;
mod life;
pub(crate) mod read_half;
mod seldom;
mod slot;
mod write_half;
pub(crate) mod write_queue;

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub(crate) mod fuzz;

pub(crate) use driver::{AfterConnect, CloseKind, Driver, Signal, Tick};
pub(crate) use duplex::Duplex;
pub use life::ReadyState;
pub(crate) use life::{DEFAULT_HIGH_WATER_MARK, Life};
pub(crate) use read_half::Framed;
