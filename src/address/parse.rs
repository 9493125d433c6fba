//! The grammar of `SocketAddress::parse`: the authority of an `http` URL, as the WHATWG URL standard
//! reads it, of which only the address and the port are kept.
//!
//! ```text
//!   //user:password@[::1]:8080/path?query#hash
//!   ~~                                           slashes, as many as there are
//!     ~~~~~~~~~~~~~~                             user information, up to the last `@`
//!                   ─────┬──── port
//!                      host
//! ```

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub(super) fn socket_address(text: &str) -> Option<SocketAddr> {
    let text = without_url_whitespace(text);
    let text = text.trim_start_matches(['/', '\\']);
    let authority = text.split(['/', '\\', '?', '#']).next()?;
    let host_and_port = authority.rsplit('@').next()?;
    if let Some(rest) = host_and_port.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port,
            None if rest.is_empty() => "",
            None => return None,
        };
        Some(SocketAddr::new(
            IpAddr::V6(host.parse().ok()?),
            self::port(port)?,
        ))
    } else {
        let (host, port) = host_and_port.split_once(':').unwrap_or((host_and_port, ""));
        Some(SocketAddr::new(
            IpAddr::V4(ipv4(&percent_decoded(host)?)?),
            self::port(port)?,
        ))
    }
}

/// URLs lose the controls and spaces at their end, and tabs and line breaks everywhere. (Those at
/// the start of a URL are none of ours: there, the scheme stands.)
fn without_url_whitespace(text: &str) -> String {
    text.trim_end_matches(|c| c <= ' ')
        .replace(['\t', '\n', '\r'], "")
}

/// `None` if what the escapes stand for is not UTF-8.
fn percent_decoded(host: &str) -> Option<String> {
    let mut out = Vec::with_capacity(host.len());
    let mut bytes = host.as_bytes();
    while let [first, rest @ ..] = bytes {
        let escaped = match rest {
            [high, low, ..] if *first == b'%' => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            out.push(high << 4 | low);
            bytes = &rest[2..];
        } else {
            out.push(*first);
            bytes = rest;
        }
    }
    String::from_utf8(out).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Reads digits, of which there may be none: that is port 0.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.trim_start_matches('0') {
        "" if digits => Some(0),
        significant if digits => significant.parse().ok(),
        _ => None,
    }
}

/// Reads one to four numbers between dots, the last of which fills all the bytes that the others
/// leave over: `127.1` is 127.0.0.1. One more dot may follow.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut numbers = [0; 4];
    let mut count = 0;
    for part in text.split('.') {
        *numbers.get_mut(count)? = number(part)?;
        count += 1;
    }
    let (last, bytes) = numbers[..count].split_last()?;
    let bits_left = 32 - 8 * bytes.len();
    if *last >> bits_left != 0 {
        return None;
    }
    let mut address = *last;
    for (i, byte) in bytes.iter().enumerate() {
        if *byte > 0xff {
            return None;
        }
        address |= byte << (24 - 8 * i);
    }
    u32::try_from(address).ok().map(Ipv4Addr::from_bits)
}

/// Reads a number in hexadecimal (`0x1f`; `0x` alone is 0), octal (`017`) or decimal.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) =
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            (digits, 16)
        } else if text.len() > 1 && text.starts_with('0') {
            (&text[1..], 8)
        } else {
            (text, 10)
        };
    if digits.is_empty() {
        return (radix == 16).then_some(0);
    }
    // `from_str_radix` would take a sign.
    let all_digits = digits.chars().all(|c| c.is_digit(radix));
    all_digits
        .then(|| u64::from_str_radix(digits, radix).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            socket_address(text),
            expected.map(|e| e.parse().unwrap()),
            "{text:?}"
        );
    }

    #[test]
    fn reads_addresses_with_and_without_port() {
        for (text, expected) in [
            ("1.2.3.4", "1.2.3.4:0"),
            ("1.2.3.4:", "1.2.3.4:0"),
            ("1.2.3.4:00123", "1.2.3.4:123"),
            ("1.2.3.4:65535", "1.2.3.4:65535"),
            ("[1:0::]", "[1::]:0"),
            ("[1::8]:123", "[1::8]:123"),
            ("[::ffff:1.2.3.4]:", "[::ffff:1.2.3.4]:0"),
        ] {
            check(text, Some(expected));
        }
    }

    #[test]
    fn keeps_an_explicit_port_80() {
        for (text, expected) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("127.0.0.1:080", "127.0.0.1:80"),
            ("[::1]:80", "[::1]:80"),
            ("user:80@1.2.3.4:80", "1.2.3.4:80"),
            ("user:80@1.2.3.4", "1.2.3.4:0"),
        ] {
            check(text, Some(expected));
        }
    }

    /// Node maps them, as in the host names of URLs.
    #[test]
    fn takes_no_digits_of_other_scripts() {
        for text in ["１.2.3.4", "1.2.3.4:８０", "[::１]:80", "127。0.0.1"] {
            check(text, None);
        }
    }

    #[test]
    fn reads_every_way_to_write_ipv4() {
        for (text, expected) in [
            ("192.168.257:1", "192.168.1.1:1"),
            ("256", "0.0.1.0:0"),
            ("999999999:12", "59.154.201.255:12"),
            ("0xffffffff", "255.255.255.255:0"),
            ("0X7F.1", "127.0.0.1:0"),
            ("0x.0x.0", "0.0.0.0:0"),
            ("192.168.010.1", "192.168.8.1:0"),
            ("0000000000000001.2.3.4", "1.2.3.4:0"),
            ("1.16777215", "1.255.255.255:0"),
            ("1.2.3.4.", "1.2.3.4:0"),
            ("%31.2%2e3.4", "1.2.3.4:0"),
        ] {
            check(text, Some(expected));
        }
    }

    #[test]
    fn skips_what_else_a_url_has() {
        for (text, expected) in [
            ("user@1.2.3.4:5", "1.2.3.4:5"),
            ("a@b:c@1.2.3.4:5", "1.2.3.4:5"),
            ("@[::1]:5", "[::1]:5"),
            ("1.2.3.4:5/path", "1.2.3.4:5"),
            ("1.2.3.4\\x", "1.2.3.4:0"),
            ("1.2.3.4:5?q#h", "1.2.3.4:5"),
            ("/\\/1.2.3.4", "1.2.3.4:0"),
            ("\t1.2\n.3.4:8\r1 \0", "1.2.3.4:81"),
        ] {
            check(text, Some(expected));
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "@",
            "user@",
            ".",
            "not an ip",
            "abc.123",
            "localhost",
            "a/@1.2.3.4",
            " 1.2.3.4",
            "1.2.3.4 :5",
            "259.1.1.1",
            "1.256.1",
            "1.2.65536",
            "1.16777216",
            "4294967296",
            "09",
            "1..2",
            "1.2.3.4..",
            "1.2.3.4.5",
            "0xg",
            "+1.2.3.4",
            "1.2.3.-4",
            "1.2.3.4%",
            "%ff",
            "0xfffffffffffffffff",
            "1.2.3.4:65536",
            "1.2.3.4:-1",
            "1.2.3.4:+1",
            "1.2.3.4:x",
            "12:12:12",
            "1.2.3.4:0x10",
            "1.2.3.4:99999999999999999999",
            "::1",
            "[::1",
            "[::1]x",
            "[::1].",
            "[]",
            "[1.2.3.4]",
            "[fe80::1%eth0]",
            "[fe80::1%25eth0]",
            "[::1]:65536",
            "[::1.2.3.04]",
            "x[::1]",
            "[%3A%3A1]",
            "[::1]:80:90",
        ] {
            check(text, None);
        }
    }
}
