//! The one table of the errors that Node knows: names, numbers, kinds, and what they mean.

use std::borrow::Cow;
use std::io::{self, ErrorKind, ErrorKind::*};

/// An error of the system's, or of libuv's.
struct Row {
    name: &'static str,
    /// 0 where the system does not have it, or numbers it in a way of its own.
    errno: i32,
    kind: ErrorKind,
    meaning: &'static str,
}

const fn row(
    name: &'static str,
    linux: i32,
    bsd: i32,
    kind: ErrorKind,
    meaning: &'static str,
) -> Row {
    let errno = if cfg!(any(target_os = "linux", target_os = "android")) {
        // There, Linux has taken over the numbers of another Unix.
        if cfg!(any(
            target_arch = "mips64",
            target_arch = "mips64r6",
            target_arch = "sparc64"
        )) {
            0
        } else {
            linux
        }
    } else if cfg!(any(
        target_vendor = "apple",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    )) {
        bsd
    } else {
        0
    };
    Row {
        name,
        errno,
        kind,
        meaning,
    }
}

/// The errno's symbolic name, where it has one; of an error without a number, that of its kind.
pub(crate) fn errno_name(error: &io::Error) -> &'static str {
    let number = error.raw_os_error();
    let by_number = number.and_then(|number| TABLE.iter().find(|row| row.errno == number));
    let found = match number {
        Some(_) => by_number,
        None => of_kind(error.kind()),
    };
    found.map_or("UNKNOWN", |row| row.name)
}

/// The number of a name, where the system has it.
pub(crate) fn errno_of(name: &str) -> Option<i32> {
    of_name(name)
        .map(|row| row.errno)
        .filter(|errno| *errno != 0)
}

/// The errno's symbolic name.
pub(super) fn name(error: &io::Error) -> Cow<'static, str> {
    let number = error.raw_os_error();
    let by_number = number.and_then(|number| TABLE.iter().find(|row| row.errno == number));
    match by_number.or_else(|| of_kind(error.kind())) {
        Some(row) => Cow::Borrowed(row.name),
        None => match number {
            Some(number) => Cow::Owned(format!("Unknown system error {number}")),
            None => Cow::Owned(error.to_string()),
        },
    }
}

/// What an errno means, in the words that Node prints after the code of a failed `listen`.
pub(super) fn meaning(code: &str, error: &io::Error) -> Cow<'static, str> {
    of_name(code).map_or_else(
        || Cow::Owned(error.to_string()),
        |row| Cow::Borrowed(row.meaning),
    )
}

/// The `ErrorKind` of an error that no system call returned.
pub(super) fn kind(code: &str) -> ErrorKind {
    match code {
        "ERR_STREAM_WRITE_AFTER_END" | "ERR_STREAM_ALREADY_FINISHED" => BrokenPipe,
        "ERR_SOCKET_CLOSED"
        | "ERR_STREAM_DESTROYED"
        | "ERR_SOCKET_CLOSED_BEFORE_CONNECTION"
        | "ERR_SERVER_NOT_RUNNING"
        | "ERR_CHANNEL_CLOSED"
        | "ERR_LOOP_CLOSED" => NotConnected,
        "ERR_SOCKET_CONNECTION_TIMEOUT" | "ABORT_TIMEOUT" => TimedOut,
        "ERR_STREAM_PREMATURE_CLOSE" => UnexpectedEof,
        "ENOTFOUND" => NotFound,
        "ABORT_ERR" => ConnectionAborted,
        "ERR_SERVER_ALREADY_LISTEN" | "ERR_SOCKET_HANDLE_ADOPTED" => AlreadyExists,
        "ERR_IP_BLOCKED" => PermissionDenied,
        "ERR_SOCKET_WRITE_QUEUE_FULL" => OutOfMemory,
        "ERR_CHANNEL_FULL" => WouldBlock,
        "ERR_OUT_OF_RANGE" | "ERR_SOCKET_BAD_PORT" | "ERR_MISSING_ARGS" => InvalidInput,
        code if code.starts_with("ERR_INVALID") => InvalidInput,
        code => of_name(code).map_or(Other, |row| row.kind),
    }
}

fn of_name(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// The first of a kind is the one that an error without a number is.
fn of_kind(kind: ErrorKind) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.kind == kind && kind != Other)
}

/// All of libuv's names. `ECANCELED` is not of the kind `Interrupted`, for which the standard library would
/// try again.
///
/// name, Linux's number, that of the BSDs and Apple, kind, meaning
#[rustfmt::skip]
const TABLE: &[Row] = &[
    row("EACCES", 13, 13, PermissionDenied, "permission denied"),
    row("ECONNABORTED", 103, 53, ConnectionAborted, "software caused connection abort"),
    row("ENOENT", 2, 2, NotFound, "no such file or directory"),
    row("ENOMEM", 12, 12, OutOfMemory, "not enough memory"),
    row("ENOTSUP", 95, 45, Unsupported, "operation not supported on socket"),
    row("E2BIG", 7, 7, ArgumentListTooLong, "argument list too long"),
    row("EADDRINUSE", 98, 48, AddrInUse, "address already in use"),
    row("EADDRNOTAVAIL", 99, 49, AddrNotAvailable, "address not available"),
    row("EAFNOSUPPORT", 97, 47, Other, "address family not supported"),
    row("EAGAIN", 11, 35, WouldBlock, "resource temporarily unavailable"),
    row("EAI_ADDRFAMILY", 0, 0, Other, "address family not supported"),
    row("EAI_AGAIN", 0, 0, Other, "temporary failure"),
    row("EAI_BADFLAGS", 0, 0, Other, "bad ai_flags value"),
    row("EAI_BADHINTS", 0, 0, Other, "invalid value for hints"),
    row("EAI_CANCELED", 0, 0, Other, "request canceled"),
    row("EAI_FAIL", 0, 0, Other, "permanent failure"),
    row("EAI_FAMILY", 0, 0, Other, "ai_family not supported"),
    row("EAI_MEMORY", 0, 0, OutOfMemory, "out of memory"),
    row("EAI_NODATA", 0, 0, NotFound, "no address"),
    row("EAI_NONAME", 0, 0, NotFound, "unknown node or service"),
    row("EAI_OVERFLOW", 0, 0, Other, "argument buffer overflow"),
    row("EAI_PROTOCOL", 0, 0, Other, "resolved protocol is unknown"),
    row("EAI_SERVICE", 0, 0, Other, "service not available for socket type"),
    row("EAI_SOCKTYPE", 0, 0, Other, "socket type not supported"),
    row("EALREADY", 114, 37, Other, "connection already in progress"),
    row("EBADF", 9, 9, Other, "bad file descriptor"),
    row("EBUSY", 16, 16, ResourceBusy, "resource busy or locked"),
    row("ECANCELED", 125, 0, ConnectionAborted, "operation canceled"),
    row("ECHARSET", 0, 0, InvalidData, "invalid Unicode character"),
    row("ECONNREFUSED", 111, 61, ConnectionRefused, "connection refused"),
    row("ECONNRESET", 104, 54, ConnectionReset, "connection reset by peer"),
    row("EDESTADDRREQ", 89, 39, Other, "destination address required"),
    row("EEXIST", 17, 17, AlreadyExists, "file already exists"),
    row("EFAULT", 14, 14, Other, "bad address in system call argument"),
    row("EFBIG", 27, 27, FileTooLarge, "file too large"),
    row("EFTYPE", 0, 79, Other, "inappropriate file type or format"),
    row("EHOSTDOWN", 112, 64, Other, "host is down"),
    row("EHOSTUNREACH", 113, 65, HostUnreachable, "host is unreachable"),
    row("EILSEQ", 84, 0, Other, "illegal byte sequence"),
    row("EINPROGRESS", 115, 36, Other, "operation now in progress"),
    row("EINTR", 4, 4, Interrupted, "interrupted system call"),
    row("EINVAL", 22, 22, InvalidInput, "invalid argument"),
    row("EIO", 5, 5, Other, "i/o error"),
    row("EISCONN", 106, 56, Other, "socket is already connected"),
    row("EISDIR", 21, 21, IsADirectory, "illegal operation on a directory"),
    row("ELOOP", 40, 62, Other, "too many symbolic links encountered"),
    row("EMFILE", 24, 24, Other, "too many open files"),
    row("EMLINK", 31, 31, TooManyLinks, "too many links"),
    row("EMSGSIZE", 90, 40, Other, "message too long"),
    row("ENAMETOOLONG", 36, 63, InvalidFilename, "name too long"),
    row("ENETDOWN", 100, 50, NetworkDown, "network is down"),
    row("ENETUNREACH", 101, 51, NetworkUnreachable, "network is unreachable"),
    row("ENFILE", 23, 23, Other, "file table overflow"),
    row("ENOBUFS", 105, 55, Other, "no buffer space available"),
    row("ENODATA", 61, 0, Other, "no data available"),
    row("ENODEV", 19, 19, Other, "no such device"),
    row("ENOEXEC", 8, 8, Other, "exec format error"),
    row("ENONET", 64, 0, Other, "machine is not on the network"),
    row("ENOPROTOOPT", 92, 42, Other, "protocol not available"),
    row("ENOSPC", 28, 28, StorageFull, "no space left on device"),
    row("ENOSYS", 38, 78, Unsupported, "function not implemented"),
    row("ENOTCONN", 107, 57, NotConnected, "socket is not connected"),
    row("ENOTDIR", 20, 20, NotADirectory, "not a directory"),
    row("ENOTEMPTY", 39, 66, DirectoryNotEmpty, "directory not empty"),
    row("ENOTSOCK", 88, 38, Other, "socket operation on non-socket"),
    row("ENOTTY", 25, 25, Other, "inappropriate ioctl for device"),
    row("ENXIO", 6, 6, Other, "no such device or address"),
    row("EOF", 0, 0, UnexpectedEof, "end of file"),
    row("EOVERFLOW", 75, 0, Other, "value too large for defined data type"),
    row("EPERM", 1, 1, PermissionDenied, "operation not permitted"),
    row("EPIPE", 32, 32, BrokenPipe, "broken pipe"),
    row("EPROTO", 71, 0, Other, "protocol error"),
    row("EPROTONOSUPPORT", 93, 43, Other, "protocol not supported"),
    row("EPROTOTYPE", 91, 41, Other, "protocol wrong type for socket"),
    row("ERANGE", 34, 34, Other, "result too large"),
    row("EREMOTEIO", 121, 0, Other, "remote I/O error"),
    row("EROFS", 30, 30, ReadOnlyFilesystem, "read-only file system"),
    row("ESHUTDOWN", 108, 58, Other, "cannot send after transport endpoint shutdown"),
    row("ESOCKTNOSUPPORT", 94, 44, Other, "socket type not supported"),
    row("ESPIPE", 29, 29, NotSeekable, "invalid seek"),
    row("ESRCH", 3, 3, Other, "no such process"),
    row("ETIMEDOUT", 110, 60, TimedOut, "connection timed out"),
    row("ETXTBSY", 26, 26, ExecutableFileBusy, "text file is busy"),
    row("EUNATCH", 49, 0, Other, "protocol driver not attached"),
    row("EXDEV", 18, 18, CrossesDevices, "cross-device link not permitted"),
    row("UNKNOWN", 0, 0, Other, "unknown error"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_and_no_number_is_there_twice() {
        for (index, row) in TABLE.iter().enumerate() {
            for other in &TABLE[index + 1..] {
                assert_ne!(row.name, other.name);
                assert!(row.errno == 0 || row.errno != other.errno, "{}", row.name);
            }
        }
    }

    #[test]
    fn the_kinds_are_those_of_the_standard_library() {
        for row in TABLE.iter().filter(|row| row.errno != 0) {
            let kind = io::Error::from_raw_os_error(row.errno).kind();
            // A kind that has no stable name yet is `Other` here, and so is one that came later.
            if row.kind != Other && row.name != "ECANCELED" {
                assert_eq!(row.kind, kind, "{}", row.name);
            }
            let stable = format!("{kind:?}");
            let known = TABLE
                .iter()
                .any(|other| format!("{:?}", other.kind) == stable);
            assert!(row.kind != Other || !known, "{}: {stable}", row.name);
        }
    }

    #[test]
    fn each_number_has_its_name_and_each_name_its_kind() {
        for row in TABLE {
            if row.errno != 0 {
                assert_eq!(name(&io::Error::from_raw_os_error(row.errno)), row.name);
            }
            assert_eq!(kind(row.name), row.kind);
        }
    }

    #[test]
    fn an_error_without_a_number_is_named_by_its_kind() {
        let named = |kind: ErrorKind| name(&kind.into());
        assert_eq!(named(PermissionDenied), "EACCES");
        assert_eq!(named(Unsupported), "ENOTSUP");
        assert_eq!(named(ConnectionAborted), "ECONNABORTED");
        assert_eq!(named(Other), "other error");
    }
}
