//! The two duties of every server here: say where it listens, and go when its parent goes.

use std::io::{self, Read, Write};

/// The payload byte of everything that a `source` sends.
pub const FILL: u8 = b'x';

/// Connections a server lets wait: more than any workload opens between two looks at the server.
pub const BACKLOG: u16 = 4096;

/// Tells the orchestrator that the server is ready, and for which port.
pub fn announce(port: u16) {
    println!("LISTENING {port}");
    // A failure means that the parent is gone, which the watch on stdin reports as well.
    let _ = io::stdout().flush();
}

/// Ends the process once stdin closes, so that a server never outlives the comparison.
pub fn exit_when_stdin_closes() {
    std::thread::spawn(|| {
        let mut sink = [0; 64];
        while matches!(io::stdin().read(&mut sink), Ok(1..)) {}
        std::process::exit(0);
    });
}

/// How long timer `index` would run: spread over a minute, in no order, and never due while the
/// measurement lasts.
pub fn timer_delay_ms(index: u64) -> u64 {
    60_000 + index * 7919 % 60_000
}
