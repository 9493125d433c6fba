//! WebSocket messages (RFC 6455), binary and masked as a client's are, one at a time or several in one write.

use std::io::{self, Write};
use std::net::TcpStream;

use super::Options;
use super::connect::connect_blocking;
use super::exchange::{Dialogue, exchange};
use super::http::read_head;

/// The key of the standard's example (section 1.3), and what a server must make of it.
const UPGRADE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ACCEPTED: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const LAST_AND_BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;
const LONGEST: usize = 125;

/// Sends messages of `--size` bytes over `--connections`, with so many `messages` under way on each.
pub fn run(options: &Options, messages: usize) -> io::Result<()> {
    if options.size > LONGEST {
        return Err(io::Error::other("a message has a head of two bytes here"));
    }
    let mut streams = connect_blocking(options, options.connections)?;
    streams.iter_mut().try_for_each(upgrade)?;
    exchange(options, streams, messages as u64, |seed| {
        let (mut questions, mut answers) = (Vec::new(), Vec::new());
        for message in 0..messages {
            let payload = (0..options.size).map(|i| (seed + message + i) as u8);
            let mask = [0x37, 0xfa, seed as u8, message as u8];
            questions.extend([LAST_AND_BINARY, MASKED | options.size as u8]);
            questions.extend(mask);
            questions.extend(
                payload
                    .clone()
                    .zip(mask.into_iter().cycle())
                    .map(|(byte, key)| byte ^ key),
            );
            answers.extend([LAST_AND_BINARY, options.size as u8]);
            answers.extend(payload);
        }
        Dialogue::new(questions, answers)
    })
}

fn upgrade(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(UPGRADE)?;
    let head = String::from_utf8_lossy(&read_head(stream)?).into_owned();
    match head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPTED) {
        true => Ok(()),
        false => Err(io::Error::other(format!("the server answers {head:?}"))),
    }
}
