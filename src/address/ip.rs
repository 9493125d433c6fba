//! `is_ip` and its two sisters: is a text an IP address, and of which family?
//!
//! | text | answer |
//! |---|---|
//! | `127.0.0.1` | 4 |
//! | `127.0.0.01`, `127.1`, `1.2.3.256` | 0: four decimal parts up to 255, no leading zeros |
//! | `::1`, `::ffff:1.2.3.4`, `1:2:3:4:5:6:7::` | 6 |
//! | `fe80::1%eth0` | 6: a zone is one or more of `0-9 a-z A-Z - . :` |
//! | `fe80::1%`, `fe80::1%a@b`, `[::1]`, `::1/64` | 0 |

use std::net::{Ipv4Addr, Ipv6Addr};

/// 4 for an IPv4 address, 6 for an IPv6 address, 0 for any other text. Node's `net.isIP`.
///
/// ```
/// use soquete::net::is_ip;
///
/// assert_eq!(is_ip("127.0.0.1"), 4);
/// assert_eq!(is_ip("fe80::1%eth0"), 6);
/// assert_eq!(is_ip("127.0.0.01"), 0);
/// ```
#[doc(alias = "isIP")]
pub fn is_ip(text: &str) -> u8 {
    if is_ipv4(text) {
        4
    } else if is_ipv6(text) {
        6
    } else {
        0
    }
}

/// Whether `text` is an IPv4 address: four decimal numbers, none above 255, none with a leading
/// zero. Node's `net.isIPv4`.
///
/// ```
/// use soquete::net::is_ipv4;
///
/// assert!(is_ipv4("192.168.0.1"));
/// assert!(!is_ipv4("192.168.1"));
/// ```
#[doc(alias = "isIPv4")]
pub fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

/// Whether `text` is an IPv6 address, with or without a zone. Node's `net.isIPv6`.
///
/// ```
/// use soquete::net::is_ipv6;
///
/// assert!(is_ipv6("::ffff:192.0.2.128"));
/// assert!(!is_ipv6("[::1]"));
/// ```
#[doc(alias = "isIPv6")]
pub fn is_ipv6(text: &str) -> bool {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(is_zone)
}

fn is_zone(zone: &str) -> bool {
    !zone.is_empty()
        && zone
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':'))
}
