//! What names a place to connect to, to listen on or to bind: one list for all three.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};

use super::{BindOptions, ConnectOptions, ListenOptions, host_of};
use crate::address::SocketAddress;

enum Place {
    Port(u16),
    Host(String, u16),
    Path(PathBuf),
}

impl Place {
    /// Text is a port (`"3000"`), a host and a port (`"localhost:3000"`, `"[::1]:3000"`), or a path, as
    /// all other text is in Node.
    fn of_text(text: &str) -> Place {
        if let Ok(port) = text.parse() {
            return Place::Port(port);
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !text.contains(['/', '\0']) => match port.parse() {
                Ok(port) => {
                    let bare = host
                        .strip_prefix('[')
                        .and_then(|host| host.strip_suffix(']'));
                    Place::Host(bare.unwrap_or(host).to_owned(), port)
                }
                Err(_) => Place::Path(text.into()),
            },
            _ => Place::Path(text.into()),
        }
    }
}

impl From<Place> for ConnectOptions {
    fn from(place: Place) -> ConnectOptions {
        match place {
            Place::Port(port) => ConnectOptions::new(port),
            Place::Host(host, port) => ConnectOptions::new(port).host(host),
            Place::Path(path) => ConnectOptions::path(path),
        }
    }
}

impl From<Place> for ListenOptions {
    fn from(place: Place) -> ListenOptions {
        match place {
            Place::Port(port) => ListenOptions::new(port),
            Place::Host(host, port) => ListenOptions::new(port).host(host),
            Place::Path(path) => ListenOptions::path(path),
        }
    }
}

impl From<Place> for BindOptions {
    fn from(place: Place) -> BindOptions {
        match place {
            Place::Port(port) => BindOptions::new().port(port),
            Place::Host(host, port) => BindOptions::new().host(host).port(port),
            Place::Path(path) => BindOptions::new().path(path),
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
    &SocketAddress: |address| Place::Host(address.address(), address.port());
    &Path: |path| Place::Path(path.into());
    &PathBuf: |path| Place::Path(path.into());
    PathBuf: |path| Place::Path(path);
    &str: |text| Place::of_text(text);
    &String: |text| Place::of_text(text);
    String: |text| Place::of_text(&text);
}
