//! The descriptor of a server: binding, listening, accepting.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use mio::net::TcpListener;
use mio::net::UnixListener;
use socket2::{Domain, SockAddr, SockRef, Type};

use super::Address;
use super::bound::Bound;
use super::raw::{self, RawSocket, errno};
use super::server::ListenOptions;
use super::transport::Transport;
use super::unix::{self, BoundPath};
use crate::address::SocketAddress;
use crate::error::{Endpoint, Error, Result, node};
use crate::kernel::{Answer, Call, Descriptor, Reserve, Watched, answer};

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
    Sim {
        _file: Option<BoundPath>,
        descriptor: Descriptor,
    },
}

/// A connection that was accepted, and whose it is: the kernel may not know that any more. `None` for IPC,
/// and if the kernel has named nobody.
pub(super) struct Accepted {
    pub(super) transport: Transport,
    pub(super) peer: Option<SocketAddr>,
}

impl Listener {
    /// The descriptor, for the poll.
    pub(super) fn watched(&mut self) -> Watched<'_> {
        match self {
            Listener::None => Watched::Nothing,
            Listener::Tcp(listener) => Watched::Listener(listener),
            Listener::Unix { listener, .. } => Watched::Listener(listener),
            Listener::Sim { descriptor, .. } => Watched::Sim(descriptor),
        }
    }

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
            Ok(Listener::tcp(socket))
        });
        listening.map_err(|error| {
            let ip = SocketAddress::from(address).address();
            Error::listen(&error, &Endpoint::at(ip, Some(address.port())))
        })
    }

    pub(super) fn on_path(path: &Path, options: &ListenOptions) -> Result<Listener> {
        if path.as_os_str().is_empty() {
            let problem = "is invalid. Received { path: '' }";
            return Err(node::invalid_arg("options", problem));
        }
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
        let socket = match &bound.socket {
            RawSocket::Os(socket) => socket,
            RawSocket::Sim(descriptor) => {
                let is_tcp = descriptor.is_tcp();
                return match descriptor.listen(backlog) {
                    Ok(()) if is_tcp => Ok(Listener::tcp(bound.socket)),
                    Ok(()) => Ok(Listener::unix(bound.socket, bound.path)),
                    Err(error) => Err(Error::listen(&error, &Endpoint::default())),
                };
            }
        };
        let listening = check_kind(socket).and_then(|is_tcp| {
            socket.set_nonblocking(true)?;
            socket.listen(backlog)?;
            Ok(is_tcp)
        });
        match listening {
            Ok(true) => Ok(Listener::tcp(bound.socket)),
            Ok(false) => Ok(Listener::unix(bound.socket, bound.path)),
            Err(error) => Err(Error::listen(&error, &Endpoint::default())),
        }
    }

    fn tcp(socket: RawSocket) -> Listener {
        match socket {
            RawSocket::Os(socket) => Listener::Tcp(TcpListener::from_std(socket.into())),
            RawSocket::Sim(descriptor) => Listener::Sim {
                _file: None,
                descriptor,
            },
        }
    }

    fn unix(socket: RawSocket, file: Option<BoundPath>) -> Listener {
        let socket = match socket {
            RawSocket::Os(socket) => socket,
            RawSocket::Sim(descriptor) => {
                return Listener::Sim {
                    _file: file,
                    descriptor,
                };
            }
        };
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
            Listener::Tcp(listener) => {
                let address = SockRef::from(listener).local_addr().ok()?.as_socket()?;
                Some(Address::Tcp(address))
            }
            Listener::Unix { path, .. } => path.clone().map(Address::Path),
            Listener::Sim { descriptor, .. } if descriptor.is_tcp() => {
                let address = descriptor.local_address().ok()??;
                Some(Address::Tcp(address))
            }
            Listener::Sim { descriptor, .. } => descriptor.local_path().map(Address::Path),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Listener::None)
    }

    /// Takes the next one who waits.
    pub(super) fn accept(&self) -> io::Result<Accepted> {
        match self {
            Listener::None => Err(io::ErrorKind::WouldBlock.into()),
            Listener::Tcp(listener) => {
                let (socket, address) = accept_from(&SockRef::from(listener))?;
                Ok(Accepted {
                    transport: RawSocket::Os(socket).into_tcp(),
                    peer: address.as_socket(),
                })
            }
            Listener::Unix { listener, .. } => {
                // The address of a client of this kind is one that it has chosen. It is not looked at.
                let (socket, _) = accept_from(&SockRef::from(listener))?;
                Ok(Accepted {
                    transport: RawSocket::Os(socket).into_unix(),
                    peer: None,
                })
            }
            Listener::Sim { descriptor, .. } => {
                let (stream, peer) = descriptor.accept()?;
                Ok(Accepted {
                    transport: Transport::Sim(stream),
                    peer,
                })
            }
        }
    }
}

/// One system call, where there is accept4(2).
#[cfg(any(
    target_os = "android",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "illumos",
    target_os = "linux",
    target_os = "netbsd",
    target_os = "openbsd",
))]
fn accept_from(listener: &SockRef<'_>) -> io::Result<(socket2::Socket, SockAddr)> {
    let flags = Type::from(0).nonblocking().cloexec();
    listener.accept4(flags.into())
}

#[cfg(not(any(
    target_os = "android",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "illumos",
    target_os = "linux",
    target_os = "netbsd",
    target_os = "openbsd",
)))]
fn accept_from(listener: &SockRef<'_>) -> io::Result<(socket2::Socket, SockAddr)> {
    let (socket, address) = listener.accept()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// Whether a socket that was handed in is TCP; EINVAL or ENOTSOCK if it is nothing to listen on.
fn check_kind(socket: &socket2::Socket) -> io::Result<bool> {
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
fn not_a_socket(socket: &socket2::Socket, error: io::Error) -> io::Error {
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

/// How many are turned away before others get their turn: more than any backlog holds.
const TURNED_AWAY_AT_ONCE: usize = 4096;

impl Listener {
    /// Turns away everybody who waits. False if there was no room even for that.
    pub(super) fn turn_away(&self, reserve: &Reserve) -> bool {
        let has_turned_away = reserve.give_up() && self.accept_and_close();
        reserve.keep();
        has_turned_away
    }

    /// False if somebody may be left.
    fn accept_and_close(&self) -> bool {
        for _ in 0..TURNED_AWAY_AT_ONCE {
            let Err(error) = self.accept() else {
                continue;
            };
            match answer(Call::Accept, &error) {
                Answer::Next | Answer::Retry => {}
                Answer::Wait => return true,
                _ => break,
            }
        }
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
