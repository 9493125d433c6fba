//! The rules of a block list: what was added, in which order, and what it covers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::coverage::Coverage;
use super::rule::Rule;

/// When a rule was added: greater is newer.
type Age = u64;

#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Address rules. The key is the IPv4 address for a mapped one: those two are one rule, which
    /// prints as the newer of them.
    addresses: BTreeMap<IpAddr, (Rule, Age)>,
    /// Subnets and ranges, each as often as it was added.
    others: BTreeSet<(Rule, Age)>,
    next_age: Age,
    coverage: Coverage,
}

impl Rules {
    pub(super) fn add(&mut self, rule: Rule) {
        let age = self.next_age;
        self.next_age += 1;
        let is_new = match rule {
            Rule::Address(ip) => self
                .addresses
                .insert(ip.to_canonical(), (rule, age))
                .is_none(),
            Rule::Subnet { .. } | Rule::Range { .. } => self.others.insert((rule, age)),
        };
        if is_new {
            self.coverage.insert(rule.footprint());
        }
    }

    /// Removes the newest such rule, if there is one.
    pub(super) fn remove(&mut self, rule: &Rule) {
        let removed = match *rule {
            Rule::Address(ip) => self.addresses.remove(&ip.to_canonical()).is_some(),
            Rule::Subnet { .. } | Rule::Range { .. } => {
                let newest = self
                    .others
                    .range((*rule, 0)..=(*rule, Age::MAX))
                    .next_back()
                    .copied();
                newest.is_some_and(|entry| self.others.remove(&entry))
            }
        };
        if removed {
            self.coverage.remove(rule.footprint());
        }
    }

    pub(super) fn cover(&self, ip: IpAddr) -> bool {
        self.coverage.contains(ip)
    }

    pub(super) fn len(&self) -> usize {
        self.addresses.len() + self.others.len()
    }

    /// Addresses, then subnets, then ranges; of each, the newest first.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut entries: Vec<&(Rule, Age)> = self.addresses.values().chain(&self.others).collect();
        entries.sort_unstable_by_key(|(rule, age)| {
            let kind = match rule {
                Rule::Address(_) => 0,
                Rule::Subnet { .. } => 1,
                Rule::Range { .. } => 2,
            };
            (kind, Reverse(*age))
        });
        entries.iter().map(|(rule, _)| rule.to_string()).collect()
    }
}
