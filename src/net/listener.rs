//! The descriptor of a server: binding, listening, accepting.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
#[cfg(unix)]
use std::path::PathBuf;

use mio::event::Source;
use mio::net::TcpListener;
#[cfg(unix)]
use mio::net::UnixListener;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};

use super::options::ListenOptions;
use super::transport::Transport;
use crate::error::{Endpoint, Error, Result};

/// A listening socket of the operating system, or none.
#[derive(Debug)]
pub(super) enum Listener {
    None,
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        path: PathBuf,
    },
}

/// What an attempt to accept came to.
pub(super) enum Accepted {
    Connection(Transport),
    /// Nobody waits any more.
    Nobody,
    /// Whoever waited went away, or something of the kind: the next one may be all right.
    Retry,
    /// There are no descriptors left.
    Exhausted(io::Error),
}

impl Listener {
    /// Listens on every address of the machine: IPv6 and IPv4 by one socket, or IPv4 alone where
    /// there is no IPv6.
    pub(super) fn on_all(port: u16, options: &ListenOptions) -> Result<Listener> {
        let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        match Listener::on(all, options) {
            Err(error) if error.code() != "EADDRINUSE" => {
                Listener::on((Ipv4Addr::UNSPECIFIED, port).into(), options)
            }
            listening => listening,
        }
    }

    pub(super) fn on(address: SocketAddr, options: &ListenOptions) -> Result<Listener> {
        tcp(address, options).map(Listener::Tcp).map_err(|error| {
            let at = Endpoint {
                address: address.ip().to_string(),
                port: Some(address.port()),
                local: None,
            };
            Error::listen(&error, &at)
        })
    }

    #[cfg(unix)]
    pub(super) fn on_path(path: &std::path::Path, options: &ListenOptions) -> Result<Listener> {
        match super::unix::listen(path, options.backlog) {
            Ok(listener) => Ok(Listener::Unix {
                listener,
                path: path.to_owned(),
            }),
            Err(error) => {
                let address = super::unix::display(path);
                // libuv's choice: a directory that does not exist is one that is not permitted.
                let error = match error.kind() {
                    io::ErrorKind::NotFound => io::ErrorKind::PermissionDenied.into(),
                    _ => error,
                };
                Err(Error::listen(
                    &error,
                    &Endpoint {
                        address,
                        port: None,
                        local: None,
                    },
                ))
            }
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Listener::None)
    }

    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            _ => None,
        }
    }

    pub(super) fn accept(&self) -> Accepted {
        let accepted = match self {
            Listener::None => return Accepted::Nobody,
            Listener::Tcp(listener) => listener.accept().map(|(stream, _)| Transport::Tcp(stream)),
            #[cfg(unix)]
            Listener::Unix { listener, .. } => {
                listener.accept().map(|(stream, _)| Transport::Unix(stream))
            }
        };
        match accepted {
            Ok(transport) => Accepted::Connection(transport),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Accepted::Nobody,
            Err(error) if is_exhaustion(&error) => Accepted::Exhausted(error),
            Err(error) => {
                log::debug!(target: "soquete::net", "accept: {error}");
                Accepted::Retry
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Listener::Unix { path, .. } = self {
            super::unix::unlink(path);
        }
    }
}

impl Source for Listener {
    fn register(&mut self, registry: &Registry, token: Token, _: Interest) -> io::Result<()> {
        match self {
            Listener::None => Ok(()),
            Listener::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
            #[cfg(unix)]
            Listener::Unix { listener, .. } => {
                registry.register(listener, token, Interest::READABLE)
            }
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, i: Interest) -> io::Result<()> {
        self.register(registry, token, i)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Listener::None => Ok(()),
            Listener::Tcp(listener) => registry.deregister(listener),
            #[cfg(unix)]
            Listener::Unix { listener, .. } => registry.deregister(listener),
        }
    }
}

fn tcp(address: SocketAddr, options: &ListenOptions) -> io::Result<TcpListener> {
    let socket = RawSocket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if options.reuse_port {
        share_port(&socket)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(options.ipv6_only)?;
    }
    socket.bind(&address.into())?;
    socket.listen(options.backlog)?;
    Ok(TcpListener::from_std(socket.into()))
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
fn share_port(socket: &RawSocket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
fn share_port(_: &RawSocket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The address to listen on, of those that a name has: a link-local one would need a scope.
pub(super) fn preferred(addresses: &[IpAddr]) -> Option<IpAddr> {
    let link_local = |address: &IpAddr| match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    addresses
        .iter()
        .find(|address| !link_local(address))
        .or(addresses.first())
        .copied()
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM.
fn is_exhaustion(error: &io::Error) -> bool {
    const ENOBUFS: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
        105
    } else {
        55
    };
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(
            error.raw_os_error(),
            Some(23 | 24 | ENOBUFS | 10024 | 10055)
        )
}

thread_local! {
    static RESERVE: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// A descriptor that is kept for the day on which there are none left: given up, it makes room to
/// accept those who wait, and to close them, so that they learn of it and the backlog does not stay
/// full.
pub(super) struct Reserve;

impl Reserve {
    pub(super) fn keep() {
        // The destructors of a thread on its way out may come here when this is gone.
        let _gone = RESERVE.try_with(|reserve| {
            let mut reserve = reserve.borrow_mut();
            if reserve.is_none() {
                *reserve = File::open("/dev/null").ok();
            }
        });
    }

    /// Turns away everybody who waits. False if there was no room even for that.
    pub(super) fn turn_away(listener: &Listener) -> bool {
        if RESERVE.try_with(RefCell::take).ok().flatten().is_none() {
            Reserve::keep();
            return false;
        }
        let turned_away = loop {
            match listener.accept() {
                Accepted::Connection(_closed) => {}
                Accepted::Retry => {}
                Accepted::Nobody => break true,
                Accepted::Exhausted(_) => break false,
            }
        };
        Reserve::keep();
        turned_away
    }
}
