//! Question and answer: each connection sends a message and waits for all of it to come back.
//!
//! Ping-pong is a message of 64 bytes. Pipelining is a message of 16 frames: like
//! `redis-benchmark -P 16`, the client asks again when all 16 answers are there, which leaves it
//! two system calls per 16 frames and so never makes it the bottleneck before the server.

use std::io::{self, Read, Write};
use std::net;
use std::ops::Range;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Events, Poll};

use super::connect::{connect_blocking, register};
use super::{Limit, Options, Outcome, PATIENCE, Progress, conduct, silence};

/// Frames that a pipelining connection has under way.
pub const OUTSTANDING: usize = 16;

/// Ping-pong with messages of `--size` bytes.
pub fn ping_pong(options: &Options) -> io::Result<()> {
    let streams = connect_blocking(options, options.connections)?;
    exchange(options, streams, 1, |seed| {
        Dialogue::echo((0..options.size).map(|i| (seed + i) as u8).collect())
    })
}

/// Frames of `--size` bytes behind a big-endian u32 of their length, 16 at a time.
pub fn frames(options: &Options) -> io::Result<()> {
    let streams = connect_blocking(options, options.connections)?;
    exchange(options, streams, OUTSTANDING as u64, |seed| {
        let mut message = Vec::new();
        for frame in 0..OUTSTANDING {
            message.extend((options.size as u32).to_be_bytes());
            message.extend((0..options.size).map(|i| (seed + frame + i) as u8));
        }
        Dialogue::echo(message)
    })
}

/// What a connection says, and what it has to hear.
#[derive(Clone)]
pub(super) struct Dialogue {
    pub question: Vec<u8>,
    pub answer: Vec<u8>,
    /// Where the answer is known byte by byte. A date is not.
    pub known: Vec<Range<usize>>,
}

impl Dialogue {
    /// The answer is this, all of it.
    pub(super) fn new(question: Vec<u8>, answer: Vec<u8>) -> Self {
        let known = vec![Range {
            start: 0,
            end: answer.len(),
        }];
        Self {
            question,
            answer,
            known,
        }
    }

    fn echo(question: Vec<u8>) -> Self {
        Self::new(question.clone(), question)
    }

    /// Whether these bytes can be what comes `at` so many bytes of the answer.
    fn agrees(&self, at: usize, bytes: &[u8]) -> bool {
        let end = at + bytes.len();
        end <= self.answer.len()
            && self.known.iter().all(|known| {
                let common = known.start.max(at)..known.end.min(end);
                common.is_empty()
                    || self.answer[common.clone()] == bytes[common.start - at..common.end - at]
            })
    }
}

struct Connection {
    stream: TcpStream,
    dialogue: Dialogue,
    /// Bytes of the answer that have come.
    answered: usize,
    asked_at: Instant,
}

/// Lets each of these connections ask, again and again. Each has a dialogue of its own, by its index.
pub(super) fn exchange(
    options: &Options,
    streams: Vec<net::TcpStream>,
    operations_per_message: u64,
    dialogue: impl Fn(usize) -> Dialogue,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut connections: Vec<Connection> = register(streams, &poll)?
        .into_iter()
        .enumerate()
        .map(|(index, stream)| Connection {
            stream,
            dialogue: dialogue(index),
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
        match self.stream.write(&self.dialogue.question)? {
            sent if sent == self.dialogue.question.len() => Ok(()),
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
        if !self.dialogue.agrees(self.answered, &buffer[..count]) {
            return Err(io::Error::other("that is not the answer to the question"));
        }
        self.answered += count;
        Ok(self.answered == self.dialogue.answer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_to_agree_where_it_is_known_however_it_comes() {
        let dialogue = Dialogue {
            known: vec![0..2, 4..6],
            ..Dialogue::new(Vec::new(), b"ab??cd".to_vec())
        };
        for cut in 0..=6 {
            let (first, second) = b"abXYcd".split_at(cut);
            assert!(dialogue.agrees(0, first) && dialogue.agrees(cut, second));
        }
        assert!(!dialogue.agrees(0, b"aX"));
        assert!(!dialogue.agrees(3, b"YcX"));
        assert!(!dialogue.agrees(4, b"cde"), "more than the answer");
    }
}
