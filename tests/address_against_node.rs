//! Generated questions about addresses, answered here and by a real Node.

use std::fmt::Write;

use soquete::net::{BlockList, IntoAddress, SocketAddress, SocketAddressOptions, is_ip};

#[path = "support/node.rs"]
mod node;
#[path = "support/prng.rs"]
mod prng;
use prng::Prng;

#[test]
fn is_ip_answers_as_node() {
    let mut prng = Prng::new(0x15_1b);
    let texts: Vec<String> = (0..100_000).map(|_| literal(&mut prng)).collect();
    for answer in [0, 4, 6] {
        let share = texts.iter().filter(|text| is_ip(text) == answer).count();
        assert!(share > 15_000, "only {share} texts for the answer {answer}");
    }
    compare("is-ip", 20, &texts, |text| is_ip(text).to_string());
}

#[test]
fn address_text_is_nodes() {
    let mut prng = Prng::new(0xadd2);
    let texts: Vec<String> = (0..50_000)
        .map(|_| literal(&mut prng))
        .filter(|text| !is_cut_by_node(text))
        .collect();
    compare("address", 20, &texts, |text| {
        let address = SocketAddress::new(SocketAddressOptions::new().address(text));
        address.map_or_else(|error| explained(&error), |address| address.address())
    });
}

#[test]
fn parse_reads_what_node_reads() {
    let mut prng = Prng::new(0x9a25e);
    let texts: Vec<String> = (0..50_000).map(|_| url_like(&mut prng)).collect();
    let found = texts
        .iter()
        .filter(|text| SocketAddress::parse(text).is_some())
        .count();
    assert!((10_000..40_000).contains(&found), "{found} addresses");
    compare("parse", 23, &texts, |text| {
        let Some(address) = SocketAddress::parse(text) else {
            return "none".to_owned();
        };
        // Node loses an explicit port 80.
        let port = if address.port() == 80 {
            0
        } else {
            address.port()
        };
        format!("{} {} {port}", address.family().as_str(), address.address())
    });
}

#[test]
fn block_list_does_as_node() {
    let mut prng = Prng::new(0xb10c);
    let programs: Vec<String> = (0..3000).map(|_| program(&mut prng)).collect();
    let Some(answers) = node::answers("block-list", &programs, 26) else {
        return;
    };
    for (program, answer) in programs.iter().zip(answers) {
        // The order of the addresses in Node is that of a hash table.
        assert_eq!(
            addresses_sorted(&run(program)),
            addresses_sorted(&answer),
            "{program}"
        );
    }
}

fn compare(question: &str, min_major: u32, texts: &[String], ours: impl Fn(&str) -> String) {
    let Some(answers) = node::answers(question, texts, min_major) else {
        return;
    };
    for (text, answer) in texts.iter().zip(answers) {
        assert_eq!(ours(text), answer, "{text:?}");
    }
}

fn explained(error: &soquete::Error) -> String {
    format!("{}: {error}", error.code())
}

/// Node's C code sees no text behind a NUL and, before a zone, at most 39 characters of an address.
fn is_cut_by_node(text: &str) -> bool {
    text.contains('\0') || text.find('%').is_some_and(|at| at > 39)
}

/// An IP address, most often, which in half of the cases is then damaged a little.
fn literal(prng: &mut Prng) -> String {
    let mut text = match prng.below(8) {
        0..=2 => dotted(prng),
        3 => junk(prng),
        _ => ipv6(prng),
    };
    if prng.one_in(2) {
        for _ in 0..1 + prng.below(2) {
            damage(&mut text, prng);
        }
    }
    text
}

fn dotted(prng: &mut Prng) -> String {
    let part = |prng: &mut Prng| {
        let limit = *prng
            .pick(&[&[10, 100, 256, 256, 260][..]])
            .get(prng.below(5))
            .unwrap();
        let zero = if prng.one_in(60) { "0" } else { "" };
        format!("{zero}{}", prng.below(limit))
    };
    let count = if prng.one_in(20) {
        1 + prng.below(6)
    } else {
        4
    };
    (0..count).map(|_| part(prng)).collect::<Vec<_>>().join(".")
}

fn ipv6(prng: &mut Prng) -> String {
    let has_tail = prng.one_in(4);
    let gap = prng.below(2) == 0;
    let full = if has_tail { 6 } else { 8 };
    let count = if gap {
        prng.below(full + 1)
    } else {
        full + prng.below(12) / 11
    };
    let gap_at = if gap {
        prng.below(count + 1)
    } else {
        usize::MAX
    };
    let mut text = String::new();
    for i in 0..count {
        if i == gap_at {
            text.push_str("::");
        } else if i > 0 {
            text.push(':');
        }
        text.push_str(&group(prng));
    }
    if gap_at == count {
        text.push_str("::");
    } else if has_tail && count > 0 {
        text.push(':');
    }
    if has_tail {
        text.push_str(&dotted(prng));
    }
    if prng.one_in(6) {
        text.push('%');
        for _ in 0..prng.below(6) {
            text.push_str(prng.pick(&["eth0", "1", "-", ".", ":", "Z", "_", "%", "@", "é", " "]));
        }
    }
    text
}

fn group(prng: &mut Prng) -> String {
    match prng.below(6) {
        0 => "0".to_owned(),
        1 => "ffff".to_owned(),
        2 => format!("{:04X}", prng.below(0x100)),
        3 if prng.one_in(20) => format!("{:05x}", prng.below(0x2_0000)),
        _ => format!("{:x}", prng.below(0x1_0000)),
    }
}

fn junk(prng: &mut Prng) -> String {
    let pieces = [
        "1", "0", "25", "255", "256", "f", "ffff", "g", ":", "::", ".", "%", "-", "/", "[", "]",
        " ", "\n", "\0", "é", "１", "0x1", "1.2.3.4", "::1", "%eth0",
    ];
    (0..prng.below(10)).map(|_| prng.pick(&pieces)).collect()
}

/// Removes, doubles or replaces one character.
fn damage(text: &mut String, prng: &mut Prng) {
    let mut chars: Vec<char> = text.chars().collect();
    let at = prng.below(chars.len() + 1);
    let other = *b"0123456789abcfgF:.% -/\n\0"
        .get(prng.below(24))
        .map(|byte| char::from(*byte))
        .iter()
        .next()
        .unwrap();
    match prng.below(3) {
        0 if at < chars.len() => drop(chars.remove(at)),
        1 if at < chars.len() => chars[at] = other,
        _ => chars.insert(at, other),
    }
    *text = chars.into_iter().collect();
}

/// Something like the authority of a URL, in ASCII.
fn url_like(prng: &mut Prng) -> String {
    let mut text = String::new();
    if prng.one_in(8) {
        text.push_str(prng.pick(&[
            "user@",
            "a:b@",
            "@",
            "/",
            "\\",
            "a@b@",
            "//",
            "1.2.3.4:80@",
            "[",
        ]));
    }
    match prng.below(10) {
        0..=2 => text.push_str(&dotted(prng)),
        3..=5 => {
            let count = 1 + prng.below(5);
            let number = |prng: &mut Prng| {
                let bound = if prng.one_in(4) { 0x1_0000_0010 } else { 300 };
                let n = prng.below(bound);
                match prng.below(5) {
                    0 => format!("0x{n:x}"),
                    1 => format!("0{n:o}"),
                    2 if prng.one_in(5) => format!("0{n}"),
                    _ => n.to_string(),
                }
            };
            text.push_str(
                &(0..count)
                    .map(|_| number(prng))
                    .collect::<Vec<_>>()
                    .join("."),
            );
        }
        6..=8 => {
            let address = ipv6(prng);
            let _ = write!(text, "[{}]", address.replace('é', "e"));
        }
        _ => {}
    }
    if prng.one_in(2) {
        let bound = if prng.one_in(4) { 70_000 } else { 100 };
        let zeros = "0".repeat(prng.below(3));
        let _ = write!(text, ":{zeros}{}", prng.below(bound));
    }
    if prng.one_in(6) {
        text.push_str(prng.pick(&[
            "/p", "?q", "#h", "\\", " ", "\t", ".", "..", ":", "\0", "/ @[", "%",
        ]));
    }
    if prng.one_in(4) {
        let pieces = [
            "%31", "%2e", "%", ".", ":", "@", "\n", "\t", "0x", "x", "8", " ", "]", "[", "/",
        ];
        text.insert_str(prng.below(text.len() + 1), prng.pick(&pieces));
    }
    text
}

/// Calls in the form that `node_answers.js` reads.
fn program(prng: &mut Prng) -> String {
    let mut calls: Vec<String> = Vec::new();
    for _ in 0..prng.below(30) {
        let call = match prng.below(16) {
            // Random rules are seldom there already: take back one that is.
            0..=2 if !calls.is_empty() => calls[prng.below(calls.len())].replace("add", "remove"),
            0..=3 => format!("addAddress {}", neighbour(prng)),
            4..=6 => format!("addRange {} {}", neighbour(prng), neighbour(prng)),
            7 | 8 => format!("addSubnet {} #{}", neighbour(prng), prng.below(135)),
            9 => format!("addCIDR $\"{}/{}\"", neighbour(prng), prefix(prng)),
            10 if prng.one_in(20) => "clear".to_owned(),
            10 if prng.one_in(2) => format!("addCIDR $\"{}\"", literal_in_json(prng)),
            10 | 11 => format!("fromJSON $[\"{}\"]", rule_text(prng)),
            _ => format!("check {}", neighbour(prng)),
        };
        calls.push(call);
    }
    calls.push("check 10.0.0.1".to_owned());
    calls.join("\n")
}

/// An address from a few neighbourhoods, so that rules overlap.
fn neighbour(prng: &mut Prng) -> String {
    let low = prng.below(256);
    match prng.below(8) {
        0..=2 => format!("10.0.0.{low}"),
        3 => format!("::ffff:10.0.0.{low}"),
        4 => format!("{low}.0.0.0"),
        5 => {
            // Around and at both ends of the mapped block.
            let before = ["::fffe:ffff:ff", "::ffff:0:", "::ffff:ffff:ff", "::1:0:0:"];
            format!("{}{low:02x}", prng.pick(&before))
        }
        6 => format!("fe80:{:x}::{low:x}", prng.below(3)),
        _ => format!("::{low:x}"),
    }
}

fn prefix(prng: &mut Prng) -> String {
    match prng.below(12) {
        0 => prng
            .pick(&["", "08", "-1", "-0", "+8", "x", "8x", "1e1", "NaN"])
            .to_owned(),
        1 => (prng.next_u64() >> prng.below(64)).to_string(),
        _ => prng.below(140).to_string(),
    }
}

/// Without spaces and what JSON would have to escape.
fn literal_in_json(prng: &mut Prng) -> String {
    literal(prng).replace(|c: char| c <= ' ', "'")
}

fn rule_text(prng: &mut Prng) -> String {
    let kind = prng.pick(&["Address", "Subnet", "Range", "address", "RANGE"]);
    let family = prng.pick(&["IPv4", "IPv6", "IPv6", "ipv6"]);
    let mut text = format!("{kind}: {family} {}", neighbour(prng));
    match prng.below(4) {
        0 => {}
        1 | 2 if kind == "Range" => drop(write!(text, "-{}", neighbour(prng))),
        _ => drop(write!(text, "/{}", prng.below(400))),
    }
    let extra = prng.pick(&[
        "",
        "",
        "x",
        "IPv6",
        "000",
        "Address: IPv4 10.0.0.7",
        "/8",
        "-::9",
    ]);
    // The calls are taken apart at spaces, which JSON can spell otherwise.
    format!("{text}{extra}").replace(' ', "\\u0020")
}

/// Does here what `node_answers.js` does with a program.
fn run(program: &str) -> String {
    let list = BlockList::new();
    let mut lines: Vec<String> = program.lines().map(|call| run_call(&list, call)).collect();
    lines.push(list.size().to_string());
    lines.extend(list.rules());
    lines.join("\n")
}

fn run_call(list: &BlockList, call: &str) -> String {
    let words: Vec<&str> = call.split(' ').collect();
    let prefix = |word: &str| word[1..].parse::<u8>().unwrap();
    let json_string = |word: &str| word[2..word.len() - 1].to_owned();
    let address = |word: &str| word.into_address().unwrap();
    let result = match words[..] {
        ["check", ip] => return list.check(address(ip)).to_string(),
        ["addAddress", ip] => list.add_address(address(ip)),
        ["removeAddress", ip] => list.remove_address(address(ip)),
        ["addRange", start, end] => list.add_range(address(start), address(end)),
        ["removeRange", start, end] => list.remove_range(address(start), address(end)),
        ["addSubnet", network, n] => list.add_subnet(address(network), prefix(n)),
        ["removeSubnet", network, n] => list.remove_subnet(address(network), prefix(n)),
        ["addCIDR", cidr] => list.add_cidr(&json_string(cidr)),
        ["removeCIDR", cidr] => list.remove_cidr(&json_string(cidr)),
        ["fromJSON", json] => list.from_json(&json[1..]),
        ["clear"] => {
            list.clear();
            Ok(())
        }
        _ => panic!("{call}"),
    };
    result.map_or_else(|error| explained(&error), |()| "undefined".to_owned())
}

fn addresses_sorted(answer: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = answer.lines().collect();
    let is_address = |line: &&str| line.starts_with("Address: ");
    if let Some(first) = lines.iter().position(is_address) {
        let count = lines[first..]
            .iter()
            .take_while(|line| is_address(line))
            .count();
        lines[first..first + count].sort_unstable();
    }
    lines
}
