//! Where a server listens: what is bound for it, and what goes wrong with that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::address::SocketAddress;
use crate::error::{Endpoint, Error, Result, node};
use crate::kernel::Listener;
use crate::kernel::socket;
use crate::kernel::unix;
use crate::net::options::bound::Bound;
use crate::net::options::listen::ListenOptions;
use crate::net::values::address::Address;

/// Listens on every address of the machine: IPv6 and IPv4 by one socket, or IPv4 alone where
/// there is no IPv6.
pub(super) fn on_all(port: u16, options: &ListenOptions) -> Result<Listener> {
    let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match on(all, options) {
        Err(error) if error.code() != "EADDRINUSE" => {
            on((Ipv4Addr::UNSPECIFIED, port).into(), options)
        }
        listening => listening,
    }
}

pub(super) fn on(address: SocketAddr, options: &ListenOptions) -> Result<Listener> {
    let listening = socket::bound(address, options.sharing).and_then(|socket| {
        socket.listen(options.backlog)?;
        Ok(Listener::tcp(socket))
    });
    listening.map_err(|error| {
        let ip = SocketAddress::from(address).address();
        Error::listen(&error, &Endpoint::at(ip, Some(address.port())))
    })
}

pub(super) fn on_path(path: &Path, options: &ListenOptions) -> Result<Listener> {
    if path.as_os_str().is_empty() {
        let problem = "is invalid. Received { path: '' }";
        return Err(node::invalid_arg("options", problem));
    }
    if options.mode != 0 && unix::is_abstract(path) {
        let problem = "can not set readableAll or writableAll to true when path is abstract \
            unix socket";
        return Err(node::invalid_arg("options", problem));
    }
    let failed = |error| Error::listen(&error, &Endpoint::at(unix::display(path), None));
    let (socket, file) = unix::bound(path).map_err(failed)?;
    socket.listen(options.backlog).map_err(failed)?;
    if options.mode != 0 {
        file.set_mode(options.mode)
            .map_err(|error| Error::os("uv_pipe_chmod", &error))?;
    }
    Ok(Listener::unix(socket, Some(file)))
}

/// Listens by a socket that is there already.
pub(super) fn adopt(bound: Bound, backlog: i32) -> Result<Listener> {
    let Bound { socket, path } = bound;
    Listener::adopt(socket, path, backlog)
        .map_err(|error| Error::listen(&error, &Endpoint::default()))
}

/// Where it listens.
pub(super) fn address(listener: &Listener) -> Option<Address> {
    let tcp = listener.local_address().map(Address::Tcp);
    tcp.or_else(|| listener.path().map(Address::Path))
}

/// The address to listen on, of those that a name has: a link-local one would need a scope.
pub(super) fn preferred(addresses: &[IpAddr]) -> Option<IpAddr> {
    let link_local = |address: &IpAddr| match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    addresses
        .iter()
        .find(|address| !link_local(address))
        .or(addresses.first())
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_is_the_last_choice() {
        let addresses = |text: &str| -> Vec<IpAddr> {
            text.split_whitespace()
                .filter_map(|address| address.parse().ok())
                .collect()
        };
        let chosen = |text: &str| preferred(&addresses(text)).map(|address| address.to_string());
        assert_eq!(chosen("fe80::1 ::1").as_deref(), Some("::1"));
        assert_eq!(chosen("febf::1 10.0.0.1").as_deref(), Some("10.0.0.1"));
        assert_eq!(chosen("fec0::1 ::1").as_deref(), Some("fec0::1"));
        assert_eq!(chosen("fe80::2 fe80::1").as_deref(), Some("fe80::2"));
        assert_eq!(chosen(""), None);
    }
}
