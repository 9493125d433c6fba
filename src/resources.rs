//! What keeps a loop alive, for those who wonder why it does not end.

use std::fmt;
use std::panic::Location;

use crate::net::{Server, Socket};
use crate::reactor::{self, HandleKind, Kept};
use crate::timers::{Immediate, Timeout};

/// Something that keeps this thread's loop alive. See [`active_resources`].
#[derive(Clone, Copy)]
pub struct Resource {
    kind: ResourceKind,
    created_at: Option<&'static Location<'static>>,
}

/// What a [`Resource`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceKind {
    /// A socket that reads, writes or connects.
    Socket(Socket),
    /// A server that listens.
    Server(Server),
    /// A timer that is armed.
    Timeout(Timeout),
    /// An immediate.
    Immediate(Immediate),
    /// A descriptor that is [watched](crate::watch()).
    Watch,
    /// A [piece of work](crate::queue_work) or a look-up of a name.
    Work,
    /// So many [`Remote`](crate::Remote)s and [`Sender`](crate::Sender)s.
    Remotes(usize),
}

impl Resource {
    /// What it is, with its handle if it has one.
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// Where in the program it was made (an accepted socket: its server), in debug builds. `None` in others, and
    /// of remotes.
    pub fn created_at(&self) -> Option<&'static Location<'static>> {
        self.created_at
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.kind, f)?;
        match self.created_at {
            Some(location) => write!(f, " made at {location}"),
            None => Ok(()),
        }
    }
}

/// All that keeps this thread's loop alive: what [`run`](crate::run) waits for. Node's
/// `process.getActiveResourcesInfo()`.
///
/// ```
/// use soquete::{ResourceKind, timers};
/// use std::time::Duration;
///
/// let timer = timers::set_timeout(Duration::from_secs(60), || println!("a minute later"));
/// let resources = soquete::active_resources();
/// assert_eq!(resources[0].kind(), ResourceKind::Timeout(timer));
/// println!("{resources:#?}");
/// timer.unref();
/// assert!(soquete::active_resources().is_empty());
/// ```
#[doc(alias = "getActiveResourcesInfo")]
pub fn active_resources() -> Vec<Resource> {
    reactor::with(|event_loop| {
        let kept = event_loop
            .resources()
            .into_iter()
            .map(|(kept, origin)| Resource {
                kind: match kept {
                    Kept::Handle(HandleKind::Socket(key) | HandleKind::Attempt(key)) => {
                        ResourceKind::Socket(Socket::from_key(key))
                    }
                    Kept::Handle(HandleKind::Server(key) | HandleKind::Arrival(key)) => {
                        ResourceKind::Server(Server::from_key(key))
                    }
                    Kept::Handle(HandleKind::Watch) => ResourceKind::Watch,
                    Kept::Timer(key) => ResourceKind::Timeout(Timeout::of(key)),
                    Kept::Immediate(key) => ResourceKind::Immediate(Immediate::of(key)),
                    Kept::Work => ResourceKind::Work,
                },
                created_at: origin.location(),
            });
        let remotes = Some(event_loop.remotes()).filter(|count| *count > 0);
        let remotes = remotes.map(|count| Resource {
            kind: ResourceKind::Remotes(count),
            created_at: None,
        });
        kept.chain(remotes).collect()
    })
    .unwrap_or_default()
}
