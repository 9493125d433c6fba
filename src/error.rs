//! The one error type, which speaks Node's tongue and Rust's.
//!
//! | you know | ask for |
//! |---|---|
//! | Node's `err.code` (`'ECONNREFUSED'`, `'ERR_STREAM_WRITE_AFTER_END'`) | [`Error::code`] |
//! | [`std::io::ErrorKind`] | [`Error::kind`] |
//! | Node's `err.message` | its `Display` |
//! | `err.syscall`, `err.address`, `err.port`, `err.hostname` | the methods of those names |
//! | `AggregateError.errors` | [`Error::errors`] |
//!
//! An `Error` is one pointer wide and cheap to clone: the same error reaches the `Error` event, the
//! callbacks of the writes that it cut off, and perhaps the result of [`run`](crate::run).

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

mod codes;

pub(crate) use codes::errno_name;
#[cfg(test)]
pub(crate) use codes::errno_of;

/// What went wrong, with Node's code and message.
///
/// ```
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// // Port 1 of this machine: nobody listens there.
/// net::connect(("127.0.0.1", 1)).on(event::Error, |error| {
///     assert_eq!(error.code(), "ECONNREFUSED");
///     assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
///     assert_eq!(error.to_string(), "connect ECONNREFUSED 127.0.0.1:1");
/// });
/// soquete::run()
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

/// A `Result` whose error is [`soquete::Error`](Error).
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Default)]
struct Inner {
    code: Cow<'static, str>,
    message: String,
    kind: Option<io::ErrorKind>,
    errno: Option<i32>,
    syscall: Option<&'static str>,
    address: Option<String>,
    port: Option<u16>,
    local: Option<(String, u16)>,
    hostname: Option<String>,
    errors: Vec<Error>,
    cause: Option<Error>,
}

impl Error {
    /// Node's `code`: an errno's name (`"ECONNRESET"`) or an `ERR_…` of Node's own.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The nearest [`io::ErrorKind`].
    pub fn kind(&self) -> io::ErrorKind {
        self.0.kind.unwrap_or_else(|| codes::kind(&self.0.code))
    }

    /// The operating system's number, positive as in C (Node negates it).
    pub fn errno(&self) -> Option<i32> {
        self.0.errno
    }

    /// The system call that failed, under Node's name: `"connect"`, `"read"`, `"getaddrinfo"`, …
    pub fn syscall(&self) -> Option<&'static str> {
        self.0.syscall
    }

    /// The address that was connected to or listened on; for IPC its path.
    pub fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The port that was connected to or listened on.
    pub fn port(&self) -> Option<u16> {
        self.0.port
    }

    /// The local address that was asked for, where a connect with one failed.
    #[doc(alias = "localAddress")]
    pub fn local_address(&self) -> Option<&str> {
        self.0.local.as_ref().map(|(address, _)| address.as_str())
    }

    /// The local port that was asked for, where a connect with one failed.
    #[doc(alias = "localPort")]
    pub fn local_port(&self) -> Option<u16> {
        self.0.local.as_ref().map(|(_, port)| *port)
    }

    /// The name that could not be resolved.
    pub fn hostname(&self) -> Option<&str> {
        self.0.hostname.as_deref()
    }

    /// What each attempt failed with, where several addresses were tried (Node's
    /// `AggregateError`); otherwise empty.
    pub fn errors(&self) -> &[Error] {
        &self.0.errors
    }

    /// An error of the caller's own, to [`destroy_with`](crate::net::Socket::destroy_with) a socket
    /// or to end a lookup with.
    ///
    /// ```
    /// let error = soquete::Error::new("ERR_BAD_GREETING", "the peer did not say hello");
    /// assert_eq!(error.code(), "ERR_BAD_GREETING");
    /// ```
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Error {
        Inner {
            code: code.into(),
            message: message.into(),
            ..Inner::default()
        }
        .into()
    }

    /// Any other error, under a code of yours.
    ///
    /// ```
    /// # fn load() -> Result<(), Box<dyn std::error::Error>> { Err("no such table".into()) }
    /// let error = soquete::Error::other("ERR_DATABASE", load().unwrap_err());
    /// assert_eq!(error.to_string(), "no such table");
    /// ```
    pub fn other(code: impl Into<Cow<'static, str>>, error: impl fmt::Display) -> Error {
        Error::new(code, error.to_string())
    }

    /// `syscall CODE`, as Node words an errno.
    pub(crate) fn os(syscall: &'static str, error: &io::Error) -> Error {
        let code = codes::name(error);
        Inner {
            message: format!("{syscall} {code}"),
            ..Inner::os(syscall, code, error)
        }
        .into()
    }

    /// `connect CODE address:port - Local (…)`, as Node words a failed connect or bind.
    pub(crate) fn endpoint(syscall: &'static str, error: &io::Error, at: &Endpoint) -> Error {
        let code = codes::name(error);
        let mut message = format!("{syscall} {code} {}", at.text());
        message.push_str(&at.local.text());
        let local = match &at.local {
            Local::Asked(address, port) => Some((address.clone(), *port)),
            Local::Untold | Local::Found(_) => None,
        };
        Inner {
            message,
            address: Some(at.address.clone()),
            port: at.known_port(),
            local,
            ..Inner::os(syscall, code, error)
        }
        .into()
    }

    /// `listen CODE: what that means address:port`, as Node words a failed listen.
    pub(crate) fn listen(error: &io::Error, at: &Endpoint) -> Error {
        let code = codes::name(error);
        let means = codes::meaning(&code, error);
        Inner {
            message: format!("listen {code}: {means} {}", at.text())
                .trim_end()
                .to_owned(),
            address: (!at.address.is_empty()).then(|| at.address.clone()),
            port: at.known_port(),
            ..Inner::os("listen", code, error)
        }
        .into()
    }

    /// `getaddrinfo CODE hostname`, as Node words a failed lookup.
    pub(crate) fn lookup(code: &'static str, hostname: &str) -> Error {
        Inner {
            message: format!("getaddrinfo {code} {hostname}"),
            syscall: Some("getaddrinfo"),
            hostname: Some(hostname.to_owned()),
            ..Inner::of(code)
        }
        .into()
    }

    /// As `lookup`, where the resolver has met an error of the system.
    pub(crate) fn lookup_system(error: &io::Error, hostname: &str) -> Error {
        let code = codes::name(error);
        Inner {
            message: format!("getaddrinfo {code} {hostname}"),
            hostname: Some(hostname.to_owned()),
            ..Inner::os("getaddrinfo", code, error)
        }
        .into()
    }

    /// Several failed attempts in one, under the code of the first.
    pub(crate) fn aggregate(errors: Vec<Error>) -> Error {
        let code = errors
            .first()
            .map_or(Cow::Borrowed(""), |first| first.0.code.clone());
        Inner {
            code,
            errors,
            ..Inner::default()
        }
        .into()
    }

    /// The same error with what led to it, which [`source`](std::error::Error::source) gives.
    pub fn with_cause(self, cause: Error) -> Error {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.cause = Some(cause);
        inner.into()
    }
}

impl Inner {
    fn of(code: &'static str) -> Inner {
        Inner {
            code: code.into(),
            ..Inner::default()
        }
    }

    fn os(syscall: &'static str, code: Cow<'static, str>, error: &io::Error) -> Inner {
        Inner {
            code,
            kind: Some(error.kind()),
            errno: error.raw_os_error(),
            syscall: Some(syscall),
            ..Inner::default()
        }
    }
}

impl From<Inner> for Error {
    fn from(inner: Inner) -> Error {
        Error(Arc::new(inner))
    }
}

/// The end of a connection that an error is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoint {
    /// An IP address, or a path; empty where there is neither.
    pub(crate) address: String,
    /// `None` for a path.
    pub(crate) port: Option<u16>,
    pub(crate) local: Local,
}

/// The other end, as far as Node tells of it.
#[derive(Clone, Debug, Default)]
pub(crate) enum Local {
    #[default]
    Untold,
    /// The address and port that were asked for.
    Asked(String, u16),
    /// What the descriptor said; `None` if it had no such address.
    Found(Option<std::net::SocketAddr>),
}

impl Endpoint {
    /// An address and a port, with nothing to tell of the other end.
    pub(crate) fn at(address: impl Into<String>, port: Option<u16>) -> Endpoint {
        Endpoint {
            address: address.into(),
            port,
            local: Local::Untold,
        }
    }

    fn text(&self) -> String {
        match self.known_port() {
            Some(port) => format!("{}:{port}", self.address),
            None => self.address.clone(),
        }
    }

    /// Node does not name a port that was to be any.
    fn known_port(&self) -> Option<u16> {
        self.port.filter(|port| *port > 0)
    }
}

impl Local {
    fn text(&self) -> String {
        match self {
            Local::Untold => String::new(),
            Local::Asked(address, port) => format!(" - Local ({address}:{port})"),
            Local::Found(Some(found)) => format!(" - Local ({}:{})", found.ip(), found.port()),
            Local::Found(None) => " - Local (undefined:undefined)".to_owned(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.errors.is_empty() {
            return f.write_str(&self.0.message);
        }
        for (index, error) in self.0.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Error");
        text.field("code", &self.code())
            .field("message", &self.to_string());
        if let Some(syscall) = self.syscall() {
            text.field("syscall", &syscall);
        }
        if let Some(cause) = &self.0.cause {
            text.field("cause", cause);
        }
        text.finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

/// Any error as one of this crate's, so that `?` makes it one: in `main`, and in listeners.
impl From<io::Error> for Error {
    /// An `Error` that was made an [`io::Error`] of is itself again.
    fn from(error: io::Error) -> Error {
        let error = match error.downcast::<Error>() {
            Ok(own) => return own,
            Err(error) => error,
        };
        Inner {
            code: codes::name(&error),
            message: error.to_string(),
            kind: Some(error.kind()),
            errno: error.raw_os_error(),
            ..Inner::default()
        }
        .into()
    }
}

/// What the standard library cannot read is `ERR_INVALID_ARG_VALUE`.
macro_rules! from_invalid {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Error {
                Error::new("ERR_INVALID_ARG_VALUE", error.to_string())
            }
        })*
    };
}

from_invalid!(
    std::num::ParseIntError,
    std::num::ParseFloatError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    std::net::AddrParseError,
    std::fmt::Error
);

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

impl PartialEq for Error {
    /// Two errors are equal if they are the same one (clones of each other) or read the same.
    fn eq(&self, other: &Error) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.code == other.0.code && self.to_string() == other.to_string())
    }
}

/// Errors that are Node's own, with Node's words.
pub(crate) mod node {
    use super::{Error, Inner};
    use crate::address::quoted;

    macro_rules! fixed {
        ($($(#[$doc:meta])* $name:ident = $code:literal, $message:literal;)*) => {
            $($(#[$doc])* pub(crate) fn $name() -> Error { Error::new($code, $message) })*
        };
    }

    fixed! {
        write_after_end = "ERR_STREAM_WRITE_AFTER_END", "write after end";
        already_finished = "ERR_STREAM_ALREADY_FINISHED", "Cannot call end after a stream was finished";
        /// A write after the peer's end, when ours followed it without being asked.
        ended_by_peer = "EPIPE", "This socket has been ended by the other party";
        socket_closed = "ERR_SOCKET_CLOSED", "Socket is closed";
        closed_before_connection =
            "ERR_SOCKET_CLOSED_BEFORE_CONNECTION", "Socket closed before the connection was established";
        connection_timeout = "ERR_SOCKET_CONNECTION_TIMEOUT", "Socket connection timeout";
        unshift_after_end = "ERR_STREAM_UNSHIFT_AFTER_END_EVENT", "stream.unshift() after end event";
        already_listening =
            "ERR_SERVER_ALREADY_LISTEN", "Listen method has been called more than once without closing.";
        handle_adopted = "ERR_SOCKET_HANDLE_ADOPTED",
            "The bound socket has already been adopted by a server or socket";
        /// What an abort is about, unless the caller has said so.
        abort_reason = "ABORT_ERR", "This operation was aborted";
        abort_timeout = "ABORT_TIMEOUT", "The operation was aborted due to timeout";
        not_running = "ERR_SERVER_NOT_RUNNING", "Server is not running.";
        premature_close = "ERR_STREAM_PREMATURE_CLOSE", "Premature close";
        unable_to_pipe =
            "ERR_STREAM_UNABLE_TO_PIPE", "Cannot pipe to a closed or destroyed stream";
        missing_streams = "ERR_MISSING_ARGS", "The \"streams\" argument must be specified";
        invalid_handle_type = "ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent";
    }

    /// A write that was under way when its socket was destroyed.
    pub(crate) fn write_cancelled() -> Error {
        Inner {
            message: "write ECANCELED".to_owned(),
            syscall: Some("write"),
            ..Inner::of("ECANCELED")
        }
        .into()
    }

    pub(crate) fn destroyed(call: &'static str) -> Error {
        Inner {
            message: format!("Cannot call {call} after a stream was destroyed"),
            ..Inner::of("ERR_STREAM_DESTROYED")
        }
        .into()
    }

    pub(crate) fn bad_port(name: &str, received: &str) -> Error {
        Error::new(
            "ERR_SOCKET_BAD_PORT",
            format!(
                "{name} should be >= 0 and < 65536. Received type string ({})",
                quoted(received)
            ),
        )
    }

    /// `problem` begins with a verb: `must be …`.
    pub(crate) fn invalid_arg(name: &str, problem: &str) -> Error {
        let what = if name.contains('.') {
            "property"
        } else {
            "argument"
        };
        Inner {
            message: format!("The {what} '{name}' {problem}"),
            ..Inner::of("ERR_INVALID_ARG_VALUE")
        }
        .into()
    }

    pub(crate) fn ip_blocked(address: &str) -> Error {
        Inner {
            message: format!("IP({address}) is blocked by net.BlockList"),
            ..Inner::of("ERR_IP_BLOCKED")
        }
        .into()
    }

    /// A descriptor that the poll does not take: epoll says so of files, which are always ready.
    pub(crate) fn not_watchable(error: &std::io::Error) -> Error {
        let code = super::codes::name(error);
        let message = format!(
            "watch {code}: this kind of descriptor cannot be polled, as a file cannot (queue_work reads those)"
        );
        Inner {
            message,
            ..Inner::os("watch", code, error)
        }
        .into()
    }

    /// Node's `process.on` throws it.
    #[cfg(feature = "signals")]
    pub(crate) fn bad_signal(signal: i32) -> Error {
        Inner {
            message: format!("signal EINVAL: signal {signal} is unknown, or cannot be handled"),
            syscall: Some("signal"),
            ..Inner::of("EINVAL")
        }
        .into()
    }

    /// A descriptor that is no stream socket.
    pub(crate) fn invalid_fd_type(kind: &str) -> Error {
        Error::new(
            "ERR_INVALID_FD_TYPE",
            format!("Unsupported fd type: {kind}"),
        )
    }

    /// Not Node's: the loop of a thread that has ended is asked for something.
    pub(crate) fn loop_closed() -> Error {
        Error::new("ERR_LOOP_CLOSED", "The thread of this loop has ended")
    }

    pub(crate) fn channel_closed() -> Error {
        Error::new(
            "ERR_CHANNEL_CLOSED",
            "The listener of this channel has gone",
        )
    }

    pub(crate) fn channel_full() -> Error {
        Error::new(
            "ERR_CHANNEL_FULL",
            "The channel is full, and only this thread could make room",
        )
    }

    /// Not Node's: a socket cannot be taken out of its loop without loss.
    pub(crate) fn not_idle(reason: String) -> Error {
        Error::new("ERR_SOCKET_NOT_IDLE", reason)
    }

    /// Node's `AbortError`.
    pub(crate) fn aborted(reason: Error) -> Error {
        Error::new("ABORT_ERR", "The operation was aborted").with_cause(reason)
    }

    pub(crate) fn invalid_ip(address: &str) -> Error {
        Inner {
            message: format!("Invalid IP address: {address}"),
            ..Inner::of("ERR_INVALID_IP_ADDRESS")
        }
        .into()
    }

    /// Not Node's: more was queued on a socket than its `max_write_queue` allows.
    pub(crate) fn write_queue_full(limit: usize, queued: usize) -> Error {
        Inner {
            message: format!(
                "{queued} bytes are queued for a peer that does not read them (max_write_queue is {limit})"
            ),
            ..Inner::of("ERR_SOCKET_WRITE_QUEUE_FULL")
        }
        .into()
    }

    /// Not Node's: `run` was called by a listener.
    pub(crate) fn already_running() -> Error {
        Error::new(
            "ERR_LOOP_ALREADY_RUNNING",
            "The event loop of this thread is already running",
        )
    }
}
