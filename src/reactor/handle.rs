//! What the loop knows of what it drives: handles, and tasks for them.

use std::any::Any;
use std::rc::Rc;

use super::{Key, Loop, Origin};
pub(crate) use crate::kernel::Ready;

/// Something with a descriptor.
pub(crate) trait Handle: Any {
    /// The descriptor is ready. Called in the poll phase; the handle settles the loop after each
    /// callback that it makes.
    fn ready(self: Rc<Self>, event_loop: &Loop, key: Key, ready: Ready);

    /// Its idle timer has fired.
    fn timer_fired(self: Rc<Self>, _: &Loop) {}

    fn kind(&self) -> HandleKind;

    /// Where it was made.
    fn origin(&self) -> Origin;

    /// Whether it is counted among what keeps the loop alive.
    fn keeps_alive(&self) -> bool;

    /// Whether it waits for bytes to read, and for room to write.
    #[cfg(feature = "sim")]
    fn waits(&self) -> (bool, bool);

    /// The event that it should have emitted by now, if there is one.
    #[cfg(feature = "sim")]
    fn owes(&self) -> Option<&'static str> {
        None
    }

    /// A line on the kind and the state of the handle, for a world that stands still; `None` if it is nothing yet.
    #[cfg(feature = "sim")]
    fn account(&self) -> Option<String>;
}

/// The kind of a handle, for lists of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandleKind {
    Socket(Key),
    /// An attempt of that socket's to connect.
    Attempt(Key),
    Server(Key),
    /// A connection to that server that is not a socket yet.
    Arrival(Key),
    Watch,
}

/// A function to call with a handle's key, later. It finds out by itself whether the handle is
/// still there.
#[derive(Clone, Copy)]
pub(crate) struct Task {
    run: fn(&Loop, Key),
    key: Key,
}

impl Task {
    pub(crate) fn new(key: Key, run: fn(&Loop, Key)) -> Task {
        Task { run, key }
    }

    pub(super) fn run(self, event_loop: &Loop) {
        (self.run)(event_loop, self.key);
    }
}

/// An entry of the tick queue.
pub(crate) enum Job {
    Task(Task),
    Call(Box<dyn FnOnce()>),
}

impl Job {
    pub(super) fn run(self, event_loop: &Loop) {
        match self {
            Job::Task(task) => task.run(event_loop),
            Job::Call(call) => event_loop.call_now(call),
        }
    }
}
