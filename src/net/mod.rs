//! Sockets and servers: Node's `net` module.
//!
//! [`create_server`] and [`connect`] are the two ways in. What a [`Socket`] emits is in
//! [`event`](mod@crate::event), with the payloads.
//!
//! # Places
//!
//! [`connect`], [`Server::listen`] and [`BoundSocket::new`] take anything that names a place:
//!
//! | place | |
//! |---|---|
//! | a port | `3000`, `"3000"` |
//! | a host and a port, either first | `("localhost", 3000)`, `(3000, host)` with a `String`, `(Ipv4Addr::LOCALHOST, 3000)` |
//! | both in a text | `"localhost:3000"`, `"[::1]:3000"` |
//! | an address of the standard library's, or a [`SocketAddress`] | `socket_addr` |
//! | where a server listens | `server.address().unwrap()`, an [`Address`] |
//! | a path, which is any other text, too | `Path::new("app.sock")`, `path_buf`, `"/tmp/app.sock"` |
//! | any of them with more to say | [`ConnectOptions`], [`ListenOptions`], [`BindOptions`] |
//!
//! As in Node, `connect("example.org")` is to a path, and fails with ENOENT. Text with a port out of range is
//! `ERR_SOCKET_BAD_PORT`.

// The methods of the handles come first in the documentation.
mod handles;

mod connect;
mod driver;
mod frames;
mod options;
#[cfg(all(feature = "sim", any(test, fuzzing, feature = "fuzzing")))]
pub(crate) mod script;
mod server;
mod socket;
mod state;
mod values;

pub use crate::address::{
    BlockList, Family, IntoAddress, SocketAddress, SocketAddressOptions, is_ip, is_ipv4, is_ipv6,
};
pub use crate::machine::ReadyState;
pub use crate::machine::data::Data;
pub use frames::Frames;
pub use handles::{Group, RemoteGroup, SimulatedStream, StdStream};
pub use options::abort::{AbortController, AbortSignal};
pub use options::auto_select::{
    get_default_auto_select_family, get_default_auto_select_family_attempt_timeout,
    set_default_auto_select_family, set_default_auto_select_family_attempt_timeout,
};
pub use options::bind::BindOptions;
pub use options::bound::BoundSocket;
pub use options::connect::ConnectOptions;
pub use options::listen::ListenOptions;
pub use options::pipe::PipeOptions;
pub use options::proxy::ProxyProtocol;
pub use options::server::ServerOptions;
pub use options::socket::SocketOptions;
pub use values::address::Address;
pub use values::handle::{Server, Socket};
pub use values::keep_alive::KeepAlive;
pub use values::payload::{Attempt, DropInfo, DropReason, FailedAttempt, LookupResult};

use crate::event;
use crate::events::Outcome;

/// A server that calls `listener` with every socket that it accepts. It does not listen yet: see
/// [`Server::listen`].
///
/// Each socket needs a listener of [`Error`](crate::event::Error), as in Node: the error of one that has none ends
/// [`run`](crate::run), and a peer causes one by resetting its connection.
#[doc(alias = "createServer")]
#[track_caller]
pub fn create_server<R: Outcome>(listener: impl FnMut(Socket) -> R + 'static) -> Server {
    create_server_with(ServerOptions::default(), listener)
}

/// As [`create_server`], with options for the sockets that it accepts.
///
/// ```
/// use soquete::net::{self, ServerOptions};
/// use soquete::event;
///
/// let options = ServerOptions::new().no_delay(true).max_write_queue(1 << 20);
/// let server = net::create_server_with(options, |socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.on(event::Data, move |chunk| socket.write(chunk));
/// });
/// # server.close();
/// ```
#[doc(alias = "createServer")]
#[track_caller]
pub fn create_server_with<R: Outcome>(
    options: ServerOptions,
    listener: impl FnMut(Socket) -> R + 'static,
) -> Server {
    Server::new_with(options).on(event::Connection, listener)
}

/// A socket that connects: [`event::Connect`] follows, or [`event::Error`].
///
/// ```no_run
/// use soquete::{event, net};
/// use std::path::Path;
///
/// let local = net::connect(3000);
/// let remote = net::connect(("example.org", 80));
/// let ipc = net::connect(Path::new("/tmp/app.sock"));
/// let tuned = net::connect(net::ConnectOptions::new(3000).host("::1").no_delay(true));
/// ```
#[track_caller]
pub fn connect(options: impl Into<ConnectOptions>) -> Socket {
    let options = options.into();
    socket_for(&options).connect(options)
}

/// [`connect`] under its other name.
#[doc(alias = "createConnection")]
#[track_caller]
pub fn create_connection(options: impl Into<ConnectOptions>) -> Socket {
    connect(options)
}

/// As [`connect`], and calls `listener` with the socket when the connection is up. Node's
/// `net.connect(options, listener)`, where the socket is the listener's `this`.
///
/// ```
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// # let server = net::create_server(|socket| {
/// #     socket.on(event::Error, |error| eprintln!("{error}"));
/// #     socket.pipe(socket);
/// # });
/// # server.listen(0);
/// # let port = server.address().unwrap().port();
/// let client = net::connect_then(("localhost", port), |client| client.end_with("hello"));
/// client.on(event::Error, |error| eprintln!("{error}"));
/// client.on(event::Data, move |chunk| {
///     assert_eq!(chunk, b"hello");
///     # server.close();
/// });
/// # soquete::run()
/// # }
/// ```
#[doc(alias = "connect")]
#[track_caller]
pub fn connect_then<R: Outcome>(
    options: impl Into<ConnectOptions>,
    listener: impl FnOnce(Socket) -> R + 'static,
) -> Socket {
    let options = options.into();
    socket_for(&options).connect_then(options, listener)
}

#[track_caller]
fn socket_for(options: &ConnectOptions) -> Socket {
    let socket = Socket::new_with(options.socket.clone());
    if let Some(timeout) = options.timeout {
        socket.set_timeout(timeout);
    }
    socket
}
