//! What becomes of an attempt: a connection, a failure, or too long a silence.

use std::io;

use crate::error::Error;
use crate::event;
use crate::kernel::{Stream, errno};
use crate::machine::{Driver, Life};
use crate::net::connect::attempts::Progress;
use crate::net::connect::racing;
use crate::net::connect::reply::{Reply, reply};
use crate::net::driver::log_line;
use crate::net::driver::socket::SocketDriver;
use crate::net::state::connecting::Connecting;
use crate::net::values::payload::{Attempt, FailedAttempt};
use crate::reactor::{Job, Ready};

impl SocketDriver<'_> {
    pub(super) fn attempt_timed_out(&self) {
        if self.state.duplex.life() != Life::Connecting {
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
        if self.state.duplex.life() != Life::Connecting {
            return;
        }
        let timed_out = errno::error(errno::ETIMEDOUT);
        self.with_connecting(|connecting| {
            let error = connecting.error(&timed_out, connecting.local.clone());
            connecting.errors.push(error);
        });
        self.state.transport.replace(Stream::None);
        self.try_next_address();
    }

    /// The poll has something to say of the attempt under way.
    pub(in crate::net) fn connection_ready(&self, ready: Ready) {
        let reply = reply(&self.state.transport.borrow(), ready);
        match reply {
            Reply::NotYet => {}
            Reply::Connected(address) => {
                self.state.set_remote(address);
                self.connection_established();
            }
            Reply::Failed(error) => self.connection_failed(&error),
        }
    }

    pub(super) fn connection_established(&self) {
        self.clear_attempt_timer();
        self.clear_connect_timeout();
        self.call_off_racers();
        let connecting = self.state.with_extras(|extras| extras.connecting.take());
        self.state.duplex.connected();
        // The options may own what is the user's, and its destructor may destroy the socket.
        self.event_loop.discard(connecting);
        if self.state.duplex.life() != Life::Open {
            return;
        }
        self.activity();
        if let Err(error) = self.apply_stored_options() {
            self.emit_error(&error);
        }
        log_line::is_connected(self);
        // Each of the two may destroy the socket or connect it anew; Node emits them all the same.
        self.emit_to(event::Connect, ());
        self.emit_to(event::Ready, ());
        self.state.duplex.after_connect(self);
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
        self.state.transport.replace(Stream::None);
        self.tell_of_failure(&error);
        if self.state.duplex.life() != Life::Connecting {
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
    pub(in crate::net) fn abandon_attempts(&self) {
        self.clear_attempt_timer();
        self.clear_connect_timeout();
        self.call_off_racers();
        let left = self.state.extras(|extras| {
            extras.life_id = extras.life_id.wrapping_add(1);
            (extras.bound.take(), extras.connecting.take())
        });
        let (_bound, connecting) = left.unwrap_or_default();
        if let Some(connecting) = connecting {
            let cancelled = connecting.cancelled();
            self.state
                .with_extras(|extras| extras.cancelled = cancelled);
            // On a tick: this is in the middle of `destroy`, and the options may own what is the user's.
            self.event_loop
                .next_tick(Job::Call(Box::new(move || drop(connecting))));
        }
    }

    /// In the closing phase: the attempt that its socket's destruction has cut off. False if there was none.
    pub(in crate::net) fn tell_of_cancelled_attempt(&self) -> bool {
        let cancelled = self
            .state
            .extras(|extras| extras.cancelled.take())
            .flatten();
        if let Some(cancelled) = &cancelled {
            self.emit_lent(event::ConnectionAttemptFailed, cancelled);
        }
        cancelled.is_some()
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
        self.state
            .extras(|extras| extras.connecting.as_deref_mut().map(f))
            .flatten()
    }
}
