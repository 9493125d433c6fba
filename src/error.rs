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
mod endpoint;
pub(crate) mod node;
mod quoted;

pub(crate) use codes::errno_name;
#[cfg(test)]
pub(crate) use codes::errno_of;
pub(crate) use endpoint::{Endpoint, Local};
pub(crate) use quoted::quoted;

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
    cause: Cause,
}

/// What led to an error. Each of a program's attempts may name the one before it.
#[derive(Clone, Default)]
struct Cause(Option<Error>);

/// How many causes of causes are shown, at most.
const SHOWN_CAUSES: usize = 16;

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
    #[must_use]
    pub fn with_cause(self, cause: Error) -> Error {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.cause = Cause(Some(cause));
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
        Shown(self, SHOWN_CAUSES).fmt(f)
    }
}

/// An error with so many of its causes.
struct Shown<'e>(&'e Error, usize);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(error, causes) = *self;
        let mut text = f.debug_struct("Error");
        text.field("code", &error.code())
            .field("message", &error.to_string());
        if let Some(syscall) = error.syscall() {
            text.field("syscall", &syscall);
        }
        if let Some(cause) = &error.0.cause.0
            && causes > 0
        {
            text.field("cause", &Shown(cause, causes - 1));
        }
        text.finish_non_exhaustive()
    }
}

impl Drop for Cause {
    /// One after the other: a chain of any length takes no more of the stack than one error does.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(error) = next {
            next = Arc::into_inner(error.0).and_then(|mut inner| inner.cause.0.take());
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.0.as_ref().map(|cause| cause as _)
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
