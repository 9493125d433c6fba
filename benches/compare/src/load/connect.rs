//! Opening many connections to one server without overrunning its backlog.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use mio::{Interest, Poll, Token};

use super::{Options, PATIENCE, silence};
use crate::address::Address;
use crate::proc;

/// How many connections are opened before the server must have accepted them all.
const BATCH: usize = 100;

/// Where a server listens on TCP, for the loads that there are for TCP alone.
pub(super) fn server_address(options: &Options) -> io::Result<SocketAddrV4> {
    match options.address {
        Address::Port(port) => Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)),
        Address::Path(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Opens blocking connections. When they are many, returns only once the server has accepted
/// every one, which shows by the count of its descriptors.
pub(super) fn connect_blocking(options: &Options, count: usize) -> io::Result<Vec<TcpStream>> {
    if count <= BATCH {
        return (0..count).map(|_| connect_one(options)).collect();
    }
    let before = settled_descriptors(options.server)?;
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        for _ in 0..BATCH.min(count - streams.len()) {
            streams.push(connect_one(options)?);
        }
        await_descriptors(options.server, before + streams.len())?;
    }
    Ok(streams)
}

/// Opens connections and registers each with `poll`, its index being its token.
pub(super) fn connect_registered(
    options: &Options,
    poll: &Poll,
) -> io::Result<Vec<mio::net::TcpStream>> {
    register(connect_blocking(options, options.connections)?, poll)
}

/// Registers each of these with `poll`, its index being its token.
pub(super) fn register(
    streams: Vec<TcpStream>,
    poll: &Poll,
) -> io::Result<Vec<mio::net::TcpStream>> {
    streams
        .into_iter()
        .enumerate()
        .map(|(index, stream)| {
            stream.set_nonblocking(true)?;
            let mut stream = mio::net::TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(&mut stream, Token(index), interest)?;
            Ok(stream)
        })
        .collect()
}

/// Opens one connection. That of a UNIX socket is called a TCP stream, too: what is done with either is the same, by the
/// same system calls.
pub(super) fn connect_one(options: &Options) -> io::Result<TcpStream> {
    let stream = match &options.address {
        Address::Port(_) => {
            let stream = TcpStream::connect(server_address(options)?)?;
            stream.set_nodelay(true)?;
            stream
        }
        Address::Path(path) => TcpStream::from(OwnedFd::from(UnixStream::connect(path)?)),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// How many descriptors the server has, once it has closed those of the load before.
fn settled_descriptors(server: u32) -> io::Result<usize> {
    const QUIET_READINGS: usize = 10;
    let deadline = Instant::now() + PATIENCE;
    let mut count = proc::descriptors(server)?;
    let mut readings = 0;
    while readings < QUIET_READINGS {
        if Instant::now() > deadline {
            return Err(silence());
        }
        thread::sleep(Duration::from_millis(2));
        let now = proc::descriptors(server)?;
        readings = if now == count { readings + 1 } else { 0 };
        count = now;
    }
    Ok(count)
}

fn await_descriptors(server: u32, count: usize) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while proc::descriptors(server)? < count {
        if Instant::now() > deadline {
            return Err(silence());
        }
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}
