//! Where a socket or a server is.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::address::Family;

/// What `address()` of a [`Socket`](crate::net::Socket), a [`Server`](crate::net::Server) or a
/// [`BoundSocket`](crate::net::BoundSocket) answers. It can be connected to as it is.
///
/// `Display` prints `127.0.0.1:3000`, `[::1]:3000`, or the path; an abstract name with an `@` for its NUL, as
/// `ss` does.
///
/// ```
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.end_with("bye")
/// });
/// server.listen_then(("127.0.0.1", 0), |server| {
///     let address = server.address().unwrap();
///     assert_eq!(address.to_string(), format!("127.0.0.1:{}", address.port()));
///     net::connect(address)
///         .resume()
///         .on(event::Close, move |_| server.close());
/// });
/// soquete::run()
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A Unix domain socket.
    Path(PathBuf),
}

impl Address {
    /// The port; 0 for a path.
    pub fn port(&self) -> u16 {
        self.tcp().map_or(0, |address| address.port())
    }

    /// The IP address; `None` for a path.
    pub fn ip(&self) -> Option<IpAddr> {
        self.tcp().map(|address| address.ip())
    }

    /// The family of the IP address; `None` for a path.
    pub fn family(&self) -> Option<Family> {
        self.ip().map(Family::from)
    }

    /// The path of a Unix domain socket.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Address::Tcp(_) => None,
            Address::Path(path) => Some(path),
        }
    }

    fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Address::Tcp(address) => Some(*address),
            Address::Path(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Path(path) => {
                let text = path.to_string_lossy();
                match text.strip_prefix('\0') {
                    Some(name) => write!(f, "@{name}"),
                    None => f.write_str(&text),
                }
            }
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Tcp(address)
    }
}

/// An address without its port, as text: with its zone, if it has one.
pub(in crate::net) fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(address) if address.scope_id() != 0 => {
            format!("{}%{}", address.ip(), address.scope_id())
        }
        address => address.ip().to_string(),
    }
}
