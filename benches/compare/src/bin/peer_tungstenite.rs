//! A WebSocket that sends every message back, on tungstenite and a bare loop on mio: `peer_tungstenite websocket`.
//!
//! Edge-triggered and registered once. tungstenite reads until there is nothing more; that a short read has emptied the
//! socket, it is told by [`Emptied`], which saves it a system call per message. Answers are gathered, and go out when
//! all that was read is answered.

use std::io::{self, Read, Write};

use mio::net::{TcpListener, TcpStream, UnixStream};
use mio::{Events, Interest, Poll, Token};
use soquete_compare::peer;
use tungstenite::handshake::server::NoCallback;
use tungstenite::handshake::{HandshakeError, MidHandshake, server::ServerHandshake};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, WebSocket, accept_with_config};

const LISTENER: Token = Token(usize::MAX);
const PARENT: Token = Token(usize::MAX - 1);

/// What is free in the buffer is filled with zeros before each read: messages here are small, and so it is, too.
const READ_BUFFER: usize = 4 * 1024;

/// A stream that knows when there is nothing to be read.
struct Emptied {
    stream: TcpStream,
    emptied: bool,
}

enum Connection {
    Greeting(MidHandshake<ServerHandshake<Emptied, NoCallback>>),
    Open(WebSocket<Emptied>),
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
}

fn main() -> io::Result<()> {
    let (socket, address) = peer::listen(&peer::Arguments::read().address)?;
    let mut listener = TcpListener::from_std(socket.into());
    let poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut parent = UnixStream::from_std(peer::parent()?);
    poll.registry()
        .register(&mut parent, PARENT, Interest::READABLE)?;
    peer::announce(address);
    Server {
        poll,
        listener,
        connections: Vec::new(),
        free: Vec::new(),
    }
    .run()
}

impl Server {
    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    PARENT => return Ok(()),
                    Token(index) => self.serve(index),
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut stream, Token(index), interest)?;
            let stream = Emptied {
                stream,
                emptied: false,
            };
            let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
            self.connections[index] = greeted(accept_with_config(stream, Some(config)));
        }
    }

    fn serve(&mut self, index: usize) {
        let next = match self.connections[index].take() {
            Some(Connection::Greeting(mut handshake)) => {
                handshake.get_mut().get_mut().emptied = false;
                greeted(handshake.handshake())
            }
            Some(Connection::Open(mut socket)) => {
                socket.get_mut().emptied = false;
                echo(&mut socket).then_some(Connection::Open(socket))
            }
            None => return,
        };
        // A client that is gone, or talks nonsense, leaves its place to another.
        if next.is_none() {
            self.free.push(index);
        }
        self.connections[index] = next;
    }
}

fn greeted(
    progress: Result<WebSocket<Emptied>, HandshakeError<ServerHandshake<Emptied, NoCallback>>>,
) -> Option<Connection> {
    match progress {
        Ok(socket) => Some(Connection::Open(socket)),
        Err(HandshakeError::Interrupted(handshake)) => Some(Connection::Greeting(handshake)),
        Err(HandshakeError::Failure(_)) => None,
    }
}

/// Answers all that has come; false when the connection is over.
fn echo(socket: &mut WebSocket<Emptied>) -> bool {
    loop {
        let answered = match socket.read() {
            Ok(message) if message.is_close() => return false,
            Ok(message) => socket.write(message),
            Err(error) if is_patient(&error) => break,
            Err(_) => return false,
        };
        if answered.is_err_and(|error| !is_patient(&error)) {
            return false;
        }
    }
    socket
        .flush()
        .map_or_else(|error| is_patient(&error), |()| true)
}

fn is_patient(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl Read for Emptied {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.emptied {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.stream.read(buffer)?;
        // Nothing at all is the end, which is there to be read again.
        self.emptied = (1..buffer.len()).contains(&count);
        Ok(count)
    }
}

impl Write for Emptied {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
