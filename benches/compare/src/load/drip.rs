//! Frames that come a byte at a time: each byte is a segment of its own, and the server reads it alone.
//!
//! All connections take turns, so that the server has long read one's last byte when its next comes.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::connect::connect_blocking;
use super::{Options, Outcome, Progress, conduct};

/// Sends frames of `--size` bytes over `--connections`; an operation is a byte.
pub fn run(options: &Options) -> io::Result<()> {
    let mut streams = connect_blocking(options, options.connections)?;
    let mut frame = (options.size as u32).to_be_bytes().to_vec();
    frame.resize(4 + options.size, b'd');
    let mut answer = vec![0; frame.len()];
    conduct(options, |limit| {
        let mut progress = Progress::new(limit);
        while progress.may_begin(progress.operations, std::time::Instant::now()) {
            drip(&mut streams, &frame, &mut answer)?;
            progress.operations += (frame.len() * streams.len()) as u64;
        }
        Ok(Outcome {
            operations: progress.operations,
            ..Outcome::default()
        })
    })
}

fn drip(streams: &mut [TcpStream], frame: &[u8], answer: &mut [u8]) -> io::Result<()> {
    for byte in frame.chunks(1) {
        for stream in streams.iter_mut() {
            stream.write_all(byte)?;
        }
    }
    for stream in streams {
        stream.read_exact(answer)?;
        if answer != frame {
            return Err(io::Error::other("the answer is not the question"));
        }
    }
    Ok(())
}
