//! `finished`: one callback for all the ways in which a socket can be done.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use crate::error::{Error, Result, node};
use crate::event;
use crate::events::outcome::{Verdict, dropped};
use crate::events::{ListenerId, Outcome};
use crate::net::Socket;
use crate::timers;

/// Which sides [`finished`] waits for. Node's options `readable` and `writable`.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct FinishedOptions {
    readable: bool,
    writable: bool,
}

impl FinishedOptions {
    /// Both sides.
    pub fn new() -> FinishedOptions {
        FinishedOptions {
            readable: true,
            writable: true,
        }
    }

    /// Whether the peer's end is waited for.
    pub fn readable(mut self, wait: bool) -> FinishedOptions {
        self.readable = wait;
        self
    }

    /// Whether this end is waited for.
    pub fn writable(mut self, wait: bool) -> FinishedOptions {
        self.writable = wait;
        self
    }
}

impl Default for FinishedOptions {
    fn default() -> FinishedOptions {
        FinishedOptions::new()
    }
}

/// What [`finished`] returns: [`cancel`](Finished::cancel) takes the callback back, dropping it changes
/// nothing.
pub struct Finished(Rc<Watch>);

struct Watch {
    socket: Socket,
    options: FinishedOptions,
    readable_done: Cell<bool>,
    writable_done: Cell<bool>,
    callback: RefCell<Option<Callback>>,
    listeners: Cell<[Option<ListenerId>; 4]>,
}

type Callback = Box<dyn FnOnce(Result<()>) -> Verdict>;

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finished")
            .field("socket", &self.0.socket)
            .finish_non_exhaustive()
    }
}

dropped!(Finished);

/// Calls `done` when the socket has ended on both sides, when it fails, or when it closes before
/// that: with `ERR_STREAM_PREMATURE_CLOSE`, if it did without an error.
///
/// It waits for [`event::Close`] only where both sides had ended before the call. If the socket is destroyed already,
/// or the only side that is waited for has ended, `done` is called on the next tick. A stale handle counts as closed
/// too early. The listeners stay when `done` has been called, as in Node, so that a later error of the socket is
/// not unhandled: see [`Finished::cancel`].
///
/// ```
/// use soquete::{event, net, stream};
///
/// # fn main() -> soquete::Result<()> {
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.resume().end();
/// });
/// server.listen(0).on(event::Listening, move |()| {
///     let client = net::connect(server.address().unwrap().port());
///     client.resume().end();
///     stream::finished(client, move |outcome| {
///         assert!(outcome.is_ok());
///         server.close();
///     });
/// });
/// soquete::run()
/// # }
/// ```
pub fn finished<R: Outcome>(
    socket: Socket,
    done: impl FnOnce(Result<()>) -> R + 'static,
) -> Finished {
    finished_with(socket, FinishedOptions::new(), done)
}

/// As [`finished`], for one side only if wanted.
///
/// ```
/// use soquete::stream::{self, FinishedOptions};
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.on(event::Data, |_| ());
///     // Only what comes in: this end has not ended yet.
///     let reading = FinishedOptions::new().writable(false);
///     stream::finished_with(socket, reading, move |outcome| {
///         outcome?;
///         socket.end_with("got it");
///         Ok(())
///     })
/// });
/// server.listen_then(0, |server| {
///     let client = net::connect(server.address().unwrap());
///     client.end_with("all of it");
///     client.on(event::Data, move |chunk| {
///         assert_eq!(chunk, b"got it");
///         server.close();
///     });
/// });
/// soquete::run()
/// # }
/// ```
pub fn finished_with<R: Outcome>(
    socket: Socket,
    options: FinishedOptions,
    done: impl FnOnce(Result<()>) -> R + 'static,
) -> Finished {
    let done = move |outcome| done(outcome).verdict();
    let watch = Rc::new(Watch {
        socket,
        options,
        readable_done: Cell::new(socket.readable_ended()),
        writable_done: Cell::new(socket.writable_finished()),
        callback: RefCell::new(Some(Box::new(done))),
        listeners: Cell::default(),
    });
    // A socket that has ended on both sides closes by itself.
    let waits_for_one = !options.readable || !options.writable;
    if socket.destroyed() || waits_for_one && watch.is_done() {
        let late = Rc::clone(&watch);
        // Node leaves a listener here, too, so that an error which is still to come is handled.
        let ignore = socket.add_listener(event::Error, |_| {});
        watch.listeners.set([Some(ignore), None, None, None]);
        let outcome = watch.outcome_at_close();
        timers::next_tick(move || late.tell(outcome));
    } else {
        watch.listen();
    }
    Finished(watch)
}

impl Finished {
    /// Forgets the socket: the callback is not called any more, and no listener is left behind.
    pub fn cancel(self) {
        let _callback = self.0.callback.take();
        for id in self.0.listeners.take().into_iter().flatten() {
            self.0.socket.remove_listener(id);
        }
    }
}

impl Watch {
    fn listen(self: &Rc<Watch>) {
        let socket = self.socket;
        let watch = Rc::clone(self);
        let end = socket.add_listener(event::End, move |()| {
            watch.readable_done.set(true);
            watch.tell_if_done();
        });
        let watch = Rc::clone(self);
        let finish = socket.add_listener(event::Finish, move |()| {
            watch.writable_done.set(true);
            watch.tell_if_done();
        });
        let watch = Rc::clone(self);
        let error = socket.add_listener(event::Error, move |error: &Error| {
            watch.tell(Err(error.clone()));
        });
        let watch = Rc::clone(self);
        let close = socket.add_listener(event::Close, move |_| {
            watch.tell(watch.outcome_at_close());
        });
        self.listeners
            .set([Some(end), Some(finish), Some(error), Some(close)]);
    }

    fn is_done(&self) -> bool {
        let FinishedOptions { readable, writable } = self.options;
        (!readable || self.readable_done.get()) && (!writable || self.writable_done.get())
    }

    fn tell_if_done(&self) {
        if self.is_done() {
            self.tell(Ok(()));
        }
    }

    fn outcome_at_close(&self) -> Result<()> {
        match self.socket.errored() {
            Some(error) => Err(error),
            None if self.is_done() => Ok(()),
            None => Err(node::premature_close()),
        }
    }

    fn tell(&self, outcome: Result<()>) {
        let callback = self.callback.take();
        if let Some(callback) = callback {
            self.socket.heed_verdict(callback(outcome));
        }
    }
}
