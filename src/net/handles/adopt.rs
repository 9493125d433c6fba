//! Sockets from descriptors that are connected already, and back again: how a connection is handed
//! to another thread's loop.
//!
//! ```text
//!   one thread                                 another
//!   Socket ── into_std ──▶ StdStream (Send) ──▶ from_std ── Socket
//! ```

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use crate::error::{Error, Result, node};
use crate::kernel::foreign::{self, Foreign};
use crate::kernel::{Descriptor, Stream};
use crate::machine::Framed;
use crate::machine::Life;
use crate::net::driver::socket::SocketDriver;
use crate::net::options::socket::SocketOptions;
use crate::net::state::socket::SocketState;
use crate::net::values::handle::Socket;
use crate::reactor::{self, Origin};

/// A connected stream of the standard library, of either kind.
///
/// It can be sent to another thread, which is what it is for.
///
/// ```no_run
/// use soquete::event;
/// use soquete::net::{self, ServerOptions, Socket};
///
/// # fn main() -> soquete::Result<()> {
/// let (sender, started) = std::sync::mpsc::channel();
/// std::thread::spawn(move || {
///     sender.send(soquete::remote()).ok();
///     soquete::run()
/// });
/// let other = started.recv().expect("the other thread has begun")?;
/// let server = net::create_server_with(
///     ServerOptions::new().pause_on_connect(true),
///     move |socket| {
///         socket.on(event::Error, |error| eprintln!("{error}"));
///         let Ok(stream) = socket.into_std() else { return };
///         let posted = other.post(move || {
///             let socket = Socket::from_std(stream).expect("a connected stream");
///             socket.on(event::Error, |error| eprintln!("{error}"));
///             socket.write("from the other thread");
///         });
///         posted.expect("the other loop is there");
///     },
/// );
/// server.listen(3000);
/// soquete::run()
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StdStream {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix domain socket.
    Unix(UnixStream),
    /// Of a simulated world, which is there with the feature `sim`. Loops of its world can adopt it, and nobody
    /// else.
    Simulated(SimulatedStream),
}

/// A connection of a [simulated world](crate#features), on its way from one loop to another.
#[derive(Debug)]
pub struct SimulatedStream(Descriptor);

#[cfg(all(feature = "sim", any(test, fuzzing, feature = "fuzzing")))]
impl StdStream {
    pub(in crate::net) fn of_world(stream: Descriptor) -> StdStream {
        StdStream::Simulated(SimulatedStream(stream))
    }
}

impl From<TcpStream> for StdStream {
    fn from(stream: TcpStream) -> StdStream {
        StdStream::Tcp(stream)
    }
}

impl From<UnixStream> for StdStream {
    fn from(stream: UnixStream) -> StdStream {
        StdStream::Unix(stream)
    }
}

/// # Panics
///
/// For a stream of a simulated world, which has no descriptor of the operating system's.
impl From<StdStream> for OwnedFd {
    fn from(stream: StdStream) -> OwnedFd {
        match stream {
            StdStream::Tcp(stream) => stream.into(),
            StdStream::Unix(stream) => stream.into(),
            StdStream::Simulated(_) => {
                panic!("a connection of a simulated world has no descriptor outside of it")
            }
        }
    }
}

/// Node's `new net.Socket({ fd })`: finds out what kind of stream a descriptor is. One that is none
/// is `ERR_INVALID_FD_TYPE`, and is closed.
impl TryFrom<OwnedFd> for StdStream {
    type Error = Error;

    fn try_from(descriptor: OwnedFd) -> Result<StdStream> {
        match foreign::identify(descriptor) {
            Foreign::Tcp(stream) => Ok(stream.into()),
            Foreign::Unix(stream) => Ok(stream.into()),
            Foreign::Sim(stream) => Ok(StdStream::Simulated(SimulatedStream(stream))),
            Foreign::Other(kind) => Err(node::invalid_fd_type(kind)),
        }
    }
}

/// From a descriptor, and back.
impl Socket {
    /// A socket of a stream that is connected already; it is read from at once.
    ///
    /// # Errors
    ///
    /// The operating system's, if the stream cannot be made non-blocking or cannot be watched
    /// ([`syscall`](Error::syscall) `open`).
    #[track_caller]
    pub fn from_std(stream: impl Into<StdStream>) -> Result<Socket> {
        Socket::from_std_with(stream, SocketOptions::new())
    }

    /// As [`from_std`](Socket::from_std), of a descriptor. Node's `new net.Socket({ fd })`.
    ///
    /// ```
    /// use soquete::{event, net::Socket};
    /// use std::os::{fd::OwnedFd, unix::net::UnixStream};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let (ours, theirs) = UnixStream::pair()?;
    /// Socket::from_fd(OwnedFd::from(ours))?.end_with("over");
    /// Socket::from_std(theirs)?.on(event::Data, |chunk| assert_eq!(chunk, b"over"));
    /// soquete::run()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_std`](Socket::from_std), and `ERR_INVALID_FD_TYPE` for what is no stream of a network or of
    /// IPC; the descriptor is closed then.
    #[track_caller]
    pub fn from_fd(descriptor: OwnedFd) -> Result<Socket> {
        Socket::from_std(StdStream::try_from(descriptor)?)
    }

    /// As [`from_std`](Socket::from_std), with options.
    ///
    /// ```
    /// use soquete::net::{Socket, SocketOptions};
    /// use soquete::event;
    /// use std::os::unix::net::UnixStream;
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let (ours, theirs) = UnixStream::pair()?;
    /// let options = SocketOptions::new().allow_half_open(true);
    /// let socket = Socket::from_std_with(ours, options)?;
    /// socket.on(event::Error, |error| eprintln!("{error}"));
    /// socket.on(event::Data, move |chunk| assert_eq!(chunk, b"hello"));
    /// socket.on(event::End, move |()| socket.end());
    /// Socket::from_std(theirs)?.end_with("hello");
    /// soquete::run()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_std`](Socket::from_std).
    #[track_caller]
    pub fn from_std_with(stream: impl Into<StdStream>, options: SocketOptions) -> Result<Socket> {
        let opened = opened(stream.into()).map_err(|error| Error::os("open", &error))?;
        let origin = Origin::here();
        let adopted = reactor::with(|event_loop| {
            let state = SocketState::insert(event_loop, opened, origin);
            if let Err(error) = state.register(event_loop) {
                event_loop.remove(state.key);
                return Err(Error::os("open", &error));
            }
            state.bits.adopted().set(true);
            state.bits.was_shown().set(true);
            let driver = SocketDriver {
                event_loop,
                state: &state,
            };
            driver.configure(&options);
            // A signal that has aborted already destroys it here.
            if !state.duplex.is_destroyed() {
                state.duplex.open();
                driver.apply_stored_options_unheard();
                state.duplex.start(&driver);
            }
            driver.update_alive();
            Ok(state.handle())
        });
        adopted.unwrap_or_else(|| Err(node::socket_closed()))
    }

    /// The descriptor's number, while there is one. It still belongs to this socket.
    #[doc(alias = "_handle")]
    pub fn fd(&self) -> Option<std::os::fd::RawFd> {
        use std::os::fd::AsRawFd;
        let fd = |driver: &SocketDriver<'_>| {
            driver.state.bits.was_shown().set(true);
            Some(driver.state.transport.borrow().as_fd()?.as_raw_fd())
        };
        SocketDriver::with(self.key(), fd).flatten()
    }

    /// A second descriptor of the same connection, for options that this crate does not have. The
    /// connection ends when both are closed: drop it soon.
    ///
    /// # Errors
    ///
    /// `ERR_SOCKET_CLOSED` where there is no connection; the operating system's.
    pub fn try_clone_fd(&self) -> Result<OwnedFd> {
        let cloned = SocketDriver::with(self.key(), |driver| {
            driver.state.bits.was_shown().set(true);
            let transport = driver.state.transport.borrow();
            let fd = transport.as_fd().ok_or_else(node::socket_closed)?;
            fd.try_clone_to_owned()
                .map_err(|error| Error::os("dup", &error))
        });
        cloned.unwrap_or_else(|| Err(node::socket_closed()))
    }

    /// Takes the stream out of the loop, in blocking mode, as the standard library's are. This
    /// socket then closes as a destroyed one does, without ending the connection.
    ///
    /// Nothing may be lost by that: all that was read must have been consumed (a frame that has begun
    /// must have ended, and its listener returned), and all that was written handed over to the
    /// operating system. A server that hands its connections on sets
    /// [`pause_on_connect`](crate::net::ServerOptions::pause_on_connect), so that nothing is read at all.
    ///
    /// # Errors
    ///
    /// `ERR_SOCKET_CLOSED` where there is no connection, `ERR_SOCKET_NOT_IDLE` (not Node's) where
    /// something would be lost: the socket is left as it was. The operating system's, after which it may
    /// be gone.
    pub fn into_std(self) -> Result<StdStream> {
        let taken = SocketDriver::with(self.key(), |driver| {
            let duplex = &driver.state.duplex;
            if duplex.life() != Life::Open {
                return Err(node::socket_closed());
            }
            if duplex.framed() == Framed::Holding {
                let reason = "bytes that were read have not been delivered as frames";
                return Err(node::not_idle(reason.into()));
            }
            if let Some(reason) = duplex.why_not_idle(driver) {
                return Err(node::not_idle(reason));
            }
            let transport = driver
                .detach()
                .map_err(|error| Error::os("fcntl", &error))?;
            duplex.destroy(driver, None);
            released(transport)
        });
        taken.unwrap_or_else(|| Err(node::socket_closed()))
    }
}

fn opened(stream: StdStream) -> io::Result<Stream> {
    match stream {
        StdStream::Tcp(stream) => Stream::of_tcp(stream),
        StdStream::Unix(stream) => Stream::of_unix(stream),
        StdStream::Simulated(SimulatedStream(stream)) => Stream::of_simulated(stream),
    }
}

fn released(stream: Stream) -> Result<StdStream> {
    match stream.release() {
        Ok(Foreign::Tcp(stream)) => Ok(stream.into()),
        Ok(Foreign::Unix(stream)) => Ok(stream.into()),
        Ok(Foreign::Sim(stream)) => Ok(StdStream::Simulated(SimulatedStream(stream))),
        Ok(Foreign::Other(_)) => Err(node::socket_closed()),
        Err(error) => Err(Error::os("fcntl", &error)),
    }
}
