//! The loop's side of mio: one registration per descriptor, edge-triggered, for reading and
//! writing; events are taken over in a batch and handed out one by one.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token, Waker};

use super::remote::Mailbox;
use super::{Key, Ready};
use crate::error::{Error, Result};
use crate::kernel::{Alarm, Seat, Watched};

/// Events per system call, as libuv. With more ready than that, the rest come in the next turn.
const BATCH: usize = 1024;

/// What is told of a stream.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STREAM: Interest = Interest::READABLE
    .add(Interest::WRITABLE)
    .add(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STREAM: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// Made on first use: a loop that only has timers needs no descriptor until it waits.
pub(super) struct Poller {
    poll: RefCell<Option<(Poll, Events)>>,
    /// What has been taken over and not handed out, the first last.
    batch: RefCell<Vec<(Key, Ready)>>,
    mailbox: OnceCell<Arc<Mailbox>>,
    /// Where the loop is, if it is in a simulated world.
    seat: Option<Seat>,
}

impl Poller {
    pub(super) const WAKE: Key = Key::RESERVED;

    pub(super) const fn new(seat: Option<Seat>) -> Poller {
        Poller {
            poll: RefCell::new(None),
            batch: RefCell::new(Vec::new()),
            mailbox: OnceCell::new(),
            seat,
        }
    }

    fn with_poll<R>(
        &self,
        f: impl FnOnce(&mut Poll, &mut Events) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut slot = self.poll.borrow_mut();
        if slot.is_none() {
            *slot = Some((Poll::new()?, Events::with_capacity(BATCH)));
        }
        match &mut *slot {
            Some((poll, events)) => f(poll, events),
            None => Err(io::ErrorKind::Other.into()),
        }
    }

    pub(super) fn register(&self, source: Watched<'_>, key: Key) -> io::Result<()> {
        let (source, interest) = match source {
            Watched::Nothing => return Err(io::ErrorKind::NotConnected.into()),
            Watched::Sim(descriptor) => return descriptor.watch(key.to_bits()),
            // A loop of a simulated world waits for nothing outside of it.
            Watched::Stream(_) | Watched::Listener(_) if self.seat.is_some() => {
                return Err(io::ErrorKind::Unsupported.into());
            }
            Watched::Stream(source) => (source, STREAM),
            Watched::Listener(source) => (source, Interest::READABLE),
        };
        self.with_poll(|poll, _| {
            poll.registry()
                .register(source, Token(key.to_bits()), interest)
        })
    }

    /// Closing a descriptor deregisters it, too; this is for one that lives on elsewhere.
    pub(super) fn deregister(&self, source: Watched<'_>) -> io::Result<()> {
        match source {
            Watched::Nothing => Err(io::ErrorKind::NotConnected.into()),
            Watched::Sim(descriptor) => descriptor.unwatch(),
            Watched::Stream(source) | Watched::Listener(source) => {
                self.with_poll(|poll, _| poll.registry().deregister(source))
            }
        }
    }

    /// Waits for events, at most `timeout`, and takes them over.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Result<usize> {
        if let Some(seat) = self.seat {
            let batch = &mut *self.batch.borrow_mut();
            return seat
                .wait(timeout, batch)
                .map_err(|error| Error::os("poll", &error));
        }
        self.with_poll(|poll, events| {
            match poll.poll(events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
                polled => polled?,
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
        })
        .map_err(|error| Error::os("poll", &error))
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

    /// Where other threads leave what they post. Made on first use, with the descriptor that wakes
    /// the poll.
    pub(super) fn mailbox(&self) -> Result<&Arc<Mailbox>> {
        if let Some(mailbox) = self.mailbox.get() {
            return Ok(mailbox);
        }
        let alarm = match self.seat {
            Some(seat) => seat.alarm(),
            None => self
                .with_poll(|poll, _| Waker::new(poll.registry(), Token(Self::WAKE.to_bits())))
                .map(Alarm::Os)
                .map_err(|error| Error::os("poll", &error))?,
        };
        let mailbox = Arc::new(Mailbox::new(alarm));
        Ok(self.mailbox.get_or_init(|| mailbox))
    }

    pub(super) fn existing_mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.mailbox.get()
    }

    /// How many remotes keep the loop alive.
    pub(super) fn remotes(&self) -> usize {
        self.mailbox.get().map_or(0, |mailbox| mailbox.remotes())
    }
}
