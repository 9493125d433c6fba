//! What becomes of an attempt: a connection, a failure, or too long a silence.

use std::io;
use std::net::SocketAddr;

use super::attempts::{Connecting, Progress};
use super::{Attempt, FailedAttempt, racing};
use crate::error::Error;
use crate::event;
use crate::kernel::{Peer, Stream, errno};
use crate::machine::{Host, Life};
use crate::net::cell::SocketHost;
use crate::net::lifecycle;
use crate::reactor::Ready;

/// What an event of a descriptor that connects has brought.
pub(super) enum Came {
    Nothing,
    /// With the peer's address, if that can be had.
    Connection(Option<SocketAddr>),
    Failure(io::Error),
}

pub(super) fn came(stream: &Stream, ready: Ready) -> Came {
    match stream.take_error() {
        Ok(Some(error)) | Err(error) => Came::Failure(error),
        Ok(None) => match stream.connected_to() {
            Peer::Connected(address) => Came::Connection(address),
            // Writable, but not connected: an event that was not meant for this.
            Peer::NotYet if !ready.closed => Came::Nothing,
            Peer::NotYet => Came::Failure(io::ErrorKind::ConnectionRefused.into()),
        },
    }
}

impl SocketHost<'_> {
    pub(super) fn attempt_timed_out(&self) {
        if self.cell.duplex.life() != Life::Connecting {
            return;
        }
        self.clear_attempt_timer();
        if self.is_side_by_side() {
            if let Err(error) = self.let_it_race() {
                return self.connection_failed(&error);
            }
            return self.try_next_address();
        }
        self.with_connecting(|connecting| connecting.under_way = false);
        self.emit_lent(event::ConnectionAttemptTimeout, &self.current_attempt());
        if self.cell.duplex.life() != Life::Connecting {
            return;
        }
        let timed_out = errno::error(errno::ETIMEDOUT);
        self.with_connecting(|connecting| {
            let error = connecting.error(&timed_out, connecting.local.clone());
            connecting.errors.push(error);
        });
        self.cell.transport.replace(Stream::None);
        self.try_next_address();
    }

    /// The poll has something to say of the attempt under way.
    pub(crate) fn connection_ready(&self, ready: Ready) {
        let came = came(&self.cell.transport.borrow(), ready);
        match came {
            Came::Nothing => {}
            Came::Connection(address) => {
                self.cell.remote.set(address);
                self.connection_established();
            }
            Came::Failure(error) => self.connection_failed(&error),
        }
    }

    pub(super) fn connection_established(&self) {
        self.clear_attempt_timer();
        self.clear_connect_timeout();
        self.call_off_racers();
        // The options may own what is the user's.
        let connecting = self.cell.with_rare(|rare| rare.connecting.take());
        self.event_loop.discard(connecting);
        self.cell.duplex.connected();
        self.activity();
        self.apply_stored_options();
        lifecycle::is_connected(self);
        // Each of the two may destroy the socket or connect it anew; Node emits them all the same.
        self.emit_to(event::Connect, ());
        self.emit_to(event::Ready, ());
        self.cell.duplex.after_connect(self);
    }

    pub(super) fn connection_failed(&self, error: &io::Error) {
        self.clear_attempt_timer();
        let failed = self.with_connecting(|connecting| {
            connecting.under_way = false;
            let error = connecting.error(error, connecting.local.clone());
            (error, connecting.has_several())
        });
        let Some((error, several)) = failed else {
            return;
        };
        self.cell.transport.replace(Stream::None);
        self.tell_of_failure(&error);
        if self.cell.duplex.life() != Life::Connecting {
            return;
        }
        if several {
            self.record(error);
            self.try_next_address();
        } else {
            self.fail(error);
        }
    }

    /// An attempt that did not get as far as waiting for an answer.
    pub(super) fn refused_at_once(&self, error: Error, several: bool) -> Progress {
        if !several {
            return self.give_up(error);
        }
        self.tell_of_failure(&error);
        self.record(error)
    }

    fn tell_of_failure(&self, error: &Error) {
        let failed = FailedAttempt {
            attempt: self.current_attempt(),
            error: error.clone(),
        };
        self.emit_lent(event::ConnectionAttemptFailed, &failed);
    }

    pub(super) fn record(&self, error: Error) -> Progress {
        self.with_connecting(|connecting| connecting.errors.push(error));
        Progress::Failed
    }

    pub(super) fn give_up(&self, error: Error) -> Progress {
        self.fail(error);
        Progress::Settled
    }

    /// Leaves off whatever is under way, because the socket is destroyed.
    pub(crate) fn abandon_attempts(&self) {
        self.clear_attempt_timer();
        self.clear_connect_timeout();
        self.call_off_racers();
        let left = self.cell.rare(|rare| {
            rare.connect_id = rare.connect_id.wrapping_add(1);
            (rare.bound.take(), rare.connecting.take())
        });
        let (_bound, connecting) = left.unwrap_or_default();
        if let Some(connecting) = connecting {
            let cancelled = connecting.cancelled();
            self.cell.with_rare(|rare| rare.cancelled = cancelled);
            self.event_loop.discard(connecting);
        }
    }

    /// In the closing phase: the attempt that its socket's destruction has cut off.
    pub(crate) fn tell_of_cancelled_attempt(&self) {
        let cancelled = self.cell.rare(|rare| rare.cancelled.take()).flatten();
        if let Some(cancelled) = cancelled {
            self.emit_lent(event::ConnectionAttemptFailed, &cancelled);
        }
    }

    fn call_off_racers(&self) {
        let racers = self.with_connecting(|connecting| std::mem::take(&mut connecting.racers));
        racing::call_off(self.event_loop, racers.unwrap_or_default());
    }

    fn clear_attempt_timer(&self) {
        if let Some(Some(timer)) = self.with_connecting(|connecting| connecting.timer.take()) {
            self.event_loop.clear_timer(timer);
        }
    }

    pub(super) fn current_attempt(&self) -> Attempt {
        self.with_connecting(|connecting| connecting.current.clone())
            .unwrap_or_default()
    }

    pub(super) fn with_connecting<R>(&self, f: impl FnOnce(&mut Connecting) -> R) -> Option<R> {
        self.cell
            .rare(|rare| rare.connecting.as_deref_mut().map(f))
            .flatten()
    }
}
