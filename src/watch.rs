//! Descriptors that are no sockets of ours: pipes, terminals, UDP, whatever can be polled. libuv's
//! `uv_poll_t`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::rc::Rc;

use crate::StaysOnItsThread;
use crate::error::{Error, Result, node};
use crate::events::Outcome;
use crate::events::outcome::{Sealed, Verdict};
use crate::reactor::{self, Handle, HandleKind, Interest, Key, Loop, Origin, Ready};

/// What a watched descriptor is ready for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Readiness {
    /// A read will not block: there are bytes, the end, or an error.
    pub readable: bool,
    /// A write will not block.
    pub writable: bool,
    /// The other side has closed, or there is an error, which the next read or write tells.
    pub closed: bool,
}

/// Names a descriptor that is [watched](watch()). Copies name the same one; once it is closed, they name nothing.
///
/// It keeps the loop alive until it is closed or [`unref`](Watch::unref)ed, unless its interest is
/// [`NONE`](Interest::NONE).
pub struct Watch<S> {
    key: Key,
    _not_send: StaysOnItsThread,
    _source: PhantomData<fn() -> S>,
}

/// Watches a descriptor, and calls `listener` with it in each turn in which it is ready. The loop owns the
/// source and lends it: to the listener, and by [`Watch::with`].
///
/// As long as bytes are left unread the listener is called again: one read for each call is enough, and does
/// not block even where the descriptor is in blocking mode. An end or an error that is left unread brings it
/// back, too; a listener has done with it by returning [`Flow::Stop`](crate::Flow::Stop), which closes the
/// source. An `Err` of the listener is an uncaught exception, as a timer's is.
///
/// It costs a system call for each call of the listener. Sockets of [`net`](crate::net) do not.
///
/// ```
/// use soquete::{Flow, Interest};
/// use std::io::{Read, Write};
///
/// # fn main() -> soquete::Result<()> {
/// let (reader, mut writer) = std::io::pipe()?;
/// soquete::watch(reader, Interest::READABLE, |reader, _| {
///     let mut buffer = [0; 1024];
///     match reader.read(&mut buffer)? {
///         0 => Ok(Flow::Stop),
///         count => {
///             assert_eq!(&buffer[..count], b"hello");
///             Ok(Flow::Continue)
///         }
///     }
/// })?;
/// writer.write_all(b"hello")?;
/// drop(writer);
/// soquete::run()
/// # }
/// ```
///
/// # Errors
///
/// `EPERM` for what cannot be polled because it is always ready, such as a file; [`queue_work`](crate::queue_work)
/// is for those. `EEXIST` for a descriptor that is watched already, and what else the system may say
/// ([`syscall`](Error::syscall) `watch`). `ERR_LOOP_CLOSED` on a thread on its way out.
#[doc(alias = "uv_poll_t")]
#[doc(alias = "stdin")]
#[doc(alias = "dgram")]
#[track_caller]
pub fn watch<S: AsFd + 'static, R: Outcome>(
    source: S,
    interest: Interest,
    mut listener: impl FnMut(&mut S, Readiness) -> R + 'static,
) -> Result<Watch<S>> {
    let origin = Origin::here();
    let listener = move |source: &mut S, readiness| listener(source, readiness).verdict();
    let watched = reactor::with(|event_loop| {
        let cell = event_loop.insert(|key| Watched {
            key,
            origin,
            source: RefCell::new(Some(source)),
            listener: RefCell::new(Some(Box::new(listener))),
            interest: Cell::new(interest),
            descriptor: Cell::new(None),
            referenced: Cell::new(true),
            counted: Cell::new(false),
            closed: Cell::new(false),
        });
        let asked = cell.ask_anew(event_loop);
        cell.update_alive(event_loop);
        if let Err(error) = asked {
            cell.close(event_loop);
            return Err(error);
        }
        Ok(Watch::of(cell.key))
    });
    watched.unwrap_or_else(|| Err(node::loop_closed()))
}

impl<S: AsFd + 'static> Watch<S> {
    fn of(key: Key) -> Watch<S> {
        Watch {
            key,
            _not_send: StaysOnItsThread::HERE,
            _source: PhantomData,
        }
    }

    /// Calls `use_source` with the source: to write to it, say. `None` if it was closed, and inside a call that
    /// has it already: the listener's, or another `with`.
    ///
    /// It may put another source in its place, which is watched from then on.
    pub fn with<R>(&self, use_source: impl FnOnce(&mut S) -> R) -> Option<R> {
        self.on_loop(|event_loop, cell| {
            let mut lent = Lent::take(event_loop, cell)?;
            Some(use_source(lent.source.as_mut()?))
        })
        .flatten()
    }

    /// Watches for something else from now on.
    ///
    /// # Errors
    ///
    /// As [`watch`]; the descriptor is not watched any more then.
    pub fn set_interest(&self, interest: Interest) -> Result<Watch<S>> {
        let asked = self.on_loop(|event_loop, cell| {
            cell.interest.set(interest);
            // Inside a call that has the source, it is asked when that has returned.
            let asked = cell.ask_anew(event_loop);
            cell.update_alive(event_loop);
            asked
        });
        asked.unwrap_or(Ok(())).map(|()| *self)
    }

    /// What it is watched for; [`Interest::NONE`] once it was closed.
    pub fn interest(&self) -> Interest {
        self.on_loop(|_, cell| cell.interest.get())
            .unwrap_or_default()
    }

    /// Ends watching, and gives the source back. Inside a call that has the source, `None`: it is dropped when that
    /// has returned.
    pub fn close(&self) -> Option<S> {
        self.on_loop(|event_loop, cell| cell.close(event_loop))
            .flatten()
    }

    /// Makes it keep the loop alive, as it does by default.
    pub fn ref_(&self) -> Watch<S> {
        self.set_referenced(true)
    }

    /// Lets the loop end though the descriptor is watched.
    pub fn unref(&self) -> Watch<S> {
        self.set_referenced(false)
    }

    /// Whether it keeps the loop alive.
    pub fn has_ref(&self) -> bool {
        self.on_loop(|_, cell| cell.referenced.get())
            .unwrap_or(false)
    }

    fn set_referenced(&self, referenced: bool) -> Watch<S> {
        self.on_loop(|event_loop, cell| {
            cell.referenced.set(referenced);
            cell.update_alive(event_loop);
        });
        *self
    }

    fn on_loop<R>(&self, f: impl FnOnce(&Loop, &Rc<Watched<S>>) -> R) -> Option<R> {
        reactor::with(|event_loop| {
            let handle: Rc<dyn std::any::Any> = event_loop.handle(self.key)?;
            let cell = handle.downcast::<Watched<S>>().ok()?;
            Some(f(event_loop, &cell))
        })
        .flatten()
    }
}

type Listener<S> = Box<dyn FnMut(&mut S, Readiness) -> Verdict>;

/// What a [`Watch`] names.
struct Watched<S> {
    key: Key,
    origin: Origin,
    /// `None` while it is lent.
    source: RefCell<Option<S>>,
    /// `None` while it is called.
    listener: RefCell<Option<Listener<S>>>,
    interest: Cell<Interest>,
    /// What the poll knows.
    descriptor: Cell<Option<RawFd>>,
    referenced: Cell<bool>,
    counted: Cell<bool>,
    closed: Cell<bool>,
}

impl<S: AsFd + 'static> Watched<S> {
    /// Tells the poll what is wanted now, so that it tells what is there now.
    fn ask_anew(&self, event_loop: &Loop) -> Result<()> {
        let Some(source) = self.source.take() else {
            return Ok(());
        };
        let now = source.as_fd().as_raw_fd();
        self.source.replace(Some(source));
        let interest = self.interest.get();
        let asked = match self.descriptor.get() {
            Some(before) if before == now => event_loop.watch_again(now, self.key, interest),
            // One that was closed has left the poll by itself.
            _ => event_loop.watch(now, self.key, interest),
        };
        let known = asked.is_ok() && !interest.is_none();
        self.descriptor.set(known.then_some(now));
        asked.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => node::not_watchable(&error),
            _ => Error::os("watch", &error),
        })
    }

    fn close(&self, event_loop: &Loop) -> Option<S> {
        self.closed.set(true);
        if let Some(descriptor) = self.descriptor.take() {
            // It may be gone from the poll with its last duplicate.
            let _gone = event_loop.unwatch(descriptor);
        }
        self.update_alive(event_loop);
        event_loop.remove(self.key);
        event_loop.discard(self.listener.take());
        self.source.take()
    }

    fn update_alive(&self, event_loop: &Loop) {
        let before = self.counted.replace(self.is_alive());
        event_loop.recount(before, self.is_alive());
    }

    fn is_alive(&self) -> bool {
        !self.closed.get() && self.referenced.get() && !self.interest.get().is_none()
    }
}

impl<S: AsFd + 'static> Handle for Watched<S> {
    fn ready(self: Rc<Self>, event_loop: &Loop, _key: Key, ready: Ready) {
        let interest = self.interest.get();
        let readiness = Readiness {
            readable: interest.contains(Interest::READABLE) && (ready.readable || ready.closed),
            writable: interest.contains(Interest::WRITABLE) && ready.writable,
            closed: ready.closed,
        };
        let Some(mut listener) = self.listener.take() else {
            return;
        };
        let mut verdict = Verdict::Fine;
        if let Some(mut lent) = Lent::take(event_loop, &self) {
            event_loop.call_now(|| {
                if let Some(source) = &mut lent.source {
                    verdict = listener(source, readiness);
                }
            });
        }
        if self.closed.get() {
            event_loop.discard(listener);
        } else {
            self.listener.replace(Some(listener));
        }
        match verdict {
            Verdict::Fine => {}
            Verdict::Stop => {
                let source = self.close(event_loop);
                event_loop.discard(source);
            }
            Verdict::Failed(error) => event_loop.unhandled_error(error),
        }
        event_loop.settle();
    }

    // A world has no descriptors to watch.
    #[cfg(feature = "sim")]
    fn waits(&self) -> (bool, bool) {
        (false, false)
    }

    #[cfg(feature = "sim")]
    fn account(&self) -> Option<String> {
        None
    }

    fn kind(&self) -> HandleKind {
        HandleKind::Watch
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn keeps_alive(&self) -> bool {
        self.counted.get()
    }
}

/// A source while somebody uses it: given back when this is dropped, also by a panic.
struct Lent<'a, S: AsFd + 'static> {
    event_loop: &'a Loop,
    cell: &'a Watched<S>,
    source: Option<S>,
}

impl<'a, S: AsFd + 'static> Lent<'a, S> {
    fn take(event_loop: &'a Loop, cell: &'a Watched<S>) -> Option<Lent<'a, S>> {
        let source = Some(cell.source.take()?);
        Some(Lent {
            event_loop,
            cell,
            source,
        })
    }
}

impl<S: AsFd + 'static> Drop for Lent<'_, S> {
    fn drop(&mut self) {
        let source = self.source.take();
        if self.cell.closed.get() {
            return self.event_loop.discard(source);
        }
        self.cell.source.replace(source);
        if let Err(error) = self.cell.ask_anew(self.event_loop) {
            self.event_loop.unhandled_error(error);
        }
    }
}

impl<S> Clone for Watch<S> {
    fn clone(&self) -> Watch<S> {
        *self
    }
}

impl<S> Copy for Watch<S> {}

impl<S> PartialEq for Watch<S> {
    fn eq(&self, other: &Watch<S>) -> bool {
        self.key == other.key
    }
}

impl<S> Eq for Watch<S> {}

impl<S> Hash for Watch<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<S> fmt::Debug for Watch<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.key).finish()
    }
}

impl<S> Sealed for Watch<S> {
    fn verdict(self) -> Verdict {
        Verdict::Fine
    }
}

impl<S> Outcome for Watch<S> {}
