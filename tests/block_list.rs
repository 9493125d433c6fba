//! What a block list does, seen from outside.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use soquete::net::{BlockList, Family, SocketAddress, SocketAddressOptions};

const V6: &str = "8592:757c:efae:4e45:fb5d:d62a:0d00:8e17";

fn address(text: &str) -> SocketAddress {
    SocketAddress::new(SocketAddressOptions::new().address(text)).unwrap()
}

#[test]
fn an_address_is_blocked_in_both_of_its_forms() {
    let list = BlockList::new();
    list.add_address("1.1.1.1").unwrap();
    list.add_address(V6).unwrap();
    list.add_address("::ffff:1.1.1.2").unwrap();

    assert!(list.check("1.1.1.1") && list.check("::ffff:1.1.1.1") && list.check("::ffff:101:101"));
    assert!(list.check("1.1.1.2") && list.check("::ffff:1.1.1.2"));
    assert!(list.check(V6));
    assert!(!list.check("1.2.3.4") && !list.check("::1") && !list.check("::1.1.1.1"));
}

#[test]
fn a_stated_family_is_obeyed() {
    let list = BlockList::new();
    list.add_address(("1.1.1.1", Family::V4)).unwrap();
    list.add_address((V6, Family::V6)).unwrap();
    assert!(list.check(("1.1.1.1", Family::V4)) && !list.check(("1.1.1.1", Family::V6)));
    assert!(list.check((V6, Family::V6)) && !list.check((V6, Family::V4)));
    let error = list.add_address((V6, Family::V4)).unwrap_err();
    assert_eq!(error.code(), "ERR_INVALID_ADDRESS");
}

#[test]
fn every_type_of_address_will_do() {
    let list = BlockList::new();
    list.add_address(Ipv4Addr::LOCALHOST).unwrap();
    list.add_range(address("10.0.0.1"), "10.0.0.9".to_owned())
        .unwrap();

    assert!(list.check(IpAddr::from([127, 0, 0, 1])));
    assert!(list.check(SocketAddr::from(([10, 0, 0, 9], 80))));
    let (first, middle) = (address("10.0.0.1"), "10.0.0.5".to_owned());
    assert!(list.check(first));
    assert!(list.check(&middle) && list.check(middle));
}

#[test]
fn text_that_is_no_address_is_not_blocked() {
    let list = BlockList::new();
    list.add_subnet("0.0.0.0", 0).unwrap();
    list.add_subnet("::", 0).unwrap();
    for text in ["", "x", "1.2.3", "01.2.3.4", "[::1]", "localhost"] {
        assert!(!list.check(text), "{text}");
    }
    assert!(list.check("1.2.3.4") && list.check("fe80::1%lo"));
}

#[test]
fn a_range_includes_both_ends() {
    let list = BlockList::new();
    list.add_range("1.1.1.1", "1.1.1.10").unwrap();
    list.add_range("::1", "::f").unwrap();
    for low in 0..=20 {
        assert_eq!(
            list.check(Ipv4Addr::new(1, 1, 1, low)),
            (1..=10).contains(&low)
        );
        assert_eq!(list.check(format!("::{low:x}")), (1..=15).contains(&low));
    }
}

#[test]
fn an_ipv4_range_covers_mapped_addresses() {
    let list = BlockList::new();
    list.add_range("10.0.0.2", "10.0.0.10").unwrap();
    for (text, blocked) in [
        ("10.0.0.2", true),
        ("10.0.0.10", true),
        ("192.168.0.3", false),
        ("2.2.2.2", false),
        ("255.255.255.255", false),
        ("::ffff:0a00:0002", true),
        ("::ffff:0a00:000a", true),
        ("::ffff:c0a8:0003", false),
        ("::ffff:0202:0202", false),
        ("::ffff:ffff:ffff", false),
    ] {
        assert_eq!(list.check(text), blocked, "{text}");
    }
}

#[test]
fn a_range_runs_forward() {
    let list = BlockList::new();
    let error = list.add_range("1.1.1.2", "1.1.1.1").unwrap_err();
    assert_eq!(error.code(), "ERR_INVALID_ARG_VALUE");
    assert_eq!(
        error.to_string(),
        "The argument 'start' must come before end. Received SocketAddress \
         { address: '1.1.1.2', port: 0, family: 'ipv4', flowlabel: 0 }"
    );
    assert!(list.add_range("::2", "::1").is_err());
    assert!(list.add_range("::ffff:1.1.1.2", "1.1.1.1").is_err());
    assert_eq!(list.size(), 0);
}

#[test]
fn a_subnet_covers_what_shares_its_prefix() {
    let list = BlockList::new();
    list.add_subnet("1.1.1.0", 16).unwrap();
    list.add_subnet("8592:757c:efae:4e45::", 64).unwrap();
    assert!(list.check("1.1.0.1") && list.check("1.1.1.1") && list.check("::ffff:1.1.0.1"));
    assert!(!list.check("1.2.0.1"));
    assert!(list.check("8592:757c:efae:4e45:f::") && list.check("8592:757c:efae:4e45::f"));
    assert!(!list.check("8592:757c:efae:4f45::f"));
}

#[test]
fn a_prefix_need_not_end_with_a_byte() {
    let list = BlockList::new();
    list.add_subnet("10.0.0.0", 27).unwrap();
    list.add_subnet("8592:757c:efaf::", 51).unwrap();
    assert!((0..=31).all(|low| list.check(Ipv4Addr::new(10, 0, 0, low))));
    assert!(!list.check("10.0.0.32"));
    assert!(list.check("8592:757c:efaf:1fff:ffff:ffff:ffff:ffff"));
    assert!(!list.check("8592:757c:efaf:2fff:ffff:ffff:ffff:ffff"));
}

#[test]
fn a_prefix_is_no_longer_than_an_address() {
    let list = BlockList::new();
    list.add_subnet("1.1.1.1", 32).unwrap();
    list.add_subnet("::", 128).unwrap();
    for (network, prefix, max) in [("1.1.1.1", 33, 32), ("::", 129, 128)] {
        let error = list.add_subnet(network, prefix).unwrap_err();
        assert_eq!(error.code(), "ERR_OUT_OF_RANGE");
        assert_eq!(
            error.to_string(),
            format!(
                "The value of \"prefix\" is out of range. \
                 It must be >= 0 && <= {max}. Received {prefix}"
            )
        );
        assert_eq!(list.remove_subnet(network, prefix), Err(error));
    }
}

#[test]
fn rules_are_grouped_by_kind_and_the_newest_is_first() {
    let list = BlockList::new();
    list.add_range("10.0.0.1", "10.0.0.10").unwrap();
    list.add_address("1.1.1.1").unwrap();
    list.add_subnet("8592:757c:efae:4e45::", 64).unwrap();
    list.add_range("::1", "::2").unwrap();
    list.add_cidr("10.1.2.3/8").unwrap();
    assert_eq!(
        list.rules(),
        [
            "Address: IPv4 1.1.1.1",
            "Subnet: IPv4 10.1.2.3/8",
            "Subnet: IPv6 8592:757c:efae:4e45::/64",
            "Range: IPv6 ::1-::2",
            "Range: IPv4 10.0.0.1-10.0.0.10",
        ]
    );
    assert_eq!(list.size(), 5);
    assert_eq!(format!("{:?}", BlockList::new()), "BlockList { rules: [] }");
}

#[test]
fn an_address_is_kept_once_and_other_rules_as_often_as_added() {
    let list = BlockList::new();
    for _ in 0..2 {
        list.add_address("1.1.1.1").unwrap();
        list.add_address("::ffff:1.1.1.1").unwrap();
        list.add_cidr("10.0.0.0/8").unwrap();
    }
    assert_eq!(
        list.rules(),
        [
            "Address: IPv6 ::ffff:1.1.1.1",
            "Subnet: IPv4 10.0.0.0/8",
            "Subnet: IPv4 10.0.0.0/8"
        ]
    );
    list.remove_address("1.1.1.1").unwrap();
    list.remove_cidr("10.0.0.0/8").unwrap();
    assert!(!list.check("1.1.1.1") && list.check("10.0.0.1"));
    list.remove_cidr("10.0.0.0/8").unwrap();
    assert!(!list.check("10.0.0.1") && list.size() == 0);
}

#[test]
fn of_equal_rules_the_newest_is_removed() {
    let list = BlockList::new();
    for end in ["10.0.0.9", "10.0.0.5", "10.0.0.9"] {
        list.add_range("10.0.0.0", end).unwrap();
    }
    list.remove_range("10.0.0.0", "10.0.0.9").unwrap();
    let left = [
        "Range: IPv4 10.0.0.0-10.0.0.5",
        "Range: IPv4 10.0.0.0-10.0.0.9",
    ];
    assert_eq!(list.rules(), left);
}

#[test]
fn removing_takes_the_very_rule_or_nothing() {
    let list = BlockList::new();
    list.add_address("10.0.0.1").unwrap();
    list.add_subnet("10.0.0.1", 32).unwrap();
    list.add_range("10.0.0.1", "10.0.0.2").unwrap();
    list.remove_address("10.0.0.2").unwrap();
    list.remove_subnet("10.0.0.1", 31).unwrap();
    list.remove_subnet("::ffff:10.0.0.1", 32).unwrap();
    list.remove_range("10.0.0.1", "10.0.0.3").unwrap();
    list.remove_range("10.0.0.2", "10.0.0.1").unwrap();
    assert_eq!(list.size(), 3);

    list.remove_address("10.0.0.1").unwrap();
    list.remove_subnet("10.0.0.1", 32).unwrap();
    assert!(list.check("10.0.0.1"));
    list.remove_range("10.0.0.1", "10.0.0.2").unwrap();
    assert!(!list.check("10.0.0.1"));
}

#[test]
fn clear_removes_everything() {
    let list = BlockList::new();
    list.add_cidrs(BlockList::PRIVATE_RANGES).unwrap();
    assert!(list.check("10.9.8.7") && list.check("fd00::1") && !list.check("8.8.8.8"));
    list.clear();
    assert_eq!((list.size(), list.rules().len()), (0, 0));
    assert!(!list.check("10.9.8.7"));
}

#[test]
fn several_are_added_all_or_none() {
    let list = BlockList::new();
    assert!(list.add_addresses(["1.0.0.0", "2.x", "3.0.0.0"]).is_err());
    assert!(list.add_cidrs(["1.0.0.0/8", "2.0.0.0/99"]).is_err());
    assert!(
        list.add_rules(["Address: IPv4 1.0.0.0", "Address: IPv4 300.0.0.0"])
            .is_err()
    );
    assert!(list.from_json("[\"Address: IPv4 1.0.0.0\", 5]").is_err());
    assert_eq!(list.size(), 0);

    list.add_addresses(["1.0.0.0", "::1"]).unwrap();
    list.add_cidrs(vec!["2.0.0.0/8".to_owned()]).unwrap();
    list.add_rules(["Address: IPv4 3.0.0.0", "not a rule"])
        .unwrap();
    assert_eq!(list.size(), 4);
}

#[test]
fn of_several_errors_in_cidrs_a_missing_prefix_comes_first() {
    let error = BlockList::new().add_cidrs(["2.0.0.0/99", "x"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "The argument 'cidr' must contain a prefix length (e.g. \"10.0.0.0/8\"). Received 'x'"
    );
}

#[test]
fn json_is_added_to_what_is_there() {
    let (list, copy) = (BlockList::new(), BlockList::new());
    list.add_address("1.1.1.1").unwrap();
    list.add_cidr("fe80::/10").unwrap();
    list.add_range("10.0.0.1", "10.0.0.10").unwrap();
    assert_eq!(
        list.to_json(),
        "[\"Address: IPv4 1.1.1.1\",\"Subnet: IPv6 fe80::/10\",\
         \"Range: IPv4 10.0.0.1-10.0.0.10\"]"
    );
    copy.add_address("2.2.2.2").unwrap();
    copy.from_json(&list.to_json()).unwrap();
    assert_eq!(copy.size(), 4);
    assert!(copy.check("2.2.2.2") && copy.check("10.0.0.5") && copy.check("fe80::1"));
}

#[test]
fn a_clone_is_the_same_list() {
    let list = BlockList::new();
    let clone = list.clone();
    clone.add_address("1.1.1.1").unwrap();
    assert!(list.check("1.1.1.1"));
    list.clear();
    assert_eq!(clone.size(), 0);
}

#[test]
fn an_iterator_may_use_the_list_that_it_fills() {
    let list = BlockList::new();
    let addresses = (0..3).map(|low| {
        list.add_cidr("10.0.0.0/8").unwrap();
        Ipv4Addr::new(1, 1, 1, low)
    });
    list.add_addresses(addresses).unwrap();
    assert_eq!(list.size(), 6);
}
