//! A socket's state: its two halves, and what concerns both.

use std::cell::Cell;

use super::driver::{AfterConnect, CloseKind, Driver, Signal, Tick};
use super::life::{Life, ReadyState};
use super::read_half::ReadHalf;
use super::seldom::Seldom;
use super::write_half::WriteHalf;
use crate::bits::bits;
use crate::error::Error;

/// A socket's state, without its descriptor.
pub(crate) struct Duplex {
    life: Cell<Life>,
    pub(super) read: ReadHalf,
    pub(super) write: WriteHalf,
    pub(super) bits: Bits,
    pub(super) seldom: Seldom,
}

bits! {
    pub(super) struct Bits {
        allow_half_open,
        errored,
        /// The peer has ended and this end followed unasked: a write gets an error of its own.
        ended_by_peer,
        /// The tick `Destroyed` has come: only `Close` is emitted after it.
        quiet,
    }
}

impl Duplex {
    pub(crate) fn new() -> Duplex {
        Duplex {
            life: Cell::new(Life::Fresh),
            read: ReadHalf::new(),
            write: WriteHalf::new(),
            bits: Bits::default(),
            seldom: Seldom::default(),
        }
    }

    pub(crate) fn life(&self) -> Life {
        self.life.get()
    }

    pub(crate) fn is_destroyed(&self) -> bool {
        matches!(self.life.get(), Life::Destroyed | Life::Closed)
    }

    pub(crate) fn error(&self) -> Option<Error> {
        self.seldom.get()?.error.with(|error| error.clone())
    }

    pub(crate) fn is_errored(&self) -> bool {
        self.bits.errored().get()
    }

    pub(super) fn set_error(&self, error: &Error) {
        self.bits.errored().set(true);
        self.seldom.get_or_new().error.with(|kept| {
            kept.get_or_insert_with(|| error.clone());
        });
    }

    pub(crate) fn allow_half_open(&self) -> bool {
        self.bits.allow_half_open().get()
    }

    pub(crate) fn set_allow_half_open(&self, allow: bool) {
        self.bits.allow_half_open().set(allow);
    }

    pub(crate) fn ready_state(&self) -> ReadyState {
        match (self.life.get(), self.is_readable(), self.is_writable()) {
            (Life::Connecting, ..) => ReadyState::Opening,
            (_, true, true) => ReadyState::Open,
            (_, true, false) => ReadyState::ReadOnly,
            (_, false, true) => ReadyState::WriteOnly,
            (_, false, false) => ReadyState::Closed,
        }
    }

    /// A descriptor that is connected already was put in.
    pub(crate) fn open(&self) {
        self.life.set(Life::Open);
    }

    /// A connection is being made. A socket that has closed begins a new life.
    pub(crate) fn begin_connecting(&self, driver: &impl Driver) {
        debug_assert_ne!(self.life.get(), Life::Destroyed, "`Close` comes first");
        if self.life.get() == Life::Closed {
            self.bits.errored().set(false);
            if let Some(seldom) = self.seldom.get() {
                seldom.error.take();
                seldom.destroyed_with.take();
            }
            self.bits.ended_by_peer().set(false);
            self.bits.quiet().set(false);
            self.read.begin_again();
            self.fail_parked(driver);
            self.write.begin_again();
        }
        self.life.set(Life::Connecting);
    }

    /// The connection is up; `Connect` is emitted next.
    pub(crate) fn connected(&self) {
        debug_assert_eq!(self.life.get(), Life::Connecting);
        self.life.set(Life::Open);
    }

    /// `Connect` and `Ready` were emitted: reading begins, unless it was paused before.
    pub(crate) fn after_connect(&self, driver: &impl Driver) {
        if self.life.get() == Life::Open {
            self.start_after_connect(driver);
        }
    }

    /// What waited for the connection, in its place among the listeners of `Connect`.
    pub(crate) fn on_connected(&self, driver: &impl Driver, then: AfterConnect) {
        match then {
            AfterConnect::Write => self.send_parked(driver),
            AfterConnect::Final => self.shut_down(driver),
            AfterConnect::Reset => self.reset(driver),
        }
    }

    /// A tick that was asked for has come.
    pub(crate) fn on_tick(&self, driver: &impl Driver, tick: Tick) {
        match tick {
            Tick::AfterWrite => self.after_sync_write(driver),
            Tick::Drained => self.after_drain(driver),
            Tick::WriteFailed => self.after_failed_write(driver),
            Tick::FailQueued => self.fail_queued(),
            Tick::Finish => self.finish(driver),
            Tick::Resume => self.after_resume(driver),
            Tick::Readable => self.emit_readable(driver),
            Tick::ReadMore => self.read_more(driver),
            Tick::ReadZero => self.read_zero(driver),
            Tick::ReadableListening => self.update_readable_listening(driver),
            Tick::EndReadable => self.emit_end(driver),
            Tick::EndWritable => self.end_after_peer(driver),
            Tick::Destroyed => self.after_destroy(driver),
            Tick::Closed => self.on_closed(driver),
            Tick::Flow => self.flow(driver),
        }
    }

    /// Ends the socket at once. What the kernel has taken is still sent; what is queued is not. Only
    /// the first call counts.
    pub(crate) fn destroy(&self, driver: &impl Driver, error: Option<Error>) {
        self.destroy_as(driver, error, CloseKind::Gracefully);
    }

    /// As `destroy`, but the peer gets a reset.
    pub(crate) fn reset(&self, driver: &impl Driver) {
        self.destroy_as(driver, None, CloseKind::Reset);
    }

    fn destroy_as(&self, driver: &impl Driver, error: Option<Error>, how: CloseKind) {
        let life = self.life.get();
        if self.is_destroyed() {
            return;
        }
        // What was written earlier in this callback counts as handed over, as it is in Node.
        self.flush(driver);
        if self.has_queued_callbacks() {
            driver.tick(Tick::FailQueued);
        }
        if let Some(error) = error {
            self.set_error(&error);
            let with = &self.seldom.get_or_new().destroyed_with;
            with.with(|with| *with = Some(error));
        }
        self.life.set(Life::Destroyed);
        self.read.stop();
        self.drop_queued_bytes();
        driver.close(how);
        driver.tick(Tick::Destroyed);
        match life {
            Life::Fresh => driver.tick(Tick::Closed),
            _ => driver.close_later(),
        }
        driver.left_server();
    }

    /// What `destroy` was called with.
    fn destroyed_with(&self) -> Option<Error> {
        let with = &self.seldom.get()?.destroyed_with;
        with.with(|error| error.clone())
    }

    /// Emits the error that the socket was destroyed with, if there is one; from then on only `Close`.
    fn after_destroy(&self, driver: &impl Driver) {
        debug_assert!(self.is_destroyed(), "nothing else asks for this tick");
        if self.bits.quiet().replace(true) {
            return;
        }
        // A failed write leaves an error of its own on a socket that is destroyed without one; that
        // went to the callbacks and is not emitted.
        let error = self.destroyed_with();
        if let Some(error) = error {
            driver.emit(Signal::Error(&error));
        }
    }

    /// The closing phase has come to this socket, and its descriptor is closed.
    pub(crate) fn on_closed(&self, driver: &impl Driver) {
        debug_assert_eq!(self.life.get(), Life::Destroyed);
        self.cancel_write();
        self.life.set(Life::Closed);
        driver.emit(Signal::Close {
            had_error: self.destroyed_with().is_some(),
        });
    }

    /// Asserts what holds whenever nothing is under way.
    #[cfg(all(feature = "sim", any(test, fuzzing, feature = "fuzzing")))]
    pub(crate) fn check(&self) {
        self.check_read_half();
        self.check_write_half();
    }

    /// What would be lost if the descriptor were taken away now; `None` if nothing would.
    pub(crate) fn why_not_idle(&self, driver: &impl Driver) -> Option<String> {
        let kept = self.readable_length() + self.undecoded_length();
        if kept > 0 {
            return Some(format!(
                "{kept} bytes that were read have not been consumed"
            ));
        }
        if self.writable_ended() {
            return Some(String::from("the socket is ending"));
        }
        let queued = self.writable_length(driver);
        if queued > 0 || self.is_writing() || self.has_queued_callbacks() {
            return Some(format!(
                "{queued} bytes that were written have not been sent"
            ));
        }
        None
    }

    /// Whether a socket that has ended one half has ended the other too, and is done.
    pub(super) fn both_ended(&self) -> bool {
        self.read.end_emitted() && self.write.is_finished()
    }
}
