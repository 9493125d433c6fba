//! Bytes by the gigabyte: to the server, from the server, or there and back.
//!
//! The kernel copies each byte into a socket on one core and out of it on the other, and the
//! first costs more. So that the server is what limits the rate, the client copies nothing: it
//! sends pages of a file in memory (sendfile) and drops what it receives (MSG_TRUNC). Two of the
//! pipes have clients that copy, as programs do.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Poll};
use rustix::fs::{MemfdFlags, memfd_create, sendfile};
use rustix::net::{RecvFlags, recv};

use super::connect::connect_registered;
use super::{Limit, Options, Outcome, PATIENCE, Progress, conduct, silence, verify};
use crate::peer::FILL;

/// Reads or writes in a row on one connection, so that eight share the client fairly.
const TURN: usize = 16;

/// Chunks below this are written and not sent as pages, which would cost more than the copy.
const LEAST_PAGES: usize = 64 * 1024;

/// Large enough that the client makes fewer system calls than any server.
const READ_BUFFER: usize = 1 << 20;

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq)]
pub enum Direction {
    Upload,
    Download,
    Pipe,
    /// Written from memory and read into it.
    CopiedPipe,
    /// The same, and a chunk goes out when the last one has come back.
    PipeInTurn,
}

impl Direction {
    fn copies(self) -> bool {
        matches!(self, Direction::CopiedPipe | Direction::PipeInTurn)
    }
}

/// Moves bytes in `--size` chunks over each connection; operations are whole chunks' worth.
pub fn run(options: &Options, direction: Direction) -> io::Result<()> {
    match direction {
        Direction::Upload => verify::sink(options)?,
        Direction::Download => verify::source(options)?,
        Direction::Pipe | Direction::CopiedPipe | Direction::PipeInTurn => {
            verify::pipe(options)?;
        }
    }
    let mut poll = Poll::new()?;
    let streams = connect_registered(options, &poll)?;
    let mut connections: Vec<Connection> = streams.into_iter().map(Connection::new).collect();
    let chunk = if direction.copies() {
        Chunk::in_memory(options.size)
    } else {
        Chunk::new(options.size)?
    };
    conduct(options, |limit| {
        move_bytes(&mut poll, &mut connections, &chunk, direction, limit)
    })
}

/// What the client sends over and over.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    /// The same bytes as a file in memory, if they are sent as pages.
    pages: Option<OwnedFd>,
}

struct Connection {
    stream: TcpStream,
    /// How much of the current chunk went out.
    sent: usize,
    /// Bytes that went out and have not come back, of a pipe.
    under_way: u64,
    can_read: bool,
    can_write: bool,
}

fn move_bytes(
    poll: &mut Poll,
    connections: &mut [Connection],
    chunk: &Chunk,
    direction: Direction,
    limit: Limit,
) -> io::Result<Outcome> {
    let mut events = Events::with_capacity(64);
    let mut buffer = vec![0; READ_BUFFER];
    let progress = Progress::new(limit);
    let size = chunk.bytes.len() as u64;
    let mut bytes = 0;
    while progress.may_begin(bytes / size, Instant::now()) {
        let busy = connections
            .iter()
            .any(|connection| connection.has_work(direction));
        let timeout = if busy { Duration::ZERO } else { PATIENCE };
        poll.poll(&mut events, Some(timeout))?;
        if events.is_empty() && !busy {
            return Err(silence());
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            connection.can_read |= event.is_readable();
            connection.can_write |= event.is_writable();
        }
        for connection in connections.iter_mut() {
            if direction != Direction::Download {
                let sent = connection.send(chunk, direction)?;
                bytes += if direction == Direction::Upload {
                    sent
                } else {
                    0
                };
            }
            if direction != Direction::Upload {
                bytes += connection.receive(&mut buffer, direction)?;
            }
        }
    }
    Ok(Outcome {
        operations: bytes / size,
        bytes,
        latencies: Vec::new(),
    })
}

impl Chunk {
    pub(super) fn new(size: usize) -> io::Result<Self> {
        let mut chunk = Self::in_memory(size);
        if size >= LEAST_PAGES {
            let mut file = File::from(memfd_create("chunk", MemfdFlags::CLOEXEC)?);
            file.write_all(&chunk.bytes)?;
            chunk.pages = Some(file.into());
        }
        Ok(chunk)
    }

    fn in_memory(size: usize) -> Self {
        Self {
            bytes: vec![FILL; size],
            pages: None,
        }
    }

    /// Sends what comes at `offset`, as much as the kernel takes.
    pub(super) fn send(&self, stream: &mut TcpStream, offset: usize) -> io::Result<usize> {
        match &self.pages {
            Some(pages) => {
                let rest = self.bytes.len() - offset;
                Ok(sendfile(&*stream, pages, Some(&mut (offset as u64)), rest)?)
            }
            None => stream.write(&self.bytes[offset..]),
        }
    }
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            sent: 0,
            under_way: 0,
            can_read: true,
            can_write: true,
        }
    }

    fn has_work(&self, direction: Direction) -> bool {
        self.may_send(direction) || self.can_read && direction != Direction::Upload
    }

    fn may_send(&self, direction: Direction) -> bool {
        let in_turn = direction == Direction::PipeInTurn;
        let waits = in_turn && self.sent == 0 && self.under_way > 0;
        self.can_write && direction != Direction::Download && !waits
    }

    fn send(&mut self, chunk: &Chunk, direction: Direction) -> io::Result<u64> {
        let size = chunk.bytes.len();
        let mut total = 0;
        for _ in 0..TURN {
            if !self.may_send(direction) {
                break;
            }
            match chunk.send(&mut self.stream, self.sent) {
                Ok(count) => {
                    total += count as u64;
                    self.sent = (self.sent + count) % size;
                    self.under_way += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.can_write = false,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    fn receive(&mut self, buffer: &mut [u8], direction: Direction) -> io::Result<u64> {
        let flags = match direction.copies() {
            true => RecvFlags::empty(),
            false => RecvFlags::TRUNC,
        };
        let mut total = 0;
        for _ in 0..TURN {
            if !self.can_read {
                break;
            }
            let received = recv(&self.stream, &mut *buffer, flags);
            match received.map(|(_, count)| count).map_err(io::Error::from) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    total += count as u64;
                    self.under_way = self.under_way.saturating_sub(count as u64);
                    self.can_read = count == buffer.len();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.can_read = false,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }
}
