//! CIDR notation, `10.0.0.0/8`.

use super::rule::{Rule, max_prefix};
use crate::address::{AddressError, Family, IntoAddress};

/// CIDR text, taken apart, with nothing said yet about whether the parts make sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cidr<'a> {
    pub(super) network: &'a str,
    pub(super) family: Family,
    /// Decimal digits, after a `-` perhaps.
    pub(super) prefix: &'a str,
}

/// Takes the text apart at its last slash.
pub(super) fn split(cidr: &str) -> Result<Cidr<'_>, AddressError> {
    let Some((network, prefix)) = cidr.rsplit_once('/') else {
        return Err(AddressError::MissingPrefix {
            cidr: cidr.to_owned(),
        });
    };
    if !is_plain_integer(prefix) {
        return Err(AddressError::MalformedPrefix {
            cidr: cidr.to_owned(),
        });
    }
    Ok(Cidr {
        network,
        family: Family::of_text(network),
        prefix,
    })
}

impl Cidr<'_> {
    pub(super) fn to_rule(&self) -> Result<Rule, AddressError> {
        let network = (self.network, self.family).read()?.ip();
        match self.prefix.parse() {
            Ok(prefix) => Rule::subnet(network, prefix),
            Err(_) => Err(AddressError::PrefixOutOfRange {
                max: max_prefix(network),
                received: self.prefix.to_owned(),
            }),
        }
    }
}

/// Whether the text is what JavaScript prints for the integer that it reads from it: no leading
/// zero or `+`, no more digits than a double holds, no exponent (which comes with 10²¹).
fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.len() <= 21
        && digits.bytes().all(|b| b.is_ascii_digit())
        && text != "-0"
        && text
            .parse::<f64>()
            .is_ok_and(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(cidr: &str) -> AddressError {
        split(cidr).and_then(|cidr| cidr.to_rule()).unwrap_err()
    }

    #[test]
    fn a_prefix_is_needed() {
        for cidr in ["", "10.0.0.0", "::"] {
            assert_eq!(
                error(cidr),
                AddressError::MissingPrefix { cidr: cidr.into() }
            );
        }
        assert_eq!(
            error("x").to_string(),
            "The argument 'cidr' must contain a prefix length (e.g. \"10.0.0.0/8\"). Received 'x'"
        );
    }

    #[test]
    fn a_prefix_is_a_plain_integer() {
        for prefix in [
            "", "08", "+8", "-0", " 8", "8 ", "8x", "x", "NaN", "1e1", "inf", "0x8",
        ] {
            let cidr = format!("10.0.0.0/{prefix}");
            assert_eq!(error(&cidr), AddressError::MalformedPrefix { cidr });
        }
        assert_eq!(
            error("::/08").to_string(),
            "The argument 'cidr' prefix length must be a valid integer. Received '::/08'"
        );
    }

    #[test]
    fn a_prefix_is_at_most_as_long_as_an_address() {
        for (cidr, max) in [
            ("10.0.0.0/33", 32),
            ("10.0.0.0/-1", 32),
            ("::/129", 128),
            ("::/300", 128),
            ("::/100000000000000000000", 128),
        ] {
            let received = cidr.rsplit('/').next().unwrap().to_owned();
            assert_eq!(
                error(cidr),
                AddressError::PrefixOutOfRange { max, received },
                "{cidr}"
            );
        }
        assert_eq!(
            error("10.0.0.0/99999999999").to_string(),
            "The value of \"prefix\" is out of range. \
             It must be >= 0 && <= 32. Received 99_999_999_999"
        );
    }

    #[test]
    fn the_address_comes_before_the_range_of_the_prefix() {
        for cidr in ["/8", "x/8", "10.0.0/99", "1:2/8", "10.0.0.0/8/8"] {
            assert_eq!(error(cidr), AddressError::InvalidAddress, "{cidr}");
        }
    }

    #[test]
    fn a_number_that_a_double_cannot_hold_is_no_integer() {
        assert!(is_plain_integer("9007199254740992"));
        assert!(!is_plain_integer("9007199254740993"));
        assert!(is_plain_integer("999999999999999900000"));
        assert!(!is_plain_integer("1000000000000000000000"));
    }
}
