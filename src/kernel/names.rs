//! Names and zones, as the resolver knows them.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::panic::{UnwindSafe, catch_unwind};

use dns_lookup::{AddrInfoHints, AddrInfoIter, LookupError, LookupErrorKind, getaddrinfo};

use super::other;
use crate::address::Family;

/// Why a name has no addresses.
pub(crate) enum Failure {
    /// A code of the resolver's, as Node names it.
    Known(&'static str),
    /// The name is all right; there may be no descriptor left to ask the resolver by.
    System(io::Error),
}

/// The addresses of a name. It blocks for as long as that takes.
pub(crate) fn addresses(
    host: &str,
    family: Option<Family>,
    flags: i32,
) -> Result<Vec<IpAddr>, Failure> {
    if let Some(found) = other::resolve(host) {
        let mut found = found.map_err(Failure::Known)?;
        if let Some(family) = family {
            found.retain(|ip| ip.is_ipv4() == (family == Family::V4));
        }
        return Ok(found);
    }
    let hints = AddrInfoHints {
        socktype: socket2::Type::STREAM.into(),
        address: match family {
            None => 0,
            Some(Family::V4) => socket2::Domain::IPV4.into(),
            Some(Family::V6) => socket2::Domain::IPV6.into(),
        },
        flags,
        ..AddrInfoHints::default()
    };
    let found = ask(|| getaddrinfo(Some(host), None, Some(hints)))?;
    Ok(found
        .filter_map(|info| info.ok().map(|info| info.sockaddr.ip()))
        .collect())
}

/// The number of the interface that a zone names, which only the system knows; 0 if there is none.
pub(crate) fn scope(zoned: &str, address: Ipv6Addr) -> u32 {
    if let Some(scope) = other::scope(zoned) {
        return scope;
    }
    let hints = AddrInfoHints {
        flags: flags::NUMERICHOST,
        socktype: socket2::Type::STREAM.into(),
        ..AddrInfoHints::default()
    };
    let found = ask(|| getaddrinfo(Some(zoned), None, Some(hints)));
    let scopes = found.into_iter().flatten().flatten();
    scopes
        .filter_map(|info| match info.sockaddr {
            SocketAddr::V6(found) if *found.ip() == address => Some(found.scope_id()),
            _ => None,
        })
        .next()
        .unwrap_or(0)
}

/// What the resolver says. The library in between panics over the text of an error that is not UTF-8, as in a locale of
/// Latin-2: which error that was, is lost.
fn ask(
    resolver: impl FnOnce() -> Result<AddrInfoIter, LookupError> + UnwindSafe,
) -> Result<AddrInfoIter, Failure> {
    let said = catch_unwind(resolver).map_err(|_| Failure::Known("EAI_FAIL"))?;
    said.map_err(failure)
}

fn failure(error: LookupError) -> Failure {
    Failure::Known(match error.kind() {
        LookupErrorKind::Again => "EAI_AGAIN",
        LookupErrorKind::Badflags => "EAI_BADFLAGS",
        LookupErrorKind::Fail => "EAI_FAIL",
        LookupErrorKind::Family => "EAI_FAMILY",
        LookupErrorKind::Memory => "EAI_MEMORY",
        LookupErrorKind::Service => "EAI_SERVICE",
        LookupErrorKind::Socktype => "EAI_SOCKTYPE",
        LookupErrorKind::System | LookupErrorKind::IO => return Failure::System(error.into()),
        _ => "ENOTFOUND",
    })
}

/// The resolver's flags, as each system's `<netdb.h>` has them.
#[cfg(target_os = "linux")]
pub(crate) mod flags {
    pub(super) const NUMERICHOST: i32 = 0x4;
    pub(crate) const V4MAPPED: i32 = 0x8;
    pub(crate) const ALL: i32 = 0x10;
    pub(crate) const ADDRCONFIG: i32 = 0x20;
}

#[cfg(any(target_os = "solaris", target_os = "illumos"))]
pub(crate) mod flags {
    pub(crate) const V4MAPPED: i32 = 0x1;
    pub(crate) const ALL: i32 = 0x2;
    pub(crate) const ADDRCONFIG: i32 = 0x4;
    pub(super) const NUMERICHOST: i32 = 0x20;
}

/// Without mapped addresses, so that asking for them has no effect.
#[cfg(any(target_os = "netbsd", target_os = "openbsd"))]
pub(crate) mod flags {
    pub(super) const NUMERICHOST: i32 = 0x4;
    pub(crate) const ALL: i32 = 0;
    pub(crate) const V4MAPPED: i32 = 0;
    pub(crate) const ADDRCONFIG: i32 = if cfg!(target_os = "netbsd") {
        0x400
    } else {
        0x40
    };
}

/// Android's, macOS's, FreeBSD's and DragonFly's.
#[cfg(not(any(
    target_os = "linux",
    target_os = "solaris",
    target_os = "illumos",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
pub(crate) mod flags {
    pub(super) const NUMERICHOST: i32 = 0x4;
    pub(crate) const ALL: i32 = 0x100;
    pub(crate) const ADDRCONFIG: i32 = 0x400;
    pub(crate) const V4MAPPED: i32 = 0x800;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_that_panics_is_one_that_fails() {
        let said = ask(|| panic!("the text of an error is not UTF-8"));
        assert!(matches!(said, Err(Failure::Known("EAI_FAIL"))));
    }
}
