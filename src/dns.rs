//! Resolving names, by the system's resolver on the loop's pool of threads.
//!
//! As Node's `dns.lookup`, this is `getaddrinfo(3)`: it reads `/etc/hosts`, obeys `nsswitch.conf`,
//! and blocks a thread of the pool for as long as it takes, never the loop.

use std::net::{IpAddr, SocketAddr};

use dns_lookup::{AddrInfoHints, LookupErrorKind};

use crate::address::Family;
use crate::error::{Error, Result};
use crate::reactor;

/// What a lookup looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookupOptions {
    /// Addresses of this family only.
    pub family: Option<Family>,
}

impl LookupOptions {
    /// Addresses of any family.
    pub fn new() -> LookupOptions {
        LookupOptions::default()
    }

    /// Addresses of this family only.
    pub fn family(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }
}

/// Resolves `host`, and calls `callback` on the loop with its addresses, in the resolver's order.
///
/// An IP address needs no resolver; the callback is then called on the next tick.
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// soquete::dns::lookup("127.0.0.1", Default::default(), |addresses| {
///     assert_eq!(addresses.unwrap()[0].to_string(), "127.0.0.1");
/// });
/// soquete::run()
/// # }
/// ```
///
/// # Errors
///
/// The callback gets an error with the code `ENOTFOUND` for a name that does not exist, and
/// `EAI_AGAIN` where the resolver could not find out.
pub fn lookup(
    host: &str,
    options: LookupOptions,
    callback: impl FnOnce(Result<Vec<IpAddr>>) + 'static,
) {
    if let Ok(address) = host.parse::<IpAddr>() {
        return crate::timers::next_tick(move || callback(Ok(vec![address])));
    }
    let host = host.to_owned();
    // On a thread that is on its way out there is nobody left to be told.
    reactor::with(|event_loop| {
        let queued = event_loop.queue_work(move || resolve(&host, options), callback);
        if let Err(error) = queued {
            log::error!(target: "soquete::dns", "lookup: {error}");
        }
    });
}

fn resolve(host: &str, options: LookupOptions) -> Result<Vec<IpAddr>> {
    let hints = AddrInfoHints {
        socktype: socket2::Type::STREAM.into(),
        address: match options.family {
            None => 0,
            Some(Family::V4) => socket2::Domain::IPV4.into(),
            Some(Family::V6) => socket2::Domain::IPV6.into(),
        },
        // Without a family, only what this machine has addresses for itself is of use.
        flags: if options.family.is_none() {
            ADDRCONFIG
        } else {
            0
        },
        ..AddrInfoHints::default()
    };
    let found = dns_lookup::getaddrinfo(Some(host), None, Some(hints))
        .map_err(|error| Error::lookup(code(error.kind()), host))?;
    let addresses: Vec<IpAddr> = found
        .filter_map(|info| info.ok().map(|info| info.sockaddr))
        .map(|a: SocketAddr| a.ip())
        .collect();
    if addresses.is_empty() {
        Err(Error::lookup("ENOTFOUND", host))
    } else {
        Ok(addresses)
    }
}

/// `AI_ADDRCONFIG`.
#[cfg(any(target_os = "linux", target_os = "android"))]
const ADDRCONFIG: i32 = 0x20;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ADDRCONFIG: i32 = 0x400;

fn code(kind: LookupErrorKind) -> &'static str {
    match kind {
        LookupErrorKind::Again => "EAI_AGAIN",
        LookupErrorKind::Badflags => "EAI_BADFLAGS",
        LookupErrorKind::Fail => "EAI_FAIL",
        LookupErrorKind::Family => "EAI_FAMILY",
        LookupErrorKind::Memory => "EAI_MEMORY",
        LookupErrorKind::Service => "EAI_SERVICE",
        LookupErrorKind::Socktype => "EAI_SOCKTYPE",
        _ => "ENOTFOUND",
    }
}
