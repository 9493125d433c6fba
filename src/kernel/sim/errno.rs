//! The errors of a simulated kernel: what a call can answer, by number and by name.

use std::io;

macro_rules! numbers {
    ($($name:ident = $linux:literal, $bsd:literal;)*) => {
        $(pub(crate) const $name: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
            $linux
        } else {
            $bsd
        };)*

        /// Every number and its name.
        const NAMES: &[(i32, &str)] = &[$(($name, stringify!($name)),)*];
    };
}

numbers! {
    EPERM = 1, 1;
    ENOENT = 2, 2;
    EINTR = 4, 4;
    EBADF = 9, 9;
    EAGAIN = 11, 35;
    ENOMEM = 12, 12;
    EACCES = 13, 13;
    EEXIST = 17, 17;
    EINVAL = 22, 22;
    ENFILE = 23, 23;
    EMFILE = 24, 24;
    ENOSPC = 28, 28;
    EPIPE = 32, 32;
    EPROTO = 71, 100;
    EADDRINUSE = 98, 48;
    EADDRNOTAVAIL = 99, 49;
    ENETUNREACH = 101, 51;
    ECONNABORTED = 103, 53;
    ECONNRESET = 104, 54;
    ENOBUFS = 105, 55;
    EISCONN = 106, 56;
    ENOTCONN = 107, 57;
    ETIMEDOUT = 110, 60;
    ECONNREFUSED = 111, 61;
    EHOSTUNREACH = 113, 65;
    EALREADY = 114, 37;
    EINPROGRESS = 115, 36;
    // Answers of a resolver, which are no errnos.
    EAI_AGAIN = -3, -3;
    ENOTFOUND = -2, -2;
    EAI_FAIL = -4, -4;
    // What happens to a segment on its way.
    RESET = 1000, 1000;
    LATE = 1001, 1001;
}

pub(crate) fn name(number: i32) -> &'static str {
    let found = NAMES.iter().find(|(known, _)| *known == number);
    found.map_or("an unknown error", |(_, name)| name)
}

pub(crate) fn number(name: &str) -> Option<i32> {
    let found = NAMES.iter().find(|(_, known)| *known == name);
    found.map(|(number, _)| *number)
}

pub(super) fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}
