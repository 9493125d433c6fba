//! The descriptor of a server: listening, accepting.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use mio::net::{TcpListener, UnixListener};
use socket2::{Domain, SockAddr, SockRef, Type};

use super::unix::{self, BoundPath};
use super::{Answer, Call, Descriptor, Reserve, Socket, Stream, Watched, answer, errno};

/// A listening socket of the operating system, or none.
#[derive(Debug)]
pub(crate) enum Listener {
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
pub(crate) struct Accepted {
    pub(crate) stream: Stream,
    pub(crate) peer: Option<SocketAddr>,
}

impl Listener {
    /// Listens by a socket that is there already, whatever it is.
    pub(crate) fn adopt(
        socket: Socket,
        file: Option<BoundPath>,
        backlog: i32,
    ) -> io::Result<Listener> {
        let is_tcp = match &socket {
            Socket::Os(socket) => {
                let is_tcp = check_kind(socket)?;
                socket.set_nonblocking(true)?;
                is_tcp
            }
            Socket::Sim(descriptor) => descriptor.is_tcp(),
        };
        socket.listen(backlog)?;
        Ok(match is_tcp {
            true => Listener::tcp(socket),
            false => Listener::unix(socket, file),
        })
    }

    /// Takes a TCP socket that listens.
    pub(crate) fn tcp(socket: Socket) -> Listener {
        match socket {
            Socket::Os(socket) => Listener::Tcp(TcpListener::from_std(socket.into())),
            Socket::Sim(descriptor) => Listener::Sim {
                _file: None,
                descriptor,
            },
        }
    }

    /// Takes a Unix domain socket that listens, and the file that goes with it.
    pub(crate) fn unix(socket: Socket, file: Option<BoundPath>) -> Listener {
        let socket = match socket {
            Socket::Os(socket) => socket,
            Socket::Sim(descriptor) => {
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

    /// The descriptor, for the poll.
    pub(crate) fn watched(&mut self) -> Watched<'_> {
        match self {
            Listener::None => Watched::Nothing,
            Listener::Tcp(listener) => Watched::Listener(listener),
            Listener::Unix { listener, .. } => Watched::Listener(listener),
            Listener::Sim { descriptor, .. } => Watched::Sim(descriptor),
        }
    }

    /// `None` for IPC.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Listener::None | Listener::Unix { .. } => None,
            Listener::Tcp(listener) => SockRef::from(listener).local_addr().ok()?.as_socket(),
            Listener::Sim { descriptor, .. } => descriptor.local_address().ok()?,
        }
    }

    /// `None` for TCP, and for a Unix domain socket without a name.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match self {
            Listener::None | Listener::Tcp(_) => None,
            Listener::Unix { path, .. } => path.clone(),
            Listener::Sim { descriptor, .. } => descriptor.local_path(),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Listener::None)
    }

    /// Takes the next one who waits.
    pub(crate) fn accept(&self) -> io::Result<Accepted> {
        match self {
            Listener::None => Err(io::ErrorKind::WouldBlock.into()),
            Listener::Tcp(listener) => {
                let (socket, address) = accept_from(&SockRef::from(listener))?;
                Ok(Accepted {
                    stream: Socket::Os(socket).into_tcp(),
                    peer: address.as_socket(),
                })
            }
            Listener::Unix { listener, .. } => {
                // The address of a client of this kind is one that it has chosen. It is not looked at.
                let (socket, _) = accept_from(&SockRef::from(listener))?;
                Ok(Accepted {
                    stream: Socket::Os(socket).into_unix(),
                    peer: None,
                })
            }
            Listener::Sim { descriptor, .. } => {
                let (descriptor, peer) = descriptor.accept()?;
                Ok(Accepted {
                    stream: Stream::Sim(descriptor),
                    peer,
                })
            }
        }
    }
}

on_systems! {
    ["android" "dragonfly" "freebsd" "illumos" "linux" "netbsd" "openbsd"]
    /// One system call, where there is accept4(2).
    fn accept_from(listener: &SockRef<'_>) -> io::Result<(socket2::Socket, SockAddr)> {
        let flags = Type::from(0).nonblocking().cloexec();
        listener.accept4(flags.into())
    }
    /// Two, where there is only accept(2).
    fn accept_from(listener: &SockRef<'_>) -> io::Result<(socket2::Socket, SockAddr)> {
        let (socket, address) = listener.accept()?;
        socket.set_nonblocking(true)?;
        Ok((socket, address))
    }
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

/// How many are turned away before others get their turn: more than any backlog holds.
const TURNED_AWAY_AT_ONCE: usize = 4096;

impl Listener {
    /// Turns away everybody who waits. False if there was no room even for that.
    pub(crate) fn turn_away(&self, reserve: &Reserve) -> bool {
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
