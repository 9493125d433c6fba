//! Rules from their text, such as `Subnet: IPv4 10.0.0.0/8`.
//!
//! Node looks for a rule anywhere in the text, with one pattern after the other, and passes over text
//! where it finds none. A rule that it does find has to be valid. In the patterns below, `v4` is four
//! groups of one to three digits, `v6` up to 45 hexadecimal digits, colons and dots.

use super::cidr::Cidr;
use super::rule::Rule;
use crate::address::{AddressError, Family, IntoAddress};

/// The first rule in the text, if there is any.
pub(super) fn parse(text: &str) -> Result<Option<Rule>, AddressError> {
    for family in [Family::V4, Family::V6] {
        if !text.contains(family.label()) {
            continue;
        }
        let found = [subnet, address, range]
            .into_iter()
            .find_map(|kind| kind(text, family));
        if let Some(rule) = found {
            return rule.map(Some);
        }
    }
    Ok(None)
}

/// What a pattern finds: nothing, or a rule that may be invalid.
type Found = Option<Result<Rule, AddressError>>;

/// `Subnet: IPv4 v4/n`, where `n` is one or two digits, or `Subnet: IPv6 v6/n` with up to three.
fn subnet(text: &str, family: Family) -> Found {
    let max_digits = match family {
        Family::V4 => 2,
        Family::V6 => 3,
    };
    find(text, "Subnet", family, |rest| {
        let (network, rest) = literal(rest, family)?;
        let rest = rest.strip_prefix('/')?;
        let prefix = leading(rest, max_digits, |b| b.is_ascii_digit());
        (!prefix.is_empty()).then(|| {
            Cidr {
                network,
                family,
                prefix,
            }
            .to_rule()
        })
    })
}

/// `Address: IPv4 v4` or `Address: IPv6 v6`.
fn address(text: &str, family: Family) -> Found {
    find(text, "Address", family, |rest| {
        let (address, _) = literal(rest, family)?;
        Some(
            (address, family)
                .read()
                .map(|address| Rule::Address(address.ip())),
        )
    })
}

/// `Range: IPv4 v4-v4` or `Range: IPv6 v6-v6`.
fn range(text: &str, family: Family) -> Found {
    find(text, "Range", family, |rest| {
        let (start, rest) = literal(rest, family)?;
        let (end, _) = literal(rest.strip_prefix('-')?, family)?;
        let rule = (start, family)
            .read()
            .and_then(|start| Rule::range(start, (end, family).read()?));
        Some(rule)
    })
}

/// Tries `pattern` on what follows each `kind: family `, which only for IPv4 has to be in that case.
fn find(
    text: &str,
    kind: &str,
    family: Family,
    pattern: impl Fn(&str) -> Option<Result<Rule, AddressError>>,
) -> Found {
    let marker = format!("{kind}: {} ", family.label());
    text.char_indices().find_map(|(at, _)| {
        let rest = &text[at..];
        let (head, rest) = rest.split_at_checked(marker.len())?;
        let matches = match family {
            Family::V4 => head == marker,
            Family::V6 => head.eq_ignore_ascii_case(&marker),
        };
        if matches { pattern(rest) } else { None }
    })
}

/// Takes something that looks like an address of the family off the start of the text.
fn literal(text: &str, family: Family) -> Option<(&str, &str)> {
    let length = match family {
        Family::V4 => dotted_length(text)?,
        Family::V6 => leading(text, 45, |b| {
            b.is_ascii_hexdigit() || matches!(b, b':' | b'.')
        })
        .len(),
    };
    (length > 0).then(|| text.split_at(length))
}

fn dotted_length(text: &str) -> Option<usize> {
    let mut rest = text;
    for group in 0..4 {
        if group > 0 {
            rest = rest.strip_prefix('.')?;
        }
        let digits = leading(rest, 3, |b| b.is_ascii_digit());
        if digits.is_empty() {
            return None;
        }
        rest = &rest[digits.len()..];
    }
    Some(text.len() - rest.len())
}

/// The bytes at the start of the text that belong to an ASCII class, `max` of them at most.
fn leading(text: &str, max: usize, class: impl Fn(u8) -> bool) -> &str {
    let length = text.bytes().take(max).take_while(|b| class(*b)).count();
    &text[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule's text, empty if there is none, or the code of the error.
    fn parsed(text: &str) -> String {
        match parse(text) {
            Ok(rule) => rule.map(|rule| rule.to_string()).unwrap_or_default(),
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn what_a_rule_prints_is_read_back() {
        for text in [
            "Address: IPv4 1.2.3.4",
            "Address: IPv6 ::1",
            "Subnet: IPv4 1.2.3.4/8",
            "Subnet: IPv6 fe80::/10",
            "Range: IPv4 1.1.1.1-1.1.1.2",
            "Range: IPv6 ::ffff:1.1.1.1-::ffff:1.1.1.2",
        ] {
            assert_eq!(parsed(text), text);
        }
    }

    #[test]
    fn a_rule_may_stand_anywhere_in_the_text() {
        for (text, rule) in [
            ("xxAddress: IPv4 1.2.3.4yy", "Address: IPv4 1.2.3.4"),
            (
                "éAddress: IPv4 xAddress: IPv4 5.6.7.8",
                "Address: IPv4 5.6.7.8",
            ),
            (
                "Address: IPv4 5.6.7.8 Subnet: IPv4 1.2.3.4/8",
                "Subnet: IPv4 1.2.3.4/8",
            ),
            (
                "Address: IPv6 ::1 Address: IPv4 1.2.3.4",
                "Address: IPv4 1.2.3.4",
            ),
            ("IPv4 Address: IPv6 ::1", "Address: IPv6 ::1"),
            ("ADDRESS: ipv6 ::1 IPv6", "Address: IPv6 ::1"),
            ("Address: IPv6 fe80::1%lo", "Address: IPv6 fe80::1"),
            ("Subnet: IPv4 1.2.3.4/008", "Subnet: IPv4 1.2.3.4/0"),
            ("Subnet: IPv6 ::/0640", "Subnet: IPv6 ::/64"),
        ] {
            assert_eq!(parsed(text), rule, "{text}");
        }
    }

    #[test]
    fn text_without_a_rule_is_passed_over() {
        for text in [
            "",
            "nonsense",
            "address: IPv4 1.2.3.4",
            "ADDRESS: ipv6 ::1",
            "Address: IPv4  1.2.3.4",
            "Address: IPv4 1.2.3",
            "Address: IPv4 1.2.3000.4",
            "Subnet: IPv4 1.2.3.4/",
            "Subnet: IPv6 ::",
            "Range: IPv4 1.1.1.1-::2",
            "Subnet: IPv6 1111111111111111111111111111111111111111111111/3",
        ] {
            assert_eq!(parsed(text), "", "{text}");
        }
    }

    #[test]
    fn a_rule_that_is_there_has_to_be_valid() {
        for (text, code) in [
            ("Address: IPv4 300.1.1.1", "ERR_INVALID_ADDRESS"),
            ("Address: IPv4 1.2.3.400", "ERR_INVALID_ADDRESS"),
            ("Address: IPv6 1.2.3.4", "ERR_INVALID_ADDRESS"),
            ("Address: IPv6 ffff:zz", "ERR_INVALID_ADDRESS"),
            ("Subnet: IPv4 1.2.3.4/333", "ERR_OUT_OF_RANGE"),
            ("Subnet: IPv6 ::/999", "ERR_OUT_OF_RANGE"),
            ("Range: IPv4 1.1.1.2-1.1.1.1", "ERR_INVALID_ARG_VALUE"),
        ] {
            assert_eq!(parsed(text), code, "{text}");
        }
    }
}
