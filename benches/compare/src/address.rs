//! Where a server listens.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A port of the loopback interface, or the path of a UNIX socket.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    Port(u16),
    Path(PathBuf),
}

impl FromStr for Address {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.parse() {
            Ok(port) => Self::Port(port),
            Err(_) => Self::Path(text.into()),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "{port}"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_was_written() {
        for address in [Address::Port(80), Address::Path("/tmp/80.sock".into())] {
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
