//! More connections than the server has descriptors for, and how soon it serves again when they have gone.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::{Domain, Socket, Type};

use super::connect::server_address;
use super::{Options, PATIENCE, deliver, ready_and_wait_for_go, silence};

/// How long the storm lasts once all have set out.
const STORM: Duration = Duration::from_millis(300);

/// How long one attempt waits for its answer before another is made.
const ATTEMPT: Duration = Duration::from_millis(100);

/// Opens `--connections` at once, closes them, and tells how long it took until a byte came back.
pub fn run(options: &Options) -> io::Result<()> {
    ready_and_wait_for_go()?;
    let address = server_address(options)?.into();
    let storm = (0..options.connections).map(|_| set_out(address));
    let storm: Vec<_> = storm.collect::<io::Result<_>>()?;
    thread::sleep(STORM);
    drop(storm);
    let over = Instant::now();
    while !serves(options).unwrap_or(false) {
        if over.elapsed() > PATIENCE {
            return Err(silence());
        }
    }
    deliver(&json!({ "resumed_ms": over.elapsed().as_secs_f64() * 1e3 }))
}

/// A connection that nobody waits for: a server that takes no more of them may leave it unanswered, or reset it.
fn set_out(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let _under_way = socket.connect(&address.into());
    Ok(socket)
}

fn serves(options: &Options) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&server_address(options)?.into(), ATTEMPT)?;
    stream.set_read_timeout(Some(ATTEMPT))?;
    stream.write_all(b"1")?;
    Ok(stream.read(&mut [0])? == 1)
}
