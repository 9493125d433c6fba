//! Holds many connections open: idle at first, then with one echo on each behind them.

use std::io::{self, Read, Write};

use serde_json::json;

use super::connect::connect_blocking;
use super::{Options, deliver, ready_and_wait_for_go};

/// Opens `--connections`, and on the word sends `--size` bytes over each and reads them back.
pub fn run(options: &Options) -> io::Result<()> {
    let mut streams = connect_blocking(options, options.connections)?;
    ready_and_wait_for_go()?;
    let message = vec![b'm'; options.size];
    let mut answer = vec![0; options.size];
    for stream in &mut streams {
        stream.write_all(&message)?;
        stream.read_exact(&mut answer)?;
        if answer != message {
            return Err(io::Error::other("the answer is not the question"));
        }
    }
    deliver(&json!({ "operations": streams.len() }))
}
