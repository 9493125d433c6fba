//! The descriptor of a server: binding, listening, accepting.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use mio::event::Source;
use mio::net::TcpListener;
use mio::net::UnixListener;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Socket as RawSocket, Type};

use super::Address;
use super::bound::Bound;
use super::raw::{self, errno};
use super::server::ListenOptions;
use super::transport::Transport;
use super::unix::{self, BoundPath};
use crate::address::SocketAddress;
use crate::error::{Endpoint, Error, Result, node};

/// A listening socket of the operating system, or none.
#[derive(Debug)]
pub(super) enum Listener {
    None,
    Tcp(TcpListener),
    Unix {
        // Before the descriptor, so that it goes first: whoever comes meanwhile finds nobody.
        _file: Option<BoundPath>,
        path: Option<PathBuf>,
        listener: UnixListener,
    },
}

/// What an attempt to accept came to.
pub(super) enum Accepted {
    Connection(Transport),
    /// Nobody waits any more.
    Nobody,
    /// Whoever waited went away, or something of the kind: the next one may be all right.
    Retry,
    /// There are no descriptors left, or accepting does not work for another reason that stays.
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
        let listening = raw::bound(address, options.sharing).and_then(|socket| {
            socket.listen(options.backlog)?;
            Ok(Listener::Tcp(TcpListener::from_std(socket.into())))
        });
        listening.map_err(|error| {
            let ip = SocketAddress::from(address).address();
            Error::listen(&error, &Endpoint::at(ip, Some(address.port())))
        })
    }

    pub(super) fn on_path(path: &Path, options: &ListenOptions) -> Result<Listener> {
        if options.mode != 0 && unix::is_abstract(path) {
            let problem = "can not set readableAll or writableAll to true when path is abstract \
                unix socket";
            return Err(node::invalid_arg("options", problem));
        }
        let listening = unix::bound(path).and_then(|(socket, path)| {
            socket.listen(options.backlog)?;
            Ok((socket, path))
        });
        let (socket, file) = listening.map_err(|error| {
            let at = Endpoint::at(unix::display(path), None);
            Error::listen(&error, &at)
        })?;
        if options.mode != 0 {
            file.set_mode(options.mode)
                .map_err(|error| Error::os("uv_pipe_chmod", &error))?;
        }
        Ok(Listener::unix(socket, Some(file)))
    }

    /// Listens by a socket that is there already.
    pub(super) fn adopt(bound: Bound, backlog: i32) -> Result<Listener> {
        let Bound { socket, .. } = &bound;
        let listening = check_kind(socket).and_then(|is_tcp| {
            socket.set_nonblocking(true)?;
            socket.listen(backlog)?;
            Ok(is_tcp)
        });
        match listening {
            Ok(true) => Ok(Listener::Tcp(TcpListener::from_std(bound.socket.into()))),
            Ok(false) => Ok(Listener::unix(bound.socket, bound.path)),
            Err(error) => Err(Error::listen(&error, &Endpoint::default())),
        }
    }

    fn unix(socket: RawSocket, file: Option<BoundPath>) -> Listener {
        let path = match &file {
            Some(file) => Some(file.path().to_owned()),
            None => unix::path_of(&socket),
        };
        Listener::Unix {
            _file: file,
            path,
            listener: UnixListener::from_std(socket.into()),
        }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Option<Address> {
        match self {
            Listener::None => None,
            Listener::Tcp(listener) => listener.local_addr().ok().map(Address::Tcp),
            Listener::Unix { path, .. } => path.clone().map(Address::Path),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Listener::None)
    }

    pub(super) fn accept(&self) -> Accepted {
        let accepted = match self {
            Listener::None => return Accepted::Nobody,
            Listener::Tcp(listener) => listener.accept().map(|(stream, _)| Transport::Tcp(stream)),
            Listener::Unix { listener, .. } => {
                listener.accept().map(|(stream, _)| Transport::Unix(stream))
            }
        };
        match accepted {
            Ok(transport) => Accepted::Connection(transport),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Accepted::Nobody,
            Err(error) if is_of_one_connection(&error) => {
                log::debug!(target: "soquete::net", "accept: {error}");
                Accepted::Retry
            }
            Err(error) => Accepted::Exhausted(error),
        }
    }
}

impl Source for Listener {
    fn register(&mut self, registry: &Registry, token: Token, _: Interest) -> io::Result<()> {
        match self {
            Listener::None => Ok(()),
            Listener::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
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
            Listener::Unix { listener, .. } => registry.deregister(listener),
        }
    }
}

/// Whether a socket that was handed in is TCP; EINVAL or ENOTSOCK if it is nothing to listen on.
fn check_kind(socket: &RawSocket) -> io::Result<bool> {
    if socket
        .r#type()
        .map_err(|error| not_a_socket(socket, error))?
        != Type::STREAM
    {
        return Err(errno::error(errno::EINVAL));
    }
    match socket.local_addr()?.domain() {
        Domain::IPV4 | Domain::IPV6 => Ok(true),
        Domain::UNIX => Ok(false),
        _ => Err(errno::error(errno::EINVAL)),
    }
}

/// As Node, which looks at the kind of the descriptor before it tries: a pipe could be a socket.
fn not_a_socket(socket: &RawSocket, error: io::Error) -> io::Error {
    use std::os::unix::fs::FileTypeExt;
    let kind = socket
        .try_clone()
        .map(std::os::fd::OwnedFd::from)
        .and_then(|descriptor| File::from(descriptor).metadata());
    match kind {
        Ok(kind) if kind.file_type().is_fifo() => error,
        _ => errno::error(errno::EINVAL),
    }
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

/// Whether an error is about the connection that was to be accepted, so that the next one may be all
/// right: ECONNABORTED, EINTR, EPERM, EPROTO, and what accept(2) hands on from the network. Any other
/// is about the listener or the process, and would come again at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind;
    const EPROTO: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
        71
    } else {
        100
    };
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::Interrupted
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
            | ErrorKind::PermissionDenied
            | ErrorKind::TimedOut
    ) || error.raw_os_error() == Some(EPROTO)
}

/// How many are turned away before others get their turn: more than any backlog holds.
const TURNED_AWAY_AT_ONCE: usize = 4096;

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
        for _ in 0..TURNED_AWAY_AT_ONCE {
            match listener.accept() {
                Accepted::Connection(_closed) => {}
                Accepted::Retry => {}
                Accepted::Nobody => {
                    Reserve::keep();
                    return true;
                }
                Accepted::Exhausted(_) => break,
            }
        }
        Reserve::keep();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_is_the_last_choice() {
        let addresses = |text: &str| -> Vec<IpAddr> {
            text.split_whitespace()
                .filter_map(|address| address.parse().ok())
                .collect()
        };
        let chosen = |text: &str| preferred(&addresses(text)).map(|address| address.to_string());
        assert_eq!(chosen("fe80::1 ::1").as_deref(), Some("::1"));
        assert_eq!(chosen("febf::1 10.0.0.1").as_deref(), Some("10.0.0.1"));
        assert_eq!(chosen("fec0::1 ::1").as_deref(), Some("fec0::1"));
        assert_eq!(chosen("fe80::2 fe80::1").as_deref(), Some("fe80::2"));
        assert_eq!(chosen(""), None);
    }
}
