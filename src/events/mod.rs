//! The emitter: listeners of typed events, with Node's rules for lists that change while they are
//! being walked.
//!
//! An event is a type of no size that implements [`Event`] and names its payload. Those of sockets
//! and servers are in [`event`](crate::event); yours are made the same way:
//!
//! ```
//! use soquete::events::{Event, EventEmitter};
//!
//! struct Login;
//! impl Event for Login {
//!     type Payload<'a> = &'a str;
//! }
//!
//! let users = EventEmitter::new();
//! users.on(Login, |name| println!("{name} is here"));
//! assert!(users.emit(Login, "ana"));
//! ```
//!
//! # What happens to a list that is being walked
//!
//! | inside a listener of `E`, during an emit of `E` | what the emit does |
//! |---|---|
//! | a listener of `E` is added | it is not called this time |
//! | a listener of `E` is removed | it is still called this time |
//! | a `once` listener | was removed before it was called |
//! | a listener returns `Flow::Stop` | it is removed; the others are called |
//! | a listener returns an `Err` | the others are called; [`EventEmitter::try_emit`] returns the first |
//! | a listener panics | the listeners after it are skipped; the panic goes to the emit's caller |
//! | `E` is emitted again | an emit of its own, on the list as it is now |
//!
//! A closure cannot be entered while it is running, so an inner emit skips exactly the listeners
//! that an outer emit is still inside of; [`EventEmitter::is_running`] tells whether there are any.
//! Sockets and servers ask it, and hold an event back until the listener has returned, so that none
//! of theirs is lost. No borrow is held while a listener runs, and an emit allocates nothing, but for the
//! removal of a `once` listener.

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;

pub(crate) mod closure;
mod emit;
mod emitter;
mod entry;
mod id;
mod listeners;
mod lists;
pub(crate) mod outcome;

pub use emitter::EventEmitter;
pub(crate) use emitter::Place;
pub use id::ListenerId;
pub use outcome::Outcome;

/// A kind of event: a type of no size, and what its listeners receive.
///
/// The payload is handed to every listener, so it is `Copy`: a number, a handle, a reference.
pub trait Event: 'static {
    /// What a listener is called with.
    type Payload<'a>: Copy;

    /// The event's name, for messages and for [`NewListener`].
    fn name() -> &'static str {
        let path = std::any::type_name::<Self>();
        path.rsplit("::").next().unwrap_or(path)
    }
}

/// Emitted by an emitter before a listener is added to it, with the event's name.
#[derive(Clone, Copy, Debug)]
pub struct NewListener;

impl Event for NewListener {
    type Payload<'a> = &'static str;
}

/// Emitted by an emitter after a listener was removed from it, with the event's name.
#[derive(Clone, Copy, Debug)]
pub struct RemoveListener;

impl Event for RemoveListener {
    type Payload<'a> = &'static str;
}

/// What an emitter prefers that prefers none of its events. There is no such event.
#[derive(Clone, Copy, Debug)]
pub enum NoEvent {}

impl Event for NoEvent {
    type Payload<'a> = ();
}
