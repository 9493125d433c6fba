//! The addresses that all the rules of a list cover together.

use std::net::{IpAddr, Ipv6Addr};

use super::spans::Spans;

/// First and last of consecutive IPv4 addresses, as numbers.
type SpanV4 = (u32, u32);
/// First and last of consecutive IPv6 addresses, as numbers.
type SpanV6 = (u128, u128);

/// The IPv4-mapped block, `::ffff:0:0/96`.
const MAPPED: SpanV6 = (0xffff_0000_0000, 0xffff_ffff_ffff);

/// The addresses that one rule covers.
///
/// Mapped addresses are looked up in both spans, so that a rule on IPv4 or mapped addresses needs
/// only `v4`. `v6` alone may reach into the mapped block without covering IPv4: see
/// [`Footprint::of_range`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    v4: Option<SpanV4>,
    v6: Option<SpanV6>,
}

impl Footprint {
    pub(super) fn of_address(ip: IpAddr) -> Self {
        Self::of_range(ip, ip)
    }

    /// A subnet wider than the mapped block covers all of IPv4 as well.
    pub(super) fn of_subnet(network: IpAddr, prefix: u8) -> Self {
        let prefix = u32::from(prefix);
        match network {
            IpAddr::V4(network) => {
                let host_bits = u32::MAX.checked_shr(prefix).unwrap_or(0);
                let bits = network.to_bits();
                Self {
                    v4: Some((bits & !host_bits, bits | host_bits)),
                    v6: None,
                }
            }
            IpAddr::V6(network) => {
                let host_bits = u128::MAX.checked_shr(prefix).unwrap_or(0);
                let bits = network.to_bits();
                let (first, last) = (bits & !host_bits, bits | host_bits);
                if contains(MAPPED, (first, last)) {
                    Self {
                        v4: Some((low_bits(first), low_bits(last))),
                        v6: None,
                    }
                } else {
                    let v4 = contains((first, last), MAPPED).then_some((0, u32::MAX));
                    Self {
                        v4,
                        v6: Some((first, last)),
                    }
                }
            }
        }
    }

    /// An address is in a range if it is neither below the start nor above the end. As in Node, an
    /// IPv4 address can only be compared with IPv4 and mapped ones: a range with another end covers
    /// no IPv4 address, and one with an IPv4 end no IPv6 address that is not mapped.
    pub(super) fn of_range(start: IpAddr, end: IpAddr) -> Self {
        if let (IpAddr::V4(start), IpAddr::V4(end)) = (start.to_canonical(), end.to_canonical()) {
            return Self {
                v4: Some((start.to_bits(), end.to_bits())),
                v6: None,
            };
        }
        let (mut first, mut last) = (mapped_bits(start), mapped_bits(end));
        if start.is_ipv4() || end.is_ipv4() {
            first = first.max(MAPPED.0);
            last = last.min(MAPPED.1);
        }
        Self {
            v4: None,
            v6: (first <= last).then_some((first, last)),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Coverage {
    v4: Spans<u32>,
    v6: Spans<u128>,
}

impl Coverage {
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(ip) => self.v4.contains(ip.to_bits()),
            IpAddr::V6(ip) => {
                let mapped = ip.to_ipv4_mapped();
                mapped.is_some_and(|ip| self.v4.contains(ip.to_bits()))
                    || self.v6.contains(ip.to_bits())
            }
        }
    }

    pub(super) fn insert(&mut self, footprint: Footprint) {
        if let Some(span) = footprint.v4 {
            self.v4.insert(span);
        }
        if let Some(span) = footprint.v6 {
            self.v6.insert(span);
        }
    }

    pub(super) fn remove(&mut self, footprint: Footprint) {
        if let Some(span) = footprint.v4 {
            self.v4.remove(span);
        }
        if let Some(span) = footprint.v6 {
            self.v6.remove(span);
        }
    }
}

fn contains(outer: SpanV6, inner: SpanV6) -> bool {
    outer.0 <= inner.0 && inner.1 <= outer.1
}

fn mapped_bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The IPv4 address in a mapped one.
fn low_bits(mapped: u128) -> u32 {
    let [.., a, b, c, d] = Ipv6Addr::from_bits(mapped).octets();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn bits(text: &str) -> u128 {
        mapped_bits(ip(text))
    }

    #[test]
    fn a_mapped_address_is_an_ipv4_address() {
        let expected = Footprint {
            v4: Some((0x0102_0304, 0x0102_0304)),
            v6: None,
        };
        assert_eq!(Footprint::of_address(ip("1.2.3.4")), expected);
        assert_eq!(Footprint::of_address(ip("::ffff:1.2.3.4")), expected);
    }

    #[test]
    fn a_subnet_ignores_the_host_bits_of_its_network() {
        let v4 = |first, last| Footprint {
            v4: Some((first, last)),
            v6: None,
        };
        assert_eq!(
            Footprint::of_subnet(ip("10.1.2.3"), 8),
            v4(0x0a00_0000, 0x0aff_ffff)
        );
        assert_eq!(Footprint::of_subnet(ip("10.1.2.3"), 0), v4(0, u32::MAX));
        assert_eq!(
            Footprint::of_subnet(ip("10.1.2.3"), 32),
            v4(0x0a01_0203, 0x0a01_0203)
        );
        assert_eq!(
            Footprint::of_subnet(ip("::ffff:10.1.2.3"), 104),
            v4(0x0a00_0000, 0x0aff_ffff)
        );
    }

    #[test]
    fn a_subnet_around_the_mapped_block_covers_all_of_ipv4() {
        for (prefix, v4) in [
            (0, Some((0, u32::MAX))),
            (80, Some((0, u32::MAX))),
            (81, None),
        ] {
            let footprint = Footprint::of_subnet(ip("::"), prefix);
            assert_eq!(footprint.v4, v4, "::/{prefix}");
            assert!(footprint.v6.is_some());
        }
    }

    #[test]
    fn a_range_with_one_foreign_end_covers_no_ipv4_address() {
        let v6 = |first, last| Footprint {
            v4: None,
            v6: Some((bits(first), bits(last))),
        };
        let range = |start, end| Footprint::of_range(ip(start), ip(end));
        assert_eq!(range("::", "ffff::"), v6("::", "ffff::"));
        assert_eq!(
            range("::ffff:9.0.0.0", "2001::"),
            v6("::ffff:9.0.0.0", "2001::")
        );
        assert_eq!(range("9.0.0.0", "2001::"), v6("9.0.0.0", "255.255.255.255"));
        assert_eq!(range("::", "9.0.0.0"), v6("0.0.0.0", "9.0.0.0"));
        assert_eq!(range("9.0.0.0", "::"), Footprint::default());
        assert_eq!(range("2001::", "9.0.0.0"), Footprint::default());
    }
}
