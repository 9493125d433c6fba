//! `SocketAddress`: an IP address with its port and, for IPv6, its flow label.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

use super::literal::{self, Canonical};
use super::{AddressError, Family};
use crate::error::{Error, Result};

/// An immutable address of a socket. Node's `net.SocketAddress`.
///
/// It is [`std::net::SocketAddr`] in Node's words, and converts from and to it without loss. `Display`
/// prints `1.2.3.4:80` or `[::1]:80`, which [`parse`](Self::parse) reads again.
///
/// ```
/// use soquete::net::{Family, SocketAddress, SocketAddressOptions};
///
/// let options = SocketAddressOptions::new().address("2001:DB8:0::1").port(80);
/// let address = SocketAddress::new(options)?;
/// assert_eq!(address.family(), Family::V6);
/// assert_eq!(address.address(), "2001:db8::1");
/// assert_eq!(address.to_string(), "[2001:db8::1]:80");
/// # Ok::<(), soquete::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketAddress(SocketAddr);

impl SocketAddress {
    /// The greatest flow label: it has 20 bits.
    pub const MAX_FLOWLABEL: u32 = 0xf_ffff;

    /// Makes an address from its parts.
    ///
    /// # Errors
    ///
    /// `ERR_OUT_OF_RANGE` for a flow label above [`MAX_FLOWLABEL`](Self::MAX_FLOWLABEL),
    /// `ERR_INVALID_ADDRESS` if the address is not one of the family.
    pub fn new(options: SocketAddressOptions<'_>) -> Result<Self> {
        let SocketAddressOptions {
            family,
            address,
            port,
            flowlabel,
        } = options;
        if flowlabel > Self::MAX_FLOWLABEL {
            let received = flowlabel;
            return Err(AddressError::FlowLabelOutOfRange { received }.into());
        }
        let family = family.unwrap_or_else(|| address.map(Family::of_text).unwrap_or_default());
        let ip = match address {
            Some(text) => literal::parse(text, family)?,
            None => match family {
                Family::V4 => Ipv4Addr::LOCALHOST.into(),
                Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
            },
        };
        Ok(Self(match ip {
            IpAddr::V4(_) => SocketAddr::new(ip, port),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, flowlabel, 0).into(),
        }))
    }

    /// Reads `ip` or `ip:port`, where an IPv6 address stands in brackets; `None` if that is not
    /// what the text is.
    ///
    /// As in Node, the text is read like the part of a URL after `http://`. That is lenient: IPv4
    /// may be written in all the ways of `inet_aton` (`0x7f.1`, `2130706433`, octal `010.1`), and a
    /// user before (`user@`) and a path behind (`/path`) are ignored. Names and zones are refused.
    ///
    /// ```
    /// use soquete::net::SocketAddress;
    ///
    /// let address = SocketAddress::parse("[::1]:443").unwrap();
    /// assert_eq!((address.address().as_str(), address.port()), ("::1", 443));
    /// assert_eq!(SocketAddress::parse("localhost:443"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        super::parse::socket_address(text).map(Self)
    }

    /// The address as canonical text, such as `"2001:db8::1"`.
    pub fn address(&self) -> String {
        Canonical(self.ip()).to_string()
    }

    /// The family of the address.
    pub fn family(&self) -> Family {
        self.ip().into()
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.0.port()
    }

    /// The IPv6 flow label; 0 for IPv4.
    pub fn flowlabel(&self) -> u32 {
        match self.0 {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(address) => address.flowinfo() & Self::MAX_FLOWLABEL,
        }
    }

    /// The address as JSON, in Node's order. What `JSON.stringify` makes of Node's `toJSON()`.
    ///
    /// ```
    /// use soquete::net::SocketAddress;
    ///
    /// let address = SocketAddress::parse("[::1]:443").unwrap();
    /// assert_eq!(
    ///     address.to_json(),
    ///     r#"{"address":"::1","port":443,"family":"ipv6","flowlabel":0}"#
    /// );
    /// ```
    #[doc(alias = "toJSON")]
    pub fn to_json(&self) -> String {
        format!(
            r#"{{"address":"{}","port":{},"family":"{}","flowlabel":{}}}"#,
            self.address(),
            self.port(),
            self.family().as_str(),
            self.flowlabel()
        )
    }

    /// The address as the standard library has it.
    pub const fn ip(&self) -> IpAddr {
        self.0.ip()
    }
}

impl Default for SocketAddress {
    /// Node's default: 127.0.0.1, port 0.
    fn default() -> Self {
        Self::from(Ipv4Addr::LOCALHOST)
    }
}

impl From<SocketAddr> for SocketAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl From<SocketAddress> for SocketAddr {
    fn from(address: SocketAddress) -> Self {
        address.0
    }
}

impl From<IpAddr> for SocketAddress {
    fn from(ip: IpAddr) -> Self {
        Self(SocketAddr::new(ip, 0))
    }
}

impl From<Ipv4Addr> for SocketAddress {
    fn from(ip: Ipv4Addr) -> Self {
        IpAddr::from(ip).into()
    }
}

impl From<Ipv6Addr> for SocketAddress {
    fn from(ip: Ipv6Addr) -> Self {
        IpAddr::from(ip).into()
    }
}

impl FromStr for SocketAddress {
    type Err = Error;

    /// As [`SocketAddress::parse`].
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ADDRESS` if the text is not an address.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| AddressError::InvalidAddress.into())
    }
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Canonical(self.ip());
        match self.family() {
            Family::V4 => write!(f, "{address}:{}", self.port()),
            Family::V6 => write!(f, "[{address}]:{}", self.port()),
        }
    }
}

impl fmt::Debug for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketAddress")
            .field("address", &self.address())
            .field("port", &self.port())
            .field("family", &self.family())
            .field("flowlabel", &self.flowlabel())
            .finish()
    }
}

/// The parts of a [`SocketAddress`], all of them optional.
///
/// ```
/// use soquete::net::{Family, SocketAddress, SocketAddressOptions};
///
/// let any = SocketAddress::new(SocketAddressOptions::new().family(Family::V6).port(8080))?;
/// assert_eq!(any.to_string(), "[::]:8080");
/// # Ok::<(), soquete::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct SocketAddressOptions<'a> {
    family: Option<Family>,
    address: Option<&'a str>,
    port: u16,
    flowlabel: u32,
}

impl<'a> SocketAddressOptions<'a> {
    /// Nothing set: the address 127.0.0.1, port 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The family. By default that of the address, or IPv4 if there is none either.
    pub fn family(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }

    /// The address. By default `127.0.0.1`, or `::` for IPv6.
    pub fn address(mut self, address: &'a str) -> Self {
        self.address = Some(address);
        self
    }

    /// The port. 0 by default.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The IPv6 flow label, of 20 bits. 0 by default, and without meaning for IPv4.
    pub fn flowlabel(mut self, flowlabel: u32) -> Self {
        self.flowlabel = flowlabel;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(address: SocketAddress) -> (String, u16, &'static str, u32) {
        (
            address.address(),
            address.port(),
            address.family().as_str(),
            address.flowlabel(),
        )
    }

    fn made(options: SocketAddressOptions<'_>) -> (String, u16, &'static str, u32) {
        parts(SocketAddress::new(options).unwrap())
    }

    #[test]
    fn defaults_are_nodes() {
        let options = SocketAddressOptions::new();
        assert_eq!(made(options), ("127.0.0.1".into(), 0, "ipv4", 0));
        assert_eq!(
            made(options.family(Family::V6)),
            ("::".into(), 0, "ipv6", 0)
        );
        assert_eq!(parts(SocketAddress::default()), made(options));
    }

    #[test]
    fn every_part_is_kept() {
        let options = SocketAddressOptions::new().port(80).flowlabel(1);
        assert_eq!(
            made(options.address("123.123.123.123")),
            ("123.123.123.123".into(), 80, "ipv4", 0)
        );
        assert_eq!(
            made(options.family(Family::V6)),
            ("::".into(), 80, "ipv6", 1)
        );
    }

    #[test]
    fn an_unstated_family_is_that_of_the_address() {
        assert_eq!(
            made(SocketAddressOptions::new().address("::1")),
            ("::1".into(), 0, "ipv6", 0)
        );
    }

    #[test]
    fn an_address_of_another_family_is_invalid() {
        let options = SocketAddressOptions::new()
            .address("::1")
            .family(Family::V4);
        let error = SocketAddress::new(options).unwrap_err();
        assert_eq!(error.code(), "ERR_INVALID_ADDRESS");
    }

    #[test]
    fn a_flow_label_has_twenty_bits() {
        let options = SocketAddressOptions::new().family(Family::V6);
        assert_eq!(made(options.flowlabel(0xf_ffff)).3, 0xf_ffff);
        let error = SocketAddress::new(options.flowlabel(0x10_0000)).unwrap_err();
        assert_eq!(error.code(), "ERR_OUT_OF_RANGE");
        assert_eq!(
            error.to_string(),
            "The value of \"options.flowlabel\" is out of range. \
             It must be >= 0 && <= 1048575. Received 1048576"
        );
    }

    #[test]
    fn the_standard_type_survives_the_round_trip() {
        let v6 = SocketAddrV6::new("fe80::1".parse().unwrap(), 443, 7, 3);
        for address in [SocketAddr::from(v6), "1.2.3.4:5".parse().unwrap()] {
            assert_eq!(SocketAddr::from(SocketAddress::from(address)), address);
        }
        assert_eq!(SocketAddress::from(SocketAddr::from(v6)).flowlabel(), 7);
    }

    #[test]
    fn equal_addresses_hash_alike() {
        let address = |text: &str| text.parse::<SocketAddress>().unwrap();
        let set = std::collections::HashSet::from([address("[0:0::1]:80"), address("[::1]:80")]);
        assert_eq!(set.len(), 1);
        assert_ne!(address("[::1]:80"), address("[::1]:81"));
    }

    #[test]
    fn debug_shows_the_fields() {
        assert_eq!(
            format!("{:?}", SocketAddress::default()),
            "SocketAddress { address: \"127.0.0.1\", port: 0, family: V4, flowlabel: 0 }"
        );
    }
}
