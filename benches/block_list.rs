//! Nanoseconds per `BlockList::check` and per added rule, for lists of several sizes.
//!
//! Every round measures each case once, so that a slow phase of the machine hits them all; printed
//! is the median of the rounds.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use soquete::net::BlockList;

#[path = "../tests/support/prng.rs"]
mod prng;
use prng::Prng;

const ROUNDS: usize = 15;
const CHECKS: usize = 20_000;
const SIZES: [usize; 3] = [100, 10_000, 100_000];

/// One kind of rule, with the addresses to check against it.
struct Kind {
    name: &'static str,
    add: fn(&BlockList, &mut Prng),
    probe: fn(&mut Prng) -> IpAddr,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "IPv4 addresses",
        add: |list, prng| list.add_address(v4(prng)).unwrap(),
        probe: v4,
    },
    Kind {
        name: "IPv6 addresses",
        add: |list, prng| list.add_address(v6(prng)).unwrap(),
        probe: v6,
    },
    Kind {
        name: "IPv4 /24 subnets",
        add: |list, prng| list.add_subnet(v4(prng), 24).unwrap(),
        probe: v4,
    },
    Kind {
        name: "IPv4 mixed",
        add: add_mixed,
        probe: v4,
    },
];

fn add_mixed(list: &BlockList, prng: &mut Prng) {
    match prng.below(3) {
        0 => list.add_address(v4(prng)).unwrap(),
        1 => list
            .add_subnet(v4(prng), 20 + prng.below(13) as u8)
            .unwrap(),
        _ => {
            let start = prng.next_u64() as u32 & 0xffff_f000;
            let end = Ipv4Addr::from_bits(start + prng.below(4096) as u32);
            list.add_range(Ipv4Addr::from_bits(start), end).unwrap();
        }
    }
}

fn v4(prng: &mut Prng) -> IpAddr {
    Ipv4Addr::from_bits(prng.next_u64() as u32).into()
}

fn v6(prng: &mut Prng) -> IpAddr {
    let bits = u128::from(prng.next_u64()) << 64 | u128::from(prng.next_u64());
    Ipv6Addr::from_bits(bits & !(7 << 125) | 1 << 125).into()
}

struct Samples {
    check: Vec<f64>,
    check_text: Vec<f64>,
    add: Vec<f64>,
    add_and_check: Vec<f64>,
}

fn main() {
    let cases: Vec<(usize, &Kind)> = SIZES
        .iter()
        .flat_map(|&size| KINDS.iter().map(move |kind| (size, kind)))
        .collect();
    let empty = || Samples {
        check: vec![],
        check_text: vec![],
        add: vec![],
        add_and_check: vec![],
    };
    let mut samples: Vec<Samples> = cases.iter().map(|_| empty()).collect();
    for round in 0..ROUNDS {
        for (&(size, kind), samples) in cases.iter().zip(&mut samples) {
            measure(size, kind, round as u64, samples);
        }
    }

    println!(
        "{:>8}  {:<18} {:>9} {:>12} {:>8} {:>14}",
        "rules", "kind", "ns/check", "ns/check(&str)", "ns/add", "ns/(add+check)"
    );
    for (&(size, kind), samples) in cases.iter().zip(&mut samples) {
        println!(
            "{size:>8}  {:<18} {:>9.1} {:>14.1} {:>8.1} {:>14.1}",
            kind.name,
            median(&mut samples.check),
            median(&mut samples.check_text),
            median(&mut samples.add),
            median(&mut samples.add_and_check),
        );
    }
}

fn measure(size: usize, kind: &Kind, seed: u64, samples: &mut Samples) {
    let mut prng = Prng::new(seed);
    let list = BlockList::new();
    samples
        .add
        .push(nanoseconds_each(size, || (kind.add)(&list, &mut prng)));

    let probes: Vec<IpAddr> = (0..CHECKS).map(|_| (kind.probe)(&mut prng)).collect();
    let mut each = probes.iter().cycle();
    samples.check.push(nanoseconds_each(CHECKS, || {
        if let Some(&ip) = each.next() {
            black_box(list.check(black_box(ip)));
        }
    }));

    let texts: Vec<String> = probes.iter().map(IpAddr::to_string).collect();
    let mut each = texts.iter().cycle();
    samples.check_text.push(nanoseconds_each(CHECKS, || {
        if let Some(text) = each.next() {
            black_box(list.check(black_box(text)));
        }
    }));

    let list = BlockList::new();
    let mut each = probes.iter().cycle();
    samples.add_and_check.push(nanoseconds_each(size, || {
        (kind.add)(&list, &mut prng);
        if let Some(&ip) = each.next() {
            black_box(list.check(black_box(ip)));
        }
    }));
}

fn nanoseconds_each(times: usize, mut body: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..times {
        body();
    }
    start.elapsed().as_nanos() as f64 / times as f64
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
