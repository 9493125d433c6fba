//! A connect under way.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::address::Family;
use crate::error::{Endpoint, Error, Local};
use crate::kernel::errno;
use crate::net::options::connect::ConnectOptions;
use crate::net::values::payload::{Attempt, FailedAttempt};
use crate::reactor::Key;

/// One address of the host.
pub(in crate::net) struct Destination {
    pub(in crate::net) address: SocketAddr,
    /// As it was written, or as the resolver gave it.
    pub(in crate::net) text: String,
}

/// A connect under way.
pub(in crate::net) struct Connecting {
    pub(in crate::net) options: Rc<ConnectOptions>,
    /// Where to: all of it is tried in this order.
    pub(in crate::net) destinations: Vec<Destination>,
    pub(in crate::net) next: usize,
    pub(in crate::net) errors: Vec<Error>,
    pub(in crate::net) timer: Option<Key>,
    pub(in crate::net) current: Attempt,
    pub(in crate::net) local: Local,
    /// The kernel has been asked, and has not answered.
    pub(in crate::net) under_way: bool,
    /// Those that go on beside it.
    pub(in crate::net) racers: Vec<Key>,
    /// An immediate refusal of the kernel, which the next pending phase reports.
    pub(in crate::net) refused: Option<io::Error>,
}

impl Connecting {
    pub(in crate::net) fn new(
        options: &Rc<ConnectOptions>,
        destinations: Vec<Destination>,
    ) -> Connecting {
        Connecting {
            options: Rc::clone(options),
            destinations,
            next: 0,
            errors: Vec::new(),
            timer: None,
            current: Attempt::default(),
            local: Local::Untold,
            under_way: false,
            racers: Vec::new(),
            refused: None,
        }
    }

    pub(in crate::net) fn options(&self) -> &ConnectOptions {
        &self.options
    }

    pub(in crate::net) fn has_several(&self) -> bool {
        self.destinations.len() > 1
    }

    /// The error of the attempt under way, with what its message says of the local end.
    pub(in crate::net) fn error(&self, error: &io::Error, local: Local) -> Error {
        Connecting::error_of(&self.current, error, local)
    }

    pub(in crate::net) fn error_of(attempt: &Attempt, error: &io::Error, local: Local) -> Error {
        let Attempt { address, port, .. } = attempt.clone();
        let at = Endpoint {
            address,
            port,
            local,
        };
        Error::endpoint("connect", error, &at)
    }

    /// What its destruction makes of an attempt under way.
    pub(in crate::net) fn cancelled(&self) -> Option<FailedAttempt> {
        let is_told = self.under_way && self.has_several();
        is_told.then(|| FailedAttempt {
            error: self.error(&errno::error(errno::ECANCELED), self.local.clone()),
            attempt: self.current.clone(),
        })
    }
}

impl Destination {
    pub(in crate::net) fn attempt(&self) -> Attempt {
        Attempt {
            address: self.text.clone(),
            port: Some(self.address.port()),
            family: Some(Family::from(self.address)),
        }
    }
}
