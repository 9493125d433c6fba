//! How a script ends: whatever was done before, every socket comes to its `Close`.

use super::World;
use super::op::{Callback, KernelOp, Op, UserOp};
use crate::kernel::sim::scripted;
use crate::machine::{Duplex, Life};

/// More turns than any conclusion takes, besides those that read what has arrived.
const TOO_MANY_TURNS: usize = 200;

/// What brings a socket to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conclusion {
    /// Both ends end in order, and both read what is there.
    BothEnd,
    Destroy,
    PeerResets,
}

impl Conclusion {
    pub(super) const ALL: [Conclusion; 3] = [
        Conclusion::BothEnd,
        Conclusion::Destroy,
        Conclusion::PeerResets,
    ];
}

impl World {
    /// Brings the socket to its end, and checks that nothing was lost on the way.
    pub(super) fn conclude(&self, conclusion: Conclusion) {
        self.reactions.borrow_mut().clear();
        scripted::forget_faults();
        self.apply(Op::User(UserOp::Hold(false)));
        self.apply(Op::Kernel(KernelOp::Room(usize::MAX)));
        self.idle();
        self.check_idle();
        if self.life() == Life::Connecting {
            self.apply(Op::Kernel(KernelOp::Connected));
            self.idle();
            self.check_idle();
        }
        match conclusion {
            _ if self.life() == Life::Fresh => self.apply(Op::User(UserOp::Destroy)),
            Conclusion::BothEnd => self.both_end(),
            Conclusion::Destroy => self.apply(Op::User(UserOp::Destroy)),
            Conclusion::PeerResets => {
                // A socket that reads nothing hears of it by writing, or not at all.
                self.read_on();
                self.apply(Op::Kernel(KernelOp::PeerResets));
                self.idle();
                self.apply(Op::User(UserOp::Write(1, Callback::With)));
                self.idle();
                if !self.witness.borrow().is_closed() {
                    self.apply(Op::User(UserOp::Destroy));
                }
            }
        }
        self.idle();
        self.check_closed();
    }

    fn both_end(&self) {
        self.read_on();
        for _ in 0..self.socket.writable_corked() {
            self.apply(Op::User(UserOp::Uncork));
        }
        let callback = match self.listens_finish.borrow().is_empty() {
            true => Callback::Without,
            false => Callback::With,
        };
        self.apply(Op::User(UserOp::End(callback)));
        self.apply(Op::Kernel(KernelOp::PeerEnds));
        self.idle();
        assert!(
            self.witness.borrow().is_closed(),
            "both ends have ended and all is read, but the socket does not close"
        );
    }

    fn read_on(&self) {
        self.run(&[
            Op::User(UserOp::UnlistenReadable),
            Op::Settle,
            Op::User(UserOp::ListenData),
            Op::User(UserOp::Resume),
            Op::Settle,
        ]);
    }

    /// Turns until there is nothing more to do.
    pub(super) fn idle(&self) {
        for _ in 0..TOO_MANY_TURNS + scripted::unread() {
            self.apply(Op::Turn);
            if self.event_loop.can_go_on() || scripted::has_events() {
                continue;
            }
            match self.event_loop.wakes_at() {
                Some(at) => scripted::sleep_until(at),
                None => return,
            }
        }
        panic!("the loop never comes to rest");
    }

    /// Nothing is left lying that could go on by itself.
    fn check_idle(&self) {
        scripted::look_for_the_forgotten();
        self.check();
        if self.life() != Life::Open {
            return;
        }
        let (witness, socket) = (self.witness.borrow(), self.socket);
        assert!(socket.errored().is_none(), "failed, but not destroyed");
        if socket.writable_corked() == 0 {
            assert_eq!(scripted::taken(), witness.accepted(), "bytes stay queued");
            assert!(!witness.owes_drain() || socket.writable_ended());
            let writes = self.duplex(Duplex::is_writing);
            assert!(!writes, "writing, with nothing to write");
        }
        if socket.readable_flowing() == Some(true) {
            let unread = scripted::unread();
            assert_eq!(unread, 0, "a flowing reader leaves bytes unread");
            let missed = !self.listens_data.get();
            assert!(
                missed || witness.has_seen_all(),
                "a flowing reader keeps bytes"
            );
            assert_eq!(
                socket.readable_ended(),
                self.peer_ended.get(),
                "`End` does not follow the peer's end"
            );
            assert_eq!(socket.readable_ended(), witness.has_ended());
        }
    }

    fn check_closed(&self) {
        let witness = self.witness.borrow();
        assert!(witness.is_closed(), "no Close");
        assert_eq!(witness.waiting_callbacks(), 0, "callbacks never called");
        assert!(self.is_gone(), "the loop keeps the socket");
        let why_alive = self.event_loop.why_alive();
        assert!(why_alive.is_empty(), "the loop is alive: {why_alive:?}");
        assert!(!scripted::is_open(), "an open descriptor");
    }
}
