//! The handles: the key of a socket or a server, and nothing else.

use crate::StaysOnItsThread;
use crate::reactor::Key;

/// One end of a connection. Node's `net.Socket`.
///
/// A `Socket` is a handle, as small as a number: copies name the same socket, so a listener captures
/// one by copying it. After [`event::Close`](crate::event::Close) all of them are stale. A stale handle counts as destroyed
/// and never reaches the next socket: its commands do nothing, and its queries return
/// `destroyed`, `pending`, [`ReadyState::Closed`](crate::net::ReadyState::Closed), and otherwise 0, false or
/// `None`. The listeners of `Close` are the last that can ask it.
///
/// ```
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.on(event::Data, move |chunk| {
///         socket.write(chunk);
///     });
/// });
/// server.listen(0).on(event::Listening, move |()| {
///     let client = net::connect(server.address().unwrap().port());
///     client.write("hello");
///     client.on(event::Data, move |chunk| {
///         assert_eq!(chunk, b"hello");
///         client.end();
///         server.close();
///     });
/// });
/// soquete::run()
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Socket {
    key: Key,
    _not_send: StaysOnItsThread,
}

impl Socket {
    pub(crate) fn from_key(key: Key) -> Socket {
        Socket {
            key,
            _not_send: StaysOnItsThread::HERE,
        }
    }

    pub(in crate::net) fn key(self) -> Key {
        self.key
    }
}

/// Takes connections. Node's `net.Server`.
///
/// A `Server` is a handle: copies name the same server. Once it has closed, all of them are stale,
/// and their methods do nothing.
///
/// ```
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.end_with("goodbye");
/// });
/// server.listen(0);
/// server.on(event::Listening, move |()| {
///     let port = server.address().unwrap().port();
///     let client = net::connect(port);
///     client.on(event::Data, |chunk| assert_eq!(chunk, b"goodbye"));
///     client.on(event::Close, move |_| {
///         server.close();
///     });
/// });
/// soquete::run()
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Server {
    key: Key,
    _not_send: StaysOnItsThread,
}

impl Server {
    pub(crate) fn from_key(key: Key) -> Server {
        Server {
            key,
            _not_send: StaysOnItsThread::HERE,
        }
    }

    pub(in crate::net) fn key(self) -> Key {
        self.key
    }
}
