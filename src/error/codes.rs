//! Names and meanings of errno values, as Node spells them.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

/// The errno's symbolic name.
pub(super) fn name(error: &io::Error) -> Cow<'static, str> {
    let by_number = error
        .raw_os_error()
        .and_then(|number| ERRNO.iter().find(|(candidate, _)| *candidate == number))
        .map(|(_, name)| *name);
    match by_number.or_else(|| by_kind(error.kind())) {
        Some(name) => Cow::Borrowed(name),
        None => match error.raw_os_error() {
            Some(number) => Cow::Owned(format!("Unknown system error {number}")),
            None => Cow::Owned(error.to_string()),
        },
    }
}

/// What an errno means, in the words that Node prints after the code of a failed `listen`.
pub(super) fn meaning(code: &str, error: &io::Error) -> Cow<'static, str> {
    MEANING
        .iter()
        .find(|(candidate, _)| *candidate == code)
        .map_or_else(
            || Cow::Owned(error.to_string()),
            |(_, text)| Cow::Borrowed(*text),
        )
}

/// The `ErrorKind` of an error that no system call returned.
pub(super) fn kind(code: &str) -> ErrorKind {
    match code {
        "EPIPE" | "ERR_STREAM_WRITE_AFTER_END" | "ERR_STREAM_ALREADY_FINISHED" => {
            ErrorKind::BrokenPipe
        }
        "ERR_SOCKET_CLOSED"
        | "ERR_STREAM_DESTROYED"
        | "ERR_SOCKET_CLOSED_BEFORE_CONNECTION"
        | "ERR_SERVER_NOT_RUNNING" => ErrorKind::NotConnected,
        "ERR_SOCKET_CONNECTION_TIMEOUT" | "ETIMEDOUT" => ErrorKind::TimedOut,
        "ERR_STREAM_PREMATURE_CLOSE" => ErrorKind::UnexpectedEof,
        "ENOTFOUND" | "ENOENT" => ErrorKind::NotFound,
        // Not `Interrupted`: the standard library would try again.
        "ECANCELED" | "ABORT_ERR" => ErrorKind::ConnectionAborted,
        "ERR_SERVER_ALREADY_LISTEN" | "ERR_SOCKET_HANDLE_ADOPTED" => ErrorKind::AlreadyExists,
        "ERR_IP_BLOCKED" => ErrorKind::PermissionDenied,
        "ERR_SOCKET_WRITE_QUEUE_FULL" => ErrorKind::OutOfMemory,
        "ECONNREFUSED" => ErrorKind::ConnectionRefused,
        code if code.starts_with("ERR_INVALID")
            || matches!(
                code,
                "ERR_OUT_OF_RANGE" | "ERR_SOCKET_BAD_PORT" | "ERR_MISSING_ARGS"
            ) =>
        {
            ErrorKind::InvalidInput
        }
        _ => ErrorKind::Other,
    }
}

fn by_kind(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::AddrInUse => "EADDRINUSE",
        ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        ErrorKind::AlreadyExists => "EEXIST",
        ErrorKind::BrokenPipe => "EPIPE",
        ErrorKind::ConnectionAborted => "ECONNABORTED",
        ErrorKind::ConnectionRefused => "ECONNREFUSED",
        ErrorKind::ConnectionReset => "ECONNRESET",
        ErrorKind::HostUnreachable => "EHOSTUNREACH",
        ErrorKind::Interrupted => "EINTR",
        ErrorKind::InvalidInput => "EINVAL",
        ErrorKind::NetworkDown => "ENETDOWN",
        ErrorKind::NetworkUnreachable => "ENETUNREACH",
        ErrorKind::NotConnected => "ENOTCONN",
        ErrorKind::NotFound => "ENOENT",
        ErrorKind::OutOfMemory => "ENOMEM",
        ErrorKind::PermissionDenied => "EACCES",
        ErrorKind::TimedOut => "ETIMEDOUT",
        ErrorKind::Unsupported => "ENOTSUP",
        ErrorKind::WouldBlock => "EAGAIN",
        _ => return None,
    })
}

/// Those that no `ErrorKind` tells apart. The first rows have the same numbers on every Unix.
#[cfg(any(target_os = "linux", target_os = "android"))]
const ERRNO: &[(i32, &str)] = &[
    (1, "EPERM"),
    (9, "EBADF"),
    (20, "ENOTDIR"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (36, "ENAMETOOLONG"),
    (40, "ELOOP"),
    (71, "EPROTO"),
    (88, "ENOTSOCK"),
    (89, "EDESTADDRREQ"),
    (91, "EPROTOTYPE"),
    (93, "EPROTONOSUPPORT"),
    (95, "ENOTSUP"),
    (97, "EAFNOSUPPORT"),
    (105, "ENOBUFS"),
    (106, "EISCONN"),
    (114, "EALREADY"),
    (115, "EINPROGRESS"),
    (125, "ECANCELED"),
];

#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ERRNO: &[(i32, &str)] = &[
    (1, "EPERM"),
    (9, "EBADF"),
    (20, "ENOTDIR"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (36, "EINPROGRESS"),
    (37, "EALREADY"),
    (38, "ENOTSOCK"),
    (39, "EDESTADDRREQ"),
    (41, "EPROTOTYPE"),
    (43, "EPROTONOSUPPORT"),
    (47, "EAFNOSUPPORT"),
    (55, "ENOBUFS"),
    (56, "EISCONN"),
    (62, "ELOOP"),
    (63, "ENAMETOOLONG"),
];

const MEANING: &[(&str, &str)] = &[
    ("EACCES", "permission denied"),
    ("EADDRINUSE", "address already in use"),
    ("EADDRNOTAVAIL", "address not available"),
    ("EAFNOSUPPORT", "address family not supported"),
    ("EBADF", "bad file descriptor"),
    ("EINVAL", "invalid argument"),
    ("EMFILE", "too many open files"),
    ("ENAMETOOLONG", "name too long"),
    ("ENOENT", "no such file or directory"),
    ("ENOTDIR", "not a directory"),
    ("ENOTSOCK", "socket operation on non-socket"),
    ("ENOTSUP", "operation not supported on socket"),
    ("EPERM", "operation not permitted"),
];
