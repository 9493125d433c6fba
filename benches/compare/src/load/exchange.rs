//! Question and answer: each connection sends a message and waits for all of it to come back.
//!
//! Ping-pong is a message of 64 bytes. Pipelining is a message of 16 frames: like
//! `redis-benchmark -P 16`, the client asks again when all 16 answers are there, which leaves it
//! two system calls per 16 frames and so never makes it the bottleneck before the server.

use std::io::{self, Read, Write};
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Events, Poll};

use super::connect::connect_registered;
use super::{Limit, Options, Outcome, PATIENCE, Progress, conduct, silence};

/// Frames that a pipelining connection has under way.
pub const OUTSTANDING: usize = 16;

/// Ping-pong with messages of `--size` bytes.
pub fn ping_pong(options: &Options) -> io::Result<()> {
    exchange(options, 1, |seed| {
        (0..options.size).map(|i| (seed + i) as u8).collect()
    })
}

/// Frames of `--size` bytes behind a big-endian u32 of their length, 16 at a time.
pub fn frames(options: &Options) -> io::Result<()> {
    exchange(options, OUTSTANDING as u64, |seed| {
        let mut message = Vec::new();
        for frame in 0..OUTSTANDING {
            message.extend((options.size as u32).to_be_bytes());
            message.extend((0..options.size).map(|i| (seed + frame + i) as u8));
        }
        message
    })
}

struct Connection {
    stream: TcpStream,
    message: Vec<u8>,
    /// Bytes of the answer that have come.
    answered: usize,
    asked_at: Instant,
}

fn exchange(
    options: &Options,
    operations_per_message: u64,
    message: impl Fn(usize) -> Vec<u8>,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut connections: Vec<Connection> = connect_registered(options, &poll)?
        .into_iter()
        .enumerate()
        .map(|(index, stream)| Connection {
            stream,
            message: message(index),
            answered: 0,
            asked_at: Instant::now(),
        })
        .collect();
    conduct(options, |limit| {
        let mut outcome = run(
            &mut poll,
            &mut connections,
            limit.divided(operations_per_message),
        )?;
        outcome.operations *= operations_per_message;
        Ok(outcome)
    })
}

fn run(poll: &mut Poll, connections: &mut [Connection], limit: Limit) -> io::Result<Outcome> {
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    let mut outcome = Outcome {
        latencies: Vec::with_capacity(1 << 20),
        ..Outcome::default()
    };
    let mut progress = Progress::new(limit);
    let mut begun = 0;
    for connection in connections.iter_mut() {
        let now = Instant::now();
        if progress.may_begin(begun, now) {
            connection.ask(now)?;
            begun += 1;
        }
    }
    while progress.operations < begun {
        poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            return Err(silence());
        }
        for event in events.iter().filter(|event| event.is_readable()) {
            let connection = &mut connections[event.token().0];
            if !connection.read_answer(&mut buffer)? {
                continue;
            }
            let now = Instant::now();
            outcome
                .latencies
                .push((now - connection.asked_at).as_nanos() as u32);
            progress.operations += 1;
            if progress.may_begin(begun, now) {
                connection.ask(now)?;
                begun += 1;
            }
        }
    }
    outcome.operations = progress.operations;
    Ok(outcome)
}

impl Connection {
    fn ask(&mut self, now: Instant) -> io::Result<()> {
        self.answered = 0;
        self.asked_at = now;
        // A message is far below a send buffer's size, so it goes out whole.
        match self.stream.write(&self.message)? {
            sent if sent == self.message.len() => Ok(()),
            _ => Err(io::Error::other(
                "a message did not fit into the send buffer",
            )),
        }
    }

    /// Reads what is there, checks it, and says whether the answer is complete.
    fn read_answer(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        // The buffer exceeds any answer, so one read empties the socket.
        let count = match self.stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        let expected = self.message.get(self.answered..self.answered + count);
        if expected != Some(&buffer[..count]) {
            return Err(io::Error::other("the answer is not the question"));
        }
        self.answered += count;
        Ok(self.answered == self.message.len())
    }
}
