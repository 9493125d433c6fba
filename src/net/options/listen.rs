//! Where a server listens, and how.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::kernel::socket::Sharing;
use crate::net::options::abort::AbortSignal;
use crate::net::options::bound::{Adoptable, Bound, BoundSocket};

/// Where to listen, and how. Whatever [`Server::listen`](crate::net::Server::listen) takes turns into
/// it: a [place](crate::net#places), a [`BoundSocket`], a listener of the standard library, or any descriptor
/// of a socket.
///
/// ```
/// use soquete::net::ListenOptions;
///
/// let options = ListenOptions::new(8080).host("::1").ipv6_only(true).backlog(1024);
/// let from_std = ListenOptions::from(std::net::TcpListener::bind("127.0.0.1:0").unwrap());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ListenOptions {
    pub(in crate::net) target: ListenTarget,
    pub(in crate::net) backlog: i32,
    pub(in crate::net) sharing: Sharing,
    pub(in crate::net) mode: u32,
    pub(in crate::net) signal: Option<AbortSignal>,
}

#[derive(Clone, Debug)]
pub(in crate::net) enum ListenTarget {
    Tcp {
        host: Option<String>,
        port: u16,
    },
    Path(PathBuf),
    /// Text whose port is none.
    Nowhere(String),
    /// A socket that is there already.
    Descriptor(Adoptable),
}

/// Node's; the kernel makes 512 of it.
const DEFAULT_BACKLOG: i32 = 511;

impl ListenOptions {
    /// A TCP port, on every address of the machine; 0 for any port that is free.
    pub fn new(port: u16) -> ListenOptions {
        ListenOptions::on(ListenTarget::Tcp { host: None, port })
    }

    /// A Unix domain socket. On Linux, a path that begins with a NUL byte is an abstract name.
    pub fn path(path: impl Into<PathBuf>) -> ListenOptions {
        ListenOptions::on(ListenTarget::Path(path.into()))
    }

    fn adopting(descriptor: OwnedFd) -> ListenOptions {
        let descriptor = Adoptable::new(Bound::new(descriptor.into()));
        ListenOptions::on(ListenTarget::Descriptor(descriptor))
    }

    pub(super) fn on(target: ListenTarget) -> ListenOptions {
        ListenOptions {
            target,
            backlog: DEFAULT_BACKLOG,
            sharing: Sharing::default(),
            mode: 0,
            signal: None,
        }
    }

    /// The name or IP address of the interface. By default, and for an empty name, every IPv6 and
    /// IPv4 address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        if let ListenTarget::Tcp { host: current, .. } = &mut self.target {
            *current = Some(host.into()).filter(|host| !host.is_empty());
        }
        self
    }

    /// How many connections may wait to be accepted; 511 by default, and for 0.
    pub fn backlog(mut self, connections: u16) -> Self {
        self.backlog = if connections == 0 {
            DEFAULT_BACKLOG
        } else {
            i32::from(connections)
        };
        self
    }

    /// Whether an IPv6 address takes IPv6 connections only. Off by default.
    #[doc(alias = "ipv6Only")]
    pub fn ipv6_only(mut self, only: bool) -> Self {
        self.sharing.ipv6_only = only;
        self
    }

    /// Lets several sockets listen on one port, and the kernel share out the connections among them
    /// (`SO_REUSEPORT`).
    #[doc(alias = "reusePort")]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.sharing.reuse_port = reuse;
        self
    }

    /// Whether everybody may read from the socket's file. Not for an abstract name. On Linux
    /// connecting takes the right to write.
    #[doc(alias = "readableAll")]
    pub fn readable_all(self, all: bool) -> Self {
        self.permit(0o444, all)
    }

    /// Whether everybody may write to the socket's file; with
    /// [`readable_all`](ListenOptions::readable_all), its mode is 0666.
    #[doc(alias = "writableAll")]
    pub fn writable_all(self, all: bool) -> Self {
        self.permit(0o222, all)
    }

    fn permit(mut self, bits: u32, all: bool) -> Self {
        if all {
            self.mode |= bits;
        } else {
            self.mode &= !bits;
        }
        self
    }

    /// Closes the server when the signal is aborted. If it is already, the server closes without
    /// having listened.
    pub fn signal(mut self, signal: AbortSignal) -> Self {
        self.signal = Some(signal);
        self
    }
}

impl From<&BoundSocket> for ListenOptions {
    fn from(bound: &BoundSocket) -> ListenOptions {
        ListenOptions::on(ListenTarget::Descriptor(bound.descriptor().clone()))
    }
}

impl From<BoundSocket> for ListenOptions {
    fn from(bound: BoundSocket) -> ListenOptions {
        ListenOptions::from(&bound)
    }
}

impl From<TcpListener> for ListenOptions {
    fn from(listener: TcpListener) -> ListenOptions {
        ListenOptions::adopting(listener.into())
    }
}

impl From<std::os::unix::net::UnixListener> for ListenOptions {
    fn from(listener: std::os::unix::net::UnixListener) -> ListenOptions {
        ListenOptions::adopting(listener.into())
    }
}

/// Node's `{ fd }`: a descriptor that is no socket to listen on is EINVAL, or ENOTSOCK.
impl From<OwnedFd> for ListenOptions {
    fn from(descriptor: OwnedFd) -> ListenOptions {
        ListenOptions::adopting(descriptor)
    }
}
