//! The two address families and Node's spellings of them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::AddressError;
use crate::error::{Error, Result};

/// IPv4 or IPv6.
///
/// Node spells a family in two ways: `'IPv4'` in what sockets and servers report and in the rules of a
/// block list, as `Display` prints it, and `'ipv4'` in options and in `SocketAddress`
/// ([`as_str`](Self::as_str)).
///
/// ```
/// use soquete::net::Family;
///
/// assert_eq!("ipv6".parse::<Family>()?, Family::V6);
/// assert_eq!(Family::V6.to_string(), "IPv6");
/// assert_eq!(Family::V6.as_str(), "ipv6");
/// # Ok::<(), soquete::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// 32-bit addresses, such as `127.0.0.1`.
    #[default]
    V4,
    /// 128-bit addresses, such as `::1`.
    V6,
}

impl Family {
    /// `"ipv4"` or `"ipv6"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }

    /// `"IPv4"` or `"IPv6"`, as `Display` has it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    /// The family that `text` can only belong to, should it be an address: IPv6 has colons.
    pub(super) fn of_text(text: &str) -> Self {
        if text.contains(':') {
            Self::V6
        } else {
            Self::V4
        }
    }
}

impl From<IpAddr> for Family {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl From<SocketAddr> for Family {
    fn from(address: SocketAddr) -> Self {
        address.ip().into()
    }
}

impl FromStr for Family {
    type Err = Error;

    /// Reads either spelling, in any case.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG_VALUE` for anything else.
    fn from_str(text: &str) -> Result<Self> {
        [Self::V4, Self::V6]
            .into_iter()
            .find(|family| text.eq_ignore_ascii_case(family.as_str()))
            .ok_or_else(|| {
                let received = text.to_owned();
                AddressError::InvalidFamily { received }.into()
            })
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_case() {
        for text in ["ipv6", "IPv6", "IPV6", "iPv6"] {
            assert_eq!(text.parse::<Family>().unwrap(), Family::V6);
        }
    }

    #[test]
    fn an_unknown_family_is_an_invalid_value() {
        let error = "foo".parse::<Family>().unwrap_err();
        assert_eq!(error.code(), "ERR_INVALID_ARG_VALUE");
        assert_eq!(
            error.to_string(),
            "The property 'options.family' is invalid. Received 'foo'"
        );
        assert!("".parse::<Family>().is_err());
    }
}
