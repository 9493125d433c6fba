//! The user's calls, and the callbacks that go with them.

use std::rc::Weak;

use super::bytes::outgoing;
use super::op::{Callback, Moment, UserOp};
use super::witness::{Kind, Witness};
use super::{PEER, World};
use crate::error::{Error, Result};
use crate::event;
use crate::kernel::sim::scripted;
use crate::machine::Life;
use crate::machine::data::Data;
use crate::net::driver::socket::SocketDriver;

impl World {
    /// One call; a handle whose socket is gone does nothing.
    pub(super) fn call(&self, call: UserOp) {
        if self.is_gone() {
            return;
        }
        self.calls.set(self.calls.get() + 1);
        self.do_call(call);
        self.calls.set(self.calls.get() - 1);
    }

    fn do_call(&self, call: UserOp) {
        let socket = self.socket;
        match call {
            UserOp::Connect => self.connect(),
            UserOp::Write(len, callback) => self.write_some(len, callback, |bytes| bytes.into()),
            UserOp::WriteOwned(len, callback) => {
                self.write_some(len, callback, |bytes| bytes.to_vec().into());
            }
            UserOp::WriteCorked(len, callback) => {
                socket.cork();
                self.write_some(len, callback, |bytes| bytes.into());
                socket.uncork();
            }
            UserOp::End(callback) => self.end_with(None, callback),
            UserOp::EndWith(len, callback) => self.end_with(Some(len), callback),
            UserOp::EndSoon => drop(socket.destroy_soon()),
            UserOp::Cork => drop(socket.cork()),
            UserOp::Uncork => drop(socket.uncork()),
            UserOp::WritableLength => {
                socket.writable_length();
            }
            UserOp::Destroy => drop(socket.destroy()),
            UserOp::DestroyWith => drop(socket.destroy_with(Error::new("EUSER", "user"))),
            UserOp::Reset => {
                socket.reset_and_destroy().expect("it is no IPC");
            }
            UserOp::Pause => drop(socket.pause()),
            UserOp::Resume => drop(socket.resume()),
            UserOp::Read => self.read_explicitly(|| Ok(socket.read())),
            UserOp::ReadExactly(size) => self.read_explicitly(|| socket.read_exactly(size)),
            UserOp::Unshift(len) => self.unshift(len),
            UserOp::DecodeUtf8 => drop(socket.set_encoding()),
            UserOp::ListenData => self.listen_to_data(),
            UserOp::ListenReadable => self.listen_to_readable(),
            UserOp::UnlistenReadable => {
                for id in self.listens_readable.take() {
                    socket.remove_listener(id);
                }
            }
            UserOp::UnlistenFinish => {
                for id in self.listens_finish.take() {
                    socket.remove_listener(id);
                }
            }
            UserOp::AllowHalfOpen(allow) => drop(socket.set_allow_half_open(allow)),
            UserOp::Hold(held) => {
                SocketDriver::with(socket.key(), |driver| {
                    driver.state.duplex.hold(driver, held);
                });
            }
        }
    }

    fn connect(&self) {
        match self.life() {
            // It is an error, and not the subject.
            Life::Open | Life::Connecting => return,
            Life::Fresh => {}
            Life::Destroyed => {
                if self.reconnect.replace(true) {
                    return;
                }
            }
            Life::Closed => self.begin_again(),
        }
        self.socket.connect(PEER);
    }

    fn listen_to_data(&self) {
        if self.listens_data.replace(true) {
            self.socket.on(event::Data, |_| {});
            return;
        }
        // What came before it was thrown away.
        self.forget_what_was_missed();
        let me = Weak::clone(&self.me);
        self.socket.on(event::Data, move |chunk| {
            if let Some(world) = me.upgrade() {
                world.on_data(chunk);
            }
        });
    }

    /// What has come and neither is kept nor lies in the kernel was thrown away. Once the kernel has dropped the
    /// connection, and what was unread with it, what is kept cannot be told from that.
    pub(super) fn forget_what_was_missed(&self) {
        if matches!(self.life(), Life::Destroyed | Life::Closed) {
            return self.see(Witness::lose_track);
        }
        let left = self.socket.readable_length() + scripted::unread();
        self.see(|witness| witness.expects(left));
    }

    fn listen_to_readable(&self) {
        let me = Weak::clone(&self.me);
        let is_first = self.listens_readable.borrow().is_empty();
        let id = self.socket.add_listener(event::Readable, move |()| {
            if let Some(world) = me.upgrade().filter(|_| is_first) {
                world.see(|witness| witness.other_event("readable"));
                world.react(Moment::Readable);
            }
        });
        self.listens_readable.borrow_mut().push(id);
    }

    fn write_some(
        &self,
        len: usize,
        callback: Callback,
        make: impl FnOnce(&'static [u8]) -> Data<'static>,
    ) {
        let socket = self.socket;
        let refused = socket.writable_ended() || socket.destroyed();
        let data = make(outgoing(self.witness.borrow().accepted(), len));
        let kind = if refused { Kind::Refused } else { Kind::Write };
        if !refused {
            self.witness.borrow_mut().accept(len);
        }
        let room = match callback {
            Callback::With => socket.write_then(data, self.callback(kind)),
            // A frame, say, of which the middle is the payload.
            Callback::Without if data.is_borrowed() => {
                let (head, rest) = data.as_bytes().split_at(len.min(4));
                let (payload, tail) = rest.split_at(rest.len().saturating_sub(2));
                socket.written(SocketDriver::with(socket.key(), |driver| {
                    driver
                        .state
                        .duplex
                        .write_bytes(driver, [head, payload, tail])
                }))
            }
            Callback::Without => socket.write(data),
        };
        assert!(!(refused && room), "a refused write that returned true");
        let spoiled = socket.destroyed() || socket.errored().is_some();
        assert!(!(spoiled && room), "a write that failed and returned true");
        if !room && !spoiled {
            self.witness.borrow_mut().owe_drain();
        }
    }

    fn end_with(&self, len: Option<usize>, callback: Callback) {
        let socket = self.socket;
        let refused = socket.writable_ended() || socket.destroyed();
        let data = len.map(|len| outgoing(self.witness.borrow().accepted(), len));
        if !refused {
            self.witness.borrow_mut().accept(len.unwrap_or(0));
        }
        match (data, callback) {
            (None, Callback::Without) => socket.end(),
            (None, Callback::With) => socket.end_then(self.callback(Kind::End)),
            (Some(data), Callback::Without) => socket.end_with(data),
            (Some(data), Callback::With) => socket.end_with_then(data, self.callback(Kind::End)),
        };
    }

    fn read_explicitly(&self, read: impl FnOnce() -> Result<Option<Vec<u8>>>) {
        self.explicit_reads.set(self.explicit_reads.get() + 1);
        if !self.listens_data.get() {
            self.forget_what_was_missed();
        }
        let before = self.socket.readable_length();
        let chunk = read().ok().flatten().unwrap_or_default();
        assert!(chunk.len() <= before, "more was read than there was");
        if !self.listens_data.get() && !chunk.is_empty() {
            self.see(|witness| witness.read(&chunk));
        } else if self.in_data.get() {
            self.granted.set(self.granted.get() + chunk.len());
        }
        self.explicit_reads.set(self.explicit_reads.get() - 1);
    }

    fn unshift(&self, len: usize) {
        let socket = self.socket;
        let bytes = &[b'#'; 16][..len];
        if !socket.destroyed() && socket.errored().is_none() && !socket.readable_ended() {
            if !self.listens_data.get() {
                self.forget_what_was_missed();
            }
            self.witness.borrow_mut().was_put_back(bytes);
        }
        socket.unshift(bytes);
    }

    fn callback(&self, kind: Kind) -> impl FnOnce(Result<()>) + use<> {
        let id = self.witness.borrow_mut().expect_callback(kind);
        let me = Weak::clone(&self.me);
        move |outcome| {
            let Some(world) = me.upgrade() else { return };
            assert_eq!(world.calls.get(), 0, "callback {id} inside a call");
            world.see(|witness| witness.callback(kind, id, &outcome, scripted::taken()));
            world.react(match kind {
                Kind::Write | Kind::Refused => Moment::WriteCallback,
                Kind::End => Moment::EndCallback,
            });
        }
    }
}
