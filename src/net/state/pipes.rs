//! The pipes of a socket, which is their source.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use crate::events::ListenerId;
use crate::net::values::handle::Socket;

/// Where a socket pipes to.
#[derive(Default)]
pub(in crate::net) struct Pipes {
    pub(in crate::net) list: Vec<Pipe>,
    pub(in crate::net) next_id: u32,
}

pub(in crate::net) struct Pipe {
    pub(in crate::net) id: u32,
    pub(in crate::net) to: Destination,
    /// The destination is a socket that may be owed as much as it likes.
    pub(in crate::net) takes_much: bool,
    /// On the source: of `Data` and of `End`.
    pub(in crate::net) on_source: [Option<ListenerId>; 2],
}

pub(in crate::net) enum Destination {
    Socket {
        dest: Socket,
        /// The destination said to wait, and has not drained since.
        waiting: bool,
        /// Of `Error`, `Close`, `Finish`, and of `Drain` from the first wait on.
        listeners: [Option<ListenerId>; 4],
    },
    Writer(Rc<RefCell<dyn Write>>),
}

impl Pipes {
    /// Removes the first pipe that is meant, and says whether it was the last there was.
    pub(in crate::net) fn remove(
        &mut self,
        is_meant: impl Fn(&Pipe) -> bool,
    ) -> Option<(Pipe, bool)> {
        let index = self.list.iter().position(is_meant)?;
        let pipe = self.list.remove(index);
        Some((pipe, self.list.is_empty()))
    }

    /// Whether there are pipes, and all may be owed as much as they like.
    pub(in crate::net) fn take_much(&self) -> bool {
        !self.list.is_empty() && self.list.iter().all(|pipe| pipe.takes_much)
    }
}

impl Pipe {
    pub(in crate::net) fn leads_to(&self, socket: Socket) -> bool {
        matches!(self.to, Destination::Socket { dest, .. } if dest == socket)
    }

    pub(in crate::net) fn is_waiting(&self) -> bool {
        matches!(self.to, Destination::Socket { waiting: true, .. })
    }

    pub(in crate::net) fn set_waiting(&mut self, wait: bool) {
        if let Destination::Socket { waiting, .. } = &mut self.to {
            *waiting = wait;
        }
    }
}
