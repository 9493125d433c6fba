//! A peer's address in two words, for there are many peers.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// An address that may not be known.
pub(in crate::net) struct Remote(Cell<Compact>);

#[derive(Clone)]
enum Compact {
    Unknown,
    V4(Ipv4Addr, u16),
    /// As a server sees an IPv4 peer that listens on the unspecified address of IPv6.
    Mapped(Ipv4Addr, u16),
    V6(Box<SocketAddrV6>),
}

impl Remote {
    pub(in crate::net) fn unknown() -> Remote {
        Remote(Cell::new(Compact::Unknown))
    }

    pub(in crate::net) fn get(&self) -> Option<SocketAddr> {
        let compact = self.0.replace(Compact::Unknown);
        let address = match &compact {
            Compact::Unknown => None,
            Compact::V4(ip, port) => Some(SocketAddrV4::new(*ip, *port).into()),
            Compact::Mapped(ip, port) => {
                Some(SocketAddrV6::new(ip.to_ipv6_mapped(), *port, 0, 0).into())
            }
            Compact::V6(address) => Some((**address).into()),
        };
        self.0.set(compact);
        address
    }

    pub(in crate::net) fn set(&self, address: Option<SocketAddr>) {
        self.0.set(match address {
            None => Compact::Unknown,
            Some(SocketAddr::V4(address)) => Compact::V4(*address.ip(), address.port()),
            Some(SocketAddr::V6(address)) => match address.ip().to_ipv4_mapped() {
                Some(ip) if address.flowinfo() == 0 && address.scope_id() == 0 => {
                    Compact::Mapped(ip, address.port())
                }
                _ => Compact::V6(Box::new(address)),
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_what_it_was() {
        let remote = Remote::unknown();
        for text in [
            "192.0.2.1:80",
            "[::ffff:192.0.2.1]:443",
            "[2001:db8::1]:1",
            "[fe80::1%7]:65535",
            "[::ffff:192.0.2.1%3]:5",
            "0.0.0.0:0",
        ] {
            let address: SocketAddr = text.parse().unwrap();
            remote.set(Some(address));
            assert_eq!(remote.get(), Some(address));
            assert_eq!(remote.get(), Some(address), "the second time, too");
        }
        remote.set(None);
        assert_eq!(remote.get(), None);
    }

    #[test]
    fn it_takes_two_words() {
        assert!(size_of::<Remote>() <= 16);
    }
}
