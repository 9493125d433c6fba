//! Options of a connect.

use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::address::Family;
use crate::dns::{self, Hints};
use crate::net::options::socket::{SocketOptions, client_options, socket_options};

/// A function that resolves names in the place of [`dns::lookup`].
type LookupFunction = Rc<dyn Fn(&str, dns::LookupOptions, dns::LookupCallback)>;

/// Where to connect to, and how. Whatever [`connect`](crate::net::connect) takes turns into it; the
/// [places](crate::net#places) are the same for `connect`, `listen` and
/// [`BoundSocket::new`](crate::net::BoundSocket::new).
///
/// ```
/// use soquete::net::ConnectOptions;
/// use std::time::Duration;
///
/// let place = ConnectOptions::new(3000).host("::1");
/// let options = place.no_delay(true).timeout(Duration::from_secs(5));
/// ```
#[derive(Clone)]
#[must_use]
pub struct ConnectOptions {
    pub(in crate::net) target: Target,
    pub(in crate::net) local_address: Option<String>,
    pub(in crate::net) local_port: Option<u16>,
    pub(in crate::net) family: Option<Family>,
    pub(in crate::net) hints: Hints,
    pub(in crate::net) lookup: Option<LookupFunction>,
    pub(in crate::net) auto_select_family: Option<bool>,
    pub(in crate::net) auto_select_family_attempt_timeout: Option<Duration>,
    pub(in crate::net) side_by_side: bool,
    pub(in crate::net) connect_timeout: Option<Duration>,
    pub(in crate::net) timeout: Option<Duration>,
    pub(in crate::net) socket: SocketOptions,
}

#[derive(Clone, Debug)]
pub(in crate::net) enum Target {
    Tcp {
        host: String,
        port: u16,
    },
    Path(PathBuf),
    /// Text whose port is none.
    Nowhere(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Tcp { host, port } => write!(f, "{host} port {port}"),
            Target::Path(path) => write!(f, "{}", path.display()),
            Target::Nowhere(text) => f.write_str(text),
        }
    }
}

impl ConnectOptions {
    /// A TCP connection to a port of `localhost`.
    pub fn new(port: u16) -> ConnectOptions {
        ConnectOptions::to(Target::Tcp {
            host: LOCALHOST.to_owned(),
            port,
        })
    }

    /// A connection to a Unix domain socket. On Linux, a path that begins with a NUL byte is an
    /// abstract name.
    pub fn path(path: impl Into<PathBuf>) -> ConnectOptions {
        ConnectOptions::to(Target::Path(path.into()))
    }

    pub(super) fn to(target: Target) -> ConnectOptions {
        ConnectOptions {
            target,
            local_address: None,
            local_port: None,
            family: None,
            hints: Hints::default(),
            lookup: None,
            auto_select_family: None,
            auto_select_family_attempt_timeout: None,
            side_by_side: false,
            connect_timeout: None,
            timeout: None,
            socket: SocketOptions::default(),
        }
    }

    /// The host's name or IP address; `localhost` by default, also for an empty name. Means nothing
    /// for a path.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        if let Target::Tcp { host: current, .. } = &mut self.target {
            *current = host.into();
            if current.is_empty() {
                *current = LOCALHOST.to_owned();
            }
        }
        self
    }

    /// The local IP address to connect from. Only one address of the host is tried then. Empty text asks for none, and
    /// other text that is no IP address fails the connect with `ERR_INVALID_IP_ADDRESS`.
    #[doc(alias = "localAddress")]
    pub fn local_address(mut self, address: impl Into<String>) -> Self {
        self.local_address = Some(address.into()).filter(|address| !address.is_empty());
        self
    }

    /// The local port to connect from.
    #[doc(alias = "localPort")]
    pub fn local_port(mut self, port: u16) -> Self {
        self.local_port = Some(port);
        self
    }

    /// Asks for addresses of one family only.
    pub fn family(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }

    /// Flags for the resolver. By default [`Hints::ADDRCONFIG`], unless a family is asked for.
    pub fn hints(mut self, hints: Hints) -> Self {
        self.hints = hints;
        self
    }

    /// Resolves the host by `lookup` instead of [`dns::lookup`]. It gets the name, what to look for,
    /// and a function to call with the addresses, now or later. If it was not asked for
    /// [all](dns::LookupOptions::all), the first is used.
    pub fn lookup(
        mut self,
        lookup: impl Fn(&str, dns::LookupOptions, dns::LookupCallback) + 'static,
    ) -> Self {
        self.lookup = Some(Rc::new(lookup));
        self
    }

    /// Whether all addresses of a name are tried, one after the other, IPv6 and IPv4 in turn. The
    /// default is that of
    /// [`set_default_auto_select_family`](crate::net::set_default_auto_select_family).
    #[doc(alias = "autoSelectFamily")]
    pub fn auto_select_family(mut self, on: bool) -> Self {
        self.auto_select_family = Some(on);
        self
    }

    /// How long an address is tried before the next one is; at least 10 ms.
    #[doc(alias = "autoSelectFamilyAttemptTimeout")]
    pub fn auto_select_family_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.auto_select_family_attempt_timeout = Some(timeout);
        self
    }

    /// Whether an address that is tried for longer than
    /// [that](ConnectOptions::auto_select_family_attempt_timeout) is tried on beside the next, as RFC 8305 has it
    /// (which recommends 250 ms); Node gives it up. The first that connects is taken, the others are closed without
    /// an event; [`ConnectionAttemptTimeout`](crate::event::ConnectionAttemptTimeout) is not emitted. Off by
    /// default.
    pub fn side_by_side(mut self, on: bool) -> Self {
        self.side_by_side = on;
        self
    }

    /// How long connecting may take, the look-up and all attempts together; otherwise the system decides, by
    /// minutes. Later the socket is destroyed with `ERR_SOCKET_CONNECTION_TIMEOUT`.
    ///
    /// ```
    /// use soquete::net::{self, ConnectOptions};
    /// use std::time::Duration;
    ///
    /// let place = ConnectOptions::new(443).host("example.org");
    /// let options = place.connect_timeout(Duration::from_secs(5));
    /// # drop(options);
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// The idle timeout of the socket that [`connect`](crate::net::connect) makes, as by
    /// [`Socket::set_timeout`](crate::net::Socket::set_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

socket_options!(ConnectOptions, |options| options.socket);
client_options!(ConnectOptions, |options| options.socket);

const LOCALHOST: &str = "localhost";

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
