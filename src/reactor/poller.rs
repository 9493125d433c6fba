//! The loop's side of mio: one registration per descriptor, edge-triggered, for reading and
//! writing; events are taken over in a batch and handed out one by one.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Poll, Registry, Token, Waker};

use super::remote::Mailbox;
use super::{Interest, Key, Ready};
use crate::error::{Error, Result, node};
use crate::kernel::{Alarm, Answer, Call, Seat, Watched, answer};

/// Events per system call, as libuv. With more ready than that, the rest come in the next turn.
const BATCH: usize = 1024;

/// The interest in a stream.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STREAM: mio::Interest = mio::Interest::READABLE
    .add(mio::Interest::WRITABLE)
    .add(mio::Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STREAM: mio::Interest = mio::Interest::READABLE.add(mio::Interest::WRITABLE);

/// Made on first use: a loop that only has timers needs no descriptor until it waits.
pub(super) struct Poller {
    opened: OnceCell<Opened>,
    /// What has been taken over and not handed out, the first last.
    batch: RefCell<Vec<(Key, Ready)>>,
    /// Where the loop is, if it is in a simulated world.
    seat: Option<Seat>,
}

/// What needs descriptors: all of it, or nothing.
struct Opened {
    /// `None` in a simulated world.
    poll: Option<OsPoll>,
    /// Where other threads leave what they post, with the descriptor that wakes the poll.
    mailbox: Arc<Mailbox>,
}

/// Only waiting borrows it for itself: mio writes to the log, and a logger may come back to the loop.
struct OsPoll(RefCell<(Poll, Events)>);

impl Poller {
    pub(super) const WAKE: Key = Key::RESERVED;

    pub(super) const fn new(seat: Option<Seat>) -> Poller {
        Poller {
            opened: OnceCell::new(),
            batch: RefCell::new(Vec::new()),
            seat,
        }
    }

    fn opened(&self) -> io::Result<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let (poll, alarm) = match self.seat {
            Some(seat) => (None, seat.alarm()),
            None => {
                let poll = Poll::new()?;
                let waker = Waker::new(poll.registry(), Token(Self::WAKE.to_bits()))?;
                let events = Events::with_capacity(BATCH);
                let poll = OsPoll(RefCell::new((poll, events)));
                (Some(poll), Alarm::Os(waker))
            }
        };
        let mailbox = Arc::new(Mailbox::new(alarm));
        Ok(self.opened.get_or_init(|| Opened { poll, mailbox }))
    }

    fn with_registry<R>(&self, f: impl FnOnce(&Registry) -> io::Result<R>) -> io::Result<R> {
        let Some(OsPoll(poll)) = &self.opened()?.poll else {
            // A loop of a simulated world waits for nothing outside of it.
            return Err(io::ErrorKind::Unsupported.into());
        };
        match poll.try_borrow() {
            Ok(poll) => f(poll.0.registry()),
            Err(_waiting) => Err(io::ErrorKind::ResourceBusy.into()),
        }
    }

    pub(super) fn register(&self, source: Watched<'_>, key: Key) -> io::Result<()> {
        let (source, interest) = match source {
            Watched::Nothing => return Err(io::ErrorKind::NotConnected.into()),
            Watched::Sim(descriptor) => return descriptor.watch(key.to_bits()),
            Watched::Stream(source) => (source, STREAM),
            Watched::Listener(source) => (source, mio::Interest::READABLE),
        };
        self.with_registry(|registry| registry.register(source, Token(key.to_bits()), interest))
    }

    /// Registers a descriptor that stays its owner's.
    pub(super) fn lend(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        let token = Token(key.to_bits());
        self.with_registry(|registry| {
            registry.register(&mut SourceFd(&fd), token, of_mio(interest))
        })
    }

    /// Registers a descriptor anew, so that its readiness is reported once more.
    pub(super) fn lend_again(&self, fd: RawFd, key: Key, interest: Interest) -> io::Result<()> {
        let token = Token(key.to_bits());
        self.with_registry(|registry| {
            registry.reregister(&mut SourceFd(&fd), token, of_mio(interest))
        })
    }

    pub(super) fn take_back(&self, fd: RawFd) -> io::Result<()> {
        self.with_registry(|registry| registry.deregister(&mut SourceFd(&fd)))
    }

    /// The descriptor that is readable when there are events.
    pub(super) fn fd(&self) -> Result<RawFd> {
        self.with_registry(|registry| Ok(registry.as_raw_fd()))
            .map_err(|error| Error::os("poll", &error))
    }

    /// Closing a descriptor deregisters it, too; this is for one that lives on elsewhere.
    pub(super) fn deregister(&self, source: Watched<'_>) -> io::Result<()> {
        match source {
            Watched::Nothing => Err(io::ErrorKind::NotConnected.into()),
            Watched::Sim(descriptor) => descriptor.unwatch(),
            Watched::Stream(source) | Watched::Listener(source) => {
                self.with_registry(|registry| registry.deregister(source))
            }
        }
    }

    /// Waits for events, at most `timeout`, and takes them over.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Result<usize> {
        let os_error = |error: io::Error| Error::os("poll", &error);
        debug_assert!(!self.has_events(), "the last batch is handed out first");
        if let Some(seat) = self.seat {
            // Plans and invariants of the world are called meanwhile, which may ask this poller something.
            let mut batch = self.batch.take();
            let waited = seat.wait(timeout, &mut batch);
            self.batch.replace(batch);
            return waited.map_err(os_error);
        }
        let opened = self.opened().map_err(os_error)?;
        let Some(OsPoll(poll)) = &opened.poll else {
            return Ok(0);
        };
        // It is registered with further up the stack: a logger of mio's record runs the loop.
        let Ok(mut poll) = poll.try_borrow_mut() else {
            return Err(node::already_running());
        };
        let (poll, events) = &mut *poll;
        match poll.poll(events, timeout) {
            Err(error) if answer(Call::Poll, &error) == Answer::Done => events.clear(),
            polled => polled.map_err(os_error)?,
        }
        let mut batch = self.batch.borrow_mut();
        batch.extend(events.iter().map(|event| {
            let ready = Ready {
                readable: event.is_readable() || event.is_error(),
                writable: event.is_writable() || event.is_error(),
                closed: event.is_read_closed() || event.is_error() || event.is_priority(),
            };
            (Key::from_bits(event.token().0), ready)
        }));
        batch.reverse();
        Ok(batch.len())
    }

    /// Whether an interruption has left a batch unfinished.
    pub(super) fn has_events(&self) -> bool {
        !self.batch.borrow().is_empty()
    }

    pub(super) fn next_event(&self) -> Option<(Key, Ready)> {
        self.batch.borrow_mut().pop()
    }

    /// Makes an event the next one again.
    pub(super) fn put_back(&self, key: Key, ready: Ready) {
        self.batch.borrow_mut().push((key, ready));
    }

    /// Where other threads leave what they post.
    pub(super) fn mailbox(&self) -> Result<&Arc<Mailbox>> {
        let opened = self.opened().map_err(|error| Error::os("poll", &error))?;
        Ok(&opened.mailbox)
    }

    pub(super) fn existing_mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.opened.get().map(|opened| &opened.mailbox)
    }

    /// How many remotes keep the loop alive.
    pub(super) fn remotes(&self) -> usize {
        self.existing_mailbox()
            .map_or(0, |mailbox| mailbox.remotes())
    }
}

/// mio has none for no interest at all.
fn of_mio(interest: Interest) -> mio::Interest {
    debug_assert!(
        !interest.is_none(),
        "what nobody waits for is not registered"
    );
    match interest {
        Interest::READABLE => mio::Interest::READABLE,
        Interest::WRITABLE => mio::Interest::WRITABLE,
        _ => mio::Interest::READABLE | mio::Interest::WRITABLE,
    }
}
