//! What Node's own program asks of a block list: how often a second an address can be looked up in it, or a whole list
//! be built.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use soquete::net::{BlockList, SocketAddress, SocketAddressOptions};

/// Does something once.
type Work = Box<dyn FnMut()>;

/// A figure for each number of rules: `<operation> <rule type> <hit or miss> <rules>...`.
pub fn rates(
    [warm_up, measure]: [Duration; 2],
    words: &[String],
) -> Result<Vec<f64>, Box<dyn Error>> {
    let [operation, rule_type, result, rule_counts @ ..] = words else {
        return Err("an operation, a type of rules and a result are needed".into());
    };
    let rates = rule_counts.iter().map(|rules| {
        let rules = rules.parse()?;
        let mut work = match operation.as_str() {
            "check" | "checkWithSocketAddress" => check(operation, rule_type, result, rules)?,
            "addAddress" => build(rules, address_by_address)?,
            "addAddresses" => build(rules, all_addresses)?,
            _ => return Err(format!("no operation {operation}").into()),
        };
        repeat(&mut work, warm_up);
        Ok(repeat(&mut work, measure))
    });
    rates.collect()
}

/// How often a second it is done. In batches, for the clock to be a small part of each.
fn repeat(work: &mut Work, time: Duration) -> f64 {
    let (mut done, mut batch) = (0_u64, 1);
    let start = Instant::now();
    loop {
        for _ in 0..batch {
            work();
        }
        done += batch;
        let elapsed = start.elapsed();
        if elapsed >= time {
            return done as f64 / elapsed.as_secs_f64();
        }
        if elapsed < time / 10 {
            batch *= 2;
        }
    }
}

fn check(
    operation: &str,
    rule_type: &str,
    result: &str,
    rules: usize,
) -> Result<Work, Box<dyn Error>> {
    let list = list_of(rule_type, rules)?;
    let text = match result {
        "hit" => "10.0.0.1",
        _ => "192.168.255.255",
    };
    // Node's program looks for the same address in subnets that it is not in.
    let is_blocked = result == "hit" && rule_type != "subnet";
    if list.check(text) != is_blocked {
        return Err(format!("{text} is blocked: {}", !is_blocked).into());
    }
    if operation == "check" {
        return Ok(Box::new(move || {
            black_box(list.check(black_box(text)));
        }));
    }
    let address = SocketAddress::new(SocketAddressOptions::new().address(text))?;
    Ok(Box::new(move || {
        black_box(list.check(black_box(&address)));
    }))
}

fn build(
    rules: usize,
    build: fn(&[String]) -> soquete::Result<BlockList>,
) -> Result<Work, Box<dyn Error>> {
    let addresses = addresses(rules);
    let size = build(&addresses)?.size();
    if size != rules {
        return Err(format!("a list of {size} rules, not of {rules}").into());
    }
    Ok(Box::new(move || {
        // They are addresses: the first list of them has shown it.
        let _ = black_box(build(black_box(&addresses)));
    }))
}

fn list_of(rule_type: &str, rules: usize) -> soquete::Result<BlockList> {
    let (of_addresses, of_subnets) = match rule_type {
        "address" => (rules, 0),
        "subnet" => (0, rules),
        _ => (rules / 2, rules / 2),
    };
    let list = address_by_address(&addresses(of_addresses))?;
    for index in 0..of_subnets {
        let network = format!("172.{}.{}.0", index >> 8, index & 255);
        list.add_subnet(&network, 24)?;
    }
    Ok(list)
}

/// From 10.0.0.1 on.
fn addresses(count: usize) -> Vec<String> {
    let text = |last: usize| format!("10.{}.{}.{}", last >> 16, last >> 8 & 255, last & 255);
    (1..=count).map(text).collect()
}

fn address_by_address(addresses: &[String]) -> soquete::Result<BlockList> {
    let list = BlockList::new();
    for address in addresses {
        list.add_address(address)?;
    }
    Ok(list)
}

fn all_addresses(addresses: &[String]) -> soquete::Result<BlockList> {
    let list = BlockList::new();
    list.add_addresses(addresses)?;
    Ok(list)
}
