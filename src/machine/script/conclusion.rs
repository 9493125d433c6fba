//! How a script ends: whatever was done before, every socket comes to its `Close`.

use super::World;
use super::op::{Callback, KernelOp, Op, UserOp};
use crate::machine::Life;

/// More turns than any conclusion takes, besides those that read what has arrived.
const TOO_MANY_TURNS: u64 = 200;

/// What brings a socket to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Conclusion {
    /// Both ends end in order, and both read what is there.
    BothEnd,
    Destroy,
    PeerResets,
}

impl Conclusion {
    pub(in crate::machine) const ALL: [Conclusion; 3] = [
        Conclusion::BothEnd,
        Conclusion::Destroy,
        Conclusion::PeerResets,
    ];
}

impl World {
    /// Brings the socket to its end, and checks that nothing was lost on the way.
    pub(in crate::machine) fn conclude(&self, conclusion: Conclusion) {
        self.reactions.borrow_mut().clear();
        self.kernel.borrow_mut().forget_faults();
        self.call(UserOp::Hold(false));
        self.apply(Op::Kernel(KernelOp::Room(usize::MAX)));
        self.idle();
        self.check_idle();
        if self.duplex.life() == Life::Connecting {
            self.apply(Op::Kernel(KernelOp::Connected));
            self.idle();
            self.check_idle();
        }
        match conclusion {
            _ if self.duplex.life() == Life::Fresh => self.call(UserOp::Destroy),
            Conclusion::BothEnd => self.both_end(),
            Conclusion::Destroy => self.call(UserOp::Destroy),
            Conclusion::PeerResets => {
                // Who reads nothing does not hear of it; it is heard of by writing, or not at all.
                self.read_on();
                self.apply(Op::Kernel(KernelOp::PeerResets));
                self.idle();
                self.call(UserOp::Write(1, Callback::With));
                self.idle();
                if !self.witness.borrow().is_closed() {
                    self.call(UserOp::Destroy);
                }
            }
        }
        self.idle();
        self.check_closed();
    }

    fn both_end(&self) {
        self.read_on();
        for _ in 0..self.duplex.writable_corked() {
            self.call(UserOp::Uncork);
        }
        self.call(UserOp::End(Callback::With));
        self.apply(Op::Kernel(KernelOp::PeerEnds));
        self.idle();
        assert!(
            self.witness.borrow().is_closed(),
            "both ends have ended and all is read, but the socket does not close"
        );
    }

    fn read_on(&self) {
        self.call(UserOp::UnlistenReadable);
        self.settle();
        self.call(UserOp::ListenData);
        self.call(UserOp::Resume);
        self.settle();
    }

    /// Turns until there is nothing more to do.
    fn idle(&self) {
        let unread = self.kernel.borrow().unread();
        for _ in 0..TOO_MANY_TURNS + unread {
            self.apply(Op::Turn);
            let busy = self.pending.get() > 0
                || self.closing.get() > 0
                || self.unfinished.get() > 0
                || self.unfinished_writes.get() > 0
                || self.duplex.life() == Life::Open && self.kernel.borrow().has_edges();
            if !busy {
                return;
            }
        }
        panic!("the loop never comes to rest");
    }

    /// Nothing is left lying that could go on by itself.
    fn check_idle(&self) {
        let witness = self.witness.borrow();
        if self.duplex.life() != Life::Open {
            return;
        }
        let kernel = self.kernel.borrow();
        assert!(!self.duplex.is_errored(), "failed, but not destroyed");
        if self.duplex.writable_corked() == 0 {
            assert_eq!(kernel.sent(), witness.accepted(), "bytes stay queued");
            assert!(!witness.owes_drain() || self.duplex.writable_ended());
            assert!(!self.duplex.is_writing(), "writing, with nothing to write");
        }
        if self.duplex.readable_flowing() == Some(true) {
            assert_eq!(kernel.unread(), 0, "a flowing reader leaves bytes unread");
            assert!(witness.has_seen_all(), "a flowing reader keeps bytes");
            assert_eq!(
                self.duplex.readable_ended(),
                kernel.peer_has_ended(),
                "the peer's end is told of"
            );
            assert_eq!(self.duplex.readable_ended(), witness.has_ended());
        }
    }

    fn check_closed(&self) {
        let witness = self.witness.borrow();
        assert!(witness.is_closed(), "no Close");
        assert_eq!(witness.waiting_callbacks(), 0, "callbacks never called");
        assert!(self.ticks.borrow().is_empty());
        assert!(!self.kernel.borrow().is_open(), "an open descriptor");
    }
}
