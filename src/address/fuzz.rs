//! Bodies of fuzz targets. Each takes any bytes and panics if an answer is wrong.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{
    BlockList, Family, IntoAddress, SocketAddress, SocketAddressOptions, is_ip, is_ipv4, is_ipv6,
};

/// Reads the bytes as an address in every way there is, and compares the answers with each other and
/// with those of the standard library.
pub fn fuzz_address(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let ip = text.parse::<IpAddr>().ok();

    assert_eq!(is_ipv4(text), is_ip(text) == 4);
    assert_eq!(is_ipv6(text), is_ip(text) == 6);
    if !text.contains('%') {
        assert_eq!(is_ip(text) != 0, ip.is_some());
    }

    let options = SocketAddressOptions::new().address(text).port(80);
    if let Ok(address) = SocketAddress::new(options) {
        let canonical = address.address();
        assert_eq!(
            canonical.parse(),
            Ok(address.ip()),
            "{text:?} printed {canonical:?}"
        );
        assert!(ip.is_none_or(|ip| ip == address.ip()));
        assert_prints_what_parse_reads(address);
    } else {
        assert_eq!(is_ip(text), 0);
    }

    if let Some(address) = SocketAddress::parse(text) {
        assert_prints_what_parse_reads(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>()
        && !text.contains('%')
    {
        assert_eq!(SocketAddress::parse(text), Some(address.into()));
    }
}

fn assert_prints_what_parse_reads(address: SocketAddress) {
    assert_eq!(SocketAddress::parse(&address.to_string()), Some(address));
}

/// Runs the bytes as a program of changes on a [`BlockList`] and on a list of rules that are tried
/// one by one, and compares what the two say.
pub fn fuzz_block_list(data: &[u8]) {
    let list = BlockList::new();
    let mut model = Model::default();
    let mut input = Input(data);
    while let Some(step) = input.byte() {
        let a = input.ip();
        let b = if step & 0x40 == 0 {
            input.ip_like(a)
        } else {
            input.ip()
        };
        let prefix = input.byte().unwrap_or(0) % 140;
        match step % 16 {
            0..=2 => {
                list.add_address(a).unwrap();
                model.add(Rule::Address(a));
            }
            3..=5 => match list.add_subnet(a, prefix) {
                Ok(()) => model.add(Rule::Subnet(a, prefix)),
                Err(_) => assert!(usize::from(prefix) > bits(a).len()),
            },
            6..=8 => match list.add_range(a, b) {
                Ok(()) => model.add(Rule::Range(a, b)),
                Err(_) => assert!(order(a, b).is_some_and(|order| order.is_gt())),
            },
            9 => list.remove_address(a).unwrap_or_else(|e| panic!("{e}")),
            10 => drop(list.remove_subnet(a, prefix)),
            11 => list.remove_range(a, b).unwrap_or_else(|e| panic!("{e}")),
            12..=14 => {
                // Random rules are seldom there already: take one that is.
                if let Some(rule) = model.nth(usize::from(prefix)) {
                    match rule {
                        Rule::Address(ip) => list.remove_address(ip).unwrap(),
                        Rule::Subnet(ip, prefix) => list.remove_subnet(ip, prefix).unwrap(),
                        Rule::Range(start, end) => list.remove_range(start, end).unwrap(),
                    }
                    model.remove(rule);
                }
            }
            _ if prefix == 0 => {
                list.clear();
                model.rules.clear();
            }
            _ => {}
        }
        match step % 16 {
            9 => model.remove(Rule::Address(a)),
            10 if usize::from(prefix) <= bits(a).len() => model.remove(Rule::Subnet(a, prefix)),
            11 => model.remove(Rule::Range(a, b)),
            _ => {}
        }
        for ip in [
            a,
            b,
            neighbour(a, 1),
            neighbour(b, u128::MAX),
            mapped(a),
            mapped(b),
        ] {
            assert_eq!(list.check(ip), model.check(ip), "{ip} in {list:?}");
        }
        assert_eq!(list.size(), model.rules.len());
    }
    assert_eq!(list.rules(), model.texts());
    assert_reads_its_json(&list);
}

fn assert_reads_its_json(list: &BlockList) {
    let copy = BlockList::new();
    if copy.from_json(&list.to_json()).is_ok() && copy.size() == list.size() {
        let (mut copied, mut rules) = (copy.rules(), list.rules());
        copied.sort_unstable();
        rules.sort_unstable();
        assert_eq!(copied, rules);
    } else {
        let of_two_families = |rule: &String| {
            rule.contains("Range") && {
                let (start, end) = rule
                    .rsplit(' ')
                    .next()
                    .unwrap_or("")
                    .split_once('-')
                    .unwrap();
                Family::of_text(start) != Family::of_text(end)
            }
        };
        assert!(list.rules().iter().any(of_two_families));
    }
}

/// Hands out the bytes; addresses come from a few neighbourhoods, so that rules overlap.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn ip(&mut self) -> IpAddr {
        let (place, low) = (self.byte().unwrap_or(0), self.byte().unwrap_or(0));
        match place % 8 {
            0..=2 => Ipv4Addr::new(10, 0, place >> 6, low).into(),
            3 => mapped(Ipv4Addr::new(10, 0, place >> 6, low).into()),
            4 => Ipv4Addr::from_bits(u32::from(low).wrapping_sub(128)).into(),
            5 => Ipv6Addr::from_bits(
                (0xfffe_ffff_ff80 | u128::from(place & 8) << 29) + u128::from(low),
            )
            .into(),
            6 => Ipv6Addr::new(0xfe80, 0, 0, u16::from(place >> 6), 0, 0, 0, low.into()).into(),
            _ => Ipv6Addr::from_bits(u128::from(low).wrapping_sub(128)).into(),
        }
    }

    /// An address close to another, most often behind it.
    fn ip_like(&mut self, ip: IpAddr) -> IpAddr {
        neighbour(
            ip,
            u128::from(self.byte().unwrap_or(0) % 32).wrapping_sub(2),
        )
    }
}

fn neighbour(ip: IpAddr, distance: u128) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits().wrapping_add(distance as u32)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits().wrapping_add(distance)).into(),
    }
}

fn mapped(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().into(),
        IpAddr::V6(_) => ip,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    Address(IpAddr),
    Subnet(IpAddr, u8),
    Range(IpAddr, IpAddr),
}

/// The rules in the order they came, the oldest first.
#[derive(Default)]
struct Model {
    rules: Vec<Rule>,
}

impl Model {
    fn add(&mut self, rule: Rule) {
        if let Rule::Address(_) = rule {
            self.remove(rule);
        }
        self.rules.push(rule);
    }

    fn remove(&mut self, rule: Rule) {
        let same = |other: &Rule| match (rule, *other) {
            (Rule::Address(a), Rule::Address(b)) => mapped(a) == mapped(b),
            (rule, other) => rule == other,
        };
        if let Some(at) = self.rules.iter().rposition(same) {
            self.rules.remove(at);
        }
    }

    fn nth(&self, n: usize) -> Option<Rule> {
        let at = n.checked_rem(self.rules.len())?;
        Some(self.rules[at])
    }

    fn check(&self, ip: IpAddr) -> bool {
        self.rules.iter().any(|rule| match *rule {
            Rule::Address(address) => mapped(ip) == mapped(address),
            Rule::Subnet(network, prefix) => {
                // To an IPv4 network, only the last 32 bits of a mapped address count.
                let (ip, network, skip) = match (ip, network) {
                    (IpAddr::V4(_), IpAddr::V4(_)) => (bits(ip), bits(network), 0),
                    (_, IpAddr::V4(_)) => (bits(ip), bits(mapped(network)), 96),
                    (_, IpAddr::V6(_)) => (bits(mapped(ip)), bits(network), 0),
                };
                ip[..skip + usize::from(prefix)] == network[..skip + usize::from(prefix)]
            }
            Rule::Range(start, end) => {
                order(start, ip).is_some_and(|order| order.is_le())
                    && order(ip, end).is_some_and(|order| order.is_le())
            }
        })
    }

    fn texts(&self) -> Vec<String> {
        let text = |ip: IpAddr| ip.into_address().map(|ip| ip.address()).unwrap_or_default();
        let mut texts: Vec<String> = Vec::new();
        for kind in ["Address", "Subnet", "Range"] {
            texts.extend(self.rules.iter().rev().filter_map(|rule| {
                let (name, ip, rest) = match *rule {
                    Rule::Address(ip) => ("Address", ip, String::new()),
                    Rule::Subnet(ip, prefix) => ("Subnet", ip, format!("/{prefix}")),
                    Rule::Range(start, end) => ("Range", start, format!("-{}", text(end))),
                };
                let family = Family::from(ip).label();
                (name == kind).then(|| format!("{name}: {family} {}{rest}", text(ip)))
            }));
        }
        texts
    }
}

/// `None` for an IPv4 address and an IPv6 address that is not mapped.
fn order(a: IpAddr, b: IpAddr) -> Option<std::cmp::Ordering> {
    let comparable =
        a.is_ipv4() == b.is_ipv4() || (a.to_canonical().is_ipv4() && b.to_canonical().is_ipv4());
    comparable.then(|| bits(mapped(a)).cmp(&bits(mapped(b))))
}

/// The bits of an address, the highest first.
fn bits(ip: IpAddr) -> Vec<bool> {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    octets
        .iter()
        .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1))
        .collect()
}

#[cfg(test)]
#[path = "../../tests/support/prng.rs"]
mod prng;

#[cfg(test)]
mod tests {
    use super::prng::Prng;
    use super::*;

    #[test]
    fn block_list_agrees_with_the_model() {
        let mut prng = Prng::new(0x5eed);
        for _ in 0..300 {
            let length = prng.below(400);
            fuzz_block_list(&prng.bytes(length));
        }
    }

    #[test]
    fn addresses_survive_the_round_trip() {
        let mut prng = Prng::new(0xadd2e55);
        let pieces = [
            "1", "0", "12", "255", "256", "ffff", "fe80", "::", ":", ".", "1.2.3.4", "[", "]", "%",
            "0x", "@", "/", ":80", "::1", "%31", "\n", "é",
        ];
        for _ in 0..30_000 {
            let text: String = (0..prng.below(9)).map(|_| prng.pick(&pieces)).collect();
            fuzz_address(text.as_bytes());
        }
    }
}
