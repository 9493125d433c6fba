//! Options of sockets, connections, servers and listening, as structs with builder methods.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::Socket;
use super::on_read::OnRead;
use super::settings::KeepAlive;
use crate::address::Family;
use crate::dns;
use crate::error::Result;
use crate::machine::DEFAULT_HIGH_WATER_MARK;

/// Options of a socket, connected or not. Node's `new net.Socket(options)`.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    pub(crate) allow_half_open: bool,
    pub(crate) readable_high_water_mark: usize,
    pub(crate) writable_high_water_mark: usize,
    pub(crate) max_write_queue: usize,
    pub(crate) no_delay: bool,
    pub(crate) keep_alive: Option<KeepAlive>,
    pub(crate) type_of_service: Option<u8>,
    pub(crate) on_read: Option<OnRead>,
}

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions {
            allow_half_open: false,
            readable_high_water_mark: DEFAULT_HIGH_WATER_MARK,
            writable_high_water_mark: DEFAULT_HIGH_WATER_MARK,
            max_write_queue: 0,
            no_delay: false,
            keep_alive: None,
            type_of_service: None,
            on_read: None,
        }
    }
}

/// The builder methods that whatever makes sockets has.
macro_rules! socket_options {
    ($type:ty, |$options:ident| $socket:expr) => {
        impl $type {
            /// Whether the socket can still be written to after the peer has ended. Otherwise (the
            /// default) it ends too, one tick after `End`.
            pub fn allow_half_open(self, allow: bool) -> Self {
                let mut $options = self;
                $socket.allow_half_open = allow;
                $options
            }

            /// From how many bytes on `write` returns false, and how many are kept for a reader. The
            /// default is 64 KiB.
            pub fn high_water_mark(self, bytes: usize) -> Self {
                let mut $options = self;
                $socket.readable_high_water_mark = bytes;
                $socket.writable_high_water_mark = bytes;
                $options
            }

            /// The most bytes that may be queued for a peer that does not read them. A `write` past
            /// it destroys the socket with `ERR_SOCKET_WRITE_QUEUE_FULL`, so that a slow reader
            /// cannot eat the server's memory. 0, the default, is no limit (and Node's only choice).
            pub fn max_write_queue(self, bytes: usize) -> Self {
                let mut $options = self;
                $socket.max_write_queue = bytes;
                $options
            }

            /// Whether small segments are sent at once (`TCP_NODELAY`). Off by default.
            pub fn no_delay(self, on: bool) -> Self {
                let mut $options = self;
                $socket.no_delay = on;
                $options
            }

            /// Reads into `buffer`, and nowhere else: `callback` gets the socket, how many bytes were
            /// read, and the buffer that they are at the beginning of. It may put another buffer in
            /// its place; an empty one destroys the socket with `ENOBUFS`. Sockets that are made of
            /// the same options share the buffer. Node's `onread`, which accepted sockets do not
            /// have there.
            ///
            /// If `callback` returns false, nothing is read until the socket is resumed. There is no
            /// [`Data`](crate::event::Data) and no [`Readable`](crate::event::Readable), nothing is
            /// kept, and [`pause`](super::Socket::pause) stops reading at once;
            /// [`End`](crate::event::End) comes without anybody listening.
            pub fn on_read(
                self,
                buffer: impl Into<Vec<u8>>,
                callback: impl FnMut(Socket, usize, &mut Vec<u8>) -> bool + 'static,
            ) -> Self {
                let mut $options = self;
                $socket.on_read = Some(OnRead::new(buffer.into(), callback));
                $options
            }

            /// Whether, and how, the connection is probed while it is silent; see
            /// [`Socket::set_keep_alive`](super::Socket::set_keep_alive).
            pub fn keep_alive(self, keep_alive: impl Into<KeepAlive>) -> Self {
                let mut $options = self;
                $socket.keep_alive = Some(keep_alive.into());
                $options
            }

            /// The type of service that segments are sent with; see
            /// [`Socket::set_type_of_service`](super::Socket::set_type_of_service).
            pub fn type_of_service(self, service: u8) -> Self {
                let mut $options = self;
                $socket.type_of_service = Some(service);
                $options
            }
        }
    };
}

impl SocketOptions {
    /// The defaults.
    pub fn new() -> SocketOptions {
        SocketOptions::default()
    }
}

/// A function that resolves names in the place of [`dns::lookup`].
pub(crate) type LookupFunction =
    Rc<dyn Fn(&str, dns::LookupOptions, Box<dyn FnOnce(Result<Vec<IpAddr>>)>)>;

/// Where to connect to, and how. Whatever [`connect`](super::connect) takes turns into it: a port
/// (on `localhost`), a host and a port, a [`SocketAddr`], a path.
///
/// ```
/// use soquete::net::ConnectOptions;
/// use std::time::Duration;
///
/// let options = ConnectOptions::new(3000).host("::1").no_delay(true).timeout(Duration::from_secs(5));
/// ```
#[derive(Clone)]
pub struct ConnectOptions {
    pub(crate) target: Target,
    pub(crate) local_address: Option<String>,
    pub(crate) local_port: Option<u16>,
    pub(crate) family: Option<Family>,
    pub(crate) lookup: Option<LookupFunction>,
    pub(crate) auto_select_family: Option<bool>,
    pub(crate) auto_select_family_attempt_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) socket: SocketOptions,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp { host: String, port: u16 },
    Path(PathBuf),
}

impl ConnectOptions {
    /// A TCP connection to a port of `localhost`.
    pub fn new(port: u16) -> ConnectOptions {
        ConnectOptions::to(Target::Tcp {
            host: "localhost".to_owned(),
            port,
        })
    }

    /// A connection to a Unix domain socket. On Linux, a path that begins with a NUL byte is an
    /// abstract name.
    pub fn path(path: impl Into<PathBuf>) -> ConnectOptions {
        ConnectOptions::to(Target::Path(path.into()))
    }

    fn to(target: Target) -> ConnectOptions {
        ConnectOptions {
            target,
            local_address: None,
            local_port: None,
            family: None,
            lookup: None,
            auto_select_family: None,
            auto_select_family_attempt_timeout: None,
            timeout: None,
            socket: SocketOptions::default(),
        }
    }

    /// The host's name or IP address; `localhost` by default. Means nothing for a path.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        if let Target::Tcp { host: current, .. } = &mut self.target {
            *current = host.into();
        }
        self
    }

    /// The local IP address to connect from. The connection then has that address's family.
    pub fn local_address(mut self, address: impl Into<String>) -> Self {
        self.local_address = Some(address.into());
        self
    }

    /// The local port to connect from.
    pub fn local_port(mut self, port: u16) -> Self {
        self.local_port = Some(port);
        self
    }

    /// Asks for addresses of one family only.
    pub fn family(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }

    /// Resolves the host by `lookup` instead of [`dns::lookup`]. It gets the name, what to look for,
    /// and a function to call with the addresses, now or later.
    pub fn lookup(
        mut self,
        lookup: impl Fn(&str, dns::LookupOptions, Box<dyn FnOnce(Result<Vec<IpAddr>>)>) + 'static,
    ) -> Self {
        self.lookup = Some(Rc::new(lookup));
        self
    }

    /// Whether all addresses of a name are tried, one after the other, IPv6 and IPv4 in turn. The
    /// default is that of
    /// [`set_default_auto_select_family`](super::set_default_auto_select_family).
    pub fn auto_select_family(mut self, on: bool) -> Self {
        self.auto_select_family = Some(on);
        self
    }

    /// How long an address is tried before the next one is; at least 10 ms.
    pub fn auto_select_family_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.auto_select_family_attempt_timeout = Some(timeout);
        self
    }

    /// Sets the socket's idle timeout before it connects, as
    /// [`Socket::set_timeout`](super::Socket::set_timeout) does after.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl From<u16> for ConnectOptions {
    fn from(port: u16) -> ConnectOptions {
        ConnectOptions::new(port)
    }
}

impl From<(&str, u16)> for ConnectOptions {
    fn from((host, port): (&str, u16)) -> ConnectOptions {
        ConnectOptions::new(port).host(host)
    }
}

impl From<(String, u16)> for ConnectOptions {
    fn from((host, port): (String, u16)) -> ConnectOptions {
        ConnectOptions::new(port).host(host)
    }
}

impl From<(IpAddr, u16)> for ConnectOptions {
    fn from((address, port): (IpAddr, u16)) -> ConnectOptions {
        ConnectOptions::new(port).host(address.to_string())
    }
}

impl From<SocketAddr> for ConnectOptions {
    fn from(address: SocketAddr) -> ConnectOptions {
        (address.ip(), address.port()).into()
    }
}

impl From<&Path> for ConnectOptions {
    fn from(path: &Path) -> ConnectOptions {
        ConnectOptions::path(path)
    }
}

impl From<PathBuf> for ConnectOptions {
    fn from(path: PathBuf) -> ConnectOptions {
        ConnectOptions::path(path)
    }
}

/// Options of a server: what its accepted sockets are like. Node's `net.createServer(options)`.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    pub(crate) socket: SocketOptions,
    pub(crate) pause_on_connect: bool,
}

impl ServerOptions {
    /// The defaults.
    pub fn new() -> ServerOptions {
        ServerOptions::default()
    }

    /// Whether accepted sockets begin paused, with nothing read until they are resumed. For
    /// handing them on.
    pub fn pause_on_connect(mut self, pause: bool) -> Self {
        self.pause_on_connect = pause;
        self
    }
}

socket_options!(SocketOptions, |options| options);
socket_options!(ConnectOptions, |options| options.socket);
socket_options!(ServerOptions, |options| options.socket);

/// Where to listen, and how. Whatever [`Server::listen`](super::Server::listen) takes turns into
/// it: a port, a host and a port, a [`SocketAddr`], a path.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    pub(crate) target: ListenTarget,
    pub(crate) backlog: i32,
    pub(crate) ipv6_only: bool,
    pub(crate) reuse_port: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum ListenTarget {
    Tcp { host: Option<String>, port: u16 },
    Path(PathBuf),
}

/// Node's; the kernel makes 512 of it.
const DEFAULT_BACKLOG: i32 = 511;

impl ListenOptions {
    /// A TCP port, on every address of the machine; 0 for any port that is free.
    pub fn new(port: u16) -> ListenOptions {
        ListenOptions::on(ListenTarget::Tcp { host: None, port })
    }

    /// A Unix domain socket. On Linux, a path that begins with a NUL byte is an abstract name.
    pub fn path(path: impl Into<PathBuf>) -> ListenOptions {
        ListenOptions::on(ListenTarget::Path(path.into()))
    }

    fn on(target: ListenTarget) -> ListenOptions {
        ListenOptions {
            target,
            backlog: DEFAULT_BACKLOG,
            ipv6_only: false,
            reuse_port: false,
        }
    }

    /// The name or IP address of the interface. By default, every IPv6 and IPv4 address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        if let ListenTarget::Tcp { host: current, .. } = &mut self.target {
            *current = Some(host.into());
        }
        self
    }

    /// How many connections may wait to be accepted; 511 by default.
    pub fn backlog(mut self, connections: u16) -> Self {
        self.backlog = if connections == 0 {
            DEFAULT_BACKLOG
        } else {
            i32::from(connections)
        };
        self
    }

    /// Whether an IPv6 address takes IPv6 connections only. Off by default.
    pub fn ipv6_only(mut self, only: bool) -> Self {
        self.ipv6_only = only;
        self
    }

    /// Lets several sockets listen on one port, and the kernel share out the connections among them
    /// (`SO_REUSEPORT`).
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }
}

impl From<u16> for ListenOptions {
    fn from(port: u16) -> ListenOptions {
        ListenOptions::new(port)
    }
}

impl From<(&str, u16)> for ListenOptions {
    fn from((host, port): (&str, u16)) -> ListenOptions {
        ListenOptions::new(port).host(host)
    }
}

impl From<(u16, &str)> for ListenOptions {
    fn from((port, host): (u16, &str)) -> ListenOptions {
        ListenOptions::new(port).host(host)
    }
}

impl From<SocketAddr> for ListenOptions {
    fn from(address: SocketAddr) -> ListenOptions {
        ListenOptions::new(address.port()).host(address.ip().to_string())
    }
}

impl From<&Path> for ListenOptions {
    fn from(path: &Path) -> ListenOptions {
        ListenOptions::path(path)
    }
}

impl From<PathBuf> for ListenOptions {
    fn from(path: PathBuf) -> ListenOptions {
        ListenOptions::path(path)
    }
}
