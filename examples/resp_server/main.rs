//! A key-value server that speaks RESP, the protocol of Redis, on one thread. `redis-cli` and
//! `redis-benchmark` run against it as they are.
//!
//! `cargo run --release --example resp_server [port]`
//!
//! It is for clients that it can trust, and listens on 127.0.0.1: there are no passwords, and nothing bounds what they
//! store. A client that leaves 64 MiB of replies unread is not read from, and one that asks for more than that in one
//! reply of several values is cut off.
//!
//! ```text
//!   protocol  ── a request's arguments (`framing::RespRequests` says where it ends)
//!      │
//!   server    ── one listener per connection: request in, reply out
//!      │
//!   commands  ── what the requests mean  ── reply ── how answers are written
//!      │
//!   store     ── keys, values and when they expire
//! ```

mod commands;
mod integer;
mod protocol;
mod reply;
mod server;
mod store;

const DEFAULT_PORT: u16 = 6379;

fn main() -> soquete::Result<()> {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse().ok())
        .unwrap_or(DEFAULT_PORT);
    let listening = soquete::net::ListenOptions::new(port).host("127.0.0.1");
    server::create().listen_then(listening, move |_| println!("listening on port {port}"));
    soquete::run()
}
