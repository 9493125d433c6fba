//! IP literals: from text to address and back, the way Node's sockets do it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{AddressError, Family, SocketAddress};

/// Whatever names one address: text, text with its family, the types of [`std::net`], or a
/// [`SocketAddress`].
///
/// It stands where Node takes `address[, family]`: `list.check("10.0.0.1")`,
/// `list.check(("::1", Family::V6))`, `list.check(socket_addr)`. The family of plain text is read
/// off the text.
pub trait IntoAddress: Sized {
    /// The address, with port 0 unless there is one.
    ///
    /// ```
    /// use soquete::net::IntoAddress;
    ///
    /// assert_eq!("::1".into_address()?.to_string(), "[::1]:0");
    /// # Ok::<(), soquete::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ADDRESS` if the text is not an address of that family.
    fn into_address(self) -> crate::Result<SocketAddress> {
        Ok(self.read()?)
    }

    /// As `into_address`, but what is no address costs no allocation.
    #[doc(hidden)]
    fn read(self) -> Result<SocketAddress, AddressError>;
}

impl IntoAddress for (&str, Family) {
    fn read(self) -> Result<SocketAddress, AddressError> {
        let (text, family) = self;
        parse(text, family).map(SocketAddress::from)
    }
}

impl IntoAddress for &str {
    fn read(self) -> Result<SocketAddress, AddressError> {
        (self, Family::of_text(self)).read()
    }
}

impl IntoAddress for &String {
    fn read(self) -> Result<SocketAddress, AddressError> {
        self.as_str().read()
    }
}

impl IntoAddress for String {
    fn read(self) -> Result<SocketAddress, AddressError> {
        self.as_str().read()
    }
}

impl IntoAddress for &SocketAddress {
    fn read(self) -> Result<SocketAddress, AddressError> {
        Ok(*self)
    }
}

macro_rules! into_address_without_error {
    ($($type:ty),*) => {$(
        impl IntoAddress for $type {
            fn read(self) -> Result<SocketAddress, AddressError> {
                Ok(self.into())
            }
        }
    )*};
}

into_address_without_error!(SocketAddress, SocketAddr, IpAddr, Ipv4Addr, Ipv6Addr);

/// Reads an address of the given family. A zone may follow an IPv6 address and is dropped: what it
/// means is known to the operating system alone.
pub(super) fn parse(text: &str, family: Family) -> Result<IpAddr, AddressError> {
    let ip = match family {
        Family::V4 => text.parse().ok().map(IpAddr::V4),
        Family::V6 => {
            let address = text
                .split_once('%')
                .map_or(text, |(address, _zone)| address);
            address.parse().ok().map(IpAddr::V6)
        }
    };
    ip.ok_or(AddressError::InvalidAddress)
}

/// Prints an address as Node does.
#[derive(Clone, Copy)]
pub(super) struct Canonical(pub(super) IpAddr);

impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let IpAddr::V6(ip) = self.0 {
            // `inet_ntop` still writes the deprecated IPv4-compatible addresses with dots, which
            // the standard library does not.
            if let [0, 0, 0, 0, 0, 0, high, low] = ip.segments()
                && high != 0
            {
                let bits = u32::from(high) << 16 | u32::from(low);
                return write!(f, "::{}", Ipv4Addr::from_bits(bits));
            }
        }
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Canonical(parse(text, Family::of_text(text)).unwrap()).to_string()
    }

    #[test]
    fn text_is_canonical() {
        for (text, expected) in [
            ("1.2.3.4", "1.2.3.4"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("1:0:0:1:0:0:1:1", "1::1:0:0:1:1"),
            ("::FFFF:7f00:1", "::ffff:127.0.0.1"),
            ("::ffff:0:0", "::ffff:0.0.0.0"),
            ("::ffff:0:1.2.3.4", "::ffff:0:102:304"),
            ("::1.2.3.4", "::1.2.3.4"),
            ("::1:0", "::0.1.0.0"),
            ("::0.0.0.1", "::1"),
            ("::ffff", "::ffff"),
            ("0:0:0:0:0:0:0:0", "::"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn a_zone_is_dropped() {
        for text in ["fe80::1%lo", "fe80::1%", "fe80::1%a%b"] {
            assert_eq!(canonical(text), "fe80::1");
        }
        assert_eq!(
            canonical("0000:0000:0000:0000:0000:ffff:255.255.255.255%lo"),
            "::ffff:255.255.255.255"
        );
    }

    #[test]
    fn text_of_the_other_family_is_invalid() {
        assert_eq!(parse("::1", Family::V4), Err(AddressError::InvalidAddress));
        assert_eq!(
            parse("1.2.3.4", Family::V6),
            Err(AddressError::InvalidAddress)
        );
    }

    #[test]
    fn malformed_text_is_invalid() {
        for text in [
            "",
            " 1.2.3.4",
            "01.2.3.4",
            "1.2.3",
            "1.2.3.4\0x",
            "::00001",
            "%lo",
            "::1.2.3.04",
        ] {
            assert_eq!(text.read(), Err(AddressError::InvalidAddress), "{text:?}");
        }
    }
}
