//! `end`: the last writes, the shutdown once everything is sent, and `Finish`.

use super::WriteEnd;
use crate::error::{Error, node};
use crate::kernel::{Answer, Call, answer};
use crate::machine::data::Data;
use crate::machine::driver::{AfterConnect, Driver, Signal, Tick};
use crate::machine::duplex::Duplex;
use crate::machine::life::Life;
use crate::machine::write_queue::Callback;

impl Duplex {
    /// Ends the half when everything that is queued has been sent.
    pub(crate) fn end(
        &self,
        driver: &impl Driver,
        data: Option<Data<'_>>,
        callback: Option<Callback>,
    ) {
        let half = &self.write;
        if let Some(data) = data {
            if half.is_ending() || self.is_destroyed() {
                return self.refuse_end(driver, callback);
            }
            self.write(driver, [data], None);
        }
        // What the kernel refuses now keeps the half from ending.
        self.flush(driver);
        if half.corked.replace(0) > 0 {
            self.release(driver);
        }
        if !half.is_ending() && !self.is_errored() {
            half.end.set(WriteEnd::Ending);
            if self.is_destroyed() {
                return self.tick_callback(driver, callback, Err(node::destroyed("end")));
            }
            self.add_end_callback(callback);
            self.finish_maybe(driver);
            return;
        }
        let outcome = if half.is_finished() {
            Err(node::already_finished())
        } else if self.is_destroyed() {
            Err(node::destroyed("end"))
        } else {
            match self.error() {
                Some(error) => Err(error),
                None => return self.add_end_callback(callback),
            }
        };
        self.tick_callback(driver, callback, outcome);
    }

    fn add_end_callback(&self, callback: Option<Callback>) {
        if let Some(callback) = callback {
            let callbacks = &self.seldom.get_or_new().end_callbacks;
            callbacks.with(|callbacks| callbacks.get_or_insert_default().push(callback));
        }
    }

    /// As `refuse_write`, for the last data of `end`: the socket's error comes first.
    fn refuse_end(&self, driver: &impl Driver, callback: Option<Callback>) {
        let error = self.too_late();
        self.destroy(driver, Some(error.clone()));
        self.write.corked.set(0);
        self.tick_callback(driver, callback, Err(error));
    }

    /// Ends the half, and destroys the socket as soon as that is done.
    pub(crate) fn end_soon(&self, driver: &impl Driver) -> bool {
        if self.is_writable() {
            self.end(driver, None, None);
        }
        self.write.is_finished()
    }

    /// Asks for the shutdown, if the half is ending and has nothing left to send.
    pub(super) fn finish_maybe(&self, driver: &impl Driver) {
        let half = &self.write;
        let ready = half.end.get() == WriteEnd::Ending
            && half.is_free()
            && half.length() == 0
            && !half.has_unsettled_callbacks()
            && !self.is_destroyed()
            && !self.is_errored();
        if ready {
            half.end.set(WriteEnd::Final);
            self.shut_down(driver);
        }
    }

    pub(in crate::machine) fn shut_down(&self, driver: &impl Driver) {
        match self.life() {
            Life::Connecting => driver.on_connect(AfterConnect::Final),
            Life::Open => driver.shutdown_later(),
            Life::Fresh => self.on_final(driver),
            Life::Destroyed | Life::Closed => {}
        }
    }

    /// The pending phase has come to the shutdown.
    pub(crate) fn on_shutdown(&self, driver: &impl Driver) {
        if self.life() != Life::Open {
            return;
        }
        match driver.shutdown() {
            Err(error) if answer(Call::Shutdown, &error) == Answer::Fail => {
                let error = Error::os("shutdown", &error);
                self.call_end_callbacks(|| Err(error.clone()));
                self.destroy(driver, Some(error));
            }
            _ => self.on_final(driver),
        }
    }

    fn on_final(&self, driver: &impl Driver) {
        if self.is_destroyed() || self.is_errored() {
            return;
        }
        self.write.end.set(WriteEnd::Prefinished);
        driver.emit(Signal::Prefinish);
        driver.tick(Tick::Finish);
    }

    pub(in crate::machine) fn finish(&self, driver: &impl Driver) {
        // A tick of an earlier life finds nothing that is as far as that.
        if self.write.end.get() != WriteEnd::Prefinished {
            return;
        }
        self.write.end.set(WriteEnd::Finished);
        self.call_end_callbacks(|| Ok(()));
        driver.emit(Signal::Finish);
        if self.both_ended() {
            self.destroy(driver, None);
        }
    }

    /// The peer has ended, its data was read, and half-open is not allowed.
    pub(in crate::machine) fn end_after_peer(&self, driver: &impl Driver) {
        if self.is_writable() {
            self.end(driver, None, None);
        }
    }

    /// From `End` on, a write after the end that follows it is answered with what happened.
    pub(in crate::machine) fn mark_ended_by_peer(&self) {
        self.bits.ended_by_peer().set(!self.allow_half_open());
    }
}
