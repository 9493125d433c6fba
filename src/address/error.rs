//! What can be wrong with an address or a rule, with Node's codes and in Node's words.

use std::error::Error;
use std::fmt;

use super::SocketAddress;
use crate::error::quoted;

/// An address, a family, a prefix or a rule that makes no sense: what a [`crate::Error`] is made of, if
/// anybody is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// The text is not an IP address of the family asked for. `ERR_INVALID_ADDRESS`.
    InvalidAddress,
    /// The text names no address family. `ERR_INVALID_ARG_VALUE`.
    InvalidFamily {
        /// The text.
        received: String,
    },
    /// The flow label has more than 20 bits. `ERR_OUT_OF_RANGE`.
    FlowLabelOutOfRange {
        /// The flow label.
        received: u32,
    },
    /// The prefix is longer than an address of its family. `ERR_OUT_OF_RANGE`.
    PrefixOutOfRange {
        /// The bits of an address: 32 or 128.
        max: u8,
        /// The prefix length, in decimal; from CIDR text it can be of any size or negative.
        received: String,
    },
    /// The first address of a range comes after the last. `ERR_INVALID_ARG_VALUE`.
    ReversedRange {
        /// The first address.
        start: SocketAddress,
    },
    /// CIDR text without a slash. `ERR_INVALID_ARG_VALUE`.
    MissingPrefix {
        /// The text.
        cidr: String,
    },
    /// CIDR text whose prefix length is not a plain decimal number (`/08`, `/x`).
    /// `ERR_INVALID_ARG_VALUE`.
    MalformedPrefix {
        /// The text.
        cidr: String,
    },
    /// JSON that is something else than an array of strings. `ERR_INVALID_ARG_TYPE`.
    NotRules {
        /// What there was instead, in Node's words: `an instance of Object`.
        received: String,
    },
    /// Text that is not JSON. Node throws a `SyntaxError`, which has no code; here it is
    /// `ERR_INVALID_ARG_VALUE`.
    InvalidJson {
        /// What is wrong, and where.
        message: String,
    },
}

impl AddressError {
    /// Node's code for this error, such as `"ERR_INVALID_ADDRESS"`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidAddress => "ERR_INVALID_ADDRESS",
            Self::FlowLabelOutOfRange { .. } | Self::PrefixOutOfRange { .. } => "ERR_OUT_OF_RANGE",
            Self::InvalidFamily { .. }
            | Self::ReversedRange { .. }
            | Self::MissingPrefix { .. }
            | Self::MalformedPrefix { .. }
            | Self::InvalidJson { .. } => "ERR_INVALID_ARG_VALUE",
            Self::NotRules { .. } => "ERR_INVALID_ARG_TYPE",
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidAddress => f.write_str("Invalid socket address"),
            Self::InvalidFamily { received } => {
                let received = shortened(quoted(received));
                write!(
                    f,
                    "The property 'options.family' is invalid. Received {received}"
                )
            }
            Self::FlowLabelOutOfRange { received } => write!(
                f,
                "The value of \"options.flowlabel\" is out of range. \
                 It must be >= 0 && <= {}. Received {received}",
                SocketAddress::MAX_FLOWLABEL
            ),
            Self::PrefixOutOfRange { max, received } => write!(
                f,
                "The value of \"prefix\" is out of range. \
                 It must be >= 0 && <= {max}. Received {}",
                grouped(received)
            ),
            Self::ReversedRange { start } => {
                let start = inspected(start);
                write!(
                    f,
                    "The argument 'start' must come before end. Received {start}"
                )
            }
            Self::MissingPrefix { cidr } => write!(
                f,
                "The argument 'cidr' must contain a prefix length (e.g. \"10.0.0.0/8\"). \
                 Received {}",
                shortened(quoted(cidr))
            ),
            Self::MalformedPrefix { cidr } => write!(
                f,
                "The argument 'cidr' prefix length must be a valid integer. Received {}",
                shortened(quoted(cidr))
            ),
            Self::NotRules { received } => write!(
                f,
                "The \"data\" argument must be of type string or string[]. Received {received}"
            ),
            Self::InvalidJson { message } => f.write_str(message),
        }
    }
}

impl Error for AddressError {}

impl From<AddressError> for crate::Error {
    fn from(error: AddressError) -> Self {
        crate::Error::new(error.code(), error.to_string())
    }
}

/// Node cuts a received value that is longer than 128 UTF-16 units.
fn shortened(mut text: String) -> String {
    const MAX_UNITS: usize = 128;
    let mut units = 0;
    let cut = text.char_indices().find_map(|(at, c)| {
        units += c.len_utf16();
        (units > MAX_UNITS).then_some(at)
    });
    if let Some(at) = cut {
        text.truncate(at);
        text.push_str("...");
    }
    text
}

/// Node puts a `_` after each three digits of a number above 2³², counted from the end.
fn grouped(number: &str) -> String {
    let digits = number.trim_start_matches('-');
    if digits.parse::<f64>().is_ok_and(|n| n <= 4_294_967_296.0) {
        return number.to_owned();
    }
    let mut out = number[..number.len() - digits.len()].to_owned();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// A socket address as Node's `inspect` shows it: on one line if it is short.
fn inspected(address: &SocketAddress) -> String {
    let fields = [
        format!("address: '{}'", address.address()),
        format!("port: {}", address.port()),
        format!("family: '{}'", address.family().as_str()),
        format!("flowlabel: {}", address.flowlabel()),
    ];
    // An object's own overhead is 19 of the 80 columns that `inspect` fills.
    if fields.iter().map(String::len).sum::<usize>() <= 61 {
        format!("SocketAddress {{ {} }}", fields.join(", "))
    } else {
        format!("SocketAddress {{\n  {}\n}}", fields.join(",\n  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut() {
        let message = AddressError::MissingPrefix {
            cidr: "x".repeat(200),
        }
        .to_string();
        assert!(
            message.ends_with(&format!("Received '{}...", "x".repeat(127))),
            "{message}"
        );
        assert_eq!(shortened("x".repeat(128)), "x".repeat(128));
    }

    #[test]
    fn big_numbers_are_grouped() {
        for (number, expected) in [
            ("33", "33"),
            ("-1", "-1"),
            ("4294967296", "4294967296"),
            ("4294967297", "4_294_967_297"),
            ("-99999999999", "-99_999_999_999"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn a_long_address_is_shown_on_several_lines() {
        let short = "ffff:ffff:ffff::1".parse::<std::net::Ipv6Addr>().unwrap();
        let long = "ffff:ffff:ffff::11".parse::<std::net::Ipv6Addr>().unwrap();
        assert_eq!(
            inspected(&short.into()),
            "SocketAddress { address: 'ffff:ffff:ffff::1', port: 0, family: 'ipv6', flowlabel: 0 }"
        );
        assert_eq!(
            inspected(&long.into()),
            "SocketAddress {\n  address: 'ffff:ffff:ffff::11',\n  port: 0,\n  \
             family: 'ipv6',\n  flowlabel: 0\n}"
        );
    }
}
