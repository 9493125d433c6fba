//! Listening sockets that a service manager has opened: systemd's socket activation (`LISTEN_FDS`), by the
//! feature `activation`.
//!
//! The manager binds and listens, and starts the program with the first connection, or at boot; it keeps the
//! sockets while the program is restarted, so that nobody is refused meanwhile, and the program needs no
//! right to a port below 1024.
//!
//! ```text
//!   web.socket                    web.service
//!   ─────────────────────         ──────────────────────────────
//!   [Socket]                      [Service]
//!   ListenStream=80               ExecStart=/usr/local/bin/web
//!   FileDescriptorName=web
//! ```
//!
//! ```
//! use soquete::net::{self, ListenOptions};
//! use soquete::{activation, event};
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     socket.end_with("hello\n").resume();
//! });
//! let passed = activation::listeners()?;
//! let web = passed.into_iter().find(|socket| socket.name() == Some("web"));
//! // By hand, without a manager, it opens a port of its own.
//! server.listen(web.map_or(ListenOptions::new(8080), ListenOptions::from));
//! # server.close();
//! soquete::run()
//! # }
//! ```
//!
//! `systemd-socket-activate --listen=8080 --fdname=web ./web` tries it out.

use std::os::fd::OwnedFd;

use crate::error::{Error, Result};
use crate::kernel::activation;
use crate::net::ListenOptions;

/// A socket that came with the process. A server [listens](crate::net::Server::listen) on it as it is; the
/// [backlog](crate::net::ListenOptions::backlog) becomes the server's.
#[derive(Debug)]
pub struct Listener {
    descriptor: OwnedFd,
    name: Option<String>,
}

impl Listener {
    /// What the manager calls it: systemd's `FileDescriptorName`, by default the name of the socket's unit.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl From<Listener> for ListenOptions {
    fn from(listener: Listener) -> ListenOptions {
        listener.descriptor.into()
    }
}

/// For what is no listener: under `Accept=yes` the manager passes the connection, which
/// [`Socket::from_fd`](crate::net::Socket::from_fd) takes.
impl From<Listener> for OwnedFd {
    fn from(listener: Listener) -> OwnedFd {
        listener.descriptor
    }
}

/// Takes the sockets that were passed to this process, in the manager's order. There are none where it was not
/// started by one, and none the second time: `LISTEN_PID` and `LISTEN_FDS` are taken out of the environment. So
/// call it at the beginning of `main`, before there are other threads that might look at that. `LISTEN_FDNAMES`
/// stays, as do all three where their number is an error: alone it means nothing, and no process that this one starts
/// has the identity that `LISTEN_PID` names. Node's `listen({ fd: 3 })`, without counting the descriptors.
///
/// # Errors
///
/// EINVAL with the [`syscall`](Error::syscall) `sd_listen_fds` where one of them is no stream socket of a network
/// or of IPC, or their number is none.
pub fn listeners() -> Result<Vec<Listener>> {
    let passed = activation::take().map_err(|error| Error::os("sd_listen_fds", &error))?;
    let listeners = passed
        .into_iter()
        .map(|(descriptor, name)| Listener { descriptor, name });
    Ok(listeners.collect())
}
