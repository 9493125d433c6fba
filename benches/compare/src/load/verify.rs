//! Checks that a bulk server does what it is timed for, on connections of their own that block.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use super::connect::connect_one;
use super::{Options, PATIENCE};
use crate::peer::FILL;

/// Bytes that pass in a check: more than the socket buffers hold, and no multiple of a chunk.
const AMOUNT: usize = 9_000_001;

/// A sink answers the end of the stream with the count of the bytes before it.
pub(super) fn sink(options: &Options) -> io::Result<()> {
    let mut stream = connect(options)?;
    stream.write_all(&vec![FILL; AMOUNT])?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    match <[u8; 8]>::try_from(answer.as_slice()).map(u64::from_le_bytes) {
        Ok(count) if count == AMOUNT as u64 => Ok(()),
        _ => Err(io::Error::other(format!("the sink answered {answer:?}"))),
    }
}

/// A source sends the fill byte for as long as it is read, and survives being left.
pub(super) fn source(options: &Options) -> io::Result<()> {
    let mut received = vec![0; AMOUNT];
    connect(options)?.read_exact(&mut received)?;
    match received.iter().all(|&byte| byte == FILL) {
        true => Ok(()),
        false => Err(io::Error::other(
            "the source sent something else than its fill byte",
        )),
    }
}

/// A pipe gives back the very bytes, and ends when its client ends.
pub(super) fn pipe(options: &Options) -> io::Result<()> {
    let mut stream = connect(options)?;
    let pattern: Vec<u8> = (0..AMOUNT as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut received = Vec::new();
    thread::scope(|scope| {
        let mut sender = stream.try_clone()?;
        let sending = scope.spawn({
            let pattern = &pattern;
            move || {
                sender.write_all(pattern)?;
                sender.shutdown(Shutdown::Write)
            }
        });
        stream.read_to_end(&mut received)?;
        sending
            .join()
            .map_err(|_| io::Error::other("the sending thread panicked"))?
    })?;
    match received == pattern {
        true => Ok(()),
        false => Err(io::Error::other("the pipe gave back other bytes")),
    }
}

fn connect(options: &Options) -> io::Result<TcpStream> {
    let stream = connect_one(options)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
