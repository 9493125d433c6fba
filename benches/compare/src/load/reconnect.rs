//! Connect, one byte each way, close: as often as it goes.
//!
//! Who closes first keeps the pair of addresses busy for a minute (TIME_WAIT). Here that is the
//! client, so it takes its source from all of 127.0.0.1 to 127.0.0.254 in turn: about seven
//! million pairs, where a single address would run dry after 28 thousand connections.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use super::connect::server_address;
use super::{Limit, Options, Outcome, PATIENCE, Progress, conduct, silence};

/// What each connection sends and wants back.
const BYTE: u8 = b'1';

/// Opens and closes connections, `--connections` of them at a time.
pub fn run(options: &Options) -> io::Result<()> {
    let mut dialer = Dialer {
        server: server_address(options)?,
        next_host: 0,
    };
    conduct(options, |limit| {
        reconnect(&mut dialer, options.connections, limit)
    })
}

struct Connection {
    stream: TcpStream,
    asked: bool,
    begun_at: Instant,
}

fn reconnect(dialer: &mut Dialer, width: usize, limit: Limit) -> io::Result<Outcome> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut outcome = Outcome {
        latencies: Vec::with_capacity(1 << 18),
        ..Outcome::default()
    };
    let mut progress = Progress::new(limit);
    let mut begun = 0;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    for slot in 0..width {
        let may_begin = progress.may_begin(begun, Instant::now());
        begun += u64::from(may_begin);
        connections.push(may_begin.then(|| dialer.dial(&poll, slot)).transpose()?);
    }
    while progress.operations < begun {
        poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            return Err(silence());
        }
        for event in &events {
            let slot = event.token().0;
            let Some(connection) = &mut connections[slot] else {
                continue;
            };
            connection.ask()?;
            if !connection.read_answer()? {
                continue;
            }
            let now = Instant::now();
            outcome
                .latencies
                .push((now - connection.begun_at).as_nanos() as u32);
            progress.operations += 1;
            connections[slot] = None;
            if progress.may_begin(begun, now) {
                connections[slot] = Some(dialer.dial(&poll, slot)?);
                begun += 1;
            }
        }
    }
    outcome.operations = progress.operations;
    Ok(outcome)
}

impl Connection {
    /// Sends the byte, as soon as the connection stands.
    fn ask(&mut self) -> io::Result<()> {
        if !self.asked {
            match self.stream.write(&[BYTE]) {
                Ok(_) => self.asked = true,
                Err(error) if not_yet(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads the answer, and says whether it has come.
    fn read_answer(&mut self) -> io::Result<bool> {
        let mut answer = [0; 2];
        match self.stream.read(&mut answer) {
            Ok(1) if answer[0] == BYTE => Ok(true),
            Ok(_) => Err(io::Error::other("one byte was not answered by that byte")),
            Err(error) if not_yet(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn not_yet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
    )
}

struct Dialer {
    server: SocketAddrV4,
    next_host: u8,
}

impl Dialer {
    fn dial(&mut self, poll: &Poll, slot: usize) -> io::Result<Connection> {
        let begun_at = Instant::now();
        self.next_host = self.next_host % 254 + 1;
        let source = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, self.next_host), 0);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::V4(source).into())?;
        if let Err(error) = socket.connect(&SocketAddr::V4(self.server).into())
            && error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error())
        {
            return Err(error);
        }
        let mut connection = Connection {
            stream: TcpStream::from_std(socket.into()),
            asked: false,
            begun_at,
        };
        // On loopback the handshake is mostly over by now, and no event need announce it.
        connection.ask()?;
        let interest = match connection.asked {
            true => Interest::READABLE,
            false => Interest::READABLE | Interest::WRITABLE,
        };
        poll.registry()
            .register(&mut connection.stream, Token(slot), interest)?;
        Ok(connection)
    }
}
