//! The two duties of every server here: say where it listens, and go when its parent goes.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// The payload byte of everything that a `source` sends.
pub const FILL: u8 = b'x';

/// Connections a server lets wait: more than any workload opens between two looks at the server.
pub const BACKLOG: u16 = 4096;

/// Tells the orchestrator that the server is ready, and for which port.
pub fn announce(port: u16) {
    println!("LISTENING {port}");
    // A failure means that the parent is gone, which the watch on `parent` reports as well.
    let _ = io::stdout().flush();
}

/// The standard input, which is a socket that closes when the parent is done with the server or is
/// gone. To be watched by the server's own loop: a thread for it would make every system call a
/// little slower, since the kernel counts references to descriptors once a process has two.
pub fn parent() -> io::Result<UnixStream> {
    let parent = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    parent.set_nonblocking(true)?;
    Ok(parent)
}

/// How long timer `index` would run: spread over a minute, in no order, and never due while the
/// measurement lasts.
pub fn timer_delay_ms(index: u64) -> u64 {
    60_000 + index * 7919 % 60_000
}
