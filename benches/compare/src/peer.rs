//! The duties of every server here: read the command line, listen, say where, and go when its parent goes.

use std::fmt::Display;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::address::Address;

/// The payload byte of everything that a `source` sends.
pub const FILL: u8 = b'x';

/// Connections a server lets wait: more than any workload opens between two looks at the server.
pub const BACKLOG: u16 = 4096;

/// How many loops a server has that has more than one.
pub const LOOPS: usize = 2;

/// A server's command line: `<mode> [bytes [path]]`.
pub struct Arguments {
    pub mode: String,
    /// Of a chunk, or how many timers.
    pub size: usize,
    pub address: Address,
}

impl Arguments {
    /// Reads this program's. Without a path, the kernel chooses the port.
    pub fn read() -> Self {
        let mut words = std::env::args().skip(1);
        let mode = words.next().unwrap_or_default();
        let size = words.next().and_then(|size| size.parse().ok());
        let path = words.next();
        Self {
            mode,
            size: size.unwrap_or(64 * 1024),
            address: path.map_or(Address::Port(0), |path| Address::Path(path.into())),
        }
    }
}

/// A socket that listens and does not block, and the address it has got.
pub fn listen(address: &Address) -> io::Result<(Socket, Address)> {
    let (domain, place) = match address {
        Address::Port(port) => {
            let place = SocketAddrV4::new(Ipv4Addr::LOCALHOST, *port);
            (Domain::IPV4, SockAddr::from(place))
        }
        Address::Path(path) => (Domain::UNIX, SockAddr::unix(path)?),
    };
    let socket = Socket::new(domain, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&place)?;
    socket.listen(BACKLOG.into())?;
    let address = match socket.local_addr()?.as_socket() {
        Some(place) => Address::Port(place.port()),
        None => address.clone(),
    };
    Ok((socket, address))
}

/// Tells the orchestrator that the server is ready, and where.
pub fn announce(address: impl Display) {
    println!("LISTENING {address}");
    // A failure means that the parent is gone, which the watch on `parent` reports as well.
    let _ = io::stdout().flush();
}

/// The standard input, which is a socket that closes when the parent is done with the server or is
/// gone. To be watched by the server's own loop: a thread for it would make every system call a
/// little slower, since the kernel counts references to descriptors once a process has two.
pub fn parent() -> io::Result<UnixStream> {
    let parent = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    parent.set_nonblocking(true)?;
    Ok(parent)
}

/// How long timer `index` would run: spread over a minute, in no order, and never due while the
/// measurement lasts.
pub fn timer_delay_ms(index: u64) -> u64 {
    60_000 + index * 7919 % 60_000
}
