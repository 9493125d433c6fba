//! The errors that Node makes itself, with the numbers that they have here.

use std::io;

macro_rules! errors {
    ($($name:ident = $linux:literal, $bsd:literal, $sun:literal;)*) => {
        $(pub(crate) const $name: i32 =
            if cfg!(any(target_os = "linux", target_os = "android")) {
                $linux
            } else if cfg!(any(target_os = "solaris", target_os = "illumos")) {
                $sun
            } else {
                $bsd
            };)*
    };
}

errors! {
    EACCES = 13, 13, 13;
    EALREADY = 114, 37, 149;
    ECANCELED = 125, 89, 47;
    EINVAL = 22, 22, 22;
    EISCONN = 106, 56, 133;
    ETIMEDOUT = 110, 60, 145;
}

pub(crate) fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}
