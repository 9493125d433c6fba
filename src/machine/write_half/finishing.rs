//! The end of the writing half: the shutdown, once everything is sent, and `Finish`.

use super::{Request, WriteEnd};
use crate::error::Error;
use crate::kernel::{Answer, Call, answer};
use crate::machine::host::{AfterConnect, Host, Signal, Tick};
use crate::machine::{Duplex, Life};

impl Duplex {
    /// Asks for the shutdown, if the half is ending and has nothing left to send.
    pub(in crate::machine) fn finish_maybe(&self, host: &impl Host) {
        let half = &self.write;
        let ready = half.end.get() == WriteEnd::Ending
            && half.request.get() == Request::None
            && half.length() == 0
            && !half.has_unsettled_callbacks()
            && !self.is_destroyed()
            && !self.is_errored();
        if ready {
            half.end.set(WriteEnd::Final);
            self.shut_down(host);
        }
    }

    pub(in crate::machine) fn shut_down(&self, host: &impl Host) {
        match self.life() {
            Life::Connecting => host.on_connect(AfterConnect::Final),
            Life::Open => host.shutdown_later(),
            Life::Fresh => self.on_final(host),
            Life::Destroyed | Life::Closed => {}
        }
    }

    /// The pending phase has come to the shutdown.
    pub(crate) fn on_shutdown(&self, host: &impl Host) {
        if self.life() != Life::Open {
            return;
        }
        match host.shutdown() {
            Err(error) if answer(Call::Shutdown, &error) == Answer::Fail => {
                let error = Error::os("shutdown", &error);
                self.call_end_callbacks(|| Err(error.clone()));
                self.destroy(host, Some(error));
            }
            _ => self.on_final(host),
        }
    }

    pub(super) fn on_final(&self, host: &impl Host) {
        if self.is_destroyed() || self.is_errored() {
            return;
        }
        self.write.end.set(WriteEnd::Prefinished);
        host.emit(Signal::Prefinish);
        host.tick(Tick::Finish);
    }

    pub(in crate::machine) fn finish(&self, host: &impl Host) {
        // A tick of an earlier life finds nothing that is as far as that.
        if self.write.end.get() != WriteEnd::Prefinished {
            return;
        }
        self.write.end.set(WriteEnd::Finished);
        self.call_end_callbacks(|| Ok(()));
        host.emit(Signal::Finish);
        if self.both_ended() {
            self.destroy(host, None);
        }
    }

    /// The peer has ended, its data was read, and half-open is not allowed.
    pub(in crate::machine) fn end_after_peer(&self, host: &impl Host) {
        if self.is_writable() {
            self.end(host, None, None);
        }
    }

    /// From `End` on, a write after the end that follows it is answered with what happened.
    pub(in crate::machine) fn mark_ended_by_peer(&self) {
        self.ended_by_peer.set(!self.allow_half_open());
    }
}
