//! A socket that is bound now and listens or connects later.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::dns;
use crate::error::{Endpoint, Error, Result, node};
use crate::kernel;
use crate::kernel::socket::{self, Sharing};
use crate::kernel::unix::{self, BoundPath};
use crate::net::options::bind::{BindOptions, BindTarget};
use crate::net::values::address::Address;

/// An address that is taken, by a socket that neither listens nor connects yet. Node's
/// `net.BoundSocket`.
///
/// A server [listens](crate::net::Server::listen) on it, or a [`Socket`](crate::net::Socket::from_bound)
/// connects from it; either adopts it, once. Clones are the same one, and can be sent to the thread
/// that will adopt it. It is closed when the last of them is dropped.
///
/// ```
/// use soquete::event;
/// use soquete::net::{self, BoundSocket};
///
/// # fn main() -> soquete::Result<()> {
/// let bound = BoundSocket::new(("127.0.0.1", 0))?;
/// println!("the port will be {}", bound.address()?.port());
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
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
    address: Address,
}

impl BoundSocket {
    /// Takes an address: a [place](crate::net#places), or [`BindOptions`].
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG_VALUE` for a host that is not an IP address (names are not looked up) and
    /// for a path together with anything else; the operating system's, with the syscall `bind`.
    pub fn new(options: impl Into<BindOptions>) -> Result<BoundSocket> {
        let options = options.into();
        match &options.target {
            BindTarget::Port(port) => BoundSocket::on_port(*port, &options),
            BindTarget::Path(_) if options.is_of_tcp() => Err(node::invalid_arg(
                "options",
                "path is mutually exclusive with host, port, ipv6Only, and reusePort",
            )),
            BindTarget::Path(path) => BoundSocket::on_path(path.clone()),
            BindTarget::Nowhere(text) => Err(node::bad_port("options.port", text)),
        }
    }

    fn on_port(port: u16, options: &BindOptions) -> Result<BoundSocket> {
        let any = if options.ipv6_only { "::" } else { "0.0.0.0" };
        let host = options.host.as_deref().unwrap_or(any);
        let address = dns::literal(host, port).ok_or_else(|| {
            let problem =
                "must be a numeric IP address; net.BoundSocket does not perform DNS resolution";
            node::invalid_text("options.host", problem, host)
        })?;
        let sharing = Sharing {
            ipv6_only: options.ipv6_only,
            reuse_port: options.reuse_port,
        };
        let bound = socket::bound(address, sharing).and_then(|socket| {
            let address = socket.local_address()?.unwrap_or(address);
            Ok((socket, address))
        });
        let (socket, address) = bound
            .map_err(|error| Error::endpoint("bind", &error, &Endpoint::at(host, Some(port))))?;
        Ok(BoundSocket {
            descriptor: Adoptable::new(Bound::new(socket)),
            address: Address::Tcp(address),
        })
    }

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
            address: Address::Path(path),
        })
    }

    /// What is taken: with the port that the system has chosen, if that was left to it.
    ///
    /// # Errors
    ///
    /// `ERR_SOCKET_HANDLE_ADOPTED` once it was adopted or closed; likewise from the other methods.
    pub fn address(&self) -> Result<Address> {
        self.descriptor.look(|_| self.address.clone())
    }

    /// The descriptor's number. It still belongs to this socket.
    ///
    /// # Errors
    ///
    /// As [`address`](BoundSocket::address).
    #[doc(alias = "_handle")]
    pub fn fd(&self) -> Result<std::os::fd::RawFd> {
        self.descriptor.look(|bound| bound.socket.number())
    }

    /// Whether it is a Unix domain socket.
    #[doc(alias = "isPipe")]
    pub fn is_pipe(&self) -> bool {
        matches!(self.address, Address::Path(_))
    }

    /// Gives the address up.
    ///
    /// # Errors
    ///
    /// As [`address`](BoundSocket::address).
    pub fn close(&self) -> Result<()> {
        self.descriptor.adopt().map(drop)
    }

    pub(in crate::net) fn descriptor(&self) -> &Adoptable {
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

/// A descriptor with an address, and the file that came into being with it.
#[derive(Debug)]
pub(in crate::net) struct Bound {
    pub(in crate::net) socket: kernel::Socket,
    pub(in crate::net) path: Option<BoundPath>,
}

impl Bound {
    pub(in crate::net) fn new(socket: kernel::Socket) -> Bound {
        Bound { socket, path: None }
    }
}

/// A descriptor that is handed over to whoever comes first: options can be cloned, it cannot.
#[derive(Clone, Debug)]
pub(in crate::net) struct Adoptable(Arc<Mutex<Option<Bound>>>);

impl Adoptable {
    pub(super) fn new(bound: Bound) -> Adoptable {
        Adoptable(Arc::new(Mutex::new(Some(bound))))
    }

    pub(in crate::net) fn adopt(&self) -> Result<Bound> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take().ok_or_else(node::handle_adopted)
    }

    fn look<R>(&self, look: impl FnOnce(&Bound) -> R) -> Result<R> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().map(look).ok_or_else(node::handle_adopted)
    }
}
