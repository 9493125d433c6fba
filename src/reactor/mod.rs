//! The event loop of a thread: what libuv is to Node.
//!
//! [`Loop::turn`] is the whole of it. It knows nothing of sockets: a [`Handle`] is something with a
//! descriptor that wants to hear when it is ready, and a [`Task`] is a function to call with the
//! handle's key at a later point of the turn.
//!
//! | phase of a turn | what is called | libuv |
//! |---|---|---|
//! | pending | what a callback put off: shutdowns | `uv__run_pending` |
//! | poll | handles that are ready; posts of other threads; finished work | `uv__io_poll` |
//! | pending | again, at most 8 rounds | |
//! | check | immediates; those that are queued meanwhile wait for the next turn | `uv__run_check` |
//! | closing | closed handles, the last closed first | `uv__run_closing_handles` |
//! | timers | timers that are due, in the order of their deadlines | `uv__run_timers` |
//!
//! After every single callback, writes that it made go out and the tick queue is drained
//! ([`Loop::settle`]).
//!
//! A run can be interrupted (`interruption`): what is still to be called is taken out of queues of the
//! loop one by one, or is kept, so all of it is still there, and the loop can be run again.

mod buffers;
mod channel;
mod clock;
mod complaints;
mod descriptor;
mod embedding;
mod event_loop;
mod fairness;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod handle;
mod idle;
mod immediates;
mod interruption;
mod metrics;
mod origin;
mod poller;
mod pool;
mod queues;
mod remote;
mod resources;
#[cfg(feature = "sim")]
mod simulated;
mod slack;
mod slow;

mod timers;
mod turn;
mod wheel;

pub use channel::Sender;
pub(crate) use complaints::Complaint;
pub use descriptor::Interest;
pub(crate) use event_loop::{Loop, with};
pub(crate) use handle::{Handle, HandleKind, Job, Ready, Task};
pub(crate) use idle::IdleTimer;
pub(crate) use interruption::heed;
pub(crate) use metrics::Counters;
pub use metrics::{Metrics, Utilization};
pub(crate) use origin::Origin;
pub(crate) use pool::Lane;
pub use remote::Remote;
pub(crate) use resources::Kept;

pub(crate) use timers::{AfterCall, Once, TimerCall, whole_ms};

pub(crate) use crate::table::{Key, Table};
