//! A peer's address in less than a word, for there are many peers.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// An address that may not be known. Ports are in bytes, so that it fits between other things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::net) enum Remote {
    Unknown,
    V4([u8; 4], [u8; 2]),
    /// As a server sees an IPv4 peer that listens on the unspecified address of IPv6.
    Mapped([u8; 4], [u8; 2]),
    /// It is elsewhere.
    V6,
}

impl Remote {
    /// In here, if it fits.
    pub(in crate::net) fn of(address: Option<SocketAddr>) -> Remote {
        match address {
            None => Remote::Unknown,
            Some(SocketAddr::V4(address)) => {
                Remote::V4(address.ip().octets(), address.port().to_ne_bytes())
            }
            Some(SocketAddr::V6(address)) => match address.ip().to_ipv4_mapped() {
                Some(ip) if address.flowinfo() == 0 && address.scope_id() == 0 => {
                    Remote::Mapped(ip.octets(), address.port().to_ne_bytes())
                }
                _ => Remote::V6,
            },
        }
    }

    /// The address; `elsewhere` has one that does not fit.
    pub(in crate::net) fn address(
        self,
        elsewhere: impl FnOnce() -> Option<SocketAddrV6>,
    ) -> Option<SocketAddr> {
        match self {
            Remote::Unknown => None,
            Remote::V4(ip, port) => {
                let port = u16::from_ne_bytes(port);
                Some(SocketAddrV4::new(ip.into(), port).into())
            }
            Remote::Mapped(ip, port) => {
                let ip = Ipv4Addr::from(ip).to_ipv6_mapped();
                let port = u16::from_ne_bytes(port);
                Some(SocketAddrV6::new(ip, port, 0, 0).into())
            }
            Remote::V6 => elsewhere().map(SocketAddr::V6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_what_it_was() {
        for text in [
            "192.0.2.1:80",
            "[::ffff:192.0.2.1]:443",
            "[2001:db8::1]:1",
            "[fe80::1%7]:65535",
            "[::ffff:192.0.2.1%3]:5",
            "0.0.0.0:0",
        ] {
            let address: SocketAddr = text.parse().unwrap();
            let elsewhere = || match address {
                SocketAddr::V6(address) => Some(address),
                SocketAddr::V4(_) => None,
            };
            let remote = Remote::of(Some(address));
            assert_eq!(remote.address(elsewhere), Some(address));
            let fits = address.is_ipv4() || text.contains("192.0.2.1]");
            assert_eq!(remote.address(|| None).is_some(), fits, "{text}");
        }
        assert_eq!(Remote::of(None).address(|| None), None);
    }

    #[test]
    fn it_takes_less_than_a_word() {
        assert_eq!((size_of::<Remote>(), align_of::<Remote>()), (7, 1));
    }
}
