//! The user's calls, as the handles of the crate make them, and the callbacks that go with them.

use std::rc::Weak;

use super::kernel::{Kernel, outgoing};
use super::op::{Callback, Moment, UserOp};
use super::witness::Kind;
use super::{Readiness, World};
use crate::error::Error;
use crate::machine::data::Data;
use crate::machine::read_half::Amount;
use crate::machine::{AfterConnect, Driver, Life, write_queue};

impl World {
    /// One call; a handle whose socket is gone does nothing.
    pub(super) fn call(&self, call: UserOp) {
        if self.gone.get() {
            return;
        }
        self.calls.set(self.calls.get() + 1);
        self.do_call(call);
        self.calls.set(self.calls.get() - 1);
    }

    fn do_call(&self, call: UserOp) {
        let duplex = &self.duplex;
        match call {
            UserOp::Connect => self.connect(),
            UserOp::Write(len, callback) => self.write_some(len, callback, |bytes| bytes.into()),
            UserOp::WriteOwned(len, callback) => {
                self.write_some(len, callback, |bytes| bytes.to_vec().into());
            }
            UserOp::WriteCorked(len, callback) => {
                duplex.cork(self);
                self.write_some(len, callback, |bytes| bytes.into());
                duplex.uncork(self);
            }
            UserOp::End(callback) => self.end_with(None, callback),
            UserOp::EndWith(len, callback) => self.end_with(Some(len), callback),
            UserOp::EndSoon => {
                duplex.end_soon(self);
            }
            UserOp::Cork => duplex.cork(self),
            UserOp::Uncork => duplex.uncork(self),
            UserOp::WritableLength => {
                duplex.writable_length(self);
            }
            UserOp::Destroy => duplex.destroy(self, None),
            UserOp::DestroyWith => duplex.destroy(self, Some(Error::new("EUSER", "user"))),
            UserOp::Reset => match duplex.life() {
                Life::Open => duplex.reset(self),
                Life::Connecting => self.on_connect(AfterConnect::Reset),
                _ => duplex.destroy(self, Some(Error::new("ERR_SOCKET_CLOSED", "closed"))),
            },
            UserOp::Pause => duplex.pause(self),
            UserOp::Resume => duplex.resume(self),
            UserOp::Read => self.read_explicitly(Amount::Chunk),
            UserOp::ReadExactly(size) => self.read_explicitly(Amount::Exactly(size)),
            UserOp::Unshift(len) => self.unshift(len),
            UserOp::DecodeUtf8 => duplex.decode_utf8(),
            UserOp::ListenData => {
                self.listens_data.set(true);
                duplex.data_listener_added(self);
            }
            UserOp::ListenReadable => {
                self.listens_readable.set(true);
                duplex.readable_listener_added(self);
            }
            UserOp::UnlistenReadable => {
                if self.listens_readable.replace(false) {
                    duplex.readable_listener_removed(self);
                }
            }
            UserOp::AllowHalfOpen(allow) => duplex.set_allow_half_open(allow),
            UserOp::Hold(held) => duplex.hold(self, held),
        }
    }

    fn connect(&self) {
        match self.duplex.life() {
            // The crate answers with an error of its own, which is not the machine's.
            Life::Open | Life::Connecting => {}
            Life::Fresh => self.duplex.begin_connecting(self),
            Life::Destroyed => self.reconnect.set(true),
            Life::Closed => {
                self.kernel.replace(Kernel::new());
                self.readiness.set(Readiness::Drained);
                self.witness.borrow_mut().begin_again();
                self.duplex.begin_connecting(self);
            }
        }
    }

    fn write_some(
        &self,
        len: usize,
        callback: Callback,
        make: impl FnOnce(&'static [u8]) -> Data<'static>,
    ) {
        let refused = self.duplex.writable_ended() || self.duplex.is_destroyed();
        let data = make(outgoing(self.witness.borrow().accepted(), len));
        let kind = if refused { Kind::Refused } else { Kind::Write };
        if !refused {
            self.witness.borrow_mut().accept(len);
        }
        let callback = self.callback(kind, callback);
        let room = match (data.is_borrowed(), &callback) {
            // A frame, say, of which the middle is the payload.
            (true, None) => {
                let (head, rest) = data.as_bytes().split_at(len.min(4));
                let (payload, tail) = rest.split_at(rest.len().saturating_sub(2));
                self.duplex.write_bytes(self, [head, payload, tail])
            }
            _ => self.duplex.write(self, [data], callback),
        };
        assert!(!(refused && room), "a refused write that returned true");
        let spoiled = self.duplex.is_destroyed() || self.duplex.is_errored();
        assert!(!(spoiled && room), "a write that failed and returned true");
        if !room && !spoiled {
            self.witness.borrow_mut().owe_drain();
        }
    }

    fn end_with(&self, len: Option<usize>, callback: Callback) {
        let refused = self.duplex.writable_ended() || self.duplex.is_destroyed();
        let data = len.map(|len| Data::from(outgoing(self.witness.borrow().accepted(), len)));
        if !refused {
            self.witness.borrow_mut().accept(len.unwrap_or(0));
        }
        let callback = self.callback(Kind::End, callback);
        self.duplex.end(self, data, callback);
    }

    fn read_explicitly(&self, amount: Amount) {
        self.explicit_reads.set(self.explicit_reads.get() + 1);
        let before = self.duplex.readable_length();
        let outcome = self.duplex.read(self, amount);
        let taken = outcome.ok().flatten().map_or(0, |chunk| chunk.len());
        assert!(taken <= before, "more was read than there was");
        if self.is_running(Moment::Data) {
            self.granted.set(self.granted.get() + taken);
        }
        self.explicit_reads.set(self.explicit_reads.get() - 1);
    }

    fn unshift(&self, len: usize) {
        let duplex = &self.duplex;
        let bytes = &[b'#'; 16][..len];
        if !duplex.is_destroyed() && !duplex.is_errored() && !duplex.readable_ended() {
            self.witness.borrow_mut().was_put_back(bytes);
        }
        self.duplex.unshift(self, bytes);
    }

    fn callback(&self, kind: Kind, wanted: Callback) -> Option<write_queue::Callback> {
        if wanted == Callback::Without {
            return None;
        }
        let id = self.witness.borrow_mut().expect_callback(kind);
        let me = Weak::clone(&self.me);
        Some(Box::new(move |outcome| {
            let Some(world) = me.upgrade() else { return };
            assert_eq!(world.calls.get(), 0, "callback {id} inside a call");
            let sent = world.kernel.borrow().sent();
            world
                .witness
                .borrow_mut()
                .callback(kind, id, &outcome, sent);
            world.react(match kind {
                Kind::Write | Kind::Refused => Moment::WriteCallback,
                Kind::End => Moment::EndCallback,
            });
        }))
    }
}
