//! An open loop: requests at a fixed rate, sent when they are due and not when the last one was answered.
//!
//! A closed loop asks less while the server is slow, and so leaves out the very requests that would have
//! waited (coordinated omission). Here the latency of each counts from the moment at which it was due,
//! which is what somebody who came then would have felt. The loop spins on its core, since a wait in the
//! poll ends up to a millisecond late.
//!
//! With `--floods`, so many further connections send 64 KiB chunks and take back what comes, without a
//! pause, on the same thread: one system call each way between two looks at the others.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Poll};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use rustix::net::{RecvFlags, recv};

use super::bulk::Chunk;
use super::connect::connect_registered;
use super::{Limit, Options, Outcome, PATIENCE, conduct, silence};

const FLOOD_CHUNK: usize = 64 * 1024;

/// The buffers of a flood's socket. On loopback a system call of this side does the sending for the other one as well, as
/// far as the window has opened: with the kernel's own sizes that is megabytes at a time, for which the light ones of
/// this thread wait, whoever serves them.
const FLOOD_WINDOW: usize = 256 * 1024;

struct Connection {
    stream: TcpStream,
    message: Vec<u8>,
    /// When the requests were due that have no answer yet.
    due: VecDeque<Instant>,
    /// Bytes of the next answer that have come.
    answered: usize,
}

struct Flood {
    stream: TcpStream,
    sent: usize,
    can_read: bool,
    can_write: bool,
}

struct Load {
    poll: Poll,
    connections: Vec<Connection>,
    floods: Vec<Flood>,
    chunk: Chunk,
    gap: Duration,
}

/// Asks `--rate` times a second over `--connections`, in turn.
pub fn run(options: &Options) -> io::Result<()> {
    let poll = Poll::new()?;
    let everyone = Options {
        connections: options.connections + options.floods,
        ..options.clone()
    };
    let mut streams = connect_registered(&everyone, &poll)?;
    let floods = streams.split_off(options.connections);
    let mut load = Load {
        poll,
        connections: streams
            .into_iter()
            .enumerate()
            .map(|(seed, stream)| Connection {
                stream,
                message: (0..options.size).map(|i| (seed + i) as u8).collect(),
                due: VecDeque::new(),
                answered: 0,
            })
            .collect(),
        floods: floods
            .into_iter()
            .map(Flood::new)
            .collect::<io::Result<_>>()?,
        chunk: Chunk::new(FLOOD_CHUNK)?,
        gap: Duration::from_secs(1) / u32::try_from(options.rate.max(1)).unwrap_or(u32::MAX),
    };
    conduct(options, |limit| load.run(limit))
}

impl Load {
    fn run(&mut self, limit: Limit) -> io::Result<Outcome> {
        let most = match limit {
            Limit::Operations(most) => most,
            Limit::Time(time) => (time.as_nanos() / self.gap.as_nanos().max(1)) as u64,
        };
        let mut outcome = Outcome {
            latencies: Vec::with_capacity(usize::try_from(most).unwrap_or(0)),
            ..Outcome::default()
        };
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 64 * 1024];
        let count = self.connections.len();
        let mut due = Instant::now();
        let mut asked = 0;
        while outcome.operations < most {
            let now = Instant::now();
            while asked < most && due <= now {
                self.connections[asked as usize % count].ask(due)?;
                asked += 1;
                due += self.gap;
            }
            if now.saturating_duration_since(due) > PATIENCE {
                return Err(silence());
            }
            for flood in &mut self.floods {
                flood.send(&self.chunk)?;
                outcome.bytes += flood.receive(&mut buffer)?;
            }
            self.poll.poll(&mut events, Some(Duration::ZERO))?;
            for event in &events {
                let index = event.token().0;
                match self.connections.get_mut(index) {
                    Some(connection) if event.is_readable() => {
                        connection.read_answers(&mut buffer, &mut outcome)?;
                    }
                    Some(_) => {}
                    None => {
                        let flood = &mut self.floods[index - count];
                        flood.can_read |= event.is_readable();
                        flood.can_write |= event.is_writable();
                    }
                }
            }
        }
        Ok(outcome)
    }
}

impl Connection {
    fn ask(&mut self, due: Instant) -> io::Result<()> {
        self.due.push_back(due);
        match self.stream.write(&self.message)? {
            sent if sent == self.message.len() => Ok(()),
            _ => Err(io::Error::other(
                "the server does not keep up with this rate",
            )),
        }
    }

    fn read_answers(&mut self, buffer: &mut [u8], outcome: &mut Outcome) -> io::Result<()> {
        let count = match self.stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        for &byte in &buffer[..count] {
            if byte != self.message[self.answered] {
                return Err(io::Error::other("the answer is not the question"));
            }
            self.answered += 1;
            if self.answered == self.message.len() {
                self.answered = 0;
                let due = self.due.pop_front();
                let due = due.ok_or_else(|| io::Error::other("an answer without a question"))?;
                outcome.latencies.push((now - due).as_nanos() as u32);
                outcome.operations += 1;
            }
        }
        Ok(())
    }
}

impl Flood {
    fn new(stream: TcpStream) -> io::Result<Self> {
        set_socket_recv_buffer_size(&stream, FLOOD_WINDOW)?;
        set_socket_send_buffer_size(&stream, FLOOD_WINDOW)?;
        Ok(Self {
            stream,
            sent: 0,
            can_read: true,
            can_write: true,
        })
    }

    fn send(&mut self, chunk: &Chunk) -> io::Result<()> {
        if !self.can_write {
            return Ok(());
        }
        match chunk.send(&mut self.stream, self.sent) {
            Ok(count) => self.sent = (self.sent + count) % FLOOD_CHUNK,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.can_write = false,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Drops what has come, and says how much it was.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<u64> {
        if !self.can_read {
            return Ok(0);
        }
        match recv(&self.stream, &mut *buffer, RecvFlags::TRUNC).map(|(_, count)| count) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(count as u64),
            Err(error) if error == rustix::io::Errno::AGAIN => {
                self.can_read = false;
                Ok(0)
            }
            Err(error) => Err(error.into()),
        }
    }
}
