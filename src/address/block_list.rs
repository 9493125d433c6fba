//! `BlockList`: rules that say which addresses are blocked.
//!
//! | file | what is in it |
//! |---|---|
//! | `rule.rs` | one rule: its text, its limits, the addresses it covers |
//! | `rules.rs` | the rules of a list, in Node's order |
//! | `coverage.rs`, `spans.rs`, `disjoint.rs` | the union of all rules, searched by `check` |
//! | `cidr.rs`, `rule_text.rs`, `json.rs` | reading rules from text |

mod cidr;
mod coverage;
mod disjoint;
mod json;
mod rule;
mod rule_text;
mod rules;
mod spans;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::rule::Rule;
use self::rules::Rules;
use super::{AddressError, IntoAddress};
use crate::error::Error;

/// A set of rules on addresses, ranges of addresses and subnets. Node's `net.BlockList`.
///
/// An IPv4 address and its IPv4-mapped IPv6 form (`::ffff:a.b.c.d`) are the same address to every
/// rule, except that a range from or to other IPv6 addresses covers no IPv4 address.
///
/// A clone is the same list: what is added by one is seen by all. It may belong to another thread, and the
/// servers there: the list is `Send` and `Sync`.
///
/// [`check`](Self::check) and every change take time logarithmic in the number of rules, whatever
/// the order they come in; `check` allocates nothing. (Removing a rule that overlaps many others,
/// none of which covers it alone, takes time proportional to those.)
///
/// ```
/// use soquete::net::BlockList;
///
/// let list = BlockList::new();
/// list.add_address("123.123.123.123")?;
/// list.add_range("10.0.0.1", "10.0.0.10")?;
/// list.add_subnet("8592:757c:efae:4e45::", 64)?;
///
/// assert!(list.check("10.0.0.3"));
/// assert!(list.check("::ffff:123.123.123.123"));
/// assert!(!list.check("222.111.111.222"));
/// # Ok::<(), soquete::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct BlockList {
    rules: Arc<RwLock<Rules>>,
}

impl BlockList {
    /// The private, loopback and link-local networks, for [`add_cidrs`](Self::add_cidrs).
    ///
    /// ```
    /// use soquete::net::BlockList;
    ///
    /// let list = BlockList::new();
    /// list.add_cidrs(BlockList::PRIVATE_RANGES)?;
    /// assert!(list.check("192.168.1.1"));
    /// # Ok::<(), soquete::Error>(())
    /// ```
    pub const PRIVATE_RANGES: [&'static str; 8] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "::1/128",
        "169.254.0.0/16",
        "fe80::/10",
        "fc00::/7",
    ];

    /// An empty list, which blocks nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a rule covers the address. Text that is not an address is covered by none.
    pub fn check(&self, address: impl IntoAddress) -> bool {
        address
            .read()
            .is_ok_and(|address| self.read().cover(address.ip()))
    }

    /// Blocks one address. Adding it again changes nothing.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ADDRESS`.
    #[doc(alias = "addAddress")]
    pub fn add_address(&self, address: impl IntoAddress) -> Result<(), Error> {
        self.add(Rule::Address(address.read()?.ip()));
        Ok(())
    }

    /// Blocks several addresses: all of them, or none if one is invalid.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ADDRESS`.
    #[doc(alias = "addAddresses")]
    pub fn add_addresses<A: IntoAddress>(
        &self,
        addresses: impl IntoIterator<Item = A>,
    ) -> Result<(), Error> {
        let rule = |address: A| Ok::<_, AddressError>(Rule::Address(address.read()?.ip()));
        let rules = addresses
            .into_iter()
            .map(rule)
            .collect::<Result<Vec<_>, _>>()?;
        self.add_all(rules);
        Ok(())
    }

    /// Blocks the addresses from `start` to `end`, both included.
    ///
    /// ```
    /// # let list = soquete::net::BlockList::new();
    /// list.add_range("10.0.0.1", "10.0.0.9")?;
    /// assert!(list.check("10.0.0.9"));
    /// # Ok::<(), soquete::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ADDRESS`, or `ERR_INVALID_ARG_VALUE` if `start` comes after `end`.
    #[doc(alias = "addRange")]
    pub fn add_range(&self, start: impl IntoAddress, end: impl IntoAddress) -> Result<(), Error> {
        self.add(Rule::range(start.read()?, end.read()?)?);
        Ok(())
    }

    /// Blocks the addresses that have their first `prefix` bits in common with `network`, whose
    /// other bits may be anything.
    ///
    /// ```
    /// # let list = soquete::net::BlockList::new();
    /// list.add_subnet("2001:db8::", 32)?;
    /// assert!(list.check("2001:db8::7"));
    /// # Ok::<(), soquete::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ADDRESS`, or `ERR_OUT_OF_RANGE` for a prefix above 32 (IPv4) or 128 (IPv6).
    #[doc(alias = "addSubnet")]
    pub fn add_subnet(&self, network: impl IntoAddress, prefix: u8) -> Result<(), Error> {
        self.add(Rule::subnet(network.read()?.ip(), prefix)?);
        Ok(())
    }

    /// Blocks a subnet in CIDR notation, such as `10.0.0.0/8` or `2001:db8::/32`.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG_VALUE` if the prefix is missing or not a plain decimal number, and the
    /// errors of [`add_subnet`](Self::add_subnet).
    #[doc(alias = "addCIDR")]
    pub fn add_cidr(&self, cidr: &str) -> Result<(), Error> {
        self.add(cidr::split(cidr)?.to_rule()?);
        Ok(())
    }

    /// Blocks several subnets in CIDR notation: all of them, or none if one is invalid.
    ///
    /// # Errors
    ///
    /// Those of [`add_cidr`](Self::add_cidr).
    #[doc(alias = "addCIDRs")]
    pub fn add_cidrs<S: AsRef<str>>(
        &self,
        cidrs: impl IntoIterator<Item = S>,
    ) -> Result<(), Error> {
        // In two passes, so that of several errors the same comes first as in Node.
        let cidrs: Vec<S> = cidrs.into_iter().collect();
        let split = cidrs.iter().map(|text| cidr::split(text.as_ref()));
        let split = split.collect::<Result<Vec<_>, _>>()?;
        let rules = split
            .iter()
            .map(cidr::Cidr::to_rule)
            .collect::<Result<Vec<_>, _>>()?;
        self.add_all(rules);
        Ok(())
    }

    /// Takes back an [`add_address`](Self::add_address); nothing happens if there was none. Subnets
    /// and ranges that cover the address go on blocking it.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ADDRESS`.
    #[doc(alias = "removeAddress")]
    pub fn remove_address(&self, address: impl IntoAddress) -> Result<(), Error> {
        self.remove(&Rule::Address(address.read()?.ip()));
        Ok(())
    }

    /// Takes back one [`add_range`](Self::add_range) of the same two addresses; nothing happens if
    /// there was none.
    ///
    /// ```
    /// # let list = soquete::net::BlockList::new();
    /// list.add_range("10.0.0.1", "10.0.0.9")?;
    /// list.remove_range("10.0.0.1", "10.0.0.9")?;
    /// assert!(!list.check("10.0.0.9"));
    /// # Ok::<(), soquete::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ADDRESS`.
    #[doc(alias = "removeRange")]
    pub fn remove_range(
        &self,
        start: impl IntoAddress,
        end: impl IntoAddress,
    ) -> Result<(), Error> {
        let (start, end) = (start.read()?.ip(), end.read()?.ip());
        self.remove(&Rule::Range { start, end });
        Ok(())
    }

    /// Takes back one [`add_subnet`](Self::add_subnet) of the same network, with the same host bits,
    /// and prefix; nothing happens if there was none.
    ///
    /// ```
    /// # let list = soquete::net::BlockList::new();
    /// list.add_subnet("10.0.0.0", 8)?;
    /// list.remove_subnet("10.0.0.0", 8)?;
    /// assert!(!list.check("10.0.0.9"));
    /// # Ok::<(), soquete::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`add_subnet`](Self::add_subnet).
    #[doc(alias = "removeSubnet")]
    pub fn remove_subnet(&self, network: impl IntoAddress, prefix: u8) -> Result<(), Error> {
        self.remove(&Rule::subnet(network.read()?.ip(), prefix)?);
        Ok(())
    }

    /// Takes back one [`add_cidr`](Self::add_cidr); nothing happens if there was none.
    ///
    /// # Errors
    ///
    /// Those of [`add_cidr`](Self::add_cidr).
    #[doc(alias = "removeCIDR")]
    pub fn remove_cidr(&self, cidr: &str) -> Result<(), Error> {
        self.remove(&cidr::split(cidr)?.to_rule()?);
        Ok(())
    }

    /// Removes all rules.
    pub fn clear(&self) {
        *self.write() = Rules::default();
    }

    /// The number of rules.
    pub fn size(&self) -> usize {
        self.read().len()
    }

    /// The rules as text: the addresses, then the subnets, then the ranges, the newest of each
    /// first.
    ///
    /// ```
    /// use soquete::net::BlockList;
    ///
    /// let list = BlockList::new();
    /// list.add_range("10.0.0.1", "10.0.0.10")?;
    /// list.add_address("1.1.1.1")?;
    /// list.add_cidr("fe80::/10")?;
    /// assert_eq!(
    ///     list.rules(),
    ///     ["Address: IPv4 1.1.1.1", "Subnet: IPv6 fe80::/10", "Range: IPv4 10.0.0.1-10.0.0.10"]
    /// );
    /// # Ok::<(), soquete::Error>(())
    /// ```
    pub fn rules(&self) -> Vec<String> {
        self.read().texts()
    }

    /// The [`rules`](Self::rules) as the text of a JSON array.
    ///
    /// A range whose ends are of different families cannot be read back by
    /// [`from_json`](Self::from_json).
    #[doc(alias = "toJSON")]
    pub fn to_json(&self) -> String {
        json::print(&self.rules())
    }

    /// Adds the rules of the text of a JSON array, as [`to_json`](Self::to_json) prints it: all of
    /// them, or none if one is invalid. Strings that are no rules at all are ignored.
    ///
    /// ```
    /// use soquete::net::BlockList;
    ///
    /// let list = BlockList::new();
    /// list.from_json(r#"["Subnet: IPv4 192.168.1.0/24", "Address: IPv6 ::1"]"#)?;
    /// assert!(list.check("192.168.1.7") && list.check("::1"));
    /// # Ok::<(), soquete::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG_VALUE` if the text is not JSON, `ERR_INVALID_ARG_TYPE` if it is not an array
    /// of strings, and the errors of the `add_` methods.
    #[doc(alias = "fromJSON")]
    pub fn from_json(&self, json: &str) -> Result<(), Error> {
        self.add_rules(json::parse(json)?)
    }

    /// Adds rules of the form of [`rules`](Self::rules): all of them, or none if one is invalid.
    /// Strings that are no rules at all are ignored. Node's `fromJSON` of an array.
    ///
    /// # Errors
    ///
    /// Those of the `add_` methods.
    pub fn add_rules<S: AsRef<str>>(
        &self,
        rules: impl IntoIterator<Item = S>,
    ) -> Result<(), Error> {
        let rules = rules
            .into_iter()
            .filter_map(|text| rule_text::parse(text.as_ref()).transpose());
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        self.add_all(rules);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rules> {
        self.rules.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, rule: Rule) {
        self.write().add(rule);
    }

    /// Takes the rules ready-made: while the list is borrowed, no iterator of the caller's may run.
    fn add_all(&self, rules: Vec<Rule>) {
        let mut list = self.write();
        for rule in rules {
            list.add(rule);
        }
    }

    fn remove(&self, rule: &Rule) {
        self.write().remove(rule);
    }
}

impl fmt::Debug for BlockList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockList")
            .field("rules", &self.rules())
            .finish()
    }
}
