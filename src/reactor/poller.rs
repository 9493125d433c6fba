//! The loop's side of mio: one registration per descriptor, edge-triggered, for reading and
//! writing; events are taken over in a batch and handed out one by one.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use mio::event::Source;
use mio::{Events, Interest, Poll, Token, Waker};

use super::remote::Mailbox;
use super::{Key, Ready};
use crate::error::{Error, Result};

/// Events per system call, as libuv. With more ready than that, the rest come in the next turn.
const BATCH: usize = 1024;

/// Made on first use: a loop that only has timers needs no descriptor until it waits.
pub(super) struct Poller {
    poll: RefCell<Option<(Poll, Events)>>,
    /// What has been taken over and not handed out, the first last.
    batch: RefCell<Vec<(Key, Ready)>>,
    mailbox: OnceCell<Arc<Mailbox>>,
}

impl Poller {
    pub(super) const WAKE: Key = Key::RESERVED;

    pub(super) const fn new() -> Poller {
        Poller {
            poll: RefCell::new(None),
            batch: RefCell::new(Vec::new()),
            mailbox: OnceCell::new(),
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

    pub(super) fn register(&self, source: &mut impl Source, key: Key) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let interest = interest | Interest::PRIORITY;
        self.register_for(source, key, interest)
    }

    pub(super) fn register_for(
        &self,
        source: &mut impl Source,
        key: Key,
        interest: Interest,
    ) -> io::Result<()> {
        let token = Token(key.to_bits());
        self.with_poll(|poll, _| poll.registry().register(source, token, interest))
    }

    pub(super) fn reregister_for(
        &self,
        source: &mut impl Source,
        key: Key,
        interest: Interest,
    ) -> io::Result<()> {
        let token = Token(key.to_bits());
        self.with_poll(|poll, _| poll.registry().reregister(source, token, interest))
    }

    /// The descriptor that is readable when there are events.
    pub(super) fn fd(&self) -> Result<RawFd> {
        self.with_poll(|poll, _| Ok(poll.as_raw_fd()))
            .map_err(|error| Error::os("poll", &error))
    }

    /// Closing a descriptor deregisters it, too; this is for one that lives on elsewhere.
    pub(super) fn deregister(&self, source: &mut impl Source) -> io::Result<()> {
        self.with_poll(|poll, _| poll.registry().deregister(source))
    }

    /// Waits for events, at most `timeout`, and takes them over.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Result<usize> {
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
        let waker = self
            .with_poll(|poll, _| Waker::new(poll.registry(), Token(Self::WAKE.to_bits())))
            .map_err(|error| Error::os("poll", &error))?;
        Ok(self.mailbox.get_or_init(|| Arc::new(Mailbox::new(waker))))
    }

    pub(super) fn existing_mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.mailbox.get()
    }

    /// How many remotes keep the loop alive.
    pub(super) fn remotes(&self) -> usize {
        self.mailbox.get().map_or(0, |mailbox| mailbox.remotes())
    }
}
