//! Values that can be given in several ways: ranges, and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

/// From one value to another, both included: what the seed chooses from.
///
/// Made of a range (`ms(1)..=ms(40)`, or `ms(1)..ms(40)`) or of one value that it always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between<T> {
    pub(super) least: T,
    pub(super) most: T,
}

impl<T: Copy> From<T> for Between<T> {
    fn from(value: T) -> Between<T> {
        Between {
            least: value,
            most: value,
        }
    }
}

impl<T: Copy> From<RangeInclusive<T>> for Between<T> {
    fn from(range: RangeInclusive<T>) -> Between<T> {
        Between {
            least: *range.start(),
            most: *range.end(),
        }
    }
}

impl From<Range<Duration>> for Between<Duration> {
    fn from(range: Range<Duration>) -> Between<Duration> {
        let below = range.end.saturating_sub(Duration::from_nanos(1));
        Between {
            least: range.start,
            most: below.max(range.start),
        }
    }
}

impl From<Range<usize>> for Between<usize> {
    fn from(range: Range<usize>) -> Between<usize> {
        Between {
            least: range.start,
            most: range.end.saturating_sub(1).max(range.start),
        }
    }
}

impl Between<Duration> {
    pub(super) fn nanos(self) -> RangeInclusive<u64> {
        nanos(self.least)..=nanos(self.most)
    }
}

impl Between<usize> {
    pub(super) fn bytes(self) -> RangeInclusive<u64> {
        self.least as u64..=self.most as u64
    }
}

/// A time in whole nanoseconds; half a millennium at most.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// IP addresses, given as text or as what they are: `"10.0.0.1"`, `["10.0.0.1", "fd00::1"]`.
///
/// Where addresses are asked for, text that is none panics.
pub trait Addresses {
    /// The addresses.
    ///
    /// # Panics
    ///
    /// If a text is no IP address.
    fn addresses(&self) -> Vec<IpAddr>;
}

impl Addresses for str {
    #[track_caller]
    fn addresses(&self) -> Vec<IpAddr> {
        match self.parse() {
            Ok(address) => vec![address],
            Err(_) => panic!("{self:?} is no IP address: a host of a world is known by those"),
        }
    }
}

impl Addresses for IpAddr {
    fn addresses(&self) -> Vec<IpAddr> {
        vec![*self]
    }
}

impl Addresses for Ipv4Addr {
    fn addresses(&self) -> Vec<IpAddr> {
        vec![(*self).into()]
    }
}

impl Addresses for Ipv6Addr {
    fn addresses(&self) -> Vec<IpAddr> {
        vec![(*self).into()]
    }
}

impl<A: Addresses> Addresses for [A] {
    #[track_caller]
    fn addresses(&self) -> Vec<IpAddr> {
        self.iter().flat_map(Addresses::addresses).collect()
    }
}

impl<A: Addresses, const N: usize> Addresses for [A; N] {
    #[track_caller]
    fn addresses(&self) -> Vec<IpAddr> {
        self.as_slice().addresses()
    }
}

impl<A: Addresses + ?Sized> Addresses for &A {
    #[track_caller]
    fn addresses(&self) -> Vec<IpAddr> {
        (**self).addresses()
    }
}
