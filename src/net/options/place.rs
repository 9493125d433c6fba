//! What names a place to connect to, to listen on or to bind: one list for all three.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};

use crate::address::SocketAddress;
use crate::net::options::bind::{BindOptions, BindTarget};
use crate::net::options::connect::{ConnectOptions, Target};
use crate::net::options::listen::{ListenOptions, ListenTarget};
use crate::net::values::address::{Address, host_of};

enum Place {
    Port(u16),
    Host(String, u16),
    Path(PathBuf),
    /// Text that names a port, but not one there is.
    Nowhere(String),
}

impl Place {
    /// Text is a port (`"3000"`), a host and a port (`"localhost:3000"`, `"[::1]:3000"`), or a path, as
    /// all other text is in Node. Node takes blank text for a port, and refuses it.
    fn of_text(text: &str) -> Place {
        if let Some(number) = number(text) {
            return port_of(text, number).map_or_else(|| Place::Nowhere(text.into()), Place::Port);
        }
        let Some((host, port)) = host_and_port(text.trim()) else {
            return Place::Path(text.into());
        };
        port.parse().map_or_else(
            |_| Place::Nowhere(text.into()),
            |port| Place::Host(host.into(), port),
        )
    }
}

/// What JavaScript makes of text that is not negative; `None` where it is none.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let of_radix = |digits: &str, radix| {
        let number = u64::from_str_radix(digits, radix).ok()?;
        (!digits.starts_with('+')).then_some(number as f64)
    };
    match text.get(..2) {
        Some("0x" | "0X") => return of_radix(&text[2..], 16),
        Some("0o" | "0O") => return of_radix(&text[2..], 8),
        Some("0b" | "0B") => return of_radix(&text[2..], 2),
        _ => {}
    }
    match text {
        "" => Some(0.0),
        "Infinity" | "+Infinity" => Some(f64::INFINITY),
        // The standard library has words for infinity and for what is no number.
        _ if text.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E')) => None,
        _ => text.parse().ok().filter(|number| *number >= 0.0),
    }
}

fn port_of(text: &str, number: f64) -> Option<u16> {
    let is_port = !text.trim().is_empty() && number.fract() == 0.0 && number <= f64::from(u16::MAX);
    is_port.then_some(number as u16)
}

/// Splits `host:digits`; an IPv6 address stands in brackets. A name with a slash or a NUL is a path.
fn host_and_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(address) => !address.is_empty(),
        None => !host.is_empty() && !host.contains([':', '/', '\0']),
    };
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_host && is_port).then_some((bare.unwrap_or(host), port))
}

impl From<Place> for ConnectOptions {
    fn from(place: Place) -> ConnectOptions {
        match place {
            Place::Port(port) => ConnectOptions::new(port),
            Place::Host(host, port) => ConnectOptions::new(port).host(host),
            Place::Path(path) => ConnectOptions::path(path),
            Place::Nowhere(text) => ConnectOptions::to(Target::Nowhere(text)),
        }
    }
}

impl From<Place> for ListenOptions {
    fn from(place: Place) -> ListenOptions {
        match place {
            Place::Port(port) => ListenOptions::new(port),
            Place::Host(host, port) => ListenOptions::new(port).host(host),
            Place::Path(path) => ListenOptions::path(path),
            Place::Nowhere(text) => ListenOptions::on(ListenTarget::Nowhere(text)),
        }
    }
}

impl From<Place> for BindOptions {
    fn from(place: Place) -> BindOptions {
        match place {
            Place::Port(port) => BindOptions::new(port),
            Place::Host(host, port) => BindOptions::new(port).host(host),
            Place::Path(path) => BindOptions::path(path),
            Place::Nowhere(text) => BindOptions::on(BindTarget::Nowhere(text)),
        }
    }
}

impl From<Address> for Place {
    fn from(address: Address) -> Place {
        match address {
            Address::Tcp(address) => Place::Host(host_of(address), address.port()),
            Address::Path(path) => Place::Path(path),
        }
    }
}

macro_rules! places {
    ($($from:ty: |$value:pat_param| $place:expr;)*) => {
        $(places!(@ $from, $value, $place, ConnectOptions, ListenOptions, BindOptions);)*
    };
    (@ $from:ty, $value:pat_param, $place:expr, $($into:ty),*) => {
        $(impl From<$from> for $into {
            fn from($value: $from) -> $into {
                $place.into()
            }
        })*
    };
}

places! {
    u16: |port| Place::Port(port);
    (&str, u16): |(host, port)| Place::Host(host.into(), port);
    (&String, u16): |(host, port)| Place::Host(host.into(), port);
    (String, u16): |(host, port)| Place::Host(host, port);
    (IpAddr, u16): |address| SocketAddr::from(address);
    (Ipv4Addr, u16): |address| SocketAddr::from(address);
    (Ipv6Addr, u16): |address| SocketAddr::from(address);
    (u16, &str): |(port, host)| Place::Host(host.into(), port);
    (u16, &String): |(port, host)| Place::Host(host.into(), port);
    (u16, String): |(port, host)| Place::Host(host, port);
    (u16, IpAddr): |(port, ip)| SocketAddr::new(ip, port);
    SocketAddr: |address| Place::Host(host_of(address), address.port());
    SocketAddrV4: |address| SocketAddr::from(address);
    SocketAddrV6: |address| SocketAddr::from(address);
    SocketAddress: |address| SocketAddr::from(address);
    &SocketAddress: |address| SocketAddr::from(*address);
    Address: |address| Place::from(address);
    &Address: |address| Place::from(address.clone());
    &Path: |path| Place::Path(path.into());
    &PathBuf: |path| Place::Path(path.into());
    PathBuf: |path| Place::Path(path);
    &str: |text| Place::of_text(text);
    &String: |text| Place::of_text(text);
    String: |text| Place::of_text(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> String {
        match Place::of_text(text) {
            Place::Port(port) => format!("port {port}"),
            Place::Host(host, port) => format!("host {host} port {port}"),
            Place::Path(path) => format!("path {}", path.display()),
            Place::Nowhere(text) => format!("nowhere {text}"),
        }
    }

    #[test]
    fn text_is_a_port_a_host_with_a_port_or_a_path() {
        for (text, expected) in [
            ("3000", "port 3000"),
            ("0", "port 0"),
            ("localhost:3000", "host localhost port 3000"),
            ("127.0.0.1:80", "host 127.0.0.1 port 80"),
            ("[::1]:80", "host ::1 port 80"),
            ("[fe80::1%lo]:80", "host fe80::1%lo port 80"),
            ("example.org", "path example.org"),
            ("/tmp/app.sock", "path /tmp/app.sock"),
            ("./a:80", "path ./a:80"),
            ("\0name:80", "path \0name:80"),
            ("::1", "path ::1"),
            (":80", "path :80"),
            ("[]:80", "path []:80"),
            ("[::1]", "path [::1]"),
            ("host:", "path host:"),
            ("host:http", "path host:http"),
            ("+80", "port 80"),
            (" 80\n", "port 80"),
            ("localhost:80\n", "host localhost port 80"),
            ("0x50", "port 80"),
            ("0B11", "port 3"),
            ("1e3", "port 1000"),
            (".5e1", "port 5"),
            ("-0", "port 0"),
            ("-1", "path -1"),
            ("0x+50", "path 0x+50"),
            ("0x", "path 0x"),
            ("1_0", "path 1_0"),
            ("inf", "path inf"),
            ("NaN", "path NaN"),
            ("e", "path e"),
            (" a.sock ", "path  a.sock "),
        ] {
            assert_eq!(place(text), expected);
        }
    }

    #[test]
    fn a_port_out_of_range_is_nowhere() {
        for text in [
            "",
            " \n",
            "1.5",
            "Infinity",
            "1e999",
            "0xffff0",
            "65536",
            "99999999999999999999",
            "localhost:65536",
            "[::1]:70000",
        ] {
            assert_eq!(place(text), format!("nowhere {text}"));
        }
    }
}
