//! The servers as a bare loop on mio: `peer_mio <mode> [bytes [path]]`.
//!
//! Edge-triggered and registered once, as mio is meant to be used; a read that comes back short
//! has emptied the socket. There are no timers in mio.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::OwnedFd;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Events, Interest, Poll, Token};
use soquete_compare::address::Address;
use soquete_compare::peer;

const READ_BUFFER: usize = 64 * 1024;
const LISTENER: Token = Token(usize::MAX);
const PARENT: Token = Token(usize::MAX - 1);

/// Reads or writes in a row on one connection, so that none starves the others.
const TURN: usize = 64;

struct Connection {
    stream: TcpStream,
    /// Bytes that the kernel has not taken yet.
    unsent: Vec<u8>,
    /// The start of a frame whose end has not come yet.
    partial: Vec<u8>,
    received: u64,
    /// How much of the current chunk a source has sent.
    offset: usize,
    /// Once the client has closed, a short read may hide the end of the stream behind it.
    peer_closed: bool,
    queued: bool,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

struct Server {
    mode: String,
    poll: Poll,
    listener: Listener,
    /// Watched while it is held.
    _parent: UnixStream,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// There was no descriptor for a connection that waits.
    accept_again: bool,
    /// Connections that used up their turn while there was more to do.
    ready: VecDeque<usize>,
    buffer: Vec<u8>,
    chunk: Vec<u8>,
}

fn main() -> io::Result<()> {
    let peer::Arguments {
        mode,
        size,
        address,
    } = peer::Arguments::read();
    let (socket, address) = peer::listen(&address)?;
    let poll = Poll::new()?;
    let (registry, readable) = (poll.registry(), Interest::READABLE);
    let listener = match address {
        Address::Port(_) => {
            let mut listener = TcpListener::from_std(socket.into());
            registry.register(&mut listener, LISTENER, readable)?;
            Listener::Tcp(listener)
        }
        Address::Path(_) => {
            let mut listener = UnixListener::from_std(socket.into());
            registry.register(&mut listener, LISTENER, readable)?;
            Listener::Unix(listener)
        }
    };
    let mut parent = UnixStream::from_std(peer::parent()?);
    poll.registry()
        .register(&mut parent, PARENT, Interest::READABLE)?;
    peer::announce(address);
    Server {
        mode,
        poll,
        listener,
        _parent: parent,
        connections: Vec::new(),
        free: Vec::new(),
        accept_again: false,
        ready: VecDeque::new(),
        buffer: vec![0; READ_BUFFER],
        chunk: vec![peer::FILL; size],
    }
    .run()
}

impl Server {
    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            let timeout = match (self.ready.is_empty(), self.accept_again) {
                (false, _) => Some(Duration::ZERO),
                (true, true) => Some(Duration::from_millis(1)),
                (true, false) => None,
            };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            if mem::take(&mut self.accept_again) {
                self.accept();
            }
            for _ in 0..self.ready.len() {
                if let Some(index) = self.ready.pop_front() {
                    self.serve(index, false);
                }
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(),
                    PARENT => return Ok(()),
                    Token(index) => self.serve(index, event.is_read_closed()),
                }
            }
        }
    }

    fn accept(&mut self) {
        loop {
            let mut stream = match self.listener.accept() {
                Ok(stream) => stream,
                Err(error) => {
                    // Without a descriptor for it, a connection waits until another has gone.
                    self.accept_again = error.kind() != io::ErrorKind::WouldBlock;
                    return;
                }
            };
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registered = self
                .poll
                .registry()
                .register(&mut stream, Token(index), interest);
            if registered.is_err() {
                self.free.push(index);
                continue;
            }
            self.connections[index] = Some(Connection {
                stream,
                unsent: Vec::new(),
                partial: Vec::new(),
                received: 0,
                offset: 0,
                peer_closed: false,
                queued: false,
            });
        }
    }

    fn serve(&mut self, index: usize, peer_closed: bool) {
        let Some(connection) = &mut self.connections[index] else {
            return;
        };
        connection.queued = false;
        connection.peer_closed |= peer_closed;
        let buffer = &mut self.buffer;
        let turn = match self.mode.as_str() {
            "echo" | "pipe" => connection.read(buffer, Connection::send),
            "frames" => connection.read(buffer, Connection::answer_frames),
            "sink" => connection.drain(buffer),
            "source" => connection.fill(&self.chunk),
            _ => return self.broadcast(index),
        };
        self.conclude(index, turn);
    }

    fn conclude(&mut self, index: usize, turn: io::Result<Turn>) {
        match turn {
            Ok(Turn::Idle) => {}
            Ok(Turn::More) => {
                let Some(connection) = &mut self.connections[index] else {
                    return;
                };
                if !std::mem::replace(&mut connection.queued, true) {
                    self.ready.push_back(index);
                }
            }
            // A reset is a client that is gone: the end of its connection, like an orderly one.
            Ok(Turn::Ended) | Err(_) => {
                self.connections[index] = None;
                self.free.push(index);
            }
        }
    }

    fn broadcast(&mut self, speaker: usize) {
        let mut message = Vec::new();
        let Some(connection) = &mut self.connections[speaker] else {
            return;
        };
        let turn = connection.read(&mut self.buffer, |_, bytes| {
            message.extend_from_slice(bytes);
            Ok(())
        });
        for member in self
            .connections
            .iter_mut()
            .flatten()
            .filter(|_| !message.is_empty())
        {
            // A failed member shows by an event of its own.
            let _ = member.send(&message);
        }
        self.conclude(speaker, turn);
    }
}

impl Listener {
    fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                // A client that has gone already is noticed when it is read from.
                let _ = stream.set_nodelay(true);
                Ok(stream)
            }
            // What is done with either is the same, by the same system calls.
            Self::Unix(listener) => Ok(TcpStream::from(OwnedFd::from(listener.accept()?.0))),
        }
    }
}

enum Turn {
    Idle,
    More,
    Ended,
}

impl Connection {
    fn read(
        &mut self,
        buffer: &mut [u8],
        mut handle: impl FnMut(&mut Self, &[u8]) -> io::Result<()>,
    ) -> io::Result<Turn> {
        self.flush()?;
        for _ in 0..TURN {
            // A peer that does not read is not read from: writability resumes this.
            if !self.unsent.is_empty() {
                return Ok(Turn::Idle);
            }
            match self.stream.read(buffer) {
                Ok(0) => return Ok(Turn::Ended),
                Ok(count) => {
                    handle(self, &buffer[..count])?;
                    if count < buffer.len() && !self.peer_closed {
                        return Ok(Turn::Idle);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Turn::Idle),
                Err(error) => return Err(error),
            }
        }
        Ok(Turn::More)
    }

    fn answer_frames(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut partial = std::mem::take(&mut self.partial);
        let mut rest = bytes;
        if !partial.is_empty() {
            partial.extend_from_slice(bytes);
            rest = &partial;
        }
        while let Some(prefix) = rest.first_chunk() {
            let Some(frame) = rest.get(..4 + u32::from_be_bytes(*prefix) as usize) else {
                break;
            };
            self.send(frame)?;
            rest = &rest[frame.len()..];
        }
        self.partial = rest.to_vec();
        Ok(())
    }

    fn drain(&mut self, buffer: &mut [u8]) -> io::Result<Turn> {
        let turn = self.read(buffer, |connection, bytes| {
            connection.received += bytes.len() as u64;
            Ok(())
        })?;
        if let Turn::Ended = turn {
            self.stream.write_all(&self.received.to_le_bytes())?;
        }
        Ok(turn)
    }

    fn fill(&mut self, chunk: &[u8]) -> io::Result<Turn> {
        for _ in 0..TURN {
            let sent = write_some(&mut self.stream, &chunk[self.offset..])?;
            if sent == 0 {
                return Ok(Turn::Idle);
            }
            self.offset = (self.offset + sent) % chunk.len();
        }
        Ok(Turn::More)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = match self.unsent.is_empty() {
            true => write_some(&mut self.stream, bytes)?,
            false => 0,
        };
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.unsent.is_empty() {
            let sent = write_some(&mut self.stream, &self.unsent)?;
            self.unsent.drain(..sent);
        }
        Ok(())
    }
}

/// Writes what the kernel takes at once, which may be nothing.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
