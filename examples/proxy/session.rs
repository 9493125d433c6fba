//! A client's connection: from the choice of an upstream until both directions have ended.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{Proxied, ProxyHeader};
use soquete::net::Socket;
use soquete::{event, stream};

use crate::upstreams::{Upstream, Upstreams};

/// How long both directions may be silent.
const IDLE: Duration = Duration::from_secs(600);

pub struct Sessions {
    upstreams: Upstreams,
    send_proxy: bool,
}

impl Sessions {
    pub fn new(upstreams: Upstreams, send_proxy: bool) -> Sessions {
        Sessions {
            upstreams,
            send_proxy,
        }
    }

    pub fn begin(&self, client: Socket) {
        client.on(event::Error, |_| ());
        let header = self.send_proxy.then(|| header_for(client));
        try_next(client, self.upstreams.by_preference().into_iter(), header);
    }
}

/// Tries one upstream after the other.
fn try_next(
    client: Socket,
    mut upstreams: std::vec::IntoIter<Rc<Upstream>>,
    header: Option<String>,
) {
    let Some(upstream) = upstreams.next() else {
        println!("no upstream can be reached");
        client.destroy();
        return;
    };
    let server = upstream.connect();
    let (tried, next_header) = (Rc::clone(&upstream), header.clone());
    let failed = server.add_once_listener(event::Error, move |_| {
        tried.was_seen(false);
        try_next(client, upstreams, next_header);
    });
    server.once(event::Connect, move |()| {
        server.remove_listener(failed);
        upstream.was_seen(true);
        if let Some(header) = header {
            server.write(header);
        }
        join(client, server);
    });
}

/// Carries both directions, each of which ends by itself.
fn join(client: Socket, server: Socket) {
    // What one side has lost, the other must not take for the end. These come before the pipelines' own
    // listeners, which close in the usual way.
    client.on(event::Error, move |_| server.reset_and_destroy());
    server.on(event::Error, move |_| client.reset_and_destroy());
    client.set_timeout_then(IDLE, |client| client.destroy());
    stream::pipeline([client, server], |_| ());
    stream::pipeline([server, client], |_| ());
}

/// The PROXY header, of version 1, by which the upstream learns whose connection it is.
fn header_for(client: Socket) -> String {
    let source = client.remote_socket_addr().map(plain);
    let destination = destination_of(client).map(plain);
    let (Some(source), Some(destination)) = (source, destination) else {
        return "PROXY UNKNOWN\r\n".into();
    };
    let family = match (source, destination) {
        (SocketAddr::V4(_), SocketAddr::V4(_)) => "TCP4",
        (SocketAddr::V6(_), SocketAddr::V6(_)) => "TCP6",
        _ => return "PROXY UNKNOWN\r\n".into(),
    };
    format!(
        "PROXY {family} {} {} {} {}\r\n",
        source.ip(),
        destination.ip(),
        source.port(),
        destination.port()
    )
}

/// What the client has connected to: by its own header, if it came with one.
fn destination_of(client: Socket) -> Option<SocketAddr> {
    let named =
        client
            .proxy_header()
            .and_then(|header| match ProxyHeader::parse(&header).ok()?.proxied {
                Proxied::Inet { destination, .. } => Some(destination),
                _ => None,
            });
    named.or_else(|| client.local_socket_addr())
}

/// An IPv4 address that came in by IPv6 is one of IPv4.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
