//! Resolving names, by the system's resolver on the loop's pool of threads.
//!
//! As Node's `dns.lookup`, this is `getaddrinfo(3)`: it reads `/etc/hosts`, obeys `nsswitch.conf`,
//! and blocks a thread of the pool for as long as it takes, and the loop only if no thread can be
//! started. Lookups share the threads of the pool (see [`set_pool_size`](crate::set_pool_size)) with
//! [`queue_work`](crate::queue_work), of which, as in Node, they take half at most: names that cannot be
//! resolved for a while do not keep work waiting. A name that is being looked up is not looked up a second
//! time beside that: all who ask get the same answer.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::ops::BitOr;

use crate::address::{Family, is_ip};
use crate::error::{Error, Result, node};
use crate::events::Outcome;
use crate::kernel::names::{self, Failure, flags};
use crate::reactor::{self, Origin};

/// What a lookup looks for.
///
/// ```
/// use soquete::dns::{Hints, LookupOptions, Order};
/// use soquete::net::Family;
///
/// let options = LookupOptions::new().all(true).order(Order::Ipv4First);
/// let mapped = LookupOptions::new().family(Family::V6).hints(Hints::V4MAPPED | Hints::ALL);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct LookupOptions {
    /// Addresses of this family only.
    pub family: Option<Family>,
    /// Flags for the resolver; none by default.
    pub hints: Hints,
    /// Whether all addresses are wanted. Otherwise it is the first.
    pub all: bool,
    /// The order of the addresses, and so which is the first; by default that of
    /// [`set_default_result_order`].
    pub order: Option<Order>,
}

impl LookupOptions {
    /// One address of any family.
    pub fn new() -> LookupOptions {
        LookupOptions::default()
    }

    /// Addresses of this family only.
    pub fn family(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }

    /// Flags for the resolver.
    pub fn hints(mut self, hints: Hints) -> Self {
        self.hints = hints;
        self
    }

    /// Whether all addresses are wanted, or the first.
    pub fn all(mut self, all: bool) -> Self {
        self.all = all;
        self
    }

    /// The order of the addresses.
    pub fn order(mut self, order: Order) -> Self {
        self.order = Some(order);
        self
    }
}

/// The order of the addresses that a name has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// As the resolver gave them.
    #[default]
    Verbatim,
    /// IPv4 before IPv6.
    Ipv4First,
    /// IPv6 before IPv4.
    Ipv6First,
}

/// Flags for the resolver; combined by `|`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hints(u8);

impl Hints {
    /// Only families of which this machine has an address itself, not counting loopback.
    pub const ADDRCONFIG: Hints = Hints(1);
    /// With family IPv6: IPv4 addresses in their IPv6 form, if there are no others.
    pub const V4MAPPED: Hints = Hints(2);
    /// With [`V4MAPPED`](Hints::V4MAPPED): those too, whether or not there are others.
    pub const ALL: Hints = Hints(4);

    /// Whether none is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` are set.
    pub fn contains(self, other: Hints) -> bool {
        self.0 & other.0 == other.0
    }

    fn to_flags(self) -> i32 {
        [
            (Hints::ADDRCONFIG, flags::ADDRCONFIG),
            (Hints::V4MAPPED, flags::V4MAPPED),
            (Hints::ALL, flags::ALL),
        ]
        .into_iter()
        .filter(|(hint, _)| self.contains(*hint))
        .fold(0, |flags, (_, flag)| flags | flag)
    }
}

impl BitOr for Hints {
    type Output = Hints;

    fn bitor(self, other: Hints) -> Hints {
        Hints(self.0 | other.0)
    }
}

thread_local! {
    static ORDER: Cell<Order> = const { Cell::new(Order::Verbatim) };
}

/// The order of the addresses that lookups of this thread give by default.
/// [`Order::Verbatim`] at first.
#[doc(alias = "getDefaultResultOrder")]
pub fn get_default_result_order() -> Order {
    ORDER.get()
}

/// Sets what [`get_default_result_order`] returns.
#[doc(alias = "setDefaultResultOrder")]
pub fn set_default_result_order(order: Order) {
    ORDER.set(order);
}

/// What a [`lookup`](crate::net::ConnectOptions::lookup) of one's own is given to answer by.
pub type LookupCallback = Box<dyn FnOnce(Result<Vec<IpAddr>>)>;

/// Resolves `host`, and calls `callback` on the loop with its first address. Node's `dns.lookup`.
///
/// An IP address needs no resolver; the callback is then called on the next tick.
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// soquete::dns::lookup("127.0.0.1", |addresses| {
///     assert_eq!(addresses?[0].to_string(), "127.0.0.1");
///     Ok(())
/// });
/// soquete::run()
/// # }
/// ```
///
/// # Errors
///
/// The callback gets an error with the code `ENOTFOUND` for a name that does not exist, `EAI_AGAIN`
/// where the resolver could not find out, another of `getaddrinfo`'s or the system's (`EAI_FAIL`,
/// `EMFILE`) where it could not try, and `ERR_INVALID_ARG_VALUE` for one that is empty or has a NUL byte.
/// An error that the callback itself returns is an uncaught exception, as a timer's is.
#[track_caller]
pub fn lookup<R: Outcome>(host: &str, callback: impl FnOnce(Result<Vec<IpAddr>>) -> R + 'static) {
    lookup_with(host, LookupOptions::new(), callback);
}

/// As [`lookup`], with options: for addresses of one family, say, or for [`all`](LookupOptions::all) of
/// them. The callback never gets an empty list.
///
/// ```
/// use soquete::dns::{self, LookupOptions, Order};
///
/// let options = LookupOptions::new().all(true).order(Order::Ipv4First);
/// dns::lookup_with("localhost", options, |addresses| {
///     for address in addresses? {
///         println!("{address}");
///     }
///     Ok(())
/// });
/// # soquete::run().unwrap();
/// ```
///
/// # Errors
///
/// As [`lookup`].
#[doc(alias = "lookup")]
#[track_caller]
pub fn lookup_with<R: Outcome>(
    host: &str,
    options: LookupOptions,
    callback: impl FnOnce(Result<Vec<IpAddr>>) -> R + 'static,
) {
    if let Some(answer) = answer_at_once(host) {
        return crate::timers::next_tick(move || reactor::heed(callback(answer)));
    }
    let origin = Origin::here();
    let order = options.order.unwrap_or_else(get_default_result_order);
    let call = move |answer: Result<Result<Vec<IpAddr>>>| {
        callback(answer.and_then(|answer| answer).map(|mut addresses| {
            sort(&mut addresses, order);
            if !options.all {
                addresses.truncate(1);
            }
            addresses
        }))
    };
    let question = Question {
        host: host.to_owned(),
        family: options.family,
        hints: options.hints,
    };
    let name = format!("{question:?}");
    // On a thread that is on its way out nobody is left to hear of it.
    reactor::with(|event_loop| event_loop.look_up(name, move || resolve(&question), call, origin));
}

/// What the resolver is asked.
#[derive(Clone, Debug)]
struct Question {
    host: String,
    family: Option<Family>,
    hints: Hints,
}

/// The answer to what is not a name.
fn answer_at_once(host: &str) -> Option<Result<Vec<IpAddr>>> {
    if host.is_empty() {
        let problem = "must be a non-empty string";
        return Some(Err(node::invalid_text("hostname", problem, host)));
    }
    if host.contains('\0') {
        let problem = "must be a string without null bytes";
        return Some(Err(node::invalid_text("hostname", problem, host)));
    }
    literal(host, 0).map(|address| Ok(vec![address.ip()]))
}

/// The address that an IP literal is, with the number of its zone; `None` for a name.
pub(crate) fn literal(host: &str, port: u16) -> Option<SocketAddr> {
    if is_ip(host) == 0 {
        return None;
    }
    let (address, zone) = match host.split_once('%') {
        Some((address, _)) => (address, Some(host)),
        None => (host, None),
    };
    match (address.parse().ok()?, zone) {
        (IpAddr::V6(address), Some(zoned)) => {
            let scope = names::scope(zoned, address);
            Some(SocketAddrV6::new(address, port, 0, scope).into())
        }
        (address, _) => Some(SocketAddr::new(address, port)),
    }
}

fn resolve(question: &Question) -> Result<Vec<IpAddr>> {
    let host = question.host.as_str();
    let asked = names::addresses(host, question.family, question.hints.to_flags());
    let addresses = asked.map_err(|failure| match failure {
        Failure::Known(code) => Error::lookup(code, host),
        Failure::System(error) => Error::lookup_system(&error, host),
    })?;
    if addresses.is_empty() {
        return Err(Error::lookup("ENOTFOUND", host));
    }
    Ok(addresses)
}

fn sort(addresses: &mut [IpAddr], order: Order) {
    match order {
        Order::Verbatim => {}
        Order::Ipv4First => addresses.sort_by_key(IpAddr::is_ipv6),
        Order::Ipv6First => addresses.sort_by_key(IpAddr::is_ipv4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<IpAddr> {
        text.split_whitespace()
            .filter_map(|address| address.parse().ok())
            .collect()
    }

    #[test]
    fn an_order_keeps_the_resolvers_within_a_family() {
        let verbatim = addresses("::1 10.0.0.1 ::2 10.0.0.2");
        for (order, expected) in [
            (Order::Verbatim, "::1 10.0.0.1 ::2 10.0.0.2"),
            (Order::Ipv4First, "10.0.0.1 10.0.0.2 ::1 ::2"),
            (Order::Ipv6First, "::1 ::2 10.0.0.1 10.0.0.2"),
        ] {
            let mut sorted = verbatim.clone();
            sort(&mut sorted, order);
            assert_eq!(sorted, addresses(expected), "{order:?}");
        }
    }

    #[test]
    fn a_literal_keeps_its_zone_as_a_number() {
        assert_eq!(literal("localhost", 1), None);
        assert_eq!(literal("127.0.0.1", 1), "127.0.0.1:1".parse().ok());
        let scope = |host| match literal(host, 1) {
            Some(SocketAddr::V6(address)) => address.scope_id(),
            _ => u32::MAX,
        };
        assert_eq!(scope("fe80::1"), 0);
        assert_eq!(scope("fe80::1%nosuchinterface"), 0);
        if cfg!(target_os = "linux") {
            assert_ne!(scope("fe80::1%lo"), 0);
        }
    }

    #[test]
    fn hints_are_the_resolvers_flags() {
        let hints = Hints::V4MAPPED | Hints::ALL;
        assert!(hints.contains(Hints::ALL) && !hints.contains(Hints::ADDRCONFIG));
        assert_eq!(hints.to_flags(), flags::V4MAPPED | flags::ALL);
        assert_eq!(Hints::default().to_flags(), 0);
    }
}
