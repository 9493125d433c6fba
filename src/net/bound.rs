//! A socket that is bound now and listens or connects later.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::raw::{self, RawSocket, Sharing};
use super::server::ServerAddress;
#[cfg(unix)]
use super::unix::{self, BoundPath};
use crate::dns;
use crate::error::{Endpoint, Error, Result, node};

/// An address that is taken, by a socket that neither listens nor connects yet. Node's
/// `net.BoundSocket`.
///
/// A server [listens](super::Server::listen) on it, or a [`Socket`](super::Socket::from_bound)
/// connects from it; either adopts it, once. Clones are the same one, and can be sent to the thread
/// that will adopt it. It is closed when the last of them is dropped.
///
/// ```
/// use soquete::net::{self, BoundSocket};
///
/// # fn main() -> soquete::Result<()> {
/// let bound = BoundSocket::new(("127.0.0.1", 0))?;
/// println!("the port will be {}", bound.address()?.port());
/// let server = net::create_server(|socket| {
///     socket.end_with("hello");
/// });
/// server.listen(&bound);
/// assert_eq!(bound.address().unwrap_err().code(), "ERR_SOCKET_HANDLE_ADOPTED");
/// # server.close();
/// # soquete::run()
/// # }
/// ```
#[derive(Clone)]
pub struct BoundSocket {
    descriptor: Adoptable,
    address: ServerAddress,
}

impl BoundSocket {
    /// Takes an address: a port, a host and a port, a path, or [`BindOptions`].
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG_VALUE` for a host that is not an IP address (names are not looked up) and
    /// for a path together with anything else; the operating system's, with the syscall `bind`.
    pub fn new(options: impl Into<BindOptions>) -> Result<BoundSocket> {
        let options = options.into();
        match &options.path {
            Some(_) if options.is_tcp() => Err(node::invalid_arg(
                "options",
                "path is mutually exclusive with host, port, ipv6Only, and reusePort",
            )),
            Some(path) => BoundSocket::on_path(path.clone()),
            None => BoundSocket::on_port(&options),
        }
    }

    fn on_port(options: &BindOptions) -> Result<BoundSocket> {
        let any = if options.ipv6_only { "::" } else { "0.0.0.0" };
        let host = options.host.as_deref().unwrap_or(any);
        let port = options.port.unwrap_or(0);
        let address = dns::literal(host, port).ok_or_else(|| {
            node::invalid_arg(
                "options.host",
                "must be a numeric IP address; net.BoundSocket does not perform DNS resolution",
            )
        })?;
        let sharing = Sharing {
            ipv6_only: options.ipv6_only,
            reuse_port: options.reuse_port,
        };
        let bound = raw::bound(address, sharing).and_then(|socket| {
            let address = socket.local_address()?.unwrap_or(address);
            Ok((socket, address))
        });
        let (socket, address) = bound
            .map_err(|error| Error::endpoint("bind", &error, &Endpoint::at(host, Some(port))))?;
        Ok(BoundSocket {
            descriptor: Adoptable::new(Bound::new(socket)),
            address: ServerAddress::Tcp(address),
        })
    }

    #[cfg(unix)]
    fn on_path(path: PathBuf) -> Result<BoundSocket> {
        if unix::is_abstract(&path) && !cfg!(any(target_os = "linux", target_os = "android")) {
            return Err(node::invalid_arg(
                "options.path",
                "abstract socket paths are only supported on Linux",
            ));
        }
        let (socket, bound) = unix::bound(&path).map_err(|error| Error::os("bind", &error))?;
        Ok(BoundSocket {
            descriptor: Adoptable::new(Bound {
                socket,
                path: Some(bound),
            }),
            address: ServerAddress::Path(path),
        })
    }

    #[cfg(not(unix))]
    fn on_path(_: PathBuf) -> Result<BoundSocket> {
        let error = std::io::ErrorKind::Unsupported.into();
        Err(Error::os("bind", &error))
    }

    /// What is taken: with the port that the system has chosen, if that was left to it.
    ///
    /// # Errors
    ///
    /// `ERR_SOCKET_HANDLE_ADOPTED` once it was adopted or closed; likewise from the other methods.
    pub fn address(&self) -> Result<ServerAddress> {
        self.descriptor.look(|_| self.address.clone())
    }

    /// The descriptor's number. It still belongs to this socket.
    ///
    /// # Errors
    ///
    /// As [`address`](BoundSocket::address).
    #[cfg(unix)]
    pub fn fd(&self) -> Result<std::os::fd::RawFd> {
        use std::os::fd::AsRawFd;
        self.descriptor.look(|bound| match &bound.socket {
            RawSocket::Os(socket) => socket.as_raw_fd(),
            RawSocket::Sim(descriptor) => descriptor.number(),
        })
    }

    /// Whether it is a Unix domain socket.
    pub fn is_pipe(&self) -> bool {
        matches!(self.address, ServerAddress::Path(_))
    }

    /// Gives the address up.
    ///
    /// # Errors
    ///
    /// As [`address`](BoundSocket::address).
    pub fn close(&self) -> Result<()> {
        self.descriptor.adopt().map(drop)
    }

    pub(super) fn descriptor(&self) -> &Adoptable {
        &self.descriptor
    }
}

impl fmt::Debug for BoundSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundSocket")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// What a [`BoundSocket`] is bound to. By default, any free port on every IPv4 address.
#[derive(Clone, Debug, Default)]
pub struct BindOptions {
    host: Option<String>,
    port: Option<u16>,
    path: Option<PathBuf>,
    ipv6_only: bool,
    reuse_port: bool,
}

impl BindOptions {
    /// The defaults.
    pub fn new() -> BindOptions {
        BindOptions::default()
    }

    /// The IP address; `0.0.0.0` by default, or `::` for IPv6 only.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// The port; 0, the default, for any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// A path, for a Unix domain socket; on Linux an abstract name if it begins with a NUL byte.
    /// Nothing else can be set then.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Whether an IPv6 address takes IPv6 only.
    pub fn ipv6_only(mut self, only: bool) -> Self {
        self.ipv6_only = only;
        self
    }

    /// Whether others may bind the port as well, and share its connections (`SO_REUSEPORT`).
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    fn is_tcp(&self) -> bool {
        self.host.is_some() || self.port.is_some() || self.ipv6_only || self.reuse_port
    }
}

impl From<u16> for BindOptions {
    fn from(port: u16) -> BindOptions {
        BindOptions::new().port(port)
    }
}

impl From<(&str, u16)> for BindOptions {
    fn from((host, port): (&str, u16)) -> BindOptions {
        BindOptions::new().host(host).port(port)
    }
}

impl From<SocketAddr> for BindOptions {
    fn from(address: SocketAddr) -> BindOptions {
        BindOptions::new()
            .host(super::host_of(address))
            .port(address.port())
    }
}

impl From<&std::path::Path> for BindOptions {
    fn from(path: &std::path::Path) -> BindOptions {
        BindOptions::new().path(path)
    }
}

impl From<PathBuf> for BindOptions {
    fn from(path: PathBuf) -> BindOptions {
        BindOptions::new().path(path)
    }
}

/// A descriptor with an address, and the file that came into being with it.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) socket: RawSocket,
    #[cfg(unix)]
    pub(super) path: Option<BoundPath>,
}

impl Bound {
    pub(super) fn new(socket: RawSocket) -> Bound {
        Bound {
            socket,
            #[cfg(unix)]
            path: None,
        }
    }
}

/// A descriptor that is handed over to whoever comes first: options can be cloned, it cannot.
#[derive(Clone, Debug)]
pub(crate) struct Adoptable(Arc<Mutex<Option<Bound>>>);

impl Adoptable {
    pub(super) fn new(bound: Bound) -> Adoptable {
        Adoptable(Arc::new(Mutex::new(Some(bound))))
    }

    pub(super) fn adopt(&self) -> Result<Bound> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take().ok_or_else(node::handle_adopted)
    }

    fn look<R>(&self, look: impl FnOnce(&Bound) -> R) -> Result<R> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().map(look).ok_or_else(node::handle_adopted)
    }
}
