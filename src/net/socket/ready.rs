//! What the poll says of a socket.

use std::rc::Rc;

use crate::machine::Life;
use crate::net::driver::socket::SocketDriver;
use crate::net::state::socket::{Readiness, SocketState};
use crate::reactor::{Handle, HandleKind, Key, Loop, Origin, Ready};

impl Handle for SocketState {
    fn ready(self: Rc<Self>, event_loop: &Loop, key: Key, ready: Ready) {
        let driver = SocketDriver {
            event_loop,
            state: &self,
        };
        if self.duplex.life() == Life::Connecting {
            driver.connection_ready(ready);
            event_loop.settle();
        }
        // It was of a descriptor that is gone, or of an attempt that goes on.
        if self.duplex.life() != Life::Open {
            return driver.update_alive();
        }
        if ready.closed {
            self.readiness.set(Readiness::Closing);
        } else if ready.readable && self.readiness.get() == Readiness::Drained {
            self.readiness.set(Readiness::Readable);
        }
        // Its turn comes later in this phase, if it is to go on from the last one.
        if !self.bits.continuing().get() {
            driver.read_ready();
        }
        if ready.writable && self.duplex.is_writing() && !self.bits.continuing_to_write().get() {
            if event_loop.is_interrupted() {
                event_loop.redeliver(key, ready);
            } else {
                self.duplex.on_writable(&driver);
                event_loop.settle();
            }
        }
        driver.update_alive();
    }

    fn timer_fired(self: Rc<Self>, event_loop: &Loop) {
        let driver = SocketDriver {
            event_loop,
            state: &self,
        };
        driver.idle_timer_fired();
        driver.update_alive();
    }

    fn kind(&self) -> HandleKind {
        HandleKind::Socket(self.key)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn keeps_alive(&self) -> bool {
        self.bits.counted().get()
    }

    #[cfg(feature = "sim")]
    fn waits(&self) -> (bool, bool) {
        self.awaits()
    }

    #[cfg(feature = "sim")]
    fn owes(&self) -> Option<&'static str> {
        self.duplex.owes_drain().then_some("`Drain`")
    }

    #[cfg(feature = "sim")]
    fn account(&self) -> Option<String> {
        self.describe()
    }
}
