//! One rule of a block list.

use std::fmt;
use std::net::IpAddr;

use super::coverage::Footprint;
use crate::address::literal::Canonical;
use crate::address::{AddressError, Family, SocketAddress};

/// Addresses are kept as they were given, mapped or not, because that is how they print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    Address(IpAddr),
    Subnet { network: IpAddr, prefix: u8 },
    Range { start: IpAddr, end: IpAddr },
}

impl Rule {
    pub(super) fn subnet(network: IpAddr, prefix: u8) -> Result<Self, AddressError> {
        let max = max_prefix(network);
        if prefix > max {
            return Err(AddressError::PrefixOutOfRange {
                max,
                received: prefix.to_string(),
            });
        }
        Ok(Self::Subnet { network, prefix })
    }

    pub(super) fn range(start: SocketAddress, end: SocketAddress) -> Result<Self, AddressError> {
        if is_after(start.ip(), end.ip()) {
            return Err(AddressError::ReversedRange { start });
        }
        Ok(Self::Range {
            start: start.ip(),
            end: end.ip(),
        })
    }

    pub(super) fn footprint(&self) -> Footprint {
        match *self {
            Self::Address(ip) => Footprint::of_address(ip),
            Self::Subnet { network, prefix } => Footprint::of_subnet(network, prefix),
            Self::Range { start, end } => Footprint::of_range(start, end),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Address(ip) => {
                write!(f, "Address: {} {}", Family::from(ip).label(), Canonical(ip))
            }
            Self::Subnet { network, prefix } => {
                let family = Family::from(network).label();
                write!(f, "Subnet: {family} {}/{prefix}", Canonical(network))
            }
            Self::Range { start, end } => {
                let family = Family::from(start).label();
                write!(f, "Range: {family} {}-{}", Canonical(start), Canonical(end))
            }
        }
    }
}

/// The bits of an address of that family.
pub(super) fn max_prefix(network: IpAddr) -> u8 {
    match network {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// IPv4 and IPv6 addresses that are not mapped have no order between them.
fn is_after(start: IpAddr, end: IpAddr) -> bool {
    match (start.to_canonical(), end.to_canonical()) {
        (IpAddr::V4(start), IpAddr::V4(end)) => start > end,
        _ => start.is_ipv6() && end.is_ipv6() && start > end,
    }
}
