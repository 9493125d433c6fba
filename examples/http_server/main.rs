//! An HTTP/1.1 server on one thread: keep-alive and pipelining, chunked answers, a folder of files, uploads that are
//! echoed, limits and deadlines, and a shutdown that lets requests end.
//!
//! ```text
//! cargo run --release --example http_server [PORT [FOLDER]]
//!
//! curl http://localhost:8080/                      a file of the folder
//! curl http://localhost:8080/hello                 for wrk
//! curl http://localhost:8080/count/1000            an answer whose length nobody knows
//! curl --data-binary @file http://localhost:8080/echo
//!
//!   framing::http ── where a message ends, and what is wrong with it
//!        │
//!     server      ── the connections: one listener each; limits, deadlines, shutdown
//!        │
//!     answers     ── what is asked for, and what comes back
//!        │
//!     files, date ── paths that stay in the folder, types, tags; the Date field
//! ```

mod answers;
mod date;
mod files;
mod server;

use std::time::Duration;

use soquete::{net, signals};

use server::Limits;

/// How long requests have to end when the server is told to.
const SHUTDOWN: Duration = Duration::from_secs(10);

fn main() -> soquete::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().and_then(|port| port.parse().ok());
    let folder = arguments.next().unwrap_or_else(|| ".".into());
    let listening = net::ListenOptions::new(port.unwrap_or(8080)).host("127.0.0.1");
    let server = server::create(folder, Limits::default())?;
    server.listen_then(listening, |server| {
        if let Some(address) = server.address() {
            println!("http://localhost:{}", address.port());
        }
    });
    for signal in [signals::SIGTERM, signals::SIGINT] {
        signals::on(signal, move || {
            println!("shutting down");
            server::shut_down(server, SHUTDOWN);
        })?;
    }
    soquete::run()
}
