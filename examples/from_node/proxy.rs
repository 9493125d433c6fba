//! A reverse proxy: connections go to the upstreams in turn; one that cannot be reached is passed over.
//!
//! `cargo run --example from_node_proxy port upstream-port...`; `proxy.mjs` beside it is the same in Node.

use soquete::net::{self, ConnectOptions, Server, ServerOptions, Socket};
use soquete::{event, stream::pipeline};

fn attempt(client: Socket, mut upstreams: std::vec::IntoIter<u16>) {
    let Some(port) = upstreams.next() else {
        client.end_with("no upstream\n").resume();
        return;
    };
    let upstream = net::connect(
        ConnectOptions::new(port)
            .host("127.0.0.1")
            .allow_half_open(true),
    );
    let refused = upstream.add_once_listener(event::Error, move |_| attempt(client, upstreams));
    upstream.once(event::Connect, move |()| {
        upstream.remove_listener(refused);
        pipeline([client, upstream], |_| ());
        pipeline([upstream, client], |_| ());
    });
}

pub fn serve(port: u16, mut upstreams: Vec<u16>) -> Server {
    let options = ServerOptions::new()
        .allow_half_open(true)
        .pause_on_connect(true);
    let server = net::create_server_with(options, move |client| {
        client.on(event::Error, |_| ());
        attempt(client, upstreams.clone().into_iter());
        upstreams.rotate_left(1);
    });
    server.listen_then(port, |server| {
        println!("listening on {}", server.address().unwrap().port());
    })
}

fn main() -> soquete::Result<()> {
    let mut ports = std::env::args().skip(1).map(|port| port.parse());
    let port: u16 = ports.next().unwrap_or(Ok(3000))?;
    serve(port, ports.collect::<Result<_, _>>()?);
    soquete::run()
}
