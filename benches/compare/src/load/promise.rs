//! Heads that promise a gigabyte, with a kilobyte behind them.

use std::io::{self, Read, Write};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::connect::connect_blocking;
use super::{Options, deliver, ready_and_wait_for_go};

const PROMISED: u32 = 1 << 30;
const SENT: usize = 1024;

/// How long a server may take to refuse.
const WAIT: Duration = Duration::from_millis(500);

/// Promises on each of `--connections`, and tells how many the server has ended for it.
pub fn run(options: &Options) -> io::Result<()> {
    let mut streams = connect_blocking(options, options.connections)?;
    ready_and_wait_for_go()?;
    for stream in &mut streams {
        stream.write_all(&PROMISED.to_be_bytes())?;
        // A server that has ended the connection by now answers this with a reset.
        let _ = stream.write_all(&[b'p'; SENT]);
    }
    thread::sleep(WAIT);
    let mut ended = 0;
    for stream in &mut streams {
        stream.set_nonblocking(true)?;
        match stream.read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => ended += 1,
        }
    }
    deliver(&json!({ "ended": ended }))
}
