//! Ends of connections that a test controls to the byte.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;

use crate::kernel::sim::peer::Outside;

/// The end of a connection that is not of this crate: it sends exactly these bytes, reads when it is asked to,
/// leaves data unread, resets. It stands for a peer that is hostile, or of another make.
///
/// Its address is a machine of its own, which can be cut off as any other. Its calls do not fail by chance. Nothing
/// waits for a peer: ask it, and act, at a time ([`World::at`](super::World::at), [`after`](super::after), a
/// timer). Dropping it closes it: with a reset if there is something unread, as a kernel does.
///
/// ```
/// use soquete::sim::{self, Peer, World};
/// use soquete::{event, net};
/// use std::time::Duration;
///
/// let report = World::seed(1).run(|| {
///     let server = net::create_server(move |socket| {
///         socket.on(event::Data, move |chunk| { socket.end_with(chunk); });
///         socket.on(event::Error, |_| {});
///     });
///     server.listen(("10.0.0.1", 80));
///     sim::after(Duration::from_secs(1), move || {
///         let peer = Peer::connect("10.0.0.66:5000", "10.0.0.1:80");
///         peer.write(b"half a requ");
///         sim::after(Duration::from_secs(1), move || {
///             assert_eq!(peer.read(), b"half a requ");
///             assert!(peer.has_ended());
///             drop(peer);
///             server.close();
///         });
///     });
/// });
/// report.check();
/// ```
#[derive(Debug)]
pub struct Peer {
    end: Outside,
    ended: Cell<bool>,
    error: Cell<Option<io::ErrorKind>>,
}

impl Peer {
    /// Connects from one address to another, both written `ip:port`; port 0 of its own is any.
    ///
    /// ```
    /// use soquete::sim::{Peer, PeerListener, World};
    ///
    /// World::seed(1).run(|| {
    ///     let listener = PeerListener::listen("10.0.0.1:80", 5);
    ///     let peer = Peer::connect("10.0.0.66:0", "10.0.0.1:80");
    ///     peer.write(b"hello");
    ///     # drop(listener);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of a world; if one of them is no address, or the first is that of a host with a program.
    #[track_caller]
    pub fn connect(from: &str, to: &str) -> Peer {
        match Outside::connect(address(from), address(to)) {
            Some(end) => Peer::new(end),
            None => panic!("no peer at {from}: it needs a world, and an address of its own there"),
        }
    }

    fn new(end: Outside) -> Peer {
        Peer {
            end,
            ended: Cell::new(false),
            error: Cell::new(None),
        }
    }

    /// Whether the connection is up.
    pub fn is_connected(&self) -> bool {
        self.end.is_connected()
    }

    /// Its own address.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.end.local_address()
    }

    /// The other end's address, while it is connected.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.end.peer_address()
    }

    /// Sends as much of this as its send buffer has room for, and says how much that was.
    pub fn write(&self, bytes: &[u8]) -> usize {
        self.end
            .write(bytes)
            .unwrap_or_else(|error| self.failed(&error))
    }

    /// Everything that has arrived and was not read.
    pub fn read(&self) -> Vec<u8> {
        self.read_some(usize::MAX)
    }

    /// So many bytes at most, of what has arrived; the rest stays where it is.
    pub fn read_some(&self, most: usize) -> Vec<u8> {
        let mut some = Vec::new();
        let mut buffer = [0; 16 * 1024];
        while some.len() < most {
            let room = buffer.len().min(most - some.len());
            match self.read_at_most(&mut buffer[..room]) {
                0 => break,
                count => some.extend_from_slice(&buffer[..count]),
            }
        }
        some
    }

    fn read_at_most(&self, buffer: &mut [u8]) -> usize {
        if buffer.is_empty() || self.ended.get() {
            return 0;
        }
        match self.end.read(buffer) {
            Ok(count) => {
                self.ended.set(count == 0);
                count
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &io::Error) -> usize {
        if error.kind() != io::ErrorKind::WouldBlock && self.error.get().is_none() {
            self.error.set(Some(error.kind()));
        }
        0
    }

    /// Whether a read has found the other end's end.
    pub fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// The first error of a read or a write.
    pub fn error(&self) -> Option<io::ErrorKind> {
        self.error.get()
    }

    /// Sends no more: the end follows the bytes that were written.
    pub fn end(&self) {
        if let Err(error) = self.end.shutdown() {
            self.failed(&error);
        }
    }

    /// Resets the connection.
    pub fn reset(self) {
        self.end.reset();
    }
}

/// Listens for connections as a [`Peer`].
#[derive(Debug)]
pub struct PeerListener(Outside);

impl PeerListener {
    /// Listens at an address, written `ip:port`, with room for so many connections that were not accepted.
    ///
    /// ```
    /// use soquete::sim::{self, PeerListener, World};
    /// use soquete::{event, net};
    /// use std::time::Duration;
    ///
    /// let report = World::seed(1).run(|| {
    ///     let listener = PeerListener::listen("10.0.0.66:80", 5);
    ///     let client = net::connect(("10.0.0.66", 80));
    ///     client.on(event::Error, |error| assert_eq!(error.code(), "ECONNRESET"));
    ///     sim::after(Duration::from_secs(1), move || {
    ///         if let Some(peer) = listener.accept() {
    ///             peer.reset();
    ///         }
    ///     });
    /// });
    /// report.check();
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Peer::connect`].
    #[track_caller]
    pub fn listen(at: &str, backlog: u16) -> PeerListener {
        match Outside::listen(address(at), i32::from(backlog)) {
            Some(end) => PeerListener(end),
            None => {
                panic!("no listener at {at}: it needs a world, and an address of its own there")
            }
        }
    }

    /// The next connection, if one has come.
    pub fn accept(&self) -> Option<Peer> {
        self.0.accept().map(Peer::new)
    }
}

#[track_caller]
fn address(text: &str) -> SocketAddr {
    match text.parse() {
        Ok(address) => address,
        Err(_) => panic!("{text:?} is no `ip:port`"),
    }
}
