//! One connection sends a message, and every connection receives it: again and again.

use std::io::{self, Read, Write};
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Events, Poll};

use super::connect::connect_registered;
use super::{Limit, Options, Outcome, PATIENCE, Progress, conduct, silence};

/// Broadcasts messages of `--size` bytes to `--connections` sockets, one at a time.
pub fn run(options: &Options) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let streams = connect_registered(options, &poll)?;
    let mut audience = Audience {
        members: streams
            .into_iter()
            .map(|stream| Member {
                stream,
                received: 0,
            })
            .collect(),
        message: (0..options.size).map(|i| i as u8).collect(),
    };
    conduct(options, |limit| audience.broadcast(&mut poll, limit))
}

struct Member {
    stream: TcpStream,
    received: usize,
}

struct Audience {
    members: Vec<Member>,
    message: Vec<u8>,
}

impl Audience {
    fn broadcast(&mut self, poll: &mut Poll, limit: Limit) -> io::Result<Outcome> {
        let mut outcome = Outcome {
            latencies: Vec::with_capacity(1 << 16),
            ..Outcome::default()
        };
        let mut events = Events::with_capacity(1024);
        let progress = Progress::new(limit);
        while progress.may_begin(outcome.operations, Instant::now()) {
            let start = Instant::now();
            let Some(speaker) = self.members.last_mut() else {
                break;
            };
            speaker.stream.write_all(&self.message)?;
            let mut missing = self.members.len();
            while missing > 0 {
                poll.poll(&mut events, Some(PATIENCE))?;
                if events.is_empty() {
                    return Err(silence());
                }
                for event in events.iter().filter(|event| event.is_readable()) {
                    missing -= usize::from(self.receive(event.token().0)?);
                }
            }
            outcome.latencies.push(start.elapsed().as_nanos() as u32);
            outcome.operations += 1;
        }
        outcome.bytes = outcome.operations * (self.message.len() * self.members.len()) as u64;
        Ok(outcome)
    }

    /// Reads for one member, and says whether that completed its message.
    fn receive(&mut self, index: usize) -> io::Result<bool> {
        let member = &mut self.members[index];
        let mut buffer = [0; 1024];
        let count = match member.stream.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        let expected = self.message.get(member.received..member.received + count);
        if expected != Some(&buffer[..count]) {
            return Err(io::Error::other("a member received something else"));
        }
        member.received = (member.received + count) % self.message.len();
        Ok(member.received == 0)
    }
}
